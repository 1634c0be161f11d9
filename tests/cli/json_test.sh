#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# --json of every command: one document (or JSON Lines) whose keys are those that the man page
# lists; and every key that is listed is seen.
set -euo pipefail
. "$NVMF_SOURCE_DIR/tests/support/cli.bash"
need python3
nqn=nqn.2026-01.io.example:s

cat >check.py <<'PYTHON'
"""check.py see COMMAND lines|one < output: is it what the page says? check.py all: is it all?"""
import json
import os
import subprocess
import sys

PROGRAM = os.environ["NVMFCTL"]
STREAM_KEYS = {"us", "event", "qpair", "qid", "cid", "text", "header", "a", "b", "error", "dw0",
               "fields", "log"}  # fmt: skip


def told(*words):
    return json.loads(subprocess.check_output([PROGRAM, *words, "--json"]))


def unique(pairs):
    assert len(dict(pairs)) == len(pairs), f"a key stands twice: {[key for key, _ in pairs]}"
    return dict(pairs)


def see(command, shape):
    keys = {key["name"] for key in told("help", command)["keys"]}
    text = sys.stdin.read()
    assert text.endswith("\n"), "no end of line"
    for part in text.splitlines() if shape == "lines" else [text]:
        document = json.loads(part, object_pairs_hook=unique)
        schema = document.pop("schema")
        error = document.pop("error", None)
        if error is not None and schema != "nvmfctl.event/1":
            assert set(error) == {"status", "name", "message"}, error
        if schema == "nvmfctl.error/1":
            assert error and document == {"command": command}, document
            continue
        if schema == "nvmfctl.event/1":
            assert shape == "lines" and "event" in document, document
            assert set(document) <= STREAM_KEYS, document
            continue
        assert schema == f"nvmfctl.{command}/1", schema
        unknown = set(document) - keys
        assert not unknown, f"{command} prints keys that its page does not have: {unknown}"
        with open(f"seen.{command}", "a", encoding="utf-8") as file:
            file.write("".join(key + "\n" for key in document))


def see_all():
    for command in (c["name"] for c in told("help")["commands"]):
        with open(f"seen.{command}", encoding="utf-8") as file:
            seen = set(file.read().split())
        unseen = {key["name"] for key in told("help", command)["keys"]} - seen
        assert not unseen, f"keys that {command} never printed here: {unseen}"


see(*sys.argv[2:]) if sys.argv[1] == "see" else see_all()
PYTHON

# see STATUS COMMAND ARGUMENT...: runs `nvmfctl COMMAND ARGUMENT... --json`.
see() {
  local status=$1 shape=one
  shift
  [[ "$1 $*" != connect*--hold* ]] || shape=lines
  run -s "$status" "$nvmfctl" "$@" --json
  python3 check.py see "$1" "$shape" <out 2>err || fail "$*: $(tail -n 1 err)"
}

see 0 help
see 0 help connect
run "$nvmfctl" --help --json
python3 check.py see help one <out
run "$nvmfctl" bench --help --json
python3 check.py see help one <out
see 0 manual
see 0 manual bench
mkdir pages
see 0 manual --directory pages
see 0 completion
see 0 version
see 0 describe
see 0 describe connect
see 0 describe status 0x182
see 0 describe exit-status
see 0 describe connect cattr.nosqfc
see 0 describe --names
# Which it is depends on the machine; rdma_devices.sh of the interop tests knows its devices.
"$nvmfctl" rdma >/dev/null 2>&1 && status=0 || status=$?
[[ $status == 0 || $status == 11 || $status == 2 ]] || fail "rdma ends with $status"
see "$status" rdma
see 2 describe no-such-thing
see 2 help no-such-command
see 2 manual --directory none

server_start -n "$nqn" --ns ram:1M
uri=$server_uri
head -c 512 /dev/urandom >block
see 0 connect "$uri"
see 0 connect "$uri" --hold=0.3 -k 300
see 14 connect "$uri-not"
see 0 repl -c 'buf b 1'
see 2 repl -c 'no-such-verb'
see 2 connect http://127.0.0.1/
see 0 discover "nvme+tcp://$server_addr"
see 14 discover "$uri-not"
see 2 discover
see 0 send-capsule "$uri" identify cns=1
see 0 send-capsule "$uri" connect --dry-run
see 0 send-capsule "$uri" read --dry-run
see 0 send-capsule "$uri" write --send block
see 0 send-capsule "$uri" read --out block.back --repeat 2
see 18 send-capsule "$uri" read slba=999999
see 17 send-capsule "$uri" 0x7e --qid 0
see 14 send-capsule "$uri-not" identify
see 2 send-capsule "$uri" write --send none
see 2 send-capsule "$uri" read --qid 1 --out none/block
see 0 bench "$uri" --time 0.1 --warm-up 0
see 14 bench "$uri-not"
see 2 bench "$uri" --bs 1000
see 0 run -c "connect $uri" -c 'sqe id identify cns=controller' -c 'show id'
see 2 run -c 'fob'
see 22 run -c 'expect 1 == 2'
see 11 run -c 'open nvme+tcp://127.0.0.1:1'
server_stop

# The lines of trace.
for kind in conversation middle nothing; do
  python3 "$NVMF_SOURCE_DIR/tests/support/captures.py" $kind $kind.pcap
done
run "$nvmfctl" trace -v --json conversation.pcap
python3 check.py see trace lines <out
run "$nvmfctl" trace --json middle.pcap
python3 check.py see trace lines <out
run "$nvmfctl" trace --stats --json conversation.pcap
python3 check.py see trace lines <out
run -s 22 "$nvmfctl" trace --json nothing.pcap
python3 check.py see trace lines <out
run -s 2 "$nvmfctl" trace --json none.pcap
python3 check.py see trace lines <out

# The lines of serve, also of one that fails after the first.
run "$nvmfctl" serve --json --listen 127.0.0.1:0 --listen '[::1]:0' -- true
expect_lines out 2
python3 check.py see serve lines <out
hold_port silent
run -s 11 "$nvmfctl" serve --json --listen 127.0.0.1:0 --listen "127.0.0.1:$port"
expect_lines out 2
python3 check.py see serve lines <out

python3 check.py all 2>err || fail "$(tail -n 1 err)"
