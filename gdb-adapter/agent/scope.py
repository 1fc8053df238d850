# SPDX-License-Identifier: GPL-3.0-or-later
# Which frame does an expression need?  One of globals alone means the same in all of them, and has a value as long as the
# program runs: whoever looks for the statement that changed it does not care which function was called when.

import re

# Behind a dot or an arrow is a member.
NAME = re.compile(r'(?<![\w$])(?<!\.)(?<!->)[A-Za-z_]\w*')


def needs_frame(expression, frame):
    if '$' in expression:
        return True             # registers
    try:
        block = frame.block()
    except RuntimeError:
        return False            # code without debug information: no locals
    for name in NAME.findall(re.sub(r'"(\\.|[^"])*"|\'(\\.|[^\'])*\'', '', expression)):
        symbol, of_this = gdb.lookup_symbol(name, block)
        if of_this or symbol is not None and symbol.needs_frame:
            return True
    return False


def frame_for(expression, depth):
    """The depth at which it is to be evaluated for the frame at that depth: the same, or the outermost; and how many
    threads the program has had."""
    stack, threads = list(frames()), known.threads
    if needs_frame(expression, stack[len(stack) - int(depth)]) or evaluate(expression, 1) != evaluate(expression, depth):
        return [depth, threads]
    return [1, threads]


requests['n'] = frame_for
