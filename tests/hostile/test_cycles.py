#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""T120: hosts that come, work and go, thousands of them, each followed by one that breaks off at a
stage; held against `nvmfctl serve` ($NVMFCTL). Memory must be flat and descriptors exactly what
they were. A healthy host beside them must see no error. Exit status 1 otherwise.
"""
import argparse
import os
import random
import statistics
import sys
import time

import host
import wire
from bench import Wrong, check
from healthy import Beside
from serving import LISTEN, Healthy, Serve, settings_of

WINDOWS = 10  # after one of the same length that is not judged
# Between the middle of the first half of the windows and that of the second.
GROWTH = 256 << 10
BLOCKS = 8
FEW = 64  # where they write


def command_line():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=300, help="whole ones (default 300)")
    parser.add_argument("--seed", type=int, default=120, help="of the data and the order")
    parser.add_argument("--no-memory", action="store_true", help="under a sanitizer: do not judge")
    parser.add_argument("-g", action="store_true", help="header digests")
    parser.add_argument("-G", action="store_true", help="data digests")
    return parser.parse_args()


def whole(settings, dice, way):
    """TCP, IC, Connect, enable, an I/O queue, one write and read, and the end in one of the ways
    that there are."""
    with host.Association(settings.stranger(), io=1) as association:
        queue, data = association.io[0], dice.randbytes(BLOCKS * 512)
        at = dice.randrange(FEW)
        good = queue.write(1, at, data).ok and queue.read(1, at, BLOCKS).data == data
        check(good, "another data came back than was written")
        if way == "disconnect":
            check(queue.run(wire.disconnect()).ok, "Disconnect")
        elif way == "shutdown":
            check(association.admin.set(wire.CC, wire.CC_ENABLE | 1 << 14).ok, "CC.SHN")
            association.admin.until(wire.CSTS, lambda csts: csts >> 2 & 3 == 2)
        elif way == "reset":
            check(association.admin.set(wire.CC, wire.CC_QUEUES).ok, "CC.EN 0")


WAYS = ("close", "disconnect", "shutdown", "reset")


def channels_of(settings, stage):
    """Connections that have come to a stage, and stop there."""
    if stage == "accepted":
        return [host.dial(settings)]
    if stage == "half-icreq":
        channel = host.dial(settings)
        channel.send(host.icreq(settings)[:64])
        return [channel]
    if stage in ("exchanged", "half-connect"):
        queue = host.open_queue(settings)
        if stage == "half-connect":
            queue.channel.send(queue.channel.build(wire.CMD, wire.connect(1), bytes(1024))[:600])
        return [queue.channel]
    enabled = stage != "connected"
    some = host.Association(settings, io=1 if enabled else 0, enable=enabled)
    if stage == "writing":
        queue, queue.answer_r2t = some.io[0], False
        entry = wire.io(wire.WRITE, 1, 0, 128, dptr=wire.sgl_transport(65536))
        write = queue.send(entry, give=bytes(65536))
        while not write.r2ts:
            queue.step()
        queue.h2c(write, write.r2ts[0], 0, 4096, last=False)
    elif stage == "reading":
        some.io[0].send(wire.io(wire.READ, 1, 0, 128, dptr=wire.sgl_transport(65536)), take=65536)
    elif stage == "waiting":
        some.admin.send(wire.sqe(wire.AER))
    return [queue.channel for queue in [*some.io, some.admin]]


STAGES = (
    *("accepted", "half-icreq", "exchanged", "half-connect", "connected", "enabled"),
    *("writing", "reading", "waiting"),
)


def abrupt(settings, stage):
    for channel in channels_of(settings.stranger(), stage):
        channel.reset()


class Course:
    def __init__(self, chosen, server, settings):
        self.chosen, self.server, self.settings = chosen, server, settings
        self.dice = random.Random(chosen.seed)
        self.done = 0

    def touch(self):
        """The memory that is written to later is the namespace's, and no growth."""
        with host.Association(self.settings.stranger(), io=1) as association:
            for first in (0, *range(Healthy.FIRST, Healthy.FIRST + Healthy.SPAN + 128, 128)):
                check(association.io[0].write(1, first, bytes(65536)).ok, "a write")

    def window(self, cycles):
        for _ in range(cycles):
            whole(self.settings, self.dice, WAYS[self.done % len(WAYS)])
            abrupt(self.settings, STAGES[self.done % len(STAGES)])
            self.done += 1

    def settle(self, descriptors):
        """Until all of them are gone; then serve's memory."""
        end = time.monotonic() + 20
        while self.server.descriptors() != descriptors:
            whole(self.settings, self.dice, "close")
            found = self.server.descriptors()
            check(time.monotonic() < end, f"{found} descriptors, {descriptors} at the beginning")
        return self.server.resident()

    def run(self):
        each = max(1, self.chosen.cycles // WINDOWS)
        self.touch()
        beside = Beside(self.server.uris[0])
        try:
            descriptors = self.server.descriptors()
            self.window(each)
            sizes = [self.settle(descriptors)]
            begun = time.monotonic()
            for _ in range(WINDOWS):
                self.window(each)
                sizes.append(self.settle(descriptors))
            took = time.monotonic() - begun
            told = beside.finish()
        finally:
            beside.kill()
        print(
            f"# {WINDOWS * each} cycles and as many abrupt ends in {took:.1f} s, {descriptors}"
            f" descriptors as before; KiB after each tenth:"
            f" {', '.join(str(size >> 10) for size in sizes)};"
            f" the healthy host: {told['rounds']} rounds, p99 {told['p99_ms']:.1f} ms,"
            f" worst {told['worst_ms']:.1f} ms",
            flush=True,
        )
        self.judge(sizes[1:], told)

    def judge(self, sizes, told):
        check(not told["fault"], told["fault"])
        check(told["rounds"] > 1, f"the healthy host did {told['rounds']} rounds")
        first, second = sizes[: WINDOWS // 2], sizes[WINDOWS // 2 :]
        grown = statistics.median(second) - statistics.median(first)
        if not self.chosen.no_memory:
            check(grown < GROWTH, f"memory grew by {int(grown) >> 10} KiB in half of the cycles")


def main():
    chosen = command_line()
    program = os.environ.get("NVMFCTL")
    if not program:
        sys.exit("NVMFCTL does not name the program")
    server = Serve(program, *LISTEN, "--ns", "ram:64M", "--connect-timeout", "60")
    settings = settings_of(server.uris[0]).but(hdgst=chosen.g, ddgst=chosen.G, limit=20.0)
    complaints = []
    try:
        Course(chosen, server, settings).run()
    except (Wrong, OSError) as error:
        complaints.append(str(error))
    complaints += server.stop()
    for complaint in complaints:
        print(f"not ok - {complaint}")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
