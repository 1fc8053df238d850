"""Ten thousand statements in one loop; `total` passes 70 percent of its end somewhere in the middle."""  # SPDX-License-Identifier: GPL-3.0-or-later


def main():
    total = 0
    for i in range(5000):
        total += 1
    return total


main()
