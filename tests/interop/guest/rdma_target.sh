#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Inside a guest: our host against the Linux kernel's target (nvmet-rdma).
#   rdma_target.sh [rxe|siw] [quick]
. "$(dirname "$0")/lib.sh"
modprobe -q nvmet-rdma || true
nvmet_ready || { echo 'skipped: this kernel has no nvmet-rdma'; exit 77; }
rdma_device || { echo "skipped: this kernel has no $soft"; exit 77; }
me=(-q "$hostnqn" -I "$hostid")
ours() { "$program" "$@"; }
capsule() { ours send-capsule "$at" "${me[@]}" "$@"; }

modprobe -q brd rd_nr=4 rd_size=65536 || true
check 'nvmet on a RAM disk' nvmet_subsystem /dev/ram0
check 'nvmet port' nvmet_port 1 4420
check 'connect: whole bring-up' ours connect "$at" "${me[@]}" -i 1
check 'connect: four queues' ours connect "$at" "${me[@]}" -i 4 -Q 128
listed() { ours discover nvme+rdma://192.0.2.1:4420 "${me[@]}" | grep -q "$nqn"; }
check 'discover lists the subsystem' listed
check 'identify controller' capsule identify cns=1
check 'identify namespace' capsule identify cns=0 nsid=1
check 'identify active namespaces' capsule identify cns=2
check 'identify descriptors' capsule identify cns=3 nsid=1
for fid in 7 0xb 0xf; do check "get-features fid=$fid" capsule get-features fid=$fid; done
# Without data: a keyed SGL of length 0.
check 'set-features: keep alive timer' capsule set-features fid=0xf cdw11=10000
check 'keep-alive' capsule keep-alive
check 'flush' capsule flush nsid=1
check 'write-zeroes' capsule write-zeroes nsid=1 slba=0 nlb=7
check 'dataset-management' capsule dataset-management nsid=1 nr=0 ad=1 \
  --send hex:00000000080000000000000000000000
check 'the kernel has no complaint' kernel_is_calm
check_status 17 'an unknown admin opcode is refused' capsule admin:0x7e
must_say 'Invalid Command Opcode'
check_status 18 'a read beyond the end' capsule read nsid=1 slba=0xffffffff nlb=0
kernel_forgiven
nvmet_down

head -c $((1 << 20)) /dev/urandom >"$work/data"
same_data() { # same_data BYTES FIRST-BLOCK
  head -c "$1" "$work/data" >"$work/w"
  capsule write nsid=1 slba="$2" nlb=$(($1 / 512 - 1)) --send "$work/w" &&
    capsule read nsid=1 slba="$2" nlb=$(($1 / 512 - 1)) --out "$work/r" && cmp "$work/w" "$work/r"
}
load() {
  ours bench "$at" "${me[@]}" --time 1 --warm-up 0.2 "$@"
}
for inline in 0 4096 16384; do
  nvmet_subsystem /dev/ram0 && nvmet_port 1 4420 $inline
  for bytes in 512 4096 4608 16384 16896 131072 1048576; do
    check "inline_data_size $inline: write and read $bytes bytes" same_data $bytes 64
  done
  for rw in randread randwrite; do
    check "$rw, 4 queues, depth 64" load --rw $rw --bs 4096 --depth 64 --queues 4
  done
  nvmet_down
done
check 'the kernel has no complaint' kernel_is_calm

nvmet_subsystem /dev/ram0 && nvmet_port 1 4420
check_status 14 'wrong NQN' ours connect \
  "nvme+rdma://192.0.2.1:4420/nqn.2020-01.org.example:nobody" "${me[@]}"
must_say 'subnqn'
check_status 11 'nobody listens' ours connect "nvme+rdma://192.0.2.1:4421/$nqn" "${me[@]}"
must_say 'nothing listens'
kernel_forgiven

nvmet_down

# The port vanishes while commands are under way: our host says so.
null_block() {
  modprobe -q null_blk nr_devices=0 || true
  local n=/sys/kernel/config/nullb/nullb0
  mkdir "$n" && echo 64 >"$n/size" && echo 512 >"$n/blocksize" && echo 1 >"$n/memory_backed" &&
    echo 1 >"$n/power"
}
reads_done() { (($(awk '{ print $1 }' /sys/block/nullb0/stat) > $1)); }
check 'null_blk, which counts' null_block
nvmet_subsystem /dev/nullb0 && nvmet_port 1 4420
vanishing() {
  "$program" bench "$at" "${me[@]}" --rw randread --bs 4096 --depth 16 --time 20 \
    >"$work/bench.out" 2>&1 & local load=$!
  until_true 10 reads_done 1000 || return
  "$@" || return
  wait $load
  local status=$?
  cat "$work/bench.out"
  ((status == 18 || status == 21))
}
unlink_port() { rm "$nvmet/ports/1/subsystems/$nqn"; }
check 'the subsystem unlinked from its port under I/O' vanishing unlink_port
nvmet_down
finish
