# SPDX-License-Identifier: BSD-2-Clause
"""A TCP connection that PDUs go over: each wait has an end, each PDU received is held against the
rules.
"""
import collections
import select
import socket
import struct
import threading
import time

import wire


class Gone(Exception):
    """The peer closed (at a PDU boundary or within one) or reset the connection."""

    def __init__(self, how, leftover=b""):
        super().__init__(f"{how} after {len(leftover)} bytes of a PDU" if leftover else how)
        self.how, self.leftover = how, leftover


class Silence(Exception):
    """Nothing came in time."""


class Broken(Exception):
    """The peer broke a rule."""


class Trace:
    """The last that went over some connections, for the report of a rule that was broken."""

    SHOWN = 144  # bytes of a PDU

    def __init__(self, length=10):
        self.kept, self.begun = collections.deque(maxlen=length), time.monotonic()

    def note(self, name, way, raw):
        if self.kept:
            _, last, there, head, total = self.kept[-1]
            if (last, there) == (name, way) and total < 8:  # a header in pieces
                self.kept.pop()
                raw = head + bytes(raw)
        at = time.monotonic() - self.begun
        self.kept.append((at, name, way, bytes(raw[: self.SHOWN]), len(raw)))

    def lines(self):
        for at, name, way, head, total in self.kept:
            more = f"... ({total} bytes)" if total > len(head) else ""
            yield f"{at:.3f} s, {name}: {way} {head.hex()}{more}"


_of_thread = threading.local()


def trace_of_thread():
    """Where the channels that this thread makes keep what goes over them."""
    if not hasattr(_of_thread, "trace"):
        _of_thread.trace = Trace()
    return _of_thread.trace


def begin_trace():
    _of_thread.trace = Trace()


def ready(sock, event, seconds):
    """Unlike select(), for descriptors of any number."""
    poll = select.poll()
    poll.register(sock, event)
    return bool(poll.poll(max(0, seconds) * 1000))


class Channel:
    """`align_in`: what the PDO of data sent to us must be a multiple of; `align_out`: of ours."""

    def __init__(self, sock, *, limit=5.0):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)
        self.sock, self.limit = sock, limit
        self.trace, self.name = trace_of_thread(), f"port {sock.getsockname()[1]}"
        self.hdgst = self.ddgst = False
        self.align_in = self.align_out = 4
        self.check_digests = True

    @staticmethod
    def dial(address, port, *, limit=5.0, receive_buffer=None):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.settimeout(limit)
        sock.connect((address, port))
        return Channel(sock, limit=limit)

    def close(self):
        self.sock.close()

    def reset(self):
        """Ends the connection with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    # ---- sending -----------------------------------------------------------------------------

    def send(self, raw):
        end = time.monotonic() + self.limit
        view = memoryview(raw)
        if raw:
            self.trace.note(self.name, "sent", raw)
        while view:
            try:
                view = view[self.sock.send(view) :]
            except BlockingIOError:
                left = end - time.monotonic()
                if left <= 0 or not ready(self.sock, select.POLLOUT, left):
                    raise Silence(f"{len(view)} bytes not taken within {self.limit} s") from None
            except (ConnectionResetError, BrokenPipeError) as error:
                raise Gone("reset") from error

    def build(self, kind, body, data=b"", **over):
        """A PDU as agreed on this connection; see wire.pdu for what can be overridden."""
        over = {"hdgst": self.hdgst, "ddgst": self.ddgst, "align": self.align_out} | over
        return wire.pdu(kind, body, data, **over)

    def send_pdu(self, kind, body, data=b"", **over):
        raw = self.build(kind, body, data, **over)
        self.send(raw)
        return raw

    # ---- receiving ---------------------------------------------------------------------------

    def read(self, count, end, begun=b""):
        out = bytearray()
        while len(out) < count:
            left = end - time.monotonic()
            if left <= 0 or not ready(self.sock, select.POLLIN, left):
                raise Silence(f"nothing more after {len(begun) + len(out)} bytes")
            try:
                piece = self.sock.recv(count - len(out))
            except (ConnectionResetError, BrokenPipeError) as error:
                raise Gone("reset", begun + bytes(out)) from error
            if not piece:
                raise Gone("closed", begun + bytes(out))
            out += piece
        return bytes(out)

    def take(self, end):
        """The bytes of the next PDU."""
        raw = b""
        try:
            raw = self.read(8, end)
            hlen, plen = raw[2], wire.get(raw, 4, 4)
            if hlen < 8 or plen < hlen or plen > 64 << 20:
                raise Broken(f"PDU type {raw[0]:02X}h with HLEN {hlen} and PLEN {plen}")
            raw += self.read(plen - 8, end, raw)
        except Gone as gone:
            self.trace.note(self.name, f"{gone.how} by the peer after", gone.leftover)
            raise
        self.trace.note(self.name, "got", raw)
        return raw

    def recv(self, limit=None):
        """The next PDU. Its header, digests and alignment are checked."""
        raw = self.take(time.monotonic() + (self.limit if limit is None else limit))
        hlen = raw[2]
        pdu = wire.Pdu(raw[:hlen], raw=raw)
        wrong = wire.complaint(pdu, hdgst=self.hdgst, ddgst=self.ddgst, align=self.align_in)
        if wrong:
            raise Broken(wrong)
        self.take_data(pdu)
        return pdu

    def take_data(self, pdu):
        """Cuts the data out of pdu.raw and verifies both digests."""
        raw = pdu.raw
        if pdu.type in wire.TERMS:
            pdu.data = raw[24:]
            return
        if pdu.flags & wire.HDGSTF and self.check_digests:
            digest = wire.get(raw, pdu.hlen, 4)
            if digest != wire.crc32c(pdu.head):
                raise Broken(f"{pdu.name}: header digest {digest:#010x} is wrong")
        if pdu.type not in wire.CARRIES or not pdu.pdo:
            return
        tail = 4 if pdu.flags & wire.DDGSTF else 0
        pdu.data = raw[pdu.pdo : len(raw) - tail]
        if tail and self.check_digests:
            pdu.ddgst_good = wire.get(raw, len(raw) - 4, 4) == wire.crc32c(pdu.data)
            if not pdu.ddgst_good:
                raise Broken(f"{pdu.name}: data digest is wrong")
        start = pdu.hlen + (4 if pdu.flags & wire.HDGSTF else 0)
        if any(raw[start : pdu.pdo]):
            raise Broken(f"{pdu.name}: padding is not zero")

    def readable(self):
        """Bytes or an end have come that nobody has taken."""
        return ready(self.sock, select.POLLIN, 0)

    def wait_closed(self, limit):
        """Reads over what comes until the peer closes; tells how. Silence when it does not."""
        end = time.monotonic() + limit
        while True:
            left = end - time.monotonic()
            if left <= 0 or not ready(self.sock, select.POLLIN, left):
                raise Silence(f"not closed within {limit} s")
            try:
                if not self.sock.recv(1 << 16):
                    return "closed"
            except (ConnectionResetError, BrokenPipeError):
                return "reset"
