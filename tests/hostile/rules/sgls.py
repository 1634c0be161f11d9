# SPDX-License-Identifier: BSD-2-Clause
"""T42-T48: data in capsules, SGLs, MDTS."""
import random

import wire
from bench import Either, Fatal, Refused, Skip, Status, Table, Varies, check

TABLE = Table()
row = TABLE.row
UNSEEN = "it is not looked at: the address or the type of an SGL, PSDT, data in the capsule"
WAITS = "it waits for data in the capsule"


@row("T42/fits", "in-capsule data of IOCCSZ * 16 - 64 bytes is accepted")
def _(t):
    queue = t.ready()
    size = queue.in_capsule // 512 * 512
    if not size:
        raise Skip("no in-capsule data on I/O queues")
    data = random.Random(42).randbytes(size)
    check(queue.write(1, 500, data, in_capsule=True).ok, "the write")
    check(queue.read(1, 500, size // 512).data == data, "the data")


@row(
    "T42/more",
    "one block more in the capsule: an SGL error or FES 5, never cut off",
    Either(Status(0, 0x0F), Status(0, 0x11), Status(0, 0x16), Status(0, 2), Fatal(5)),
)
def _(t):
    queue = t.ready()
    size = queue.in_capsule // 512 * 512 + 512
    entry = wire.with_cid(
        wire.io(wire.WRITE, 1, 500, size // 512, dptr=wire.sgl_in_capsule(size)), 9
    )
    return t.fate(queue.channel, queue.channel.build(wire.CMD, entry, bytes(size)), cid=9)


@row("T43", "8192 bytes in an admin capsule are accepted, whatever IOCCSZ says", Refused())
def _(t):
    admin = t.up().admin
    answer = admin.run(wire.sqe(0xC1, dptr=wire.sgl_in_capsule(8192)), in_capsule=bytes(8192))
    admin.identify(1)
    return answer


@row("T43/more", "8196 bytes in an admin capsule: an error or FES 5", Either(Refused(), Fatal(5)))
def _(t):
    admin = t.up().admin
    entry = wire.sqe(0xC1, 9, dptr=wire.sgl_in_capsule(8196))
    return t.fate(admin.channel, admin.channel.build(wire.CMD, entry, bytes(8196)), cid=9)


def odd_sgl(t, descriptor, data, opcode=wire.WRITE, flags=0x40):
    """A command on 8 blocks with that descriptor; the queue has to live on after a status."""
    queue = t.ready()
    entry = wire.with_cid(wire.io(opcode, 1, 600, 8, dptr=descriptor, flags=flags), 9)
    fate = t.fate(queue.channel, queue.channel.build(wire.CMD, entry, data), cid=9)
    if fate.cqe is not None:
        t.still_works(queue)
    return fate


def sgl_row(ident, rule, expect, descriptor, data=b"", linux=None, **more):
    row(ident, rule, expect, linux=linux)(lambda t: odd_sgl(t, descriptor, data, **more))


BLOCKS8 = bytes(4096)
sgl_row(
    "T44",
    "an in-capsule SGL with an offset",
    Varies(Status(0, 0x16), Fatal(6), Status(0, 2)),
    wire.sgl_in_capsule(4096, 512),
    BLOCKS8,
    linux=UNSEEN,
)
sgl_row(
    "T45/less",
    "an in-capsule SGL shorter than the data",
    Varies(Status(0, 0x0F), Fatal(1, 4)),
    wire.sgl_in_capsule(2048),
    BLOCKS8,
    linux="may: the rest of the data is read as the next PDU, and closes it before it answers",
)
sgl_row(
    "T45/more",
    "an in-capsule SGL longer than the data",
    Varies(Status(0, 0x0F), Fatal(1, 4)),
    wire.sgl_in_capsule(8192),
    BLOCKS8,
    linux=WAITS,
)
sgl_row(
    "T45/none",
    "an in-capsule SGL without data",
    Varies(Status(0, 0x0F), Fatal(1, 4)),
    wire.sgl_in_capsule(4096),
    linux=WAITS,
)
sgl_row(
    "T45/carried",
    "a transport SGL, but data in the capsule",
    Either(Status(0, 2), Status(0, 0x0F)),
    wire.sgl_transport(4096),
    BLOCKS8,
    linux=UNSEEN,
)
BAD_TYPE = Either(Status(0, 0x11), Status(0, 2))
for name, kind in (
    ("address", 0x00),
    ("bit-bucket", 0x10),
    ("segment", 0x20),
    ("last-segment", 0x30),
    ("keyed", 0x40),
    ("keyed-invalidate", 0x4F),
    ("vendor", 0xF0),
    ("transport-offset", 0x51),
):
    sgl_row(
        f"T46/{name}", f"SGL descriptor {kind:02X}h", BAD_TYPE, wire.sgl(kind, 4096), linux=UNSEEN
    )
    sgl_row(
        f"T46/{name}-read",
        f"SGL descriptor {kind:02X}h in a read",
        BAD_TYPE,
        wire.sgl(kind, 4096),
        linux=UNSEEN,
        opcode=wire.READ,
    )
for psdt in (0x00, 0x80, 0xC0):
    sgl_row(
        f"T46/psdt-{psdt >> 6}",
        f"PSDT {psdt >> 6:02b}b",
        Either(Status(0, 2), Status(0, 0x11)),
        wire.sgl_transport(4096),
        flags=psdt,
        linux=WAITS,
    )
sgl_row(
    "T47/write-less",
    "an SGL shorter than the blocks of a write",
    Status(0, 0x0F),
    wire.sgl_transport(2048),
    linux=WAITS,
)
sgl_row(
    "T47/capsule-less",
    "an in-capsule SGL shorter than the blocks of a write",
    Status(0, 0x0F),
    wire.sgl_in_capsule(2048),
    bytes(2048),
)
sgl_row(
    "T47/read-less",
    "an SGL shorter than the blocks of a read",
    Status(0, 0x0F),
    wire.sgl_transport(2048),
    opcode=wire.READ,
)


@row(
    "T47/more",
    "an SGL longer than the blocks of a read or write is accepted",
    linux="an SGL of another length is refused",
)
def _(t):
    queue = t.ready()
    data = random.Random(47).randbytes(8192)
    wrote = queue.run(wire.io(wire.WRITE, 1, 600, 8, dptr=wire.sgl_transport(8192)), give=data)
    check(wrote.ok, f"write: {wrote}")
    found = queue.run(wire.io(wire.READ, 1, 600, 8, dptr=wire.sgl_transport(8192)), take=4096)
    check(found.ok and found.data == data[:4096], f"read: {found}")
    check(
        not any(queue.read(1, 608, 1).data) or queue.read(1, 608, 1).data != data[4096:4608],
        "more was written than the command said",
    )


def beyond_mdts(t, opcode):
    association = t.up()
    if not association.mdts:
        raise Skip("no MDTS")
    queue, size = association.io[0], association.mdts + 512
    entry = wire.io(opcode, 1, 0, size // 512, dptr=wire.sgl_transport(size))
    answer = queue.run(entry)
    t.still_works(queue)
    return answer


row("T48/read", "a read beyond MDTS", Status(0, 2), args=(wire.READ,))(beyond_mdts)
row("T48/write", "a write beyond MDTS: refused before any R2T", Status(0, 2), args=(wire.WRITE,))(
    beyond_mdts
)
row(
    "T48/compare", "a compare beyond MDTS", Either(Status(0, 2), Status(0, 1)), args=(wire.COMPARE,)
)(beyond_mdts)
