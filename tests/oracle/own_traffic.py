#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""tshark watches our own two ends talk.

usage: own_traffic.py NVMFCTL PDU_DUMP [digests]

tcpdump records the loopback interface while `nvmfctl serve` runs a script of commands against
itself. Then tshark decodes the capture: nothing may be malformed, every digest must verify, the
statuses must be those that were sent, and each field must agree with ours (tshark_fields.py), and
what `nvmfctl trace` makes of it (trace_tshark.py).
"""
import collections
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
# What is sent, and the status that must come back: (arguments of send-capsule, SCT, SC).
COMMANDS = [
    (["identify", "cns=1"], 0, 0x00),
    (["identify", "cns=0", "nsid=1"], 0, 0x00),
    (["get-log-page", "lid=2", "nsid=0xffffffff", "--recv", "512"], 0, 0x00),
    (["get-features", "fid=7"], 0, 0x00),
    (["write", "nsid=1", "slba=0", "nlb=7", "--send", "fill:0xa5"], 0, 0x00),       # in-capsule
    (["write", "nsid=1", "slba=8", "nlb=255", "--send", "fill:0x5a"], 0, 0x00),     # R2T
    (["read", "nsid=1", "slba=0", "nlb=263"], 0, 0x00),
    (["compare", "nsid=1", "slba=0", "nlb=7", "--send", "fill:0xa5"], 0, 0x00),
    (["compare", "nsid=1", "slba=0", "nlb=7", "--send", "fill:0xa6"], 2, 0x85),
    (["write-zeroes", "nsid=1", "slba=0", "nlb=7"], 0, 0x00),
    (["flush", "nsid=1"], 0, 0x00),
    (["read", "nsid=1", "slba=0xffffffffff", "nlb=0"], 0, 0x80),
    (["read", "nsid=9", "slba=0", "nlb=0", "--recv", "512"], 0, 0x0b),
]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def record(program, port, digests, capture):
    """Runs the commands under tcpdump; returns what went wrong, or None. A recording with holes
    (a busy machine) is made again: they are tcpdump's."""
    for _ in range(3):
        problem, dropped = record_once(program, port, digests, capture)
        if problem or not dropped:
            return problem
        print(f"tcpdump lost {dropped} packets: once more")
    return "tcpdump lost packets three times over"


def record_once(program, port, digests, capture):
    """What went wrong, or None; and how many packets the kernel dropped before tcpdump had them."""
    dump = subprocess.Popen(["tcpdump", "--immediate-mode", "-B", "32768", "-i", "lo", "-U", "-w",
                             capture, "-s", "0", f"tcp port {port}"],
                            stderr=subprocess.PIPE, text=True)
    # It says that it listens when it does; anything else is its reason for not starting.
    line = dump.stderr.readline()
    while line and "listening on" not in line:
        reason, line = line, dump.stderr.readline()
    if not line:
        print(f"skipped: tcpdump cannot capture here: {reason.strip()}")
        sys.exit(77)
    script = []
    for words, _, _ in COMMANDS:
        capsule = [program, "send-capsule", "$NVMF_URI", *digests, *words, ">/dev/null"]
        script.append(" ".join(capsule))
    serve = subprocess.run(
        [program, "serve", "--listen", f"127.0.0.1:{port}", "--ns", "ram:16M",
         *(["-g", "-G"] if digests else []), "--", "bash", "-c", "; ".join(script) + "; true"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=100, check=False)
    dump.terminate()
    dropped = re.search(r"(\d+) packets? dropped by kernel", dump.communicate(timeout=20)[1])
    problem = f"serve ended with {serve.returncode}: {serve.stderr}" if serve.returncode else None
    return problem, int(dropped[1]) if dropped else 0


def statuses(capture, port):
    """(SCT, SC) of every completion on an I/O or admin queue after the bring-up, by tshark."""
    out = subprocess.run(
        ["tshark", "-n", "-r", capture, "-d", f"tcp.port=={port},nvme-tcp", "-Y", "nvme.cqe.status",
         "-T", "fields", "-e", "nvme.cqe.status.sct", "-e", "nvme.cqe.status.sc"],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    seen = collections.Counter()
    for line in out.splitlines():
        sct, sc = line.split("\t")
        seen.update((int(a, 16), int(b, 16)) for a, b in zip(sct.split(","), sc.split(",")))
    return seen


def digest_failures(capture, port):
    bad = subprocess.run(
        ["tshark", "-n", "-r", capture, "-d", f"tcp.port=={port},nvme-tcp",
         "-o", "nvme-tcp.check_hdgst:TRUE", "-o", "nvme-tcp.check_ddgst:TRUE", "-Y",
         "nvme-tcp.hdgst.status == 0 || nvme-tcp.ddgst.status == 0 || _ws.malformed"],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return bad.splitlines()


def main():
    program, dump = sys.argv[1:3]
    digests = ["-g", "-G"] if "digests" in sys.argv[3:] else []
    for tool in ("tcpdump", "tshark"):
        if shutil.which(tool) is None:
            print(f"skipped: {tool} is not installed")
            return 77
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        capture = folder + "/own.pcap"
        problem = record(program, port, digests, capture)
        if problem:
            print(problem)
            return 1
        seen = statuses(capture, port)
        problems = digest_failures(capture, port)
        for status in {(sct, sc) for _, sct, sc in COMMANDS if (sct, sc) != (0, 0)}:
            want = sum(1 for _, sct, sc in COMMANDS if (sct, sc) == status)
            if seen[status] != want:
                problems.append(f"status {status}: sent {want}, tshark saw {seen[status]}")
        print(f"statuses: {dict(seen)}, {len(problems)} problems")
        print("\n".join(problems[:20]))
        fields = subprocess.run([sys.executable, str(HERE / "tshark_fields.py"), dump, capture,
                                 str(port), "1000"], check=False)
        trace = subprocess.run([sys.executable, str(HERE / "trace_tshark.py"), program, capture,
                                str(port), "30"], check=False)
        rules = subprocess.run(
            [program, "trace", "--strict", "--stats", "--port", str(port), capture],
            stdout=subprocess.DEVNULL, check=False)
        return 1 if problems or fields.returncode or trace.returncode or rules.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
