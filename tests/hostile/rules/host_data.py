# SPDX-License-Identifier: BSD-2-Clause
"""H16-H23: C2HData, responses, digests, TermReq, PDUs that are none."""
import os
import tempfile

import wire
from bench import Table, check
from hosting import EndsJson
from link import Reply

from .host_common import CONNECT, FLUSH, READ, WRITE, close, once, raw, response

TABLE = Table()
row = TABLE.row
IO, BROKE, CLOSED = 18, 20, 21


def lived(target):
    """The host could still shut the controller down: the admin connection lived."""
    return any(c.cc >> 14 & 3 == 1 for c in target.controllers.values())


# ---- H16-H18: C2HData --------------------------------------------------------------------------


def parts(*pieces, cqe=True, **over):
    """C2HData of (offset, length, last); `over` for the last of them."""

    def bend(link, reply):
        reply.raw = b""
        for number, (offset, size, last) in enumerate(pieces):
            more = dict(over) if number == len(pieces) - 1 else {}
            cid = more.pop("cid", lambda c: c)(reply.cid)
            reply.raw += link.c2h(cid, offset, bytes(size), last=last, **more)
        reply.raw += link.response(reply) if cqe else b""

    return bend


def bad_read(t, bend, arguments=()):
    return t.run(t.target({"read": bend}), *READ, *arguments)


def data_row(ident, rule, term, bend, says=("c2h-data",)):
    row(ident, rule, EndsJson(BROKE, term=term, says=says), args=(bend,))(bad_read)


data_row(
    "H16/unknown",
    "C2HData for a CID that is not there",
    (1, 8),
    parts((0, 4096, True), cid=lambda c: c ^ 0x1000),
)
data_row("H16/beyond", "C2HData beyond the buffer", (4, None), parts((0, 8192, True)))
data_row("H16/offset", "C2HData that begins beyond the buffer", (4, None), parts((8192, 512, True)))
data_row("H16/wrap", "DATAO + DATAL beyond 4 GiB", (4, None), parts((0xFFFFFF00, 512, True)))
data_row("H16/huge", "C2HData with PLEN 4 GiB - 1", (1, 4), parts((0, 4096, True), plen=0xFFFFFFFF))
data_row("H16/gap", "a gap", ((2, 4), None), parts((0, 1024, False), (2048, 2048, True)))
data_row(
    "H16/first-gap", "data that does not begin at 0", ((2, 4), None), parts((2048, 2048, True))
)
data_row(
    "H16/overlap", "overlapping data", ((2, 4), None), parts((0, 2048, False), (1024, 3072, True))
)
data_row(
    "H16/repeat", "the same data twice", ((2, 4), None), parts((0, 2048, False), (0, 2048, False))
)
data_row("H16/last-missing", "all the data and no LAST_PDU", (2, None), parts((0, 4096, False)))
data_row(
    "H16/datal-more", "DATAL above what PLEN carries", (1, 16), parts((0, 2048, True), datal=4096)
)
data_row(
    "H16/datal-less", "DATAL below what PLEN carries", (1, 16), parts((0, 4096, True), datal=2048)
)
data_row("H16/none", "C2HData without data", ((1, 2, 4), None), parts((0, 0, True)))
row(
    "H16/last-early",
    "LAST_PDU before the end: the command fails, or the connection ends",
    EndsJson(IO, BROKE, term="any"),
    args=(parts((0, 2048, True)),),
)(bad_read)
row("H16/parts", "data in parts of 100 bytes is right", EndsJson(0))(
    lambda t: bad_read(
        t, parts(*((at, min(100, 4096 - at), at + 100 >= 4096) for at in range(0, 4096, 100)))
    )
)


@row("H16/write", "C2HData for a write", EndsJson(BROKE, term=((1, 2), None)))
def _(t):
    def bend(link, reply):
        reply.raw = link.c2h(reply.cid, 0, bytes(4096))

    return t.run(t.target({"write": bend}), *WRITE)


data_row(
    "H17", "SUCCESS without LAST_PDU", (1, 1), parts((0, 4096, False), cqe=False, success=True)
)
row("H17/right", "SUCCESS with LAST_PDU while SQ flow control is off is right", EndsJson(0))(
    lambda t: bad_read(t, parts((0, 4096, True), cqe=False, success=True), ("--disable-sqflow",))
)


@row("H17/both", "SUCCESS, and then a response all the same", EndsJson(0, BROKE, term="any"))
def _(t):
    return bad_read(t, parts((0, 4096, True), success=True), ("--disable-sqflow",))


@row(
    "H18/none",
    "a good completion without any data: the command fails",
    EndsJson(IO, BROKE, term="any"),
)
def _(t):
    return bad_read(t, parts())


@row(
    "H18/half",
    "a good completion after half the data: the command fails",
    EndsJson(IO, BROKE, term="any"),
)
def _(t):
    return bad_read(t, parts((0, 2048, False)))


# ---- H19-H23: responses, digests, ends ---------------------------------------------------------


def other_cid(link, reply):
    reply.raw = link.response(Reply(cid=reply.cid ^ 0x1000))


def twice(link, reply):
    reply.raw = link.answer_bytes(reply) + link.response(reply)


UNKNOWN_CID = ((1, 2), None)
row("H19/unknown", "a response for a CID that is not there", EndsJson(BROKE, term=UNKNOWN_CID))(
    lambda t: bad_read(t, other_cid)
)
row("H19/FFFFh", "a response for CID FFFFh", EndsJson(BROKE, term=UNKNOWN_CID))(
    lambda t: bad_read(t, lambda l, r: setattr(r, "raw", l.response(Reply(cid=0xFFFF))))
)
row(
    "H19/depth", "a response for the first CID beyond the queue", EndsJson(BROKE, term=UNKNOWN_CID)
)(lambda t: bad_read(t, lambda l, r: setattr(r, "raw", l.response(Reply(cid=8))), ("-Q", "8")))
row("H19/twice", "a second response for a command", EndsJson(0, BROKE, term="any"))(
    lambda t: bad_read(t, twice, ("--repeat", "3"))
)
row(
    "H19/admin", "a response for an admin CID that is not there", EndsJson(BROKE, term=UNKNOWN_CID)
)(lambda t: t.run(t.target({"identify-1": other_cid}), *CONNECT))


def corrupt(t, command, stage, build):
    target = t.target({stage: build})
    return t.run(target, *command, "-g")


BAD_DIGEST = EndsJson(BROKE, term=(3, 0xDEADBEEF), says=("header digest",))
row("H20/response", "a wrong header digest of a response", BAD_DIGEST)(
    lambda t: corrupt(t, FLUSH, "flush", response(hdgst_value=0xDEADBEEF))
)
row("H20/data", "a wrong header digest of C2HData", BAD_DIGEST)(
    lambda t: corrupt(t, READ, "read", parts((0, 4096, True), hdgst_value=0xDEADBEEF))
)
row("H20/connect", "a wrong header digest of the answer to Connect", BAD_DIGEST)(
    lambda t: corrupt(t, CONNECT, "connect", response(hdgst_value=0xDEADBEEF))
)
row("H20/r2t", "a wrong header digest of an R2T", BAD_DIGEST)(
    lambda t: corrupt(
        t,
        WRITE,
        "r2t",
        lambda l, r: setattr(r, "raw", l.r2t(r.cid, 1, 0, 4096, hdgst_value=0xDEADBEEF)),
    )
)


def corrupt_data(t, pieces, arguments=(), **over):
    target = t.target({"read": once(parts(*pieces, ddgst_value=0xBAD, **over))})
    ran = t.run(target, *READ, "-G", *arguments)
    check(lived(target), "the connection did not live")
    return ran


DATA_DIGEST = EndsJson(BROKE, IO, says=("data digest",))
row("H21", "a wrong data digest: that read fails, the connection lives", DATA_DIGEST)(
    lambda t: corrupt_data(t, [(0, 4096, True)])
)
row("H21/last", "a wrong data digest of the last part", DATA_DIGEST)(
    lambda t: corrupt_data(t, [(0, 2048, False), (2048, 2048, True)])
)
row("H21/success", "a wrong data digest with SUCCESS: the read ends", DATA_DIGEST)(
    lambda t: corrupt_data(t, [(0, 4096, True)], ("--disable-sqflow",), cqe=False, success=True)
)


@row("H21/out", "a wrong data digest: no file that looks whole", DATA_DIGEST)
def _(t):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "out")
        ran = corrupt_data(t, [(0, 4096, True)], ("--out", path))
        check(not os.listdir(folder), f"files were left: {os.listdir(folder)}")
        return ran


def c2h_term(fes, fei=0, data=bytes(24)):
    return raw(wire.pdu(wire.C2H_TERM, wire.term_body(fes, fei), data))


FES_NAMES = {
    1: "invalid pdu header",
    2: "sequence",
    3: "header digest",
    4: "out of range",
    5: "limit",
    6: "unsupported",
}
for fes, name in FES_NAMES.items():
    row(
        f"H22/{fes}",
        f"C2HTermReq with FES {fes}: closed at once, its meaning told",
        EndsJson(BROKE, CLOSED, says=(name,), within=8),
    )(lambda t, f=fes: bad_read(t, c2h_term(f, 8)))
for stage in ("icresp", "connect", "cap", "identify-1", "io-connect"):
    row(
        f"H22/{stage}",
        f"C2HTermReq at the stage {stage}",
        EndsJson(13, BROKE, CLOSED, says=(FES_NAMES[1],), within=8),
    )(lambda t, s=stage: t.run(t.target({s: c2h_term(1, 8)}), *CONNECT))
row("H22/unknown", "C2HTermReq with a reserved FES", EndsJson(BROKE, CLOSED, within=8))(
    lambda t: bad_read(t, c2h_term(0x77, 0))
)
for plen in (23, 153):
    row(
        f"H22/plen-{plen}",
        f"C2HTermReq with PLEN {plen}: closed, no TermReq in return",
        EndsJson(BROKE, CLOSED, within=8),
    )(
        lambda t, n=plen: bad_read(
            t, raw(wire.pdu(wire.C2H_TERM, wire.term_body(1), bytes(128), plen=n))
        )
    )


def bad_pdu(ident, rule, term, kind, body, data=b"", **over):
    def bend(link, reply):
        chosen = body(reply) if callable(body) else body
        reply.raw = link.channel.build(kind, chosen, data, **over)

    row(ident, rule, EndsJson(BROKE, term=term), args=(bend,))(bad_read)


def good_cqe(reply):
    return wire.cqe(reply.cid)


def good_data(reply):
    return wire.data_body(reply.cid, 0, 0, 4096)


for kind in (0x08, 0x0A, 0x0B, 0xFF, wire.CMD, wire.H2C_DATA, wire.H2C_TERM):
    bad_pdu(
        f"H23/type-{kind:02X}h", f"PDU type {kind:02X}h sent to a host", (1, 0), kind, bytes(16)
    )
bad_pdu("H23/icresp", "a second ICResp", ((1, 2), None), wire.ICRESP, wire.ic_body(limit=4096))
for flag in (0x02, 0x04, 0x08, 0x80):
    bad_pdu(
        f"H23/flags-{flag:02X}h",
        f"a response with flag {flag:02X}h",
        (1, 1),
        wire.RESP,
        good_cqe,
        flip_flags=flag,
    )
bad_pdu(
    "H23/hdgst", "HDGSTF though not agreed", (1, 1), wire.RESP, good_cqe, flip_flags=wire.HDGSTF
)
bad_pdu("H23/hlen", "a response with HLEN 23", (1, 2), wire.RESP, good_cqe, hlen=23)
bad_pdu(
    "H23/hlen-data",
    "C2HData with HLEN 25",
    (1, 2),
    wire.C2H_DATA,
    good_data,
    bytes(4096),
    hlen=25,
    flags=wire.LAST,
)
bad_pdu("H23/pdo", "a response with PDO 24", (1, 3), wire.RESP, good_cqe, pdo=24)
bad_pdu(
    "H23/pdo-low",
    "C2HData with PDO 20",
    (1, 3),
    wire.C2H_DATA,
    good_data,
    bytes(4096),
    pdo=20,
    flags=wire.LAST,
)
bad_pdu(
    "H23/pdo-high",
    "C2HData with PDO beyond PLEN",
    (1, 3),
    wire.C2H_DATA,
    good_data,
    bytes(64),
    pdo=252,
    flags=wire.LAST,
)
bad_pdu("H23/plen", "a response with PLEN 25", (1, 4), wire.RESP, good_cqe, plen=25)
bad_pdu("H23/plen-low", "a response with PLEN 8", (1, 4), wire.RESP, good_cqe, plen=8)
bad_pdu(
    "H23/plen-huge", "a response with PLEN 4 GiB - 1", (1, 4), wire.RESP, good_cqe, plen=0xFFFFFFFF
)


@row("H23/pda", "C2HData that is not aligned to HPDA", EndsJson(BROKE, term=(1, 3)))
def _(t):
    return bad_read(t, parts((0, 4096, True), align=4), ("--hpda", "3"))


row("H23/gone", "the connection closes while a read waits", EndsJson(CLOSED, says=("clos",)))(
    lambda t: bad_read(t, close)
)
