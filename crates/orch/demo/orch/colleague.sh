#!/bin/sh
# Somebody else releases 1.0.1 straight to main while the task is worked on.
set -eu
clone=$(mktemp -d)
trap 'rm -rf "$clone"' EXIT
git clone --quiet --branch main "$(git remote get-url origin)" "$clone"
cd "$clone"
[ "$(cat VERSION)" = 1.0.0 ] || exit 0
echo 1.0.1 > VERSION
git -c user.name=Colleague -c user.email=colleague@localhost commit --quiet --all --message "Release 1.0.1"
git push --quiet origin main
