#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# watch, trace and fault plans in the debugger; what a capture holds is tshark's to say.
set -euo pipefail
. "$NVMF_SOURCE_DIR/tests/support/cli.bash"

# at LINE PLACE TEXT SETUP...: the last line of the setup is wrong.
at() {
  local place=$1 text=$2
  shift 2
  printf '%s\n' "$@" >script
  run -s 2 "$nvmfctl" run script
  expect err "script:$#:$place: $text"
}
none() { if grep -qE -e "$2" "$work/$1"; then fail "'$2' on std$1"; fi; }

# What is watched: callbacks, some of them, or other events.
cat >script <<'SCRIPT'
listen nvme+tcp://127.0.0.1:0 auto ns=ram:1M
connect l1
buf d 16K fill=random:3
watch on io_cb bytes=512
write slba=0 from d
read slba=0 nlb=0
echo from here R2Ts
watch on pdu pdu=r2t
write slba=0 from d
watch off
read slba=0 nlb=1
watch on
echo from here callbacks
read slba=0 nlb=2
SCRIPT
run "$nvmfctl" run script
expect_match out 'io_cb +a1:1 cid [0-9]+  512 bytes'
none out 'io_cb .* (16384|1024) bytes'
expect_match out 'pdu-in +a1:1 cid [0-9]+  r2t .*r2tl=16384'
sed -n '/R2Ts$/,/callbacks$/p' out >middle
grep -q 'io_cb\|receive_cb' middle && fail 'callbacks print though R2Ts are watched'
expect_match out 'receive_cb +a1:1'

# Each PDU, both ways, decoded.
cat >script <<'SCRIPT'
listen nvme+tcp://127.0.0.1:0
open l1 name=h
wait t1
watch off
trace on
sqe g property-get ofst=csts
send g
wait in1
respond in1 dw0=1
wait g
trace off
echo behind
sqe g2 property-get ofst=csts
send g2
wait in2
SCRIPT
run "$nvmfctl" run script
expect_match out '^h +[0-9.]+ us  > q0 cid 0 +pdu-out +capsule-cmd property-get .*csts'
expect_match out '^t1 +[0-9.]+ us  < q0 cid 0 +pdu-in +capsule-cmd property-get '
expect_match out '^h +[0-9.]+ us  < q0 cid 0 +pdu-in +capsule-resp dw0=0x1'
sed -n '/^behind/,$p' out >rest
grep -q 'capsule-cmd' rest && fail 'PDUs print behind trace off'
sed -i 's|nvme+tcp://127.0.0.1:0|nvme+loop://x|' script
run "$nvmfctl" run script
expect_match out '^t1 +[0-9.]+ us  < q0 cid [0-9]+ +command-in +property-get '

at 7 "'maybe' is not on or off" 'trace maybe'
at 15 'nowhere/x: cannot be opened for writing' 'trace on pcap nowhere/x'
at 10 "'io_bc' is not an event; did you mean io_cb" 'watch on io_bc'

# A capture, with both digests, in-capsule data, an R2T, reads, and one digest that is wrong.
if ! command -v tshark >/dev/null; then
  echo 'skipped: tshark is not installed'
  exit 77
fi
decoded() {
  tshark -n -r "$1" -o nvme-tcp.check_hdgst:TRUE -o nvme-tcp.check_ddgst:TRUE "${@:2}"
}
cat >script <<'SCRIPT'
listen nvme+tcp://127.0.0.1:0 auto hdgst ddgst ns=ram:1M
trace on pcap session.pcap
connect l1 hdgst ddgst
buf d 256K fill=random:3
write slba=0 from d
write slba=0 from d[0,512]
buf e 256K
read slba=0 into e
diff d e
close a1
trace off
SCRIPT
run "$nvmfctl" run script
expect_match out '^session.pcap: [0-9]+ PDUs of 4 queues$'
count=$(sed -n 's/^session.pcap: \([0-9]*\) PDUs.*/\1/p' out)
decoded session.pcap -T fields -e nvme-tcp.type -Y nvme-tcp | tr ',' '\n' >types
[ "$(wc -l <types)" = "$count" ] || fail "tshark finds $(wc -l <types) PDUs of $count"
decoded session.pcap -Y 'nvme-tcp.hdgst.status == 0 || nvme-tcp.ddgst.status == 0 ||
  _ws.malformed || tcp.analysis.flags || ip.checksum.status == 0' >bad
[ ! -s bad ] || fail "tshark finds this wrong: $(cat bad)"
decoded session.pcap -o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE \
  -Y 'tcp.checksum.status == 0 || ip.checksum.status == 0' >bad
[ ! -s bad ] || fail "checksums: $(cat bad)"
decoded session.pcap -Y 'nvme.cmd.opc == 0x01 && nvme-tcp.ddgst.status == 1' >writes
[ -s writes ] || fail 'no write with data in its capsule and a right digest'

# The end of a session is the end of its captures.
cat >script <<'SCRIPT'
listen nvme+tcp://127.0.0.1:0
trace on pcap short.pcap
open l1 name=h
wait t1
must-fail trace on pcap other.pcap
SCRIPT
run "$nvmfctl" run script
expect out 'short.pcap: 4 PDUs of 2 queues'
decoded short.pcap -Y 'nvme-tcp' | grep -q . || fail 'tshark finds no PDU in short.pcap'

# A wrong digest is wrong there, too.
sed 's/^wait t1$/wait t1\ntrace on pcap wrong.pcap/' \
  "$NVMF_SOURCE_DIR/tests/cli/scripts/digest_error.nvmf" >script
echo 'trace off' >>script
run "$nvmfctl" run script
decoded wrong.pcap -Y 'nvme-tcp.ddgst.status == 0' >bad
[ "$(wc -l <bad)" = 1 ] || fail "wrong digests: $(cat bad)"
