#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""transcript.py FILE.md...: runs the ```console blocks of a document as a user would, one after
the other, and compares what is printed. NVMFCTL_UPDATE=1 writes what was printed into the file.

    $ nvmfctl serve --listen 127.0.0.1:0 &     a server: waits for its "listening" lines, sets
    listening nvme+tcp://127.0.0.1:41234/nqn   NVMF_URI to the first and NVMF_ADDR to HOST:PORT
    $ nvmfctl connect $NVMF_URI \\
    >   --json                                 the command goes on
    what it prints, stdout and stderr in the order in which they came
    ...                                        any lines
    [exit 14]                                  its status, when it is not 0
    ^C                                         interrupts the latest server; then its last words

Before comparing, on both sides: a time with a fraction ("12.3 us") and the blanks before it are
one, and so are ports from 32768 on, the folder of the run and that of the sources. More, per file:

    <!-- normalise: REGEX -> TEXT -->   <!-- needs: PROGRAM... -->   <!-- labels: LABEL... -->
"""
import difflib
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

PROGRAM = os.environ.get("NVMFCTL", "")
LIMIT_S = float(os.environ.get("NVMF_TEST_LIMIT", "60"))
FENCE = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)


class Step:
    """One command, the lines that the document expects after it, and where they stand."""

    def __init__(self, command, line):
        self.command, self.line, self.first, self.expected = command, line, line, []


def parse(text):
    """The steps of every console block; line numbers count from 0."""
    steps = []
    for block in FENCE.finditer(text):
        start, step = text.count("\n", 0, block.start(1)), None
        for number, line in enumerate(block[1].split("\n")[:-1], start):
            if line.startswith("$ ") or line == "^C":
                step = Step(line.removeprefix("$ "), number)
                step.first = number + 1
                steps.append(step)
            elif step is None:
                raise SystemExit(f"line {number + 1}: output before any command")
            elif line.startswith("> ") and not step.expected:
                step.command += "\n" + line[2:]
                step.first = number + 1
            else:
                step.expected.append(line)
    return steps


def normaliser(text, folder):
    source = os.environ.get("NVMF_SOURCE_DIR", "")
    own = re.findall(r"^<!-- normalise: (.*) -> (.*) -->$", text, re.M)

    def port(match):
        return f"{match[1]}:PORT" if int(match[2]) >= 32768 else match[0]

    def normalise(line):
        line = line.rstrip().replace(folder, ".")
        if source:
            line = line.replace(source, "SOURCE")
        line = re.sub(r"(127\.0\.0\.1|\[::1\]|localhost):(\d{5})\b", port, line)
        line = re.sub(r" *[+-]?\b\d+\.\d+ ?(ns|us|µs|ms|s)\b", " TIME", line)
        for pattern, replacement in own:
            line = re.sub(pattern, replacement, line)
        return line

    return normalise


def matches(expected, actual):
    """expected may hold lines "..." that stand for any lines."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == "..." else re.escape(line) + r"\n" for line in expected
    )
    return re.fullmatch(pattern, "".join(line + "\n" for line in actual)) is not None


class Server:
    """A program in the background whose lines are read as they come."""

    def __init__(self, command, folder, env):
        self.listeners = max(1, len(re.findall(r"--listen\b", command)))
        # exec: the signal is for the program and not for the shell around it.
        self.process = subprocess.Popen(
            ["bash", "-c", "exec " + command.removesuffix("&").rstrip()],
            cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
        )  # fmt: skip
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def until_listening(self):
        """Its lines up to the last listener's, and the URIs; without them it has failed."""
        said, uris, deadline = [], [], time.monotonic() + LIMIT_S
        while len(uris) < self.listeners:
            try:
                line = self.lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                return said + [f"(no 'listening' line after {LIMIT_S:g} seconds)"], uris
            if line is None:
                self.lines.put(None)  # for interrupt(), which reads to the end too
                return said + [f"[exit {self.process.wait()}]"], uris
            said.append(line)
            if line.startswith("listening "):
                uris.append(line.split()[1])
        return said, uris

    def interrupt(self):
        """SIGINT; the rest of what it says and its status when that is not 0."""
        self.process.send_signal(signal.SIGINT)
        try:
            status = self.process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            return [f"(still running {LIMIT_S:g} seconds after SIGINT)"]
        said = list(iter(lambda: self.lines.get(timeout=LIMIT_S), None))
        return said + ([f"[exit {status}]"] if status else [])

    def kill(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Run:
    """The folder, environment and servers of one document's run."""

    def __init__(self, folder):
        self.folder, self.servers = folder, []
        program = os.path.dirname(os.path.abspath(PROGRAM)) if PROGRAM else ""
        self.env = dict(
            os.environ, PATH=f"{program}:{os.environ['PATH']}" if program else os.environ["PATH"],
            HOME=folder, LC_ALL="C.UTF-8", TZ="UTC", TERM="dumb", COLUMNS="100",
        )  # fmt: skip

    def step(self, command):
        if command == "^C":
            return self.servers.pop().interrupt() if self.servers else ["(nothing to interrupt)"]
        if command.rstrip().endswith("&") and not command.rstrip().endswith("&&"):
            server = Server(command.rstrip(), self.folder, self.env)
            self.servers.append(server)
            said, uris = server.until_listening()
            if uris:
                self.env["NVMF_URI"] = uris[0]
                self.env["NVMF_ADDR"] = re.sub(r"^\w[\w+.-]*://|/.*$", "", uris[0])
            return said
        process = subprocess.Popen(
            ["bash", "-c", command], cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            start_new_session=True,
        )  # fmt: skip
        try:
            output, _ = process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output = process.communicate()[0] + f"(still running after {LIMIT_S:g} seconds)\n"
        status = process.returncode
        return output.split("\n")[: -1 if output.endswith("\n") or not output else None] + (
            [f"[exit {status}]"] if status else []
        )

    def end(self):
        """Interrupts what still runs; yields what did not end well."""
        for server in reversed(self.servers):
            said = server.interrupt()
            if said and said[-1].startswith(("[exit", "(still")):
                yield said
            server.kill()


def run_file(path, update):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for needs in re.findall(r"^<!-- needs: (.*) -->$", text, re.M):
        for program in needs.split():
            if shutil.which(program) is None:
                print(f"skipped: {program} is not installed")
                return 77
    steps, lines, failures = parse(text), text.split("\n"), 0
    if not steps:
        print(f"{path}: no ```console block")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        run, normalise, changes = Run(folder), normaliser(text, folder), []
        try:
            for step in steps:
                actual = run.step(step.command)
                wanted, got = [list(map(normalise, side)) for side in (step.expected, actual)]
                if matches(wanted, got):
                    continue
                failures += 1
                changes.append((step, actual))
                print(f"\n{path}:{step.line + 1}: $ {step.command}")
                print("\n".join(difflib.unified_diff(wanted, got, "document", "run", lineterm="")))
            for said in run.end():
                failures += 1
                print(f"\n{path}: a server did not end well:", *said, sep="\n")
        finally:
            for server in run.servers:
                server.kill()
    if update and changes:
        for step, actual in reversed(changes):
            lines[step.first : step.first + len(step.expected)] = actual
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines))
        print(f"{path}: {len(changes)} outputs rewritten")
        failures -= len(changes)
    print(f"{path}: {len(steps)} steps, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    if PROGRAM and not os.path.exists(PROGRAM):
        raise SystemExit(f"NVMFCTL is {PROGRAM}, which does not exist: build it first")
    UPDATE = os.environ.get("NVMFCTL_UPDATE") == "1"
    RESULTS = [run_file(path, UPDATE) for path in sys.argv[1:]]
    sys.exit(1 if 1 in RESULTS else max(RESULTS, default=2))
