"""Generators, recursion, early exits and exceptions: what reverse steps must get right."""  # SPDX-License-Identifier: GPL-3.0-or-later


def numbers(n):
    for i in range(n):
        yield i
    return


def depth(n):
    if n == 0:
        return 0
    below = depth(n - 1)
    return below + 1


def risky(n):
    try:
        if n % 2:
            raise ValueError(n)
        return n
    finally:
        last = n


def f(x):
    return x + 1


def g(x):
    y = f(x)
    return y * 2


def main():
    seen = []
    for n in numbers(3):
        seen.append(n)
        try:
            seen.append(risky(n))
        except ValueError as error:
            seen.append(str(error))
    a = f(1) + g(2)
    total = depth(3)
    squares = [f(n) for n in seen if isinstance(n, int)]
    print(seen, a, total, squares)


main()
