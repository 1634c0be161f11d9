#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Rules broken by hand and by plan, on queues of every kind.
set -euo pipefail
. "$NVMF_SOURCE_DIR/tests/support/cli.bash"

# Bytes made by hand (NVMe/TCP 3.6.2.6, Base 4.2): a Property Get of CSTS, CID 77h. Cut and joined,
# commands come as they are.
zeros() { printf '00%.0s' $(seq "$1"); }
get="04004800 48000000 7f407700 04$(zeros 35) 00000000 1c000000 $(zeros 16)"
cat >script <<SCRIPT
listen nvme+tcp://127.0.0.1:0
open l1 name=h
wait t1
strict off h
pdu raw $get on h
wait in1
expect in1.cid == 0x77 && in1.command contains "property-get"
sqe g property-get ofst=csts
sqe s property-set ofst=cc value=0x460001
split 1,7,rest h
send g
wait in2
pdu split=70,rest
send s
wait in3
respond in2 dw0=1
respond in3
wait all
expect g.status == success && g.cqe.dw0 == 1
split 4
split none
pause h
sqe k property-get ofst=cap
send k
pdu raw ${get/7f407700/7f407800}
info qpair h
continue h
wait in5
SCRIPT
run "$nvmfctl" run script
expect out 'in1: property-get (7Fh/04h) on t1, cid 119'
expect_match out '^in2: property-get .* on t1, cid '
expect_match out '^in3: property-set .* on t1, cid '
expect_match out '^to send +144 bytes in 2 PDUs$'
expect_match out '^ +raw bytes, 0 of 72 bytes have left$'
expect out 'in5: property-get (7Fh/04h) on t1, cid 120'

# Queues of a connection: the other end sees what was asked for, and ends it.
cat >script <<'SCRIPT'
listen nvme+tcp://127.0.0.1:0 auto ns=ram:1M
connect l1
strict off
sqe r read nsid=1 slba=0 nlb=0
buf b 512
attach r b
pdu plen=100 on command
send r
wait r
expect r.error != absent
expect !a1.up
must-fail pause a1:1
must-fail split 1 a1:1
connect l1 name=b
termreq b:0
expect event error_cb qpair=b:0 within 5s
connect l1 name=c
strict off c:1
pdu ddgst=missing
pdu
strict on c:1
reset l1:5
SCRIPT
timeout=30 run "$nvmfctl" run script
expect out 'a1:1: broken on purpose: plen=100 on command'
expect_match out '^a1 is lost: '
expect_match out '^b is lost: '

# Plans: of both ends, what fired and what did not; an event to break at.
cat >script <<'SCRIPT'
listen nvme+tcp://127.0.0.1:0 auto ns=ram:1M \
  fault="when cmd == read && every 2: status lba-out-of-range"
connect l1 fault='when cmd == flush: delay 1ms'
sqe r read nsid=1 slba=0 nlb=0
buf b 512
attach r b
send r
wait r
expect r.status == success
break on event fault of l1:2
send r
expect event paused qpair=l1:2 within 5s
continue
wait r
expect r.status == lba-out-of-range
close a1
close l1
listen nvme+loop://y fault="when cmd==property-get: status invalid-field" name=y
open y name=h fault='when every 1: delay 1ms'
wait t1
sqe g property-get ofst=csts
send g
wait g
expect g.status == invalid-field
close h
SCRIPT
run "$nvmfctl" run script
expect_match out "^a1: fault 1 .*never fired"
expect out "l1: fault 1 'when cmd == read && every 2: status lba-out-of-range' fired 1 time"
expect out "h: fault 1 'when every 1: delay 1ms' fired 1 time"
expect out "y: fault 1 'when cmd==property-get: status invalid-field' fired 1 time"

# at LINE PLACE TEXT SETUP...: the last line of the setup is wrong.
at() {
  local place=$1 text=$2
  shift 2
  printf '%s\n' "$@" >script
  run -s 2 "$nvmfctl" run script
  expect err "script:$#:$place: $text"
}
by_hand=('listen nvme+tcp://127.0.0.1:0 name=x' 'open x name=h' 'wait t1' 'strict off h')
at 11 'raw: a byte has only one digit' "${by_hand[@]}" 'pdu raw 040'
at 14 "raw: " "${by_hand[@]}" 'pdu raw 0400 zz'
at 8 'raw: bytes in hexadecimal are missing here' "${by_hand[@]}" 'pdu raw'
at 17 "there is no queue 'nobody'" "${by_hand[@]}" 'pdu raw 0400 on nobody'
at 7 'split: a piece of 0 bytes is none' "${by_hand[@]}" 'split 0'
at 9 'split: a piece of 0 bytes is none' "${by_hand[@]}" 'split 1,0,rest'
at 9 "split: 'rset' is not a number" "${by_hand[@]}" 'split 1,rset'
at 1 't1 keeps the rules: strict off t1 lets you break them' "${by_hand[@]}" \
  'pdu raw 00 on t1'
at 7 'h: its transport has no bytes to cut; NVMe/TCP has' 'listen nvme+loop://x' \
  'open l1 name=h' 'split 1'
at 34 "fault: column 13: " "${by_hand[@]}" "open x name=g fault='when cmd == raed: drop'"
