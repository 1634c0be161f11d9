#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# format.sh [--write] [TOP]: clang-format decides the layout of the sources. Without --write it
# lists what differs and fails. Tables and layouts are set by hand, like the tables they mirror.
set -euo pipefail
write=
if [ "${1:-}" = --write ]; then
  write=1
  shift
fi
cd "${1:-"$(dirname "$0")/../.."}"
if ! command -v clang-format-19 >/dev/null; then
  echo 'skipped: there is no clang-format-19 here'
  exit 77
fi
find . \( -path './build*' -o -path ./.git -o -path ./libcore/wire/layouts \) -prune -o \
  \( -name '*.cpp' -o -name '*.hpp' \) -print0 | sort -z |
  if [ -n "$write" ]; then
    xargs -0 -r clang-format-19 -i
  else
    xargs -0 -r clang-format-19 --dry-run --Werror
  fi
