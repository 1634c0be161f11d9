# SPDX-License-Identifier: BSD-2-Clause
"""What a small, legal controller answers: properties, Identify, features, log pages and one
namespace in memory. It knows no connections; target.py does.
"""
import struct

import wire

BLOCK = 512
MDTS_BYTES = 128 * 1024
IOCCSZ = (64 + 4096) // 16


def ascii_field(words, width):
    return words.encode().ljust(width)


class Controller:
    """`cntlid` as its Connect response said it."""

    def __init__(self, cntlid, *, subnqn, blocks=2048, discovery=False, maxcmd=128):
        self.cntlid, self.subnqn, self.discovery = cntlid, subnqn, discovery
        self.cc, self.cap_read = 0, False
        self.granted = None
        self.hostid = self.hostnqn = None
        self.blocks, self.store, self.maxcmd = blocks, {}, maxcmd
        self.features = {}
        self.entries = []  # of the discovery log
        self.genctr = 1

    # ---- properties --------------------------------------------------------------------------

    def cap(self):
        # MQES 127, CQR, TO 2 (1 s), CSS NVM, MPSMIN 0, MPSMAX 0
        return 127 | 1 << 16 | 2 << 24 | 1 << 37

    def csts(self):
        return (1 if self.cc & 1 else 0) | (8 if self.cc >> 14 & 3 else 0)

    def property(self, offset, size):
        """None: there is no such property."""
        known = {
            (wire.CAP, 8): self.cap(),
            (wire.VS, 4): 0x00020000,
            (wire.CC, 4): self.cc,
            (wire.CSTS, 4): self.csts(),
        }
        return known.get((offset, size))

    # ---- Identify ----------------------------------------------------------------------------

    def identify(self, cns, nsid):
        """4096 bytes, or None for an invalid field, or a status for a bad namespace."""
        if cns == 1:
            return self.identify_controller()
        if self.discovery:
            return None
        if cns == 2:
            return (struct.pack("<I", 1) if nsid < 1 else b"").ljust(4096, b"\0")
        if cns not in (0, 3):
            return None
        if nsid != 1:
            return (0, 0x0B)
        return self.identify_namespace() if cns == 0 else self.descriptors()

    def identify_controller(self):
        d = bytearray(4096)
        d[4:24] = ascii_field("HOSTILE", 20)
        d[24:64] = ascii_field("A target that breaks rules", 40)
        d[64:72] = ascii_field("1", 8)
        d[77] = 5  # MDTS: 128 KiB
        struct.pack_into("<HIIIII", d, 78, self.cntlid, 0x00020000, 0, 0, 0, 0)
        d[111] = 2 if self.discovery else 1  # CNTRLTYPE
        d[258], d[259] = 3, 3  # ACL, AERL
        d[260] = 2  # FRMW: one slot
        struct.pack_into("<HHH", d, 266, 343, 353, 0)
        struct.pack_into("<H", d, 320, 10)  # KAS: 1 s
        if not self.discovery:
            d[512], d[513] = 0x66, 0x44  # SQES, CQES
            struct.pack_into("<I", d, 516, 1)  # NN
            struct.pack_into("<H", d, 520, 0)  # ONCS
        struct.pack_into("<H", d, 514, self.maxcmd)
        struct.pack_into("<I", d, 536, 1 | 1 << 20 | 1 << 21)  # SGLS: offsets, transport
        d[768 : 768 + 256] = self.subnqn.encode().ljust(256, b"\0")
        struct.pack_into("<IIHBB", d, 1792, IOCCSZ, 1, 0, 0, 1)  # IOCCSZ IORCSZ ICDOFF FCATT MSDBD
        return bytes(d)

    def identify_namespace(self):
        d = bytearray(4096)
        struct.pack_into("<QQQ", d, 0, self.blocks, self.blocks, self.blocks)
        d[104:120] = bytes(range(16, 32))  # NGUID
        struct.pack_into("<I", d, 128, 9 << 16)  # LBAF0: 512 bytes
        return bytes(d)

    def descriptors(self):
        return (struct.pack("<BBxx", 2, 16) + bytes(range(16, 32))).ljust(4096, b"\0")

    # ---- features and log pages --------------------------------------------------------------

    def set_feature(self, fid, value):
        """DW0 of the completion, or a status."""
        if fid == 7:
            self.granted = min((value & 0xFFFF) + 1, 4)
            return (self.granted - 1) * 0x10001
        if fid in (0x0B, 0x0F):
            self.features[fid] = value
            return 0
        return (0, 2)

    def get_feature(self, fid):
        if fid == 7:
            return ((self.granted or 1) - 1) * 0x10001
        return self.features.get(fid, 0 if fid in (0x0B, 0x0F) else (0, 2))

    def discovery_log(self):
        head = struct.pack("<QQH", self.genctr, len(self.entries), 0).ljust(1024, b"\0")
        return head + b"".join(self.entries)

    def log(self, lid, offset, length):
        """Bytes, or a status."""
        if lid == 0x70 and self.discovery:
            page = self.discovery_log()
        elif lid == 5:
            page = bytes(4096)
        elif lid in (1, 2, 3, 4) and not self.discovery:
            page = bytes({1: 64, 2: 512, 3: 512, 4: 4096}[lid])
        else:
            return (1, 0x09)
        if offset > len(page):
            return (0, 2)
        return page[offset : offset + length].ljust(length, b"\0")

    # ---- the namespace -----------------------------------------------------------------------

    def read(self, slba, count):
        return b"".join(self.store.get(slba + i, bytes(BLOCK)) for i in range(count))

    def write(self, slba, data):
        for i in range(len(data) // BLOCK):
            self.store[slba + i] = data[i * BLOCK : (i + 1) * BLOCK]


def discovery_entry(
    address,
    port,
    subnqn,
    *,
    trtype=3,
    adrfam=1,
    subtype=2,
    treq=4,
    portid=1,
    cntlid=0xFFFF,
    asqsz=32
):
    entry = struct.pack("<BBBBHHHH", trtype, adrfam, subtype, treq, portid, cntlid, asqsz, 0)
    entry = entry.ljust(32, b"\0") + ascii_field(str(port), 32)
    entry = entry.ljust(256, b"\0") + subnqn.encode().ljust(256, b"\0")
    return (entry + ascii_field(address, 256)).ljust(1024, b"\0")
