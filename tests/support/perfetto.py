# SPDX-License-Identifier: BSD-2-Clause
"""Checks a timeline that `nvmfctl trace --perfetto` wrote against the Trace Event Format, and
against what a trace viewer needs to draw it.

perfetto.py FILE prints how many of what there are, or says what is wrong.
"""
import collections
import json
import sys


def nanoseconds(us):
    return round(us * 1000)


class Slice:
    def __init__(self, event):
        self.start = nanoseconds(event["ts"])
        self.end = self.start + nanoseconds(event["dur"])
        self.event = event


def check_lanes(events):
    """Slices of a thread nest or stand apart; gives them by thread."""
    lanes = collections.defaultdict(list)
    for e in events:
        if e["ph"] == "X":
            assert e["dur"] > 0, e
            lanes[e["pid"], e["tid"]].append(Slice(e))
    for lane in lanes.values():
        lane.sort(key=lambda s: (s.start, -s.end))
        within = []
        for s in lane:
            while within and within[-1].end <= s.start:
                within.pop()
            assert not within or s.end <= within[-1].end, f"overlap: {within[-1].event} {s.event}"
            within.append(s)
    return lanes


def check_flows(events, lanes):
    """Each begins once, ends once, in order of time, and hangs on slices that are there."""
    flows = collections.defaultdict(list)
    for e in events:
        if e["ph"] in "stf":
            flows[e["id"]].append(e)
    for name, flow in flows.items():
        # As viewers do: events of one time stay in order.
        flow.sort(key=lambda e: nanoseconds(e["ts"]))
        phases = "".join(e["ph"] for e in flow)
        assert sorted(phases) == ["f", "s"] + ["t"] * (len(flow) - 2), f"flow {name}: {phases}"
        starts = [nanoseconds(e["ts"]) for e in flow]
        by = {p: [nanoseconds(e["ts"]) for e in flow if e["ph"] == p] for p in "stf"}
        assert by["s"][0] == starts[0] and by["f"][0] == starts[-1], f"flow {name} is out of order"
        for e in flow:
            at = nanoseconds(e["ts"])
            assert any(s.start <= at < s.end for s in lanes[e["pid"], e["tid"]]), f"on nothing: {e}"
            assert (e.get("bp") == "e") == (e["ph"] == "f")
    return flows


def check_names(events):
    processes = {e["pid"] for e in events if e["ph"] == "M" and e["name"] == "process_name"}
    threads = {(e["pid"], e["tid"]) for e in events
               if e["ph"] == "M" and e["name"] == "thread_name"}
    for e in events:
        assert e["pid"] in processes, f"no process: {e}"
        if e["ph"] in "Xistf":
            assert (e["pid"], e["tid"]) in threads, f"no thread: {e}"
    tids = [tid for _, tid in threads]
    assert len(set(tids)) == len(tids), "a thread of two processes"


def check(document):
    """What it holds, by phase."""
    events = document["traceEvents"]
    assert document["displayTimeUnit"] == "ns"
    for e in events:
        assert e["ph"] in "MXCistf" and isinstance(e["name"], str) and e["name"], e
        assert e["ph"] == "M" or e["ts"] >= 0, e
        if e["ph"] == "C":
            assert all(v >= 0 for v in e["args"].values()), e
        if e["ph"] == "i":
            assert e["s"] == "t", e
    lanes = check_lanes(events)
    check_flows(events, lanes)
    check_names(events)
    return collections.Counter(e["ph"] for e in events)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="ascii") as file:
        print(dict(check(json.load(file))))
