#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Inside a guest: our host and our target over a soft RDMA device.
#   rdma_pair.sh [rxe|siw] [quick]
. "$(dirname "$0")/lib.sh"
rdma_device || { echo "skipped: this kernel has no $soft"; exit 77; }
me=(-q "$hostnqn" -I "$hostid")
ours() { "$program" "$@"; }
capsule() { ours send-capsule "$at" "${me[@]}" "$@"; }

serve --listen rdma:192.0.2.1:4420 --listen 127.0.0.1:4420 --ns ram:64M || exit 1
check 'connect: whole bring-up' ours connect "$at" "${me[@]}" -i 1
must_say 'HRQSIZE 32'
check 'connect: four queues of 128 entries' ours connect "$at" "${me[@]}" -i 4 -Q 128
for from in "nvme+rdma://192.0.2.1:4420" "nvme+tcp://127.0.0.1:4420"; do
  check "discover at $from lists both transports" ours discover "$from" "${me[@]}"
  must_say "nvme+rdma://192.0.2.1:4420/$nqn"
  must_say "nvme+tcp://127.0.0.1:4420/$nqn"
done
head -c $((1 << 20)) /dev/urandom >"$work/data"
same_data() { # same_data BYTES FIRST-BLOCK
  head -c "$1" "$work/data" >"$work/w"
  capsule write nsid=1 slba="$2" nlb=$(($1 / 512 - 1)) --send "$work/w" &&
    capsule read nsid=1 slba="$2" nlb=$(($1 / 512 - 1)) --out "$work/r" && cmp "$work/w" "$work/r"
}
for bytes in 512 4096 8192 8704 65536 131072 131584 1048576; do
  check "write and read $bytes bytes" same_data $bytes 3
done
load() { ours bench "$at" "${me[@]}" "$@"; }
for rw in randread randwrite; do
  check "$rw, 4 queues, depth 128" load --rw $rw --bs 4096 --depth 128 --queues 4 -Q 129 \
    --time 1 --warm-up 0.2
  check "$rw of 128 KiB, depth 8" load --rw $rw --bs 128K --depth 8 --time 1 --warm-up 0.2
done
check 'the kernel has no complaint' kernel_is_calm
check 'our target stops cleanly' stop_serving
finish
