#!/bin/sh
# Installs into a scratch folder and tries the installed program from outside.
set -eu
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
cp -R calc.sh ops "$stage"
cd /
answer=$(sh "$stage/calc.sh" add 20 22)
if [ "$answer" = 42 ]; then
    echo "ok 1 - the installed program answers"
else
    echo "not ok 1 - the installed program says '$answer'"
    exit 1
fi
