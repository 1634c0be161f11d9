#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Holds `nvmfctl trace` against tshark: the same capture, PDU by PDU and command by command.

usage: trace_tshark.py NVMFCTL CAPTURE PORT [MINIMUM [corrupt]]

With `corrupt` a bit of a header digest and one of a payload are turned in a copy of the capture.

Compared: PDUs of each type, opcodes of commands, statuses of completions, digests that match and
that do not, and the latency of every command that tshark gives one (told at its completion; tshark
4.0 says that the field is in microseconds, and what it holds is milliseconds).
"""
import collections
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

# Fabrics commands have a field of their own.
LATENCIES = ("nvme.cmd_latency", "nvme.fabrics.cmd_latency")

def tshark(capture, port, *arguments):
    out = subprocess.run(
        ["tshark", "-n", "-r", capture, "-d", f"tcp.port=={port},nvme-tcp",
         "-o", "nvme-tcp.check_hdgst:TRUE", "-o", "nvme-tcp.check_ddgst:TRUE", *arguments],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return out.splitlines()


def values(capture, port, field, condition):
    """Every value of a field, several of them in a frame apart by commas."""
    seen = []
    for line in tshark(capture, port, "-Y", condition, "-T", "fields", "-e", field):
        seen += line.split(",")
    return [v for v in seen if v]


def theirs(capture, port):
    number = lambda v: int(v, 0)
    pdus = collections.Counter(map(number, values(capture, port, "nvme-tcp.type", "nvme-tcp")))
    opcode = "nvme.cmd.opc"
    opcodes = collections.Counter(map(number, values(capture, port, opcode, opcode)))
    # Fabrics commands have no opcode there, but their type.
    fctype = "nvme.fabrics.cmd.fctype"
    opcodes.update(("fabrics", number(v)) for v in values(capture, port, fctype, fctype))
    sct = values(capture, port, "nvme.cqe.status.sct", "nvme.cqe.status.sct")
    sc = values(capture, port, "nvme.cqe.status.sc", "nvme.cqe.status.sc")
    statuses = collections.Counter(number(a) << 8 | number(b) for a, b in zip(sct, sc))
    digests = {}
    for kind in ("hdgst", "ddgst"):
        digests[kind] = collections.Counter(
            values(capture, port, f"nvme-tcp.{kind}.status", f"nvme-tcp.{kind}.status"))
    latencies = collections.defaultdict(list)
    for field in LATENCIES:
        for line in tshark(capture, port, "-Y", field, "-T", "fields", "-e", "frame.number",
                           "-e", field):
            frame, times = line.split("\t")
            latencies[int(frame)] += [float(t) * 1000 for t in times.split(",")]
    return pdus, opcodes, statuses, digests, latencies


def ours(program, capture, port):
    out = subprocess.run([program, "trace", "-v", "--json", "--port", port, capture], check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    records = [json.loads(line) for line in out.splitlines()]
    commands = [r["command"] for r in records if r["record"] == "command"]
    pdu_records = [r["pdu"] for r in records if r["record"] == "pdu"]
    pdus = collections.Counter(r["header"]["type"] for r in pdu_records)
    opcodes = collections.Counter(
        ("fabrics", r["sqe"]["fctype"]) if r["opcode"] == 0x7F else r["opcode"] for r in commands)
    # A completion by the SUCCESS flag has no status on the wire.
    statuses = collections.Counter(
        r["status"]["code"] for r in commands if r["fate"] == "completed")
    digests = {}
    for kind, key in (("hdgst", "header_digest"), ("ddgst", "data_digest")):
        seen = collections.Counter(r[key] for r in pdu_records)
        # tshark's numbers: 1 is good, 0 is bad.
        digests[kind] = collections.Counter(
            {name: n for name, n in (("1", seen["good"]), ("0", seen["bad"])) if n})
    latencies = collections.defaultdict(list)
    for r in commands:
        if "latency_ns" in r:
            latencies[r["completed_frame"]].append((r["latency_ns"] / 1000, r))
    return pdus, opcodes, statuses, digests, latencies


def compare_latencies(mine, their, problems):
    compared = 0
    for frame, times in their.items():
        candidates = list(mine.get(frame, []))
        for t in times:
            near = [c for c in candidates if abs(c[0] - t) < 0.002]
            if not near:
                problems.append(f"frame {frame}: tshark has a latency of {t} us, we have "
                                f"{[c[0] for c in candidates]}")
                continue
            candidates.remove(near[0])
            compared += 1
    return compared


def corrupted(capture, folder):
    """A copy with a wrong header digest of a response and wrong payload in the largest packet."""
    content = bytearray(pathlib.Path(capture).read_bytes())
    records, at = [], 24
    while at < len(content):
        captured = int.from_bytes(content[at + 8:at + 12], "little")
        records.append((captured, at + 16))
        at += 16 + captured
    largest, begin = max(records)
    content[begin + largest // 2] ^= 0x10
    # Ethernet, IP, TCP with options, and a response of 24 bytes with its digest.
    size, begin = next(r for r in records if r[0] == 66 + 28)
    content[begin + size - 1] ^= 0x10
    copy = folder + "/corrupt.pcap"
    pathlib.Path(copy).write_bytes(content)
    return copy


def main():
    with tempfile.TemporaryDirectory() as folder:
        return check(folder)


def check(folder):
    program, capture, port = sys.argv[1:4]
    minimum = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    if shutil.which("tshark") is None:
        print("skipped: tshark is not installed")
        return 77
    corrupt = "corrupt" in sys.argv[5:]
    if corrupt:
        capture = corrupted(capture, folder)
    mine, their = ours(program, capture, port), theirs(capture, port)
    problems = []
    for name, a, b in zip(("PDU types", "opcodes", "statuses", "digests"), mine, their):
        if a != b:
            problems.append(f"{name}: ours {a}, tshark's {b}")
    compared = compare_latencies(mine[4], their[4], problems)
    if corrupt and [mine[3][kind]["0"] for kind in ("hdgst", "ddgst")] != [1, 1]:
        problems.append("the wrong digests were not found")
    print(f"{sum(mine[0].values())} PDUs, {sum(mine[1].values())} commands, {dict(mine[3])}, "
          f"{compared} latencies, {len(problems)} differences")
    print("\n".join(problems[:20]))
    if compared < minimum:
        print(f"only {compared} latencies were compared, {minimum} were expected")
    return 1 if problems or compared < minimum else 0


if __name__ == "__main__":
    sys.exit(main())
