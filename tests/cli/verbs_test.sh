#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The debugger's verbs: a person as the target, memory, and what is said of mistakes.
set -euo pipefail
. "$NVMF_SOURCE_DIR/tests/support/cli.bash"
scripts=$NVMF_SOURCE_DIR/tests/cli/scripts

# Both ends by hand: the Connect's data, the Identify in two pieces and the write in three arrive
# as they were, in this process and over TCP.
for place in nvme+loop://desk nvme+tcp://127.0.0.1:0; do
  sed "s|^listen [^ ]*|listen $place|" "$scripts/target_by_hand.nvmf" >script
  run "$nvmfctl" run script
  expect out 'in1: connect (7Fh/01h) on t1, cid 0, 1024 bytes of data in the capsule'
  expect out 'equal: 1 KiB'
  expect out 'cntlid  0x7  Controller ID'
  expect out 'in4: more, 1024 of 4096 bytes'
  expect out 'in4: success, all of its data: respond in4'
  expect out 'equal: 4 KiB'
  expect_match out 'io_cb       t1 cid [0-9]+  599 bytes'
  expect out 'equal: 16 KiB'
done

# The built-in target: from the beginning, for a queue whose Connect waits, and for who comes later.
cat >script <<'SCRIPT'
listen nvme+tcp://127.0.0.1:0 auto ns=ram:1M
connect l1
namespaces
close a1
close l1
listen nvme+loop://later
connect l1 nowait
wait in1
auto t1
auto l1
wait a1
close a1
close l1
SCRIPT
run "$nvmfctl" run script
expect out '1  2048 blocks of 512 bytes'
expect out "t1 is the built-in target's now"
[ "$(grep -c '^a1 is up: controller 1, 1 I/O queue' out)" = 2 ] || fail 'not both came up'

# at LINE PLACE TEXT SETUP...: the last line of the setup is wrong.
at() {
  local place=$1 text=$2
  shift 2
  printf '%s\n' "$@" >script
  run -s 2 "$nvmfctl" run script
  expect err "script:$#:$place: $text"
}
by_hand=('listen nvme+loop://x' 'open l1 name=h' 'buf b 8K' 'wait t1')
write=('sqe w admin:0xc1' 'buf d 16K' 'attach w d' 'send w' 'wait in1')
at 9 'in1 waits no more: answered with Successful Completion (0/00h)' \
  "${by_hand[@]}" 'sqe g property-get' 'send g' 'wait in1' 'respond in1' 'respond in1'
at 11 'in1 has no data: its SGL says 0 bytes' \
  "${by_hand[@]}" 'sqe g property-get' 'send g' 'wait in1' 'receive   in1 b'
at 15 'bytes 10000 to 18192 are beyond the 16384 that in1 has' \
  "${by_hand[@]}" "${write[@]}" 'receive in1 b 10000'
at 9 "there is no received command 'in2' (listen URI manual makes one)" \
  "${by_hand[@]}" 'receive in2 b 10000'
at 11 "in1 brought no data along; receive asks for it" \
  "${by_hand[@]}" "${write[@]}" 'incapsule in1 b'
at 10 'in1: failed, Invalid Field in Command (0/02h): data goes in order, 512 bytes of it have' \
  "${by_hand[@]}" 'sqe i identify' 'buf d 4K' 'attach i d' 'send i' 'wait in1' \
  'senddata in1 b[0,512]' 'senddata in1 b[0,512] 1024'
at 7 't1 has 1 command to answer: respond, or close t1 now' \
  "${by_hand[@]}" "${write[@]}" 'close t1'
at 7 'h has 1 command under way: wait all, or close h now' \
  "${by_hand[@]}" "${write[@]}" 'close h'
at 6 'd is in use by a command under way: wait for it' \
  "${by_hand[@]}" "${write[@]}" 'free d'
at 6 'w is under way on h already' "${by_hand[@]}" "${write[@]}" 'send w'
at 8 'w has memory attached already: d (detach w takes it off)' \
  'buf d 1K' 'sqe w write' 'attach w d' 'attach w d'
at 6 'b is part of the memdesc m: free m first' 'buf b 1K' 'memdesc m b[0,4]' 'free b'
at 6 'b is attached to w: detach w first' 'buf b 1K' 'sqe w write' 'attach w b' 'free b'
at 20 "status: 'invalid-feild' is neither a status-code nor a number; did you mean invalid-field" \
  "${by_hand[@]}" "${write[@]}" 'respond in1 status=invalid-feild'
at 27 'x is taken: close it' 'listen nvme+loop://x name=x' 'listen nvme+loop://y name=x'
at 13 "there is no layout 'identfy-controller'; did you mean identify-controller" \
  'buf b 4K' 'decode b as identfy-controller'

# Bytes: by a program that knows CRC32C by itself.
cat >script <<'SCRIPT'
buf b 9 fill=hex:313233343536373839
crc b
save b[0,4] four
load c four
hexdump c
fill b[4,5] 0xff
diff b c
free c
bufs
SCRIPT
run "$nvmfctl" run script
expect out 'CRC32C E3069283h of 9 bytes'
expect out '31 32 33 34'
expect out '5 bytes of 9 differ'
[ "$(cat four)" = 1234 ] || fail 'the file is not what was saved'

# Structures: SQES and CQES of Identify Controller are bytes 512 and 513, NN is 519:516, SUBNQN
# begins at 768.
cat >script <<'SCRIPT'
buf idc 4K
fill idc as identify-controller nn=3 sqes=0x66 cqes=0x44 subnqn=nqn.x
expect idc[512,8] == hex:6644000003000000
expect idc[768,6] == hex:6e716e2e7800
fill idc[512,1] as pdu-common type=4
SCRIPT
run -s 2 "$nvmfctl" run script
expect err 'script:5:6: idc[512,1] has 1 bytes, pdu-common takes 8'
at 31 'nm: identify-controller has no such field; did you mean mn or nn?' \
  'buf b 4K' 'fill b as identify-controller nm=1'
at 30 'a field is missing here' 'buf b 4K' 'fill b as identify-controller'

# One more queue to the same place, with the settings of the one in use; terms explained.
cat >script <<'SCRIPT'
listen nvme+tcp://127.0.0.1:0 name=l hdgst
open l name=h hdgst
qpair io size=16
expect io.qid == 1 && io.size == 16 && h.up
limits
wait t2
describe r2t
must-fail describe r2tt
expect failure.text contains "did you mean r2t"
SCRIPT
run "$nvmfctl" run script
expect_match out '^io is open: queue 1 to 127\.0\.0\.1:'
expect_match out 'queue 1 of 16 entries,.* digests header'
expect out 'r2t: Ready to Transfer PDU'
at 7 'no queue is in use: open or connect makes one' 'qpair io'
at 7 'h is taken: close it, or give another name' "${by_hand[@]}" 'qpair h'
at 7 "t1 is a controller's end: hosts open queues" "${by_hand[@]}" 'use t1' 'qpair io'

# One line each: what is built is shown, what comes back decoded.
cat >script <<'SCRIPT'
listen nvme+tcp://127.0.0.1:0 auto ns=ram:1M
connect l1
buf b 4K fill=seq
write slba=8 from b
buf c 4K
read slba=8 into c
diff b c
identify cns=namespace nsid=1
property csts
flush
SCRIPT
run "$nvmfctl" run script
expect out 'equal: 4 KiB'
expect_match out '^  nlb +7 \(0.s based: 8\)'
expect_match out '^  nsze +2048 '
expect_match out '^    rdy +1 +Ready'
expect out 'SQE flush (00h) on a1:1'

# Rules broken by hand: the other end sees the bytes that were asked for.
cat >script <<'SCRIPT'
listen nvme+tcp://127.0.0.1:0
open l1 name=h
wait t1
strict off h
pdu cid=0x77 on command
sqe g property-get
send g
wait in1
termreq fes=pdu-sequence-error h
qpairs
SCRIPT
run "$nvmfctl" run script
expect out 'h: broken on purpose: cid=0x77 on command'
expect out 'in1: property-get (7Fh/04h) on t1, cid 119'
at 1 'h keeps the rules: strict off h lets you break them' "${by_hand[@]}" 'pdu plen=4'
at 5 'datoo: ' "${by_hand[@]}" 'strict off h' 'pdu datoo=4'

# Callbacks print for the person's commands, the same one as the association's own here; `watch all`
# shows its own ones too.
for watched in on all; do
  cat >script <<SCRIPT
listen nvme+loop://lab auto ns=ram:1M
connect l1 kato=200ms
sqe k keep-alive
watch $watched
send k on a1:0
wait k
expect event keep-alive text=answered within 30s
watch off
SCRIPT
  run "$nvmfctl" run script
  shown=$(grep -c '^+.* receive_cb  a1:0 ' out)
  [ "$watched" = all ] || [ "$shown" = 1 ] || fail "$shown callbacks of one command"
  [ "$watched" = on ] || [ "$shown" -gt 1 ] || fail 'watch all shows no keep alive'
done
