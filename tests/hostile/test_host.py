#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The rules H01-H35 for an NVMe/TCP host, held against `nvmfctl connect`, `send-capsule`,
`discover` and `bench` ($NVMFCTL): our target breaks one rule at a time. Judged are the exit status,
the TermReq that the target gets, the one sentence on stderr, the time it took, and whatever the
host itself did wrong. TAP on stdout; exit status 1 if a row failed.
"""
import os
import sys

import bench
from hosting import HostBench
from rules import host_commands, host_control, host_data, host_setup, host_stages

ROOMS = (host_setup, host_commands, host_data, host_control, host_stages)


def main():
    chosen = bench.arguments(__doc__).parse_args()
    rows = bench.chosen(bench.rows_of(ROOMS, chosen.room), chosen.k)
    if chosen.list:
        bench.print_list(rows)
        return 0
    program = os.environ.get("NVMFCTL")
    if not program:
        sys.exit("NVMFCTL does not name the program")
    digests = ["-g"] * chosen.g + ["-G"] * chosen.G
    runner = bench.Runner(
        rows, lenient=False, peer=None, make_bench=lambda row: HostBench(program, digests, row.slow)
    )
    return bench.finish(runner.run())


if __name__ == "__main__":
    sys.exit(main())
