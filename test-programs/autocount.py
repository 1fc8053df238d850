"""Count to ten, for the first session of the paper."""  # SPDX-License-Identifier: GPL-3.0-or-later


def main():
    num = 0
    while num < 10:
        num = num + 1
    print("counted to", num)


main()
