"""Make a copy of sortedcontainers, as installed, with one statement gone wrong.

Usage: seed_bug.py DIRECTORY; prints FILE:LINE of the bad statement."""
# SPDX-License-Identifier: GPL-3.0-or-later
import importlib.util
import os
import shutil
import sys

GOOD = "            _maxes[prev] = _lists[prev][-1]\n"
BAD = "            _maxes[prev] = _lists[prev][0]\n"


def main():
    origin = importlib.util.find_spec("sortedcontainers").origin
    copy = os.path.join(sys.argv[1], "sortedcontainers")
    shutil.copytree(os.path.dirname(origin), copy, dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns("__pycache__"))
    path = os.path.join(copy, "sortedlist.py")
    with open(path) as file:
        lines = file.readlines()
    at = lines.index(GOOD)
    lines[at] = BAD
    with open(path, "w") as file:
        file.writelines(lines)
    print("%s:%d" % (path, at + 1))


main()
