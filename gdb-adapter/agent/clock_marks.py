# SPDX-License-Identifier: GPL-3.0-or-later
# At which ticks of a trace a breakpoint is, and between which a watchpoint triggers, of the settings of another time
# (settings.py): one that is set now need not have been there when the program came by.  Ignore counts and commands are not
# heeded.
#
# A breakpoint may also be where `step` does not stop: in a function that code without lines calls, in the handler of a
# signal, in a function without lines, in the middle of a statement.  Then it is told of as a watchpoint is.
#
# gdb itself sees a watchpoint trigger: ours are internal and stop nothing.  One of a local variable belongs to a call, so
# there is one while a frame with its id is at its depth; whether that is the call that is meant, or an earlier one in
# the same place, is told by the depth when the whole trace is known (trail_keep_alive() of decompose/trail.h).

MARKING = ('break', 'tbreak', 'hbreak', 'thbreak')
CLOCK_WATCHING = {'watch': gdb.WP_WRITE, 'rwatch': gdb.WP_READ, 'awatch': gdb.WP_ACCESS}

CATCHING = ('catch', 'tcatch')
CLOCK_EXCEPTIONS = {'throw': '__cxa_throw', 'rethrow': '__cxa_rethrow', 'catch': '__cxa_begin_catch'}


def clock_pcs(where):
    """Where gdb would set a breakpoint; nothing if it could not."""
    try:
        made = gdb.Breakpoint(where, internal=True)
    except (gdb.error, RuntimeError):
        return []
    pcs = clock_locations(made)
    made.delete()
    return pcs


class Untouched:
    """$_ and what x goes on from are as before, after `info breakpoints`."""

    def __enter__(self):
        self.value = gdb.convenience_variable('_')

    def __exit__(self, *unused):
        if self.value is not None and self.value.type.code == gdb.TYPE_CODE_PTR:
            quiet('x/0x %d' % int(self.value))
        gdb.set_convenience_variable('_', self.value)


def clock_locations(made):
    with Untouched():
        rows = quiet('with width 0 -- maint info breakpoints %d' % made.number).splitlines()
    return [int(word, 16) for row in rows for word in row.split()[:5] if word.startswith('0x')]


def clock_enabled(settings):
    """The enabled ones of saved settings: number, command, its operand, condition, thread."""
    for number, (text, attributes) in eval(settings, {'__builtins__': {}})['breakpoints']:
        if attributes is not None:
            condition, thread, enabled = attributes[:3]
            word, _, operand = (text or '').partition(' ')
            if enabled:
                yield number, word, operand, condition, thread


def clock_holds(condition, thread):
    if thread is not None and thread != gdb.selected_thread().global_num:
        return False
    try:
        return not condition or bool(gdb.parse_and_eval(condition))
    except gdb.error:
        return True             # gdb stops then


class ClockTrigger(gdb.Breakpoint):
    """Sees a watchpoint trigger, in the frame that is selected."""

    def __init__(self, watch):
        super().__init__(watch.text, gdb.BP_WATCHPOINT, CLOCK_WATCHING[watch.word], internal=True)
        self.watch = watch

    def stop(self):
        watch, frame = self.watch, clock_frame()
        while watch.frame and frame is not None and str(frame) != watch.frame:
            frame = frame.older()
        if frame is not None:           # else it is over
            frame.select()
            watch.triggered |= clock_holds(watch.condition, watch.thread)
        return False


class ClockWatch:
    """A watchpoint of the settings."""
    made, triggered = None, False

    def __init__(self, word, condition, thread, frame, depth, text):
        self.word, self.condition, self.thread = word, condition, thread
        self.frame, self.depth, self.text = frame, depth, text

    def watch(self, stack, kind):
        if self.frame:
            if kind == CALL and stack.depth() <= self.depth:
                self.forget()           # another call
            if stack.depth() < self.depth or stack.ids[self.depth - 1] != self.frame:
                return
        if self.made is not None and self.made.is_valid():
            return
        frame = gdb.newest_frame()
        for _ in range(stack.depth() - self.depth):
            frame = frame.older()
        frame.select()
        try:
            self.made = ClockTrigger(self)
        except gdb.error as problem:
            raise ClockProblem('%s cannot be watched here: %s' % (self.text, problem))
        finally:
            gdb.newest_frame().select()

    def forget(self):
        if self.made is not None and self.made.is_valid():
            self.made.delete()
        self.made = None


class ClockMark(gdb.Breakpoint):
    """Sees the program come to a breakpoint of the settings."""

    def __init__(self, pc, marks):
        super().__init__('*%d' % pc, internal=True)
        self.marks = marks

    def stop(self):
        frame = gdb.newest_frame()
        if clock_thread() == self.marks.thread and self.marks.here(frame):
            self.marks.passed.add(clock_pc_sp(frame))
        return False


def clock_is_mapped(pc):
    try:
        gdb.selected_inferior().read_memory(pc, 1)
        return True
    except gdb.error:
        return False


class ClockMarks:
    present = None

    def __init__(self, places, watches):
        self.places, self.watches = places, watches
        self.made, self.passed, self.thread = {}, set(), None

    def here(self, frame):
        """Does one of the breakpoints stand there, and does its condition hold?"""
        return any(clock_holds(*each) for each in self.places.get(frame.pc(), ()))

    def watch(self, stack, kind):
        """Before a step, at a stop of that kind."""
        ClockMarks.present = self
        for pc in self.places.keys() - self.made.keys():
            if clock_is_mapped(pc):
                self.made[pc] = ClockMark(pc, self)
        self.thread = clock_thread()
        self.passed.clear()
        for each in self.watches:
            each.watch(stack, kind)

    def triggered(self):
        """Since the last time: the least depth of a frame of which a watchpoint has, 0: none has.  1 for a breakpoint that was passed;
        not for that at which the program stands."""
        self.passed.discard(clock_pc_sp(clock_frame()))
        depth = 1 if self.passed else min([each.depth for each in self.watches if each.triggered], default=0)
        for each in self.watches:
            each.triggered = False
        return depth

    def forget(self):
        for each in self.watches:
            each.forget()
        self.forget_made()

    def forget_made(self):
        for each in self.made.values():
            each.delete()
        self.made = {}


def clock_marks(settings):
    """For clock_start()."""
    places, watches = {}, []
    meant = eval(settings, {'__builtins__': {}}).get('watched', {})
    for number, word, operand, condition, thread in clock_enabled(settings):
        if word in CLOCK_WATCHING:
            watches.append(ClockWatch(word, condition, thread, *meant.get(number, ('', 1, operand))))
        pcs = clock_pcs(operand) if word in MARKING else ()
        if word in CATCHING and operand in CLOCK_EXCEPTIONS:
            pcs = clock_pcs('*' + CLOCK_EXCEPTIONS[operand])
        for pc in pcs:
            places.setdefault(pc, []).append((condition, thread))
    return ClockMarks(places, watches)


def clock_other_program(event):
    """After an exec() there is nothing yet where the libraries were, and gdb could insert no breakpoint."""
    if ClockMarks.present is not None:
        ClockMarks.present.forget_made()


gdb.events.clear_objfiles.connect(clock_other_program)
