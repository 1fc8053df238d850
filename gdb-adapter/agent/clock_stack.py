# SPDX-License-Identifier: GPL-3.0-or-later
# The activations on the thread's stack while the clock runs, so that a tick's depth and kind cost microseconds.
#
# A frame is known by gdb's frame id, as str() shows it: the frame's address and the start of its function.  From one stop
# to the next most frames stay, so only the new ones are unwound, down to one that was there before.
#
# A frame with the id of one that was there may be another call all the same: in f(f(1)) `step` goes from the end of the
# first call straight to the start of the second, which has the same address.  What tells is where in its function a call
# stops first, behind the prologue (gdb's notion; learnt from calls that are certain): a stop there begins an activation,
# unless a jump of the function's own leads there.  For functions that have such jumps, and those whose first stop is not
# known yet, an internal breakpoint at their very first instruction, where only a call comes, sees the call.

NEAR = 4                # callers that are watched at the beginning of a run
CALL_PUSHES = 8         # bytes between sp at a function's first instruction and the address of its frame
PROLOGUE = 200          # bytes: a longer one is not looked for
LARGE = 4000            # bytes: a larger function is not searched for jumps


class ClockEntry(gdb.Breakpoint):
    """Sees calls of a function."""

    def __init__(self, code):
        super().__init__('*%d' % code, internal=True)
        self.called = set()     # addresses of frames

    def stop(self):
        self.called.add(clock_register(gdb.newest_frame(), 'sp') + CALL_PUSHES)
        return False


clock_begins = {}       # code: where `break FUNCTION` stops


class ClockFunction:
    """What is known of a function, kept from run to run."""

    def __init__(self, code):
        self.code = code
        self.first = None       # pc of the first stop of a call
        self.open = False       # may it be entered without a stop there, or come there without a call?

    def learn(self, frame):
        if self.first is None:
            self.first = frame.pc()
            self.open = self.open or clock_jumps_to(frame, self.code, self.first)

    def certain(self):
        return self.first is not None and not self.open


def clock_instructions(frame, code):
    """Of the frame's function, (address, length, words); None: it is not known, or too large."""
    try:
        block = frame.block()
        while block.function is None or block.start != code:
            block = block.superblock
            if block is None or block.is_static or block.is_global:
                return None
        if block.end - code > LARGE:
            return None
        rows = frame.architecture().disassemble(code, block.end - 1)
    except (gdb.error, RuntimeError):
        return None
    return [(row['addr'], row['length'], row['asm'].replace('bnd ', '').replace('notrack ', '').split()) for row in rows]


def clock_jumps(instructions):
    """[(from, to), ...]; to None: through a register or a table."""
    found = []
    for at, _, words in instructions:
        if words and (words[0].startswith('j') or words[0].startswith('loop')):
            try:
                found.append((at, int(words[1].split(',')[-1], 16)))
            except (ValueError, IndexError):
                found.append((at, None))
    return found


def clock_jumps_to(frame, code, first):
    """Can a jump inside the function lead to its first stop, or to the prologue before it?"""
    instructions = clock_instructions(frame, code)
    return instructions is None or any(to is None or code <= to <= first for _, to in clock_jumps(instructions))


def clock_continues_line(frame):
    """Does a piece of a line begin there to which only that line's other pieces lead?  Then `step` does not stop there, unless a call
    returns there."""
    pc, line, code = frame.pc(), clock_line(frame), clock_part(str(frame), 'code=')
    if line is None or code is None or pc <= code or clock_line_of(gdb.find_pc_line(pc - 1)) != line or pc in clock_first_stops(frame):
        return False
    instructions = clock_instructions(frame, code)
    if instructions is None or any(at + length == pc and words[:1] == ['call'] for at, length, words in instructions):
        return False
    return all(to is not None and (to != pc or clock_line_of(gdb.find_pc_line(at)) == line) for at, to in clock_jumps(instructions))


def clock_part(name, key):
    """The number after the key in a frame id, or None."""
    at = name.find(key)
    if at < 0:
        return None
    at += len(key)
    end = at
    while name[end] not in ',}':
        end += 1
    try:
        return int(name[at:end], 16)
    except ValueError:
        return None


class ClockStack:
    functions = {}

    def __init__(self, by_instruction):
        self.by_instruction = by_instruction    # then every stop tells, and calls need not be looked for
        self.entries = {}       # code: ClockEntry
        self.ids = []           # the outermost first
        self.depths = {}        # id: depth
        self.stayed = 0         # so many, the outermost, were there before the last arrive(), too

    def start(self, frame):
        self.cut(0)
        self.push(clock_outwards(frame, {}))

    def depth(self):
        return len(self.ids)

    def cut(self, depth):
        while len(self.ids) > depth:
            self.depths.pop(self.ids.pop(), None)

    def push(self, names):
        for name in reversed(names):
            self.ids.append(name)
            self.depths[name] = len(self.ids)

    def function(self, name):
        """That of a frame; None for one that was inlined, which nothing calls."""
        code = None if 'artificial' in name else clock_part(name, 'code=')
        if not code:
            return None
        if code not in self.functions:
            self.functions[code] = ClockFunction(code)
        return self.functions[code]

    def watch_callers(self):
        """Before a run: a caller, too, may return and be called again without a stop in between."""
        for name in self.ids[-NEAR:]:
            self.watch(name)

    def watch_entries(self):
        """Before a step: see to it that another call in the newest frame's place will be noticed."""
        for entry in self.entries.values():
            entry.called.clear()
        if self.ids:
            self.watch(self.ids[-1])

    def watch(self, name):
        function = None if self.by_instruction else self.function(name)
        if function is not None and function.code not in self.entries and not function.certain():
            self.entries[function.code] = ClockEntry(function.code)

    def forget_entries(self):
        for entry in self.entries.values():
            if entry.is_valid():
                entry.delete()
        self.entries.clear()

    def arrive(self, frame, stepped):
        """At a stop, whose newest frame it is: the kind.  stepped: the step ended there by itself."""
        name = str(frame)
        depth = self.depths.get(name)
        again = depth is not None and self.called_again(frame, name)
        if depth is not None and (depth == self.depth() and not again or self.has_caller(frame, depth)):
            self.cut(depth)
            self.stayed = depth - again
            return CALL if again else LINE
        self.cut(max(0, depth - 1) if depth is not None else self.depth())
        names = clock_outwards(frame, self.depths)
        self.cut(self.depths.get(names.pop(), 0) if names[-1] in self.depths else 0)
        self.stayed = self.depth()
        self.push(names)
        function = self.function(name)
        if function is not None and not self.by_instruction:
            self.learn(frame, function, stepped)
        return CALL

    def has_caller(self, frame, depth):
        """Tail calls may have left it in the place of one that was called from elsewhere."""
        caller = frame.older()
        return (str(caller) if caller is not None else None) == (self.ids[depth - 2] if depth > 1 else None)

    def learn(self, frame, function, stepped):
        caller = frame.older()
        if caller is not None and caller.find_sal().line == 0:
            function.open = True        # not `step` enters it then, but a breakpoint stops somewhere inside
        elif stepped:
            function.learn(frame)
        if function.certain() and function.code in self.entries:
            self.entries.pop(function.code).delete()

    def called_again(self, frame, name):
        function = self.function(name)
        if function is None or self.by_instruction:
            return False
        entry = self.entries.get(function.code)
        if entry is not None:
            return clock_part(name, 'stack=') in entry.called
        return function.certain() and function.code <= frame.pc() <= function.first


def clock_first_stops(frame):
    """Where the first stop of the frame's call may be, as `break FUNCTION` has it.  Empty: nobody knows."""
    code, function = clock_part(str(frame), 'code='), frame.function()
    if not code or function is None or 'artificial' in str(frame):
        return []
    if code not in clock_begins:
        # There may be several functions of that name.
        clock_begins[code] = [each for each in clock_pcs(function.name) if clock_code(each) == code]
    return [each for each in clock_begins[code] if each < code + PROLOGUE]


def clock_prologue_end(frame):
    """Where the first stop of the frame's call is, if the program has not come there yet."""
    code, pc = clock_part(str(frame), 'code='), frame.pc()
    if not code or not code <= pc < code + PROLOGUE:
        return None
    return min((each for each in clock_first_stops(frame) if pc < each), default=None)


def clock_code(pc):
    """The start of the function that the instruction belongs to."""
    block = gdb.block_for_pc(pc)
    while block is not None and (block.function is None or block.function.symtab is None):
        block = block.superblock
    return block.start if block is not None else None


def clock_outwards(frame, known):
    """The ids of a frame and its callers, up to and with the first that is known."""
    names = []
    while frame is not None:
        names.append(str(frame))
        if names[-1] in known:
            break
        frame = frame.older()
    return names


gdb.events.new_objfile.connect(lambda event: clock_begins.clear())
gdb.events.clear_objfiles.connect(lambda event: clock_begins.clear())
