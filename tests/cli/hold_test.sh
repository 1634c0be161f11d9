#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# connect --hold: it keeps the association alive, prints events, and ends when it should.
set -euo pipefail
. "$NVMF_SOURCE_DIR/tests/support/cli.bash"
need python3

# hold ARGUMENT...: starts connect --hold and waits until it holds; sets host.
hold() {
  rm -f held && mkfifo held
  env --default-signal=INT "$nvmfctl" connect "$server_uri" "$@" >held 2>held.err &
  host=$!
  exec {held_fd}<held
  : >held.out
  while IFS= read -r -t "$limit_s" line <&"$held_fd"; do
    printf '%s\n' "$line" >>held.out
    [[ $line != holding* && $line != *'"io_queues"'* ]] || break
  done
  [[ $line = holding* || $line = *'"io_queues"'* ]] || fail "it never held on: $(cat held.err)"
}
ended() { # ended STATUS
  local got=0
  cat <&"$held_fd" >>held.out
  exec {held_fd}<&-
  wait_for "$host" || got=$?
  [ "$got" = "$1" ] || fail "the host ended with $got, not $1: $(cat held.err)"
}

server_start
# An interrupt is its ordinary end, and a clean one.
hold --hold
kill -INT "$host"
ended 0
[ ! -s held.err ] || fail "it said: $(cat held.err)"

# So is the end of its time; Keep Alive went on meanwhile.
hold --hold=0.5s -k 300
ended 0
grep -q 'keep-alive' held.out || fail "no event of Keep Alive: $(cat held.out)"

# JSON Lines: each line one document, the first the association.
hold --hold=0.3 --json
ended 0
python3 - held.out <<'PYTHON' || fail "the lines are not JSON: $(head -c 400 held.out)"
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert lines[0]["schema"] == "nvmfctl.connect/1" and lines[0]["namespaces"], lines[0]
assert all("event" in line for line in lines[1:]), lines
PYTHON

# A target that dies is a loss, with the status of one.
hold --hold --json
kill -KILL "$server_pid"
ended 21
grep -q 'nvmfctl: the association was lost: ' held.err || fail "it said: $(cat held.err)"
tail -n 1 held.out |
  python3 -c 'import json, sys; assert json.load(sys.stdin)["error"]["status"] == 21'
