# SPDX-License-Identifier: BSD-2-Clause
"""NVMe/TCP as bytes, laid out by hand from the specifications: an opinion of its own, which shares
nothing with the codec of the product. Every field can be given any value, right or wrong.
"""
import struct
from dataclasses import dataclass

# NVMe/TCP 3.6.1: PDU types, flags, lengths of the headers.
ICREQ, ICRESP, H2C_TERM, C2H_TERM, CMD, RESP, H2C_DATA, C2H_DATA, R2T = 0, 1, 2, 3, 4, 5, 6, 7, 9
NAMES = {
    ICREQ: "ICReq",
    ICRESP: "ICResp",
    H2C_TERM: "H2CTermReq",
    C2H_TERM: "C2HTermReq",
    CMD: "CapsuleCmd",
    RESP: "CapsuleResp",
    H2C_DATA: "H2CData",
    C2H_DATA: "C2HData",
    R2T: "R2T",
}
HLEN = {
    ICREQ: 128,
    ICRESP: 128,
    H2C_TERM: 24,
    C2H_TERM: 24,
    CMD: 72,
    RESP: 24,
    H2C_DATA: 24,
    C2H_DATA: 24,
    R2T: 24,
}
HDGSTF, DDGSTF, LAST, SUCCESS = 0x01, 0x02, 0x04, 0x08
# What each PDU's flags may hold, and which PDUs may carry data.
FLAGS = {
    ICREQ: 0,
    ICRESP: 0,
    H2C_TERM: 0,
    C2H_TERM: 0,
    CMD: HDGSTF | DDGSTF,
    RESP: HDGSTF,
    R2T: HDGSTF,
    H2C_DATA: HDGSTF | DDGSTF | LAST,
    C2H_DATA: HDGSTF | DDGSTF | LAST | SUCCESS,
}
CARRIES = (CMD, H2C_DATA, C2H_DATA)
DIGESTED = (CMD, RESP, H2C_DATA, C2H_DATA, R2T)
TERMS = (H2C_TERM, C2H_TERM)
FROM_HOST = (ICREQ, H2C_TERM, CMD, H2C_DATA)
FROM_CONTROLLER = (ICRESP, C2H_TERM, RESP, C2H_DATA, R2T)

DISCOVERY_NQN = "nqn.2014-08.org.nvmexpress.discovery"


def _crc_table():
    table = []
    for n in range(256):
        for _ in range(8):
            n = (n >> 1) ^ (0x82F63B78 if n & 1 else 0)
        table.append(n)
    return table


_CRC = _crc_table()


def crc32c(data):
    """CRC-32C (Castagnoli), as the digests are: reflected, all ones before and after."""
    crc, table = 0xFFFFFFFF, _CRC
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def put(block, offset, value, width):
    """A copy of `block` with `value` stored little-endian at `offset`."""
    block = bytearray(block)
    block[offset : offset + width] = (value & ((1 << (8 * width)) - 1)).to_bytes(width, "little")
    return bytes(block)


def get(block, offset, width):
    return int.from_bytes(block[offset : offset + width], "little")


def round_up(n, step):
    return -(-n // step) * step


# ---- PDUs ------------------------------------------------------------------------------------


def pdu(
    kind,
    body,
    data=b"",
    *,
    flags=0,
    hdgst=False,
    ddgst=False,
    align=4,
    pad=0,
    hlen=None,
    pdo=None,
    plen=None,
    flip_flags=0,
    hdgst_value=None,
    ddgst_value=None,
    type_byte=None,
):
    """One PDU. `body` is its header from byte 8 on. What is not given is made right; digests and
    padding are left out where the PDU has none. Setting hlen, pdo or plen changes that byte only.
    """
    digested = hdgst and kind in DIGESTED
    start = len(body) + 8 + (4 if digested else 0)
    if data and kind in CARRIES:
        start = round_up(start, align)
    tail = 4 if ddgst and data and kind in CARRIES else 0
    flags |= (HDGSTF if digested else 0) | (DDGSTF if tail else 0)
    head = (
        struct.pack(
            "<BBBBI",
            kind if type_byte is None else type_byte,
            (flags ^ flip_flags) & 0xFF,
            (len(body) + 8 if hlen is None else hlen) & 0xFF,
            ((start if data and kind in CARRIES else 0) if pdo is None else pdo) & 0xFF,
            start + len(data) + tail if plen is None else plen,
        )
        + body
    )
    out = head
    if digested:
        out += struct.pack("<I", crc32c(head) if hdgst_value is None else hdgst_value)
    out += bytes([pad]) * (start - len(out)) + data
    if tail:
        out += struct.pack("<I", crc32c(data) if ddgst_value is None else ddgst_value)
    return out


def ic_body(*, pfv=0, pda=0, digests=0, limit=0, rest=b""):
    """ICReq and ICResp from byte 8 on: `limit` is MAXR2T of the one, MAXH2CDATA of the other."""
    return struct.pack("<HBBI", pfv, pda, digests, limit) + rest.ljust(112, b"\0")


def term_body(fes, fei=0):
    return struct.pack("<HI", fes, fei) + bytes(10)


def data_body(cccid, ttag, offset, length):
    """H2CData and C2HData (whose TTAG is reserved)."""
    return struct.pack("<HHII", cccid & 0xFFFF, ttag & 0xFFFF, offset & 0xFFFFFFFF, length) + bytes(
        4
    )


def r2t_body(cccid, ttag, offset, length):
    return data_body(cccid, ttag, offset, length)


@dataclass
class Pdu:
    """A PDU as it came: `head` is its header without digest."""

    head: bytes
    data: bytes = b""
    raw: bytes = b""
    ddgst_good: bool = True

    type = property(lambda s: s.head[0])
    flags = property(lambda s: s.head[1])
    hlen = property(lambda s: s.head[2])
    pdo = property(lambda s: s.head[3])
    plen = property(lambda s: get(s.head, 4, 4))
    name = property(lambda s: NAMES.get(s.head[0], f"type {s.head[0]:02X}h"))
    last = property(lambda s: bool(s.flags & LAST))
    success = property(lambda s: bool(s.flags & SUCCESS))
    # H2CData, C2HData, R2T
    cccid = property(lambda s: get(s.head, 8, 2))
    ttag = property(lambda s: get(s.head, 10, 2))
    offset = property(lambda s: get(s.head, 12, 4))
    length = property(lambda s: get(s.head, 16, 4))
    # IC
    pfv = property(lambda s: get(s.head, 8, 2))
    pda = property(lambda s: s.head[10])
    digests = property(lambda s: s.head[11])
    limit = property(lambda s: get(s.head, 12, 4))
    # TermReq
    fes = property(lambda s: get(s.head, 8, 2))
    fei = property(lambda s: get(s.head, 10, 4))
    # Capsules
    sqe = property(lambda s: s.head[8:72])
    cqe = property(lambda s: Cqe(s.head[8:24]))

    def __str__(self):
        if self.type in TERMS:
            return f"{self.name} FES {self.fes} FEI {self.fei:#x}"
        if self.type == RESP:
            return f"{self.name} of CID {self.cqe.cid}: {self.cqe}"
        return f"{self.name} (flags {self.flags:#04x}, PLEN {self.plen})"


def complaint(pdu_, *, hdgst, ddgst, align):
    """What the rules of NVMe/TCP 3.6 hold against a received PDU's header, or None."""
    kind, wanted = pdu_.type, 0
    where = f"{pdu_.name}: "
    if kind not in HLEN:
        return where + "unknown PDU type"
    has_data = kind in CARRIES and pdu_.pdo != 0
    if kind in DIGESTED and hdgst:
        wanted |= HDGSTF
    if has_data and ddgst:
        wanted |= DDGSTF
    if pdu_.flags & ~FLAGS[kind] or (pdu_.flags & (HDGSTF | DDGSTF)) != wanted:
        return where + f"flags {pdu_.flags:#04x}, digests agreed on make it {wanted:#04x}"
    if pdu_.success and not pdu_.last:
        return where + "SUCCESS without LAST_PDU"
    if pdu_.hlen != HLEN[kind]:
        return where + f"HLEN {pdu_.hlen}"
    least = pdu_.hlen + (4 if wanted & HDGSTF else 0)
    if not has_data:
        if pdu_.pdo:
            return where + f"PDO {pdu_.pdo} in a PDU that carries no data"
        if kind in TERMS:
            return None if 24 <= pdu_.plen <= 152 else where + f"PLEN {pdu_.plen}"
        return None if pdu_.plen == least else where + f"PLEN {pdu_.plen}, not {least}"
    if pdu_.pdo < least or pdu_.pdo % align:
        return where + f"PDO {pdu_.pdo}: at least {least} and a multiple of {align} was agreed"
    if pdu_.plen <= pdu_.pdo + (4 if wanted & DDGSTF else 0):
        return where + f"PLEN {pdu_.plen} leaves no data behind PDO {pdu_.pdo}"
    return None


# ---- completions -----------------------------------------------------------------------------


@dataclass
class Cqe:
    raw: bytes

    dw0 = property(lambda s: get(s.raw, 0, 4))
    value = property(lambda s: get(s.raw, 0, 8))
    sqhd = property(lambda s: get(s.raw, 8, 2))
    cid = property(lambda s: get(s.raw, 12, 2))
    sc = property(lambda s: (get(s.raw, 14, 2) >> 1) & 0xFF)
    sct = property(lambda s: (get(s.raw, 14, 2) >> 9) & 0x7)
    dnr = property(lambda s: bool(s.raw[15] & 0x80))
    ok = property(lambda s: s.sc == 0 and s.sct == 0)
    # Connect: IATTR bit 0 says data (1) or SQE (0), IPO the offset.
    ipo = property(lambda s: get(s.raw, 0, 2))
    iattr = property(lambda s: s.raw[2] & 1)

    def __str__(self):
        return f"status {self.sct}/{self.sc:02X}h"


def cqe(cid, sct=0, sc=0, *, dw0=0, dw1=0, sqhd=0, sqid=0, dnr=False, phase=0):
    status = phase | (sc << 1) | (sct << 9) | (0x8000 if dnr else 0)
    return struct.pack("<IIHHHH", dw0, dw1, sqhd, sqid, cid, status)


# ---- commands --------------------------------------------------------------------------------


def sgl_in_capsule(length, offset=0):
    return struct.pack("<QI3xB", offset, length, 0x01)  # Data Block, Offset


def sgl_transport(length, address=0):
    return struct.pack("<QI3xB", address, length, 0x5A)  # Transport Data Block, Transport Specific


def sgl(kind, length, address=0):
    return struct.pack("<QI3xB", address, length, kind)


NO_DATA = sgl_transport(0)


def sqe(opcode, cid=0, *, nsid=0, dptr=NO_DATA, flags=0x40, dw2=0, dw3=0, mptr=0, cdw=(), at=None):
    """A submission queue entry; `cdw` holds dwords 10 and up, `at` bytes to store at offsets."""
    words = tuple(cdw) + (0,) * (6 - len(cdw))
    out = struct.pack(
        "<BBHIIIQ16s6I",
        opcode,
        flags,
        cid,
        nsid,
        dw2,
        dw3,
        mptr,
        dptr,
        *(w & 0xFFFFFFFF for w in words),
    )
    for offset, value in (at or {}).items():
        out = out[:offset] + value + out[offset + len(value) :]
    return out


def with_cid(entry, cid):
    return put(entry, 2, cid, 2)


def with_dptr(entry, descriptor):
    return entry[:24] + descriptor + entry[40:]


FABRICS = 0x7F
PROPERTY_SET, CONNECT, PROPERTY_GET, DISCONNECT = 0x00, 0x01, 0x04, 0x08
CAP, VS, CC, CSTS = 0x00, 0x08, 0x14, 0x1C
# CC as a host enables a controller: 64-byte entries in, 16-byte entries out.
CC_QUEUES = 0x00460000
CC_ENABLE = CC_QUEUES | 1


def fabrics(fctype, cid=0, *, dptr=NO_DATA, at=None, opcode=FABRICS, flags=0x40):
    return sqe(opcode, cid, nsid=fctype, dptr=dptr, flags=flags, at=at)


def connect(
    cid=0, *, qid=0, sqsize=31, kato=0, recfmt=0, cattr=0, length=1024, dptr=None, flags=0x40
):
    return fabrics(
        CONNECT,
        cid,
        dptr=sgl_in_capsule(length) if dptr is None else dptr,
        flags=flags,
        at={40: struct.pack("<HHHBxI", recfmt, qid, sqsize, cattr, kato)},
    )


def connect_data(*, hostid, cntlid=0xFFFF, subnqn, hostnqn, at=None):
    """NQNs as text, or as bytes that are put down as they are."""

    def nqn(text):
        raw = text.encode() if isinstance(text, str) else text
        return raw[:256].ljust(256, b"\0")

    out = hostid + struct.pack("<H", cntlid) + bytes(238) + nqn(subnqn) + nqn(hostnqn) + bytes(256)
    for offset, value in (at or {}).items():
        out = out[:offset] + value + out[offset + len(value) :]
    return out


def property_get(offset, size=4, cid=0, *, attrib=None):
    attrib = (1 if size == 8 else 0) if attrib is None else attrib
    return fabrics(PROPERTY_GET, cid, at={40: bytes([attrib]), 44: struct.pack("<I", offset)})


def property_set(offset, value, size=4, cid=0):
    return fabrics(
        PROPERTY_SET,
        cid,
        at={40: bytes([1 if size == 8 else 0]), 44: struct.pack("<IQ", offset, value)},
    )


def disconnect(cid=0, *, recfmt=0):
    return fabrics(DISCONNECT, cid, at={40: struct.pack("<H", recfmt)})


# Admin opcodes (Base 5) and I/O opcodes (NVM command set 3).
GET_LOG_PAGE, IDENTIFY, ABORT, SET_FEATURES, GET_FEATURES, AER, KEEP_ALIVE = (
    2,
    6,
    8,
    9,
    0x0A,
    0x0C,
    0x18,
)
FLUSH, WRITE, READ, COMPARE, WRITE_ZEROES, DSM, VERIFY = 0, 1, 2, 5, 8, 9, 0x0C


def identify(cns, nsid=0, *, cntid=0, csi=0):
    return sqe(IDENTIFY, nsid=nsid, cdw=(cns | cntid << 16, csi << 24), dptr=sgl_transport(4096))


def get_log_page(lid, length, offset=0, *, nsid=0, rae=0, lsp=0, sgl_length=None):
    numd = length // 4 - 1
    return sqe(
        GET_LOG_PAGE,
        nsid=nsid,
        cdw=(
            lid | lsp << 8 | rae << 15 | (numd & 0xFFFF) << 16,
            numd >> 16 & 0xFFFF,
            offset,
            offset >> 32,
        ),
        dptr=sgl_transport(length if sgl_length is None else sgl_length),
    )


def set_features(fid, cdw11=0, *, nsid=0, cdw12=0, sv=0):
    return sqe(SET_FEATURES, nsid=nsid, cdw=(fid | sv << 31, cdw11, cdw12))


def get_features(fid, sel=0, *, nsid=0, cdw11=0):
    return sqe(GET_FEATURES, nsid=nsid, cdw=(fid | sel << 8, cdw11))


def io(opcode, nsid, slba, blocks, *, cdw12=0, cdw13=0, dptr=NO_DATA, flags=0x40):
    """Read, Write, Compare, Write Zeroes, Verify: `blocks` counts from 1."""
    return sqe(
        opcode,
        nsid=nsid,
        dptr=dptr,
        flags=flags,
        cdw=(slba, slba >> 32, (blocks - 1) & 0xFFFF | cdw12, cdw13),
    )


def dsm(nsid, ranges, *, nr=None, ad=True):
    """The command and its data: ranges are (slba, blocks)."""
    data = b"".join(struct.pack("<IIQ", 0, blocks, slba) for slba, blocks in ranges)
    count = len(ranges) if nr is None else nr
    return sqe(DSM, nsid=nsid, cdw=((count - 1) & 0xFF, 4 if ad else 0)), data


def text(raw):
    """An ASCII field as text, without its padding."""
    return bytes(raw).rstrip(b"\0 ").decode("ascii", "replace")
