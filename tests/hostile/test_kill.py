#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""SIGKILL of `nvmfctl serve` ($NVMFCTL) on a file under verified writes, again and again: every
block holds what was acknowledged last or what was sent after that, whole; others are untouched. The
file is read directly, and through the wire from the serve that comes next. --kills N, --seed S.

With --power the file lies on a disk (fuse.py) that forgets what was not synced when the program
dies: what was acknowledged by FUA, or before a Flush that was acknowledged, must be there. Such a
disk that lies about its syncs must be found out.
"""
import argparse
import os
import random
import sys
import tempfile

from bench import Wrong
from fuse import disk_of, enter_namespace
from ledger import BLOCK, Ledger
from serving import LISTEN, Serve, settings_of
from writer import Writer, read_all

BLOCKS = 8192


def one_kill(program, path, ledger, chance, disk=None):
    server = Serve(program, *LISTEN, "--ns", f"file:{path}")
    try:
        writer = Writer(settings_of(server.uris[0]).but(limit=20.0), ledger, chance, BLOCKS)
        writer.run(chance.randrange(1, 300))
    finally:
        server.process.kill()
        server.process.wait()
    writer.drain()
    if disk:
        disk.power_cut(chance)
    with open(path, "rb") as file:
        found = file.read()
    if len(found) != BLOCKS * BLOCK:
        raise Wrong(f"the file has {len(found)} bytes")
    server = Serve(program, *LISTEN, "--ns", f"file:{path}")
    if read_all(settings_of(server.uris[0]).but(limit=20.0), BLOCKS) != found:
        raise Wrong("what the next serve reads is not what is in the file")
    complaints = server.stop() + ledger.judge(found, power=disk is not None)
    if complaints:
        raise Wrong("\n".join(complaints[:10]))


def die_often(chosen, path, disk=None):
    ledger = Ledger()
    for kill in range(chosen.kills):
        chance = random.Random(f"{chosen.seed}/{kill}")
        try:
            one_kill(os.environ["NVMFCTL"], path, ledger, chance, disk)
        except Wrong as wrong:
            raise Wrong(f"death {kill + 1} of {chosen.kills}, --seed {chosen.seed}: {wrong}")
    what = "losses of power" if disk else "kills"
    print(
        f"{chosen.kills} {what} with seed {chosen.seed}: {ledger.writes} writes of "
        f"{ledger.acked_blocks} blocks and {ledger.flushes} flushes acknowledged, "
        f"{chosen.kills * BLOCKS * 2} blocks verified, none lost"
    )


def lose_power(chosen):
    enter_namespace()
    with disk_of(BLOCKS * BLOCK) as disk:
        die_often(chosen, disk.path, disk)
    with disk_of(BLOCKS * BLOCK) as disk:
        disk.lies = True
        try:
            die_often(chosen, disk.path, disk)
        except Wrong as found:
            print(f"a disk that lies about its syncs is found out: {str(found).splitlines()[0]}")
            return
        raise Wrong("a disk that lies about its syncs was not found out")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--power", action="store_true")
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    chosen = parser.parse_args()
    if chosen.power:
        return lose_power(chosen)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "disk.img")
        with open(path, "wb") as file:
            file.truncate(BLOCKS * BLOCK)
        die_often(chosen, path)


if __name__ == "__main__":
    sys.exit(main())
