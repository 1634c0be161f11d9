#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The debugger at a real terminal (a pty) whose screen is modelled: what a person sees and where
the cursor stands, while callbacks print. NVMFCTL names the program.
"""
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

SOURCE = os.environ["NVMF_SOURCE_DIR"]
sys.path.insert(0, os.path.join(SOURCE, "tests", "support"))
from screen import Session  # noqa: E402

PROGRAM = os.environ["NVMFCTL"]
PROMPT = "nvmfctl> "
UP, LEFT, RIGHT, HOME, ENTER, TAB = "\x1b[A", "\x1b[D", "\x1b[C", "\x01", "\r", "\t"
CTRL_C, CTRL_D, CTRL_R, CTRL_Z = "\x03", "\x04", "\x12", "\x1a"
TESTS = []


def test(function):
    TESTS.append(function)
    return function


class Target:
    def __enter__(self):
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "-n", "nqn.2026-01.io.example:s", "--ns", "ram:1M",
             "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        for line in self.process.stdout:
            found = re.search(r"nvme\+tcp://127\.0\.0\.1:\d+", line)
            if found:
                self.uri = found[0] + "/nqn.2026-01.io.example:s"
                return self
        raise AssertionError("serve said no address")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def session(*arguments, **how):
    """At its first prompt."""
    made = Session(PROGRAM, *arguments, **how)
    made.see_last(PROMPT, len(PROMPT))
    return made


def leave(at, status=0):
    at.type(CTRL_D)
    assert at.end() == status, (at.status, at.screen.text())


def say(at, line, shows):
    at.type(line + ENTER)
    at.see(shows)


@test
def a_line_is_typed_and_run():
    at = session()
    say(at, "echo hello", "\nhello\n")
    at.see_last(PROMPT, len(PROMPT))
    at.type(ENTER)
    at.see(PROMPT.rstrip(), 3)
    say(at, "echo a'b", "no ' ends this")
    at.type("echoo hi" + LEFT * 3 + "\x7f" + ENTER)
    at.see("\nhi\n")
    at.type("quit" + ENTER)
    assert at.end() == 0


@test
def ctrl_c_clears_the_line_and_ctrl_d_leaves():
    at = session("repl")
    at.type("echo not this")
    at.see_last(PROMPT + "echo not this")
    at.type(CTRL_C)
    at.see_last(PROMPT, len(PROMPT))
    assert at.screen.lines()[-2] == PROMPT + "echo not this^C"
    at.type("echo go on \\" + ENTER)
    at.see_last("...>", 5)
    at.type(CTRL_C)
    at.see_last(PROMPT, len(PROMPT))
    say(at, "echo next", "\nnext\n")
    leave(at)
    assert "go on" not in at.screen.text().replace(PROMPT + "echo go on", "")


@test
def a_connect_that_failed_leaves_a_prompt():
    nowhere = "nvme+loop://nowhere/nqn.2026-01.io.example:s"
    at = session("repl", nowhere)
    assert "nvmfctl: " in at.screen.text(), at.screen.text()
    leave(at)
    at = session("repl", nowhere)
    at.type("exit expectation" + ENTER)
    assert at.end() == 22, at.status


@test
def a_block_goes_on():
    at = session("repl")
    for line in ("repeat 2 as i", "if i == 1", "echo round $i", "end"):
        at.type(line + ENTER)
        at.see_last("...>", 5)
    say(at, "end", "\nround 1\n")
    at.see_last(PROMPT, len(PROMPT))
    at.type("if true" + ENTER)
    at.see_last("...>", 5)
    at.type(CTRL_C)
    at.see_last(PROMPT, len(PROMPT))
    say(at, "echo out", "\nout\n")
    say(at, "help script", "binds most tightly")
    leave(at)


@test
def callbacks_print_above_the_line():
    """Whichever comes first, the callback or the text, this is how it looks in the end."""
    with Target() as target:
        at = session("repl", "-c", "buf b 4K", "-c", "sqe r read nsid=1 nlb=7", "-c", "attach r b")
        say(at, "connect " + target.uri, "a1 is up")
        at.type("send r" + ENTER + "echo half of" + LEFT * 3)
        at.see("io_cb")
        at.see("receive_cb")
        at.see_last("a1:1> echo half of", 15)
        at.type(" a line," + ENTER)
        at.see("\nhalf a line, of\n")
        at.see_last("a1:1>", 6)
        assert "\n" + "a1:1> echo half a line, of" in at.screen.text(), at.screen.text()
        assert at.screen.text().count("io_cb") == 1
        leave(at)


@test
def a_line_of_many_rows_stays_whole():
    with Target() as target:
        at = session("repl", columns=40)
        say(at, "connect " + target.uri, "a1 is up")
        at.see_last("a1:1>", 6)
        text = "echo " + " ".join(f"word{n:02}" for n in range(15))  # 109 characters, three rows
        rows = [("a1:1> " + text)[n : n + 40].rstrip() for n in (0, 40, 80)]
        at.type(text)
        at.until("three rows", lambda: at.screen.lines()[-3:] == rows)
        at.type(LEFT * 60)
        at.until("the cursor", lambda: at.screen.column == (6 + len(text) - 60) % 40)
        target.process.kill()
        at.see("a1 is lost")
        lost = "a1:1 lost> " + text
        rows = [lost[n : n + 40].rstrip() for n in (0, 40, 80, 120)]
        rows = [row for row in rows if row]
        at.until("the line below", lambda: at.screen.lines()[-len(rows) :] == rows)
        at.until("the cursor", lambda: at.screen.column == (11 + len(text) - 60) % 40)
        assert at.screen.text().count("word00") == 1, at.screen.text()
        at.type("X" + ENTER)
        at.see_last("a1:1 lost>", 11)
        leave(at)


@test
def ctrl_c_ends_a_wait_and_not_the_session():
    with Target() as target:
        at = session("repl", "-c", "sqe e async-event-request")
        say(at, "connect " + target.uri, "a1 is up")
        at.see_last("a1:1>", 6)
        at.type("send e on a1:0" + ENTER + "use a1:0" + ENTER)
        at.see_last("a1:0 1>", 8)
        at.type("wait e 90s" + ENTER)
        at.until("the wait", lambda: at.screen.column == 0)
        at.type(CTRL_C)
        at.see("interrupted")
        at.see_last("a1:0 1>", 8)
        say(at, "echo still here", "\nstill here\n")
        leave(at)


@test
def a_break_point_gives_the_prompt_back():
    """A person does not sit out the time of a wait for what stands still; the prompt says so."""
    at = session("repl", "-c", "listen nvme+tcp://127.0.0.1:0 auto ns=ram:1M", "-c", "timeout 20s",
                 "-c", "buf d 16K")
    say(at, "connect l1", "a1 is up")
    say(at, "break on pdu r2t", "break point 1: pdu r2t of a1:1")
    began = time.monotonic()
    at.type("write slba=0 from d" + ENTER)
    at.see("a1:1 is paused by break point 1 (pdu r2t)")
    at.see("it is under way; a1:1 is paused")
    at.see_last("a1:1 paused 1>")
    assert time.monotonic() - began < 10
    at.type("step" + ENTER)
    at.see("a1:1: sent H2CData of CID")
    at.type("continue" + ENTER + "wait it" + ENTER)
    at.see("it: Successful Completion")
    at.see_last("a1:1>")
    leave(at)


@test
def tab_completes():
    at = session("repl")

    def tab(typed, becomes):
        at.type(typed + TAB)
        at.see_last(PROMPT + becomes, len(PROMPT + becomes))
        at.type(CTRL_C)
        at.see_last(PROMPT, len(PROMPT))

    tab("ech", "echo ")
    tab("sqe r ident", "sqe r identify ")
    tab("sqe r read ns", "sqe r read nsid=")
    tab("sqe r identify cns=contr", "sqe r identify cns=controller")
    say(at, "buf only 512", PROMPT)
    tab("hexd", "hexdump ")
    tab("hexdump o", "hexdump only ")
    tab("buf x 4K fi", "buf x 4K fill=")
    tab("buf x 4K fill=ra", "buf x 4K fill=random:")
    say(at, "let first = 1", PROMPT)
    tab("echo $fi", "echo $first ")
    tab("echo a${fi", "echo a${first} ")
    os.makedirs("folder/inner")
    tab("load x fo", "load x folder/")
    at.type("watch o" + TAB)
    at.see("off  on")
    at.see_last(PROMPT + "watch o", len(PROMPT) + 7)
    at.type("n" + ENTER)
    at.see_last(PROMPT, len(PROMPT))
    at.type("sqe r identify cns=csi-c" + TAB + TAB)
    at.see_last(PROMPT + "sqe r identify cns=csi-controller ")
    at.type("psdt=" + "\x7f" * 6 + "\x7f" * len("csi-controller") + TAB)
    at.see("secondary-controller-list")
    assert "cns=secondary-controller-list" not in at.screen.text(), at.screen.text()
    at.type(CTRL_C)
    at.see_last(PROMPT, len(PROMPT))
    leave(at)


@test
def lines_are_remembered_but_no_secrets():
    first = session("repl")
    second = session("repl")
    say(first, "echo one", "\none\n")
    say(second, "echo two", "\ntwo\n")
    say(first, "echo DHHC-1:00:abcd:", "\nDHHC-1")
    say(first, " echo blank", "\nblank\n")
    first.type("echo one" + ENTER)
    first.see("\none\n", 2)
    first.see_last(PROMPT, len(PROMPT))
    first.type(UP)
    first.see_last(PROMPT + "echo one")
    first.type(CTRL_C)
    first.see_last(PROMPT, len(PROMPT))
    leave(first)
    leave(second)
    path = os.path.join(os.environ["HOME"], ".local/state/nvmfctl/history")
    assert os.stat(path).st_mode & 0o777 == 0o600
    with open(path, encoding="utf-8") as file:
        assert file.read() == "echo one\necho two\n"
    third = session("repl")
    third.type(UP * 2)
    third.see_last(PROMPT + "echo one")
    third.type("\x1b[B")
    third.see_last(PROMPT + "echo two")
    third.type(CTRL_C)
    third.see_last(PROMPT, len(PROMPT))
    leave(third)


@test
def many_lines_may_come_at_once():
    at = session("repl", rows=60)
    lines = [f"echo line {n}" for n in range(25)]
    at.type("\r".join(lines) + ENTER)
    at.see("\nline 24\n")
    at.see_last(PROMPT, len(PROMPT))
    want = "".join(f"{PROMPT}echo line {n}\nline {n}\n" for n in range(25))
    assert want in at.screen.text(), at.screen.text()
    leave(at)


@test
def the_screen_changes_its_size():
    with Target() as target:
        at = session("repl", columns=60)
        say(at, "connect " + target.uri, "a1 is up")
        at.see_last("a1:1>", 6)
        at.type("echo abc")
        at.see_last("a1:1> echo abc", 14)
        at.resize(24, 20)
        text = "defghijklmnop"
        at.type(text)
        at.until("two rows", lambda: at.screen.lines()[-2:] == ["a1:1> echo abcdefghi", "jklmnop"])
        target.process.kill()
        at.until("lost", lambda: at.screen.lines()[-2:] == ["a1:1 lost> echo abcd", "efghijklmnop"])
        at.type(CTRL_C + ENTER)
        leave(at)


@test
def colours_and_none():
    at = session("repl")
    leave(at)
    assert "\x1b[1m" in at.raw
    at = session("repl", environment={"NO_COLOR": "1"})
    say(at, "echo hi", "\nhi\n")
    leave(at)
    assert not re.search("\x1b\\[[0-9;]*m", at.raw), at.raw
    at = session("repl", environment={"TERM": "dumb"})
    say(at, "echo hi", "\nhi\n")
    at.type("echo not" + CTRL_C)
    at.see_last(PROMPT, len(PROMPT))
    leave(at)
    assert "\x1b[" not in re.sub("\x1b\\[[0-9;]*m", "", at.raw), at.raw


@test
def signals_and_a_hangup_end_it_cleanly():
    for number in (signal.SIGTERM, signal.SIGHUP):
        at = session("repl")
        at.type("echo half")
        at.see_last(PROMPT + "echo half")
        os.kill(at.pid, number)
        assert at.end() == 0, at.screen.text()
    at = session("repl")
    os.close(at.terminal)
    _, status = os.waitpid(at.pid, 0)
    # It cannot say that it could not say goodbye.
    assert os.WIFEXITED(status) and os.WEXITSTATUS(status) in (0, 1), status


def main():
    wanted = sys.argv[1:]
    for function in TESTS:
        if wanted and function.__name__ not in wanted:
            continue
        with tempfile.TemporaryDirectory() as home:
            os.chdir(home)
            os.environ["HOME"] = home
            os.environ.pop("XDG_STATE_HOME", None)
            os.environ.pop("NVMF_URI", None)
            try:
                function()
            except AssertionError:
                print(f"{function.__name__} failed", file=sys.stderr)
                raise
            print(f"ok {function.__name__}")
            os.chdir("/")


if __name__ == "__main__":
    main()
