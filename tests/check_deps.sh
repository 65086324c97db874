#!/bin/sh
# Runs scripts/deps.sh on a machine of our own making: what it installs, what it only says,
# and when it fetches package lists. Prints "N passed, N failed".
set -u

deps=$(cd "$(dirname "$0")/../scripts" && pwd)/deps.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"
# Only these commands exist there.
for tool in sh env grep tr cat; do
    ln -s "$(command -v $tool)" "$work/bin/$tool"
done
passed=0
failed=0

program() {
    printf '#!/bin/sh\n%s\n' "$2" >"$work/bin/$1"
    chmod +x "$work/bin/$1"
}
# The packages that are installed are listed in a file.
program dpkg-query "grep -qx \"\$4\" $work/installed && echo installed"
program apt-get "echo \"\$*\" >>$work/calls
case \"\$*\" in *download-only*) [ -e $work/lists ] ;; update*) : >$work/lists ;; esac"
program id "cat $work/uid"

# run LEVEL: its output in out, its calls of apt-get in calls.
run() {
    : >"$work/calls"
    PATH=$work/bin "$work/bin/sh" "$deps" "$1" >"$work/out" 2>&1
    status=$?
}
check() {
    name=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $name (exit status $status)"
        cat "$work/out" "$work/calls"
    fi
}
says() { grep -qF -- "$1" "$work/out"; }
calls() { grep -qF -- "$1" "$work/calls"; }
not() { ! "$@"; }

libraries='libuv1-dev libmicrohttpd-dev libwebsockets-dev libjansson-dev libsystemd-dev libinih-dev
libbsd-dev uthash-dev libgumbo-dev zlib1g-dev libwebsockets-evlib-uv libc6-dev
fonts-dejavu-core fonts-wqy-microhei fonts-noto-color-emoji'
for command in gcc make pkg-config; do
    program $command true
done

: >"$work/lists"
echo 1000 >"$work/uid"
printf '%s\n' $libraries chromium-headless-shell chromium-sandbox >"$work/installed"
run run
check 'complete: status' [ $status = 0 ]
check 'complete: silent' [ ! -s "$work/out" ]
check 'complete: nothing called' [ ! -s "$work/calls" ]

printf '%s\n' $libraries chromium chromium-sandbox >"$work/installed"
run run
check 'another browser will do' [ $status = 0 ]

run test
check 'tests need more' [ $status = 1 ]
check 'tests need Check' says ' check '
check 'a command is named by its package' says ' nodejs '
program node true
run test
check 'a command from elsewhere will do' not says nodejs

printf '%s\n' $libraries | grep -v libuv1 >"$work/installed"
run run
check 'not allowed: status' [ $status = 1 ]
check 'not allowed: says what' says \
    'apt-get install --no-install-recommends libuv1-dev chromium-headless-shell chromium-sandbox'
check 'not allowed: nothing called' [ ! -s "$work/calls" ]

program sudo '[ "$2" = true ] || { shift; exec "$@"; }'
run run
check 'sudo: status' [ $status = 0 ]
check 'sudo: installs' calls '--no-install-recommends libuv1-dev chromium-headless-shell chromium-sandbox'
program sudo false
run run
check 'sudo refuses: status' [ $status = 1 ]

echo 0 >"$work/uid"
run run
check 'root: status' [ $status = 0 ]
check 'root: installs' calls '--no-install-recommends libuv1-dev chromium-headless-shell chromium-sandbox'
check 'root: keeps its lists' not calls update
rm "$work/lists"
run run
check 'no lists: status' [ $status = 0 ]
check 'no lists: fetches them' calls update

program apt-get false
run run
check 'apt-get fails: status' [ $status != 0 ]
run nonsense
check 'usage' [ $status = 2 ]

echo "$passed passed, $failed failed"
[ $failed = 0 ]
