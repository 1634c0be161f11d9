#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Inside a guest: each of our ends over a soft RDMA device against a stranger, of ../stranger, that
# asks for a queue wrongly, refuses it, or breaks the rules on it; and the kernel's ends beside.
#   rdma_strangers.sh [rxe|siw]
. "$(dirname "$0")/lib.sh"
rdma_device || { echo "skipped: this kernel has no $soft"; exit 77; }
modprobe -q nvme-rdma || true
modprobe -q nvmet-rdma || true
stranger=${STRANGER:?STRANGER names the program}
me=(-q "$hostnqn" -I "$hostid")
ours() { timeout 60 "$program" "$@"; }
z=0000000000000000

# ---- Hosts that ask wrongly ------------------------------------------------------------------

# asks NAME ANSWER HEX [READS]: private data of 32 bytes, filled up; what the target answers.
asks() {
  local data=$3$z$z$z$z
  asks_exactly "$1" "$2" "${data:0:64}" "${4-16}"
}
asks_exactly() {
  check "$1" bash -c '"$0" request 192.0.2.1 4420 "$1" "$2" | tee /dev/stderr | grep -q "$3"' \
    "$stranger" "$3" "$4" "$2"
}
accepted=RDMA_CM_EVENT_ESTABLISHED
rejected() { echo "RDMA_CM_EVENT_REJECTED, status .*, 0000$1"; }
# RECFMT, QID, HRQSIZE, HSQSIZE, CNTLID.
serve --listen rdma:192.0.2.1:4420 --ns ram:64M || exit 1
asks 'a request that is right' $accepted 0000000020001f00
asks 'RECFMT 1: Invalid RECFMT' "$(rejected 0200)" 0100000020001f00
asks 'HSQSIZE 0: Invalid HSQSIZE' "$(rejected 0400)" 0000000020000000
asks 'HSQSIZE 65535: Invalid HSQSIZE' "$(rejected 0400)" 000000002000ffff
asks 'HRQSIZE 0: Invalid HRQSIZE' "$(rejected 0500)" 0000000000001f00
asks 'no RDMA READs: Invalid IRD' "$(rejected 0700)" 0000000020001f00 0
if [[ $soft == rxe ]]; then
  # InfiniBand's message has room for 56 bytes, and pads what is shorter with zeroes.
  asks_exactly '8 bytes: are padded' $accepted 0000000020001f00 16
else
  asks_exactly '8 bytes: Invalid Private Data Length' "$(rejected 0100)" 0000000020001f00 16
fi
stop_serving

nvmet_ready && modprobe -q brd rd_nr=4 rd_size=65536
check 'nvmet' nvmet_subsystem /dev/ram0
check 'nvmet port' nvmet_port 1 4420
asks 'nvmet takes a request that is right' $accepted 0000000020001f00
asks 'nvmet: RECFMT 1: Invalid RECFMT' "$(rejected 0200)" 0100000020001f00
asks 'nvmet: HSQSIZE 65535: Invalid HSQSIZE' "$(rejected 0400)" 000000002000ffff
asks 'nvmet does not look at HRQSIZE' $accepted 0000000000001f00
nvmet_down

# ---- Controllers that refuse -----------------------------------------------------------------

# stranger_listens WHAT [HEX]
stranger_listens() {
  "$stranger" controller 192.0.2.1 4430 "$@" >"$work/stranger" &
  strange=$!
  until_true 10 grep -q listening "$work/stranger"
}
stranger_ends() {
  kill $strange
  wait $strange 2>/dev/null
}
at=nvme+rdma://192.0.2.1:4430/$nqn
connects() { ours connect "$at" "${me[@]}" --timeout 2; }
kernel_hears() {
  ! nvme connect -t rdma -a 192.0.2.1 -s 4430 -n "$nqn" -q "$hostnqn" -I "$hostid" || return
  local words="nvme status $1 "
  [[ $soft == rxe ]] || words='reset by remote host' # it reads no private data of iWARP
  dmesg | tail -n 4 | grep -F "$words"
}
code=0
for words in 'Invalid Private Data Length' 'Invalid RECFMT' 'Invalid QID' 'Invalid HSQSIZE' \
  'Invalid HRQSIZE' 'No Resources' 'Invalid IRD' 'Invalid ORD' 'Invalid Controller ID'; do
  code=$((code + 1))
  stranger_listens reject "$(printf '0000%02x00' $code)"
  check_status 13 "our host is refused with code $code" connects
  must_say "rejects the queue: $words (status $code)"
  [[ $soft == siw && $code != 1 ]] || check "the kernel's host hears code $code" kernel_hears $code
  stranger_ends
done
stranger_listens reject 00004d00
check_status 13 'a code that no table has' connects
must_say '(status 77)'
must_say 'does not take a queue like the one that was asked for'
stranger_ends

# Without a status: a listener all the same, and not nobody. Over iWARP Linux has one number for
# that and for a connection that breaks.
for how in 'reject ' gone 'reject 0100040000000000'; do
  stranger_listens ${how% *} "${how#* }"
  if [[ $soft == rxe || $how == *0100* ]]; then
    check_status 13 "a listener that says nothing of NVMe/RDMA: $how" connects
    must_say 'rejects the queue and does not say why'
    must_say 'speaks no NVMe/RDMA'
  else
    check_status 11 "a listener that says nothing: $how" connects
    must_say 'the peer refused without saying why, or broke off while connecting'
  fi
  stranger_ends
done
check_status 11 'nobody listens' connects
must_say 'nothing listens'

stranger_listens accept "0100$z$z$z$z"
check_status 13 'accepted with RECFMT 1' connects
must_say 'RECFMT is not 0'
stranger_ends
stranger_listens accept 00000000
check_status 13 'accepted with too little' connects
if [[ $soft == rxe ]]; then must_say 'CRQSIZE is 0'; else must_say 'private data is too short'; fi
stranger_ends

# ---- Who breaks the rules on a queue ---------------------------------------------------------

for what in short:20:'a response capsule has 16 bytes' \
  long:20:'a response capsule is longer than 16 bytes' \
  stranger-cid:20:'no command with this CID is outstanding' \
  invalidate:21: deaf:19: silent:19:'no answer to Connect within 2000 ms'; do
  IFS=: read -r how status words <<<"$what"
  # iWARP says that there was no receive, and ends the connection.
  [[ $how$soft != deafsiw ]] || status=21
  stranger_listens "$how"
  check_status "$status" "a controller that is $how" connects
  [[ -z $words ]] || must_say "$words"
  stranger_ends
done

serve --listen rdma:192.0.2.1:4420 --ns ram:64M --connect-timeout 2 || exit 1
at=nvme+rdma://192.0.2.1:4420/$nqn
check 'connect' ours connect "$at" "${me[@]}"
held() {
  local kind
  for kind in qp cq mr pd cm_id; do
    echo "$kind $(rdma resource show $kind | grep -c "pid $serve_pid ")"
  done
}
same_held() { [[ $(held) == "$before" ]]; }
before=$(held)
host() { timeout 30 "$stranger" host 192.0.2.1 4420 "$1"; }
host deaf >"$work/deaf" & deaf=$!
for how in short long flood; do
  check "a host that sends a capsule that is $how" host $how
  [[ $how$soft != floodrxe ]] || must_say 'response to 63, 16 bytes'
  check 'our target takes the next' ours connect "$at" "${me[@]}"
done
if [[ $soft == rxe ]]; then
  check 'a host that sends before its queue is established' host early
  cp "$work/out" "$work/early"
  check 'each is answered, in order' cmp <(grep response "$work/early") \
    <(printf 'response to %d, 16 bytes\n' {0..7})
fi
check 'a host without receives is let go of, and all that was theirs' until_true 20 same_held
check 'it has ended' wait $deaf
check 'our target stops cleanly' stop_serving
nothing_left() { [[ -z $(rdma_in_use) ]]; }
check 'nothing of the device is in use' until_true 10 nothing_left
finish
