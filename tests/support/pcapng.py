# SPDX-License-Identifier: BSD-2-Clause
"""Reads pcap and pcapng strictly by their drafts, for tests of what `nvmfctl trace --pcapng`
writes: every length and every padding is looked at.

pcapng.py FILE prints a line for each comment: the number of its packet, a tab, the text.
"""
import collections
import struct
import sys

Packet = collections.namedtuple("Packet", "ns data wire link comments")


def options_of(data):
    """[(code, value)] of options that fill `data` up to the one that ends them."""
    found, at = [], 0
    while at < len(data):
        code, length = struct.unpack_from("<HH", data, at)
        if code == 0:
            assert length == 0 and at + 4 == len(data), "something stands behind the end of options"
            return found
        value = data[at + 4:at + 4 + length]
        padded = (length + 3) // 4 * 4
        assert len(value) == length
        assert not any(data[at + 4 + length:at + 4 + padded]), "padding is not zero"
        found.append((code, value))
        at += 4 + padded
    assert not data, "options without an end"
    return found


def blocks_of(data):
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        assert length % 4 == 0 and length >= 12, f"block of {length} bytes at {at}"
        assert at + length <= len(data), f"the block at {at} is cut off"
        assert struct.unpack_from("<I", data, at + length - 4)[0] == length
        yield kind, data[at + 8:at + length - 4]
        at += length


def read_pcapng(data):
    """(options of the section, options of each interface, packets)"""
    section, interfaces, packets = None, [], []
    for kind, body in blocks_of(data):
        if kind == 0x0A0D0D0A:
            assert section is None and struct.unpack_from("<IHHq", body) == (0x1A2B3C4D, 1, 0, -1)
            section = dict(options_of(body[16:]))
        elif kind == 1:
            link, reserved, snap = struct.unpack_from("<HHI", body)
            assert (reserved, snap) == (0, 0)
            options = dict(options_of(body[8:]))
            assert options[9] == b"\x09", "times are not nanoseconds"
            interfaces.append((link, options))
        else:
            assert kind == 6, f"a block of kind {kind}"
            number, high, low, captured, wire = struct.unpack_from("<IIIII", body)
            end = 20 + captured
            padded = (end + 3) // 4 * 4
            assert end <= len(body) and not any(body[end:padded]) and wire >= captured
            comments = []
            for code, value in options_of(body[padded:]):
                assert code == 1
                comments.append(value.decode("utf-8"))
            packets.append(Packet(high << 32 | low, body[20:end], wire, interfaces[number][0],
                                  comments))
    return section, interfaces, packets


def read_pcap(data):
    magic, link = struct.unpack_from("<I16xI", data)
    scale = {0xA1B23C4D: 1, 0xA1B2C3D4: 1000}[magic]
    packets, at = [], 24
    while at < len(data):
        seconds, part, captured, wire = struct.unpack_from("<IIII", data, at)
        packets.append(Packet(seconds * 10**9 + part * scale, data[at + 16:at + 16 + captured],
                              wire, link, []))
        at += 16 + captured
    return packets


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        for count, one in enumerate(read_pcapng(file.read())[2], 1):
            for text in one.comments:
                print(f"{count}\t{text}")
