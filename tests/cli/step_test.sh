#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Queues that stand still: break points, steps, and a look inside.
set -euo pipefail
. "$NVMF_SOURCE_DIR/tests/support/cli.bash"
scripts=$NVMF_SOURCE_DIR/tests/cli/scripts

run "$nvmfctl" run "$scripts/digest_error.nvmf"
expect out 'break point 1: event digest-error of h'
hit='pdu-in-data cid [0-9]+ c2h-data .*digest wrong'
expect_match out "h is paused by break point 1 \(event digest-error\): $hit"
expect_match out '^state +paused by break point 1 \(event digest-error\), has break points'
expect_match out 'i  identify \(06h\)  receive +0  4096 .* a response'
expect_match out 'h: received CapsuleResp of CID [0-9]+, 24 bytes'

# Queues of a connection and of the built-in target, one action at a time; over the loop as well,
# where there are no R2Ts.
both() {
  cat >script <<SCRIPT
listen $1 auto ns=ram:1M
connect l1
buf d 16K fill=random:3
sqe w write slba=0 nlb=31 nsid=1
attach w d
break on opcode write of l1:2
send w
expect event paused qpair=l1:2
info outstanding l1:2
info buffers
break clear 1
pause
continue l1:2
step
step
continue
wait w
expect w.status == success && w.bytes == 16384
pause l1:2
must-fail pause l1:2
pause a1:1
must-fail continue a1:0
send w
must-fail wait w 100ms
expect failure.text contains "l1:2 is paused: \`step\` does one action"
step a1:1
continue all
wait w
qpairs
SCRIPT
  run "$nvmfctl" run script
  expect_match out 'l1:2 is paused by break point 1 \(opcode write\): command-in cid [0-9]+ write'
  expect_match out '^ +[0-9]+ +write \(01h\)  send +0  16384 '
  expect out 'd  16 KiB  in use, 1 piece  w, under way on a1:1'
  expect out 'failed, as it must: l1:2 is paused already: step and continue go on'
  expect_match out 'failed, as it must: a1:0 is not paused: .*; paused: a1:1, l1:2'
  expect_match out '^  l1:2 +queue 1 +controller +0 under way  up '
}
both nvme+tcp://127.0.0.1:0
expect_match out '^a1:1: sent H2CData of CID [0-9]+, 16408 bytes$'
expect_match out '^a1:1: sent CapsuleCmd of CID [0-9]+, 72 bytes$'
both nvme+loop://here
expect_match out '^a1:1: sent CapsuleCmd of CID [0-9]+, '

# The other conditions: each makes its queue stand still, at what it says and not before.
cat >script <<'SCRIPT'
listen nvme+tcp://127.0.0.1:0 auto ns=ram:1M
connect l1
sqe good read nsid=1 slba=0 nlb=0
sqe bad read nsid=1 slba=9999 nlb=0
buf b 512
attach good b
attach bad b
break on status != success
send good
wait good
expect !a1:1.paused
send bad
expect event paused qpair=a1:1 within 5s
continue
wait bad
expect bad.status == lba-out-of-range
break clear
break on status lba-out-of-range of all
send bad
expect event paused qpair=l1:2 within 5s
continue l1:2
expect event paused qpair=a1:1 within 5s
continue a1:1
wait bad
break clear
send good
wait good
break on cid ${good.cid + 1}
send good
expect event paused qpair=a1:1 within 5s
break clear
continue all
wait good
break on event io_cb bytes=512 error=none
send good
expect event paused qpair=a1:1 within 5s
must-fail break clear 1
break clear 4
must-fail break on event io_cb within 1s
SCRIPT
run "$nvmfctl" run script
expect_match out 'a1:1 is paused by break point 1 \(status != success\): response-in cid .*lba-out'
expect_match out 'l1:2 is paused by break point 2 \(status lba-out-of-range\): response-out cid'
expect_match out 'a1:1 is paused by break point 3 \(cid [0-9]+\): pdu-out cid'
hit=" by break point 4 \\(event io_cb bytes=512 error=none\\): data-callback"
expect_match out "a1:1 is paused$hit"
expect out 'failed, as it must: there is no break point 1 (break lists them)'
expect out 'failed, as it must: within is for `expect event`'

# A queue that was handed over keeps its name, and stands still as before.
cat >script <<'SCRIPT'
listen nvme+tcp://127.0.0.1:0
connect l1 nowait
wait in1
strict off t1
pdu sqhd=0 on response of=t1
pause t1
auto t1
expect t1.paused
auto l1
continue t1
wait a1
info qpair t1
strict on t1
must-fail close t1
must-fail auto t1
close a1
SCRIPT
run "$nvmfctl" run script
expect_match out '^role +controller, '
expect_match out '^t1: broken on purpose: sqhd=0 on response'
expect out "failed, as it must: t1 belongs to the built-in target: close l1, or reset t1"
expect out "failed, as it must: t1 is the built-in target's already"

# What is wrong, and where. at LINE PLACE TEXT SETUP...: the last line of the setup is wrong.
at() {
  local place=$1 text=$2 status=${status:-2}
  shift 2
  printf '%s\n' "$@" >script
  run -s "$status" "$nvmfctl" run script
  expect err "script:$#:$place: $text"
}
by_hand=('listen nvme+loop://x' 'open l1 name=h' 'wait t1' 'timeout 100ms')
at 7 "there is no queue 'nobody'" "${by_hand[@]}" 'pause nobody'
at 1 'h is not paused: pause h makes it stand still' "${by_hand[@]}" 'step'
at 10 't1 is not paused: pause t1 makes it stand still; paused: h' \
  "${by_hand[@]}" 'pause h' 'continue t1'
at 7 'h is paused already: step and continue go on' "${by_hand[@]}" 'pause h' 'pause h'
status=19 at 1 'h had nothing to do for 100ms: nothing waits to leave, and nothing has come' \
  "${by_hand[@]}" 'pause h' 'step'
at 16 "'digest-eror' is not an event; did you mean digest-error" \
  "${by_hand[@]}" 'break on event digest-eror'
at 10 "a queue cannot break on 'pud'; did you mean pdu" "${by_hand[@]}" 'break on pud r2t'
at 14 "'h2c' is no kind of PDU; did you mean h2cdata" "${by_hand[@]}" 'break on pdu h2c'
at 10 'h has no PDUs, only NVMe/TCP has' "${by_hand[@]}" 'break on pdu r2t'
at 17 "command: 'raed' is not a command; did you mean read" "${by_hand[@]}" 'break on opcode raed'
at 14 'cid: 65536 is more than 65535' "${by_hand[@]}" 'break on cid 65536'
at 19 "there is no queue 'nobody'" "${by_hand[@]}" 'break on cid 3 of nobody'
at 13 'there is no break point 7' "${by_hand[@]}" 'break clear 7'
at 6 "there is no info 'r2ts'; did you mean r2t" "${by_hand[@]}" 'info r2ts'
