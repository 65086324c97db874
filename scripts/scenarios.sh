#!/bin/sh
# Lists the scenarios that have neither a test that names their id nor a line in
# tests/scenarios.skip that says why. "P-022, P-023" and "D-020 to D-023" count.
#
#   scenarios.sh    (from the root of the project)
set -eu

named=$(
    find tests -path '*/node_modules' -prune -o -type f \
        \( -name '*.[ch]' -o -name '*.sh' -o -name '*.js' -o -name '*.py' \) -print |
        xargs grep -hoE '\b[A-Z]-[0-9]{3}( to [A-Z]-[0-9]{3})?\b' |
        awk '
            NF == 1 { print $1 }
            NF == 3 {
                for (i = substr($1, 3) + 0; i <= substr($3, 3) + 0; i++) {
                    printf "%s-%03d\n", substr($1, 1, 1), i
                }
            }' | sort -u
)

awk -v named="$named" '
    BEGIN { split(named, ids, "\n"); for (i in ids) { tested[ids[i]] = 1 } }
    FILENAME ~ /skip$/ {
        if ($0 == "" || $0 ~ /^#/) { next }
        if (NF < 3) { print "scenarios: " $1 " is skipped without a reason"; bad++ }
        if ($1 in tested) { print "scenarios: " $1 " is skipped, but has a test"; bad++ }
        skipped[$1] = 1
        next
    }
    {
        known[$1] = 1
        if ($1 in tested) { with++ }
        else if ($1 in skipped) { without++ }
        else { print "scenarios: " $1 " has neither a test nor a reason"; bad++ }
    }
    END {
        for (id in skipped) {
            if (!(id in known)) { print "scenarios: " id " is skipped, but not listed"; bad++ }
        }
        print "scenarios: " with + 0 " with a test, " without + 0 " skipped with a reason, " \
            bad + 0 " open"
        exit bad > 0
    }
' tests/scenarios.skip tests/scenarios.list
