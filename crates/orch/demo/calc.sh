#!/bin/sh
# A small calculator: calc.sh OPERATION A B
set -u
here=$(dirname "$0")

usage() {
    echo "usage: calc.sh OPERATION A B" >&2
    echo "operations: $(ls "$here/ops" | sed 's/\.sh$//' | tr '\n' ' ')" >&2
    exit 2
}

[ $# -eq 3 ] || usage
case $1 in
    *[!a-z]* | '') usage ;;
esac
[ -f "$here/ops/$1.sh" ] || usage
. "$here/ops/$1.sh"
calculate "$2" "$3"
