#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""skips.py LOG < ctest's output: passes the output on, and before ctest's closing summary lists
every skipped test with the reason it gave (its line "skipped: REASON", kept in LOG, which is
complete once ctest has closed its output). A skip without a reason is a failure.
"""
import re
import sys

SUMMARY = re.compile(r"^\d+% tests passed")
SKIPPED = re.compile(r"^\s*\d+/\d+ Test +#\d+: (\S+) \.*\*\*\*Skipped")
LOG_TEST = re.compile(r"^\d+/\d+ Test: (\S+)$")
REASON = re.compile(r"^skipped: (.+)$")


def reasons(log_lines):
    """Maps a test's name to the reason in its part of ctest's log."""
    found, name = {}, None
    for line in log_lines:
        if match := LOG_TEST.match(line):
            name = match[1]
        elif (match := REASON.match(line)) and name is not None:
            found.setdefault(name, match[1])
    return found


def main(log_path):
    skipped, summary = [], []
    for line in sys.stdin:
        if summary or SUMMARY.match(line):
            summary.append(line)
            continue
        if match := SKIPPED.match(line):
            skipped.append(match[1])
        sys.stdout.write(line)
        sys.stdout.flush()
    silent = 0
    if skipped:
        with open(log_path, encoding="utf-8", errors="replace") as log:
            known = reasons(log)
        print(f"\nSkipped on this machine ({len(skipped)}):")
        for name in skipped:
            silent += name not in known
            print(f"  {name}: {known.get(name, 'FAILED: it gave no reason')}")
        print()
    sys.stdout.writelines(summary)
    return 1 if silent else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
