#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What FReD is for, on a real program, without asking anything: `make demo`.
set -eu
cd "$(dirname "$0")"
fredapp=${BUILD:-build}/fredapp
python=${PYTHON:-/usr/bin/python3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export PYTHONDONTWRITEBYTECODE=1
# The debuggers find neither the user's aliases nor the user's settings: the same demo everywhere.
export HOME="$folder"

say() { printf '%s\n' "$@"; }
line_of() { grep -n -m1 -F "$2" "test-programs/$1" | cut -d: -f1; }

say "1. Counting to ten, and back to the moment when the count stopped being below five." \
    "   Lines after (Pdb) are typed by a script; all else is pdb's and FReD's answer." ""
echo "alias print p %1" >"$folder/.pdbrc"
cat >"$folder/count" <<END
break $(line_of autocount.py 'num = 0')
continue
fred-checkpoint
break $(line_of autocount.py 'print(')
continue
print num
fred-reverse-watch num < 5
print num
next
print num
END
"$fredapp" --batch -x "$folder/count" -- "$python" -m pdb test-programs/autocount.py

say "" "2. A bug in a library: a copy of Debian's python3-sortedcontainers (4,000 lines) in which one statement is wrong." \
    "   A price that was entered cannot be found when it is to be removed.  The damage was done long before, inside" \
    "   the library.  intact() looks every price up: an expression with thousands of calls, and still a search by" \
    "   halves, for the session goes back and forth in milliseconds." ""
seeded=$("$python" test-programs/seed_bug.py "$folder")
cat >"$folder/hunt" <<END
break $(line_of prices.py '    complain(price)')
continue
p price, price in prices, intact(prices)
fred-reverse-watch intact(prices)
where
p _maxes[prev], _lists[prev][-1]
next
p _maxes[prev], _lists[prev][-1]
fred-history
END
"$fredapp" --batch -x "$folder/hunt" -- "$python" -m pdb test-programs/prices.py "$folder"

say "" "The statement that was made wrong on purpose is $seeded."

say "" "3. In C, under gdb: a list that must not have more than 16 nodes has 30 in the end.  Which statement appended the" \
    "   seventeenth?  list_len() is called in the program for each answer." ""
${CC:-gcc} -g -O0 -o "$folder/list30" test-programs/list30.c
cat >"$folder/list" <<END
break main
run
break $(line_of list30.c 'printf(')
continue
print list_len(head)
fred-reverse-watch list_len(head) < 17
print list_len(head)
where
next
print list_len(head)
reverse-next
END
"$fredapp" --batch -x "$folder/list" -- gdb -q "$folder/list30"

say "" "Try it yourself: $fredapp python3 -m pdb test-programs/autocount.py, or $fredapp gdb --args PROGRAM"
