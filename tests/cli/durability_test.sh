#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Nothing is lost: what a file: namespace has acknowledged is in the file after the death of serve,
# Flush and FUA wait for fdatasync and tell its failure, and --out leaves a whole file or none.
set -euo pipefail
. "$NVMF_SOURCE_DIR/tests/support/cli.bash"
need strace cmp
# A traced program cannot look for leaks.
traced() { # traced STRACE_ARGUMENT... -- COMMAND...
  local arguments=()
  while [ "$1" != -- ]; do arguments+=("$1") && shift; done
  shift
  ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 strace -f -qq "${arguments[@]}" "$@"
}
traced -o first.txt -e trace=fdatasync -- "$nvmfctl" version >/dev/null 2>err ||
  skip "strace cannot trace here: $(head -n 1 err)"

# Every byte that was acknowledged, small in the capsule and large by R2T, survives SIGKILL.
truncate -s 4M disk.img
head -c 4M /dev/zero >wanted.img
put() { dd of=wanted.img if="$1" bs=512 seek="$2" conv=notrunc status=none; }
head -c 512 /dev/urandom >one.bin
head -c 200K /dev/urandom >many.bin
server_start --ns file:disk.img
run "$nvmfctl" send-capsule "$server_uri" write slba=3 --send one.bin && put one.bin 3
run "$nvmfctl" send-capsule "$server_uri" write slba=1000 --send many.bin && put many.bin 1000
run "$nvmfctl" send-capsule "$server_uri" write-zeroes slba=1005 nlb=9
head -c 5120 /dev/zero >zeroes.bin && put zeroes.bin 1005
kill -KILL "$server_pid"
wait_for "$server_pid" || true
cmp disk.img wanted.img || fail 'what was acknowledged is not in the file'

# With writes under way the file has what was acknowledged last, and each block whole: the writer
# numbers its writes, and says after each that it was acknowledged.
server_start --ns file:disk.img
: >acknowledged
(
  for ((n = 1; ; n++)); do
    printf '%511d\n' "$n" |
      "$nvmfctl" send-capsule "$server_uri" write slba=9 --send - >/dev/null 2>&1 || break
    echo "$n" >>acknowledged
  done
) &
writer=$!
timeout "$limit_s" grep -qm1 '^3$' <(tail -n +1 -f acknowledged) || fail 'no write was acknowledged'
kill -KILL "$server_pid"
wait_for "$server_pid" || true
wait_for "$writer" || true
last=$(tail -n 1 acknowledged)
found=$(dd if=disk.img bs=512 skip=9 count=1 status=none)
[ "${#found}" = 511 ] || fail 'the block is not whole'
# The next may have been written without its acknowledgement.
[ $((found)) = "$last" ] || [ $((found)) = $((last + 1)) ] ||
  fail "the file has write $((found)), $last was acknowledged"

# Flush and FUA answer after fdatasync: it stands in the trace, and when it fails they fail.
serve_traced() { # serve_traced STRACE_ARGUMENT...: with -D the server's pid is its own
  printf '#!/bin/sh\nexec strace -D -f -qq %s "%s" "$@"\n' "$*" "$nvmfctl" >serve.sh
  chmod +x serve.sh
  nvmfctl=./serve.sh ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 server_start --ns file:disk.img
}
syncs() { grep -c 'fdatasync(' trace.txt || true; }
serve_traced -o trace.txt -e trace=fdatasync
run "$nvmfctl" send-capsule "$server_uri" write slba=3 --send one.bin
[ "$(syncs)" = 0 ] || fail 'a plain write need not wait for the disk'
run "$nvmfctl" send-capsule "$server_uri" flush
[ "$(syncs)" = 1 ] || fail "Flush: $(syncs) fdatasync"
run "$nvmfctl" send-capsule "$server_uri" write slba=3 fua=1 --send one.bin
[ "$(syncs)" = 2 ] || fail "FUA: $(syncs) fdatasync in all"
server_stop
serve_traced -o trace.txt -e trace=fdatasync -e inject=fdatasync:error=EIO
run -s 18 "$nvmfctl" send-capsule "$server_uri" flush
expect_match err '^nvmfctl: send-capsule: flush \(00h\): the controller answered '
run -s 18 "$nvmfctl" send-capsule "$server_uri" write slba=3 fua=1 --send one.bin
server_stop

# --out: killed before the last byte was safe, short of room, or past a limit, the old file stays.
server_start --ns file:disk.img
cp one.bin kept.bin
for call in fchmod fsync rename; do
  got=0
  traced -o trace.txt -e "trace=$call" -e "inject=$call:error=EIO:signal=KILL" -- \
    "$nvmfctl" send-capsule "$server_uri" read slba=1000 nlb=399 --out kept.bin >out 2>err || got=$?
  [ "$got" = 137 ] || fail "it came past $call with exit status $got"
  cmp one.bin kept.bin || fail "killed at $call, it left a file that is neither old nor new"
done
got=0
traced -o trace.txt -e trace=fsync -e inject=fsync:error=ENOSPC -- \
  "$nvmfctl" send-capsule "$server_uri" read slba=1000 nlb=399 --out kept.bin >out 2>err || got=$?
[ "$got" = 2 ] || fail "a full disk: exit status $got"
expect err 'nvmfctl: send-capsule: --out: kept.bin: cannot be written: No space left on device'
cmp one.bin kept.bin
got=0
(trap '' XFSZ && ulimit -f 100 &&
  "$nvmfctl" send-capsule "$server_uri" read slba=1000 nlb=399 --out large.bin >out 2>err) || got=$?
[ "$got" = 2 ] || fail "a file that is too large: exit status $got"
expect err 'nvmfctl: send-capsule: --out: large.bin: cannot be written: File too large'
[ ! -e large.bin ] || fail 'half a file is left'
server_stop
