#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# nvmfctl rdma on soft RDMA devices as they come up, lose their link and their address.
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/interop/guest/lib.sh
. "$here/lib.sh"

check_status 11 "no device" "$program" rdma
must_say "no RDMA device here"

ip link add soft type dummy
ip link set soft mtu 9000 up
ip address add 192.0.2.1/24 dev soft
ip -6 address add 2001:db8::1/64 dev soft nodad
modprobe -q rdma_ucm
for kind in rxe siw; do
  modprobe -q "rdma_$kind" || modprobe -q "$kind"
  check "$kind on a dummy interface" rdma link add soft0 type "$kind" netdev soft
  check_status 0 "$kind can be used" "$program" -v rdma
  must_say "192.0.2.1, 2001:db8::1"
  must_say "nvmfctl serve --listen rdma:192.0.2.1:4420"
  if [[ $kind == rxe ]]; then
    must_say "soft0  RoCE, usable"
    must_say "active, 4096 bytes in a packet"
    must_say "RoCE v2 ::ffff:192.0.2.1"
  else
    must_say "soft0  iWARP, usable"
    must_say "no memory windows"
  fi
  cat "$work/out"
  check_status 0 "as a document" "$program" rdma --json
  must_say '"schema": "nvmfctl.rdma/1"'
  must_say '"usable": 1'

  ip link set soft down
  check_status 11 "$kind without a link" "$program" rdma
  must_say "soft0"
  must_say "not usable"
  must_say "ip link set soft up"
  ip link set soft up
  ip -6 address add 2001:db8::1/64 dev soft nodad 2>/dev/null # the kernel took it away
  rdma link delete soft0
done

rdma link add soft0 type rxe netdev soft
chmod 600 /dev/infiniband/*
check_status 11 "a user who may not open the device" \
  setpriv --reuid 65534 --regid 65534 --clear-groups "$program" rdma
must_say "/dev/infiniband/rdma_cm may not be opened: Permission denied (its group"
must_say "/dev/infiniband/uverbs0 may not be opened: Permission denied"
# shellcheck disable=SC2016 # for the shell that has the limit
check_status 0 "little memory that may be locked" bash -c 'ulimit -l 64 && "$0" rdma' "$program"
must_say "64 KiB may be registered at most (ulimit -l)"
chmod 666 /dev/infiniband/*
rdma link delete soft0

rdma link add soft0 type rxe netdev lo
check_status 11 "rxe on lo" "$program" rdma
must_say "port 1 is on lo, where no route leads to an RDMA device"
finish
