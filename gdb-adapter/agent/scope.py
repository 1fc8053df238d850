# SPDX-License-Identifier: GPL-3.0-or-later
# Which frame does an expression need?  One of globals alone means the same in all of them, and has a value as long as the
# program runs: whoever looks for the statement that changed it does not care which function was called when.

import re

# Behind a dot or an arrow is a member.
NAME = re.compile(r'(?<![\w$])(?<!\.)(?<!->)[A-Za-z_]\w*')


def names_in(expression):
    """Matches; in strings there is none."""
    return NAME.finditer(re.sub(r'"(\\.|[^"])*"|\'(\\.|[^\'])*\'', lambda text: ' ' * len(text.group()), expression))


def found_in(name, frame):
    """(the symbol that the name means in the frame, or None; is it a member of `this`?)"""
    try:
        return gdb.lookup_symbol(name, frame.block())
    except RuntimeError:        # code without debug information: no locals
        return gdb.lookup_global_symbol(name) or gdb.lookup_static_symbol(name), False


def identity(symbol):
    return symbol is not None and (symbol.linkage_name, symbol.symtab and symbol.symtab.filename, symbol.line)


def needs_frame(expression, frame, outermost):
    if '$' in expression:
        return True             # registers
    for name in [match.group() for match in names_in(expression)]:
        symbol, of_this = found_in(name, frame)
        if of_this or symbol is not None and symbol.needs_frame:
            return True
        if identity(symbol) != identity(found_in(name, outermost)[0]):
            return True         # a static variable of the function, or of its file
    return False


def language():
    """'' where the user has chosen one.  gdb goes by the frame: in C `x == 0` is 0 or 1, in C++ true or false."""
    _, auto, name = quiet('show language').partition('auto; currently ')
    return name.split('"')[0] if auto else ''


def frame_for(expression, depth):
    """The depth at which it is to be evaluated for the frame at that depth: the same, or the outermost; how many threads the
    program has had; the thread whose frame it needs, if any; and the language in which the user means it."""
    stack = list(frames())
    needs = needs_frame(expression, stack[-int(depth)], stack[-1])
    return [depth if needs else 1, known.threads, clock_thread() if needs else '', language()]


requests['n'] = frame_for
