# SPDX-License-Identifier: BSD-2-Clause
"""One connection of target.py: its life, the IC exchange, and how replies leave, bent or not."""
import itertools
import select
import threading
from dataclasses import dataclass

import wire
from channel import Broken, Channel, Gone, Silence


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
        self.channel.trace, self.channel.name = target.trace, f"connection {number}"
        self.qid = self.sqsize = None
        self.controller = None
        self.sqhd, self.outstanding, self.aers = 0, {}, []
        self.no_sq_flow = False
        self.writes = {}  # by TTAG
        self.ttag = itertools.count(1)
        self.seen = []  # PDUs
        self.term = None  # H2CTermReq
        self.ended = None
        self.last_sent = b""

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
        self.spoke_first = bool(reply.raw)
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
        self.target.note_reached(stage)
        function = self.target.bends.get(stage)
        if function:
            function(self, reply)

    def emit(self, reply):
        if reply.before:
            reply.before(self)
        if reply.raw is None:
            reply.raw = self.answer_bytes(reply)
        self.last_sent = reply.raw
        if not reply.drip:
            step = 1 if self.target.chop else max(1, len(reply.raw))
            for at in range(0, len(reply.raw), step):
                self.channel.send(reply.raw[at : at + step])
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
        early = select.select([self.channel.sock], [], [], self.target.eagerness)[0]
        if early and not self.spoke_first:
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
