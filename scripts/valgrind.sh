#!/bin/sh
# Runs test programs, then the daemon for one render, under valgrind: no leaked memory, no
# leaked descriptor, no invalid access. Ends with one line "N passed, N failed".
#
#   valgrind.sh BUILD PROGRAM...
set -u

build=$1
shift
logs=$build/logs/valgrind
work=$(mktemp -d)
passed=0
failed=0
daemon=
origin=
mkdir -p "$logs"
# The browser's user must reach its profile below.
chmod 755 "$work"

cleanup() {
    [ -z "$daemon" ] || kill "$daemon" 2>/dev/null
    [ -z "$origin" ] || kill "$origin" 2>/dev/null
    wait
    rm -rf "$work"
}
trap cleanup EXIT

report() {
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
        printf '  GRIND %-28s ok\n' "$1"
    else
        failed=$((failed + 1))
        printf '  FAIL  %-28s %s:\n' "$1" "$logs/$1.log"
        sed 's/^/        /' "$logs/$1.log"
    fi
}

# No function: the process in the background is to be valgrind itself, which gets the signal.
grind='valgrind --leak-check=full --error-exitcode=99 --track-fds=yes --num-callers=20'

# Open at exit and not inherited. Judged by the log, as valgrind has no exit status for it.
leaks_descriptors() {
    awk '
        /Open (file descriptor|AF_)/ { open = 1; next }
        open && /<inherited from parent>/ { open = 0; next }
        open { leaked = 1; open = 0 }
        /FILE DESCRIPTORS:/ { seen = 1 }
        END { exit !(leaked || !seen) }
    ' "$1"
}

for program in "$@"; do
    name=$(basename "$program")
    CK_FORK=no CK_DEFAULT_TIMEOUT=0 $grind "$program" >"$logs/$name.log" 2>&1 </dev/null
    # Whether the tests hold is for the plain run to say: here they are slow, and some have
    # deadlines. 99 is valgrind's verdict; a crash leaves no line about descriptors.
    [ $? = 99 ] && status=1 || status=0
    ! leaks_descriptors "$logs/$name.log" || status=1
    report "$name" $status
done

# until_found FILE PATTERN: prints the first match; gives up after 60 s.
until_found() {
    timeout 60 tail -n +1 -f "$1" 2>/dev/null | grep -o -m 1 -- "$2"
}

node -e '
    require("http").createServer((request, response) => {
        response.setHeader("Content-Type", "text/html");
        response.end("<title>origin</title><p id=x></p><script>x.textContent = 6 * 7</script>");
    }).listen(0, "127.0.0.1", function () { console.log("port " + this.address().port); });
' >"$work/origin" 2>&1 &
origin=$!
origin_port=$(until_found "$work/origin" 'port [0-9]*')

$grind "$build/prerenderd" --http.listen=127.0.0.1:0 --pool.pages_max=2 \
    --browser.profile_root="$work" >"$logs/prerenderd.log" 2>&1 </dev/null &
daemon=$!
address=$(until_found "$logs/prerenderd.log" 'http://127.0.0.1:[0-9]*')
curl -s -S -m 120 -d "{\"url\":\"http://127.0.0.1:${origin_port#port }/\",\"timeoutMs\":100000}" \
    "$address/render" >"$work/answer" 2>>"$logs/prerenderd.log"
kill -TERM "$daemon"
wait "$daemon"
status=$?
daemon=
cat "$work/answer" >>"$logs/prerenderd.log"
grep -q '<p id="x">42</p>' "$work/answer" || status=1
! leaks_descriptors "$logs/prerenderd.log" || status=1
report prerenderd $status

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
