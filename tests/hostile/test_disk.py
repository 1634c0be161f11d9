#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `nvmfctl serve` ($NVMFCTL) tells its hosts of a disk that fails: the right status, blocks
that are well go on, serve and its other namespaces too, and the log names file, offset and reason
once. With --fuse the disk is one that fails on request (fuse.py), else a file that changes.
"""
import argparse
import contextlib
import errno
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time

import fuse
import host
import wire
from bench import Wrong, check
from channel import Broken, Gone, Silence
from serving import LISTEN, Serve, settings_of
from writer import FUA

SIZE = 1 << 20
FINE, READ_ERROR, WRITE_FAULT = (0, 0), (2, 0x81), (2, 0x80)
FULL, PROTECTED, INTERNAL = (0, 0x81), (0, 0x20), (0, 0x06)
DATA = bytes(range(256)) * 32  # 16 blocks


class Served:
    """serve with namespace 1 on the file and namespace 2 in memory, and a host."""

    def __init__(self, path):
        self.server = Serve(
            os.environ["NVMFCTL"], *LISTEN, "--ns", f"file:{path}", "--ns", "ram:1M"
        )
        self.settings = settings_of(self.server.uris[0]).but(kato=10000, limit=20.0)
        self.host = host.Association(self.settings, io=2)
        self.io = self.host.io[0]

    def write(self, lba, data=DATA, fua=False):
        return of(self.io.write(1, lba, data, cdw12=FUA if fua else 0))

    def read(self, lba, blocks=16):
        done = self.io.read(1, lba, blocks)
        return done.data if done.ok else of(done)

    def flush(self):
        return of(self.io.run(wire.sqe(wire.FLUSH, nsid=1)))

    def memory_works(self):
        queue = self.host.io[1]
        check(queue.write(2, 3, DATA).ok, "a write to the other namespace")
        check(queue.read(2, 3, 16).data == DATA, "a read of the other namespace")
        check(self.host.admin.must(wire.sqe(wire.KEEP_ALIVE)).ok, "keep alive")

    def logged(self, text, times=1):
        found = sum(text in line for line in self.server.errors().splitlines())
        check(found == times, f"'{text}' stands {found} times in:\n{self.server.errors()}")


def of(command):
    return FINE if command.ok else (command.cqe.sct, command.cqe.sc)


def want(found, wanted, what):
    check(found == wanted, f"{what}: {str(found)[:60]}, not {str(wanted)[:60]}")


@contextlib.contextmanager
def served(path):
    at = Served(path)
    try:
        yield at
        at.memory_works()
    finally:
        at.host.close()
        complaints = at.server.stop()
    if complaints:
        raise Wrong("\n".join(complaints))


# ---- a file that changes -----------------------------------------------------------------------


@contextlib.contextmanager
def plain_file():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "disk")
        with open(path, "wb") as file:
            file.truncate(SIZE)
        with served(path) as at:
            yield path, at


def cut_short():
    """A file that is cut short: what is beyond its end fails, and works when it is long again."""
    with plain_file() as (path, at):
        want(at.write(1024), FINE, "write")
        os.truncate(path, SIZE // 4)
        for _ in range(20):
            want(at.read(1024), READ_ERROR, "read beyond the end")
            want(at.write(1024), WRITE_FAULT, "write beyond the end")
        want(os.path.getsize(path), SIZE // 4, "size")
        at.logged(f"{path}: read of 8192 bytes at offset 524288 failed: the file ends before")
        at.logged(f"{path}: write of 8192 bytes at offset 524288 failed: the file ends before")
        want(at.write(0), FINE, "write of what is there")
        want(at.read(0), DATA, "read of what is there")
        os.truncate(path, SIZE)
        want(at.write(1024), FINE, "write when it is whole again")
        want(at.read(1024), DATA, "read when it is whole again")


def gone_or_replaced():
    """A file that is deleted, replaced or grows stays what it was."""
    with plain_file() as (path, at):
        want(at.write(8), FINE, "write")
        os.rename(path, path + ".old")
        with open(path, "wb") as other:
            other.write(b"x" * SIZE)
        want(at.read(8), DATA, "read after another took its place")
        os.unlink(path + ".old")
        want(at.write(64), FINE, "write after it was deleted")
        want(at.read(64), DATA, "read after it was deleted")
        with open(path, "rb") as other:
            want(other.read(), b"x" * SIZE, "the other file")
    with plain_file() as (path, at):
        os.truncate(path, 2 * SIZE)
        want(at.read(SIZE // 512 - 16), bytes(8192), "a hole")
        want(at.read(SIZE // 512), (0, 0x80), "read beyond the namespace: LBA Out of Range")


def size_limit():
    """A limit on the size of files: Capacity Exceeded, and no signal."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "disk")
        with open(path, "wb") as file:
            file.truncate(SIZE)
        with served(path) as at:
            pid = at.server.process.pid
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (SIZE // 2, resource.RLIM_INFINITY))
            want(at.write(1024), FULL, "write beyond the limit")
            want(at.write(0), FINE, "write below it")
            at.logged("File too large; the host gets Capacity Exceeded")


# ---- a disk that fails on request --------------------------------------------------------------


def read_errors():
    """EIO in some blocks: Unrecovered Read Error there, the others are read."""
    with fuse.disk_of(SIZE) as disk, served(disk.path) as at:
        want(at.write(0), FINE, "write")
        want(at.write(64), FINE, "write")
        disk.fail(fuse.READ, error=errno.EIO, first=64 * 512, end=65 * 512)
        for _ in range(10):
            want(at.read(64), READ_ERROR, "read of a bad block")
        want(at.read(65, 15), DATA[512:], "read of its neighbours")
        want(at.read(0), DATA, "read of others")
        at.logged(f"{disk.path}: read of 8192 bytes at offset 32768 failed: Input/output error; "
                  "the host gets Unrecovered Read Error")
        disk.heal()
        want(at.read(64), DATA, "read when it is well again")


def write_errors():
    """What a write or a sync cannot do has its own status each."""
    cases = ((errno.ENOSPC, FULL), (errno.EDQUOT, FULL), (errno.EIO, WRITE_FAULT),
             (errno.EROFS, PROTECTED), (errno.ENOMEM, INTERNAL))
    with fuse.disk_of(SIZE) as disk, served(disk.path) as at:
        for error, status in cases:
            disk.fail(fuse.WRITE, error=error)
            want(at.write(0), status, f"write with {errno.errorcode[error]}")
            disk.heal()
            want(at.write(0), FINE, "write when it is well again")
        for error, status in ((errno.EIO, WRITE_FAULT), (errno.ENOSPC, FULL)):
            disk.fail(fuse.FSYNC, error=error)
            want(at.flush(), status, f"Flush with {errno.errorcode[error]}")
            want(at.write(0, fua=True), status, f"FUA with {errno.errorcode[error]}")
            want(at.write(0), FINE, "a write that need not be safe")
            disk.heal()
            want(at.flush(), FINE, "Flush when it is well again")
        at.logged("write of 8192 bytes at offset 0 failed: No space left on device; the host gets "
                  "Capacity Exceeded")


def file_system_full():
    """A sparse file on a full file system: Capacity Exceeded, until there is room again."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512K", "t", folder], check=True)
        try:
            path, other = os.path.join(folder, "disk"), os.path.join(folder, "other")
            with open(path, "wb") as file:
                file.truncate(SIZE)
            with open(other, "wb") as file:
                file.write(bytes(SIZE // 4))
            with served(path) as at:
                ends = [at.write(lba) for lba in range(0, SIZE // 512, 16)]
                check(set(ends) == {FINE, FULL}, f"{set(ends)}")
                want(at.read(16 * ends.index(FINE)), DATA, "read of what was written")
                full = 16 * ends.index(FULL)
                want(at.write(full), FULL, "write when it is full")
                at.logged("No space left on device; the host gets Capacity Exceeded")
                os.unlink(other)
                want(at.write(full), FINE, "write when there is room again")
        finally:
            subprocess.run(["umount", folder], check=True)


def short_transfers():
    """Reads and writes that bring less than was asked for are continued."""
    with fuse.disk_of(SIZE) as disk, served(disk.path) as at:
        disk.fail(fuse.WRITE, short=700, count=5)
        want(at.write(16), FINE, "write in pieces")
        want(bytes(disk.now[8192:16384]), DATA, "what is on the disk")
        # A short read of a file without cache is its end to the kernel only when nothing comes.
        disk.fail(fuse.READ, short=1000, count=5)
        want(at.read(16), DATA, "read in pieces")


def stalled_disk():
    """A disk that does not answer holds up nobody else; when it does, all is well."""
    with fuse.disk_of(SIZE) as disk, served(disk.path) as at:
        disk.fail(fuse.READ, stall=True)
        stuck = at.io.send(
            wire.io(wire.READ, 1, 0, 16, dptr=wire.sgl_transport(8192)), take=8192
        )
        disk.wait_stalled(1)
        for _ in range(20):
            at.memory_works()
        with host.Association(at.settings.stranger()) as other:
            check(other.io[0].write(2, 9, DATA).ok, "another host's write")
        # A host that leaves with a command in the disk is not waited for.
        leaving = host.Association(at.settings.stranger())
        leaving.io[0].send(wire.io(wire.READ, 1, 0, 16, dptr=wire.sgl_transport(8192)), take=8192)
        disk.wait_stalled(2)
        leaving.close()
        at.memory_works()
        check(not stuck.done, "a read that the disk has not answered was completed")
        disk.release()
        check(at.io.wait(stuck).ok, f"the read that waited: {stuck}")


def stopped_with_stalled_disk():
    """SIGTERM while commands are in a disk that does not answer: serve ends within its limit."""
    with fuse.disk_of(SIZE) as disk:
        at = Served(disk.path)
        disk.fail(fuse.WRITE, stall=True)
        at.io.send(wire.io(wire.WRITE, 1, 0, 16, dptr=wire.sgl_in_capsule(8192)), in_capsule=DATA)
        disk.wait_stalled(1)
        at.server.process.send_signal(signal.SIGTERM)
        # It gives up and says so. The kernel keeps what is left of the process until the disk has
        # answered, which nobody can hasten.
        end = time.monotonic() + 20
        while "stopped without its disk" not in at.server.errors() and time.monotonic() < end:
            with contextlib.suppress(subprocess.TimeoutExpired):
                at.server.process.wait(0.1)
        at.logged("stopped without its disk")
        at.host.close()
        disk.release()
        want(at.server.process.wait(20), 19, "exit status")


FILE = (cut_short, gone_or_replaced, size_limit)
FUSE = (
    file_system_full,
    read_errors,
    write_errors,
    short_transfers,
    stalled_disk,
    stopped_with_stalled_disk,
)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fuse", action="store_true")
    parser.add_argument("-k", default="", help="only those whose name has this")
    chosen = parser.parse_args()
    if chosen.fuse:
        fuse.enter_namespace()
    failed = 0
    for test in FUSE if chosen.fuse else FILE:
        if chosen.k not in test.__name__:
            continue
        try:
            test()
            print(f"ok - {test.__doc__}", flush=True)
        except (Wrong, Broken, Gone, Silence, TimeoutError, host.Refused) as error:
            failed += 1
            print(f"not ok - {test.__doc__}\n# {type(error).__name__}: {error}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
