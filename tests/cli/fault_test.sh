#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# --fault: what a host sees of each thing that a target does on purpose, and a target of a host.
set -euo pipefail
. "$NVMF_SOURCE_DIR/tests/support/cli.bash"

# A malformed plan: the sentence, the line, and a mark at the column.
run -s 2 "$nvmfctl" serve --fault 'when cmd==reed && every 100: delay 50ms'
expect err "nvmfctl: serve: --fault: column 11: cmd: 'reed' is not a command; did you mean read?"
expect err 'when cmd==reed && every 100: delay 50ms'
expect_match err '^          \^$'
run -s 2 "$nvmfctl" serve --fault 'when cmd==read: dely 50ms'
expect err "column 17: 'dely' is not an action; did you mean delay?"
run -s 2 "$nvmfctl" serve --fault 'when cmd==read: delay'
expect err 'column'
run -s 2 "$nvmfctl" serve --fault ''
expect err 'the plan has no rule'
expect_lines err 1
run -s 2 "$nvmfctl" connect nvme+tcp://127.0.0.1:1/nqn.2026-01.io.example:s --fault early-success
expect err 'column 1: only a controller can do early-success, this is a plan for a host'
run -s 2 "$nvmfctl" connect nvme+loop://x/nqn.2026-01.io.example:s --fault wrong-length
expect err 'wrong-length'
run -s 2 "$nvmfctl" serve --fault @no-such-file
expect err 'nvmfctl: serve: --fault: no-such-file: cannot be opened for reading'
printf '# slow\nwhen cmd==read: delay 1ms\nwhen cmd==read && evry 2: reset\n' >plan
run -s 2 "$nvmfctl" serve --fault @plan
expect err 'line 3, column'
expect err 'when cmd==read && evry 2: reset'

# hosts STATUS PLAN TEXT: a read from a target with that plan ends so, and says so; the target comes
# to its ordinary end and says how often the rule fired.
hosts() {
  server_start -g -G --ns ram:1M --fault "$2"
  run -s "$1" "$nvmfctl" send-capsule "$server_uri" read nlb=7 -g -G --timeout "${4:-10}"
  expect err "$3"
  server_stop
  grep -qF "fault 1 '$2' fired " server.log || fail "the target does not say that the plan fired"
}
hosts 18 'when cmd==read: status lba-out-of-range dnr' 'LBA Out of Range (0/80h, DNR)'
hosts 19 'when cmd==read: drop' 'no answer in time' 0.2
hosts 19 'when cmd==read: silence' 'no answer in time' 0.2
hosts 20 'when cmd==read: wrong-cid' 'a response to a command that is not outstanding'
hosts 20 'when cmd==read: wrong-length' 'DATAL is not what PLEN carries'
hosts 20 'when cmd==read: short-data 512' 'completed before all of its data had arrived'
hosts 20 'when cmd==read: early-success' 'completed before all of its data had arrived'
hosts 20 'when cmd==read: flip-digest data' 'data digest mismatch'
hosts 20 'when cmd==read: flip-digest header' 'header digest does not match'
hosts 21 'when cmd==read: termreq 3' 'TermReq'
hosts 21 'when cmd==read: reset' 'reset the connection'
hosts 14 'when cmd==connect: status 1/82h dnr' 'Connect Invalid Parameters'
hosts 19 'when cmd==identify && count 1: stop-reading' 'no answer to Identify within 200 ms' \
  0.2

# A delay shows in the time that the command took, and nothing else is wrong.
server_start --ns ram:1M --fault 'when cmd==read: delay 300ms'
run "$nvmfctl" send-capsule "$server_uri" read --json
python3 - out <<'PY'
import json, sys
took = json.load(open(sys.argv[1]))["events"][-1]["us"]
sys.exit(0 if took >= 300_000 else f"the read took {took} us")
PY
server_stop

# A plan that never fired says so, and why; of two plans the rules are numbered through.
server_start --ns ram:1M --fault 'when cmd==compare: reset' \
  --fault 'when cmd==read && every 9: drop'
run "$nvmfctl" send-capsule "$server_uri" read
server_stop
grep -qF "warning: fault 1 'when cmd==compare: reset' never fired: no command matched (" \
  server.log ||
  fail 'rule 1 is not told of'
grep -qF "warning: fault 2 'when cmd==read && every 9: drop' never fired: " server.log ||
  fail 'rule 2 is not told of'

# The same seed draws the same, another does not; which of 16 reads fail.
drawn() {
  server_start --ns ram:1M --fault 'when cmd==read && probability 50%: status internal-error' \
    --fault-seed "$1"
  PYTHONPATH=$NVMF_SOURCE_DIR/tests/hostile PYTHONDONTWRITEBYTECODE=1 python3 - "$server_uri" <<'PY'
import sys
import host, serving
with host.Association(serving.settings_of(sys.argv[1])) as there:
    print("".join("01"[there.io[0].read(1, 0, 1).ok] for _ in range(16)))
PY
  server_stop
}
first=$(drawn 7)
[[ $first = *1* && $first = *0* ]] || fail "not half of them: $first"
[ "$first" = "$(drawn 7)" ] || fail 'the same seed drew otherwise'
[ "$first" != "$(drawn 8)" ] || fail 'another seed drew the same'

# A host that misbehaves: the target keeps its head, and serves the next.
server_start --ns ram:1M
run -s 20 "$nvmfctl" send-capsule "$server_uri" read --fault 'when cmd==read: wrong-cid 77'
run -s 19 "$nvmfctl" send-capsule "$server_uri" read --timeout 0.2 --fault 'when cmd==read: drop'
run -s 21 "$nvmfctl" send-capsule "$server_uri" read --fault 'when cmd==read: reset'
run -s 21 "$nvmfctl" send-capsule "$server_uri" read --fault 'when cmd==read: wrong-length -8'
expect err 'TermReq'
run "$nvmfctl" send-capsule "$server_uri" read --fault 'when cmd==write: reset'
expect err "warning: fault 1 'when cmd==write: reset' never fired: no command matched ("
run "$nvmfctl" send-capsule "$server_uri" read
server_stop

# Over loop both ends are here, and the plan is the host's.
run -s 19 "$nvmfctl" send-capsule nvme+loop://x/nqn.2026-01.io.example:s read --timeout 0.2 \
  --fault 'when cmd==read: drop'

# The target of a loop has a plan of its own.
run -s 18 "$nvmfctl" send-capsule nvme+loop://x/nqn.2026-01.io.example:s read \
  --target-fault 'when cmd==read: status lba-out-of-range'
expect err 'LBA Out of Range (0/80h)'
run -s 2 "$nvmfctl" connect nvme+tcp://127.0.0.1:1/nqn.2026-01.io.example:s --target-fault drop
expect err '--target-fault: the target is not ours here'
