#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""That no rule is forgotten: each of T01-T120 and H01-H35 has a row that is run, or says why there
is none. Exit status 1 if one has neither.
"""
import re
import sys
from collections import Counter

import bench
import test_host
import test_target

RULES = {"T": 120, "H": 35}


def complaints(target_rows, host_rows):
    rows = {"T": target_rows, "H": host_rows}
    for letter, last in RULES.items():
        numbers = {f"{letter}{n:02}": [] for n in range(1, last + 1)}
        for row in rows[letter]:
            if row.id.startswith("S/"):  # the stages of a connection, which have no number
                continue
            number = row.id.split("/")[0]
            if number not in numbers:
                yield f"{row.id}: there is no rule {number}"
                continue
            numbers[number].append(row)
            if row.steps is None and not (row.reason or "").strip():
                yield f"{row.id}: not run, and no reason is given"
        for number, found in numbers.items():
            if not found:
                yield f"{number}: neither a row nor a reason why there is none"
        for ident, times in Counter(row.id for row in rows[letter]).items():
            if times > 1:
                yield f"{ident}: {times} rows have that name"


def rows():
    return bench.rows_of(test_target.ROOMS, None), bench.rows_of(test_host.ROOMS, None)


def check_itself():
    """A rule that is taken out is missed, whichever it is."""
    target_rows, host_rows = rows()
    for letter, last in RULES.items():
        for number in range(1, last + 1):
            name = f"{letter}{number:02}"
            left = [
                [row for row in some if not re.fullmatch(rf"{name}(/.*)?", row.id)]
                for some in (target_rows, host_rows)
            ]
            if not any(name in complaint for complaint in complaints(*left)):
                yield f"without the rows of {name} nothing is missed"


def main():
    found = [*complaints(*rows()), *check_itself()]
    for complaint in found:
        print(complaint)
    target_rows, host_rows = rows()
    run = sum(row.reason is None for row in target_rows + host_rows)
    print(f"{run} rows are run, {len(target_rows) + len(host_rows) - run} say why they are not")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
