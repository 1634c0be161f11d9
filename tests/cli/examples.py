#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every example that --help and the man pages show is run: against a target of ours where it names
one, in a folder that has the files it names. What is changed to run it here is printed with it.
NVMFCTL names the program.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.environ["NVMF_SOURCE_DIR"]
sys.path.insert(0, os.path.join(SOURCE, "tests", "support"))
import captures  # noqa: E402
from transcript import LIMIT_S, Run  # noqa: E402

PROGRAM = os.environ["NVMFCTL"]
NQN = "nqn.2026-01.io.example:s"
# What an example ends with when that is not 0: the command that it shows fails by design.
ENDS_WITH = {
    "nvmfctl send-capsule $URI admin:0xc1 cdw10=5 --recv 512": 17,  # the target has no such command
}
# No device here, or a build without rdma-core.
MAY_END_WITH = {"nvmfctl rdma": (11, 2), "nvmfctl rdma -v": (11, 2), "nvmfctl rdma --json": (11, 2)}
INPUT = {"nvmfctl run -": "echo from standard input\n"}


def program(*arguments):
    done = subprocess.run(
        [PROGRAM, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True,
        timeout=LIMIT_S,
    )  # fmt: skip
    return json.loads(done.stdout)


def examples():
    """(command, line) of each."""
    for command in program("--help", "--json")["commands"]:
        found = program(command["name"], "--help", "--json")["examples"]
        assert found, f"{command['name']} has no example"
        yield from ((command["name"], example["line"]) for example in found)


def changes(command, line, address, folder):
    """(what stands in the line, what stands there here, why)."""
    host, port = address.rsplit(":", 1)
    uri = f"nvme+tcp://{address}/{NQN}"
    if f"127.0.0.1:4420/{NQN}" in line:
        yield f"nvme+tcp://127.0.0.1:4420/{NQN}", uri, "the target of this test"
    elif "127.0.0.1/nqn.x" in line:
        yield "nvme+tcp://127.0.0.1/nqn.x", uri, "the target of this test"
    elif "-s 4420" in line:
        yield "-s 4420", f"-s {port}", "the target of this test"
    elif "nvme+tcp://127.0.0.1:4420" in line:
        yield "nvme+tcp://127.0.0.1:4420", f"nvme+tcp://{address}", "the target of this test"
    elif "nvme+tcp://127.0.0.1" in line:
        yield "nvme+tcp://127.0.0.1", f"nvme+tcp://{address}", "the target of this test"
    if command == "bench":
        old = " --time 30" if "--time 30" in line else "nvmfctl bench"
        yield old, f"{old.removesuffix(' --time 30')} --time 0.2", "it need not last"
        if "--cpus 1" in line and 1 not in os.sched_getaffinity(0):
            yield "--cpus 1", "", "no CPU 1 here"
    if "--hold=60s" in line:
        yield "--hold=60s", "--hold=100ms", "it need not last"
    if "--follow" in line:
        yield "-i any --follow", "capture.pcap --stats", "no terminal, and nobody to end it"
    if command == "trace" and "-i lo" in line:
        yield "-i lo", "capture.pcap", "cli.live captures, where that is allowed"
    if command == "serve" and "--listen" not in line:
        yield "nvmfctl serve", "nvmfctl serve --listen 127.0.0.1:0", "4420 may be taken"
    if "--cpus 0,1" in line and not {0, 1} <= os.sched_getaffinity(0):
        yield "--cpus 0,1", "", "no CPUs 0 and 1 here"
    if "| man" in line and shutil.which("man") is None:
        yield "| man -l -", "| cat", "no man here"
    if "/etc/" in line:
        yield "/etc/bash_completion.d/nvmfctl", f"{folder}/completion", "no root"


def run_one(run, command, line, address):
    """What is wrong with it; None: nothing."""
    here = line
    for old, new, why in changes(command, line, address, run.folder):
        assert old in here, (line, old)
        here = here.replace(old, new)
        print(f"    {old!r} is {new!r}: {why}")
    if command == "serve" and " -- " not in line:
        said = run.step(here + " &")
        if not said[-1].startswith("listening "):
            return said
        server = run.servers.pop()
        rest = server.interrupt()
        return rest if rest and rest[-1].startswith(("[exit", "(still")) else None
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", here], cwd=run.folder, env=run.env,
        input=INPUT.get(line, ""), capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    if done.returncode in (ENDS_WITH.get(line, 0), *MAY_END_WITH.get(line, ())):
        return None
    return [f"exit status {done.returncode}", done.stdout[-2000:], done.stderr]


def main():
    wrong, lines = 0, []
    with tempfile.TemporaryDirectory() as folder:
        run = Run(folder)
        os.makedirs(os.path.join(folder, "docs", "man"))
        files = {"block": b"\x5a" * 4096, "disk.img": bytes(1 << 20)}
        files["smoke.nvmf"] = b"expect 1 == 1\n"
        files["capture.pcap"] = files["capture.pcapng"] = captures.KINDS["conversation"]()
        for name, content in files.items():
            with open(os.path.join(folder, name), "wb") as file:
                file.write(content)
        try:
            target = f"nvmfctl serve --listen 127.0.0.1:0 -n {NQN} --ns ram:4M -g -G &"
            assert run.step(target)[-1].startswith("listening ")
            address, run.env["URI"] = run.env["NVMF_ADDR"], run.env.pop("NVMF_URI")
            for command, line in examples():
                lines.append(line)
                print(line)
                said = run_one(run, command, line, address)
                run.env.pop("NVMF_URI", None)
                if said is not None:
                    wrong += 1
                    print("    WRONG:", *said, sep="\n    ")
        finally:
            run.kill()
    for line in [*ENDS_WITH, *INPUT]:
        if line not in lines:
            wrong += 1
            print(f"no example is: {line}")
    print(f"{len(lines)} examples, {wrong} wrong")
    return 1 if wrong or len(lines) < 30 else 0


if __name__ == "__main__":
    sys.exit(main())
