#!/bin/sh
# Checks that every row of the table of parameters has a test of its effect: a line in
# params.list that names it, with a test that exists. Prints "N passed, N failed".
set -u

cd "$(dirname "$0")/.." || exit 1
passed=0
failed=0

fail() {
    failed=$((failed + 1))
    echo "FAILED: $1"
}

rows=$(sed -n 's/^    {"\([]A-Za-z.[]*\)",.*/\1/p' config/param_rows.c)
listed=$(sed '/^#/d' tests/params.list)

[ "$(echo "$rows" | wc -l)" -ge 10 ] || fail "the rows of config/param_rows.c are not found"
for row in $rows; do
    line=$(echo "$listed" | awk -v row="$row" '$1 == row { print $2, $3 }')
    file=${line% *}
    if [ -z "$line" ]; then
        fail "no test of \"$row\" is named in tests/params.list"
    elif ! grep -q "^START_TEST(${line#* })" "$file"; then
        fail "\"$row\": there is no test ${line#* } in $file"
    else
        passed=$((passed + 1))
    fi
done
for row in $(echo "$listed" | awk '{ print $1 }'); do
    echo "$rows" | grep -qxF "$row" || fail "tests/params.list names \"$row\", which is no row"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
