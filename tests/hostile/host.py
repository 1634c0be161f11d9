# SPDX-License-Identifier: BSD-2-Clause
"""A raw NVMe/TCP host for scripts: the IC exchange, Connect, commands with their data, each step
alone or all of them together. What the target sends is held against the rules as it comes (Broken).
"""
import uuid
from dataclasses import dataclass, field, replace

import wire
from channel import Broken, Channel

HOST_ID = uuid.UUID("5f2d1c7a-90b3-4e61-8a57-0c1d2e3f4a5b")


@dataclass
class Settings:
    """Whom to talk to and how; `but` makes a variation."""

    address: str = "127.0.0.1"
    port: int = 4420
    subnqn: str = ""
    hostid: bytes = HOST_ID.bytes
    hostnqn: str = f"nqn.2014-08.org.nvmexpress:uuid:{HOST_ID}"
    hdgst: bool = False
    ddgst: bool = False
    hpda: int = 0
    maxr2t: int = 0
    kato: int = 0
    sqsize: int = 31  # 0's based
    sq_flow: bool = True
    limit: float = 5.0

    def but(self, **changes):
        return replace(self, **changes)

    def stranger(self):
        """The same as another host."""
        identity = uuid.uuid4()
        return self.but(
            hostid=identity.bytes, hostnqn=f"nqn.2014-08.org.nvmexpress:uuid:{identity}"
        )


@dataclass
class Command:
    """A command that was sent, and what has come for it."""

    sqe: bytes
    give: bytes = b""  # data for R2Ts
    take: int = 0  # bytes of C2HData to expect
    got: bytearray = field(default_factory=bytearray)
    r2ts: list = field(default_factory=list)
    pdus: list = field(default_factory=list)  # C2HData, as they came
    asked: int = 0
    done: bool = False
    by_success: bool = False
    cqe: wire.Cqe = None

    cid = property(lambda s: wire.get(s.sqe, 2, 2))
    data = property(lambda s: bytes(s.got))
    ok = property(lambda s: s.by_success or (s.cqe is not None and s.cqe.ok))

    def __str__(self):
        if not self.done:
            return "no completion"
        return "SUCCESS flag" if self.by_success else str(self.cqe)


class Refused(Exception):
    """A command that had to succeed did not."""

    def __init__(self, what, command):
        super().__init__(f"{what}: {command}")
        self.command = command


class Queue:
    """A connection after the IC exchange; after connect() a queue."""

    def __init__(self, channel, settings, icresp):
        self.channel, self.settings, self.icresp = channel, settings, icresp
        self.maxh2c = icresp.limit
        self.out, self.next = {}, 0
        self.open_r2ts = {}  # by TTAG: asked for, and not answered entirely
        self.answer_r2t = True
        self.sqhds = []
        self.qid, self.cntlid = 0, None
        self.in_capsule = 8192
        self.no_sq_flow = False

    def close(self):
        self.channel.close()

    # ---- one command -------------------------------------------------------------------------

    def cid(self):
        """A CID that is not in use."""
        while True:
            self.next = (self.next + 1) % 0xFFFF
            if self.next not in self.out:
                return self.next

    def send(self, entry, *, in_capsule=b"", give=b"", take=0, cid=None, **over):
        """Sends the command with a new CID: data in the capsule, or to give by R2T, or to take."""
        entry = wire.with_cid(entry, self.cid() if cid is None else cid)
        command = Command(entry, give, take)
        self.out[command.cid] = command
        command.sent = self.channel.send_pdu(wire.CMD, entry, in_capsule, **over)
        return command

    def wait(self, command, limit=None):
        while not command.done:
            self.step(limit)
        return command

    def run(self, entry, limit=None, **what):
        return self.wait(self.send(entry, **what), limit)

    def must(self, entry, **what):
        command = self.run(entry, **what)
        if not command.ok:
            raise Refused(f"opcode {entry[0]:02X}h", command)
        return command

    # ---- what comes --------------------------------------------------------------------------

    def step(self, limit=None):
        """Takes one PDU and acts on it; returns it."""
        pdu = self.channel.recv(limit)
        if pdu.type == wire.RESP:
            self.take_response(pdu)
        elif pdu.type == wire.R2T:
            self.take_r2t(pdu)
        elif pdu.type == wire.C2H_DATA:
            self.take_data(pdu)
        else:
            raise Broken(f"unexpected {pdu}")
        return pdu

    def known(self, pdu, cid):
        if cid not in self.out:
            raise Broken(f"{pdu.name} for CID {cid}, which is not outstanding")
        return self.out[cid]

    def take_response(self, pdu):
        command = self.known(pdu, pdu.cqe.cid)
        command.cqe, command.done = pdu.cqe, True
        self.sqhds.append(pdu.cqe.sqhd)
        del self.out[command.cid]

    def take_r2t(self, pdu):
        command = self.known(pdu, pdu.cccid)
        total = len(command.give)
        if pdu.length == 0 or pdu.offset != command.asked or pdu.offset + pdu.length > total:
            raise Broken(
                f"R2T of {pdu.length} bytes at {pdu.offset}: {command.asked} of {total} bytes "
                "were asked for before"
            )
        if pdu.ttag in self.open_r2ts:
            raise Broken(f"R2T with TTAG {pdu.ttag}, whose data is still awaited")
        if sum(r.cccid == pdu.cccid for r in self.open_r2ts.values()) > self.settings.maxr2t:
            raise Broken(f"more than MAXR2T + 1 = {self.settings.maxr2t + 1} R2Ts for one command")
        command.asked += pdu.length
        command.r2ts.append(pdu)
        self.open_r2ts[pdu.ttag] = pdu
        if self.answer_r2t:
            self.answer(command, pdu)

    def answer(self, command, r2t, *, chunk=None):
        """All the H2CData that an R2T asks for."""
        chunk, at, end = chunk or self.maxh2c, r2t.offset, r2t.offset + r2t.length
        while at < end:
            size = min(chunk, end - at)
            self.h2c(command, r2t, at, size, last=at + size == end)
            at += size

    def h2c(
        self, command, r2t, offset, size, *, last=True, cccid=None, ttag=None, datal=None, **over
    ):
        body = wire.data_body(
            command.cid if cccid is None else cccid,
            r2t.ttag if ttag is None else ttag,
            offset,
            size if datal is None else datal,
        )
        data = command.give[offset : offset + size].ljust(size, b"\xEE")
        if last:
            self.open_r2ts.pop(r2t.ttag, None)
        return self.channel.send_pdu(
            wire.H2C_DATA, body, data, flags=wire.LAST if last else 0, **over
        )

    def take_data(self, pdu):
        command = self.known(pdu, pdu.cccid)
        if pdu.length != len(pdu.data):
            raise Broken(f"C2HData: DATAL {pdu.length}, but {len(pdu.data)} bytes of data")
        if pdu.offset != len(command.got):
            raise Broken(f"C2HData: DATAO {pdu.offset} after {len(command.got)} bytes")
        if pdu.offset + pdu.length > command.take:
            raise Broken(f"C2HData: beyond the {command.take} bytes of the command")
        if pdu.last != (pdu.offset + pdu.length == command.take):
            raise Broken(
                f"C2HData: LAST_PDU {pdu.last} at {pdu.offset + pdu.length} of {command.take}"
            )
        if pdu.success and not self.no_sq_flow:
            raise Broken("C2HData: SUCCESS while SQ flow control is on")
        command.got += pdu.data
        command.pdus.append(pdu)
        if pdu.success:
            command.by_success = command.done = True
            del self.out[command.cid]

    def quiet(self):
        """All that the target would send by now has been taken: a command goes there and back."""
        return self.run(
            wire.property_get(wire.CSTS) if self.qid == 0 else wire.sqe(wire.FLUSH, nsid=1)
        )

    # ---- Connect, and what every controller needs --------------------------------------------

    def connect(self, qid=0, *, cntlid=0xFFFF, data=None, entry=None, **fields):
        """The Connect command, with `fields` of wire.connect or wire.connect_data changed."""
        return self.connected(self.send_connect(qid, cntlid, data, entry, **fields), qid)

    def send_connect(self, qid=0, cntlid=0xFFFF, data=None, entry=None, **fields):
        s = self.settings
        of_data = {k: fields.pop(k) for k in ("hostid", "subnqn", "hostnqn", "at") if k in fields}
        of_data = {"hostid": s.hostid, "subnqn": s.subnqn, "hostnqn": s.hostnqn} | of_data
        fields = {
            "sqsize": s.sqsize,
            "kato": s.kato if qid == 0 else 0,
            "cattr": 0 if s.sq_flow else 4,
        } | fields
        if data is None:
            data = wire.connect_data(cntlid=cntlid, **of_data)
        return self.send(
            wire.connect(qid=qid, **fields) if entry is None else entry, in_capsule=data
        )

    def connected(self, command, qid=0):
        """The answer to a Connect that was sent."""
        if self.wait(command).ok:
            self.qid, self.cntlid = qid, wire.get(command.cqe.raw, 0, 2)
            self.no_sq_flow = not self.settings.sq_flow and command.cqe.sqhd == 0xFFFF
            self.sqhds.clear()
        return command

    def get(self, offset, size=4):
        return self.must(wire.property_get(offset, size)).cqe.value

    def set(self, offset, value, size=4):
        return self.run(wire.property_set(offset, value, size))

    def enable(self):
        """CAP, CC.EN, and the wait for CSTS.RDY, which asks again and again as every host does."""
        self.cap = self.get(wire.CAP, 8)
        if not self.set(wire.CC, wire.CC_ENABLE).ok:
            raise Broken("CC.EN was refused")
        self.until(wire.CSTS, lambda csts: csts & 1)

    def until(self, offset, wanted, tries=2000):
        for _ in range(tries):
            value = self.get(offset)
            if wanted(value):
                return value
        raise Broken(f"property {offset:#x} is {value:#x} after it was read {tries} times")

    def identify(self, cns, nsid=0, **fields):
        return self.must(wire.identify(cns, nsid, **fields), take=4096).data

    def log(self, lid, length, offset=0, **fields):
        return self.must(wire.get_log_page(lid, length, offset, **fields), take=length).data

    # ---- reads and writes --------------------------------------------------------------------

    def write(self, nsid, slba, data, *, block=512, in_capsule=None, opcode=wire.WRITE, **more):
        """In the capsule if it fits there, or as told."""
        if in_capsule is None:
            in_capsule = len(data) <= self.in_capsule
        descriptor = (wire.sgl_in_capsule if in_capsule else wire.sgl_transport)(len(data))
        entry = wire.io(opcode, nsid, slba, len(data) // block, dptr=descriptor, **more)
        return self.run(entry, **({"in_capsule": data} if in_capsule else {"give": data}))

    def read(self, nsid, slba, blocks, *, block=512, **more):
        size = blocks * block
        entry = wire.io(wire.READ, nsid, slba, blocks, dptr=wire.sgl_transport(size), **more)
        return self.run(entry, take=size)


class Association:
    """An admin queue and I/O queues, brought up."""

    def __init__(self, settings, io=1, *, enable=True):
        self.settings, self.io = settings, []
        self.admin = open_queue(settings)
        try:
            self.bring_up(io, enable)
        except BaseException:
            self.close()
            raise

    def bring_up(self, io, enable):
        connected = self.admin.connect()
        if not connected.ok:
            raise Refused("Connect", connected)
        self.cntlid = self.admin.cntlid
        if not enable:
            return
        self.admin.enable()
        self.idctrl = self.admin.identify(1)
        self.mdts = (4096 << self.idctrl[77]) if self.idctrl[77] else 0
        self.ioccsz = wire.get(self.idctrl, 1792, 4)
        if io:
            grant = self.admin.must(wire.set_features(7, io - 1 | (io - 1) << 16)).cqe.dw0
            self.granted = (grant & 0xFFFF) + 1
        for qid in range(1, io + 1):
            self.add_queue(qid)

    def add_queue(self, qid, settings=None):
        queue = open_queue(settings or self.settings)
        connected = queue.connect(qid, cntlid=self.cntlid)
        if not connected.ok:
            queue.close()
            raise Refused(f"Connect of I/O queue {qid}", connected)
        queue.in_capsule = self.ioccsz * 16 - 64
        self.io.append(queue)
        return queue

    def close(self):
        for queue in [*self.io, self.admin]:
            queue.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def icreq(settings, **over):
    """ICReq as the settings want it; `over` changes fields of wire.ic_body or wire.pdu."""
    body = {
        "pda": settings.hpda,
        "digests": settings.hdgst | settings.ddgst << 1,
        "limit": settings.maxr2t,
    }
    for_pdu = {
        k: over.pop(k) for k in list(over) if k in ("hlen", "pdo", "plen", "flags", "type_byte")
    }
    return wire.pdu(wire.ICREQ, wire.ic_body(**(body | over)), **for_pdu)


def take_icresp(channel, settings):
    """Reads the ICResp, holds it against what was asked, and lets it take effect."""
    answer = channel.recv()
    if answer.type != wire.ICRESP:
        raise Broken(f"{answer} instead of ICResp")
    asked = settings.hdgst | settings.ddgst << 1
    if answer.pfv or answer.digests & ~asked or answer.pda > 31 or any(answer.head[16:]):
        raise Broken(
            f"ICResp: PFV {answer.pfv}, DGST {answer.digests}, CPDA {answer.pda}, or reserved "
            "bytes are not zero"
        )
    if answer.limit < 4096 or answer.limit % 4:
        raise Broken(f"ICResp: MAXH2CDATA {answer.limit}")
    channel.hdgst, channel.ddgst = bool(answer.digests & 1), bool(answer.digests & 2)
    channel.align_in, channel.align_out = (settings.hpda + 1) * 4, (answer.pda + 1) * 4
    return answer


def dial(settings, **more):
    return Channel.dial(settings.address, settings.port, limit=settings.limit, **more)


def open_queue(settings, **more):
    """TCP and the IC exchange."""
    channel = dial(settings, **more)
    try:
        channel.send(icreq(settings))
        return Queue(channel, settings, take_icresp(channel, settings))
    except BaseException:
        channel.close()
        raise
