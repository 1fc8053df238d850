"""Leaves the cursor in the middle of a line."""  # SPDX-License-Identifier: GPL-3.0-or-later
import sys

sys.stdout.write("no newline")
sys.stdout.flush()
x = 1
sys.stdout.write(" and no end")
sys.stdout.flush()
x = 2
