#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# What people mistype, and places that are not what they seem: one sentence on stderr that names the
# thing, the exit status of the table, nothing on stdout.
set -euo pipefail
. "$NVMF_SOURCE_DIR/tests/support/cli.bash"
unset NVMF_URI

# refuse STATUS TEXT COMMAND...: one line on stderr, with that text in it.
refuse() {
  local status=$1 text=$2
  shift 2
  run -s "$status" "$nvmfctl" "$@"
  expect err "nvmfctl: "
  expect err "$text"
  expect_lines err 1
  # connect tells its stages as they come, and --json tells its failure.
  [[ " $* " = *' connect '* || " $* " = *' --json '* ]] || [ ! -s out ] ||
    fail "something on stdout: $(head -c 300 out)"
}
nqn=nqn.2026-01.io.example:s
uri=nvme+tcp://127.0.0.1:1/$nqn

# Words.
refuse 2 "unknown command 'conect'; did you mean connect?" conect "$uri"
refuse 2 "unknown option '--quid'; did you mean --qid?" send-capsule --quid 1 read
refuse 2 "'raed' is not a command; did you mean read?" send-capsule "$uri" raed
refuse 2 "slab: read has no such field; did you mean slba?" send-capsule "$uri" read slab=1
refuse 2 "a command is missing" send-capsule "$uri"
refuse 2 "a command is missing"
refuse 2 "did you mean r2t?" describe pdu r3t
refuse 2 "an address is missing" connect
refuse 2 "--out needs a value" send-capsule read --out

# Values.
refuse 2 "cns: 256 does not fit in 8 bits" send-capsule --dry-run identify cns=256
refuse 2 "nlb: 65536 does not fit in 16 bits" send-capsule --dry-run read nlb=65536
refuse 2 "has an odd number of digits" send-capsule --dry-run write --send hex:012
refuse 2 "is not a hexadecimal digit" send-capsule --dry-run write --send hex:0g
refuse 2 "1 bytes given, an SQE has 64" send-capsule --dry-run --sqe 00
refuse 2 "fill 256 is more than 255" send-capsule --dry-run write --send fill:256
refuse 2 "cannot be opened for reading: No such file" send-capsule --dry-run write --send none
refuse 2 "cannot be read: Is a directory" send-capsule --dry-run write --send .
refuse 2 "one way" send-capsule --dry-run write --send fill:0 --recv 5
refuse 2 "--queue-size: 1 is less than 2" connect "$uri" -Q 1
refuse 2 "--timeout: 'soon' is not a time" connect "$uri" --timeout soon
refuse 2 "not one of read, write, randread, randwrite" bench "$uri" --rw sideways
refuse 2 "both want standard output" send-capsule --dry-run --json --out - read

# Addresses and names.
refuse 2 "URI: " connect http://127.0.0.1/
refuse 2 "URI: " connect "nvme+tcp://127.0.0.1:70000/$nqn"
refuse 2 "URI: " connect "nvme+tcp://[::1/$nqn"
refuse 2 "names no subsystem" connect nvme+tcp://127.0.0.1
refuse 2 "nqn." connect nvme+tcp://127.0.0.1/iqn.2026-01.io.example:s
refuse 2 "223" connect "nvme+tcp://127.0.0.1/nqn.2026-01.io.example:$(printf 'x%.0s' {1..201})"
refuse 2 "option --hostnqn: " connect "$uri" -q host
refuse 2 "option --hostid: " connect "$uri" -I 1234
refuse 2 "not both" connect "$uri" -a 127.0.0.1
if "$nvmfctl" version | grep -q '^ *rdma  *no:'; then
  refuse 2 "this build has no rdma transport" connect "nvme+rdma://127.0.0.1/$nqn"
fi

# What cannot be served.
refuse 2 "--ns: " serve --ns ram:0
refuse 2 "--ns: " serve --ns ram:16777216T
refuse 2 "--ns: " serve --ns ram:1000
refuse 2 "--ns: " serve --ns rom:1M
refuse 2 "--ns: " serve --ns file:none
refuse 2 "--ns: " serve --ns ram:1M,bs=1000
refuse 2 "--allow-host: " serve --allow-host me
refuse 2 "--nqn: " serve -n iqn
refuse 2 "--cpus: " serve --cpus 0,x
refuse 2 "--cpus: CPU 1023 is not there" serve --cpus 1023
refuse 2 "--maxh2cdata: 4098 is not a multiple of 4" serve --maxh2cdata 4098
refuse 2 "--maxh2cdata: 4092 is less than 4096" serve --maxh2cdata 4092
printf '%01000d' 0 >odd
refuse 2 "--ns: " serve --ns file:odd
refuse 2 "a command must follow '--'" serve --
refuse 2 "nothing may follow '--' here" connect "$uri" -- true

# Ports that are not what they seem.
hold_port silent && taken=$port
refuse 11 "cannot listen on 127.0.0.1:$taken: Address already in use" \
  serve --listen "127.0.0.1:$taken"
refuse 10 "cannot listen on no.such.host.invalid:0" serve --listen no.such.host.invalid:0
refuse 10 "resolve failed: " connect "nvme+tcp://no.such.host.invalid/$nqn"
hold_port closed
refuse 11 "tcp failed: cannot connect to 127.0.0.1:$port: Connection refused" \
  connect "nvme+tcp://127.0.0.1:$port/$nqn"
hold_port http
refuse 13 "ic failed: " connect "nvme+tcp://127.0.0.1:$port/$nqn"
hold_port hangup
refuse 13 "ic failed: " connect "nvme+tcp://127.0.0.1:$port/$nqn"
refuse 19 "ic failed: no answer to ICReq within" \
  connect "nvme+tcp://127.0.0.1:$taken/$nqn" --timeout 0.2

# A target that is right, and a host that is not.
server_start -n "$nqn" --allow-host nqn.2026-01.io.example:friend --ns ram:1M --max-io-queues 2
friend=(-q nqn.2026-01.io.example:friend)
refuse 14 "Connect Invalid Host" connect "$server_uri" -q nqn.2026-01.io.example:foe
refuse 14 "Connect Invalid Parameters" \
  connect "nvme+tcp://$server_addr/nqn.2026-01.io.example:none" "${friend[@]}"
run "$nvmfctl" connect "$server_uri" "${friend[@]}" -i 9
expect out '9 queues asked, 2 granted'
refuse 2 "--qid: there is no queue 3, 2 I/O queues are connected" \
  send-capsule "$server_uri" "${friend[@]}" read --qid 3
refuse 2 "1000 bytes are not a multiple of 512, the block size of the namespace" \
  send-capsule "$server_uri" "${friend[@]}" write --send odd
refuse 2 "the block size of namespace 7 is not known" \
  send-capsule "$server_uri" "${friend[@]}" read nsid=7
refuse 2 "the controller has no namespace 7" bench "$server_uri/7" "${friend[@]}"
refuse 2 "is not a multiple of the block size 512" bench "$server_uri" "${friend[@]}" --bs 1000
refuse 2 "--depth 1024: " bench "$server_uri" "${friend[@]}" --depth 1024
server_stop
