# SPDX-License-Identifier: GPL-3.0-or-later
# What a line would do, before gdb executes it.

LOOKS, DEBUGGER, MOVES, PROGRAM, RESTARTS, QUITS = range(6)

CLASS_OF = {}
for _class, _words in (
        (LOOKS, 'print inspect output info show list backtrace where x help apropos echo printf pwd disassemble ptype '
                'whatis explore search forward-search reverse-search fo frame-looks complete faas list maintenance '
                'thread-looks'),
        (DEBUGGER, 'break tbreak hbreak thbreak rbreak delete clear condition ignore enable disable commands display '
                   'undisplay watch rwatch awatch catch tcatch handle frame up down up-silently down-silently thread '
                   'define document alias directory file symbol-file exec-file add-symbol-file cd unset macro tty skip '
                   'dprintf save source-looks sharedlibrary tstatus edit select-frame demangle'),
        (MOVES, 'step next continue fg finish until advance stepi nexti jump return signal queue-signal reverse-step '
                'reverse-next reverse-continue reverse-finish reverse-stepi reverse-nexti'),
        (RESTARTS, 'run start starti kill'),
        (QUITS, 'quit exit')):
    for _word in _words.split():
        CLASS_OF[_word] = _class

REFUSED = {
    'tui': 'gdb draws its text interface itself, which fredapp cannot stand in front of: use list, info and display',
    'attach': 'FReD can only take back a program that gdb has started: use run',
}
for _word, _same in (('layout', 'tui'), ('focus', 'tui'), ('winheight', 'tui'), ('refresh', 'tui')):
    REFUSED[_word] = REFUSED[_same]

names = {}              # a word as typed: the command's full name, or None


def command_name(word, prefix=''):
    """The full name of what gdb takes the word for; None: no command that gdb was born with."""
    key = prefix + word
    if key not in names:
        names[key] = find_command(word, prefix)
    return names[key]


def find_command(word, prefix):
    try:
        text = quiet('help ' + prefix + word)
    except gdb.error:
        return None
    first = [name[len(prefix):].split(' ')[0] for name in text.split('\n')[0].split(', ') if name.startswith(prefix)]
    whole = [line[len(prefix):] for line in quiet('complete ' + prefix + word).split('\n') if line]
    known_names = [name for name in first if name.startswith(word) or word in first]
    name = known_names[0] if known_names else word if word in whole else whole[0] if whole else word
    try:
        if not prefix:
            quiet('show user ' + name)
            return None         # the user's own, whatever it was before
    except gdb.error:
        pass
    return name


def classify(text):
    found = classify_text(text)
    if found not in (LOOKS, MOVES):
        names.clear()           # a definition may follow
    return [found]


def classify_text(text):
    text = text.strip()
    if not text or text.startswith('#'):
        return LOOKS
    word, rest = split_word(text)
    if word == '!' or not word:
        return PROGRAM
    name = command_name(word)
    if name in REFUSED:
        raise Refused(REFUSED[name])
    if name is None or name not in CLASS_OF:
        return PROGRAM if name != 'set' else classify_set(rest)
    found = CLASS_OF[name]
    if name in ('print', 'inspect', 'output', 'x', 'display', 'printf', 'ptype', 'whatis', 'list'):
        return max(found, classify_expression(rest))
    return found


def split_word(text):
    n = 0
    while n < len(text) and (text[n].isalnum() or text[n] in '-_.'):
        n += 1
    return (text[:n], text[n:].strip()) if n else (text[:1], text[1:].strip())


def classify_set(rest):
    word, tail = split_word(rest)
    if not word.strip() or command_name(word, 'set ') is None or tail.startswith('='):
        return PROGRAM
    return PROGRAM if command_name(word, 'set ') == 'variable' else DEBUGGER


def classify_expression(text):
    return LOOKS


requests['c'] = classify
