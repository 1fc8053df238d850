"""Counts for ever, or to LIMIT, and says so from time to time."""  # SPDX-License-Identifier: GPL-3.0-or-later
import os
import sys


def spin(limit):
    count = 0
    while count != limit:
        count += 1
        if count % 1000000 == 0:
            os.write(1, b"at %d\n" % count)     # not print(): pdb prints too when ^C comes in the middle of it
    return count


print("spinning", flush=True)
print("spun", spin(int(sys.argv[1]) if len(sys.argv) > 1 else -1))
