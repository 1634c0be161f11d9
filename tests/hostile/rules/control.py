# SPDX-License-Identifier: BSD-2-Clause
"""T68-T83: properties, life cycle, keep alive, asynchronous events."""
import time

import wire
from bench import Either, Refused, Skip, Status, Table, Varies, check
from channel import Gone, Silence
from host import open_queue

TABLE = Table()
row = TABLE.row


@row("T68", "CAP, VS, CC and CSTS have legal values")
def _(t):
    admin = t.up(io=0, enable=False).admin
    cap = admin.get(wire.CAP, 8)
    check(cap & 0xFFFF >= 1, "MQES")
    check(cap >> 32 & 0xF == 0, "DSTRD")
    check(cap >> 24 & 0xFF > 0, "CAP.TO is 0")
    check(not t.strict or cap >> 16 & 1, "CQR: fabrics needs contiguous queues")
    check(cap >> 37 & 0x81, "CSS names neither the NVM command set nor none")
    check(admin.get(wire.VS) >= 0x00010200, f"VS {admin.get(wire.VS):#x}")
    check(
        admin.get(wire.CC) & 1 == 0 and admin.get(wire.CSTS) & 1 == 0,
        "enabled before anyone enabled it",
    )


def odd_get(t, offset, size):
    """An error, or zero; the same each time."""
    admin = t.up(io=0).admin
    answers = [admin.run(wire.property_get(offset, size)) for _ in range(2)]
    values = [(a.cqe.sct, a.cqe.sc, a.cqe.value if a.ok else 0) for a in answers]
    check(values[0] == values[1], f"{values}")
    check(not answers[0].ok or values[0][2] == 0 or not t.strict, f"value {values[0][2]:#x}")


for offset, size in (
    (wire.CAP, 4),
    (wire.CC, 8),
    (wire.CSTS, 8),
    (0x02, 4),
    (0x15, 4),
    (0x30, 4),
    (0xFFFC, 4),
    (0x1000, 8),
    (0xFFFFFFFC, 4),
):
    row(
        f"T69/{offset:X}h-{size}",
        f"Property Get of {size} bytes at {offset:#x}: an error or zero",
        args=(offset, size),
    )(odd_get)
row("T69/size-7", "Property Get with a reserved size", Varies(Status(0, 2), Status(0, 0)))(
    lambda t: t.up(io=0).admin.run(wire.property_get(wire.VS, attrib=7))
)


def odd_set(t, offset, value, size):
    admin = t.up(io=0).admin
    before = [admin.get(at, width) for at, width in ((wire.CAP, 8), (wire.VS, 4), (wire.CC, 4))]
    answer = admin.set(offset, value, size)
    after = [admin.get(at, width) for at, width in ((wire.CAP, 8), (wire.VS, 4), (wire.CC, 4))]
    check(before == after, f"{before} became {after}")
    return answer


for name, offset, size in (
    ("cap", wire.CAP, 8),
    ("vs", wire.VS, 4),
    ("csts", wire.CSTS, 4),
    ("cc-8", wire.CC, 8),
    ("none", 0x400, 4),
    ("odd", 0x16, 4),
):
    row(
        f"T70/{name}",
        f"Property Set of {size} bytes at {offset:#x}: refused, nothing changes",
        Refused(),
        args=(offset, 0, size),
    )(odd_set)


@row("T71", "CC.EN brings CSTS.RDY within CAP.TO")
def _(t):
    admin = t.up(io=0, enable=False).admin
    limit = (admin.get(wire.CAP, 8) >> 24 & 0xFF) * 0.5
    begun = time.monotonic()
    admin.enable()
    check(
        time.monotonic() - begun <= limit + 1, f"{time.monotonic() - begun} s, CAP.TO is {limit} s"
    )


row("T71/before", "Identify before CC.EN", Varies(Status(0, 0x0C), Status(0, 0)))(
    lambda t: t.up(io=0, enable=False).admin.run(wire.identify(1), take=4096)
)


def illegal_cc(t, value):
    """Refused at once, or CSTS.CFS; never ready."""
    admin = t.up(io=0, enable=False).admin
    answer = admin.set(wire.CC, value)
    if answer.ok:
        csts = admin.get(wire.CSTS)
        check(csts & 2 and not csts & 1, f"accepted, CSTS {csts:#x}")


@row("T72/no-sizes", "CC without queue entry sizes: refused, CFS, or there are no I/O queues")
def _(t):
    association = t.up(io=0, enable=False)
    admin = association.admin
    if not admin.set(wire.CC, 1).ok or admin.get(wire.CSTS) & 2:
        return
    admin.until(wire.CSTS, lambda csts: csts & 1)
    check(admin.run(wire.set_features(7, 0)).ok, "Set Features")
    answer = t.keep(open_queue(t.settings)).connect(1, cntlid=association.cntlid)
    check(not answer.ok, "an I/O queue was given")


for name, value in (
    ("mps", wire.CC_ENABLE | 5 << 7),
    ("css", wire.CC_ENABLE | 3 << 4),
    ("ams", wire.CC_ENABLE | 5 << 11),
    ("iosqes", 0x00450001),
    ("iocqes", 0x00360001),
):
    row(f"T72/{name}", f"CC {value:#010x}: refused or CFS", args=(value,))(illegal_cc)


STAY = "the I/O connections live on"


def shutdown(t, kind):
    association = t.up()
    admin = association.admin
    answer = admin.set(wire.CC, wire.CC_ENABLE | kind << 14)
    check(answer.ok, str(answer))
    try:
        admin.until(wire.CSTS, lambda csts: csts >> 2 & 3 == 2)
    except Gone:
        check(False, "closed before SHST said that it is complete")
    association.close()
    t.newcomer_works()
    t.up()


row("T73/normal", "normal shutdown: SHST reaches complete, and one can come again", args=(1,))(
    shutdown
)
row("T73/abrupt", "abrupt shutdown: SHST reaches complete, and one can come again", args=(2,))(
    shutdown
)


@row(
    "T74",
    "CC.EN 0: RDY goes, I/O queues end, the association can be enabled again or is closed",
    linux=STAY,
)
def _(t):
    association = t.up()
    admin, queue = association.admin, association.io[0]
    check(admin.set(wire.CC, wire.CC_QUEUES).ok, "CC")
    try:
        admin.until(wire.CSTS, lambda csts: not csts & 1)
    except Gone:
        queue.channel.wait_closed(5)
        return
    queue.channel.wait_closed(5)
    admin.enable()
    check(admin.run(wire.set_features(7, 0)).ok, "Set Features")
    t.still_works(association.add_queue(1))


def admin_lost(t, way):
    association = t.up(io=2)
    for queue in association.io:
        t.still_works(queue)
    getattr(association.admin.channel, way)()
    for queue in association.io:
        queue.channel.wait_closed(5)
    t.newcomer_works()


row(
    "T75/closed",
    "the admin connection is closed: the I/O connections end",
    args=("close",),
    linux=STAY,
)(admin_lost)
row(
    "T75/reset",
    "the admin connection is reset: the I/O connections end",
    args=("reset",),
    linux=STAY,
)(admin_lost)
row(
    "T75/half",
    "the admin connection is half closed: the I/O connections end",
    args=("half_close",),
    linux=STAY,
)(admin_lost)

UNKNOWN = Either(Status(0, 2), Status(0, 1))
for fctype in (0x02, 0x03, 0x0C, 0x7F, 0xC0, 0xFF):
    row(f"T76/{fctype:02X}h", f"FCTYPE {fctype:02X}h", UNKNOWN)(
        lambda t, f=fctype: t.up(io=0).admin.run(wire.fabrics(f))
    )
row(
    "T76/io-get",
    "Property Get on an I/O queue",
    Either(Status(0, 2), Status(0, 1), Status(0, 0x0C)),
)(lambda t: t.ready().run(wire.property_get(wire.CAP, 8)))
row(
    "T76/io-set",
    "Property Set on an I/O queue",
    Either(Status(0, 2), Status(0, 1), Status(0, 0x0C)),
)(lambda t: t.ready().run(wire.property_set(wire.CC, wire.CC_QUEUES)))


# ---- keep alive ----------------------------------------------------------------------------


def rounded_kato(t, asked):
    association = t.up(io=0, kato=asked)
    unit = wire.get(association.idctrl, 320, 2) * 100
    check(unit, "KAS is 0")
    answer = association.admin.must(wire.get_features(0x0F))
    want = -(-asked // unit) * unit
    check(
        answer.cqe.dw0 == want,
        f"KATO {asked} ms, KAS {unit} ms: Get Features says {answer.cqe.dw0}",
    )


for kato in (1, 1500, 10000):
    row(f"T77/{kato}", f"KATO {kato} ms is rounded up to units of KAS", args=(kato,))(rounded_kato)
row("T77/set", "Set Features 0Fh changes KATO")(lambda t: set_kato(t))


def set_kato(t):
    admin = t.up(io=0, kato=60000).admin
    check(admin.run(wire.set_features(0x0F, 20000)).ok, "Set Features")
    now = admin.must(wire.get_features(0x0F)).cqe.dw0
    check(now == 20000, f"KATO {now}")


@row("T78/expires", "no traffic for twice KATO: the association ends, not before KATO", slow=True)
def _(t):
    association = t.up(kato=2000)
    t.still_works(association.io[0])
    begun = time.monotonic()
    try:
        association.admin.channel.recv(15)
        check(False, "something was sent")
    except Gone:
        took = time.monotonic() - begun
    association.io[0].channel.wait_closed(5)
    check(1.9 <= took <= 6 if t.strict else took <= 15, f"ended after {took:.1f} s")


@row("T78/kept", "Keep Alive in time: the association lives for 8 times KATO", slow=True)
def _(t):
    association = t.up(kato=1000)
    admin = association.admin
    speak_often(admin, lambda: admin.must(wire.sqe(wire.KEEP_ALIVE)), 20)
    t.still_works(association.io[0])


def speak_often(queue, speak, times):
    """KATO is 1 s; the pauses are waits for what must not come."""
    last, longest = time.monotonic(), 0
    try:
        for _ in range(times):
            speak()
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
            try:
                queue.channel.recv(0.4)
            except Silence:
                continue
            check(False, "something was sent")
    except Gone:
        if max(longest, time.monotonic() - last) < 0.9:
            raise
        raise Skip("this machine kept us from speaking for KATO, so the end was right") from None


@row("T78/traffic", "with TBKAS any command counts: reads alone keep the association", slow=True)
def _(t):
    association = t.up(kato=1000)
    if not wire.get(association.idctrl, 96, 4) & 0x40:
        raise Skip("no TBKAS")
    queue = association.io[0]
    speak_often(queue, lambda: check(queue.read(1, 0, 1).ok, "read"), 12)
    association.admin.must(wire.sqe(wire.KEEP_ALIVE))


@row("T79", "KATO 0 on an I/O controller: no expiry", slow=True)
def _(t):
    association = t.up(kato=0)
    try:
        association.admin.channel.recv(6)
        check(False, "something was sent")
    except Silence:
        t.still_works(association.io[0])


# ---- asynchronous events ---------------------------------------------------------------------


@row("T80", "AERL + 1 event requests are held, one more is refused", Status(1, 0x05))
def _(t):
    association = t.up(io=0)
    admin = association.admin
    held = [admin.send(wire.sqe(wire.AER)) for _ in range(association.idctrl[259] + 1)]
    admin.quiet()
    check(not any(aer.done for aer in held), "one completed without an event")
    return admin.run(wire.sqe(wire.AER))


TABLE.exclude("T81", "namespace events", "serve has no way to change its namespaces while it runs")
TABLE.exclude("T82", "ANA events", "ANA is not promised")


@row("T83", "Abort of an event request: it completes aborted, or Abort says it was not")
def _(t):
    admin = t.up(io=0).admin
    aer = admin.send(wire.sqe(wire.AER))
    abort = admin.must(wire.sqe(wire.ABORT, cdw=(aer.cid << 16,)))
    admin.quiet()
    if abort.cqe.dw0 & 1:
        check(not aer.done, "Abort says not aborted, but the event request completed")
    else:
        check(aer.done and (aer.cqe.sct, aer.cqe.sc) == (0, 7), f"the event request: {aer}")


@row("T83/unknown", "Abort of a command that is not there: done, bit 0 says not aborted")
def _(t):
    abort = t.up(io=0).admin.must(wire.sqe(wire.ABORT, cdw=(0x4321 << 16 | 7,)))
    check(abort.cqe.dw0 & 1 == 1, f"DW0 {abort.cqe.dw0:#x}")


@row("T83/waiting", "Abort of a write that waits for data: one fate for each command")
def _(t):
    association = t.up()
    queue = association.io[0]
    queue.answer_r2t = False
    write = queue.send(
        wire.io(wire.WRITE, 1, 0, 128, dptr=wire.sgl_transport(65536)), give=bytes(65536)
    )
    while not write.r2ts:
        queue.step()
    abort = association.admin.must(wire.sqe(wire.ABORT, cdw=(write.cid << 16 | 1,)))
    if abort.cqe.dw0 & 1:
        for r2t in list(write.r2ts):
            queue.answer(write, r2t)
        queue.answer_r2t = True
        check(queue.wait(write).ok, str(write))
    else:
        queue.wait(write)
        check((write.cqe.sct, write.cqe.sc) == (0, 7), str(write))
    queue.answer_r2t = True
    t.still_works(queue)


row("T83/lone-queue", "an admin queue alone can be used by many hosts")(
    lambda t: [open_queue_and_ask(t) for _ in range(20)] and None
)


def open_queue_and_ask(t):
    queue = t.keep(open_queue(t.settings.stranger()))
    check(queue.connect().ok, "Connect")
    check(queue.get(wire.VS), "VS")
