#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""nvmfctl beside a bare socket program: the same bytes, the same cores, the same minutes.

Figures of two programs are comparable only when both ran in turn on the same machine at the same
time, so each round runs the bare program and then `nvmfctl bench` against `nvmfctl serve`, and what
is printed are medians over the rounds. One reactor and one connection on each side, each side on a
core of its own. The namespace is memory that has been written before it is read.

Nothing here passes or fails. docs/performance.md says how to read it.
"""
import argparse
import contextlib
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from memory import memory_of_serve

ROOT = Path(__file__).resolve().parents[2]
NQN = "nqn.2026-11.io.example:bench"
COMMAND, RESPONSE, DATA_HEADER = 72, 24, 24  # bytes on the wire: PDU header with its SQE or CQE


@dataclass(frozen=True)
class Row:
    kind: str
    size: int  # bytes
    depth: int
    # What SPDK v26.05 reached on both ends, polling, as a share of the bare program's rate,
    # measured beside it on two cores (docs/performance.md). A share travels, IOPS do not.
    spdk: float

    @property
    def name(self):
        return f"{self.kind} {self.size // 1024} KiB, depth {self.depth}"

    @property
    def wire(self):
        """Bytes of a request and of its reply: a write's data goes in the capsule, a read's last
        data PDU is the response as well (SUCCESS, flow control of the SQ is off)."""
        if "write" in self.kind:
            return COMMAND + self.size, RESPONSE
        return COMMAND, DATA_HEADER + self.size


ROWS = [
    Row("randread", 4096, 1, 0.71),
    Row("randread", 4096, 32, 0.35),
    Row("randwrite", 4096, 1, 0.67),
    Row("randwrite", 4096, 32, 0.23),
    Row("read", 131072, 8, 0.70),
]


class Failed(Exception):
    pass


# ---- how much of the machine others had ----------------------------------------------------------


def machine_busy():
    """Seconds of CPU time that anything has used, and that the hypervisor has taken."""
    with open("/proc/stat", encoding="ascii") as stat:
        fields = [int(x) for x in stat.readline().split()[1:]]
    user, nice, system, _idle, _iowait, irq, softirq, steal = fields[:8]
    tick = os.sysconf("SC_CLK_TCK")
    return (user + nice + system + irq + softirq) / tick, steal / tick


def cpu_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Watch:
    """While it is open: the share of one core that belonged to neither side."""

    def __init__(self, server=None):
        self.server = server

    def __enter__(self):
        self.began, self.busy = time.monotonic(), machine_busy()
        self.own = self.spent()
        return self

    def spent(self):
        children = os.times()
        own = children.children_user + children.children_system + children.user + children.system
        return own + (cpu_of(self.server) if self.server else 0)

    def __exit__(self, *_):
        took = time.monotonic() - self.began
        busy, steal = machine_busy()
        foreign = busy - self.busy[0] - (self.spent() - self.own) + steal - self.busy[1]
        self.foreign = max(0.0, foreign / took)


# ---- the programs --------------------------------------------------------------------------------


def on_core(cpu):
    """What a child does first: stay on that core."""
    return (lambda: os.sched_setaffinity(0, {cpu})) if cpu is not None else None


def output_of(arguments, cpu, limit):
    try:
        done = subprocess.run(
            [str(a) for a in arguments],
            capture_output=True,
            text=True,
            timeout=limit,
            preexec_fn=on_core(cpu),
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise Failed(f"{arguments[0]} still runs after {limit:g} s") from late
    if done.returncode != 0:
        raise Failed(f"{arguments[0]} ended with {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)


@contextlib.contextmanager
def serving(arguments, cpu):
    """`nvmfctl serve` while the block runs: its process and its URI."""
    with tempfile.TemporaryFile() as errors:
        # pylint: disable-next=subprocess-popen-preexec-fn
        server = subprocess.Popen(
            [str(a) for a in arguments],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            preexec_fn=on_core(cpu),
        )
        try:
            line = server.stdout.readline()
            if not line.startswith("listening "):
                errors.seek(0)
                raise Failed(f"serve does not listen: {errors.read().decode().strip()}")
            yield server, line.split()[1]
        finally:
            server.send_signal(signal.SIGCONT)
            server.send_signal(signal.SIGINT)
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


class Bench:
    """Both programs, with what the command line says about them."""

    def __init__(self, args):
        self.args = args
        self.server_cpu = None if args.no_pin else args.server_cpu
        self.client_cpu = None if args.no_pin else args.client_cpu

    def serve(self, poll):
        arguments = [self.args.nvmfctl, "serve", "--listen", "127.0.0.1:0", "-n", NQN]
        arguments += ["--ns", f"ram:{self.args.namespace},bs=4096"] + ["--poll"] * poll
        return serving(arguments, self.server_cpu)

    def bare(self, row, poll):
        request, reply = row.wire
        arguments = [self.args.bare, "--request", request, "--reply", reply]
        arguments += ["--depth", row.depth, "--seconds", self.args.seconds] + ["--poll"] * poll
        if not self.args.no_pin:
            arguments += ["--server-cpu", self.server_cpu, "--client-cpu", self.client_cpu]
        with Watch() as watch:
            said = output_of(arguments, None, 30 + 4 * self.args.seconds)["rows"][0]
        return {"iops": said["iops"], "p50_us": said["p50_us"], "p99_us": said["p99_us"],
                "foreign": watch.foreign}

    def ours(self, row, poll, server, uri, seconds=None):
        seconds = seconds or self.args.seconds
        arguments = [self.args.nvmfctl, "--json", "bench", uri, "--disable-sqflow"]
        arguments += ["--rw", row.kind, "--bs", row.size, "--depth", row.depth]
        arguments += ["--time", seconds, "--warm-up", min(0.2, seconds / 4)] + ["--poll"] * poll
        server.send_signal(signal.SIGCONT)
        before = cpu_of(server.pid)
        with Watch(server.pid) as watch:
            said = output_of(arguments, self.client_cpu, 30 + 4 * seconds)
        spent = cpu_of(server.pid) - before
        # A target that polls would take its core from the bare server.
        server.send_signal(signal.SIGSTOP)
        latency = said["latency_us"]
        return {"iops": said["iops"], "p50_us": latency["p50"], "p99_us": latency["p99"],
                "client_cpu_us": said["cpu_us_per_operation"],
                "server_cpu_us": spent * 1e6 / max(1, said["operations"]),
                "foreign": watch.foreign}

    def fill(self, server, uri):
        """Pages that were never written are all the same page, and always in the cache."""
        seconds = min(2.0, 4 * self.args.seconds)
        self.ours(Row("write", 131072, 8, 0), False, server, uri, seconds)


# ---- rounds and medians --------------------------------------------------------------------------


def median_of(rounds):
    return {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}


def measure(bench, row, poll, server, uri):
    bare, ours = [], []
    for _ in range(bench.args.rounds):
        bare.append(bench.bare(row, poll))
        ours.append(bench.ours(row, poll, server, uri))
    medians = median_of(bare), median_of(ours)
    # Of rounds, not of medians: the two halves of a round met the same machine.
    share = statistics.median(o["iops"] / b["iops"] for b, o in zip(bare, ours))
    return {
        "name": row.name,
        "kind": row.kind,
        "bytes": row.size,
        "depth": row.depth,
        "poll": poll,
        "bare": medians[0],
        "nvmfctl": medians[1],
        "share": round(share, 3),
        "p50_ratio": round(medians[1]["p50_us"] / medians[0]["p50_us"], 2),
        "spdk_share": row.spdk if poll else None,
        "foreign_most": round(max(r["foreign"] for r in bare + ours), 3),
    }


def take_priority(nice):
    """Before children are made. The scheduler compares sessions first (autogroup), then what is in
    them."""
    os.setpriority(os.PRIO_PROCESS, 0, nice)
    with contextlib.suppress(FileNotFoundError):
        Path("/proc/self/autogroup").write_text(str(nice), encoding="ascii")


def run(args):
    if args.nice != 0:
        take_priority(args.nice)
    bench = Bench(args)
    wanted = [r for r in ROWS if re.search(args.rows, r.name)]
    rows = []
    for poll in [True] * (args.mode != "sleep") + [False] * (args.mode != "poll"):
        with bench.serve(poll) as (server, uri):
            bench.fill(server, uri)
            for row in wanted:
                if not args.json:
                    print(f"{'polling' if poll else 'sleeping'}: {row.name}", file=sys.stderr)
                rows.append(measure(bench, row, poll, server, uri))
    document = {
        "schema": "nvmfctl.side-by-side/1",
        "rounds": args.rounds,
        "seconds": args.seconds,
        "congestion": Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip(),
        "kernel": os.uname().release,
        "cpus": os.cpu_count(),
        "rows": rows,
    }
    if not args.no_memory:
        document["memory"] = memory_of_serve(bench.serve(False), NQN, args.connections)
    return document


# ---- what is printed -----------------------------------------------------------------------------


def beside_spdk(row):
    if row["spdk_share"] is None:
        return "", ""
    lead = row["share"] / row["spdk_share"] - 1
    return f"{row['spdk_share']:.2f}", f"{abs(lead):.0%} {'ahead' if lead >= 0 else 'behind'}"


def table(document):
    head = ["row", "waits by", "bare IOPS", "p50 us", "nvmfctl IOPS", "p50 us", "p99 us",
            "host, target CPU us", "share", "SPDK's", "we are", "others"]
    lines = []
    for r in document["rows"]:
        b, o = r["bare"], r["nvmfctl"]
        lines.append([
            r["name"], "polling" if r["poll"] else "sleeping",
            f"{b['iops']:,.0f}", f"{b['p50_us']:.1f}", f"{o['iops']:,.0f}", f"{o['p50_us']:.1f}",
            f"{o['p99_us']:.1f}", f"{o['client_cpu_us']:.2f}, {o['server_cpu_us']:.2f}",
            f"{r['share']:.2f}", *beside_spdk(r), f"{r['foreign_most']:.0%}"])
    widths = [max(len(line[i]) for line in [head, *lines]) for i in range(len(head))]
    rule = ["-" * w for w in widths]
    return "\n".join(
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths)) + " |"
        for line in [head, rule, *lines]
    )


def memory_lines(memory):
    for state in memory:
        yield (f"serve, {state['what']}: RSS {state['rss_kib'] / 1024:.1f} MiB, "
               f"PSS {state['pss_kib'] / 1024:.1f} MiB")


def parse(arguments):
    release = ROOT / "build" / "release"
    p = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    p.add_argument("--nvmfctl", type=Path, default=release / "cli" / "nvmfctl")
    p.add_argument("--bare", type=Path, default=release / "tests" / "bench" / "bare_socket")
    p.add_argument("--rounds", type=int, default=5, help="of each row (%(default)s)")
    p.add_argument("--seconds", type=float, default=2.0, help="of each program and round")
    p.add_argument("--rows", default="", metavar="REGEX", help="only rows whose name has this")
    p.add_argument("--mode", choices=["both", "poll", "sleep"], default="both")
    p.add_argument("--namespace", default="512M", help="its size (%(default)s)")
    p.add_argument("--server-cpu", type=int, default=0)
    p.add_argument("--client-cpu", type=int, default=1)
    p.add_argument("--nice", type=int, default=0, help="-20 keeps others off the cores (root)")
    p.add_argument("--no-pin", action="store_true", help="let the kernel place them")
    p.add_argument("--connections", type=int, default=100, help="idle ones, to see their memory")
    p.add_argument("--no-memory", action="store_true", help="leave that out")
    p.add_argument("--json", action="store_true", help="one document on stdout")
    return p.parse_args(arguments)


def main():
    args = parse(sys.argv[1:])
    try:
        document = run(args)
    except (Failed, OSError) as why:
        print(f"side_by_side: {why}", file=sys.stderr)
        return 1
    if args.json:
        json.dump(document, sys.stdout, indent=2)
        print()
        return 0
    print(table(document))
    for line in memory_lines(document.get("memory", [])):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
