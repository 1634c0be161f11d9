# SPDX-License-Identifier: BSD-2-Clause
"""T01-T13: connection setup."""
import time

import host
import wire
from bench import Closed, Either, Fatal, Fate, Table, Varies, check
from channel import Gone, Silence

TABLE = Table()
row = TABLE.row


@row("T01", "a plain ICReq is answered by a legal ICResp of 128 bytes")
def _(t):
    queue = t.queue()
    check(len(queue.icresp.raw) == 128, f"ICResp of {len(queue.icresp.raw)} bytes")


@row("T02", "CPDA is 0 to 31, MAXH2CDATA at least 4096 and a multiple of 4")
def _(t):
    answer = t.queue().icresp
    check(
        answer.pda <= 31 and answer.limit >= 4096 and answer.limit % 4 == 0, str(answer.head.hex())
    )


def digests(t, hdgst, ddgst):
    queue = t.ready(hdgst=hdgst, ddgst=ddgst)
    asked = hdgst | ddgst << 1
    check(
        queue.icresp.digests & ~asked == 0, f"asked for digests {asked}, got {queue.icresp.digests}"
    )
    check(not t.strict or queue.icresp.digests == asked, f"digests {asked} asked for, not granted")
    t.still_works(queue)


for name, header, data in (
    ("none", False, False),
    ("header", True, False),
    ("data", False, True),
    ("both", True, True),
):
    row(
        f"T03/{name}",
        f"digests asked for: {name}; those are used and no others, and they are right",
        args=(header, data),
    )(digests)


def alignment(t, hpda, both):
    changes = {"hdgst": True, "ddgst": True} if both else {}
    queue = t.ready(hpda=hpda, **changes)
    t.still_works(queue)
    found = queue.read(1, 0, 128)
    check(found.ok and all(p.pdo % ((hpda + 1) * 4) == 0 for p in found.pdus), f"{found}")


for pda in (0, 1, 15, 31):
    refused = "HPDA above 0 is not supported: closed" if pda else None
    row(
        f"T04/{pda}",
        f"HPDA {pda}: data sent to the host begins at a multiple of {4 * (pda + 1)}",
        args=(pda, False),
        linux=refused,
    )(alignment)
    row(f"T04/{pda}-digests", f"HPDA {pda} with both digests", args=(pda, True), linux=refused)(
        alignment
    )


def bad_icreq(t, over):
    channel = t.dial()
    return t.fate(channel, host.icreq(t.settings, **over))


row("T05", "HPDA 32 is refused", Fatal(1, 10), args=({"pda": 32},))(bad_icreq)
row("T05/255", "HPDA 255 is refused", Fatal(1, 10), args=({"pda": 255},))(bad_icreq)
row(
    "T05/dgst",
    "reserved bits of DGST are refused",
    Fatal(1, 11),
    args=({"digests": 4},),
    linux="reserved bits are ignored",
)(bad_icreq)
row("T06", "PFV 1 is refused", Varies(Fatal(6, 8), Fatal(1, 8)), args=({"pfv": 1},))(bad_icreq)
row(
    "T07/flags",
    "flags in ICReq",
    Fatal(1, 1),
    args=({"flags": 1},),
    linux="flags are not looked at",
)(bad_icreq)
row("T07/hlen", "HLEN 127 in ICReq", Fatal(1, 2), args=({"hlen": 127},))(bad_icreq)
row("T07/pdo", "PDO 4 in ICReq", Fatal(1, 3), args=({"pdo": 4},), linux="PDO is not looked at")(
    bad_icreq
)
row("T07/plen", "PLEN 132 in ICReq", Fatal(1, 4), args=({"plen": 132},))(bad_icreq)
row("T07/plen-0", "PLEN 0 in ICReq", Fatal(1, 4), args=({"plen": 0},))(bad_icreq)
row("T07/plen-huge", "PLEN 4 GiB - 1 in ICReq", Fatal(1, 4), args=({"plen": 0xFFFFFFFF},))(
    bad_icreq
)


@row("T08", "a command capsule as the first PDU: out of sequence, not run", Fatal(2))
def _(t):
    data = wire.connect_data(
        hostid=t.settings.hostid, subnqn=t.settings.subnqn, hostnqn=t.settings.hostnqn
    )
    return t.fate(t.dial(), wire.pdu(wire.CMD, wire.connect(1), data))


@row("T08/h2cdata", "H2CData as the first PDU", Fatal(2))
def _(t):
    return t.fate(
        t.dial(), wire.pdu(wire.H2C_DATA, wire.data_body(0, 0, 0, 4), b"abcd", flags=wire.LAST)
    )


@row("T08/term", "H2CTermReq as the first PDU: closed without an answer", Closed())
def _(t):
    return t.fate(t.dial(), wire.pdu(wire.H2C_TERM, wire.term_body(2)))


for name, garbage in (
    ("http", b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: hostile\r\n\r\n"),
    ("tls", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(505)),
    ("zeros", bytes(200)),
    ("ones", b"\xff" * 200),
):
    row(
        f"T08/{name}",
        f"a first PDU that is {name}: refused, no waiting for more",
        Either(Fatal(1), Fatal(2)),
        args=(garbage,),
    )(lambda t, raw: t.fate(t.dial(), raw))


@row("T09", "a second ICReq on a live queue: out of sequence", Varies(Fatal(2), Fatal(1, 0)))
def _(t):
    queue = t.ready()
    return t.fate(queue.channel, host.icreq(t.settings))


@row("T09/early", "a second ICReq before Connect", Varies(Fatal(2), Fatal(1, 0)))
def _(t):
    queue = t.queue()
    return t.fate(queue.channel, host.icreq(t.settings))


# ---- T10: what never gets on ---------------------------------------------------------------------

BOUND = 25.0  # the documented limits are 10 s each for the IC exchange and for Connect


def until_closed(t, channel):
    """Nothing more is said by us: the target has to end it."""
    try:
        pdu = channel.recv(BOUND)
        fate = Fate("term", pdu) if pdu.type == wire.C2H_TERM else Fate(f"got {pdu}")
        channel.wait_closed(BOUND)
        return fate
    except Gone as gone:
        return Fate(gone.how)
    except Silence:
        return Fate("silence")


def silent(t, begin):
    channel = t.dial()
    channel.send(begin)
    return until_closed(t, channel)


for name, begin in (
    ("nothing", b""),
    ("7 bytes", bytes([0, 0, 128, 0, 128, 0, 0])),
    ("100 bytes", wire.pdu(wire.ICREQ, wire.ic_body())[:100]),
):
    row(
        f"T10/{name.replace(' ', '-')}",
        f"a connection that sends {name} of an ICReq is ended in time",
        Either(Closed(), Fatal()),
        slow=True,
        args=(begin,),
        linux="never ended" if name != "nothing" else "never ended",
    )(silent)


@row(
    "T10/no-connect",
    "a connection without Connect is ended in time",
    Either(Closed(), Fatal()),
    slow=True,
    linux="never ended",
)
def _(t):
    return until_closed(t, t.queue().channel)


@row(
    "T10/half-connect",
    "half a Connect command, then nothing: ended in time",
    Either(Closed(), Fatal()),
    slow=True,
    linux="never ended",
)
def _(t):
    queue = t.queue()
    queue.channel.send(queue.channel.build(wire.CMD, wire.connect(1), bytes(1024))[:600])
    return until_closed(t, queue.channel)


@row(
    "T10/drip",
    "an ICReq at one byte in 0.5 s is ended in time, or served",
    slow=True,
    linux="served slowly, whatever it takes",
)
def _(t):
    channel, begun = t.dial(), time.monotonic()
    for byte in host.icreq(t.settings):
        try:
            channel.send(bytes([byte]))
            channel.recv(0.5)
        except Silence:
            pass
        except Gone:
            break
        if time.monotonic() - begun > BOUND:
            check(False, f"still open after {BOUND} s")


@row("T11/bytes", "ICReq, Connect and a write in segments of one byte work")
def _(t):
    channel = t.dial()
    for byte in host.icreq(t.settings):
        channel.send(bytes([byte]))
    queue = host.Queue(channel, t.settings, host.take_icresp(channel, t.settings))
    send = channel.send

    def dribble(raw):
        for byte in raw:
            send(bytes([byte]))

    channel.send = dribble
    check(queue.connect().ok, "Connect")
    queue.enable()
    check(queue.identify(1)[111] in (0, 1), "Identify")


@row("T11/joined", "ICReq and Connect in one segment work")
def _(t):
    plain = t.settings.but(hdgst=False, ddgst=False)
    align = (t.queue().icresp.pda + 1) * 4  # CPDA as it is known from before
    channel = t.dial()
    data = wire.connect_data(hostid=plain.hostid, subnqn=plain.subnqn, hostnqn=plain.hostnqn)
    channel.send(host.icreq(plain) + wire.pdu(wire.CMD, wire.connect(1), data, align=align))
    host.take_icresp(channel, plain)
    answer = channel.recv()
    check(answer.type == wire.RESP and answer.cqe.ok, f"Connect: {answer}")


def outstanding_r2ts(t, maxr2t):
    queue = t.ready(maxr2t=maxr2t)
    queue.answer_r2t = False
    data = bytes(range(256)) * 256
    entry = wire.io(wire.WRITE, 1, 0, 128, dptr=wire.sgl_transport(len(data)))
    writes = [queue.send(entry, give=data) for _ in range(4)]
    queue.quiet()  # take_r2t judges how many are out
    check(all(w.r2ts for w in writes), "no R2T for one of four writes")
    queue.answer_r2t = True
    for write in writes:
        for r2t in list(write.r2ts):
            queue.answer(write, r2t)
    check(all(queue.wait(w).ok for w in writes), "a write failed")
    check(all(w.asked == len(data) for w in writes), "R2Ts did not ask for all of the data")


for limit in (0, 3, 65535, 0xFFFFFFFF):
    row(f"T12/{limit}", f"MAXR2T {limit}: accepted, and never exceeded", args=(limit,))(
        outstanding_r2ts
    )


def churn(t, stage):
    before = t.server.descriptors() if t.server else None
    for _ in range(200):
        if stage == "tcp":
            channel = host.dial(t.settings)
        else:
            queue = host.open_queue(t.settings)
            channel = queue.channel
            if stage == "connect":
                check(queue.connect().ok, "Connect")
        channel.reset()
    t.newcomer_works()
    if before is None:
        return
    # The last resets may still be on their way: the server has handled them when its count is back.
    end = time.monotonic() + 10
    while t.server.descriptors() > before + 8:
        check(time.monotonic() < end, f"{t.server.descriptors()} descriptors, {before} before")
        t.newcomer_works()


for stage in ("tcp", "ic", "connect"):
    row(
        f"T13/{stage}",
        f"200 connections reset at the stage {stage}: a normal host works, nothing is left",
        args=(stage,),
    )(churn)
