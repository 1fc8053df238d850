"""A plain script that asks for the debugger itself."""  # SPDX-License-Identifier: GPL-3.0-or-later


def average(numbers):
    total = 0
    for n in numbers:
        total += n
    breakpoint()
    result = total / len(numbers)
    return result


print("average", average([1, 2, 3, 6]))
