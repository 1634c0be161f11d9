#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""transcript.py [--write] FILE.md...: runs the ```console blocks of a document as a user would, one
after the other, and compares what is printed; ```nvmfctl blocks are sessions at a terminal
(dialogue.py). --write, or NVMFCTL_UPDATE=1, writes what was printed into the file.

    $ nvmfctl serve --listen 127.0.0.1:0 &     a server: waits for its "listening" lines, sets
    listening nvme+tcp://127.0.0.1:41234/nqn   NVMF_URI to the first and NVMF_ADDR to HOST:PORT
    $ nvmfctl connect $NVMF_URI \\
    >   --json                                 the command goes on
    what it prints, stdout and stderr in the order in which they came
    ...                                        any lines
    [exit 14]                                  its status, when it is not 0
    ^C                                         interrupts the latest server; then its last words

Before comparing, on both sides: a time with a fraction ("12.3 us") and the blanks before it are
one, and so are ports from 32768 on, the folder of the run and that of the sources. In a command
such a port is the one that was printed here where the document has it. More, per file:

    <!-- normalise: REGEX -> TEXT -->   <!-- needs: PROGRAM... -->   <!-- labels: LABEL... -->

and, before a block of any kind, <!-- file: NAME -->: the block is that file in the run's folder.
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

from dialogue import Block, Dialogue, link

PROGRAM = os.environ.get("NVMFCTL", "")
LIMIT_S = float(os.environ.get("NVMF_TEST_LIMIT", "60"))
FENCE = re.compile(r"^```(console|nvmfctl)(?: (\w+))?\n(.*?)^```$", re.M | re.S)
FILE = re.compile(r"^<!-- file: (\S+) -->\n```[^\n]*\n(.*?)^```$", re.M | re.S)
PORT = re.compile(r"(127\.0\.0\.1|\[::1\]|localhost):(\d{5})\b")


class Step:
    """One command, the lines that the document expects after it, and where they stand."""

    def __init__(self, command, line):
        self.command, self.line, self.first, self.expected = command, line, line, []


def parse(text):
    """The steps of every console block, and the blocks of sessions; line numbers count from 0."""
    steps = []
    for block in FENCE.finditer(text):
        start, step = text.count("\n", 0, block.start(3)), None
        if block[1] == "nvmfctl":
            steps.append(Block(block[2] or "", block[3].split("\n")[:-1], start))
            continue
        for number, line in enumerate(block[3].split("\n")[:-1], start):
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
    link([step for step in steps if isinstance(step, Block)])
    return steps


class Ports:
    """Which port of the document is which one here."""

    def __init__(self):
        self.of_document, self.of_run = {}, {}

    def learn(self, document, run):
        for told, printed in zip(document, run):
            if told == "...":
                return  # what comes then has no partner
            for a, b in zip(PORT.findall(told), PORT.findall(printed)):
                if int(a[1]) >= 32768 and a[0] == b[0]:
                    self.of_document[a[1]], self.of_run[b[1]] = b[1], a[1]

    def here(self, text):
        return PORT.sub(lambda m: f"{m[1]}:{self.of_document.get(m[2], m[2])}", text)

    def there(self, text):
        return PORT.sub(lambda m: f"{m[1]}:{self.of_run.get(m[2], m[2])}", text)


def normaliser(text, folder):
    source = os.environ.get("NVMF_SOURCE_DIR", "")
    own = re.findall(r"^<!-- normalise: (.*) -> (.*) -->$", text, re.M)

    def port(match):
        return f"{match[1]}:PORT" if int(match[2]) >= 32768 else match[0]

    def normalise(line):
        line = line.rstrip().replace(folder, ".")
        if source:
            line = line.replace(source, "SOURCE")
        line = PORT.sub(port, line)
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
    """The folder, environment, servers and sessions of one document's run."""

    def __init__(self, folder, text="", update=False):
        self.folder, self.servers, self.dialogues = folder, [], {}
        self.ports, self.normalise, self.update = Ports(), normaliser(text, folder), update
        program = os.path.dirname(os.path.abspath(PROGRAM)) if PROGRAM else ""
        self.env = dict(
            os.environ, PATH=f"{program}:{os.environ['PATH']}" if program else os.environ["PATH"],
            HOME=folder, LC_ALL="C.UTF-8", TZ="UTC", TERM="dumb", COLUMNS="100",
        )  # fmt: skip

    def agrees(self, document, printed):
        return matches(*[list(map(self.normalise, side)) for side in (document, printed)])

    def talk(self, block):
        """What came instead of the lines of a session's block; None: just these came."""
        if block.program is not None:
            self.dialogues[block.name] = Dialogue(
                self.ports.here(block.program), self.env, self.folder, self.agrees, self.ports,
                self.update,
            )  # fmt: skip
        return self.dialogues[block.name].run(block)

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

    def kill(self):
        for each in [*self.dialogues.values(), *self.servers]:
            each.kill()


def run_step(run, step):
    """(first line, lines of the document, lines that came); None: they agree."""
    if isinstance(step, Block):
        came = run.talk(step)
        return None if came is None else (step.first, step.lines, came)
    came = run.step(run.ports.here(step.command))
    if not run.agrees(step.expected, came):
        return step.first, step.expected, came
    run.ports.learn(step.expected, came)
    return None


def tell(path, step, difference, normalise):
    command = "session" if isinstance(step, Block) else f"$ {step.command}"
    print(f"\n{path}:{step.line + 1}: {command}")
    sides = [list(map(normalise, side)) for side in difference[1:]]
    print("\n".join(difflib.unified_diff(*sides, "document", "run", lineterm="")))


def run_steps(path, text, steps, run):
    """What differs, each as run_step() has it; and how many servers did not end well."""
    changes, ill = [], 0
    for name, content in FILE.findall(text):
        with open(os.path.join(run.folder, name), "w", encoding="utf-8") as file:
            file.write(content)
    for step in steps:
        difference = run_step(run, step)
        if difference is None:
            continue
        changes.append(difference)
        tell(path, step, difference, run.normalise)
        if isinstance(step, Block) and not run.update:
            break  # what is typed next has no ground
    for said in run.end():
        ill += 1
        print(f"\n{path}: a server did not end well:", *said, sep="\n")
    return changes, ill


def run_file(path, update):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for needs in re.findall(r"^<!-- needs: (.*) -->$", text, re.M):
        for program in needs.split():
            if shutil.which(program) is None:
                print(f"skipped: {program} is not installed")
                return 77
    steps, lines = parse(text), text.split("\n")
    if not steps:
        print(f"{path}: no ```console block")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        run = Run(folder, text, update)
        try:
            changes, failures = run_steps(path, text, steps, run)
        finally:
            run.kill()
    if update and changes:
        for first, told, came in reversed(changes):
            lines[first : first + len(told)] = map(run.ports.there, came)
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines))
        print(f"{path}: {len(changes)} outputs rewritten")
    else:
        failures += len(changes)
    print(f"{path}: {len(steps)} steps, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    if PROGRAM and not os.path.exists(PROGRAM):
        raise SystemExit(f"NVMFCTL is {PROGRAM}, which does not exist: build it first")
    PATHS = [path for path in sys.argv[1:] if path != "--write"]
    UPDATE = os.environ.get("NVMFCTL_UPDATE") == "1" or "--write" in sys.argv
    RESULTS = [run_file(path, UPDATE) for path in PATHS]
    sys.exit(1 if 1 in RESULTS else max(RESULTS, default=2))
