# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# What the guest's scripts share: checks that report one by one, waiting without guessing, our
# target, the kernel's target and host. Sourced inside a guest of tests/interop/lab/vm.
set -uo pipefail
work=$(mktemp -d)
failed=0 ran=0
program=${NVMFCTL:?NVMFCTL names the program under test}
nqn=nqn.2014-08.org.nvmexpress:uuid:11111111-2222-4333-8444-555555555555
hostnqn=nqn.2014-08.org.nvmexpress:uuid:aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee
hostid=aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee

# Words of the script's command line, in any order: digests, quick for slow guests, rxe or siw for
# the soft RDMA device.
digests=() quick='' soft=rxe
for word; do
  case $word in
    digests) digests=(on) ;;
    quick) quick=1 ;;
    rxe | siw) soft=$word ;;
    *) echo "unknown word $word" && exit 2 ;;
  esac
done

# check NAME COMMAND...: runs it; says what it printed when it fails.
check() {
  local name=$1
  shift
  ran=$((ran + 1))
  if "$@" >"$work/out" 2>&1; then
    echo "ok $ran - $name"
  else
    echo "not ok $ran - $name (status $?)"
    echo "  # $*"
    sed 's/^/  # /' "$work/out" | tail -n 40
    failed=$((failed + 1))
  fi
}
# check_status STATUS NAME COMMAND...: it must end with exactly that status; output in $work/out.
check_status() {
  local want=$1 name=$2 got=0
  shift 2
  ran=$((ran + 1))
  "$@" >"$work/out" 2>&1 || got=$?
  if ((got == want)); then
    echo "ok $ran - $name"
  else
    echo "not ok $ran - $name: status $got, not $want"
    sed 's/^/  # /' "$work/out" | tail -n 40
    failed=$((failed + 1))
  fi
}
# must_say TEXT: the command of the last check printed TEXT.
must_say() {
  ran=$((ran + 1))
  grep -qF -- "$1" "$work/out" && echo "ok $ran - it says $1" && return
  echo "not ok $ran - it does not say $1"
  failed=$((failed + 1))
}
finish() {
  echo "1..$ran"
  ((failed == 0)) || echo "# $failed of $ran failed"
  exit $((failed != 0))
}

# until_true SECONDS COMMAND...: waits for a condition of the kernel's that has no event.
until_true() {
  local limit=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < limit)) || return 1
    read -rt 0.05 <> <(:) || true
  done
}

# on_the_wire FIELDS COMMAND...: runs it while port 4420 is recorded, connections and all. Then
# tshark must find nothing malformed and no wrong digest in the record, and agree with us about
# every field, of which it compares at least FIELDS.
on_the_wire() {
  local fields=$1 line='' said bad status=0
  shift
  mkfifo "$work/tcpdump.says"
  tcpdump --immediate-mode -B 65536 -i lo -U -s 0 -w "$work/wire.pcap" tcp port 4420 \
    2>"$work/tcpdump.says" & local recorder=$!
  exec {said}<"$work/tcpdump.says"
  rm "$work/tcpdump.says"
  until [[ $line == *'listening on'* ]]; do read -rt 20 -u "$said" line || return; done
  "$@" || status=$?
  kill -INT $recorder
  wait $recorder
  exec {said}<&-
  ((status == 0)) || return $status
  bad=$(tshark -n -r "$work/wire.pcap" -d tcp.port==4420,nvme-tcp -o nvme-tcp.check_hdgst:TRUE \
    -o nvme-tcp.check_ddgst:TRUE -Y \
    'nvme-tcp.hdgst.status == 0 || nvme-tcp.ddgst.status == 0 || _ws.malformed') || return
  [[ -z $bad ]] || { echo "$bad"; return 1; }
  python3 "$NVMF_SOURCE_DIR/tests/oracle/tshark_fields.py" "$PDU_DUMP" "$work/wire.pcap" 4420 \
    "$fields"
}

# ---- our target ----------------------------------------------------------------------------

# serve ARG...: starts our target in the background; sets serve_pid and uri when it is ready.
serve() {
  rm -f "$work/serve.ready"
  mkfifo "$work/serve.ready"
  "$program" serve -n "$nqn" "$@" >"$work/serve.ready" 2>"$work/serve.err" &
  serve_pid=$!
  exec {serve_out}<"$work/serve.ready"
  if ! read -rt 20 -u "$serve_out" _ uri; then
    echo "our target did not come up:"
    cat "$work/serve.err"
    return 1
  fi
}
stop_serving() {
  kill -TERM "$serve_pid" 2>/dev/null
  wait "$serve_pid"
  local status=$?
  exec {serve_out}<&-
  return $status
}

# ---- the kernel's host ---------------------------------------------------------------------

# namespace_of NQN NSID: prints the block device, when it has appeared.
namespace_of() {
  local block q n
  for block in /sys/block/nvme*n*; do
    [[ ${block##*/} != *c*n* && -e $block/device/subsysnqn ]] || continue
    read -r q <"$block/device/subsysnqn" && read -r n <"$block/nsid" || continue
    if [[ $q == "$1" && $n == "$2" && -b /dev/${block##*/} ]]; then
      echo "/dev/${block##*/}"
      return
    fi
  done
  return 1
}
# kernel_connect ARG...: nvme connect; sets disk (namespace 1) and controller (/dev/nvmeN).
way=(-t tcp -a 127.0.0.1 -s 4420)
kernel_connect() {
  nvme connect "${way[@]}" -n "$nqn" -q "$hostnqn" -I "$hostid" "$@" || return
  until_true 10 namespace_of "$nqn" 1 || return
  disk=$(namespace_of "$nqn" 1)
  controller=${disk%n*}
}
kernel_disconnect() { nvme disconnect -n "$nqn"; }

# kernel_is_calm: no complaint about NVMe in the kernel's log since the last call. Whole words: the
# UUID of a file system, which the log tells, may well hold "bad".
kernel_is_calm() {
  dmesg >"$work/dmesg.now"
  tail -n +$((${dmesg_seen:-0} + 1)) "$work/dmesg.now" >"$work/dmesg.new"
  dmesg_seen=$(wc -l <"$work/dmesg.now")
  local nvme='[Nn][Vv][Mm][Ee].*([Ee]rror|[Ff]ail|timeout|[Ii]nvalid|unexpected|\<[Bb]ad\>|bogus)'
  ! grep -E "BUG:|WARNING:|$nvme" "$work/dmesg.new"
}
# What the kernel said up to now was asked for.
kernel_forgiven() { dmesg_seen=$(dmesg | wc -l); }
# What the kernel said while it booted is not ours.
dmesg_seen=$(dmesg | wc -l)

# ---- the kernel's target -------------------------------------------------------------------

nvmet=/sys/kernel/config/nvmet
nvmet_ready() {
  modprobe -q configfs || true
  mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
  modprobe -q nvmet-tcp || true
  [[ -d $nvmet ]]
}
# nvmet_subsystem PATH [BUFFERED]: one namespace on that device or file.
nvmet_subsystem() {
  local s=$nvmet/subsystems/$nqn
  mkdir -p "$s" && echo 1 >"$s/attr_allow_any_host" && mkdir "$s/namespaces/1" &&
    echo -n "$1" >"$s/namespaces/1/device_path" || return
  [[ -z ${2-} ]] || echo 1 >"$s/namespaces/1/buffered_io"
  echo 1 >"$s/namespaces/1/enable"
}
# nvmet_port NUMBER SERVICE [INLINE]: a port on 127.0.0.1 over TCP, or on the RDMA device, linked to
# the subsystem.
nvmet_at=(tcp 127.0.0.1)
nvmet_port() {
  local p=$nvmet/ports/$1
  mkdir "$p" && echo "${nvmet_at[0]}" >"$p/addr_trtype" && echo ipv4 >"$p/addr_adrfam" &&
    echo "${nvmet_at[1]}" >"$p/addr_traddr" && echo "$2" >"$p/addr_trsvcid" || return
  [[ -z ${3-} ]] || echo "$3" >"$p/param_inline_data_size" || return
  ln -s "$nvmet/subsystems/$nqn" "$p/subsystems/$nqn"
}
nvmet_down() {
  local x
  for x in "$nvmet"/ports/*/subsystems/* "$nvmet"/subsystems/*/allowed_hosts/*; do
    [[ ! -L $x ]] || rm "$x"
  done
  for x in "$nvmet"/ports/* "$nvmet"/subsystems/*/namespaces/* "$nvmet"/subsystems/* \
    "$nvmet"/hosts/*; do
    [[ ! -d $x ]] || rmdir "$x"
  done
}

# ---- RDMA ----------------------------------------------------------------------------------

# rdma_device: a software device, soft0, on a dummy network device (lo has no route to one) that has
# room for the largest packet of RoCE. From then on everything goes there.
rdma_device() {
  modprobe -q "rdma_$soft" || modprobe -q "$soft" || true
  modprobe -q rdma_ucm || true
  ip link add soft type dummy && ip link set soft mtu 9000 up &&
    ip address add 192.0.2.1/24 dev soft && ip address add 2001:db8::1/64 dev soft nodad &&
    rdma link add soft0 type "$soft" netdev soft || return
  way=(-t rdma -a 192.0.2.1 -s 4420)
  nvmet_at=(rdma 192.0.2.1)
  at=nvme+rdma://192.0.2.1:4420/$nqn
}
# rdma_in_use: lines of what programs hold of the device: queue pairs, completion queues, regions,
# protection domains.
rdma_in_use() {
  local kind
  for kind in qp cq mr pd cm_id; do
    rdma resource show $kind | grep -v 'comm \[' | sed "s/^/$kind /"
  done
}
