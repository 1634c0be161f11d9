#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Inside a guest: the Linux kernel's host against a target whose every capsule is answered by a
# script of the debugger, as a person at its prompt would.
#   kernel_by_hand.sh [digests]
. "$(dirname "$0")/lib.sh"
grants=()
[[ -z ${digests[*]} ]] || digests=(--hdr-digest --data-digest) grants=(digests)
modprobe -q nvme-tcp || true
nqn=nqn.2026-11.io.example:by-hand

mkfifo "$work/says"
"$program" run "$(dirname "$0")/../../cli/scripts/host_by_hand.nvmf" nvme+tcp://127.0.0.1:4420 \
  "${grants[@]}" >"$work/says" 2>"$work/complains" &
by_hand=$!
exec {says}<"$work/says"
check 'it listens' read -rt 20 -u "$says" line
# What else it says is for the one who reads a failure.
cat <&"$says" >"$work/said" &

bytes_of_block() { head -c 4096 /dev/zero | tr '\0' "\\$(printf %o "$1")"; }
reads_block() {
  dd if="$disk" bs=4096 skip="$1" count=1 iflag=direct status=none | cmp - <(bytes_of_block "$1")
}
writes_and_reads() {
  head -c 16384 /dev/urandom >"$work/new"
  dd if="$work/new" of="$disk" bs=16384 seek=1 oflag=direct status=none &&
    dd if="$disk" bs=16384 skip=1 count=1 iflag=direct status=none | cmp - "$work/new"
}
ended_well() { wait "$by_hand"; }

check 'connect' kernel_connect --nr-io-queues=1 "${digests[@]}"
[[ -b ${disk:-} ]] || { cat "$work/said" "$work/complains"; finish; }
check 'its model is ours' grep -q 'By hand' "/sys/block/${disk##*/}/device/model"
check 'eight blocks of 4096 bytes' [ "$(blockdev --getsize64 "$disk")" = 32768 ]
for block in 0 3 7; do check "block $block" reads_block "$block"; done
check 'a write of 16 KiB, fetched after an R2T' writes_and_reads
check 'block 3 is as it was' reads_block 3
check 'disconnect' kernel_disconnect
check 'the script ends well' ended_well
check 'it saw a clean shutdown' grep -q 'the host has left cleanly' "$work/said"
check 'the kernel does not complain' kernel_is_calm
((failed == 0)) || cat "$work/said" "$work/complains"
finish
