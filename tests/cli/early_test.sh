#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The stages in which no target is there to be asked yet, resolve and tcp: a name server and a host
# that do not answer hold nothing up beyond --timeout, nor after an interrupt.
set -euo pipefail
. "$NVMF_SOURCE_DIR/tests/support/cli.bash"
need python3
nqn=nqn.2026-01.io.example:s

# interrupted COMMAND...: an interrupt after its first line ends it, at once and with one sentence.
interrupted() {
  local got=0 line
  rm -f said && mkfifo said
  env --default-signal=INT "$@" >said 2>err &
  pid=$!
  exec {said_fd}<said
  IFS= read -r -t "$limit_s" line <&"$said_fd" || fail "$*: it says nothing"
  kill -INT "$pid"
  wait_for "$pid" || got=$?
  exec {said_fd}<&-
  [ "$got" = 130 ] || fail "$*: exit status $got, not 130"
  expect_lines err 1
  expect_match err '^nvmfctl: interrupted'
}

# The host is there and does not answer.
hold_port full
uri=nvme+tcp://127.0.0.1:$port/$nqn
for line in connect discover 'send-capsule identify' bench; do
  read -ra words <<<"$line"
  run -s 19 "$nvmfctl" "${words[@]}" "$uri" --timeout 0.3
  expect_match err "^nvmfctl: tcp failed: no connection to 127.0.0.1:$port within 0.3 s; .*"
  expect_lines err 1
done
interrupted "$nvmfctl" connect "$uri" --timeout 60

# The name server takes longer than anyone waits: the resolver opens a file of aliases that nobody
# writes.
mkfifo aliases
export HOSTALIASES=$work/aliases
asked=0
timeout 1 getent ahosts nowhere >/dev/null || asked=$?
[ "$asked" = 124 ] || skip 'this resolver does not wait for HOSTALIASES'
uri=nvme+tcp://nowhere/$nqn
run -s 19 "$nvmfctl" connect "$uri" --timeout 0.3
expect_match err '^nvmfctl: resolve failed: "nowhere" was not resolved within 0.3 s; '
expect_lines err 1
interrupted "$nvmfctl" connect "$uri" --timeout 60
