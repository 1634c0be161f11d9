# SPDX-License-Identifier: BSD-2-Clause
"""T91-T98: the discovery service, on the listener of the subsystem."""
import wire
from bench import Either, Refused, Status, Table, Varies, check
from host import Association, open_queue

TABLE = Table()
row = TABLE.row


def discovery(t, settings=None, **changes):
    return t.up(io=0, settings=settings, subnqn=wire.DISCOVERY_NQN, **changes)


def entries_of(log):
    count = wire.get(log, 8, 8)
    return [log[1024 * (i + 1) : 1024 * (i + 2)] for i in range(count)]


def whole_log(admin):
    count = wire.get(admin.log(0x70, 1024), 8, 8)
    return admin.log(0x70, 1024 * (count + 1))


@row("T91", "the well-known NQN leads to a discovery controller without namespaces")
def _(t):
    association = discovery(t)
    d = association.idctrl
    check(d[111] == 2 or not t.strict, f"CNTRLTYPE {d[111]}")
    check(wire.get(d, 516, 4) == 0, f"NN {wire.get(d, 516, 4)}")
    check(wire.text(d[768:1024]).startswith("nqn."), f"SUBNQN {wire.text(d[768:1024])}")
    check(wire.get(d, 78, 2) == association.cntlid, "CNTLID")


@row("T91/io", "an I/O queue on a discovery controller is refused", Refused())
def _(t):
    association = discovery(t)
    queue = t.keep(open_queue(t.settings.but(subnqn=wire.DISCOVERY_NQN)))
    return queue.connect(1, cntlid=association.cntlid)


@row("T92", "the log whole, in steps of 1024 bytes and at odd dword offsets: the same bytes")
def _(t):
    admin = discovery(t).admin
    log = whole_log(admin)
    steps = b"".join(admin.log(0x70, 1024, at) for at in range(0, len(log), 1024))
    check(steps == log, "steps of 1024 bytes differ")
    for at, size in ((4, 12), (12, 1012), (1020, 8), (len(log) - 4, 4)):
        check(admin.log(0x70, size, at) == log[at : at + size], f"{size} bytes at {at} differ")
    check(wire.get(admin.log(0x70, 1024), 0, 8) == wire.get(log, 0, 8), "GENCTR moved")


row("T92/beyond", "the log at an offset far beyond its end", Either(Status(0, 2), Status(0, 0)))(
    lambda t: discovery(t).admin.run(wire.get_log_page(0x70, 1024, 1 << 40), take=1024)
)
row("T92/unaligned", "the log at an offset that is no multiple of 4", Status(0, 2))(
    lambda t: discovery(t).admin.run(wire.get_log_page(0x70, 1024, 2), take=1024)
)


@row("T93", "NUMREC fits, RECFMT is 0, entries are padded, reserved bytes are zero")
def _(t):
    log = whole_log(discovery(t).admin)
    found = entries_of(log)
    check(
        wire.get(log, 16, 2) == 0 and not any(log[18:1024]),
        "RECFMT or reserved bytes of the header",
    )
    check(found, "no entry")
    for entry in found:
        check(not any(entry[12:32]) and not any(entry[64:256]), "reserved bytes of an entry")
        for name, raw in (("TRSVCID", entry[32:64]), ("TRADDR", entry[512:768])):
            text = raw.rstrip(b"\0 ")
            check(text and all(0x20 < b < 0x7F for b in text), f"{name} {raw[:40]!r}")
        nqn = entry[256:512].split(b"\0", 1)
        check(nqn[0].startswith(b"nqn.") and not any(nqn[1]), f"SUBNQN {nqn[0]!r}")
    again = entries_of(whole_log(discovery(t).admin))
    check([wire.get(e, 4, 2) for e in again] == [wire.get(e, 4, 2) for e in found], "PORTID moved")


@row("T94", "each I/O entry leads to where it says")
def _(t):
    reached = 0
    for entry in entries_of(whole_log(discovery(t).admin)):
        if entry[0] != 3 or entry[2] != 2:
            continue
        where = t.settings.but(
            address=wire.text(entry[512:768]),
            port=int(wire.text(entry[32:64])),
            subnqn=wire.text(entry[256:512]),
        )
        check(wire.get(entry, 8, 2) >= 32, f"ASQSZ {wire.get(entry, 8, 2)}")
        check(entry[3] & 3 != 1, "TREQ demands a secure channel")
        with Association(where.but(sqsize=wire.get(entry, 8, 2) - 1), io=0):
            reached += 1
    check(reached, "no entry of an NVM subsystem over TCP")


@row("T95", "entries name an address that can be reached, also for a listener on every address")
def _(t):
    wide = t.extra("--listen", "0.0.0.0:0", "--ns", "ram:8M")[0].but(address="127.0.0.1")
    for entry in entries_of(whole_log(discovery(t, wide).admin)):
        check(entry[1] in (1, 2), f"ADRFAM {entry[1]}")
        check(wire.text(entry[512:768]) == "127.0.0.1", f"TRADDR {wire.text(entry[512:768])}")


@row("T95/plain", "no entry has a wildcard address or an unset family")
def _(t):
    for entry in entries_of(whole_log(discovery(t).admin)):
        check(entry[1] in (1, 2), f"ADRFAM {entry[1]}")
        check(wire.text(entry[512:768]) not in ("0.0.0.0", "::"), "a wildcard address")


TABLE.exclude(
    "T96",
    "GENCTR and events when the target changes",
    "serve has no way to change its subsystems while it runs",
)
for lid in (0x02, 0x04, 0x0C, 0xFF):
    row(
        f"T97/log-{lid:02X}h",
        f"log page {lid:02X}h on a discovery controller",
        Either(Status(1, 0x09), Status(0, 2)),
    )(lambda t, l=lid: discovery(t).admin.run(wire.get_log_page(l, 512), take=512))
row("T97/feature", "an unknown feature on a discovery controller", Status(0, 2))(
    lambda t: discovery(t).admin.run(wire.set_features(0x7E, 0))
)
row("T97/queues", "Number of Queues on a discovery controller", Either(Status(0, 2), Status(0, 1)))(
    lambda t: discovery(t).admin.run(wire.set_features(7, 0))
)
row("T97/opcode", "an I/O opcode on a discovery controller", Status(0, 1))(
    lambda t: discovery(t).admin.run(wire.sqe(0x01, nsid=1))
)
row(
    "T97/io-controller", "log page 70h on an I/O controller", Either(Status(1, 0x09), Status(0, 2))
)(lambda t: t.up(io=0).admin.run(wire.get_log_page(0x70, 1024), take=1024))
row(
    "T97/namespace",
    "Identify Namespace on a discovery controller",
    Varies(Either(Status(0, 2), Status(0, 0x0B), Status(0, 1)), Status(0, 0)),
)(lambda t: discovery(t).admin.run(wire.identify(0, 1), take=4096))


@row("T98", "a subsystem is listed to the hosts that may use it, and to no other")
def _(t):
    friend = t.settings.stranger()
    private = t.extra("--ns", "ram:8M", "--allow-host", friend.hostnqn)[0]
    own = private.but(hostnqn=friend.hostnqn, hostid=friend.hostid)
    seen = [wire.text(e[256:512]) for e in entries_of(whole_log(discovery(t, own).admin))]
    check(private.subnqn in seen, f"the allowed host sees {seen}")
    seen = [
        wire.text(e[256:512]) for e in entries_of(whole_log(discovery(t, private.stranger()).admin))
    ]
    check(private.subnqn not in seen, f"another host sees {seen}")
