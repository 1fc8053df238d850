# SPDX-License-Identifier: GPL-3.0-or-later
# What a line would do, before gdb executes it.  gdb itself says which command a word means, so that abbreviations,
# aliases and the user's definitions count as they do for gdb; what is not known here may do anything.

import re

LOOKS, DEBUGGER, MOVES, PROGRAM, RESTARTS, QUITS = range(6)

CLASS_OF = {}
for _class, _words in (
        (LOOKS, 'info show list backtrace where help apropos echo pwd disassemble ptype whatis search forward-search '
                'reverse-search complete x print inspect call output printf explore generate-core-file dump'),
        (DEBUGGER, 'break tbreak hbreak thbreak rbreak delete clear condition ignore enable disable commands display '
                   'undisplay watch rwatch awatch catch tcatch handle frame up down up-silently down-silently thread '
                   'define document alias directory symbol-file add-symbol-file cd unset macro tty skip dprintf save '
                   'sharedlibrary select-frame inferior add-inferior'),
        (MOVES, 'step next continue until advance finish stepi nexti jump signal'),
        (RESTARTS, 'run start starti'),
        (QUITS, 'quit exit')):
    for _word in _words.split():
        CLASS_OF[_word] = _class

# Those that evaluate what they are given.
EVALUATE = {'print', 'inspect', 'call', 'output', 'printf', 'x', 'display'}
# After these a word may mean another command than before.
DEFINE = {'define', 'document', 'alias', 'directory', 'symbol-file', 'add-symbol-file'}

NO_TUI = 'gdb would draw on the whole screen, which fredapp cannot show: use list, info and display instead'
NO_EDITING = 'fredapp edits the lines: start fredapp with its input from a pipe to have none edited'
REFUSED = {
    'tui': NO_TUI, 'layout': NO_TUI, 'focus': NO_TUI, 'winheight': NO_TUI, 'winwidth': NO_TUI,
    'attach': 'FReD can take back only a program that gdb has started itself: use run',
    'target remote': 'FReD cannot take back a program on another machine: debug it with gdb alone',
    'target extended-remote': 'FReD cannot take back a program on another machine: debug it with gdb alone',
    'set editing': NO_EDITING,
    'set non-stop': 'FReD needs the whole program to stop: leave non-stop off',
}
BACKGROUND = 'FReD needs the program to stop before the next command: leave out the &'

# Convenience functions that only look.
PURE = {'sizeof', 'alignof', '_Alignof', 'typeof', 'decltype', '$_streq', '$_strlen', '$_regex', '$_memeq', '$_isvoid',
        '$_caller_is', '$_caller_matches', '$_any_caller_is', '$_any_caller_matches', '$_as_string', '$_gdb_setting',
        '$_gdb_setting_str'}
ASSIGNS = re.compile(r'<<=|>>=|(?<![=!<>])=(?!=)|\+\+|--')
CALLS = re.compile(r'([\w$]+|[\])>])\s*\(')
TYPE = re.compile(r'\(\s*(?:(?:const|volatile|unsigned|signed|long|short|int|char|float|double|void|bool|_Bool|'
                  r'(?:struct|union|enum)\s+\w+)\b\s*|[\w:]+\s*(?=[*&]))+[*&\s]*\)\s*(?=\()')

names = {}              # a word as typed, after its prefix: the command's full name, or None


def command_name(word, prefix=''):
    """The full name of what gdb takes the word for; None: none, or one of the user's own."""
    if prefix + word not in names:
        names[prefix + word] = find_command(word, prefix)
    return names[prefix + word]


def find_command(word, prefix):
    try:
        text = quiet('help ' + prefix + word)
    except gdb.error:
        return None
    # The first line is `next, n`, if a command has more than one name; `tui layout, layout`.
    same = [name[len(prefix):] for name in text.split('\n')[0].split(', ') if name.startswith(prefix)]
    whole = [line[len(prefix):] for line in quiet('complete ' + prefix + word).split('\n') if line]
    if any(name.startswith(word) for name in same):
        name = same[0].split(' ')[0]
    else:
        name = word if word in whole or not whole else whole[0]
    if not prefix:
        for own in (name, 'hook-' + name, 'hookpost-' + name):
            try:
                quiet('show user ' + own)
                return None
            except gdb.error:
                pass            # gdb was born with it, or there is none
    return name


def split_word(text):
    n = 0
    while n < len(text) and (text[n].isalnum() or text[n] in '-_.'):
        n += 1
    return (text[:n], text[n:].strip()) if n else (text[:1], text[1:].strip())


def classify(text):
    return [classify_text(text.strip())]


def classify_text(text):
    if not text or text.startswith('#'):
        return LOOKS
    word, rest = split_word(text)
    name = command_name(word) if word[0].isalnum() else None
    found = CLASS_OF.get(name, PROGRAM)
    refuse(name, rest, found)
    if name in ('set', 'unset'):
        found = classify_set(rest) if name == 'set' else found
    elif name in EVALUATE:
        found = max(found, classify_expression(rest)) if rest or name != 'display' else LOOKS
    elif name in ('thread', 'frame') and command_applied(rest) is not None:
        found = classify_text(command_applied(rest))
    elif name == 'with' and ' -- ' in rest:
        found = classify_text(rest.split(' -- ', 1)[1].strip())
    elif name in ('thread', 'inferior', 'frame') and not rest:
        found = LOOKS
    if found == PROGRAM or name in DEFINE:
        names.clear()
    if found == DEBUGGER:
        remember(name, text, rest)
    return found


def refuse(name, rest, found):
    """Raises Refused for what would leave FReD without a program that it can take back."""
    if name in ('target', 'set') and rest:
        word, value = split_word(rest)
        name = '%s %s' % (name, command_name(word, name + ' '))
        if value == {'set non-stop': 'off', 'set editing': 'on'}.get(name):
            return
    if name in REFUSED:
        raise Refused(REFUSED[name])
    if found in (MOVES, RESTARTS) and rest.endswith('&'):
        raise Refused(BACKGROUND)


def command_applied(rest):
    """`apply all -s bt`: bt; None when that is no apply."""
    words = rest.split()
    if not words or words[0] != 'apply':
        return None
    for n, word in enumerate(words[1:], 1):
        if not re.match(r'(all|level|-?[\d.*$-]+|-[a-z][a-z-]*)$', word):
            return ' '.join(words[n:])
    return ''


def classify_set(rest):
    word, tail = split_word(rest)
    name = command_name(word, 'set ') if word and word[0].isalpha() else None
    if name is None or name == 'variable' or tail.startswith('=') and not tail.startswith('=='):
        return PROGRAM
    return DEBUGGER


def classify_expression(text):
    """LOOKS: evaluating it changes nothing, as far as it calls no operator of the program's own."""
    text = re.sub(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'', '0', text)
    if text.startswith('-'):
        text = text.split('-- ', 1)[-1]
    if ASSIGNS.search(text):
        return PROGRAM
    text = TYPE.sub('', text)
    return PROGRAM if any(match.group(1) not in PURE for match in CALLS.finditer(text)) else LOOKS


requests['c'] = classify
