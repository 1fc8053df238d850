"""Greets everyone who is typed in; an empty line ends it."""  # SPDX-License-Identifier: GPL-3.0-or-later
import sys

greeted = []
while True:
    name = input("name? ")
    if not name:
        break
    greeted.append(name)
    print("hello", name)
rest = sys.stdin.readline()
print("greeted", len(greeted), "rest", repr(rest))
