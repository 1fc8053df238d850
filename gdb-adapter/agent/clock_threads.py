# SPDX-License-Identifier: GPL-3.0-or-later
# The thread whose statements the clock counts.
#
# A user who stops in another thread than the one that he moved wants to go back in that one.  So where a command ended in
# another thread than it began in, the clock steps that one (or the one that the session names), and lets the others run
# meanwhile, as `step` does.  A thread that is there already is stepped at once.  One that is made on the way is waited for:
# every thread of a program with libc is made by pthread_create(), whose third argument is the function that it begins in.


class ClockStopHere(gdb.Breakpoint):
    """Stops the thread, or any if that is None."""

    def __init__(self, place, thread=None):
        super().__init__(place, internal=True)
        self.thread_wanted, self.here = thread, False

    def stop(self):
        self.here = self.thread_wanted in (None, clock_thread())
        return self.here

    def came(self):
        """Was it this that made the program stop?  Asked once."""
        here, self.here = self.here, False
        return here


class ClockFocus:
    def __init__(self, thread):
        self.thread = thread        # '1.2', or '' for that which is selected

    def elsewhere(self):
        """Is another thread selected?"""
        return self.thread not in ('', clock_thread())

    def select(self):
        """False: it is not there yet."""
        for thread in gdb.selected_inferior().threads():
            if '%d.%d' % (thread.inferior.num, thread.num) == self.thread:
                thread.switch()
                return True
        return False

    def await_birth(self):
        """The program runs until the thread is at its first statement, or something else stops it.  True: the former."""
        began = {}
        try:
            making = ClockStopHere('*pthread_create')
        except gdb.error:
            raise ClockProblem('thread %s is not made by pthread_create()' % self.thread)
        try:
            while True:
                clock_begin()
                gdb.execute('continue', False, True)
                if clock_frame() is None:
                    return False
                if making.came():
                    function = clock_register(clock_frame(), 'rdx')
                    if function not in began:
                        began[function] = ClockStopHere('*%d' % function, self.thread)
                elif any([each.came() for each in began.values()]):
                    return self.first_statement()
                else:
                    return False
        finally:
            for each in (making, *began.values()):
                each.delete()

    def first_statement(self):
        """From the first instruction of the function that the thread begins in."""
        clock_begin()
        symbol = clock_frame().function()
        if symbol is None or symbol.symtab is None or not symbol.line:
            gdb.execute('step', False, True)        # into the first function that has lines, as std::thread's
            return not self.elsewhere()
        first = ClockStopHere('-source "%s" -line %d' % (symbol.symtab.filename, symbol.line), self.thread)
        try:
            gdb.execute('continue', False, True)
            return first.came()
        finally:
            first.delete()
