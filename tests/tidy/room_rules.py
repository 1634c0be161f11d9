# SPDX-License-Identifier: BSD-2-Clause
"""Rules about the rooms of the house: who may see whom, and what each may see of the system.
docs/architecture.md says why; the link lines say the same to the linker.
"""
import posixpath
import re

from house import each_match, rule

ROOTS = ("libcore/include", "libcore", "transports", "cli", "tests")
BELOW = {
    "wire": {"wire"},
    "trace": {"trace", "wire"},
    "nvmf": {"nvmf", "wire"},
    "engine": {"engine", "nvmf", "wire"},
    "core": {"core", "engine", "nvmf", "wire"},
}
# Values that libcore/wire names and prints; they include nothing of the rooms above it.
VALUES = {"libcore/include/nvmf/status.hpp"}
# transports/names: what those with addresses share.
TRANSPORT_SEES = {"core", "engine", "nvmf", "wire", "transports/names"}

SOCKETS = r"sys/socket\.h|sys/un\.h|netinet/|arpa/|netdb\.h|boost/asio/(ip|local|generic)/" \
          r"|boost/asio/basic_\w*socket|infiniband/|rdma/"
SYSTEM = SOCKETS + r"|boost/|spdlog/|CLI/|sys/|unistd\.h|poll\.h|fcntl\.h|pthread\.h|liburing" \
                   r"|thread$|mutex$|shared_mutex$|condition_variable$|future$|semaphore$|latch$" \
                   r"|barrier$|stop_token$|iostream$|fstream$|filesystem$|ctime$|time\.h$"
# What a room may not see of the system, directly or through what it includes.
HIDDEN = {
    "wire": SYSTEM,
    "trace": SYSTEM,
    "engine": SYSTEM,
    "nvmf": SYSTEM,
    "session": SYSTEM,
    "core": SOCKETS + "|spdlog/|CLI/",
    "transport": "spdlog/|CLI/",
}


def room_of(path):
    """wire, trace, nvmf, engine, core, a transport ("transports/tcp"), cli, tests or None."""
    part = path.split("/")
    if path.startswith("libcore/include/nvmf/"):
        return "nvmf"
    if part[0] == "libcore" and len(part) > 2:
        return part[1]
    if part[0] == "transports" and len(part) > 2:
        return "transports/" + part[1]
    return part[0] if part[0] in ("cli", "tests") else None


def hidden_of(path, room):
    if room.startswith("transports/"):
        pure = posixpath.basename(path).startswith("session")
        return HIDDEN["session" if pure else "transport"]
    return HIDDEN.get(room)


def includes_of(tree, path):
    """Yields line, name and the project's path of it (None: the system's)."""
    pattern = r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]'
    for match in re.finditer(pattern, tree.code(path), re.M):
        name = match[2]
        places = [posixpath.normpath(posixpath.join(root, name)) for root in ROOTS]
        if match[1] == '"':
            near = posixpath.join(posixpath.dirname(path), name)
            places.insert(0, posixpath.normpath(near))
        target = next((place for place in places if place in tree.files), None)
        yield tree.code(path).count("\n", 0, match.start()) + 1, name, target


@rule(
    "rooms",
    "wire <- engine <- core <- each transport <- cli",
    bad=[
        {"libcore/wire/a.cpp": '#include "core/b.hpp"\n', "libcore/core/b.hpp": ""},
        {"libcore/wire/a.cpp": "#include <nvmf/b.hpp>\n", "libcore/include/nvmf/b.hpp": ""},
        {"libcore/engine/a.cpp": '#include "../core/b.hpp"\n', "libcore/core/b.hpp": ""},
        {"libcore/core/a.cpp": '#include "tcp/b.hpp"\n', "transports/tcp/b.hpp": ""},
        {"transports/tcp/a.cpp": '#include "loop/b.hpp"\n', "transports/loop/b.hpp": ""},
        {"transports/tcp/a.cpp": '#include "render/b.hpp"\n', "cli/render/b.hpp": ""},
        {"libcore/new/a.cpp": ""},
        {"libcore/trace/a.cpp": "#include <nvmf/b.hpp>\n", "libcore/include/nvmf/b.hpp": ""},
        {"libcore/include/nvmf/status.hpp": "#include <nvmf/b.hpp>\n#include \"core/c.hpp\"\n",
         "libcore/core/c.hpp": ""},
    ],
    good=[
        {
            "transports/tcp/a.cpp": '#include "tcp/b.hpp"\n#include "wire/c.hpp"\n',
            "transports/tcp/b.hpp": "#include <nvmf/d.hpp>\n// #include \"loop/e.hpp\"\n",
            "libcore/wire/c.hpp": "",
            "libcore/wire/e.cpp": "#include <nvmf/status.hpp>\n",
            "libcore/include/nvmf/status.hpp": "",
            "libcore/include/nvmf/d.hpp": '#include "wire/c.hpp"\n',
            "transports/loop/e.hpp": "",
            "cli/transports.cpp": '#include "tcp/b.hpp"\n#include "loop/e.hpp"\n',
        }
    ],
)
def rooms(tree):
    for path, _ in tree.cpp("libcore/", "transports/"):
        room = room_of(path)
        allowed = BELOW.get(room)
        if room is not None and room.startswith("transports/"):
            allowed = TRANSPORT_SEES | {room}
        if allowed is None:
            yield f"{path}:1: a room that the house does not have (tests/tidy/room_rules.py)"
            continue
        for line, name, target in includes_of(tree, path):
            if target is None or target in VALUES:
                continue
            if room_of(target) not in allowed:
                yield f"{path}:{line}: {room} must not see {room_of(target)} ({name})"


def seen_through(tree, path):
    """Every system header that path sees, with the chain of project files that leads there."""
    waiting, done = [(path, ())], {path}
    while waiting:
        at, chain = waiting.pop()
        for line, name, target in includes_of(tree, at):
            if target is None:
                yield line if at == path else 1, name, chain
            elif target not in done:
                done.add(target)
                waiting.append((target, chain + (target,)))


@rule(
    "system",
    "no socket, clock, thread, lock or logger in wire, engine, public headers and sessions",
    bad=[
        {"libcore/wire/a.cpp": "#include <sys/socket.h>\n"},
        {"libcore/trace/a.cpp": "#include <netinet/tcp.h>\n"},
        {"libcore/engine/a.cpp": "#include <mutex>\n"},
        {"libcore/engine/a.cpp": "#include <boost/asio/post.hpp>\n"},
        {"libcore/include/nvmf/a.hpp": "#include <spdlog/spdlog.h>\n"},
        {"libcore/core/a.cpp": "#include <boost/asio/ip/tcp.hpp>\n"},
        {"transports/tcp/session.cpp": "#include <boost/asio/post.hpp>\n"},
        {"transports/tcp/socket.cpp": "#include <spdlog/spdlog.h>\n"},
        {
            "libcore/engine/a.cpp": "#include <nvmf/b.hpp>\n",
            "libcore/include/nvmf/b.hpp": "#include <thread>\n",
        },
    ],
    good=[
        {
            "libcore/wire/a.cpp": "#include <chrono>\n#include <isa-l.h>\n#include <fmt/core.h>\n",
            "libcore/core/a.cpp": "#include <boost/asio/steady_timer.hpp>\n#include <thread>\n",
            "transports/tcp/socket.cpp": "#include <sys/socket.h>\n",
            "cli/main.cpp": "#include <iostream>\n",
        }
    ],
)
def system(tree):
    for path, _ in tree.cpp("libcore/", "transports/"):
        room = room_of(path)
        hidden = hidden_of(path, room) if room else None
        if hidden is None:
            continue
        for line, name, chain in seen_through(tree, path):
            if re.match(hidden, name):
                through = f" through {' and '.join(chain)}" if chain else ""
                yield f"{path}:{line}: {room} must not see <{name}>{through}"


@rule(
    "time",
    "time is an argument of protocol code",
    bad=[
        {"libcore/engine/a.cpp": "auto t = clock::now();\n"},
        {"libcore/trace/a.cpp": "auto t = clock::now();\n"},
        {"transports/tcp/session.cpp": "auto t = std::chrono::steady_clock::now();\n"},
        {"libcore/wire/a.cpp": "clock_gettime(CLOCK_REALTIME, &t);\n"},
    ],
    good=[
        {
            "libcore/engine/a.cpp": "void tick(time_point now);\n",
            "libcore/core/a.cpp": "c::now();\n",
        }
    ],
)
def time(tree):
    for path, _ in tree.cpp("libcore/wire/", "libcore/trace/", "libcore/engine/", "transports/"):
        if path.startswith("transports/") and "/session" not in path:
            continue
        pattern = r"::now\s*\(|\b(clock_gettime|gettimeofday|std::time)\s*\(|\brandom_device\b"
        for place, match in each_match(pattern, path, tree.code(path)):
            yield f"{place}: '{match[0]}': protocol code is told the time and the seed"


STREAMS = r"\bstd::(cout|cerr|clog|cin)\b|\b(stdout|stderr|stdin)\b|\bSTD(IN|OUT|ERR)_FILENO\b" \
          r"|\b(fmt::print|std::printf|printf|std::puts|puts|putchar|perror)\s*\("
OWNERS_OF_LOOPS = ("cli/main.cpp", "libcore/core/reactor.hpp", "libcore/core/reactor.cpp")


@rule(
    "streams",
    "only main owns stdin, stdout and stderr; only main and the reactor own an io_context",
    bad=[
        {"cli/render/a.cpp": "std::cout << x;\n"},
        {"libcore/engine/a.cpp": "fmt::print(\"{}\", 1);\n"},
        {"cli/commands/a.cpp": "fputs(s, stderr);\n"},
        {"cli/commands/a.cpp": "boost::asio::io_context io;\n"},
    ],
    good=[
        {
            "cli/main.cpp": "std::fputs(s, stdout);\nboost::asio::io_context io;\n",
            "tests/a.cpp": "std::cout << 1;\n",
            "cli/commands/a.cpp": "// stdout\nresult.print(\"stdout\");\n",
        }
    ],
)
def streams(tree):
    for path, _ in tree.cpp("cli/", "libcore/", "transports/"):
        code = tree.code(path)
        if path != "cli/main.cpp":
            for place, match in each_match(STREAMS, path, code):
                yield f"{place}: '{match[0].strip()}': only main owns the streams; fill the result"
        if path not in OWNERS_OF_LOOPS:
            for place, _ in each_match(r"\bio_context\b", path, code):
                yield f"{place}: 'io_context': take an nvmf::executor"


BYTES = r"\b(hto(n|le|be)(s|l|ll|16|32|64)|ntoh(s|l|ll)|[lb]e(16|32|64)toh)\s*\(" \
        r"|\b__builtin_bswap\w*|\bbyteswap\b|\bstd::endian\b"


@rule(
    "bytes",
    "bytes live in libcore/wire, and only there",
    bad=[
        {"transports/tcp/a.cpp": "x = le32toh(y);\n"},
        {"cli/a.cpp": "if (std::endian::native == x) {}\n"},
    ],
    good=[{"libcore/wire/a.cpp": "x = std::endian::little;\n", "cli/a.cpp": "int html(int);\n"}],
)
def bytes_only_in_wire(tree):
    for path, _ in tree.cpp("cli/", "libcore/", "transports/"):
        if not path.startswith("libcore/wire/"):
            for place, match in each_match(BYTES, path, tree.code(path)):
                yield f"{place}: '{match[0]}': load and store through libcore/wire"


@rule(
    "throw",
    "errors cross libcore as values",
    bad=[
        {"libcore/core/a.cpp": "int f() {\n  throw 1;\n}\n"},
        {"libcore/core/a.cpp": "throw std::bad_alloc();\n"},
        {"libcore/core/memory_reserve.cpp": "throw 1;\n"},
    ],
    good=[
        {
            "libcore/wire/a.hpp": "consteval int f() {\n  throw 1;\n}\n",
            "cli/a.cpp": "throw 1;\n",
            # The language leaves a new handler no other way to say that there is no memory.
            "libcore/core/memory_reserve.cpp": "throw std::bad_alloc();\n",
        }
    ],
)
def throw(tree):
    for path, _ in tree.cpp("libcore/", "transports/"):
        lines = tree.code(path).split("\n")
        for number, line in enumerate(lines, 1):
            before = lines[max(0, number - 9) : number]
            if path == "libcore/core/memory_reserve.cpp" and "throw std::bad_alloc();" in line:
                continue
            if re.search(r"\bthrow\b", line) and not any("consteval" in b for b in before):
                yield f"{path}:{number}: throw: return std::expected or an error_code"
