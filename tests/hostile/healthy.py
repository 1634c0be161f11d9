# SPDX-License-Identifier: BSD-2-Clause
"""A healthy host in a process of its own, so that its latency is the target's and not that of a
busy test beside it: `python3 healthy.py URI` writes and verifies until its stdin ends, then tells.
"""
import json
import subprocess
import sys
from pathlib import Path

from bench import Wrong
from serving import Healthy, settings_of


class Beside:
    """Runs it; finish() is what it told: rounds, fault, worst_ms, p99_ms."""

    def __init__(self, uri):
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve()), uri],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        if self.process.stdout.readline() != b"begun\n":
            raise Wrong("the healthy host could not begin")

    def finish(self):
        told, _ = self.process.communicate(timeout=60)
        if self.process.returncode:
            raise Wrong(f"the healthy host ended with {self.process.returncode}")
        return json.loads(told)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def main():
    healthy = Healthy(settings_of(sys.argv[1]).stranger().but(limit=30.0, kato=60000))
    healthy.round()
    print("begun", flush=True)
    healthy.start()
    sys.stdin.read()
    fault = healthy.finish()
    took = sorted(healthy.took)
    print(
        json.dumps(
            {
                "rounds": healthy.rounds,
                "fault": fault,
                "worst_ms": took[-1] * 1000,
                "p99_ms": took[len(took) * 99 // 100] * 1000,
            }
        )
    )


if __name__ == "__main__":
    main()
