#!/bin/sh
# Checks with nm that pure parts need nothing but string and memory functions, the assert
# hook, what the compiler itself calls, and each other; and that they own no variable.
#
#   check_pure.sh OBJECT...
set -eu

if [ $# = 0 ]; then
    echo "pure: no objects given" >&2
    exit 1
fi

{
    nm -A -u "$@" | sed 's/^/need /'
    nm -A --defined-only "$@" | sed 's/^/have /'
} | awk '
    BEGIN {
        split("memcpy memmove memset memcmp memchr memrchr memmem strlen strnlen strcmp strncmp " \
              "strchr strrchr strstr strspn strcspn", names, " ")
        for (i in names) {
            allowed[names[i]] = allowed["__" names[i] "_chk"] = 1
        }
        # The assert hook, and what the compiler adds by itself. bsearch is pure
        # as long as its callback is, which is in here too.
        split("__assert_fail __stack_chk_fail _GLOBAL_OFFSET_TABLE_ bsearch", names, " ")
        for (i in names) {
            allowed[names[i]] = 1
        }
    }
    # nm -A: "object:[address] TYPE NAME".
    {
        object = $2
        sub(/:.*/, "", object)
        seen[object] = 1
        name = $NF
        type = $(NF - 1) # Of a symbol; upper case: other files see it.
    }
    $1 == "have" && type ~ /^[A-Z]$/ { allowed[name] = 1 }
    $1 == "need" && name !~ /^__(asan|ubsan|sanitizer)_/ { needs[object " " name] = 1 }
    END {
        for (need in needs) {
            split(need, part, " ")
            if (!(part[2] in allowed)) {
                bad[part[1] ": needs " part[2]] = 1
            }
        }
        for (line in bad) { print line | "sort"; failed++ }
        close("sort")
        for (object in seen) { objects++ }
        if (failed > 0) { print "pure: " failed " violations"; exit 1 }
        print "pure: " objects " objects need only memory and string functions"
    }' || exit 1

# Variables, as opposed to constants with pointers in them (.data.rel.ro).
status=0
for object in "$@"; do
    bytes=$(size -A "$object" | awk '
        $1 ~ /^\.(data|bss)/ && $1 !~ /^\.data\.rel\.ro/ { sum += $2 }
        END { print sum + 0 }')
    # Sanitizers keep books of their own there.
    if [ "$bytes" != 0 ] && ! nm -u "$object" | grep -q __asan_; then
        echo "$object: owns $bytes bytes of variables"
        status=1
    fi
done
exit $status
