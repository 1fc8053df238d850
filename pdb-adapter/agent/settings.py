# SPDX-License-Identifier: GPL-3.0-or-later
# Breakpoints, their commands, aliases and displays as one string, and back: what a user set a minute ago still stands
# after a move into the past.

import ast
import bdb

FIELDS = 'number', 'file', 'line', 'temporary', 'cond', 'funcname', 'enabled', 'ignore', 'hits', 'func_first_executable_line'


def settings_save(p):
    Breakpoint = bdb.Breakpoint
    frames = {}
    for depth in range(1, stop.depth + 1):
        frames[frame_at(depth)] = depth
    displays = []
    for frame, shown in p.displaying.items():
        if frame in frames and shown:
            displays.append((frames[frame], identity(frame), list(shown)))
    return [repr({
        'next': Breakpoint.next,
        'length': len(Breakpoint.bpbynumber),
        'breakpoints': [tuple(getattr(b, field) for field in FIELDS) for b in Breakpoint.bpbynumber if b],
        'commands': {number: (lines, p.commands_doprompt.get(number, True), p.commands_silent.get(number, False))
                     for number, lines in p.commands.items()},
        'aliases': p.aliases,
        'displays': displays,
    })]


def identity(frame):
    code = frame.f_code
    return code.co_filename, code.co_name, code.co_firstlineno


def settings_load(p, text):
    saved = ast.literal_eval(text)
    warnings = []
    load_breakpoints(saved)
    for reference, _ in known_pdbs:
        instance = reference()
        if instance is not None:
            load_breaks(instance, instance is p)
    p.commands, p.commands_doprompt, p.commands_silent = {}, {}, {}
    for number, (lines, prompt, silent) in saved['commands'].items():
        p.commands[number], p.commands_doprompt[number], p.commands_silent[number] = lines, prompt, silent
    p.aliases = saved['aliases']
    load_displays(p, saved['displays'], warnings)
    trace_frames(p)
    return warnings


def load_breakpoints(saved):
    Breakpoint = bdb.Breakpoint
    Breakpoint.bplist.clear()
    Breakpoint.bpbynumber[:] = [None]
    for values in saved['breakpoints']:
        of = dict(zip(FIELDS, values))
        while len(Breakpoint.bpbynumber) < of['number']:
            Breakpoint.bpbynumber.append(None)
        Breakpoint.next = of['number']
        b = Breakpoint(of['file'], of['line'], of['temporary'], of['cond'], of['funcname'])
        for field in FIELDS:
            setattr(b, field, of[field])
    while len(Breakpoint.bpbynumber) < saved['length']:
        Breakpoint.bpbynumber.append(None)
    Breakpoint.next = saved['next']


class Told:
    """A breakpoint that a trace tells of; it need not exist at that time."""


def told_breakpoints(text):
    """{file: {line: [breakpoint, ...]}} of saved settings."""
    files = {}
    for values in ast.literal_eval(text)['breakpoints']:
        b = Told()
        b.__dict__.update(zip(FIELDS, values))
        files.setdefault(b.file, {}).setdefault(b.line, []).append(b)
    return files


def load_breaks(instance, asks):
    """An instance's own table of lines.  Before 3.10 another instance does not know the breakpoints of this one."""
    all_known = asks or hasattr(bdb.Bdb, '_load_breaks')
    breaks = {}
    for name, line in bdb.Breakpoint.bplist:
        if all_known or line in instance.breaks.get(name, ()):
            breaks.setdefault(name, []).append(line)
    instance.breaks.clear()
    instance.breaks.update(breaks)


def load_displays(p, displays, warnings):
    old, p.displaying = p.displaying, {}
    for depth, who, expressions in displays:
        frame = frame_at(depth)
        if frame is None or identity(frame) != who:
            for expression in expressions:
                warnings.append('display %s: its function is not running here' % expression)
            continue
        shown = p.displaying[frame] = {}
        space = p.curframe_locals if frame is p.curframe else frame.f_locals
        for expression in expressions:
            try:
                shown[expression] = old[frame][expression]
            except KeyError:
                try:
                    shown[expression] = eval(expression, frame.f_globals, space)
                except BaseException as problem:
                    shown[expression] = pdb._rstr('** raised %s **' % describe_exception(problem))


def trace_frames(p):
    """A function that runs already must be traced for a new breakpoint in it to be seen; pdb does so from 3.14 on."""
    frame = stop.frame if stop.live else None
    while frame is not None:
        if frame.f_trace is None and p.canonic(frame.f_code.co_filename) in p.breaks:
            frame.f_trace = p.trace_dispatch
        if frame is p.botframe:
            break
        frame = frame.f_back


requests['s'] = settings_save
requests['o'] = settings_load
