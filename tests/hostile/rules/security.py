# SPDX-License-Identifier: BSD-2-Clause
"""T105-T115: security and RDMA. serve speaks plain TCP: what it must do with those who ask for more
is here, and why the rest does not apply."""
import host
import wire
from bench import Fatal, Status, Table, check

TABLE = Table()
row = TABLE.row
AUTHENTICATION_SEND, AUTHENTICATION_RECEIVE = 5, 6


@row("T105/not-required", "no authentication is asked for: AUTHREQ of the Connect response is 0")
def _(t):
    connected = t.queue().connect()
    check(connected.ok and connected.cqe.dw0 >> 16 == 0, f"DW0 {connected.cqe.dw0:#010x}")


def authentication(t, fctype):
    queue = t.up(io=0).admin
    # SPSP 1, SECP E9h (NVMe), and the length that the SGL has.
    entry = wire.fabrics(
        fctype,
        dptr=wire.sgl_transport(64),
        at={41: bytes([1, 1, 0xE9]), 44: (64).to_bytes(4, "little")},
    )
    done = queue.run(entry, give=bytes(64), take=64)
    check(not done.got and not done.r2ts, "data went to or fro")
    queue.identify(1)
    return done


for name, kind in (("send", AUTHENTICATION_SEND), ("receive", AUTHENTICATION_RECEIVE)):
    row(
        f"T105/{name}",
        f"Authentication {name.capitalize()}: not supported, and the queue lives",
        Status(0, 0x01),
        args=(kind,),
        linux="skip: it depends on how the kernel was built",
    )(authentication)


# The first 64 bytes of a ClientHello that openssl s_client sends, and zeroes.
CLIENT_HELLO = bytes.fromhex("160301012a010001260303") + bytes(53)


@row("T109/plain-port", "a TLS ClientHello where plain NVMe/TCP is spoken", Fatal(1, 0))
def _(t):
    return t.fate(host.dial(t.settings), CLIENT_HELLO)


NO_AUTH = "serve has no DH-HMAC-CHAP: it asks for none and refuses its commands (T105)"
NO_TLS = "serve has no TLS: a ClientHello is refused (T109)"
RDMA = "the transport under test is TCP: no connection manager, no memory keys"
TABLE.exclude("T105", "first command before authentication", NO_AUTH)
TABLE.exclude("T106", "negotiation without a common hash or group", NO_AUTH)
TABLE.exclude("T107", "wrong, replayed and truncated responses", NO_AUTH)
TABLE.exclude("T108", "bidirectional authentication, and again during I/O", NO_AUTH)
TABLE.exclude("T109", "TLS: plain ICReq, TLS 1.2, unknown identity, wrong key", NO_TLS)
TABLE.exclude("T110", "TLS identities, suites, and records split anywhere", NO_TLS)
TABLE.exclude("T111", "CM requests with bad private data", RDMA)
TABLE.exclude("T112", "CM accept private data, and HRQSIZE", RDMA)
TABLE.exclude("T113", "keyed SGLs: RDMA READ and WRITE in range (refused on TCP: T46)", RDMA)
TABLE.exclude("T114", "wrong keys and lengths out of bounds", RDMA)
TABLE.exclude("T115", "ICDOFF, which is 0 on TCP (T84); offsets into a capsule are T44", RDMA)
