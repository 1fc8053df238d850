# SPDX-License-Identifier: GPL-3.0-or-later
# Digests of the program's values, which tell one run from another.

PLAIN = frozenset((type(None), bool, int, float, complex, str, bytes))
GLANCED = frozenset((bool, int, str, bytes))      # what hash() says of a nan is its address

PDBS = ('__pdb_convenience_variables', '__return__', '__exception__')           # in the program's frames, since the last prompt


class Digester:
    """Texts that differ where values do: of what is long only `ends` at each end, `left` values in all.  Runs no code of the
    program: no repr(), no property, no __getattr__()."""

    def __init__(self, ends, left):
        self.ends, self.left = ends, left

    def value(self, value, levels):
        self.left -= 1
        if type(value) in PLAIN:
            return self.plain(value)
        name = type.__getattribute__(type(value), '__name__')
        if levels == 0 or self.left < 0:
            return name
        if type(value) in (list, tuple):
            return '%s%d[%s]' % (name, len(value), ','.join([self.value(each, levels - 1) for each in self.some(value)]))
        if type(value) is dict:
            keys = list(value)
            if any([name in value for name in PDBS]):
                keys = [key for key in keys if type(key) is not str or key not in PDBS]
            pairs = [self.value(key, 0) + ':' + self.value(value[key], levels - 1) for key in self.some(keys)]
            return 'dict%d{%s}' % (len(keys), ','.join(pairs))
        if type(value) in (set, frozenset, bytearray):
            return '%s%d' % (name, len(value))
        try:
            inside = object.__getattribute__(value, '__dict__')
        except AttributeError:
            return name
        return name + self.value(inside, levels - 1) if type(inside) is dict else name

    @staticmethod
    def plain(value):
        if type(value) is int:
            return hex(value) if -1 << 600 < value < 1 << 600 else 'int%d' % hash(value)
        long = type(value) in (str, bytes) and len(value) > 200
        return '%d %d' % (len(value), hash(value)) if long else repr(value)

    def some(self, values):
        n = self.ends if self.left > 0 else 0
        return values if len(values) <= 2 * n else [*values[:n], *values[len(values) - n:]]

    def names(self, space, levels):
        return ','.join([name + '=' + self.value(space[name], levels) for name in names_sorted(space) if not name.startswith('__')])


def names_sorted(space):
    """Not in its order: before 3.13 that of a frame's variables depends on when somebody looked at them first."""
    return sorted([name for name in list(space) if type(name) is str])


def variables_of(frame):
    """The frame's local variables.  3.12 has, for a module with a comprehension in it, a copy that it brings up to date when it likes;
    only of its globals is there `__builtins__` in it."""
    space = frame.f_locals
    return frame.f_globals if '__builtins__' in space and not frame.f_code.co_flags & OPTIMIZED else space


def glance_of(frame):
    """Less than a digest, at a hundredth of its cost: most passes of a loop can be told apart by the numbers in its frame."""
    if not is_programs(frame):
        return 0
    # pdb keeps there what a frame returns.
    space = variables_of(frame)
    return hash(tuple([space[name] for name in names_sorted(space) if type(space[name]) in GLANCED and name[:2] != '__']))


MOST_NUMBERS, LARGEST = 6, 1 << 60


def numbers_of(frame):
    """Some numbers among the variables of a function, for C to see at once that another pass of the place is not this one."""
    if not is_programs(frame) or not frame.f_code.co_flags & OPTIMIZED:
        return ''
    space = frame.f_locals
    pairs = [(name, space[name]) for name in names_sorted(space)
             if type(space[name]) is int and abs(space[name]) < LARGEST and name.isidentifier() and name[:2] != '__']
    return ','.join(['%s=%d' % pair for pair in pairs[:MOST_NUMBERS]])


def numbers_in(state):
    """((name, value), ...) of a digest."""
    pairs = [pair.split('=') for pair in state.split(' ')[-1].split(',') if '=' in pair]
    return tuple([(name, int(value)) for name, value in pairs]) or None


CACHE = 0               # since 3.11 behind an instruction; which of the two a caller's frame shows depends on how quick it has got
PRECALL = 166           # of 3.11 alone, which does it and the call that follows in one where it does not trace


def instruction_of(frame):
    """The number of the frame's present instruction, which is a call in all frames but the innermost."""
    at = frame.f_lasti
    if at < 0 or sys.version_info < (3, 11):
        return at
    instructions = frame.f_code.co_code
    while instructions[at] == CACHE:
        at -= 2
    return at + 4 if instructions[at] == PRECALL and sys.version_info < (3, 12) else at


def state_of(frame, kind):
    """A digest of the places and values of a frame and its callers: where a run that ^C ended is found again.

    Two states with the same digest may differ deep inside; they agree in each variable that a loop counts with.  The
    hash of a string is the same after a restore, as its seed is in the process.  The first words let most stops be told apart
    without a look at all values.
    """
    place = '%d:%d %d' % (depth_of(frame), frame.f_lineno or 0, glance_of(frame))
    parts = [str(kind)]
    # Where the debugger begins the program ends; what pdb keeps in __main__ differs from prompt to prompt.
    numbers = numbers_of(frame)
    while frame is not None and is_programs(frame):
        code = frame.f_code
        # Not f_lineno: before 3.10 a caller's is that of the last line which was traced in it.
        parts.append('%s:%d:%d' % (code.co_filename, code.co_firstlineno, instruction_of(frame)))
        parts.append(Digester(4, 1000).names(variables_of(frame), 2))
        frame = frame.f_back
    return '%s %d %s' % (place, hash('|'.join(parts)), numbers)


def is_programs(frame):
    return frame.f_globals is not bdb_globals and frame.f_globals is not pdb_globals


def state(p, command):
    if not stop.live:
        raise ValueError('the program cannot go on from here')
    return [state_of(stop.frame, stop.kind)]


WITNESS_FRAMES, WITNESS_VALUES = 40, 5000


def callers_of_stop():
    """From the innermost to the outermost; those under the frames of a post-mortem are the debugger's."""
    if not stop.live:
        return stop.chain[-2::-1]
    frames, frame = [], stop.frame.f_back
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    return frames


def witness(p, other_run):
    """A digest of the values in the innermost frames, and in the module's; at a post-mortem of the frames that have failed.  Nothing of
    the place: ways tell that."""
    if p.curframe is not stop.frame or stop.frame is None:
        return ['', '']         # to read f_locals would undo an assignment at this prompt, before Python 3.13
    spaces = [p.curframe_locals] + [variables_of(frame) for frame in callers_of_stop() if is_programs(frame)]
    if len(spaces) > WITNESS_FRAMES:
        spaces[WITNESS_FRAMES - 1:-1] = []
    digester = Digester(500, WITNESS_VALUES)
    return ['-', digest('|'.join([digester.names(space, 3) for space in spaces]).encode('utf-8', 'surrogatepass'))]


requests.update({'d': state, 'j': witness, 'r': landed, 'D': last_stop})
