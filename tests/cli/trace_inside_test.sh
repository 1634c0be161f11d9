#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# --trace[=FILE] of serve, connect, send-capsule, repl and run: what our own ends say is shown from
# inside, as trace shows it from outside; forms by the file's ending; disks that are full.
# labels: tsan
set -euo pipefail
. "$NVMF_SOURCE_DIR/tests/support/cli.bash"
need python3

# Both ends tell the same story: but for times and addresses, line for line on each queue.
run "$nvmfctl" serve --listen 127.0.0.1:0 --reactors 2 --trace=served.txt -- \
  "$nvmfctl" connect --trace=connected.txt
# How it ends only the end that did not begin with that is told.
story() {
  grep ' c1 ' "$1" | grep -v 'capture\| \* closed\|connection ended' |
    sed -E 's/^[^ ]* //; s/host .*//; s/, [0-9.]+ (us|ms|s).*//'
}
diff <(story served.txt) <(story connected.txt) || fail 'the ends tell different stories'
grep -q 'c1 q0 < 0x[0-9a-f]* identify ok, 4096 bytes' served.txt || fail 'no identify'
grep -q 'c2 q1 > 0x[0-9a-f]* connect qid=1' connected.txt || fail 'no I/O queue'
! grep -q ' ! .*\(error\|warning\)' served.txt connected.txt || fail 'our own ends break a rule'

# Digests are not told from inside: nothing is said about them, and framing holds.
run "$nvmfctl" serve --listen 127.0.0.1:0 -- \
  "$nvmfctl" send-capsule identify cns=1 -g -G --trace
expect_match err 'c1 q0 < 0x[0-9a-f]+ identify ok, 4096 bytes'
! grep -q 'digest.* wrong\|framing' err || fail 'digests that nobody has seen'

# JSON lines, with a summary; captures that tshark and trace read; data of I/O is cut.
run "$nvmfctl" serve --listen 127.0.0.1:0 --trace=served.pcapng -- \
  "$nvmfctl" connect --trace=connected.json
python3 - connected.json <<'PYTHON'
import json, sys
records = [json.loads(line) for line in open(sys.argv[1])]
assert records[0]["record"] == "opened", records[0]
names = [r["command"]["name"] for r in records if r["record"] == "command"]
ends = [r["ended"] for r in records if r["record"] == "ended"]
assert len(ends) == 2 and "host" in [e["closed_by"] for e in ends], ends
assert names.count("connect") == 2 and "identify" in names, names
PYTHON
run "$nvmfctl" trace --strict served.pcapng
expect_match out 'c2 q1 < 0x[0-9a-f]+ connect ok'
run "$nvmfctl" serve --listen 127.0.0.1:0 --trace=io.pcapng --trace-data 64 -- \
  "$nvmfctl" bench --rw randwrite --bs 64K --depth 4 --time 0.1 --warm-up 0
run "$nvmfctl" trace --stats io.pcapng
expect_match out '^ *c2 +q1 +write '
sent=$(awk '$1 == "c2" && $2 == "q1" && $4 ~ /:/ {print $7; exit}' out)
[ "$(stat -c %s io.pcapng)" -lt "$sent" ] ||
  fail 'the data of I/O was kept'
if command -v tshark >/dev/null; then
  run tshark -r served.pcapng -Y 'tcp.analysis.flags && !tcp.analysis.duplicate_ack'
  expect_lines out 0
fi

# Who ended a connection is told at both ends.
for told in served.txt connected.txt; do
  expect_match $told ' c1 q0 \* closed by the host: '
  expect_match $told ' c2 q1 \* closed by the (host|controller): '
done

# A loop has no PDUs: its capsules and data are told in the same terms, as its two ends see them,
# and made into packets.
for form in txt json pcapng; do
  run "$nvmfctl" run --trace=loop.$form -c 'listen nvme+loop://lab auto ns=ram:1M' \
    -c 'connect nvme+loop://lab/nqn.2026-01.io.nvmfctl:default' \
    -c 'buf b 64K fill=seq' -c 'write slba=0 from b' -c 'read slba=0 nlb=127'
done
for end in 3 4; do
  expect_match loop.txt " c$end q1 < 0x[0-9a-f]+ write ok, 65536 bytes, .* = r2t .* wait .* data "
  expect_match loop.txt " c$end q1 < 0x[0-9a-f]+ read ok, 65536 bytes, "
done
expect_match loop.txt ' c1 \* a queue by loop$'
expect_match loop.txt ' c3 q1 \* closed by the (host|controller): 3 commands, 0 failed'
grep -q '"fabric": "loop"' loop.json || fail 'no word of the loop in JSON'
run "$nvmfctl" trace loop.pcapng --filter 'queue == 1 && conn == 3'
expect_match out 'c3 q1 < 0x[0-9a-f]+ write ok, 65536 bytes'
! grep -q ' ! .*\(error\|framing\)' out || fail 'packets of a loop break rules'
if command -v tshark >/dev/null; then
  run tshark -n -r loop.pcapng -Y '_ws.malformed || tcp.analysis.lost_segment'
  expect_lines out 0
  tshark -n -r loop.pcapng -T fields -e nvme.cmd.opc 2>/dev/null | tr ',' '\n' | sort |
    uniq -c >seen
  expect_match seen '2 0x01$'
fi

# What a discovery and a bench say.
run "$nvmfctl" serve --listen 127.0.0.1:0 -- bash -c \
  '"$0" discover --trace=discovered.txt "${NVMF_URI%/*}" &&
   "$0" bench --trace=measured.txt --bs 4K --depth 1 --time 0.05 --warm-up 0' "$nvmfctl"
expect_match discovered.txt 'c1 q0 < 0x[0-9a-f]+ get-log-page ok'
expect_match discovered.txt 'c1 q0 \* closed by the host: '
expect_match measured.txt 'c2 q1 < 0x[0-9a-f]+ read ok.*, 4096 bytes'

# Scripts and the prompt's language likewise; a page.
run "$nvmfctl" serve --listen 127.0.0.1:0 -- bash -c \
  '"$0" run --trace=script.txt -c "connect $NVMF_URI"
   echo "connect $NVMF_URI" | "$0" repl --trace=typed.html' "$nvmfctl"
expect_match script.txt 'c1 q0 < 0x[0-9a-f]+ identify ok, 4096 bytes'
grep -q 'the inside of nvmfctl' typed.html || fail 'the page does not say what it is of'
run -s 2 "$nvmfctl" run --trace=/no/such/file -c 'let x = 1'

# A disk that is full ends the trace: said then, and by the exit status; nothing that looks whole is
# left. What the command does goes on, and when that fails it says so itself.
run -s 2 "$nvmfctl" serve --listen 127.0.0.1:0 --trace=/dev/full -- "$nvmfctl" connect
expect err 'error: --trace: /dev/full: cannot be written (is the disk full?): the trace is over'
expect err 'nvmfctl: serve: --trace: /dev/full: cannot be written'
expect_match out '^shutdown .* ok$'
# 400 writes are more than 20 blocks of 1024 bytes, and than what waits to be written, in each form.
{
  echo 'connect $1'
  echo 'buf b 64K fill=seq'
  for ((i = 0; i < 400; ++i)); do echo 'write slba=0 from b'; done
} >writes.nvmf
for file in full.txt full.json full.pcapng full.perfetto; do
  run -s 2 bash -c 'trap "" XFSZ; ulimit -f 20; exec "$0" serve --listen 127.0.0.1:0 \
    --trace="$1" --trace-data 64K -- \
      bash -c "exec \"\$0\" run writes.nvmf \"\$NVMF_URI\" >/dev/null" "$0"' \
    "$nvmfctl" $file
  expect_match err "error: --trace: $file: cannot be written.*: the trace is over"
  expect err "nvmfctl: serve: --trace: $file: cannot be written"
  [ -z "$(find . -name 'full.*')" ] || fail "left: $(find . -name 'full.*')"
done
server_start --trace=interrupted.txt
run "$nvmfctl" connect "$server_uri"
server_stop
grep -q 'c1 q0 < .* property-set ok' interrupted.txt || fail 'the end is missing'
run -s 2 "$nvmfctl" serve --trace=/no/such/file
expect err 'serve: --trace: /no/such/file: cannot be opened for writing: No such file or directory'
