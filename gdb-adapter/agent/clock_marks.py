# SPDX-License-Identifier: GPL-3.0-or-later
# At which ticks of a trace a breakpoint is, of the settings of another time (settings.py): one that is set now need not
# have been there when the program came by.  Ignore counts and commands are not heeded.

MARKING = ('break', 'tbreak', 'hbreak', 'thbreak')


def clock_pcs(where):
    """Where gdb would set a breakpoint; nothing if it could not."""
    try:
        made = gdb.Breakpoint(where, internal=True)
    except (gdb.error, RuntimeError):
        return []
    rows = quiet('with width 0 -- maint info breakpoints %d' % made.number).splitlines()
    made.delete()
    return [int(word, 16) for row in rows for word in row.split()[:5] if word.startswith('0x')]


def clock_enabled(settings):
    """The enabled ones of saved settings: number, command, its operand, condition, thread."""
    for number, (text, attributes) in eval(settings, {'__builtins__': {}})['breakpoints']:
        if attributes is not None:
            condition, thread, enabled = attributes[:3]
            word, _, operand = (text or '').partition(' ')
            if enabled:
                yield number, word, operand, condition, thread


def clock_marks(settings):
    """here(frame) for clock_start(): does one of the enabled breakpoints stand there, and does its condition hold?"""
    places = {}
    for _, word, where, condition, thread in clock_enabled(settings):
        for pc in clock_pcs(where) if word in MARKING else ():
            places.setdefault(pc, []).append((condition, thread))

    def here(frame):
        for condition, thread in places.get(frame.pc(), ()):
            if thread is not None and thread != gdb.selected_thread().global_num:
                continue
            try:
                if not condition or bool(gdb.parse_and_eval(condition)):
                    return True
            except gdb.error:
                return True     # gdb stops then
        return False
    return here
