# SPDX-License-Identifier: BSD-2-Clause
"""Captures made by hand, for tests of `nvmfctl trace`: pcap files, TCP packets and PDUs written by
their formats, by nothing of the product.

captures.py KIND FILE writes one of KINDS.
"""
import struct
import sys


def pcap(packets, link=1, snap=262144):
    """`packets`: (nanoseconds, frame)."""
    out = [struct.pack("<IHHIIII", 0xA1B23C4D, 2, 4, 0, 0, snap, link)]
    for when, frame in packets:
        kept = frame[:snap]
        out += [struct.pack("<IIII", when // 10**9, when % 10**9, len(kept), len(frame)), kept]
    return b"".join(out)


def ip(payload, source, destination, protocol=6):
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0,
                       source, destination) + payload


def ethernet(payload, kind=0x0800):
    return bytes(12) + struct.pack(">H", kind) + payload


class Talk:
    """Two ends of one TCP connection; `packets` is what a capture has of them."""

    def __init__(self, start=1_700_000_000_000_000_000, step=10_000, port=4420):
        self.now, self.step, self.port = start, step, port
        self.next, self.packets = {True: 1000, False: 9000}, []
        self.segment(True, b"", 0x02)
        self.segment(False, b"", 0x12)

    def segment(self, to_controller, payload, flags=0x18, keep=True):
        ends = (b"\x0a\0\0\1", b"\x0a\0\0\2")
        ports = (40000, self.port)
        source, destination = ends if to_controller else ends[::-1]
        here, there = ports if to_controller else ports[::-1]
        tcp = struct.pack(">HHIIBBHHH", here, there, self.next[to_controller],
                          self.next[not to_controller], 5 << 4, flags, 512, 0, 0) + payload
        self.next[to_controller] += len(payload) + (1 if flags & 3 else 0)
        self.now += self.step
        if keep:
            self.packets.append((self.now, ethernet(ip(tcp, source, destination))))

    def host(self, payload, **how):
        self.segment(True, payload, **how)

    def controller(self, payload, **how):
        self.segment(False, payload, **how)

    def open(self, qid=1, digests=0):
        self.host(struct.pack("<BBBBIHBBI", 0, 0, 128, 0, 128, 0, 0, digests, 0) + bytes(112))
        self.controller(
            struct.pack("<BBBBIHBBI", 1, 0, 128, 0, 128, 0, 0, digests, 131072) + bytes(112))
        data = bytearray(1024)
        data[0:16] = bytes(range(1, 17))
        data[16:18] = b"\1\0"
        data[256:256 + len(SUBNQN)] = SUBNQN
        data[512:512 + len(HOSTNQN)] = HOSTNQN
        no_flow_control = 4
        sqe = struct.pack("<BBHB19s16sHHHBBI12x", 0x7F, 0x40, 0, 1, b"", sgl(1024, True), 0, qid,
                          31, no_flow_control, 0, 0)
        self.host(header(4, 0, 72, 72, 72 + 1024) + sqe + bytes(data))
        self.controller(response(0, dw0=1))


HOSTNQN, SUBNQN = b"nqn.2014-08.org.example:host", b"nqn.2014-08.org.example:sub"


def header(kind, flags, hlen, pdo, plen):
    return struct.pack("<BBBBI", kind, flags, hlen, pdo, plen)


def sgl(length, in_capsule):
    """A data block by offset, or one that the transport carries."""
    return struct.pack("<QI3xB", 0, length, 0x01 if in_capsule else 0x5A)


def command(opcode, cid, data=b"", slba=0, nlb=7):
    """Blocks of 512 bytes."""
    where = sgl((nlb + 1) * 512, bool(data)) if opcode else b""
    sqe = struct.pack("<BBHI16x16sQHHIII", opcode, 0x40, cid, 1, where, slba,
                      nlb if opcode else 0, 0, 0, 0, 0)
    return header(4, 0, 72, 72 if data else 0, 72 + len(data)) + sqe + data


def response(cid, status=0, dw0=0):
    return header(5, 0, 24, 0, 24) + struct.pack("<QHHHH", dw0, 0xFFFF, 0, cid, status << 1)


def data(kind, flags, cid, ttag, offset, payload):
    return (header(kind, flags, 24, 24, 24 + len(payload)) +
            struct.pack("<HHIII", cid, ttag, offset, len(payload), 0) + payload)


def r2t(cid, ttag, offset, length):
    return header(9, 0, 24, 0, 24) + struct.pack("<HHIII", cid, ttag, offset, length, 0)


def conversation(talk):
    """Every way in which a command can go, and an answer to nobody."""
    talk.open()
    talk.host(command(2, 1))                                       # read, response
    talk.controller(data(7, 4, 1, 0, 0, b"r" * 4096) + response(1))
    talk.host(command(2, 2, slba=8))                               # read in two, SUCCESS flag
    talk.controller(data(7, 0, 2, 0, 0, b"r" * 2048))
    talk.controller(data(7, 0x0C, 2, 0, 2048, b"r" * 2048))
    talk.host(command(1, 3, b"w" * 4096))                          # write in the capsule
    talk.controller(response(3))
    talk.host(command(1, 4, slba=16, nlb=15))                      # write by two R2Ts
    talk.controller(r2t(4, 1, 0, 4096))
    talk.host(data(6, 4, 4, 1, 0, b"w" * 4096))
    talk.controller(r2t(4, 2, 4096, 4096))
    talk.host(data(6, 4, 4, 2, 4096, b"w" * 4096))
    talk.controller(response(4))
    talk.host(command(2, 5, slba=1 << 40))                         # a failure
    talk.controller(response(5, 0x4080))
    talk.controller(response(77))                                  # an answer to nobody
    talk.host(command(0, 6))                                       # never answered
    return talk


def careless():
    """Both ends break rules, in ways that do no harm."""
    talk = Talk()
    talk.open()
    talk.host(command(1, 1, slba=16))
    talk.controller(r2t(1, 1, 0, 8192))                            # more than the command has
    talk.host(data(6, 4, 1, 1, 0, b"w" * 4096))                    # not all that was asked for
    talk.controller(response(1))
    talk.host(command(2, 2))
    talk.controller(data(7, 0x08, 2, 0, 0, b"r" * 4096))           # SUCCESS, and not the last
    with_prps = bytearray(command(2, 3))
    with_prps[9] = 0
    talk.host(bytes(with_prps))
    talk.controller(response(3, 0x4002))
    talk.controller(response(77))                                  # an answer to nobody
    return talk.packets


def udp(port):
    return ethernet(ip(struct.pack(">HHHH", 5000, port, 12, 0) + b"data", b"\x0a\0\0\1",
                       b"\x0a\0\0\2", 17))


def http():
    talk = Talk(port=80)
    talk.host(b"GET / HTTP/1.1\r\n\r\n")
    return talk.packets


def tls():
    talk = Talk()
    talk.host(bytes.fromhex("16030102000100") + bytes(500))
    return talk.packets


def lost():
    talk = Talk()
    talk.open()
    talk.host(command(1, 1, b"w" * 4096)[:2000])
    talk.segment(True, b"w" * 1000, keep=False)
    talk.host(b"w" * (72 + 4096 - 3000))
    talk.controller(response(1))
    return talk.packets


def slow():
    """A hundred reads, each ten microseconds slower than the one before."""
    talk = Talk(step=0)
    talk.open()
    for n in range(100):
        talk.now += 1_000_000
        talk.host(command(2, n, nlb=0))
        talk.now += 10_000 * (n + 1)
        talk.controller(data(7, 0x0C, n, 0, 0, b"r" * 512))
    return talk.packets


def dense():
    """Reads in bursts of four; segments with the answers to a burst end where they want."""
    talk = Talk()
    talk.open()
    for burst in range(8):
        cids = range(4 * burst, 4 * burst + 4)
        talk.host(b"".join(command(2, n, slba=n, nlb=3) for n in cids))
        answers = b"".join(data(7, 4, n, 0, 0, b"r" * 2048) + response(n) for n in cids)
        for at in range(0, len(answers), 1000):
            talk.controller(answers[at:at + 1000])
            talk.host(b"", flags=0x10)
    return talk.packets


def mixed():
    """NVMe among others: each packet of the others stands between two of NVMe."""
    others = http() + [(0, udp(53)), (0, ethernet(bytes(28), 0x0806))] + tls()
    out = []
    for n, packet in enumerate(conversation(Talk(port=5555)).packets):
        out.append(packet)
        out += [(packet[0] + 1, other) for _, other in others[n:n + 1]]
    return out


KINDS = {
    "conversation": lambda: pcap(conversation(Talk()).packets),
    "other-port": lambda: pcap(conversation(Talk(port=5555)).packets),
    "short": lambda: pcap(conversation(Talk()).packets, snap=54 + 100),
    "lost": lambda: pcap(lost()),
    "careless": lambda: pcap(careless()),
    "dense": lambda: pcap(dense()),
    "slow": lambda: pcap(slow()),
    "middle": lambda: pcap(conversation(Talk()).packets[6:]),
    "mixed": lambda: pcap(mixed()),
    "no-packets": lambda: pcap([]),
    "wireless": lambda: pcap([(0, bytes(100))], link=105),
    "nothing": lambda: pcap(
        http() + [(0, udp(53)), (0, udp(4791)), (0, ethernet(bytes(28), 0x0806))]),
    "tls": lambda: pcap(tls()),
}

if __name__ == "__main__":
    with open(sys.argv[2], "wb") as out:
        out.write(KINDS[sys.argv[1]]())
