#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# format.sh fails on a badly laid out file, mends it on request, and leaves layouts alone.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
if ! command -v clang-format-19 >/dev/null; then
  echo 'skipped: there is no clang-format-19 here'
  exit 77
fi
cp "$here/../../.clang-format" "$room"
mkdir -p "$room/libcore/wire/layouts" "$room/build"
echo 'int   a ;' | tee "$room/libcore/wire/layouts/a.hpp" >"$room/build/b.hpp"
"$here/format.sh" "$room"
echo 'int   a ;' >"$room/bad name.hpp"
if "$here/format.sh" "$room" 2>/dev/null; then
  echo 'a badly laid out file passed' >&2
  exit 1
fi
"$here/format.sh" --write "$room"
"$here/format.sh" "$room"
[ "$(cat "$room/bad name.hpp")" = 'int a;' ]
[ "$(cat "$room/libcore/wire/layouts/a.hpp")" = 'int   a ;' ]
