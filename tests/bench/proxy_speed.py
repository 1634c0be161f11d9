#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `nvmfctl trace --proxy` costs: the same reads straight to `nvmfctl serve`, by way of a plain
relay, and by way of the proxy, in turn and several times; medians, and their ratios.

Nothing here passes or fails. docs/performance.md says how to read it.
"""
import argparse
import contextlib
import json
import re
import signal
import statistics
import subprocess
import sys

ROWS = [("randread", "4K", 1), ("randread", "4K", 32), ("read", "128K", 8)]


@contextlib.contextmanager
def running(command, line_of, pattern, output=subprocess.DEVNULL):
    """A program that is ready when it has printed a line like `pattern`; gives its first group."""
    pipe = {"stdout": subprocess.PIPE} if line_of == "stdout" else {"stderr": subprocess.PIPE}
    other = {"stderr": subprocess.DEVNULL} if line_of == "stdout" else {"stdout": output}
    process = subprocess.Popen(command, text=True, stdin=subprocess.DEVNULL, **pipe, **other)
    try:
        stream = process.stdout if line_of == "stdout" else process.stderr
        for line in stream:
            if found := re.search(pattern, line):
                yield found[1]
                break
        else:
            raise SystemExit(f"{command[0]} ended before it was ready")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)


def bench(arguments, uri, kind, size, depth):
    done = subprocess.run(
        [arguments.nvmfctl, "--json", "bench", uri, "--rw", kind, "--bs", size,
         "--depth", str(depth), "--time", str(arguments.seconds),
         "--warm-up", str(arguments.seconds / 4)],
        stdout=subprocess.PIPE, check=True, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return json.loads(done.stdout)


def measure(arguments, ways, row):
    """Medians of each way: microseconds at the median, MiB/s, IOPS."""
    samples = {name: [] for name, _ in ways}
    for _ in range(arguments.rounds):
        for name, uri in ways:
            samples[name].append(bench(arguments, uri, *row))
    middle = statistics.median
    return {
        name: {
            "p50_us": middle(s["latency_us"]["p50"] for s in all_of),
            "mib_per_s": middle(s["mib_per_s"] for s in all_of),
            "iops": middle(s["iops"] for s in all_of),
        }
        for name, all_of in samples.items()
    }


def proxies(arguments, uri, stack):
    """The proxy as it is used: lines of text, statistics, and what it costs without a view."""
    views = {
        "proxy, text": [],
        "proxy, --stats": ["--stats"],
        "proxy, no line fits": ["--filter", "failed", "--no-rules"],
    }
    for name, options in views.items():
        command = [arguments.nvmfctl, "trace", *options, "--proxy", f"127.0.0.1:0,{uri}"]
        yield name, stack.enter_context(running(command, "stderr", r"listening on (nvme\S+),"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nvmfctl", required=True)
    parser.add_argument("--relay", required=True, help="the plain one: plain_relay")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        serve = [arguments.nvmfctl, "serve", "--listen", "127.0.0.1:0"]
        uri = stack.enter_context(running(serve, "stdout", r"listening (nvme\S+)"))
        port = re.search(r":(\d+)/", uri)[1]
        relay = stack.enter_context(running([arguments.relay, port], "stdout", r"^(\d+)$"))
        ways = [("straight", uri), ("plain relay", uri.replace(f":{port}/", f":{relay}/"))]
        ways += list(proxies(arguments, uri, stack))
        report = []
        for row in ROWS:
            report.append({"row": row, "ways": measure(arguments, ways, row)})
            if not arguments.json:
                show(report[-1])
        if arguments.json:
            json.dump({"schema": "nvmfctl.proxy-speed/1", "rows": report}, sys.stdout, indent=2)
            print()


def show(part):
    kind, size, depth = part["row"]
    print(f"{kind} {size}, depth {depth}")
    straight, plain = part["ways"]["straight"], part["ways"]["plain relay"]
    for name, figures in part["ways"].items():
        print(
            f"  {name:22} {figures['iops']:9.0f} IOPS {figures['mib_per_s']:9.1f} MiB/s"
            f"  p50 {figures['p50_us']:7.1f} us"
            f"  {figures['p50_us'] - straight['p50_us']:+7.1f} us of straight"
            f"  {figures['p50_us'] - plain['p50_us']:+7.1f} us and"
            f" {figures['iops'] / plain['iops']:.2f} of the rate of the plain relay"
        )


if __name__ == "__main__":
    main()
