# SPDX-License-Identifier: BSD-2-Clause
"""What a connection of target.py does with commands and their data."""
import struct
from dataclasses import dataclass, field

import wire
from channel import Broken
from judge import command_faults, connect_faults
from link import Link, Reply

ADMIN_STAGES = {wire.ABORT: "abort", wire.KEEP_ALIVE: "keep-alive"}
IO_STAGES = {wire.READ: "read", wire.WRITE: "write", wire.FLUSH: "flush"}


@dataclass
class Transfer:
    """A write whose data is asked for."""

    reply: Reply
    slba: int
    data: bytearray
    left: int
    waiting: list = field(default_factory=list)  # ranges that were not asked for yet


@dataclass
class Part:
    """The range of one R2T, and how far it has come."""

    transfer: Transfer
    next: int
    end: int


class CommandLink(Link):
    """A link that answers commands."""

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
        """R2Ts for a write, as many at once as allowed; the stage r2t may replace those."""
        at, part = 0, self.target.r2t_bytes or length
        transfer = Transfer(reply, slba, bytearray(length), length)
        while at < length:
            transfer.waiting.append((at, min(at + part, length)))
            at += part
        together = self.target.together or self.icreq.limit + 1
        asks = Reply(cid=reply.cid, sqe=reply.sqe, raw=self.next_r2ts(transfer, together))
        self.bend("r2t", asks)
        self.emit(asks)

    def next_r2ts(self, transfer, count):
        out = b""
        for at, end in transfer.waiting[:count]:
            ttag = next(self.ttag)
            self.writes[ttag] = Part(transfer, at, end)
            out += self.r2t(transfer.reply.cid, ttag, at, end - at)
        del transfer.waiting[:count]
        return out

    def host_data(self, pdu):
        part = self.writes.get(pdu.ttag)
        if part is None:
            raise Broken(f"H2CData with TTAG {pdu.ttag}, which is not outstanding")
        transfer, end = part.transfer, pdu.offset + pdu.length
        wrong = (
            pdu.cccid != transfer.reply.cid
            or pdu.length != len(pdu.data)
            or pdu.offset != part.next
            or end > part.end
            or pdu.last != (end == part.end)
            or not pdu.length
        )
        if wrong:
            raise Broken(
                f"H2CData: CCCID {pdu.cccid} DATAO {pdu.offset} DATAL {pdu.length} LAST "
                f"{pdu.last}; expected CCCID {transfer.reply.cid} DATAO {part.next}, to {part.end}"
            )
        if pdu.length > self.target.maxh2c:
            self.breach(f"H2CData of {pdu.length} bytes, MAXH2CDATA is {self.target.maxh2c}")
        transfer.data[pdu.offset : end] = pdu.data
        part.next = end
        transfer.left -= pdu.length
        if pdu.last:
            del self.writes[pdu.ttag]
            self.channel.send(self.next_r2ts(transfer, 1))
        if transfer.left == 0:
            self.controller.write(transfer.slba, bytes(transfer.data))
            self.finish("write", transfer.reply)
