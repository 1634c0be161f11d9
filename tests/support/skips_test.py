#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""skips.py behind a real ctest: reasons stand before the summary, which stays last."""
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))


def run(tests):
    """Runs ctest over {name: shell command} as ./dev does; status and output."""
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "CTestTestfile.cmake"), "w", encoding="utf-8") as file:
            for name, command in tests.items():
                file.write(f'add_test({name} bash -c "{command}")\n')
                file.write(f"set_tests_properties({name} PROPERTIES SKIP_RETURN_CODE 77)\n")
        log = os.path.join(folder, "Testing/Temporary/LastTest.log")
        pipe = (
            f"set -o pipefail; ctest --test-dir {folder} --output-on-failure 2>&1 |"
            f" {sys.executable} -u {HERE}/skips.py {log}"
        )
        done = subprocess.run(["bash", "-c", pipe], capture_output=True, text=True)
        return done.returncode, done.stdout


class Skips(unittest.TestCase):
    def test_reasons_before_the_summary(self):
        reason = "echo x; echo skipped: no device; exit 77"
        status, said = run({"a": "true", "b.c": reason, "d": "echo skipped: no"})
        self.assertEqual(status, 0, said)
        listing = said.index("Skipped on this machine (1):\n  b.c: no device\n")
        self.assertLess(listing, said.index("100% tests passed"))
        self.assertGreater(said.index("b.c (Skipped)"), said.index("100% tests passed"))

    def test_a_skip_needs_a_reason(self):
        status, said = run({"a": "true", "b": "exit 77"})
        self.assertNotEqual(status, 0)
        self.assertIn("b: FAILED: it gave no reason", said)

    def test_a_failure_stays_one(self):
        status, said = run({"a": "echo why; false", "b": "true"})
        self.assertNotEqual(status, 0)
        self.assertIn("why", said)
        self.assertNotIn("Skipped", said)


if __name__ == "__main__":
    unittest.main()
