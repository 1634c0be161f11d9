#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Inside a guest: what the Linux kernel's host makes of a target that misbehaves by plan. It is the
# judge of whether the faults are on the wire, and each check says what it does about them.
#   kernel_faults.sh [digests]
. "$(dirname "$0")/lib.sh"
allow=()
[[ -z ${digests[*]} ]] || digests=(--hdr-digest --data-digest) allow=(-g -G)
modprobe -q nvme-tcp || true
# A response that never comes is given up after so many seconds.
echo 2 >/sys/module/nvme_core/parameters/io_timeout

truncate -s 16M "$work/disk"
head -c 16M /dev/urandom >"$work/disk"
read_blocks() { dd if="$disk" of="$work/r" bs=4096 skip=100 count=1 iflag=direct status=none; }
right_data() { cmp -n 4096 "$work/r" "$work/disk" 0 409600; }
kernel_said() { [[ -z $1 ]] || until_true 5 in_its_log "$1"; }
in_its_log() { dmesg | tail -n +$((dmesg_seen + 1)) | grep -qE "$1"; }

# faulty NAME PLAN SAYS [COMMAND...]: with that plan a read ends well in the end, or COMMAND does,
# and the kernel's log has SAYS.
faulty() {
  local name=$1 plan=$2 says=$3
  shift 3
  [[ $# != 0 ]] || set -- read_whole
  serve --listen 127.0.0.1:4420 --ns "file:$work/disk" "${allow[@]}" --fault "$plan" || return
  check "$name: connect" kernel_connect --nr-io-queues=1 --reconnect-delay=1 --ctrl-loss-tmo=30 \
    --keep-alive-tmo=5 "${digests[@]}"
  kernel_forgiven
  check "$name" "$@"
  check "$name: the kernel says ${says:-nothing}" kernel_said "$says"
  kernel_forgiven
  kernel_disconnect >"$work/out" 2>&1
  check "$name: our target stops cleanly" stop_serving
  check "$name: the plan fired" grep -qF "fault 1 '$plan' fired" "$work/serve.err"
}
read_whole() { read_blocks && right_data; }
read_fails() { ! read_blocks; }
read_slowly() {
  local from=$EPOCHREALTIME
  read_whole && ((${EPOCHREALTIME/./} - ${from/./} >= 1000000))
}

at='cmd == read && slba == 800'
faulty 'status' "when $at: status unrecovered-read-error dnr" 'critical medium error' read_fails
faulty 'delay' "when $at && count 1: delay 1s" '' read_slowly
faulty 'drop' "when $at && count 1: drop" 'timeout'
faulty 'wrong CID' "when $at && count 1: wrong-cid 999" 'got bad cqe.command_id 0x3e7'
faulty 'duplicate' "when $at && count 1: duplicate" 'genctr mismatch'
faulty 'TermReq' "when $at && count 1: termreq" 'starting error recovery'
faulty 'reset' "when $at && count 1: reset" 'starting error recovery'
# It goes by DATAL and does not look at PLEN.
faulty 'wrong length' "when $at && count 1: wrong-length" ''
faulty 'early SUCCESS' "when $at && count 1: early-success" 'starting error recovery'
faulty 'silence' "when $at && count 1: silence" 'timeout'
# The read is answered; nothing else is asked for on that queue.
faulty 'stop reading' "when $at && count 1: stop-reading" ''
if [[ -n ${digests[*]} ]]; then
  faulty 'data digest' "when $at && count 1: flip-digest data" 'data digest error'
  faulty 'header digest' "when $at && count 1: flip-digest header" 'header digest error'
fi
finish
