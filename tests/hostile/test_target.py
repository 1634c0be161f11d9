#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The rules T01-T120 for an NVMe/TCP target, held against `nvmfctl serve` ($NVMFCTL), or with
--target URI against any target. Beside the rows a healthy host writes and verifies all the time,
and must see no error; at the end the target must be alive, and end well. TAP on stdout; exit status
1 if a row failed.
"""
import os
import random
import sys

import bench
from rules import (
    admin,
    control,
    data,
    discovery,
    io,
    options,
    pdus,
    queues,
    robust,
    security,
    setup,
    sgls,
    unread,
)
from serving import LISTEN, Healthy, Serve, TargetBench, settings_of

ROOMS = (
    *(setup, pdus, data, sgls, queues, control, admin, discovery, io, security, robust, unread),
    options,
)
# Whoever does not get to the end of Connect is waited for half as long as usual.
OPTIONS = ("--ns", "ram:64M", "--connect-timeout", "5")


def command_line():
    parser = bench.arguments(__doc__)
    parser.add_argument(
        "--target", metavar="URI", help="a target that is there already, instead of serve"
    )
    parser.add_argument(
        "--lenient",
        action="store_true",
        help="accept what peers are known to do: closing without TermReq, other codes",
    )
    parser.add_argument(
        "--linux",
        action="store_true",
        help="the target is Linux nvmet: find the differences that the table documents",
    )
    parser.add_argument("--seed", type=int, help="the rows in an order drawn from that")
    return parser.parse_args()


def main():
    chosen = command_line()
    rows = bench.chosen(bench.rows_of(ROOMS, chosen.room), chosen.k)
    if chosen.seed is not None:
        random.Random(chosen.seed).shuffle(rows)
        print(f"# the order is that of --seed {chosen.seed}")
    if chosen.list:
        bench.print_list(rows)
        return 0
    server = second = None
    program = os.environ.get("NVMFCTL")
    if chosen.target:
        settings, program = settings_of(chosen.target), None
    elif not program:
        sys.exit("NVMFCTL does not name the program, and there is no --target")
    else:
        server = Serve(program, *LISTEN, *LISTEN, *OPTIONS, listeners=2)
        settings = settings_of(server.uris[0])
    settings = settings.but(hdgst=chosen.g, ddgst=chosen.G)
    if chosen.linux:
        settings = settings.but(limit=1.0)  # many of its differences are silence
    if server:
        second = settings.but(port=settings_of(server.uris[1]).port)
    return run(rows, chosen, settings, program, server, second)


def run(rows, chosen, settings, program, server, second):
    lenient = chosen.lenient or chosen.linux
    healthy = Healthy(settings.stranger().but(limit=20.0, kato=60000))
    healthy.start()

    def make_bench(_row):
        return TargetBench(
            settings, strict=not lenient, program=program, server=server, second=second
        )

    def after_row(row):
        healthy.row = f"{row.id} or the row after it"

    try:
        failed = bench.Runner(
            rows,
            lenient=lenient,
            peer="linux" if chosen.linux else None,
            make_bench=make_bench,
            after_row=after_row,
        ).run()
    finally:
        complaints = healthy.finish()
        if server:
            complaints += server.stop()
    print(f"# the healthy host wrote and verified {healthy.rounds} times")
    return bench.finish(failed, complaints)


if __name__ == "__main__":
    sys.exit(main())
