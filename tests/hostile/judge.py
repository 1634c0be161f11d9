# SPDX-License-Identifier: BSD-2-Clause
"""What a target holds against a host's commands (H06, H10-H12): generators of breaches."""
import struct

import wire
from controller import IOCCSZ, MDTS_BYTES


def command_faults(link, pdu):
    """What is wrong with a command that arrived on this link."""
    entry, data = pdu.sqe, pdu.data
    cid, length, address = wire.get(entry, 2, 2), wire.get(entry, 32, 4), wire.get(entry, 24, 8)
    if entry[1] >> 6 != 1:
        yield f"PSDT {entry[1] >> 6} in opcode {entry[0]:02X}h: SGLs only"
    if cid in link.outstanding or cid in link.aers:
        yield f"CID {cid} is used twice at once"
    room = link.sqsize or 1
    if link.qid and link.target.maxcmd < room:
        room = link.target.maxcmd
    if len(link.outstanding) >= room:
        yield f"more than {room} commands outstanding on queue {link.qid}"
    in_capsule = IOCCSZ * 16 - 64 if link.qid else 8192
    if entry[39] == 0x01 and (length != len(data) or address):
        yield f"in-capsule SGL of {length} bytes at {address}, {len(data)} bytes of data"
    if entry[39] == 0x5A and (data or address):
        yield "a transport SGL with data in the capsule or with an address"
    if entry[39] not in (0x01, 0x5A):
        yield f"SGL descriptor {entry[39]:02X}h, which was not offered"
    if len(data) > in_capsule:
        yield f"{len(data)} bytes in a capsule, {in_capsule} fit"
    if link.qid and length > MDTS_BYTES:
        yield f"transfer of {length} bytes, MDTS allows {MDTS_BYTES}"


def connect_faults(entry, data):
    """What is wrong with a Connect command and its data."""
    recfmt, qid, sqsize, _cattr, rest, kato = struct.unpack_from("<HHHBBI", entry, 40)
    if recfmt or rest or any(entry[5:24]) or any(entry[52:64]):
        yield "RECFMT or reserved bytes of the SQE"
    if sqsize == 0 or qid and kato:
        yield f"SQSIZE {sqsize}, KATO {kato} on queue {qid}"
    if len(data) != 1024:
        yield f"{len(data)} bytes of data"
        return
    if not any(data[:16]) or any(data[18:256]) or any(data[768:]):
        yield "host ID, or reserved bytes of the data"
    if qid == 0 and wire.get(data, 16, 2) != 0xFFFF:
        yield f"CNTLID {wire.get(data, 16, 2):#06x} on the admin queue"
    for name, at in (("SUBNQN", 256), ("HOSTNQN", 512)):
        nqn = data[at : at + 256]
        length = nqn.find(b"\0")
        if not nqn.startswith(b"nqn.") or not 0 < length <= 223 or any(nqn[length:]):
            yield f"{name} {nqn[:40]!r}"
