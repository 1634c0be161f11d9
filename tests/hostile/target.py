# SPDX-License-Identifier: BSD-2-Clause
"""A raw NVMe/TCP target for scripts: it brings any host all the way up with legal answers, judges
what the host does (`breaches`), and breaks the rules it is asked to break (`bend`).

`bend` maps the name of a stage to a function(link, reply) that changes the reply before it leaves.
Stages: accept, icresp, connect, io-connect, cap, vs, cc, csts, property-set, identify-CNS,
set-features-FID, get-features-FID, log-LID, aer, abort, keep-alive, disconnect, read, write, r2t,
flush, other.
"""
import itertools
import select
import socket
import struct
import threading
from dataclasses import dataclass

import wire
from channel import Broken, Channel, Gone, Silence
from controller import Controller
from judge import command_faults, connect_faults

ADMIN_STAGES = {wire.ABORT: "abort", wire.KEEP_ALIVE: "keep-alive"}
IO_STAGES = {wire.READ: "read", wire.WRITE: "write", wire.FLUSH: "flush"}


class Hang(Exception):
    """The link says nothing more; it waits for the host to go."""


class Drop(Exception):
    """The link closes."""


@dataclass
class Reply:
    """What goes out for one command or the ICReq. `raw` replaces everything."""

    cid: int = 0
    sct: int = 0
    sc: int = 0
    dw0: int = 0
    dw1: int = 0
    data: bytes = b""
    sqe: bytes = b""
    dnr: bool = False
    send_cqe: bool = True
    raw: bytes = None
    drip: float = 0  # seconds between bytes
    before: object = None  # called with the link, just before sending


class Link(threading.Thread):
    """One connection."""

    def __init__(self, target, sock, number):
        super().__init__(daemon=True)
        self.target, self.number = target, number
        self.channel = Channel(sock, limit=target.patience)
        self.qid = self.sqsize = None
        self.controller = None
        self.sqhd, self.outstanding, self.aers = 0, {}, []
        self.no_sq_flow = False
        self.writes = {}  # by TTAG
        self.ttag = itertools.count(1)
        self.seen = []  # PDUs
        self.term = None  # H2CTermReq
        self.ended = None
        self.ready = False

    # ---- life --------------------------------------------------------------------------------

    def run(self):
        try:
            self.talk()
        except Gone as gone:
            self.ended = gone.how
            if gone.leftover:
                self.breach(f"closed in the middle of a PDU, after {len(gone.leftover)} bytes")
        except Silence:
            self.ended = "silence"
        except Drop:
            self.ended = "dropped"
        except Broken as broken:
            self.breach(str(broken))
            self.ended = "broken"
        except Hang:
            self.wait_for_end()
        finally:
            self.channel.close()
            self.target.link_ended(self)

    def wait_for_end(self):
        """Listens on, for a TermReq and the end."""
        try:
            while True:
                pdu = self.channel.recv(self.target.patience)
                if pdu.type == wire.H2C_TERM:
                    self.take_term(pdu)
        except Gone as gone:
            self.ended = gone.how
        except Silence:
            self.ended = "silence"
        except Broken as broken:
            self.breach(str(broken))
            self.ended = "broken"

    def breach(self, what):
        self.target.breaches.append(f"connection {self.number}: {what}")

    def talk(self):
        reply = Reply(raw=b"")
        self.bend("accept", reply)
        self.emit(reply)
        self.initialize()
        while True:
            pdu = self.channel.recv()
            self.seen.append(pdu)
            if pdu.type == wire.CMD:
                self.command(pdu)
            elif pdu.type == wire.H2C_DATA:
                self.host_data(pdu)
            elif pdu.type == wire.H2C_TERM:
                self.take_term(pdu)
                raise Drop
            else:
                raise Broken(f"unexpected {pdu}")

    def take_term(self, pdu):
        self.term = pdu
        if pdu.plen < 24 or pdu.plen > 152 or any(pdu.head[14:24]):
            self.breach(f"H2CTermReq: PLEN {pdu.plen}, or reserved bytes are not zero")

    def bend(self, stage, reply):
        self.target.reached.append(stage)
        function = self.target.bends.get(stage)
        if function:
            function(self, reply)

    def emit(self, reply):
        if reply.before:
            reply.before(self)
        if reply.raw is None:
            reply.raw = self.answer_bytes(reply)
        if not reply.drip:
            self.channel.send(reply.raw)
            return
        for at in range(len(reply.raw)):
            self.channel.send(reply.raw[at : at + 1])
            self.target.stopping.wait(reply.drip)
            if select.select([self.channel.sock], [], [], 0)[0]:
                raise Hang  # the host has had enough

    def answer_bytes(self, reply):
        out = b""
        if reply.data and not (reply.sc or reply.sct):
            out += self.c2h(reply.cid, 0, reply.data)
        if reply.send_cqe:
            out += self.response(reply)
        return out

    def c2h(self, cid, offset, data, *, last=True, success=False, datal=None, **over):
        flags = (wire.LAST if last else 0) | (wire.SUCCESS if success else 0)
        body = wire.data_body(cid, 0, offset, len(data) if datal is None else datal)
        return self.channel.build(wire.C2H_DATA, body, data, flags=flags, **over)

    def r2t(self, cid, ttag, offset, length, **over):
        return self.channel.build(wire.R2T, wire.r2t_body(cid, ttag, offset, length), **over)

    def response(self, reply, **over):
        entry = wire.cqe(
            reply.cid,
            reply.sct,
            reply.sc,
            dw0=reply.dw0,
            dw1=reply.dw1,
            dnr=reply.dnr,
            sqhd=self.sqhd,
            sqid=0,
        )
        return self.channel.build(wire.RESP, entry, **over)

    def finish(self, stage, reply):
        self.outstanding.pop(reply.cid, None)
        self.bend(stage, reply)
        self.emit(reply)

    # ---- the IC exchange ---------------------------------------------------------------------

    def initialize(self):
        request = self.channel.recv()
        self.seen.append(request)
        if request.type != wire.ICREQ:
            raise Broken(f"{request} is the first PDU")
        if request.pfv or request.pda > 31 or request.digests > 3 or any(request.head[16:]):
            self.breach("ICReq: PFV, HPDA, DGST or reserved bytes")
        if select.select([self.channel.sock], [], [], self.target.eagerness)[0]:
            self.breach("something came before our ICResp")
        self.icreq = request
        digests = request.digests & self.target.digests
        body = {"pda": self.target.cpda, "digests": digests, "limit": self.target.maxh2c}
        reply = Reply(raw=wire.pdu(wire.ICRESP, wire.ic_body(**body)))
        self.bend("icresp", reply)
        self.emit(reply)
        self.channel.hdgst, self.channel.ddgst = bool(digests & 1), bool(digests & 2)
        self.channel.align_in = (self.target.cpda + 1) * 4
        self.channel.align_out = (request.pda + 1) * 4

    # ---- commands ----------------------------------------------------------------------------

    def command(self, pdu):
        entry = pdu.sqe
        reply = Reply(cid=wire.get(entry, 2, 2), sqe=entry)
        for fault in command_faults(self, pdu):
            self.breach(fault)
        self.outstanding[reply.cid] = entry
        if not self.no_sq_flow:
            self.sqhd = (self.sqhd + 1) % ((self.sqsize or 0x10000) + 1)
        if self.qid is None:
            self.connect(pdu, reply)
        elif entry[0] == wire.FABRICS:
            self.fabrics(entry, reply)
        elif self.qid == 0:
            self.admin(entry, reply)
        else:
            self.io(pdu, reply)

    def connect(self, pdu, reply):
        entry, data = pdu.sqe, pdu.data
        if entry[0] != wire.FABRICS or entry[4] != wire.CONNECT:
            raise Broken(f"opcode {entry[0]:02X}h before Connect")
        recfmt, qid, sqsize, cattr = struct.unpack_from("<HHHB", entry, 40)
        for fault in connect_faults(entry, data):
            self.breach("Connect: " + fault)
        subnqn = wire.text(data[256:512])
        if qid == 0:
            self.controller = self.target.new_controller(subnqn)
            self.controller.hostid, self.controller.hostnqn = data[:16], data[512:768]
        else:
            self.join_controller(data, qid)
        self.qid, self.sqsize = qid, sqsize
        self.no_sq_flow = bool(cattr & 4) and self.target.grant_no_sq_flow
        self.sqhd = 0xFFFF if self.no_sq_flow else self.sqhd
        reply.dw0 = self.controller.cntlid
        self.finish("io-connect" if qid else "connect", reply)
        self.sqhd = 0 if self.no_sq_flow else self.sqhd
        self.ready = True

    def join_controller(self, data, qid):
        controller = self.target.controllers.get(wire.get(data, 16, 2))
        if controller is None:
            self.breach(f"Connect: CNTLID {wire.get(data, 16, 2)} of an I/O queue is not ours")
            controller = next(iter(self.target.controllers.values()))
        if data[:16] != controller.hostid or data[512:768] != controller.hostnqn:
            self.breach("Connect: host ID or NQN of an I/O queue differ from the admin queue's")
        if not controller.cc & 1:
            self.breach("Connect of an I/O queue before the controller was enabled")
        if controller.granted is None or qid > controller.granted:
            self.breach(f"I/O queue {qid} of {controller.granted} that were granted")
        self.controller = controller

    def fabrics(self, entry, reply):
        fctype, size = entry[4], 8 if entry[40] & 7 else 4
        offset, value = struct.unpack_from("<IQ", entry, 44)
        if fctype == wire.PROPERTY_GET:
            self.controller.cap_read |= offset == wire.CAP
            found = self.controller.property(offset, size)
            if found is None:
                reply.sct, reply.sc = 0, 2
            else:
                reply.dw0, reply.dw1 = found & 0xFFFFFFFF, found >> 32
            names = {wire.CAP: "cap", wire.VS: "vs", wire.CC: "cc", wire.CSTS: "csts"}
            return self.finish(names.get(offset, "other"), reply)
        if fctype == wire.PROPERTY_SET:
            if offset == wire.CC and value & 1 and not self.controller.cap_read:
                self.breach("enabled without reading CAP")
            if offset == wire.CC and size == 4:
                self.controller.cc = value & 0xFFFFFFFF
            else:
                reply.sct, reply.sc = 0, 2
            return self.finish("property-set", reply)
        if fctype == wire.DISCONNECT:
            return self.finish("disconnect", reply)
        reply.sct, reply.sc = (0, 0x0C) if fctype == wire.CONNECT else (0, 2)
        return self.finish("other", reply)

    def admin(self, entry, reply):
        opcode, nsid, cdw10, cdw11 = (
            entry[0],
            *struct.unpack_from("<I", entry, 4),
            *struct.unpack_from("<II", entry, 40),
        )
        model, stage, found = self.controller, ADMIN_STAGES.get(opcode, "other"), 0
        if opcode == wire.AER:
            del self.outstanding[reply.cid]
            self.aers.append(reply.cid)
            reply.raw = b""
            return self.finish("aer", reply)
        if opcode == wire.IDENTIFY:
            stage, found = f"identify-{cdw10 & 0xFF}", model.identify(cdw10 & 0xFF, nsid) or (0, 2)
        elif opcode == wire.GET_LOG_PAGE:
            length = ((cdw10 >> 16) | (cdw11 & 0xFFFF) << 16) * 4 + 4
            stage = f"log-{cdw10 & 0xFF}"
            found = model.log(cdw10 & 0xFF, wire.get(entry, 48, 8), length)
        elif opcode == wire.SET_FEATURES:
            stage, found = f"set-features-{cdw10 & 0xFF}", model.set_feature(cdw10 & 0xFF, cdw11)
        elif opcode == wire.GET_FEATURES:
            stage, found = f"get-features-{cdw10 & 0xFF}", model.get_feature(cdw10 & 0xFF)
        elif opcode == wire.ABORT:
            found = 1
        elif opcode != wire.KEEP_ALIVE:
            found = (0, 1)
        self.fill(reply, found)
        return self.finish(stage, reply)

    @staticmethod
    def fill(reply, found):
        if isinstance(found, tuple):
            reply.sct, reply.sc = found
        elif isinstance(found, bytes):
            reply.data = found[: wire.get(reply.sqe, 32, 4)]
        else:
            reply.dw0 = found

    # ---- I/O ---------------------------------------------------------------------------------

    def io(self, pdu, reply):
        entry, model = pdu.sqe, self.controller
        opcode, nsid = entry[0], wire.get(entry, 4, 4)
        slba, blocks = wire.get(entry, 40, 8), wire.get(entry, 48, 2) + 1
        length = wire.get(entry, 32, 4)
        if opcode not in IO_STAGES:
            reply.sct, reply.sc = 0, 1
            return self.finish("other", reply)
        if opcode != wire.FLUSH and (nsid != 1 or slba + blocks > model.blocks):
            reply.sct, reply.sc = (0, 0x80) if nsid == 1 else (0, 0x0B)
        elif opcode == wire.READ:
            reply.data = model.read(slba, blocks)
        elif opcode == wire.WRITE and entry[39] == 0x01:
            model.write(slba, pdu.data)
        elif opcode == wire.WRITE and length:
            return self.ask_for(reply, slba, length)
        return self.finish(IO_STAGES[opcode], reply)

    def ask_for(self, reply, slba, length):
        """R2Ts for a write, as many at once as MAXR2T allows; the stage r2t may replace them."""
        at = 0
        transfer = {"reply": reply, "slba": slba, "data": bytearray(length), "left": length}
        asks = Reply(cid=reply.cid, sqe=reply.sqe, raw=b"")
        part = length if self.target.r2t_bytes is None else self.target.r2t_bytes
        while at < length:
            ttag, size = next(self.ttag), min(part, length - at)
            self.writes[ttag] = transfer | {
                "at": at,
                "next": at,
                "end": at + size,
                "shared": transfer,
            }
            asks.raw += self.r2t(reply.cid, ttag, at, size)
            at += size
        self.bend("r2t", asks)
        self.emit(asks)

    def host_data(self, pdu):
        part = self.writes.get(pdu.ttag)
        if part is None:
            raise Broken(f"H2CData with TTAG {pdu.ttag}, which is not outstanding")
        reply, end = part["reply"], pdu.offset + pdu.length
        wrong = (
            pdu.cccid != reply.cid
            or pdu.length != len(pdu.data)
            or pdu.offset != part["next"]
            or end > part["end"]
            or pdu.last != (end == part["end"])
            or not pdu.length
        )
        if wrong:
            raise Broken(
                f"H2CData: CCCID {pdu.cccid} DATAO {pdu.offset} DATAL {pdu.length} LAST "
                f"{pdu.last}; expected CCCID {reply.cid} DATAO {part['next']} up to {part['end']}"
            )
        if pdu.length > self.target.maxh2c:
            self.breach(f"H2CData of {pdu.length} bytes, MAXH2CDATA is {self.target.maxh2c}")
        shared = part["shared"]
        shared["data"][pdu.offset : end] = pdu.data
        part["next"], shared["left"] = end, shared["left"] - pdu.length
        if pdu.last:
            del self.writes[pdu.ttag]
        if shared["left"] == 0:
            self.controller.write(part["slba"], bytes(shared["data"]))
            self.finish("write", reply)


class Target:
    """Listens on 127.0.0.1; `with Target(...) as target:` ends every connection at the end."""

    def __init__(
        self,
        bend=None,
        *,
        subnqn="nqn.2024-01.org.example:hostile",
        digests=3,
        cpda=0,
        maxh2c=4096,
        r2t_bytes=None,
        patience=10.0,
        eagerness=0.0,
        entries=(),
        grant_no_sq_flow=True,
        blocks=2048,
    ):
        self.bends, self.subnqn, self.digests, self.cpda = dict(bend or {}), subnqn, digests, cpda
        self.maxh2c, self.r2t_bytes, self.patience, self.eagerness = (
            maxh2c,
            r2t_bytes,
            patience,
            eagerness,
        )
        self.entries, self.grant_no_sq_flow, self.blocks = list(entries), grant_no_sq_flow, blocks
        self.breaches, self.links, self.reached, self.controllers = [], [], [], {}
        self.stopping, self.changed = threading.Event(), threading.Condition()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.acceptor = threading.Thread(target=self.accept, daemon=True)
        self.acceptor.start()

    def uri(self, subnqn=None):
        return f"nvme+tcp://127.0.0.1:{self.port}/{subnqn or self.subnqn}"

    def accept(self):
        while not self.stopping.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            link = Link(self, sock, len(self.links) + 1)
            self.links.append(link)
            link.start()

    def new_controller(self, subnqn):
        discovery = subnqn == wire.DISCOVERY_NQN
        controller = Controller(
            len(self.controllers) + 1, subnqn=subnqn, discovery=discovery, blocks=self.blocks
        )
        controller.entries = [e(self) if callable(e) else e for e in self.entries]
        self.controllers[controller.cntlid] = controller
        return controller

    def link_ended(self, _):
        with self.changed:
            self.changed.notify_all()

    def settle(self, limit=5.0):
        """Waits until the host has ended every connection."""
        with self.changed:
            return self.changed.wait_for(lambda: all(link.ended for link in self.links), limit)

    @property
    def terms(self):
        return [link.term for link in self.links if link.term]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopping.set()
        # A thread in accept() keeps the socket open: wake it.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for link in self.links:
            try:
                link.channel.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for link in self.links:
            link.join(5)
