# SPDX-License-Identifier: GPL-3.0-or-later
# Where a command that moved the program came to its end, so that it is found again when the command is run in steps.
#
# At the prompt after the command, clock_end(text) makes a string of it: the session keeps the string with the command
# and hands it back with each clock run.  Fields:
#
#   how         step      by itself: next, finish, until, a catchpoint
#               break     breakpoints or watchpoints: the numbers
#               signal    its name
#               place     any of those, but the place is passed more than once: the one that counts is the last field
#               place?    as place, and nobody has counted yet: clock_measure() does
#               state     ^C, at any instruction: registers and the top of the stack tell one passing from another
#               count     so many steps: step N
#               none      where it began: gdb refused the command, and nothing ran
#               exit      there is no program any more; its status
#               Behind it, and an @, may be the thread to step, where it is another than ... (clock_threads.py)
#   thread, pc, sp, frame
#   what `how` says
#   if there are any, the hits of breakpoints that were counted and did not stop the program (clock_ignore.py)
#
# A command that ends by itself does so the first time its thread comes to that pc with that sp: had it been there before,
# it would have ended there, and callees, recursive ones too, have another sp.  That is not so for `next 3` in a loop, and
# not where commands of a breakpoint let the program go on, nor for one whose ignore count ran out.  Those are run once as
# they are, and the passings are counted.

REGISTERS = 'rax rbx rcx rdx rsi rdi rbp r8 r9 r10 r11 r12 r13 r14 r15'.split()
TRAP_FLAG = 1 << 8
STACK = 512             # bytes of it that belong to a state
RESTARTED = range(-516, -511)           # -ERESTART...: a system call was interrupted and is executed again


def clock_end_text(how, thread='', pc=0, sp=0, frame='', detail='', counted=None):
    fields = [how, thread, pc, sp, frame, detail]
    if counted:
        fields.append(','.join('%d:%d' % each for each in sorted(counted.items())))
    return '|'.join(str(field) for field in fields)


class ClockEnd:
    def __init__(self, text):
        fields = text.split('|')
        self.text, self.thread = text, fields[1]
        self.how, _, focus = fields[0].partition('@')
        self.focus = focus or self.thread
        self.pc, self.sp = int(fields[2]), int(fields[3])
        self.frame, self.detail = fields[4], fields[5]
        hits = [each.split(':') for each in fields[6].split(',')] if len(fields) > 6 else []
        self.counted = {int(number): int(count) for number, count in hits}
        self.passings = int(self.detail) if self.how == 'place' else 1

    def waits_for_place(self):
        return self.how in ('step', 'place', 'place?', 'state')

    def is_here(self, frame):
        """Is this the thread's place?  The pc is."""
        if clock_thread() != self.thread or clock_register(frame, 'sp') != self.sp:
            return False
        return self.how != 'state' or clock_state(frame, self.detail[:1] == 's')[2] == self.detail

    def is_hidden_in(self, frame):
        """At the first instruction of an inlined function `step` stops in its caller first, and then in the function; `stepi` knows
        no such thing."""
        return clock_inlined(str(frame)) < clock_inlined(self.frame)

    def was_reached(self, frame):
        """May be asked at any stop."""
        return frame is not None and self.pc == frame.pc() and clock_thread() == self.thread and \
            self.sp == clock_register(frame, 'sp')


class ClockPasses(gdb.Breakpoint):
    """Sees the thread come to the end's place.  Internal: the user's numbers and lists do not tell of it."""

    def __init__(self, end, on_arrival):
        super().__init__('*%d' % end.pc, internal=True)
        self.end, self.on_arrival, self.passed, self.twice = end, on_arrival, 0, None

    def stop(self):
        frame = gdb.newest_frame()
        if not self.end.is_here(frame):
            return False
        # Where gdb comes by a breakpoint of its own, at a return from a call, and goes on in the same command, it runs into
        # ours once more.
        state, former, self.twice = clock_state(frame, False), self.twice, None
        if state == former:
            return False
        if clock_resumes_at(self.end.pc):
            self.twice = state
        self.passed += 1
        return self.on_arrival()


def clock_inlined(frame):
    """How many of the calls from the last real one to this frame were inlined; the frame as str() has it."""
    _, _, artificial = frame.partition(',artificial=')
    return int(artificial.split(',')[0].rstrip('}')) if artificial else 0


def clock_resumes_at(pc):
    with Untouched():
        rows = quiet('with width 0 -- maint info breakpoints').splitlines()
    return any(' step resume ' in row and any(word.startswith('0x') and int(word, 16) == pc for word in row.split()) for row in rows)


def clock_thread():
    thread = gdb.selected_thread()
    return '%d.%d' % (thread.inferior.num, thread.num) if thread is not None else ''


def clock_register(frame, name):
    value = int(frame.read_register(name))
    return value & (1 << 64) - 1


def clock_frame():
    try:
        return gdb.newest_frame() if gdb.selected_thread() is not None else None
    except gdb.error:
        return None


def clock_newest(former):
    """The newest frame.  former: the one of the stop before, which it most often still is; to make a new object gdb would
    unwind the caller."""
    try:
        if former.level() == 0:
            return former
    except gdb.error:
        pass                    # it has returned
    return clock_frame()


def clock_pc_sp(frame):
    return (frame.pc(), clock_register(frame, 'sp')) if frame is not None else None


def clock_state(frame, in_call):
    """pc, sp, digest of a place that is no statement's and no instruction's in particular.

    in_call: it is a system call that is about to be made, or was interrupted and will be made again."""
    pc, sp = frame.pc(), clock_register(frame, 'sp')
    names = REGISTERS
    if in_call:
        names = [name for name in names if name not in ('rax', 'rcx', 'r11')]
    # A system call leaves the flags in r11, and of a step by one instruction those have the trap flag.
    values = ['%s=%x' % (name, clock_register(frame, name) & ~(TRAP_FLAG if name == 'r11' else 0)) for name in names]
    try:
        stack = gdb.selected_inferior().read_memory(sp, STACK).tobytes()
    except gdb.error:
        stack = b''
    return pc, sp, ('s' if in_call else 'n') + digest(' '.join(values).encode() + stack)


class ClockLast:
    """How the program last came to stand."""
    event = None
    at = ()             # breakpoints of the user's at the place: their numbers
    fired = ()          # those of them that made it stop
    hit = False         # was one of those at the place hit, ignored or not?
    commanded = False   # did one of those have commands, in the present command of the user's?
    first = False       # was it the first time that the program came to one of those?
    at_line = False     # such a one was set at a line or a function: gdb chose the pc as it does for `step`
    counts = {}         # number: hits so far, hits still to ignore
    before = {}         # the same, before the command
    began = None        # where, if it is a command that may be refused when it is half done

    @classmethod
    def saved(cls):
        return {name: value for name, value in vars(cls).items() if not name.startswith('_') and not isinstance(value, classmethod)}

    @classmethod
    def restore(cls, saved):
        for name, value in saved.items():
            setattr(cls, name, value)


def clock_count_hits():
    ClockLast.counts = {each.number: (each.hit_count, each.ignore_count) for each in gdb.breakpoints()}


def clock_on_stop(event):
    """gdb tells of every breakpoint at the place, whether it is one that made the program stop or not: that is those that
    were hit more often than was to be ignored; a hit where the condition is false is none."""
    ClockLast.event, ClockLast.at, ClockLast.fired = event, [], []
    ClockLast.at_line = ClockLast.first = ClockLast.hit = False
    for each in event.breakpoints if isinstance(event, gdb.BreakpointEvent) else ():
        if each.number > 0:
            ClockLast.at.append(each.number)
            hits, ignored = ClockLast.counts.get(each.number, (0, 0))
            if each.hit_count > hits:
                ClockLast.hit = True
                ClockLast.at_line |= each.location is not None and not each.location.startswith('*')
            if each.hit_count > hits + ignored:
                ClockLast.fired.append(each.number)
                ClockLast.commanded |= bool(each.commands)      # a temporary one is gone when they are executed
                ClockLast.first |= each.hit_count == 1 and not each.condition
    if gdb.breakpoints():
        clock_count_hits()


def clock_on_exit(event):
    ClockLast.event, ClockLast.at, ClockLast.fired = event, (), ()


def clock_status():
    """With which the program has exited, as far as it has one."""
    return str(getattr(ClockLast.event, 'exit_code', ''))


def clock_begin(row=False, anew=False):
    """A command is about to be executed.  row: one of the user's that makes several steps.  Only then one looks at the frame: it
    costs a tenth of a `next`.  anew: one that starts the program, and gdb counts from 0."""
    ClockLast.event, ClockLast.fired, ClockLast.hit, ClockLast.at_line = None, (), False, False
    ClockLast.commanded = False
    ClockLast.began = clock_pc_sp(clock_frame()) if row else None
    clock_count_hits()
    ClockLast.before = {} if anew else ClockLast.counts


def clock_words(text):
    """The full name of a command, and what follows."""
    word, rest = split_word(text.strip())
    return command_name(word), rest


def clock_repeats(name, rest):
    """May the command pass the place where it ends more than once?"""
    if name in ('next', 'stepi', 'nexti'):
        return rest != '' and rest != '1'
    return name not in ('step', 'finish', 'until', 'advance', 'continue', 'fg', 'signal', 'jump')


def clock_end(text):
    """The end of the command `text`, at the prompt after it.  Cheap: one frame is looked at.

    Without a command: the place, to the instruction and the state."""
    frame, event = clock_frame(), ClockLast.event
    if frame is None:
        return clock_end_text('exit', detail=clock_status())
    if not text:
        pc, sp, detail = clock_state(frame, False)
        return clock_end_text('state', clock_thread(), pc, sp, frame, detail)
    how, detail, (pc, sp) = 'none' if event is None else 'step', '', clock_pc_sp(frame)
    if event is None and ClockLast.began not in (None, (pc, sp)):
        how = 'place?'          # gdb refused the second of `next 5`
    (name, rest), counted = clock_words(text), clock_counted()
    if isinstance(event, gdb.SignalEvent):
        how, detail = 'signal', event.stop_signal
        if detail == 'SIGINT':
            in_call = clock_register(frame, 'orig_rax') < 1 << 63 and \
                clock_register(frame, 'rax') - (1 << 64) in RESTARTED
            how, (pc, sp, detail) = 'state', clock_state(frame, in_call)
            pc -= 2 if in_call else 0           # it is executed again from its `syscall`
    elif ClockLast.fired:
        how, detail = 'break', ','.join(str(number) for number in ClockLast.fired)
    elif name == 'step' and event is not None:
        how, detail = 'count', ''
    if how == 'break' and any(number in counted for number in ClockLast.fired):
        how, detail = 'place?', ''
    if (how == 'step' and clock_repeats(name, rest)) or (
            how in ('step', 'break', 'count') and (ClockLast.commanded or any(
                each.enabled and each.commands for each in gdb.breakpoints()))):
        how, detail = 'place?', ''
    return clock_end_text(how, clock_thread(), pc, sp, frame, detail, counted)


gdb.events.stop.connect(clock_on_stop)
gdb.events.exited.connect(clock_on_exit)
