#!/bin/sh
# Installs the peers and the packages that the pages load, without any browser: all of them
# use the one that the daemon uses. Does nothing when that was done for this
# package-lock.json.
set -eu
cd "$(dirname "$0")"
stamp=node_modules/.installed
want=$(cksum < package-lock.json)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ]; then
    exit 0
fi
if ! command -v npm > /dev/null; then
    echo "bench/peers: npm is missing; install the Debian packages nodejs and npm" >&2
    exit 1
fi
echo "  NPM   bench/peers"
export PUPPETEER_SKIP_DOWNLOAD=1 PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1
npm ci --prefer-offline --ignore-scripts --no-audit --no-fund --loglevel=error
echo "$want" > "$stamp"
