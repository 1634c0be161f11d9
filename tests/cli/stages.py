#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a target can do to a host in every stage of a bring-up and in a command: refuse, close,
reset, say nothing, send garbage, half an answer, a TermReq; and an interrupt in every stage. Each
must give one sentence that names the stage, the exit status of the table, one JSON document with
--json, in bounded time. The target is the oracle of tests/hostile; NVMFCTL names the program.
"""
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.environ["NVMF_SOURCE_DIR"], "tests", "hostile"))
import wire  # noqa: E402
from link import Drop, Hang  # noqa: E402
from target import Target  # noqa: E402

PROGRAM = os.environ["NVMFCTL"]
LIMIT_S = 60.0
TIMEOUT_S = "1"  # --timeout of what is expected to time out

OK, RESOLVE, TCP, IC, CONNECT, AUTHENTICATION = 0, 10, 11, 13, 14, 15
PROPERTY, ADMIN, IO = 16, 17, 18
TIMEOUT, PROTOCOL, CLOSED, INTERRUPTED = 19, 20, 21, 130


# ---- what a target does: functions for Target(bend={stage: function}) ------------------------


def close(link, reply):
    raise Drop


def reset(link, reply):
    link.channel.reset()
    raise Drop


def silence(link, reply):
    raise Hang


def garbage(link, reply):
    reply.raw = random.Random(1).randbytes(4096)


def half(link, reply):
    whole = reply.raw or link.answer_bytes(reply)
    link.channel.send(whole[: len(whole) // 2])
    raise Drop


def term(link, reply):
    link.channel.send(wire.pdu(wire.C2H_TERM, wire.term_body(1, 4), bytes(24)))
    raise Hang


def status(sct, sc):
    def refuse(link, reply):
        reply.sct, reply.sc, reply.dnr, reply.data = sct, sc, True, b""

    refuse.__name__ = f"status-{sct:x}/{sc:02x}h"
    return refuse


def dword(value):
    def answer(link, reply):
        reply.dw0 = value

    answer.__name__ = f"dw0={value:#x}"
    return answer


# ---- what is run -----------------------------------------------------------------------------


def run(target, *words, timeout=TIMEOUT_S):
    """The exit status, stdout, stderr and seconds of one command against the target."""
    began = time.monotonic()
    done = subprocess.run(
        [PROGRAM, *words, "--timeout", timeout, "--hostnqn", "nqn.2026-01.io.example:host"],
        env=dict(os.environ, NVMF_URI=target.uri()), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, errors="replace", timeout=LIMIT_S, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr, time.monotonic() - began


def faults(row, got):
    """What is wrong with a run, as sentences."""
    want, said = row[2], row[3]
    code, out, err, seconds = got
    if code != want:
        yield f"exit status {code}, not {want}"
    lines = err.strip().splitlines()
    if len(lines) != 1 or not lines[0].startswith("nvmfctl: "):
        yield f"stderr is not one sentence: {err!r}"
    if want != INTERRUPTED and want != IO and err.count("; ") < 1:
        yield f"nothing to do next in {err!r}"
    if not re.search(said, err):
        yield f"no {said!r} in {err!r}"
    if want == TIMEOUT and seconds > 20:
        yield f"took {seconds:.1f} s"
    try:
        document = json.loads(out)
    except ValueError as error:
        yield f"stdout is not one JSON document: {error}: {out[:200]!r}"
        return
    if document.get("error", {}).get("status") != want or "schema" not in document:
        yield f"the document's error is {document.get('error')}"


CONNECT_CMD = ("connect", "--json")
READ_CMD = ("send-capsule", "read", "--json")
BRING_UP = [
    # stage of the target, stage of the program, status of a refusal
    ("connect", "connect", CONNECT),
    ("cap", "properties", PROPERTY),
    ("vs", "properties", PROPERTY),
    ("property-set", "enable", PROPERTY),
    ("csts", "enable", PROPERTY),
    ("identify-1", "identify", ADMIN),
    ("identify-2", "namespaces", ADMIN),
    ("set-features-7", "io-queues", ADMIN),
    ("io-connect", "io-queues", CONNECT),
]
ROWS = [
    ("accept", close, IC, "^nvmfctl: ic failed: "),
    ("accept", garbage, IC, "^nvmfctl: ic failed: "),
    ("icresp", close, IC, "^nvmfctl: ic failed: "),
    ("icresp", reset, IC, "^nvmfctl: ic failed: "),
    ("icresp", silence, TIMEOUT, "^nvmfctl: ic failed: "),
    ("icresp", garbage, IC, "^nvmfctl: ic failed: "),
    ("icresp", half, IC, "^nvmfctl: ic failed: "),
    ("icresp", term, IC, "^nvmfctl: ic failed: "),
]
for _stage, _name, _refused in BRING_UP:
    _say = f"^nvmfctl: {_name} failed: "
    ROWS += [
        (_stage, close, CLOSED, _say),
        (_stage, reset, CLOSED, _say),
        (_stage, half, CLOSED, _say),
        (_stage, term, CLOSED, _say),
        (_stage, silence, TIMEOUT, _say),
        (_stage, garbage, PROTOCOL, _say),
    ]
    if _stage not in ("vs",):
        ROWS.append((_stage, status(0, 6), _refused, _say + ".*Internal Error"))
ROWS += [
    ("connect", status(1, 0x82), CONNECT, "Connect Invalid Parameters .1/82h, DNR"),
    ("connect", status(1, 0x84), CONNECT, "Connect Invalid Host .1/84h, DNR"),
    ("connect", status(1, 0x81), CONNECT, "Connect Controller Busy .1/81h, DNR"),
    ("connect", status(1, 0x91), AUTHENTICATION, "Authentication Required.*to authenticate"),
    ("cap", status(1, 0x91), AUTHENTICATION, "Authentication Required.*to authenticate"),
    ("csts", dword(0), TIMEOUT, "^nvmfctl: enable failed: .*CSTS.RDY"),
    ("csts", dword(2), PROPERTY, "^nvmfctl: enable failed: .*CSTS.CFS"),
]
IO_ROWS = [
    ("read", status(2, 0x81), IO, "Unrecovered Read Error .2/81h"),
    ("read", status(1, 0x80), IO, "Conflicting Attributes"),
    ("read", close, CLOSED, "read .02h.: .*; see the target's log"),
    ("read", reset, CLOSED, "read .02h.: .*; see the target's log"),
    ("read", half, CLOSED, "read .02h.: .*; see the target's log"),
    ("read", term, CLOSED, "read .02h.: .*: Invalid PDU Header Field .FES 1, FEI 4h"),
    ("read", garbage, PROTOCOL, "read .02h.: .*; this is a fault of the target"),
    ("read", silence, TIMEOUT, "read .02h.: .*; .*--timeout waits longer"),
]


def check(row, command):
    with Target(bend={row[0]: row[1]}, patience=LIMIT_S) as target:
        return list(faults(row, run(target, *command)))


# ---- interrupts ------------------------------------------------------------------------------


def interrupt(stage, number, command):
    """Interrupts the program while the target, in this stage, says nothing."""
    reached = threading.Event()

    def hang(link, reply):
        reached.set()
        raise Hang

    with Target(bend={stage: hang}, patience=LIMIT_S) as target:
        process = subprocess.Popen(
            [PROGRAM, *command, "--timeout", "50"], env=dict(os.environ, NVMF_URI=target.uri()),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            if not reached.wait(LIMIT_S):
                return ["the target was never asked"]
            began = time.monotonic()
            process.send_signal(number)
            out, err = process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            return [f"still running {LIMIT_S:g} s after the signal"]
        finally:
            process.kill()
        wrong = []
        if process.returncode != INTERRUPTED:
            wrong.append(f"exit status {process.returncode}, not {INTERRUPTED}")
        if "interrupted" not in err or len(err.strip().splitlines()) != 1:
            wrong.append(f"stderr is not one sentence about it: {err!r}")
        if json.loads(out)["error"]["status"] != INTERRUPTED:
            wrong.append(f"stdout: {out!r}")
        if time.monotonic() - began > 20:
            wrong.append("it took its time")
        return wrong


def interrupt_twice():
    """The first interrupt asks for a shutdown, which hangs; the second ends the program at once."""
    held, asked = threading.Event(), threading.Event()

    def shutdown(link, reply):
        if held.is_set():  # CC.SHN
            asked.set()
            raise Hang

    with Target(bend={"property-set": shutdown}, patience=LIMIT_S) as target:
        process = subprocess.Popen(
            [PROGRAM, "connect", "--hold", "--timeout", "50"],
            env=dict(os.environ, NVMF_URI=target.uri()), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        guard = threading.Timer(LIMIT_S, process.kill)
        guard.start()
        try:
            while not process.stdout.readline().startswith("holding"):
                if process.poll() is not None:
                    return [f"it ended with {process.returncode} before it held on"]
            held.set()
            process.send_signal(signal.SIGINT)
            if not asked.wait(LIMIT_S):
                return ["the first interrupt did not ask for a shutdown"]
            process.send_signal(signal.SIGINT)
            process.wait(LIMIT_S)
        finally:
            guard.cancel()
            process.kill()
            process.communicate()
        if process.returncode != -signal.SIGINT:
            return [f"the second interrupt: {process.returncode}"]
        return []


def main():
    failed = count = 0

    def tell(name, wrong):
        nonlocal failed, count
        count += 1
        failed += bool(wrong)
        for fault in wrong:
            print(f"{name}: {fault}")

    for row in ROWS:
        tell(f"{row[0]} {row[1].__name__}", check(row, CONNECT_CMD))
    for row in IO_ROWS:
        tell(f"{row[0]} {row[1].__name__}", check(row, READ_CMD))
    for stage in ["icresp"] + [stage for stage, _, _ in BRING_UP]:
        tell(f"{stage} SIGINT", interrupt(stage, signal.SIGINT, CONNECT_CMD))
    tell("identify-1 SIGTERM", interrupt("identify-1", signal.SIGTERM, CONNECT_CMD))
    tell("two interrupts", interrupt_twice())
    print(f"{count} cases, {failed} failed")
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main())
