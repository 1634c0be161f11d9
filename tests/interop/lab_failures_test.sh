#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# What the lab does when it cannot do what was asked: a skip or a failure with its reason, within
# its time limit, and neither process nor file is left behind. Runs here, boots no guest.
set -uo pipefail
vm=$(cd "$(dirname "$0")" && pwd)/lab/vm
[[ $(uname -m) == x86_64 ]] || { echo 'skipped: the kernel lab knows x86-64 only'; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0 ran=0
export TMPDIR=$work/tmp NVMFCTL_LAB_CACHE=$work/cache
mkdir -p "$TMPDIR" "$NVMFCTL_LAB_CACHE"

report() { # report OK? NAME
  ran=$((ran + 1))
  if [[ $1 == 0 ]]; then echo "ok $ran - $2"; return; fi
  echo "not ok $ran - $2"
  sed 's/^/  # /' "$work/out"
  failed=$((failed + 1))
}
# ends STATUS TEXT NAME ARG...: `vm ARG...` ends with that status, says TEXT, and leaves nothing.
ends() {
  local want=$1 text=$2 name=$3 got=0
  shift 3
  timeout 60 "$vm" "$@" >"$work/out" 2>&1 || got=$?
  echo "ended with $got, not $want?" >>"$work/out"
  ((got == want)) && grep -qF -- "$text" "$work/out" && nothing_left
  report $? "$name: $text"
}
# The folder of this test is in the arguments of everything that the lab starts for it.
nothing_left() {
  [[ -z $(ls "$TMPDIR") ]] || { ls -R "$TMPDIR" >>"$work/out"; return 1; }
  compgen -G "$NVMFCTL_LAB_CACHE/tmp.*" >>"$work/out" && return 1
  ! pgrep -af "$work/(tmp|cache)/" >>"$work/out"
}

# A PATH that has every program of this machine but those named, and our own in their place.
programs=$work/bin all_programs=$PATH
machine_without() {
  local name PATH=$all_programs
  rm -rf "$programs"
  mkdir "$programs"
  cp -s /usr/sbin/* /usr/bin/* "$programs/" 2>/dev/null
  for name; do rm -f "$programs/$name"; done
}
program() { # program NAME: what it does comes from stdin
  local PATH=$all_programs
  rm -f "$programs/$1"
  { echo '#!/bin/bash'; cat; } >"$programs/$1"
  chmod +x "$programs/$1"
}

ends 2 'vm run' 'no command' run
ends 2 'vm run' 'an unknown kernel' run --kernel 2.4 -- true
ends 2 'vm run' 'a time limit of nothing' run --timeout 0 -- true
NVMFCTL_LAB_CACHE=/proc/nowhere ends 77 'skipped: no writable cache folder at /proc/nowhere' \
  'nowhere to keep kernels' run -- true

# Programs that every kernel needs are taken to be here: which are, is not what is tested.
for name in ip nvme fio depmod xz mkfs.ext4 busybox cpio zstd qemu-system-x86_64; do
  PATH=$PATH:/usr/sbin:/sbin command -v $name >/dev/null || here_not+=" $name"
done
if [[ -n ${here_not-} ]]; then
  echo "# not installed:$here_not; what happens without packages is told by the first of them"
else
  (
    machine_without qemu-system-x86_64 apt-get
    PATH=$programs
    hash -r
    ends 77 'skipped: not installed: qemu-system-x86' 'no QEMU, no apt' run --kernel 6.1 -- true
    program apt-get <<<'exit 100'
    if [[ $(id -u) == 0 ]]; then
      ends 77 'skipped: cannot install qemu-system-x86' 'no QEMU to be had' run --kernel 6.1 -- true
    else
      ends 77 'only root can: qemu-system-x86' 'no QEMU, not root' run --kernel 6.1 -- true
    fi
    machine_without
    program apt-get <<<'exit 100'
    program apt-cache <<<'true'
    ends 77 'skipped: apt knows no Linux 6.1 package' 'no such kernel' run --kernel 6.1 -- true
    program apt-cache <<<'echo linux-image-6.12.7-amd64'
    ends 77 'skipped: cannot download linux-image-6.12.7-amd64' 'a kernel out of reach' \
      run --kernel 6.12 -- true
    ends 77 'skipped: cannot download linux-source-6.12' 'a source out of reach' run -- true
    program make <<<'echo no rule; exit 2'
    program apt-get <<<'[[ $* != *download* ]] || : >linux-source-6.12_1_all.deb'
    program dpkg-deb <<<'echo no archive'
    ends 77 'skipped: the source of Linux 6.12 does not unpack' 'a broken package' run -- true
    mkdir -p "$work/pack/usr/src" "$work/pack/l/arch/x86/um"
    : >"$work/pack/l/arch/x86/um/user-offsets.c"
    tar -cJf "$work/pack/usr/src/linux-source-6.12.tar.xz" -C "$work/pack" l
    program dpkg-deb <<<"tar -cf - -C $work/pack ./usr/src/linux-source-6.12.tar.xz"
    ends 77 'skipped: User Mode Linux does not build here' 'a source that does not build' \
      run -- true
    echo "$failed $ran" >"$work/counts"
  )
  read -r failed ran <"$work/counts"
fi

# A kernel that is there, and does what the test wants instead of booting.
kernel_does() {
  mkdir -p "$NVMFCTL_LAB_CACHE/uml/modules"
  echo 6.12 >"$NVMFCTL_LAB_CACHE/uml/release"
  { echo '#!/bin/bash'; cat; } >"$NVMFCTL_LAB_CACHE/uml/linux"
  chmod +x "$NVMFCTL_LAB_CACHE/uml/linux"
}
if [[ -z ${here_not-} ]]; then
  kernel_does <<<'echo "Kernel panic - not syncing: VFS: Unable to mount root fs"; exit 1'
  ends 125 'the guest ended without a result' 'a guest that does not boot' run -- true
  ends 125 'Unable to mount root fs' 'what its console said is shown' run -- true
  kernel_does <<<'kill -KILL $$'
  ends 125 'killed before its time was up: no memory?' 'a guest without memory' run -- true
  kernel_does <<<'exec -a "$0" tail -f /dev/null'
  ends 124 'time was up after 1 s' 'a guest that hangs' run --timeout 1 -- true

  (
    machine_without
    mkdir -p "$NVMFCTL_LAB_CACHE/6.1/modules"
    : >"$NVMFCTL_LAB_CACHE/6.1/initrd"
    program qemu-system-x86_64 <<'TEXT'
[[ $* != *--version* ]] || { echo 'QEMU emulator version 9.0.0'; exit; }
[[ $* == *-serial* ]] || exit 0
all=$*
console=${all#*-serial file:}
echo 'Kernel panic - not syncing: Fatal exception' >"${console%% *}"
TEXT
    PATH=$programs
    hash -r
    ends 125 'Kernel panic - not syncing' 'what the serial console said is shown' \
      run --kernel 6.1 -- true
    echo "$failed $ran" >"$work/counts"
  )
  read -r failed ran <"$work/counts"

  # Told to stop while the guest runs.
  mkfifo "$work/up"
  kernel_does <<<"echo >$work/up; exec -a \"\$0\" tail -f /dev/null"
  "$vm" run -- true >"$work/out" 2>&1 & runner=$!
  # Or never: then what it said is shown, and the rest fails.
  read -rt 30 <>"$work/up" || echo "the guest was not started within 30 s" >>"$work/out"
  kill -TERM $runner
  wait $runner
  [[ $? == 143 ]] && nothing_left
  report $? 'SIGTERM: the guest goes too'
fi

echo "1..$ran"
((failed == 0)) || echo "# $failed of $ran failed"
exit $((failed != 0))
