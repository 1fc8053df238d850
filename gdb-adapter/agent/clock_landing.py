# SPDX-License-Identifier: GPL-3.0-or-later
# Where the program goes on after an exception or a longjmp().
#
# gdb means `step` to stop there, and cannot where libgcc and libc have no probes for it (Debian's have none): it takes the
# address that longjmp() is given for the real one, which it is not, and never hears of a handler.  Then `step` loses sight
# of the program, and the rest of the command would be one statement.  So the clock has breakpoints of its own: at longjmp(),
# and at _Unwind_SetIP(), by which the personality routine of any language says where the next handler or cleanup is.  That
# is a tick if the step began in that activation or in one that is called by it; otherwise it is the business of a function
# that is stepped over.

LANDING_CONTEXT_SP = 144        # struct _Unwind_Context of libgcc: 18 pointers to registers, then the stack pointer
LANDING_JUMP_SP, LANDING_JUMP_PC = 48, 56       # in a jmp_buf, both mangled: pointer_guard.h of glibc for x86-64
LANDING_GUARD = 0x30            # from fs_base
LANDING_TURNED = 0x11           # to the left
LANDINGS = ('_Unwind_SetIP', 'longjmp', '__longjmp_chk')


class ClockLandingPlace(gdb.Breakpoint):
    """At one of those functions.  Stops the thread of the clock, if it is about to land in an activation that the clock knows."""

    def __init__(self, name, landing):
        super().__init__('*' + name, internal=True)         # not by number: after an exec nothing may be there
        self.name, self.landing = name, landing

    def stop(self):
        frame = gdb.newest_frame()
        try:
            return self.landing.sees(frame, *(landing_of_exception if self.name == '_Unwind_SetIP' else landing_of_jump)(frame))
        except gdb.error:
            return False        # another libc's, say


class ClockLandingHere(gdb.Breakpoint):
    def __init__(self, thread, pc, sp):
        super().__init__('*%d' % pc, internal=True)
        self.thread_wanted, self.sp, self.here = thread, sp, False

    def stop(self):
        # Of arguments on the stack more may be gone than the unwinder says.
        self.here = clock_thread() == self.thread_wanted and clock_register(gdb.newest_frame(), 'sp') >= self.sp
        return self.here


class ClockLanding:
    places = None

    any = False                 # stop for landings in whatever activation

    def __init__(self, clock):
        self.clock = clock
        self.made = [ClockLandingPlace(name, self) for name in landing_places()]

    def sees(self, frame, pc, sp):
        sal = gdb.find_pc_line(pc)
        if clock_thread() != self.clock.thread or sal.symtab is None or not sal.line:
            return False
        if self.any or any(name in self.clock.stack.depths for name in landing_frames(frame, sp)):
            self.clock.landing_at = pc, sp
            return True
        return False

    def land(self):
        """Let it.  False: something else has stopped it before that."""
        there, self.clock.landing_at = ClockLandingHere(self.clock.thread, *self.clock.landing_at), None
        clock_begin()
        try:
            gdb.execute('continue', False, True)
        finally:
            there.delete()
        return there.here

    def delete(self):
        for each in self.made:
            each.delete()


def landing_places():
    """Those of the functions that there are."""
    if ClockLanding.places is None:
        ClockLanding.places = [name for name in LANDINGS if landing_is_there(name)]
    return ClockLanding.places


def landing_is_there(name):
    try:
        gdb.parse_and_eval('&' + name)
        return True
    except gdb.error:
        return False


def landing_word(address):
    return int.from_bytes(gdb.selected_inferior().read_memory(address, 8).tobytes(), 'little')


def landing_of_exception(frame):
    return clock_register(frame, 'rsi'), landing_word(clock_register(frame, 'rdi') + LANDING_CONTEXT_SP)


def landing_of_jump(frame):
    buffer, guard = clock_register(frame, 'rdi'), landing_word(clock_register(frame, 'fs_base') + LANDING_GUARD)
    return [landing_unmangled(landing_word(buffer + at), guard) for at in (LANDING_JUMP_PC, LANDING_JUMP_SP)]


def landing_unmangled(word, guard):
    return (word >> LANDING_TURNED | word << 64 - LANDING_TURNED) & (1 << 64) - 1 ^ guard


def landing_frames(frame, sp):
    """The ids of the frame to which the stack pointer belongs, and of the functions inlined in it."""
    names, at = [], None
    while frame is not None:
        stack = clock_part(str(frame), 'stack=')
        if stack is not None and stack > sp:
            if at not in (None, stack):
                break
            at = stack
            names.append(str(frame))
        frame = frame.older()
    return names


def landing_forget(event):
    ClockLanding.places = None


gdb.events.new_objfile.connect(landing_forget)
gdb.events.clear_objfiles.connect(landing_forget)
