# SPDX-License-Identifier: GPL-3.0-or-later
# Which frame an expression needs.  One that names no local variable means the same in every function of its module, and has
# had a value since long before the present function was called: it is looked at in the outermost of them, the module itself.

OPTIMIZED, NEWLOCALS = 1, 2     # flags of code: of a function, whose local variables are known beforehand; not of a module

# Builtins that look at the frame in which they are called.
LOOK_ROUND = frozenset('dir locals vars eval exec super'.split())


def names_in(expression):
    return {node.id for node in ast.walk(ast.parse(expression.strip(), mode='eval')) if isinstance(node, ast.Name)}


def has_local(frame, names, space):
    """space: its local variables where the user may have made some at this prompt, or None."""
    code = frame.f_code
    if not code.co_flags & OPTIMIZED:       # a class body, or what exec() was given, may have any name at any time
        return bool(code.co_flags & NEWLOCALS) or frame.f_locals is not frame.f_globals
    known = names.intersection(code.co_varnames + code.co_cellvars + code.co_freevars)
    return bool(known) or space is not None and not names.isdisjoint(space)


def frame_for(p, expression, depth):
    """The depth at which it is to be evaluated for the frame at that depth."""
    depth = int(depth)
    frame = frame_at(depth)
    try:
        names = names_in(expression)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return [depth]
    if frame is None or not stop.live or not names.isdisjoint(LOOK_ROUND) or has_local(frame, names, p.curframe_locals if frame is p.curframe else None):
        return [depth]
    space, found = frame.f_globals, depth
    while frame.f_back is not None:
        frame, depth = frame.f_back, depth - 1
        if frame.f_globals is space and not has_local(frame, names, None):
            found = depth
    return [found]


requests['n'] = frame_for
