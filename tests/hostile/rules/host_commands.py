# SPDX-License-Identifier: BSD-2-Clause
"""H10-H15: how many commands, of what size, and how R2Ts are answered."""
import select


from bench import Table, check
from hosting import Ends, EndsJson

from .host_common import CAP_TO_1S, FLUSH, READ, WRITE, data_field, value, write_of

TABLE = Table()
row = TABLE.row
IO, BROKE = 18, 20
SIZE = 65536  # of WRITE
FULL = b"\x5a" * SIZE


# ---- H10-H12: how much, and how --------------------------------------------------------------


def load(t, *arguments, bend=None, **how):
    target = t.target(bend, **how)
    return t.run(target, "bench", *arguments, "--time", "0.3", "--warm-up", "0")


def reads(t, depth, **how):
    return load(t, "--rw", "randread", "--bs", "512", "--depth", str(depth), **how)


def small_queues(entries):
    """CAP.MQES for queues of so many."""
    return {"cap": value(CAP_TO_1S & ~0xFFFF | entries - 1, 1 << 5)}


for size in (2, 3, 8):
    row(
        f"H10/{size}", f"CAP.MQES for {size} entries: never more than {size - 1} commands", Ends(0)
    )(lambda t, n=size: reads(t, n - 1, bend=small_queues(n)))
    row(f"H10/{size}-more", "and more at a time are refused", Ends(2, says=("depth",)))(
        lambda t, n=size: reads(t, n, bend=small_queues(n))
    )
row("H10/maxcmd", "MAXCMD 3: never more than 3 commands on a queue", Ends(0))(
    lambda t: reads(t, 3, maxcmd=3)
)
row("H10/maxcmd-more", "MAXCMD 3, and 4 are asked for: refused", Ends(2, says=("depth",)))(
    lambda t: reads(t, 4, maxcmd=3)
)
row("H10/flow-off", "SQ flow control off: SQHD is not looked at", Ends(0))(
    lambda t: load(
        t, "--rw", "randread", "--bs", "512", "--depth", "32", "-Q", "8", "--disable-sqflow"
    )
)
row("H10/flow-refused", "SQ flow control off is not granted: works with it", Ends(0))(
    lambda t: load(
        t,
        "--rw",
        "randread",
        "--bs",
        "512",
        "--depth",
        "32",
        "-Q",
        "8",
        "--disable-sqflow",
        grant_no_sq_flow=False,
    )
)
row(
    "H11/mdts",
    "reads of 256 KiB where MDTS is 128 KiB: divided, or refused with the reason",
    Ends(0, 2, IO, says=("mdts",)),
)(lambda t: load(t, "--rw", "read", "--bs", "256K", "--depth", "2", blocks=8192))


def writes(t, nlb, capsule, **identify):
    """A write of so many blocks: in the capsule or not, as IOCCSZ says."""
    counts = []
    bends = {"r2t": lambda _l, _r: counts.append(1)}
    if identify:
        offset, width, number = identify["field"]
        bends["identify-1"] = data_field(offset, width, number)
    target = t.target(bends)
    ran = t.run(target, *write_of(nlb))
    check(bool(counts) != capsule, f"{'no' if not counts else 'an'} R2T was needed")
    stored = next(iter(target.controllers.values())).read(0, nlb)
    check(stored == b"\x5a" * (512 * nlb), "other data was written")
    return ran


row("H11/capsule", "4096 bytes fit into the capsule", EndsJson(0), args=(8, True))(writes)
row("H11/beyond", "4608 bytes do not", EndsJson(0), args=(9, False))(writes)
row("H11/none", "IOCCSZ 4: nothing goes into capsules", EndsJson(0))(
    lambda t: writes(t, 1, False, field=(1792, 4, 4))
)
row("H11/icdoff", "ICDOFF 1: not in the capsule, or refused", EndsJson(0, 17))(
    lambda t: t.run(t.target({"identify-1": data_field(1800, 2, 1)}), *WRITE)
)
row(
    "H12",
    "CIDs are unique among outstanding commands, and completions may come in any order",
    Ends(0),
)(
    lambda t: load(
        t, "--rw", "randread", "--bs", "512", "--depth", "16", "-Q", "32", bend={"read": reorder()}
    )
)


def reorder():
    """Keeps answers back while more commands are there to be read, then sends them in reverse."""
    kept = []

    def bend(link, reply):
        kept.append(link.answer_bytes(reply))
        reply.raw = b""
        if len(kept) >= 8 or not select.select([link.channel.sock], [], [], 0)[0]:
            reply.raw = b"".join(reversed(kept))
            kept.clear()

    return bend


# ---- H13-H15: R2T ----------------------------------------------------------------------------


def answers(t, arguments=(), **how):
    """A write by R2Ts; the target judges every H2CData."""
    target = t.target(**how)
    ran = t.run(target, *WRITE, *arguments)
    stored = next(iter(target.controllers.values())).read(0, SIZE // 512)
    check(ran.status != 0 or stored == FULL, "other data was written")
    return ran


for limit in (4096, 4100, 131072):
    row(f"H13/maxh2c-{limit}", f"MAXH2CDATA {limit}: chunks of at most that", EndsJson(0))(
        lambda t, n=limit: answers(t, maxh2c=n)
    )
for pda in (0, 3, 31):
    row(f"H13/cpda-{pda}", f"CPDA {pda}: PDO is aligned to it", EndsJson(0))(
        lambda t, n=pda: answers(t, cpda=n)
    )
row("H13/parts", "R2Ts for parts of 4608 bytes, one after the other", EndsJson(0))(
    lambda t: answers(t, r2t_bytes=4608, together=1)
)
row("H13/digests", "the same with both digests and CPDA 7", EndsJson(0))(
    lambda t: answers(t, ("-g", "-G"), r2t_bytes=4608, together=1, cpda=7)
)
for count in (1, 2, 16):
    row(f"H14/{count}", f"MAXR2T for {count} at once, and so many come", EndsJson(0))(
        lambda t, n=count: answers(t, ("--maxr2t", str(n)), r2t_bytes=SIZE // n, together=n)
    )
for count in (1, 4):
    row(
        f"H14/{count}-more",
        f"MAXR2T for {count}, and one more comes",
        EndsJson(BROKE, term=(5, None)),
    )(
        lambda t, n=count: answers(
            t, ("--maxr2t", str(n)), r2t_bytes=SIZE // (n + 1) // 512 * 512, together=n + 1
        )
    )


def bad_r2t(t, over, command=WRITE, before=0):
    """An R2T with something wrong; `before` bytes were asked for rightly."""

    def bend(link, reply):
        fields = {"cid": reply.cid, "ttag": 1, "offset": before, "length": 4096} | over
        cid = fields["cid"](reply.cid) if callable(fields["cid"]) else fields["cid"]
        right = link.r2t(reply.cid, 0, 0, before) if before else b""
        reply.raw = right + link.r2t(cid, fields["ttag"], fields["offset"], fields["length"])

    stage = "r2t" if command is WRITE else command[1]
    return t.run(t.target({stage: bend}), *command, "--maxr2t", "16")


def r2t_row(ident, rule, term, command=WRITE, before=0, **over):
    row(ident, rule, EndsJson(BROKE, term=term, says=("r2t",)), args=(over, command, before))(
        bad_r2t
    )


r2t_row("H15/unknown", "R2T for a CID that is not there", (1, 8), cid=lambda cid: cid ^ 0x1000)
r2t_row("H15/read", "R2T for a read", ((1, 2), None), command=READ)
r2t_row("H15/flush", "R2T for a command without data", ((1, 2, 4), None), command=FLUSH)
r2t_row("H15/beyond", "R2T beyond the data", (4, None), length=SIZE + 4)
r2t_row(
    "H15/beyond-2", "a second R2T beyond the data", (4, None), before=4096, offset=4096, length=SIZE
)
r2t_row(
    "H15/wrap",
    "R2TO + R2TL beyond 4 GiB",
    ((2, 4), None),
    before=4096,
    offset=4096,
    length=0xFFFFF000,
)
r2t_row("H15/zero", "R2T of no bytes", (1, 16), length=0)
r2t_row("H15/gap", "R2T that leaves bytes out", ((2, 4), None), offset=4096)
r2t_row("H15/again", "R2T for bytes that were asked for", ((2, 4), None), before=8192, offset=4096)


@row(
    "H15/capsule",
    "R2T for a write whose data went in the capsule",
    EndsJson(BROKE, term=((1, 2, 4), None)),
)
def _(t):
    def bend(link, reply):
        reply.raw = link.r2t(reply.cid, 1, 0, 4096)

    return t.run(t.target({"write": bend}), *write_of(8))


@row("H15/done", "R2T after the completion", EndsJson(0, BROKE, term="any"))
def _(t):
    def bend(link, reply):
        reply.raw = link.response(reply) + link.r2t(reply.cid, 9, 0, 4096)

    return t.run(t.target({"write": bend}), *WRITE)
