# SPDX-License-Identifier: BSD-2-Clause
"""What the rules share: the tree they look at, and how a rule is written down with the samples
that prove that it can fail.
"""
import os
import re
from dataclasses import dataclass, field
from typing import Callable

RULES = []
CODE = (".cpp", ".hpp", ".h", ".def")
SCRIPTS = (".py", ".sh", ".bash", ".cmake", ".js", ".css", ".html")
SCRIPT_NAMES = ("CMakeLists.txt", "dev", "run", ".clang-format", ".clang-tidy")
SKIPPED = (".git", ".cache", "__pycache__")


@dataclass
class Rule:
    name: str
    why: str
    check: Callable  # tree -> problems, each "path:line: what is wrong, what to do"
    bad: list = field(default_factory=list)  # trees that must each have a problem
    good: list = field(default_factory=list)  # trees that must have none


def rule(name, why, bad, good):
    """Decorates a generator of problems and enters it in the list of rules."""

    def enter(check):
        RULES.append(Rule(name, why, check, bad, good))
        return check

    return enter


class Tree:
    """Texts by path, relative to the top of the project."""

    def __init__(self, files):
        self.files = dict(sorted(files.items()))
        self._code = {}

    @staticmethod
    def read(top):
        files = {}
        for folder, folders, names in os.walk(top):
            folders[:] = [
                f
                for f in folders
                if f not in SKIPPED
                and not (folder == top and re.match(r"build(-|$)", f))
            ]
            for name in names:
                path = os.path.join(folder, name)
                if name in SKIPPED or os.path.islink(path):
                    continue
                with open(path, "rb") as file:
                    text = file.read()
                if b"\0" not in text:  # captures and golden bytes are not text
                    files[os.path.relpath(path, top)] = text.decode("utf-8", "replace")
        return Tree(files)

    def cpp(self, *folders):
        """C++ sources below one of the folders, or all of them."""
        for path, text in self.files.items():
            if path.endswith(CODE) and (not folders or path.startswith(folders)):
                yield path, text

    def sources(self):
        """Everything a person writes that a tool reads: C++, CMake, shell, Python, the page."""
        for path, text in self.files.items():
            name = path.rsplit("/", 1)[-1]
            if path.endswith(CODE + SCRIPTS) or name in SCRIPT_NAMES:
                yield path, text

    def code(self, path):
        """A C++ file with comments and literals blanked, line for line."""
        if path not in self._code:
            self._code[path] = blank_cpp(self.files[path])
        return self._code[path]


def blank_cpp(text):
    """Comments, strings and characters become blanks; line numbers stay."""
    token = re.compile(
        r'R"(?P<d>[^()\s\\]{0,16})\(.*?\)(?P=d)"'
        r'|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"'
        r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'",
        re.S,
    )

    def blank(match):
        start = match[0][:2]
        if start not in ("//", "/*") and "include" in _line_before(text, match.start()):
            return match[0]
        return re.sub(r"[^\n]", " ", match[0])

    return token.sub(blank, text)


def _line_before(text, at):
    return text[text.rfind("\n", 0, at) + 1 : at]


def is_table(path):
    """Rows and layouts are wide and long by nature."""
    return path.endswith(".def") or path.startswith("libcore/wire/layouts/")


def each_match(pattern, path, text):
    """Problems' places: yields "path:line" and the match for every match in the text."""
    for match in re.finditer(pattern, text, re.M):
        yield f"{path}:{text.count(chr(10), 0, match.start()) + 1}", match
