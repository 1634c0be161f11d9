#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""coverage.py over a program of two files whose counts are known."""
import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from coverage import report

HERE = Path(__file__).resolve().parent

SHARED = """\
template <class T>
T half(T x) {
  if (x < 0)
    return 0;
  return x / 2;
}
inline int never() {
  return 1;
}
"""
ONE = """\
#include "shared.hpp"
int other(int);
int main(int argc, char**) {
  if (argc > 5)
    return never();
  return half(-2) + other(4) - 2;
}
"""
TWO = """\
#include "shared.hpp"
int other(int x) {
  return int(half(double(x)));
}
"""


def program(folder):
    """A checkout with a room each, and a tree beside it in which the program ran."""
    wire, session = folder / "libcore/wire", folder / "transports/tcp/session"
    tree = folder / "build/coverage"
    for made in (wire, session, tree):
        made.mkdir(parents=True)
    (wire / "shared.hpp").write_text(SHARED, encoding="ascii")
    (wire / "one.cpp").write_text(ONE, encoding="ascii")
    (session / "two.cpp").write_text(TWO, encoding="ascii")
    for source in (wire / "one.cpp", session / "two.cpp"):
        built = ["-c", "-O0", "--coverage", f"-I{wire}", f"../../{source.relative_to(folder)}"]
        subprocess.run(["g++", *built], cwd=tree, check=True)
    subprocess.run(["g++", "--coverage", "one.o", "two.o", "-o", "run"], cwd=tree, check=True)
    return tree


def coverage(folder, *words):
    command = [sys.executable, HERE / "coverage.py", folder / "build/coverage"]
    done = subprocess.run(
        [*command, "--source", folder, *words], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


class Coverage(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.tree = program(self.folder)

    def test_a_tree_in_which_nothing_ran(self):
        status, said = coverage(self.folder)
        self.assertEqual(status, 1)
        self.assertIn("run its tests first", said)

    def test_what_ran(self):
        subprocess.run([self.tree / "run"], cwd=self.tree, check=True)
        status, said = coverage(self.folder)
        self.assertEqual(status, 0, said)
        rows = {line.split()[0]: line.split()[1:] for line in said.splitlines() if "/" in line}
        # half: 4 lines, each run by one of its two instances; never: 2; main: 4.
        self.assertEqual(rows["libcore/wire"], ["10", "7", "70.0"])
        self.assertEqual(rows["transports/tcp/session"], ["2", "2", "100.0"])
        self.assertEqual(rows["libcore/wire/shared.hpp"], ["6", "4", "66.7"])
        self.assertNotIn("transports/tcp", rows)

    def test_what_did_not(self):
        subprocess.run([self.tree / "run"], cwd=self.tree, check=True)
        status, said = coverage(self.folder, "--missed", "libcore/wire", "transports/tcp")
        self.assertEqual(status, 0, said)
        self.assertEqual(
            said.splitlines(),
            ["libcore/wire/one.cpp: 5", "libcore/wire/shared.hpp: 7-8"],
        )
        status, said = coverage(self.folder, "--missed", "libcore/wire/shared.hpp")
        self.assertEqual(said.splitlines(), ["libcore/wire/shared.hpp: 7-8"])


class Report(unittest.TestCase):
    def test_a_file_without_lines_is_in_no_row(self):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            report({"libcore/wire/a.hpp": {}, "cli/b.cpp": {1: 0, 2: 3}, "cli/c.hpp": {}}, 12)
        rows = [line.split() for line in said.getvalue().splitlines() if line.startswith("cli")]
        self.assertEqual(rows, [["cli", "2", "1", "50.0"], ["cli/b.cpp", "2", "1", "50.0"]])


if __name__ == "__main__":
    if not (shutil.which("gcov") and shutil.which("g++")):
        print("skipped: there is no gcov and g++ here")
        sys.exit(77)
    os.environ.pop("GCOV_PREFIX", None)
    unittest.main()
