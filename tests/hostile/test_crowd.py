#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A thousand connections that stop at the same stage, at each stage, held against `nvmfctl serve`
($NVMFCTL). A newcomer must get in at once; a healthy host in a process of its own verifies what it
wrote the whole time, must see no error, and its latency is bounded; memory per connection is
bounded, and with the crowd gone memory and descriptors are back. Each stage has a serve of its own,
and the crowd comes twice. TAP on stdout; exit status 1 if a stage failed, 77 without descriptors.
"""
import argparse
import os
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))

import host  # noqa: E402  pylint: disable=wrong-import-position
import memory  # noqa: E402  pylint: disable=wrong-import-position
import stages  # noqa: E402  pylint: disable=wrong-import-position
import wire  # noqa: E402  pylint: disable=wrong-import-position
from bench import Wrong, check  # noqa: E402  pylint: disable=wrong-import-position
from healthy import Beside  # noqa: E402  pylint: disable=wrong-import-position
from serving import LISTEN, Serve, settings_of  # noqa: E402  pylint: disable=wrong-import-position

# Of a command of the healthy host. Others may have the machine for a while, so the worst has room;
# that nearly all are quick is what shows that a crowd does not keep others waiting.
WORST_MS, P99_MS = 5000, 1000
# What serve keeps for the next taker: blocks for in-capsule data (4 MiB) and places for 4,096 PDUs,
# and blocks for the data of commands (16 MiB).
KEPT, KEPT_DATA = 6 << 20, 16 << 20
SLACK = 2 << 20
WARM = 4
REST_S = 30  # by then who is idle has given back what it does not use


def command_line():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="connections (default 1000)")
    parser.add_argument(
        "--stalled", type=int, default=1000, help="connections with data that stalls (1000)"
    )
    parser.add_argument("--stage", help="only stages whose name contains that")
    parser.add_argument("--no-memory", action="store_true", help="under a sanitizer: do not judge")
    return parser.parse_args()


def room_for(count):
    """Descriptors for two connections each, here and in serve, which inherits the limit."""
    wanted = 2 * count + 256
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        print(f"skipped: {wanted} descriptors are needed, the hard limit is {hard}")
        sys.exit(77)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Trial:
    """One stage."""

    def __init__(self, program, stage, chosen):
        self.stage, self.judged = stage, not chosen.no_memory
        self.count = min(chosen.stalled if stage.data else chosen.count, stage.count_max)
        # Whoever stops is not ended by a time limit here: that is T10, T78 and T117.
        self.server = Serve(
            *(program, *LISTEN, "--ns", "ram:64M", "--connect-timeout", "300"),
            *("--queue-data", str(stages.QUEUE_DATA)),
        )
        self.settings = settings_of(self.server.uris[0]).but(sqsize=127, limit=30.0)
        self.beside, self.before = None, 0

    def size(self):
        return memory.resident(self.server.process.pid)["rss_kib"] << 10

    def newcomer(self):
        """Another host comes, works and goes. All that was sent before has been dealt with."""
        data = bytes(range(256)) * 16
        for _ in range(2):
            with host.Association(self.settings.stranger(), io=1) as fresh:
                queue = fresh.io[0]
                good = queue.write(1, 64, data).ok and queue.read(1, 64, 8).data == data
                check(good, "a newcomer did not read what it had written")

    def gather(self):
        """A crowd, and what serve takes with it."""
        begun = time.monotonic()
        crowd = self.build(self.count)
        self.newcomer()
        took = time.monotonic() - begun
        return crowd, self.rested_size(), took

    def rested_size(self):
        """Others come and go meanwhile, so that it is by itself that a queue comes to rest."""
        end = time.monotonic() + REST_S
        size = self.size()
        while self.stage.rests and self.judged and time.monotonic() < end:
            if size - self.before <= self.count * self.stage.most:
                break
            self.newcomer()
            size = self.size()
        return size

    def build(self, count):
        """The channels of a crowd."""
        return [getattr(one, "channel", one) for one in self.stage.build(self.settings, count)]

    def live(self, crowd):
        """Those that serve has not ended. Of the pending it keeps the latest."""
        if not self.stage.pending or self.count <= stages.MOST_PENDING:
            return self.count
        ended = len(crowd) - stages.MOST_PENDING - 1
        for channel in crowd[:ended]:
            channel.wait_closed(20)
        for channel in crowd[-stages.MOST_PENDING // 2 :]:
            check(not channel.readable(), "one of the latest was ended")
        return stages.MOST_PENDING

    def scatter(self, crowd, descriptors):
        """They go, every other by a reset; serve lets go of all they had."""
        for number, channel in enumerate(crowd):
            channel.reset() if number % 2 else channel.close()
        end = time.monotonic() + 20
        while self.server.descriptors() > descriptors:
            self.newcomer()
            check(
                time.monotonic() < end,
                f"{self.server.descriptors()} descriptors, {descriptors} before the crowd",
            )
        # Spare memory goes back to the system each time 64 connections have gone, or more.
        for _ in range(64 // 4 if self.judged else 0):
            self.newcomer()

    def run(self):
        self.newcomer()
        descriptors = self.server.descriptors()
        warm = self.build(WARM)
        self.newcomer()
        self.scatter(warm, descriptors)
        self.before = before = self.size()
        self.beside = Beside(self.server.uris[0])
        descriptors = self.server.descriptors()
        sizes, each, slowest = [], [], 0
        for _ in range(2):
            crowd, size, took = self.gather()
            live, slowest = self.live(crowd), max(slowest, took)
            each.append((size - before) / live)
            self.scatter(crowd, descriptors)
            sizes.append(self.size())
        told = self.beside.finish()
        self.report(before, each, sizes, told, slowest)
        self.judge(before, each, sizes, told)

    def report(self, before, each, sizes, told, slowest):
        print(
            f"# {self.stage.name}: {each[0] / 1024:.1f} KiB each, again {each[1] / 1024:.1f}"
            f" (at most {self.stage.most >> 10}); serve {before >> 10} KiB before,"
            f" {sizes[0] >> 10} and {sizes[1] >> 10} after; a crowd came in {slowest:.2f} s;"
            f" the healthy host: {told['rounds']} rounds, p99 {told['p99_ms']:.1f} ms,"
            f" worst {told['worst_ms']:.1f} ms",
            flush=True,
        )

    def judge(self, before, each, sizes, told):
        check(not told["fault"], told["fault"])
        check(told["rounds"] > 1, f"the healthy host did {told['rounds']} rounds")
        if not self.judged:
            return
        check(told["worst_ms"] < WORST_MS, f"the healthy host waited {told['worst_ms']:.0f} ms")
        check(told["p99_ms"] < P99_MS, f"1 in 100 of its commands took {told['p99_ms']:.0f} ms")
        check(max(each) <= self.stage.most, f"{max(each) / 1024:.1f} KiB for each")
        left = sizes[1] - before
        most = SLACK + KEPT + (KEPT_DATA if self.stage.data else 0)
        check(left <= most, f"{left >> 10} KiB stayed")
        # Once more is once more what is kept, not twice.
        check(sizes[1] - sizes[0] <= SLACK, f"{sizes[1] - sizes[0] >> 10} KiB more each time")

    def end(self):
        if self.beside:
            self.beside.kill()
        return self.server.stop()


def outcome(trial):
    try:
        trial.run()
        return trial.end()
    except Exception as error:  # whatever it is, the next stage has its turn
        return [f"{type(error).__name__}: {error}", *trial.end()]


def main():
    chosen = command_line()
    program = os.environ.get("NVMFCTL")
    if not program:
        sys.exit("NVMFCTL does not name the program")
    room_for(chosen.count)
    wanted = [s for s in stages.STAGES if not chosen.stage or chosen.stage in s.name]
    print(f"1..{len(wanted)}", flush=True)
    failed = 0
    for number, stage in enumerate(wanted, 1):
        complaints = outcome(Trial(program, stage, chosen))
        failed += bool(complaints)
        print(f"{'not ok' if complaints else 'ok'} {number} - {stage.name}", flush=True)
        for line in "\n".join(complaints).splitlines():
            print(f"  # {line}", flush=True)
    return 1 if failed or not wanted else 0


if __name__ == "__main__":
    sys.exit(main())
