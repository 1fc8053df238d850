"""A book of prices on sortedcontainers.SortedList: prices come and go, and one day one is missing.

Usage: prices.py DIRECTORY-OF-SORTEDCONTAINERS; see seed_bug.py.  With the library as Debian ships it, all is well."""
# SPDX-License-Identifier: GPL-3.0-or-later
import sys

if len(sys.argv) > 1:
    sys.path.insert(0, sys.argv[1])
from sortedcontainers import SortedList


def intact(prices):
    """Can every price in the book be found?"""
    try:
        return all(price in prices for price in prices)
    except IndexError:          # in the middle of a change
        return False


def orders(n):
    """Prices to enter and to remove: always the same ones."""
    state, entered = 12345, []
    for i in range(n):
        state = (state * 1103515245 + 12345) % 2**31
        if entered and i % 5 < (1 if i < n // 2 else 4):
            yield "remove", entered.pop(state // 7 % len(entered))
        else:
            entered.append(state // 3 % 100000)
            yield "enter", entered[-1]


def complain(price):
    print("price", price, "has gone from the book")


def main():
    prices = SortedList([100000])
    prices._reset(20)
    for what, price in orders(3000):
        if what == "enter":
            prices.add(price)
        else:
            try:
                prices.remove(price)
            except ValueError:
                complain(price)
                return
    print("the book holds", len(prices), "prices")


main()
