# SPDX-License-Identifier: GPL-3.0-or-later
# Where the way to the first stop begins, and going there: the program is started once more and halted in main().
#
# The second run is to be like the first.  Addresses are, as gdb turns their randomness off; and so that the rest is, too,
# the process gets the number that it had, if that is free, and the bytes that the kernel made for it (AT_RANDOM: getauxval(3)),
# of which libc makes the canary that lies about on the stack.  What the program asks for itself, time and random numbers,
# cannot be had again: the session compares the end of the way with that of the first run (witness.py).

import struct

AT_RANDOM = 25
RANDOM_BYTES = 16
LAST_PID = '/proc/sys/kernel/ns_last_pid'       # the kernel begins its search for a number behind it: proc(5)

NO_MAIN = 'history begins here, for gdb knows no lines of main()'
NOT_RUN = 'history begins here: the program was started by `%s`, and FReD repeats no more than run and start'
RANDOM = 'history begins here, for the program gets other addresses each time: `set disable-randomization on` before run'
BEFORE = 'history begins here, for the program stops before it comes to main()'
UNLIKE = 'history begins here, for the program, started once more, did not run the same way (the clock, random numbers?)'


class Beginning(gdb.Breakpoint):
    """A function in which history may begin."""

    def __init__(self, function, source):
        if source:
            super().__init__(function=function, source=source, internal=True, qualified=True)
        else:
            super().__init__(function, internal=True, qualified=True)
        self.here = False

    def stop(self):
        self.here = True
        return True


def beginning(text):
    """The line `text` started the program.  Where the way to here begins, for begin(); or '' and why there is none, which is ''
    where the program begins here."""
    name, rest = clock_words(text)
    if name == 'starti':
        return ['', '']
    if name not in ('run', 'start'):
        return ['', NOT_RUN % text]
    functions, frame = beginning_functions(), clock_frame()
    if not functions:
        return ['', NO_MAIN]
    if frame is not None and ClockLast.first and frame.name() in [function for function, _ in functions] and \
            any(frame.pc() in beginning_pcs(*each) for each in functions):
        return ['', '']
    if not gdb.parameter('disable-randomization'):
        return ['', RANDOM]
    return [repr((name, rest, functions, clock_place(frame), known.number, random_bytes()))]


def beginning_functions():
    """main(); and where the first thread is not called by it (in a constructor of C++, say), the outermost function with lines."""
    main = gdb.lookup_global_symbol('main')
    functions = [('main', '')] if main is not None and main.symtab is not None and main.line else []
    with Selection():
        for thread in gdb.selected_inferior().threads():
            if thread.num == 1:
                thread.switch()
        symbols = [frame.function() for frame in frames() if clock_line(frame) is not None and frame.function() is not None]
    if symbols and 'main' not in [symbol.name for symbol in symbols]:
        functions.append((symbols[-1].name, symbols[-1].symtab.filename))
    return functions


def beginning_pcs(function, source):
    made = Beginning(function, source)
    try:
        return clock_locations(made)
    finally:
        made.delete()


def clock_place(frame):
    return (clock_thread(), frame.pc(), clock_register(frame, 'sp')) if frame is not None else None


def random_at():
    """The address of AT_RANDOM, or None."""
    try:
        with open('/proc/%d/auxv' % gdb.selected_inferior().pid, 'rb') as file:
            return dict(struct.iter_unpack('@NN', file.read())).get(AT_RANDOM)
    except (OSError, struct.error):
        return None


def random_bytes():
    try:
        return gdb.selected_inferior().read_memory(random_at(), RANDOM_BYTES).tobytes() if random_at() else b''
    except gdb.error:
        return b''


SCALARS = gdb.TYPE_CODE_INT, gdb.TYPE_CODE_ENUM, gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_BOOL, gdb.TYPE_CODE_FLT, gdb.TYPE_CODE_REF
CALLERS = 100           # that are looked at


def nearest(frame):
    for _ in range(CALLERS):
        if frame is None:
            break
        yield frame
        frame = frame.older()


def way_here(frame):
    return ' '.join([clock_thread()] + ['%x' % each.pc() for each in nearest(frame)]).encode()


def known_bytes(frame):
    """What has been set, so that only the program's own doing makes a difference.  Variables on the stack and in the heap may hold
    what ld.so and malloc() have left there, which read the clock and random numbers in every run."""
    for each in nearest(frame):
        try:
            symbols = each.function() and each.block()
            while symbols and symbols.function is None:
                symbols = symbols.superblock
        except RuntimeError:
            symbols = None
        for symbol in symbols or ():
            if symbol.is_argument and symbol.type.strip_typedefs().code in SCALARS:
                yield local_value(symbol, each)
    # Without libraries libc's data are the program's.
    if 'No shared libraries' not in quiet('info sharedlibrary'):
        yield from shared_bytes(gdb.selected_inferior(), ())


def begin(where):
    """The program runs to its main(); no breakpoint of the user's list is used for it."""
    name, rest, functions, here, number, random = eval(where, {'__builtins__': {}})
    with ClockQuiet(True), ClockCommands() as commands:
        stops = [Beginning(*each) for each in functions]
        try:
            if name == 'start':
                quiet('tbreak -qualified main')
            give_number(number)
            gdb.execute('starti ' + rest, False, True)
            if random and random_at():
                gdb.selected_inferior().write_memory(random_at(), random)
            begin_there(stops, commands, here)
        finally:
            for each in stops:
                each.delete()
    known.stepped = True


def give_number(number):
    """The next process gets it, if it is free and we may."""
    try:
        with open(LAST_PID, 'w') as file:
            file.write('%d' % (number - 1))
    except OSError:
        pass


def begin_there(stops, commands, here):
    there = False
    while not there:
        clock_begin()
        gdb.execute('continue', False, True)
        frame, fired = clock_frame(), ClockLast.fired
        there = any([each.here for each in stops])
        if frame is None or isinstance(ClockLast.event, gdb.SignalEvent) or not (there or fired):
            raise Refused(BEFORE if clock_place(frame) == here else UNLIKE)
        if not commands.go_on_from(fired):
            raise Refused('' if there and clock_place(frame) == here else BEFORE if clock_place(frame) == here else UNLIKE)


runs['b'] = begin
requests['p'] = beginning
