# SPDX-License-Identifier: GPL-3.0-or-later
# The requests that let the program run: the statement clock (clock.py).

import sys


def prepare(kind, body):
    """A request that lets the program run is about to be served: gdb is given a line for it, LINE of prompt.c.

    Only so does a command that gdb.execute() gives to gdb wait until the program has stopped, and `server` keeps the line
    out of the history and out of what an empty line repeats.  Nothing of ours has a name but up to that moment."""
    names = sys.modules['__main__'].__dict__

    def called():
        del names['__fred__']
        serve(kind, body)

    names['__fred__'] = called


class Run:
    """What the clock says at the next prompt."""
    stop = None


def clock_run(first, text, limit, trace, breakpoints, show_it, end):
    """The program runs; then gdb is at its prompt again."""
    here = clock_breakpoints(breakpoints) if breakpoints else None
    if first == '1':
        stop = clock_start(text, int(limit), trace == '1', here, end)
    elif clock_can_go_on():
        stop = clock_go_on(int(limit), trace == '1', here)
    else:
        raise Refused('the clock was not halted here')
    if stop.diverged:
        clock_forget()
        raise Refused('the program did not run the same way again')
    if show_it == '1' and not stop.end:
        send_fields('A', [])
        if receive() is not None:       # the session lets it be seen now
            clock_show('')
    known.stepped = not stop.inside
    Run.stop = stop


def clock_breakpoints(settings):
    """The function that says whether an enabled breakpoint of the settings is at a frame and its condition holds."""
    conditions = {}
    for _, (text, attributes) in eval(settings, {'__builtins__': {}})['breakpoints']:
        word, _, place = (text or '').partition(' ')
        if attributes is None or word not in ('break', 'tbreak', 'hbreak', 'thbreak') or not attributes[ATTRIBUTES.index('enabled')]:
            continue
        try:
            for sal in gdb.decode_line(place)[1] or ():
                conditions.setdefault(sal.pc, []).append(attributes[ATTRIBUTES.index('condition')])
        except gdb.error:
            pass                        # it is in no code that the program has here

    def holds(condition):
        try:
            return condition is None or bool(gdb.parse_and_eval(condition))
        except gdb.error:
            return True                 # gdb stops there, and says why

    return lambda frame: any(holds(condition) for condition in conditions.get(frame.pc(), ()))


def measure(text, end):
    return [clock_measure(text, end)]


requests.update({'m': measure, 'd': lambda text: [clock_end(text)]})
