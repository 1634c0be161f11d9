#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the named seeds of the engine's fuzz targets: seeds.py CORPUS_DIRECTORY.

A seed of `host` is what a controller does to its answers, one after the other; one of `controller`
is what a host and the surroundings do. Run it again when the form of a script changes.
"""

import pathlib
import sys


def le(value, size):
    return value.to_bytes(size, "little")


# ---- host_fuzz.cpp: a byte for what the host wants, then changes to each answer -----------------

DECENT = b"\0"
LOST = b"\xff"
IO, DISCOVERY, NO_FLOW_CONTROL, KEYED = b"\0", b"\1", b"\2", b"\4"


def cqe(at, value, size=4):
    """Bytes of the completion."""
    return bytes([0xC0 + size - 1, at]) + le(value, 4) + DECENT


def refused(status):
    return cqe(14, status << 1, 2)


def field(at, value, size=4):
    """Bytes of the data."""
    return bytes([0xD0 + size - 1]) + le(at, 2) + le(value, 4) + DECENT


def filled(byte):
    return bytes([0xFE, byte]) + DECENT


def host_seeds():
    yield "up", [IO]
    yield "discovery", [DISCOVERY]
    yield "no-flow-control", [NO_FLOW_CONTROL]
    yield "keyed", [KEYED]
    for n in range(0, 12, 2):
        yield f"refused-{n}", [IO, DECENT * n, refused(0x4002)]
        yield f"lost-{n}", [IO, DECENT * n, LOST]
    for n in (5, 6, 7, 8, 9):
        yield f"ones-{n}", [IO, DECENT * n, filled(0xFF)]
        yield f"zeros-{n}", [IO, DECENT * n, filled(0)]
    yield "connect-invalid-parameters", [IO, refused(0x4182)[:-1] + cqe(0, 0x10100)]
    yield "connect-wants-authentication", [IO, cqe(0, 0x20001)]
    yield "connect-cntlid-ffff", [IO, cqe(0, 0xFFFF)]
    yield "cap-zero", [IO, DECENT, cqe(0, 0)[:-1] + cqe(4, 0)]
    yield "cap-ones", [IO, DECENT, cqe(0, 0xFFFFFFFF)[:-1] + cqe(4, 0xFFFFFFFF)]
    for n in range(3, 7):
        yield f"csts-fatal-{n}", [IO, DECENT * n, cqe(0, 3)]
    # Identify Controller: NN, MDTS, IOCCSZ, CNTLID, SQES.
    for at, value, size, name in ((516, 0xFFFFFFFF, 4, "nn"), (77, 0xFF, 1, "mdts"),
                                  (1792, 3, 4, "ioccsz"), (78, 9, 2, "cntlid"), (512, 0, 1, "sqes"),
                                  (111, 2, 1, "cntrltype")):
        for n in range(5, 8):
            yield f"identify-{name}-{n}", [IO, DECENT * n, field(at, value, size)]
    for n in range(8, 11):
        yield f"discovery-numrec-{n}", [DISCOVERY, DECENT * n, field(8, 0xFFFFFFFF)]
        yield f"discovery-genctr-{n}", [DISCOVERY, DECENT * n, field(0, 2)]


# ---- controller_fuzz.cpp: a byte for the controller, then steps ---------------------------------

ENABLE = 0x00460001


def command(opcode, nsid=None, length=5, **dwords):
    """An admin command; `length`: place in the target's list, 5: 4096 bytes, 0: none."""
    which, rest = 0, b""
    if nsid is not None:
        which, rest = 1, le(nsid, 4)
    for n in range(10, 16):
        if f"d{n}" in dwords:
            which |= 1 << (n - 9)
            rest += le(dwords[f"d{n}"], 4)
    return bytes([opcode, which]) + rest + bytes([length])


def admin(*args, **dwords):
    return b"\0" + command(*args, **dwords)


def io(*args, **dwords):
    return b"\3" + command(*args, **dwords)


def fabrics(fctype, **dwords):
    return admin(0x7F, fctype, 0, **dwords)


def set_cc(value):
    return fabrics(0, d11=0x14, d12=value)


def connect(qid, *changes):
    return bytes([2, qid - 1, len(changes)]) + b"".join(changes) + b"\1"


def in_sqe(at, value):
    return le(at * 2, 2) + bytes([value])


def in_data(at, value):
    return le(at * 2 + 1, 2) + bytes([value])


QUEUE_GONE, DISCOVERY_CHANGED = b"\4", b"\7\1"
FATAL = b"\7\0"


def passes(ms):
    return b"\5" + le(ms, 3)


def namespace(nsid):
    return bytes([6, nsid - 1]) + le(100, 2)


def controller_seeds():
    up = [set_cc(ENABLE), fabrics(4, d11=0x1C)]
    queues = [admin(9, None, 0, d10=7, d11=0x00030003)]
    yield "properties", [b"\0", fabrics(4, d10=1), fabrics(4, d11=8), *up, fabrics(4, d11=0x40)]
    for cns in (0, 1, 2, 3, 5, 6, 7, 8, 0x1C, 0x10):
        yield f"identify-{cns:02x}", [b"\0", *up, admin(6, 1, d10=cns)]
    for lid in (0, 1, 2, 3, 4, 5, 0x70):
        page = admin(2, None, d10=0x03FF0000 | lid)
        behind = admin(2, None, d10=0x000F0000 | lid, d12=1024)
        yield f"log-{lid:02x}", [b"\0", *up, page, behind]
    page = admin(2, None, d10=0x03FF0070)
    aer = admin(0x0C, None, 0)
    mask = admin(9, None, 0, d10=0x0B, d11=1 << 31)
    yield "discovery", [b"\1", *up, mask, aer, page, DISCOVERY_CHANGED, page, DISCOVERY_CHANGED]
    for fid in (1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 15, 0x10, 0x81):
        setting = admin(9, None, 0, d10=fid, d11=0x00010001)
        yield f"feature-{fid:02x}", [b"\0", *up, setting, admin(10, None, d10=fid)]
    mask = admin(9, None, 0, d10=0x0B, d11=1 << 8)
    changed = [namespace(5), namespace(5), admin(2, None, d10=0x03FF0004), namespace(1)]
    yield "namespace-events", [b"\0", *up, mask, aer, aer, *changed]
    yield "aer-limit", [b"\0", *up, aer * 9]
    yield "abort", [b"\0", *up, aer, admin(8, None, 0, d10=3 << 16), admin(8, None, 0, d10=0)]
    again = [connect(1), connect(2), connect(1), QUEUE_GONE, connect(1)]
    yield "queues", [b"\0", *up, *queues, *again]
    yield "queue-beyond-grant", [b"\0", *up, *queues, connect(5)]
    yield "queue-before-enable", [b"\0", connect(1)]
    wrong = (in_sqe(40, 1), in_sqe(44, 0), in_data(0, 0x22), in_data(16, 8), in_data(260, 0x21),
             in_data(530, 0))
    for n, change in enumerate(wrong):
        yield f"connect-wrong-{n}", [b"\0", *up, *queues, connect(1, change)]
    yield "connect-admin", [b"\0", bytes([2, 0, 3]), in_sqe(42, 0), in_data(16, 0xFF),
                            in_data(17, 0xFF), b"\1"]
    shut = [set_cc(ENABLE | 1 << 14), fabrics(4, d11=0x1C), passes(121_000)]
    yield "shutdown", [b"\0", *up, *queues, connect(1), aer, *shut]
    yield "reset", [b"\0", *up, *queues, connect(1), aer, set_cc(0x00460000), *up, *queues]
    yield "keep-alive", [b"\x20", *up, passes(5000), admin(0x18, None, 0), passes(5000),
                         passes(5000) + b"\1", passes(6000)]
    yield "fatal", [b"\0", *up, FATAL]
    yield "unknown", [b"\0", *up, admin(0xC1), admin(0x0D), fabrics(8), fabrics(5)]
    rw = {"d10": 8, "d11": 0, "d12": 7}
    for opcode in (0, 1, 2, 4, 5, 8, 9, 0x0C, 0x0D):
        yield f"io-{opcode:02x}", [b"\0", io(opcode, 1, **rw), io(opcode, 3, **rw)]
    ranges = b"".join(le(8, 4) + le(at, 8) for at in (0, 2040, 2048, 1 << 63))
    yield "io-dsm", [b"\0", b"\3", command(9, 1, d10=3, d11=4), ranges]
    yield "io-end", [b"\0", io(2, 1, d10=2047, d12=1), io(2, 1, d10=0xFFFFFFFF, d11=0xFFFFFFFF)]
    yield "io-flush-all", [b"\0", io(0, 0xFFFFFFFF)]


def main():
    for target, seeds in {"host": host_seeds, "controller": controller_seeds}.items():
        room = pathlib.Path(sys.argv[1]) / target
        room.mkdir(parents=True, exist_ok=True)
        for name, steps in seeds():
            (room / name).write_bytes(b"".join(steps))


if __name__ == "__main__":
    main()
