# SPDX-License-Identifier: GPL-3.0-or-later
# A run of the user's that fredapp wants a prompt in (halt.h).

NO, LATER, SOON, IN_PDB, AT_ONCE = range(5)     # NO and LATER: fredapp is told, but where a prompt is open


class Asked:
    """Who has let the program run."""
    pdb = thread = None         # the first a weak reference
    ready = False               # the signal has its handler


def halt_asked(p):
    Asked.pdb, Asked.thread = ref(p), _thread.get_ident()
    if Asked.ready:
        return
    try:
        halt_take(sys.modules['_signal'].signal, handler)
        Asked.ready = True
    except ValueError:          # this is not the main thread
        pass


def handler():
    """signal.getsignal() makes numbers readable, and so shows this one as what 0 is, SIG_DFL; it is called as any handler."""
    return type('int', (int,), {'__slots__': (), '__call__': halt_signalled})(0)


handler = handler()


def halt_wanted(tracer, waits):
    """How is the run to be halted?  waits: the program is in a call that waits for something."""
    p = Asked.pdb and Asked.pdb()
    if is_at_work(sys._getframe().f_back):
        return LATER
    if is_interrupted(sys._getframe().f_back):
        return NO               # its prompt comes; what is executed here is not executed when the run is repeated
    if p is None or Asked.thread != _thread.get_ident() or stop.pdb is not None or p.quitting:
        return NO
    if tracer is None and (p.breaks or p.stopframe is not p.botframe or p.stoplineno != -1):
        return NO               # the program has turned off what pdb needs: `step` would not stop either
    if tracer is None and sys.version_info < (3, 10):
        refresh_lines(sys._getframe().f_back)
    in_pdb = traced_frame(sys._getframe()) is not None
    clock_halt_soon(p, waits and not in_pdb)
    return IN_PDB if in_pdb else AT_ONCE if waits else SOON


def is_at_work(frame):
    """Are we?  Then pdb is not as the program's run needs it."""
    ours = globals()
    while frame is not None and frame.f_globals is not ours:
        frame = frame.f_back
    return frame is not None


def is_interrupted(frame):
    """By ^C, whose handler is pdb's."""
    while frame is not None:
        if frame.f_globals is pdb_globals and frame.f_code.co_name == 'sigint_handler':
            return True
        frame = frame.f_back
    return False


def refresh_lines(frame):
    """Of a frame with an f_trace CPython takes the line that was traced last, and pdb's `continue` leaves one where tracing is off."""
    while frame is not None:
        function = frame.f_trace
        if function is not None:
            frame.f_trace = None
            frame.f_trace = function
        frame = frame.f_back


def halt_here():
    """It is called for the event."""


def landed(p):
    return ['landed', clock_ticks(), *requests['d'](p, '')] if clock_landed() else ['end']


def last_stop(p, depth):
    """Of the run that has led to here, if it was counted: the last tick of frames so deep or less deep, 0: none, and all ticks."""
    known, tick, ticks = clock_last(int(depth))
    return [tick, ticks] if known and stop.live else []
