# SPDX-License-Identifier: BSD-2-Clause
"""What was written where, and what a disk may hold of it after a death: the judge of test_kill.py.

A block is stamped with its LBA, its version and a checksum. At most one write to a block is under
way at a time, so its versions are in order: what was found before, then each that was sent. A block
must hold its floor or a later version; its floor is the last version that was acknowledged (the
program died) or that was acknowledged and flushed (the power went).
"""
import struct
import zlib

BLOCK = 512
MAGIC = b"NVMFLEDG"
HEAD = struct.Struct("<8sQQ")


def stamp(lba, version):
    head = HEAD.pack(MAGIC, lba, version)
    filler = struct.pack("<QQ", lba * 0x9E3779B97F4A7C15 & (1 << 64) - 1, version) * 31
    body = (head + filler)[: BLOCK - 4].ljust(BLOCK - 4, b"\x5A")
    return body + struct.pack("<I", zlib.crc32(body))


def version_of(block, lba):
    """The version that this block of the disk holds, 0 for zeroes; None and why not."""
    if not any(block):
        return 0, ""
    magic, at, version = HEAD.unpack_from(block)
    if magic != MAGIC:
        return None, "no stamp"
    if struct.unpack_from("<I", block, BLOCK - 4)[0] != zlib.crc32(block[:-4]):
        return None, "torn: its checksum is wrong"
    if at != lba:
        return None, f"the block of LBA {at}"
    return version, ""


class History:
    """Of one block: versions in the order they were sent."""

    __slots__ = ("versions", "acked", "durable", "busy")

    def __init__(self, found=0):
        self.versions, self.acked, self.durable, self.busy = [found], 0, 0, False


class Ledger:
    def __init__(self):
        self.blocks, self.last = {}, 0
        self.writes = self.flushes = self.acked_blocks = 0

    def busy(self, lba, count):
        return any(b in self.blocks and self.blocks[b].busy for b in range(lba, lba + count))

    def send(self, lba, count):
        """The data of a write that begins now, and what to hand to acknowledge()."""
        data, write = b"", []
        for at in range(lba, lba + count):
            history = self.blocks.setdefault(at, History())
            self.last += 1
            history.busy = True
            history.versions.append(self.last)
            write.append((at, len(history.versions) - 1))
            data += stamp(at, self.last)
        return data, write

    def acknowledge(self, write, durable=False):
        for lba, index in write:
            history = self.blocks[lba]
            history.busy, history.acked = False, index
            if durable:
                history.durable = max(history.durable, index)
        self.writes += 1
        self.acked_blocks += len(write)

    def before_flush(self):
        """What a Flush that is sent now makes durable; for flushed()."""
        return [(lba, h.acked) for lba, h in self.blocks.items() if h.acked > h.durable]

    def flushed(self, before):
        for lba, index in before:
            history = self.blocks[lba]
            history.durable = max(history.durable, index)
        self.flushes += 1

    def judge(self, disk, power=False):
        """Complaints about `disk`, the content of all blocks from 0. What is found becomes the
        history that the next death is judged by."""
        complaints = []
        for lba in range(len(disk) // BLOCK):
            block = disk[lba * BLOCK : (lba + 1) * BLOCK]
            history = self.blocks.get(lba)
            found, why = version_of(block, lba)
            complaint = self.complaint(history, found, why, power)
            if complaint:
                complaints.append(f"LBA {lba}: {complaint}")
            elif history:
                self.blocks[lba] = History(found)
        return complaints

    @staticmethod
    def complaint(history, found, why, power):
        if found is None:
            return why
        if history is None:
            return None if found == 0 else f"version {found}, and it was never written"
        if found not in history.versions:
            return f"version {found} came back, which was gone before"
        floor = history.durable if power else history.acked
        if history.versions.index(found) < floor:
            lost = "acknowledged and flushed" if power else "acknowledged"
            return f"version {found}, though {history.versions[floor]} was {lost}"
        return None
