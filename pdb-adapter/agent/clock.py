# SPDX-License-Identifier: GPL-3.0-or-later
# The statement clock: runs one command of the user's and counts the stops that `step` would have made meanwhile.
#
# pdb itself executes the command, `continue` or `until 7`, with all its rules: ignore counts, conditions, temporary
# breakpoints.  Only, while the clock runs, every frame is traced, and each event is counted before pdb decides.  What
# pdb would not have seen it must not see now, or a run under the clock would end elsewhere than the run it repeats; so
# each frame has one of two local trace functions, which say what its f_trace would be without a clock:
#
#   trace_dispatch   in the place of Bdb's own: counts, then asks the original, which stops or not
#   untraced         for None: counts only.  It is false, as None is, since bdb tests f_trace (`if not frame.f_trace`)
#
# and `off` says that pdb has turned tracing off altogether (`continue` without breakpoints).
#
# At the limit the stop information is put aside and the original is called once more, as if the user had typed `step`;
# to go on, GoOn is raised out of pdb's command loop, since any command would change that information.

import bdb
import sys

KINDS = {'line': LINE, 'call': CALL, 'return': RETURN, 'exception': EXCEPTION}
GENERATORS = 0x20 | 0x80 | 0x200        # CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR
STOP_INFO = 'stopframe', 'returnframe', 'stoplineno', 'currentbp', 'cmdframe', 'cmdlineno', 'curframe_locals'
BATCH = 8000                            # ticks in one message: 32 KB
WATCHED = ('stop_here', 'break_here', 'break_anywhere', 'canonic', 'dispatch_line', 'dispatch_call', 'dispatch_return',
           'dispatch_exception')


class GoOn(BaseException):
    """Leaves pdb's command loop at a halt of the clock."""


def traced_frame(frame):
    """The frame whose event is being handled, seen from inside the trace function; None outside."""
    ours = globals()
    while frame is not None:
        if frame.f_code.co_name == 'trace_dispatch' and (frame.f_globals is bdb_globals or frame.f_globals is ours):
            # Only our own frames are passed: the user may be stepping through bdb.py itself.
            while frame.f_globals is ours or frame.f_code.co_name == 'trace_dispatch':
                frame = frame.f_back
            return frame
        frame = frame.f_back
    return None


def falsy(function):
    """The function as a false object.  partial's call costs less than a __call__ in Python; the module is there."""
    partial = sys.modules['functools'].partial
    return type('untraced', (partial,), {'__slots__': (), '__bool__': lambda self: False})(function)


def make_clock():
    original = Bdb.trace_dispatch
    original_continue = Bdb.set_continue
    running = off = False
    current = bound = None      # the Pdb at work, and its trace_dispatch
    fast = skipping = False     # current has no stop_here() or the like of its own; has modules to skip
    enters = False              # current keeps enterframe (3.13)
    # From 3.13.6 on, `step` does not stop twice in a row at one line of one frame.
    by_line = hasattr(Bdb(), 'cmdframe')
    count = limit = mark = 0    # mark: the count at which something is to be done
    tracing = show = False
    observe = None              # a look at an expression at each tick of a trace, where one was asked for
    breakpoints = None          # those that a trace tells: file, line: list
    until = ''                  # the state that is the end of a run which ^C ended
    at_end = False              # halted there
    ticks = []
    way = 0                     # tells one way from the start to here, in sixteens of ticks, from another; 0 before the first
    ways = []                   # not told yet
    passed = []                 # the instructions of the ticks since
    pass_by = passed.append
    previous = 0                # the last tick told
    left = {}                   # id of a frame: the tick at which it was left
    last, depth = None, 0       # the frame that runs, as far as known, and its depth
    place = None                # frame and line of the last tick, where by_line
    counted = True              # the event at hand is a tick
    halted = arriving = False
    prompts = 0
    canonical = {}
    push = ticks.append

    def untraced_function(frame, event, arg):
        nonlocal count, last, depth, place
        if not running:
            return stale(frame, event)
        if event == 'line':
            if frame is not last:
                depth = depth_of(frame)
                last = frame
            value = depth << 4
            if by_line:
                if place == (id(frame), frame.f_lineno):
                    return untraced
        elif event == 'call':
            if frame.f_globals is ours:
                return None
            depth = depth + 1 if frame.f_back is last else depth_of(frame)
            last = frame
            value = depth << 4 | 1
        elif event == 'return':
            if frame is not last:
                depth = depth_of(frame)
            value = depth << 4 | 2
            last = frame.f_back
            depth -= 1
        elif event == 'exception' and not internal(frame, arg):
            if frame is not last:
                depth = depth_of(frame)
                last = frame
            value = depth << 4 | 3
        else:
            return untraced
        if current.quitting or (skipping and skipped(frame)):
            return untraced
        count += 1
        if event == 'return':
            left[id(frame)] = count
        if by_line:
            place = id(frame), frame.f_lineno
        if tracing:
            push(value | breakpoint_here(frame, value) if breakpoints else value)
            if observe is not None:
                observe(frame, value, count)
        pass_by(frame.f_lasti)
        if not count & 15:
            note_way(value)
        if count >= mark:
            return at_mark(current, frame, event, arg, untraced)
        return untraced

    untraced = falsy(untraced_function)
    ours = globals()

    def trace_dispatch(self, frame, event, arg):
        nonlocal count, last, depth, place, counted
        if self is not current or off or not running:
            if not take_over(self):
                if running and self is current:
                    return untraced_function(frame, event, arg)
                return original(self, frame, event, arg)
        if enters:
            self.enterframe = frame
        if self.quitting:
            return None
        if self._wait_for_mainpyfile:
            return original(self, frame, event, arg)
        stopframe = self.stopframe
        ask = True
        if event == 'line':
            if frame is not last:
                depth = depth_of(frame)
                last = frame
            value = depth << 4
            if fast and stopframe is not None and stopframe is not frame:
                code = frame.f_code
                lines = self.breaks.get(canonical.get(code.co_filename) or canonic(code.co_filename))
                ask = lines is not None and (frame.f_lineno in lines or code.co_firstlineno in lines)
            tick = not by_line or place != (id(frame), frame.f_lineno)
        elif event == 'call':
            depth = depth + 1 if frame.f_back is last else depth_of(frame)
            last = frame
            value = depth << 4 | 1
            tick = self.botframe is not None
            if fast and stopframe is not None and stopframe is not frame and tick:
                # Traced if its file has breakpoints; user_call() would do nothing.
                name = frame.f_code.co_filename
                ask, traced = False, (canonical.get(name) or canonic(name)) in self.breaks
        elif event == 'return':
            if frame is not last:
                depth = depth_of(frame)
            value = depth << 4 | 2
            last = frame.f_back
            depth -= 1
            tick = True
            ask = not fast or stopframe is None or stopframe is frame or self.returnframe is frame
        elif event == 'exception':
            if frame is not last:
                depth = depth_of(frame)
                last = frame
            value = depth << 4 | 3
            tick = not internal(frame, arg)
        else:
            tick = False
            value = 0
        if tick and skipping and skipped(frame):
            tick = False
        counted = tick
        if tick:
            count += 1
            if event == 'return':
                left[id(frame)] = count
            if by_line:
                place = id(frame), frame.f_lineno
            if tracing:
                push(value | breakpoint_here(frame, value) if breakpoints else value)
                if observe is not None:
                    observe(frame, value, count)
            pass_by(frame.f_lasti)
            if not count & 15:
                note_way(value)
        if ask:
            before = prompts
            result = original(self, frame, event, arg)
            if prompts != before:       # pdb has stopped here, and this is another run, or none
                return result
        else:
            result = bound if event != 'call' or traced else None
        if result is None and event == 'call':
            # Not to be traced; but a generator that was traced before stays so.
            trace = frame.f_trace
            result = untraced if trace is None or trace is untraced else bound
        if count >= mark and tick:
            return at_mark(self, frame, event, arg, result)
        return result

    def note_way(value):
        """Each sixteenth tick.  Every tick is in it: a loop that went round once less leaves no other trace."""
        nonlocal way
        way = hash((way, value, *passed)) & 0x7fffffff
        del passed[:]
        if tracing:
            ways.append(way)

    def take_over(self):
        """Is the event for pdb to judge?  Another Pdb than before may be at work: breakpoint() makes a new one."""
        nonlocal current, bound, fast, skipping, enters, off
        if not running or not isinstance(self, Pdb):
            trace = sys.gettrace()
            if not running and getattr(trace, '__func__', None) is trace_dispatch:
                sys.settrace(trace.__self__.trace_dispatch)
            return False
        if off and self is current and self.stoplineno == -1:
            return False
        off = False
        if self is not current:
            current = self
            settle()
        return True

    def settle():
        nonlocal bound, fast, skipping, enters
        bound = current.trace_dispatch
        kind = type(current)
        fast = all(getattr(kind, name, None) is getattr(Bdb, name) and name not in current.__dict__ for name in WATCHED)
        fast = fast and kind.user_call is Pdb.user_call
        skipping = bool(current.skip)
        enters = hasattr(current, 'enterframe')
        canonical.clear()

    def canonic(name):
        found = canonical[name] = current.canonic(name)
        return found

    def skipped(frame):
        return current.is_skipped_module(frame.f_globals.get('__name__'))

    def internal(frame, arg):
        """bdb does not stop at the StopIteration that ends a `yield from`."""
        return arg[0] is StopIteration and arg[2] is None and frame.f_code.co_flags & GENERATORS

    def stale(frame, event):
        """A thread or a generator that kept our function beyond the end of the run."""
        if event == 'call':
            if sys.gettrace() is untraced:
                sys.settrace(None)
        else:
            frame.f_trace = None
        return None

    def breakpoint_here(frame, value):
        """As bdb's break_here(), but for breakpoints that may be of another time; counts no hit, heeds no ignore count.

        8 or 0."""
        nonlocal previous
        after_call, previous = previous & 7 == 1, value
        if value & 7 != LINE:
            return 0
        name = frame.f_code.co_filename
        name = canonical.get(name) or canonic(name)
        lines = breakpoints.get(name)
        if not lines:
            return 0
        line = frame.f_lineno
        if line not in lines:
            line = frame.f_code.co_firstlineno
            if line not in lines:
                return 0
        for b in lines[line]:
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
                return 8
            try:
                if eval(b.cond, frame.f_globals, frame.f_locals):
                    return 8
            except Exception:
                return 8        # as bdb, which stops then
        return 0

    def send_trace():
        if ticks:
            send_ticks(ticks)
            del ticks[:]
        if ways:
            send_fields('C', [(count >> 4) - len(ways)] + ways)
            del ways[:]

    def at_mark(self, frame, event, arg, result):
        nonlocal mark, at_end
        if until and until.startswith('%d:%d ' % (depth_of(frame), frame.f_lineno or 0)):
            at_end = state_of(frame, KINDS[event]) == until
        if count >= limit or at_end or len(ticks) >= BATCH:
            send_trace()
        mark = next_mark()
        if count < limit and not at_end:
            return result
        return halt(self, frame, event, arg, result)

    def halt(self, frame, event, arg, result):
        """Show this place as `step` would, and either go on later or leave everything to the user."""
        nonlocal halted, arriving, off, last, limit, mark
        if channel_open():
            flush()
            if show:
                send_fields('A', [])
                message = receive()
                while message is not None and message[0] != ord('g'):
                    message = receive()
        if not channel_open():          # a forked child, or fredapp is gone
            disarm(frame, None)
            return None
        # With curframe_locals, which pdb keeps and forgets to forget: objects must die when they would have.
        saved = [(name, getattr(self, name)) for name in STOP_INFO if hasattr(self, name)]
        opcodes = getattr(self, 'trace_opcodes', False)
        space = frame.f_locals
        left = [name for name in ('__return__', '__exception__') if name not in space]
        plain, was_off = [], off
        each = frame
        while each is not None:
            if each.f_trace is untraced:
                plain.append(each)
            each = each.f_back
        disarm(frame, self)
        sys.settrace(self.trace_dispatch)
        self.currentbp = 0              # commands of a breakpoint are not to be run here
        self._set_stopinfo(None, None)
        halted = arriving = True
        before = prompts
        try:
            back = original(self, frame, event, arg)
            if prompts != before:
                return back
            limit = count + 1           # a stop_here() of a subclass: try the next one
        except GoOn:
            self.allow_kbdint = False
            self.forget()
        halted = arriving = False
        for name in left:               # user_return() and user_exception() leave them to the program
            if name in space:
                try:
                    del space[name]
                except Exception:       # the proxy of 3.13
                    space[name] = None
        self._set_stopinfo(None, None)
        if opcodes:
            self._set_trace_opcodes(opcodes)
        for name, value in saved:
            setattr(self, name, value)
        arm(self, frame, plain)
        off = was_off
        if off:
            sys.settrace(untraced)
        mark = next_mark()
        del saved, plain, each
        return result

    def arm(p, frame, plain):
        """Have every frame counted; plain: those that pdb does not trace, None when f_trace says it."""
        nonlocal running, current
        Bdb.trace_dispatch, Bdb.set_continue = trace_dispatch, set_continue
        running, current = True, p
        settle()
        while frame is not None:
            trace = frame.f_trace
            if trace is None or (plain is not None and frame in plain):
                frame.f_trace = untraced
            elif getattr(trace, '__func__', None) is original:
                frame.f_trace = trace.__self__.trace_dispatch
            frame = frame.f_back
        sys.settrace(p.trace_dispatch)

    def disarm(frame, tracer):
        """Back to what there would be without us: frame and its callers, and what is traced from now on.

        tracer: the Pdb that traces also what it would not have traced, as `step` does; or None.  It takes our function's
        place at once: before 3.10 a frame without a trace function in between forgets at which line it is."""
        nonlocal running
        Bdb.trace_dispatch, Bdb.set_continue = original, original_continue
        running = False
        while frame is not None:
            trace = frame.f_trace
            if trace is untraced:
                frame.f_trace = tracer.trace_dispatch if tracer else None
            elif getattr(trace, '__func__', None) is trace_dispatch:
                frame.f_trace = trace.__self__.trace_dispatch
            frame = frame.f_back
        trace = sys.gettrace()
        if trace is untraced:
            sys.settrace(None)
        elif getattr(trace, '__func__', None) is trace_dispatch:
            sys.settrace(trace.__self__.trace_dispatch)

    def set_continue(self):
        nonlocal off, current
        original_continue(self)
        if not running or sys.gettrace() is not None:
            return
        frame = traced_frame(sys._getframe(1))
        if frame is None:
            return
        off = True
        if self is not current:
            current = self
            settle()
        while frame is not None:
            frame.f_trace = untraced
            frame = frame.f_back
        sys.settrace(untraced)

    def stopped(asks):
        """At a prompt: the tick, whether it is the end of a run, whether it is inside a statement, and the way to here."""
        nonlocal prompts, arriving, last
        prompts += 1
        if halted:
            arriving = False
            return count, at_end, False, way
        if not running:
            return 0, True, stop.inside or not stop.live, 0
        send_trace()
        disarm(stop.frame if stop.live else asks, None)
        last = None
        if not stop.live:
            # Post-mortem: the life of the program ends, for the user, where the frame that failed was left.  Its
            # address was not used again, as the traceback holds it.
            return left.get(id(stop.frame), count), True, True, way
        return count, True, stop.inside or not counted, way

    def forget():
        nonlocal halted, last, place
        nonlocal at_end
        halted, last, place, at_end = False, None, None, False

    def start(p, *options):
        nonlocal count, off, counted, depth, previous, way
        forget()
        count, off, counted, depth, previous, way = 0, False, True, 0, 0, 0
        del ticks[:], ways[:], passed[:]
        left.clear()
        set_options(*options)
        arm(p, stop.frame, None)

    def set_until(state):
        nonlocal until, at_end
        until, at_end = state, False

    def next_mark():
        return count + 1 if until else min(limit, count + BATCH) if tracing else limit

    def set_options(last, trace, settings, arriving, state):
        nonlocal limit, tracing, breakpoints, show, mark, observe
        set_until(state)
        limit, tracing, show = int(last), trace != '0', arriving == '1'
        observe = observe_with() if trace == '2' else None
        breakpoints = told_breakpoints(settings) if settings else None
        mark = next_mark()

    def go_on(*options):
        set_options(*options)
        raise GoOn

    return stopped, forget, start, go_on, lambda: halted


clock_stopped, clock_forget, clock_start, clock_go_on, clock_can_go_on = make_clock()
