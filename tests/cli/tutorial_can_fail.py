#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A tutorial that says what is not so fails: each chapter with one thing changed, which is what the
complaint is about.
"""
import concurrent.futures
import os
import subprocess
import sys
import tempfile

SOURCE = os.environ["NVMF_SOURCE_DIR"]
# Page, what stands there, what would be wrong.
LIES = [
    ("1-both-ends", "got  CNTLID 0001h, AUTHREQ", "got  CNTLID 0002h, AUTHREQ"),
    ("1-both-ends", "[exit 14]\n", "[exit 13]\n"),
    ("1-both-ends", "a1:1> qpairs\n", "a1:2> qpairs\n"),
    ("2-identify-by-hand", '"NVMFCTL0000000001"', '"NVMFCTL0000000002"'),
    ("2-identify-by-hand", "  cns   0x1 (controller)", "  csn   0x1 (controller)"),
    ("3-r2t-in-pieces", "io_cb       t1 cid 0  599 bytes", "io_cb       t1 cid 0  598 bytes"),
    ("4-be-the-target", "respond in1 cntlid=7\n", "respond in1 cntlid=8\n"),
    ("6-a-smoke-test", "far.status == lba-out-of-range\n```", "far.status == success\n```"),
]


def check(lie):
    page, old, new = lie
    with open(os.path.join(SOURCE, "docs", "tutorial", page + ".md"), encoding="utf-8") as file:
        text = file.read()
    if old not in text:
        return f"{page}.md does not have {old!r}"
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, page + ".md")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(old, new, 1))
        done = subprocess.run(
            [sys.executable, os.path.join(SOURCE, "tests", "support", "transcript.py"), path],
            env=dict(os.environ, NVMF_TEST_LIMIT="3", NVMFCTL_UPDATE=""),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode != 1:
        return f"{page}.md: {new!r} passes:\n{done.stdout}{done.stderr}"
    # It is told at the lie: a line of the difference, or of what it led to.
    if "\n-" not in done.stdout and "\n+" not in done.stdout:
        return f"{page}.md: {new!r} shows no difference:\n{done.stdout}{done.stderr}"
    return None


def main():
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        wrong = [said for said in pool.map(check, LIES) if said]
    print("\n".join(wrong + [f"{len(LIES)} lies, {len(wrong)} believed"]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
