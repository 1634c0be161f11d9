# SPDX-License-Identifier: BSD-2-Clause
"""H26-H31, H34, H35: keep alive, events, discovery, segments, the end, Identify."""
import struct

import wire
from bench import Table, check
from controller import discovery_entry
from hosting import Ends, EndsJson
from link import Reply

from .host_common import (
    CONNECT,
    DISCOVER,
    READ,
    WAIT_SLACK,
    WRITE,
    close,
    counted,
    data_field,
    silence,
    status,
)

TABLE = Table()
row = TABLE.row
ADMIN, TIMEOUT, BROKE, CLOSED = 17, 19, 20, 21


# ---- H26, H27: keep alive --------------------------------------------------------------------


def held(t, seconds, *arguments, bend=None, **how):
    """connect --hold: JSON Lines, so nothing is said about one document."""
    target = t.target(bend, patience=20, **how)
    return t.run(target, "connect", "--json", f"--hold={seconds}", *arguments)


def until(t, target, stage, *arguments):
    """connect --hold, interrupted when the target has come so far; which is its ordinary end."""
    return t.run(target, "connect", "--json", "--hold", *arguments, interrupt=stage)


@row("H26/idle", "idle with KATO 1 s: Keep Alive comes in time", Ends(0), slow=True)
def _(t):
    counts = {}
    ran = held(t, 3, "-k", "1000", bend={"keep-alive": counted(counts, "n")})
    check(3 <= counts.get("n", 0) <= 20, f"{counts.get('n', 0)} Keep Alives in 3 s")
    return ran


row(
    "H26/unanswered",
    "no answer to Keep Alive: noticed in its time",
    Ends(TIMEOUT, CLOSED, says=(("keep alive", "keep-alive"),), within=WAIT_SLACK + 4),
    slow=True,
)(lambda t: held(t, 20, "-k", "1000", bend={"keep-alive": silence}))


@row("H26/refused", "Keep Alive is refused: told", Ends(0, says=("refused",)), slow=True)
def _(t):
    refusing = t.target({"keep-alive": status(0, 6)}, patience=20)
    return until(t, refusing, ("keep-alive", 3), "-k", "1000")


@row("H27", "KATO 0: no Keep Alive at all", Ends(0), slow=True)
def _(t):
    counts = {}
    ran = held(t, 2, "-k", "0", bend={"keep-alive": counted(counts, "n")})
    check(not counts, f"{counts} Keep Alives")
    return ran


# ---- H28: events -----------------------------------------------------------------------------

CHANGED_NAMESPACES = 2 | 0 << 8 | 4 << 16  # notice, namespace attribute changed, log page 04h


def events(count, dw0=CHANGED_NAMESPACES):
    """Completes so many event requests as they come; the next ones stay."""
    left = [count]

    def bend(link, reply):
        if left[0]:
            left[0] -= 1
            cid = link.aers.pop()
            reply.raw = link.response(Reply(cid=cid, dw0=dw0))

    return bend


def event_rows(t, count):
    counts = {}
    bends = {"aer": events(count), "log-4": counted(counts, "log")}
    target = t.target(bends, patience=20)
    ran = until(t, target, ("aer", count + 1))
    asked = target.reached.count("aer")
    check(asked >= count + 1, f"{asked} event requests after {count} events")
    check(counts.get("log", 0) >= 1, "the changed namespace list was not read")
    return ran


row(
    "H28", "an event: its log is read and the request is there again", Ends(0), args=(1,), slow=True
)(event_rows)
row("H28/storm", "200 events one after the other", Ends(0), args=(200,), slow=True)(event_rows)
row("H28/odd", "an event of a reserved type", Ends(0), slow=True)(
    lambda t: until(
        t, t.target({"aer": events(1, 5 | 0x77 << 8 | 0x70 << 16)}, patience=20), ("aer", 2)
    )
)


@row("H28/refused", "event requests are refused: no storm of them", Ends(0), slow=True)
def _(t):
    def refuse(link, reply):
        reply.raw = link.response(Reply(cid=link.aers.pop(), sct=0, sc=1))

    target = t.target({"aer": refuse}, patience=20)
    ran = t.run(target, "connect", "--json", "--hold=1")
    check(target.reached.count("aer") < 20, f"{target.reached.count('aer')} event requests")
    return ran


# ---- H29: discovery --------------------------------------------------------------------------


def own_entry(target):
    return discovery_entry("127.0.0.1", target.port, target.subnqn)


def discovers(t, entries=(own_entry,), bend=None, more=()):
    target = t.target(bend, entries=entries)
    ran = t.run(target, *DISCOVER, *more, uri=f"nvme+tcp://127.0.0.1:{target.port}")
    return ran


@row("H29/one", "one entry", EndsJson(0))
def _(t):
    ran = discovers(t)
    check(ran.target.subnqn in ran.out, "the entry is not there")
    return ran


@row("H29/many", "300 entries", EndsJson(0))
def _(t):
    entries = [
        discovery_entry("127.0.0.1", 1000 + i, f"nqn.2024-01.org.example:{i}") for i in range(300)
    ]
    ran = discovers(t, entries)
    check(all(f"example:{i}" in ran.out for i in range(300)), "not all of them are told")
    return ran


row("H29/none", "no entry", EndsJson(0))(lambda t: discovers(t, ()))


@row("H29/genctr", "GENCTR moves while the log is read: read again", EndsJson(0))
def _(t):
    reads = []

    def bend(link, reply):
        reads.append(1)
        if len(reads) == 2:
            link.controller.genctr += 1
            link.controller.entries = [
                discovery_entry("127.0.0.1", 5, "nqn.2024-01.org.example:new")
            ]

    old = [discovery_entry("127.0.0.1", 4, f"nqn.2024-01.org.example:old{i}") for i in range(3)]
    ran = discovers(t, old, {"log-112": bend})
    check("example:new" in ran.out and "example:old" not in ran.out, "an old log was told")
    return ran


def always_moving(link, _reply):
    link.controller.genctr += 1


row(
    "H29/endless",
    "GENCTR moves all the time: given up in time",
    EndsJson(0, ADMIN, BROKE, within=WAIT_SLACK),
)(lambda t: discovers(t, bend={"log-112": always_moving}))


def log_header(**fields):
    """GENCTR, NUMREC or RECFMT other than they are, in every read of the log's first bytes."""
    places = {"genctr": (0, 8), "numrec": (8, 8), "recfmt": (16, 2)}

    def bend(_link, reply):
        if wire.get(reply.sqe, 48, 8):
            return
        for name, number in fields.items():
            offset, width = places[name]
            if len(reply.data) >= offset + width:
                reply.data = wire.put(reply.data, offset, number, width)

    return bend


for count in (1 << 20, 1 << 32, (1 << 64) - 1):
    row(
        f"H29/numrec-{count:X}h",
        f"NUMREC {count:#x}: refused, in bounded memory",
        EndsJson(ADMIN, BROKE, says=(("numrec", "entries", "records"),), within=WAIT_SLACK),
    )(lambda t, n=count: discovers(t, bend={"log-112": log_header(numrec=n)}))
row(
    "H29/numrec-more",
    "NUMREC 5 where one entry is: told as it is, or refused",
    EndsJson(0, ADMIN, BROKE),
)(lambda t: discovers(t, bend={"log-112": log_header(numrec=5)}))
row("H29/recfmt", "RECFMT 1", EndsJson(ADMIN, BROKE, says=("recfmt",)))(
    lambda t: discovers(t, bend={"log-112": log_header(recfmt=1)})
)
row("H29/refused", "Get Log Page is refused", EndsJson(ADMIN, says=("log",)))(
    lambda t: discovers(t, bend={"log-112": status(1, 9)})
)
for name, entry in (
    ("wildcard", discovery_entry("0.0.0.0", 4420, "nqn.2024-01.org.example:a")),
    ("family", discovery_entry("127.0.0.1", 4420, "nqn.2024-01.org.example:a", adrfam=2)),
    ("address", discovery_entry("not an address\x01\x02", 4420, "nqn.2024-01.org.example:a")),
    ("port", discovery_entry("127.0.0.1", "99999", "nqn.2024-01.org.example:a")),
    ("no-port", discovery_entry("127.0.0.1", "", "nqn.2024-01.org.example:a")),
    ("nqn", discovery_entry("127.0.0.1", 4420, "not an nqn")),
    ("trtype", discovery_entry("127.0.0.1", 4420, "nqn.2024-01.org.example:a", trtype=253)),
    ("intra-host", discovery_entry("127.0.0.1", 4420, "nqn.2024-01.org.example:a", trtype=254)),
    ("ones", b"\xff" * 1024),
    ("zeros", bytes(1024)),
):
    row(
        f"H29/entry-{name}",
        f"an entry that nobody can use ({name}): warned about, others listed",
        EndsJson(0),
        args=(entry,),
    )(lambda t, e: odd_entry(t, e))


def odd_entry(t, entry):
    ran = discovers(t, [entry, own_entry])
    check(ran.target.subnqn in ran.out, "the good entry is missing")
    check("warn" in (ran.out + ran.err).lower(), "no warning")
    return ran


# ---- H30, H31: segments, the end -------------------------------------------------------------

for name, command in (("connect", (*CONNECT, "-i", "2")), ("read", READ), ("write", WRITE)):
    row(f"H30/{name}", f"{name}: every byte in a segment of its own", EndsJson(0))(
        lambda t, c=command: t.run(t.target(chop=True), *c)
    )
    row(
        f"H30/{name}-digests",
        f"{name} with digests: every byte in a segment of its own",
        EndsJson(0),
    )(lambda t, c=command: t.run(t.target(chop=True), *c, "-g", "-G"))


@row("H31", "the end: CC.SHN normal, then every connection is closed, none is reset", EndsJson(0))
def _(t):
    target = t.target()
    ran = t.run(target, *CONNECT, "-i", "3")
    target.settle()
    check([c.cc >> 14 & 3 for c in target.controllers.values()] == [1], "no normal shutdown")
    check({link.ended for link in target.links} == {"closed"}, f"{[x.ended for x in target.links]}")
    return ran


def shutting(then):
    def bend(link, reply):
        if link.controller.cc >> 14 & 3:
            then(link, reply)

    return bend


def no_shst(link, reply):
    reply.dw0 &= ~0xC


row(
    "H31/no-shst",
    "SHST never says complete: ended in time",
    EndsJson(0, 16, TIMEOUT, within=WAIT_SLACK),
    slow=True,
)(lambda t: t.run(t.target({"csts": shutting(no_shst)}), *CONNECT))
row(
    "H31/silence",
    "no answer to the shutdown: ended in time",
    EndsJson(0, 16, TIMEOUT, within=WAIT_SLACK),
    slow=True,
)(lambda t: t.run(t.target({"property-set": shutting(silence)}), *CONNECT))
row("H31/close", "the target closes instead of answering the shutdown", EndsJson(0, 16, CLOSED))(
    lambda t: t.run(t.target({"property-set": shutting(close)}), *CONNECT)
)
for stage in ("icresp", "connect", "csts", "identify-1", "io-connect"):
    row(
        f"H31/sigint-{stage}",
        f"SIGINT while the answer of the stage {stage} is awaited",
        Ends(130, within=WAIT_SLACK),
        args=(stage,),
        slow=True,
    )(lambda t, s: t.run(t.target({s: silence}), *CONNECT, interrupt=s))


@row(
    "H31/hold",
    "the target is gone while it is held: told",
    Ends(CLOSED, within=WAIT_SLACK),
    slow=True,
)
def _(t):
    return held(t, 20, "-k", "1000", bend={"keep-alive": close})


# ---- H34, H35: Identify ----------------------------------------------------------------------


def identified(t, stage, offset, width, number):
    return t.run(t.target({stage: data_field(offset, width, number)}), *CONNECT)


def legal(name, rule, offset, width, number, stage="identify-1"):
    row(f"H34/{name}", rule, EndsJson(0), args=(stage, offset, width, number))(identified)


legal("mdts", "MDTS 0: no limit", 77, 1, 0)
legal("mdts-255", "MDTS 255", 77, 1, 255)
legal("ioccsz", "IOCCSZ 4: no data in capsules", 1792, 4, 4)
legal("ioccsz-huge", "IOCCSZ FFFFFFFFh", 1792, 4, 0xFFFFFFFF)
legal("nn", "NN FFFFFFFEh", 516, 4, 0xFFFFFFFE)
legal("aerl", "AERL 0", 259, 1, 0)
legal("acl", "ACL 0", 258, 1, 0)
legal("kas", "KAS 1", 320, 2, 1)
legal("maxcmd", "MAXCMD 1", 514, 2, 1)
legal("oncs", "ONCS 0", 520, 2, 0)
legal("type", "CNTRLTYPE 0: not reported", 111, 1, 0)
legal("sn", "unprintable bytes in the serial number", 4, 8, 0x1B5B324A00FF0A0D)
legal("nguid", "no NGUID", 104, 16, 0, "identify-0")
legal("nsze", "NSZE 2^64 - 1", 0, 8, (1 << 64) - 1, "identify-0")
legal("nsze-0", "NSZE 0", 0, 8, 0, "identify-0")


def no_namespaces(_link, reply):
    reply.data = bytes(4096)


row("H34/none", "no namespace at all", EndsJson(0))(
    lambda t: t.run(t.target({"identify-2": no_namespaces}), *CONNECT)
)
row("H34/list-refused", "the list of namespaces is refused, as by old targets", EndsJson(0, ADMIN))(
    lambda t: t.run(t.target({"identify-2": status(0, 2)}), *CONNECT)
)
row("H34/descriptors-refused", "namespace descriptors are refused", EndsJson(0))(
    lambda t: t.run(t.target({"identify-3": status(0, 2)}), *CONNECT)
)


MANY = data_field(516, 4, 0xFFFFFFFE)  # NN


@row(
    "H34/list-endless",
    "a list of namespaces that never ends",
    EndsJson(0, ADMIN, BROKE, within=WAIT_SLACK),
)
def _(t):
    def full(_link, reply):
        first = wire.get(reply.sqe, 4, 4) + 1
        reply.data = struct.pack("<1024I", *((first + i) & 0xFFFFFFFF for i in range(1024)))

    return t.run(t.target({"identify-1": MANY, "identify-2": full}), *CONNECT)


@row(
    "H34/list-stuck",
    "a list of namespaces that repeats itself",
    EndsJson(ADMIN, BROKE, within=WAIT_SLACK),
)
def _(t):
    page = struct.pack("<1024I", *range(1, 1025))
    stuck = {"identify-1": MANY, "identify-2": lambda _l, r: setattr(r, "data", page)}
    return t.run(t.target(stuck), *CONNECT)


def illegal(name, rule, says, offset, width, number, stage="identify-1"):
    # One namespace that cannot be used is left out, and that is said.
    exits = (0, ADMIN, BROKE) if stage == "identify-0" else (ADMIN, BROKE)
    expect = EndsJson(*exits, says=(says,))
    row(f"H35/{name}", rule, expect, args=(stage, offset, width, number))(identified)


illegal("ioccsz", "IOCCSZ 3", "ioccsz", 1792, 4, 3)
illegal("ioccsz-0", "IOCCSZ 0", "ioccsz", 1792, 4, 0)
illegal("iorcsz", "IORCSZ 0", "iorcsz", 1796, 4, 0)
illegal("cntlid", "another CNTLID than Connect said", "cntlid", 78, 2, 0x7777)
illegal("sqes", "SQES requires 128 bytes", "sqes", 512, 1, 0x77)
illegal("cqes", "CQES requires 32 bytes", "cqes", 513, 1, 0x55)
illegal("type", "CNTRLTYPE 9", "cntrltype", 111, 1, 9)
illegal("lbads", "LBADS 8: blocks of 256 bytes", "lbads", 130, 1, 8, "identify-0")
illegal("lbads-64", "LBADS 64", "lbads", 130, 1, 64, "identify-0")
illegal("flbas", "FLBAS names a format that is not there", "flbas", 26, 1, 5, "identify-0")
for name, stage in (
    ("controller", "identify-1"),
    ("namespace", "identify-0"),
    ("list", "identify-2"),
):
    if stage != "identify-2":
        row(
            f"H35/{name}-refused",
            f"Identify ({name}) is refused",
            EndsJson(*((0, ADMIN) if stage == "identify-0" else (ADMIN,)), says=("identify",)),
        )(lambda t, s=stage: t.run(t.target({s: status(0, 6)}), *CONNECT))
    row(f"H35/{name}-zeros", f"Identify ({name}) is all zeros", EndsJson(0, ADMIN, BROKE))(
        lambda t, s=stage: t.run(
            t.target({s: lambda _l, r: setattr(r, "data", bytes(4096))}), *CONNECT
        )
    )
    row(f"H35/{name}-ones", f"Identify ({name}) is all ones", EndsJson(0, ADMIN, BROKE))(
        lambda t, s=stage: t.run(
            t.target({s: lambda _l, r: setattr(r, "data", b"\xff" * 4096)}), *CONNECT
        )
    )
    row(
        f"H35/{name}-short", f"Identify ({name}): half the data", EndsJson(ADMIN, BROKE, term="any")
    )(lambda t, s=stage: t.run(t.target({s: short_data}), *CONNECT))


def short_data(link, reply):
    reply.raw = link.c2h(reply.cid, 0, reply.data[:2048], last=False) + link.response(reply)


TABLE.exclude("H32", "authentication", "our host has no DH-HMAC-CHAP: it never begins one")
TABLE.exclude("H33", "TLS", "our host has no TLS: it never begins a handshake")
