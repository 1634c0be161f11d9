#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The oracle held against itself: known bytes, host.py and target.py talking to each other, each
of them noticing what the other does wrong. TAP on stdout.
"""
import os
import sys

import bench
import host
import wire
from bench import Wrong, check
from channel import Broken
from controller import discovery_entry
from link import Reply
from target import Target

TABLE = bench.Table()
row = TABLE.row
NQN = "nqn.2024-01.org.example:hostile"


@row("crc32c", "CRC32C of the examples of RFC 3720, B.4")
def _(_t):
    known = {
        bytes(32): 0x8A9136AA,
        b"\xff" * 32: 0x62A8AB43,
        bytes(range(32)): 0x46DD794E,
        bytes(range(31, -1, -1)): 0x113FDB5C,
        b"123456789": 0xE3069283,
    }
    for data, value in known.items():
        check(wire.crc32c(data) == value, f"{data[:4].hex()}...: {wire.crc32c(data):#010x}")


@row("bytes", "PDUs and commands are the bytes that were written down by hand")
def _(_t):
    made = {
        "ICReq": wire.pdu(wire.ICREQ, wire.ic_body(pda=3, digests=3, limit=15)),
        "R2T": wire.pdu(wire.R2T, wire.r2t_body(0x1234, 7, 0x2000, 0x1000)),
        "H2CData": wire.pdu(wire.H2C_DATA, wire.data_body(5, 6, 8, 4), b"abcd", flags=4, align=16),
        "read": wire.with_cid(
            wire.io(wire.READ, 1, 0x123456789, 8, dptr=wire.sgl_transport(4096)), 9
        ),
        "connect": wire.connect(2, qid=1, sqsize=31, cattr=4)[:56],
        "cqe": wire.cqe(0x11, 1, 0x82, dw0=0x10100, sqhd=3, dnr=True),
    }
    known = {
        "ICReq": "0000800080000000" + "000003030f000000" + "00" * 112,
        "R2T": "0900180018000000" + "341207000020000000100000" + "00000000",
        "H2CData": "060418202400000005000600080000000400000000000000" + "00" * 8 + "61626364",
        "read": "0240090001000000" + "00" * 16 + "0000000000000000" + "001000000000005a"
        "89674523010000000700000000000000" + "00" * 8,
        "connect": "7f4002000100000000000000000000000000000000000000" + "0000000000000000"
        "0004000000000001" + "000001001f000400" + "0000000000000000",
        "cqe": "0001010000000000" + "0300" + "0000" + "1100" + "0483",
    }
    for name, data in made.items():
        check(data.hex() == known[name], f"{name}: {data.hex()}")


def exchange(_t, digests, part):
    """Everything legal, in both directions: nobody complains."""
    entry = [lambda t: discovery_entry("127.0.0.1", t.port, t.subnqn)]
    flags = {"hdgst": bool(digests & 1), "ddgst": bool(digests & 2)}
    with Target(r2t_bytes=part, entries=entry) as target:
        settings = host.Settings(port=target.port, subnqn=NQN, hpda=3, maxr2t=15, **flags)
        with host.Association(settings, io=2) as association:
            first, second = association.io
            for size in (512, 4096, 8192, 65536):
                data = os.urandom(size)
                check(first.write(1, 0, data).ok, f"write of {size} bytes")
                check(second.read(1, 0, size // 512).data == data, f"read of {size} bytes")
            beyond = first.read(1, 5000, 1).cqe
            check((beyond.sct, beyond.sc) == (0, 0x80), str(beyond))
        with host.Association(settings.but(subnqn=wire.DISCOVERY_NQN), io=0) as association:
            log = association.admin.log(0x70, 2048)
            check(wire.text(log[1280:1536]) == NQN, "the discovery entry")
        check(target.settle(), "a connection did not end")
        check(not target.breaches, "\n".join(target.breaches))


for bits in range(4):
    for size in (None, 8192):
        row(
            f"exchange/{bits}-{size}",
            "a legal host and a legal target have no complaint",
            args=(bits, size),
        )(exchange)


def host_notices(_t, stage, change, steps):
    """The target breaks a rule: host.py has to say so."""
    with Target({stage: change}) as target:
        settings = host.Settings(port=target.port, subnqn=NQN, limit=2)
        try:
            with host.Association(settings) as association:
                steps(association.io[0])
        except Broken:
            return
        raise Wrong("it was not noticed")


def read8(queue):
    queue.read(1, 0, 8)


def write64(queue):
    queue.write(1, 0, bytes(65536))


def change_data(**fields):
    def change(link, reply):
        data = fields.get("data", bytes(4096))
        over = {k: v for k, v in fields.items() if k not in ("data", "offset")}
        reply.raw = link.c2h(reply.cid, fields.get("offset", 0), data, **over) + link.response(
            reply
        )

    return change


def change_r2t(cid=0, ttag=1, offset=0, length=65536, times=1):
    def change(link, reply):
        reply.raw = link.r2t(reply.cid + cid, ttag, offset, length) * times

    return change


def change_reply(**fields):
    return lambda _link, reply: [setattr(reply, k, v) for k, v in fields.items()]


def wrong_cid(link, reply):
    reply.raw = link.response(Reply(cid=reply.cid + 5))


for name, stage, change, steps in (
    (
        "icresp-pfv",
        "icresp",
        change_reply(raw=wire.pdu(wire.ICRESP, wire.ic_body(pfv=1, limit=4096))),
        read8,
    ),
    (
        "icresp-hlen",
        "icresp",
        change_reply(raw=wire.pdu(wire.ICRESP, wire.ic_body(limit=4096), hlen=8)),
        read8,
    ),
    (
        "icresp-limit",
        "icresp",
        change_reply(raw=wire.pdu(wire.ICRESP, wire.ic_body(limit=4095))),
        read8,
    ),
    ("cid", "read", wrong_cid, read8),
    ("offset", "read", change_data(offset=512), read8),
    ("long", "read", change_data(data=bytes(8192)), read8),
    ("last", "read", change_data(last=False), read8),
    ("datal", "read", change_data(datal=512), read8),
    ("success", "read", change_data(success=True), read8),
    ("digest", "read", change_data(flip_flags=wire.DDGSTF), read8),
    ("r2t-long", "r2t", change_r2t(length=131072), write64),
    ("r2t-offset", "r2t", change_r2t(offset=512, length=512), write64),
    ("r2t-cid", "r2t", change_r2t(cid=3), write64),
    ("r2t-twice", "r2t", change_r2t(length=512, times=2), write64),
    ("r2t-zero", "r2t", change_r2t(length=0), write64),
):
    row(
        f"host/{name}", "the host notices a target that breaks a rule", args=(stage, change, steps)
    )(host_notices)


def target_notices(_t, steps):
    """The host breaks a rule: target.py has to say so."""
    with Target() as target:
        settings = host.Settings(port=target.port, subnqn=NQN, limit=2)
        with host.Association(settings) as association:
            steps(association.io[0])
            association.close()
            target.settle()
        check(target.breaches, "it was not noticed")


def h2c(**over):
    def steps(queue):
        queue.answer_r2t = False
        entry = wire.io(wire.WRITE, 1, 0, 128, dptr=wire.sgl_transport(65536))
        write = queue.send(entry, give=bytes(65536))
        while not write.r2ts:
            queue.step()
        queue.h2c(write, write.r2ts[0], **({"offset": 0, "size": 4096, "last": False} | over))

    return steps


for name, steps in (
    (
        "cid-twice",
        lambda q: [
            q.send(wire.io(wire.WRITE, 1, 0, 128, dptr=wire.sgl_transport(65536)), cid=7)
            for _ in range(2)
        ],
    ),
    ("psdt", lambda q: q.run(wire.sqe(wire.FLUSH, nsid=1, flags=0))),
    ("sgl", lambda q: q.send(wire.io(wire.READ, 1, 0, 8, dptr=wire.sgl(0x40, 4096)))),
    ("mdts", lambda q: q.send(wire.io(wire.READ, 1, 0, 512, dptr=wire.sgl_transport(262144)))),
    (
        "capsule",
        lambda q: q.send(
            wire.io(wire.WRITE, 1, 0, 16, dptr=wire.sgl_in_capsule(8192)), in_capsule=bytes(8192)
        ),
    ),
    ("ttag", h2c(ttag=99)),
    ("cccid", h2c(cccid=99)),
    ("offset", h2c(offset=4096)),
    ("last", h2c(last=True)),
    ("h2c-long", h2c(size=8192)),
    ("pdo", lambda q: q.send(wire.sqe(wire.FLUSH, nsid=1), pdo=72)),
):
    row(f"target/{name}", "the target notices a host that breaks a rule", args=(steps,))(
        target_notices
    )


class Nothing:
    def close(self):
        """The rows close what they open."""

    def evidence(self):
        return ()


def main():
    chosen = bench.arguments(__doc__).parse_args()
    rows = bench.chosen(TABLE.rows, chosen.k)
    if chosen.list:
        bench.print_list(rows)
        return 0
    runner = bench.Runner(rows, lenient=False, peer=None, make_bench=lambda _: Nothing())
    return bench.finish(runner.run())


if __name__ == "__main__":
    sys.exit(main())
