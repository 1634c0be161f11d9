#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Inside a guest: the Linux kernel's NVMe/TCP host (nvme-tcp, nvme-cli) against our target.
#   kernel_host.sh [digests] [quick]
#
# What this host does otherwise than the specification has it, and our target takes: it writes CC
# with IOSQES 6 and IOCQES 4 to discovery controllers too, which have no I/O queues; and its sockets
# may end with RST after our FIN, which is its good-bye and no error.
# How the kernel's target differs is told row by row in tests/hostile (linux=).
. "$(dirname "$0")/lib.sh"
allow=()
[[ -z ${digests[*]} ]] || digests=(--hdr-digest --data-digest) allow=(-g -G)
modprobe -q nvme-tcp || true

serve --listen 127.0.0.1:4420 --ns ram:64M "${allow[@]}" || exit 1

discovered() {
  nvme discover -t tcp -a 127.0.0.1 -s 4420 -q "$hostnqn" -I "$hostid" | grep -q "subnqn: *$nqn"
}
check 'discover lists the subsystem' discovered
check 'connect with one I/O queue' kernel_connect --nr-io-queues=1 --keep-alive-tmo=5 \
  "${digests[@]}"
check 'list shows the namespace' bash -c "nvme list | grep -q '$disk'"
check 'id-ctrl: the model is ours' bash -c "nvme id-ctrl $controller | grep -q '^mn .*nvmfctl'"
check 'id-ns: 64 MiB of 512-byte blocks' bash -c \
  "nvme id-ns $disk -n 1 | grep -qE '^nsze *: 0x20000\$'"
check 'ns-descs: a unique identifier' bash -c \
  "nvme ns-descs $disk -n 1 | grep -qE '(uuid|nguid|eui64)'"
check 'smart-log' nvme smart-log "$controller"
check 'error-log' nvme error-log "$controller" -e 4
check 'fw-log' nvme fw-log "$controller"
check 'effects-log' nvme effects-log "$controller"
check 'get-feature: number of queues' nvme get-feature "$controller" -f 7
check 'get-feature: keep alive timer' nvme get-feature "$controller" -f 0x0f
check 'get-feature: async event configuration' nvme get-feature "$controller" -f 0x0b

head -c 65536 /dev/urandom >"$work/data"
same_data() { # same_data BLOCKS FIRST: written by one command, read by another
  local bytes=$(($1 * 512))
  head -c $bytes "$work/data" >"$work/w"
  rm -f "$work/r" # nvme read does not cut a longer file
  nvme write "$disk" -s "$2" -c $(($1 - 1)) -z $bytes -d "$work/w" &&
    nvme read "$disk" -s "$2" -c $(($1 - 1)) -z $bytes -d "$work/r" && cmp "$work/w" "$work/r"
}
for blocks in 1 8 15 16 17 32 33 128; do
  check "write and read $blocks blocks" same_data $blocks $((blocks * 3))
done
check 'compare equal' bash -c "nvme read $disk -s 384 -c 7 -z 4096 -d $work/c && \
  nvme compare $disk -s 384 -c 7 -z 4096 -d $work/c"
differs() { head -c 4096 /dev/zero | nvme compare "$disk" -s 384 -c 7 -z 4096; }
check_status 1 'compare different fails' differs
zeroed() {
  nvme write-zeroes "$disk" -s 384 -c 7 && nvme read "$disk" -s 384 -c 7 -z 4096 -d "$work/z" &&
    cmp -n 4096 "$work/z" /dev/zero
}
check 'write-zeroes leaves zeroes' zeroed
check 'dsm deallocate' nvme dsm "$disk" -n 1 -d -s 0 -b 64
check 'flush' nvme flush "$disk" -n 1
check_status 1 'a read beyond the end is refused' nvme read "$disk" -s 131072 -c 0 -z 512 \
  -d "$work/r"

# Five seconds of keep alive, three periods of nothing to do.
alive() {
  read -rt 16 <> <(:) || true
  [[ $(cat "/sys/class/nvme/${controller##*/}/state") == live ]]
}
[[ -n $quick ]] || check 'idle for three keep alive periods: still live' alive
check 'the kernel has no complaint' kernel_is_calm
check 'disconnect' kernel_disconnect
if [[ -z $quick ]]; then
  whole_session() {
    kernel_connect --nr-io-queues=1 "${digests[@]}" && same_data 8 0 && same_data 128 64 &&
      nvme flush "$disk" -n 1 && kernel_disconnect
  }
  check 'tshark reads all of a session as we do' on_the_wire 1000 whole_session
fi

check 'connect with four I/O queues' kernel_connect --nr-io-queues=4 "${digests[@]}"
filled() {
  mkfs.ext4 -q -F "$disk" && mkdir -p "$work/m" && mount "$disk" "$work/m" &&
    cp -r /usr/share/doc/bash "$work/m/" && cp "$work/data" "$work/m/data" && sync &&
    (cd "$work/m" && find . -type f -exec sha256sum {} + | sort) >"$work/sums" && umount "$work/m"
}
check 'a file system is made and filled' filled
check 'disconnect' kernel_disconnect
check 'connect again' kernel_connect --nr-io-queues=2 "${digests[@]}"
intact() {
  mount "$disk" "$work/m" && (cd "$work/m" && sha256sum --quiet -c "$work/sums") &&
    umount "$work/m" &&
    fsck.ext4 -fn "$disk"
}
check 'the file system is whole after the reconnect' intact
verified() {
  fio --name=verify --filename="$disk" --direct=1 --ioengine=libaio --rw=randwrite \
    --bsrange=512-1m --size=32m --iodepth=32 --verify=crc32c --verify_fatal=1 --do_verify=1 \
    --verify_backlog=64 --output-format=terse
}
check 'fio: random, 512 B to 1 MiB, depth 32, verified' verified
if [[ -n $quick ]]; then
  check 'disconnect' kernel_disconnect
  check 'our target stops cleanly' stop_serving
  finish
fi
reset_under_load() {
  fio --name=load --filename="$disk" --direct=1 --ioengine=libaio --rw=randrw \
    --bs=4k --iodepth=16 \
    --runtime=20 --number_ios=4000 --output="$work/fio" & local load=$!
  until_true 5 bash -c "(( \$(awk '{print \$1+\$5}' /sys/block/${disk##*/}/stat) > 100 ))"
  nvme reset "$controller" || return
  wait $load || { cat "$work/fio"; return 1; }
}
check 'reset under load: the I/O goes on' reset_under_load
under_load() {
  fio --name=load --filename="$disk" --direct=1 --ioengine=libaio --rw=randread \
    --bs=4k --iodepth=16 \
    --runtime=5 --time_based --output="$work/fio" & local load=$!
  until_true 5 bash -c "(( \$(awk '{print \$1}' /sys/block/${disk##*/}/stat) > 100 ))"
  kernel_disconnect || return
  wait $load
  kill -0 "$serve_pid"
}
check 'disconnect under load: our target lives' under_load
check 'connect after that' kernel_connect --nr-io-queues=1 "${digests[@]}"
check 'disconnect' kernel_disconnect
check 'our target stops cleanly' stop_serving

# Killed and started again during I/O: on a file, so that what was acknowledged is still there.
truncate -s 64M "$work/disk"
serve --listen 127.0.0.1:4420 --ns "file:$work/disk" "${allow[@]}" || exit 1
check 'connect to a file namespace' kernel_connect --nr-io-queues=2 --reconnect-delay=1 \
  --ctrl-loss-tmo=60 \
  --keep-alive-tmo=5 "${digests[@]}"
survives_kill() {
  fio --name=verify --filename="$disk" --direct=1 --ioengine=libaio --rw=randwrite \
    --bs=4k --size=24m \
    --iodepth=16 --verify=crc32c --verify_fatal=1 --do_verify=1 --output="$work/fio" & local load=$!
  until_true 10 bash -c "(( \$(awk '{print \$5}' /sys/block/${disk##*/}/stat) > 500 ))"
  kill -KILL "$serve_pid"
  wait "$serve_pid" 2>/dev/null
  serve --listen 127.0.0.1:4420 --ns "file:$work/disk" "${allow[@]}" || return
  wait $load || { cat "$work/fio"; return 1; }
}
check 'our target killed and restarted under writes: every byte verified' survives_kill
check 'disconnect' kernel_disconnect
check 'our target stops cleanly' stop_serving
finish
