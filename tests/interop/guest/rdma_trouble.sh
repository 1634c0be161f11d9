#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Inside a guest: our ends over a soft RDMA device when things go wrong: no rights, no memory, no
# device, strangers at the port, either end killed, the link gone; and that nothing stays behind.
#   rdma_trouble.sh [rxe|siw] [quick]
. "$(dirname "$0")/lib.sh"
me=(-q "$hostnqn" -I "$hostid")
ours() { timeout 60 "$program" "$@"; }
at=nvme+rdma://192.0.2.1:4420/$nqn

# Before there is a device.
ip link add plain type dummy && ip link set plain up && ip address add 198.51.100.1/24 dev plain
check_status 11 'connect without a device' ours connect "$at" "${me[@]}"
must_say 'nvmfctl rdma'
rdma_device || { echo "skipped: this kernel has no $soft"; exit 77; }

# nobody COMMAND...: as a user without rights.
nobody() {
  timeout 60 setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \
    --bounding-set=-all "$@"
}
serve_once() { "$@" serve --listen rdma:192.0.2.1:4420 -n "$nqn" -- true; }
chmod 600 /dev/infiniband/rdma_cm
check_status 11 'serve without rights on rdma_cm' serve_once nobody "$program"
must_say 'no permission on /dev/infiniband/rdma_cm'
check_status 11 'connect without rights on rdma_cm' nobody "$program" connect "$at" "${me[@]}"
must_say 'no permission on /dev/infiniband/rdma_cm'
chmod 666 /dev/infiniband/rdma_cm
chmod 600 /dev/infiniband/uverbs0
check_status 11 'serve without rights on uverbs' serve_once nobody "$program"
must_say 'no permission on /dev/infiniband/uverbs'
chmod 666 /dev/infiniband/uverbs0
check_status 11 'serve on an address of no device' ours serve --listen rdma:198.51.100.1:4420
must_say 'belongs to no RDMA device'
check_status 11 'serve on an address of no interface' ours serve --listen rdma:203.0.113.1:4420
must_say 'no interface of this machine has that address'
check_status 11 'connect to an address without a route' ours connect \
  "nvme+rdma://203.0.113.1:4420/$nqn" "${me[@]}"

serve --listen rdma:192.0.2.1:4420 --listen "rdma:[2001:db8::1]:4420" --listen 127.0.0.1:4420 \
  --ns ram:64M || exit 1
check_status 11 'the port is in use' ours serve --listen rdma:192.0.2.1:4420
must_say 'something else has the port'
check 'IPv6: whole bring-up' ours connect "nvme+rdma://[2001:db8::1]:4420/$nqn" "${me[@]}"
must_say '[2001:db8::1]:4420'
check_status 11 'nobody listens' ours connect "nvme+rdma://192.0.2.1:4421/$nqn" "${me[@]}"
must_say 'nothing listens'
# A host's queue registers 128 KiB at least.
little_memory() {
  (ulimit -l 64 && nobody "$program" connect "$at" "${me[@]}")
}
check_status 11 'too little memory may be locked' little_memory
must_say '64 KiB (ulimit -l)'
check 'TCP goes on' ours connect "nvme+tcp://127.0.0.1:4420/$nqn" "${me[@]}"

# Who speaks another protocol is refused by its private data.
stranger() { ! timeout 20 rping -c -a 192.0.2.1 -p 4420 -C 1; }
check 'a stranger is refused' stranger
check 'the kernel has no complaint' kernel_is_calm

connects() { ours connect "$at" "${me[@]}" -i "${1:-1}"; }
# held: what our target holds: descriptors, and objects of the device.
held() {
  local kind
  ls "/proc/$serve_pid/fd" | wc -l
  for kind in qp cq mr pd cm_id; do
    echo "$kind $(rdma resource show $kind | grep -c "pid $serve_pid ")"
  done
}
same_held() { [[ $(held) == "$1" ]]; }
memory_kib() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$serve_pid/status"; }
check 'connect' connects 4
before=$(held)

more_than_idle() { (($(rdma resource show qp | grep -c "pid $load ") > 2)); }
host_killed() {
  "$program" bench "$at" "${me[@]}" --rw randread --bs 16K --depth 16 --queues 2 --time 30 \
    >"$work/load" 2>&1 & load=$!
  until_true 10 more_than_idle || return
  kill -KILL $load
  wait $load
  until_true 20 same_held "$before" || { held; return 1; }
}
check 'our host killed under load: our target lets go of all that was its' host_killed
check 'connect' connects
target_killed() {
  "$program" bench "$at" "${me[@]}" --rw randread --bs 16K --depth 16 --queues 2 --time 30 \
    >"$work/load" 2>&1 & load=$!
  until_true 10 more_than_idle || return
  kill -KILL "$serve_pid"
  wait "$serve_pid" 2>/dev/null
  wait $load
  local status=$?
  cat "$work/load"
  ((status == 21 || status == 18))
}
check 'our target killed under load: our host says so' target_killed
serve --listen rdma:192.0.2.1:4420 --ns ram:64M || exit 1
check 'connect to the next' connects
check 'the kernel has no complaint' kernel_is_calm
if [[ -z $quick ]]; then
  cycles() {
    local i
    for ((i = 0; i < $1; i++)); do
      connects >"$work/cycle" || { cat "$work/cycle"; return 1; }
    done
  }
  check 'connect and disconnect, 20 times' cycles 20
  before=$(held) memory=$(memory_kib)
  check 'connect and disconnect, 500 times' cycles 500
  echo "# held, then and now:" $before / $(held)
  echo "# resident: $memory KiB, then $(memory_kib) KiB"
  check 'descriptors and objects of the device are as before' same_held "$before"
  flat() { (($(memory_kib) <= memory + 2048)); }
  check 'memory is as before' flat
fi
# Without traffic: rxe's own queue for connection management does not survive a send that fails.
link_gone() {
  ip link set soft down && ip link set soft up &&
    ip address replace 2001:db8::1/64 dev soft nodad && until_true 10 connects
}
check 'link down and up: then all goes on' link_gone
check 'our target stops cleanly' stop_serving
nothing_left() { [[ -z $(rdma_in_use) ]]; }
check 'nothing of the device is in use' until_true 10 nothing_left
finish
