#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The helpers of cli.bash notice what they are there to notice; the program under test is a fake.
# shellcheck disable=SC2016  # bodies of programs, not expanded here
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export NVMF_SOURCE_DIR=${here%/tests/support}
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT

cat >"$room/fake" <<'FAKE'
#!/usr/bin/env bash
trap 'echo bye; exit 3' INT
case $* in
  'serve --listen 127.0.0.1:0') printf 'hello\nlistening nvme+tcp://127.0.0.1:4321/nqn.a\nmore\n' ;;
  'serve --listen x --die') echo 'cannot listen' >&2; exit 11 ;;
  'serve --listen x --mute') exec tail -f /dev/null ;;
  'serve --listen x --deaf') trap '' INT; echo 'listening nvme+tcp://127.0.0.1:1/nqn.b' ;;
  *) echo "to out: $*"; echo "to err: $*" >&2; exit "${1#status=}" ;;
esac
mkfifo "fake.$$"
read -r <>"fake.$$"
FAKE
chmod +x "$room/fake"

# try STATUS OUTPUT BODY: a test with this body ends with STATUS and prints OUTPUT somewhere.
failures=0
try() {
  local got=0 said
  said=$(NVMFCTL=$room/fake NVMF_TEST_LIMIT=${limit:-20} bash -c "set -euo pipefail
. '$here/cli.bash'
$3" 2>&1) || got=$?
  if [ "$got" != "$1" ] || [[ $said != *"$2"* ]]; then
    printf '%s\n  ended with %s, not %s and "%s"; it said:\n%s\n' "$3" "$got" "$1" "$2" "$said" >&2
    failures=$((failures + 1))
  fi
}

try 0 '' 'run "$nvmfctl" status=0 a; expect out "to out: status=0 a"; expect_lines err 1'
try 0 '' 'run -s 14 "$nvmfctl" status=14; expect_match err "^to err: .*14$"'
try 1 'exit status 3, not 0' 'run "$nvmfctl" status=3'
try 1 'to err: status=3' 'run "$nvmfctl" status=3'
try 1 'exit status 0, not 14' 'run -s 14 "$nvmfctl" status=0'
try 1 "no 'x' on stdout" 'run "$nvmfctl" status=0; expect out x'
try 1 '1 lines on stdout, not 2' 'run "$nvmfctl" status=0; expect_lines out 2'
try 1 'nothing like' 'run "$nvmfctl" status=0; expect_match out "^x"'
try 77 'skipped: no-such-program is not installed' 'need bash no-such-program'
limit=1 try 1 'still running after 1 seconds' 'run tail -f /dev/null'

try 0 '' 'server_start; [ "$server_addr" = 127.0.0.1:4321 ]; server_stop 3; [ "$server_uri" ]'
try 1 'exit status 3, not 0' 'server_start; server_stop'
try 1 'cannot listen' 'server_start --listen x --die'
limit=1 try 1 'it does not listen' 'server_start --listen x --mute'
limit=1 try 0 '' 'server_start --listen x --deaf; server_stop 137'

connect='exec 5<>/dev/tcp/127.0.0.1/$port'
try 0 'refused' "hold_port closed; ($connect) || true"
try 0 '' "hold_port hangup; $connect; ! read -r -t 20 -u 5"
try 0 '' "hold_port http; $connect; echo hi >&5; read -r -t 20 -u 5 line; [[ \$line = HTTP* ]]"
try 0 '' "hold_port garbage; $connect; [ \"\$(head -c 5000 <&5 | wc -c)\" = 4096 ]"
try 0 'silence' "hold_port silent; hold_port silent; $connect; read -r -t 1 -u 5 || echo silence"
try 0 '' "port=\$(python3 '$here/port.py' free); ! ($connect) 2>/dev/null"

[ "$failures" = 0 ]
