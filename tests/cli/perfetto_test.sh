#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# trace --perfetto: valid events that a viewer can draw, one slice a command with the latency that
# --json tells, whatever the capture; one command to the nanosecond; names that want to break out.
set -euo pipefail
. "$NVMF_SOURCE_DIR/tests/support/cli.bash"
need python3
support=$NVMF_SOURCE_DIR/tests/support
make_capture() { python3 "$support/captures.py" "$1" "$2"; }

cp "$NVMF_SOURCE_DIR"/tests/captures/linux-6.12-*.pcap .
for kind in conversation careless lost slow middle short mixed; do
  make_capture $kind $kind.pcap
done
for capture in *.pcap; do
  run "$nvmfctl" trace --json "$capture" --perfetto out.json
  python3 - "$support" <<'PYTHON' || fail "$capture"
import json, sys
sys.path.insert(0, sys.argv[1])
import perfetto
document = json.load(open("out.json", encoding="ascii"))
counts = perfetto.check(document)
records = [json.loads(line) for line in open("out")]
commands = [r for r in records if r["record"] == "command"]
told = sorted((r["command"]["name"], r["command"].get("latency_ns", -1)) for r in commands)
drawn = sorted((e["name"],
                round(e["dur"] * 1000) if "completed_frame" in e["args"] else -1)
               for e in document["traceEvents"]
               if e["ph"] == "X" and "cid" in e.get("args", {}))
assert len(told) == len(drawn) == counts["s"]
for (a, wanted), (b, got) in zip(told, drawn):
    # What one packet carries is drawn a nanosecond apart.
    assert a == b and (wanted == got or wanted <= got <= wanted + 20), (a, wanted, got)
violations = [r for r in records if r["record"] in ("violation", "notice", "rules-suspended")]
assert counts["i"] == len(violations)
depths = [e for e in document["traceEvents"] if e["ph"] == "C"]
assert len(depths) == 2 * len(commands)
assert records[-1]["summary"]["perfetto"]["file"] == "out.json"
PYTHON
done

# A write by two R2Ts of 4 KiB: times by hand, ten microseconds a packet.
run "$nvmfctl" trace conversation.pcap --perfetto out.json --filter 'cid == 4'
shown='^{"ph":"\([Xstf]\)","name":"\([^"]*\)",.*"tid":\([0-9]*\),.*"ts":\([0-9.]*\).*'
sed -n "s/$shown/\1 \2 \3 \4/p" out.json >got
cat >wanted <<'EVENTS'
X write 3 110.000
X to R2T 3 110.000
X to data 3 120.000
X data 3 130.000
X to completion 3 150.000
s command 3 110.000
X r2t 1 120.000
t command 1 120.000
X h2c-data 4096 2 130.000
t command 2 130.000
X r2t 1 140.000
t command 1 140.000
X h2c-data 4096 2 150.000
t command 2 150.000
f command 3 159.999
EVENTS
diff wanted got || fail 'a write by two R2Ts'
expect out.json '"bytes":8192,"status":"ok","command":"0x0004 write nsid=0x1 slba=16 nlb=15'

# The names of an association come from the peer.
python3 - "$support" <<'PYTHON'
import sys
sys.path.insert(0, sys.argv[1])
import captures
captures.HOSTNQN = b'nqn.2014-08.org.example:"},\n</script>\x01\xff\xc3\x28\\'
open("hostile.pcap", "wb").write(captures.pcap(captures.conversation(captures.Talk()).packets))
PYTHON
run "$nvmfctl" trace hostile.pcap --perfetto out.json
python3 "$support/perfetto.py" out.json >counts
expect counts "'s': 7"

# An admin queue and an I/O queue of one controller are one process; another controller is another.
run "$nvmfctl" trace linux-6.12-plain.pcap --perfetto out.json
python3 - <<'PYTHON'
import json
events = json.load(open("out.json"))["traceEvents"]
names = {}
for e in events:
    if e["name"] == "process_name":
        names[e["pid"]] = e["args"]["name"]
assert len(names) == 2, names
assert names[1].endswith("nqn.2014-08.org.nvmexpress.discovery cntlid 0x1"), names
assert names[2].endswith("nqn.2014-08.org.example:kernel cntlid 0x1"), names
queues = {e["args"]["name"] for e in events if e["name"] == "thread_name" and e["pid"] == 2}
assert {"queue 0", "queue 1"} <= queues, queues
PYTHON

# Of a filter's nothing else is there: no process, track or depth of what does not fit.
run "$nvmfctl" trace linux-6.12-plain.pcap --perfetto out.json --filter 'conn == 3 && cmd == read'
python3 - <<'PYTHON'
import json
events = json.load(open("out.json"))["traceEvents"]
assert {e["pid"] for e in events} == {2}, {e["pid"] for e in events}
lanes = {e["tid"] for e in events if e["ph"] in "Xi"}
named = {e["tid"] for e in events if e["name"] == "thread_name"}
assert named == lanes, (named, lanes)
reads = [e for e in events if e["ph"] == "X" and e.get("cat") in ("command", "failed")]
assert reads and all(e["name"] == "read" for e in reads)
depths = [e for e in events if e["ph"] == "C"]
assert len(depths) == 2 * len(reads) and all(e["name"] == "queue 1 depth" for e in depths)
PYTHON

# Ended by a person in the middle, it is whole.
mkfifo pipe
"$nvmfctl" trace - --perfetto out.json --pcapng out.pcapng <pipe >lines 2>/dev/null &
reader=$!
exec 4>pipe
head -c -100 conversation.pcap >&4
timeout "$limit_s" grep -qm1 response-command <(tail -n +1 -f lines) || fail 'no lines come'
kill -INT $reader
wait $reader || true
exec 4>&-
python3 "$support/perfetto.py" out.json >counts
expect counts "'s': 6"
python3 "$support/pcapng.py" out.pcapng >comments
expect_match comments 'c1 q1 < 0x0004 write ok'

run -s 2 "$nvmfctl" trace conversation.pcap --perfetto /dev/full
expect err 'trace: /dev/full: cannot be written: No space left on device'
run -s 2 "$nvmfctl" trace conversation.pcap --perfetto none/out.json
expect err 'trace: none/out.json: cannot be created: No such file or directory'
