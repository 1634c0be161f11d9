#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the named seeds of the TCP fuzz targets: seeds.py CORPUS_DIRECTORY.

A seed is a script for drive.hpp: steps of the user and of the peer. PDUs of steps get their length
and digests from the target; raw ones are made here, by hand from NVMe/TCP 3.6. Run it again when
the form of a script changes.
"""

import pathlib
import sys


def le(value, size):
    return value.to_bytes(size, "little")


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return le(crc ^ 0xFFFFFFFF, 4)


# ---- PDUs as bytes ----------------------------------------------------------------------------

LAST, SUCCESS = 4, 8
SPOILT, PIECES = 0xBD, 0xC0  # last byte of a PDU step: its last byte is wrong; it comes in pieces


def pdu(kind, rest, data=b"", flags=0, digests=False):
    hlen = 8 + len(rest)
    end = hlen + (4 if digests else 0)
    ddgst = crc32c(data) if digests and data else b""
    flags |= (1 if digests else 0) | (2 if ddgst else 0)
    head = bytes([kind, flags, hlen, end if data else 0])
    head += le(end + len(data) + len(ddgst), 4) + rest
    return head + (crc32c(head) if digests else b"") + data + ddgst


def termreq(kind, fes, fei, offending=b""):
    plen = le(24 + len(offending), 4)
    return bytes([kind, 0, 24, 0]) + plen + le(fes, 2) + le(fei, 4) + bytes(10) + offending


def sqe(opcode, cid, sgl=0, length=0):
    out = bytearray(64)
    out[0], out[1], out[39] = opcode, 0x40, sgl
    out[2:4], out[32:36] = le(cid, 2), le(length, 4)
    return bytes(out)


IN_CAPSULE, TRANSPORT = 0x01, 0x5A


# ---- Steps ------------------------------------------------------------------------------------


def options(digests=False, wide=False, r2ts=1, queue=0, large=False, watched=True):
    first = (3 if digests else 0) | (12 if wide else 0) | (r2ts - 1) << 4 | queue << 6
    return bytes([first, (1 if large else 0) | (2 if watched else 0)])


def fed(step, rest, size=0, flags=0, how=0):
    """A PDU of the peer: the header from byte 8 on, flags, data."""
    return bytes([step]) + rest + bytes([flags]) + le(size, 2) + bytes([0x5A, how])


def raw(data):
    out = b""
    for at in range(0, len(data), 255):
        part = data[at : at + 255]
        out += bytes([2, len(part)]) + part
    return out


class At:
    """Steps of tcp_controller_session_fuzz.cpp. The byte after a command capsule is what on_receive
    asks for; 1: nothing."""

    @staticmethod
    def queue(qid=None, size=0, flow=True):
        if qid is None:
            return b"\0"
        return bytes([1 | (2 if qid else 0) | (4 if flow else 0) | size << 4])

    @staticmethod
    def command(opcode, cid, sgl=0, length=0, size=0, how=0):
        return fed(0, sqe(opcode, cid, sgl, length), size, 0, how) + b"\1"

    @staticmethod
    def h2c(cid, ttag, offset, size, flags=0, how=0):
        return fed(3, le(cid, 2) + le(ttag, 2) + le(offset, 4) + bytes(8), size, flags, how)

    @staticmethod
    def receive(which, offset, length):
        return bytes([5, which]) + le(offset, 2) + le(length, 2)

    @staticmethod
    def send(which, size, last=False):
        return bytes([6, which]) + le(size, 2) + bytes([1, 0 if last else 1])

    @staticmethod
    def answer(which, wrong=None):
        cid = b"\1" if wrong is None else b"\0" + le(wrong, 2)
        return bytes([7, which]) + cid + b"\1"

    all_leaves = bytes([8, 0])
    let_go = bytes([9, 1, 0])
    end_of_stream = bytes([9, 0, 0])
    reset = bytes([9, 0, 1])

    @staticmethod
    def some_leaves(count):
        return bytes([8, 1]) + le(count, 2)


class Host:
    """Steps of tcp_host_session_fuzz.cpp. The byte after a response is what on_receive asks for."""

    @staticmethod
    def send(opcode, size=0, way=0):
        return bytes([0, opcode]) + le(size, 2) + bytes([way, 1])

    @staticmethod
    def c2h(cid, offset, size, flags=0, how=0):
        after = b"\1" if flags & SUCCESS else b""
        return fed(3, le(cid, 2) + bytes(2) + le(offset, 4) + bytes(8), size, flags, how) + after

    @staticmethod
    def r2t(cid, ttag, offset, length, how=0):
        rest = le(cid, 2) + le(ttag, 2) + le(offset, 4) + le(length, 4) + bytes(4)
        return fed(5, rest, 0, 0, how)

    @staticmethod
    def response(cid, status=0, how=0):
        rest = bytes(8) + le(1, 2) + bytes(2) + le(cid, 2) + le(status << 1, 2)
        return fed(6, rest, 0, 0, how) + b"\1"

    @staticmethod
    def some_leaves(count):
        return bytes([7]) + le(count, 2)

    withdraw = bytes([8, 0])
    let_go = bytes([9, 0])
    all_leaves = bytes([10])
    end_of_stream = bytes([11, 0, 0])
    reset = bytes([11, 0, 1])


OUT, IN = 1, 2  # enum direction: data to the controller, data to the host


# ---- The seeds --------------------------------------------------------------------------------


def controller_seeds():
    plain, dressed = options(), options(digests=True)
    free = At.queue()
    whole = [At.receive(0, 0, 9000), At.all_leaves]
    write = At.command(1, 5, TRANSPORT, 9000)
    parts = [At.h2c(5, 0, 0, 4096), At.h2c(5, 0, 4096, 4096), At.h2c(5, 0, 8192, 808, LAST)]
    read = At.command(2, 7, TRANSPORT, 6000)
    yield "no-data", [plain, free, At.command(0x18, 9), At.answer(0), At.all_leaves]
    for name, form in (("", plain), ("-digests", dressed), ("-aligned", options(wide=True))):
        inside = At.command(1, 5, IN_CAPSULE, 512, 512)
        got = [At.receive(0, 0, 512), At.answer(0), At.all_leaves]
        yield "in-capsule" + name, [form, free, inside, *got]
        yield "r2t" + name, [form, free, write, *whole, *parts, At.answer(0), At.all_leaves]
        sent = [At.send(0, 2000), At.send(0, 4000), At.answer(0), At.all_leaves]
        yield "read" + name, [form, free, read, *sent]
    spoilt = At.command(1, 5, IN_CAPSULE, 512, 512, SPOILT)
    yield "in-capsule-bad-digest", [dressed, free, spoilt, At.answer(0), At.all_leaves]
    spoilt = [parts[0], At.h2c(5, 0, 4096, 4096, 0, SPOILT), parts[2]]
    yield "r2t-bad-digest", [dressed, free, write, *whole, *spoilt, At.answer(0), At.all_leaves]
    two = [At.receive(0, 0, 4000), At.receive(0, 4000, 4000), At.receive(0, 8000, 1000)]
    back = [At.h2c(5, 1, 4000, 4000, LAST), At.h2c(5, 0, 0, 4000, LAST)]
    yield "r2ts-out-of-order", [options(r2ts=2), free, write, *two, At.all_leaves, *back]
    big = [At.command(1, 5, TRANSPORT, 19000), At.receive(0, 0, 19000), At.all_leaves]
    step = At.h2c(5, 0, 0, 19000, LAST, PIECES | 4)
    yield "r2t-in-place", [options(digests=True, large=True), free, *big, step]
    pieces = At.command(1, 5, IN_CAPSULE, 512, 512, PIECES)
    yield "in-capsule-pieces", [dressed, free, pieces, At.answer(0), At.all_leaves]
    success = [At.queue(1, 8, flow=False), read, At.send(0, 6000), At.let_go, At.all_leaves]
    yield "read-success", [plain, *success]
    yield "read-success-digests", [dressed, *success]
    yield "read-short", [plain, free, read, At.send(0, 100, last=True), At.answer(0)]
    yield "duplicate", [plain, free, write, write[:-1], At.all_leaves]
    many = [At.command(2, cid, TRANSPORT, 64) for cid in range(6)]
    yield "queue-overrun", [plain, At.queue(1, 0), *many, At.all_leaves]
    yield "over-in-capsule-limit", [plain, free, At.command(1, 5, IN_CAPSULE, 9000, 9000)[:-1]]
    yield "over-maxh2cdata", [plain, free, write, *whole, At.h2c(5, 0, 0, 4100)]
    yield "h2c-unknown-tag", [plain, free, write, *whole, At.h2c(5, 3, 0, 100), At.all_leaves]
    yield "h2c-gap", [plain, free, write, *whole, At.h2c(5, 0, 96, 100), At.all_leaves]
    yield "h2c-no-last", [plain, free, write, *whole, *parts[:2], At.h2c(5, 0, 8192, 808)]
    offending = pdu(5, bytes(16))
    for fes in (1, 3, 6):
        term = termreq(2, fes, 2, offending)
        yield f"termreq-{fes}", [plain, free, write, *whole, raw(term), At.all_leaves]
    yield "termreq-short", [plain, free, raw(bytes([2, 0, 24, 0, 23, 0, 0, 0]))]
    head = pdu(4, sqe(1, 5, IN_CAPSULE, 64), bytes(64), digests=True)
    yield "raw-digests", [dressed, free, raw(head), b"\1", At.answer(0), At.all_leaves]
    yield "truncated-common", [plain, free, raw(head[:5]), At.end_of_stream]
    yield "truncated-header", [dressed, free, raw(head[:70]), At.end_of_stream]
    yield "truncated-data", [dressed, free, raw(head[:100]), At.reset]
    yield "truncated-digest", [dressed, free, raw(head[:-2]), At.end_of_stream]
    yield "wrong-header-digest", [dressed, free, raw(head[:40] + b"!" + head[41:]), At.all_leaves]
    yield "second-icreq", [plain, free, raw(bytes([0, 0, 128, 0, 128]) + bytes(123))]
    yield "from-a-controller", [plain, free, raw(offending), At.all_leaves]
    yield "garbage", [plain, free, raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), At.all_leaves]
    yield "plen-4-gib", [plain, free, raw(bytes([4, 0, 72, 72, 255, 255, 255, 255]))]
    yield "closed-while-sending", [plain, free, read, At.send(0, 6000), At.some_leaves(100)]


def host_seeds():
    plain, dressed = options(), options(digests=True)
    yield "no-data", [plain, Host.send(0x18), Host.all_leaves, Host.response(0)]
    for name, form in (("", plain), ("-digests", dressed), ("-aligned", options(wide=True))):
        read = [form, Host.send(2, 6000, IN), Host.all_leaves]
        data = [Host.c2h(0, 0, 4096), Host.c2h(0, 4096, 1904, LAST)]
        yield "read" + name, [*read, *data, Host.response(0)]
        yield "read-success" + name, [*read, Host.c2h(0, 0, 6000, LAST | SUCCESS)]
        inside = [form, Host.send(1, 500, OUT), Host.all_leaves, Host.response(0)]
        yield "write-in-capsule" + name, inside
        write = [form, Host.send(1, 9000, OUT), Host.all_leaves]
        twice = [Host.r2t(0, 9, 0, 5000), Host.all_leaves, Host.r2t(0, 10, 5000, 4000)]
        yield "write-r2t" + name, [*write, *twice, Host.all_leaves, Host.response(0)]
    read = [dressed, Host.send(2, 6000, IN), Host.all_leaves]
    write = [plain, Host.send(1, 9000, OUT), Host.all_leaves]
    yield "read-bad-digest", [*read, Host.c2h(0, 0, 6000, LAST, SPOILT), Host.response(0)]
    big = [options(digests=True, large=True), Host.send(2, 19000, IN), Host.all_leaves]
    yield "read-in-place", [*big, Host.c2h(0, 0, 19000, LAST | SUCCESS, PIECES | 4)]
    yield "read-pieces", [*read, Host.c2h(0, 0, 6000, LAST, PIECES), Host.response(0, 0, PIECES)]
    yield "read-no-data", [*read, Host.response(0)]
    yield "read-error", [*read, Host.c2h(0, 0, 100), Host.response(0, 0x80)]
    yield "read-beyond", [*read, Host.c2h(0, 0, 6001)]
    yield "read-gap", [*read, Host.c2h(0, 4, 100)]
    yield "read-no-last", [*read, Host.c2h(0, 0, 6000)]
    yield "success-without-last", [*read, Host.c2h(0, 0, 6000, SUCCESS)[:-1]]
    several = [options(r2ts=2), *write[1:], Host.r2t(0, 1, 0, 100), Host.r2t(0, 2, 100, 100)]
    yield "r2ts", [*several, Host.all_leaves]
    yield "r2ts-over-maxr2t", [*several, Host.r2t(0, 3, 200, 100), Host.all_leaves]
    yield "r2t-beyond", [*write, Host.r2t(0, 1, 0, 9001), Host.all_leaves]
    yield "r2t-for-a-read", [*read, Host.r2t(0, 1, 0, 6000), Host.all_leaves]
    yield "r2t-no-length", [*write, Host.r2t(0, 1, 0, 0)]
    early = [Host.r2t(0, 1, 0, 9000), Host.some_leaves(50), Host.response(0)]
    yield "answered-early", [*write, *early]
    yield "withdraw-read", [*read, Host.withdraw, Host.c2h(0, 0, 6000, LAST), Host.response(0)]
    yield "withdraw-write", [*write, Host.withdraw, Host.r2t(0, 1, 0, 9000), Host.response(0)]
    inside = Host.send(1, 500, OUT)
    yield "withdraw-in-capsule", [plain, inside, Host.some_leaves(80), Host.withdraw]
    yield "let-go", [*read, Host.let_go, Host.c2h(0, 0, 6000, LAST), Host.response(0)]
    yield "response-unknown", [plain, Host.send(0x18), Host.all_leaves, Host.response(3)[:-1]]
    yield "response-twice", [plain, Host.send(0x18), Host.all_leaves, Host.response(0) * 2]
    many = [Host.send(0x18) for _ in range(5)]
    yield "queue-full", [plain, *many, Host.all_leaves, Host.response(1), Host.response(0)]
    offending = pdu(4, sqe(2, 0, TRANSPORT, 6000))
    for fes in (1, 4, 7):
        yield f"termreq-{fes}", [*read, raw(termreq(3, fes, 4, offending)), Host.all_leaves]
    yield "termreq-long", [*read, raw(bytes([3, 0, 24, 0, 153, 0, 0, 0]))]
    data = pdu(7, bytes(4) + bytes(4) + le(64, 4) + bytes(4), bytes(64), LAST, digests=True)
    yield "raw-digests", [dressed, Host.send(2, 64, IN), Host.all_leaves, raw(data)]
    yield "truncated-common", [*read, raw(data[:7]), Host.end_of_stream]
    yield "truncated-header", [*read, raw(data[:27]), Host.end_of_stream]
    yield "truncated-data", [*read, raw(data[:50]), Host.reset]
    yield "wrong-header-digest", [*read, raw(data[:24] + bytes(4)), Host.all_leaves]
    yield "second-icresp", [*write, raw(bytes([1, 0, 128, 0, 128]) + bytes(123))]
    yield "from-a-host", [*write, raw(offending), Host.all_leaves]
    yield "garbage", [*write, raw(b"SSH-2.0-OpenSSH_9.2\r\n"), Host.all_leaves]
    yield "plen-4-gib", [*read, raw(bytes([7, 3, 24, 28, 255, 255, 255, 255]))]
    yield "clean-end", [*write, Host.end_of_stream]


def ic_seeds():
    """First byte: 1 and 2: our digests, 4: we are the host."""

    def ic(kind, pfv=0, alignment=0, digests=0, last=0):
        head = bytes([kind, 0, 128, 0, 128, 0, 0, 0]) + le(pfv, 2) + bytes([alignment, digests])
        return head + le(last, 4) + bytes(112)

    for name, byte in (("icreq", 0), ("icreq-digests", 3)):
        yield name, [bytes([byte]), ic(0, 0, 31, 3, 15)]
    yield "icreq-pfv", [b"\0", ic(0, pfv=1)]
    yield "icreq-hpda", [b"\0", ic(0, alignment=32)]
    yield "icreq-hlen", [b"\0", bytes([0, 0, 127, 0, 128, 0, 0, 0]) + bytes(120)]
    yield "icreq-truncated", [b"\0", ic(0)[:100]]
    yield "icreq-plen", [b"\0", bytes([0, 0, 128, 0, 255, 255, 255, 255])]
    yield "command-first", [b"\0", pdu(4, sqe(0x7F, 0))]
    yield "h2c-termreq", [b"\0", termreq(2, 6, 8)]
    yield "http", [b"\0", b"GET / HTTP/1.1\r\n"]
    for name, byte, digests in (("icresp", 4, 0), ("icresp-digests", 7, 3)):
        yield name, [bytes([byte]), ic(1, 0, 3, digests, 131072)]
    yield "icresp-unasked-digest", [b"\4", ic(1, 0, 0, 1, 4096)]
    yield "icresp-maxh2cdata", [b"\4", ic(1, 0, 0, 0, 4095)]
    yield "icresp-truncated", [b"\4", ic(1, last=4096)[:9]]
    yield "c2h-termreq", [b"\4", termreq(3, 1, 10, ic(0, alignment=32))]
    yield "c2h-termreq-long", [b"\4", bytes([3, 0, 24, 0, 153, 0, 0, 0])]
    yield "ssh", [b"\4", b"SSH-2.0-OpenSSH_9.2\r\n"]


def main():
    targets = {
        "tcp_controller_session": controller_seeds,
        "tcp_host_session": host_seeds,
        "tcp_ic_exchange": ic_seeds,
    }
    for target, seeds in targets.items():
        room = pathlib.Path(sys.argv[1]) / target
        room.mkdir(parents=True, exist_ok=True)
        for name, steps in seeds():
            (room / name).write_bytes(b"".join(steps))


if __name__ == "__main__":
    main()
