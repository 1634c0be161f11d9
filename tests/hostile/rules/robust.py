# SPDX-License-Identifier: BSD-2-Clause
"""T116-T119 in short: noise, readers that do not read, aborts and resets in mid-air."""
import random
import time

import host
import wire
from bench import Table, check
from channel import Broken, Gone, Silence
from serving import Healthy

TABLE = Table()
row = TABLE.row
BIG = 1 << 20


@row("T116", "seeded noise on 60 connections, at every stage: others see nothing of it")
def _(t):
    dice = random.Random(116)
    for number in range(60):
        stage = number % 4
        channel = t.ready().channel if stage == 3 else t.queue().channel if stage else t.dial()
        channel.limit = 2.0
        try:
            for _ in range(20):
                channel.send(noise(dice))
        except (Gone, Silence, Broken):
            pass
        channel.reset() if dice.random() < 0.5 else channel.close()
    t.newcomer_works()


def noise(dice):
    kind = dice.choice((wire.CMD, wire.H2C_DATA, wire.CMD, wire.ICREQ, dice.randrange(256)))
    body = dice.randbytes(dice.choice((16, 64, 120, dice.randrange(200))))
    if dice.random() < 0.5 and len(body) == 64:
        body = wire.sqe(
            dice.randrange(256),
            dice.randrange(8),
            nsid=dice.randrange(3),
            dptr=dice.choice((wire.NO_DATA, wire.sgl_transport(4096), dice.randbytes(16))),
            cdw=[dice.randrange(1 << 32) for _ in range(6)],
        )
        # Whatever it writes, it does not write where the healthy host does.
        body = wire.put(body, 44, 1 << 20, 4)
    return wire.pdu(
        kind & 0xFF,
        body,
        dice.randbytes(dice.choice((0, 0, 512, 4096))),
        hdgst=dice.random() < 0.1,
        ddgst=dice.random() < 0.1,
    )


# ---- hosts that come and say little ---------------------------------------------------------

CROWD = 640
MOST_EACH = 64 << 10  # bytes of the target's memory for one of them


def hanger_on(settings, stage):
    """A connection that stops within ICReq (before the first byte, after seven), before Connect, or
    within it."""
    if stage < 2:
        channel = host.dial(settings)
        channel.send(b"" if stage == 0 else host.icreq(settings)[:7])
        return channel
    queue = host.open_queue(settings)
    if stage == 3:
        queue.channel.send(queue.channel.build(wire.CMD, wire.connect(1), bytes(1024))[:600])
    return queue.channel


@row(
    "T10/crowd",
    f"{CROWD} connections that stop at each stage: a newcomer gets in at once, a host at work sees"
    " nothing of it, memory is bounded, all are ended in time, twice",
    slow=True,
)
def _(t):
    settings = t.extra("--ns", "ram:64M", "--connect-timeout", "6")[0]
    server = t.opened[-1]
    worker = Healthy(settings.stranger().but(limit=20.0))
    worker.start()
    sizes = [server.resident()]
    open_before = server.descriptors()
    for _ in range(2):
        crowd = [t.keep(hanger_on(settings, n % 4)) for n in range(CROWD)]
        with host.Association(settings.stranger(), io=1) as newcomer:
            t.still_works(newcomer.io[0])
            # They did not have to be waited for.
            check(not crowd[-4].readable(), "the last to come were ended")
        sizes.append(server.resident())
        for channel in crowd:
            channel.wait_closed(20)
            channel.close()
    check(not worker.finish(), f"the host at work: {worker.fault}")
    check(worker.rounds > 1, f"the host at work did {worker.rounds} rounds")
    check(server.descriptors() <= open_before + 8, f"{server.descriptors()} descriptors are open")
    told = ", ".join(f"{size >> 10} KiB" for size in sizes)
    check(sizes[1] - sizes[0] < CROWD * MOST_EACH, f"memory in use: {told}")
    check(sizes[2] - sizes[1] < CROWD * MOST_EACH // 4, f"memory in use, second time: {told}")


CYCLES = 400


@row(
    "T120",
    f"{2 * CYCLES} associations that come up and go, every fourth by a reset: memory and"
    " descriptors are back where they were (10 000 in short)",
)
def _(t):
    settings = t.extra("--ns", "ram:16M")[0]
    server = t.opened[-1]
    sizes, open_files = [], []
    for _ in range(3):
        for n in range(CYCLES if sizes else 40):  # the first few make what is kept for good
            association = host.Association(settings, io=0)
            if n % 4 == 0:
                association.admin.channel.reset()
            association.close()
        t.up(settings=settings)
        sizes.append(server.resident())
        open_files.append(server.descriptors())
    told = ", ".join(f"{size >> 10} KiB" for size in sizes)
    check(sizes[2] - sizes[1] < CYCLES * 2048, f"memory in use: {told}")
    check(open_files[2] <= open_files[1] + 8, f"open descriptors: {open_files}")


# ---- readers that do not read ---------------------------------------------------------------


def stalled(t, way):
    """Reads of 1 MiB each, as many as the queue holds, none of which is taken off the socket."""
    before = t.server.resident() if t.server else 0
    queue = t.keep(host.Association(t.settings.but(kato=2000), io=0))
    check(queue.admin.run(wire.set_features(7, 0)).ok, "Set Features")
    reader = t.keep(host.open_queue(t.settings.but(sqsize=127), receive_buffer=4096))
    check(reader.connect(1, cntlid=queue.cntlid).ok, "Connect")
    size = min(queue.mdts or BIG, BIG)
    for _ in range(100):
        reader.send(wire.io(wire.READ, 1, 0, size // 512, dptr=wire.sgl_transport(size)), take=size)
    t.newcomer_works()
    if t.server:
        grown = t.server.resident() - before
        check(grown < 96 << 20, f"100 stalled reads of {size} bytes took {grown >> 20} MiB")
    if way == "reset":
        reader.channel.reset()
    elif way == "half":
        reader.channel.half_close()
    else:  # nothing more is said: KATO ends it
        begun = time.monotonic()
        queue.admin.channel.wait_closed(12)
        check(time.monotonic() - begun < 10, "the association outlived KATO by far")
    t.newcomer_works()


HOLDS = "skip: it holds data for every read"
row(
    "T117/silent",
    "a reader that does not read: bounded memory, others served, ended by KATO",
    slow=True,
    args=("silent",),
    linux=HOLDS,
)(stalled)
row("T117/reset", "a reader that does not read, and resets", args=("reset",), linux=HOLDS)(stalled)
row(
    "T117/half", "a reader that does not read, and closes its side", args=("half",), linux=HOLDS
)(stalled)


@row("T117/mid-data", "reset in the middle of H2CData: nothing is committed, others are served")
def _(t):
    queue = t.ready()
    old = random.Random(117).randbytes(65536)
    check(queue.write(1, 2100, old, in_capsule=False).ok, "the first write")
    other = t.ready()
    other.answer_r2t = False
    entry = wire.io(wire.WRITE, 1, 2100, 128, dptr=wire.sgl_transport(65536))
    write = other.send(entry, give=bytes(65536))
    while not write.r2ts:
        other.step()
    body = wire.data_body(write.cid, write.r2ts[0].ttag, 0, 32768)
    other.channel.send(other.channel.build(wire.H2C_DATA, body, bytes(32768))[:20000])
    other.channel.reset()
    t.newcomer_works()
    check(queue.read(1, 2100, 128).data == old, "half a write was committed")


@row("T118/aers", "Connects without a name, and the most event requests: refused cleanly")
def _(t):
    for _ in range(64):
        queue = host.open_queue(t.settings)
        check(not queue.connect(hostnqn=b"", subnqn=b"").ok, "a Connect without names was accepted")
        queue.close()
    admin = t.up(io=0).admin
    asked = [admin.send(wire.sqe(wire.AER)) for _ in range(28)]
    admin.quiet()
    check(all(not a.done or (a.cqe.sct, a.cqe.sc) == (1, 5) for a in asked), "another status")
    t.newcomer_works()


def waiting_writes(queue, count):
    queue.answer_r2t = False
    entry = wire.io(wire.WRITE, 1, 2300, 64, dptr=wire.sgl_transport(32768))
    writes = [queue.send(entry, give=bytes(32768)) for _ in range(count)]
    while not all(w.r2ts for w in writes):
        queue.step()
    return writes


@row("T119/aborts", "Abort of 16 writes that wait for data, twice each: one fate for every command")
def _(t):
    association = t.up()
    queue, admin = association.io[0], association.admin
    writes = waiting_writes(queue, 16)
    for write in writes:
        for _ in range(2):
            admin.must(wire.sqe(wire.ABORT, cdw=(write.cid << 16 | 1,)))
    for write in writes:  # what was not aborted still wants its data
        if not write.done:
            for r2t in list(write.r2ts):
                queue.answer(write, r2t)
    for write in writes:
        queue.wait(write)  # a second completion would be for no command
        check(write.ok or (write.cqe.sct, write.cqe.sc) == (0, 7), str(write))
    queue.answer_r2t = True
    t.still_works(queue)


@row(
    "T119/reset",
    "CC.EN 0 while writes wait: their queue ends, and the controller can be enabled again",
    linux="the I/O connections live on",
)
def _(t):
    association = t.up()
    queue, admin = association.io[0], association.admin
    waiting_writes(queue, 8)
    check(admin.set(wire.CC, wire.CC_QUEUES).ok, "CC")
    queue.channel.wait_closed(5)
    try:
        admin.until(wire.CSTS, lambda csts: not csts & 1)
        admin.enable()
    except Gone:
        pass  # closed instead: that is documented, too
    t.newcomer_works()


@row("T119/shutdown", "shutdown while writes wait: SHST reaches complete")
def _(t):
    association = t.up()
    waiting_writes(association.io[0], 8)
    check(association.admin.set(wire.CC, wire.CC_ENABLE | 1 << 14).ok, "CC")
    association.admin.until(wire.CSTS, lambda csts: csts >> 2 & 3 == 2)
    t.newcomer_works()
