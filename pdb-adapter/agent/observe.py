# SPDX-License-Identifier: GPL-3.0-or-later
# Looking at an expression at every stop of a run.  Where that could disturb the program the observer gives up: the search
# evaluates at a few stops instead, in processes that are thrown away.


def make_observer():
    look = None                 # the compiled expression
    why = ''                    # it was given up, or refused
    known = False               # `last` holds: the activation is there
    last = None                 # the key of its value at the last stop
    changes = change = 0
    valued = False              # it has had a value, and since then:
    since = first = 0
    with_ = None                # what the clock is given (clock_watch.h)

    def prepare(p, text, depth):
        nonlocal look, why, known, last, changes, valued, since, with_
        look, why, level, known, last, changes, valued, since = None, '', int(depth), False, None, 0, False, 0
        returned = stop.depth if stop.kind == RETURN and not stop.inside else 0
        try:
            compiler = Compiler(text)
            look = compiler.look
            with_ = observe, level, returned, tuple(compiler.names), tuple(PLAIN)
            if level <= stop.depth:
                frame = frame_at(level)
                if frame is not p.curframe and frame is stop.frame:
                    # To read f_locals would undo an assignment at this prompt before Python has made it, before 3.13.
                    raise Disturbing('another frame is selected')
                last, known = value_in(frame, p.curframe_locals if frame is p.curframe else frame.f_locals), True
                valued = is_value(last)
        except (Disturbing, SyntaxError, ValueError, RecursionError, MemoryError) as problem:
            look, why = None, describe_exception(problem)
        return [int(look is not None), why]

    def value_in(frame, space):
        names = frame.f_globals
        if type(space) not in SPACES or type(names) is not dict:
            raise Disturbing('the name space of a frame')
        try:
            value = look(space, names)
        except Disturbing:
            raise
        except Exception as problem:
            return Exception, ''
        return key_of(value)

    def is_value(key):
        return type(key) is not tuple or key[0] is not Exception

    def observe(frame, reset, count):
        """A stop; frame: the watched one or None; reset: it is of another activation than the last.  None: given up."""
        nonlocal known, last, changes, change, valued, since, first, look, why
        if reset:
            known, changes, valued, since = False, 0, False, 0
        try:
            if frame is None:
                if reset > 1:
                    raise Disturbing('the frame is too far up')
                return True
            key = value_in(frame, frame.f_locals)
        except Disturbing as problem:
            look, why = None, describe_exception(problem)
            return None
        if not known:
            known = True
        elif key is not last and (type(key) is not type(last) or key != last):
            changes, change = changes + 1, count - 1
            if valued:
                since, first = since + 1, first if since else change
        last, valued = key, valued or is_value(key)
        return True

    def observed(p):
        if look is None or not known:
            return [0, 0, 0, 0, '', 0, 0, 0]
        kind, text = (1, last[1]) if type(last) is tuple else (1, repr(last))
        if not is_value(last):
            kind = 0
        return [1, changes, change, kind, short_value(text), int(valued), since, first]

    def observer():
        return with_ if look is not None else None

    return prepare, observed, observer


observe_prepare, observe_result, observe_with = make_observer()
requests.update({'x': observe_prepare, 'y': observe_result})
