# SPDX-License-Identifier: BSD-2-Clause
"""The table of rules and its runner: rows, what may be expected of a row, TAP.

A row is a function that does its steps and returns what it saw; `expect` judges that. Rows marked
slow wait for the peer's own time limits: they start first, in threads, and are judged last.
"""
import argparse
import fnmatch
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import wire
from channel import Broken, Gone, Silence, begin_trace


SLOW_AT_ONCE = 24  # they wait most of the time, but each begins with a process of its own


class Wrong(Exception):
    """The peer did not do what the rule says."""


class Skip(Exception):
    """The rule does not apply here, and why."""


def check(good, what):
    if not good:
        raise Wrong(what)


# ---- what may be expected ------------------------------------------------------------------


@dataclass
class Fate:
    """What became of a connection: "term" with its PDU, "closed", "reset", "silence", "answered",
    "completed" with the response."""

    how: str
    pdu: wire.Pdu = None
    sent: bytes = b""

    cqe = property(lambda s: s.pdu.cqe if s.how == "completed" else None)

    def __str__(self):
        return str(self.pdu) if self.pdu else self.how


class Fatal:
    """The connection ends with a TermReq of that FES, and that FEI if it is given. A lenient judge
    takes a plain close."""

    def __init__(self, fes=None, fei=None):
        self.fes, self.fei = fes, fei

    def __str__(self):
        where = "" if self.fei is None else f" FEI {self.fei:#x}"
        return "TermReq" + ("" if self.fes is None else f" FES {self.fes}{where}")

    def fault(self, seen, lenient):
        if not isinstance(seen, Fate):
            return f"got {seen}"
        if seen.how in ("closed", "reset") and lenient:
            return None
        if seen.how != "term":
            return f"got {seen}"
        if self.fes is not None and seen.pdu.fes != self.fes:
            return f"got {seen}"
        if self.fei is not None and seen.pdu.fei != self.fei:
            return f"got {seen}"
        return error_data_fault(seen)


def error_data_fault(seen):
    """T26: the error data is the header that was wrong, as far as it went."""
    data = seen.pdu.data
    if any(seen.pdu.head[14:24]):
        return "reserved bytes of the TermReq are not zero"
    if not seen.sent:
        return None
    if len(data) < min(8, len(seen.sent)) or not seen.sent.startswith(data):
        return f"its error data {data[:16].hex()}... is not the header that was sent"
    return None


class Closed:
    """The connection ends without a PDU in return."""

    def __str__(self):
        return "the connection is closed, nothing is sent"

    def fault(self, seen, _lenient):
        if isinstance(seen, Fate) and seen.how in ("closed", "reset"):
            return None
        return f"got {seen}"


class Status:
    """The command completes with that status; IATTR and IPO if they are given."""

    def __init__(self, sct, sc, *, iattr=None, ipo=None):
        self.sct, self.sc, self.iattr, self.ipo = sct, sc, iattr, ipo

    def __str__(self):
        where = "" if self.ipo is None else f" IATTR {self.iattr} IPO {self.ipo}"
        return f"status {self.sct}/{self.sc:02X}h{where}"

    def fault(self, seen, _lenient):
        cqe = getattr(seen, "cqe", None)
        if cqe is None:
            return f"got {seen}"
        if (cqe.sct, cqe.sc) != (self.sct, self.sc):
            return f"got {cqe}"
        if self.ipo is not None and (cqe.iattr, cqe.ipo) != (self.iattr, self.ipo):
            return f"got {cqe} IATTR {cqe.iattr} IPO {cqe.ipo}"
        return None


class Refused:
    """The command completes with any error."""

    def __str__(self):
        return "an error status"

    def fault(self, seen, _lenient):
        cqe = getattr(seen, "cqe", None)
        return None if cqe is not None and not cqe.ok else f"got {seen}"


class Works:
    """The steps themselves check all there is to check."""

    def __str__(self):
        return "as described"

    def fault(self, seen, _lenient):
        return None if seen is None or getattr(seen, "ok", False) else f"got {seen}"


class Either:
    """Any of these is right."""

    def __init__(self, *options):
        self.options = options

    def __str__(self):
        return " or ".join(map(str, self.options))

    def fault(self, seen, lenient):
        faults = [option.fault(seen, lenient) for option in self.options]
        return None if None in faults else faults[0]


class Varies(Either):
    """The first is what we hold to be right; peers are known to do the others."""

    def __str__(self):
        return f"{self.options[0]} (known: {' or '.join(map(str, self.options[1:]))})"

    def fault(self, seen, lenient):
        return super().fault(seen, lenient) if lenient else self.options[0].fault(seen, lenient)


# ---- rows ----------------------------------------------------------------------------------


@dataclass
class Row:
    id: str
    rule: str
    steps: object
    expect: object
    slow: bool = False
    linux: str = None  # how Linux nvmet differs, if it does
    reason: str = None  # why it is not run


class Table:
    def __init__(self):
        self.rows = []

    def row(self, ident, rule, expect=None, **more):
        """Makes a row of the decorated function, which is called with the bench and `args`."""
        args = more.pop("args", ())

        def add(function):
            self.rows.append(
                Row(ident, rule, lambda t: function(t, *args), expect or Works(), **more)
            )
            return function

        return add

    def exclude(self, ident, rule, reason):
        self.rows.append(Row(ident, rule, None, None, reason=reason))


# ---- running -------------------------------------------------------------------------------


class Runner:
    """Prints TAP. `peer` is "linux" when the differences of the column `linux` are to be found."""

    def __init__(self, rows, *, lenient, peer, make_bench, after_row=None):
        self.rows, self.lenient, self.peer, self.make_bench = rows, lenient, peer, make_bench
        self.after_row = after_row
        self.failed = []
        self.number = 0

    def judge(self, row, results):
        begun = time.monotonic()
        begin_trace()
        bench = self.make_bench(row)
        try:
            fault = row.expect.fault(row.steps(bench), self.lenient)
        except Skip as skip:
            fault = skip
        except (Wrong, Broken, Gone, Silence, OSError) as error:
            fault = f"{type(error).__name__}: {error}"
        except Exception as error:  # one row's trouble is not another's
            fault = f"{error}\n" + traceback.format_exc()
        if fault and not isinstance(fault, Skip):
            fault = "\n".join([str(fault), *bench.evidence()])
        fault = bench.close() or fault
        results[row.id] = (fault, time.monotonic() - begun)

    def run(self):
        print(f"1..{len(self.rows)}", flush=True)
        results = {}
        slow = ThreadPoolExecutor(max_workers=SLOW_AT_ONCE)
        waits = {
            r.id: slow.submit(self.judge, r, results) for r in self.rows if r.slow and self.runs(r)
        }
        for row in self.rows:
            if not row.slow:
                if self.runs(row):
                    self.judge(row, results)
                    if self.after_row:
                        self.after_row(row)
                self.report(row, results.get(row.id))
        for row in self.rows:
            if row.slow:
                if row.id in waits:
                    waits[row.id].result()
                self.report(row, results.get(row.id))
        return self.failed

    def runs(self, row):
        skipped = self.peer == "linux" and (row.linux or "").startswith("skip: ")
        return row.reason is None and not skipped

    def report(self, row, result):
        self.number += 1
        title = f"{self.number} - {row.id} {row.rule}"
        if result is None:
            print(f"ok {title} # SKIP {row.reason or row.linux}", flush=True)
            return
        fault, took = result
        if isinstance(fault, Skip):
            print(f"ok {title} # SKIP {fault}", flush=True)
            return
        if self.peer == "linux" and row.linux:
            if fault:
                print(f"ok {title} # Linux differs: {row.linux} ({first_line(fault)})", flush=True)
                return
            if not row.linux.startswith("may: "):  # a race in the kernel, won or lost
                fault = f"a difference of Linux is documented, but there was none: {row.linux}"
        print(f"{'not ok' if fault else 'ok'} {title} ({took:.2f} s)", flush=True)
        if fault:
            self.failed.append(row.id)
            print(f"  # expected: {row.expect}")
            for line in str(fault).splitlines():
                print(f"  # {line}", flush=True)


def first_line(text):
    return str(text).split("\n", 1)[0]


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--list", action="store_true", help="print the table and end")
    parser.add_argument(
        "-k", metavar="PATTERN", help="only rows whose id or rule match, as in T2* or digest"
    )
    parser.add_argument(
        "--room", action="append", help="only that group of rules; may be repeated"
    )
    parser.add_argument("--tap", action="store_true", help="TAP output (it always is)")
    parser.add_argument("-g", action="store_true", help="header digests on every connection")
    parser.add_argument("-G", action="store_true", help="data digests on every connection")
    return parser


def rows_of(rooms, names):
    known = {room.__name__.rpartition(".")[2]: room for room in rooms}
    for name in names or ():
        if name not in known:
            sys.exit(f"--room {name}: there are {', '.join(known)}")
    return [row for name in names or known for row in known[name].TABLE.rows]


def chosen(rows, pattern):
    if not pattern:
        return rows
    return [
        r
        for r in rows
        if fnmatch.fnmatch(r.id, pattern)
        or r.id.split("/")[0] == pattern
        or pattern.lower() in r.rule.lower()
    ]


def print_list(rows):
    for row in rows:
        print(f"{row.id}\n    rule:     {row.rule}")
        if row.reason:
            print(f"    not run:  {row.reason}")
        else:
            print(f"    expected: {row.expect}")
        if row.linux:
            print(f"    Linux:    {row.linux}")


def finish(failed, extra=()):
    for complaint in extra:
        print(f"not ok - {complaint}")
    if failed:
        print(f"# failed: {' '.join(failed)}")
    sys.stdout.flush()
    return 1 if failed or extra else 0
