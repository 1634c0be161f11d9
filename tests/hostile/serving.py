# SPDX-License-Identifier: BSD-2-Clause
"""The target under test: started by us or already there, a healthy host beside it, and what each
row is given to work with (TargetBench).
"""
import os
import random
import re
import selectors
import signal
import subprocess
import tempfile
import threading
import time
from urllib.parse import unquote, urlsplit

import host
import wire
from bench import Fate, Skip, Wrong
from channel import Gone, Silence, trace_of_thread

LISTEN = ("--listen", "127.0.0.1:0")
READY = re.compile(rb"^listening nvme\+tcp://")


def settings_of(uri):
    parts = urlsplit(uri)
    if parts.scheme != "nvme+tcp" or not parts.hostname or len(parts.path) < 2:
        raise ValueError(f"{uri} is not nvme+tcp://ADDRESS:PORT/SUBNQN")
    return host.Settings(
        address=parts.hostname,
        port=parts.port or 4420,
        subnqn=unquote(parts.path[1:]).split("/")[0],
    )


class Serve:
    """`nvmfctl serve` as a process; uris are those it printed."""

    def __init__(self, program, *arguments, listeners=1, limit=30.0, digests=("-g", "-G")):
        self.log = tempfile.TemporaryFile()
        # What a sanitizer keeps of freed memory would hide how much is in use.
        asan = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"
        self.process = subprocess.Popen(
            [program, "serve", *digests, *arguments],
            stdout=subprocess.PIPE,
            stderr=self.log,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"ASAN_OPTIONS": asan},
        )
        self.uris = self.wait_ready(listeners, limit)

    def wait_ready(self, listeners, limit):
        end, seen, uris = time.monotonic() + limit, b"", []
        with selectors.DefaultSelector() as ready:
            ready.register(self.process.stdout, selectors.EVENT_READ)
            while len(uris) < listeners:
                if not ready.select(max(0, end - time.monotonic())):
                    self.process.kill()
                    raise Wrong(
                        f"serve did not say that it listens within {limit} s:\n{self.errors()}"
                    )
                piece = os.read(self.process.stdout.fileno(), 4096)
                if not piece:
                    self.process.wait()
                    raise Wrong(f"serve ended with {self.process.returncode}:\n{self.errors()}")
                seen += piece
                uris = [
                    line.split()[1].decode() for line in seen.split(b"\n")[:-1] if READY.match(line)
                ]
        return uris

    def errors(self):
        log = self.log.fileno()
        start = max(0, os.fstat(log).st_size - 8000)
        return os.pread(log, 8000, start).decode("utf-8", "replace")

    def alive(self):
        return self.process.poll() is None

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def resident(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def stop(self, limit=20.0):
        """Asks it to end; the complaints it leaves behind."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        elif self.process.returncode is not None:
            return [f"serve had ended with {self.process.returncode}:\n{self.errors()}"]
        try:
            status = self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return [f"serve did not end within {limit} s of SIGTERM:\n{self.errors()}"]
        errors = self.errors()
        self.process.stdout.close()
        self.log.close()
        if status or "Sanitizer" in errors:
            return [f"serve ended with {status} on SIGTERM:\n{errors}"]
        return []


class Healthy(threading.Thread):
    """A well-behaved host that writes and verifies all the time, on blocks that no row touches."""

    FIRST, SPAN = 65536, 1024

    def __init__(self, settings):
        super().__init__(daemon=True)
        self.ending, self.rounds, self.fault, self.row = threading.Event(), 0, None, "the start"
        self.random = random.Random(7)
        self.took = []  # seconds, of each command
        self.association = host.Association(settings, io=1)

    def run(self):
        try:
            while not self.ending.wait(0.01):
                self.round()
            self.round()  # after all the rows
        except Exception as error:  # whatever it is, it is what this thread is for
            self.fault = (
                f"the healthy host failed during {self.row}: {type(error).__name__}: {error}"
            )

    def round(self):
        queue = self.association.io[0]
        for size in (512, 4096, 24576):
            at = self.FIRST + self.random.randrange(self.SPAN - 48)
            data = self.random.randbytes(size)
            begun = time.monotonic()
            written = queue.write(1, at, data)
            between = time.monotonic()
            found = queue.read(1, at, size // 512)
            self.took += [between - begun, time.monotonic() - between]
            if not written.ok or not found.ok or found.data != data:
                raise Wrong(f"write {written}, read {found}, same data: {found.data == data}")
        if self.rounds % 50 == 0:
            self.association.admin.must(wire.sqe(wire.KEEP_ALIVE))
        self.rounds += 1

    def finish(self):
        self.ending.set()
        self.join(20)
        self.association.close()
        return [self.fault] if self.fault else []


class TargetBench:
    """What a row works with; everything it opened is closed after the row."""

    def __init__(self, settings, *, strict, program=None, server=None, second=None):
        self.settings, self.strict, self.program, self.server = settings, strict, program, server
        self.second = second  # another listener of the same target
        self.opened = []

    def keep(self, thing):
        self.opened.append(thing)
        return thing

    def close(self):
        """Complaints about targets that the row started."""
        complaints = []
        for thing in reversed(self.opened):
            if isinstance(thing, Serve):
                complaints += thing.stop()
            else:
                thing.close()
        return "\n".join(complaints)

    def evidence(self):
        yield from trace_of_thread().lines()
        for server in [self.server, *(x for x in self.opened if isinstance(x, Serve))]:
            if server:
                yield from (f"serve: {line}" for line in server.errors().splitlines()[-6:])

    def dial(self, **changes):
        return self.keep(host.dial(self.settings.but(**changes)))

    def queue(self, **changes):
        """A connection after the IC exchange."""
        return self.keep(host.open_queue(self.settings.but(**changes)))

    def up(self, io=1, *, settings=None, enable=True, **changes):
        """A whole association."""
        settings = (settings or self.settings).but(**changes)
        return self.keep(host.Association(settings, io, enable=enable))

    def ready(self, **changes):
        """An I/O queue of a whole association."""
        return self.up(**changes).io[0]

    def extra(self, *arguments, **how):
        """Another target with other arguments; the settings for it."""
        if not self.program:
            raise Skip("needs a target of its own, which only nvmfctl serve can be")
        if "--listen" not in arguments:
            arguments = (*LISTEN, *arguments)
        server = self.keep(Serve(self.program, *arguments, **how))
        return [
            settings_of(uri).but(hdgst=self.settings.hdgst, ddgst=self.settings.ddgst)
            for uri in server.uris
        ]

    def fate(self, channel, sent=b"", cid=None, limit=None):
        """Sends those bytes; what becomes of the connection, or of the command with that CID."""
        try:
            channel.send(sent)
            while True:
                pdu = channel.recv(limit)
                if pdu.type == wire.C2H_TERM:
                    return Fate("term", pdu, sent)
                if pdu.type == wire.ICRESP:
                    return Fate("answered", pdu, sent)
                if pdu.type == wire.RESP and pdu.cqe.cid == cid:
                    return Fate("completed", pdu, sent)
        except Gone as gone:
            return Fate(gone.how, sent=sent)
        except Silence:
            return Fate("silence", sent=sent)

    def still_works(self, queue):
        """The queue can still write and read."""
        data = random.Random(3).randbytes(4096)
        written, found = queue.write(1, 64, data), queue.read(1, 64, 8)
        if not written.ok or not found.ok or found.data != data:
            raise Wrong(f"afterwards: write {written}, read {found}")

    def newcomer_works(self):
        """Another host can still come and do its work."""
        with host.Association(self.settings.stranger(), io=1) as fresh:
            self.still_works(fresh.io[0])
