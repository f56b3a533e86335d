#!/bin/sh
# podman on a machine whose cgroups cannot be used (hybrid, read-only): in a mount namespace of its own, without cgroups.
#
#   ENGINE=deploy/podman-nested.sh ENGINE_RUN='--cgroups=disabled --ulimit=nofile=4096:4096 --ulimit=nproc=4096:4096 --no-healthcheck' \
#       python deploy/check_image.py localhost/rerank-gateway:1
#
# PODMAN holds more options of podman's own (for example `--storage-driver vfs`). Needs root; limits of memory and CPU are
# not enforced this way, all else is.
set -eu
# shellcheck disable=SC2016,SC2086
exec unshare --mount --propagation private sh -c '
    umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup
    exec podman '"${PODMAN-}"' --cgroup-manager=cgroupfs --events-backend=none "$@"' podman "$@"
