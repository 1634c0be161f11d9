# SPDX-License-Identifier: BSD-2-Clause
"""A host that keeps many writes under way, with Flush and FUA among them, and writes into a ledger
(ledger.py) what was sent and what was acknowledged.
"""
import host
import wire
from bench import Wrong
from channel import Gone
from ledger import BLOCK

FUA = 1 << 30  # CDW12
DEPTH = 16
SMALL, LARGE = (1, 2, 5, 8), (16, 24, 61, 128)  # blocks: in the capsule, by R2T


class Writer:
    def __init__(self, settings, ledger, random, blocks):
        self.association = host.Association(settings, io=1)
        self.queue = self.association.io[0]
        self.ledger, self.random, self.blocks = ledger, random, blocks
        self.under_way = []  # (command, what to do when it is acknowledged)
        self.acked = 0

    def run(self, until):
        """Goes on until so many commands were acknowledged."""
        while self.acked < until:
            while len(self.under_way) < DEPTH:
                self.send_one()
            self.queue.step()
            self.collect()

    def drain(self):
        """What the target said before it died counts too."""
        try:
            while self.under_way:
                self.queue.step()
                self.collect()
        except Gone:
            self.collect()
        self.association.close()

    def send_one(self):
        if self.random.random() < 0.05:
            before = self.ledger.before_flush()
            command = self.queue.send(wire.sqe(wire.FLUSH, nsid=1))
            self.under_way.append((command, lambda: self.ledger.flushed(before)))
            return
        small = self.random.random() < 0.5
        count = self.random.choice(SMALL if small else LARGE)
        lba = self.random.randrange(self.blocks - count)
        if self.ledger.busy(lba, count):
            return
        data, write = self.ledger.send(lba, count)
        durable = self.random.random() < 0.1
        describe = wire.sgl_in_capsule if small else wire.sgl_transport
        entry = wire.io(
            wire.WRITE, 1, lba, count, dptr=describe(len(data)), cdw12=FUA if durable else 0
        )
        command = self.queue.send(entry, **({"in_capsule": data} if small else {"give": data}))
        self.under_way.append((command, lambda: self.ledger.acknowledge(write, durable)))

    def collect(self):
        still = []
        for command, done in self.under_way:
            if not command.done:
                still.append((command, done))
                continue
            if not command.ok:
                raise Wrong(f"a command failed: {command}")
            done()
            self.acked += 1
        self.under_way = still


def read_all(settings, blocks, step=256):
    """The whole namespace, through the wire."""
    disk = b""
    with host.Association(settings, io=1) as fresh:
        for lba in range(0, blocks, step):
            found = fresh.io[0].read(1, lba, step)
            if not found.ok:
                raise Wrong(f"read of LBA {lba}: {found}")
            disk += found.data
    assert len(disk) == blocks * BLOCK
    return disk
