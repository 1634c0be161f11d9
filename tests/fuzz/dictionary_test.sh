#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# dictionary_test.sh TARGET BYTES TEXT: libFuzzer reads both dictionaries, and each has an entry of
# every table. A broken dictionary is refused, so reading them means something.
set -euo pipefail
target=$1 bytes=$2 text=$3
tables=$(cd "$(dirname "$0")" && pwd)/../../libcore/wire/tables
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT

for dictionary in "$bytes" "$text"; do
  "$target" -dict="$dictionary" -runs=1 >"$room/said" 2>&1 || { cat "$room/said"; exit 1; }
  read_entries=$(sed -n 's/^Dictionary: \([0-9]*\) entries$/\1/p' "$room/said")
  # libFuzzer says how many it took; entries that it took twice as one would show here.
  if [ "$read_entries" != "$(wc -l <"$dictionary")" ]; then
    echo "of $dictionary libFuzzer took ${read_entries:-none}" >&2
    exit 1
  fi
done
printf 'broken="\\xzz\n' >"$room/broken"
if "$target" -dict="$room/broken" -runs=1 >/dev/null 2>&1; then
  echo 'libFuzzer took a broken dictionary: it is no judge of ours' >&2
  exit 1
fi

missing=0 counted=0
for table in "$tables"/*.def; do
  name=$(basename "$table" .def)
  case $name in all | undef) continue ;; esac
  counted=$((counted + 1))
  # One entry for each row, in both.
  rows=$(grep -c '^X(' "$table")
  for dictionary in "$bytes" "$text"; do
    found=$(grep -c "^${name}_" "$dictionary" || true)
    [ "$found" -ge "$rows" ] && continue
    echo "$dictionary: $found entries of table $name, which has $rows rows" >&2
    missing=1
  done
done
[ $counted -gt 50 ] && [ $missing = 0 ]
# A few by hand, as they stand on the wire.
for line in 'admin_opcode_identify_sqe="\x06@"' 'pdu_icreq="\x00\x00\x80\x00\x80\x00\x00\x00"' \
  'fabrics_type_connect_sqe="\x7f@\x00\x00\x01"' 'property_csts="\x1c\x00\x00\x00"' \
  'status_code_invalid_opcode_in_cqe="\x02\x00"'; do
  grep -qxF -e "$line" "$bytes" || { echo "no $line in $bytes" >&2; exit 1; }
done
for line in 'scheme_tcp="nvme+tcp://"' 'read_slba="slba="' 'admin_opcode_aer="aer"'; do
  grep -qxF -e "$line" "$text" || { echo "no $line in $text" >&2; exit 1; }
done
echo "$(wc -l <"$bytes") entries of bytes, $(wc -l <"$text") of text, $counted tables"
