# SPDX-License-Identifier: GPL-3.0-or-later
# A long run: by the first argument so many rounds of some seven statements each, and one in which a global changes; by the
# second one so many megabytes.
import sys

changed = 0


def mix(a, b):
    r = a ^ b
    r += a & 7
    return r & 15


def work(n):
    global changed
    total = 0
    for i in range(n):
        total += mix(i, total)
        if i == n // 10 * 7:
            changed = i
    return total


def main():
    data = bytearray(int(sys.argv[2]) << 20)
    total = work(int(sys.argv[1]))
    print(total, len(data))


main()
