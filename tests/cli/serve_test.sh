#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# labels: release
# serve: readiness lines, a command beside it, signals, several subsystems and listeners.
set -euo pipefail
. "$NVMF_SOURCE_DIR/tests/support/cli.bash"

# A command beside it finds the address, and its status is the end.
run "$nvmfctl" serve --listen 127.0.0.1:0 -- "$nvmfctl" connect
expect_match out '^listening nvme\+tcp://127\.0\.0\.1:[0-9]+/nqn\.2026-01\.io\.nvmfctl:default$'
expect_match out '^  1  64 MiB'
run -s 7 "$nvmfctl" serve --listen 127.0.0.1:0 -- sh -c 'exit 7'
# A command that a signal ends: 128 and its number, as a shell says it.
run -s 137 "$nvmfctl" serve --listen 127.0.0.1:0 -- sh -c 'kill -KILL $$'
run -s 127 "$nvmfctl" serve --listen 127.0.0.1:0 -- ./no-such-program
expect err 'cannot run ./no-such-program: No such file or directory'
# The command has the standard streams, and arguments with dashes are its own.
echo hello | "$nvmfctl" serve --listen 127.0.0.1:0 --json -- sh -c 'cat; echo "$1"' sh --json >out
expect out '"event": "listening"'
expect_match out '^hello$'
expect_match out '^--json$'

# Plain serve: its default port, if that is free, and its default name.
server_start --listen 127.0.0.1:0
[[ $server_uri = nvme+tcp://127.0.0.1:*/nqn.2026-01.io.nvmfctl:default ]] || fail "$server_uri"
# The first interrupt is the ordinary end.
server_stop 0
server_start && kill -TERM "$server_pid" && got=0 && { wait_for "$server_pid" || got=$?; }
[ "$got" = 0 ] || fail "SIGTERM: exit status $got"

# Several subsystems, namespaces and listeners; each subsystem has its own rules.
a=nqn.2026-01.io.example:a b=nqn.2026-01.io.example:b
server_start --listen 127.0.0.1:0 --listen '[::1]:0' --discovery 127.0.0.1:0 \
  -n "$a" --ns ram:1M --ns null:1G,bs=4096 --serial AAA --model 'Model A' \
  --subsystem "$b" --ns pattern:4M --allow-host nqn.2026-01.io.example:friend
run "$nvmfctl" connect "nvme+tcp://$server_addr/$a" -q nqn.2026-01.io.example:x
expect out 'model Model A, serial AAA'
expect_match out '^  1  1 MiB '
expect_match out '^  2  1 GiB +262144 blocks of 4096 bytes'
run -s 14 "$nvmfctl" connect "nvme+tcp://$server_addr/$b" -q nqn.2026-01.io.example:x
run "$nvmfctl" connect "nvme+tcp://$server_addr/$b" -q nqn.2026-01.io.example:friend
expect_match out '^  1  4 MiB '
run "$nvmfctl" discover "nvme+tcp://$server_addr" -q nqn.2026-01.io.example:friend
expect out "$a"
expect out "$b"
run "$nvmfctl" discover "nvme+tcp://$server_addr" -q nqn.2026-01.io.example:x
expect out "$a"
server_stop

# A target that is stopped tells its hosts; a host that holds on learns of it.
server_start
mkfifo held
"$nvmfctl" connect "$server_uri" --hold >held 2>held.err &
host=$!
exec {held_fd}<held
while IFS= read -r -t "$limit_s" line <&"$held_fd"; do
  [[ $line != holding* ]] || break
done
[[ $line = holding* ]] || fail 'the host never held on'
cat <&"$held_fd" >/dev/null &
server_stop
got=0
wait_for "$host" || got=$?
[ "$got" = 21 ] || fail "the host ended with $got, not 21: $(cat held.err)"
grep -q 'the association was lost' held.err || fail "the host said: $(cat held.err)"

# Who does not listen holds up nothing: a host that is stopped, and a connection that is silent.
server_start
: >held.out
"$nvmfctl" connect "$server_uri" --hold >>held.out 2>held.err &
host=$!
timeout "$limit_s" grep -qm1 ^holding <(tail -n +1 -f held.out) || fail 'the host never held on'
exec {silent}<>"/dev/tcp/127.0.0.1/${server_addr#*:}"
kill -STOP "$host"
server_stop
kill -CONT "$host"
got=0
wait_for "$host" || got=$?
[ "$got" = 21 ] || fail "the host that was stopped ended with $got, not 21"
exec {silent}<&-

# Digests and limits that were asked for are in force.
server_start -g -G --in-capsule 0 --maxh2cdata 8K --cpda 3 --reactors 2
run "$nvmfctl" connect "$server_uri" -g -G -i 4
expect_match out 'header digest +on'
expect_match out 'data digest +on'
expect_match out 'CPDA +3 \(16 bytes\)'
expect_match out 'MAXH2CDATA +8192 bytes'
head -c 65536 /dev/urandom >data.bin
run "$nvmfctl" send-capsule "$server_uri" -g -G write --send data.bin
expect_match out 'pdu-in +r2t '
expect_match out 'pdu-out +h2c-data \[hdgst ddgst last-pdu\]'
run "$nvmfctl" send-capsule "$server_uri" -g -G read nlb=127 --out back.bin
cmp data.bin back.bin
server_stop
