# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines on two logarithmic axes, as SVG."""
import math

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 640, 400, 60, 20, 230, 50
COLOURS = ("#1f77b4", "#aec7e8", "#d62728", "#ff9896", "#2ca02c", "#98df8a")


def decades(values):
    return math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))


def write(path, x_name, y_name, lines):
    """lines: {name: [(x, y), ...]}."""
    points = [point for line in lines.values() for point in line]
    x0, x1 = decades([x for x, _ in points])
    y0, y1 = decades([y for _, y in points])

    def at(x, y):
        return (LEFT + (math.log10(x) - x0) / (x1 - x0 or 1) * (WIDTH - LEFT - RIGHT),
                HEIGHT - BOTTOM - (math.log10(y) - y0) / (y1 - y0 or 1) * (HEIGHT - TOP - BOTTOM))

    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">' % (WIDTH, HEIGHT),
           '<rect width="100%" height="100%" fill="white"/>']
    for x in range(x0, x1 + 1):
        (left, bottom), (_, top) = at(10 ** x, 10 ** y0), at(10 ** x, 10 ** y1)
        out.append('<line x1="%.0f" y1="%.0f" x2="%.0f" y2="%.0f" stroke="#ddd"/>' % (left, bottom, left, top))
        out.append('<text x="%.0f" y="%.0f" text-anchor="middle">10^%d</text>' % (left, bottom + 15, x))
    for y in range(y0, y1 + 1):
        (left, bottom), (right, _) = at(10 ** x0, 10 ** y), at(10 ** x1, 10 ** y)
        out.append('<line x1="%.0f" y1="%.0f" x2="%.0f" y2="%.0f" stroke="#ddd"/>' % (left, bottom, right, bottom))
        out.append('<text x="%.0f" y="%.0f" text-anchor="end">%g</text>' % (left - 5, bottom + 4, 10 ** y))
    out.append('<text x="%d" y="%d" text-anchor="middle">%s</text>' % ((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x_name))
    out.append('<text x="15" y="%d" transform="rotate(-90 15 %d)" text-anchor="middle">%s</text>' % (
        HEIGHT / 2, HEIGHT / 2, y_name))
    for i, (name, line) in enumerate(lines.items()):
        colour = COLOURS[i % len(COLOURS)]
        out.append('<polyline fill="none" stroke="%s" stroke-width="2" points="%s"/>' % (
            colour, " ".join("%.1f,%.1f" % at(*point) for point in line)))
        out.extend('<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>' % (*at(*point), colour) for point in line)
        y = TOP + 15 + 18 * i
        out.append('<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="%s" stroke-width="2"/>' % (
            WIDTH - RIGHT + 10, y - 4, WIDTH - RIGHT + 30, y - 4, colour))
        out.append('<text x="%d" y="%d">%s</text>' % (WIDTH - RIGHT + 35, y, name.replace("&", "&amp;").replace("<", "&lt;")))
    with open(path, "w") as file:
        file.write("\n".join(out + ["</svg>", ""]))
