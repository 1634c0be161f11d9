# SPDX-License-Identifier: BSD-2-Clause
"""Rules about documents and about tests that could be forgotten."""
import posixpath
import re

from house import rule

ADR_LINES_MAX = 60
ARCHITECTURE_LINES_MAX = 130
README_MENTIONS = ("./dev demo", "./dev test", "docs/architecture.md", "CONTRIBUTING.md", "LICENSE")


@rule(
    "adr",
    "a decision is one page, and the map of the house leads to it",
    bad=[
        {"docs/adr/0001-x.md": "x\n", "docs/architecture.md": "y\n"},
        {"docs/adr/0001-x.md": "x\n" * 61, "docs/architecture.md": "(adr/0001-x.md)\n"},
        {"docs/adr/x.md": "x\n", "docs/architecture.md": "(adr/x.md)\n"},
    ],
    good=[{"docs/adr/0001-x.md": "x\n", "docs/architecture.md": "[x](adr/0001-x.md)\n"}],
)
def adr(tree):
    map_of_house = tree.files.get("docs/architecture.md", "")
    for path, text in tree.files.items():
        if not path.startswith("docs/adr/"):
            continue
        if not re.fullmatch(r"docs/adr/\d{4}-[a-z0-9-]+\.md", path):
            yield f"{path}:1: name it docs/adr/NNNN-what-was-decided.md"
        if f"({path.removeprefix('docs/')})" not in map_of_house:
            yield f"{path}:1: docs/architecture.md does not link to it"
        if text.count("\n") > ADR_LINES_MAX:
            yield f"{path}:1: more than one page ({ADR_LINES_MAX} lines)"


@rule(
    "documents",
    "a newcomer finds the two commands and the way on",
    bad=[
        {"docs/architecture.md": "x\n", "CONTRIBUTING.md": "x\n"},
        {
            "README.md": "./dev demo, docs/architecture.md CONTRIBUTING.md LICENSE\n",
            "docs/architecture.md": "x\n",
        },
        {
            "README.md": " ".join(README_MENTIONS),
            "docs/architecture.md": "x\n" * (ARCHITECTURE_LINES_MAX + 1),
        },
    ],
    good=[{"README.md": " ".join(README_MENTIONS), "docs/architecture.md": "x\n"}],
)
def documents(tree):
    readme = tree.files.get("README.md", "")
    for words in README_MENTIONS:
        if words not in readme:
            yield f"README.md:1: does not mention '{words}'"
    lines = tree.files.get("docs/architecture.md", "\n" * 999).count("\n")
    if lines > ARCHITECTURE_LINES_MAX:
        yield f"docs/architecture.md:1: missing, or over {ARCHITECTURE_LINES_MAX} lines"


@rule(
    "links",
    "a link leads somewhere",
    bad=[{"docs/a.md": "[x](b.md)\n"}, {"README.md": "[x](docs/none)\n"}],
    good=[
        {
            "docs/a.md": "[x](../README.md#top) [y](https://example.org) [z](#here)\n",
            "README.md": "[x](docs/)\n`[a](b)`\n```\n[x](y)\n```\n",
        }
    ],
)
def links(tree):
    folders = {posixpath.dirname(path) for path in tree.files}
    for path, text in tree.files.items():
        if not path.endswith(".md"):
            continue
        text = re.sub(r"^```.*?^```|`[^`\n]+`", "", text, flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            place = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
            if place not in tree.files and place not in folders:
                yield f"{path}:1: the link to '{target}' leads nowhere"


@rule(
    "registered",
    "no test lies in the tree that no build runs",
    bad=[
        {"tests/CMakeLists.txt": "", "tests/new/CMakeLists.txt": ""},
        {"tests/unit/new/a_test.cpp": "", "tests/unit/CMakeLists.txt": "nvmf_unit_test(wire)\n"},
        {"tests/unit/wire/a.cpp": "", "tests/unit/CMakeLists.txt": "nvmf_unit_test(wire)\n"},
        {"tests/fuzz/new/a_fuzz.cpp": "", "tests/fuzz/CMakeLists.txt": "nvmf_fuzz_room(wire)\n"},
        {
            "tests/fuzz/wire/a.cpp": "",
            "tests/fuzz/CMakeLists.txt": "nvmf_fuzz_room(wire)\n",
        },
    ],
    good=[
        {
            "tests/CMakeLists.txt": "add_subdirectory(unit)\n",
            "tests/unit/CMakeLists.txt": "nvmf_unit_test(wire DEPENDS x)\n",
            "tests/unit/wire/deep/a_test.cpp": "",
            "tests/unit/main.cpp": "",
            "tests/fuzz/CMakeLists.txt": "nvmf_fuzz_room(wire DEPENDS x)\n",
            "tests/fuzz/wire/a_fuzz.cpp": "",
        }
    ],
)
def registered(tree):
    listed = tree.files.get("tests/CMakeLists.txt", "")
    calls = {"unit": ("nvmf_unit_test", "_test.cpp"), "fuzz": ("nvmf_fuzz_room", "_fuzz.cpp")}
    for path in tree.files:
        part = path.split("/")
        if part[0] != "tests" or len(part) < 3:
            continue
        if part[2] == "CMakeLists.txt" and part[1] != "fuzz":  # the fuzz tree enters it alone
            if not re.search(rf"add_subdirectory\({part[1]}\)", listed):
                yield f"{path}:1: tests/CMakeLists.txt does not add it"
        if len(part) < 4 or part[1] not in calls or not path.endswith(".cpp"):
            continue
        call, ending = calls[part[1]]
        lists = f"tests/{part[1]}/CMakeLists.txt"
        if not re.search(rf"{call}\({part[2]}\b", tree.files.get(lists, "")):
            yield f"{path}:1: no {call}({part[2]} ...) in {lists}"
        if not path.endswith(ending):
            yield f"{path}:1: not built: its name does not end in {ending}"


WAITS = "docs/waits.md"
TEST_TITLE = re.compile(r'TEST_CASE\(\s*"((?:[^"\\]|\\.)*)"')


@rule(
    "waits",
    "every wait has a limit, and every limit a test that is there",
    bad=[
        {WAITS: "| Wait for | Limit | Test |\n|---|---|---|\n| a | 1 s | |\n"},
        {WAITS: "| Wait for | Limit | Test |\n|---|---|---|\n| a | 1 s | `a_test.cpp`: b |\n"},
        {
            WAITS: "| Wait for | Limit | Test |\n|---|---|---|\n| a | 1 s | `a_test.cpp`: b |\n",
            "tests/unit/a_test.cpp": 'TEST_CASE("b c") {\n',
        },
    ],
    good=[
        {
            WAITS: "| Wait for | Limit | Test |\n|---|---|---|\n"
            "| a | 1 s | `a_test.cpp`: b `c` d |\n| e | none: why | |\n",
            "tests/unit/a_test.cpp": 'TEST_CASE(\n    "b `c` d") {\n',
        },
        {
            WAITS: "| Wait for | Limit | Test |\n|---|---|---|\n| a | 1 s | `b/b_test.cpp`: c |\n",
            "tests/b/b_test.cpp": 'TEST_CASE("c") {\n',
        },
    ],
)
def waits(tree):
    for number, line in enumerate(tree.files.get(WAITS, "").splitlines(), 1):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|") or cells[0] == "Wait for" or set(cells[0]) == {"-"}:
            continue
        limit, test = cells[1], cells[-1]
        if limit.startswith("none: "):
            continue
        named = re.fullmatch(r"`([a-z0-9_/]+_test\.cpp)`: (.+)", test)
        if not named:
            yield f"{WAITS}:{number}: '{cells[0]}' has a limit and names no test as `file`: title"
            continue
        path, title = named.groups()
        text = tree.files.get(f"tests/unit/{path}", tree.files.get(f"tests/{path}"))
        if text is None:
            yield f"{WAITS}:{number}: there is no {path} in tests/unit or tests"
        elif title not in TEST_TITLE.findall(text):
            yield f"{WAITS}:{number}: {path} has no test '{title}'"
