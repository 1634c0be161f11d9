# SPDX-License-Identifier: BSD-2-Clause
"""What the rooms of host rules share: commands to run, and ways to break a rule at a stage."""
import wire
from link import Drop, Hang

CONNECT = ("connect", "--json")
READ = ("send-capsule", "read", "nsid=1", "slba=0", "nlb=7", "--json")  # 4096 bytes


def write_of(blocks):
    """Writes so many blocks of 5Ah."""
    fields = ("nsid=1", "slba=0", f"nlb={blocks - 1}")
    return ("send-capsule", "write", *fields, "--send", "fill:0x5a", "--json")


WRITE = write_of(128)
FLUSH = ("send-capsule", "flush", "nsid=1", "--json")
DISCOVER = ("discover", "--json")


CAP_TO_1S = 127 | 1 << 16 | 2 << 24  # CAP, lower half: MQES 127, CQR, TO in units of 0.5 s

# ---- bends: functions of (link, reply) ------------------------------------------------------


def close(_link, _reply):
    raise Drop


def reset(link, _reply):
    link.channel.reset()
    raise Drop


def silence(_link, _reply):
    raise Hang


def raw(data):
    """Those bytes instead of the reply."""

    def bend(_link, reply):
        reply.raw = data

    return bend


def drip(seconds):
    """The reply, but slowly."""

    def bend(link, reply):
        if reply.raw is None:
            reply.raw = link.answer_bytes(reply)
        reply.drip = seconds

    return bend


GARBAGE = raw(b"\xff" * 256)
HTTP = raw(
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"
    b"<html><body>This is a web server</body></html>\r\n" + b" " * 200
)


def status(sct, sc, dw0=0, dnr=False):
    def bend(_link, reply):
        reply.sct, reply.sc, reply.dw0, reply.dnr = sct, sc, dw0, dnr
        reply.data = b""

    return bend


def response(**over):
    """The right completion in a PDU that is built with `over`."""

    def bend(link, reply):
        reply.raw = link.response(reply, **over)

    return bend


def value(dw0, dw1=0):
    """Another value of a property or feature."""

    def bend(_link, reply):
        reply.dw0, reply.dw1 = dw0, dw1

    return bend


def data_field(offset, width, number):
    """One field of the data changed."""

    def bend(_link, reply):
        reply.data = wire.put(reply.data, offset, number, width)

    return bend


def nth(number, function, otherwise=None):
    """Only on the connection with that number (1: the admin queue)."""

    def bend(link, reply):
        chosen = function if link.number == number else otherwise
        if chosen:
            chosen(link, reply)

    return bend


def once(function):
    """Only the first time."""
    used = []

    def bend(link, reply):
        if not used:
            used.append(True)
            function(link, reply)

    return bend


def counted(counts, name):
    def bend(_link, _reply):
        counts[name] = counts.get(name, 0) + 1

    return bend


WAIT_SLACK = 10.0  # a wait of 2 s, and a slow machine
