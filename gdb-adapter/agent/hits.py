# SPDX-License-Identifier: GPL-3.0-or-later
# How often a long command comes by breakpoints of another time (settings.py), at full speed; and on to somewhere just behind one
# of those times.
#
# A hit is what clock_marks.py calls so: the breakpoint is enabled and its condition holds; ignore counts and commands are not heeded.
# That what is run again is what has been is told by where it ends: at the same instruction, with the same stack pointer.


class HitPlace(gdb.Breakpoint):
    """Sees the program come to an instruction at which breakpoints of the settings are."""

    def __init__(self, pc, hits):
        super().__init__('*%d' % pc, internal=True)
        self.hits = hits

    def stop(self):
        return self.hits.come(gdb.newest_frame())


class Hits:
    present = None

    def __init__(self, settings, halt, most):
        self.marks = clock_marks(settings)
        self.halt, self.halted, self.loaded, self.last, self.most, self.looks = halt, False, False, None, most, 0
        self.made = [HitPlace(pc, self) for pc in self.marks.places]
        hits_arm(gdb.selected_inferior().pid, halt or most, self.uncared())
        Hits.present = self

    def uncared(self):
        """[pc, byte, ...] of places where gdb need not look, nor has anything else to do."""
        if any(each.type in WATCHING for each in gdb.breakpoints()):
            return []
        at, found = hits_places(), []
        for pc, each in self.marks.places.items():
            if all(which == (None, None) for which in each) and len(at.get(pc, ())) == 1:
                found += [pc, gdb.selected_inferior().read_memory(pc, 1).tobytes()[0]]
        return found

    def come(self, frame):
        """A look costs as much as a hit, so no more of them are made."""
        self.looks += 1
        here = self.marks.here(frame)
        self.last = clock_pc_sp(frame) if here else None
        self.halted = here and hits_count(1) == (self.halt or self.most) or self.looks == self.most
        return self.halted

    def go_on(self):
        """From now on they only count."""
        hits_arm(0, 0, [])
        self.halt, self.halted, self.most = 0, False, 0

    def delete(self):
        hits_arm(0, 0, [])
        for each in self.made:
            each.delete()
        Hits.present = None


def hits_places():
    """pc: the numbers of gdb's breakpoints there, those of its own included."""
    with Untouched():
        rows = [row.split() for row in quiet('with width 0 -- maint info breakpoints').splitlines()]
    found, number = {}, None
    for words in rows:
        if words and words[0].lstrip('-').split('.')[0].isdigit():
            number = words[0].split('.')[0]
        for word in words[:6]:
            if word.startswith('0x'):
                found.setdefault(int(word, 16), set()).add(number)
    return found


def hits_refused(settings, end):
    """Why they cannot be counted, or None."""
    saved = eval(settings, {'__builtins__': {}})
    for _, word, _, condition, _ in clock_enabled(settings):
        if word not in MARKING:
            return 'there are other than breakpoints'
        if condition and classify_expression(condition) != LOOKS:
            return 'a condition may change the program'
    if any(attributes is None for _, (_, attributes) in saved['breakpoints']):
        return 'there are other than breakpoints'
    if gdb.parameter('step-mode') or quiet('info skip').splitlines()[0].startswith('Num'):
        return '`step` does not stop in each function'
    if any(each.enabled and each.commands for each in gdb.breakpoints()):
        return 'breakpoints have commands'
    # At an instruction of whatever kind; or at a pass that is counted from where the command began.
    if end and ClockEnd(end).how in ('state', 'place', 'place?', 'none'):
        return 'where the command ends is not found at full speed'
    return None


def count_hits(text, settings, nth, most, exactly, end_pc, end_sp, end):
    """Run the command to the nth hit, or to behind it; nth 0: to its end, and no more than `most`.  It ends at its own end, or where it
    first comes by end_pc, if that is not 0; `end` is the clock's word of that, if it is known."""
    refused = hits_refused(settings, end)
    if refused:
        raise Refused(refused)
    with ClockQuiet():
        last = Pass(int(end_pc), int(end_sp), 1) if int(end_pc) else None
        hits = Hits(settings, int(nth), int(most))
        clock_begin()
        Landing.sure = False
        try:
            gdb.execute(text, False, True)
            Landing.how = hits_landed(hits, exactly == '1', end)
        finally:
            Landing.passed = hits_count(0)
            hits.delete()
            if last:
                last.delete()
    known.stepped = Landing.how == 'landed'


def hits_landed(hits, exactly, end):
    frame = clock_frame()
    if hits.loaded or frame is not None and len(gdb.selected_inferior().threads()) > 1:
        raise Refused('there are other threads, or other code, than at the start')
    if hits.halted:
        return hits_behind(hits, frame, exactly) if hits.halt else 'many'
    if end and not hits_at_end(frame, ClockEnd(end)):
        raise Refused('the program did not run the same way again')
    here = frame is not None and isinstance(ClockLast.event, gdb.BreakpointEvent) and hits.last == clock_pc_sp(frame)
    return 'hit' if here else 'end'


def hits_at_end(frame, end):
    if frame is None or end.how == 'exit':
        return frame is None and end.how == 'exit' and end.detail == clock_status()
    if end.how == 'signal' and not (isinstance(ClockLast.event, gdb.SignalEvent) and ClockLast.event.stop_signal == end.detail):
        return False
    return end.was_reached(frame)


def hits_behind(hits, frame, exactly):
    """To a place that is found again."""
    if exactly:         # the clock takes a breakpoint in a call from code without lines for a stop of its own
        if begins_inlined(frame) or stepped_over(frame):
            return 'vain'
        Landing.sure = hits_begins_call(frame)
        return 'pass'
    hits.go_on()
    if stepped_over(frame) and not hits_return(frame):
        return 'vain'
    return on_to_statement()


def hits_begins_call(frame):
    """Does `step` stop there whatever was before, because it is the first stop of a call?"""
    code, caller, pc = clock_part(str(frame), 'code='), frame.older(), frame.pc()
    return caller is not None and clock_line(caller) is not None and set(clock_first_stops(frame)) == {pc} and frame.find_sal().pc == pc \
        and clock_line(frame) not in (None, clock_line_of(gdb.find_pc_line(code))) and not clock_jumps_to(frame, code, pc)


def hits_return(frame):
    """Out of what code without lines has called, say."""
    while frame is not None and stepped_over(frame):
        frame = frame.older()
    if frame is None:
        return False
    back = ClockReturn(frame)
    clock_begin()
    try:
        gdb.execute('continue', False, True)
    finally:
        back.delete()
    return back.reached


def hits_other_code(event):
    if Hits.present is not None:
        Hits.present.loaded = True


gdb.events.new_objfile.connect(hits_other_code)
gdb.events.clear_objfiles.connect(hits_other_code)
runs['I'] = count_hits
