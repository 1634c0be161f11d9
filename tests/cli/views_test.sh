#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Help, man pages and completion are views of the commands: none is stale, all of them work.
set -euo pipefail
. "$NVMF_SOURCE_DIR/tests/support/cli.bash"

# The man pages in the tree are those that the program makes.
mkdir man
run "$nvmfctl" manual --directory man
diff -r man "$NVMF_SOURCE_DIR/docs/man" >diff.txt ||
  fail "docs/man is stale (nvmfctl manual --directory docs/man): $(head -n 20 diff.txt)"
if command -v man >/dev/null && command -v groff >/dev/null; then
  for page in man/*.1; do
    man --warnings -l "$page" >/dev/null 2>warnings </dev/null
    [ ! -s warnings ] || fail "$page: $(cat warnings)"
  done
fi

# Every command has help, a page, and its exit statuses.
mapfile -t commands < <("$nvmfctl" help | sed -n '/^Commands/,/^$/s/^  \([a-z-]*\) .*/\1/p')
[ ${#commands[@]} -ge 10 ] || fail "only ${#commands[@]} commands in help"
for name in "${commands[@]}"; do
  run "$nvmfctl" "$name" --help
  cp out help.txt
  for part in 'Usage' 'Examples' 'Exit status' '  nvmfctl '"$name"; do expect out "$part"; done
  run "$nvmfctl" help "$name"
  cmp out help.txt
  [ -s "man/nvmfctl-$name.1" ] || fail "no page of $name"
done

# Completion: what a shell would offer.
run "$nvmfctl" completion
cp out completion.bash
. ./completion.bash
PATH=${nvmfctl%/*}:$PATH
offers() { # offers WORD... : COMPREPLY with the cursor at the end of the last word
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
  _nvmfctl
}
has() {
  local word
  for word in "${COMPREPLY[@]}"; do [ "$word" != "$1" ] || return 0; done
  fail "completion of '${COMP_WORDS[*]}' offers no '$1': ${COMPREPLY[*]:0:20}"
}
lacks() {
  local word
  for word in "${COMPREPLY[@]}"; do [ "$word" != "$1" ] || fail "completion offers '$1'"; done
}
offers nvmfctl '' && has connect && has serve
offers nvmfctl con && has connect && lacks serve
offers nvmfctl connect --h && has --hold && has --hostnqn && has --help && lacks --rw
offers nvmfctl --json connect --nr && has --nr-io-queues
offers nvmfctl bench --rw '' && has randread && has write
offers nvmfctl --color a && has always && has auto && lacks never
offers nvmfctl help de && has describe
offers nvmfctl describe status- && has status-code
touch block.bin
offers nvmfctl send-capsule --out blo && has block.bin

# Every option of every command stands in its page, in its help, and is completed.
need python3
options() { # options COMMAND: the long and short names of its options, one a line
  "$nvmfctl" help "$1" --json | python3 -c '
import json, sys
for o in json.load(sys.stdin)["options"]:
    names = (o["name"], o.get("short"))
    print(*(name for name in names if name and name.startswith("-")), sep="\n")'
}
for name in "${commands[@]}"; do
  mapfile -t names < <(options "$name" | grep .)
  run "$nvmfctl" "$name" --help
  for option in "${names[@]}"; do
    offers nvmfctl "$name" "$option" && has "$option"
    expect_match out "^ .*$option\\b"
    grep -qF -e "${option//-/\\-}" "man/nvmfctl-$name.1" || fail "nvmfctl-$name.1 has no $option"
  done
done

# What is installed: the program, its pages, and a completion that is its own.
build=${nvmfctl%/cli/nvmfctl}
run cmake --install "$build" --prefix "$work/to"
cmp completion.bash to/share/bash-completion/completions/nvmfctl
diff -r man to/share/man/man1
[ -x to/bin/nvmfctl ] || fail 'no program is installed'
