#!/bin/sh
# A base image without a registry: Debian by debootstrap, from the mirror that apt is configured with, into buildah's store.
#
#   deploy/build-local-base.sh localhost/base:1                        # Python of Debian (bookworm: 3.11)
#   deploy/build-local-base.sh --python /opt/python3.13 localhost/base:1   # ... or an installed one, put under /usr/local
#   buildah bud --build-arg BASE_IMAGE=localhost/base:1 -f deploy/Dockerfile -t rerank-gateway .
#
# Needs root, debootstrap and buildah. BUILDAH holds buildah's options (for example `--storage-driver vfs`), SUITE the
# release of Debian (default bookworm), MIRROR the mirror (default: the first of apt's own for that suite).
set -eu

usage() {
    sed -n '3,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

python=""
if [ "${1-}" = --python ]; then
    [ $# -ge 2 ] || usage
    python=$2
    shift 2
    [ -x "$python/bin/python3" ] || { echo "error: no bin/python3 under $python" >&2; exit 1; }
fi
[ $# -eq 1 ] || usage
image=$1
suite=${SUITE:-bookworm}
mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' "Codename: $suite" | head -n 1)}
[ -n "$mirror" ] || { echo "error: apt knows no mirror of $suite; set MIRROR" >&2; exit 1; }

# What an installed Python links to (the own one of Debian brings its libraries along).
packages=ca-certificates,python3,python3-venv
[ -z "$python" ] || packages=ca-certificates,libbz2-1.0,libexpat1,libffi8,liblzma5,libncursesw6,libreadline8,libsqlite3-0,libssl3,libuuid1,zlib1g

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
root=$work/root
debootstrap --variant=minbase --include="$packages" "$suite" "$root" "$mirror"

if [ -n "$python" ]; then
    # Without its tests and its site-packages: `python3 -m venv` brings pip.
    mkdir -p "$root/usr/local"
    tar -C "$python" -c --exclude=__pycache__ --exclude='lib/python3.*/test' --exclude='lib/python3.*/config-*' \
        --exclude='lib/python3.*/idlelib' --exclude='lib/python3.*/site-packages/*' bin lib | tar -C "$root/usr/local" -x
    chroot "$root" ldconfig
fi

# What a running gateway has no use for.
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/* "$root"/usr/share/doc/* \
    "$root"/usr/share/man/* "$root"/usr/share/locale/* "$root"/usr/share/info/* "$root"/tmp/*

# shellcheck disable=SC2086 # BUILDAH is a list of options
container=$(buildah ${BUILDAH-} from scratch)
# shellcheck disable=SC2086
{
    buildah ${BUILDAH-} add --quiet "$container" "$root" / >/dev/null
    buildah ${BUILDAH-} config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        --env LANG=C.UTF-8 "$container"
    buildah ${BUILDAH-} commit --rm --quiet "$container" "$image"
}
