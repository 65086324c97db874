#!/bin/sh
# Runs the simulator of a fleet with one known bug each; see tests/fleet/fleet.h. Every one
# of them must be caught: a simulator that finds nothing proves nothing.
#
#   fleet_canaries.sh PROGRAM
set -eu

alive=0
for canary in 1 2 3 4; do
    if output=$("$1" --canary=$canary 2>&1); then
        echo "canary $canary: not caught"
        alive=$((alive + 1))
    else
        echo "canary $canary: caught: $(echo "$output" | head -n 1)"
    fi
done
[ "$alive" = 0 ]
