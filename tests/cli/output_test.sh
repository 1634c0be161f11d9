#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# What goes where: data to stdout, talk to stderr, files whole or not at all, JSON that parses,
# colours only where they are wanted.
set -euo pipefail
. "$NVMF_SOURCE_DIR/tests/support/cli.bash"
need python3
nqn=nqn.2026-01.io.example:s
server_start -n "$nqn" --ns ram:1M --ns ram:1M,bs=4096
head -c 4096 /dev/urandom >block.bin

# A file in, a file out; the lengths follow from the file and from the namespace's format.
run "$nvmfctl" send-capsule "$server_uri" write slba=4 --send block.bin
expect_match out 'nlb +7 '
run "$nvmfctl" send-capsule "$server_uri" read slba=4 nlb=7 --out back.bin
cmp block.bin back.bin
run "$nvmfctl" send-capsule "$server_uri/2" write --send block.bin
run "$nvmfctl" send-capsule "$server_uri/2" read --out back2.bin
cmp block.bin back2.bin

# Standard output holds the data and nothing else when it is asked to.
run "$nvmfctl" send-capsule "$server_uri" read slba=4 nlb=7 --out -
cmp block.bin out
expect err 'CQE Successful Completion'
"$nvmfctl" send-capsule "$server_uri" write slba=100 --send - <block.bin >/dev/null
run "$nvmfctl" send-capsule "$server_uri" compare slba=100 --send block.bin
run -s 18 "$nvmfctl" send-capsule "$server_uri" compare slba=101 --send block.bin
expect err 'Compare Failure'

# A file is written whole or not at all.
run -s 18 "$nvmfctl" send-capsule "$server_uri" read slba=999999 --out nothing.bin
[ ! -e nothing.bin ] || fail 'a command that failed left a file'
run -s 2 "$nvmfctl" send-capsule "$server_uri" read --out none/file
expect err '--out: none/file: cannot be created: No such file or directory'
run -s 2 "$nvmfctl" send-capsule "$server_uri" read --out /dev/full
expect err '--out: /dev/full: cannot be written: No space left on device'
[ "$(find . -name '*.bin.*' -o -name '*.??????' | wc -l)" = 0 ] || fail 'a temporary file is left'
got=0
"$nvmfctl" describe >/dev/full 2>err || got=$?
[ "$got" = 1 ] || fail "a full standard output: exit status $got"
expect err 'standard output: write failed'

# JSON: one document, whatever happens; bytes of a peer cannot break it.
document() {
  run "$@"
  python3 -c 'import json, sys
assert json.load(sys.stdin)["schema"].startswith("nvmfctl.")' <out ||
    fail "not one document: $*"
}
document "$nvmfctl" --json connect "$server_uri"
document "$nvmfctl" discover "nvme+tcp://$server_addr" --json
document "$nvmfctl" send-capsule "$server_uri" --json identify cns=1
document "$nvmfctl" send-capsule "$server_uri" --json read --repeat 3
document "$nvmfctl" send-capsule --json --dry-run connect
document -s 18 "$nvmfctl" send-capsule "$server_uri" --json read slba=999999
document -s 17 "$nvmfctl" send-capsule "$server_uri" --json identify cns=0xff
document -s 14 "$nvmfctl" connect --json "$server_uri-not"
document -s 2 "$nvmfctl" connect --json
document -s 2 "$nvmfctl" --json conect
document "$nvmfctl" describe --json status 0x182
document "$nvmfctl" describe --json
document "$nvmfctl" version --json

# Colours.
escape=$'\x1b['
run "$nvmfctl" connect "$server_uri"
! grep -qF "$escape" out || fail 'colours, though it is no terminal'
run "$nvmfctl" connect "$server_uri" --color always
expect out "$escape"
if command -v script >/dev/null; then
  script -qec "$nvmfctl describe sct" /dev/null >out </dev/null
  expect out "$escape"
  NO_COLOR=1 script -qec "$nvmfctl describe sct" /dev/null >out </dev/null
  ! grep -qF "$escape" out || fail 'colours, though NO_COLOR says no'
fi

# A log goes where it is told.
run "$nvmfctl" -v connect "$server_uri" --log-file log.txt
[ ! -s err ] || fail 'the log went to stderr as well'
# Twice verbose: every event of the wire is a line of it, on both sides.
run "$nvmfctl" -vv connect "$server_uri" --log-file events.txt
grep -qE 'qpair [0-9]+ queue 0: pdu-out icreq ' events.txt || fail "no ICReq in $(cat events.txt)"
grep -qE 'queue 1 cid [0-9]+: command-out connect ' events.txt || fail 'no Connect of queue 1'
run "$nvmfctl" serve -vv --listen 127.0.0.1:0 -- "$nvmfctl" connect
expect_match err 'queue 0: pdu-in icreq '
run -s 2 "$nvmfctl" connect "$server_uri" --log-file none/log.txt
expect err '--log-file: none/log.txt: No such file or directory'
server_stop
