# SPDX-License-Identifier: BSD-2-Clause
"""A disk that fails on request: a file system with one file, `disk`, spoken over /dev/fuse by hand
(linux/fuse.h, protocol 7.31), without cache: each pread, pwrite and fdatasync of the program
under test comes here. What was written and not synced is forgotten when the power goes.
"""
import contextlib
import ctypes
import errno
import os
import stat
import struct
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass

(LOOKUP, FORGET, GETATTR, SETATTR, OPEN, READ, WRITE, STATFS, RELEASE, FSYNC, FLUSH, INIT) = (
    1, 2, 3, 4, 14, 15, 16, 17, 18, 20, 25, 26
)
INTERRUPT, DESTROY, BATCH_FORGET, FALLOCATE = 36, 38, 42, 43
ROOT, FILE = 1, 2
NO_ANSWER = (FORGET, BATCH_FORGET, INTERRUPT)
MAX_WRITE = 1 << 20
MNT_DETACH = 2
DIRECT_IO = 1


@dataclass
class Fault:
    """What the next `count` requests of that kind get that touch bytes from `first` to `end`."""

    kind: int  # READ, WRITE, FSYNC
    error: int = 0
    first: int = 0
    end: int = 1 << 62
    count: int = 1 << 30
    stall: bool = False
    short: int = 0  # bytes that are carried out, and no more

    def takes(self, kind, first, end):
        return kind == self.kind and self.count > 0 and first < self.end and end > self.first


class FuseDisk:
    """`path` is the file while this is entered. Needs a mount: root, or a user namespace."""

    def __init__(self, folder, size):
        self.folder, self.path = folder, os.path.join(folder, "disk")
        self.now, self.safe = bytearray(size), bytearray(size)  # written, and synced
        self.dirty = {}  # offsets written since the last sync, and their data
        self.faults, self.stalled, self.seen = [], [], {}
        self.lies = False  # says that it has synced, and has not
        self.lock = threading.Condition()
        self.fd = self.thread = None

    def __enter__(self):
        self.fd = os.open("/dev/fuse", os.O_RDWR)
        libc = ctypes.CDLL(None, use_errno=True)
        options = f"fd={self.fd},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}"
        if libc.mount(b"disk", self.folder.encode(), b"fuse", 0, options.encode()):
            code = ctypes.get_errno()
            os.close(self.fd)
            raise OSError(code, f"mount: {os.strerror(code)}")
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.release()
        ctypes.CDLL(None).umount2(self.folder.encode(), MNT_DETACH)
        self.thread.join(10)
        os.close(self.fd)

    # ---- what a test does to it ----------------------------------------------------------------

    def fail(self, kind, **how):
        with self.lock:
            self.faults.append(Fault(kind, **how))

    def heal(self):
        with self.lock:
            self.faults.clear()

    def wait_stalled(self, count, limit=20):
        with self.lock:
            if not self.lock.wait_for(lambda: len(self.stalled) >= count, limit):
                raise TimeoutError(f"{len(self.stalled)} requests are stalled, not {count}")

    def release(self):
        """What is stalled is carried out now."""
        with self.lock:
            self.faults.clear()
            waiting, self.stalled = self.stalled, []
        for request in waiting:
            self.act(*request)

    def power_cut(self, random):
        """Of each write that was not synced, all, some sectors or none has reached the medium."""
        with self.lock:
            for offset, data in self.dirty.items():
                for at in range(0, len(data), 512):
                    if random.random() < 0.5:
                        self.safe[offset + at : offset + at + 512] = data[at : at + 512]
            self.dirty.clear()
            self.now[:] = self.safe

    def resize(self, size):
        with self.lock:
            for image in (self.now, self.safe):
                del image[size:]
                image.extend(bytes(size - len(image)))

    # ---- the protocol --------------------------------------------------------------------------

    def serve(self):
        while True:
            try:
                request = os.read(self.fd, MAX_WRITE + 4096)
            except OSError as error:
                if error.errno in (errno.ENOENT, errno.EINTR, errno.EAGAIN):
                    continue
                return  # ENODEV: unmounted
            _, code, unique, node = struct.unpack_from("<IIQQ", request)
            self.act(code, unique, node, request[40:])
            if code == DESTROY:
                return

    def act(self, code, unique, node, body):
        if code in NO_ANSWER:
            return
        self.seen[code] = self.seen.get(code, 0) + 1
        try:
            answer = self.answer(code, unique, node, body)
        except OSError as error:
            self.reply(unique, b"", -error.errno)
            return
        if answer is not None:
            self.reply(unique, answer)

    def reply(self, unique, data, error=0):
        try:
            os.write(self.fd, struct.pack("<IiQ", 16 + len(data), error, unique) + data)
        except OSError:
            pass  # whoever asked is gone

    def answer(self, code, unique, node, body):
        if code == INIT:
            return struct.pack("<IIIIHHIIHHI28x", 7, 31, 1 << 20, 0x20, 64, 48, MAX_WRITE, 1, 256,
                               0, 0)
        if code == LOOKUP:
            if body.rstrip(b"\0") != b"disk":
                raise OSError(errno.ENOENT, "")
            return struct.pack("<QQQQII", FILE, 1, 0, 0, 0, 0) + self.attributes(FILE)
        if code == GETATTR:
            return struct.pack("<QII", 0, 0, 0) + self.attributes(node)
        if code == SETATTR:
            valid, size = struct.unpack_from("<I12xQ", body)
            if valid & 8:
                self.resize(size)
            return struct.pack("<QII", 0, 0, 0) + self.attributes(node)
        if code == OPEN:
            return struct.pack("<QII", 0, DIRECT_IO, 0)
        if code in (RELEASE, FLUSH, DESTROY):
            return b""
        if code == STATFS:
            return struct.pack("<QQQQQIIII24x", 1 << 20, 1 << 20, 1 << 20, 10, 10, 4096, 255, 4096,
                               0)
        if code in (READ, WRITE, FSYNC):
            return self.transfer(code, unique, node, body)
        raise OSError(errno.ENOSYS, "")  # FALLOCATE too: there are no holes here

    def attributes(self, node):
        folder = node == ROOT
        mode = stat.S_IFDIR | 0o755 if folder else stat.S_IFREG | 0o600
        size = 0 if folder else len(self.now)
        times = (0,) * 3 + (0,) * 3
        return struct.pack("<6Q10I", node, size, size // 512, *times[:3], *times[3:], mode,
                           2 if folder else 1, os.getuid(), os.getgid(), 0, 4096, 0)

    def transfer(self, code, unique, node, body):
        offset, size = (0, 1 << 62) if code == FSYNC else struct.unpack_from("<8xQI", body)
        with self.lock:
            fault = next((f for f in self.faults if f.takes(code, offset, offset + size)), None)
            if fault:
                fault.count -= 1
                if fault.stall:
                    self.stalled.append((code, unique, node, body))
                    self.lock.notify_all()
                    return None
                if fault.error:
                    raise OSError(fault.error, "")
                size = min(size, fault.short or size)
            if code == READ:
                return bytes(self.now[offset : offset + size])
            if code == FSYNC and self.lies:
                return b""
            if code == FSYNC:
                self.safe[:] = self.now
                self.dirty.clear()
                return b""
            data = body[40 : 40 + size]
            if offset + len(data) > len(self.now):
                raise OSError(errno.ENOSPC, "")
            self.now[offset : offset + len(data)] = data
            self.dirty[offset] = data
            return struct.pack("<II", len(data), 0)


def enter_namespace():
    """Starts this program again where it may mount; returns there. Ends with 77 where that is not
    possible, and says why."""
    if os.environ.get("NVMF_MAY_MOUNT"):
        return
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        skip("/dev/fuse is not there, or not for us")
    unshare = ["unshare", "--map-root-user", "--mount"]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        skip("unshare(1) makes no user and mount namespace here")
    os.environ["NVMF_MAY_MOUNT"] = "1"
    os.execvp(unshare[0], [*unshare, sys.executable, *sys.argv])


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


@contextlib.contextmanager
def disk_of(size):
    """A FuseDisk in a folder of its own; a skip where the kernel refuses the mount."""
    with tempfile.TemporaryDirectory() as folder:
        disk = FuseDisk(folder, size)
        try:
            disk.__enter__()
        except OSError as error:
            skip(f"FUSE cannot be mounted here: {error}")
        try:
            yield disk
        finally:
            disk.__exit__()
