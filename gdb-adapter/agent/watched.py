# SPDX-License-Identifier: GPL-3.0-or-later
# What the user's watchpoints watch.  gdb keeps an expression as text, and tells nobody in which frame it was given: so
# that is noted when a watchpoint is made.  With it the same can be watched at another time, where the frame that is
# selected, and what its names mean, may be others.

WATCHING = (gdb.BP_WATCHPOINT, gdb.BP_HARDWARE_WATCHPOINT, gdb.BP_READ_WATCHPOINT, gdb.BP_ACCESS_WATCHPOINT)
LOCATIONS = ('-location ', '-l ')

watched = {}            # number: (id of the frame that it belongs to, or ''; its depth, or 1; text, or '': it cannot be told)


def watch_created(b):
    if b.type in WATCHING and b.number > 0:
        try:
            watched[b.number] = watch_meaning(b.expression)
        except (gdb.error, RuntimeError):
            watched[b.number] = ('', 1, '')


def watch_meaning(expression):
    """Of an expression in the selected frame."""
    for option in LOCATIONS:
        if expression.startswith(option):
            return '', 1, watch_location(gdb.parse_and_eval(expression[len(option):]))
    frame = gdb.selected_frame() if clock_frame() is not None else None
    if '$' in expression:
        return '', 1, ''        # registers of any frame, and what may change without the program's doing
    if frame is None:
        return '', 1, expression
    depth, outermost = depth_of(frame), frame
    while outermost.older() is not None:
        outermost = outermost.older()
    text, last = '', 0
    for match in names_in(expression):
        symbol, of_this = found_in(match.group(), frame)
        if of_this or symbol is not None and symbol.needs_frame:
            return str(frame), depth, expression
        text += expression[last:match.start()] + watch_name(match.group(), symbol, frame, outermost)
        last = match.end()
    return '', 1, text + expression[last:]


def watch_location(value):
    """Where it is now."""
    text = '*(%s *) 0x%x' % (value.type, int(value.address))
    try:
        gdb.parse_and_eval('sizeof(%s)' % text)
        return text
    except gdb.error:
        return '*(char (*)[%d]) 0x%x' % (value.type.sizeof, int(value.address))


def watch_name(name, symbol, frame, outermost):
    """A name that means the same in the outermost frame."""
    if identity(symbol) == identity(found_in(name, outermost)[0]):
        return name
    where = gdb.parse_and_eval('&' + name)
    for scope in (frame.name(), "'%s'" % symbol.symtab.filename):
        try:
            if gdb.parse_and_eval('&%s::%s' % (scope, name)) == where:
                return '%s::%s' % (scope, name)
        except gdb.error:
            pass
    raise gdb.error('no name for ' + name)


def watched_now():
    """number: (frame, depth, text), of all watchpoints; the depth is 0 where the frame is gone."""
    found = {}
    for b in user_breakpoints():
        if b.type in WATCHING:
            frame, depth, text = watched.get(b.number, ('', 1, ''))
            found[b.number] = (frame, depth if not frame or watch_frame(frame, depth) else 0, text)
    return found


def watch_frame(name, depth):
    """The frame with that id at that depth, None: there is none now."""
    stack = list(frames())
    found = stack[-depth] if 0 < depth <= len(stack) else None
    return found if found is not None and str(found) == name else None


def refuse_watchpoints(settings):
    """The clock watches again what can be known to be the same, and of catchpoints those that a breakpoint can stand for."""
    told = eval(settings, {'__builtins__': {}}).get('watched', {})
    for number, word, expression, condition, _ in clock_enabled(settings):
        if word in CATCHING and expression not in CLOCK_EXCEPTIONS:
            raise Refused('catchpoint %d is not seen backwards: disable %d first' % (number, number))
        if word not in CLOCK_WATCHING:
            continue
        frame, depth, text = told.get(number, ('', 1, ''))
        why = None
        if not text:
            why = 'what it watches'
        elif not depth:
            raise Refused('watchpoint %d is of a function that has returned: disable %d first' % (number, number))
        elif condition and not frame and not watch_is_global(condition):
            why = 'its condition'
        if why:
            raise Refused('watchpoint %d is not seen backwards, as %s may mean something else there: '
                          'fred-reverse-watch --last %s finds the last change, or disable %d first'
                          % (number, why, expression, number))


def watch_is_global(text):
    return '$' not in text and all(gdb.lookup_global_symbol(match.group()) or gdb.lookup_static_symbol(match.group())
                                   for match in names_in(text))


gdb.events.breakpoint_created.connect(watch_created)
