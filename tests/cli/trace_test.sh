#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# trace: what it makes of captures that are cut, empty, of something else or made by hand, from
# files and pipes; filters, first and last lines, JSON.
set -euo pipefail
. "$NVMF_SOURCE_DIR/tests/support/cli.bash"
need python3
captures=$NVMF_SOURCE_DIR/tests/captures
make_capture() { python3 "$NVMF_SOURCE_DIR/tests/support/captures.py" "$1" "$2"; }

# A file, a pipe and a pipe of single bytes give the same; so does pcapng.
make_capture conversation talk.pcap
run "$nvmfctl" trace talk.pcap
cp out whole
expect_lines out 19
run bash -c '"$0" trace - <talk.pcap' "$nvmfctl"
cmp out whole
run bash -c 'dd bs=1 status=none if=talk.pcap | "$0" trace -' "$nvmfctl"
cmp out whole
if command -v editcap >/dev/null; then
  editcap -F pcapng talk.pcap talk.pcapng
  run "$nvmfctl" trace talk.pcapng
  cmp out whole
fi
for name in plain digests; do
  run "$nvmfctl" trace "$captures/linux-6.12-$name.pcap"
  [ ! -s err ] || fail 'a whole capture of a kernel gives warnings'
  ! grep -q ' ! .*digest\|outstanding' out || fail 'a kernel does what fits'
done

# On a port that nobody told, by its first PDU; in the middle only where it was told.
make_capture other-port other.pcap
run "$nvmfctl" trace other.pcap
cmp <(sed 's/4420/5555/' whole) out
make_capture middle middle.pcap
run "$nvmfctl" trace middle.pcap
expect_match out 'c1 ! the capture begins within this direction, from the host \(frame 1\)'
expect_match out 'c1 > 0x0001 read nsid=0x1 nlb=7'
python3 - middle.pcap moved.pcap <<'PYTHON'
import sys
capture = open(sys.argv[1], "rb").read().replace(b"\x11\x44", b"\x15\xb3")
open(sys.argv[2], "wb").write(capture)
PYTHON
run -s 22 "$nvmfctl" trace moved.pcap
expect err 'moved.pcap: no NVMe/TCP inside: 17 packets: 17 of TCP (ports 5555)'
run "$nvmfctl" trace --port 5555 moved.pcap
expect_match out 'c1 > 0x0001 read nsid=0x1 nlb=7'

# What is wrong with the input is said, and what was inside.
run -s 2 "$nvmfctl" trace none.pcap
expect err 'nvmfctl: trace: none.pcap: cannot be opened for reading: No such file or directory'
run -s 2 "$nvmfctl" trace .
expect err 'nvmfctl: trace: .: cannot be read: Is a directory'
: >empty
run -s 2 "$nvmfctl" trace empty
expect err 'nvmfctl: trace: empty: empty: not even the header of a capture'
run -s 2 "$nvmfctl" trace "$NVMF_SOURCE_DIR/README.md"
expect err 'not a capture: it begins with 23 20 6e 76'
gzip -k talk.pcap
run -s 2 "$nvmfctl" trace talk.pcap.gz
expect err 'it is compressed by gzip: zcat FILE | nvmfctl trace -'
make_capture no-packets none
run -s 22 "$nvmfctl" trace none
expect err 'none: no NVMe/TCP inside: 0 packets'
make_capture wireless wireless
run -s 22 "$nvmfctl" trace wireless
expect err 'no NVMe/TCP inside: 1 packet: 1 of a link that is not read: IEEE 802.11'
make_capture nothing nothing
run -s 22 "$nvmfctl" trace nothing
expect err '6 packets: 3 of TCP (ports 80), 2 of UDP (1 of RoCEv2), 1 that are not IP'
make_capture tls tls
run -s 22 "$nvmfctl" trace tls
expect err '; 1 connection with TLS, which hides what is in it'
head -c -10 talk.pcap >cut.pcap
run -s 22 "$nvmfctl" trace cut.pcap
expect err 'nvmfctl: trace: cut.pcap: cut short: it ends within packet 23, at byte '
head -n 16 whole | cmp - <(head -n 16 out)
(cat talk.pcap && head -c 16 /dev/zero | tr '\0' '\377' && head -c 100 /dev/zero) >damaged.pcap
run -s 22 "$nvmfctl" trace damaged.pcap
expect err 'damaged: packet 24 at byte '
make_capture short short.pcap
run "$nvmfctl" trace short.pcap
expect err 'were cut to at most 154 bytes when they were captured'
expect_match out 'c1 q1 < 0x0003 write ok, 4096 bytes, '
make_capture lost lost.pcap
run "$nvmfctl" trace lost.pcap
expect err '1 place where packets are missing from the capture'
expect out '! 1000 bytes of payload from the host are not in the capture'
expect_match out 'c1 q1 < 0x0001 write ok, 4096 bytes, '

# Filters, and where they are wrong.
make_capture slow slow.pcap
run "$nvmfctl" trace slow.pcap --filter 'cmd == read && latency > 950us'
expect_lines out 10
expect_match out '0x0063 read ok by SUCCESS flag, 512 bytes, 1000\.0 us = wait 1000\.0 us'
run "$nvmfctl" trace talk.pcap --filter failed
expect_lines out 2
expect out 'LBA Out of Range (0/80h, DNR)'
run "$nvmfctl" trace talk.pcap --filter 'status == lba-out-of-range && cid == 5'
expect_lines out 2
run "$nvmfctl" trace -v talk.pcap --filter 'pdu == r2t && slba == 16'
expect_lines out 4
run "$nvmfctl" trace -v talk.pcap --filter 'pdu == r2t && r2ts >= 2'
expect_lines out 4
run "$nvmfctl" trace talk.pcap --filter 'conn == 2 || host =~ "another" || queue == admin'
expect_lines out 0
expect err 'nothing fits the filter: NVMe was there, on 1 connection'
run -s 2 "$nvmfctl" trace talk.pcap --filter 'cmd = read'
expect err '--filter: column 5: = compares nothing; write =='
run -s 2 "$nvmfctl" trace talk.pcap --filter 'latency > 5'
expect err 'column 12: latency: 5 has no unit'
run -s 2 "$nvmfctl" trace talk.pcap --filter 'cdm == read'
expect err 'column 1: '
expect err 'did you mean cmd'

run "$nvmfctl" trace talk.pcap --filter 'severity == error && by == controller && cid == 77'
expect_lines out 1
expect out 'error response-command by the controller'
run "$nvmfctl" trace talk.pcap --filter 'rule == sqhd || by == host'
expect_lines out 0
run -s 2 "$nvmfctl" trace talk.pcap --filter 'rule == response-comand'
expect err "column 9: rule: 'response-comand' is not one; did you mean response-command"

# The first, the last.
run "$nvmfctl" trace talk.pcap --first 3
cmp out <(head -n 3 whole)
run "$nvmfctl" trace talk.pcap --last 3
cmp out <(tail -n 3 whole)
run bash -c '(cat talk.pcap; cat /dev/zero) | "$0" trace - --first 3' "$nvmfctl"
cmp out <(head -n 3 whole)

# A part of the time: what lies in it partly, with what came before known; both ends can be open.
run "$nvmfctl" trace --time relative talk.pcap --between 80us,100us
expect_match out 'c1 q1 > 0x0002 read nsid=0x1 slba=8 nlb=7'
expect_match out 'c1 q1 < 0x0002 read ok by SUCCESS flag'
! grep -qE '0x000[13456] ' out || fail 'what lies outside of the time is shown'
run "$nvmfctl" trace talk.pcap --between 130us,160us --filter 'cmd == write && cid == 4'
expect_lines out 2
run "$nvmfctl" trace --time utc talk.pcap --between 22:13:20.000200,
expect_match out '0x0005 read LBA Out of Range'
! grep -q '0x0001 ' out || fail 'what came before is shown'
run "$nvmfctl" trace --stats talk.pcap --between 80us,100us
expect_match out 'c1 +q1 +read +1 '
# Reading ends when all that began in it is over: what follows could be damaged, and is not seen.
run -s 22 "$nvmfctl" trace damaged.pcap
run "$nvmfctl" trace damaged.pcap --between ,100us
expect_match out '0x0002 read ok by SUCCESS flag'
run -s 2 "$nvmfctl" trace talk.pcap --between 12:34:99,
expect err '--between: column 7: the second is two digits, 00 to 59'
run -s 2 "$nvmfctl" trace talk.pcap --between 1s,2023-11-14T22:13:20Z
expect err '--between: of this capture, TO comes before FROM'
run -s 2 "$nvmfctl" trace -i lo --between 1s,
expect err '--between is about captures that are there'

# JSON Lines, each with its schema; all verbosities; what they say agrees with the text.
run "$nvmfctl" trace -v --json talk.pcap
cat >check.py <<'PYTHON'
import collections, json, sys
lines = [json.loads(line) for line in open("out")]
assert all(line["schema"] == "nvmfctl.trace/1" for line in lines)
kinds = collections.Counter(line["record"] for line in lines)
assert kinds == {"opened": 1, "command": 7, "pdu": 22, "violation": 1, "ended": 1,
                 "summary": 1}, kinds
commands = {c["cid"]: c["command"] for c in lines if c["record"] == "command"}
assert [commands[n]["fate"] for n in range(7)] == [
    "completed", "completed", "success-flag", "completed", "completed", "completed",
    "capture-ended"]
write = commands[4]
assert (write["r2ts"], write["h2c_pdus"], write["bytes_to_controller"]) == (2, 2, 8192)
assert write["latency_ns"] == 50000 == sum(
    write[k] for k in ("to_r2t_ns", "to_data_ns", "data_ns", "to_end_ns"))
assert commands[5]["status"]["code"] == 0x80 and commands[5]["status"]["dnr"]
assert commands[5]["sqe"]["slba"] == 1 << 40
agreed = next(line for line in lines if line["record"] == "ended")["ended"]["agreed"]
assert agreed["host_nqn"] == "nqn.2014-08.org.example:host"
assert (agreed["qid"], agreed["maxh2cdata"], agreed["cntlid"]) == (1, 131072, 1)
PYTHON
python3 check.py || fail 'the records are not what was sent'
run -s 22 "$nvmfctl" trace --json nothing
python3 -c 'import json; e = [json.loads(line) for line in open("out")][-1]
assert e["record"] == "summary" and e["error"]["status"] == 22, e' || fail 'an error in JSON'

# Statistics of what fits.
run "$nvmfctl" trace --stats slow.pcap --filter 'cmd == read'
expect_match out ' c1 +q1 +read +100 +0 +0 +51200 +1\.00 +50[0-9]\.[0-9] us .* 1000\.0 us$'
run "$nvmfctl" trace --stats --json slow.pcap
python3 -c 'import json; s = json.loads(open("out").readline())["statistics"]
read = [c for c in s["commands"] if c["command"] == "read" and c["connection"] == 1][0]
assert read["count"] == 100 and read["latency_ns"]["max"] == 1000000, read
assert 500000 <= read["latency_ns"]["p50"] <= 508000, read' || fail 'statistics in JSON'

# What was used of what was agreed; counted by hand in the list of tests/support/captures.py.
run "$nvmfctl" trace --stats talk.pcap
expect_match out '^  c1 +4168 +4120 +1 of 31 +1 of 1 +4096 of 131072 +8192 +4096 +1\.00 +1\.50$'
expect out 'Over time, 1000.0 us a sign'
expect_match out '  depth +█ +at most 1$'
run env LC_ALL=C "$nvmfctl" trace --stats talk.pcap
expect_match out '  depth +# +at most 1$'
run "$nvmfctl" trace --stats --json talk.pcap
python3 -c 'import json; s = json.loads(open("out").readline())["statistics"]
over = s["over_time"]
assert over["width_ns"] == 1000000 and over["completions"] == [6] and over["depth"] == [1], over
reached = s["connections"][0]["reached"]
assert reached["h2c_data"] == 4096 and reached["r2t_pdus"] == 2, reached
assert reached["transfer"] == 8192, reached' || fail 'limits reached, in JSON'

# A full disk is told.
got=0
"$nvmfctl" trace talk.pcap >/dev/full 2>err || got=$?
[ "$got" = 1 ] || fail "a full standard output: exit status $got"
