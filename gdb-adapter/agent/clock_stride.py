# SPDX-License-Identifier: GPL-3.0-or-later
# Over which instructions gdb only goes on while it steps a line (stride.h): those of one entry of the line table, in one
# function, without a jump or a call, and without what moves the stack pointer, from which gdb tells the frame.
#
# Where `step` itself has stopped, a line begins; from there neighbouring entries of the same line are one for gdb, too.

STRIDE_MOST = 600       # bytes looked at from a stop
# Beginnings of names.  What is not plain text (`(bad)`) is none, either.
STRIDE_ENDS = ('j', 'call', 'ret', 'iret', 'loop', 'lcall', 'ljmp', 'lret', 'sys', 'int', 'hlt', 'bnd', 'notrack', 'rep', 'ud',
               'xbegin', 'xabort', 'xend', 'xacquire', 'xrelease', 'lock', 'cs', 'ds', 'es', 'fs', 'gs', 'ss', 'data16', 'addr32',
               'rex', 'push', 'pop', 'leave', 'enter')
STRIDE_POINTERS = ('sp', 'ss')


class ClockStrides:
    known = set()

    @classmethod
    def forget(cls, event=None):
        """Of another program, or other libraries."""
        cls.known.clear()
        stride_learn([])

    @classmethod
    def learn(cls, pc):
        """The program stands there, at a stop of `step`."""
        cls.known.add(pc)
        try:
            ways = stride_ways(pc)
        except (gdb.error, RuntimeError):
            return              # no lines, or memory that cannot be read
        if not stride_learn(ways):
            cls.known.clear()


def stride_ways(pc):
    """[at, to, at, to, ...] of the entries of the line at pc and those that follow it without another line in between."""
    scope, ends = stride_scope(pc), []
    if scope is None:
        return []
    line, at = None, pc
    while at - pc < STRIDE_MOST:
        entry = gdb.find_pc_line(at)
        if entry.symtab is None or not entry.line or entry.last is None or line not in (None, (entry.symtab.filename, entry.line)):
            break
        line = entry.symtab.filename, entry.line
        ends.append(entry.last)
        at = entry.last + 1
    if not ends:
        return []
    rows = gdb.selected_frame().architecture().disassemble(pc, min(ends[-1], pc + STRIDE_MOST))
    ways, run, first = [], [], True
    for row in rows:
        at = row['addr']
        if at > ends[-1] or stride_scope(at) != scope:
            break
        if run and not first and any(run[0] <= end < at for end in ends):
            ways += stride_pairs(run)
            run = []
        run.append(at)
        if stride_stops(row['asm']):
            ways += stride_pairs(run)
            run, first = [], False
    return ways + stride_pairs(run)


def stride_pairs(run):
    return [each for at in run[:-1] for each in (at, run[-1])]


def stride_stops(text):
    name, _, operands = text.partition(' ')
    return not name.isalnum() or name.startswith(STRIDE_ENDS) or any(each in operands for each in STRIDE_POINTERS)


def stride_scope(pc):
    """Start of the function at pc; None where that is one that was inlined, in whose midst gdb may stop."""
    block = gdb.block_for_pc(pc)
    while block is not None and block.function is None:
        block = block.superblock
    if block is None or not block.superblock.is_static:
        return None
    return block.start


gdb.events.new_objfile.connect(ClockStrides.forget)
gdb.events.clear_objfiles.connect(ClockStrides.forget)
