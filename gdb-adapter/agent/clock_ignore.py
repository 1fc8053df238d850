# SPDX-License-Identifier: GPL-3.0-or-later
# Breakpoints that are counted and do not stop the program, for they have an ignore count.
#
# How often gdb counts one passing depends on the command.  Where it comes to the place by a breakpoint of its own (behind a
# prologue, where a call has returned) and goes on in the same command, as in `step 8`, it does not know that it must step
# over the user's, runs into it again, and counts twice.  So while a command is run in steps no ignore count runs out: if that
# ended the command, the place is known (clock_end.py).  And at the end each breakpoint gets the count that gdb had made.

IGNORE_ALL = 1 << 30
COUNTED_BY_PLACE = (gdb.BP_BREAKPOINT, gdb.BP_HARDWARE_BREAKPOINT)


def clock_counted():
    """number: hits, of those that the present command has counted without being stopped by them."""
    now = {**ClockLast.counts, **{each.number: (each.hit_count, 0) for each in gdb.breakpoints()}}
    return {number: hits for number, (hits, _) in now.items()
            if number > 0 and hits - ClockLast.before.get(number, (0, 0))[0] > (number in ClockLast.fired)}


class ClockIgnored:
    """While it lasts no ignore count runs out, but for those with commands, which are part of the way."""

    def __init__(self):
        ignored = [each for each in gdb.breakpoints() if each.number > 0 and each.ignore_count > 0]
        self.enough, self.commanded = [
            {each.number: each.hit_count + each.ignore_count for each in ignored if bool(each.commands) == has_commands}
            for has_commands in (False, True)]

    def present(self):
        return [each for each in gdb.breakpoints() if each.number in self.enough]

    def __enter__(self):
        for each in self.present():
            each.ignore_count = IGNORE_ALL

    def __exit__(self, *unused):
        for each in self.present():
            each.ignore_count = max(0, self.enough[each.number] - each.hit_count)

    def count_as_gdb(self, counted):
        """At the end of the command, where gdb had counted so.  The program does not move.  False: commands may have been executed
        at another time than gdb did."""
        for each in self.present():
            wanted = counted.get(each.number, each.hit_count)
            if each.temporary and wanted > self.enough[each.number]:
                each.delete()
            elif wanted != each.hit_count and each.type in COUNTED_BY_PLACE:
                clock_count_up_to(each, wanted)
        return not any(each.hit_count != counted.get(each.number, each.hit_count) > self.commanded[each.number]
                       for each in gdb.breakpoints() if each.number in self.commanded)


def clock_count_up_to(made, wanted):
    """gdb's Python can set a count to 0, and the rest is real: the thread is put to the breakpoint, runs into it, and is put
    back."""
    frame, last = clock_frame(), ClockLast.saved()
    # gdb would have a system call that was interrupted, or a signal that is still to come, forgotten.
    if isinstance(ClockLast.event, gdb.SignalEvent) or clock_register(frame, 'orig_rax') < 1 << 63:
        return
    pc, condition, places = frame.pc(), made.condition, clock_locations(made)
    if made.hit_count > wanted:
        made.hit_count = 0
    stops = ClockStopHere('*%d' % places[0]) if places else None
    made.condition = None
    try:
        before = -1
        while stops is not None and before < made.hit_count < wanted:
            before = made.hit_count
            quiet('with confirm off -- with scheduler-locking on -- jump *%d' % places[0])
    finally:
        made.condition = condition
        if stops is not None:
            stops.delete()
        gdb.parse_and_eval('$pc = %d' % pc)
        ClockLast.restore(last)
