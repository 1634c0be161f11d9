#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# run: lines of the debugger from a file, standard input and the command line; what is wrong with
# one of them, with its place.
set -euo pipefail
. "$NVMF_SOURCE_DIR/tests/support/cli.bash"

server_start --ns ram:1M
run "$nvmfctl" run -c "connect $server_uri" "$NVMF_SOURCE_DIR/tests/cli/scripts/first.nvmf"
expect out 'a1 is up: controller 1, 1 I/O queue'
expect_match out '^\+ +[0-9.]+ us  io_cb       a1:0 cid [0-9]+  4096 bytes$'
expect_match out '^\+ +[0-9.]+ us  receive_cb  a1:1 cid [0-9]+  sqhd=2$'
expect_match out '^w: Successful Completion \(0/00h\), 4096 bytes, [0-9.]+ us$'
expect_match out '^r: Successful Completion \(0/00h\), 4096 bytes, [0-9.]+ us$'
# What came back is what random:7 gives at the beginning of the scatter list.
grep '^000000[01]0  ' out >back
run "$nvmfctl" run -c 'buf d 8K fill=random:7' -c 'hexdump d[0,32]'
grep '^000000[01]0  ' out | cmp - back || fail 'the data that came back is not what was written'

# One queue at the transport: the first command is the person's.
cat >script <<SCRIPT
open $server_uri name=bare hdgst=off \\
  maxr2t=3
limits bare
close bare
SCRIPT
run bash -c '"$0" run - <script' "$nvmfctl"
expect out 'bare is open: queue 0 to 127.0.0.1:'
expect out 'R2Ts 4'
server_stop

# wrong STATUS LINE PLACE TEXT
wrong() {
  run -s "$1" "$nvmfctl" run -c "$2"
  expect err "-c:1:$3: $4"
}
wrong 2 'fob' 1 "'fob' is not a command"
wrong 2 'se r' 1 "'se' may be set, send"
wrong 2 'sqe x reed' 7 "command: 'reed' is not a command; did you mean read?"
wrong 2 'sqe x read nsdi=1' 12 'nsdi: read has no such field; did you mean nsid'
wrong 2 'sqe x read nlb=99999999' 16 'nlb: 99999999 does not fit in 16 bits'
wrong 2 'send r' 6 "there is no command 'r' (sqe makes one)"
wrong 2 'buf b 4Q' 8 "size: 'Q' is not a unit of size"
wrong 2 'buf "b 4' 5 'no " ends this'
wrong 2 'hexdump b1' 9 "there is no buffer 'b1' (buf makes one)"
wrong 2 'wait' 5 'nothing is under way'
wrong 2 'timeout 5' 10 'timeout: 5 has no unit'
hold_port closed
wrong 11 "open nvme+tcp://127.0.0.1:$port" 6 "cannot connect to 127.0.0.1:$port: Connection refused"
printf 'echo one\r\n\techo two\r\nsqe x identify \\\n cns=1\nfob\necho three\n' >script
run -s 2 "$nvmfctl" run script
expect_lines out 2
expect err "script:5:1: 'fob' is not a command"
run -s 2 "$nvmfctl" run no-such-file
expect err 'nvmfctl: run: no-such-file: cannot be opened for reading'
run -s 2 "$nvmfctl" run
expect err 'run: give a FILE, or lines with -c'

# Lines that come slowly: the reactor runs while the next one is awaited, keep alives leave and
# callbacks fire; Ctrl-C ends it.
mkfifo lines said
env --default-signal=INT "$nvmfctl" run - <lines >said 2>err &
pid=$!
exec {to}>lines {from}<said
until_said() {
  local line n
  for ((n = 0; n < 1000; n++)); do
    IFS= read -r -t "$limit_s" -u "$from" line || break
    if [[ $line =~ $1 ]]; then return; fi
  done
  fail "it never said anything like '$1'"
}
printf '%s\n' 'listen nvme+loop://slow auto ns=ram:1M' 'connect l1 kato=200ms' 'watch all' \
  'echo nothing more' >&"$to"
until_said '^nothing more$'
for _ in 1 2 3; do until_said 'receive_cb  l1:1 cid [0-9]+  keep-alive'; done
printf 'echo a line' >&"$to"
until_said 'receive_cb  l1:1 cid [0-9]+  keep-alive'
printf ' in two\n' >&"$to"
until_said '^a line in two$'
until_said 'receive_cb  l1:1 cid [0-9]+  keep-alive'
kill -INT "$pid"
got=0
wait_for "$pid" || got=$?
[ "$got" = 130 ] || fail "interrupted while it waits for a line: exit status $got"
expect err 'stdin:6: interrupted'
exec {to}>&- {from}<&-
# The end of a pipe is the end of the script, without a line end too.
run bash -c 'printf "echo one\necho two" | "$0" run -' "$nvmfctl"
expect_lines out 2
run bash -c 'printf "echo one\necho two" | "$0" repl' "$nvmfctl"
expect_lines out 2
