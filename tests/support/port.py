#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""port.py KIND: holds a port of 127.0.0.1 until its stdin ends, and prints its number first.

    free      nobody has it: prints the number and ends
    closed    a connect is refused: bound, but nobody listens
    full      a connect is not answered: the queue of those who wait is full
    silent    a connect succeeds, and nothing ever comes
    hangup    a connect succeeds, and the connection is closed at once
    reset     the same with a reset
    http      answers the first bytes with an HTTP error, as a web server does
    garbage   sends 4 KiB that mean nothing
"""
import random
import selectors
import socket
import struct
import sys

HTTP = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def answer(kind, connection):
    """Does what the kind says; false when the connection stays open."""
    if kind == "silent":
        return False
    if kind == "http":
        connection.recv(4096)
        connection.sendall(HTTP)
    if kind == "garbage":
        connection.sendall(random.Random(1).randbytes(4096))
    if kind == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    return True


def fill(listener):
    """Connections that nobody accepts, until one more is not let in."""
    listener.listen(0)
    waiting = []
    while True:
        one = socket.socket()
        one.settimeout(0.3)
        waiting.append(one)
        try:
            one.connect(listener.getsockname())
        except TimeoutError:
            return waiting


def main(kind):
    if kind not in ("free", "closed", "full", "silent", "hangup", "reset", "http", "garbage"):
        raise SystemExit(__doc__)
    listener = socket.create_server(("127.0.0.1", 0)) if kind != "closed" else socket.socket()
    if kind == "closed":
        listener.bind(("127.0.0.1", 0))
    held = fill(listener) if kind == "full" else []
    print(listener.getsockname()[1], flush=True)
    if kind == "free":
        return
    with selectors.DefaultSelector() as selector:
        selector.register(sys.stdin, selectors.EVENT_READ)
        if kind not in ("closed", "full"):
            selector.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is sys.stdin:
                    if not sys.stdin.buffer.read1(4096):
                        return
                    continue
                connection, _ = listener.accept()
                try:
                    if not answer(kind, connection):
                        held.append(connection)
                except OSError:
                    connection.close()  # the other side was quicker


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) == 2 else "")
