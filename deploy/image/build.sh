#!/bin/sh
# Build the image with buildah: as root, without a daemon, with pip's settings and authorities of this machine.
# Usage: deploy/image/build.sh [NAME], astegni-worker without one.
set -eu
cd "$(dirname "$0")/../.."
for program in buildah podman; do
	command -v "$program" >/dev/null || {
		echo "$program is missing and nothing was built (Debian: apt-get install --no-install-recommends buildah podman runc catatonit debootstrap)." >&2
		exit 1
	}
done

base=docker.io/library/$(sed -n 's/^ARG BASE=//p' Dockerfile)
if ! buildah inspect --type image "$base" >/dev/null 2>&1 && ! buildah pull --quiet "$base"; then
	echo "$base cannot be pulled: a stand-in is made of Debian's packages." >&2
	base=localhost/bookworm-python
	buildah inspect --type image "$base" >/dev/null 2>&1 || sh deploy/image/base.sh "$base"
fi

name=${1:-astegni-worker}
set --
for file in /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
	[ ! -f "$file" ] || set -- "$@" --volume "$file:$file:ro"
done
# --isolation chroot: within a container there is no right to make another.
exec buildah build --isolation chroot --pull-never --layers --build-arg "BASE=$base" "$@" --tag "$name" .
