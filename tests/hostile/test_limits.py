#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `nvmfctl` ($NVMFCTL) does when the system gives no more: descriptors (ulimit -n) and, with
--memory, memory (ulimit -v, which a sanitizer does not go with). Newcomers are refused politely,
those who are there go on with verified reads and writes, and one line says what is short.
"""
import argparse
import os
import random
import resource
import select
import signal
import subprocess
import sys


import host
import wire
from bench import Wrong, check
from channel import Broken, Gone, Silence
from serving import LISTEN, Healthy, Serve, settings_of

INTERNAL_ERROR = (0, 0x06)
MIB = 1 << 20
CROWD = 40
FEW = range(4, 16)


class Running:
    """serve, and a healthy host beside whatever is done to it."""

    def __init__(self, program, *arguments):
        self.server = Serve(program, *LISTEN, *(arguments or ("--ns", "ram:64M")))
        self.settings = settings_of(self.server.uris[0])
        self.healthy = Healthy(self.settings.stranger().but(limit=20.0))
        self.held = []

    def __enter__(self):
        self.healthy.start()
        return self

    def __exit__(self, kind, *_):
        for each in self.held:
            each.close()
        log = self.server.errors()
        complaints = self.healthy.finish() + self.server.stop()
        if kind is None and complaints:
            raise Wrong("\n".join(complaints))
        if kind is not None:
            print("\n".join(f"# serve: {line}" for line in log.splitlines()[-12:]))

    def hold(self, queue):
        self.held.append(queue)
        return queue

    def let_go(self, count):
        for each in self.held[:count]:
            each.close()
        del self.held[:count]

    def limit(self, what, soft):
        pid = self.server.process.pid
        resource.prlimit(pid, what, (soft, resource.prlimit(pid, what)[1]))

    def size(self):
        with open(f"/proc/{self.server.process.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[0]) * os.sysconf("SC_PAGESIZE")

    def cpu_seconds(self):
        with open(f"/proc/{self.server.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rounds(self, more):
        """The healthy host does so many rounds from here on."""
        want = self.healthy.rounds + more
        while self.healthy.rounds < want:
            if not self.healthy.is_alive():
                raise Wrong(self.healthy.fault or "the healthy host ended")
            self.healthy.join(0.01)

    def lines(self, text):
        return sum(text in line for line in self.server.errors().splitlines())


def attempt(make):
    """What make() gave, or None when it was refused: closed, reset. Silence is no refusal."""
    try:
        return make()
    except Gone:
        return None
    except (ConnectionResetError, BrokenPipeError):
        return None


# ---- descriptors -----------------------------------------------------------------------------


def descriptors_run_out(program):
    """ulimit -n: existing connections work, others are closed at once, then welcome again."""
    with Running(program) as at:
        at.rounds(3)
        most = at.server.descriptors() + 8
        at.limit(resource.RLIMIT_NOFILE, most)
        while (queue := attempt(lambda: host.open_queue(at.settings))) is not None:
            at.hold(queue)
            check(len(at.held) <= 8, "more connections were taken than there are descriptors")
        check(len(at.held) == 8, f"{len(at.held)} connections were taken, 8 descriptors were free")
        for _ in range(100):
            check(not attempt(lambda: host.open_queue(at.settings)), "taken beyond the limit")
        at.rounds(10)
        text = f"this process may have {most} descriptors, `ulimit -n` raises that"
        check(at.lines(text) == 1, f"'{text}' stands {at.lines(text)} times in the log, not once")
        at.let_go(6)
        # Whether the closes have been seen is shown by the first newcomer that gets in.
        for _ in range(200):
            queue = attempt(lambda: host.open_queue(at.settings))
            if queue is not None:
                break
        check(queue is not None, "no connection is taken though others have gone")
        at.hold(queue)
        with host.Association(at.settings.stranger()) as fresh:
            check(fresh.io[0].write(1, 7, b"x" * 512).ok, "a newcomer's write")
        at.rounds(3)
        print("# 100 connections refused at the limit, the healthy host did "
              f"{at.healthy.rounds} rounds")


def waiting_costs_nothing(program):
    """With every descriptor taken, the listener rests."""
    with Running(program) as at:
        at.rounds(1)
        at.limit(resource.RLIMIT_NOFILE, at.server.descriptors() + 1)
        while (queue := attempt(lambda: host.open_queue(at.settings))) is not None:
            at.hold(queue)
        for complaint in at.healthy.finish():
            raise Wrong(complaint)
        # Of the two descriptors that the healthy host gave back, none is left either.
        for _ in range(200):
            queue = attempt(lambda: host.open_queue(at.settings))
            if queue is not None:
                at.hold(queue)
        before = at.cpu_seconds()
        quiet = at.held[0].channel.sock
        check(not select.select([quiet], [], [], 1.0)[0], "an idle connection was disturbed")
        used = at.cpu_seconds() - before
        check(used < 0.2, f"serve used {used:.2f} s of CPU in a second of nothing to do")
        at.healthy.finish = lambda: []


def starts_with_few(program):
    """However few descriptors there are, a command works or says in a sentence why not."""
    fine = 0
    for most in FEW:
        fine += few(program, ["serve", "--listen", "127.0.0.1:0", "--", "true"], most)
    check(fine > 0, "serve never started")
    with Running(program) as at:
        uri = at.server.uris[0]
        place = uri.rpartition("/")[0]
        for command in (["connect", uri], ["bench", uri, "--time", "0.1s"], ["discover", place]):
            fine = sum(few(program, command, most) for most in FEW)
            print(f"# {command[0]}: {fine} of {len(FEW)} runs with 4 to 15 descriptors work")
            check(fine > 0, f"{command[0]} never worked")


def few(program, command, most):
    def before():
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    return one_sentence(program, command, before, f"with {most} descriptors")


def one_sentence(program, command, before, where):
    """Did it work? If not it must have said why, in one line of its own."""
    done = subprocess.run(
        [program, *command], preexec_fn=before, capture_output=True, text=True, timeout=60,
        check=False, stdin=subprocess.DEVNULL,
    )
    what = f"{' '.join(command)} {where}: exit status {done.returncode}: {done.stderr}"
    if done.returncode == 0:
        return True
    if "error while loading shared libraries" in done.stderr or done.returncode == -signal.SIGKILL:
        return False  # it never came to life
    said = [x for x in done.stderr.splitlines() if x.startswith("nvmfctl: ") and ": info:" not in x]
    check(done.returncode in range(1, 128), what)
    check(len(said) == 1 and len(said[0]) > 30, what)
    return False


# ---- memory ----------------------------------------------------------------------------------


def memory_runs_out(program):
    """ulimit -v: newcomers are refused, commands get Internal Error or succeed, none is lost."""
    with Running(program) as at:
        busy = host.Association(at.settings.stranger().but(sqsize=127, limit=20.0), io=2)
        at.hold(busy)
        at.rounds(5)
        at.limit(resource.RLIMIT_AS, at.size() + 2 * MIB)
        refused = taken = 0
        for _ in range(300):
            fresh = attempt(lambda: host.Association(at.settings.stranger().but(sqsize=1023)))
            refused += fresh is None
            taken += fresh is not None
            if fresh:
                at.hold(fresh)
        check(refused > 0, f"{taken} newcomers, and none was refused")
        print(f"# with 2 MiB left {taken} associations came up, {refused} were refused")
        check(at.lines("memory is short") > 0, "the log does not say that memory is short")
        at.rounds(10)
        counts = {"fine": 0, "no memory": 0}
        for queue in busy.io:
            flood(queue, counts)
        check(counts["no memory"] > 0, f"{counts}: memory was not short")
        print(f"# {counts['fine']} large commands succeeded, {counts['no memory']} got "
              "Internal Error")
        at.rounds(10)
        at.limit(resource.RLIMIT_AS, resource.RLIM_INFINITY)
        with host.Association(at.settings.stranger()) as fresh:
            check(fresh.io[0].write(1, 7, b"x" * 512).ok, "a newcomer's write, with memory again")
        counts = {"fine": 0, "no memory": 0}
        flood(busy.io[0], counts)
        check(counts["no memory"] == 0, f"{counts}, with memory again")


def flood(queue, counts, depth=100, size=MIB):
    """Writes, then reads of MDTS, all at once; each ends, well or with Internal Error."""
    data = random.Random(1).randbytes(size)
    for opcode, how in ((wire.WRITE, {"give": data}), (wire.READ, {"take": size})):
        entry = wire.io(opcode, 1, 4096, size // 512, dptr=wire.sgl_transport(size))
        count_ends(queue, [queue.send(entry, **how) for _ in range(depth // 2)], counts)


def count_ends(queue, commands, counts):
    for command in commands:
        queue.wait(command)
        if command.ok:
            counts["fine"] += 1
        elif (command.cqe.sct, command.cqe.sc) == INTERNAL_ERROR and not command.cqe.dnr:
            counts["no memory"] += 1
        else:
            raise Wrong(f"a command without memory: {command}")


def grows_without_memory(program):
    """Queues that were idle when memory ran out: each does its work, or ends; serve lives on."""
    with Running(program) as at:
        several = [
            at.hold(host.Association(at.settings.stranger().but(sqsize=1023, limit=20.0)))
            for _ in range(CROWD)
        ]
        at.rounds(3)
        at.limit(resource.RLIMIT_AS, at.size())
        ended = 0
        for one in several:
            try:
                deepen(one.io[0])
            except Gone:
                ended += 1
        check(ended < CROWD, "all queues were ended")
        print(f"# of {CROWD} queues that fill at once {ended} were ended for want of memory")
        at.limit(resource.RLIMIT_AS, resource.RLIM_INFINITY)
        at.rounds(5)
        with host.Association(at.settings.stranger()) as fresh:
            check(fresh.io[0].write(1, 7, b"x" * 512).ok, "a newcomer's write, with memory again")


def deepen(queue):
    """As many commands as the queue holds, each with data in the capsule."""
    data, commands = b"d" * 4096, []
    for i in range(1000):
        entry = wire.io(wire.WRITE, 1, i * 8, 8, dptr=wire.sgl_in_capsule(4096))
        commands.append(queue.send(entry, in_capsule=data))
    for command in commands:
        queue.wait(command)
        fine = command.ok or (command.cqe.sct, command.cqe.sc) == INTERNAL_ERROR
        check(fine, f"a command without memory: {command}")


def mapped_size(program):
    """From the first to the last byte that its ELF segments ask for."""
    with open(program, "rb") as file:
        head = file.read(64)
        start, size, count = (
            int.from_bytes(head[32:40], "little"),
            int.from_bytes(head[54:56], "little"),
            int.from_bytes(head[56:58], "little"),
        )
        file.seek(start)
        rows = [file.read(size) for _ in range(count)]
    number = [[int.from_bytes(r[i : i + 8], "little") for i in (16, 40)] for r in rows if r[0] == 1]
    return max(at + long for at, long in number)


def starts_with_little(program):
    """However little memory there is, a command works or says in a sentence why not."""
    fine, command = 0, ["serve", "--listen", "127.0.0.1:0", "--ns", "ram:1M", "--", "true"]
    # With less than the program, its loader and its stack take, the kernel ends it before its first
    # instruction.
    first = (mapped_size(program) + MIB // 2) // MIB // 2 * 2 + 2
    for mib in range(first, first + 60, 2):

        def before(most=mib * MIB):
            resource.setrlimit(resource.RLIMIT_AS, (most, most))

        fine += one_sentence(program, command, before, f"with {mib} MiB")
    check(fine > 0, "serve never started")
    print(f"# serve started with {fine} of 30 limits from {first} to {first + 58} MiB")

    def gigabyte():
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))

    large = ["serve", "--listen", "127.0.0.1:0", "--ns", "ram:64G", "--", "true"]
    check(not one_sentence(program, large, gigabyte, "with 1 GiB"), "64 GiB within 1 GiB")


DESCRIPTORS = (descriptors_run_out, waiting_costs_nothing, starts_with_few)
MEMORY = (memory_runs_out, grows_without_memory, starts_with_little)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--memory", action="store_true", help="memory, not descriptors")
    parser.add_argument("-k", default="", help="only those whose name has this")
    chosen = parser.parse_args()
    failed = 0
    for test in MEMORY if chosen.memory else DESCRIPTORS:
        if chosen.k not in test.__name__:
            continue
        try:
            test(os.environ["NVMFCTL"])
            print(f"ok - {test.__doc__}", flush=True)
        except (Wrong, Broken, Gone, Silence, host.Refused) as error:
            failed += 1
            print(f"not ok - {test.__doc__}\n# {type(error).__name__}: {error}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
