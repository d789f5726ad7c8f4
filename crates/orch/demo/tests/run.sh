#!/bin/sh
# Runs every tests/*.test and prints TAP; exits 1 when a case fails.
# A case is a line: OPERATION A B = EXPECTED
cd "$(dirname "$0")/.." || exit 2
count=0
failed=0
for suite in tests/*.test; do
    while read -r operation a b _ expected; do
        case $operation in
            '' | '#'*) continue ;;
        esac
        count=$((count + 1))
        actual=$(sh calc.sh "$operation" "$a" "$b" 2>&1)
        if [ "$actual" = "$expected" ]; then
            echo "ok $count - $operation $a $b"
        else
            echo "not ok $count - $operation $a $b: expected '$expected', got '$actual'"
            failed=$((failed + 1))
        fi
    done < "$suite"
done
echo "1..$count"
[ "$failed" -eq 0 ]
