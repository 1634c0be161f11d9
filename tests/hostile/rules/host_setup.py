# SPDX-License-Identifier: BSD-2-Clause
"""H01-H09, H24, H25: the way up, from ICReq to the I/O queues."""


import wire
from bench import Table, check
from hosting import Ends, EndsJson
from link import Reply

from .host_common import (
    CAP_TO_1S,
    CONNECT,
    WAIT_SLACK,
    close,
    drip,
    nth,
    raw,
    silence,
    status,
    value,
)

TABLE = Table()
row = TABLE.row
IC, CONNECT_REFUSED, ENABLE, TIMEOUT, BROKE, CLOSED = 13, 14, 16, 19, 20, 21


def connects(t, arguments=(), bend=None, **how):
    return t.run(t.target(bend, **how), *CONNECT, *arguments)


@row(
    "H01",
    "the first PDU is a right ICReq with what was asked for, and nothing follows it",
    EndsJson(0),
)
def _(t):
    target = t.target(eagerness=0.3, patience=20)
    ran = t.run(target, *CONNECT, "-g", "-G", "--hpda", "3", "--maxr2t", "5", "-i", "1")
    for link in target.links:
        request = link.icreq
        check(
            (request.pda, request.digests, request.limit) == (3, 3, 4),
            f"HPDA {request.pda} DGST {request.digests} MAXR2T {request.limit}",
        )
    return ran


def bad_icresp(t, over, icreq):
    body = {k: v for k, v in over.items() if k in ("pfv", "pda", "digests", "limit")}
    more = {k: v for k, v in over.items() if k not in body}
    sent = wire.pdu(wire.ICRESP, wire.ic_body(**({"limit": 4096} | body)), **more)
    return connects(t, icreq, {"icresp": raw(sent)})


def icresp_row(ident, rule, term, says, icreq=(), **over):
    row(ident, rule, EndsJson(IC, term=term, says=says), args=(over, icreq))(bad_icresp)


icresp_row("H02/flags", "ICResp with flags", (1, 1), ("flags",), flags=1)
icresp_row("H02/hlen", "ICResp with HLEN 127", (1, 2), ("hlen",), hlen=127)
icresp_row("H02/pdo", "ICResp with PDO 4", (1, 3), ("pdo",), pdo=4)
icresp_row("H02/plen", "ICResp with PLEN 132", (1, 4), ("plen",), plen=132)
icresp_row("H02/plen-huge", "ICResp with PLEN 4 GiB - 1", (1, 4), ("plen",), plen=0xFFFFFFFF)
icresp_row("H02/pfv", "ICResp with PFV 1", (6, 8), ("pfv",), pfv=1)
icresp_row("H02/cpda", "ICResp with CPDA 32", (1, 10), ("cpda",), pda=32)
icresp_row("H02/dgst", "ICResp with reserved bits of DGST", (1, 11), ("dgst",), digests=4)
icresp_row("H02/type", "an ICReq as the answer to ICReq", (1, 0), (), type_byte=0)
icresp_row("H02/unknown", "PDU type 0Ah as the answer to ICReq", (1, 0), (), type_byte=0x0A)
row("H02/response", "a response as the answer to ICReq", EndsJson(IC, term=((1, 2), None)))(
    lambda t: connects(t, (), {"icresp": raw(wire.pdu(wire.RESP, wire.cqe(0)) + bytes(104))})
)
for limit in (0, 4092, 4095, 4098, 1):
    icresp_row(
        f"H03/{limit}", f"MAXH2CDATA {limit}", (1, 12), ("maxh2cdata", str(limit)), limit=limit
    )
for limit in (4096, 4100, 0xFFFFFFFC):
    row(f"H03/{limit}-works", f"MAXH2CDATA {limit} is legal", EndsJson(0))(
        lambda t, l=limit: connects(t, (), maxh2c=l)
    )
icresp_row("H04/header", "a header digest that was not asked for", (6, 11), ("digest",), digests=1)
icresp_row("H04/data", "a data digest that was not asked for", (6, 11), ("digest",), digests=2)
icresp_row(
    "H04/other",
    "data digests, though header digests were asked for",
    (6, 11),
    ("digest",),
    ("-g",),
    digests=2,
)
for name, digests in (("none", 0), ("header", 1), ("data", 2)):
    row(f"H04/less-{name}", f"both digests asked for, granted: {name}; it works", EndsJson(0))(
        lambda t, d=digests: connects(t, ("-g", "-G"), digests=d)
    )
NO_ICRESP = EndsJson(TIMEOUT, says=(("icresp", "icreq"),), within=WAIT_SLACK)
row("H05/silence", "no ICResp", NO_ICRESP, slow=True)(
    lambda t: connects(t, (), {"icresp": silence})
)
row(
    "H05/drip",
    "an ICResp at one byte in 0.2 s",
    NO_ICRESP,
    slow=True,
)(lambda t: connects(t, (), {"icresp": drip(0.2)}))

for queues in (0, 1, 4):
    row(f"H06/{queues}", f"Connect with {queues} I/O queues is legal on each queue", EndsJson(0))(
        lambda t, n=queues: same_host(t, n)
    )


row("H07", "three I/O queues: one host ID and NQN on all of them", EndsJson(0), args=(3,))(
    lambda t, n: same_host(t, n)
)


def same_host(t, queues):
    """The judge compares host ID and NQN of all queues."""
    target = t.target()
    ran = t.run(target, *CONNECT, "-i", str(queues), "-k", "5000")
    check(len(target.links) == queues + 1, f"{len(target.links)} connections")
    check(target.reached.count("connect") == 1, "more than one admin queue")
    check(target.reached.count("io-connect") == queues, "another number of I/O queues")
    return ran


# ---- H08: enable -----------------------------------------------------------------------------



def never_ready(_link, reply):
    reply.dw0 &= ~1


def fails(_link, reply):
    reply.dw0 |= 2


def ready_late():
    seen = []

    def bend(_link, reply):
        seen.append(1)
        if len(seen) < 4:
            reply.dw0 &= ~1

    return bend


row(
    "H08/never",
    "CSTS.RDY never comes: ended by CAP.TO",
    EndsJson(ENABLE, TIMEOUT, says=(("rdy", "ready"),), within=WAIT_SLACK),
    slow=True,
)(lambda t: connects(t, (), {"csts": never_ready}))
row("H08/late", "CSTS.RDY comes late", EndsJson(0))(
    lambda t: connects(t, (), {"csts": ready_late()})
)
row("H08/cfs", "CSTS.CFS", EndsJson(ENABLE, says=(("cfs", "fatal"),)))(
    lambda t: connects(t, (), {"csts": fails})
)
row("H08/cap-refused", "Property Get of CAP is refused", EndsJson(ENABLE, says=("cap",)))(
    lambda t: connects(t, (), {"cap": status(0, 2)})
)
row("H08/cc-refused", "Property Set of CC is refused", EndsJson(ENABLE, says=("cc",)))(
    lambda t: connects(t, (), {"property-set": status(0, 2)})
)
CSS_SAID = EndsJson(0, ENABLE, says=("css",))
row("H08/css", "CAP.CSS names no command set: said, or refused", CSS_SAID)(
    lambda t: connects(t, (), {"cap": value(CAP_TO_1S, 0)})
)
row("H08/mpsmin", "CAP.MPSMIN of 64 KiB: legal", EndsJson(0))(
    lambda t: connects(t, (), {"cap": value(CAP_TO_1S, 1 << 5 | 4 << 16 | 4 << 20)})
)
row("H08/mqes", "CAP.MQES 1: queues of two entries, legal", EndsJson(0))(
    lambda t: connects(t, (), {"cap": value(CAP_TO_1S & ~0xFFFF | 1, 1 << 5)})
)
row("H08/mqes-0", "CAP.MQES 0 is illegal", EndsJson(ENABLE, BROKE, says=("mqes",)))(
    lambda t: connects(t, (), {"cap": value(CAP_TO_1S & ~0xFFFF, 1 << 5)})
)


# ---- H09: number of queues ----------------------------------------------------------------------


@row("H09/one", "four queues asked for, one granted: works with one and says so", EndsJson(0))
def _(t):
    def one(link, reply):
        link.controller.granted, reply.dw0 = 1, 0

    target = t.target({"set-features-7": one})
    ran = t.run(target, *CONNECT, "-i", "4")
    check(target.reached.count("io-connect") == 1, "more queues than granted")
    check("1" in ran.out and ("grant" in ran.out + ran.err), "it does not say so")
    return ran


@row("H09/more", "one queue asked for, 64 granted: one is used", EndsJson(0))
def _(t):
    target = t.target({"set-features-7": value(63 | 63 << 16)})
    ran = t.run(target, *CONNECT, "-i", "1")
    check(target.reached.count("io-connect") == 1, "more queues than asked for")
    return ran


row("H09/refused", "Number of Queues is refused", EndsJson(17, says=(("queues", "set features"),)))(
    lambda t: connects(t, (), {"set-features-7": status(0, 2)})
)


# ---- H24, H25: Connect is refused ------------------------------------------------------------

IN_DATA = 1 << 16


def refusal(ident, rule, says, sct, sc, dw0=0, stage="connect", dnr=True):
    def run(t):
        target = t.target({stage: status(sct, sc, dw0, dnr)})
        ran = t.run(target, *CONNECT)
        check(target.reached.count(stage) == 1, f"{target.reached.count(stage)} attempts")
        return ran

    row(ident, rule, EndsJson(CONNECT_REFUSED, says=says))(run)


refusal("H24/dnr", "Connect is refused with DNR: no second attempt", ("invalid host",), 1, 0x84)
refusal("H24/busy", "Controller Busy without DNR: said, no storm", ("busy",), 1, 0x81, dnr=False)
refusal("H24/io", "Connect of an I/O queue is refused", (), 1, 0x82, stage="io-connect")
for name, dw0 in (
    ("hostid", IN_DATA | 0),
    ("cntlid", IN_DATA | 16),
    ("subnqn", IN_DATA | 256),
    ("hostnqn", IN_DATA | 512),
    ("recfmt", 40),
    ("qid", 42),
    ("sqsize", 44),
    ("cattr", 46),
    ("kato", 48),
):
    refusal(f"H25/{name}", f"Invalid Parameters points at {name}: named", (name,), 1, 0x82, dw0)
refusal(
    "H25/nowhere", "IPO beyond the data: no crash", ("invalid param",), 1, 0x82, IN_DATA | 0xFFFF
)
refusal("H25/sqe-beyond", "IPO beyond the SQE: no crash", ("invalid param",), 1, 0x82, 999)
refusal("H25/subnqn-within", "IPO within the NQN", ("subnqn",), 1, 0x82, IN_DATA | 300)
refusal("H25/format", "Incompatible Format", ("format",), 1, 0x80, 0)


@row("H25/other-cid", "the answer to Connect names another CID", Ends(BROKE, term="any"))
def _(t):
    def other(link, reply):
        reply.raw = link.response(Reply(cid=reply.cid ^ 0x55))

    return connects(t, (), {"connect": other})


@row("H25/auth", "Connect wants authentication: said, exit status 15", EndsJson(15, says=("auth",)))
def _(t):
    return connects(t, (), {"connect": lambda _l, r: setattr(r, "dw0", r.dw0 | 1 << 17)})


for number, name in ((1, "admin"), (2, "io")):
    row(
        f"H25/closed-{name}", f"the {name} connection closes instead of an answer", EndsJson(CLOSED)
    )(lambda t, n=number: connects(t, (), {("connect", "io-connect")[n - 1]: nth(n, close)}))


@row(
    "H25/io-cntlid",
    "an I/O queue's Connect names another CNTLID in its answer",
    EndsJson(0, BROKE, 14),
)
def _(t):
    return connects(t, (), {"io-connect": lambda _l, r: setattr(r, "dw0", 0x1234)})
