#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""coverage.py TREE [--missed ROOM...]: which lines the tests of a coverage tree have run.

Prints a table of the rooms and the files of which least was run; with --missed the lines of a room
(a folder or a file) that nothing ran. TREE is a tree of the preset coverage whose tests have been
run; the counts of all its programs are added, and a line of a template counts as run when one of
its instances ran it. Needs the compiler's gcov and nothing else.
"""
import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOMS = (
    "libcore/wire",
    "libcore/engine",
    "libcore/core/host",
    "libcore/core/target",
    "libcore/core/fault",
    "libcore/core",
    "transports/loop",
    "transports/tcp/session",
    "transports/tcp",
    "transports/rdma",
    "cli",
)
AT_ONCE = 100  # files for one gcov


def documents(tree):
    """What gcov says of each object file."""
    data = sorted(str(file.resolve()) for file in tree.rglob("*.gcda"))
    for at in range(0, len(data), AT_ONCE):
        said = subprocess.run(
            ["gcov", "--json-format", "--stdout", *data[at : at + AT_ONCE]],
            cwd=tree,
            check=True,
            capture_output=True,
            text=True,
        )
        yield from map(json.loads, said.stdout.splitlines())


def counts(tree, source):
    """{file: {line: how often it ran}} of the files below `source`, all object files together."""
    files = {}
    for unit in documents(tree):
        compiled_in = Path(unit["current_working_directory"])
        for file in unit["files"]:
            path = (compiled_in / file["file"]).resolve()
            if not path.is_relative_to(source):
                continue
            lines = files.setdefault(str(path.relative_to(source)), {})
            for line in file["lines"]:
                number = line["line_number"]
                lines[number] = lines.get(number, 0) + line["count"]
    return files


def room_of(path):
    """The innermost room: a file of transports/tcp/session is not one of transports/tcp."""
    inside = [room for room in ROOMS if path.startswith(room + "/")]
    return max(inside, key=len, default=None)


def ran(lines):
    return sum(1 for count in lines.values() if count)


def row(name, covered, lines):
    return f"{name:44} {lines:6} {covered:7} {100 * covered / lines:6.1f}"


def report(files, worst):
    print(f"{'room':44} {'lines':>6} {'covered':>7} {'%':>6}")
    for room in ROOMS:
        inside = [lines for path, lines in files.items() if room_of(path) == room]
        if any(inside):
            print(row(room, sum(map(ran, inside)), sum(map(len, inside))))
    judged = [path for path, lines in files.items() if lines and room_of(path)]
    judged.sort(key=lambda path: (ran(files[path]) / len(files[path]), path))
    print(f"\n{'the least covered files':44} {'lines':>6} {'covered':>7} {'%':>6}")
    for path in judged[:worst]:
        print(row(path, ran(files[path]), len(files[path])))


def ranges(numbers):
    """1 2 3 7 -> 1-3 7"""
    found = []
    for number in sorted(numbers):
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in found)


def missed(files, room):
    for path in sorted(files):
        never = [number for number, count in files[path].items() if not count]
        if never and (path == room or path.startswith(room.rstrip("/") + "/")):
            print(f"{path}: {ranges(never)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tree", type=Path)
    parser.add_argument("--source", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--missed", nargs="+", metavar="ROOM", help="list its lines that never ran")
    parser.add_argument("--worst", type=int, default=12, help="files to list (default 12)")
    chosen = parser.parse_args()
    files = counts(chosen.tree.resolve(), chosen.source.resolve())
    if not any(map(room_of, files)):
        sys.exit(
            f"{chosen.tree} has no counts of this checkout: build the preset coverage there and run"
            " its tests first (./dev coverage does both)"
        )
    if chosen.missed:
        for room in chosen.missed:
            missed(files, room)
    else:
        report(files, chosen.worst)


if __name__ == "__main__":
    main()
