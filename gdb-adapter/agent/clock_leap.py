# SPDX-License-Identifier: GPL-3.0-or-later
# Leaps: many ticks in one command of gdb's, `step N`, at half the cost of a `step` each.
#
# gdb says nothing of the stops in between, so a leap is good only where nothing but steps stops the program.  What ends
# `step N` early, a breakpoint, a signal, the place where the command ended, is heard of; then the leap is *cut*: how
# many steps were made nobody knows, and the session goes back and has that stretch traced.  What gdb's Python may not hear
# of (a catchpoint, a watchpoint whose frame is gone, a library that is loaded) must not be there at all.
#
# A leap may be asked to keep an eye on the activation at some depth.  One that is there at the start and at the end, with
# the same frame id, is the same, unless its function has been entered with that very frame in between.

LEAP_LEAST = 8          # ticks
LEAP_FIRST, LEAP_MOST = 16, 32  # in one command: what its cut may cost, and what it costs itself
LEAP_INSTRUCTIONS = 3000        # stepped by gdb: there is a loop in a line that it does not know yet, so that one is gone to step by step
LEAP_TYPES = ('breakpoint', 'hw breakpoint')


class LeapGuard(gdb.Breakpoint):
    """Sees another call take the place of an activation."""

    def __init__(self, code, frame):
        super().__init__('*%d' % code, internal=True)
        self.frame, self.again = frame, False

    def stop(self):
        self.again |= clock_register(gdb.newest_frame(), 'sp') + CALL_PUSHES == self.frame
        return False


class LeapWatch:
    """Is the activation at `depth` at the end of a leap the one that was there at the start?  Depth 0: nobody asks."""

    def __init__(self, stack, depth):
        self.stack, self.depth, self.guard = stack, depth, None
        self.name = stack.ids[depth - 1] if 0 < depth <= stack.depth() else None
        function = stack.function(self.name) if self.name else None
        self.sure = depth == 0 or self.name is None or function is not None
        if function is not None:
            self.guard = LeapGuard(function.code, clock_part(self.name, 'stack='))

    def holds(self):
        """There is the same, or none any more."""
        if self.depth == 0 or self.stack.depth() < self.depth:
            return True
        return self.guard is not None and not self.guard.again and self.stack.ids[self.depth - 1] == self.name

    def forget(self):
        if self.guard is not None:
            self.guard.delete()


def may_leap(clock):
    """Are all that may stop the program heard of?"""
    if not clock.may_stride() or clock.focus.elsewhere() or gdb.parameter('stop-on-solib-events'):
        return False
    rows = [row.split(None, 1)[1] for row in quiet('info breakpoints').splitlines() if row[:1].isdigit() and ' ' in row]
    return all(row.startswith(LEAP_TYPES) for row in rows if row[:1].isalpha())


def leap(clock, limit, depth):
    """To the tick `limit`, the last step single.  False: it was cut, and the clock's stop says after which tick."""
    stop, began = clock.stop, clock.stop.tick
    if clock.entering or not may_leap(clock):
        return False
    if clock.end.how == 'count' and clock.steps <= limit:
        return False
    watch = LeapWatch(clock.stack, depth)
    try:
        if not watch.sure or not leap_on(clock, limit - 1):
            return False
        good = stop.tick
        clock.step()
        if stop.end or clock.rough or not watch.holds():
            stop.tick = good if watch.holds() else began
            return False
        return True
    finally:
        watch.forget()


def leap_on(clock, limit):
    """In rows of steps that grow; what the processor went over one by one is learnt in between."""
    most = LEAP_FIRST
    while limit - clock.stop.tick >= LEAP_LEAST:
        n = min(most, limit - clock.stop.tick)
        if not leap_row(clock, n):
            return False
        clock.stop.tick += n
        most = min(2 * most, LEAP_MOST)
        ClockStrides.learn_missed()
    frame = clock_frame()
    clock.stack.start(frame)
    clock.stop.depth, clock.stop.kind = clock.stack.depth(), LINE
    clock.line, clock.frame = clock_line(frame), frame
    ClockStrides.learn_around(frame.pc())
    clock.note_call(frame)
    clock.stack.watch_callers()
    while clock.stop.tick < limit:
        good = clock.stop.tick
        clock.step()
        if clock.stop.end or clock.rough:
            clock.stop.tick = good
            return False
    return True


def leap_row(clock, n):
    clock.arrived = False
    clock_begin()
    landing = clock.landing
    landing.any = True
    limit_steps(LEAP_INSTRUCTIONS)
    try:
        gdb.execute('step %d' % n, False, True)
    except gdb.error:
        return False
    finally:
        landing.any = False
        endless = limit_steps(0)
    if endless or clock.landing_at is not None:
        return False
    event, frame = ClockLast.event, clock_frame()
    if frame is None or event is None or isinstance(event, gdb.SignalEvent) or ClockLast.fired or clock.arrived:
        return False
    if any(each.number > 0 and each.hit_count != ClockLast.before.get(each.number, (0, 0))[0] for each in gdb.breakpoints()):
        return False            # single steps may count it otherwise
    return clock_thread() == clock.thread and not (clock.end.how == 'step' and clock.end.was_reached(frame))
