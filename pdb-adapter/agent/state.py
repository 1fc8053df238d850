# SPDX-License-Identifier: GPL-3.0-or-later
# Digests of the program's values, which tell one run from another.

PLAIN = frozenset((type(None), bool, int, float, complex, str, bytes))
GLANCED = frozenset((bool, int, str, bytes))      # what hash() says of a nan is its address


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
            pairs = [self.value(key, 0) + ':' + self.value(value[key], levels - 1) for key in self.some(list(value))]
            return 'dict%d{%s}' % (len(value), ','.join(pairs))
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
        return ','.join([name + '=' + self.value(space[name], levels) for name in list(space) if not name.startswith('__')])


def glance_of(frame):
    """Less than a digest, at a hundredth of its cost: most passes of a loop can be told apart by the numbers in its frame."""
    if not is_programs(frame):
        return 0
    return hash(tuple([value for value in list(frame.f_locals.values()) if type(value) in GLANCED]))


def state_of(frame, kind):
    """A digest of the places and values of a frame and its callers: where a run that ^C ended is found again.

    Two states with the same digest may differ deep inside; they agree in each variable that a loop counts with.  The
    hash of a string is the same after a restore, as its seed is in the process.  The first words let most stops be told apart
    without a look at all values.
    """
    place = '%d:%d %d' % (depth_of(frame), frame.f_lineno or 0, glance_of(frame))
    parts = [str(kind)]
    # Where the debugger begins the program ends; what pdb keeps in __main__ differs from prompt to prompt.
    while frame is not None and is_programs(frame):
        code = frame.f_code
        # Not f_lineno: before 3.10 a caller's is that of the last line which was traced in it.
        parts.append('%s:%d:%d' % (code.co_filename, code.co_firstlineno, frame.f_lasti))
        parts.append(Digester(4, 1000).names(frame.f_locals, 2))
        frame = frame.f_back
    return '%s %d' % (place, hash('|'.join(parts)))


def is_programs(frame):
    return frame.f_globals is not bdb_globals and frame.f_globals is not pdb_globals


def state(p, command):
    if not stop.live:
        raise ValueError('the program cannot go on from here')
    return [state_of(stop.frame, stop.kind)]


WITNESS_FRAMES, WITNESS_VALUES = 40, 5000


def witness(p, other_run):
    """A digest of the values in the innermost frames, and in the module's.  Nothing of the place: ways tell that."""
    if not stop.live or p.curframe is not stop.frame:
        return ['', '']         # to read f_locals would undo an assignment at this prompt, before Python 3.13
    spaces, frame = [p.curframe_locals], stop.frame.f_back
    while frame is not None:
        if is_programs(frame):
            spaces.append(frame.f_locals)
        frame = frame.f_back
    if len(spaces) > WITNESS_FRAMES:
        spaces[WITNESS_FRAMES - 1:-1] = []
    digester = Digester(500, WITNESS_VALUES)
    return ['-', digest('|'.join([digester.names(space, 3) for space in spaces]).encode('utf-8', 'surrogatepass'))]


requests.update({'d': state, 'j': witness})
