#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The judge of test_kill.py finds what it is there to find."""
import unittest

from ledger import BLOCK, Ledger, stamp


class Disk:
    def __init__(self, blocks=8):
        self.bytes = bytearray(blocks * BLOCK)

    def put(self, lba, data):
        self.bytes[lba * BLOCK : lba * BLOCK + len(data)] = data


class Judge(unittest.TestCase):
    def setUp(self):
        self.disk, self.ledger = Disk(), Ledger()

    def write(self, lba, count, *, ack=True, reach=True, durable=False):
        data, write = self.ledger.send(lba, count)
        if reach:
            self.disk.put(lba, data)
        if ack:
            self.ledger.acknowledge(write, durable)

    def complaints(self, power=False):
        return self.ledger.judge(bytes(self.disk.bytes), power)

    def expect(self, text, power=False):
        found = self.complaints(power)
        self.assertEqual(len(found), 1, found)
        self.assertIn(text, found[0])

    def test_good(self):
        self.write(0, 4)
        self.write(2, 2)
        self.write(5, 1, ack=False)
        self.write(6, 1, ack=False, reach=False)
        self.assertEqual(self.complaints(), [])

    def test_lost(self):
        self.write(1, 1)
        self.write(1, 1, reach=False)
        self.expect("LBA 1: version 1, though 2 was acknowledged")

    def test_lost_entirely(self):
        self.write(1, 1, reach=False)
        self.expect("LBA 1: version 0, though 1 was acknowledged")

    def test_torn(self):
        self.write(3, 1)
        new = stamp(3, 9)
        self.disk.put(3, new[:256])
        self.expect("LBA 3: torn")

    def test_misplaced(self):
        self.write(3, 1)
        self.disk.put(4, stamp(3, 1))
        self.expect("LBA 4: the block of LBA 3")

    def test_resurrected(self):
        self.write(2, 1)
        old = bytes(self.disk.bytes)
        self.write(2, 1)
        self.assertEqual(self.complaints(), [])
        self.disk.bytes[:] = old
        self.expect("LBA 2: version 1 came back")

    def test_untouched(self):
        self.disk.put(7, stamp(7, 1))
        self.expect("never written")
        self.disk.put(7, b"garbage" * 9)
        self.expect("no stamp")

    def test_power(self):
        self.write(0, 1)
        before = self.ledger.before_flush()
        self.write(1, 1)
        self.ledger.flushed(before)
        self.write(2, 1, durable=True)
        whole = bytes(self.disk.bytes)
        for lba, complaint in ((0, True), (1, False), (2, True)):
            self.disk.bytes[:] = whole
            self.disk.put(lba, bytes(BLOCK))
            judge = Ledger.complaint(self.ledger.blocks[lba], 0, "", True)
            self.assertEqual(bool(judge), complaint, lba)
        self.disk.bytes[:] = whole
        self.disk.put(0, bytes(BLOCK))
        self.expect("though 1 was acknowledged and flushed", power=True)


if __name__ == "__main__":
    unittest.main()
