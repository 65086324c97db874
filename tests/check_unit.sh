#!/bin/sh
# Checks prerenderd.service and prerenderd.socket: systemd understands every line of them,
# the unit is as closed as is claimed, and its times fit the daemon's knobs.
# Prints "N passed, N failed".
set -u

root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

check() {
    name=$1
    shift
    if "$@" >"$work/out" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $name"
        sed 's/^/    /' "$work/out"
    fi
}

# The value of a directive; the last one counts.
value() { sed -n "s/^$1=//p" "$root/prerenderd.service" | tail -n 1; }
is_value() { [ "$(value "$1")" = "$2" ] || { echo "$1 is \"$(value "$1")\", not \"$2\""; return 1; }; }
is_absent() { ! grep -q "^$1=" "$root/prerenderd.service"; }
is_explained() { grep -q "^#   $1 " "$root/prerenderd.service"; }

# is_above DIRECTIVE KNOB: seconds against the knob's default in milliseconds.
is_above() {
    grace_ms=$(sed -n "s/^#$2 = //p" "$root/config/prerenderd.conf")
    [ "$(($(value "$1") * 1000))" -gt "$grace_ms" ]
}

# No word of complaint. The program need not be installed for this.
is_verified() {
    sed "s|^ExecStart=.*|ExecStart=/bin/true|" "$root/prerenderd.service" >"$work/prerenderd.service"
    cp "$root/prerenderd.socket" "$work/"
    # Other units are not there, or not sound, in a container: only ours matter.
    SYSTEMD_UNIT_PATH=$work: systemd-analyze verify --man=no "$work/prerenderd.service" \
        "$work/prerenderd.socket" 2>&1 | grep -F prerenderd >"$work/complaints"
    cat "$work/complaints"
    [ ! -s "$work/complaints" ]
}

# Of 10, where 10 is open: what a unit with Chromium's sandbox in it can reach.
is_closed() {
    cp "$root/prerenderd.service" "$work/"
    systemd-analyze security --offline=true --threshold=25 --no-pager "$work/prerenderd.service"
}

check Type is_value Type notify
check KillMode is_value KillMode mixed
check Restart is_value Restart on-failure
check DynamicUser is_value DynamicUser yes
check NoNewPrivileges is_value NoNewPrivileges yes
check ProtectSystem is_value ProtectSystem strict
check PrivateTmp is_value PrivateTmp yes
check OOMPolicy is_value OOMPolicy continue
for directive in WatchdogSec StateDirectory RuntimeDirectory MemoryMax TasksMax LimitNOFILE; do
    check "$directive" grep -q "^$directive=." "$root/prerenderd.service"
done
for directive in RestrictNamespaces MemoryDenyWriteExecute PrivateNetwork; do
    check "no $directive" is_absent "$directive"
    check "why no $directive" is_explained "$directive"
done
check 'TimeoutStopSec above the drain' is_above TimeoutStopSec drain_grace_ms
check 'TimeoutStartSec above the start' is_above TimeoutStartSec start_timeout_ms
check 'LimitNOFILE above the connections' [ "$(value LimitNOFILE)" -gt \
    "$(sed -n 's/^#connections_max = //p' "$root/config/prerenderd.conf")" ]
if command -v systemd-analyze >/dev/null 2>&1; then
    check 'systemd-analyze verify' is_verified
    check 'systemd-analyze security' is_closed
fi

echo "$passed passed, $failed failed"
[ $failed = 0 ]
