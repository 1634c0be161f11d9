# SPDX-License-Identifier: BSD-2-Clause
"""T14-T28: rules of every PDU. The bad one is sent on a ready I/O queue unless said otherwise."""
import random

import wire
from bench import Closed, Either, Fatal, Fate, Status, Table, Varies, check

TABLE = Table()
row = TABLE.row
BLOCKS8 = bytes(range(256)) * 16  # 4096 bytes


def write_sqe(length=4096, cid=9, descriptor=None):
    return wire.with_cid(
        wire.io(wire.WRITE, 1, 0, length // 512, dptr=descriptor or wire.sgl_in_capsule(length)),
        cid,
    )


def bad_pdu(t, kind, body, data, over):
    """Builds it as agreed on the connection, then with something overridden."""
    queue = t.ready()
    return t.fate(queue.channel, queue.channel.build(kind, body, data, **over), cid=9)


def bad(ident, rule, expect, kind, body, data=b"", linux=None, **over):
    row(ident, rule, expect, args=(kind, body, data, over), linux=linux)(bad_pdu)


for kind in (0x08, 0x0A, 0x0B, 0x10, 0xFF):
    bad(f"T14/{kind:02X}h", "an unknown PDU type", Fatal(1, 0), kind, bytes(16))
for kind in (0x01, 0x03, 0x05, 0x07, 0x09):
    bad(
        f"T15/{kind:02X}h",
        f"{wire.NAMES[kind]} sent by a host",
        Fatal(1, 0),
        kind,
        bytes(wire.HLEN[kind] - 8),
    )

FLUSH = wire.with_cid(wire.sqe(wire.FLUSH, nsid=1), 9)
H2C = wire.data_body(9, 1, 0, 512)

for hlen in (0, 8, 71, 73, 255):
    bad(f"T16/cmd-{hlen}", f"CapsuleCmd with HLEN {hlen}", Fatal(1, 2), wire.CMD, FLUSH, hlen=hlen)
for hlen in (23, 25):
    bad(
        f"T16/h2c-{hlen}",
        f"H2CData with HLEN {hlen}",
        Fatal(1, 2),
        wire.H2C_DATA,
        H2C,
        bytes(512),
        hlen=hlen,
    )

PDO_UNSEEN = "PDO of a command is not looked at"
PLEN_UNSEEN = "PLEN of a command is not looked at"
bad(
    "T17/zero",
    "data, but PDO 0",
    Varies(Fatal(1, 3), Fatal(1, 4)),
    wire.CMD,
    write_sqe(),
    BLOCKS8,
    pdo=0,
    linux=PDO_UNSEEN,
)
bad(
    "T17/inside",
    "PDO within the header",
    Fatal(1, 3),
    wire.CMD,
    write_sqe(),
    BLOCKS8,
    pdo=68,
    linux=PDO_UNSEEN,
)
bad(
    "T17/beyond",
    "PDO beyond PLEN",
    Fatal(1, 3),
    wire.CMD,
    write_sqe(),
    bytes(64),
    pdo=248,
    linux=PDO_UNSEEN,
)
bad(
    "T17/odd",
    "PDO that is no multiple of 4",
    Fatal(1, 3),
    wire.CMD,
    write_sqe(),
    BLOCKS8,
    pdo=78,
    linux=PDO_UNSEEN,
)
bad(
    "T17/h2c",
    "H2CData with PDO within its header",
    Fatal(1, 3),
    wire.H2C_DATA,
    H2C,
    bytes(512),
    pdo=20,
)
bad("T18/short", "PLEN below HLEN", Fatal(1, 4), wire.CMD, FLUSH, plen=71, linux=PLEN_UNSEEN)
bad("T18/8", "PLEN 8", Fatal(1, 4), wire.CMD, FLUSH, plen=8, linux=PLEN_UNSEEN)
bad("T18/0", "PLEN 0", Fatal(1, 4), wire.CMD, FLUSH, plen=0, linux=PLEN_UNSEEN)
bad("T18/h2c-short", "H2CData with PLEN below HLEN", Fatal(1, 4), wire.H2C_DATA, H2C, plen=16)


def huge(t, kind, body):
    queue = t.ready()
    before = t.server.resident() if t.server else 0
    fate = t.fate(queue.channel, queue.channel.build(kind, body, bytes(64), plen=0xFFFFFFFF))
    after = t.server.resident() if t.server else 0
    check(after - before < 32 << 20, f"resident memory grew by {after - before} bytes")
    return fate


row(
    "T18/cmd-huge",
    "CapsuleCmd with PLEN 4 GiB - 1: refused from its first bytes",
    Fatal(1, 4),
    args=(wire.CMD, write_sqe()),
    linux=PLEN_UNSEEN,
)(huge)
row(
    "T18/h2c-huge",
    "H2CData with PLEN 4 GiB - 1: refused from its first bytes",
    Fatal(1, 4),
    args=(wire.H2C_DATA, H2C),
)(huge)

bad(
    "T19/flags-hlen",
    "flags and HLEN wrong: the lower offset",
    Fatal(1, 1),
    wire.CMD,
    FLUSH,
    hlen=70,
    flip_flags=0x80,
)
bad(
    "T19/type-all",
    "everything wrong: the lowest offset",
    Fatal(1, 0),
    0x0E,
    bytes(64),
    hlen=9,
    pdo=7,
    plen=3,
    flip_flags=0xFF,
)
bad(
    "T19/hlen-plen",
    "HLEN and PLEN wrong: the lower offset",
    Fatal(1, 2),
    wire.CMD,
    FLUSH,
    hlen=70,
    plen=4,
)
bad(
    "T19/pdo-plen",
    "PDO and PLEN wrong: the lower offset",
    Fatal(1, 3),
    wire.CMD,
    write_sqe(),
    BLOCKS8,
    pdo=5,
    plen=80,
    linux=PDO_UNSEEN,
)

for flag in (0x04, 0x08, 0x10, 0x80):
    bad(
        f"T20/cmd-{flag:02X}h",
        f"CapsuleCmd with flag {flag:02X}h",
        Fatal(1, 1),
        wire.CMD,
        FLUSH,
        flip_flags=flag,
        linux="flags are not looked at",
    )
bad(
    "T20/h2c-success",
    "H2CData with the SUCCESS flag",
    Fatal(1, 1),
    wire.H2C_DATA,
    H2C,
    bytes(512),
    flip_flags=wire.SUCCESS,
)


def digest_flag(t, hdgst, ddgst, flip):
    """The flag is turned over; the bytes stay as agreed."""
    queue = t.ready(hdgst=hdgst, ddgst=ddgst)
    check(queue.channel.hdgst == hdgst and queue.channel.ddgst == ddgst, "digests were not granted")
    return t.fate(
        queue.channel, queue.channel.build(wire.CMD, write_sqe(), BLOCKS8, flip_flags=flip), cid=9
    )


row(
    "T20/hdgst-extra",
    "HDGSTF though no header digest was agreed",
    Fatal(1, 1),
    args=(False, False, wire.HDGSTF),
    linux="the flag is ignored",
)(digest_flag)
row(
    "T20/ddgst-extra",
    "DDGSTF though no data digest was agreed",
    Fatal(1, 1),
    args=(False, False, wire.DDGSTF),
    linux="the flag is ignored",
)(digest_flag)
row(
    "T20/hdgst-missing",
    "no HDGSTF though a header digest was agreed",
    Fatal(1, 1),
    args=(True, False, wire.HDGSTF),
)(digest_flag)
row(
    "T20/ddgst-missing",
    "no DDGSTF though a data digest was agreed",
    Fatal(1, 1),
    args=(False, True, wire.DDGSTF),
)(digest_flag)


def wrong_header_digest(t, kind, body, data):
    queue = t.ready(hdgst=True)
    fate = t.fate(queue.channel, queue.channel.build(kind, body, data, hdgst_value=0xDEADBEEF))
    if fate.how == "term":
        check(
            fate.pdu.fes == 3 and fate.pdu.fei == 0xDEADBEEF,
            f"got {fate}, the digest was 0xdeadbeef",
        )
    return fate


row(
    "T21/cmd",
    "a wrong header digest of a command: FES 3, FEI the digest received",
    Fatal(3, 0xDEADBEEF),
    args=(wire.CMD, FLUSH, b""),
)(wrong_header_digest)
row(
    "T21/write",
    "the same with data in the capsule",
    Fatal(3, 0xDEADBEEF),
    args=(wire.CMD, write_sqe(), BLOCKS8),
)(wrong_header_digest)
row(
    "T21/h2c",
    "a wrong header digest of H2CData",
    Fatal(3, 0xDEADBEEF),
    args=(wire.H2C_DATA, H2C, bytes(512)),
)(wrong_header_digest)


@row(
    "T22",
    "a wrong data digest in a capsule: that write alone fails, nothing is written, the queue lives",
    Status(0, 0x22),
    linux="the connection is closed",
)
def _(t):
    queue = t.ready(ddgst=True)
    good = random.Random(22).randbytes(4096)
    check(queue.write(1, 200, good, in_capsule=True).ok, "the first write")
    entry = wire.io(wire.WRITE, 1, 200, 8, dptr=wire.sgl_in_capsule(4096))
    bad_write = queue.run(entry, in_capsule=bytes(4096), ddgst_value=0x12345678)
    check(queue.read(1, 200, 8).data == good, "the corrupt data was written")
    t.still_works(queue)
    return bad_write


def corrupt_part(t, which):
    queue = t.ready(ddgst=True)
    size = 65536
    good, worse = random.Random(23).randbytes(size), random.Random(24).randbytes(size)
    check(queue.write(1, 300, good, in_capsule=False).ok, "the first write")
    queue.answer_r2t = False
    write = queue.send(wire.io(wire.WRITE, 1, 300, 128, dptr=wire.sgl_transport(size)), give=worse)
    while write.asked < size and not write.done:
        queue.step()
        for r2t in write.r2ts:
            for part in range(4):
                step = r2t.length // 4
                over = {"ddgst_value": 0xBAD} if part == which else {}
                queue.h2c(write, r2t, r2t.offset + part * step, step, last=part == 3, **over)
        write.r2ts.clear()
    queue.wait(write)
    queue.answer_r2t = True
    check(queue.read(1, 300, 128).data == good, "corrupt data was written")
    t.still_works(queue)
    return write


for part, name in ((0, "first"), (1, "middle"), (3, "last")):
    row(
        f"T23/{name}",
        f"a wrong data digest in the {name} of four H2CData: that write alone fails, unwritten",
        Status(0, 0x22),
        args=(part,),
        linux="the connection is closed",
    )(corrupt_part)


def peer_terminates(t, fes, data):
    association = t.up()
    queue = association.io[0]
    queue.answer_r2t = False
    queue.send(wire.io(wire.WRITE, 1, 0, 128, dptr=wire.sgl_transport(65536)), give=bytes(65536))
    queue.quiet()
    fate = t.fate(queue.channel, wire.pdu(wire.H2C_TERM, wire.term_body(fes, 4), data))
    t.newcomer_works()
    return fate


for fes in (1, 2, 3, 4, 5, 6, 0xFFFF):
    row(
        f"T24/{fes}",
        f"H2CTermReq with FES {fes} while a write waits: closed, nothing is sent",
        Closed(),
        args=(fes, bytes(24)),
    )(peer_terminates)
row("T24/128", "H2CTermReq with 128 bytes of error data", Closed(), args=(1, bytes(128)))(
    peer_terminates
)

for plen in (23, 153, 0xFFFFFFFF):
    bad(
        f"T25/{plen}",
        f"H2CTermReq with PLEN {plen}: closed at once, no TermReq in return",
        Closed(),
        wire.H2C_TERM,
        wire.term_body(1),
        bytes(128),
        plen=plen,
    )


@row(
    "T26",
    "C2HTermReq: HLEN 24, flags 0, PDO 0, and the header that was wrong as its data",
    Fatal(1, 2),
)
def _(t):
    queue = t.ready()
    sent = queue.channel.build(wire.CMD, FLUSH, hlen=70)
    fate = t.fate(queue.channel, sent)
    if fate.how == "term":
        check(fate.pdu.hlen == 24 and not fate.pdu.flags and not fate.pdu.pdo, fate.pdu.head.hex())
        check(24 < fate.pdu.plen <= 152, f"PLEN {fate.pdu.plen}")
    return fate


@row(
    "T26/lingers-not",
    "after its C2HTermReq the target closes, also when the host does not",
    Closed(),
    linux="it closes without a TermReq",
)
def _(t):
    queue = t.ready()
    fate = t.fate(queue.channel, queue.channel.build(wire.CMD, FLUSH, hlen=70))
    check(fate.how == "term", f"got {fate}")
    return Fate(queue.channel.wait_closed(35))


@row("T27", "every response: HLEN 24, PDO 0, PLEN 24 or 28, no data digest flag")
def _(t):
    queue = t.ready(hdgst=True, ddgst=True)
    for entry in (
        wire.sqe(wire.FLUSH, nsid=1),
        wire.sqe(0x7D, nsid=1),
        wire.sqe(wire.FLUSH, nsid=77),
    ):
        queue.run(entry)  # the channel judges every PDU


@row("T28", "data digest agreed, a capsule without data and without the flag: accepted")
def _(t):
    queue = t.ready(ddgst=True)
    check(queue.run(wire.sqe(wire.FLUSH, nsid=1)).ok, "Flush")
    t.still_works(queue)


@row(
    "T28/flag",
    "data digest agreed, DDGSTF on a capsule without data",
    Varies(Either(Fatal(1, 1), Fatal(1, 4)), Status(0, 0)),
)
def _(t):
    queue = t.ready(ddgst=True)
    entry = queue.channel.build(wire.CMD, FLUSH, flip_flags=wire.DDGSTF)
    return t.fate(queue.channel, entry, cid=9)
