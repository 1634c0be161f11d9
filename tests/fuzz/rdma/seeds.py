#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the named seeds of the RDMA fuzz target: seeds.py CORPUS_DIRECTORY.

A seed is the private data of a host, 32 bytes, and then capsules: a byte for the length in units of
four, and the bytes. A keyed descriptor with key 0 means the host's own memory.
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


def main():
    folder = pathlib.Path(sys.argv[1]) / "rdma_controller"
    folder.mkdir(parents=True, exist_ok=True)
    for name, seed in SEEDS.items():
        (folder / name).write_bytes(seed)


main()
