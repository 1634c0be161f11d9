# SPDX-License-Identifier: BSD-2-Clause
"""Sessions at a prompt in a document: what a ```nvmfctl block shows is what the screen shows.

    ```nvmfctl NAME            a terminal; NAME may be left out, or tells several from each other
    $ nvmfctl repl ...         what runs there, in the first of its blocks
    nvmfctl> buf b 4K          typed behind a prompt
    nvmfctl>                   Enter alone
    a1:1> show w               the prompt may have changed
    what is printed            until the next prompt, also when that is in a later block of NAME
    a1:1> ^D                   Ctrl-D; a session ends by this, or by quit
    ```

A line is typed when the screen shows all that the document has before it, from the beginning of the
session on, and the cursor stands behind that prompt. So what is printed late has its place, and
what is printed and not in the document is a difference, wherever it appears.
"""
import re
import shlex
import time

from screen import LIMIT_S, Session

ROWS, COLUMNS = 50, 140
PROMPT = re.compile(r"^((?:\.\.\.|[a-z][\w:-]*(?: [\w ]+)?)>(?: |$))(.*)$")
LAST_WORDS = ("^D", "quit", "exit")
QUIET_S = 0.8  # when the document is rewritten: nothing more comes


class Block:
    """One block: its lines, which of them are typed, and what follows in the same session."""

    def __init__(self, name, lines, first):
        self.name, self.lines, self.first = name, lines, first
        self.line = first  # of the document, from 0; where complaints point
        self.program = None
        if lines and lines[0].startswith("$ "):
            self.program, self.lines, self.first = lines[0][2:], lines[1:], first + 1
        self.then = None  # the prompt with which the next block of the session begins

    def first_prompt(self):
        found = PROMPT.match(self.lines[0]) if self.lines else None
        return found[1] if found else None


def link(blocks):
    """Which block goes on where another stopped; raises SystemExit for what cannot be run."""
    open_ones = {}
    for block in blocks:
        where = f"line {block.line + 1}"
        if block.first_prompt() is None:
            raise SystemExit(f"{where}: a session's block begins with a prompt")
        before = open_ones.get(block.name)
        if block.program is None and before is None:
            raise SystemExit(f"{where}: no `$ program` has begun this session")
        if block.program is not None and before is not None:
            raise SystemExit(f"{where}: the session of line {before.line + 1} has not ended")
        if before is not None:
            before.then = block.first_prompt()
        typed = [m[2].strip() for m in map(PROMPT.match, block.lines) if m]
        if typed[-1] in LAST_WORDS:
            open_ones.pop(block.name, None)
        else:
            open_ones[block.name] = block
    for block in open_ones.values():
        raise SystemExit(f"line {block.line + 1}: this session does not end: quit, or ^D")


class Dialogue:
    """One session, over all of its blocks. `agrees(document, screen)` compares lines; `ports` knows
    which port of the document is which one here."""

    def __init__(self, program, environment, folder, agrees, ports, update):
        self.agrees, self.ports, self.update = agrees, ports, update
        command = ["bash", "-c", f"cd {shlex.quote(folder)} && exec {program}"]
        environment = dict(environment, TERM="xterm")
        self.session = Session(*command, rows=ROWS, columns=COLUMNS, environment=environment)
        self.said = []  # what the document has of this session so far
        self.ended = False

    def shown(self):
        return self.session.screen.lines()

    def _stands(self, prompt):
        """Is the cursor behind this prompt, in the last row? There it is without its blank."""
        rows = self.shown()
        return (
            bool(rows) and rows[-1] == prompt.rstrip()
            and self.session.screen.column == len(prompt.rstrip()) + 1
        )  # fmt: skip

    def _await(self, prompt):
        """Until the screen is as the document has it and `prompt` is last; False: it never was."""
        limit = time.monotonic() + LIMIT_S
        while not (self._stands(prompt) and self.agrees(self.said, self.shown()[:-1])):
            left = limit - time.monotonic()
            if left <= 0 or not self.session.take(QUIET_S if self.update else left):
                return False
        self.ports.learn(self.said, self.shown()[:-1])
        return True

    def _end(self):
        """Reads to the end of the program; its status, when it is not 0."""
        self.ended = True
        try:
            status = self.session.end()
        except AssertionError as error:
            return str(error).split("\n")
        return [f"[exit {status}]"] if status else []

    def run(self, block):
        """What came instead of the lines of `block`; None: just these came."""
        begun = len(self.shown()) - 1 if self.said else 0
        good = True
        for line in block.lines:
            found = PROMPT.match(line)
            if found:
                good = self._await(found[1]) and good
                if not good and not self.update:
                    return self.shown()[begun:]
                if not PROMPT.match((self.shown() or [""])[-1]):
                    raise SystemExit("\n".join(self.shown() + ["(no prompt)"]))
                typed = self.ports.here(found[2])
                self.session.type("\x04" if typed == "^D" else typed + "\r")
            self.said.append(line)
        if block.then is not None:
            good = self._await(block.then) and good
            return None if good else self.shown()[begun : -1 if self.update else None]
        ending = self._end()
        good = self.agrees(self.said, self.shown() + ending) and good
        return None if good else self.shown()[begun:] + ending

    def kill(self):
        if not self.ended:
            self.session.abandon()
            self.ended = True
