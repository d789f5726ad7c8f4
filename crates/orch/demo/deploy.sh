#!/bin/sh
# Puts the landed revision beside the earlier ones and switches `current` to it at once.
set -eu
target=@DEPLOYED@
mkdir -p "$target/$ORCH_REVISION"
cp -R calc.sh ops VERSION "$target/$ORCH_REVISION"
ln -sfn "$ORCH_REVISION" "$target/current.new"
mv -T "$target/current.new" "$target/current"
echo "deployed $(cat "$target/current/VERSION"), revision $ORCH_REVISION"
