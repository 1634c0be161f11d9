#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Inside a guest of one of Debian's own kernels, in emulation and so with few checks: our ends and
# the kernel's over RoCE (rdma_rxe), two processors.
. "$(dirname "$0")/lib.sh"
for module in rdma_rxe rdma_ucm nvmet-rdma nvme-rdma; do
  modprobe -q "$module" || { echo "skipped: this kernel has no $module"; exit 77; }
done
nvmet_ready && rdma_device || { echo "skipped: this kernel has no $soft"; exit 77; }
me=(-q "$hostnqn" -I "$hostid")
ours() { timeout 60 "$program" "$@"; }
capsule() { ours send-capsule "$at" "${me[@]}" "$@"; }
head -c 1048576 /dev/urandom >"$work/data"
uname -r | sed 's/^/# Linux /'

modprobe -q brd rd_nr=1 rd_size=65536
check 'nvmet on a RAM disk' nvmet_subsystem /dev/ram0
check 'nvmet port' nvmet_port 1 4420
check 'our host, nvmet: whole bring-up, two queues' ours connect "$at" "${me[@]}" -i 2
check 'our host, nvmet: identify' capsule identify cns=1
must_say 'Linux'
same_data() { # same_data BYTES
  head -c "$1" "$work/data" >"$work/w"
  capsule write nsid=1 slba=3 nlb=$(($1 / 512 - 1)) --send "$work/w" &&
    capsule read nsid=1 slba=3 nlb=$(($1 / 512 - 1)) --out "$work/r" && cmp "$work/w" "$work/r"
}
for bytes in 512 65536 1048576; do check "our host, nvmet: $bytes bytes" same_data $bytes; done
nvmet_down

serve --listen rdma:192.0.2.1:4420 --ns ram:64M || exit 1
check 'nvme-rdma, our target: connect' kernel_connect --nr-io-queues=2
check 'nvme-rdma, our target: the model is ours' bash -c \
  "nvme id-ctrl $controller | grep -q '^mn .*nvmfctl'"
there_and_back() { # there_and_back BLOCKS
  head -c $(($1 * 512)) "$work/data" >"$work/w"
  rm -f "$work/r"
  nvme write "$disk" -s 3 -c $(($1 - 1)) -z $(($1 * 512)) -d "$work/w" &&
    nvme read "$disk" -s 3 -c $(($1 - 1)) -z $(($1 * 512)) -d "$work/r" && cmp "$work/w" "$work/r"
}
for blocks in 1 128 2048; do
  check "nvme-rdma, our target: $((blocks * 512)) bytes" there_and_back $blocks
done
check 'disconnect' kernel_disconnect
check 'our host, our target: whole bring-up, two queues' ours connect "$at" "${me[@]}" -i 2
check 'our host, our target: 1 MiB' same_data 1048576
check 'our target stops cleanly' stop_serving
nothing_left() { [[ -z $(rdma_in_use) ]]; }
check 'nothing of the device is in use' until_true 20 nothing_left
check 'the kernel has no complaint' kernel_is_calm
finish
