# SPDX-License-Identifier: BSD-2-Clause
"""Rules under other settings of the target: each row starts a target of its own."""
import random

import wire
from bench import Either, Fatal, Refused, Status, Table, check
from host import open_queue

TABLE = Table()
row = TABLE.row
RAM = ("--ns", "ram:16M")


@row("T03/not-allowed", "digests that the target does not allow are not used")
def _(t):
    settings = t.extra(*RAM, digests=())[0]
    queue = t.up(settings=settings.but(hdgst=True, ddgst=True)).io[0]
    check(queue.icresp.digests == 0, f"DGST {queue.icresp.digests}")
    t.still_works(queue)


def misaligned(t, kind):
    settings = t.extra(*RAM, "--cpda", "7")[0]
    queue = t.up(settings=settings).io[0]
    check(queue.icresp.pda == 7, f"CPDA {queue.icresp.pda}")
    t.still_works(queue)
    if kind == wire.CMD:
        entry = wire.io(wire.WRITE, 1, 0, 1, dptr=wire.sgl_in_capsule(512))
        raw = queue.channel.build(wire.CMD, wire.with_cid(entry, 9), bytes(512), align=4, pdo=84)
        return t.fate(queue.channel, raw, cid=9)
    queue.answer_r2t = False
    entry = wire.io(wire.WRITE, 1, 0, 128, dptr=wire.sgl_transport(65536))
    write = queue.send(entry, give=bytes(65536))
    while not write.r2ts:
        queue.step()
    body = wire.data_body(write.cid, write.r2ts[0].ttag, 0, 512)
    return t.fate(queue.channel, queue.channel.build(wire.H2C_DATA, body, bytes(512), pdo=36))


row(
    "T17/cpda",
    "CPDA 7 and data in a capsule that is not at a multiple of 32",
    Fatal(1, 3),
    args=(wire.CMD,),
)(misaligned)
row(
    "T17/cpda-h2c",
    "CPDA 7 and H2CData that is not at a multiple of 32",
    Fatal(1, 3),
    args=(wire.H2C_DATA,),
)(misaligned)


def written(t, queue, size):
    data = random.Random(size).randbytes(size)
    done = queue.write(1, 100, data, in_capsule=False)
    check(done.ok and done.asked == size, f"{done}, {done.asked} of {size} bytes asked for")
    check(queue.read(1, 100, size // 512).data == data, "other data came back")


@row(
    "T33/small",
    "MAXH2CDATA 4096: H2CData of 4608 bytes breaks it, though the R2T is larger",
    Fatal(5),
)
def _(t):
    queue = t.up(settings=t.extra(*RAM, "--maxh2cdata", "4096")[0]).io[0]
    check(queue.maxh2c == 4096, f"MAXH2CDATA {queue.maxh2c}")
    written(t, queue, 65536)
    queue.answer_r2t = False
    entry = wire.io(wire.WRITE, 1, 0, 128, dptr=wire.sgl_transport(65536))
    write = queue.send(entry, give=bytes(65536))
    while not write.r2ts:
        queue.step()
    r2t = write.r2ts[0]
    check(r2t.length > 4608, f"R2T of {r2t.length} bytes")
    body = wire.data_body(write.cid, r2t.ttag, 0, 4608)
    return t.fate(queue.channel, queue.channel.build(wire.H2C_DATA, body, bytes(4608)))


@row(
    "T42/none",
    "no in-capsule data on I/O queues: refused there, R2T for all; admin capsules keep 8192",
    Either(Status(0, 0x0F), Status(0, 0x11), Status(0, 2), Fatal(5)),
)
def _(t):
    association = t.up(settings=t.extra(*RAM, "--in-capsule", "0")[0])
    check(association.ioccsz == 4, f"IOCCSZ {association.ioccsz}")
    queue = association.io[0]
    written(t, queue, 512)
    association.admin.run(wire.sqe(0xC1, dptr=wire.sgl_in_capsule(8192)), in_capsule=bytes(8192))
    association.admin.identify(1)
    entry = wire.with_cid(wire.io(wire.WRITE, 1, 0, 1, dptr=wire.sgl_in_capsule(512)), 9)
    return t.fate(queue.channel, queue.channel.build(wire.CMD, entry, bytes(512)), cid=9)


@row("T48/none", "MDTS 0: a write of 4 MiB is done, in R2Ts that the host can serve")
def _(t):
    association = t.up(settings=t.extra(*RAM, "--mdts", "0")[0], maxr2t=3)
    check(association.mdts == 0, f"MDTS {association.mdts}")
    written(t, association.io[0], 4 << 20)


@row(
    "T57/limit",
    "queues of 16 entries at most: SQSIZE 16 is refused, 15 works",
    Status(1, 0x82, iattr=0, ipo=44),
)
def _(t):
    settings = t.extra(*RAM, "--max-queue-size", "16")[0]
    association = t.up(settings=settings, io=0)
    check(association.admin.cap & 0xFFFF == 15, f"MQES {association.admin.cap & 0xFFFF}")
    check(association.admin.run(wire.set_features(7, 0x10001)).ok, "Set Features")
    t.still_works(association.add_queue(1, settings.but(sqsize=15)))
    return t.keep(open_queue(settings)).connect(2, cntlid=association.cntlid, sqsize=16)


@row("T61/limit", "one I/O queue at most: one is granted, a second is refused", Refused())
def _(t):
    settings = t.extra(*RAM, "--max-io-queues", "1")[0]
    association = t.up(settings=settings)
    grant = association.admin.must(wire.get_features(7)).cqe.dw0
    check(grant == 0, f"granted {grant:#x}")
    answer = t.keep(open_queue(settings)).connect(2, cntlid=association.cntlid)
    t.still_works(association.io[0])
    return answer


@row("T99/4096", "a namespace of 4096-byte blocks beside one of 512: each by its own size")
def _(t):
    settings = t.extra("--ns", "ram:16M,bs=4096", "--ns", "ram:16M")[0]
    association = t.up(settings=settings)
    queue = association.io[0]
    data = random.Random(4096).randbytes(65536)
    check(queue.write(1, 3, data, block=4096).ok and queue.write(2, 3, data[::-1]).ok, "a write")
    check(queue.read(1, 3, 16, block=4096).data == data, "4096-byte blocks")
    check(queue.read(2, 3, 128).data == data[::-1], "512-byte blocks")
    short = queue.run(wire.io(wire.READ, 1, 0, 1, dptr=wire.sgl_transport(512)))
    check((short.cqe.sct, short.cqe.sc) == (0, 0x0F), f"one block into 512 bytes: {short}")


@row("T10/timeout", "--connect-timeout 1: a silent connection ends after that")
def _(t):
    settings = t.extra(*RAM, "--connect-timeout", "1")[0]
    channel = t.dial(address=settings.address, port=settings.port)
    check(t.fate(channel, b"", limit=4).how in ("closed", "reset", "term"), "it was not ended")


@row("T118/connections", "--max-connections 4: one more is turned away, the others live")
def _(t):
    settings = t.extra(*RAM, "--max-connections", "4")[0]
    first = t.up(settings=settings, io=1)
    t.up(settings=settings, io=1)
    # Taken for one of the four, or not, once it has shown by an ICReq that it speaks NVMe/TCP.
    fifth = t.keep(open_queue(settings))
    fate = t.fate(fifth.channel)
    check(fate.how in ("closed", "reset"), f"a fifth: {fate}")
    t.still_works(first.io[0])


@row("T10/gives-way", "--max-connections 4: who sends no Connect gives way to who does")
def _(t):
    settings = t.extra(*RAM, "--max-connections", "4")[0]
    first = t.up(settings=settings, io=1)
    silent = [t.keep(open_queue(settings)) for _ in range(2)]
    second = t.up(settings=settings, io=1)
    for queue in silent:
        fate = t.fate(queue.channel)
        check(fate.how in ("closed", "reset"), f"a silent one: {fate}")
    t.still_works(first.io[0])
    t.still_works(second.io[0])
