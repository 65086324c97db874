#!/bin/sh
# Runs the simulator against pools with one known bug each; see pool/state.h. Every one
# of them must fail within its seeds: a simulator that finds nothing proves nothing.
#
#   canaries.sh PROGRAM...    (each named after its canary)
set -eu

seeds=1..200
alive=0
for program in "$@"; do
    if output=$("$program" --seeds=$seeds 2>&1); then
        echo "$program: not caught within seeds $seeds"
        alive=$((alive + 1))
    else
        echo "$program: caught: $(echo "$output" | grep -v '^never taken' | head -n 1)"
    fi
done
echo "canaries: $# known bugs, $alive not caught"
[ "$alive" = 0 ]
