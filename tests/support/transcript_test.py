#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""transcript.py passes what agrees, fails what does not, and rewrites on request."""
import concurrent.futures
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
SERVER = r"""python3 -uc '
import signal, sys
signal.signal(signal.SIGINT, lambda *_: (print("bye"), sys.exit(STATUS)))
print("listening nvme+tcp://127.0.0.1:40001/nqn.a")
while True: signal.pause()' &"""

# A prompt that says each line in capitals, and with which status it ends.
PROMPT = r"""import os, sys
while True:
    try: line = input(os.environ.get("HOW", "nvmfctl") + "> ")
    except EOFError: print("^D"); break
    if line == "quit": break
    if line: print(line.upper())
    if line == "late": print("more")
sys.exit(int(sys.argv[1]))
"""
PROGRAM = "<!-- file: prompt.py -->\n```python\n" + PROMPT + "```\n"


def run(document, update=False, limit=20):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.md")
        with open(path, "w", encoding="utf-8") as file:
            file.write(document)
        env = dict(os.environ, NVMFCTL_UPDATE="1" if update else "", NVMF_TEST_LIMIT=str(limit))
        done = subprocess.run(
            [sys.executable, os.path.join(HERE, "transcript.py"), path],
            env=env, capture_output=True, text=True,
        )  # fmt: skip
        with open(path, encoding="utf-8") as file:
            return done.returncode, done.stdout + done.stderr, file.read()


def block(*lines):
    return "```console\n" + "\n".join(lines) + "\n```\n"


class Transcript(unittest.TestCase):
    def passes(self, *lines, before=""):
        status, said, _ = run(before + block(*lines))
        self.assertEqual(status, 0, said)

    def fails(self, why, *lines, limit=20, before=""):
        status, said, _ = run(before + block(*lines), limit=limit)
        self.assertEqual(status, 1, said)
        self.assertIn(why, said)

    def test_output_status_and_both_streams(self):
        self.passes("$ echo a; echo b >&2; exit 14", "a", "b", "[exit 14]", "$ true")
        self.fails("+b", "$ echo b", "a")
        self.fails("-a", "$ true", "a")
        self.fails("[exit 2]", "$ exit 2")
        self.fails("-[exit 2]", "$ true", "[exit 2]")
        self.fails("+", "$ printf 'a\\n\\n'", "a")

    def test_a_command_goes_on(self):
        self.passes("$ echo a \\", ">   b", "a b")

    def test_any_lines(self):
        self.passes("$ seq 5", "1", "...", "5")
        self.passes("$ seq 2", "1", "...", "2")
        self.fails("run", "$ seq 5", "1", "...", "4")

    def test_times_and_ports_are_equal(self):
        self.passes("$ echo 'took   1.25 us to 127.0.0.1:40000'", "took 33.0 ms to 127.0.0.1:50123")
        self.fails("+timeout 10 s", "$ echo timeout 10 s", "timeout 9 s")
        self.fails("4420", "$ echo 127.0.0.1:4420", "127.0.0.1:4421")

    def test_own_rules(self):
        rule = "<!-- normalise: id=[0-9a-f]+ -> id=N -->\n"
        self.passes("$ echo id=12f", "id=3", before=rule)
        self.fails("id=g", "$ echo id=g", "id=3", before=rule)

    def test_a_server(self):
        server = "$ " + SERVER.replace("\n", "\n> ")
        lines = ["listening nvme+tcp://127.0.0.1:50000/nqn.a", "$ echo $NVMF_ADDR $NVMF_URI"]
        lines += ["127.0.0.1:33333 nvme+tcp://127.0.0.1:33333/nqn.a"]
        self.passes(server.replace("STATUS", "0"), *lines)
        self.passes(server.replace("STATUS", "3"), *lines, "^C", "bye", "[exit 3]")
        self.fails("did not end well", server.replace("STATUS", "3"), *lines)
        self.fails("+bye", server.replace("STATUS", "0"), *lines, "^C")
        self.fails("[exit 11]", "$ bash -c 'exit 11' &", "listening x")
        self.fails("no 'listening' line", "$ tail -f /dev/null &", "listening x", limit=1)

    def test_a_hang(self):
        self.fails("still running after 1 seconds", "$ tail -f /dev/null", limit=1)

    def test_needs(self):
        status, said, _ = run("<!-- needs: bash no-such-program -->\n" + block("$ true"))
        self.assertEqual((status, said), (77, "skipped: no-such-program is not installed\n"))

    def test_nothing_to_run_is_a_failure(self):
        self.assertEqual(run("no block\n")[0], 1)
        self.assertEqual(run("```sh\n$ true\n```\n")[0], 1)

    def test_update(self):
        time = ["$ echo 1.5 ms", "7.5 ms"]
        before = "text\n" + block("$ seq 2", "9", *time, "$ false") + "end\n"
        after = "text\n" + block("$ seq 2", "1", "2", *time, "$ false", "[exit 1]") + "end\n"
        status, said, text = run(before, update=True)
        self.assertEqual((status, text), (0, after), said)
        self.assertEqual(run(text)[0], 0)


def session(*lines, name=""):
    return f"```nvmfctl{' ' + name if name else ''}\n" + "\n".join(lines) + "\n```\n"


class Sessions(unittest.TestCase):
    begin = "$ python3 prompt.py 0"

    def passes(self, *blocks):
        status, said, _ = run(PROGRAM + "".join(blocks))
        self.assertEqual(status, 0, said)

    def all_fail(self, cases):
        """Each is (why, blocks...). A session fails by its limit: all of them at the same time."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            results = pool.map(lambda case: run(PROGRAM + "".join(case[1:]), limit=2), cases)
            for (why, *_), (status, said, _) in zip(cases, results):
                self.assertEqual(status, 1, said)
                self.assertIn(why, said)

    def test_what_is_typed_and_what_is_shown(self):
        self.passes(session(self.begin, "nvmfctl> a b", "A B", "nvmfctl>", "nvmfctl> ^D"))
        self.passes(session(self.begin, "nvmfctl> late", "...", "nvmfctl> quit"))
        self.all_fail([
            ("-A C", session(self.begin, "nvmfctl> a b", "A C", "nvmfctl> quit")),
            ("+more", session(self.begin, "nvmfctl> late", "LATE", "nvmfctl> quit")),
            ("-more", session(self.begin, "nvmfctl> a", "A", "more", "nvmfctl> quit")),
            ("-a1:1>", session(self.begin, "nvmfctl> a", "A", "a1:1> quit")),
        ])  # fmt: skip

    def test_it_goes_on_behind_prose(self):
        first = session(self.begin, "nvmfctl> a", "A")
        self.passes(first, "text\n", session("nvmfctl> b", "B", "nvmfctl> quit"))
        self.all_fail([
            ("-C", session(self.begin, "nvmfctl> a", "C"), session("nvmfctl> quit")),
            ("-C", first, session("nvmfctl> b", "C", "nvmfctl> quit")),
        ])  # fmt: skip

    def test_how_it_ends(self):
        three = "$ python3 prompt.py 3"
        self.passes(session(three, "nvmfctl> quit", "[exit 3]"))
        self.all_fail([
            ("+[exit 3]", session(three, "nvmfctl> quit")),
            ("-[exit 3]", session(self.begin, "nvmfctl> quit", "[exit 3]")),
            ("can't open file", session("$ python3 none.py", "nvmfctl> quit")),
            ("this session does not end", session(self.begin, "nvmfctl> a", "A")),
            ("begins with a prompt", session(self.begin, "a")),
            ("has begun this session", session("nvmfctl> quit")),
            ("of line 13 has not ended", session(self.begin, "nvmfctl>") * 2),
        ])  # fmt: skip

    def test_two_at_once(self):
        one = session(self.begin, "nvmfctl> a", "A", name="one")
        two = session("$ env HOW=b python3 prompt.py 0", "b> b", "B", name="two")
        ends = session("nvmfctl> quit", name="one"), session("b> c", "C", "b> ^D", name="two")
        self.passes(one, two, *ends)
        self.all_fail([("does not end", one, two, ends[0])])

    def test_ports_are_those_of_this_run(self):
        told = block("$ echo at 127.0.0.1:41000 >f; cat f", "at 127.0.0.1:42000")
        self.passes(told, block("$ grep -o 41000 <<<127.0.0.1:42000", "41000"))
        self.passes(told, block("$ echo 127.0.0.1:4420", "127.0.0.1:4420"))
        typed = session(self.begin, "nvmfctl> 127.0.0.1:42000", "127.0.0.1:42000", "nvmfctl> quit")
        self.passes(told, typed, block("$ grep -q 41000 <<<127.0.0.1:42000"))

    def test_update(self):
        before = [
            session(self.begin, "nvmfctl> late", "nvmfctl> b", "X", "Y", name="one"),
            session("bad> c", "C", "nvmfctl> 1.5 ms", "3.5 MS", "nvmfctl> quit", name="one"),
        ]
        after = [
            session(self.begin, "nvmfctl> late", "LATE", "more", "nvmfctl> b", "B", name="one"),
            session("nvmfctl> c", "C", "nvmfctl> 1.5 ms", "1.5 MS", "nvmfctl> quit", name="one"),
        ]
        status, said, text = run(PROGRAM + "\n".join(before), update=True)
        self.assertEqual((status, text), (0, PROGRAM + "\n".join(after)), said)
        self.passes(*after)


if __name__ == "__main__":
    unittest.main()
