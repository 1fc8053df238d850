"""Ends with an exception that nobody catches."""  # SPDX-License-Identifier: GPL-3.0-or-later


def divide(a, b):
    return a / b


def main():
    divisor = 3
    while True:
        divisor = divisor - 1
        print(divide(6, divisor))


main()
