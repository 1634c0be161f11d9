# SPDX-License-Identifier: BSD-2-Clause
"""Each stage, each of: closed, reset, silent, garbage, HTTP, slow. Every wait ends in time, with
the exit status that tells the stage, and one sentence.
"""
from bench import Table
from hosting import Ends, EndsJson

from .host_common import (
    CONNECT,
    DISCOVER,
    GARBAGE,
    HTTP,
    READ,
    WAIT_SLACK,
    WRITE,
    close,
    drip,
    nth,
    reset,
    silence,
)

TABLE = Table()
row = TABLE.row
TCP, IC, TIMEOUT, BROKE, CLOSED = 11, 13, 19, 20, 21

STAGES = (
    "connect",
    "cap",
    "vs",
    "property-set",
    "csts",
    "identify-1",
    "set-features-7",
    "identify-2",
    "identify-0",
    "io-connect",
)
FAULTS = {
    "close": (close, EndsJson(CLOSED, says=("clos",))),
    "reset": (reset, EndsJson(CLOSED, says=(("reset", "clos"),))),
    "garbage": (GARBAGE, EndsJson(BROKE, term=(1, 0), says=("pdu",))),
    "http": (HTTP, EndsJson(BROKE, term=(1, 0), says=("pdu",))),
}
SLOW = {
    "silence": (silence, EndsJson(TIMEOUT, within=WAIT_SLACK)),
    "drip": (drip(0.5), EndsJson(TIMEOUT, within=WAIT_SLACK)),
}


def run(t, bend, command):
    return t.run(t.target(bend, patience=20), *command)


for stage in STAGES:
    for name, (fault, expect) in FAULTS.items():
        row(
            f"S/{stage}/{name}",
            f"connect: {name} at the stage {stage}",
            expect,
            args=({stage: fault}, CONNECT),
        )(run)
    for name, (fault, expect) in SLOW.items():
        row(
            f"S/{stage}/{name}",
            f"connect: {name} at the stage {stage}",
            expect,
            args=({stage: fault}, CONNECT),
            slow=True,
        )(run)

# Before and within the IC exchange; the second connection is that of the I/O queue.
for number, queue in ((1, "admin"), (2, "io")):
    for stage in ("accept", "icresp"):
        for name, fault in (
            ("close", close),
            ("reset", reset),
            ("garbage", GARBAGE),
            ("http", HTTP),
        ):
            term = "any" if name in ("garbage", "http") else None
            exits = (IC,) if number == 1 else (IC, BROKE, CLOSED)
            if stage == "accept" and name == "reset":  # that early it may be connect() that fails
                exits += (TCP,)
            row(
                f"S/{stage}-{queue}/{name}",
                f"connect: {name} at the stage {stage} of the {queue} queue",
                EndsJson(*exits, term=term),
                args=({stage: nth(number, fault)}, CONNECT),
            )(run)
        row(
            f"S/{stage}-{queue}/silence",
            f"connect: silence at the stage {stage} of the {queue} queue",
            EndsJson(TIMEOUT, within=WAIT_SLACK),
            args=({stage: nth(number, silence)}, CONNECT),
            slow=True,
        )(run)

HTTP_SAYS = EndsJson(IC, term="any", says=(("http", "nvme/tcp", "nvme"),))
row(
    "S/http",
    "a web server: the message says what it looks like",
    HTTP_SAYS,
    args=({"icresp": HTTP}, CONNECT),
)(run)

for verb, command, stage in (
    ("send-capsule", READ, "read"),
    ("send-capsule", WRITE, "r2t"),
    ("send-capsule", WRITE, "write"),
    ("discover", DISCOVER, "log-112"),
):
    for name, (fault, expect) in (FAULTS | SLOW).items():
        row(
            f"S/{verb}-{stage}/{name}",
            f"{verb}: {name} at the stage {stage}",
            expect,
            args=({stage: fault}, command, verb),
            slow=name in SLOW,
        )(lambda t, bend, command, verb: at_command(t, bend, command, verb))


def at_command(t, bend, command, verb):
    target = t.target(bend, patience=20)
    uri = f"nvme+tcp://127.0.0.1:{target.port}" if verb == "discover" else None
    return t.run(target, *command, uri=uri)


@row("S/refused", "nobody listens: exit status 11", EndsJson(11, says=("refused",)))
def _(t):
    target = t.target()
    target.close()
    return t.run(target, *CONNECT)


@row("S/text", "without --json: the same end, and the stages as text", Ends(CLOSED))
def _(t):
    return t.run(t.target({"identify-1": close}), "connect")
