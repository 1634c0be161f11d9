# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: BSD-2-Clause
# Sourced by vm: gets what a guest is made of into the cache. `prepare` sets
#   dir      the kernel's folder: vmlinux and initrd, or linux (UML); modules/
#   rel      its release
#   qemu, threads   for 6.1 and 6.12
# What cannot be had is a skip with its reason, not a failure of the test.

apt_updated=''
apt_update() {
  [[ -n $apt_updated ]] || apt-get -qq update >&2 || true
  apt_updated=1
}

# need PROGRAM=PACKAGE...: installs the packages of those programs that are not here.
need() {
  local pair missing=()
  for pair; do
    PATH=$PATH:/usr/sbin:/sbin command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
  done
  ((${#missing[@]})) || return 0
  command -v apt-get >/dev/null || skip "not installed: ${missing[*]}"
  [[ $(id -u) == 0 ]] || skip "not installed, and only root can: ${missing[*]}"
  echo "vm: installing ${missing[*]}" >&2
  apt_update
  DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends -y "${missing[@]}" >&2 ||
    skip "cannot install ${missing[*]}"
}

# download DIR PACKAGE...: their .deb files, into DIR.
download() {
  local into=$1
  shift
  (cd "$into" && apt-get -qq -o APT::Sandbox::User=root download "$@" >&2) && return
  apt_update
  (cd "$into" && apt-get -qq -o APT::Sandbox::User=root download "$@" >&2) ||
    skip "cannot download $*"
}

# A folder that becomes part of the cache only when all of it is there.
make_tmp() {
  tmp=$(mktemp -d "$cache/tmp.XXXXXX")
  trap 'rm -rf "$tmp"' EXIT
}

# newest_release SERIES: the newest Debian kernel of that series that apt knows, if any.
newest_release() {
  local series=${1//./\\.}
  apt-cache pkgnames "linux-image-$1" |
    grep -E "^linux-image-$series\.[0-9].*-amd64\$" | grep -vE -- '-(cloud|rt)-amd64$' |
    sed 's/^linux-image-//' | sort -V | tail -n 1 || true
}

# bytes_at FILE OFFSET SIZE: a little-endian number.
bytes_at() { od -An -v -j "$2" -N "$3" -t "u$3" "$1" | tr -d ' '; }

# The ELF kernel out of a bzImage (boot protocol: setup_sects at 1F1h, payload_offset at 248h,
# payload_length at 24Ch): QEMU enters it directly (PVH), so the guest need not unpack it.
extract_vmlinux() { # extract_vmlinux BZIMAGE OUT
  local skip_bytes length
  skip_bytes=$((($(bytes_at "$1" 497 1) + 1) * 512 + $(bytes_at "$1" 584 4)))
  length=$(($(bytes_at "$1" 588 4) - 4))
  tail -c +$((skip_bytes + 1)) "$1" | head -c "$length" >"$2.packed" || true
  case $(od -An -N 4 -t x1 "$2.packed" | tr -d ' ') in
    28b52ffd) zstd -qdc "$2.packed" >"$2" ;;
    fd377a58) xz -dc "$2.packed" >"$2" ;;
    1f8b*) gzip -dc "$2.packed" >"$2" ;;
    *) skip "the kernel in $1 is packed in an unknown way" ;;
  esac
  rm "$2.packed"
}

# The first stage inside: only enough to reach the real root over 9p.
make_initrd() { # make_initrd MODULE-ROOT RELEASE OUT
  local stage=$tmp/stage number=100 file
  mkdir -p "$stage"/{bin,m,proc,sys,dev,host,rw,root}
  cp "$(command -v busybox)" "$stage/bin/busybox"
  for file in $(modprobe -d "$1" -S "$2" --show-depends -a virtio_pci virtio_console 9pnet_virtio \
    9p overlay 2>/dev/null | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'); do
    number=$((number + 1))
    case $file in
      *.xz) xz -dc "$file" >"$stage/m/$number.ko" ;;
      *) cp "$file" "$stage/m/$number.ko" ;;
    esac
  done
  cat >"$stage/init" <<'TEXT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
exec </dev/console >/dev/console 2>&1
for m in /m/*; do insmod $m; done
mount -t 9p -o ro,trans=virtio,version=9p2000.L,cache=loose,msize=512000 host /host
mount -t tmpfs -o mode=755,size=75% rw /rw
mkdir /rw/up /rw/work
mount -t overlay -o lowerdir=/host,upperdir=/rw/up,workdir=/rw/work root /root
for d in dev proc sys; do mount --move /$d /root/$d; done
exec switch_root /root /bin/bash $(sed -n 's/.*lab\.init=\([^ ]*\).*/\1/p' /root/proc/cmdline)
TEXT
  chmod +x "$stage/init"
  (cd "$stage" && find . | cpio -o -H newc --quiet) >"$3"
  rm -rf "$stage"
}

fetch_kernel() { # fetch_kernel SERIES
  local image
  rel=$(newest_release "$1")
  [[ -n $rel ]] || { apt_update; rel=$(newest_release "$1"); }
  [[ -n $rel ]] || skip "apt knows no Linux $1 package"
  if [[ ! -e $cache/$rel/initrd ]]; then
    echo "vm: fetching Linux $rel" >&2
    make_tmp
    download "$tmp" "linux-image-$rel"
    dpkg -x "$tmp"/linux-image-*.deb "$tmp/x"
    image=$tmp/x/boot/vmlinuz-$rel
    extract_vmlinux "$image" "$tmp/vmlinux"
    mv "$tmp/x/lib/modules/$rel" "$tmp/modules" 2>/dev/null ||
      mv "$tmp/x/usr/lib/modules/$rel" "$tmp/modules"
    mkdir -p "$tmp/root/lib/modules"
    ln -s "$tmp/modules" "$tmp/root/lib/modules/$rel"
    depmod -b "$tmp/root" "$rel"
    make_initrd "$tmp/root" "$rel" "$tmp/initrd"
    rm -rf "$tmp"/{x,root} "$tmp"/linux-image-*.deb "${cache:?}/$rel"
    chmod 755 "$tmp"
    mv "$tmp" "$cache/$rel"
  fi
  ln -sfn "$rel" "$cache/$1"
}

# Everything of NVMe over Fabrics built in, and little else.
uml_options() {
  local name
  for name in 64BIT EXPERT MULTIUSER BINFMT_{ELF,SCRIPT} SHMEM ADVISE_SYSCALLS MEMBARRIER SIGNALFD \
    TIMERFD EVENTFD EPOLL FUTEX AIO IO_URING POSIX_TIMERS HIGH_RES_TIMERS NO_HZ_IDLE FHANDLE \
    FILE_LOCKING INOTIFY_USER SYSVIPC POSIX_MQUEUE KALLSYMS PRINTK BUG TTY UNIX98_PTYS \
    STDERR_CONSOLE NULL_CHAN MCONSOLE MAGIC_SYSRQ PROC_FS PROC_SYSCTL SYSFS TMPFS TMPFS_XATTR \
    DEVTMPFS DEBUG_FS CONFIGFS_FS HOSTFS OVERLAY_FS EXT4_FS NAMESPACES {UTS,PID,USER,IPC,NET}_NS KEYS NET \
    INET IPV6 UNIX PACKET NETDEVICES NET_CORE DUMMY VETH TUN ETHTOOL_NETLINK NET_SCHED \
    NET_SCH_NETEM TLS BLOCK BLK_DEV BLK_DEV_{LOOP,RAM,NULL_BLK} VIRTIO_UML UML_PCI_OVER_VIRTIO PCI \
    NVME_{CORE,MULTIPATH,FABRICS,TCP,RDMA,TCP_TLS,HOST_AUTH} \
    NVME_TARGET{,_PASSTHRU,_LOOP,_TCP,_RDMA,_TCP_TLS,_AUTH} \
    INFINIBAND INFINIBAND_{USER_ACCESS,USER_MAD,ADDR_TRANS} RDMA_{RXE,SIW} \
    CRYPTO_{CRC32C,SHA256,SHA512,HMAC,GCM,DH_RFC7919_GROUPS} CC_OPTIMIZE_FOR_PERFORMANCE; do
    echo "CONFIG_$name=y"
  done
  printf '%s\n' CONFIG_KERNEL_STACK_ORDER=4 CONFIG_UML_PCI_OVER_VIRTIO_DEVICE_ID=1234
}

build_uml() {
  echo 'vm: building User Mode Linux, once (some minutes)' >&2
  need make=make gcc=gcc flex=flex bison=bison bc=bc
  make_tmp
  download "$tmp" linux-source-6.12
  mkdir "$tmp/src"
  dpkg-deb --fsys-tarfile "$tmp"/linux-source-*.deb | tar -xO ./usr/src/linux-source-6.12.tar.xz |
    xz -dc -T0 | tar -x -C "$tmp/src" --strip-components=1 ||
    skip 'the source of Linux 6.12 does not unpack'
  # The register state of newer CPUs (AMX) does not fit into what 6.12 sets aside for it.
  sed -i 's/(HOST_FP_SIZE, 2696)/(HOST_FP_SIZE, 12288)/' "$tmp/src/arch/x86/um/user-offsets.c"
  uml_options >"$tmp/fragment"
  {
    make -s -C "$tmp/src" ARCH=um KCONFIG_ALLCONFIG="$tmp/fragment" allnoconfig &&
      make -s -C "$tmp/src" ARCH=um -j"$(nproc)" linux
  } >"$tmp/log" 2>&1 || {
    tail -n 40 "$tmp/log" >&2
    skip 'User Mode Linux does not build here'
  }
  rel=$(make -s -C "$tmp/src" ARCH=um kernelrelease)
  mkdir -p "$tmp/uml/modules" "$tmp/root/lib/modules"
  mv "$tmp/src/linux" "$tmp/src/.config" "$tmp/uml/"
  # So that modprobe knows what is built in.
  cp "$tmp"/src/modules.builtin* "$tmp/uml/modules/"
  touch "$tmp/uml/modules/modules.order"
  ln -s "$tmp/uml/modules" "$tmp/root/lib/modules/$rel"
  depmod -b "$tmp/root" "$rel"
  echo "$rel" >"$tmp/uml/release"
  rm -rf "$cache/uml"
  mv "$tmp/uml" "$cache/uml"
  rm -rf "$tmp"
}

# Without KVM, QEMU 7.2 with two CPUs in two threads now and then runs code that the kernel is just
# patching, and the kernel dies of it. Debian's backports have a newer QEMU, which does not: it is
# unpacked into the cache, by the mirror that apt is set up with.
fetch_qemu() {
  local codename options package
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
  echo "vm: fetching a newer QEMU from $codename-backports" >&2
  make_tmp
  mkdir -p "$tmp/lists/partial" "$tmp/cache/archives/partial"
  # shellcheck disable=SC2016
  apt-get indextargets --format '$(CODENAME) $(REPO_URI)' |
    awk -v c="$codename" '$1 == c && !seen[$2]++ { print "deb", $2, c "-backports", "main" }' >"$tmp/list"
  options=(-qq -o Dir::Etc::sourcelist="$tmp/list" -o Dir::Etc::sourceparts=-
    -o Dir::State::lists="$tmp/lists" -o Dir::Cache="$tmp/cache" -o APT::Sandbox::User=root)
  (cd "$tmp" && apt-get "${options[@]}" update &&
    apt-get "${options[@]}" download qemu-system-{x86,common,data} seabios) >"$tmp/log" 2>&1 ||
    return 1
  for package in "$tmp"/*.deb; do dpkg -x "$package" "$tmp/qemu"; done
  "$tmp/qemu/usr/bin/qemu-system-x86_64" --version >"$tmp/log" 2>&1 || return 1
  rm -rf "$cache/qemu"
  mv "$tmp/qemu" "$cache/qemu"
  rm -rf "$tmp"
}

qemu_is_new() {
  local version
  version=$("$qemu" --version 2>/dev/null | sed -n 's/^QEMU emulator version \([0-9.]*\).*/\1/p')
  [[ -n $version && $(printf '8.1\n%s\n' "$version" | sort -V | head -n 1) == 8.1 ]]
}

prepare() {
  need ip=iproute2 nvme=nvme-cli fio=fio depmod=kmod xz=xz-utils mkfs.ext4=e2fsprogs
  if [[ $kernel == uml ]]; then
    [[ -e $cache/uml/release ]] || build_uml
    rel=$(cat "$cache/uml/release") dir=$cache/uml
    return
  fi
  need qemu-system-x86_64=qemu-system-x86 busybox=busybox-static cpio=cpio zstd=zstd
  [[ -e $cache/$kernel/initrd ]] || fetch_kernel "$kernel"
  rel=$(basename "$(realpath "$cache/$kernel")") dir=$cache/$rel
  qemu=qemu-system-x86_64 threads=multi
  if [[ $(. "$here/machine.sh" && accelerator) == tcg ]] && ! qemu_is_new; then
    if [[ -e $cache/qemu ]] || fetch_qemu; then
      qemu=$cache/qemu/usr/bin/qemu-system-x86_64
    else
      echo 'vm: no newer QEMU to be had; its CPUs take turns' >&2
      threads=single
    fi
  fi
}
