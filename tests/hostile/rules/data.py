# SPDX-License-Identifier: BSD-2-Clause
"""T29-T41: data transfer."""
import random

import wire
from bench import Fatal, Skip, Status, Table, Varies, check

TABLE = Table()
row = TABLE.row
SIZE = 65536
IO_ERROR = "status 0/06h, as the block device says it"


def big_write(queue, slba=400, size=SIZE):
    """A write that waits for our data, after the target's first R2T."""
    queue.answer_r2t = False
    data = random.Random(size).randbytes(size)
    write = queue.send(
        wire.io(wire.WRITE, 1, slba, size // 512, dptr=wire.sgl_transport(size)), give=data
    )
    while not write.r2ts and not write.done:
        queue.step()
    check(write.r2ts, f"no R2T, but {write}")
    return write, write.r2ts[0]


@row("T29", "R2Ts of a large write ask for all of it once, in order")
def _(t):
    queue = t.ready(maxr2t=3)
    for size in (queue.in_capsule // 512 * 512 + 512, SIZE, 131072):
        write = queue.write(1, 400, random.Random(size).randbytes(size))
        check(
            write.ok and write.asked == size and write.r2ts,
            f"{write}, {write.asked} of {size} asked for",
        )


@row("T30", "TTAGs of R2Ts that wait are distinct; none is used again before its data is complete")
def _(t):
    queue = t.ready(maxr2t=7)
    queue.answer_r2t = False
    data = bytes(SIZE)
    entry = wire.io(wire.WRITE, 1, 400, 128, dptr=wire.sgl_transport(SIZE))
    writes = [queue.send(entry, give=data) for _ in range(16)]
    queue.quiet()  # take_r2t judges
    queue.answer_r2t = True
    for write in writes:
        for r2t in list(write.r2ts):
            queue.answer(write, r2t)
        check(queue.wait(write).ok, str(write))


def h2c(t, **over):
    """H2CData for a waiting write, with something wrong."""
    queue = t.ready()
    write, r2t = big_write(queue)
    size = over.pop("size", 4096)
    raw = queue.channel.build(
        wire.H2C_DATA,
        wire.data_body(
            write.cid if "cccid" not in over else over.pop("cccid"),
            over.pop("ttag", lambda tag: tag)(r2t.ttag),
            r2t.offset + over.pop("at", 0),
            over.pop("datal", size),
        ),
        bytes(size),
        flags=wire.LAST if over.pop("last", False) else 0,
        **over,
    )
    return t.fate(queue.channel, raw, cid=write.cid)


def bad(ident, rule, expect, *, linux=None, **over):
    row(ident, rule, expect, linux=linux)(lambda t: h2c(t, **over))


WRONG_TAG = Varies(Fatal(1, 10), Fatal(2))
bad(
    "T31/next",
    "H2CData with a TTAG that was not given out: one higher",
    WRONG_TAG,
    ttag=lambda tag: (tag + 1) & 0xFFFF,
)
bad("T31/FFFFh", "H2CData with TTAG FFFFh", WRONG_TAG, ttag=lambda tag: 0xFFFF)
bad("T31/far", "H2CData with TTAG 7FFFh", WRONG_TAG, ttag=lambda tag: 0x7FFF)


@row("T31/finished", "H2CData with the TTAG of a write that is finished", WRONG_TAG)
def _(t):
    queue = t.ready()
    write, r2t = big_write(queue)
    queue.answer_r2t = True
    for known in list(write.r2ts):
        queue.answer(write, known)
    check(queue.wait(write).ok, str(write))
    return t.fate(
        queue.channel,
        queue.channel.build(
            wire.H2C_DATA, wire.data_body(write.cid, r2t.ttag, 0, 512), bytes(512), flags=wire.LAST
        ),
    )


@row("T31/idle", "H2CData when no R2T is out", WRONG_TAG)
def _(t):
    queue = t.ready()
    return t.fate(
        queue.channel,
        queue.channel.build(
            wire.H2C_DATA, wire.data_body(1, 0, 0, 512), bytes(512), flags=wire.LAST
        ),
    )


bad(
    "T32",
    "H2CData with the right TTAG and a wrong CCCID",
    Fatal(),
    cccid=0x7777,
    linux="CCCID is not compared: the data is taken",
)


@row("T33", "one H2CData of more than MAXH2CDATA", Varies(Fatal(5), Fatal(4), Fatal(1, 16)))
def _(t):
    queue = t.ready()
    if queue.maxh2c >= 1 << 20:
        raise Skip(f"MAXH2CDATA is {queue.maxh2c}: more than any write here")
    size = queue.maxh2c // 512 * 512 + 512
    write, r2t = big_write(queue, size=size)
    return t.fate(
        queue.channel,
        queue.channel.build(
            wire.H2C_DATA,
            wire.data_body(write.cid, r2t.ttag, r2t.offset, size),
            bytes(size),
            flags=wire.LAST,
        ),
    )


bad("T34/beyond", "H2CData that goes beyond its R2T", Fatal(4), at=SIZE, size=512, last=True)
bad("T34/wrap", "DATAO + DATAL beyond 4 GiB", Fatal(4), at=0xFFFFFF00, size=512, last=True)


def in_parts(t, *parts):
    """(offset, size, last) each; all but the last are legal."""
    queue = t.ready()
    write, r2t = big_write(queue)
    for at, size, last in parts[:-1]:
        queue.h2c(write, r2t, r2t.offset + at, size, last=last)
    at, size, last = parts[-1]
    body = wire.data_body(write.cid, r2t.ttag, r2t.offset + at, size)
    return t.fate(
        queue.channel,
        queue.channel.build(wire.H2C_DATA, body, bytes(size), flags=wire.LAST if last else 0),
        cid=write.cid,
    )


# One fault alone: what stands before DATAL in the header is right.
row(
    "T34/across",
    "H2CData that continues its R2T and ends beyond",
    Fatal(4),
    args=((0, SIZE - 512, False), (SIZE - 512, 1024, True)),
)(in_parts)

SEQUENCE = Varies(Fatal(2), Fatal(4))
row(
    "T35/gap",
    "a gap within the range of an R2T",
    SEQUENCE,
    args=((0, 4096, False), (8192, 4096, False)),
)(in_parts)
row(
    "T35/first-gap",
    "data that does not begin where its R2T does",
    SEQUENCE,
    args=((4096, 4096, False),),
)(in_parts)
row("T35/repeat", "a part that came before", SEQUENCE, args=((0, 4096, False), (0, 4096, False)))(
    in_parts
)
row(
    "T35/overlap",
    "a part that overlaps one before",
    SEQUENCE,
    args=((0, 4096, False), (2048, 4096, False)),
)(in_parts)
row(
    "T36/early",
    "LAST_PDU before the range is full",
    Fatal(2),
    args=((0, 4096, True),),
    linux="LAST_PDU is not looked at",
)(in_parts)
row(
    "T36/missing",
    "no LAST_PDU on the data that fills the range",
    Fatal(2),
    args=((0, SIZE, False),),
    linux="LAST_PDU is not looked at",
)(in_parts)
bad("T37/more", "DATAL larger than the data in the PDU", Fatal(1, 16), datal=8192)
bad("T37/less", "DATAL smaller than the data in the PDU", Fatal(1, 16), datal=512)
bad("T37/none", "H2CData without data", Fatal(), size=0, datal=0)


@row("T38", "H2CData for a command whose data was in its capsule", Fatal())
def _(t):
    queue = t.ready()
    write = queue.send(
        wire.io(wire.WRITE, 1, 0, 8, dptr=wire.sgl_in_capsule(4096)), in_capsule=bytes(4096)
    )
    return t.fate(
        queue.channel,
        queue.channel.build(
            wire.H2C_DATA, wire.data_body(write.cid, 0, 0, 4096), bytes(4096), flags=wire.LAST
        ),
    )


@row(
    "T39",
    "reads of 1, 7, 64 and MDTS blocks: offsets from 0, contiguous, LAST_PDU on the last only",
)
def _(t):
    association = t.up()
    queue = association.io[0]
    for blocks in (1, 7, 64, min(association.mdts or 1 << 20, 1 << 20) // 512):
        found = queue.read(1, 0, blocks)  # take_data judges
        check(
            found.ok and len(found.data) == blocks * 512,
            f"{blocks} blocks: {found}, {len(found.data)} B",
        )


def success_flag(t, flow):
    queue = t.ready(sq_flow=flow)
    for _ in range(4):
        found = queue.read(1, 0, 64)
        check(found.ok and len(found.data) == 32768, str(found))
        check(not (flow and found.by_success), "SUCCESS while SQ flow control is on")
    t.still_works(queue)  # a response after SUCCESS would be for no command


row(
    "T40/off",
    "SQ flow control off: SUCCESS only with LAST_PDU, and then no response",
    args=(False,),
)(success_flag)
row("T40/on", "SQ flow control on: a response for every read", args=(True,))(success_flag)


def failing_read(t, flow):
    queue = t.ready(sq_flow=flow)
    found = queue.read(1, 1 << 40, 8)
    check(not found.by_success and not found.got, f"{found} and {len(found.got)} bytes")
    t.still_works(queue)
    return found


row(
    "T41/off",
    "a read that fails: no data with SUCCESS, the response says why",
    Status(0, 0x80),
    args=(False,),
    linux=IO_ERROR,
)(failing_read)
row(
    "T41/on", "a read that fails, SQ flow control on", Status(0, 0x80), args=(True,), linux=IO_ERROR
)(failing_read)
