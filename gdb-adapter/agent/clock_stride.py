# SPDX-License-Identifier: GPL-3.0-or-later
# Over which instructions gdb only goes on while it steps a line (stride.h): those of one entry of the line table, in one
# function or inlined function, without a jump or a call, and without what moves the stack pointer, from which gdb tells the
# frame.
#
# A loop in one line is gone round without gdb (tour.h).
#
# Where `step` itself has stopped, a line begins; from there neighbouring entries of the same line are one for gdb, too.

import re

STRIDE_MOST = 600       # bytes looked at from a stop
# Beginnings of names.  What is not plain text (`(bad)`) is none, either.
STRIDE_ENDS = ('j', 'call', 'ret', 'iret', 'loop', 'lcall', 'ljmp', 'lret', 'sys', 'int', 'hlt', 'bnd', 'notrack', 'rep', 'ud',
               'xbegin', 'xabort', 'xend', 'xacquire', 'xrelease', 'lock', 'cs', 'ds', 'es', 'fs', 'gs', 'ss', 'data16', 'addr32',
               'rex', 'push', 'pop', 'leave', 'enter')
STRIDE_POINTERS = ('sp', 'ss')
TOUR_EXITS = 16         # tour.h has it, too


class ClockStrides:
    known = set()
    passed = set()              # known to begin no line
    tours = 0

    @classmethod
    def forget(cls, event=None):
        """Of another program, or other libraries."""
        cls.known.clear()
        cls.passed.clear()
        cls.tours = 0
        stride_learn([])

    @classmethod
    def learn(cls, pc):
        """The program stands there, at a stop of `step`."""
        cls.known.add(pc)
        try:
            ways = stride_ways(pc)
        except (gdb.error, RuntimeError):
            return              # no lines, or memory that cannot be read
        if ways and not stride_learn(ways):     # an empty list would forget all
            cls.known.clear()
            return
        cls.learn_tour(pc)

    @classmethod
    def learn_tour(cls, pc):
        tour = tour_of(pc)
        if tour is not None and stride_tour(*tour):
            cls.tours += 1
            cls.guard()

    @classmethod
    def guard(cls):
        """Before anything is stepped: no tour where gdb has breakpoints, of its own too."""
        if cls.tours:
            stride_guard([int(each, 16) for each in re.findall(r'0x[0-9a-f]+', quiet('maint info breakpoints'))])

    @classmethod
    def learn_around(cls, pc, loops=False):
        """The line that has code at pc, from its beginning on; or its loops alone, at a quarter of the cost."""
        entry = gdb.find_pc_line(pc)
        rows = entry.symtab.linetable().line(entry.line) if entry.symtab is not None and entry.line else None
        for start in sorted(each.pc for each in rows or () if each.pc <= pc):
            ends = stride_entries(start)
            if ends and pc <= ends[-1]:
                if start not in cls.known:
                    (cls.learn_tour if loops else cls.learn)(start)
                return

    @classmethod
    def learn_missed(cls):
        """After a leap: of what gdb stepped without a stride, the beginnings of lines."""
        for pc in stride_missed():
            if pc not in cls.known and pc not in cls.passed:
                (cls.learn if stride_begins_line(pc) else cls.passed.add)(pc)


def stride_begins_line(pc):
    """Would `step` stop there?"""
    entry = gdb.find_pc_line(pc)
    if entry.symtab is None or not entry.line or entry.pc != pc:
        return False
    return any(each.pc == pc for each in entry.symtab.linetable().line(entry.line) or ())


def stride_ways(pc):
    """[at, to, at, to, ...] of the entries of the line at pc and those that follow it without another line in between."""
    ends = stride_entries(pc)
    if not ends:
        return []
    rows = stride_rows(pc, ends)
    scope, ways, run, first = None, [], [], True
    for row in rows:
        at, here = row['addr'], stride_scope(row['addr'])
        if at == pc and here is None:
            first = not stride_stops(row['asm'])    # an inlined function begins
            continue
        scope = scope or here
        if at > ends[-1] or here is None or here != scope:
            break
        if run and not first and any(run[0] <= end < at for end in ends):
            ways += stride_pairs(run, pc, ends)
            run = []
        run.append(at)
        if stride_stops(row['asm']):
            ways += stride_pairs(run, pc, ends)
            run, first = [], False
    return ways + stride_pairs(run, pc, ends)


def tour_of(pc):
    """Of the line at pc, if it has a loop in it: the first and the last address of what may be executed again, from where a tour may
    begin, and all that it may lead to first.  Or None.

    None begins where an entry of the line table does, or a call returns: there gdb may have breakpoints that come and go."""
    ends = stride_entries(pc)
    rows = stride_rows(pc, ends) if ends else []
    inside = {row['addr'] for row in rows}
    back, exits = [], set()
    for row in rows:
        target = tour_target(row['asm'])
        if target is not None and target not in inside and pc <= target <= rows[-1]['addr']:
            return None         # into the middle of an instruction
        if target is None and stride_stops(row['asm']):
            exits.add(row['addr'])
        elif target is not None and target not in inside:
            exits.add(target)
        elif target is not None and target <= row['addr']:
            back.append((target, row['addr']))
    scope = stride_scope(rows[-1]['addr']) if back else None
    if scope is None or any(stride_scope(row['addr']) != scope for row in rows):
        return None             # of several functions
    last = rows[-1]
    if last['addr'] not in exits and not last['asm'].startswith('jmp'):
        exits.add(last['addr'] + last['length'])
    low, high = min(each[0] for each in back), max(each[1] for each in back)
    begin = [row['addr'] for before, row in zip(rows, rows[1:]) if low <= row['addr'] <= high and row['addr'] - 1 not in ends
             and row['addr'] not in exits and before['addr'] not in exits]
    return (low, high, begin, sorted(exits)) if 0 < len(exits) <= TOUR_EXITS else None


def tour_target(text):
    """Where it may jump to.  None: it does not jump, or nobody knows where to."""
    name, _, operands = text.partition(' ')
    first = operands.split()[0] if operands.split() else ''
    return int(first, 16) if name.startswith('j') and name.isalnum() and first.startswith('0x') else None


def stride_rows(pc, ends):
    """The instructions of the entries."""
    return gdb.selected_frame().architecture().disassemble(pc, min(ends[-1], pc + STRIDE_MOST))


def stride_entries(pc):
    """The last addresses of the entries."""
    line, at, ends = None, pc, []
    while at - pc < STRIDE_MOST:
        entry = gdb.find_pc_line(at)
        if entry.symtab is None or not entry.line or entry.last is None or line not in (None, (entry.symtab.filename, entry.line)):
            break
        line = entry.symtab.filename, entry.line
        ends.append(entry.last)
        at = entry.last + 1
    return ends


def stride_pairs(run, pc, ends):
    """From the beginning of a later entry gdb takes a step of its own: only then does it know which line it is in, if a jump
    from another line has led there and the entry begins no statement."""
    return [each for at in run[:-1] if at == pc or at - 1 not in ends for each in (at, run[-1])]


def stride_stops(text):
    name, _, operands = text.partition(' ')
    return not name.isalnum() or name.startswith(STRIDE_ENDS) or any(each in operands for each in STRIDE_POINTERS)


def stride_scope(pc):
    """Whose frame is there: start and end of the function at pc, be it an inlined one.  None where that begins: there gdb may
    stop."""
    scope = stride_function(pc)
    if scope is None or scope.superblock.is_static:
        return scope and (scope.start, scope.end)
    before = stride_function(pc - 1)
    while before is not None and before != scope:
        before = before.superblock
    return None if before is None or pc == scope.start else (scope.start, scope.end)


def stride_function(pc):
    block = gdb.block_for_pc(pc)
    while block is not None and block.function is None:
        block = block.superblock
    return block


gdb.events.new_objfile.connect(ClockStrides.forget)
gdb.events.clear_objfiles.connect(ClockStrides.forget)
