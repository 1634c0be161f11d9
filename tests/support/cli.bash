# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2034
# What tests of the command line share. A test begins with
#   set -euo pipefail
#   . "$NVMF_SOURCE_DIR/tests/support/cli.bash"
# and works in an empty folder of its own. Nothing here waits for a while: it waits for a line.

nvmfctl=${NVMFCTL:?set NVMFCTL to the program under test}
limit_s=${NVMF_TEST_LIMIT:-60}
export LC_ALL=C.UTF-8 TZ=UTC TERM=dumb
work=$(mktemp -d)
cd "$work" || exit
export HOME=$work

cleanup() {
  local pid
  for pid in $(jobs -p); do kill -KILL "$pid" 2>/dev/null || true; done
  cd / && rm -rf "$work"
}
# Subshells that a signal ends before they have forgotten this trap run it too: end none by a signal
# as soon as it begins.
trap cleanup EXIT

# skip REASON: this machine cannot run the test.
skip() {
  printf 'skipped: %s\n' "$1"
  exit 77
}

# need PROGRAM...: skips when one is not installed.
need() {
  local name
  for name in "$@"; do command -v "$name" >/dev/null || skip "$name is not installed"; done
}

# fail TEXT: with what was printed last.
fail() {
  local name
  {
    printf 'FAILED at line %s: %s\n' "${BASH_LINENO[-2]}" "$1"
    for name in out err server.log; do
      if [ -s "$work/$name" ]; then printf -- '--- %s\n' "$name" && cat "$work/$name"; fi
    done
  } >&2
  exit 1
}

# run [-s STATUS] COMMAND...: stdout goes to $work/out, stderr to $work/err; STATUS (0) must come
# back within the limit.
run() {
  local want=0 got=0
  if [ "$1" = -s ]; then
    want=$2
    shift 2
  fi
  timeout --kill-after=5 "$limit_s" "$@" >"$work/out" 2>"$work/err" </dev/null || got=$?
  [ "$got" = 124 ] && fail "$*: still running after $limit_s seconds"
  [ "$got" = "$want" ] || fail "$*: exit status $got, not $want"
}

# expect out|err TEXT: the last run printed TEXT there.
expect() { grep -qF -e "$2" "$work/$1" || fail "no '$2' on std$1"; }

# expect_match out|err REGEX
expect_match() { grep -qE -e "$2" "$work/$1" || fail "nothing like '$2' on std$1"; }

# expect_lines out|err NUMBER
expect_lines() {
  local lines
  lines=$(wc -l <"$work/$1")
  [ "$lines" = "$2" ] || fail "$lines lines on std$1, not $2"
}

# server_start [serve's arguments...]: returns when it listens; sets server_pid, server_uri and
# server_addr (HOST:PORT). Without --listen: a port of its own on 127.0.0.1.
server_start() {
  local line arguments=("$@")
  [[ " $* " = *' --listen '* ]] || arguments=(--listen 127.0.0.1:0 "$@")
  rm -f "$work/server.pipe" "$work/server.log"
  mkfifo "$work/server.pipe"
  # A shell makes its background jobs deaf to SIGINT; a user's terminal does not.
  env --default-signal=INT "$nvmfctl" serve "${arguments[@]}" \
    >"$work/server.pipe" 2>>"$work/server.log" </dev/null &
  server_pid=$! server_uri=
  exec {server_fd}<"$work/server.pipe"
  while IFS= read -r -t "$limit_s" line <&"$server_fd"; do
    printf '%s\n' "$line" >>"$work/server.log"
    if [[ $line = 'listening '* ]]; then
      server_uri=${line#listening }
      break
    fi
  done
  [ -n "$server_uri" ] || fail "serve ${arguments[*]}: it does not listen"
  server_addr=${server_uri#*://}
  server_addr=${server_addr%%/*}
  # The rest of its words must not fill the pipe and block it.
  cat <&"$server_fd" >>"$work/server.log" &
  exec {server_fd}<&-
}

# server_stop [STATUS]: interrupts it; STATUS (0) must come back within the limit.
server_stop() {
  local got=0
  kill -INT "$server_pid"
  wait_for "$server_pid" || got=$?
  [ "$got" = "${1:-0}" ] || fail "serve: exit status $got, not ${1:-0}"
}

# wait_for PID: its status; after the limit it is killed (137).
wait_for() {
  local got=0 guard door
  [ -p "$work/never" ] || mkfifo "$work/never"
  exec {door}<>"$work/never"
  (read -r -t "$limit_s" <&"$door" || kill -KILL "$1") &
  guard=$!
  wait "$1" || got=$?
  # The guard is told, not killed: it may not have begun.
  echo >&"$door"
  wait "$guard" || true
  exec {door}>&-
  return "$got"
}

# hold_port KIND: a port of one of the kinds of port.py, held until the test ends; sets port.
hold_port() {
  local said held
  held=$(mktemp -d "$work/port.XXXXXX")
  mkfifo "$held/in" "$held/out"
  python3 "$NVMF_SOURCE_DIR/tests/support/port.py" "$1" <"$held/in" >"$held/out" &
  # Not closed: when this shell ends, however it ends, so does the program's stdin.
  exec {held_fd}>"$held/in" {said}<"$held/out"
  IFS= read -r -t "$limit_s" port <&"$said" || fail "port.py $1 gives no port"
}
