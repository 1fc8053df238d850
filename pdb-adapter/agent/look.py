# SPDX-License-Identifier: GPL-3.0-or-later
# The agent's answers to requests at a prompt: what a line would do, completion, where, values.

import ast

LOOKS, DEBUGGER, MOVES, PROGRAM, RESTARTS, QUITS = range(6)
CLASS_OF = {}
for _class, _words in (
        (LOOKS, 'where w bt list l ll longlist args a source whatis help h retval rv'),
        (DEBUGGER, 'break b tbreak clear cl disable enable ignore condition commands display undisplay alias unalias '
                   'up u down d exceptions'),
        (MOVES, 'step s next n until unt return r continue cont c'),
        (PROGRAM, 'jump j interact debug'),
        (RESTARTS, 'run restart'),
        (QUITS, 'quit q exit EOF')):
    for _word in _words.split():
        CLASS_OF[_word] = _class

# Builtins that only look at their arguments, as far as these are ordinary objects.
PURE = frozenset('len str repr type isinstance sum min max sorted abs id int float bool list dict tuple set hex ord chr '
                 'range enumerate zip any all getattr hasattr vars dir'.split())


def classify(p, text):
    return [classify_text(p, text, 0)]


def classify_text(p, text, rounds):
    if p.commands_defining:
        return DEBUGGER
    text = text.strip()
    if not text:
        last = (p.lastcmd or '').strip()
        return classify_text(p, last, rounds + 1) if last and rounds < 9 else LOOKS
    words = text.split()
    for _ in range(20):         # an alias may name itself
        if words[0] not in p.aliases:
            break
        text = p.aliases[words[0]]
        for number in range(1, 10):
            if number < len(words):
                text = text.replace('%%%d' % number, words[number])
        text = text.replace('%*', ' '.join(words[1:])).strip()
        words = text.split()
        if not words:
            return PROGRAM
    else:
        return PROGRAM
    if words[0] != 'alias':
        first, separator, rest = text.partition(';;')
        if separator:
            return max(classify_text(p, first, rounds + 1) if first.strip() else LOOKS,
                       classify_text(p, rest, rounds + 1) if rest.strip() else LOOKS)
    name, argument, line = p.parseline(text)
    if not name:
        return classify_expression(p, text) if name == '' else PROGRAM
    if name in ('p', 'pp') and hasattr(p, 'do_' + name):
        return classify_expression(p, argument)
    if name in ('break', 'b', 'tbreak', 'display', 'alias') and not argument:
        return LOOKS            # they list
    if name in ('whatis', 'source', 'display', 'break', 'b', 'tbreak') and hasattr(p, 'do_' + name):
        # They evaluate what they are given; b FILE:LINE, COND does not.
        named = argument if name not in ('break', 'b', 'tbreak') else ''
        return max(CLASS_OF[name], classify_expression(p, named) if named else LOOKS)
    if getattr(p, 'do_' + name, None) is None:
        return classify_expression(p, text)
    return CLASS_OF.get(name, PROGRAM)


RUNS = frozenset('next n until unt return r continue cont c'.split())


def runs_on(p, text):
    """A command that may pass many statements."""
    words = (text.strip() or p.lastcmd or '').split()
    return bool(words) and words[0] in RUNS and words[0] not in p.aliases


def classify_expression(p, text):
    try:
        tree = ast.parse(text.strip(), mode='eval')
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return PROGRAM
    names = []
    for space in (p.curframe_locals, p.curframe.f_globals) if getattr(p, 'curframe', None) is not None else ():
        names.append(space)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)):
            return PROGRAM
        if isinstance(node, ast.Call):
            function = node.func
            if not isinstance(function, ast.Name) or function.id not in PURE or any(function.id in space for space in names):
                return PROGRAM
    return LOOKS


def complete(p, text, begin, end):
    """As cmd.Cmd.complete(), which asks readline for the line instead."""
    raw = text.encode('utf-8', 'surrogateescape')
    begin, end = (len(raw[:int(at)].decode('utf-8', 'surrogateescape')) for at in (begin, end))
    line = text.lstrip()
    stripped = len(text) - len(line)
    word, begin, end = text[begin:end], max(begin - stripped, 0), max(end - stripped, 0)
    if begin > 0:
        name = p.parseline(line)[0]
        find = getattr(p, 'complete_%s' % name, p.completedefault) if name else p.completedefault
    else:
        find = p.completenames
    words = []
    for found in find(word, line, begin, end) or ():
        if isinstance(found, str) and found not in words:
            words.append(found)
    return words[:10000]


def frame_at(depth):
    """The frame of that depth at this stop, or None."""
    if not stop.live:
        return stop.chain[depth - stop.below - 1] if stop.below < depth <= stop.depth else None
    if depth > stop.depth:      # the rest of a traceback that pdb shows below the stop
        stack = [entry[0] for entry in stop.pdb.stack]
        at = stack.index(stop.frame) + depth - stop.depth if stop.frame in stack else len(stack)
        return stack[at] if at < len(stack) else None
    frame = stop.frame
    for _ in range(stop.depth - depth):
        frame = frame.f_back
    return frame if depth > 0 else None


def selected_depth(p):
    frames = [entry[0] for entry in getattr(p, 'stack', ())]
    if not stop.live:
        return stop.below + p.curindex + 1
    return stop.depth + p.curindex - frames.index(stop.frame) if stop.frame in frames else stop.depth


def place_at(p, depth):
    """File, line and function of a frame, or nothing."""
    frame = frame_at(depth)
    if frame is None:
        return []
    line = frame.f_lineno if stop.live else p.stack[depth - stop.below - 1][1]
    return [p.canonic(frame.f_code.co_filename), line or 0, frame.f_code.co_name]


def where(p):
    fields = [stop.kind, selected_depth(p)]
    for depth in (stop.depth, stop.depth - 1):
        place = place_at(p, depth)
        if place:
            fields += place + [depth]
    return fields


def show(p):
    """What pdb prints when it stops: why it stopped there, and the entry of the selected frame."""
    if stop.live and p.curframe is stop.frame:
        header = {CALL: '--Call--', RETURN: '--Return--'}.get(stop.kind) or exception_header()
        if header:
            p.message(header)
    space = p.curframe.f_locals if p.curframe_locals is None else p.curframe_locals
    kept = dict(space) if space is not p.curframe.f_globals else None
    p.print_stack_entry(p.stack[p.curindex])
    if kept is not None and sys.version_info < (3, 13):
        # It has read f_locals, which before 3.13 forgets what the user assigned at this prompt.
        space.update(kept)
    flush()
    return []


def exception_header():
    """As user_exception() prints it; its arguments are in the frame of dispatch_exception() that waits for us."""
    frame = sys._getframe()
    while frame is not None and frame.f_code is not Bdb.dispatch_exception.__code__:
        frame = frame.f_back
    if stop.kind != EXCEPTION or frame is None:
        return None
    kind, value, trace = frame.f_locals['arg']
    internal = 'Internal ' if not trace and kind is StopIteration else ''
    return internal + sys.modules['traceback'].format_exception_only(kind, value)[-1].strip()


def evaluate(p, text, depth):
    frame = frame_at(int(depth))
    if frame is None:
        return [0, 'no frame at depth %s' % depth]
    # Before 3.13, reading f_locals anew would undo what the user assigned in the selected frame at this prompt.
    space = p.curframe_locals if frame is getattr(p, 'curframe', None) else frame.f_locals
    try:
        compiled = compile(text.strip(), '<fred>', 'eval')
        names = frame.f_globals
        if space is not names and any(hasattr(const, 'co_code') for const in compiled.co_consts):
            # A lambda or a generator expression sees globals only: let it see the function's variables.
            names = {**names, **space}
        return [1, short_value(repr(eval(compiled, names, space)))]
    except BaseException as problem:
        return [0, describe_exception(problem)]


requests = {'c': classify, 't': complete, 'w': where, 'h': show, 'v': evaluate}
