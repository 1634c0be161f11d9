#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# repeats_test.sh SIM: a seed is the same run in another process, at other addresses, with another
# environment, and also when it is replayed. What a replay tells can be read.
set -euo pipefail
sim=$1
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT

"$sim" 12 >"$room/once"
env -i PADDING="$(printf '%04000d' 0)" setarch --addr-no-randomize "$sim" 12 >"$room/again" ||
  env -i PADDING="$(printf '%04000d' 0)" "$sim" 12 >"$room/again"
cmp "$room/once" "$room/again"

for seed in 3 4; do
  "$sim" replay $seed >"$room/replay"
  "$sim" 1 $seed >"$room/run"
  grep -qE '^trace [0-9a-f]{16}$' "$room/replay"
  # The lines of a run that count: what occurred, how often.
  diff <(sed -n 's/^ *\([0-9]* [a-zA-Z].*\)$/\1/p' "$room/run" | grep -v seeds) \
    <(grep -E '^ *[0-9]+ [a-zA-Z]' "$room/replay" | sed 's/^ *//')
  grep -qE '^ +[0-9]+\.[0-9]{3} ms  host 0: up, controller [0-9]+$' "$room/replay"
  grep -qE ' ms  host 0: command [0-9]+: read of [0-9]+ block\(s\)' "$room/replay"
  grep -qE ' ms  host 0: command [0-9]+ ended: no error, status 0000h' "$room/replay"
done
if "$sim" 12 2 | cmp -s "$room/once" -; then
  echo 'other seeds, the same run: the trace is none' >&2
  exit 1
fi
