#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Inside a guest: the Linux kernel's NVMe/RDMA host (nvme-rdma, nvme-cli) against our target.
#   rdma_host.sh [rxe|siw] [quick]
. "$(dirname "$0")/lib.sh"
modprobe -q nvme-rdma || true
rdma_device || { echo "skipped: this kernel has no $soft"; exit 77; }

head -c 1048576 /dev/urandom >"$work/data"
same_data() { # same_data BLOCKS FIRST: written by one command, read by another
  local bytes=$(($1 * 512))
  head -c $bytes "$work/data" >"$work/w"
  rm -f "$work/r" # nvme read does not cut a longer file
  nvme write "$disk" -s "$2" -c $(($1 - 1)) -z $bytes -d "$work/w" &&
    nvme read "$disk" -s "$2" -c $(($1 - 1)) -z $bytes -d "$work/r" && cmp "$work/w" "$work/r"
}
verified() {
  fio --name=verify --filename="$disk" --direct=1 --ioengine=libaio --rw=randwrite \
    --bsrange=512-1m --size=16m --iodepth=32 --verify=crc32c --verify_fatal=1 --do_verify=1 \
    --verify_backlog=64 --output-format=terse
}
live() { [[ $(cat "/sys/class/nvme/${controller##*/}/state") == live ]]; }

# What nvme-rdma has room for in one command: over siw less than a MiB.
largest=2048
[[ $soft == rxe ]] || largest=256
for in_capsule in 0 4096 16384; do
  serve --listen rdma:192.0.2.1:4420 --ns ram:64M --in-capsule $in_capsule || exit 1
  check "in-capsule data $in_capsule: connect" kernel_connect --nr-io-queues=1 \
    --keep-alive-tmo=5
  for blocks in 1 8 9 32 33 256 $largest; do
    check "write and read $blocks blocks" same_data $blocks $((blocks * 3))
  done
  check 'disconnect' kernel_disconnect
  check 'our target stops cleanly' stop_serving
done

serve --listen rdma:192.0.2.1:4420 --listen 127.0.0.1:4420 --ns ram:64M || exit 1
discovered() {
  nvme discover "${way[@]}" -q "$hostnqn" -I "$hostid" >"$work/log" || return
  grep -q "subnqn: *$nqn" "$work/log" && grep -qx 'trtype: *rdma' "$work/log" &&
    grep -qx 'trtype: *tcp' "$work/log" && grep -qx 'rdma_cms: *rdma-cm' "$work/log"
}
check 'discover lists the subsystem with both transports' discovered
check 'connect with four I/O queues of 128 entries' kernel_connect --nr-io-queues=4 \
  --queue-size=128 --keep-alive-tmo=5
check 'id-ctrl: the model is ours' bash -c "nvme id-ctrl $controller | grep -q '^mn .*nvmfctl'"
check 'id-ns: 64 MiB of 512-byte blocks' bash -c \
  "nvme id-ns $disk -n 1 | grep -qE '^nsze *: 0x20000\$'"
check 'smart-log' nvme smart-log "$controller"
check_status 1 'a read beyond the end is refused' nvme read "$disk" -s 131072 -c 0 -z 512 \
  -d "$work/r"
check 'fio: random, 512 B to 1 MiB, depth 32, verified' verified
deep() {
  fio --name=deep --filename="$disk" --direct=1 --ioengine=libaio --rw=randrw --bs=4k \
    --iodepth=128 --number_ios=20000 --output-format=terse
}
check 'fio: 4 KiB, depth 128' deep
filled() {
  mkfs.ext4 -q -F "$disk" && mkdir -p "$work/m" && mount "$disk" "$work/m" &&
    cp -r /usr/share/doc/bash "$work/m/" && sync &&
    (cd "$work/m" && find . -type f -exec sha256sum {} + | sort) >"$work/sums" && umount "$work/m"
}
check 'a file system is made and filled' filled
check 'disconnect' kernel_disconnect
check 'connect again' kernel_connect --nr-io-queues=2 --keep-alive-tmo=5
intact() {
  mount "$disk" "$work/m" && (cd "$work/m" && sha256sum --quiet -c "$work/sums") &&
    umount "$work/m" && fsck.ext4 -fn "$disk"
}
check 'the file system is whole after the reconnect' intact
alive() {
  read -rt 11 <> <(:) || true
  live
}
check 'idle for two keep alive periods: still live' alive
check 'the kernel has no complaint' kernel_is_calm
reset_under_load() {
  fio --name=load --filename="$disk" --direct=1 --ioengine=libaio --rw=randrw --bs=4k \
    --iodepth=16 --runtime=20 --number_ios=4000 --output="$work/fio" & local load=$!
  until_true 5 bash -c "(( \$(awk '{print \$1+\$5}' /sys/block/${disk##*/}/stat) > 100 ))"
  nvme reset "$controller" || return
  wait $load || { cat "$work/fio"; return 1; }
}
check 'reset under load: the I/O goes on' reset_under_load
under_load() {
  fio --name=load --filename="$disk" --direct=1 --ioengine=libaio --rw=randread --bs=4k \
    --iodepth=16 --runtime=5 --time_based --output="$work/fio" & local load=$!
  until_true 5 bash -c "(( \$(awk '{print \$1}' /sys/block/${disk##*/}/stat) > 100 ))"
  kernel_disconnect || return
  wait $load
  kill -0 "$serve_pid"
}
check 'disconnect under load: our target lives' under_load
kernel_forgiven
check 'our target stops cleanly' stop_serving

# Killed and started again during I/O: on a file, so that what was acknowledged is still there.
truncate -s 64M "$work/disk"
serve --listen rdma:192.0.2.1:4420 --ns "file:$work/disk" || exit 1
check 'connect to a file namespace' kernel_connect --nr-io-queues=2 --reconnect-delay=1 \
  --ctrl-loss-tmo=60 --keep-alive-tmo=5
survives_kill() {
  fio --name=verify --filename="$disk" --direct=1 --ioengine=libaio --rw=randwrite --bs=4k \
    --size=16m --iodepth=16 --verify=crc32c --verify_fatal=1 --do_verify=1 \
    --output="$work/fio" & local load=$!
  until_true 10 bash -c "(( \$(awk '{print \$5}' /sys/block/${disk##*/}/stat) > 500 ))"
  kill -KILL "$serve_pid"
  wait "$serve_pid" 2>/dev/null
  serve --listen rdma:192.0.2.1:4420 --ns "file:$work/disk" || return
  wait $load || { cat "$work/fio"; return 1; }
}
check 'our target killed and restarted under writes: every byte verified' survives_kill
check 'disconnect' kernel_disconnect
check 'our target stops cleanly' stop_serving
finish
