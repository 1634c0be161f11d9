# SPDX-License-Identifier: BSD-2-Clause
"""T117: hosts that send and do not read, whatever it is that waits for them. What serve keeps for
one of them is bounded, others are served, and KATO ends it. How it ends cannot be told from this
side, where nothing is read: serve's descriptors tell."""
import time

import wire
from bench import Table, check
from channel import Broken, Gone, Silence
from host import Association, open_queue

TABLE = Table()
row = TABLE.row
KATO = 2000
ENDED_WITHIN = 12  # seconds; KATO, the grace and the time to close
# Bytes: about 1 KiB for each of 4,095 entries, 256 KiB that wait, an answer of 1 MiB; and slack.
ADMIN_MOST = 8 << 20
IO_MOST = 20 << 20  # --queue-data, and what its commands take


def flood(channel, commands):
    """All in one piece, with CIDs of their own; as much of it as serve takes."""
    channel.limit = 1.0
    raw = b"".join(
        channel.build(wire.CMD, wire.with_cid(entry, 1000 + n)) for n, entry in enumerate(commands)
    )
    try:
        channel.send(raw)
    except (Silence, Gone):
        pass


def unread(t, commands, qid, most, together=(), ends=("reset",)):
    """`commands` go out on that queue and nothing is read; then the queue must end, by a reset:
    what was not read is not kept for it. Unless all of it was on its way."""
    settings = t.extra("--ns", "ram:16M")[0].but(kato=KATO)
    server = t.opened[-1]
    alone = server.descriptors()
    warm = Association(settings, io=1)
    t.still_works(warm.io[0])
    warm.close()
    beside = t.up(settings=settings.but(kato=0))  # also shows when serve has dealt with the rest
    begun = time.monotonic()
    while server.descriptors() > alone + 2:  # the first one still goes
        t.still_works(beside.io[0])
        check(time.monotonic() - begun < ENDED_WITHIN, "the first host is not gone")
    open_before, size_before = server.descriptors(), server.resident()
    admin = t.keep(open_queue(settings.but(sqsize=4094), receive_buffer=4096))
    check(admin.connect().ok, "Connect")
    admin.enable()
    queue = admin
    if qid:
        check(admin.run(wire.set_features(7, 0)).ok, "Set Features")
        queue = t.keep(open_queue(settings.but(sqsize=1023), receive_buffer=4096))
        check(queue.connect(qid, cntlid=admin.cntlid).ok, "Connect")
    for entry in together:
        queue.send(entry)
    begun, largest = time.monotonic(), 0
    flood(queue.channel, commands)
    while server.descriptors() > open_before:
        t.still_works(beside.io[0])
        largest = max(largest, server.resident() - size_before)
        check(time.monotonic() - begun < ENDED_WITHIN, "the association outlived KATO by far")
    check(largest < most, f"{largest >> 10} KiB for a host that does not read")
    try:
        how = queue.channel.wait_closed(5)
    except Silence:
        how = "silence"
    check(how in ends, f"what it had not read is still there for it: {how}")


def to_read(t, entry, count, qid, most, **more):
    unread(t, [entry] * count, qid, most, **more)


SLOW = {"slow": True, "linux": "skip: it holds data for every command"}
row(
    "T117/log-pages",
    "3000 Get Log Page of 1 MiB, not read: at most 8 MiB of memory, ended by KATO",
    args=(wire.get_log_page(1, 1 << 20), 3000, 0, ADMIN_MOST),
    **SLOW,
)(to_read)
row(
    "T117/identify",
    "4000 Identify, not read",
    args=(wire.identify(1), 4000, 0, ADMIN_MOST),
    **SLOW,
)(to_read)
row(
    "T117/reads",
    "1000 reads of 128 KiB on a queue of 1024, not read: no more than --queue-data",
    args=(wire.io(wire.READ, 1, 0, 256, dptr=wire.sgl_transport(131072)), 1000, 1, IO_MOST),
    **SLOW,
)(to_read)
row(
    "T117/small-reads",
    "1000 reads of 4 KiB, not read",
    args=(wire.io(wire.READ, 1, 0, 8, dptr=wire.sgl_transport(4096)), 1000, 1, IO_MOST),
    **SLOW,
)(to_read)


def r2ts(t):
    entry = wire.io(wire.WRITE, 1, 0, 256, dptr=wire.sgl_transport(131072))
    to_read(t, entry, 1000, 1, IO_MOST, ends=("reset", "closed"))


def event_requests(t):
    together = (wire.sqe(wire.AER),) * 4
    to_read(t, wire.get_features(7), 4000, 0, ADMIN_MOST, together=together)


row("T117/r2ts", "1000 writes of 128 KiB whose R2Ts are not read", **SLOW)(r2ts)
row("T117/aers", "event requests and 4000 Get Features, not read", **SLOW)(event_requests)


@row("T117/keep-alives", "Keep Alive without end, no response read: ended all the same", **SLOW)
def _(t):
    settings = t.extra("--ns", "ram:16M")[0].but(kato=KATO)
    server = t.opened[-1]
    beside = t.up(settings=settings.but(kato=0))
    t.still_works(beside.io[0])
    open_before, size_before = server.descriptors(), server.resident()
    admin = t.keep(open_queue(settings, receive_buffer=4096))
    check(admin.connect().ok, "Connect")
    admin.enable()
    channel = admin.channel
    channel.limit = 0.5
    alive = wire.sqe(wire.KEEP_ALIVE)
    some = b"".join(channel.build(wire.CMD, wire.with_cid(alive, n)) for n in range(1000, 1030))
    begun = time.monotonic()
    while server.descriptors() > open_before:
        try:
            channel.send(some)
        except (Gone, Silence, Broken):
            t.still_works(beside.io[0])
        check(time.monotonic() - begun < 60, "it goes on for a minute")
        check(server.resident() - size_before < ADMIN_MOST, "memory grows")
