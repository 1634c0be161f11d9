#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""trace --follow at a terminal (a pty) whose screen is modelled: drawn at one place, within its
width, and gone when it ends. NVMFCTL names the program.
"""
import os
import subprocess
import sys
import tempfile

SOURCE = os.environ["NVMF_SOURCE_DIR"]
sys.path.insert(0, os.path.join(SOURCE, "tests", "support"))
import captures  # noqa: E402
from screen import Session  # noqa: E402

PROGRAM = os.environ["NVMFCTL"]
HEAD = "in the last second:"
TESTS = []


def test(function):
    TESTS.append(function)
    return function


class Pipe:
    """A capture that goes on."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "pipe")
        os.mkfifo(self.path)
        self.fd = os.open(self.path, os.O_RDWR)
        self.left = captures.KINDS["conversation"]()

    def give(self, size=None):
        size = len(self.left) if size is None else size
        os.write(self.fd, self.left[:size])
        self.left = self.left[size:]


def follow(pipe, **how):
    return Session("bash", "-c", f"exec {PROGRAM} trace - --follow <{pipe.path}", **how)


def rows_of(at):
    return [line for line in at.screen.lines() if line]


@test
def draws_at_one_place_and_sums_up(folder):
    pipe = Pipe(folder)
    at = follow(pipe, columns=120)
    at.see("0 s, 0 queues; " + HEAD)
    pipe.give()
    at.see("\nc1   q1")
    at.see("1 s, 1 queue; " + HEAD)
    at.see("\nread ")
    at.see("\nrules: 1 errors, 0 warnings")
    at.see("2 s, 1 queue; " + HEAD)  # two ticks after it began, and still one picture
    assert at.screen.text().count(HEAD) == 1, at.screen.text()
    assert at.screen.text().count("\nrules: ") == 1, at.screen.text()
    row = next(line for line in rows_of(at) if line.startswith("c1 "))
    assert row.split()[-2:] == ["6", "1"], row  # commands, failed
    at.type("\x03")
    assert at.end() == 130, at.screen.text()
    assert HEAD not in at.screen.text(), at.screen.text()
    assert "Connections" in at.screen.text() and "Agreed" in at.screen.text()


@test
def stays_within_a_small_terminal(folder):
    pipe = Pipe(folder)
    at = follow(pipe, rows=8, columns=40)
    pipe.give()
    at.see("all ")
    at.see("\nrules: ")
    at.see("2 s, 1 queue; ")
    shown = at.screen.lines()
    assert len(shown) < 8 and not at.screen.left, shown
    assert all(len(line) < 40 for line in shown), shown
    at.resize(20, 100)
    at.see("\nread ")
    assert at.screen.text().count("rules: ") == 1, at.screen.text()
    at.type("\x03")
    assert at.end() == 130


@test
def an_end_of_the_traffic_is_one_of_the_picture(folder):
    path = os.path.join(folder, "talk.pcap")
    with open(path, "wb") as file:
        file.write(captures.KINDS["conversation"]())
    at = Session(PROGRAM, "trace", path, "--follow", columns=120)
    assert at.end() == 0
    assert "Connections" in at.screen.text() and HEAD not in at.screen.text(), at.screen.text()


@test
def nothing_is_drawn_where_there_is_no_terminal(_folder):
    for arguments, environment in ((["--follow"], {}), (["--follow", "--json"], {})):
        done = subprocess.run([PROGRAM, "trace", "/dev/null", *arguments], env={**os.environ,
                              **environment}, capture_output=True, text=True, check=False)
        assert done.returncode == 2 and "--stats tells the same" in done.stderr, done
    at = Session(PROGRAM, "trace", "/dev/null", "--follow", environment={"TERM": "dumb"})
    assert at.end() == 2


def main():
    for function in TESTS:
        with tempfile.TemporaryDirectory() as folder:
            function(folder)
        print(f"{function.__name__}: passed")


if __name__ == "__main__":
    main()
