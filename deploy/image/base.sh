#!/bin/sh
# What stands for python:3.11-slim-bookworm where no registry of images is reachable: Debian 12, whose Python is 3.11,
# from the package source of this machine. Usage: deploy/image/base.sh NAME
set -eu
command -v debootstrap >/dev/null || {
	echo "debootstrap is missing (Debian: apt-get install debootstrap)." >&2
	exit 1
}
# shellcheck disable=SC2016 # apt fills these in
source=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' 'Component: main' | head -1)
[ -n "$source" ] || {
	echo "This machine has no package source of Debian 12 (bookworm)." >&2
	exit 1
}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
debootstrap --variant=minbase --include=python3,python3-pip,python3-venv,ca-certificates bookworm "$root" "$source" >&2
# As in the image that it stands for: `python` and `pip`, no caches and no manuals.
ln -s /usr/bin/python3 "$root/usr/local/bin/python"
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/man/* "$root"/usr/share/locale/*
container=$(buildah from scratch)
buildah add --quiet "$container" "$root" / >&2
buildah config --env PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
buildah commit --quiet --rm "$container" "$1" >&2
