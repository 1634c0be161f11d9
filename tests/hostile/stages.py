# SPDX-License-Identifier: BSD-2-Clause
"""Crowds: many connections that all stop at the same stage. They are brought there in step, all of
them sending before any waits, from one thread.
"""
from dataclasses import dataclass

import host
import wire
from bench import check

QUEUE_DATA = 256 << 10  # serve --queue-data
PIECE = 128 << 10  # of a read or write that stalls
LOG = 128 << 10  # of a log page
ADMIN_DATA = 256 << 10  # what may wait for the host of an admin queue, and one answer more
MOST_PENDING = 256  # connections of a listener between accept and the end of their IC exchange
AT_ONCE = 128  # so many are in their IC exchange at a time: fewer than that
IDLE = 64 << 10  # bytes that one idle connection may take


def in_step(queues, entry, **what):
    """The same command on each queue."""
    sent = [(queue, queue.send(entry, **what)) for queue in queues]
    for queue, command in sent:
        check(queue.wait(command).ok, f"opcode {entry[0]:02X}h: {command}")


def begin(settings, bytes_each, count):
    """TCP, and the first bytes of an ICReq."""
    channels = [host.dial(settings) for _ in range(count)]
    for channel in channels:
        channel.send(host.icreq(settings)[:bytes_each])
    return channels


def exchange(settings, count, **how):
    """TCP and the IC exchange."""
    queues = []
    while len(queues) < count:
        some = [host.dial(settings, **how) for _ in range(min(AT_ONCE, count - len(queues)))]
        for channel in some:
            channel.send(host.icreq(settings))
        queues += [
            host.Queue(channel, settings, host.take_icresp(channel, settings)) for channel in some
        ]
    return queues


def half_connect(settings, count):
    queues = exchange(settings, count)
    for queue in queues:
        queue.channel.send(queue.channel.build(wire.CMD, wire.connect(1), bytes(1024))[:600])
    return queues


def admin(settings, count, **how):
    """Admin queues after Connect, each of a host of its own."""
    queues = exchange(settings, count, **how)
    for queue in queues:
        queue.settings = settings.stranger()
    sent = [(queue, queue.send_connect()) for queue in queues]
    for queue, command in sent:
        check(queue.connected(command).ok, f"Connect: {command}")
    return queues


def enabled(settings, count, **how):
    queues = admin(settings, count, **how)
    in_step(queues, wire.property_set(wire.CC, wire.CC_ENABLE))
    for queue in queues:
        queue.until(wire.CSTS, lambda csts: csts & 1)
    return queues


def awaiting(settings, count):
    """Enabled, with all the Asynchronous Event Requests that are held."""
    queues = enabled(settings, count)
    for queue in queues:
        for _ in range(4):
            queue.send(wire.sqe(wire.AER))
        queue.quiet()
    return queues


def io(settings, count, **how):
    """I/O queues, each of a controller of its own: the admin queues come first in the list."""
    owners = enabled(settings, count)
    in_step(owners, wire.set_features(7, 0))
    queues = exchange(settings, count, **how)
    sent = []
    for owner, queue in zip(owners, queues):
        queue.settings = owner.settings
        sent.append(queue.send_connect(1, owner.cntlid))
    for queue, command in zip(queues, sent):
        check(queue.connected(command, 1).ok, f"Connect of an I/O queue: {command}")
    return owners + queues


FIRST_CID = 1000


def burst(entries, data=b""):
    """Commands as one piece of bytes, with CIDs from FIRST_CID on."""
    return b"".join(
        wire.pdu(wire.CMD, wire.with_cid(entry, FIRST_CID + n), data)
        for n, entry in enumerate(entries)
    )


def write_of(size):
    # Not where the healthy host writes.
    return wire.io(wire.WRITE, 1, 0, size // 512, dptr=wire.sgl_transport(size))


def read_of(size):
    return wire.io(wire.READ, 1, 0, size // 512, dptr=wire.sgl_transport(size))


def fill(queue, entry, **way):
    """As many commands as the queue holds, all on their way before the first is waited for."""
    commands = [queue.send(entry, **way) for _ in range(queue.settings.sqsize)]
    for command in commands:
        check(queue.wait(command).ok, str(command))


def rested(settings, count):
    """Both queues were full once, the I/O queue of reads and of writes with R2T, and are idle."""
    everyone = io(settings, count)
    for admin_queue, queue in zip(everyone[:count], everyone[count:]):
        fill(admin_queue, wire.identify(1), take=4096)
        fill(queue, read_of(4096), take=4096)
        fill(queue, write_of(4096), give=bytes(4096))
    return everyone


def stalled_writes(settings, count):
    """Writes as many as the queue holds. R2Ts have come for as many as --queue-data lets in; none
    gets its data."""
    everyone = io(settings, count)
    writes = burst([write_of(PIECE)] * settings.sqsize)
    for queue in everyone[count:]:
        queue.answer_r2t = False
        for cid in range(FIRST_CID, FIRST_CID + QUEUE_DATA // PIECE):
            queue.out[cid] = host.Command(wire.with_cid(write_of(PIECE), cid), bytes(PIECE))
        queue.channel.send(writes)
    for queue in everyone[count:]:
        while len(queue.open_r2ts) < QUEUE_DATA // PIECE:
            queue.step()
    return everyone


def half_data(settings, count):
    """As stalled_writes, and nearly all of the data is sent."""
    everyone = stalled_writes(settings, count)
    for queue in everyone[count:]:
        *others, last = queue.open_r2ts.values()
        for r2t in others:
            queue.h2c(queue.out[r2t.cccid], r2t, r2t.offset, r2t.length - 512, last=False)
        body = wire.data_body(last.cccid, last.ttag, last.offset, last.length)
        raw = queue.channel.build(wire.H2C_DATA, body, bytes(last.length), flags=wire.LAST)
        queue.channel.send(raw[:-1])
    return everyone


def unread(settings, count):
    """Reads as many as the queue holds; nothing is taken off the socket."""
    everyone = io(settings, count, receive_buffer=4096)
    reads = burst([read_of(PIECE)] * settings.sqsize)
    for queue in everyone[count:]:
        queue.channel.send(reads)
    return everyone


def unread_responses(settings, count):
    """Writes with data in their capsules, whose responses nobody takes."""
    everyone = io(settings, count, receive_buffer=4096)
    write = wire.io(wire.WRITE, 1, 0, 16, dptr=wire.sgl_in_capsule(8192))
    writes = burst([write] * settings.sqsize, bytes(8192))
    for queue in everyone[count:]:
        queue.channel.send(writes)
    return everyone


def unread_admin(settings, count):
    """Identify, and Get Log Page of 128 KiB, as many as the queue holds, in one piece; nothing is
    taken off the socket."""
    queues = enabled(settings, count, receive_buffer=4096)
    asked = [wire.identify(1), wire.get_log_page(1, LOG)] * (settings.sqsize // 2)
    asked = burst(asked)
    for queue in queues:
        queue.channel.send(asked)
    return queues


@dataclass
class Stage:
    name: str
    build: object  # (settings, count) -> channels or queues
    # Bytes that one of the `count` may take. An idle I/O queue is judged with its admin queue.
    most: int
    pending: bool = False  # of them the target keeps only the latest
    data: bool = False  # what it keeps of their data for the next taker may stay
    count_max: int = 1 << 20
    rests: bool = False  # gives back what it does not use, after a while


STAGES = (
    Stage("TCP connected, silent", lambda s, n: begin(s, 0, n), IDLE, pending=True),
    Stage("half an ICReq", lambda s, n: begin(s, 64, n), IDLE, pending=True),
    Stage("IC exchange done, silent", exchange, IDLE),
    Stage("half a Connect capsule", half_connect, IDLE),
    Stage("admin Connect done", admin, IDLE),
    Stage("enabled and idle", enabled, IDLE),
    Stage("event requests outstanding", awaiting, IDLE),
    Stage("I/O queue idle", io, IDLE),
    # As good as new: 26 KiB.
    Stage("I/O queue idle again", rested, 40 << 10, count_max=100, rests=True),
    Stage("writes wait for data", stalled_writes, 2 * IDLE + QUEUE_DATA, data=True),
    Stage("writes stop in their data", half_data, 2 * IDLE + QUEUE_DATA, data=True),
    Stage("reads that are not read", unread, 2 * IDLE + QUEUE_DATA, data=True),
    Stage("responses that are not read", unread_responses, 2 * IDLE + QUEUE_DATA, data=True),
    Stage(
        "log pages that are not read",
        unread_admin,
        2 * IDLE + ADMIN_DATA + LOG,
        data=True,
        count_max=400,
    ),
)
