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


def clock_run(first, text, limit, trace, breakpoints, show_it, end, by_instruction, watched='0'):
    """The program runs; then gdb is at its prompt again."""
    if breakpoints:
        refuse_watchpoints(breakpoints)
    marks = clock_marks(breakpoints) if breakpoints else None
    leaps = int(watched) if trace == '3' else None
    Clock.observer = Observer.present if trace == '2' else None
    told = trace in ('1', '2')
    nothing_ran = ClockEnd(end).how == 'none'
    inside = nothing_ran and not between_statements(clock_frame())
    if first == '1':
        stop = clock_start(text, int(limit), told, marks, end, 'stepi' if by_instruction == '1' else 'step', leaps)
    elif clock_can_go_on():
        stop = clock_go_on(int(limit), told, marks, leaps)
    else:
        raise Refused('the clock was not halted here')
    if nothing_ran:
        stop.inside = inside
    if stop.cut:
        clock_forget()
    elif stop.diverged:
        clock_forget()
        raise Refused('the program did not run the same way again')
    elif show_it[0] == '1' and not stop.end:
        send_fields('A', [])
        if receive() is not None:       # the session lets it be seen now
            if show_it[1:]:
                load_shown(show_it[1:])
            with Unpaged():
                clock_show('')
            Window.tell()
    known.stepped = not stop.inside and not stop.cut
    Run.stop = stop


def measure(text, end):
    return [clock_measure(text, end)]


runs['k'] = clock_run
requests.update({'m': measure, 'd': lambda text: [clock_end(text)]})
