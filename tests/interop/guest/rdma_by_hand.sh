#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Inside a guest: the debugger over a soft RDMA device. Keyed SGLs that are wrong, by hand, against
# our target and the kernel's; standing still and stepping; a target by hand for our host and for
# the kernel's; and what --trace shows from the inside.
#   rdma_by_hand.sh [rxe|siw]
. "$(dirname "$0")/lib.sh"
scripts=$(dirname "$0")
rdma_device || { echo "skipped: this kernel has no $soft"; exit 77; }
modprobe -q nvme-rdma || true
modprobe -q nvmet-rdma || true
me=(-q "$hostnqn" -I "$hostid")
ours() { timeout 60 "$program" "$@"; }
capsule() { ours send-capsule "$at" "${me[@]}" "$@"; }

serve --listen rdma:192.0.2.1:4420 --ns ram:64M || exit 1
check 'keyed SGLs that are wrong, against our target' \
  ours run "$scripts/keyed_sgls.nvmf" "$at" nvmfctl
check 'pause, step and break points, and a target that steps' \
  ours run "$scripts/rdma_steps.nvmf" "$at" nvme+rdma://192.0.2.1:4421
# trace on, watch on
must_say 'work-posted       RDMA WRITE, 61440 bytes, key 0x'
must_say 'work-posted  h cid '
check 'a smoke test by a script' ours run "$scripts/../../cli/scripts/smoke.nvmf" "$at"
stop_serving

# What the ends say of themselves.
head -c 65536 /dev/urandom >"$work/data"
serve -v --listen rdma:192.0.2.1:4420 --listen 127.0.0.1:4420 --ns ram:64M \
  --trace="$work/serve.trace" || exit 1
check 'connect --trace' ours connect "$at" "${me[@]}" --trace="$work/connect.trace"
check 'send-capsule --trace: a write' capsule write nsid=1 slba=0 nlb=127 --send "$work/data" -v \
  --trace="$work/write.trace"
check 'send-capsule --trace: a read' capsule read nsid=1 slba=0 nlb=127 --out "$work/back" -v \
  --trace="$work/read.json"
check 'the bytes are those' cmp "$work/data" "$work/back"
check 'our target stops cleanly' stop_serving
shows() { # shows FILE PATTERN...: each in some line
  local file=$1 wanted
  shift
  for wanted; do
    grep -qE -- "$wanted" "$file" || { tail -n 38 "$file"; echo "no line with $wanted"; return 1; }
  done
}
# times TIMES FILE PATTERN
times() { [[ $(grep -cE -- "$3" "$2") == "$1" ]] || { cat "$2"; return 1; }; }
# Which end is first is a race: the shutdown takes the target's I/O queues.
sum='c[0-9]+ q1 \* closed by the (host|controller): 2 commands, 0 failed,'
check 'connect shows connections by RDMA, which it closes' shows "$work/connect.trace" \
  'c1 \* host .* controller 192.0.2.1:4420 by RDMA$' 'c1 q0 < 0x0000 identify ok, 4096 bytes, ' \
  'c1 q0 \* closed by the host: '
check 'the host shows its keyed SGL, its SEND, and its bytes' shows "$work/write.trace" \
  '^ +key +0x' '^ +type +4 \(keyed-data-block\)' 'q1 \. 0x0000 SEND, 64 bytes, [0-9.]+ [um]s' \
  "$sum 66560 bytes > 0 bytes <"
[[ $soft == siw ]] || check 'the key that it lends is in the timeline' shows "$work/write.trace" \
  'q1 \. 0x0000 BIND, 65536 bytes, key 0x[0-9a-f]+ address 0x[0-9a-f]+, '
check 'the target shows connections by RDMA, and their ends' times 2 "$work/serve.trace" \
  "$sum"
check 'the target shows its READ: asked for, done, and in the parts of the command' \
  shows "$work/serve.trace" 'q1 < 0x0000 r2t .*r2tl=65536, key 0x[0-9a-f]+ address 0x' \
  'q1 > 0x0000 h2c-data .*datal=65536, .*key 0x' \
  'q1 \. 0x0000 RDMA READ, 65536 bytes, key 0x[0-9a-f]+ address 0x[0-9a-f]+, [0-9.]+ [um]s' \
  'q1 < 0x0000 write ok, 65536 bytes, [0-9.]+ [um]s = r2t [0-9.]+ [um]s \+ wait [0-9.]+ [um]s'
check 'and its WRITE' shows "$work/serve.trace" 'q1 < 0x0000 c2h-data .*datal=65536, ' \
  'q1 \. 0x0000 RDMA WRITE, 65536 bytes, key 0x' \
  'q1 < 0x0000 read ok, 65536 bytes, [0-9.]+ [um]s = wait [0-9.]+ [um]s \+ data' \
  "$sum 1024 bytes > 65536 bytes <"
[[ $soft == siw ]] || check 'a response takes the key back' shows "$work/serve.trace" \
  'capsule-resp, frame [0-9]+, invalidates key 0x'
json_is_right() {
  python3 - "$work/read.json" <<'END'
import json, sys
seen = [json.loads(line) for line in open(sys.argv[1])]
opened = [r["opened"] for r in seen if r["record"] == "opened"]
assert [o["fabric"] for o in opened] == ["rdma", "rdma"], opened
read = [r["command"] for r in seen if r["record"] == "command" and r["command"]["name"] == "read"]
assert len(read) == 1 and read[0]["bytes_to_host"] == 65536, read
assert read[0]["sqe"]["sgl1"]["length"] == 65536, read
work = [r for r in seen if r["record"] == "work" and r.get("qid") == 1]
kinds = {w["work"]["kind"] for w in work}
assert "SEND" in kinds and all(w["work"]["posted_ns"] <= w["time_ns"] for w in work), work
END
}
check 'and as JSON' json_is_right

# A person is the target.
nqn=nqn.2026-11.io.example:by-hand
at=nvme+rdma://192.0.2.1:4420/$nqn
target_by_hand() {
  rm -f "$work/says"
  mkfifo "$work/says"
  "$program" run "$scripts/../../cli/scripts/host_by_hand.nvmf" nvme+rdma://192.0.2.1:4420 \
    >"$work/says" 2>"$work/complains" &
  by_hand=$!
  exec {says}<"$work/says"
  read -rt 20 -u "$says" line || { cat "$work/complains"; return 1; }
  cat <&"$says" >"$work/said" &
}
ended_well() {
  wait "$by_hand" || { tail "$work/said" "$work/complains"; return 1; }
  grep -q 'the host has left cleanly' "$work/said"
}
check 'a script listens' target_by_hand
head -c 16384 "$work/data" >"$work/new"
check 'our host writes 16 KiB there' capsule write nsid=1 slba=4 nlb=3 \
  --send "$work/new"
check 'the script saw it leave' ended_well
check 'a script listens' target_by_hand
block_of() { dd if="$disk" bs=4096 skip="$1" count=1 iflag=direct status=none; }
filled_with() { block_of "$1" | cmp - <(head -c 4096 /dev/zero | tr '\0' "\\$(printf %o "$1")"); }
writes_and_reads() {
  dd if="$work/new" of="$disk" bs=16384 seek=1 oflag=direct status=none &&
    dd if="$disk" bs=16384 skip=1 count=1 iflag=direct status=none | cmp - "$work/new"
}
check "the kernel's host connects" kernel_connect --nr-io-queues=1
if [[ -b ${disk:-} ]]; then
  for block in 0 3 7; do check "block $block" filled_with $block; done
  check 'a write of 16 KiB, fetched by an RDMA READ' writes_and_reads
  check 'disconnect' kernel_disconnect
  check 'the script saw it leave' ended_well
else
  cat "$work/said" "$work/complains"
fi
check 'the kernel has no complaint' kernel_is_calm

# The kernel's target, last: it complains, as it should.
nqn=nqn.2014-08.org.nvmexpress:uuid:11111111-2222-4333-8444-555555555555
at=nvme+rdma://192.0.2.1:4420/$nqn
nvmet_ready && modprobe -q brd rd_nr=4 rd_size=65536
check 'nvmet' nvmet_subsystem /dev/ram0
check 'nvmet port' nvmet_port 1 4420
check "keyed SGLs that are wrong, against the kernel's target" \
  ours run "$scripts/keyed_sgls.nvmf" "$at" nvmet
nvmet_down
finish
