# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: BSD-2-Clause
# Process 1 of the guest, in its overlay of this machine's root. vm puts the variables before it.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
if [[ $kernel == uml ]]; then
  mount -t proc proc /proc
  mount -t sysfs sys /sys
  mount -t devtmpfs dev /dev
fi
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
ln -s /proc/self/fd /dev/fd
for i in 0:stdin 1:stdout 2:stderr; do ln -s "fd/${i%:*}" "/dev/${i#*:}"; done
mkdir -p "/usr/lib/modules/$rel"
mount --bind "$modules" "/usr/lib/modules/$rel"
i=0
for s in "${shares[@]}"; do
  mkdir -p "$s"
  if [[ $kernel == uml ]]; then
    mount -t hostfs -o "$s" none "$s"
  else
    mount -t 9p -o trans=virtio,version=9p2000.L,cache=none,msize=512000 "share$i" "$s"
    i=$((i + 1))
  fi
done
ip link set lo up
ulimit -l unlimited
if [[ $kernel == uml ]]; then
  mount -t hostfs -o "$run" none "$run"
  port=/dev/tty result=$run
  for i in 1 2; do stty raw -echo <"$port$i"; done
else
  until port=$(compgen -G '/dev/vport*p4'); do read -rt 0.01 <> <(:) || true; done
  port=${port%4} result=/run
  ln -s "${port}3" /run/dmesg
  ln -s "${port}4" /run/rc
fi
mkfifo /run/out /run/err
cat /run/out >"${port}1" & out=$!
cat /run/err >"${port}2" & err=$!
setsid bash "$run/cmd" </dev/null >/run/out 2>/run/err & cmd=$!
# Shortly before the time is up: say what hangs.
read -r up _ </proc/uptime
(
  sleep $((limit > 30 ? limit - 10 - ${up%.*} : 99999))
  {
    echo 'vm: time is nearly up; the processes, and what the kernel says of blocked tasks:'
    ps -eo pid,stat,wchan:24,args | grep -vE '\[.*\]$'
    echo w >/proc/sysrq-trigger
    dmesg | tail -n 60
  } >/run/err 2>&1
) >/dev/null 2>&1 &
watch=$!
wait $cmd
rc=$?
kill $watch 2>/dev/null
# Let the output drain; a process that the command left behind may still hold it open.
for ((i = 0; i < 40; i++)); do
  kill -0 $out $err 2>/dev/null || break
  sleep 0.05
done
dmesg >"$result/dmesg"
echo $rc >"$result/rc"
if [[ $kernel == uml ]]; then echo o >/proc/sysrq-trigger; else echo b >/proc/sysrq-trigger; fi
sleep 60
