#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""transcript.py passes what agrees, fails what does not, and rewrites on request."""
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


if __name__ == "__main__":
    unittest.main()
