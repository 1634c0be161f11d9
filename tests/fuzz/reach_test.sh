#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# reach_test.sh PROGRAM CORPUS: the seeds whose name begins with "up" walk the whole bring-up, and
# those of whole lives have commands that succeed and a shutdown: fuzzing begins beyond all that.
set -euo pipefail
program=$1 corpus=$2
reached=0
for seed in "$corpus"/up*; do
  # libFuzzer runs a file more than once; each run says the same.
  told=$(NVMF_FUZZ_TRACE=1 "$program" "$seed" 2>&1 | sed -n '/associations came up/h; ${g; p}')
  case $(basename "$seed") in
    up-again | up-in-callback) wanted='^2 of 2 associations came up, [1-9].* 1 shutdowns$' ;;
    up-[0-9]) wanted='^1 of 1 associations came up, [1-9][0-9] of .* 1 shutdowns$' ;;
    *) wanted='^1 of 1 associations came up' ;;
  esac
  grep -qE "$wanted" <<<"$told" || {
    echo "$seed: $told" >&2
    exit 1
  }
  reached=$((reached + 1))
done
echo "$reached seeds come up"
[ "$reached" -ge 10 ]
