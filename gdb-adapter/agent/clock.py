# SPDX-License-Identifier: GPL-3.0-or-later
# The statement clock: runs a command of the user's again in steps, and halts it at any of them.
#
# A tick is a stop that `step` makes, so the clock says `step` to gdb, as often as it takes, until the command's limit or
# the place where it ended when the user gave it (clock_end.py).  The user's breakpoints and watchpoints are in force as
# they were then, so hits and ignore counts are used up as in the first run.  What would be seen or heard of the steps is
# kept away: output, displays, commands of breakpoints (those that do not move the program are executed silently).
#
# All that must last from a halt to clock_go_on() is in one object: a session restored at the halt goes on from there.

import os

LINE, CALL, TRIGGER, ROUGH = 0, 1, 4, 5
BATCH = 2000            # ticks in a message
QUIET = (('pagination', 'off'), ('height', '0'), ('width', '0'), ('print frame-info', 'short-location'),
         ('print frame-arguments', 'none'), ('breakpoint always-inserted', 'on'))
MOVING = ('step', 'next', 'stepi', 'nexti', 'finish', 'until', 'advance', 'continue', 'fg', 'signal', 'jump')


class ClockProblem(gdb.GdbError):
    pass


class ClockReturn(gdb.Breakpoint):
    """Stops where a frame goes on."""

    def __init__(self, frame, pc=None):
        super().__init__('*%d' % (pc or frame.pc()), internal=True)
        self.frame, self.reached = str(frame), False

    def stop(self):
        self.reached = str(gdb.newest_frame()) == self.frame
        return self.reached


class ClockStop:
    """Where a clock run halted."""
    tick = depth = 0
    kind = LINE         # or CALL
    end = False         # of the command
    inside = False      # in the statement that began at tick, not at its start
    diverged = False    # an end, but not that of the first run
    way = 0             # tells the place of that tick from others; 0: not known
    cut = False         # a leap was cut short behind that tick, and the program stands anywhere


class ClockQuiet:
    """While it lasts gdb prints nothing, asks nothing, evaluates no display, and breakpoints have no commands."""

    def __init__(self, starts=False):
        """starts: the program, which inherits gdb's outputs; the session shows none of them."""
        self.redirected = () if starts else (1, 2)

    def __enter__(self):
        gdb.flush()
        self.outputs = [(os.dup(fd), fd) for fd in self.redirected]
        null = os.open('/dev/null', os.O_WRONLY | os.O_CLOEXEC)
        for _, fd in self.outputs:
            os.dup2(null, fd)
        os.close(null)
        self.settings = [(name, gdb.parameter(name)) for name, _ in QUIET]
        for name, value in QUIET:
            self.set(name, value)
        self.displays = [line.split(':')[0] for line in quiet('info display').splitlines() if line[:1].isdigit()
                         and line.split(None, 2)[1] == 'y']
        if self.displays:
            quiet('disable display ' + ' '.join(self.displays))
        return self

    def set(self, name, value):
        if isinstance(value, bool):
            value = 'on' if value else 'off'
        quiet('set %s %s' % (name, 'unlimited' if value is None else value))

    def __exit__(self, *unused):
        if self.displays:
            quiet('enable display ' + ' '.join(self.displays))
        for name, value in self.settings:
            self.set(name, value)
        gdb.flush()
        for saved, fd in self.outputs:
            os.dup2(saved, fd)
            os.close(saved)


class ClockCommands:
    """The commands of the user's breakpoints, taken away while it lasts."""

    def __enter__(self):
        self.texts = {each.number: each.commands for each in gdb.breakpoints() if each.commands}
        for each in gdb.breakpoints():
            if each.number in self.texts:
                each.commands = ''
        return self

    def go_on_from(self, fired):
        """Execute those of breakpoints that made the program stop, up to the one that lets it go on.  False: none does."""
        for number in fired:
            for line in self.texts.get(number, '').splitlines():
                if line.strip() == 'silent':
                    continue            # no command but a mark
                name = clock_words(line)[0]
                if name in MOVING:
                    return True
                if name is None or name in ('if', 'while', 'python', 'source'):
                    raise ClockProblem('the commands of breakpoint %d cannot be run in steps: %s' % (number, line))
                quiet(line)
        return not fired

    def __exit__(self, *unused):
        for each in gdb.breakpoints():
            if each.number in self.texts:
                each.commands = self.texts[each.number]


class Clock:
    passes = landing = None
    observer = None         # looks at an expression at each tick (observe.py)
    landing_at = None       # the program is about to go on there: pc, sp (clock_landing.py)
    came = False            # to the end's place

    def __init__(self, text, end, unit):
        self.unit, self.end, self.steps, self.passed, self.rough = unit, ClockEnd(end), None, 0, False
        if self.end.how == 'place?':
            raise ClockProblem('where the command ends was not measured')
        frame = clock_frame()
        if frame is None:
            raise ClockProblem('there is no program to run')
        self.stack, self.stop, self.told = ClockStack(unit == 'stepi'), ClockStop(), []
        self.stop.end = self.end.how == 'none' or unit == 'stepi' and self.is_end_here(frame)
        if not self.stop.end:
            self.prepare(*clock_words(text))
        self.ignored = ClockIgnored()
        self.stack.start(frame)
        self.stop.depth = self.depth = self.stack.depth()
        self.catches, self.command = clock_catches_calls(), clock_words(text)
        self.thread, self.line, self.frame = clock_thread(), clock_line(frame), frame
        self.calling = None         # where the end's frame called what is above it: the line at which that goes on, and the pc
        self.note_call(frame)
        self.entering = self.find_entering(frame)
        self.focus = ClockFocus(self.end.focus)
        if self.focus.elsewhere() and self.end.how == 'count':
            if self.steps != 1:
                raise ClockProblem('a row of steps is not run for the sake of another thread')
            self.end.how = 'step'

    def is_end_here(self, frame):
        """No instruction lies between a caller's statement and that of an inlined function which begins it."""
        return self.end.how == 'state' and frame.pc() == self.end.pc and self.end.is_hidden_in(frame) and self.end.is_here(frame)

    def prepare(self, name, rest):
        """What the command does before the program goes on."""
        if name not in MOVING:
            raise ClockProblem('%s cannot be run in steps' % name)
        if self.end.how == 'count':
            self.steps = int(gdb.parse_and_eval(rest)) if rest else 1
        if name == 'continue' and rest:
            for each in gdb.breakpoints():
                if each.number in ClockLast.at:
                    each.ignore_count = int(gdb.parse_and_eval(rest)) - 1
        elif name == 'signal':
            quiet('queue-signal ' + rest)
        elif name == 'jump':
            gdb.parse_and_eval('$pc = %d' % gdb.decode_line(rest)[1][0].pc)

    def run(self, limit, trace, marks, leaps=None):
        """On to the tick `limit`, or the end.  leaps: not a depth, but None: step by step."""
        with ClockQuiet(), ClockCommands() as self.commands, self.ignored:
            try:
                if self.end.waits_for_place() and not self.stop.end:
                    self.passes = ClockPasses(self.end, self.pass_place)
                self.stack.watch_callers()
                if self.unit == 'step' and self.steps in (None, 1):
                    self.landing = ClockLanding(self)
                self.alone = len(gdb.selected_inferior().threads()) == 1
                if self.may_stride():
                    ClockStrides.learn_around(clock_frame().pc())
                    ClockStrides.guard()
                    stride(gdb.selected_inferior().pid)
                if leaps is not None:
                    self.stop.cut = self.stop.tick < limit and (self.stop.end or not leap(self, limit, leaps))
                    return self.stop
                while self.stop.tick < limit and not self.stop.end:
                    if marks is not None:
                        marks.watch(self.stack, self.stop.kind)
                    tick = self.step()
                    if trace:
                        self.tell(tick, marks)
                    if tick and self.observer is not None:
                        self.observer.look(self.frame, self.stop.depth, self.stop.kind, self.stop.tick)
            finally:
                stride(0)
                tell_calls(0)
                if marks is not None:
                    marks.forget()
                self.stack.forget_entries()
                for each in (self.passes, self.landing):
                    if each is not None:
                        each.delete()
                self.passes = self.landing = None
            if self.stop.end and not self.stop.diverged:
                self.stop.diverged = not self.ignored.count_as_gdb(self.end.counted)
        self.send()
        return self.stop

    def may_stride(self):
        """Software watchpoints are looked at after each instruction."""
        return self.unit == 'step' and self.alone and not watches_by_software()

    def pass_place(self):
        """The thread is where the command ended: this time?"""
        self.passed += 1
        self.arrived = self.passed == self.end.passings
        return self.arrived

    def tell(self, tick, marks):
        depth = marks.triggered() if marks is not None else 0
        if depth:
            self.told.append(depth << 4 | TRIGGER)
        if self.rough:
            self.told.append(ROUGH)
        if tick:
            marked = 8 if marks is not None and marks.here(gdb.newest_frame()) else 0
            self.told.append(self.stop.way << 24 | min(self.stop.depth, TOO_DEEP) << 4 | marked | self.stop.kind)
        if len(self.told) >= BATCH:
            self.send()

    def send(self):
        if self.told:
            send_ticks(self.told)
            self.told = []

    def step(self):
        """True: to the next tick.  False: to an end, or a breakpoint, inside the present one."""
        stop, self.arrived = self.stop, False
        clock_begin()
        if self.passes is not None:
            self.passes.twice = None
        self.stack.watch_entries()
        if self.catches:
            tell_calls(self.ran_on())
        if self.landing_at is not None:
            by_itself, entered, landed = False, False, self.land()
        else:
            by_itself, entered = self.enter() if self.entering else (self.resume(), False)
            # A breakpoint of the user's in longjmp() has its say first.
            landed = self.landing_at is not None and not ClockLast.fired and self.land()
        event, fired, frame = ClockLast.event, ClockLast.fired, clock_newest(self.frame)
        self.frame = frame
        if frame is None:
            stop.end = stop.inside = True
            stop.kind = LINE
            stop.diverged = self.end.how != 'exit' or self.end.detail != clock_status()
            return False
        stepped = by_itself and not (fired or self.arrived or isinstance(event, gdb.SignalEvent))
        switched, depth = clock_thread() != self.thread, self.stack.depth()
        if switched:
            self.thread = clock_thread()
            self.stack.start(frame)
            stop.kind = LINE if self.focus.elsewhere() else CALL
        else:
            stop.kind = self.stack.arrive(frame, stepped)
        stop.kind = CALL if entered else stop.kind
        stop.depth = self.stack.depth()
        line = clock_line(frame)
        tick = stepped or entered or landed or self.unit == 'stepi' or self.is_start(frame, line, stop.depth < depth)
        if stop.kind == CALL and self.stack.stayed <= self.stack.depths.get(self.end.frame, 0):
            self.note_call(frame)
        self.line = line
        self.entering = None if tick else self.find_entering(frame)
        stop.tick += tick
        if tick:
            stop.way = clock_way(frame.pc()) if self.alone else 0
        # In `step N` gdb may count a breakpoint twice that it has come to by a step and goes on from (clock_ignore.py).
        self.rough = switched or entered or landed or not (stepped and tick) or ClockLast.hit
        if stepped and tick and frame.pc() not in ClockStrides.known:
            ClockStrides.learn(frame.pc())
        self.look_for_end(event, fired, frame, stepped)
        stop.inside = stop.end and not tick
        if stop.inside and not switched:
            stop.depth = self.stack.stayed      # what was called since, and has made no stop, is none of the activations told of
        return tick

    def find_entering(self, frame):
        """From inside a function's prologue `step` goes past the first stop of the call, where that is in the same line."""
        first = clock_prologue_end(frame) if self.unit == 'step' else None
        return first if first and gdb.find_pc_line(first).line == frame.find_sal().line else None

    def enter(self):
        """On to the first stop of the present call: resume(), and whether the program has come there."""
        entry = ClockReturn(self.frame, self.entering)
        try:
            by_itself = self.resume()
        finally:
            entry.delete()
        if entry.reached and self.steps is not None:
            self.steps += 1             # `step N` did not count it
        return by_itself, entry.reached

    def ran_on(self):
        """Did the program run here when the user gave the command, or did gdb step it?"""
        name, rest = self.command
        by_lines = name in ('next', 'nexti') or name == 'until' and not rest
        return name not in ('step', 'stepi') and (not by_lines or self.stack.depth() > self.depth)

    def land(self):
        """The program is about to go on somewhere else than where gdb has waited for it: on to there."""
        if self.end.how == 'count':     # gdb's own step went on from there
            self.end.how, self.steps = 'step', None
            self.passes = ClockPasses(self.end, self.pass_place)
        return self.landing.land()

    def resume(self):
        """True: by a step."""
        if self.focus.elsewhere() and not self.focus.select():
            return self.focus.await_birth()
        try:
            gdb.execute(self.unit, False, True)
            return True
        except gdb.error:
            if ClockLast.event is not None or clock_frame() is None:
                return True             # it was on the way already
        # In code that gdb knows no function of, `step` refuses to go: on to the first caller that it knows.
        caller = clock_frame().older()
        while caller is not None and clock_line(caller) is None:
            caller = caller.older()
        back = ClockReturn(caller) if caller is not None else None
        try:
            gdb.execute('continue', False, True)
        finally:
            if back is not None:
                back.delete()
        return False

    def look_for_end(self, event, fired, frame, stepped):
        stop, end = self.stop, self.end
        if end.waits_for_place():
            self.came |= self.arrived or (end.how == 'step' and stepped and end.was_reached(frame))
            stop.end = self.came and not end.is_hidden_in(frame)
            if end.how == 'state' and isinstance(event, gdb.SignalEvent):
                # It was no ^C but a signal of the program's: that stops it before the instruction there, and no breakpoint.
                stop.end |= event.stop_signal == 'SIGINT' or end.is_here(frame)
        elif end.how == 'count':
            stop.end = stop.tick >= self.steps
        elif end.how == 'break':
            stop.end = bool(fired)
        elif end.how == 'signal':
            stop.end = isinstance(event, gdb.SignalEvent) and event.stop_signal == end.detail
        if stop.end:
            stop.diverged = not self.arrived and not end.was_reached(frame)
        elif self.unit == 'stepi':
            pass                                # each instruction is a stop, whatever else is there
        elif isinstance(event, gdb.SignalEvent) or not self.commands.go_on_from(fired):
            stop.end = stop.diverged = True     # the first run did not stop there

    def note_call(self, frame):
        called = self.stack.depth() - self.stack.depths.get(self.end.frame, self.stack.depth())
        if called:
            for _ in range(called):
                frame = frame.older()
            self.calling = clock_line_of(gdb.find_pc_line(frame.pc())), frame.pc()

    def is_start(self, frame, line, returned):
        """Is a place where something else stopped the program one where `step` stops?"""
        pc = frame.pc()
        if line is None or frame.find_sal().pc != pc:
            return False
        if not (ClockLast.at_line or clock_begins_statement()):
            return False
        if self.stop.kind != CALL:
            # Back in the middle of a line `step` goes on to another, past the start of a later piece of it.
            inside = returned and self.calling is not None and str(frame) == self.end.frame and pc != self.calling[1]
            return line != (self.calling[0] if inside else self.line)
        function = self.stack.function(str(frame))
        if function is None or function.first is not None:
            return function is None or pc == function.first
        return pc != function.code or ClockLast.at_line or pc in clock_first_stops(frame)


TOO_DEEP = 0xfffff      # for a trace


def watches_by_software():
    return any(each.type == gdb.BP_WATCHPOINT for each in gdb.breakpoints())


def clock_way(pc):
    """A byte, not 0."""
    return pc * 0x9e3779b97f4a7c15 >> 40 & 0xff or 1


def clock_catches_calls():
    with Untouched():
        return any('catchpoint' in row and 'syscall' in row for row in quiet('info breakpoints').splitlines())


def clock_line(frame):
    """File and line, None where there is none."""
    return clock_line_of(frame.find_sal())


def clock_line_of(sal):
    return (sal.symtab.filename, sal.line) if sal.symtab is not None and sal.line else None


def clock_begins_statement():
    """The newest frame's line table may say that no statement begins at this entry (in optimised code).  Python is not told,
    but gdb prints the address of every place where none does."""
    shown = quiet('with print address on -- backtrace -frame-arguments none -frame-info location -no-filters 1')
    return not shown.startswith('#0  0x')


class ClockHeld:
    """The run that is halted here, if any."""
    clock = None


def clock_start(text, limit, trace, marks, end, unit='step', leaps=None):
    """Run the command `text`, which ended at `end`, from this prompt to the tick `limit` or its end.

    trace: send_ticks() gets a list of way << 24 | depth << 4 | breakpoint << 3 | kind; kind TRIGGER is no tick, but says that a
    watchpoint of a frame at that depth triggered since the one before, and ROUGH that something else than a step made the
    program stop since.  marks: clock_marks(), or None.
    unit: 'step', or 'stepi' for a clock of instructions.  leaps: in leaps (clock_leap.py), which watch the activation at that
    depth, 0 being none.  Returns a ClockStop."""
    ClockHeld.clock = Clock(text, end, unit)
    return ClockHeld.clock.run(limit, trace, marks, leaps)


def clock_go_on(limit, trace, marks, leaps=None):
    return ClockHeld.clock.run(limit, trace, marks, leaps)


def clock_can_go_on():
    return ClockHeld.clock is not None


def clock_forget():
    ClockHeld.clock = None


def clock_measure(text, end):
    """Run the command as it is, from where it was given, and count: the same end, for clock_start()."""
    end = ClockEnd(end)
    with ClockQuiet():
        passes = ClockPasses(end, lambda: False)
        try:
            gdb.execute(text, False, True)
        except gdb.error:
            pass                # of the fifth of `next 5`, and was so the first time
        finally:
            passed = passes.passed
            passes.delete()
    if not passed or not end.was_reached(clock_frame()):
        raise ClockProblem('the program did not run the same way again')
    return clock_end_text('place', end.thread, end.pc, end.sp, end.frame, passed, end.counted)
