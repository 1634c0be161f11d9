# SPDX-License-Identifier: BSD-2-Clause
"""T84-T90: Identify and admin commands."""
import wire
from bench import Either, Skip, Status, Table, Varies, check

TABLE = Table()
row = TABLE.row
INVALID_FIELD, INVALID_NS, INVALID_OPCODE = Status(0, 2), Status(0, 0x0B), Status(0, 1)


@row("T84", "the fabrics fields of Identify Controller")
def _(t):
    association = t.up()
    d = association.idctrl
    ioccsz, iorcsz, icdoff = (wire.get(d, 1792, 4), wire.get(d, 1796, 4), wire.get(d, 1800, 2))
    check(
        ioccsz >= 4 and iorcsz >= 1 and icdoff == 0,
        f"IOCCSZ {ioccsz} IORCSZ {iorcsz} ICDOFF {icdoff}",
    )
    check(wire.get(d, 514, 2), "MAXCMD is 0")
    check(wire.get(d, 320, 2), "KAS is 0")
    sgls = wire.get(d, 536, 4)
    check(sgls & 3, f"SGLS {sgls:#x}: no SGLs")
    check(ioccsz == 4 or sgls & 1 << 20, f"SGLS {sgls:#x}: no offsets, but IOCCSZ {ioccsz}")
    check(sgls & 1 << 21 or not t.strict, f"SGLS {sgls:#x}: no transport SGL")
    check(wire.text(d[768:1024]) == t.settings.subnqn, f"SUBNQN {wire.text(d[768:1024])}")
    check(d[111] in ((1,) if t.strict else (0, 1)), f"CNTRLTYPE {d[111]}")
    check(d[512] & 0xF <= 6 <= d[512] >> 4 and d[513] & 0xF <= 4 <= d[513] >> 4, "SQES, CQES")


@row("T85", "SN, MN and FR are printable ASCII with spaces behind; MDTS is plausible")
def _(t):
    d = t.up(io=0).idctrl
    for name, raw in (("SN", d[4:24]), ("MN", d[24:64]), ("FR", d[64:72])):
        check(all(0x20 <= b < 0x7F for b in raw), f"{name} {bytes(raw)!r}")
        check(bytes(raw).strip(), f"{name} is empty")
    check(d[77] <= 16, f"MDTS {d[77]}")


def identify_fault(t, cns, nsid, **fields):
    return t.up(io=0).admin.run(wire.identify(cns, nsid, **fields), take=4096)


def nn(t):
    return wire.get(t.up(io=0).idctrl, 516, 4)


row("T86/cns", "a reserved CNS", INVALID_FIELD)(lambda t: identify_fault(t, 0xFF, 0))
row("T86/cns-1Fh", "another reserved CNS", INVALID_FIELD)(lambda t: identify_fault(t, 0x3F, 0))
row("T86/beyond", "Identify Namespace of NSID NN + 1", INVALID_NS, linux="zeros")(
    lambda t: identify_fault(t, 0, nn(t) + 1)
)
row("T86/zero", "Identify Namespace of NSID 0", INVALID_NS, linux="zeros")(
    lambda t: identify_fault(t, 0, 0)
)
row(
    "T86/all",
    "Identify Namespace of NSID FFFFFFFFh without namespace management",
    Either(INVALID_NS, Status(0, 0)),
)(lambda t: identify_fault(t, 0, 0xFFFFFFFF))
row("T86/list-FFFEh", "the list of namespaces after NSID FFFFFFFEh", INVALID_NS)(
    lambda t: identify_fault(t, 2, 0xFFFFFFFE)
)
row("T86/descriptors", "namespace descriptors of NSID 0", INVALID_NS)(
    lambda t: identify_fault(t, 3, 0)
)


@row("T86/inactive", "Identify Namespace of an inactive NSID: zeros; its descriptors: refused")
def _(t):
    association = t.up(io=0)
    admin, highest = association.admin, wire.get(association.idctrl, 516, 4)
    active = admin.identify(2)
    if highest in [wire.get(active, i, 4) for i in range(0, 4096, 4)]:
        raise Skip(f"all of the {highest} namespaces are active")
    found = admin.run(wire.identify(0, highest), take=4096)
    check(not found.ok or not any(found.data), f"NSID {highest}: {found}")


@row("T86/list", "the list of active namespaces pages by NSID and has NSID 1")
def _(t):
    admin = t.up(io=0).admin
    page = admin.identify(2)
    whole = [n for n in (wire.get(page, i, 4) for i in range(0, 4096, 4)) if n]
    check(1 in whole and whole == sorted(set(whole)), f"{whole[:8]}")
    rest = admin.identify(2, whole[0])
    check(
        [n for n in (wire.get(rest, i, 4) for i in range(0, 4096, 4)) if n] == whole[1:],
        "the next page",
    )


@row(
    "T86/short",
    "Identify with an SGL of 512 bytes: refused, or cut to it",
    Either(Status(0, 0x0F), INVALID_FIELD, Status(0, 0), INVALID_OPCODE),
)
def _(t):
    admin = t.up(io=0).admin
    answer = admin.run(wire.with_dptr(wire.identify(1), wire.sgl_transport(512)), take=512)
    admin.identify(1)
    return answer


@row("T87", "each namespace has a descriptor, the same through every controller")
def _(t):
    pages = [t.up(io=0).admin.identify(3, 1) for _ in range(2)]
    check(pages[0] == pages[1], "two controllers say different things")
    kind, length = pages[0][0], pages[0][1]
    check(
        (kind, length) in ((1, 8), (2, 16), (3, 16)) and any(pages[0][4 : 4 + length]),
        pages[0][:20].hex(),
    )


for opcode, name in (
    (0x00, "Delete I/O SQ"),
    (0x01, "Create I/O SQ"),
    (0x04, "Delete I/O CQ"),
    (0x05, "Create I/O CQ"),
    (0x7C, "Doorbell Buffer Config"),
):
    row(f"T88/{opcode:02X}h", f"{name} over fabrics", INVALID_OPCODE)(
        lambda t, o=opcode: t.up(io=0).admin.run(wire.sqe(o, dptr=wire.sgl_transport(0)))
    )


def unclaimed(t, io):
    """Every opcode that the log does not list is refused."""
    association = t.up()
    queue = association.io[0] if io else association.admin
    log = association.admin.log(5, 4096)
    for opcode in range(256):
        if opcode == wire.FABRICS or log[(1024 if io else 0) + 4 * opcode] & 1:
            continue
        answer = queue.run(wire.sqe(opcode, nsid=1))
        check((answer.cqe.sct, answer.cqe.sc) == (0, 1), f"opcode {opcode:02X}h: {answer}")


row("T89/admin", "admin opcodes that Commands Supported does not list are invalid", args=(False,))(
    unclaimed
)
row("T89/io", "I/O opcodes that Commands Supported does not list are invalid", args=(True,))(
    unclaimed
)


@row("T89/listed", "listed opcodes are not invalid; those that every host needs are listed")
def _(t):
    association = t.up()
    log = association.admin.log(5, 4096)
    listed = {i for i in range(256) if log[4 * i] & 1}
    check(
        {
            wire.IDENTIFY,
            wire.GET_LOG_PAGE,
            wire.SET_FEATURES,
            wire.GET_FEATURES,
            wire.AER,
            wire.KEEP_ALIVE,
        }
        <= listed,
        f"{sorted(listed)}",
    )
    listed_io = {i for i in range(256) if log[1024 + 4 * i] & 1}
    check({wire.FLUSH, wire.READ, wire.WRITE} <= listed_io, f"{sorted(listed_io)}")
    for opcode in (
        wire.IDENTIFY,
        wire.GET_LOG_PAGE,
        wire.SET_FEATURES,
        wire.GET_FEATURES,
        wire.KEEP_ALIVE,
    ):
        answer = association.admin.run(wire.sqe(opcode))
        check(
            answer.ok or (answer.cqe.sct, answer.cqe.sc) != (0, 1),
            f"opcode {opcode:02X}h: {answer}",
        )


def fused(t, bits):
    association = t.up()
    if wire.get(association.idctrl, 522, 2):
        raise Skip("FUSES is not 0")
    queue = association.io[0]
    answer = queue.run(wire.sqe(wire.FLUSH, nsid=1, flags=0x40 | bits))
    t.still_works(queue)
    return answer


for bits in (1, 2, 3):
    row(
        f"T90/{bits}",
        f"FUSE {bits:02b}b while FUSES is 0",
        Varies(INVALID_FIELD, Status(0, 0x0A)),
        args=(bits,),
    )(fused)
