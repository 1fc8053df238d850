import sys  # SPDX-License-Identifier: GPL-3.0-or-later


def square(n):
    result = n * n
    return result


def total(numbers):
    sum = 0
    for n in numbers:
        sum = sum + square(n)
    return sum


def main():
    numbers = [2, 3, 5]
    print("sum of squares:", total(numbers), file=sys.stdout)


main()
