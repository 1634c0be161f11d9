#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Inside a guest of tests/interop/lab/vm: the table of target rules against Linux nvmet, which tells
# whether the table is right: what differs is known and stands in its column `linux`.
NVMFCTL=${NVMFCTL:-none}
. "$(dirname "$0")/../interop/guest/lib.sh"
nvmet_ready || { echo 'skipped: this kernel has no nvmet-tcp'; exit 77; }
nvmet_subsystem /dev/ram0 && nvmet_port 1 4420 16384 || exit 1
"${PYTHON:-python3}" "$(dirname "$0")/test_target.py" --linux \
  --target "nvme+tcp://127.0.0.1:4420/$nqn" "$@"
