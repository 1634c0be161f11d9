#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The two programs of docs/examples against each other, and the host against a target of ours.
#   examples_test.sh HOST CONTROLLER
set -euo pipefail
. "$NVMF_SOURCE_DIR/tests/support/cli.bash"
host=$1 controller=$2

for program in host controller; do
  lines=$(wc -l <"$NVMF_SOURCE_DIR/docs/examples/$program.cpp")
  [ "$lines" -le 60 ] || fail "docs/examples/$program.cpp has $lines lines, 60 is what is promised"
done

# Against each other.
coproc by_hand { "$controller" 0; }
read -r -t "$limit_s" line <&"${by_hand[0]}" || fail 'the controller did not begin to listen'
port=${line##* }
exec {told}<&"${by_hand[0]}"
run "$host" 127.0.0.1 "$port" nqn.2014-08.org.example:any
printf '1024 bytes moved\n4096 bytes moved\n%-40s\n' 'Made by hand' | diff - out >err ||
  fail 'the host printed something else'
read -r -t "$limit_s" line <&"$told" || fail 'the controller did not hear of the host'
[ "$line" = 'connected by nqn.2014-08.org.example:by-hand' ] || fail "it said: $line"

# Nobody is there any more.
run -s 1 "$host" 127.0.0.1 "$port" nqn.2014-08.org.example:any

# Against nvmfctl.
server_start -n nqn.2014-08.org.example:disk --model "A disk of memory" --ns ram:1M
run "$host" 127.0.0.1 "${server_addr##*:}" nqn.2014-08.org.example:disk
expect out '4096 bytes moved'
expect out 'A disk of memory'
run -s 1 "$host" 127.0.0.1 "${server_addr##*:}" nqn.2014-08.org.example:other
server_stop
