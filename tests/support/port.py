#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""port.py KIND: holds a port of 127.0.0.1 until its stdin ends, and prints its number first.

    free      nobody has it: prints the number and ends
    closed    a connect is refused: bound, but nobody listens
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


def main(kind):
    if kind not in ("free", "closed", "silent", "hangup", "reset", "http", "garbage"):
        raise SystemExit(__doc__)
    listener = socket.create_server(("127.0.0.1", 0)) if kind != "closed" else socket.socket()
    if kind == "closed":
        listener.bind(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    if kind == "free":
        return
    held = []
    with selectors.DefaultSelector() as selector:
        selector.register(sys.stdin, selectors.EVENT_READ)
        if kind != "closed":
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
