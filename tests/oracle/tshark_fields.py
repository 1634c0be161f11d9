#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Holds our decoding of a capture against tshark's, field by field.

usage: tshark_fields.py DUMP CAPTURE SERVER-PORT [MINIMUM]

DUMP is the pdu_dump program of the tests: one JSON line a PDU, each field with its offset in it.
tshark is asked for PDML, where each field has a position too. A field of tshark's is compared with
ours when both cover the same bits; every leaf field of tshark's must either find its partner with
the same value, or stand in the short list below of what tshark shows that is not on the wire.
"""
import collections
import json
import pathlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

# Not bytes of the PDU: tshark's own findings, or whole areas that it also shows in parts.
NOT_ON_THE_WIRE = {
    "nvme-tcp.cmd.qid", "nvme-tcp.cmd_pkt", "nvme-tcp.cmd_latency", "nvme-tcp.hdgst.status",
    "nvme-tcp.ddgst.status", "nvme-tcp.data", "nvme-tcp.cmd.data", "nvme-tcp.data_req",
    "nvme-tcp.icreq", "nvme-tcp.icresp", "nvme-tcp.r2t", "nvme.data",
}
# tshark 4.0 shows FLAGS at the offset of TYPE (one byte early), so its flags are compared by bit.
FLAGS = {
    "nvme-tcp.flags.pdu.hdgst": 0x01, "nvme-tcp.flags.pdu.ddgst": 0x02,
    "nvme-tcp.flags.pdu.data_last": 0x04, "nvme-tcp.flags.pdu.data_success": 0x08,
}

REVIEWED = {
    tuple(line.split())
    for line in pathlib.Path(__file__).with_name("tshark_names.txt").read_text().splitlines()
    if not line.startswith("#")
}


def our_pdus(dump, capture, port):
    out = subprocess.run(
        [dump, capture, port], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    streams = collections.defaultdict(list)
    for line in out.splitlines():
        pdu = json.loads(line)
        streams[(pdu["from"], pdu["to"])].append(pdu)
    return streams


def tshark_pdus(capture, port):
    command = ["tshark", "-n", "-r", capture, "-T", "pdml", "-d", f"tcp.port=={port},nvme-tcp",
               "-o", "nvme-tcp.check_hdgst:TRUE", "-o", "nvme-tcp.check_ddgst:TRUE"]
    streams = collections.defaultdict(list)
    malformed = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        for _, packet in ElementTree.iterparse(process.stdout):
            if packet.tag != "packet":
                continue
            ports = {}
            for proto in packet.findall("proto"):
                name = proto.get("name")
                if name == "tcp":
                    ports = {f.get("name"): f.get("show") for f in proto.findall("field")}
                elif name == "_ws.malformed":
                    malformed.append(packet.find("proto/field[@name='num']").get("show"))
                elif name == "nvme-tcp":
                    key = (int(ports["tcp.srcport"]), int(ports["tcp.dstport"]))
                    streams[key].append((int(proto.get("pos")), [proto]))
                elif name == "nvme" and streams:
                    # The NVMe part of the PDU just seen, positions in the same frame.
                    streams[key][-1][1].append(proto)
            packet.clear()
    return streams, malformed


def leaves(element):
    for field in element.findall("field"):
        inner = field.findall("field")
        if inner and field.get("name") != "nvme-tcp.flags":
            yield from leaves(field)
        elif inner:
            yield from leaves(field)
        else:
            yield field


def mask_of(field):
    """The bits that a field covers, from the dots and digits of tshark; None: all of them."""
    if field.get("unmaskedvalue") is None:
        return None
    drawing = field.get("showname").split(" = ")[0].replace(" ", "")
    return int("".join("0" if c == "." else "1" for c in drawing), 2)


def same_meaning(theirs, ours):
    """Do the two names speak of one field? Alike in their last part, reserved both, or reviewed."""
    ours = re.sub(r"\[\d+\]", "", ours.split(".", 1)[1])
    tails = [re.sub("[-_]", "", name.split(".")[-1]) for name in (theirs, ours)]
    reserved = "rsvd" in theirs and "rsvd" in ours
    return tails[0] == tails[1] or reserved or (theirs, ours) in REVIEWED


def compare(ours, base, protos, place, report):
    """Counts the fields of tshark's that have a partner of ours; reports those that differ."""
    by_place = {(f["offset"], f["size"], f["mask"]): f for f in ours["fields"]}
    words = bytes.fromhex(ours["bytes"])
    partners = 0
    for field in (leaf for proto in protos for leaf in leaves(proto)):
        name = field.get("name")
        if name in NOT_ON_THE_WIRE or not name or not field.get("value"):
            continue
        offset, size = int(field.get("pos")) - base, int(field.get("size"))
        if name in FLAGS:
            if ((words[1] & FLAGS[name]) != 0) != (field.get("show") == "1"):
                report(f"{place}: {name}: tshark {field.get('show')}, ours {words[1]:#04x}")
            partners += 1
            continue
        if name == "nvme-tcp.flags" or offset < 0 or offset + size > len(words):
            continue  # compared above, or payload that the dump leaves out
        mask = mask_of(field)
        partner = by_place.get((offset, size, mask))
        if partner is None:
            continue
        partners += 1
        if not same_meaning(name, partner["name"]):
            report(f"{place}: {name} at {offset} is {partner['name']} with us:"
                   " review tshark_names.txt")
        if mask is None:
            mine, theirs = words[offset:offset + size], bytes.fromhex(field.get("value"))
        else:
            mine, theirs = partner["value"], int(field.get("value"), 16)
        if mine != theirs:
            report(f"{place}: {name} at {offset}: tshark {theirs}, ours {mine}")
    return partners


def main():
    dump, capture, port = sys.argv[1:4]
    minimum = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    if shutil.which("tshark") is None:
        print("skipped: tshark is not installed")
        return 77
    mine = our_pdus(dump, capture, port)
    theirs, malformed = tshark_pdus(capture, port)
    problems = [f"tshark calls frame {n} malformed" for n in malformed]
    compared = pdus = 0
    for key, list_of_theirs in theirs.items():
        list_of_ours = mine.get(key, [])
        if len(list_of_ours) != len(list_of_theirs):
            problems.append(f"{key}: we see {len(list_of_ours)} PDUs, tshark {len(list_of_theirs)}")
        for ours, (base, protos) in zip(list_of_ours, list_of_theirs):
            text = f"{key[0]}->{key[1]} PDU {ours['number']} ({ours['type']})"
            compared += compare(ours, base, protos, text, problems.append)
            pdus += 1
    if set(mine) != set(theirs):
        problems.append(f"streams differ: {sorted(set(mine) ^ set(theirs))}")
    print(f"{pdus} PDUs, {compared} fields compared, {len(problems)} differences")
    for p in problems[:40]:
        print(p)
    if compared < minimum:
        print(f"only {compared} fields found a partner, {minimum} were expected")
    return 1 if problems or compared < minimum else 0


if __name__ == "__main__":
    sys.exit(main())
