"""Relaxes a vector with numpy until it has settled."""  # SPDX-License-Identifier: GPL-3.0-or-later
import numpy


def relax(values, rounds):
    for round in range(rounds):
        values = (numpy.roll(values, 1) + values + numpy.roll(values, -1)) / 3
    return values


def main():
    values = numpy.zeros(1000)
    values[500] = 1000.0
    spread = 0.0
    for step in range(10):
        values = relax(values, 3)
        matrix = numpy.outer(values, values)
        spread = float((matrix @ values).max())
    print("sum %.3f" % values.sum(), "spread %.3f" % spread)


main()
