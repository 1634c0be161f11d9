#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# trace -i: what passes on an interface, from its first line to Ctrl-C; who it runs as; what it
# says when an interface cannot be captured from. Pipes end at Ctrl-C with their summary as well.
set -euo pipefail
if [ -z "${NVMF_TEST_ALONE:-}" ] && unshare -rn true 2>/dev/null && command -v ip >/dev/null; then
  # A network of its own, where it may capture.
  NVMF_TEST_ALONE=1 exec unshare -rn bash "$0"
fi
. "$NVMF_SOURCE_DIR/tests/support/cli.bash"
need python3
[ -z "${NVMF_TEST_ALONE:-}" ] || ip link set lo up
# A process that changed its user may not be looked into, which the leak checker does.
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0

# background NAME COMMAND...: started; its streams are NAME.out and NAME.err, and the lines of its
# stderr can be read from $said. Sets pid.
background() {
  local name=$1
  shift
  rm -f "$work/said" && mkfifo "$work/said"
  env --default-signal=INT "$@" >"$work/$name.out" 2>"$work/said" <"${from:-/dev/null}" &
  pid=$!
  exec {said}<"$work/said"
}
# said_line TEXT: waits for a line with it.
said_line() {
  local line
  while IFS= read -r -t "$limit_s" line <&"$said"; do
    printf '%s\n' "$line" >>"$work/err"
    [[ $line = *"$1"* ]] && return
  done
  fail "it never said '$1'"
}
ended() { # ended STATUS
  local got=0
  wait_for "$pid" || got=$?
  cat <&"$said" >>"$work/err"
  exec {said}<&-
  [ "$got" = "$1" ] || fail "exit status $got, not $1"
}

# Ctrl-C ends a pipe that never would: what came is shown, and summed up.
python3 "$NVMF_SOURCE_DIR/tests/support/captures.py" conversation talk.pcap
for how in '' --stats --json; do
  mkfifo pipe
  exec {door}<>pipe
  from=pipe background piped "$nvmfctl" trace - ${how:+"$how"} --pcapng seen.pcapng
  cat talk.pcap >&"$door"
  # Nothing but the bytes that were taken tells how far it is: the pipe is empty then.
  python3 - "$door" <<'PYTHON'
import array, fcntl, select, sys, termios
left = array.array("i", [1])
while left[0]:
    fcntl.ioctl(int(sys.argv[1]), termios.FIONREAD, left)
    select.select([], [], [], 0)
PYTHON
  kill -INT "$pid"
  ended 130
  exec {door}>&- && rm pipe
  case $how in
    '') grep -q '0x0000 connect ok' piped.out || fail 'what came before Ctrl-C is not shown' ;;
    --stats) grep -q ' c1 .*read ' piped.out || fail 'no statistics at Ctrl-C' ;;
    --json) tail -n 1 piped.out | grep -q '"record": *"summary"' || fail 'no summary at Ctrl-C' ;;
  esac
  [ -s seen.pcapng ] || fail 'the file is not there at Ctrl-C'
done

# What cannot be captured from.
"$nvmfctl" version | grep -q 'live capture  *yes' || skip 'built without libpcap'
run -s 2 "$nvmfctl" trace -i none9
expect err 'nvmfctl: trace: none9: there is no such interface'
expect err 'there are: '
expect_match err 'lo, .*any|lo, any'
run -s 2 "$nvmfctl" trace -i l0
expect err 'did you mean lo'
run -s 2 "$nvmfctl" trace talk.pcap -i lo
expect err 'trace: one source at a time: FILE, -i IFACE, or --proxy LISTEN,TARGET-URI'
run -s 2 "$nvmfctl" trace
expect err 'trace: a source is missing: FILE, -i IFACE, or --proxy LISTEN,TARGET-URI'
run -s 2 "$nvmfctl" trace -i lo --port 4420,x
expect err '--port'
run -s 2 "$nvmfctl" trace -i lo --buffer 1K
expect err '--buffer'
if unshare -r true 2>/dev/null; then
  # Root of nothing but its name.
  run -s 2 unshare -r setpriv --bounding-set -all --inh-caps -all "$nvmfctl" trace -i lo
  expect err 'trace: lo: cannot be captured from: that takes the capability CAP_NET_RAW'
  expect err 'sudo setcap cap_net_raw+ep'
fi
python3 -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3)' 2>/dev/null ||
  skip 'no CAP_NET_RAW here, and no network of its own to be had'
if [ -n "${NVMF_TEST_ALONE:-}" ] && ip link add down0 type dummy 2>/dev/null; then
  run -s 2 "$nvmfctl" trace -i down0
  expect err 'trace: down0: it is down: sudo ip link set down0 up'
fi

server_start -n nqn.2026-01.io.example:s --ns ram:1M
port=${server_addr##*:}
talk() { run "$nvmfctl" send-capsule "$server_uri/1" read slba=0 nlb=7; }

# Nothing but what passes, at once, until Ctrl-C; the user of sudo, if that can be.
for interface in lo any; do
  background live env SUDO_UID=4711 SUDO_GID=4711 "$nvmfctl" trace -i "$interface" --port "$port,1"
  said_line "capturing on $interface: "
  grep -q "TCP ports $port, 1; as .*, without capabilities" err || fail 'its user is not said'
  grep -q '^NoNewPrivs:[[:space:]]*1' "/proc/$pid/status" || fail 'it may gain privileges'
  grep -q '^CapPrm:[[:space:]]*0*$' "/proc/$pid/status" || fail 'it has capabilities'
  if [ -z "${NVMF_TEST_ALONE:-}" ]; then
    grep -q '^Uid:[[:space:]]4711[[:space:]]4711' "/proc/$pid/status" || fail 'it is still root'
  fi
  talk
  kill -INT "$pid"
  ended 0
  grep -qE ' c[12] q1 > 0x[0-9a-f]+ read nsid=0x1 slba=0x0 nlb=7|read nsid=0x1 .*nlb=7' live.out ||
    fail "no read on $interface"
  grep -q ' < 0x.* read ok, 4096 bytes' live.out || fail "no completion on $interface"
  grep -q 'begins within\|missing\|not in the capture\|outstanding' live.out &&
    fail "what passed on $interface is not whole"
done

# --first ends it; a filter of another port has nothing to show.
background first "$nvmfctl" trace -i lo --first 3
said_line 'capturing on lo: Ethernet, all TCP'
talk
ended 0
[ "$(wc -l <first.out)" = 3 ] || fail '--first 3 did not show 3 lines'
background other "$nvmfctl" trace -i lo --port 1 --json
said_line 'capturing on lo'
talk
kill -TERM "$pid"
ended 22
python3 -c 'import json; s = json.loads(open("other.out").read().splitlines()[-1])
assert s["summary"]["packets"] == 0 and s["summary"]["lost"] == {"kernel": 0, "interface": 0}, s
assert "no NVMe/TCP was seen" in s["error"]["message"], s' || fail 'the summary of nothing'
