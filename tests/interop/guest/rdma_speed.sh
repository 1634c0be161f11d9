#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Inside a guest: how fast NVMe/RDMA is over one soft RDMA device, our ends and the kernel's, each
# with each, in one boot; and how many system calls a command takes of ours, which is what User
# Mode Linux makes dear. Prints a table. No figure passes or fails anything.
#   rdma_speed.sh [rxe|siw] [quick]
. "$(dirname "$0")/lib.sh"
modprobe -q nvme-rdma || true
modprobe -q nvmet-rdma || true
nvmet_ready || { echo 'skipped: this kernel has no nvmet-rdma'; exit 77; }
rdma_device || { echo "skipped: this kernel has no $soft"; exit 77; }
modprobe -q brd rd_nr=4 rd_size=65536 || true
# Of several short rounds the best counts: others on the machine only make it slower.
rounds=6 ms=600
[[ -z $quick ]] || rounds=1 ms=200

ours() { # ours RW BYTES DEPTH [OPTION...]
  "$program" bench "$at" -q "$hostnqn" -I "$hostid" --rw "$1" --bs "$2" --depth "$3" \
    --time 0.$ms --warm-up 0.1 --json "${@:4}" >"$work/result"
}
of_fio() { # of_fio RW BYTES DEPTH
  fio --name=speed --filename="$disk" --direct=1 --ioengine=libaio --rw="$1" --bs="$2" \
    --iodepth="$3" --time_based --runtime=${ms}ms --ramp_time=100ms --output-format=json \
    --output="$work/result"
}

# figures: IOPS, p50 and p99 in us of $work/result.
figures() {
  python3 - "$work/result" <<'EOF'
import json, sys
said = json.load(open(sys.argv[1]))
if 'jobs' in said:
    way = max((said['jobs'][0][w] for w in ('read', 'write')), key=lambda w: w['iops'])
    at = way['clat_ns']['percentile']
    print(round(way['iops']), *(round(at[p] / 1000) for p in ('50.000000', '99.000000')))
else:
    at = said['latency_us']
    print(round(said['iops']), *(round(at[p]) for p in ('p50', 'p99')))
EOF
}
row() { # row PAIR NAME CALLS MEASURE RW BYTES DEPTH [OPTION...]
  local round figures
  for ((round = 0; round < rounds; ++round)); do
    "${@:4}" && figures || return
  done >"$work/rounds"
  read -r -a figures < <(sort -rn "$work/rounds")
  line "$1" "$2" "${figures[@]}" "$3"
}
line() { printf '| %-18s | %-25s | %7s | %7s | %7s | %-15s |\n' "$@" >>"$work/table"; }

# calls RW BYTES DEPTH: system calls of our host and of our target for a command, from two runs of
# different length, each process under strace.
traced() { # traced SECONDS RW BYTES DEPTH [OPTION...]: sets host_calls, target_calls and commands
  local tracer said=
  mkfifo "$work/attached"
  strace -f -c -o "$work/of_target" -p "$serve_pid" 2>"$work/attached" & tracer=$!
  exec {said_by}<"$work/attached"
  rm "$work/attached"
  until [[ $said == *attached* ]]; do read -rt 20 -u "$said_by" said || return; done
  strace -f -c -o "$work/of_host" "$program" bench "$at" -q "$hostnqn" -I "$hostid" --rw "$2" \
    --bs "$3" --depth "$4" --time "$1" --warm-up 0 --json "${@:5}" >"$work/traced" || return
  kill -INT $tracer
  wait $tracer
  exec {said_by}<&-
  host_calls=$(count total host) target_calls=$(count total target)
  commands=$(grep -oE '"operations": *[0-9]+' "$work/traced" | grep -oE '[0-9]+')
}
count() { awk -v name="$1" '$NF == name { n = $4 } END { print n + 0 }' "$work/of_$2"; }
calls() {
  local host target before
  command -v strace >/dev/null || { echo '' && return; }
  traced 0.2 "$@" || return
  host=$host_calls target=$target_calls before=$commands
  traced 1.2 "$@" || return
  awk -v h=$((host_calls - host)) -v t=$((target_calls - target)) -v n=$((commands - before)) \
    'BEGIN { printf "%.1f + %.1f\n", h / n, t / n }'
}

rows=('randread 4096 1' 'randread 4096 32' 'randwrite 4096 1' 'randwrite 4096 32' 'read 131072 8')
[[ -z $quick ]] || rows=('randread 4096 32')
# Pages that nobody has written yet are slow to be read for the first time.
written() { dd if=/dev/zero of="$1" bs=1M count=64 oflag=direct status=none; }
measure() { # measure PAIR MEASURE
  local r rw bytes depth counted
  for r in "${rows[@]}"; do
    read -r rw bytes depth <<<"$r"
    counted=
    [[ $1 != 'ours to ours' || -n $quick ]] || counted=$(calls "$rw" "$bytes" "$depth")
    r="$rw $((bytes / 1024)) KiB, depth $depth"
    check "$1, $r" row "$1" "$r" "$counted" "$2" "$rw" "$bytes" "$depth"
  done
}

line pair row IOPS 'p50 us' 'p99 us' 'calls, of each'
line --- --- --- --- --- ---
serve --listen rdma:192.0.2.1:4420 --ns ram:64M || exit 1
check 'the kernel connects to our target' kernel_connect --nr-io-queues=1 --queue-size=128
check 'all of the namespace is written' written "$disk"
measure 'kernel to ours' of_fio
check 'it disconnects' kernel_disconnect
measure 'ours to ours' ours
check 'our target stops cleanly' stop_serving
check 'the RAM disk is written' written /dev/ram0
nvmet_subsystem /dev/ram0 && nvmet_port 1 4420 || exit 1
measure 'ours to kernel' ours
check 'the kernel connects to its own target' kernel_connect --nr-io-queues=1 --queue-size=128
measure 'kernel to kernel' of_fio
check 'and disconnects' kernel_disconnect
nvmet_down
# Neither end ever sleeps. With one CPU each has to wait for the other to lose it.
serve --listen rdma:192.0.2.1:4420 --poll --ns ram:64M || exit 1
check 'polling' ours randread 4096 32 --poll
# Nothing is armed for it (an ioctl), and no event is read.
only_posts() {
  local armed read before
  traced 0.2 randread 4096 32 --poll || return
  armed=$(($(count ioctl host) + $(count ioctl target)))
  read=$(($(count read host) + $(count read target))) before=$commands
  traced 1.5 randread 4096 32 --poll || return
  armed=$(($(count ioctl host) + $(count ioctl target) - armed))
  read=$(($(count read host) + $(count read target) - read))
  echo "$((commands - before)) commands more: $armed times armed, $read events"
  ((commands >= before + 32 && armed < 10 && read < 10))
}
if [[ -z $quick ]] && command -v strace >/dev/null; then
  check 'polling: nothing is armed, no event is read' only_posts
  cat "$work/out"
fi
check 'our polling target stops cleanly' stop_serving
check 'the kernel has no complaint' kernel_is_calm
cat "$work/table"
finish
