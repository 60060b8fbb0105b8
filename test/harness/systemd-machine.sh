#!/usr/bin/env bash
# A small machine in namespaces of its own: the host's files, which it can only read, with another /etc, /run, /tmp, /opt, /var/cache and
# /var/tmp in memory, and the host's systemd as its process 1. The network is the host's, so that what a test serves on 127.0.0.1 is there.
#   systemd-machine.sh PROJECT FOLDER   PROJECT becomes /opt/video-worker, FOLDER/etc is laid over /etc; the units are those of /etc/machine-units alone.
#                                       FOLDER also holds what is mounted, so that nothing is left beside it
# Its end is that of the whole machine.
set -euo pipefail
project="$1" folder="$2" stage="${3:-outside}"

if [ "$stage" = outside ]; then
  # A group of its own: what systemd finds as the root of its control groups. It stays outside of the machine, to take the groups away.
  groups="$folder/groups"
  mkdir "$groups"
  mount --make-rprivate /
  mount -t cgroup2 cgroup2 "$groups"
  beside="$groups/$(sed -n 's/^0:://p' /proc/self/cgroup)"
  # Of a machine whose script was killed, with nothing in it any more: nobody has taken them away.
  for old in "$beside"/machine-*; do
    if [ -d "/proc/${old##*-}" ] || ! grep -qs '^populated 0' "$old/cgroup.events"; then continue; fi
    find "$old" -depth -type d -exec rmdir {} + 2>/dev/null || true
  done
  mine="$beside/machine-$$"
  mkdir "$mine"
  gone() {
    for _ in $(seq 50); do
      find "$mine" -depth -type d -exec rmdir {} + 2>/dev/null && break
      sleep 0.1
    done
    umount -l "$groups"
  }
  trap gone EXIT
  # Waited for by a shell that signals do not end: the test ends the machine, and this goes with it.
  trap '' INT TERM
  (
    echo "$BASHPID" >"$mine/cgroup.procs"
    exec unshare --mount --pid --fork --cgroup --uts --ipc --kill-child "$0" "$project" "$folder" inside
  ) || true
  exit 0
fi

mount --make-rprivate /
memory="$folder/memory"
mkdir "$memory"
mount -t tmpfs -o mode=0755 memory "$memory"
mkdir "$memory"/{upper,work,opt,cache,tmp,lasting}
cp -a "$folder/etc/." "$memory/upper"
chmod 0755 "$memory/upper"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$memory/upper,workdir=$memory/work" /etc
mkdir "$memory/opt/video-worker"
mount --rbind "$project" "$memory/opt/video-worker"
mount --rbind "$memory/opt" /opt
mount --bind "$memory/cache" /var/cache
mount -t tmpfs -o mode=0755 run /run
chmod 1777 "$memory/tmp" "$memory/lasting"
# A unit's PrivateTmp has a folder there, which nobody removes when the machine is killed.
mount --bind "$memory/lasting" /var/tmp
mount -t proc proc /proc
# systemd raises limits of the kernel when it begins, which are the host's. Those of namespaces stay open to the decoder's sandbox.
mount --bind /proc/sys /proc/sys
mount --bind /proc/sys/user /proc/sys/user
mount -o remount,bind,ro /proc/sys
umount -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount --bind "$memory/tmp" /tmp
# Whatever a unit, or a fault in it, makes of a file: the host's stay as they are.
mount -o remount,bind,ro /
# As on a host: what systemd mounts for a unit, its credentials, comes by way of the machine's own mounts.
mount --make-rshared /
exec env -i container=test SYSTEMD_UNIT_PATH=/etc/machine-units PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  /lib/systemd/systemd --system --unit=basic.target --log-target=null --show-status=no
