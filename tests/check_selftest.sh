#!/bin/sh
# Plants violations and expects each check to find them: a check that cannot fail checks
# nothing. Prints "N passed, N failed".
set -u

scripts=$(cd "$(dirname "$0")/../scripts" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
passed=0
failed=0

pass() { passed=$((passed + 1)); }
fail() {
    failed=$((failed + 1))
    echo "FAILED: $1"
    sed 's/^/    /' out
}

# expect_clean NAME COMMAND...
expect_clean() {
    name=$1
    shift
    if "$@" >out 2>&1; then pass; else fail "$name: clean, but refused"; fi
}

# expect_found NAME TEXT COMMAND...: it fails, and says TEXT.
expect_found() {
    name=$1
    text=$2
    shift 2
    if "$@" >out 2>&1; then
        fail "$name: not found"
    elif grep -qF -- "$text" out; then
        pass
    else
        fail "$name: found, but without \"$text\""
    fi
}

mkdir config pool http cdp daemon tests

clean_pool='/* a.c: a part of the pool, with a /* and a "quote" in its comment. */
#include "pool/a.h"

#include <string.h>
#include "config/b.h"

static const char *const names[] = {"printf(", NULL};
static const struct { int number; } rows[] = {{1}};
struct forward;
enum kind { KIND_A, KIND_B };

static int sprintf_like(int x);

int a_count(const char *text)
{
    /* sprintf() is only mentioned. */
    static const char blanks[] = " \t";
    return (int)strlen(text) + names[0][0] + rows[0].number + blanks[0];
}
'

# style NAME TEXT CODE [FILE]: CODE behind a clean file must be found.
style() {
    file=${4:-pool/a.c}
    printf '%s%s\n' "$clean_pool" "$3" >"$file"
    expect_found "style: $1" "$2" "$scripts/check_style.sh" "$file"
}

printf '%s' "$clean_pool" >pool/a.c
expect_clean style "$scripts/check_style.sh" pool/a.c
for name in sprintf strcpy strcat strncpy strtok atoi atol gets system popen alloca rand sleep \
    usleep gettimeofday localtime setjmp; do
    style "$name" "pool/a.c:22: $name() is banned" "void f(void)
{
    $name (1);
}"
done
style printf 'library folders print nothing' 'void f(void) { printf("x"); }'
style stderr 'neither stdout nor stderr' 'void f(void) { fputs("x", stderr); }'
style tab 'pool/a.c:20: tab' "int$(printf '\t')x(void);"
style blank 'blank at the end' 'int x(void); '
style return 'blank at the end' "$(printf 'int x(void);\r')"
style columns '101 columns' "/* $(printf '%095d' 0) */"
style todo 'unfinished work' "/* TO""DO: later. */"
style fixme 'unfinished work' "int x(void); /* FIX""ME */"
style global 'pool/a.c:20: variables at file scope must be const' 'static int counter;'
style array 'variables at file scope must be const' 'static char buffer[100];'
style pointer 'variables at file scope must be const' 'struct daemon *the_daemon = NULL;'
style local 'static variables of functions' 'void f(void)
{
    static int counter;
    counter++;
}'
style ndebug 'asserts stay on' '#define NDEBUG'
style header 'the first line must be' '' pool/b.c
style guard 'no include guard POOL_C_H' '' pool/c.h
style function 'function of 71 lines' "void f(void)
{
$(yes '    g();' | head -69)
}"
style file 'lines, at most 500' "$(yes 'int x(void);' | head -500)"

printf '/* c.h: one line. */\n#ifndef POOL_C_H\n#define POOL_C_H\n#endif\n' >pool/c.h
expect_clean 'style of a header' "$scripts/check_style.sh" pool/c.h
printf '/* t.c: a test may print and count. */\nstatic int counter;\nvoid f(void)\n{\n    printf("%%d", counter);\n}\n' >tests/t.c
expect_clean 'style of a test' "$scripts/check_style.sh" tests/t.c
printf '/* t.c: a test must not wait blindly. */\nvoid f(void)\n{\n    sleep(1);\n}\n' >tests/t.c
expect_found 'style of a test' 'sleep() is banned' "$scripts/check_style.sh" tests/t.c
expect_found 'style of nothing' 'no files' "$scripts/check_style.sh"
rm -f pool/* tests/*

# layers NAME TEXT FILE INCLUDE; an empty TEXT: it is allowed.
layers() {
    printf '#include %s\n' "$4" >"$3"
    if [ -z "$2" ]; then
        expect_clean "layers: $1" "$scripts/check_layers.sh" .
    else
        expect_found "layers: $1" "$2" "$scripts/check_layers.sh" .
    fi
    rm -f "$3"
}

for folder in pool http cdp daemon; do
    layers "$folder config" '' $folder/a.c '"config/config.h"'
    layers "config $folder" "config/ must not include $folder/" config/a.c "\"$folder/x.h\""
    layers "$folder tests" "$folder/ must not include tests/" $folder/a.c '"tests/x.h"'
done
for pair in 'pool http' 'pool cdp' 'pool daemon' 'http pool' 'http cdp' 'http daemon' 'cdp pool' \
    'cdp http' 'cdp daemon'; do
    set -- $pair
    layers "$pair" "$1/ must not include $2/" "$1/a.h" "\"$2/x.h\""
done
for folder in config pool http cdp; do
    layers "daemon $folder" '' daemon/a.c "\"$folder/x.h\""
done
layers tests '' tests/a.c '"daemon/daemon.h"'
layers local 'must be a path from the root' pool/a.c '"state.h"'
layers up 'must not go up' pool/a.c '"pool/../cdp/x.h"'
layers 'pool libuv' 'pool/ must not use <uv.h>' pool/a.c '<uv.h>'
layers 'config jansson' 'config/ must not use <jansson.h>' config/a.c '<jansson.h>'
layers 'cdp microhttpd' 'cdp/ must not use <microhttpd.h>' cdp/a.c '<microhttpd.h>'
layers 'daemon lws' 'daemon/ must not use <libwebsockets.h>' daemon/a.c '<libwebsockets.h>'
layers 'daemon curl' 'daemon/ must not use <curl/curl.h>' daemon/a.c '<curl/curl.h>'
layers 'http microhttpd' '' http/a.c '<microhttpd.h>'
expect_found 'layers of nothing' 'no files' "$scripts/check_layers.sh" .

# pure NAME TEXT CODE; an empty TEXT: it is pure.
pure() {
    printf '%s\n' '#include <assert.h>' '#include <stdint.h>' '#include <stdio.h>' \
        '#include <stdlib.h>' '#include <string.h>' '#include <time.h>' "$3" >pool/a.c
    if ! ${CC:-cc} -O2 -D_FORTIFY_SOURCE=2 -c -o pool/a.o pool/a.c >out 2>&1; then
        fail "pure: $1: does not compile"
    elif [ -z "$2" ]; then
        expect_clean "pure: $1" "$scripts/check_pure.sh" pool/a.o
    else
        expect_found "pure: $1" "$2" "$scripts/check_pure.sh" pool/a.o
    fi
}

pure memory '' 'void f(char *a, char *b, size_t n) { assert(n); memcpy(a, b, n); memset(b, 0, n); }'
pure tables '' 'static const char *const t[] = {"a", "b"}; const char *f(int i) { return t[i]; }'
pure malloc 'pool/a.o: needs malloc' 'void *f(size_t n) { return malloc(n); }'
pure clock 'needs clock_gettime' \
    'long f(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec; }'
pure print 'needs __printf_chk' 'void f(int x) { printf("%d", x); }'
pure random 'needs rand' 'int f(void) { return rand(); }'
pure variable 'bytes of variables' 'int f(void) { static int n; return ++n; }'
pure initialised 'bytes of variables' 'int f(void) { static int n = 7; return ++n; }'
pure table 'bytes of variables' 'char *t[] = {(char *)&t}; char *f(int i) { return t[i]; }'
expect_found 'pure of nothing' 'no objects' "$scripts/check_pure.sh"

# The runner of tests counts what fails, however it fails.
runner() {
    printf '#!/bin/sh\n%s\n' "$3" >program
    chmod +x program
    if TEST_TIMEOUT_SECONDS=1 "$scripts/run_tests.sh" . ./program >out 2>&1; then status=0; else status=1; fi
    if [ "$(tail -n 1 out)" = "$2" ] && [ $status = "$4" ]; then pass; else fail "runner: $1"; fi
}
runner check '7 passed, 0 failed' 'echo "100%: Checks: 7, Failures: 0, Errors: 0"' 0
runner suites '5 passed, 2 failed' \
    'echo "100%: Checks: 3, Failures: 0, Errors: 0"; echo "50%: Checks: 4, Failures: 1, Errors: 1"; exit 1' 1
runner lines '2 passed, 0 failed' 'echo "2 passed, 0 failed"' 0
runner silent '1 passed, 0 failed' 'true' 0
runner status '0 passed, 1 failed' 'exit 3' 1
runner late '7 passed, 1 failed' 'echo "100%: Checks: 7, Failures: 0, Errors: 0"; exit 3' 1
runner killed '0 passed, 1 failed' 'kill -9 $$' 1
runner empty '0 passed, 1 failed' 'echo "100%: Checks: 0, Failures: 0, Errors: 0"' 1
runner hung '0 passed, 1 failed' 'exec tail -f /dev/null' 1

echo "$passed passed, $failed failed"
[ $failed = 0 ]
