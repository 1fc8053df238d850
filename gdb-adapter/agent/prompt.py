# SPDX-License-Identifier: GPL-3.0-or-later
# The Python part of the agent: what is said of a prompt, and answers to requests.
#
# This file and its neighbours, in the Makefile's order, are one namespace, embedded in the preloaded library
# (namespace.c, which also puts send, digest and before_prompt here).  It is in no module table, and the user's `python`
# does not see it.  It runs inside gdb's event loop, where gdb would execute a command.

import gdb

requests = {}           # type of a message: the function that answers it
QUESTIONS = ('(y or n) ', '(y or [n]) ', '([y] or n) ')
STARTING = ('run', 'start', 'starti')
runs = {}               # the same of those that the next prompt answers


class Known:
    """What was so at the last prompt, or has happened since."""
    pid = 0             # of the program; 0: it does not run
    exited = False
    number = 0          # of the process that ran last
    threads = 0         # that it has had so far
    moves = False       # the line lets the program go on
    moving = None       # the last command that did
    row = False         # with an argument, as `next 5`
    begins = None       # for a command that goes by instructions: frame, line and instruction where it is given
    began = None        # the same of the last that did not refuse, if that is what brought the program here
    stepped = False     # the program stands where `step` or `next` took it, or the clock: at a tick, in whatever part of a line


known = Known()


def start():
    edits = 'is on' in quiet('show editing')
    quiet('set editing on')         # or the parameter is not true yet
    if not edits:
        say_editing_stays_on()
    gdb.events.before_prompt.connect(keep_editing)
    gdb.events.before_prompt.connect(set_waiting_displays)
    gdb.events.before_prompt.connect(before_prompt)
    gdb.events.exited.connect(exited)
    gdb.events.new_thread.connect(new_thread)
    gdb.events.stop.connect(stopped)
    send_fields('H', [1, gdb.VERSION])


def keep_editing():
    """A script may have turned it off, and then gdb would read the lines itself, where fredapp gives it none."""
    if not gdb.parameter('editing'):
        quiet('set editing on')
        say_editing_stays_on()


def say_editing_stays_on():
    gdb.write('FReD: editing stays on: %s\n' % NO_EDITING, gdb.STDERR)


def quiet(command):
    return gdb.execute(command, to_string=True)


def exited(event):
    known.exited = True
    known.threads = 0


def new_thread(event):
    if event.inferior_thread.num == 1:
        known.number = event.inferior_thread.ptid[0]
    known.threads += 1


def stopped(event):
    # Breakpoints and signals have events of their own; a step or a finish that came to its end has none.
    known.began = known.begins
    known.stepped = type(event) is gdb.StopEvent and known.moving in ('step', 'next')


def place_of_frame(frame):
    """File, line and function of a frame; the object file where there is no line."""
    sal = frame.find_sal()
    if sal is None or sal.symtab is None or not sal.line:
        return [gdb.solib_name(frame.pc()) or gdb.current_progspace().filename or '?', 0, frame.name() or '??']
    return [sal.symtab.fullname(), sal.line, frame.name() or '??']


def frame_and_line(frame):
    sal = frame.find_sal() if frame is not None else None
    return (str(frame), sal.symtab.filename, sal.line) if sal is not None and sal.symtab is not None else None


def begin_instructions(text):
    """From one piece of a line `step` goes to another without a stop.  But a row of instructions that leads back leads to
    another call of the function: then only later ones are pieces."""
    frame = clock_frame()
    return (frame_and_line(frame), -1 if clock_words(text)[1] in ('', '1') else frame.pc()) if frame is not None else None


def between_statements(frame):
    """Does the frame stand where `step` stops?"""
    sal = frame.find_sal()
    if known.stepped:
        return True
    if sal is None or sal.symtab is None or not sal.line:
        return False
    if known.began is not None and known.began[0] == frame_and_line(frame) and known.began[1] < frame.pc():
        return False
    # At the first instruction of an inlined function that is not entered yet, a line has no pc.
    return sal.pc in (0, frame.pc()) and clock_begins_statement() and not clock_prologue_end(frame) and \
        not clock_continues_line(frame)


def prompted(text, top):
    """gdb waits for a line, with this prompt."""
    # \001 and \002 tell readline which part takes no room.
    text = text.decode('utf-8', 'surrogateescape').replace('\001', '').replace('\002', '')
    if not top:
        send_fields('M', [text, 1, int(text.endswith(QUESTIONS))])
        return
    pid = gdb.selected_inferior().pid
    restarted = pid != 0 and pid != known.pid and (known.pid == 0 or known.exited)
    flags = int(restarted) | (2 if gdb.current_recording() else 0) | (4 if pid == known.pid == 0 and not known.exited else 0) | (8 if known.threads > 1 else 0)
    known.pid, known.exited = pid, False
    Window.heard()
    # Where the program stands is dear, and seldom asked for.
    stop, Run.stop = Run.stop, None
    clock = [stop.tick, stop.depth, stop.kind, int(stop.end), stop.inside | stop.cut << 1] if stop else [0, 0, 0, 0, 0]
    way = stop.way if stop and not stop.end and not stop.cut else 0
    send_fields('P', [text] + clock + [flags, 0, pid, '', 0, '', way])


def line_comes(kind, body):
    """A line is about to be handed to gdb."""
    clock_forget()
    text = body.decode('utf-8', 'surrogateescape').strip('\0 \t')
    if text:                    # an empty one repeats
        name, rest = clock_words(text)
        known.moves = name in MOVING or name in STARTING
        known.moving, known.row = (name, bool(rest)) if known.moves else (known.moving, known.row)
    # How the program came to stand here stays known while the user looks around.
    if known.moves:
        known.begins = begin_instructions(text) if known.moving in ('stepi', 'nexti') else None
        clock_begin(known.row and known.moving in ('step', 'next', 'stepi', 'nexti'), known.moving in STARTING)


def serve(kind, body):
    """A request."""
    kind = chr(kind)
    fields = fields_of(body)
    try:
        if kind in runs:
            runs[kind](*fields)
            return
        reply = ['R', requests[kind](*fields)]
    except BaseException as problem:
        reply = ['F', [describe(problem)]]
    send_fields(*reply)


def describe(problem):
    return one_line(str(problem)) if isinstance(problem, (gdb.error, gdb.GdbError, Refused)) else describe_exception(problem)


class Refused(Exception):
    """FReD does not do this; the text says why and what to do."""
