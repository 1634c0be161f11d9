#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# run.sh PROGRAM CORPUS FOUND [DICTIONARY]: replays every file of CORPUS, then fuzzes for
# NVMF_FUZZ_SECONDS (30 unless told otherwise; 0: replay only) from the seed NVMF_FUZZ_SEED (0:
# another each time) and says how many executions that were and how many edges they reached.
# New inputs go to FOUND/corpus and never into the tree; an input that fails is left in FOUND.
set -euo pipefail
program=$1 corpus=$2 found=$3 dictionary=${4:-}
seconds=${NVMF_FUZZ_SECONDS:-30} seed=${NVMF_FUZZ_SEED:-0}

if [ -z "$(find "$corpus" -type f -print -quit 2>/dev/null)" ]; then
  echo "no corpus: add at least one input, for instance a golden file, to $corpus" >&2
  exit 1
fi
mkdir -p "$found/corpus"
# An input that makes us allocate more than 256 MiB at once, or think for 10 s, is a defect too.
limits=(-timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=256 "-artifact_prefix=$found/")
# Whole files in one process: libFuzzer runs each that is named on the command line once.
mapfile -d '' -t inputs < <(find "$corpus" -type f -print0 | sort -z)
"$program" "${limits[@]}" "${inputs[@]}" 2>&1 | tail -n 40
echo "replayed ${#inputs[@]} inputs"
[ "$seconds" -gt 0 ] || exit 0
"$program" "${limits[@]}" ${dictionary:+"-dict=$dictionary"} -seed="$seed" \
  -max_total_time="$seconds" -print_final_stats=1 "$found/corpus" "$corpus" >"$found/log" 2>&1 ||
  { tail -n 60 "$found/log"; exit 1; }
tail -n 20 "$found/log"
awk -v name="$(basename "$program")" -v seconds="$seconds" '
  /cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") edges = $(i + 1) }
  /^stat::number_of_executed_units:/ { executions = $2 }
  END { printf "%s: %d executions in %d s, %d edges\n", name, executions, seconds, edges }
' "$found/log"
