#!/bin/sh
# Installs the npm packages that the pages of the system tests load. Does nothing when
# they are there already for this package-lock.json, so it needs no network the second time.
set -eu
cd "$(dirname "$0")"
stamp=node_modules/.installed
want=$(cksum < package-lock.json)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ]; then
    exit 0
fi
if ! command -v npm > /dev/null; then
    echo "tests/system/pages: npm is missing; install the Debian packages nodejs and npm" >&2
    exit 1
fi
echo "  NPM   tests/system/pages"
npm ci --prefer-offline --ignore-scripts --no-audit --no-fund --loglevel=error
echo "$want" > "$stamp"
