#!/bin/sh
# Checks the rules of style that can be seen without a compiler. It reads lines, after
# comments and strings are blanked out; clang-format and the compilers check the rest.
#
#   check_style.sh FILE...
set -eu

if [ $# = 0 ]; then
    echo "style: no files given" >&2
    exit 1
fi

LC_ALL=C awk '
    BEGIN {
        columns_max = 100
        lines_max = 500
        function_lines_max = 70
        n = split("sprintf vsprintf strcpy stpcpy strcat strncpy strncat strtok atoi atol atoll gets " \
                  "system popen alloca rand srand sleep usleep gettimeofday localtime gmtime " \
                  "setjmp longjmp", names, " ")
        for (i = 1; i <= n; i++) { banned[names[i]] = 1 }
        n = split("printf puts putchar perror syslog vprintf", names, " ")
        for (i = 1; i <= n; i++) { speaks[names[i]] = 1 }
    }

    function bad(line, text) { print FILENAME ":" line ": " text; failed++ }

    # The line without comments, strings and characters; keeps in_comment over lines.
    function code_of(line,    out, c, two, i, quote) {
        out = ""
        for (i = 1; i <= length(line); i++) {
            c = substr(line, i, 1)
            two = substr(line, i, 2)
            if (in_comment) {
                if (two == "*/") { in_comment = 0; i++ }
            } else if (quote != "") {
                if (c == "\\") { i++ }
                else if (c == quote) { quote = ""; out = out c }
            } else if (two == "/*") { in_comment = 1; i++ }
            else if (two == "//") { return out }
            else {
                # A quote after a letter or digit is a digit separator or a prefix.
                if (c == "\"" || c == "\047") { quote = c }
                out = out c
            }
        }
        return out
    }

    function check_names(code,    rest, name) {
        rest = code
        while (match(rest, /[A-Za-z_][A-Za-z_0-9]*[ \t]*\(/)) {
            name = substr(rest, RSTART, RLENGTH)
            sub(/[ \t]*\($/, "", name)
            if (name in banned) { bad(FNR, name "() is banned") }
            if (is_library && (name in speaks)) { bad(FNR, name "(): library folders print nothing") }
            rest = substr(rest, RSTART + RLENGTH)
        }
        if (is_library && code ~ /(^|[^A-Za-z_0-9])(stdout|stderr)([^A-Za-z_0-9]|$)/) {
            bad(FNR, "library folders use neither stdout nor stderr")
        }
    }

    # Variables that live as long as the program, unless they are constant.
    function check_globals(code) {
        if (is_test || code ~ /^[ \t]*(typedef|extern|return|#|static_assert|_Static_assert)/) { return }
        if (code ~ /^[ \t]+static / && code !~ /(^|[^A-Za-z_])const([^A-Za-z_]|$)/) {
            bad(FNR, "static variables of functions must be const")
        }
        # At file scope: a type, a name, an initial value or the end; no parenthesis before.
        if (depth == 0 && code ~ /^[A-Za-z_][A-Za-z_0-9 \t*]*[ \t*][A-Za-z_][A-Za-z_0-9]*(\[[^\]]*\])*[ \t]*(=|;[ \t]*$)/ &&
            code !~ /(^|[^A-Za-z_])const([^A-Za-z_]|$)/ && code !~ /^(struct|enum|union) [A-Za-z_0-9]+;/) {
            bad(FNR, "variables at file scope must be const")
        }
    }

    # "config/knobs.h" wants CONFIG_KNOBS_H.
    function guard_of(path) {
        path = toupper(path)
        gsub(/[^A-Z0-9]/, "_", path)
        return path
    }

    function end_file() {
        if (last_name == "") { return }
        if (lines > lines_max) { print last_name ": " lines " lines, at most " lines_max; failed++ }
        if (last_name ~ /\.h$/ && !has_guard) {
            print last_name ": no include guard " guard_of(last_name)
            failed++
        }
    }

    FNR == 1 {
        end_file()
        files++
        last_name = FILENAME
        lines = 0
        has_guard = 0
        in_comment = 0
        depth = 0
        folder = FILENAME
        sub(/\/.*/, "", folder)
        base = FILENAME
        sub(/.*\//, "", base)
        is_test = folder == "tests" || folder == "bench"
        is_library = folder ~ /^(config|net|pool|document|cdp|http)$/
        if (index($0, "/* " base ": ") != 1) {
            bad(1, "the first line must be \"/* " base ": what it is for\"")
        }
    }

    {
        lines++
        if (length($0) > columns_max) {
            # Columns, not bytes: continuation bytes of UTF-8 do not count.
            text = $0
            gsub(/[\200-\277]/, "", text)
            if (length(text) > columns_max) { bad(FNR, length(text) " columns, at most " columns_max) }
        }
        if (/\t/) { bad(FNR, "tab") }
        if (/[ \r]$/) { bad(FNR, "blank at the end of the line") }
        if (/(^|[^A-Za-z])(TO[D]O|FIX[M]E|XX[X])([^A-Za-z]|$)/) { bad(FNR, "unfinished work is marked") }
        if ($0 == "#ifndef " guard_of(FILENAME)) { has_guard = 1 }

        code = code_of($0)
        if (code ~ /^[ \t]*#[ \t]*define[ \t]+NDEBUG/) { bad(FNR, "asserts stay on") }
        if (code !~ /^[ \t]*#/) {
            check_names(code)
            check_globals(code)
        }

        if (code == "{") { function_start = FNR }
        if (code == "}" && function_start > 0) {
            if (FNR - function_start + 1 > function_lines_max) {
                bad(function_start, "function of " FNR - function_start + 1 " lines, at most " function_lines_max)
            }
            function_start = 0
        }
        if (code !~ /^[ \t]*#/) { depth += gsub(/{/, "{", code) - gsub(/}/, "}", code) }
    }

    END {
        end_file()
        if (failed > 0) { print "style: " failed " violations"; exit 1 }
        print "style: " files " files keep the rules"
    }
' "$@"
