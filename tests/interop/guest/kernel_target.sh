#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Inside a guest: our host against the Linux kernel's target (nvmet).
#   kernel_target.sh [digests] [quick]
. "$(dirname "$0")/lib.sh"
[[ -z ${digests[*]} ]] || digests=(-g -G)
nvmet_ready || { echo 'skipped: this kernel has no nvmet-tcp'; exit 77; }
uri=nvme+tcp://127.0.0.1:4420/$nqn
me=(-q "$hostnqn" -I "$hostid")
ours() { "$program" "$@"; }
capsule() { "$program" send-capsule "$uri" "${me[@]}" "${digests[@]}" "$@"; }

modprobe -q brd rd_nr=4 rd_size=65536 || true
check 'nvmet on a RAM disk' nvmet_subsystem /dev/ram0
check 'nvmet port' nvmet_port 1 4420
check 'connect: whole bring-up' ours connect "$uri" "${me[@]}" "${digests[@]}" -i 1
check 'connect: four queues' ours connect "$uri" "${me[@]}" "${digests[@]}" -i 4
listed() { ours discover nvme+tcp://127.0.0.1:4420 "${me[@]}" | grep -q "$nqn"; }
check 'discover lists the subsystem' listed
check 'identify controller' capsule identify cns=1
check 'identify namespace' capsule identify cns=0 nsid=1
check 'identify active namespaces' capsule identify cns=2
check 'identify descriptors' capsule identify cns=3 nsid=1
# nvmet wants the changed namespace list and the effects log whole, and the SMART log for all
# namespaces.
for page in 'lid=1 --recv 512' 'lid=2 nsid=0xffffffff --recv 512' 'lid=3 --recv 512' \
  'lid=4 --recv 4096' 'lid=5 --recv 4096' 'lid=0xc --recv 4096'; do
  # shellcheck disable=SC2086
  check "get-log-page $page" capsule get-log-page $page
done
for fid in 7 0xb 0xf; do check "get-features fid=$fid" capsule get-features fid=$fid; done
check 'set-features: keep alive timer' capsule set-features fid=0xf cdw11=10000
check 'abort of a command that is gone' capsule abort cdw10=0x770000
check 'keep-alive' capsule keep-alive
check 'the kernel has no complaint' kernel_is_calm
check_status 17 'an unknown admin opcode is refused' capsule admin:0x7e
must_say 'Invalid Command Opcode'
check 'flush' capsule flush nsid=1
check 'write-zeroes' capsule write-zeroes nsid=1 slba=0 nlb=7
check 'dataset-management' capsule dataset-management nsid=1 nr=0 ad=1 \
  --send hex:00000000080000000000000000000000
check_status 18 'a read beyond the end' capsule read nsid=1 slba=0xffffffff nlb=0
check 'a smoke test in the language of scripts' ours run --tap \
  "$(dirname "$0")/../../cli/scripts/smoke.nvmf" "$uri" 512 nvmet

kernel_forgiven
head -c $((4 << 20)) /dev/urandom >"$work/data"
same_data() { # same_data BYTES FIRST-BLOCK
  head -c "$1" "$work/data" >"$work/w"
  capsule write nsid=1 slba="$2" nlb=$(($1 / 512 - 1)) --send "$work/w" &&
    capsule read nsid=1 slba="$2" nlb=$(($1 / 512 - 1)) --out "$work/r" && cmp "$work/w" "$work/r"
}
# nvmet sets no MDTS; 4 MiB is its MAXH2CDATA.
for bytes in 512 4096 8192 15872 16384 16896 65536 131072 1048576 4194304; do
  check "write and read $bytes bytes" same_data $bytes 64
done
check 'the kernel has no complaint' kernel_is_calm
if [[ -z $quick ]]; then
  whole_session() { ours connect "$uri" "${me[@]}" "${digests[@]}" && same_data 65536 0; }
  check 'tshark reads all of a session as we do' on_the_wire 1000 whole_session
fi
nvmet_down
[[ -z $quick ]] || finish

# nvmet takes the data digest over the whole command for every H2CData PDU (NVMe/TCP 3.3.1.2: over
# the data of that PDU), so it would close the connection on each write that needs two. None does:
# it refuses more than the 4 MiB that fit in one.
nvmet_subsystem /dev/ram0 && nvmet_port 1 4420
head -c $((8 << 20)) /dev/urandom >"$work/data"
check_status 18 'a write of 8 MiB is refused' capsule write nsid=1 slba=0 nlb=16383 \
  --send "$work/data"
must_say 'Data SGL Length Invalid'
kernel_forgiven
nvmet_down

null_block() {
  modprobe -q null_blk nr_devices=0 || true
  local n=/sys/kernel/config/nullb/nullb0
  mkdir "$n" && echo 64 >"$n/size" && echo 512 >"$n/blocksize" && echo 1 >"$n/memory_backed" &&
    echo 1 >"$n/discard" && echo 1 >"$n/power"
}
check 'null_blk: a device in memory' null_block
check 'null_blk: served' nvmet_subsystem /dev/nullb0
check 'null_blk: port' nvmet_port 1 4420
for bytes in 4096 131072; do
  check "null_blk: write and read $bytes bytes" same_data $bytes 8
done
check 'null_blk: dataset-management' capsule dataset-management nsid=1 nr=0 ad=1 \
  --send hex:00000000080000000800000000000000
check 'the kernel has no complaint' kernel_is_calm
nvmet_down

# With no in-capsule data at all nvmet refuses even the Connect data that NVMe/TCP 3.2.4 lets every
# admin queue have in its capsule, its own host's too; and then it reads the data as the next PDU.
nvmet_subsystem /dev/ram0 && nvmet_port 1 4420 0
check_status 14 'inline_data_size 0: Connect is refused' ours connect "$uri" "${me[@]}" \
  "${digests[@]}"
must_say 'SGL'
check_status 1 "inline_data_size 0: the kernel's own host is refused too" kernel_connect
nvmet_down
kernel_forgiven
for inline in 4096 16384; do
  nvmet_subsystem /dev/ram0 && nvmet_port 1 4420 $inline
  for bytes in 4096 4608 16384 16896; do
    check "inline_data_size $inline: write and read $bytes bytes" same_data $bytes 8
  done
  nvmet_down
done

truncate -s 64M /run/disk
nvmet_subsystem /run/disk buffered && nvmet_port 1 4420
file_data() {
  head -c 65536 "$work/data" >"$work/w"
  capsule write nsid=1 slba=0 nlb=15 --send "$work/w" &&
    capsule read nsid=1 slba=0 nlb=15 --out "$work/r" &&
    cmp "$work/w" "$work/r"
}
check 'a file namespace with 4096-byte blocks' file_data

check 'the kernel has no complaint' kernel_is_calm
check_status 14 'wrong NQN' ours connect \
  "nvme+tcp://127.0.0.1:4420/nqn.2020-01.org.example:nobody" "${me[@]}"
must_say 'subnqn'
echo 0 >"$nvmet/subsystems/$nqn/attr_allow_any_host"
check_status 14 'host not allowed' ours connect "$uri" "${me[@]}"
must_say 'Connect Invalid Host'
must_say 'hostnqn'
echo 1 >"$nvmet/subsystems/$nqn/attr_allow_any_host"
echo 2 >"$nvmet/subsystems/$nqn/attr_qid_max" 2>/dev/null || true
check 'more queues than granted works' ours connect "$uri" "${me[@]}" -i 64
must_say '64 queues asked, 2 granted'
nvmet_down

kernel_forgiven

# The namespace and then the whole port vanish while commands are under way: each ends, with a
# status or with a lost connection, and our host says which.
nvmet_subsystem /dev/ram0 && nvmet_port 1 4420
traffic() { awk '$1 == "lo:" { print $2 }' /proc/net/dev; }
traffic_since() { (($(traffic) > $1 + (8 << 20))); }
vanishing() {
  "$program" bench "$uri" "${me[@]}" "${digests[@]}" --rw randread --bs 4096 --depth 16 --time 20 \
    >"$work/bench.out" 2>&1 & local load=$!
  until_true 10 traffic_since "$(traffic)" || return
  "$@" || return
  wait $load
  local status=$?
  cat "$work/bench.out"
  ((status == 18 || status == 21))
}
disable_namespace() { echo 0 >"$nvmet/subsystems/$nqn/namespaces/1/enable"; }
unlink_port() { rm "$nvmet/ports/1/subsystems/$nqn"; }
check 'the namespace disabled under I/O' vanishing disable_namespace
echo 1 >"$nvmet/subsystems/$nqn/namespaces/1/enable"
check 'the subsystem unlinked from its port under I/O' vanishing unlink_port
nvmet_down
# nvmet says of each command that it failed it, and warns when a subsystem goes with a controller
# still on its way out: both asked for here.
finish
