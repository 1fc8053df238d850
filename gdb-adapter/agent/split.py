# SPDX-License-Identifier: GPL-3.0-or-later
# Running a long command again at full speed, to somewhere in the middle: until fredapp's alarm goes off (ckpt/alarm.c), or a place
# is passed that is wanted.
#
# The alarm is a SIGTRAP of the kernel's, which gdb keeps from the program; it comes while the program executes instructions
# of its own, so no system call is disturbed.

TRAP_PERF = 6           # siginfo_t's si_code: asm-generic/siginfo.h
INNERMOST = 200         # frames that are looked at
INSTRUCTIONS = 500      # and so many at most
STEPS = 10              # to where a statement begins that is found again
MANY = 20000            # passes that are waited for; each costs gdb some 60 us


class Landing:
    """How the last of these runs came to its end."""
    how, passed, sure = 'end', 0, False


class Pass(gdb.Breakpoint):
    """The n-th time that the program comes to an instruction with that stack pointer: at a function's first one that is a call.
    gdb itself counts."""

    def __init__(self, pc, sp, nth):
        super().__init__('*%d' % pc, internal=True)
        self.condition = '$sp == %d' % sp
        self.nth, self.last = nth, nth or MANY
        self.ignore_count = self.last - 1

    def reached(self):
        event = ClockLast.event         # it lists breakpoints, too, that were ignored there
        return self.hit_count >= self.last and isinstance(event, gdb.BreakpointEvent) and \
            any(each.number == self.number for each in event.breakpoints)


def land(text, pc, sp, nth, end_pc, end_sp):
    """Run the command to the nth pass of the place, if pc is not 0; nth 0: all are counted.  It ends at its own end, or at the first
    pass of another place, if that is not 0, or when it is interrupted.  No command: an alarm of the trail's has halted one."""
    if any(each.enabled and each.commands for each in gdb.breakpoints()):
        raise Refused('breakpoints have commands')
    if quiet('info signals SIGTRAP').splitlines()[-1].split()[1:4] != ['Yes', 'Yes', 'No']:
        raise Refused('gdb does not keep SIGTRAP from the program')
    if not text:
        return halted()
    with ClockQuiet():
        last = Pass(int(end_pc), int(end_sp), 1) if int(end_pc) else None
        made = Pass(int(pc), int(sp), int(nth)) if int(pc) else None
        Landing.passed = 0
        clock_begin()
        try:
            gdb.execute(text, False, True)
            Landing.how = how_landed(made, last)
            if made:
                Landing.passed, made.enabled = made.hit_count, False
            if Landing.how == 'landed':
                Landing.how = on_to_statement()
        finally:
            for each in made, last:
                if each:
                    each.delete()
    known.stepped = Landing.how == 'landed'


def halted():
    """The alarm was a stop like others to gdb, with all that gdb does at one."""
    if clock_frame() is None or 'hook-stop' in quiet('show user') or '(' in quiet('info display'):
        raise Refused('what gdb does when the program stops may change it')
    Landing.how, Landing.passed = how_landed(None, None), 0
    if Landing.how == 'landed':
        with ClockQuiet():
            Landing.how = on_to_statement()
    known.stepped = Landing.how == 'landed'


def how_landed(made, last):
    event, frame = ClockLast.event, clock_frame()
    if frame is None or last and last.reached():
        return 'end'
    if made and made.reached():
        return 'many' if not made.nth else 'vain' if begins_inlined(frame) else 'pass'
    if type(event) is not gdb.StopEvent or int(gdb.parse_and_eval('$_siginfo.si_code')) != TRAP_PERF:
        return 'end'
    return 'landed'


def on_to_statement():
    """In the middle of one, values may be any.  And to the next one: where code of a line lies in several pieces, `step` from the
    middle of another line may stop at one of them at which it does not stop coming from that line's start."""
    limit_steps(INSTRUCTIONS)
    inferior = gdb.selected_inferior()
    ClockStrides.guard()
    stride(inferior.pid if len(inferior.threads()) == 1 and not watches_by_software() else 0)
    try:
        how = some_steps()
    finally:
        stride(0)
        endless = limit_steps(0)
    return 'vain' if endless else how


def some_steps():
    for i in range(STEPS):
        ClockStrides.learn_around(gdb.newest_frame().pc(), loops=True)
        clock_begin()
        gdb.execute('step', False, True)
        if clock_frame() is None or type(ClockLast.event) is not gdb.StopEvent:
            return 'end'
        frame = gdb.newest_frame()
        if stepped_over(frame):
            return 'vain'
        if i > 0 and not begins_inlined(frame):
            return 'landed'
    return 'vain'


def stepped_over(frame):
    """Is it in a function that `step` does not enter, or called from one?  There the clock makes no stop.  Those are what has no
    lines, the dynamic linker (infrun.c: in_solib_dynsym_resolve_code), and handlers of signals."""
    without = False
    for _ in range(INNERMOST):
        if frame is None:
            return False
        lines = frame.find_sal().symtab is not None
        if lines and without or frame.type() == gdb.SIGTRAMP_FRAME or \
                os.path.basename(gdb.solib_name(frame.pc()) or '').startswith('ld-'):
            return True
        without = without or not lines
        frame = frame.older()
    return False


def begins_inlined(frame):
    """At the first instruction of an inlined function gdb shows now its frame and now only the one outside, as it has come there: no
    place to be found again."""
    block = gdb.block_for_pc(frame.pc())
    while block is not None and not block.is_global and not block.is_static:
        outer = block.superblock
        if block.function is not None and block.start == frame.pc() and outer is not None and not outer.is_static:
            return True
        block = outer
    return False


def landed():
    """Reply: how; how many passes; and for the clock where it is, and for another run the place; 1 if `step` is known to stop there."""
    if Landing.how not in ('landed', 'pass'):
        return [Landing.how, Landing.passed]
    return [Landing.how, Landing.passed, clock_end(''), *clock_pc_sp(clock_frame()), int(Landing.sure)]


def call_of(depth):
    """Where the call began that the frame at that depth is of, or the next one inwards that is no inlined one.  Reply: its depth,
    the address of its function's first instruction, and the stack pointer there; or 0: it is not known."""
    stack = list(frames())
    for at in range(int(depth), len(stack) + 1):
        frame = stack[-at]
        older, function = frame.older(), frame.function()
        if frame.type() == gdb.NORMAL_FRAME and older is not None and function is not None:
            # The call has put the return address there.
            return [at, int(function.value().address), clock_register(older, 'sp') - 8]
    return [0, 0, 0]


runs['u'] = land
requests.update({'r': landed, 'E': call_of})
