#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""`nvmfctl trace` beside tshark's one line a packet: the same capture, in turn, in the page cache.

usage: trace_speed.py --nvmfctl PROGRAM --maker MAKE_CAPTURE [--mib N] [--rounds N] [--kinds K,K]
                      [--pipe-mib N] [--json]

CPU seconds of the children are compared as well as wall time: they say the same on a machine that
is shared. With --pipe-mib a capture of that size goes through a pipe, and the most memory that
trace ever had is told. The figures pass and fail nothing.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time


def timed(command, stdin=None):
    """Wall and CPU seconds, and the most KiB that the program had."""
    begun = time.monotonic()
    process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{command}: exit status {process.returncode}")
    return time.monotonic() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def programs(arguments, capture):
    one = {"trace": [arguments.nvmfctl, "trace", capture],
           "trace --stats": [arguments.nvmfctl, "trace", "--stats", capture],
           "trace --json": [arguments.nvmfctl, "trace", "--json", capture]}
    if shutil.which("tshark") and not arguments.no_tshark:
        one["tshark"] = ["tshark", "-n", "-r", capture, "-d", "tcp.port==4420,nvme-tcp"]
    return one


def measure(arguments, kind, folder):
    capture = f"{folder}/{kind}.pcap"
    subprocess.run([arguments.maker, kind, str(arguments.mib), capture], check=True)
    size = os.path.getsize(capture)
    seen = {}
    for _ in range(arguments.rounds):
        for name, command in programs(arguments, capture).items():
            seen.setdefault(name, []).append(timed(command))
    os.unlink(capture)
    rows = []
    for name, runs in seen.items():
        wall, cpu, most = (statistics.median(r[i] for r in runs) for i in range(3))
        rows.append({"kind": kind, "program": name, "wall_s": wall, "cpu_s": cpu,
                     "mb_per_s": size / 1e6 / wall, "mb_per_cpu_s": size / 1e6 / cpu,
                     "most_mib": most / 1024})
    base = next((r for r in rows if r["program"] == "tshark"), None)
    for row in rows:
        if base:
            row["times_tshark_wall"] = base["wall_s"] / row["wall_s"]
            row["times_tshark_cpu"] = base["cpu_s"] / row["cpu_s"]
    return rows


def through_a_pipe(arguments):
    with subprocess.Popen([arguments.maker, "read4k", str(arguments.pipe_mib), "-"],
                          stdout=subprocess.PIPE) as maker:
        wall, cpu, most = timed([arguments.nvmfctl, "trace", "-"], stdin=maker.stdout)
    return {"kind": "read4k", "program": f"trace -, {arguments.pipe_mib} MiB through a pipe",
            "wall_s": wall, "cpu_s": cpu, "mb_per_s": arguments.pipe_mib * 1.048576 / wall,
            "mb_per_cpu_s": arguments.pipe_mib * 1.048576 / cpu, "most_mib": most / 1024}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nvmfctl", required=True)
    parser.add_argument("--maker", required=True)
    parser.add_argument("--mib", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kinds", default="read4k,write4k,read128k,write128k,read4k+digests")
    parser.add_argument("--pipe-mib", type=int, default=0)
    parser.add_argument("--no-tshark", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for kind in arguments.kinds.split(","):
            rows += measure(arguments, kind, folder)
    if arguments.pipe_mib:
        rows.append(through_a_pipe(arguments))
    if arguments.json:
        print(json.dumps({"schema": "nvmfctl.trace-speed/1", "rows": rows}))
        return 0
    print(f"{'traffic':16}{'program':40}{'wall s':>8}{'CPU s':>8}{'MB/s':>8}{'MB/CPU s':>9}"
          f"{'MiB':>7}{'x tshark, wall':>15}{', CPU':>7}")
    for r in rows:
        print(f"{r['kind']:16}{r['program']:40}{r['wall_s']:8.2f}{r['cpu_s']:8.2f}"
              f"{r['mb_per_s']:8.0f}{r['mb_per_cpu_s']:9.0f}{r['most_mib']:7.1f}"
              f"{r.get('times_tshark_wall', 0):15.1f}{r.get('times_tshark_cpu', 0):7.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
