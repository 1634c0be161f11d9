#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# tests/fuzz/run.sh replays all of a corpus, fails with the program, and refuses an empty corpus.
# shellcheck disable=SC2016  # bodies of programs, not expanded here
set -euo pipefail
run=$(cd "$(dirname "$0")/../fuzz" && pwd)/run.sh
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cd "$room"
mkdir corpus empty
cat >program <<'TEXT'
#!/bin/bash
echo "args: $*"
echo "#9 DONE cov: 345 ft: 6"
echo "stat::number_of_executed_units: 1234"
case "$*" in *"$FAIL_ON"*) exit 77 ;; esac
TEXT
chmod +x program
touch corpus/a 'corpus/b c'
export FAIL_ON=none

says() { grep -qF -e "$1" said || { cat said; exit 1; }; }
NVMF_FUZZ_SECONDS=0 "$run" ./program corpus found >said
says 'corpus/a corpus/b c'
says 'replayed 2 inputs'
if grep -q max_total_time said; then exit 1; fi
NVMF_FUZZ_SECONDS=4 NVMF_FUZZ_SEED=9 "$run" ./program corpus found >said
says '-seed=9 -max_total_time=4 -print_final_stats=1 found/corpus corpus'
says 'program: 1234 executions in 4 s, 345 edges'
if grep -q -e -dict said; then exit 1; fi
NVMF_FUZZ_SECONDS=4 "$run" ./program corpus found 'a dict' >said
says '-dict=a dict -seed='

for FAIL_ON in 'corpus/b c' max_total_time; do
  if NVMF_FUZZ_SECONDS=4 "$run" ./program corpus found >said; then
    echo "a failure at $FAIL_ON passed"
    exit 1
  fi
done
for corpus in empty missing; do
  if "$run" ./program "$corpus" found 2>said; then
    echo "a corpus that is $corpus passed"
    exit 1
  fi
  says 'no corpus'
done
