# SPDX-License-Identifier: GPL-3.0-or-later
# The Python part of the agent: what happens while pdb waits for a line.
#
# This file and its neighbours, in the Makefile's order, are one namespace, embedded in the preloaded library
# (namespace.c, which also puts input, send, receive and the like here).  It is in no module table, and nothing of it
# is seen by the program: pdb calls a builtin, and no frame of ours is on the stack while the program runs, unless the
# statement clock does.
#
# Only modules that pdb has imported itself are imported, so that sys.modules stays as it is without us.

import _thread
import bdb
import cmd
import code
import pdb
import sys
from _weakref import ref

Pdb = pdb.Pdb
Bdb = bdb.Bdb
pdb_globals, cmd_globals, code_globals, bdb_globals = pdb.__dict__, cmd.__dict__, code.__dict__, bdb.__dict__

LINE, CALL, RETURN, EXCEPTION = range(4)
KIND_OF = {'dispatch_line': LINE, 'dispatch_opcode': LINE, 'dispatch_call': CALL, 'dispatch_return': RETURN,
           'dispatch_exception': EXCEPTION}


class Stop:
    """Where pdb stands at a prompt."""
    pdb = None          # the Pdb that asks
    frame = None        # the frame pdb was called for; in post-mortem the innermost of the traceback
    chain = ()          # post-mortem: the frames of the traceback, outermost first
    below = 0           # post-mortem: how many frames lay under the first of them, so that depths are as in life
    kind = LINE
    depth = 0
    live = False        # called by the trace function: the program can go on from here
    inside = False      # between two statements' starts


stop = Stop()
lock = _thread.RLock()          # two threads may come to a prompt at a time
serving = None                  # the thread that answers a request
known_pdbs = []                 # (weak reference, number): an id() would be used again
last_run = (None, None)         # a Pdb, and the frame of its run() at the last prompt


def start():
    for module in (cmd, pdb, code):
        module.__dict__['input'] = input
    send_fields('H', [1, '%d.%d.%d' % sys.version_info[:3]])


def number_of(p):
    known_pdbs[:] = [pair for pair in known_pdbs if pair[0]() is not None]
    for reference, number in known_pdbs:
        if reference() is p:
            return number
    number_of.last += 1
    known_pdbs.append((ref(p), number_of.last))
    return number_of.last


number_of.last = 0


def depth_of(frame):
    depth = 0
    while frame is not None:
        depth += 1
        frame = frame.f_back
    return depth


def find_stop(p, frame):
    """Fill in stop; frame is the one that asks for input."""
    global last_run
    stop.pdb, stop.kind, stop.live, stop.inside, stop.chain = p, LINE, False, False, ()
    run = None
    while frame is not None:
        if frame.f_globals is bdb_globals or frame.f_globals is globals():
            name = frame.f_code.co_name
            if not stop.live:
                if name in KIND_OF:
                    stop.kind = KIND_OF[name]
                    stop.inside = name == 'dispatch_opcode'
                elif name == 'trace_dispatch':
                    stop.live = True
                    stop.frame = frame = traced_frame(frame)
                    stop.depth = depth_of(frame)
                    continue
            if run is None and frame.f_code is Bdb.run.__code__ and frame.f_locals.get('self') is p:
                run = frame
        frame = frame.f_back
    if not stop.live:
        stop.chain = [entry[0] for entry in getattr(p, 'stack', ())]
        stop.frame = stop.chain[-1] if stop.chain else None
        stop.below = depth_of(stop.chain[0]) - 1 if stop.chain else 0
        stop.depth = stop.below + len(stop.chain)
        stop.kind = EXCEPTION
    restarted = False
    if run is not None:
        restarted = last_run[0] is not None and last_run[0]() is p and last_run[1] is not run
        last_run = ref(p), run
    return restarted


def flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:
            pass
    flush_c()


def prompted(p, args):
    """pdb waits for a line: called instead of the builtin input()."""
    if serving == _thread.get_ident():
        return 'continue'       # a breakpoint() inside an expression that fredapp asked for
    with lock:
        try:
            return answer(p, sys._getframe(1), str(args[0]) if args else '')
        finally:
            stop.pdb = stop.frame = None        # a frame that we kept would keep the program's objects
            stop.chain = ()


def answer(p, asks, prompt):
    global serving
    restarted = find_stop(p, asks)
    halt_asked(p)
    more = asks.f_code.co_name != 'cmdloop' or p.commands_defining
    tick, end, inside, way = clock_stopped(asks)
    flush()
    if more:
        send_fields('M', [prompt])
    else:
        send_fields('P', [prompt, tick, stop.depth, stop.kind, int(end), int(inside), int(restarted), int(not stop.live), number_of(p)]
                    + (place_at(p, stop.depth) or ['', 0, '']) + [way])
    while True:
        message = receive()
        if message is None:
            clock_forget()
            raise EOFError
        kind, body = chr(message[0]), message[1]
        fields = fields_of(body)
        if kind in 'kl' and fields[kind == 'k'] == REST:
            if clock_can_go_on():
                clock_rest(*fields[2:7])
            send_fields('F', ['no command was halted here'])
            continue
        if kind == 'k':
            if fields[0] == '1':
                if stop.live and not more:
                    clock_start(p, *fields[2:7])
                    return fields[1]
                send_fields('F', ['the program cannot be run again from a post-mortem'])
                continue
            if clock_can_go_on():
                clock_go_on(*fields[2:7])
            send_fields('F', ['the clock was not halted here'])
            continue
        if kind in 'lei':
            clock_forget()
            if kind == 'l':
                if stop.live and not more and runs_on(p, fields[0]):
                    clock_count_run(p)
                elif more or classify_text(p, fields[0], 0) > DEBUGGER:
                    clock_uncounted()
                return fields[0]
            raise EOFError if kind == 'e' else KeyboardInterrupt
        serving = _thread.get_ident()
        try:
            reply = ['R', requests[kind](p, *fields)]
        except BaseException as problem:
            reply = ['F', ['%s: %s' % (type(problem).__name__, problem)]]
        finally:
            serving = None
        send_fields(*reply)
