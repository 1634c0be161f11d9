# SPDX-License-Identifier: BSD-2-Clause
"""Captures for pages, made by hand (tests/support/captures.py), and the pages of them."""
import heapq
import os
import random
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "support"))
import captures  # noqa: E402

LINUX = os.path.join(TOP, "tests", "captures", "linux-6.12-plain.pcap")
SCRIPT_NQN = b"nqn.2014-08.org.example:</script><script>alert(1)</script><img/src=x>&amp;"


def hostile():
    """Names that would be a script if a page took them as they are."""
    honest = captures.HOSTNQN, captures.SUBNQN
    captures.HOSTNQN = captures.SUBNQN = SCRIPT_NQN
    try:
        return captures.conversation(captures.Talk()).packets
    finally:
        captures.HOSTNQN, captures.SUBNQN = honest


def busy(pdus):
    """Two queues with sixteen commands in flight: reads and writes whose latencies differ, as those
    of a disk do; one in two hundred fails."""
    chance = random.Random(1)
    talks = [captures.Talk(step=0, port=4420), captures.Talk(step=0, port=8009)]
    for talk in talks:
        talk.open()
    due = []  # (when, order, queue, what to do, CID)
    made = 4 * len(talks)
    for cid in range(16):
        for queue, _ in enumerate(talks):
            heapq.heappush(due, (talks[0].now + 1000 * cid, cid, queue, "send", cid))
    order = 100
    while made < pdus:
        when, _, queue, what, cid = heapq.heappop(due)
        talk = talks[queue]
        talk.now = when
        reads = cid % 3 != 0
        if what == "send":
            talk.host(captures.command(2 if reads else 1, cid, b"" if reads else bytes(512),
                                       slba=8 * chance.randrange(4096), nlb=0))
            later = when + int(chance.lognormvariate(11.3, 0.7))
            made += 1
        else:
            fails = chance.random() < 0.005
            if reads and not fails:
                talk.controller(captures.data(7, 4, cid, 0, 0, bytes(512)))
                made += 1
            talk.controller(captures.response(cid, 0x4080 if fails else 0))
            later = when + 2000 + chance.randrange(4000)
            made += 1
        order += 1
        heapq.heappush(due, (later, order, queue, "answer" if what == "send" else "send", cid))
    return sorted((p for talk in talks for p in talk.packets), key=lambda packet: packet[0])


KINDS = {
    "hostile": hostile,
    "busy": lambda: busy(100_000),
    "careless": captures.careless,
    "conversation": lambda: captures.conversation(captures.Talk()).packets,
}


def make(folder, name, *options, kind=None):
    """The page of a capture, of one of KINDS or of Linux; its address."""
    capture = LINUX
    if kind is not None:
        capture = os.path.join(folder, kind + ".pcap")
        with open(capture, "wb") as out:
            out.write(captures.pcap(KINDS[kind]()))
    page = os.path.join(folder, name + ".html")
    subprocess.run([os.environ["NVMFCTL"], "trace", capture, "--html", page, *options],
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True, timeout=100)
    return "file://" + page
