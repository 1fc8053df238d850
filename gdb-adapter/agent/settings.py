# SPDX-License-Identifier: GPL-3.0-or-later
# Breakpoints, displays and settings, as one string and back.  They come along when the user goes back in time, and keep
# their numbers: gdb counts breakpoints up and lets nobody choose, so where its count in the past is behind, breakpoints
# that are deleted at once take the numbers in between.
#
# Not `save breakpoints`: it tells no numbers, and gdb 13 dies of it after `catch syscall`.

CREATE = {gdb.BP_BREAKPOINT: 'break', gdb.BP_HARDWARE_BREAKPOINT: 'hbreak', gdb.BP_WATCHPOINT: 'watch',
          gdb.BP_HARDWARE_WATCHPOINT: 'watch', gdb.BP_READ_WATCHPOINT: 'rwatch', gdb.BP_ACCESS_WATCHPOINT: 'awatch'}
ATTRIBUTES = ('condition', 'thread', 'enabled', 'silent', 'ignore_count', 'commands')


class Remembered:
    """Lines typed at the prompt that settings_load() can execute again."""
    lines = {}          # what is set, or the signal handled: the line
    has_dprintf = False # of which Python does not know


remembered = Remembered()


def remember(name, text, rest):
    """A line that changes the debugger is about to be executed."""
    if name == 'set':
        word, tail = split_word(rest)
        words = [command_name(word, 'set ') or word]
        if words[0] in ('print', 'style', 'logging', 'debug', 'breakpoint', 'history', 'disassembly-flavor', 'environment'):
            words.append(split_word(tail)[0])
        remembered.lines['set ' + ' '.join(words)] = text
    elif name in ('handle', 'directory', 'alias'):
        remembered.lines[name + ' ' + split_word(rest)[0]] = text
    elif name == 'dprintf':
        remembered.has_dprintf = True
    elif name in ('display', 'undisplay', 'delete'):
        note_display(name, rest)


def table():
    """What `info breakpoints` says of those that Python cannot tell: number: text that makes it."""
    found, number = {}, 0
    with Untouched():
        lines = quiet('with width 0 -- info breakpoints').split('\n')
    for line in lines:
        words = line.split()
        if words and words[0].isdigit():
            number, what = int(words[0]), line.split(None, 4)
            if what[1] == 'catchpoint':
                found[number] = ('tcatch ' if what[2] == 'del' else 'catch ') + catch_text(what[4] if len(what) > 4 else '')
            elif what[1] == 'dprintf':
                found[number] = 'dprintf %s,' % line.split(' at ')[-1].strip()
        elif found.get(number, '').endswith(',') and line.strip().startswith('printf '):
            found[number] += line.strip()[len('printf '):]
        elif 'catch ' in found.get(number, '') and line.startswith('\tmatching: '):
            found[number] += line.rstrip()[len('\tmatching:'):]
    return found


def catch_text(what):
    words = what.replace('"', '').replace(',', '').split()
    if words and words[0] in ('syscall', 'syscalls', 'signal', 'signals'):
        named = [word for word in words[1:] if not word.startswith('<')]
        rest = ' all' if what.startswith('signal') and '<any' in what else ''
        return words[0].rstrip('s') + rest + ''.join(' ' + word for word in named if rest == '' and word not in ('syscall>', 'signals>'))
    if words and words[0] == 'exception':
        return ' '.join(words[1:])
    if words and words[0] in ('load', 'unload'):
        return words[0] + ' ' + what.partition(' matching ')[2].strip()
    return words[0] if words else ''            # after `fork, ` is told which process, once it has triggered


def user_breakpoints():
    return [b for b in gdb.breakpoints() if b.is_valid() and b.number > 0 and b.visible]


def maker(b, others):
    """The command that makes a breakpoint like that one, without its condition."""
    if b.number in others:
        return others[b.number]
    word, what = CREATE.get(b.type), b.location or b.expression
    if word is None or what is None:
        return None
    return ('t' if b.temporary and word in ('break', 'hbreak') else '') + word + ' ' + what


def breakpoints_now():
    """number: (command, attributes)"""
    known_to_python = user_breakpoints()
    others = table() if remembered.has_dprintf or any(b.type not in CREATE for b in known_to_python) else {}
    found = {number: (text, None) for number, text in others.items()}
    for b in known_to_python:
        found[b.number] = (maker(b, others), [getattr(b, name) for name in ATTRIBUTES])
    return found


def last_number():
    value = gdb.convenience_variable('bpnum')
    return int(value) if value is not None else 0


def settings_save():
    return [repr({'breakpoints': sorted(breakpoints_now().items()), 'last': last_number(),
                  'displays': sorted(displays_now().items()), 'lines': sorted(remembered.lines.items()),
                  'watched': watched_now()})]


def settings_load(saved):
    saved = eval(saved, {'__builtins__': {}})
    warnings = []
    with Selection():
        load_lines(dict(saved['lines']))
        load_breakpoints(dict(saved['breakpoints']), saved['last'], saved['watched'], warnings)
        load_displays(dict(saved['displays']), warnings)
    return warnings


def load_lines(lines):
    for key, text in lines.items():
        if remembered.lines.get(key) != text:
            remembered.lines[key] = text
            try:
                quiet(text)
            except gdb.error:
                pass            # nor could the user at the time


def skip_numbers(upto):
    """The next breakpoint gets the number after that one."""
    while last_number() < upto:
        quiet('tcatch exec')
        quiet('delete %d' % last_number())


def load_breakpoints(wanted, last, watching, warnings):
    present, watching_now = breakpoints_now(), watched_now()
    for number in sorted(set(present) - set(wanted)):
        quiet('delete %d' % number)
    for number, (text, attributes) in sorted(wanted.items()):
        if number not in present or present[number][0] != text or watching_now.get(number) != watching.get(number):
            if number in present:
                quiet('delete %d' % number)
            made = make(number, text, watching.get(number), warnings)
            if made is None:
                continue
            number = made
        elif present[number][1] == attributes:
            continue
        for b in user_breakpoints():
            if b.number == number and attributes is not None:
                set_attributes(b, attributes, warnings)
    skip_numbers(last)


def make(number, text, watching, warnings):
    """Returns the number that it has got."""
    if watching is not None:
        text = make_watch(text, *watching)
        if text is None:
            warnings.append('breakpoint %d cannot be set again here: the function whose variable it watches is not called '
                            'yet' % number)
            return None
    if text is None:
        warnings.append('breakpoint %d is of a kind that FReD cannot set again here' % number)
        return None
    skip_numbers(number - 1)
    try:
        quiet('with breakpoint pending on -- ' + text)
    except gdb.error as problem:
        warnings.append('breakpoint %d cannot be set again here: %s' % (number, describe(problem)))
        return None
    if last_number() != number:
        warnings.append('breakpoint %d is number %d here: the number is taken' % (number, last_number()))
    return last_number()


def make_watch(text, frame, depth, meaning):
    """The command that watches the same, with the frame selected to give it in; None: that is not there."""
    stack = list(frames())
    if frame or stack:
        where = watch_frame(frame, depth) if frame else stack[-1]
        if where is None:
            return None
        where.select()
    return text if frame or not meaning else text.split(' ')[0] + ' ' + meaning


def set_attributes(b, attributes, warnings):
    for name, value in zip(ATTRIBUTES, attributes):
        if getattr(b, name) == value:
            continue
        try:
            setattr(b, name, value if value is not None or name in ('condition', 'thread') else '')
        except gdb.error as problem:
            warnings.append('breakpoint %d: %s' % (b.number, describe(problem)))


requests.update({'s': settings_save, 'o': settings_load})
