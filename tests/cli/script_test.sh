#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The language of scripts: a smoke test that passes, one that fails well, reports for machines, and
# what is wrong with lines, each told once with its place.
set -euo pipefail
. "$NVMF_SOURCE_DIR/tests/support/cli.bash"
scripts=$NVMF_SOURCE_DIR/tests/cli/scripts

server_start --ns ram:1M
run "$nvmfctl" run --tap --junit result.xml "$scripts/smoke.nvmf" "$server_uri" 512
cat >want <<'TAP'
TAP version 14
ok 1 - block == $2
ok 2 - t.up && t.io-queues >= 1
ok 3 - id.status == success && id.bytes == 4096
ok 4 - idbuf.identify-controller.cntlid == t.cntlid
ok 5 - idbuf.identify-controller.cntrltype in (io, discovery)
ok 6 - event io_cb bytes=${block + block} qpair=t:1 within 5s
ok 7 - $c.status == success && ${c}.time < 5s
ok 8 - event io_cb bytes=${block + block} qpair=t:1 within 5s
ok 9 - $c.status == success && ${c}.time < 5s
ok 10 - buf out == buf back
ok 11 - out[1,100].crc == back[1,100].crc
ok 12 - far.status == lba-out-of-range && far.bytes == 0
ok 13 - none.status == invalid-namespace-or-format
ok 14 - must-fail send nothing
ok 15 - failure.text contains "nothing" && failure.status == usage
1..15
TAP
cmp out want || fail 'the TAP of the smoke test'
grep -q 'tests="15" failures="0"' result.xml || fail 'not 15 tests in the XML'
grep -q '<testcase name="t.up &amp;&amp; t.io-queues &gt;= 1" ' result.xml || fail 'no such test'
run -s 22 "$nvmfctl" run "$scripts/smoke.nvmf" "$server_uri" 4096
expect err 'smoke.nvmf:7:10: not met: block == $2'
expect err '  block is 512 (0x200)'
# Our own host, whose every capsule a script answers (the kernel's: interop.*.kernel_by_hand).
mkfifo door
"$nvmfctl" run "$scripts/host_by_hand.nvmf" nvme+tcp://127.0.0.1:0 digests >door 2>by_hand.err &
by_hand=$!
exec {door}<door
read -rt 20 -u "$door" _ _ door_uri || fail 'no door'
run "$nvmfctl" send-capsule "${door_uri%/*}/nqn.2026-11.io.example:by-hand" -g -G \
  read nsid=1 slba=3 nlb=1 --out blocks
wait_for "$by_hand" || fail "the target by hand: $(cat by_hand.err)"
{ head -c 4096 /dev/zero | tr '\0' '\3' && head -c 4096 /dev/zero | tr '\0' '\4'; } >blocks.want
cmp blocks blocks.want || fail 'blocks 3 and 4 are not as the script has them'
grep -q 'the host has left cleanly' <&"$door" || fail 'no clean shutdown'

# What a command ended with, and the events before.
run -s 22 "$nvmfctl" run -c "connect $server_uri" -c 'sqe r read nsid=1 slba=999999' \
  -c 'buf b 512' -c 'attach r b' -c 'send r' -c 'wait r' -c 'expect r.status == success'
expect err '-c:7:8: not met: r.status == success'
expect err '  r.status is lba-out-of-range (0/80h)'
expect_match err '^    a1:1 .*response-in .*lba-out-of-range'
server_stop

run -s 22 "$nvmfctl" run "$scripts/fails_well.nvmf"
sed -i "s|$scripts/||" err
cat >want <<'TEXT'
fails_well.nvmf:8:8: not met: expected.size + 1 == block ||    buf expected == buf found
expect expected.size + 1 == block ||    buf expected == buf found
       ^
  expected.size + 1 is 513 (0x201)
  block is 512 (0x200)
  buf expected is 512 bytes: 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f ...
  buf found is 512 bytes: 00 01 02 03 04 05 ee 07 00 00 00 00 00 00 00 00 ...
  they differ first at byte 6: 06 and ee
TEXT
cmp err want || fail 'an unmet expectation is told otherwise'
expect_lines out 0

# Blocks, through -c and in a file; arguments; a file that is sourced has its own.
mkdir lib
printf 'echo "sourced with $1 of $#"\nlet there = $1\n' >lib/part.nvmf
cat >blocks.nvmf <<'SCRIPT'
let total = 0
for size in 1K 2K $1
  if size == 3K + 1
    echo never
  elif size >= 2K and not size > 2K
    repeat 3 as i
      let total = total + size + i
    end
  else
    source lib/part.nvmf $size # its $1
  end
end
expect total == 6147 && there == 3K && $2 == "a b" && $# == 2
if absent == absent && "a" + 'b' in ("x", "ab") && 5ms - 1ms < 1s
  echo "\$total is $total, in quotes '\$total'" '$total'
  exit 3
end
echo never
SCRIPT
run -s 3 "$nvmfctl" run -c 'repeat 2' -c 'echo twice' -c 'end' blocks.nvmf 3K 'a b'
printf '%s\n' twice twice 'sourced with 1K of 1' 'sourced with 3K of 1' \
  "\$total is 6147, in quotes '\$total' \$total" >want
cmp out want || fail 'blocks'

# --keep-going: all that fails is told, the first decides.
printf 'fob\nexpect 1 == 2\nif true\nexpect 3 == 3\nbuf x 4Q\nend\necho end\n' >bad.nvmf
run -s 2 "$nvmfctl" run --keep-going --tap --junit bad.xml bad.nvmf
expect_match err '^end$'
for test in 'not ok 1 - fob' 'not ok 2 - 1 == 2' 'ok 3 - 3 == 3' 'not ok 4 - buf x 4Q' '1..4'; do
  expect_match out "^$test\$"
done
grep -q 'failures="3"' bad.xml || fail 'not 3 failures in the XML'
run -s 2 "$nvmfctl" run --keep-going --json bad.nvmf
expect_match out '"unmet": 3'
run -s 2 "$nvmfctl" run bad.nvmf
expect_lines out 0
run -s 2 "$nvmfctl" run --tap --json bad.nvmf
expect out '--tap and --json both want standard output'

# wrong PLACE TEXT: what the script ends with, on standard input as it is here.
wrong() {
  local status=2
  [ "$1" != -s ] || { status=$2 && shift 2; }
  cat >script
  run -s "$status" "$nvmfctl" run script
  expect err "script:$1: $2"
  # A message, the line, the caret.
  [ "$(grep -c '^script:' err)" = 1 ] || fail 'not one message'
}
printf 'echo\n\techo "a\0b"\n' | wrong 2:9 'byte 0x00 has no place in a line'
printf 'echo one\r\necho a\rb\r\n' | wrong 2:7 'byte 0x0d has no place in a line'
printf 'echo caf\xc3\xa9\necho caf\xe9\n' | wrong 2:9 'byte 0xe9 is not UTF-8'
{ printf 'echo one\necho ' && head -c 1000000 /dev/zero | tr '\0' a; } |
  wrong 2:1 'the line has more than 65536 bytes'
printf 'if true\nrepeat 2\nend\n' | wrong 1:1 'no end ends this if'
printf 'echo\nend\n' | wrong 2:1 'end has no if, repeat or for before it'
printf 'repeat 2\nelse\nend\n' | wrong 2:1 'else belongs to an if, and line 1 is none'
printf 'if true\nelse\nelif true\nend\n' | wrong 3:1 'elif after the else of line 2'
printf 'let there = 1\necho $ther\n' | wrong 2:7 "nothing is called 'ther'; did you mean there?"
printf 'echo ${1 +}\n' | wrong 1:11 "the end where a value"
printf 'echo $3\n' | wrong 1:6 'the script has not been given $3'
printf 'echo "$"\n' | wrong 1:7 'a $ is followed by a name'
printf 'source script\n' | wrong 1:8 '16 files source each other already'
printf 'source .\n' | wrong 1:8 '.: is a directory'
printf 'source none\n' | wrong 1:8 'none: cannot be opened for reading: No such file'
printf 'expect 1 = 1\n' | wrong 1:10 '= compares nothing; write =='
printf 'expect 1 == 1 2\n' | wrong 1:15 "'2' where &&, || or the end is wanted"
printf 'let x = 1 +1\n' | wrong 1:11 "'+1' where a blank after the sign"
printf 'expect (1 == 1\n' | wrong 1:15 'the end where an operator or ) is wanted'
printf 'expect "a" < 3\n' | wrong 1:8 "'a' is text and 3 is a number: < does not fit"
printf 'expect 0 - 1 == 0\n' | wrong 1:12 '0 - 1 is less than 0'
printf 'let true = 1\n' | wrong 1:5 'true means something in expressions'
printf 'let x 1\n' | wrong 1:7 'a = is missing here'
printf 'repeat x\nend\n' | wrong 1:8 "'x' is text, a number is wanted here"
printf 'for x of a\nend\n' | wrong 1:7 'for NAME in WORD...'
printf 'must-fail expect 1 == 1\n' | wrong 1:11 'must-fail takes a command'
printf 'must-fail echo\n' | wrong -s 22 1:11 'echo was to fail, and did not'
printf 'exit 256\n' | wrong 1:6 'status: '
printf 'expect event io_bc\n' | wrong 1:14 "'io_bc' is not an event; did you mean io_cb"
printf 'expect event io_cb byte=1\n' | wrong 1:20 "'byte=1' is not expected here: qpair="
printf 'expect event io_cb within 1ms\n' | wrong -s 22 1:8 'not met within 1ms: event io_cb'
printf 'sqe r read\nexpect r.sqe.nsdi == 1\n' |
  wrong 2:8 "read has no field 'nsdi'; did you mean nsid"
printf 'sqe r read\nexpect r.cns == 1\n' | wrong 2:8 'r has no .cns; it has .status'
printf 'sqe r read\nexpect r.status == succes\n' | wrong -s 22 2:8 'not met: r.status == succes'
printf 'sqe i identify\nexpect i.sqe.cns == contoller\n' |
  wrong 2:21 "cns: 'contoller' is neither a cns nor a number; did you mean controller"
printf 'buf b 4\nexpect b[2,3] == b\n' | wrong 2:8 'length: 3 is more than 2'
for name in . none; do
  run -s 2 "$nvmfctl" run "$name"
  expect_match err '^nvmfctl: run: [^:]*: (is a directory|cannot be opened)'
done

# What has begun and never ends is ended by Ctrl-C.
printf 'echo begun\nrepeat 1000000000 as i\nlet x = i\nend\n' >forever.nvmf
mkfifo pipe
env --default-signal=INT "$nvmfctl" run forever.nvmf >pipe 2>err &
pid=$!
IFS= read -r -t "$limit_s" line <pipe && [ "$line" = begun ] || fail 'it has not begun'
kill -INT "$pid"
got=0
wait_for "$pid" || got=$?
[ "$got" = 130 ] || fail "interrupted: exit status $got"
expect err 'forever.nvmf:2: interrupted'
