# SPDX-License-Identifier: BSD-2-Clause
"""The host under test: nvmfctl run against our target, and what may be expected of such a run."""
import json
import os
import signal
import subprocess
import threading
import time
from dataclasses import dataclass

import host
from target import Target

IDENTITY = ("-q", host.Settings().hostnqn, "-I", str(host.HOST_ID))
LIMIT = 30.0  # no run here takes longer
WAIT, SHORT_WAIT = 5, 2  # of the host for an answer; the short one where none will come


@dataclass
class Ran:
    """How a run ended; the target tells the rest."""

    status: int
    out: str
    err: str
    took: float
    target: Target

    def __str__(self):
        terms = ", ".join(map(str, self.target.terms)) or "no TermReq"
        return f"exit status {self.status} after {self.took:.1f} s, {terms}\n{self.err.strip()}"


class HostBench:
    """What a row works with."""

    def __init__(self, program, digests, slow):
        self.program, self.digests, self.opened = program, digests, []
        self.wait = SHORT_WAIT if slow else WAIT

    def close(self):
        for target in reversed(self.opened):
            target.close()

    def evidence(self):
        for target in self.opened:
            yield from target.trace.lines()

    def target(self, bend=None, **how):
        target = Target(bend, **how)
        self.opened.append(target)
        return target

    def run(self, target, command, *arguments, uri=None, interrupt=None, environment=None):
        """`command` with the target's URI. interrupt: SIGINT when the target reached that stage, or
        reached a stage so often: ("aer", 2).
        """
        line = [self.program, command, uri or target.uri(), *arguments]
        line += [*IDENTITY, "--timeout", str(self.wait), *self.digests]
        begun = time.monotonic()
        with subprocess.Popen(
            line,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | (environment or {}),
        ) as process:
            if interrupt:
                stopper = threading.Thread(target=self.interrupt, args=(process, target, interrupt))
                stopper.start()
            try:
                out, err = process.communicate(timeout=LIMIT)
            except subprocess.TimeoutExpired:
                process.kill()
                out, err = process.communicate()
                err += b"\n(killed: it did not end)"
            if interrupt:
                stopper.join()
        took = time.monotonic() - begun
        out, err = out.decode("utf-8", "replace"), err.decode("utf-8", "replace")
        return Ran(process.returncode, out, err, took, target)

    @staticmethod
    def interrupt(process, target, stage):
        name, times = (stage, 1) if isinstance(stage, str) else stage
        if target.wait_reached(name, LIMIT / 2, times):
            process.send_signal(signal.SIGINT)


class Ends:
    """A run's end: its exit status, the TermReq it sends, and what its one sentence names.

    exits: the statuses that are right. term: (FES, FEI or None), or None for no TermReq, or "any".
    says: each of these is in stderr, whatever its case; a tuple means one of them.
    """

    def __init__(self, *exits, term=None, says=(), within=LIMIT / 2, breaches=()):
        self.exits, self.term, self.says, self.within = exits, term, says, within
        self.breaches = breaches  # parts of breaches that this row brings about

    def __str__(self):
        parts = ["exit status " + " or ".join(map(str, self.exits))]
        if self.term and self.term != "any":
            fes, fei = self.term
            parts.append(f"H2CTermReq FES {fes}" + ("" if fei is None else f" FEI {fei:#x}"))
        if self.says:
            names = (s if isinstance(s, str) else " or ".join(s) for s in self.says)
            parts.append("naming " + ", ".join(names))
        return ", ".join(parts)

    def fault(self, ran, _lenient):
        return "\n".join(self.faults(ran)) or None

    def faults(self, ran):
        if ran.status not in self.exits or "Sanitizer" in ran.err:
            yield f"got {ran}"
            return
        if ran.took > self.within:
            yield f"took {ran.took:.1f} s, at most {self.within} s"
        if not ran.target.settle():
            yield "a connection was not ended"
        yield from self.term_faults(ran)
        yield from self.text_faults(ran)
        for breach in ran.target.breaches:
            if not any(part in breach for part in self.breaches):
                yield breach

    def term_faults(self, ran):
        terms = [(link, link.term) for link in ran.target.links if link.term]
        if self.term == "any":
            return
        if self.term is None:
            yield from (f"it sent {term}" for _, term in terms)
            return
        if len(terms) != 1:
            yield f"{len(terms)} TermReqs instead of one: {', '.join(str(t) for _, t in terms)}"
            return
        link, term = terms[0]
        fes, fei = self.term
        right = (fes,) if isinstance(fes, int) else fes
        if term.fes not in right or (fei is not None and term.fei != fei):
            yield f"got {term}"
        if len(term.data) < min(8, len(link.last_sent)) or term.data not in link.last_sent:
            yield f"its error data {term.data[:24].hex()} is not the header that was sent"

    def text_faults(self, ran):
        """A failure is told on stderr, in a sentence; what came up all the same, in the report."""
        where, text = ("stderr", ran.err) if ran.status else ("the report", ran.out + ran.err)
        lines = [line for line in ran.err.splitlines() if line.strip()]
        if ran.status and not 0 < len(lines) <= 3:
            yield f"{len(lines)} lines on stderr:\n{ran.err}"
        for name in self.says:
            names = (name,) if isinstance(name, str) else name
            if not any(n.lower() in text.lower() for n in names):
                yield f"{where} does not name {' or '.join(names)}:\n{text[-2000:]}"


class EndsJson(Ends):
    """The same of a run with --json: stdout is one document with a schema, or nothing at all."""

    def faults(self, ran):
        yield from super().faults(ran)
        if not ran.out.strip() and ran.status != 0:
            return
        try:
            if "schema" not in json.loads(ran.out):
                yield "the document has no schema"
        except ValueError as error:
            yield f"stdout is not one JSON document ({error}):\n{ran.out[:400]}"
