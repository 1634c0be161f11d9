#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# labels: release
# bench: its report adds up, and it does not report what failed.
set -euo pipefail
. "$NVMF_SOURCE_DIR/tests/support/cli.bash"
need python3
short=(--time 0.3 --warm-up 0.05)

# report CHECK ARGUMENT...: runs it and evaluates CHECK with the report as `d`.
report() {
  local check=$1
  shift
  run "$nvmfctl" bench "$server_uri" "${short[@]}" --json "$@"
  CHECK=$check python3 -c '
import json, os, sys
d = json.load(sys.stdin)
assert list(d)[0] == "iops" and d["schema"] == "nvmfctl.bench/1", d
t = d["latency_us"]
assert t["min"] <= t["p50"] <= t["p90"] <= t["p99"] <= t["p99_9"] <= t["max"], t
assert t["min"] <= t["mean"] <= t["max"] and d["operations"] > 0, d
assert abs(d["iops"] * d["seconds"] - d["operations"]) <= d["seconds"] + 1, d
assert abs(d["mib_per_s"] - d["iops"] * d["bs"] / 2**20) < 0.05 + d["bs"] / 2**20, d
assert 0 < d["cpu_seconds"] <= d["seconds"] * d["reactors"] * 1.1 + 0.05, d
# Little: commands in flight are the rate times the time of one.
flight = d["depth"] * d["queues"] * d["reactors"]
assert flight * 0.5 < d["iops"] * t["mean"] / 1e6 < flight * 1.5, (flight, d)
assert eval(os.environ["CHECK"]), d
' <out 2>err || fail "bench $*: the report does not add up"
}
server_start --ns ram:16M --ns pattern:16M --ns null:1T,bs=4096
report 'd["rw"] == "randread" and d["bs"] == 4096 and d["depth"] == 1'
report 'd["rw"] == "read" and d["queues"] == 2' --rw read --queues 2 --depth 4
report 'd["bs"] == 131072' --rw write --bs 128K --depth 8
report 'd["reactors"] == 2' --rw randwrite --reactors 2 --depth 16
report 'd["rw"] == "randread"' --poll --depth 4
server_uri=$server_uri/3 report 'True' --bs 4096
run "$nvmfctl" bench "$server_uri" "${short[@]}"
expect_match out '^  IOPS +[0-9]+$'
expect_match out 'p99.9 [0-9.]+ us'

# The pattern namespace refuses what is not its pattern: that is a failure and not a fast write.
run -s 18 "$nvmfctl" bench "$server_uri/2" "${short[@]}" --rw write
expect err 'a write failed: '
[ ! -s out ] || fail 'it reported all the same'

# An interrupt ends it cleanly.
server_stop
server_start
env --default-signal=INT "$nvmfctl" bench "$server_uri" --time 1h >out 2>err &
pid=$!
timeout "$limit_s" grep -qm1 ' connected to ' <(tail -n +1 -f server.log) || fail 'it never came'
kill -INT "$pid"
got=0
wait_for "$pid" || got=$?
[ "$got" = 130 ] || fail "SIGINT: exit status $got"
expect err 'bench: interrupted'
server_stop
