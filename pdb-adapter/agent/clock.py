# SPDX-License-Identifier: GPL-3.0-or-later
# The statement clock: runs one command of the user's and counts the stops that `step` would have made meanwhile.
#
# pdb itself executes the command, `continue` or `until 7`, with all its rules: ignore counts, conditions, temporary
# breakpoints.  Only, while the clock runs, a C function counts each event before pdb decides (clock_run.h).  What pdb
# would not have seen it does not see now, or a run under the clock would end elsewhere than the run it repeats.
#
# At the limit the stop information is put aside and pdb's trace function is called once more, as if the user had typed
# `step`; to go on, GoOn is raised out of pdb's command loop, since any command would change that information.

import bdb
import sys

KINDS = {'line': LINE, 'call': CALL, 'return': RETURN, 'exception': EXCEPTION}
REST = '(go on)'        # what is left of a command that was halted, as a command; pdb-adapter/adapter.c has it, too
STOP_INFO = 'stopframe', 'returnframe', 'stoplineno', 'currentbp', 'cmdframe', 'cmdlineno', 'curframe_locals'
SIGINT = 2
WATCHED = ('stop_here', 'break_here', 'break_anywhere', 'canonic', 'dispatch_line', 'dispatch_call', 'dispatch_return',
           'dispatch_exception', 'trace_dispatch')


class GoOn(BaseException):
    """Leaves pdb's command loop at a halt of the clock."""


def traced_frame(frame):
    """The frame whose event is being handled, seen from inside the trace function; None outside."""
    ours = globals()
    while frame is not None:
        if frame.f_code.co_name == 'trace_dispatch' and frame.f_globals is bdb_globals:
            # Only our own frames are passed: the user may be stepping through bdb.py itself.
            frame = frame.f_back
            while frame.f_globals is ours:
                frame = frame.f_back
            return frame
        frame = frame.f_back
    return None


def stale(frame, event, arg):
    """A generator has kept it beyond the end of the run."""
    frame.f_trace = None


def falsy(function):
    """The function as a false object, as None is: bdb tests f_trace (`if not frame.f_trace`)."""
    partial = sys.modules['functools'].partial
    return type('unwanted', (partial,), {'__slots__': (), '__bool__': lambda self: False})(function)


def interrupt_handlers():
    """What pdb's prompt takes back of what its `continue` did."""
    return Pdb._previous_sigint_handler, sys.modules['_signal'].getsignal(SIGINT)


def set_interrupt_handlers(handlers):
    previous, present = handlers
    if previous is not None and Pdb._previous_sigint_handler is None and present is not None:
        sys.modules['_signal'].signal(SIGINT, present)
        Pdb._previous_sigint_handler = previous


def make_clock():
    # From 3.13.6 on, `step` does not stop twice in a row at one line of one frame.
    by_line = hasattr(Bdb(), 'cmdframe')
    halted = False
    at_end = False              # halted where `until` says
    sought = False              # halted by halt.py
    clocked = True              # the run goes on under the clock
    limit = 0
    until = ''                  # the state that is the end of a run which ^C ended
    tracing = show = False
    observe = None              # a look at an expression at each tick of a trace, where one was asked for
    breakpoints = None          # those that a trace tells: file, line: list
    unwanted = falsy(stale) if sys.version_info < (3, 10) else None

    def take_over(function):
        """Is that a trace function of a Pdb's?  Another than before may be at work: breakpoint() makes a new one."""
        p = function.__self__
        if not isinstance(p, Pdb) or function != p.trace_dispatch:
            return False
        settle(p)
        return True

    def settle(p):
        kind = type(p)
        fast = all(getattr(kind, name, None) is getattr(Bdb, name) and name not in p.__dict__ for name in WATCHED)
        fast = fast and kind.user_call is Pdb.user_call and 'user_call' not in p.__dict__
        clock_pdb(p, fast, bool(p.skip), hasattr(p, 'enterframe'))

    def canonic(p, name):
        return p.canonic(name)

    def skipped(p, frame):
        return bool(p.is_skipped_module(frame.f_globals.get('__name__')))

    def breakpoint_here(p, frame, after_call):
        """As bdb's break_here(), in a line that has one, but for breakpoints that may be of another time; counts no hit, heeds
        no ignore count."""
        lines = breakpoints[p.canonic(frame.f_code.co_filename)]
        at = lines.get(frame.f_lineno) or lines.get(frame.f_code.co_firstlineno) or ()
        for b in at:
            if not b.enabled:
                continue
            known = b.func_first_executable_line if b.funcname else True
            if not bdb.checkfuncname(b, frame):
                continue
            if not known and not after_call:
                # The function was running when the breakpoint was set: this is not its first line.
                b.func_first_executable_line = known
                continue
            if not b.cond:
                return True
            try:
                if eval(b.cond, frame.f_globals, frame.f_locals):
                    return True
            except Exception:
                return True     # as bdb, which stops then
        return False

    def at_mark(p, frame, event, arg):
        """The limit, or the place of `until`.  None: the run goes on; a tuple: it is over, and that is to be the frame's f_trace."""
        nonlocal at_end
        if until and until.startswith('%d:%d %d ' % (depth_of(frame), frame.f_lineno or 0, glance_of(frame))):
            at_end = state_of(frame, KINDS[event]) == until
        if clock_state()[1] < limit and not at_end:
            return None
        return halt(p, frame, event, arg)

    def halt(p, frame, event, arg):
        """Show this place as `step` would, and either go on later or leave everything to the user."""
        nonlocal halted, limit, sought
        clock_send()
        if channel_open():
            flush()
            if show:
                _, count, _, way, _ = clock_state()
                send_fields('A', [count, way])
                message = receive()
                while message is not None and message[0] != ord('g'):
                    message = receive()
        clock_halt()
        if not channel_open():          # a forked child, or fredapp is gone
            clock_drop(frame)
            return None,
        tracer, queue, interrupts = sys.gettrace(), p.cmdqueue[:], interrupt_handlers()
        p.cmdqueue[:] = ()              # `continue ;; p x` has not come to p x
        # With curframe_locals, which pdb keeps and forgets to forget: objects must die when they would have.
        saved = [(name, getattr(p, name)) for name in STOP_INFO if hasattr(p, name)]
        opcodes = getattr(p, 'trace_opcodes', False)
        space = frame.f_locals
        left = [name for name in ('__return__', '__exception__') if name not in space]
        plain = []                      # frames that pdb does not trace; `step` would
        each = frame
        while each is not None:
            if each.f_trace is None or each.f_trace is unwanted:
                plain.append(each)
                each.f_trace = p.trace_dispatch
            each = each.f_back
        sys.settrace(p.trace_dispatch)
        p.currentbp = 0                 # commands of a breakpoint are not to be run here
        p._set_stopinfo(None, None)
        halted = True
        before = clock_state()[4]
        try:
            back = p.trace_dispatch(frame, event, arg)
            if clock_state()[4] != before:
                return back,
            limit = clock_state()[1] + 1        # a stop_here() of a subclass: try the next one
            set_clock()
        except GoOn:
            p.allow_kbdint = False
            p.forget()
        halted = sought = False
        for name in left:               # user_return() and user_exception() leave them to the program
            if name in space:
                try:
                    del space[name]
                except Exception:       # the proxy of 3.13
                    space[name] = None
        p._set_stopinfo(None, None)
        if opcodes:
            p._set_trace_opcodes(opcodes)
        for name, value in saved:
            setattr(p, name, value)
        for each in plain:
            each.f_trace = unwanted
        p.cmdqueue[:] = queue
        set_interrupt_handlers(interrupts)
        del saved, plain, each
        if clocked:
            clock_arm(1)
        else:
            sys.settrace(tracer)
            clock_drop(frame)
        return None

    def stopped(asks):
        """At a prompt: the tick, whether it is the end of a run, whether it is inside a statement, and the way to here."""
        clock_prompt()
        if clock_uncount():
            return 0, True, stop.inside or not stop.live, 0
        running, count, counted, way, _ = clock_state()
        if halted:
            return count, at_end, count == 0, way       # no tick yet: halt.py has halted it inside a statement
        if not running:
            return 0, True, stop.inside or not stop.live, 0
        clock_send()
        clock_halt()
        clock_drop(stop.frame if stop.live else asks)
        if not stop.live:
            # Post-mortem: the life of the program ends, for the user, where the frame that failed was left.  Its
            # address was not used again, as the traceback holds it.
            return clock_left(id(stop.frame)), True, True, way
        return count, True, stop.inside or not counted, way

    def forget():
        nonlocal halted, at_end, sought
        halted = at_end = sought = False
        clock_drop(None)

    def begin(p, *options):
        forget()
        clock_zero(by_line, 0)
        settle(p)
        set_options(*options)

    def start(p, *options):
        clock_uncounted()
        begin(p, *options)
        clock_arm(0)

    def count_run(p):
        """The user's own run, from here on."""
        begin(p, 1 << 62, '0', '', '0', '')
        clock_count()

    def halt_soon(p, at_once):
        """The run is to be halted at a stop soon, or where it is now; whoever asks arms the clock."""
        nonlocal sought
        begin(p, 0 if at_once else 1, '0', '', '0', '')
        sought = True

    def set_options(last, trace, settings, arriving, state):
        nonlocal limit, show, until, at_end, tracing, breakpoints, observe
        limit, tracing, show, until, at_end = min(int(last), 1 << 62), trace != '0', arriving[0] == '1', state, False
        observe = observe_with() if trace == '2' else None
        breakpoints = told_breakpoints(settings) if settings else None
        set_clock()

    def set_clock():
        depth, line = until.split(' ')[0].split(':') if until else (0, 0)
        clock_set(limit, tracing, breakpoints, observe, int(depth), int(line), numbers_in(until))

    def go_on(*options):
        nonlocal clocked
        clocked = True
        set_options(*options)
        raise GoOn

    def rest(*options):
        """What is left of the command: as a run of its own, or without the clock."""
        nonlocal clocked
        clock_uncounted()
        if options:
            clock_zero(by_line, 1)
            go_on(*options)
        clocked = False
        raise GoOn

    return (stopped, forget, start, count_run, go_on, rest, halt_soon, lambda: halted, lambda: halted and sought, take_over, canonic,
            skipped, breakpoint_here, at_mark, unwanted)


(clock_stopped, clock_forget, clock_start, clock_count_run, clock_go_on, clock_rest, clock_halt_soon, clock_can_go_on, clock_landed, clock_take_over,
 clock_canonic, clock_skipped, clock_breakpoint_here, clock_at_mark, clock_unwanted) = make_clock()
