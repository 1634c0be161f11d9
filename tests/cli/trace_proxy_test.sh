#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# trace --proxy: hosts and targets that say what they say without it, bytes of any kind, discovery
# that leads through it, targets that are not there, limits, and its ends.
# labels: tsan release
set -euo pipefail
. "$NVMF_SOURCE_DIR/tests/support/cli.bash"
need python3

# proxy_start [arguments...]: returns when it listens; sets proxy_pid and proxy_port. Its lines go
# to trace.out, its words to trace.err. It has as many descriptors as $descriptors says.
descriptors=1024
proxy_start() {
  local line said
  rm -f said trace.err && mkfifo said
  env --default-signal=INT bash -c 'ulimit -n "$0" && exec "$@"' "$descriptors" \
    "$nvmfctl" trace "$@" >trace.out 2>said </dev/null &
  proxy_pid=$! proxy_port=
  exec {said}<said
  while IFS= read -r -t "$limit_s" line <&"$said"; do
    printf '%s\n' "$line" >>trace.err
    if [[ $line =~ listening\ on\ nvme\+tcp://[^,]*:([0-9]+)[/,] ]]; then
      proxy_port=${BASH_REMATCH[1]}
      break
    fi
  done
  [ -n "$proxy_port" ] || fail "trace $*: it does not listen"
  cat <&"$said" >>trace.err &
  words_pid=$!
  exec {said}<&-
}
proxy_stop() {
  local got=0
  kill -INT "$proxy_pid"
  wait_for "$proxy_pid" || got=$?
  [ "$got" = "${1:-0}" ] || fail "trace --proxy: exit status $got, not ${1:-0}: $(cat trace.err)"
  wait "$words_pid"
  cp trace.out out && cp trace.err err
}

server_start --subsystem nqn.2026-01.io.example:s
uri=$server_uri

# A command after --: its words, its status; and each of its capsules.
run "$nvmfctl" trace --proxy "127.0.0.1:0,$uri" -- "$nvmfctl" --json send-capsule identify cns=1
expect out '"schema"'
expect_match out 'c1 q0 > 0x[0-9a-f]{4} identify cns=0x1 \(controller\)'
expect_match out 'c1 q0 < 0x[0-9a-f]{4} identify ok, 4096 bytes'
expect_match out 'c1 q0 \* closed by the host: [0-9]+ commands, 0 failed'
expect_match err 'proxy: listening on nvme\+tcp://127.0.0.1:[0-9]+/nqn.2026-01.io.example:s, for '
expect err ", for $uri"
expect_match err 'proxy: 1 connection, 1 of NVMe/TCP; [0-9]+ bytes from hosts, [0-9]+ bytes from '
run -s 3 "$nvmfctl" trace --proxy "0,$uri" -- bash -c 'exit 3'
run -s 127 "$nvmfctl" trace --proxy "0,$uri" -- /no/such/program
expect err 'cannot run /no/such/program'

# Digests, many connections, the other views; what a host reads back is what it wrote.
run "$nvmfctl" trace --stats --proxy "0,$uri" -- "$nvmfctl" bench --rw randread --bs 4K --depth 8 \
  --queues 3 --time 0.2 --warm-up 0 -g -G
expect_match out '^ *c2 +q1 +read '
expect err '4 connections, 4 of NVMe/TCP'
run "$nvmfctl" --json trace --strict --proxy "0,$uri" -- "$nvmfctl" -v bench --rw write --bs 128K \
  --depth 4 --time 0.1 --warm-up 0
python3 - out <<'PYTHON'
import json, sys
records = [json.loads(line) for line in open(sys.argv[1]) if line.startswith("{")]
summary = records[-1]["summary"]
assert summary["proxy"]["connections"] == 2, summary
assert summary["proxy"]["bytes_from_hosts"] > 1 << 20, summary
assert summary["rules"]["errors"] == 0, summary
assert sum(r["record"] == "ended" for r in records) == 2
PYTHON

# What it writes for wireshark are packets that could have carried it, ends included.
run "$nvmfctl" trace --pcapng through.pcapng --proxy "0,$uri" -- "$nvmfctl" connect -g -G
run "$nvmfctl" trace through.pcapng --strict
expect_match out 'c2 q1 < .* connect ok'
[ "$(grep -cE ' \* closed by the (host|controller): ' out)" = 2 ] || fail 'ends are missing'
if command -v tshark >/dev/null; then
  run tshark -r through.pcapng -d tcp.port==1024-65535,nvme-tcp -Y tcp.analysis.flags
  expect_lines out 0
  run tshark -r through.pcapng -Y 'tcp.flags.syn==1 || tcp.flags.fin==1'
  [ "$(wc -l <out)" -ge 8 ] || fail 'not two handshakes and two ends'
fi

# A target that breaks the rules: exit status 20 with --strict, and what came through is told.
cat >wrong.py <<'PYTHON'
import socket, sys
listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
peer = listening.accept()[0]
peer.recv(128, socket.MSG_WAITALL)
peer.sendall(bytes.fromhex("01008000 80000000 0000 00 00 00000200") + bytes(112))
command = peer.recv(72 + 1024, socket.MSG_WAITALL)
peer.sendall(bytes.fromhex("05001800 18000000") + bytes(12) + b"\x77\x77" + bytes(2))
peer.recv(1)
PYTHON
mkfifo wrong.out
python3 wrong.py >wrong.out &
read -r wrong_port <wrong.out
wrong=nvme+tcp://127.0.0.1:$wrong_port/nqn.2026-01.io.example:s
run -s 20 "$nvmfctl" trace --strict --proxy "0,$wrong" \
  -- "$nvmfctl" connect --timeout 5
expect_match out 'c1 q0 ! 0x7777 '

# Bytes that are no NVMe pass as well, both ways, half closed, with an end that resets.
cat >talk.py <<'PYTHON'
import os, socket, struct, subprocess, sys, threading
program = sys.argv[1]
answer = os.urandom(3 << 20)
question = os.urandom(1 << 20)
listening = socket.create_server(("127.0.0.1", 0))
target = f"nvme+tcp://127.0.0.1:{listening.getsockname()[1]}/nqn.2026-01.io.example:s"
proxy = subprocess.Popen([program, "trace", "--proxy", f"0,{target}"], text=True,
                         stderr=subprocess.PIPE, stdout=subprocess.PIPE)
first = proxy.stderr.readline()
port = int(first.split("listening on nvme+tcp://127.0.0.1:")[1].split("/")[0])

def serve():
    peer = listening.accept()[0]
    got = b"".join(iter(lambda: peer.recv(65536), b""))  # up to the end of that direction
    assert got == question, len(got)
    peer.sendall(answer)
    peer.close()
    peer = listening.accept()[0]
    assert peer.recv(5, socket.MSG_WAITALL) == b"hello"
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()

thread = threading.Thread(target=serve)
thread.start()
host = socket.create_connection(("127.0.0.1", port))
host.sendall(question)
host.shutdown(socket.SHUT_WR)
got = b"".join(iter(lambda: host.recv(65536), b""))
assert got == answer, len(got)
host = socket.create_connection(("127.0.0.1", port))
host.sendall(b"hello")
try:
    assert not host.recv(1), "bytes from nowhere"
    raise SystemExit("an end instead of a reset")
except ConnectionResetError:
    pass
thread.join()
proxy.send_signal(2)
out, err = proxy.communicate()
assert proxy.returncode == 0, (proxy.returncode, err)
assert out == "", out
assert "2 connections, 0 of NVMe/TCP; 1048581 bytes from hosts, 3145728 bytes" in err, err
assert "; 1 reset" in err, err
assert "no NVMe/TCP went through" in err, err
PYTHON
run python3 talk.py "$nvmfctl"

# Discovery: without --rewrite-discovery the target's own address comes back, with it the proxy's,
# and a connection to that one goes through it, too.
found() { grep -oE 'nvme\+tcp://[^ ]*:s' "$1" | sort -u; }
discovery=nvme+tcp://$server_addr
run "$nvmfctl" trace --proxy "0,$discovery" -- "$nvmfctl" discover
[ "$(found out)" = "nvme+tcp://$server_addr/nqn.2026-01.io.example:s" ] || fail 'no plain entry'
proxy_start --rewrite-discovery --proxy "127.0.0.1:0,$discovery" --proxy "0,nvme+tcp://127.0.0.1:9"
for digests in '' '-g -G'; do
  # shellcheck disable=SC2086
  run "$nvmfctl" discover "nvme+tcp://127.0.0.1:$proxy_port" $digests
  [ "$(found out)" = "nvme+tcp://127.0.0.1:$proxy_port/nqn.2026-01.io.example:s" ] ||
    fail "an entry that does not lead through the proxy on port $proxy_port"
done
run "$nvmfctl" connect "$(found out)"
proxy_stop
expect_match out 'c3 q0 > .* connect .*subnqn=nqn.2026-01.io.example:s'
expect_match out 'get-log-page ok, '
expect_match err '4 connections, 4 of NVMe/TCP; .*; 2 discovery entries rewritten'

# A second target in the log has a listener of its own.
run "$nvmfctl" serve --listen 127.0.0.1:0 --listen 127.0.0.1:0 --discovery 127.0.0.1:0 \
  --subsystem nqn.2026-01.io.example:s -- bash -c '
  exec "$0" trace --rewrite-discovery --proxy "0,$NVMF_URI" --no-rules -- bash -c "
    list() { \"\$0\" discover nvme+tcp://\${NVMF_URI#*://} | grep -oE \"nvme.tcp://[^ ]*:s\"; }
    NVMF_URI=\${NVMF_URI%/*}
    list | sort -u >uris
    while read -r uri; do \"\$0\" connect \$uri >/dev/null; done <uris
  " "$0"' "$nvmfctl"
[ "$(wc -l <uris)" = 2 ] || fail 'two listeners, two entries'
expect_match err 'proxy: listening on 127.0.0.1:[0-9]+, for 127.0.0.1:[0-9]+ of a discovery log'
expect err '5 connections, 5 of NVMe/TCP'

# proxy_refuses [arguments...]: the host of these finds out early or late that it was reset.
proxy_refuses() {
  run bash -c 'got=0; "$@" || got=$?; case $got in 11|13|21) ;; *) exit 1 ;; esac' - \
    "$nvmfctl" trace "$@" -- "$nvmfctl" connect
}

# A target that is not there: a reset for the host, one sentence; one that does not answer.
hold_port closed
proxy_refuses --proxy "0,nvme+tcp://127.0.0.1:$port/nqn.2026-01.io.example:s"
expect_match err "proxy: cannot connect to 127.0.0.1:$port: Connection refused; the connection of "
expect_match err '1 connection, 0 of NVMe/TCP; .*; 1 found no target'
hold_port full
proxy_refuses --connect-timeout 0.2 --proxy "0,nvme+tcp://127.0.0.1:$port/nqn.2026-01.io.example:s"
expect err "proxy: no connection to 127.0.0.1:$port within 0.2 s; the connection of 127"

# Limits: of connections, and of descriptors; those who are connected stay so.
proxy_refuses --connections 1 --proxy "0,$uri"
expect_match err 'proxy: 1 at once are taken, and no more: the connection of 127'
expect_match err '; 1 refused'
# To look at an object a sanitizer opens a pipe, and without one it believes in nothing.
few_descriptors() {
  descriptors=24
  proxy_start --stats --proxy "0,$uri"
  python3 - "$proxy_port" <<'PYTHON'
import socket, sys
# More than it has descriptors for: each is taken or ended, and none waits for ever.
peers = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(20)]
kept = 0
for peer in peers:
    peer.settimeout(20)
    try:
        peer.sendall(bytes.fromhex("00008000 80000000") + bytes(120))
        kept += len(peer.recv(128, socket.MSG_WAITALL)) == 128
    except OSError:
        pass
assert 0 < kept < 20, kept
PYTHON
  proxy_stop
  expect err 'ulimit -n'
  descriptors=1024
}
case $("$nvmfctl" --version) in *Release*) few_descriptors ;; esac

# --first ends it; so does nobody who reads; the last lines come at the end.
run "$nvmfctl" trace --first 3 --proxy "0,$uri" -- "$nvmfctl" connect --hold
[ "$(grep -c ' c1 ' out)" = 3 ] || fail 'not 3 lines'
run bash -c '"$0" trace --no-rules --proxy "0,$1" -- "$0" connect --hold=60s | head -n 1' \
  "$nvmfctl" "$uri"
run "$nvmfctl" trace --last 1 --proxy "0,$uri" -- "$nvmfctl" send-capsule identify cns=1
expect_match out ' \* closed by the (host|controller): '

# A line is there while the connection is still open.
proxy_start --proxy "0,$uri"
"$nvmfctl" connect --hold "nvme+tcp://127.0.0.1:$proxy_port/nqn.2026-01.io.example:s" >held &
held_pid=$!
timeout "$limit_s" grep -q 'c2 q1 < .* connect ok' \
  <(tail -n +1 -F --pid="$proxy_pid" trace.out 2>/dev/null) || fail 'no line while it is open'
proxy_stop
expect_match out 'c1 q0 \* the capture ends: '
kill "$held_pid" 2>/dev/null || true
wait "$held_pid" || true

# What it cannot do is said before anything begins.
run -s 2 "$nvmfctl" trace
expect err 'a source is missing: FILE, -i IFACE, or --proxy'
run -s 2 "$nvmfctl" trace --proxy 127.0.0.1:0
expect err 'two addresses are needed'
run -s 2 "$nvmfctl" trace --proxy "127.0.0.1:x,$uri"
expect err 'port'
run -s 2 "$nvmfctl" trace --proxy "0,nvme+loop://x"
expect err 'only nvme+tcp can be proxied, not loop'
run -s 2 "$nvmfctl" trace --proxy "0,$uri" file.pcap
expect err 'one source at a time'
run -s 2 "$nvmfctl" trace --rewrite-discovery file.pcap
expect err -- '--rewrite-discovery needs --proxy'
run -s 2 "$nvmfctl" trace file.pcap -- true
expect err 'a command after -- needs --proxy'
run -s 11 "$nvmfctl" trace --proxy "$server_addr,$uri"
expect err 'Address already in use; something else has the port'
run -s 10 "$nvmfctl" trace --proxy "0,nvme+tcp://no-such-host.invalid"
expect err "cannot resolve 'no-such-host.invalid'"
server_stop
