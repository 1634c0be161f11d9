# SPDX-License-Identifier: BSD-2-Clause
"""Rules about the text of single files."""
import re

from house import each_match, is_table, rule

SPDX = "SPDX-License-Identifier: BSD-2-Clause"
LINE_COLUMNS_MAX = 100
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 80
# What was over a limit when the rule came, and may not grow: lines of a long file, long lines of a
# file. An entry that is no longer needed is a failure, so these only shrink.
RATCHET_FILE_LINES = {}
RATCHET_LONG_LINES = {
    "tests/interop/guest/lab_test.sh": 1,
    "tests/interop/lab/kernels.sh": 3,
    "tests/interop/lab/machine.sh": 3,
}


@rule(
    "spdx",
    "the licence is on top of each file",
    bad=[{"a.cpp": "int x;\n"}, {"dev": "#!/bin/sh\n\n\n# " + SPDX + "\n"}],
    good=[{"a.cpp": f"// {SPDX}\n", "x.sh": f"#!/bin/sh\n# {SPDX}\n", "README.md": "x\n"}],
)
def spdx(tree):
    for path, text in tree.sources():
        if SPDX not in "\n".join(text.split("\n", 2)[:2]):
            yield f"{path}:1: no '{SPDX}' in the first two lines"


@rule(
    "line-length",
    "two files fit beside each other",
    bad=[{"a.hpp": "x" * 101 + "\n"}, {"tests/a.py": "x" * 101 + "\n"}],
    good=[{"a.hpp": "x" * 100 + "\n", "t.def": "x" * 200, "libcore/wire/layouts/a.hpp": "x" * 101}],
)
def line_length(tree):
    for path, text in tree.sources():
        if is_table(path):
            continue
        found = [
            f"{path}:{number}: {len(line)} columns, at most {LINE_COLUMNS_MAX}"
            for number, line in enumerate(text.split("\n"), 1)
            if len(line) > LINE_COLUMNS_MAX
        ]
        allowed = RATCHET_LONG_LINES.get(path, 0)
        if len(found) > allowed:
            yield from found
        if len(found) < allowed:
            yield f"{path}:1: {len(found)} long lines: turn its ratchet in tests/tidy down"


@rule(
    "file-length",
    "a long file holds two ideas: divide it",
    bad=[{"a.cpp": "\n" * 501}],
    good=[{"a.cpp": "\n" * 500, "t.def": "\n" * 900}],
)
def file_length(tree):
    for path, text in tree.sources():
        lines, limit = text.count("\n"), RATCHET_FILE_LINES.get(path, FILE_LINES_MAX)
        if not is_table(path) and lines > limit:
            yield f"{path}:{lines}: {lines} lines, at most {limit}"
    for path in RATCHET_FILE_LINES:
        if path not in tree.files or tree.files[path].count("\n") <= FILE_LINES_MAX:
            yield f"{path}:1: short enough now: take it off the ratchet in tests/tidy"


@rule(
    "function-length",
    "a function fits on a screen",
    bad=[{"a.cpp": "int f() {\n" + "  x();\n" * 80 + "}\n"}],
    good=[{"a.cpp": "int f() {\n" + "  x();\n" * 78 + "}\nint g(int a,\n      int b) {\n}\n"}],
)
def function_length(tree):
    for path, _ in tree.cpp():
        if path.startswith("tests/") or is_table(path):
            continue
        lines = tree.code(path).split("\n")
        for end, line in enumerate(lines):
            if line.rstrip() != "}" or "namespace" in tree.files[path].split("\n")[end]:
                continue
            start = end - 1
            while start > 0 and not re.match(r"[A-Za-z_~\[]", lines[start]):
                start -= 1
            if end - start + 1 > FUNCTION_LINES_MAX:
                yield f"{path}:{start + 1}: {end - start + 1} lines, at most {FUNCTION_LINES_MAX}"


SLEEP = r"\b(sleep_for|sleep_until|usleep|nanosleep|time\.sleep|sleep\s+[\d.$\"'{])|\bsleep\("


@rule(
    "no-sleep",
    "a test waits for an event, never for a while",
    bad=[
        {"tests/a.cpp": "std::this_thread::sleep" + "_for(1s);\n"},
        {"tests/cli/a.sh": "start &\nsleep" + " 0.1\n"},
        {"tests/a.py": "time.sleep" + "(1)\n"},
    ],
    good=[{"tests/a.sh": "exec sleep infinity\n", "cli/a.cpp": "sleep_until(x);\n"}],
)
def no_sleep(tree):
    for path, text in tree.sources():
        # The rules hold samples; the lab boots machines and watches over them, before any test.
        if path.startswith("tests/") and not path.startswith(("tests/tidy/", "tests/interop/lab/")):
            for place, match in each_match(SLEEP, path, text):
                yield f"{place}: '{match[0]}': wait for a line, a callback or a descriptor instead"


# Written so that this file does not hold them.
PLACES = r"/w[o]rk/|/f[a]rm/|/h[o]me/\w|b[a]sh_jobs|\bd[e]b\.debian|r[e]gistry\.npm|p[y]pi\.org"


@rule(
    "places",
    "the product knows no machine's paths and no registry's host",
    bad=[{"docs/a.md": "see /w" + "ork/main\n"}, {"a.sh": "curl https://d" + "eb.debian.org\n"}],
    good=[{"docs/a.md": "the framework/library\n"}],
)
def places(tree):
    for path, text in tree.files.items():
        for place, match in each_match(PLACES, path, text):
            yield f"{place}: '{match[0]}' does not belong in the product"


@rule(
    "unfinished",
    "what is not done is in an issue or in the closing note",
    bad=[{"a.cpp": "// TO" + "DO: later\n"}, {"a.sh": "# FIX" + "ME\n"}],
    good=[{"a.cpp": "int todo_list;\n"}],
)
def unfinished(tree):
    for path, text in tree.sources():
        for place, match in each_match(r"\b(TO[D]O|FIX[M]E|XX[X]|HAC[K])\b", path, text):
            yield f"{place}: '{match[0]}': finish it or file it"


@rule(
    "headers",
    "a header is read once and imposes no names",
    bad=[{"a.hpp": "int x;\n"}, {"b.hpp": "#pragma once\nusing namespace std;\n"}],
    good=[
        {
            "a.hpp": "#pragma once\nnamespace a {\nusing namespace std::chrono_literals;\n}\n",
            "a.cpp": "using namespace x;\n",
        }
    ],
)
def headers(tree):
    for path, _ in tree.cpp():
        if not path.endswith((".hpp", ".h")):
            continue
        code = tree.code(path)
        if not re.search(r"^#pragma once$", code, re.M):
            yield f"{path}:1: no #pragma once"
        if is_table(path):  # a list of fields is written with the builders' short names
            continue
        imposing = r"^\s*using namespace (?!std::(chrono_|string_view_|string_)?literals;)"
        for place, _ in each_match(imposing, path, code):
            yield f"{place}: using namespace in a header"


# What to avoid, and its replacement.
BANNED = {
    r"\bstd::format\b|#include <format>|#include <print>": "GCC 12 has no <format>: fmt::format",
    r"\bv?sprintf\s*\(": "fmt::format_to_n",
    r"\b(atoi|atol|atoll|atof|strtol|strtoul|strtoull|sscanf)\s*\(": "std::from_chars",
    r"\b(strcpy|strcat|strtok|gets|alloca)\s*\(": "std::string_view and std::span",
    r"#pragma pack|__attribute__\s*\(\(\s*packed": "a layout (libcore/wire/layout.hpp)",
    r"\brand\s*\(|\bsrand\s*\(": "a seeded generator that is passed in",
}


@rule(
    "banned",
    "calls that have a better replacement here",
    bad=[
        {"cli/a.cpp": "int x = atoi(s);\n"},
        {"libcore/wire/a.hpp": "#pragma pack(push, 1)\n"},
        {"transports/a.cpp": "auto s = std::format(\"{}\", 1);\n"},
    ],
    good=[
        {"cli/a.cpp": "// not atoi(s)\nauto s = fmt::format(\"atoi({})\", 1);\nint brand;\n"},
        {"tests/a.cpp": "int port = atoi(argv[1]);\n"},
    ],
)
def banned(tree):
    for path, _ in tree.cpp("cli/", "libcore/", "transports/"):
        for pattern, replacement in BANNED.items():
            for place, match in each_match(pattern, path, tree.code(path)):
                yield f"{place}: '{match[0]}': use {replacement}"


# How text becomes code, or a request.
PAGE = (
    r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|setHTMLUnsafe|eval|"
    r"new Function|fetch|XMLHttpRequest|WebSocket|EventSource|sendBeacon|importScripts)\b"
    r"|\bimport\b|https?://|@import|\burl\("
)


@rule(
    "page",
    "names of peers stay text in the page of a trace, and it asks nothing of a network",
    bad=[
        {"cli/tracing/page/a.js": "x.innerHTML = name;\n"},
        {"cli/tracing/page/a.js": "fetch('x');\n"},
        {"cli/tracing/page/a.css": "a { background: url(x.png); }\n"},
    ],
    good=[{"cli/tracing/page/a.js": "x.textContent = name;\n", "tests/a.py": "fetch()\n"}],
)
def page(tree):
    for path, text in tree.files.items():
        if path.startswith("cli/tracing/page/"):
            for place, match in each_match(PAGE, path, text):
                yield f"{place}: '{match[0]}': use textContent, element() and what the page holds"


@rule(
    "strict-shell",
    "a script stops at the first failure and at an unset variable",
    bad=[{"x.sh": "#!/bin/bash\nls\n"}, {"dev": "#!/usr/bin/env bash\nset -e\n"}],
    good=[
        {
            "x.sh": "#!/bin/bash\nset -euo pipefail\n",
            "counts_failures.sh": "#!/usr/bin/env bash\nset -uo pipefail\n",
            "with_a_library.sh": "#!/bin/bash\n. lib.sh\n",
            "lib.sh": "f() { :; }\n",
        }
    ],
)
def strict_shell(tree):
    for path, text in tree.files.items():
        is_bash = re.match(r"#!.*\bbash\n", text) and not path.endswith(".md")
        if is_bash and not re.search(r"^(set -e?uo pipefail$|\. |source )", text, re.M):
            yield f"{path}:1: no 'set -euo pipefail'"


@rule(
    "one_definition",
    "two types of one name in one namespace become one when linked, with the members of either",
    bad=[
        {
            "libcore/a.hpp": "namespace n {\nstruct x {\n  int a;\n};\n}  // namespace n\n",
            "libcore/b.hpp": "namespace n {\nclass x final {\n};\n}  // namespace n\n",
        }
    ],
    good=[
        {
            "libcore/a.hpp": "namespace n {\nstruct x {\n};\nstruct y;\n}  // namespace n\n",
            "libcore/b.hpp": "namespace m {\nstruct x {\n};\nstruct y;\n}  // namespace m\n",
            "libcore/c.cpp": "namespace n {\nnamespace {\nstruct x {\n};\n}  // namespace\n"
            "struct x::y {\n};\n}  // namespace n\n",
        }
    ],
)
def one_definition(tree):
    first = {}
    token = re.compile(
        r"\b(?:inline )?namespace (?P<space>[\w:]*)\s*\{"
        r"|^(?:struct|class|union|enum(?: class)?) (?P<type>\w+)(?P<rest>[^;{]*)\{|(?P<brace>[{}])",
        re.M,
    )
    for path, _ in tree.cpp("cli/", "libcore/", "transports/"):
        code = tree.code(path)
        inside = []  # the names of open namespaces, None for other braces
        for match in token.finditer(code):
            if match["brace"] == "}":
                del inside[-1:]
                continue
            if match["type"] and "" not in inside and None not in inside:
                if not match["rest"].strip().startswith("::"):  # n::x is another type than x
                    name = "::".join([*inside, match["type"]])
                    place = f"{path}:{code.count(chr(10), 0, match.start()) + 1}"
                    if name in first:
                        yield f"{place}: {name} is defined at {first[name]} too: rename one"
                    first.setdefault(name, place)
            inside.append(match["space"])
