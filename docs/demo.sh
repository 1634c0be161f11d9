#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# What `./dev demo` shows: a target, an association to it, a block written and read back. The target
# runs only while this script does, on a port of 127.0.0.1 that the system picks. NVMFCTL names the
# program.
set -euo pipefail
nvmfctl=${NVMFCTL:-nvmfctl}

if [ "${1:-}" != --beside-the-target ]; then
  cat <<'TEXT'

A target is a controller that others connect to over a fabric, here TCP. This one has a namespace of
64 MiB in memory. `serve` prints a line when it is ready, runs what follows `--` beside it, with its
address in NVMF_URI, and stops when that ends.
TEXT
  command=(serve --listen 127.0.0.1:0 --ns ram:64M --)
  printf '\n$ nvmfctl %s docs/demo.sh\n' "${command[*]}"
  exec "$nvmfctl" "${command[@]}" "$0" --beside-the-target
fi

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cd "$room"

part() { printf '\n---- %s\n' "$1"; }
show() {
  printf '\n$ nvmfctl %s\n' "$*"
  "$nvmfctl" "$@"
}

part 'Bring an association up, one stage after the other, and see what was agreed'
show connect "$NVMF_URI"

part 'Write one block: a command capsule of 64 bytes, its data, and the response of 16 bytes'
{
  echo 'Hello, namespace 1. This is logical block 7.'
  head -c 512 /dev/zero
} | head -c 512 >written.bin
show send-capsule "$NVMF_URI" write nsid=1 slba=7 nlb=0 --send written.bin

part 'Read it back (nlb counts from 0: nlb=0 is one block)'
show send-capsule "$NVMF_URI" read nsid=1 slba=7 nlb=0 --out read.bin

part 'Compare'
cmp written.bin read.bin
# What is not installed is called by its path.
name=nvmfctl
command -v "$name" >/dev/null || name=$nvmfctl
cat <<TEXT
The block that came back is the block that was written.

Next, in two terminals of your own:

  $name serve
  $name connect nvme+tcp://127.0.0.1/nqn.2026-01.io.nvmfctl:default

\`$name help\` lists what else there is to try.
TEXT
