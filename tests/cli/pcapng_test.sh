#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# trace --pcapng: the packets are those of the capture, the comments are the lines of the trace, and
# what cannot be written leaves nothing. An own reader of the format, and tshark, say so.
set -euo pipefail
. "$NVMF_SOURCE_DIR/tests/support/cli.bash"
need python3
support=$NVMF_SOURCE_DIR/tests/support
captures=$NVMF_SOURCE_DIR/tests/captures
make_capture() { python3 "$support/captures.py" "$1" "$2"; }

# lines_of CAPTURE: what a trace of it shows of capsules, notices and rules, without times, frames.
lines_of() {
  "$nvmfctl" trace "$1" 2>/dev/null |
    sed -E '/ (icreq|icresp|rdma-cm-[a-z]+)( |$)/d
            / no completion in the capture$/d; / the capture ends: /d
            s/^[0-9:.]+ //; s/ \(frame [0-9]+\)$//; s/( closed( by the [a-z]+)?: .* failed),.*/\1/'
}
# same_comments CAPTURE FILE: in the same order, and where tshark is, to its eyes too.
same_comments() {
  lines_of "$1" >wanted
  python3 "$support/pcapng.py" "$2" >comments
  cut -f2 comments | sed -E 's/^frame [0-9]+: //' >got
  [ -s wanted ] || fail "$1: no lines"
  diff wanted got || fail "$1: comments differ from the lines of the trace"
}

for name in plain digests roce; do
  run "$nvmfctl" trace "$captures/linux-6.12-$name.pcap" --pcapng out.pcapng
  # Over RDMA the host breaks a rule, lightly.
  [ $name = roce ] && sed -i '/^nvmfctl: warning: rules: 0 errors, 0 warnings, 1 note$/d' err
  [ ! -s err ] || fail 'writing it says something'
  same_comments "$captures/linux-6.12-$name.pcap" out.pcapng
done
for kind in conversation careless lost short slow; do
  make_capture $kind $kind.pcap
  run "$nvmfctl" trace $kind.pcap --pcapng $kind.pcapng
  same_comments $kind.pcap $kind.pcapng
done

# What became clear later says which packet it is about.
"$nvmfctl" trace lost.pcap --pcapng lost.pcapng >/dev/null 2>&1
python3 "$support/pcapng.py" lost.pcapng >comments
expect_match comments '^9	frame 8: c1 q1 > 0x0001 write '
expect_match comments '^9	c1 q1 < 0x0001 write ok'

# Packets: all those of NVMe, byte by byte and by the nanosecond, and no others; the handshake,
# which comes before it is known to be NVMe, is there.
make_capture mixed mixed.pcap
run "$nvmfctl" trace --json mixed.pcap --pcapng mixed.pcapng
expect out '"pcapng": {"packets": 23, "comments": 15, "left_out": 8, "file": "mixed.pcapng"}'
python3 - "$support" <<'PYTHON'
import sys
sys.path.insert(0, sys.argv[1])
import pcapng
section, interfaces, packets = pcapng.read_pcapng(open("mixed.pcapng", "rb").read())
assert section[4].startswith(b"nvmfctl "), section
assert len(interfaces) == 1 and interfaces[0][0] == 1
source = pcapng.read_pcap(open("mixed.pcap", "rb").read())
port = (5555).to_bytes(2, "big")
wanted = [p for p in source if port in (p.data[34:36], p.data[36:38])]
assert [p._replace(comments=[]) for p in packets] == wanted
assert len(source) == len(wanted) + 8
PYTHON
# What was cut stays cut, and what we wrote can be traced again, to the same lines.
run "$nvmfctl" trace short.pcapng
cp out again
run "$nvmfctl" trace short.pcap
cmp out again

# With a filter: the packets of what fits, behind the beginning of their connections, each as it was
# and in its order. What we wrote is traced to the same lines through the same filter.
commands_of() { # CAPTURE FILTER
  "$nvmfctl" trace "$1" --filter "$2" 2>/dev/null |
    sed -E 's/^[0-9:.]+ c[0-9]+ //; s/ \(frame [0-9]+\)//; /^(q[0-9]+ )?[*!] /d; /^[<>] ic/d'
}
make_capture dense dense.pcap
for what in 'dense.pcap cid==5' 'dense.pcap slba>=16 && slba<18' 'dense.pcap latency>100us' \
  'slow.pcap latency > 950us' 'conversation.pcap failed' 'conversation.pcap cmd==write' \
  'conversation.pcap pdu==r2t' 'conversation.pcap rule==response-command'; do
  capture=${what%% *} filter=${what#* }
  run "$nvmfctl" trace --json "$capture" --pcapng some.pcapng --filter "$filter"
  commands_of "$capture" "$filter" >wanted
  commands_of some.pcapng "$filter" >got
  diff wanted got || fail "$what: traced again it is not the same"
  python3 - "$support" "$capture" <<'PYTHON'
import sys
sys.path.insert(0, sys.argv[1])
import pcapng
chosen = [p._replace(comments=[]) for p in pcapng.read_pcapng(open("some.pcapng", "rb").read())[2]]
source = pcapng.read_pcap(open(sys.argv[2], "rb").read())
at = [source.index(p) for p in chosen]
assert at == sorted(at) and len(set(at)) == len(at), at
assert at[:6] == list(range(6)), f"not the beginning of the connection: {at}"
assert len(chosen) < len(source), "nothing was left out"
PYTHON
done
run "$nvmfctl" trace --json dense.pcap --pcapng some.pcapng --filter 'cid == 5'
# SYN, SYN, ICReq, ICResp, Connect and its answer; one burst, and the nine segments of its answer.
expect out '"pcapng": {"packets": 16, '
run "$nvmfctl" trace --json dense.pcap --pcapng some.pcapng --filter 'conn == 2'
expect out '"pcapng": {"packets": 0, "comments": 0, '
run "$nvmfctl" trace "$captures/linux-6.12-plain.pcap" --pcapng some.pcapng \
  --filter 'conn == 3 && cmd == read'
cp some.pcapng kernel.pcapng
run "$nvmfctl" trace "$captures/linux-6.12-roce.pcap" --pcapng roce.pcapng \
  --filter 'conn == 3 && cmd == read'
for capture in kernel roce; do
  run "$nvmfctl" trace --json $capture.pcapng
  python3 - <<'PYTHON'
import json
records = [json.loads(line) for line in open("out")]
names = [r["command"]["name"] for r in records if r["record"] == "command"]
assert names[0] == "connect" and set(names[1:]) == {"read"}, names
assert all(r["command"]["fate"] in ("completed", "success-flag")
           for r in records if r["record"] == "command")
PYTHON
done

# tshark reads them without a complaint, and sees the same PDUs.
if command -v tshark >/dev/null; then
  seen() {
    tshark -n -r "$1" -T fields -e nvme-tcp.type -e nvme.cmd.opc -e _ws.malformed 2>complaints
  }
  for name in plain digests; do
    run "$nvmfctl" trace "$captures/linux-6.12-$name.pcap" --pcapng out.pcapng
    cmp <(seen "$captures/linux-6.12-$name.pcap") <(seen out.pcapng)
    grep -v '^Running as user' complaints && fail 'tshark complains'
    tshark -n -r out.pcapng -Y frame.comment -T fields -e frame.number 2>/dev/null >with_comments
    cmp with_comments <(python3 "$support/pcapng.py" out.pcapng | cut -f1 | uniq)
  done
  # Also with packets left out: what fits is whole, nothing is taken for something else.
  counts() { # CAPTURE FIELD
    tshark -n -r "$1" -T fields -e "$2" 2>/dev/null | tr ',' '\n' | grep . | sort | uniq -c |
      sed 's/^ *//'
  }
  [ "$(counts kernel.pcapng nvme.cmd.opc)" = '7 0x02' ] ||
    fail "reads to tshark: $(counts kernel.pcapng nvme.cmd.opc)"
  [ "$(counts kernel.pcapng nvme.fabrics.cmd.fctype)" = '1 0x01' ] || fail 'the Connect to tshark'
  for capture in dense slow conversation; do
    run "$nvmfctl" trace $capture.pcap --pcapng some.pcapng --filter 'cid in (4, 5, 21)'
    tshark -n -r some.pcapng -Y '_ws.malformed || tcp.analysis.out_of_order' 2>/dev/null >complaints
    [ ! -s complaints ] || fail "$capture.pcap: tshark complains: $(cat complaints)"
  done
  run "$nvmfctl" trace dense.pcap --pcapng some.pcapng --filter 'cid in (5, 21)'
  [ "$(counts some.pcapng nvme.cmd.opc)" = '8 0x02' ] || fail 'two bursts to tshark'
  [ "$(counts some.pcapng nvme-tcp.type)" = "$(printf '%s\n' '1 0' '1 1' '9 4' '9 5' '8 7')" ] ||
    fail "PDUs to tshark: $(counts some.pcapng nvme-tcp.type)"
else
  echo 'tshark is not installed: its part was left out'
fi

# Comments that packets of the input have are kept, in front of ours; ours are not told twice.
"$nvmfctl" trace conversation.pcap --pcapng once.pcapng >/dev/null 2>&1
python3 - "$support" <<'PYTHON'
import struct, sys
sys.path.insert(0, sys.argv[1])
import pcapng
# Each packet gets one more, of somebody else, in front of those that it has; by hand.
out = b""
number = 0
for kind, body in pcapng.blocks_of(open("once.pcapng", "rb").read()):
    if kind == 6:
        number += 1
        captured = struct.unpack_from("<I", body, 12)[0]
        end = 20 + (captured + 3) // 4 * 4
        text = b"seen %02d" % number
        options = body[end:] or bytes(4)
        comment = struct.pack("<HH", 1, len(text)) + text + bytes(-len(text) % 4)
        body = body[:end] + comment + options
    length = len(body) + 12
    out += struct.pack("<II", kind, length) + body + struct.pack("<I", length)
open("seen.pcapng", "wb").write(out)
PYTHON
run "$nvmfctl" trace seen.pcapng --pcapng twice.pcapng
for file in once seen twice; do python3 "$support/pcapng.py" $file.pcapng >$file.comments; done
cmp seen.comments twice.comments || fail 'comments of the input are not kept as they were'
[ "$(grep -c 'seen [0-9]' twice.comments)" = 23 ] || fail 'the comments of somebody else'
run "$nvmfctl" trace seen.pcapng --pcapng some.pcapng --filter 'cmd == write'
python3 "$support/pcapng.py" some.pcapng >comments
expect_match comments '^1	seen 01$'

# A pipe gets the packets while they come.
mkfifo pipe
make_capture conversation talk.pcap
"$nvmfctl" trace - <pipe >through &
reader=$!
run "$nvmfctl" trace talk.pcap --pcapng pipe
wait "$reader"
cmp out through

# What cannot be written is said before, or leaves nothing that looks whole.
run -s 2 "$nvmfctl" trace talk.pcap --pcapng none/out.pcapng
expect err 'trace: none/out.pcapng: cannot be created: No such file or directory'
[ ! -s out ] || fail 'lines of a trace that was refused'
mkdir folder
run -s 2 "$nvmfctl" trace talk.pcap --pcapng folder
expect err 'trace: folder: cannot be opened for writing: Is a directory'
run -s 2 "$nvmfctl" trace talk.pcap --pcapng -
expect err 'standard output has the lines of the trace'
run -s 2 "$nvmfctl" trace talk.pcap --pcapng /dev/full
expect err 'trace: /dev/full: cannot be written: No space left on device'
# Nothing replaces what was there when there is nothing to write.
echo before >kept.pcapng
make_capture nothing nothing.pcap
run -s 22 "$nvmfctl" trace nothing.pcap --pcapng kept.pcapng --perfetto kept.pcapng.json
run -s 2 "$nvmfctl" trace kept.pcapng --pcapng kept.pcapng
[ "$(cat kept.pcapng)" = before ] || fail 'the file is not what was there before'
[ "$(find . -name 'kept.pcapng*' | wc -l)" = 1 ] || fail 'a file is left'
echo before >full.pcapng
# 100 blocks of 1024 bytes: less than there is to write.
run -s 2 bash -c 'trap "" XFSZ; ulimit -f 100; exec "$0" trace "$1" --pcapng full.pcapng' \
  "$nvmfctl" "$captures/linux-6.12-plain.pcap"
expect err 'trace: full.pcapng: cannot be written: File too large'
[ "$(cat full.pcapng)" = before ] || fail 'the file is not what was there before'
[ "$(find . -name 'full.pcapng*' | wc -l)" = 1 ] || fail 'a temporary file is left'

# It is said when it happens, and the trace goes on; the room is given back then.
python3 - "$support" <<'PYTHON'
import sys
sys.path.insert(0, sys.argv[1])
import captures
talk = captures.Talk()
talk.open()
for n in range(2000):
    talk.host(captures.command(2, n, nlb=0))
    talk.controller(captures.data(7, 0x0C, n, 0, 0, b"r" * 512))
open("long.pcap", "wb").write(captures.pcap(talk.packets))
PYTHON
mkfifo source
for option in pcapng perfetto; do
  echo before >full.$option
  bash -c 'trap "" XFSZ; ulimit -f 100; exec "$0" trace - "--$1" "full.$1"' "$nvmfctl" $option \
    <source >/dev/null 2>err &
  reader=$!
  exec 4>source
  head -c -1000 long.pcap >&4
  timeout "$limit_s" grep -qm1 "full.$option: cannot be written: File too large: it is given up" \
    <(tail -n +1 -f err) || fail "$option: it is not said while the trace goes on"
  [ "$(find . -name "full.$option*" | wc -l)" = 1 ] || fail "$option: the temporary file is there"
  tail -c 1000 long.pcap >&4
  exec 4>&-
  got=0
  wait "$reader" || got=$?
  [ "$got" = 2 ] || fail "$option: exit status $got"
  grep -q '^nvmfctl: trace: full.* cannot be written' err || fail "$option: not said at the end"
  [ "$(cat full.$option)" = before ] || fail "$option: the file is not what was there before"
done
