#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Inside a guest: what our target listens on goes and comes back, idle and under load: the RDMA
# device, the address, the link. It says so, once; TCP goes on; hosts are taken again.
#
# A link that goes down under load, over rxe: the queue pair of the connection manager (GSI, number
# 1 of the device) enters the error state by the first message that cannot leave, and nothing but a
# new device takes it out of there. Nobody connects until then, whoever's ends they are: the last
# part of this does it to the kernel's own.
#   rdma_returns.sh [rxe|siw]
. "$(dirname "$0")/lib.sh"
rdma_device || { echo "skipped: this kernel has no $soft"; exit 77; }
modprobe -q nvme-rdma || true
modprobe -q nvmet-rdma || true
me=(-q "$hostnqn" -I "$hostid")
ours() { timeout 60 "$program" "$@"; }
at=nvme+rdma://192.0.2.1:4420/$nqn
connects() { ours connect "$at" "${me[@]}" -i 1 --timeout 3; }
tcp_connects() { ours connect "nvme+tcp://127.0.0.1:4420/$nqn" "${me[@]}" -i 1; }
again() { rdma link add soft0 type "$soft" netdev soft; }
# said TIMES TEXT: in our target's log.
said() {
  (($(grep -cF -- "$2" "$work/serve.err") == $1)) || { cat "$work/serve.err"; return 1; }
}
load() {
  "$program" bench "$at" "${me[@]}" --rw randread --bs 16K --depth 16 --queues 2 --time 60 \
    --keep-alive-tmo 2000 >"$work/load" 2>&1 & load=$!
  until_true 10 more_than_idle
}
more_than_idle() { (($(rdma resource show qp | grep -c "pid $load ") > 2)); }
load_ends() {
  wait $load
  local status=$?
  cat "$work/load"
  ((status == 18 || status == 19 || status == 21))
}

serve --listen rdma:192.0.2.1:4420 --listen 127.0.0.1:4420 --ns ram:64M || exit 1
check 'connect' connects
check 'the device is removed' timeout 20 rdma link delete soft0
check 'our target says so' until_true 10 said 1 '192.0.2.1:4420: the RDMA device is gone'
check_status 11 'nobody connects' connects
check 'TCP goes on' tcp_connects
check 'the device comes back' again
check 'our target says that it listens' until_true 20 said 1 '192.0.2.1:4420: listens again'
check 'connect' connects
check 'load' load
check 'the device is removed under load' timeout 20 rdma link delete soft0
check 'the load ends' load_ends
check 'our target says so' until_true 10 said 2 '192.0.2.1:4420: the RDMA device is gone'
check 'TCP goes on' tcp_connects
check 'the device comes back' again
check 'connect' until_true 20 connects

check 'the address goes' ip address del 192.0.2.1/24 dev soft
check 'our target says so' until_true 10 said 1 'no interface has that address any more'
check 'TCP goes on' tcp_connects
check 'the address comes back' ip address add 192.0.2.1/24 dev soft
check 'connect' until_true 20 connects
check 'what it said, it said once' said 3 '192.0.2.1:4420: listens again'

# The link, under load.
check 'load' load
queue_of_cm() { rdma resource show qp link soft0/1 type GSI | grep -qF "state $1 "; }
check 'the link goes down under load' ip link set soft down
if [[ $soft == rxe ]]; then
  check 'the load ends' load_ends
  check 'the link comes back' ip link set soft up
  check "rxe's queue pair of the connection manager is in the error state" queue_of_cm ERR
  check_status 19 'so nobody connects' connects
  check 'the device is made anew' eval 'timeout 20 rdma link delete soft0 && again'
  check 'its queue pair of the connection manager is well' queue_of_cm RTS
else
  check 'the link comes back' ip link set soft up
  check 'the load goes on' kill -0 $load
  kill -INT $load
  wait $load
fi
check 'connect' until_true 20 connects
check 'TCP goes on' tcp_connects
check 'our target stops cleanly' stop_serving
nothing_left() { [[ -z $(rdma_in_use) ]]; }
check 'nothing of the device is in use' until_true 10 nothing_left
check 'the kernel has no complaint' kernel_is_calm

if [[ $soft == rxe ]]; then
  # None of our ends here: nvme-rdma disconnects from nvmet-rdma while the link is down.
  nvmet_ready && modprobe -q brd rd_nr=4 rd_size=65536
  check 'nvmet' nvmet_subsystem /dev/ram0
  check 'nvmet port' nvmet_port 1 4420
  check 'nvme-rdma connects' kernel_connect --nr-io-queues=1
  check 'the link goes down' ip link set soft down
  check 'nvme-rdma disconnects' timeout 60 nvme disconnect -n "$nqn"
  check 'the link comes back' ip link set soft up
  check "rxe's queue pair of the connection manager is in the error state" queue_of_cm ERR
  check_status 124 'so nvme-rdma does not connect in 10 s' timeout 10 nvme connect \
    "${way[@]}" -n "$nqn" -q "$hostnqn" -I "$hostid"
fi
finish
