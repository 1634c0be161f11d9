# SPDX-License-Identifier: BSD-2-Clause
"""A program at a terminal, and what its screen shows: a pty, and as much of a VT100 as line editing
needs. A test says what it types and what it waits to see; nothing waits for a while.
"""
import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
import unicodedata

LIMIT_S = float(os.environ.get("NVMF_TEST_LIMIT", "30"))

SEQUENCE = re.compile(r"\x1b(?:\[([0-9;?]*)([@-~])|[()].|[=>78cDEHMNO])")


class Screen:
    """Rows of cells. A character beyond the last column wraps when the next one comes."""

    def __init__(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.cells = [[" "] * columns for _ in range(rows)]
        self.looks = [[""] * columns for _ in range(rows)]
        self.row = self.column = 0
        self.wraps = False  # the last column is full
        self.look = ""
        self.left = []  # rows that have gone off the top
        self.rest = ""
        self.strange = []  # sequences that this screen does not know

    def resize(self, rows, columns):
        """As xterm: cuts or pads; lines are not wrapped anew."""
        for grid, blank in ((self.cells, " "), (self.looks, "")):
            while len(grid) > rows and self.row < len(grid) - 1:
                grid.pop()
            while len(grid) > rows:
                grid.pop(0)
            while len(grid) < rows:
                grid.append([])
            for line in grid:
                del line[columns:]
                line.extend([blank] * (columns - len(line)))
        self.rows, self.columns = rows, columns
        self.row, self.column = min(self.row, rows - 1), min(self.column, columns - 1)
        self.wraps = False

    def line_feed(self):
        if self.row + 1 < self.rows:
            self.row += 1
            return
        self.left.append("".join(self.cells.pop(0)).rstrip())
        self.looks.pop(0)
        self.cells.append([" "] * self.columns)
        self.looks.append([""] * self.columns)

    def put(self, character):
        width = 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if self.wraps or self.column + width > self.columns:
            self.column, self.wraps = 0, False
            self.line_feed()
        self.cells[self.row][self.column] = character
        self.looks[self.row][self.column] = self.look
        if width == 2:
            self.cells[self.row][self.column + 1] = ""
        self.column += width
        if self.column >= self.columns:
            self.column, self.wraps = self.columns - 1, True

    def erase(self, row, begin, end):
        for column in range(begin, end):
            self.cells[row][column], self.looks[row][column] = " ", ""

    def control(self, arguments, final):
        first = int((arguments.split(";")[0] or "0").lstrip("?"))
        count = max(first, 1)
        self.wraps = self.wraps and final == "m"
        if final == "m":
            self.look = "" if arguments in ("", "0") else self.look + arguments + ";"
        elif final == "A":
            self.row = max(self.row - count, 0)
        elif final == "B":
            self.row = min(self.row + count, self.rows - 1)
        elif final == "C":
            self.column = min(self.column + count, self.columns - 1)
        elif final == "D":
            self.column = max(self.column - count, 0)
        elif final == "G":
            self.column = min(count, self.columns) - 1
        elif final in "Hf":
            parts = [int(p or 1) for p in (arguments or "1;1").split(";")]
            self.row, self.column = parts[0] - 1, (parts[1] if len(parts) > 1 else 1) - 1
        elif final == "K":
            begin, end = (self.column, self.columns) if first == 0 else (0, self.columns)
            self.erase(self.row, begin, self.column + 1 if first == 1 else end)
        elif final == "J":
            self.erase(self.row, self.column if first == 0 else 0, self.columns)
            for row in range(self.row + 1 if first == 0 else 0, self.rows):
                self.erase(row, 0, self.columns)
        elif final == "P":
            for grid, blank in ((self.cells, " "), (self.looks, "")):
                line = grid[self.row]
                del line[self.column : self.column + count]
                line.extend([blank] * (self.columns - len(line)))
        elif final == "@":
            for grid, blank in ((self.cells, " "), (self.looks, "")):
                grid[self.row][self.column : self.column] = [blank] * count
                del grid[self.row][self.columns :]
        elif final == "h" or final == "l":
            pass
        else:
            self.strange.append(f"ESC [ {arguments} {final}")

    def feed(self, text):
        text, self.rest = self.rest + text, ""
        at = 0
        while at < len(text):
            character = text[at]
            if character == "\x1b":
                found = SEQUENCE.match(text, at)
                if found is None and len(text) - at < 16:
                    self.rest = text[at:]
                    return
                if found is None or found[2] is None:
                    self.strange.append(repr(text[at : at + 8]))
                    at = found.end() if found else at + 1
                    continue
                self.control(found[1], found[2])
                at = found.end()
                continue
            if character == "\n":
                self.line_feed()
                self.wraps = False
            elif character == "\r":
                self.column, self.wraps = 0, False
            elif character == "\b":
                self.column, self.wraps = max(self.column - 1, 0), False
            elif character == "\t":
                self.column = min((self.column // 8 + 1) * 8, self.columns - 1)
            elif character >= " ":
                self.put(character)
            at += 1

    def lines(self):
        """All rows, those that have gone off the top too, without empty ones at the end."""
        rows = self.left + ["".join(row).rstrip() for row in self.cells]
        while rows and not rows[-1]:
            rows.pop()
        return rows

    def text(self):
        return "\n".join(self.lines())

    def cursor(self):
        return self.row, self.column


class Session:
    def __init__(self, *command, rows=24, columns=80, environment=()):
        self.screen = Screen(rows, columns)
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.raw = ""
        self.status = None
        told = {**os.environ, "TERM": "xterm", **dict(environment)}
        told.pop("NO_COLOR", None) if "NO_COLOR" not in dict(environment) else None
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execvpe(command[0], command, told)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        data = text.encode()
        while data:
            _, writable, _ = select.select([], [self.terminal], [], LIMIT_S)
            assert writable, "the terminal takes nothing"
            data = data[os.write(self.terminal, data[:512]) :]
            self.take(0)

    def take(self, seconds):
        """Reads what has come; False when there is nothing, or will not be."""
        readable, _, _ = select.select([self.terminal], [], [], seconds)
        if not readable:
            return False
        try:
            data = os.read(self.terminal, 65536)
        except OSError:
            data = b""
        text = self.decoder.decode(data)
        self.raw += text
        self.screen.feed(text)
        return bool(data)

    def until(self, what, there):
        limit = time.monotonic() + LIMIT_S
        while not there():
            left = limit - time.monotonic()
            if left <= 0 or not self.take(left):
                if there():
                    break
                shown = "\n".join(f"  |{line}" for line in self.screen.lines())
                raise AssertionError(f"the screen never showed {what}; it is, with the cursor at "
                                     f"{self.screen.cursor()}:\n{shown}")

    def see(self, text, times=1):
        self.until(repr(text), lambda: self.screen.text().count(text) >= times)

    def see_last(self, line, column=None):
        """The row of the cursor, or the last one that is not empty, is `line`."""
        def there():
            shown = self.screen.lines()
            return bool(shown) and shown[-1] == line.rstrip() and (
                column is None or self.screen.column == column)
        self.until(f"{line!r} last, with the cursor in column {column}", there)

    def resize(self, rows, columns):
        self.screen.resize(rows, columns)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def end(self):
        """The exit status, once the program has ended."""
        limit = time.monotonic() + LIMIT_S
        while self.take(max(limit - time.monotonic(), 0)):
            pass
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        while pid == 0 and time.monotonic() < limit:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid == 0:
            self.abandon()
            raise AssertionError(f"still running:\n{self.screen.text()}")
        os.close(self.terminal)
        self.status = os.waitstatus_to_exitcode(status)
        assert not self.screen.strange, self.screen.strange
        return self.status

    def abandon(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)
