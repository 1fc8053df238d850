"""Prints megabytes in lines that carry their number."""  # SPDX-License-Identifier: GPL-3.0-or-later
import sys


def flood(lines):
    for i in range(lines):
        sys.stdout.write("%08d %s\n" % (i, "x" * 71))
    sys.stdout.flush()


before = 1
flood(int(sys.argv[1]) if len(sys.argv) > 1 else 50000)
after = 2
print("end of flood")
