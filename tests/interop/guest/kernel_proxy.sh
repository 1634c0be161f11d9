#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Inside a guest: the Linux kernel's host finds its way to the kernel's target by discovery, and all
# of it goes through `trace --proxy --rewrite-discovery`.
#   kernel_proxy.sh [digests]
. "$(dirname "$0")/lib.sh"
[[ -z ${digests[*]} ]] || digests=(--hdr-digest --data-digest)
nvmet_ready || { echo 'skipped: this kernel has no nvmet-tcp'; exit 77; }
modprobe -q nvme-tcp || true
modprobe -q brd rd_nr=1 rd_size=65536 || true
check 'nvmet on a RAM disk' nvmet_subsystem /dev/ram0
check 'nvmet port' nvmet_port 1 4420

mkfifo "$work/says"
"$program" trace --proxy 127.0.0.1:4430,nvme+tcp://127.0.0.1:4420 --rewrite-discovery --strict \
  --time relative >"$work/lines" 2>"$work/says" &
proxy=$!
exec {says}<"$work/says"
check 'the proxy listens' read -rt 20 -u "$says" _
cat <&"$says" >"$work/said" &

connects() {
  nvme connect-all -t tcp -a 127.0.0.1 -s 4430 -q "$hostnqn" -I "$hostid" --nr-io-queues=1 \
    "${digests[@]}" && until_true 10 namespace_of "$nqn" 1
}
check 'connect-all' connects
disk=$(namespace_of "$nqn" 1)
[[ -b ${disk:-} ]] || { cat "$work/lines" "$work/said"; finish; }
controller=${disk%n*}
not_direct() { ! grep -q 'trsvcid=4420' "/sys/class/nvme/${controller##*/}/address"; }
check 'its controller is not at the port of the target' not_direct
same_data() { # same_data BYTES
  head -c "$1" /dev/urandom >"$work/w"
  dd if="$work/w" of="$disk" bs="$1" count=1 oflag=direct status=none &&
    dd if="$disk" bs="$1" count=1 iflag=direct status=none | cmp - "$work/w"
}
for bytes in 512 4096 65536 1048576; do check "write and read $bytes bytes" same_data $bytes; done
check 'disconnect' kernel_disconnect
check 'the kernel does not complain' kernel_is_calm
stops() { kill -TERM "$proxy" && wait "$proxy"; }
check 'the proxy ends well, and no rule was broken' stops
check 'it saw the discovery' grep -q 'get-log-page .*lid=0x70' "$work/lines"
check 'it saw the I/O queue, and a write' grep -q ' q1 < 0x[0-9a-f]* write ok, 1048576 bytes' \
  "$work/lines"
((failed == 0)) || { tail -n 40 "$work/lines"; cat "$work/said"; }
nvmet_down
finish
