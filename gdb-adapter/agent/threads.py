# SPDX-License-Identifier: GPL-3.0-or-later
# Which thread makes a change, and where: while one thread moves, gdb lets the others run.
#
# An internal hardware watchpoint sees an expression change, whoever does it, and an internal breakpoint sees threads pass
# the statement that is under suspicion.  Both only count, but for the change or the pass at which they are told to halt.
# They are set where the session will go back to an earlier state, or say forget_changes().


class Changes(gdb.Breakpoint):
    """Sees an expression change."""
    present = None      # the one that is set

    def __init__(self, expression):
        super().__init__(expression, gdb.BP_WATCHPOINT, internal=True)
        self.arm(0)

    def arm(self, halt):
        self.count, self.halt, self.last, self.value = 0, halt, None, self.present_value()

    def present_value(self):
        try:
            return str(gdb.parse_and_eval(self.expression))
        except gdb.error:
            return None

    def stop(self):
        self.count += 1
        self.value = self.present_value()
        frame, pc = gdb.newest_frame(), gdb.newest_frame().pc() - 1     # the processor stops behind what has stored
        while clock_line_at(pc) is None and frame.older() is not None:
            frame = frame.older()
            pc = frame.pc() - 1
        sal = gdb.find_pc_line(pc)
        place = [sal.symtab.fullname() if sal.symtab is not None else '?', sal.line, frame.name() or '??']
        self.last = thread_fields(gdb.selected_thread()) + place + [statement_start(frame, pc) if sal.symtab else 0]
        passed, before = Passes.present.last.get(passer(frame), (0, 0)) if Passes.present is not None else (0, 0)
        self.passed, self.since = passed, self.count - before
        return self.count == self.halt


class Passes(gdb.Breakpoint):
    """Sees threads come to an instruction."""
    present = None

    def __init__(self, pc):
        super().__init__('*%d' % pc, internal=True)
        self.pc, self.counts = pc, {}
        self.arm(0)

    def arm(self, halt):
        self.count, self.halt, self.end, self.at = 0, halt, '', [0, 0]
        self.last = {}          # who: number of the last pass, and of the changes up to then

    def stop(self):
        frame = gdb.newest_frame()
        by = passer(frame)
        self.count += 1
        self.last[by] = self.count, Changes.present.count
        sp = clock_register(frame, 'sp')
        key = clock_thread(), sp
        self.counts[key] = self.counts.get(key, 0) + 1
        if self.count != self.halt:
            return False
        self.end = clock_end_text('place', clock_thread(), self.pc, sp, str(frame), self.counts[key])
        self.at = [self.pc, sp]
        return True


def passer(frame):
    return clock_thread(), str(frame)


def clock_line_at(pc):
    sal = gdb.find_pc_line(pc)
    return sal.line if sal.symtab is not None and sal.line else None


def statement_start(frame, pc):
    """Where the code of the pc's line begins, as far as it lies before it in one piece; behind the prologue."""
    block = frame.block()
    while block.function is None:
        block = block.superblock
    line, start, code = clock_line_at(pc), gdb.find_pc_line(pc).pc, block.start
    rows = sorted((row.pc, row.line) for row in gdb.find_pc_line(pc).symtab.linetable() if code <= row.pc <= pc)
    same = []
    while rows and rows[-1][1] == line:
        same.append(rows.pop()[0])
    if len(same) > 1 and same[-1] == code:
        same.pop()          # a function on one line
    return same[-1] if same else start


def thread_fields(thread):
    """For the clock, for the user."""
    number = '%d.%d' % (thread.inferior.num, thread.num) if len(gdb.inferiors()) > 1 else thread.num
    return [clock_thread(), number, thread.name or '']


def watch_changes(expression, depth, statement, halt, halt_pass):
    """Count changes, and passes of the instruction `statement`, if that is not 0, from now on; halt at the change, the pass of
    that number.  1 or 0 (it cannot be watched)."""
    stack = list(frames())
    if Changes.present is None and 0 < int(depth) <= len(stack) and classify_expression(expression) == LOOKS:
        with Selection():
            stack[-int(depth)].select()
            try:
                made = Changes(expression)
            except (gdb.error, RuntimeError):
                return [0]
            # The other kind has the program stepped by instructions, and sees one thread alone.
            if made.type == gdb.BP_HARDWARE_WATCHPOINT:
                Changes.present = made
            else:
                made.delete()
    if Changes.present is None:
        return [0]
    if Passes.present is None and int(statement):
        Passes.present = Passes(int(statement))
    Changes.present.arm(int(halt))
    if Passes.present is not None:
        Passes.present.arm(int(halt_pass))
    return [1]


def changed_by():
    """How many changes; the number of the last one's maker's last pass; how many changes since that; 1 if there was another, of
    which gdb has not heard yet; the end (clock_end.py) that the halting pass is, and its pc and sp; the selected thread's three names; how many
    there have been; if there was a change, its maker's three names, file, line, function, and statement."""
    changes, passes = Changes.present, Passes.present
    selected = thread_fields(gdb.selected_thread()) if gdb.selected_thread() is not None else ['', '', '']
    selected.append(known.threads)
    if changes is None:
        return [0, 0, 0, 0, '', 0, 0] + selected
    fields = [changes.count] + ([changes.passed, changes.since] if changes.last else [0, 0])
    fields += [int(changes.present_value() != changes.value), passes.end if passes is not None else '']
    fields += passes.at if passes is not None else [0, 0]
    return fields + selected + (changes.last or [])


def forget_changes():
    for kind in Changes, Passes:
        if kind.present is not None and kind.present.is_valid():
            kind.present.delete()
        kind.present = None
    return []


# System calls that may wait for another thread, or for the world.
WAITING = 'futex read readv poll ppoll select pselect6 epoll_wait epoll_pwait wait4 waitid accept accept4 connect recvfrom ' \
    'recvmsg pause nanosleep clock_nanosleep rt_sigsuspend rt_sigtimedwait flock fcntl msgrcv semop semtimedop'


def may_wait(frame):
    """Is a system call among the instructions of the present line?  gdb does not stop before one that it steps over."""
    sal = frame.find_sal()
    if clock_line(frame) is None or not sal.last:
        return True
    code = frame.architecture().disassemble(frame.pc(), sal.last)
    return any(each['asm'].split()[:1] in (['syscall'], ['sysenter'], ['int']) for each in code)


def alone(wanted):
    """The selected thread is going to move by itself: no breakpoint of the user's stops it.  wanted '1': the others stand still,
    and it is stopped where it would wait for them.  0: it would wait at once."""
    quiet('disable breakpoints')
    if wanted == '1':
        if may_wait(gdb.newest_frame()):
            return [0]
        quiet('catch syscall ' + WAITING)
        quiet('set scheduler-locking on')
    return [1]


requests.update({'q': watch_changes, 'z': changed_by, 'f': forget_changes, 'a': alone})
