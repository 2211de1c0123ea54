#!/usr/bin/env bash
# Copyright (c) 2026, mqlift contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# boot.sh NAME WORKDIR SHARED READABLE...
# Turns the namespaces it is started in into a host: a copy-on-write view of the machine's root file system, the seed files
# of WORKDIR/seed on top, the folder SHARED and, read-only, the folders READABLE bound in at their own paths (they may be
# on other file systems), and systemd as process 1. Every mount is private to these namespaces, so that all of it vanishes
# with the last process.
set -euo pipefail
name=$1 work=$2 shared=$3
shift 3
root=$work/mnt/root
mkdir -p "$work/mnt"
mount -t tmpfs -o size=2g "lab-$name" "$work/mnt"
mkdir "$work/mnt/upper" "$work/mnt/work" "$root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/mnt/upper,workdir=$work/mnt/work" "$root"

# /dev of its own: with the machine's, systemd would create its sockets and links there.
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
while read -r node major minor; do
  mknod -m 666 "$root/dev/$node" c "$major" "$minor"
done <<'NODES'
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
NODES
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s fd/0 "$root/dev/stdin"
ln -s fd/1 "$root/dev/stdout"
ln -s fd/2 "$root/dev/stderr"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount -t proc proc "$root/proc"
for folder in "$@"; do
  mkdir -p "$root$folder"
  mount --bind "$folder" "$root$folder"
  mount -o remount,bind,ro "$root$folder"
done
mkdir -p "$root$shared"
mount --bind "$shared" "$root$shared"

# None of the machine's own units may start here: the seed brings all that this host runs.
rm -rf "$root/etc/systemd/system"
rm -f "$root"/etc/rc?.d/S* "$root/etc/machine-id"
cp -a --remove-destination "$work/seed/." "$root/"

hostname "$name"
cd "$root"
mkdir -p .old
pivot_root . .old
cd /
umount -l /.old
rmdir /.old
umount /proc
mount -t proc proc /proc
mount -t sysfs -o ro sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
export container=lab
exec /lib/systemd/systemd --system --log-target=journal --show-status=no
