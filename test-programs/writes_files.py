"""Holds three files open: appends to one, overwrites one in place, truncates one.

Usage: writes_files.py DIRECTORY"""
# SPDX-License-Identifier: GPL-3.0-or-later
import os
import sys

folder = sys.argv[1]
appended = open(os.path.join(folder, "appended"), "a", buffering=1)
overwritten = open(os.path.join(folder, "overwritten"), "r+b", buffering=0)
truncated = open(os.path.join(folder, "truncated"), "r+b", buffering=0)
step = 0
appended.write("one\n")
overwritten.write(b"ONE")
truncated.truncate(5)
step = 1
appended.write("two\n")
overwritten.write(b"TWO")
truncated.truncate(2)
step = 2
print("written")
