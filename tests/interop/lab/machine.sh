# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: BSD-2-Clause
# Sourced by vm: sets `machine` to the command that starts the guest.

# KVM is used where the processor has it: /dev/kvm alone does not tell, it can be there without VMX or
# SVM behind it and then interprets the guest until the first instruction that it does not know.
accelerator() {
  if [[ -w /dev/kvm ]] && grep -qwE 'vmx|svm' /proc/cpuinfo; then echo kvm; else echo tcg; fi
}

qemu_command() {
  local accel cpu=max known flag number name share
  accel=$(accelerator)
  if [[ $accel == tcg ]]; then
    accel=tcg,thread=$threads,tb-size=512
    # What emulation is bad at: "fast" string instructions go byte by byte (memory is copied 3 to 10
    # times as fast without them), and SMAP ends a translated block at each access to user memory.
    known=$("$qemu" -cpu help)
    for flag in erms fsrm fsrs fsrc fzrm smap la57; do
      [[ ! $known =~ [[:space:]]${flag}[[:space:]] ]] || cpu+=,-$flag
    done
  fi
  machine=("$qemu" -nodefaults -no-user-config -display none -no-reboot -name nvmfctl-lab
    -machine pc -accel "$accel" -cpu "$cpu" -smp "$smp" -m "$mem"
    -kernel "$dir/vmlinux" -initrd "$dir/initrd"
    -append "console=ttyS0 quiet loglevel=5 panic=-1 oops=panic reboot=t mitigations=off \
init_on_alloc=0 apparmor=0 audit=0 random.trust_cpu=on no_timer_check net.ifnames=0 lab.init=$run/init"
    -serial "file:$run/console"
    -fsdev "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap"
    -device virtio-9p-pci,fsdev=host,mount_tag=host
    -device virtio-serial-pci)
  number=0
  for name in out err dmesg rc; do
    number=$((number + 1))
    machine+=(-chardev "file,id=$name,path=$run/$name"
      -device "virtserialport,nr=$number,chardev=$name,name=lab.$name")
  done
  number=0
  for share in "${shares[@]}"; do
    machine+=(-fsdev "local,id=share$number,path=${share//,/,,},security_model=none,multidevs=remap"
      -device "virtio-9p-pci,fsdev=share$number,mount_tag=share$number")
    number=$((number + 1))
  done
}

uml_command() {
  local range cpus=()
  cat >"$run/stage1" <<TEXT
#!/bin/bash
PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t tmpfs -o size=75% tmpfs /mnt
mkdir /mnt/up /mnt/work /mnt/root
mount -t overlay -o lowerdir=/,upperdir=/mnt/up,workdir=/mnt/work root /mnt/root
cd /mnt/root
pivot_root . mnt
exec chroot . /bin/bash $run/init
TEXT
  chmod +x "$run/stage1"
  # Its processes run by ptrace: kept on one CPU that is ten times as fast as across two.
  IFS=, read -ra ranges <<<"$(taskset -pc $$ | sed 's/.*: //')"
  for range in "${ranges[@]}"; do mapfile -t -O ${#cpus[@]} cpus < <(seq "${range%-*}" "${range#*-}"); done
  machine=(taskset -c "${cpus[RANDOM % ${#cpus[@]}]}" "$dir/linux" mem="$mem" rootfstype=hostfs
    rootflags=/ ro init="$run/stage1" quiet loglevel=5 panic=-1 oops=panic null_blk.nr_devices=0
    brd.rd_nr=4 brd.rd_size=65536 con=null con0=null,fd:1 con1=null,fd:7 con2=null,fd:8)
}
