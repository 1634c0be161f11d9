#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Inside a guest: the lab itself keeps its promises.
. "$(dirname "$0")/lib.sh"
check 'this is another kernel, and we are root in it' test "$(id -u)" = 0
read_only() { touch /etc/nvmfctl-lab-was-here && [[ $(findmnt -no FSTYPE /) == overlay ]]; }
check 'the root is a throw-away overlay' read_only
check 'the loopback interface is up' bash -c "ip -o addr show lo | grep -q 127.0.0.1"
check 'the kernel has an NVMe/TCP target' nvmet_ready
check 'the kernel has an NVMe/TCP host' bash -c 'modprobe -q nvme-tcp; test -e /dev/nvme-fabrics || modprobe nvme-fabrics'
check 'the program under test runs here' "$program" --version
finish
