# SPDX-License-Identifier: BSD-2-Clause
"""A raw NVMe/TCP target for scripts: it brings any host all the way up with legal answers, judges
what the host does (`breaches`), and breaks the rules it is asked to break (`bend`).

`bend` maps the name of a stage to a function(link, reply) that changes the reply before it leaves.
Stages: accept, icresp, connect, io-connect, cap, vs, cc, csts, property-set, identify-CNS,
set-features-FID, get-features-FID, log-LID, aer, abort, keep-alive, disconnect, read, write, r2t,
flush, other.
"""
import socket
import threading

import wire
from channel import Trace
from commands import CommandLink
from controller import Controller


class Target:
    """Listens on 127.0.0.1; `with Target(...) as target:` ends every connection at the end."""

    def __init__(
        self,
        bend=None,
        *,
        subnqn="nqn.2024-01.org.example:hostile",
        digests=3,
        cpda=0,
        maxh2c=4096,
        r2t_bytes=None,
        together=None,
        maxcmd=128,
        patience=10.0,
        eagerness=0.0,
        entries=(),
        grant_no_sq_flow=True,
        blocks=2048,
        chop=False,
    ):
        self.bends, self.subnqn, self.digests, self.cpda = dict(bend or {}), subnqn, digests, cpda
        self.maxh2c, self.r2t_bytes, self.patience, self.eagerness = (
            maxh2c,
            r2t_bytes,
            patience,
            eagerness,
        )
        self.entries, self.grant_no_sq_flow, self.blocks = list(entries), grant_no_sq_flow, blocks
        self.breaches, self.links, self.reached, self.controllers = [], [], [], {}
        self.together = together  # R2Ts at once, whatever MAXR2T says
        self.maxcmd = maxcmd
        self.trace = Trace(length=16)
        self.chop = chop  # every byte in a segment of its own
        self.stopping, self.changed = threading.Event(), threading.Condition()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.acceptor = threading.Thread(target=self.accept, daemon=True)
        self.acceptor.start()

    def uri(self, subnqn=None):
        return f"nvme+tcp://127.0.0.1:{self.port}/{subnqn or self.subnqn}"

    def accept(self):
        while not self.stopping.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            link = CommandLink(self, sock, len(self.links) + 1)
            self.links.append(link)
            link.start()

    def new_controller(self, subnqn):
        discovery = subnqn == wire.DISCOVERY_NQN
        controller = Controller(
            len(self.controllers) + 1,
            subnqn=subnqn,
            discovery=discovery,
            blocks=self.blocks,
            maxcmd=self.maxcmd,
        )
        controller.entries = [e(self) if callable(e) else e for e in self.entries]
        self.controllers[controller.cntlid] = controller
        return controller

    def link_ended(self, _):
        with self.changed:
            self.changed.notify_all()

    def note_reached(self, stage):
        with self.changed:
            self.reached.append(stage)
            self.changed.notify_all()

    def wait_reached(self, stage, limit, times=1):
        with self.changed:
            return self.changed.wait_for(lambda: self.reached.count(stage) >= times, limit)

    def settle(self, limit=5.0):
        """Waits until the host has ended every connection."""
        with self.changed:
            return self.changed.wait_for(lambda: all(link.ended for link in self.links), limit)

    @property
    def terms(self):
        return [link.term for link in self.links if link.term]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.stopping.is_set():
            return
        self.stopping.set()
        # A thread in accept() keeps the socket open: wake it.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.acceptor.join(5)  # then every link that there is has been started
        for link in self.links:
            try:
                link.channel.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for link in self.links:
            link.join(5)
