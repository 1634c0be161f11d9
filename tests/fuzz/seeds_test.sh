#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# What a room's seeds.py writes is what its corpora hold. Finds that stand beside the seeds stay.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
for maker in "$here"/*/seeds.py; do python3 "$maker" "$room"; done
cd "$room"
differ=0 seeds=0
while IFS= read -r -d '' seed; do
  cmp "$seed" "$here/corpus/$seed" || differ=1
  seeds=$((seeds + 1))
done < <(find . -type f -print0)
if [ $differ = 1 ] || [ $seeds = 0 ]; then
  echo "the corpora are not what seeds.py makes: run tests/fuzz/ROOM/seeds.py tests/fuzz/corpus" >&2
  exit 1
fi
echo "$seeds seeds"
