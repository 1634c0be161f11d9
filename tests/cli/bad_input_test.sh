#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# What people mistype, and places that are not what they seem: one sentence on stderr that names the
# thing, the exit status of the table, nothing on stdout.
set -euo pipefail
. "$NVMF_SOURCE_DIR/tests/support/cli.bash"
unset NVMF_URI

# refuse STATUS TEXT COMMAND...: one line on stderr, with that text in it; an asterisk in it stands
# for any.
refuse() {
  local status=$1 text=$2
  shift 2
  run -s "$status" "$nvmfctl" "$@"
  expect_match err '^nvmfctl: [^ ]'
  [[ $(<err) = *${text//[\[\]?\\]/?}* ]] || fail "no '$text' on stderr"
  expect_lines err 1
  # connect tells its stages as they come, and --json tells its failure.
  [[ " $* " = *' connect '* || " $* " = *' --json '* ]] || [ ! -s out ] ||
    fail "something on stdout: $(head -c 300 out)"
}
nqn=nqn.2026-01.io.example:s
uri=nvme+tcp://127.0.0.1:1/$nqn

# Words.
refuse 2 "unknown command 'conect'; did you mean connect?" conect "$uri"
refuse 2 "unknown command 'xyzzy' (see nvmfctl --help)" xyzzy
refuse 2 "unknown option '--quid'; did you mean --qid?" send-capsule --quid 1 read
refuse 2 "'raed' is not a command; did you mean read?" send-capsule "$uri" raed
refuse 2 "slab: read has no such field; did you mean slba?" send-capsule "$uri" read slab=1
refuse 2 "xyzzy: read has no such field (nvmfctl describe read lists them)" \
  send-capsule "$uri" read xyzzy=1
refuse 2 "nlb: a field needs a value (for example nlb=1)" send-capsule "$uri" read nlb
refuse 2 "could be an admin or an I/O command; say admin:0x7e or nvm:0x7e" send-capsule "$uri" 0x7e
refuse 2 "0x17e is more than 255" send-capsule "$uri" 0x17e --qid 0
refuse 2 "a command is missing" send-capsule "$uri"
refuse 2 "a command is missing"
refuse 2 "did you mean r2t?" describe pdu r3t
refuse 2 "has no 'foo' (nvmfctl describe status lists them)" describe status foo
refuse 2 "nothing is called 'xyzzyx' (nvmfctl describe lists them)" describe xyzzyx
refuse 2 "there is no command 'conect'; did you mean connect?" help conect
refuse 2 "--log-level: 'loud' is not one of trace, debug, info, warn, error, off" \
  connect "$uri" --log-level loud
refuse 2 "--color: 'maybe' is not one of auto, always, never" connect "$uri" --color maybe
refuse 2 "--json takes no value" version --json=3
refuse 2 "unexpected argument 'extra'" connect "$uri" extra
refuse 2 "an address is missing" connect
refuse 2 "--out needs a value" send-capsule read --out

# Values.
refuse 2 "cns: 256 does not fit in 8 bits" send-capsule --dry-run identify cns=256
refuse 2 "cns: 'contoller' is neither a cns nor a number; did you mean controller?" \
  send-capsule --dry-run identify cns=contoller
refuse 2 "nlb: '-1' is not a number" send-capsule --dry-run read nlb=-1
refuse 2 "slba: '0x10000000000000000' does not fit in 64 bits" \
  send-capsule --dry-run read slba=0x10000000000000000
refuse 2 "nlb: 65536 does not fit in 16 bits" send-capsule --dry-run read nlb=65536
refuse 2 "has an odd number of digits" send-capsule --dry-run write --send hex:012
refuse 2 "is not a hexadecimal digit" send-capsule --dry-run write --send hex:0g
refuse 2 "1 byte given, an SQE has 64" send-capsule --dry-run --sqe 00
refuse 2 "fill 256 is more than 255" send-capsule --dry-run write --send fill:256
refuse 2 "cannot be opened for reading: No such file" send-capsule --dry-run write --send none
refuse 2 "cannot be read: Is a directory" send-capsule --dry-run write --send .
refuse 2 "--send: /proc/self/mem: cannot be read: Input/output error" \
  send-capsule --dry-run write --send /proc/self/mem
refuse 2 "--out: /proc/none: cannot be created: No such file or directory" \
  send-capsule "$uri" read --out /proc/none
refuse 2 "--out: .: cannot be opened for writing: Is a directory" \
  send-capsule "$uri" read --out .
if [ "$(id -u)" != 0 ]; then
  echo secret >secret && chmod 0 secret
  refuse 2 "--send: secret: cannot be opened for reading: Permission denied" \
    send-capsule --dry-run write --send secret
  refuse 2 "--out: secret: cannot be opened for writing: Permission denied" \
    send-capsule "$uri" read --out secret
  refuse 2 "secret: cannot be opened: Permission denied" serve --ns file:secret
fi
refuse 2 "one way" send-capsule --dry-run write --send fill:0 --recv 5
refuse 2 "--queue-size: 1 is less than 2" connect "$uri" -Q 1
refuse 2 "--queue-size: 70000 is more than 65536" connect "$uri" -Q 70000
refuse 2 "--timeout: 'soon' is not a time" connect "$uri" --timeout soon
refuse 2 "--timeout: 0 s is less than 1 ms" connect "$uri" --timeout 0
refuse 2 "--hold: 'x' is not a time" connect "$uri" --hold=x
refuse 2 "--keep-alive-tmo: 5000000 s is more than 4294967295 ms" connect "$uri" -k 5000000000
refuse 2 "not one of read, write, randread, randwrite" bench "$uri" --rw sideways
refuse 2 "both want standard output" send-capsule --dry-run --json --out - read

# Addresses and names.
long=nqn.2026-01.io.example:$(printf 'x%.0s' {1..201})
refuse 2 "URI: scheme: 'http' is none of nvme+tcp, nvme+rdma and nvme+loop" \
  connect http://127.0.0.1/
refuse 2 "URI: scheme: '127.0.0.1' does not start with nvme+tcp://" connect 127.0.0.1
refuse 2 "URI: host: is empty" connect nvme+tcp://
refuse 2 "URI: host: the closing bracket is missing" connect "nvme+tcp://[::1/$nqn"
refuse 2 "URI: port: 70000 is more than 65535" connect "nvme+tcp://127.0.0.1:70000/$nqn"
refuse 2 "URI: nsid: 'x' is not a number; a slash within the NQN is written %2F" connect "$uri/x"
refuse 2 "URI: nsid: 0 is less than 1" connect "$uri/0"
refuse 2 "names no subsystem (add /SUBNQN or --nqn; nvmfctl discover lists them)" \
  connect nvme+tcp://127.0.0.1
refuse 2 "URI: subnqn: 'iqn.2026-01.io.example:s' does not start with nqn." \
  connect nvme+tcp://127.0.0.1/iqn.2026-01.io.example:s
refuse 2 "URI: subnqn: is 224 bytes long, 223 are allowed" connect "nvme+tcp://127.0.0.1/$long"
refuse 2 "subsystem NQN: is 224 bytes long, 223 are allowed" connect -a 127.0.0.1 -n "$long"
refuse 2 "--transport: 'udp' is not one of tcp, rdma, loop" connect -t udp -a 127.0.0.1 -n "$nqn"
refuse 2 "--trsvcid: 0 is less than 1" connect -a 127.0.0.1 -s 0 -n "$nqn"
refuse 2 "option --hostnqn: host NQN: 'host' does not start with nqn." connect "$uri" -q host
refuse 2 "host NQN: is 224 bytes long, 223 are allowed" connect "$uri" -q "$long"
refuse 2 "option --hostid: host id: has 4 characters, not 36" connect "$uri" -I 1234
refuse 2 "option --hostid: host id: is zero" connect "$uri" -I 00000000-0000-0000-0000-000000000000
refuse 2 "not both" connect "$uri" -a 127.0.0.1
if "$nvmfctl" version | grep -q '^ *rdma  *no:'; then
  for command in connect bench 'send-capsule identify cns=1'; do
    read -ra words <<<"$command"
    refuse 2 "this build has no rdma transport" "${words[0]}" "nvme+rdma://127.0.0.1/$nqn" \
      "${words[@]:1}"
  done
  refuse 2 "this build has no rdma transport" connect -t rdma -a 127.0.0.1 -n "$nqn"
  refuse 2 "this build has no rdma transport" discover nvme+rdma://127.0.0.1
  refuse 2 "this build has no rdma transport" serve --listen rdma:127.0.0.1:4420
  refuse 2 "this build has no RDMA: it was made without rdma-core" rdma
  for line in open listen connect; do
    echo "$line nvme+rdma://127.0.0.1:4420/$nqn" >rdma.nvmf
    run -s 2 "$nvmfctl" run rdma.nvmf
    expect_match err 'rdma: no transport of that type is registered'
  done
fi

# What cannot be served.
truncate -s 1000 odd && truncate -s 1024 small && : >empty && mkdir folder
refuse 2 "--ns: namespace 'ram:0': a size of 0, at least one block of 512 is needed" \
  serve --ns ram:0
refuse 2 "--ns: namespace 'null:0': a size of 0" serve --ns null:0
refuse 2 "size: '16777216T' does not fit in 64 bits" serve --ns ram:16777216T
refuse 2 "'ram:18446744073709551615': a size beyond 4 EiB" serve --ns ram:18446744073709551615
refuse 2 "a size of 1000 bytes is not whole blocks of 512" serve --ns ram:1000
refuse 2 "must be ram:SIZE, file:PATH, null:SIZE or pattern:SIZE" serve --ns rom:1M
refuse 2 "bs=1000: must be 512 or 4096" serve --ns ram:1M,bs=1000
refuse 2 "unknown option 'ro': known is bs=512 or bs=4096" serve --ns ram:1M,ro
refuse 2 "none: there is no such file, make it first (truncate -s 64M none)" serve --ns file:none
refuse 2 "a path must follow file:" serve --ns file:
refuse 2 "folder: cannot be opened: Is a directory" serve --ns file:folder
refuse 2 "empty: a size of 0" serve --ns file:empty
refuse 2 "odd: a size of 1000 bytes is not whole blocks of 512" serve --ns file:odd
refuse 2 "small: a size of 1024 bytes is not whole blocks of 4096" serve --ns file:small,bs=4096
refuse 2 "--allow-host: 'me' does not start with nqn." serve --allow-host me
refuse 2 "--nqn: 'iqn' does not start with nqn." serve -n iqn
refuse 2 "--nqn: is 224 bytes long, 223 are allowed" serve -n "$long"
refuse 2 "$nqn: there is a subsystem of that NQN already" serve -n "$nqn" --subsystem "$nqn"
refuse 2 "--serial: 21 characters are given, at most 20 fit" serve --serial 123456789012345678901
refuse 2 "--model: 'a\x09b' has more than printable ASCII" serve --model $'a\tb'
refuse 2 "--cpus: 'x' is not a number" serve --cpus 0,x
refuse 2 "--cpus: CPU 1023 is not there" serve --cpus 1023
refuse 2 "--maxh2cdata: 4098 is not a multiple of 4" serve --maxh2cdata 4098
refuse 2 "--maxh2cdata: 4092 is less than 4096" serve --maxh2cdata 4092
refuse 2 "--max-keep-alive: 5000000 s is more than 4294967295 ms" serve --max-keep-alive 5000000
refuse 2 "--connect-timeout: 0 s is less than 1 ms" serve --connect-timeout 0
refuse 2 "a command must follow '--'" serve --
refuse 2 "nothing may follow '--' here" connect "$uri" -- true
refuse 2 "--listen: port: 99999 is more than 65535" serve --listen 127.0.0.1:99999

# Ports that are not what they seem.
hold_port silent && taken=$port
refuse 11 "cannot listen on 127.0.0.1:$taken: Address already in use; something else has the port" \
  serve --listen "127.0.0.1:$taken"
refuse 10 "cannot listen on no.such.host.invalid:0: *; give an address of this machine" \
  serve --listen no.such.host.invalid:0
refuse 11 "cannot listen on 192.0.2.1:0: Cannot assign requested address; no interface" \
  serve --listen 192.0.2.1:0
declare -A ports=([silent]=$taken)
for kind in closed hangup reset http garbage; do
  hold_port "$kind"
  ports[$kind]=$port
done
# look STATUS TEXT KIND: whoever looks there is told what is wrong and what to do.
look() {
  local at=nvme+tcp://127.0.0.1:${ports[$3]}/$nqn line
  for line in connect discover 'send-capsule identify' bench; do
    read -ra words <<<"$line"
    refuse "$1" "$2" "${words[@]}" "$at" --timeout 0.2
  done
}
# dropped KIND: the connection is dropped before it is complete for us, or after.
dropped() {
  local at=nvme+tcp://127.0.0.1:${ports[$1]}/$nqn line got
  for line in connect discover 'send-capsule identify' bench; do
    read -ra words <<<"$line"
    got=0
    timeout "$limit_s" "$nvmfctl" "${words[@]}" "$at" >out 2>err </dev/null || got=$?
    case $got in
      11) expect_match err '^nvmfctl: tcp failed: .*; .*check the ' ;;
      13) expect_match err '^nvmfctl: ic failed: .*; .*check the port' ;;
      *) fail "$line: exit status $got, neither 11 nor 13" ;;
    esac
    expect_lines err 1
  done
}
look 11 "tcp failed: cannot connect to 127.0.0.1:${ports[closed]}: Connection refused; *check that\
 the target runs and which port it listens on" closed
look 19 'ic failed: no answer to ICReq within 0.2 s; *check the port' silent
look 13 "ic failed: *unknown PDU type, the first byte of the answer is 48h; *check the port" http
look 13 "ic failed: *unknown PDU type, the first byte of the answer is F5h; *check the port" garbage
dropped reset
dropped hangup
refuse 10 'resolve failed: cannot resolve "no.such.host.invalid": *; try the numeric address' \
  connect "nvme+tcp://no.such.host.invalid/$nqn"

# A target that is right, and a host that is not.
server_start -n "$nqn" --allow-host nqn.2026-01.io.example:friend --ns ram:1M --max-io-queues 2
friend=(-q nqn.2026-01.io.example:friend)
foe=nqn.2026-01.io.example:foe none=nqn.2026-01.io.example:none
for line in connect 'send-capsule identify' bench; do
  read -ra words <<<"$line"
  refuse 14 "connect failed: Connect Invalid Host (1/84h, DNR), hostnqn is \"$foe\"; *add the host\
 NQN to the subsystem's allowed hosts" "${words[@]}" "$server_uri" -q "$foe"
  refuse 14 "connect failed: Connect Invalid Parameters (1/82h, DNR), subnqn is \"$none\"; *compare\
 the NQN letter by letter" "${words[@]}" "nvme+tcp://$server_addr/$none" "${friend[@]}"
done
refuse 14 'Connect Invalid Parameters (1/82h, DNR), cntlid is 0x5; *leave the controller ID out' \
  connect "$server_uri" "${friend[@]}" --cntlid 5
run "$nvmfctl" connect "$server_uri" "${friend[@]}" -i 9
expect out '9 queues asked, 2 granted'
refuse 2 "--qid: there is no queue 3, 2 I/O queues are connected" \
  send-capsule "$server_uri" "${friend[@]}" read --qid 3
refuse 2 "1000 bytes are not a multiple of 512, the block size of the namespace" \
  send-capsule "$server_uri" "${friend[@]}" write --send odd
refuse 2 "the block size of namespace 7 is not known" \
  send-capsule "$server_uri" "${friend[@]}" read nsid=7
refuse 2 "the controller has no namespace 7" bench "$server_uri/7" "${friend[@]}"
refuse 2 "--bs 1000 bytes is not a multiple of the block size 512" \
  bench "$server_uri" "${friend[@]}" --bs 1000
refuse 2 "--depth 1024: " bench "$server_uri" "${friend[@]}" --depth 1024
server_stop
