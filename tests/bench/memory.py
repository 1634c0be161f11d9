# SPDX-License-Identifier: BSD-2-Clause
"""What `nvmfctl serve` takes: alone, with idle hosts, and with an I/O queue for each of them."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "hostile"))

import host  # noqa: E402  pylint: disable=wrong-import-position


def resident(pid):
    """RSS; PSS: pages that other programs share counted by their share; the pages that are only
    its own and written to. KiB."""
    values = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        for line in rollup.readlines()[1:]:
            key, _, rest = line.partition(":")
            values[key] = int(rest.split()[0])
    keys = {"rss_kib": "Rss", "pss_kib": "Pss", "dirty_kib": "Private_Dirty"}
    return {name: values[key] for name, key in keys.items()}


def memory_of_serve(serving, nqn, hosts):
    """`serving`: the context of a fresh target. A host is an admin queue that Connect has opened;
    the raw host of tests/hostile makes them, so that only the target's memory grows."""
    with serving as (server, uri):
        port = int(uri.split("/")[2].rpartition(":")[2])
        states = [{"what": "idle", **resident(server.pid)}]
        # With a keep alive timeout of 0 an idle host is not missed.
        settings = host.Settings(port=port, subnqn=nqn, sqsize=127)
        open_now = []
        try:
            for _ in range(hosts):
                open_now.append(host.Association(settings.stranger(), io=0))
            states.append({"what": f"{hosts} idle hosts", **resident(server.pid)})
            for one in open_now:
                one.admin.must(host.wire.set_features(7, 0))  # one I/O queue pair
                one.add_queue(1)
            what = f"{hosts} idle hosts, each with an I/O queue of 128"
            states.append({"what": what, **resident(server.pid)})
        finally:
            for one in open_now:
                one.close()
    return states
