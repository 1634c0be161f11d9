# SPDX-License-Identifier: BSD-2-Clause
"""T49-T67: Connect and queues."""
import wire
from bench import Either, Fatal, Refused, Skip, Status, Table, Varies, check
from channel import Gone
from host import open_queue

TABLE = Table()
row = TABLE.row
SEQUENCE_ERROR = Status(0, 0x0C)
INVALID = (1, 0x82)  # Connect Invalid Parameters
SQE, DATA = 0, 1  # IATTR

for name, entry in (
    ("identify", wire.identify(1)),
    ("property-get", wire.property_get(wire.CAP, 8)),
    ("property-set", wire.property_set(wire.CC, wire.CC_ENABLE)),
    ("read", wire.io(wire.READ, 1, 0, 1, dptr=wire.sgl_transport(512))),
    ("keep-alive", wire.sqe(wire.KEEP_ALIVE)),
    ("disconnect", wire.disconnect()),
):
    row(
        f"T49/{name}",
        f"{name} before Connect: not executed",
        Varies(SEQUENCE_ERROR, Status(0, 1), Status(0, 2), Fatal()),
        args=(entry,),
    )(lambda t, e: t.queue().run(e))


@row("T50", "a second Connect on a live admin queue", Varies(SEQUENCE_ERROR, Status(0, 1)))
def _(t):
    queue = t.up(io=0).admin
    again = queue.run(
        wire.connect(),
        in_capsule=wire.connect_data(
            hostid=t.settings.hostid, subnqn=t.settings.subnqn, hostnqn=t.settings.hostnqn
        ),
    )
    queue.identify(1)
    return again


@row("T50/io", "a second Connect on a live I/O queue", Either(SEQUENCE_ERROR, Status(0, 1)))
def _(t):
    association = t.up()
    queue = association.io[0]
    again = queue.run(
        wire.connect(qid=1),
        in_capsule=wire.connect_data(
            hostid=t.settings.hostid,
            subnqn=t.settings.subnqn,
            hostnqn=t.settings.hostnqn,
            cntlid=association.cntlid,
        ),
    )
    t.still_works(queue)
    return again


def refused_connect(t, fields):
    """Connect on a new connection, with those fields; afterwards a normal host has to get in."""
    answer = t.queue().connect(**fields)
    t.newcomer_works()
    return answer


def bad(ident, rule, expect, linux=None, **fields):
    row(ident, rule, expect, args=(fields,), linux=linux)(refused_connect)


def invalid(iattr, ipo):
    return Status(*INVALID, iattr=iattr, ipo=ipo)


bad(
    "T51",
    "RECFMT 1: incompatible format, 0 is what is supported",
    Status(1, 0x80, iattr=0, ipo=0),
    recfmt=1,
)
bad("T52", "an unknown subsystem", invalid(DATA, 256), subnqn="nqn.2024-01.org.example:nobody")
bad("T52/empty", "no subsystem NQN", invalid(DATA, 256), subnqn="")
bad(
    "T52/endless",
    "a subsystem NQN without its end",
    invalid(DATA, 256),
    subnqn=b"nqn." + b"a" * 252,
)
bad("T52/long", "a subsystem NQN of 224 bytes", invalid(DATA, 256), subnqn=b"nqn." + b"a" * 220)
bad(
    "T52/case",
    "the subsystem NQN in another case",
    invalid(DATA, 256),
    subnqn="NQN.2024-01.org.example:x",
)
for name, nqn in (
    ("empty", b""),
    ("endless", b"nqn." + b"a" * 252),
    ("long", b"nqn." + b"a" * 220),
    ("no-nqn", b"iqn.2024-01.org.example:host"),
    ("bytes", b"\x01\x02\x03"),
):
    bad(
        f"T53/{name}",
        f"a host NQN that is not one: {name}",
        invalid(DATA, 512),
        hostnqn=nqn,
        linux="accepted",
    )
bad("T54", "a host ID of zeros", invalid(DATA, 0), hostid=bytes(16), linux="accepted")


@row("T55", "a host that is not on the allow list", Status(1, 0x84))
def _(t):
    friend = t.settings.stranger()
    private = t.extra("--ns", "ram:8M", "--allow-host", friend.hostnqn)[0]
    t.up(settings=private.but(hostnqn=friend.hostnqn, hostid=friend.hostid))
    stranger = private.stranger()
    return t.keep(open_queue(stranger)).connect()


bad("T56/1", "CNTLID 1 on the admin queue of a dynamic controller", invalid(DATA, 16), cntlid=1)
bad(
    "T56/FFFEh",
    "CNTLID FFFEh on the admin queue of a dynamic controller",
    invalid(DATA, 16),
    cntlid=0xFFFE,
)
bad("T57/0", "SQSIZE 0 on the admin queue", invalid(SQE, 44), sqsize=0)
bad(
    "T57/short",
    "Connect data of 512 bytes",
    Either(Status(0, 0x0F), Status(1, 0x82), Status(0, 2)),
    data=bytes(512),
    length=512,
)
bad("T57/kind", "Connect with QID 9 and CNTLID FFFFh", Status(1, 0x82), qid=9)


@row("T57/io-0", "SQSIZE 0 on an I/O queue", invalid(SQE, 44))
def _(t):
    return second_queue(t, sqsize=0)


@row("T57/mqes", "SQSIZE above MQES on an I/O queue", invalid(SQE, 44))
def _(t):
    return second_queue(t, sqsize=lambda a: (a.admin.cap & 0xFFFF) + 1)


def second_queue(t, **fields):
    """Connect of I/O queue 2 of 2, with those fields changed; queue 1 lives on."""
    association = t.up(io=0)
    association.granted = (
        association.admin.must(wire.set_features(7, 0x10001)).cqe.dw0 & 0xFFFF
    ) + 1
    association.add_queue(1)
    queue = t.keep(open_queue(t.settings))
    fields = {k: v(association) if callable(v) else v for k, v in fields.items()}
    answer = queue.connect(**({"qid": 2, "cntlid": association.cntlid} | fields))
    t.still_works(association.io[0])
    return answer


@row(
    "T58", "CNTLIDs are at most FFEFh, distinct, those of Identify; SQHD is FFFFh only as asked for"
)
def _(t):
    found = []
    for flow in (True, False, True, False):
        queue = t.keep(open_queue(t.settings.but(sq_flow=flow)))
        answer = queue.connect()
        check(answer.ok, str(answer))
        check(not flow or answer.cqe.sqhd != 0xFFFF, "SQHD FFFFh while SQ flow control is on")
        queue.enable()
        check(wire.get(queue.identify(1), 78, 2) == queue.cntlid, "Identify has another CNTLID")
        found.append(queue.cntlid)
    check(len(set(found)) == 4 and max(found) <= 0xFFEF, f"CNTLIDs {found}")


@row(
    "T59",
    "an I/O queue before the controller is enabled",
    Either(SEQUENCE_ERROR, Status(1, 0x82)),
    linux="accepted",
)
def _(t):
    association = t.up(io=0, enable=False)
    return t.keep(open_queue(t.settings)).connect(1, cntlid=association.cntlid)


OTHER = "nqn.2014-08.org.nvmexpress:uuid:11111111-1111-4111-8111-111111111111"
row(
    "T60/hostnqn",
    "an I/O queue with another host NQN",
    Varies(invalid(DATA, 512), invalid(DATA, 16), Status(1, 0x84)),
)(lambda t: second_queue(t, hostnqn=OTHER))
row("T60/hostid", "an I/O queue with another host ID", invalid(DATA, 0), linux="accepted")(
    lambda t: second_queue(t, hostid=bytes(range(1, 17)))
)
row("T60/subnqn", "an I/O queue with another subsystem NQN", invalid(DATA, 256))(
    lambda t: second_queue(t, subnqn="nqn.2024-01.org.example:nobody")
)
row("T60/cntlid", "an I/O queue of a controller that is not there", invalid(DATA, 16))(
    lambda t: second_queue(t, cntlid=0xFFE0)
)
row("T60/cntlid-FFFFh", "an I/O queue with CNTLID FFFFh", invalid(DATA, 16))(
    lambda t: second_queue(t, cntlid=0xFFFF)
)
row("T60/kato", "an I/O queue with KATO", Either(invalid(SQE, 48), Status(0, 0)))(
    lambda t: second_queue(t, kato=5000)
)
row("T61/beyond", "a QID beyond the granted count", Refused())(
    lambda t: second_queue(t, qid=lambda a: a.granted + 1)
)
row("T61/in-use", "a QID in use: refused, the first queue works on", Refused())(
    lambda t: second_queue(t, qid=1)
)
row("T61/FFFFh", "QID FFFFh", Refused())(lambda t: second_queue(t, qid=0xFFFF))


@row(
    "T61/no-features",
    "an I/O queue without a number of queues asked for",
    Varies(SEQUENCE_ERROR, Status(1, 0x82), Status(0, 0)),
)
def _(t):
    association = t.up(io=0)
    return t.keep(open_queue(t.settings)).connect(1, cntlid=association.cntlid)


@row("T62/digests", "queues of one controller with different digests and alignments work")
def _(t):
    association = t.up(io=0)
    check(association.admin.run(wire.set_features(7, 0x30003)).ok, "Set Features")
    for qid, (h, d, pda) in enumerate(((0, 0, 0), (1, 0, 3), (0, 1, 7), (1, 1, 31)), 1):
        pda = pda if t.strict else 0  # Linux knows HPDA 0 only
        queue = association.add_queue(qid, t.settings.but(hdgst=bool(h), ddgst=bool(d), hpda=pda))
        t.still_works(queue)


@row(
    "T62/listener",
    "an I/O queue by another listener of the same subsystem: works, or is refused",
    Either(Status(0, 0), Refused()),
)
def _(t):
    if t.second is None:
        raise Skip("the target has one listener")
    association = t.up(io=0)
    check(association.admin.run(wire.set_features(7, 0)).ok, "Set Features")
    queue = t.keep(open_queue(t.second))
    answer = queue.connect(1, cntlid=association.cntlid)
    if answer.ok:
        t.still_works(queue)
    association.admin.identify(1)
    return answer


@row("T63", "Number of Queues: at least one is granted")
def _(t):
    association = t.up(io=0)
    for asked in (0, 7, 0xFFFE):
        answer = association.admin.run(wire.set_features(7, asked | asked << 16))
        check(answer.ok and answer.cqe.dw0 & 0xFFFF < 0xFFFF, f"{asked + 1} asked for: {answer}")


row("T63/FFFFh", "a count of FFFFh", Status(0, 2))(
    lambda t: t.up(io=0).admin.run(wire.set_features(7, 0xFFFFFFFF))
)


@row("T63/late", "the number of queues does not change while there are queues")
def _(t):
    association = t.up()
    answer = association.admin.run(wire.set_features(7, 0x70007))
    if answer.ok:
        check(
            (answer.cqe.dw0 & 0xFFFF) + 1 == association.granted, f"{answer.cqe.dw0:#x} granted now"
        )
    now = association.admin.must(wire.get_features(7)).cqe.dw0
    check((now & 0xFFFF) + 1 == association.granted, f"Get Features: {now:#x}")


@row(
    "T64/io",
    "Disconnect on an I/O queue: success and the end of that queue, if OFCS says so",
    linux="OFCS says no",
)
def _(t):
    association = t.up(io=2)
    if not wire.get(association.idctrl, 1804, 2) & 1:
        raise Skip("OFCS: no Disconnect")
    queue = association.io[0]
    check(queue.run(wire.disconnect()).ok, "Disconnect")
    queue.channel.wait_closed(5)
    t.still_works(association.io[1])
    association.add_queue(1)
    t.still_works(association.io[2])


row(
    "T64/admin",
    "Disconnect on the admin queue",
    Varies(Status(1, 0x85), Status(0, 1), Status(0, 2)),
)(lambda t: t.up(io=0).admin.run(wire.disconnect()))
row("T64/recfmt", "Disconnect with RECFMT 1", Refused())(
    lambda t: t.ready().run(wire.disconnect(recfmt=1))
)


def full_queue(t, flow):
    """Queue size - 1 writes that all wait for data."""
    size = 8
    queue = t.ready(sqsize=size - 1, sq_flow=flow)
    queue.answer_r2t = False
    data = bytes(range(256)) * 128
    entry = wire.io(wire.WRITE, 1, 700, 64, dptr=wire.sgl_transport(len(data)))
    writes = [queue.send(entry, give=data) for _ in range(size - 1)]
    while not all(w.r2ts for w in writes):
        queue.step()
    queue.answer_r2t = True
    for write in reversed(writes):
        for r2t in list(write.r2ts):
            queue.answer(write, r2t)
    check(all(queue.wait(w).ok for w in writes), "a write failed")
    if queue.no_sq_flow:
        return
    for count in (1, 2, size, 3):
        before = queue.sqhds[-1]
        for _ in range(count):
            check(queue.run(wire.sqe(wire.FLUSH, nsid=1)).ok, "Flush")
        check(queue.sqhds[-1] == (before + count) % size, f"SQHD {before}, {queue.sqhds[-count:]}")
    check(max(queue.sqhds) < size, f"SQHD {queue.sqhds}")


row("T65", "a full queue completes; SQHD counts modulo its size", args=(True,))(full_queue)
row("T65/no-flow", "a full queue without SQ flow control", args=(False,))(full_queue)


@row("T66", "64 commands on a queue of two entries: errors or the end, and others live")
def _(t):
    association = t.up(io=0)
    check(association.admin.run(wire.set_features(7, 0)).ok, "Set Features")
    queue = association.add_queue(1, t.settings.but(sqsize=1))
    data = bytes(32768)
    entry = wire.io(wire.WRITE, 1, 700, 64, dptr=wire.sgl_transport(len(data)))
    try:
        writes = [queue.send(entry, give=data) for _ in range(64)]
        for write in writes:
            queue.wait(write, 2)
    except Gone:
        pass
    except Exception as error:
        check("C2HTermReq" in str(error), f"{error}")
    t.newcomer_works()


@row(
    "T67",
    "a CID that is in use: Command ID Conflict, and the first command is not touched",
    Varies(Status(0, 3), Fatal()),
    linux="both commands run",
)
def _(t):
    queue = t.ready()
    queue.answer_r2t = False
    data = bytes(range(256)) * 128
    entry = wire.io(wire.WRITE, 1, 800, 64, dptr=wire.sgl_transport(len(data)))
    write = queue.send(entry, give=data)
    while not write.r2ts:
        queue.step()
    fate = t.fate(
        queue.channel,
        queue.channel.build(wire.CMD, wire.with_cid(wire.sqe(wire.FLUSH, nsid=1), write.cid)),
        cid=write.cid,
    )
    if fate.cqe is not None:
        queue.answer_r2t = True
        for r2t in list(write.r2ts):
            queue.answer(write, r2t)
        check(queue.wait(write).ok, f"the first command: {write}")
        check(queue.read(1, 800, 64).data == data, "the first command's data")
    return fate
