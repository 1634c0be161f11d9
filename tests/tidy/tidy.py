#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The house rules as a test. tidy.py [TOP] checks the project at TOP; tidy.py --self-test proves
of every rule that it can fail and that it does not fail for nothing.
"""
import os
import sys

sys.dont_write_bytecode = True

import document_rules  # noqa: E402,F401  (importing enters the rules)
import room_rules  # noqa: E402,F401
import text_rules  # noqa: E402,F401
from house import RULES, Tree  # noqa: E402


def check(tree):
    problems = 0
    for rule in RULES:
        found = list(rule.check(tree))
        problems += len(found)
        if found:
            print(f"\n{rule.name}: {rule.why}")
            for problem in found:
                print(f"  {problem}")
    print(f"\n{len(RULES)} rules, {len(tree.files)} files, {problems} problems")
    return 1 if problems else 0


def self_test():
    wrong = 0
    for rule in RULES:
        if not rule.bad or not rule.good:
            print(f"{rule.name}: has no samples that prove it")
            wrong += 1
        for number, files in enumerate(rule.bad):
            if not list(rule.check(Tree(files))):
                print(f"{rule.name}: bad sample {number} passes: {files}")
                wrong += 1
        for number, files in enumerate(rule.good):
            for problem in rule.check(Tree(files)):
                print(f"{rule.name}: good sample {number}: {problem}")
                wrong += 1
    samples = sum(len(rule.bad) + len(rule.good) for rule in RULES)
    print(f"{len(RULES)} rules, {samples} samples, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(self_test())
    here = os.path.dirname(os.path.abspath(__file__))
    top = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.dirname(here))
    sys.exit(check(Tree.read(top)))
