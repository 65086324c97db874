#!/bin/sh
# Installs the Debian packages that are missing: "run" what building and serving needs,
# "test" that and what the tests need. Who may not install is told what to install.
set -eu

level=${1:-run}

# PACKAGE, or ALTERNATIVE|ALTERNATIVE: any of them will do, the first is installed.
# command:PACKAGE: needed only when no such command is found, wherever it came from.
# The fonts cover what a browser without any shows as boxes, in screenshots and PDF too.
run_packages='
    command:gcc command:make command:pkg-config libc6-dev
    libuv1-dev libmicrohttpd-dev libwebsockets-dev libjansson-dev libsystemd-dev libinih-dev
    libbsd-dev uthash-dev libgumbo-dev zlib1g-dev
    libwebsockets-evlib-uv
    chromium-headless-shell|chromium chromium-sandbox
    fonts-dejavu-core fonts-wqy-microhei fonts-noto-color-emoji
'
test_packages='
    check libcurl4-openssl-dev
    command:clang command:clang-format command:valgrind command:git
    command:node=nodejs command:npm command:curl command:nginx=nginx-light
    command:systemd-socket-activate=systemd
'

case $level in
run) wanted=$run_packages ;;
test) wanted="$run_packages $test_packages" ;;
*)
    echo "usage: scripts/deps.sh run|test" >&2
    exit 2
    ;;
esac

is_installed() {
    dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed
}

# Prints the package to install for one entry, or nothing.
missing_for() {
    case $1 in
    command:*)
        entry=${1#command:}
        command -v "${entry%=*}" >/dev/null 2>&1 || echo "${entry#*=}"
        ;;
    *)
        for alternative in $(echo "$1" | tr '|' ' '); do
            if is_installed "$alternative"; then
                return
            fi
        done
        echo "${1%%|*}"
        ;;
    esac
}

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "deps: this is no Debian system; what is needed are the equivalents of:" $wanted >&2
    exit 0
fi

missing=
for entry in $wanted; do
    missing="$missing $(missing_for "$entry")"
done
missing=$(echo $missing)
if [ -z "$missing" ]; then
    exit 0
fi

if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root='sudo -n'
else
    echo "deps: missing packages, and no right to install them. As root:" >&2
    echo "    apt-get install --no-install-recommends $missing" >&2
    exit 1
fi

install_missing() {
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends $missing
}

echo "deps: installing $missing"
# Package lists may be absent or old; they are fetched only then.
if ! $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends --download-only $missing >/dev/null 2>&1; then
    $as_root apt-get update -q
fi
install_missing
