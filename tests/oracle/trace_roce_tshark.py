#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Holds what `nvmfctl trace` makes of RoCEv2 against tshark's InfiniBand and NVMe/RDMA dissectors.

usage: trace_roce_tshark.py NVMFCTL CAPTURE

Compared: private data of the connection manager's requests, opcodes of commands, statuses,
how many READs and WRITEs there are and their bytes, the latency of every command, and of each queue
pair the messages with the number (PSN) of their first packet and what they are.
"""
import collections
import json
import shutil
import struct
import subprocess
import sys


def tshark(capture, condition, *fields):
    arguments = [a for f in fields for a in ("-e", f)]
    out = subprocess.run(
        ["tshark", "-n", "-r", capture, "-Y", condition, "-T", "fields", *arguments],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return [line.split("\t") for line in out.splitlines()]


def number(text):
    return int(text, 0)


# Opcodes of the reliable connection that begin a message (InfiniBand 9.2.1): SEND First, Only, Only
# with Invalidate; WRITE First, Only; READ Request; READ Response First, Only.
BEGINNINGS = {0: "send", 4: "send", 23: "send", 6: "write", 10: "write", 12: "read",
              13: "answer", 16: "answer"}
UNITS = {"capsule-cmd": "send", "capsule-resp": "send", "c2h-data": "write", "r2t": "read",
         "h2c-data": "answer"}


def theirs(capture):
    seen = {}
    messages = collections.defaultdict(collections.Counter)
    for opcode, qp, psn in tshark(capture, "infiniband.bth.destqp != 1", "infiniband.bth.opcode",
                                  "infiniband.bth.destqp", "infiniband.bth.psn"):
        if number(opcode) in BEGINNINGS:
            messages[number(qp)][BEGINNINGS[number(opcode)], number(psn)] += 1
    seen["messages"] = dict(messages)
    # QID, HRQSIZE, HSQSIZE, CNTLID: little-endian words behind RECFMT (NVMe/RDMA 1.0, 3).
    seen["requests"] = [
        struct.unpack_from("<2x4H", bytes.fromhex(row[0].replace(":", ""))) for row in tshark(
            capture, "infiniband.cm.req", "infiniband.cm.req.ip_cm.private")]
    opcodes = collections.Counter(
        number(row[0]) for row in tshark(capture, "nvme.cmd.opc", "nvme.cmd.opc"))
    opcodes.update(("fabrics", number(row[0])) for row in tshark(
        capture, "nvme.fabrics.cmd.fctype", "nvme.fabrics.cmd.fctype"))
    seen["opcodes"] = opcodes
    seen["statuses"] = collections.Counter(
        number(sct) << 8 | number(sc) for sct, sc in tshark(
            capture, "nvme.cqe.status.sct", "nvme.cqe.status.sct", "nvme.cqe.status.sc"))
    reth = collections.defaultdict(list)
    for opcode, length in tshark(capture, "infiniband.reth", "infiniband.bth.opcode",
                                 "infiniband.reth.dmalen"):
        reth["r2t" if number(opcode) == 12 else "c2h-data"].append(number(length))
    seen["transfers"] = {k: sorted(v) for k, v in reth.items()}
    seen["latencies"] = sorted(
        round(float(t) * 1000, 3) for name in ("nvme.cmd_latency", "nvme.fabrics.cmd_latency")
        for row in tshark(capture, name, name) for t in row)
    return seen


def ours(program, capture):
    out = subprocess.run([program, "trace", "-v", "--json", capture], check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    records = [json.loads(line) for line in out.splitlines()]
    pdus = [r["pdu"] for r in records if r["record"] == "pdu"]
    commands = [r["command"] for r in records if r["record"] == "command"]
    # tshark 4.0 does not put capsules together that take several packets: those with data in them.
    together = [c for c in commands if c["in_capsule"] > 0]
    assert len(together) == 2 and all(c["fate"] == "completed" for c in together)
    commands = [c for c in commands if c["in_capsule"] == 0]
    seen = {}
    messages = collections.defaultdict(collections.Counter)
    for p in pdus:
        if "rdma" in p:
            messages[p["rdma"]["qp"]][UNITS[p["type"]], p["rdma"]["psn"]] += 1
    seen["messages"] = dict(messages)
    seen["requests"] = [
        tuple(p["header"][f] for f in ("qid", "hrqsize", "hsqsize", "cntlid")) for p in pdus
        if p["type"] == "rdma-cm-request"]
    seen["opcodes"] = collections.Counter(
        ("fabrics", c["sqe"]["fctype"]) if c["opcode"] == 0x7F else c["opcode"] for c in commands)
    seen["statuses"] = collections.Counter(
        c["status"]["code"] for c in commands if c["fate"] == "completed")
    seen["transfers"] = {
        "r2t": sorted(p["header"]["r2tl"] for p in pdus if p["type"] == "r2t"),
        "c2h-data": sorted(p["header"]["datal"] for p in pdus if p["type"] == "c2h-data")}
    seen["latencies"] = sorted(c["latency_ns"] / 1000 for c in commands if "latency_ns" in c)
    asked = sum(p["header"]["r2tl"] for p in pdus if p["type"] == "r2t")
    got = sum(p["data_bytes"] for p in pdus if p["type"] == "h2c-data")
    assert asked == got, f"READs of {asked} bytes were answered by {got}"
    return seen


def main():
    if shutil.which("tshark") is None:
        print("skipped: tshark is not installed")
        return 77
    program, capture = sys.argv[1:]
    mine, their = ours(program, capture), theirs(capture)
    problems = [f"{name}: ours {mine[name]}, tshark's {their[name]}"
                for name in mine if name != "latencies" and mine[name] != their[name]]
    for a, b in zip(mine["latencies"], their["latencies"]):
        if abs(a - b) > 0.002:
            problems.append(f"latency: ours {a} us, tshark's {b} us")
    if len(mine["latencies"]) != len(their["latencies"]):
        problems.append(f"latencies: ours {len(mine['latencies'])}, "
                        f"tshark's {len(their['latencies'])}")
    for p in problems:
        print(p)
    print(f"{len(mine['requests'])} connections, {sum(mine['opcodes'].values())} commands, "
          f"{len(mine['latencies'])} latencies, "
          f"{sum(m.total() for m in mine['messages'].values())} messages to "
          f"{len(mine['messages'])} queue pairs compared")
    return 1 if problems or not mine["latencies"] else 0


if __name__ == "__main__":
    sys.exit(main())
