#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The README's tour, word for word: what it says that a command prints, the command prints, in that
order. The README leaves lines out; it invents none. NVMFCTL names the program.
"""
import os
import re
import subprocess
import sys
import tempfile

SOURCE = os.environ["NVMF_SOURCE_DIR"]
sys.path.insert(0, os.path.join(SOURCE, "tests", "support"))
from transcript import LIMIT_S, Run, normaliser  # noqa: E402

# Which of two callbacks comes first depends on how TCP cut the bytes.
UNORDERED = ("data-callback", "receive-callback", "capsule-resp", "pdu-in-data")


def parse(text):
    """(line number, command, lines) of each command in the indented blocks."""
    commands, inside = [], False
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("    $ "):
            commands.append((number, line[6:], []))
            inside = True
        elif line.startswith("    ") and inside:
            commands[-1][2].append(line[4:])
        elif line.strip():
            inside = False  # prose ends the output
    return commands


def missing(told, printed):
    """The first line that is told and not printed where it should be."""
    at = 0
    for line in told:
        if line == "..." or not line:
            continue
        where = 0 if any(word in line for word in UNORDERED) else at
        try:
            found = printed.index(line, where)
        except ValueError:
            return line
        at = max(at, found)
    return None


def check_tour(text, run, normalise):
    wrong, stated = [], None
    for number, command, told in parse(text):
        if command.startswith("nvmfctl serve") and " -- " not in command:
            printed = run.step(command + " &")
            stated = told[0].split()[1]
        else:
            if stated:
                command = command.replace(stated, run.env["NVMF_URI"])
            printed = run.step(command)
        line = missing([normalise(t) for t in told], [normalise(p) for p in printed])
        if line is not None:
            wrong.append(f"README.md:{number}: {command}: it does not print {line!r} there, but:")
            wrong += ["    " + p for p in printed]
        if any(re.fullmatch(r"\[exit \d+\]", p) for p in printed):
            wrong.append(f"README.md:{number}: {command}: {printed[-1]}")
    return wrong


def check_asides(text, run):
    """Commands within sentences: those without a placeholder succeed."""
    wrong = []
    for command in re.findall(r"`((?:nvmfctl )?describe [^`]+|nvmfctl [a-z][^`]*)`", text):
        if re.search(r"[A-Z]{3}", command):
            continue
        command = command if command.startswith("nvmfctl") else "nvmfctl " + command
        done = subprocess.run(
            command.split(), env=run.env, cwd=run.folder, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            wrong.append(f"README.md: `{command}`: {done.returncode} {done.stderr}")
    return wrong


def main():
    with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as file:
        text = file.read()
    with tempfile.TemporaryDirectory() as folder:
        run = Run(folder)
        try:
            count = len(parse(text))
            wrong = check_tour(text, run, normaliser("", folder)) + check_asides(text, run)
        finally:
            for server in run.servers:
                server.kill()
    print("\n".join(wrong + [f"{count} commands, {len(wrong)} complaints"]))
    return 1 if wrong or count < 4 else 0


if __name__ == "__main__":
    sys.exit(main())
