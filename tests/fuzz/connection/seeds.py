#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the named seeds of the connection fuzz targets: seeds.py CORPUS_DIRECTORY.

A seed is choices, steps of the user, and what becomes of each PDU of the end in the input's hands;
see connection.hpp. Those whose name begins with "up" must come up: reach_test.sh looks. Run it
again when the form of an input changes.
"""

import pathlib
import sys


def le(value, size):
    return value.to_bytes(size, "little")


# ---- Choices: digests, no in-capsule data, no Keep Alive, two queues, small ones, ... ----------

DIGESTS, NO_CAPSULE, NO_KATO, TWO, SMALL, NO_FLOW, R2TS = 3, 4, 8, 16, 32, 64, 128

# ---- Steps ---------------------------------------------------------------------------

WRITE, READ, COMPARE, ZEROES, FLUSH, VERIFY, DSM = range(7)


def io(kind, blocks=6, lba=0, queue=1):
    return bytes([0, kind if queue == 1 else 0x80 | kind + 5, blocks + 7 * lba])


def admin(kind):
    return bytes([4, kind])


RUN = bytes([5])
MS, TENTH, SECOND, KATO, LONG, STALL = (bytes([7, n]) for n in range(6))
NEXT, SHUTDOWN, LET_GO, IN_CALLBACK, AGAIN, NAMESPACE = (bytes([n]) for n in range(10, 16))

BUSY = io(WRITE) + io(READ) + io(COMPARE, 2) + io(FLUSH) + io(DSM) + RUN
LIFE = BUSY + b"".join(admin(n) for n in range(10)) + RUN + SECOND + KATO + NAMESPACE + RUN + BUSY
END = SHUTDOWN + SECOND + LET_GO

# ---- What becomes of PDUs ----------------------------------------------------------------------


def passed(n):
    """So many as they are."""
    return bytes([n - 1]) if n > 0 else b""


def field(at, value, size=1):
    return b"\x80" + le(at, 2) + bytes([size - 1]) + le(value, size)


def spoilt(at, value, size=1):
    return b"\x81" + le(at, 2) + bytes([size - 1]) + le(value, size)


def raw(op, data):
    return bytes([op, len(data)]) + data


def before(data):
    return raw(0x82, data)


def instead(data):
    return raw(0x83, data)


def after(data):
    return raw(0x84, data)


DROP, TWICE, HOLD, END_OF_STREAM, RESET = b"\x85", b"\x86", b"\x88", b"\x89", b"\x8a"


def cut(n):
    return b"\x87" + le(n, 2)


def seed(choices, steps, pdus=b""):
    return bytes([choices]) + le(len(steps) + 1, 2) + b"\0" + steps + pdus


def both():
    """Whole lives, and the one thing that goes wrong at each place of one."""
    shapes = [0, DIGESTS, NO_CAPSULE, TWO | SMALL, NO_KATO | R2TS, NO_FLOW | DIGESTS | NO_CAPSULE]
    for n, choices in enumerate(shapes):
        yield f"up-{n}", seed(choices, LIFE + END)
    yield "up-again", seed(0, BUSY + LET_GO + AGAIN + RUN + BUSY + END)
    yield "up-in-callback", seed(0, IN_CALLBACK + BUSY + AGAIN + RUN + BUSY + END)
    yield "up-in-flight", seed(NO_CAPSULE, io(WRITE) * 9 + LET_GO + RUN)
    yield "up-short", seed(TWO, END)
    wrongs = {
        "drop": DROP,
        "twice": TWICE,
        "hold": HOLD,
        "cut": cut(9),
        "end": END_OF_STREAM,
        "reset": RESET,
        "plen": spoilt(4, 0xFFFFFFFF, 4),
        "type": spoilt(0, 3),
        "digest": spoilt(0xFFFF, 0x5A),
        "cid": field(8, 0x8003, 2),
        "junk": before(b"SSH-2.0-OpenSSH_9.2\r\n"),
        "after": after(bytes([7, 0, 24, 0]) + le(24, 4) + bytes(16)),
    }
    for name, wrong in wrongs.items():
        for at in (0, 1, 3, 8, 14, 18, 24):
            yield f"{name}-{at}", seed(DIGESTS if at % 2 else 0, LIFE + END, passed(at) + wrong)


def raw_bytes(hellos):
    for n, said in enumerate(hellos):
        pieces = b"".join(bytes([len(part)]) + part for part in said)
        yield f"raw-{n}", seed(0, LIFE + END, b"\x8b" + pieces)


def ic(kind, fields):
    return bytes([kind, 0, 128, 0]) + le(128, 4) + fields + bytes(120 - len(fields))


def main():
    icreq, icresp = ic(0, bytes(8)), ic(1, bytes(4) + le(4096, 4))
    response = bytes([5, 0, 24, 0]) + le(24, 4) + bytes(16)
    targets = {
        "host_connection": [*both(), *raw_bytes([[icresp, response], [icresp[:9], icresp[9:]]])],
        "controller_connection": [*both(), *raw_bytes([[icreq, bytes([4, 0, 72, 0])], [icreq]])],
    }
    for target, seeds in targets.items():
        room = pathlib.Path(sys.argv[1]) / target
        room.mkdir(parents=True, exist_ok=True)
        for name, data in seeds:
            (room / name).write_bytes(data)


if __name__ == "__main__":
    main()
