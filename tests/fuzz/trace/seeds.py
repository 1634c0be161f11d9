#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the named seeds of the trace's fuzz targets: seeds.py CORPUS_DIRECTORY.

Captures are those of tests/support/captures.py, with payload made short; for the views with a
filter in front.
"""
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
sys.dont_write_bytecode = True
import captures as c


def small(talk):
    talk.open()
    talk.host(c.command(2, 1))
    talk.controller(c.data(7, 4, 1, 0, 0, b"r" * 64) + c.response(1))
    talk.host(c.command(2, 2))
    talk.controller(c.data(7, 0x0C, 2, 0, 0, b"r" * 64))
    talk.host(c.command(1, 3, b"w" * 64))
    talk.controller(c.response(3))
    talk.host(c.command(1, 4))
    talk.controller(c.r2t(4, 1, 0, 64))
    talk.host(c.data(6, 4, 4, 1, 0, b"w" * 64))
    talk.controller(c.response(4, 0x4080))
    talk.host(c.header(2, 0, 24, 0, 24) + struct.pack("<HI10x", 1, 8))
    talk.host(b"", flags=0x11)
    talk.controller(b"", flags=0x11)
    return talk.packets


def block(kind, body):
    body += bytes(-len(body) % 4)
    length = len(body) + 12
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def pcapng(packets):
    out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    out += block(1, struct.pack("<HHI", 1, 0, 0) + struct.pack("<HHB3xHH", 9, 1, 9, 0, 0))
    out += block(0x0BAD, b"nothing")
    for when, frame in packets:
        out += block(6, struct.pack("<IIIII", 0, when >> 32, when & 0xFFFFFFFF, len(frame),
                                    len(frame)) + frame)
    return out


def shuffled(packets):
    out = list(packets)
    for i in range(4, len(out) - 2, 3):
        out[i], out[i + 1] = out[i + 1], out[i]
    return out + out[5:8]


CAPTURES = {
    "talk": c.pcap(small(c.Talk())),
    "other-port": c.pcap(small(c.Talk(port=5555))),
    "pcapng": pcapng(small(c.Talk())),
    "shuffled": c.pcap(shuffled(small(c.Talk()))),
    "middle": c.pcap(small(c.Talk())[7:]),
    "short": c.pcap(small(c.Talk()), snap=54 + 30),
    "holes": c.pcap(small(c.Talk())[::2]),
    "tls": c.pcap(c.tls()),
    "cooked": c.pcap([(t, bytes(14) + b"\x08\x00" + f[14:]) for t, f in small(c.Talk())], link=113),
    "tagged": c.pcap([(t, f[:12] + b"\x81\x00\x00\x64" + f[12:]) for t, f in small(c.Talk())]),
}

FILTERS = ["", "cmd == read", "failed || latency > 1ms", "pdu == r2t && r2ts > 0",
           "host =~ \"example\" && queue == 1 && bytes >= 64"]


def step(what, offset, length, captured=None):
    return struct.pack("<BhBB", what, offset, length, length if captured is None else captured)


FLOWS = {
    "in-order": step(4, 0, 0) + step(0, 0, 100) * 5,
    "both": step(4, 0, 0) + step(5, 0, 0) + (step(2, 0, 50) + step(3, 0, 70)) * 6,
    "swapped": step(4, 0, 0) + (step(0, 100, 50) + step(0, -150, 100) + step(0, 50, 20)) * 4,
    "again": step(4, 0, 0) + step(0, 0, 100) + step(0, -100, 100) + step(0, -50, 100),
    "lost": step(4, 0, 0) + step(5, 0, 0) + step(0, 0, 10) + step(0, 60, 10) + step(3, 0, 5) * 30,
    "cut": step(4, 0, 0) + step(0, 0, 200, 20) * 5,
    "middle": step(0, 0, 50) + step(1, 0, 50) + step(0, -20, 60),
    "many-holes": step(4, 0, 0) + step(0, 3, 200) * 40,
}


# Of real peers: datagrams of one of three connections, without the longest ones.
ROCE = pathlib.Path(__file__).resolve().parents[2] / "captures" / "linux-6.12-roce.pcap"


def datagrams(first, last):
    content, at, out, number = ROCE.read_bytes(), 24, b"", 0
    while at < len(content):
        captured = struct.unpack_from("<8xI", content, at)[0]
        frame = content[at + 16:at + 16 + captured]
        at += 16 + captured
        number += 1
        payload = frame[14 + 20 + 8:]
        if first <= number <= last and len(payload) <= 1100:
            from_controller = frame[14 + 15] == 2
            out += struct.pack("<BH", from_controller, len(payload)) + payload
    return out


RDMA = {
    "admin": datagrams(1, 60),
    "io": datagrams(150, 200),
    "data": datagrams(152, 156) + datagrams(290, 330),
    "end": datagrams(1, 10) + datagrams(70, 84),
}


def main():
    root = pathlib.Path(sys.argv[1])
    for name in ("capture", "tcp_flow", "trace_view", "rdma"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for n, (name, capture) in enumerate(CAPTURES.items()):
        (root / "capture" / name).write_bytes(bytes([n * 25]) + capture)
        text = FILTERS[n % len(FILTERS)].encode()
        (root / "trace_view" / name).write_bytes(text + b"\0" + capture)
    for name, steps in FLOWS.items():
        (root / "tcp_flow" / name).write_bytes(steps)
    for name, steps in RDMA.items():
        (root / "rdma" / name).write_bytes(steps)


main()
