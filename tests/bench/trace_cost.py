#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `--trace=FILE` costs `nvmfctl serve`: 4 KiB reads at depth 32 without it, and with it to
lines and to a capture, in turn and several times; medians, and their ratios.

Nothing here passes or fails. docs/performance.md says how to read it.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile


def bench(arguments, options):
    """IOPS of one run."""
    command = [arguments.nvmfctl, "--json", "bench", "--rw", "randread", "--bs", "4K",
               "--depth", "32", "--time", str(arguments.seconds), "--warm-up", "0.2"]  # fmt: skip
    done = subprocess.run(
        [arguments.nvmfctl, "serve", "--listen", "127.0.0.1:0", *options, "--", *command],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, check=True,
        text=True,
    )  # fmt: skip
    return json.loads(done.stdout[done.stdout.index("{") :])["iops"]


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
    middle = {name: statistics.median(s) for name, s in samples.items()}
    if arguments.json:
        json.dump({"schema": "nvmfctl.trace-cost/1", "iops": middle}, sys.stdout, indent=2)
        return print()
    for name, iops in middle.items():
        print(f"{name:10} {iops:9.0f} IOPS  {iops / middle['off']:.2f}")


if __name__ == "__main__":
    main()
