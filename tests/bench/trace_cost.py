#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `--trace=FILE` costs `nvmfctl serve`: 4 KiB reads at depth 32 without it, and with it to
lines and to a capture, in turn and several times; medians, and their ratios. IOPS are what a user
sees; CPU time of both ends for each I/O is what a machine with other things to do can be asked.

Nothing here passes or fails. docs/performance.md says how to read it.
"""
import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile

WARM_UP = 0.2


def bench(arguments, options):
    """(IOPS, CPU microseconds for each I/O) of one run."""
    command = [arguments.nvmfctl, "--json", "bench", "--rw", "randread", "--bs", "4K",
               "--depth", "32", "--time", str(arguments.seconds),
               "--warm-up", str(WARM_UP)]  # fmt: skip
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [arguments.nvmfctl, "serve", "--listen", "127.0.0.1:0", *options, "--", *command],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, check=True,
        text=True,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    said = json.loads(done.stdout[done.stdout.index("{") :])
    return said["iops"], spent * 1e6 / (said["iops"] * (arguments.seconds + WARM_UP))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nvmfctl", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ways = {
            "off": [],
            "off again": [],
            "lines": ["--trace=" + os.path.join(folder, "lines")],
            "capture": ["--trace=" + os.path.join(folder, "all.pcapng")],
        }
        samples = {name: [] for name in ways}
        for _ in range(arguments.rounds):
            for name, options in ways.items():
                samples[name].append(bench(arguments, options))
    iops, cpu = (
        {name: statistics.median(each[i] for each in s) for name, s in samples.items()}
        for i in (0, 1)
    )
    if arguments.json:
        json.dump({"schema": "nvmfctl.trace-cost/1", "iops": iops, "cpu_us": cpu}, sys.stdout,
                  indent=2)  # fmt: skip
        return print()
    for name in ways:
        print(f"{name:10} {iops[name]:9.0f} IOPS  {iops[name] / iops['off']:.2f}"
              f"   {cpu[name]:5.2f} us of CPU for each  {cpu[name] / cpu['off']:.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
