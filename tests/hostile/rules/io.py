# SPDX-License-Identifier: BSD-2-Clause
"""T99-T104: reads, writes and the other I/O commands."""
import random
import tempfile

import wire
from bench import Either, Skip, Status, Table, check

TABLE = Table()
row = TABLE.row
OUT_OF_RANGE, INVALID_OPCODE, INVALID_FIELD = Status(0, 0x80), Status(0, 1), Status(0, 2)
IO_ERROR = "status 0/06h, as the block device says it"
WAITS = "it waits for data in the capsule"
ONCS = {wire.COMPARE: 1, wire.DSM: 4, wire.WRITE_ZEROES: 8, wire.VERIFY: 0x80}


@row("T99", "what is written can be read through other queues, controllers and digest settings")
def _(t):
    first = t.up(io=2)
    readers = [
        first.io[1],
        t.ready(hdgst=True),
        t.ready(ddgst=True),
        t.ready(hdgst=True, ddgst=True, hpda=7 if t.strict else 0),
        t.ready(sq_flow=False),
    ]
    for size in (512, 4096, 8192, 40960, 131072):
        data = random.Random(size).randbytes(size)
        for writer, number in ((first.io[0], 0), (readers[3], 1)):
            at = 1000 + number * 256
            check(writer.write(1, at, data).ok, f"write of {size} bytes")
            for reader in readers:
                check(
                    reader.read(1, at, size // 512).data == data,
                    f"{size} bytes came back different",
                )


def size_of(association):
    return wire.get(association.admin.identify(0, 1), 0, 8)


def beyond(t, opcode, from_end, blocks):
    association = t.up()
    queue, end = association.io[0], size_of(association)
    last = queue.read(1, end - 1, 1).data
    entry = wire.io(opcode, 1, end - from_end, blocks, dptr=wire.sgl_transport(blocks * 512))
    answer = queue.run(entry)
    check(not answer.got and not answer.r2ts, "data was moved")
    check(queue.read(1, end - 1, 1).data == last, "the last block changed")
    return answer


for opcode, name in ((wire.READ, "read"), (wire.WRITE, "write")):
    differs = IO_ERROR if opcode == wire.READ else WAITS
    row(
        f"T100/{name}-at", f"a {name} at the end", OUT_OF_RANGE, args=(opcode, 0, 1), linux=differs
    )(beyond)
    row(
        f"T100/{name}-across",
        f"a {name} across the end",
        OUT_OF_RANGE,
        args=(opcode, 1, 2),
        linux=differs,
    )(beyond)
    row(f"T100/{name}-wrap", f"a {name} whose end is beyond 2^64", OUT_OF_RANGE, linux=differs)(
        lambda t, o=opcode: t.ready().run(
            wire.io(o, 1, (1 << 64) - 1, 8, dptr=wire.sgl_transport(4096))
        )
    )


@row(
    "T100/capsule",
    "a write in the capsule across the end: nothing is written",
    OUT_OF_RANGE,
    linux=IO_ERROR,
)
def _(t):
    association = t.up()
    queue, end = association.io[0], size_of(association)
    before = queue.read(1, end - 1, 1).data
    answer = queue.write(1, end - 1, b"\xA5" * 1024, in_capsule=True)
    check(queue.read(1, end - 1, 1).data == before, "the last block was written")
    return answer


@row(
    "T100/nlb",
    "a read of 65536 blocks: beyond MDTS or served, never a crash",
    Either(INVALID_FIELD, Status(0, 0), OUT_OF_RANGE),
    linux="status 0/0Fh",
)
def _(t):
    queue = t.ready()
    answer = queue.run(
        wire.io(wire.READ, 1, 0, 65536, dptr=wire.sgl_transport(65536 * 512)),
        take=65536 * 512,
        limit=20,
    )
    t.still_works(queue)
    return answer


def wants(association, opcode):
    """Does ONCS claim it? If not, it has to be refused, which is judged here."""
    if wire.get(association.idctrl, 520, 2) & ONCS[opcode]:
        return True
    answer = association.io[0].run(wire.io(opcode, 1, 0, 1))
    check((answer.cqe.sct, answer.cqe.sc) == (0, 1), f"not in ONCS, but {answer}")
    return False


@row("T101/flush", "Flush of one namespace")
def _(t):
    check(t.ready().run(wire.sqe(wire.FLUSH, nsid=1)).ok, "Flush")


@row(
    "T101/write-zeroes",
    "Write Zeroes leaves zeros, and only there",
    linux="needs a device that can do it",
)
def _(t):
    association = t.up()
    queue = association.io[0]
    if not wants(association, wire.WRITE_ZEROES):
        return
    check(queue.write(1, 1600, b"\x5A" * 4096).ok, "write")
    check(queue.run(wire.io(wire.WRITE_ZEROES, 1, 1601, 4)).ok, "Write Zeroes")
    found = queue.read(1, 1600, 8).data
    check(found == b"\x5A" * 512 + bytes(2048) + b"\x5A" * 1536, "other blocks than those are zero")
    answer = queue.run(wire.io(wire.WRITE_ZEROES, 1, size_of(association) - 1, 2))
    check((answer.cqe.sct, answer.cqe.sc) == (0, 0x80), f"across the end: {answer}")


def compared(t, in_capsule):
    association = t.up()
    queue = association.io[0]
    if not wants(association, wire.COMPARE):
        return None
    data = random.Random(101).randbytes(4096)
    check(queue.write(1, 1700, data).ok, "write")
    same = queue.write(1, 1700, data, opcode=wire.COMPARE, in_capsule=in_capsule)
    check(same.ok, f"Compare with the same: {same}")
    return queue.write(
        1,
        1700,
        data[:4095] + b"\0" if data[4095] else data[:4095] + b"\1",
        opcode=wire.COMPARE,
        in_capsule=in_capsule,
    )


row(
    "T101/compare",
    "Compare: equal, and different in the last byte",
    Either(Status(2, 0x85), INVALID_OPCODE),
    args=(True,),
    linux="not in ONCS",
)(compared)
row(
    "T101/compare-r2t",
    "Compare with data that is asked for",
    Either(Status(2, 0x85), INVALID_OPCODE),
    args=(False,),
    linux="not in ONCS",
)(compared)


def deallocate(t, ranges, nr, size=None):
    association = t.up()
    queue = association.io[0]
    if not wants(association, wire.DSM):
        raise Skip("not in ONCS")
    entry, data = wire.dsm(1, ranges, nr=nr)
    data = data if size is None else data[:size].ljust(size, b"\0")
    answer = queue.run(wire.with_dptr(entry, wire.sgl_in_capsule(len(data))), in_capsule=data)
    t.still_works(queue)
    return answer


row(
    "T101/dsm",
    "Dataset Management of two ranges",
    Status(0, 0),
    args=([(1800, 8), (1900, 8)], None),
)(deallocate)
row(
    "T101/dsm-short",
    "Dataset Management with fewer ranges than NR says",
    Either(Status(0, 0x0F), INVALID_FIELD),
    args=([(1800, 8)], 4),
)(deallocate)
row(
    "T101/dsm-long",
    "Dataset Management with more data than NR says",
    Status(0, 0),
    args=([(1800, 8)], 1, 4096),
)(deallocate)
row(
    "T101/dsm-beyond",
    "Dataset Management of a range beyond the end",
    OUT_OF_RANGE,
    args=([(1 << 40, 8)], None),
    linux=IO_ERROR,
)(deallocate)


@row("T101/dsm-others", "Dataset Management leaves other blocks alone")
def _(t):
    association = t.up()
    queue = association.io[0]
    if not wants(association, wire.DSM):
        return
    check(queue.write(1, 1800, b"\x77" * 4096).ok, "write")
    entry, data = wire.dsm(1, [(1802, 2)])
    answer = queue.run(wire.with_dptr(entry, wire.sgl_in_capsule(16)), in_capsule=data)
    found = queue.read(1, 1800, 8).data
    check(answer.ok and found[:1024] + found[2048:] == b"\x77" * 3072, str(answer))


@row("T101/verify", "Verify: within the namespace, and beyond its end")
def _(t):
    association = t.up()
    if wants(association, wire.VERIFY):
        queue = association.io[0]
        check(queue.run(wire.io(wire.VERIFY, 1, 0, 8)).ok, "Verify")
        answer = queue.run(wire.io(wire.VERIFY, 1, size_of(association), 1))
        check((answer.cqe.sct, answer.cqe.sc) == (0, 0x80), f"beyond the end: {answer}")


for opcode in (0x0D, 0x19, 0x7E, 0x80, 0xFF):
    row(f"T101/{opcode:02X}h", f"I/O opcode {opcode:02X}h", INVALID_OPCODE)(
        lambda t, o=opcode: t.ready().run(wire.sqe(o, nsid=1))
    )


def with_bits(t, opcode, bits):
    queue = t.ready()
    if opcode == wire.WRITE:
        return queue.write(1, 2000, bytes(4096), cdw12=bits)
    return queue.read(1, 2000, 8, cdw12=bits)


for opcode, name in ((wire.READ, "read"), (wire.WRITE, "write")):
    row(f"T102/{name}-fua", f"a {name} with FUA", Status(0, 0), args=(opcode, 1 << 30))(with_bits)
    row(f"T102/{name}-lr", f"a {name} with LR", Status(0, 0), args=(opcode, 1 << 31))(with_bits)
    row(
        f"T102/{name}-prinfo",
        f"a {name} with PRCHK bits, without protection information",
        Either(Status(0, 0), INVALID_FIELD),
        args=(opcode, 7 << 26),
    )(with_bits)
    for nsid in (0, 77, 0xFFFFFFFF):
        row(
            f"T102/{name}-nsid-{nsid:X}h",
            f"a {name} of NSID {nsid:#x}",
            Status(0, 0x0B),
            linux=WAITS if opcode == wire.WRITE else None,
        )(
            lambda t, o=opcode, n=nsid: t.ready().run(
                wire.io(o, n, 0, 8, dptr=wire.sgl_transport(4096))
            )
        )


@row("T103", "a write to a read-only namespace", Either(Status(0, 0x20), Status(1, 0x82)))
def _(t):
    with tempfile.NamedTemporaryFile() as store:
        store.write(b"\x42" * (1 << 20))
        store.flush()
        settings = t.extra("--ns", f"file:{store.name},ro")[0]
        queue = t.up(settings=settings).io[0]
        for entry in (
            wire.io(wire.WRITE_ZEROES, 1, 0, 1),
            wire.io(wire.WRITE, 1, 0, 128, dptr=wire.sgl_transport(65536)),
        ):
            answer = queue.run(entry)
            check(not answer.ok and not answer.r2ts, f"opcode {entry[0]:02X}h: {answer}")
        answer = queue.write(1, 0, bytes(4096), in_capsule=True)
        check(queue.read(1, 0, 8).data == b"\x42" * 4096, "it was written")
        store.seek(0)
        check(store.read() == b"\x42" * (1 << 20), "the file was written")
        return answer


TABLE.exclude("T104", "reservations", "reservations are not promised")
