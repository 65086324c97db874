#!/bin/sh
# Runs test programs one after the other and sums what they count.
#
#   run_tests.sh LOGS PROGRAM...      a PROGRAM may be "program argument ..."
#
# What a program prints goes to LOGS/logs/NAME.log and is shown only when it fails. Check's
# "100%: Checks: 12, Failures: 0, Errors: 0" and a line "12 passed, 0 failed" are counted;
# a program that prints neither counts as one. Ends with one line "N passed, N failed".
set -u

logs=$1/logs
shift
limit=${TEST_TIMEOUT_SECONDS:-600}
passed=0
failed=0
mkdir -p "$logs"

export ASAN_OPTIONS="detect_leaks=1:${ASAN_OPTIONS:-}"
export UBSAN_OPTIONS="print_stacktrace=1:${UBSAN_OPTIONS:-}"
export LC_ALL=C

# Prints "PASSED FAILED" of a log.
count() {
    awk '
        match($0, /Checks: [0-9]+, Failures: [0-9]+, Errors: [0-9]+/) {
            split(substr($0, RSTART, RLENGTH), word, /[ ,]+/)
            bad = word[4] + word[6]
            good += word[2] - bad
            wrong += bad
        }
        /^[0-9]+ passed, [0-9]+ failed$/ { good += $1; wrong += $3 }
        END { print good + 0, wrong + 0 }
    ' "$1"
}

for program in "$@"; do
    # Below tests/, as two folders may have programs of the same name.
    name=${program%% *}
    name=${name##*tests/}
    name=$(echo "${name%.sh}" | tr '/' '-')
    log=$logs/$name.log
    timeout -k 10 "$limit" $program >"$log" 2>&1 </dev/null
    status=$?
    set -- $(count "$log")
    good=$1
    bad=$2
    if [ "$((good + bad))" = 0 ]; then
        # A program of Check that ran nothing has tested nothing.
        if [ $status = 0 ] && ! grep -q 'Checks: 0,' "$log"; then good=1; else bad=1; fi
    fi
    if [ $status != 0 ] && [ "$bad" = 0 ]; then
        bad=1
    fi
    passed=$((passed + good))
    failed=$((failed + bad))
    if [ "$bad" = 0 ]; then
        printf '  TEST  %-28s %s passed\n' "$name" "$good"
    else
        printf '  FAIL  %-28s %s failed, exit status %s, %s:\n' "$name" "$bad" "$status" "$log"
        sed 's/^/        /' "$log"
    fi
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
