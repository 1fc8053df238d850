# SPDX-License-Identifier: GPL-3.0-or-later
# Displays come along when the user goes back in time.  gdb ties one of local variables to their block, which it tells
# nobody, and shows it nowhere else.  So the function is noted when it is given; and where the user has come to a time
# before that, in another function, the display waits until the program stops in its own.


class Displays:
    homes = {}          # number: name of the function, None: any
    given = None        # the same of the one given last, whose number gdb had not chosen yet
    waiting = {}        # number: (text, enabled, home)


def note_display(name, rest):
    """A line that gives or takes away displays is about to be executed."""
    if name == 'display':
        note_numbers(listed_displays())
        Displays.given = home_of(rest)
        return
    kind, numbers = split_word(rest) if name == 'delete' else ('display', rest)
    if kind == 'display':
        gone = numbers.split() or [str(number) for number in Displays.waiting]
        Displays.waiting = {number: each for number, each in Displays.waiting.items() if str(number) not in gone}


def note_numbers(listed):
    for number in listed:
        if number not in Displays.homes:
            Displays.homes[number], Displays.given = Displays.given, None


def home_of(text):
    """The function whose local variables the display's text names; None: there are none."""
    frame = gdb.selected_frame() if clock_frame() is not None else None
    if frame is None:
        return None
    expression = split_word(text)[1] if text.startswith('/') else text
    for match in names_in(expression):
        symbol, of_this = found_in(match.group(), frame)
        if of_this or symbol is not None and symbol.needs_frame:
            return frame.name()
    return None


def listed_displays():
    """number: (text, enabled)"""
    found = {}
    for line in quiet('with width 0 -- info display').split('\n'):
        number, colon, rest = line.partition(':')
        if colon and number.isdigit() and len(rest.split()) > 1:
            enabled, text = rest.split(None, 1)
            found[int(number)] = (text.split('\n')[0], enabled == 'y')
    return found


def displays_now():
    """number: (text, enabled, home)"""
    listed = listed_displays()
    note_numbers(listed)
    found = {number: each + (Displays.homes[number],) for number, each in listed.items()}
    return {**Displays.waiting, **found}


def load_displays(wanted, warnings):
    present = displays_now()
    for number in listed_displays():
        if wanted.get(number, ('',))[0] != present[number][0]:
            quiet('undisplay %d' % number)
            del present[number]
    kept, Displays.waiting = set(present) - set(Displays.waiting), {}
    for number, (text, enabled, home) in sorted(wanted.items()):
        if number in kept:
            quiet('%s display %d' % ('enable' if enabled else 'disable', number))
        elif home is not None and home != function_here():
            Displays.waiting[number] = (text, enabled, home)
        else:
            try:
                set_display(number, text, enabled, home)
            except gdb.error as problem:
                if home is None:
                    warnings.append('display %d cannot be set again here: %s' % (number, describe(problem)))
                else:
                    Displays.waiting[number] = (text, enabled, home)        # for another block


def load_shown(saved):
    """What a stop shows besides its place, as settings_load() makes it soon."""
    with Selection():
        load_displays(dict(eval(saved, {'__builtins__': {}})['displays']), [])


def function_here():
    frame = clock_frame()
    return frame.name() if frame is not None else None


def set_display(number, text, enabled, home):
    """What it shows."""
    made = 0
    while made < number:
        before = set(listed_displays())
        shown = gdb.execute('display' + (text if text.startswith('/') else ' ' + text), True, True)
        made = max(set(listed_displays()) - before)
        if made < number:
            quiet('undisplay %d' % made)
    Displays.homes[made] = home
    if not enabled:
        quiet('disable display %d' % made)
    return shown


def set_waiting_displays():
    """gdb is about to prompt."""
    here = function_here() if Displays.waiting else None
    for number, (text, enabled, home) in sorted(Displays.waiting.items()):
        if home == here:
            try:
                shown = set_display(number, text, enabled, home)
            except gdb.error:
                continue                # so far it is another block of the function
            del Displays.waiting[number]
            if enabled:
                gdb.write(shown)
