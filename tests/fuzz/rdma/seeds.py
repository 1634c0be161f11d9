#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the named seeds of the RDMA fuzz targets: seeds.py CORPUS_DIRECTORY.

rdma_controller: the private data of a host, 32 bytes, and then capsules: a byte for the length in
units of four, and the bytes. A keyed descriptor with key 0 means the host's own memory.

rdma_host: a byte of flags (1: keys are lent), the length of the controller's private data (80h: it
rejects), that data, and then steps: a command of the host's, or 20h and what the controller does.
"""

import pathlib
import sys


def le(value, size):
    return value.to_bytes(size, "little")


def request(qid=1, hrqsize=16, hsqsize=15, recfmt=0):
    return (le(recfmt, 2) + le(qid, 2) + le(hrqsize, 2) + le(hsqsize, 2)).ljust(32, b"\0")


def keyed(address, length, key=0, subtype=0):
    return le(address, 8) + le(length, 3) + le(key, 4) + le(0x40 | subtype, 1)


def in_capsule(length):
    return le(0, 8) + le(length, 4) + le(0, 3) + le(0x01, 1)


def command(opcode, cid, sgl, data=b""):
    capsule = le(opcode, 1) + le(0x40, 1) + le(cid, 2) + bytes(20) + sgl + bytes(24) + data
    assert len(capsule) % 4 == 0
    return le(len(capsule) // 4, 1) + capsule


READ, WRITE, FLUSH = 2, 1, 0
SEEDS = {
    "served": request()
    + command(FLUSH, 0, keyed(0, 0))
    + command(READ, 1, keyed(0x4000, 4096))
    + command(WRITE, 2, keyed(0x4000, 9000))
    + command(WRITE, 3, in_capsule(512), bytes(512)),
    "same-cid": request() + 3 * command(FLUSH, 7, keyed(0, 0)),
    "wrong-key": request() + command(READ, 0, keyed(0x1000, 64, key=0xDEAD)),
    "beyond-the-region": request() + command(WRITE, 0, keyed(0xFFF0, 64)),
    "invalidate": request() + command(READ, 0, keyed(0x4000, 64, subtype=0xF)),
    "length-differs": request() + command(WRITE, 0, in_capsule(512), bytes(256)),
    "transport-sgl": request() + command(READ, 0, le(0, 8) + le(64, 4) + bytes(3) + le(0x5A, 1)),
    "short": request() + le(15, 1) + bytes(60),
    "few-receives": request(hrqsize=1) + command(FLUSH, 0, keyed(0, 0)),
    "too-many-entries": request(hsqsize=64),
    "bad-recfmt": request(recfmt=1),
    "too-little-private-data": bytes(31),
}



def accept(crqsize=16, recfmt=0, size=32):
    return le(size, 1) + (le(recfmt, 2) + le(crqsize, 2)).ljust(32, b"\0")[:size]


def reject(status):
    return le(0x84, 1) + le(0, 2) + le(status, 2)


def submit(opcode, size=0):
    """`size`: 0 nothing, 1 512 bytes, 2 4097, 3 20000."""
    return le(0x80 | 0x20 | size << 2 | opcode, 1)


def act(kind, which=0, rest=b"", bit=0):
    return le(0x20, 1) + le(which << 4 | bit << 3 | kind, 1) + rest


RESPOND, RESPOND_TAKING, ANY, ANY_TAKING, PUT, GET, DISCONNECT, VANISH = range(8)
PLAIN, LENT, SCARCE = b"\0", b"\1", b"\2"
READ_AND_DATA = submit(READ, 2) + act(PUT, 0, le(0, 1) + le(4097, 2))
HOST_SEEDS = {
    "served": PLAIN + accept() + READ_AND_DATA + act(RESPOND),
    "served-lent": LENT + accept() + READ_AND_DATA + act(RESPOND_TAKING),
    "host-takes-back": LENT + accept() + READ_AND_DATA + act(RESPOND),
    "fetched": LENT
    + accept()
    + submit(WRITE, 3)
    + act(GET, 0, le(0, 1) + le(20000, 2))
    + act(RESPOND_TAKING),
    "in-capsule": PLAIN
    + accept()
    + submit(WRITE, 1)
    + submit(FLUSH)
    + act(RESPOND, 1)
    + act(RESPOND),
    "fails": PLAIN + accept() + submit(READ, 1) + act(RESPOND, bit=1, rest=le(0x82 << 1, 2)),
    "twice": LENT + accept() + submit(READ, 1) + 2 * act(RESPOND),
    "another-key": LENT
    + accept()
    + 2 * submit(READ, 1)
    + act(ANY_TAKING, 1, le(16, 1) + bytes(16)),
    "short": PLAIN + accept() + submit(FLUSH) + act(ANY, 0, le(15, 1) + bytes(15)),
    "long": PLAIN + accept() + submit(FLUSH) + act(ANY, 0, le(17, 1) + bytes(17)),
    "beyond-the-block": LENT + accept() + submit(READ, 1) + act(PUT, 0, le(1, 1) + le(4096, 2)),
    "an-old-key": LENT + accept() + submit(READ, 1) + act(PUT, 0, le(0, 1) + le(64, 2), bit=1),
    "scarce": SCARCE + accept(1) + 6 * submit(READ, 3) + 6 * act(RESPOND),
    "before-the-host-knows": PLAIN
    + le(0x60, 1)
    + accept()[1:]
    + le(ANY, 1)
    + le(16, 1)
    + bytes(16),
    "disconnects": PLAIN + accept() + submit(READ, 3) + act(DISCONNECT),
    "vanishes": LENT + accept() + submit(WRITE, 3) + act(VANISH),
    "recfmt": PLAIN + accept(recfmt=1),
    "crqsize-0": PLAIN + accept(0),
    "crqsize-most": PLAIN + accept(0xFFFF) + submit(FLUSH) + act(RESPOND),
    "private-data-short": PLAIN + accept(size=31),
    "reject": PLAIN + reject(4),
    "reject-reserved": PLAIN + reject(0xFFFF),
    "reject-silent": PLAIN + le(0x80, 1),
}


def main():
    for target, seeds in ("rdma_controller", SEEDS), ("rdma_host", HOST_SEEDS):
        folder = pathlib.Path(sys.argv[1]) / target
        folder.mkdir(parents=True, exist_ok=True)
        for name, seed in seeds.items():
            (folder / name).write_bytes(seed)


main()
