#!/bin/sh
# Checks over the #include lines which folder includes which, and which library is used
# where: config, net <- pool, document, http, cdp <- daemon (pool and document without net); tests and
# bench may include anything.
#
#   check_layers.sh ROOT
set -eu
cd "$1"

find config net pool document http cdp daemon tests bench -name '*.[ch]' -not -path '*/node_modules/*' \
    2>/dev/null | sort | xargs awk '
    BEGIN {
        may["config"] = "config"
        may["pool"] = "config pool"
        may["net"] = "net"
        may["document"] = "config document"
        may["http"] = "config net http"
        may["cdp"] = "config net cdp"
        may["daemon"] = "config net pool document http cdp daemon"
        # Headers of libraries by their start, and the folders that may use them.
        library["uv.h"] = "net http cdp daemon"
        library["microhttpd.h"] = "http"
        library["libwebsockets.h"] = "http cdp"
        library["jansson.h"] = "http cdp daemon"
        library["systemd/"] = "daemon"
        library["gumbo.h"] = "document"
        library["zlib.h"] = "daemon"
        library["ini.h"] = "config"
        library["curl/"] = "none"
        library["check.h"] = "none"
    }
    function has(list, word) { return index(" " list " ", " " word " ") > 0 }
    function bad(text) { print FILENAME ":" FNR ": " text; failed++ }
    FNR == 1 {
        files++
        folder = FILENAME
        sub(/\/.*/, "", folder)
        is_free = folder == "tests" || folder == "bench"
    }
    !/^[ \t]*#[ \t]*include/ { next }
    is_free { next }
    match($0, /"[^"]*"/) {
        path = substr($0, RSTART + 1, RLENGTH - 2)
        target = path
        sub(/\/.*/, "", target)
        if (path !~ /\//) {
            bad("\"" path "\" must be a path from the root of the project")
        } else if (path ~ /\.\./) {
            bad("\"" path "\" must not go up")
        } else if (!has(may[folder], target)) {
            bad(folder "/ must not include " target "/: only " may[folder])
        }
        next
    }
    match($0, /<[^>]*>/) {
        path = substr($0, RSTART + 1, RLENGTH - 2)
        for (start in library) {
            if (index(path, start) == 1 && !has(library[start], folder)) {
                bad(folder "/ must not use <" path ">: only " library[start])
            }
        }
    }
    END {
        if (files == 0) { print "layers: no files found"; exit 1 }
        if (failed > 0) { print "layers: " failed " violations"; exit 1 }
        print "layers: " files " files include only what they may"
    }'
