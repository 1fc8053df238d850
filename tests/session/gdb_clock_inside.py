# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside gdb, for gdb_clock_peer.py: the clock without the rest of the agent.  Executes the jobs of FRED_JOBS, a JSON
list, and writes what each gives to FRED_RESULTS."""
import ctypes
import hashlib
import json
import os
import re
import time

import gdb

NAMES = "step next stepi nexti finish until advance continue fg signal jump print echo silent set".split()
SHORT = {"s": "step", "n": "next", "c": "continue", "u": "until", "si": "stepi", "ni": "nexti", "fin": "finish"}
ticks = []
# The agent's library is preloaded for its ptrace(), and is no agent here.
library = ctypes.CDLL(None)
library.fred_stride_learn.argtypes = (ctypes.c_ulong, ctypes.c_ulong)
NUMBERS = ctypes.POINTER(ctypes.c_uint64), ctypes.c_size_t
library.fred_stride_tour.argtypes = (ctypes.c_uint64, ctypes.c_uint64, *NUMBERS, *NUMBERS)
library.fred_stride_guard.argtypes = NUMBERS


def quiet(command):
    return gdb.execute(command, False, True)


def split_word(text):
    word, _, rest = text.strip().partition(" ")
    return word, rest.strip()


def command_name(word):
    return SHORT.get(word, word if word in NAMES else None)


def digest(data):
    return hashlib.sha1(data).hexdigest()


def send_ticks(values):
    ticks.extend((value & 7, value >> 4 & 0xfffff, value >> 3 & 1) for value in values if value & 7 != ROUGH)


def stride(pid):
    library.fred_stride(pid)


def tell_calls(on):
    library.fred_tell_calls(on)


def stride_learn(ways):
    if not ways:
        library.fred_stride_learn(0, 0)
    return all(library.fred_stride_learn(at, to) for at, to in zip(ways[::2], ways[1::2]))


def numbers(values):
    return (ctypes.c_uint64 * len(values))(*values), len(values)


def stride_tour(first, last, begin, exits):
    return library.fred_stride_tour(first, last, *numbers(begin), *numbers(exits))


def stride_guard(addresses):
    library.fred_stride_guard(*numbers(addresses))


def limit_steps(most):
    return library.fred_limit_steps(most)


def stride_missed():
    room = (ctypes.c_uint64 * 256)()
    return list(room[:library.fred_stride_missed(room)])


for name in ("clock_end.py", "clock_stack.py", "clock_threads.py", "clock_ignore.py", "clock_stride.py", "clock_landing.py",
             "clock_leap.py", "clock.py", "clock_marks.py", "clock_show.py"):
    with open(os.path.join(os.environ["FRED_AGENT_FOLDER"], name)) as file:
        exec(compile(file.read(), name, "exec"))


def unwound_depth():
    frame, depth = clock_frame(), 0
    while frame is not None:
        frame, depth = frame.older(), depth + 1
    return depth


def place():
    """Of the stop, with the depth that gdb's own unwinding gives; None: there is no program."""
    frame = clock_frame()
    if frame is None:
        return None
    return [clock_line(frame), frame.name(), unwound_depth(), frame.pc(), clock_register(frame, "sp"), clock_thread()]


def user_state():
    return [[each.number, each.hit_count, each.enabled, each.ignore_count if hasattr(each, "ignore_count") else 0]
            for each in gdb.breakpoints()]


class Calls(gdb.Breakpoint):
    """Numbers the calls of a function, each known by the address of its frame."""
    count, latest = 0, {}

    def __init__(self, name):
        super().__init__("*" + name, internal=True)

    def stop(self):
        Calls.count += 1
        Calls.latest[clock_register(gdb.newest_frame(), "sp") + 8] = Calls.count
        return False


def activations():
    frame, found = clock_frame(), []
    while frame is not None:
        name = str(frame)
        found.append([name, Calls.latest.get(int(name.split("stack=")[1].split(",")[0], 16))])
        frame = frame.older()
    return found


class Return(gdb.Breakpoint):
    """Where a call of setjmp() returns to; stops where it is the second time, and in an activation that was there before the step."""
    before = []

    def stop(self):
        frame = gdb.newest_frame()
        return clock_register(frame, "rax") != 0 and str(frame) in [name for name, _ in Return.before]


def returns_of_setjmp(functions):
    for name in functions:
        at = gdb.parse_and_eval("&" + name)
        rows = gdb.execute("disassemble %d" % int(at), False, True).splitlines()
        for call, row in zip(rows, rows[1:]):
            if "setjmp" in call and "call" in call:
                Return("*" + re.search("0x[0-9a-f]+", row).group(0), internal=True)


def walk(most, functions, landings=False):
    """Every stop of `step`, and whether a new activation began there, found without the clock.  landings: also those where it
    should stop, after a longjmp()."""
    calls = [Calls(name) for name in functions]
    stops, before = [place() + [0]], activations()
    if landings:
        returns_of_setjmp(functions)
    while len(stops) < most:
        Return.before = before
        gdb.execute("step", False, True)
        here = place()
        if here is None:
            break
        now = activations()
        stops.append(here + [int(now[0] not in before)])
        before = now
    for each in calls:
        each.delete()
    return stops


def count_calls(functions):
    """From here on activations() tells one call from another."""
    for name in functions:
        if pcs("*" + name):
            Calls(name)


def describe(expressions):
    """The place, the activations from the innermost outwards, the values; None: there is no program."""
    here = place()
    return here and here + [activations(), [int(gdb.parse_and_eval(each)) for each in expressions]]


def attempt(commands, expressions):
    """Commands of a user's, who may ask for what cannot be done, and where they led, all and each; to the end of the program at
    most."""
    ends = []
    for command in commands:
        if clock_frame() is None:
            break
        try:
            gdb.execute(command, False, True)
        except gdb.error:
            pass
        ends.append(describe(expressions))
    return describe(expressions), ends


def depths_to(pc, sp, most):
    """Of the instructions from here to that place, which is not among them."""
    depths = []
    while len(depths) < most:
        frame = clock_frame()
        if frame is None or (frame.pc(), clock_register(frame, "sp")) == (pc, sp):
            break
        depths.append(unwound_depth())
        gdb.execute("stepi", False, True)
    return depths


def leads_to(place, following, most):
    """Do single instructions lead to the place before they lead to the following one?  Each is a pc and a sp; None: not told."""
    for _ in range(most):
        gdb.execute("stepi", False, True)
        frame = clock_frame()
        here = frame and [frame.pc(), clock_register(frame, "sp")]
        if here == place:
            return True
        if here in (None, following):
            return False
    return None


def survey(most, expressions):
    """All stops of `step` from here to the end."""
    stops = []
    while len(stops) < most and clock_frame() is not None:
        stops.append(describe(expressions))
        try:
            gdb.execute("step", False, True)
        except gdb.error:       # in code without a symbol, where a single instruction led
            gdb.execute("finish", False, True)
    return stops


def trigger_counts(most, watch):
    """At each stop of `step` from here to the end: how often a watchpoint has triggered."""
    gdb.execute(watch, False, True)
    watchpoint, counts = gdb.breakpoints()[-1], []
    watchpoint.ignore_count = 1 << 30
    while len(counts) < most and clock_frame() is not None:
        counts.append(watchpoint.hit_count)
        gdb.execute("step", False, True)
    return counts


def pcs(where):
    """Where gdb sets a breakpoint."""
    try:
        gdb.execute("break " + where, False, True)
    except gdb.error:
        pass
    made = [each for each in gdb.breakpoints() if each.number > 0]
    if not made:
        return []               # the compiler has left it out
    number = made[-1].number
    table = gdb.execute("info breakpoints %d" % number, False, True)
    gdb.execute("delete %d" % number)
    return [int(word, 16) for word in table.split() if word.startswith("0x")]


def instructions(n=0):
    """Addresses of those of the line where the program stands, or of so many."""
    sal, code = gdb.find_pc_line(clock_frame().pc()), clock_frame().architecture()
    return [row["addr"] for row in (code.disassemble(sal.pc, count=n) if n else code.disassemble(sal.pc, sal.last))]


def piece_behind():
    """Where the next entry of the line table begins."""
    return gdb.find_pc_line(clock_frame().pc()).last + 1


def give(commands):
    for command in commands:
        gdb.execute(command)
    return place()


def step_to_line():
    """One step, and the steps that lead on from code without lines, where one ends at the next function's beginning."""
    here = give(["step"])
    while here is not None and here[0] is None:
        here = give(["step"])
    return here


def plain(command):
    """The command as gdb runs it."""
    clock_begin(command.split()[0])
    try:
        gdb.execute(command)
    except gdb.error:
        pass                    # `next 5`, and the program exits at the third
    return [clock_end(command), place(), user_state()]


def told(stop):
    result = [dict(tick=stop.tick, depth=stop.depth, kind=stop.kind, end=stop.end, inside=stop.inside,
                   diverged=stop.diverged), list(ticks), place(), user_state()]
    del ticks[:]
    return result


def clock(command, end, limit, trace=True, unit="step"):
    if command is None:
        return told(clock_go_on(limit, trace, None))
    return told(clock_start(command, limit, trace, None, end, unit))


def start_leap(command, end, limit):
    stop = clock_start(command, limit, False, None, end, leaps=0)
    return [stop.cut, *told(stop)]


def leap_to(limit, watched):
    """On from where the clock is halted, in a leap: was it cut?"""
    stop = clock_go_on(limit, False, None, watched)
    return [stop.cut, *told(stop)]


def marked(command, end, breakpoints):
    """The ticks of a trace that have a breakpoint, and those between which and the next a watchpoint triggered, with its
    depth; breakpoints: [number, [text, attributes]], as settings.py keeps them."""
    clock_start(command, 1 << 62, True, clock_marks(repr({"breakpoints": breakpoints})), end)
    at, marks, triggers = 0, [], []
    for kind, depth, breakpoint in ticks:
        at += kind != TRIGGER
        if breakpoint:
            marks.append(at)
        if kind == TRIGGER:
            triggers.append([at, depth])
    del ticks[:]
    return marks, triggers


def measure(command, end):
    return clock_measure(command, end)


def strides(command, end):
    """How many steps of single instructions gdb was spared."""
    clock_start(command, 1 << 62, True, None, end)
    return library.fred_strides()


def tours(command, end):
    clock_start(command, 1 << 62, True, None, end)
    return library.fred_tours()


def timed(command, end):
    began = time.time()
    stop = clock_start(command, 1 << 62, True, None, end)
    return [stop.tick, time.time() - began]


def show(former):
    clock_show(former)


def main():
    gdb.execute("set confirm off")
    gdb.execute("set pagination off")
    gdb.execute("set debug-file-directory " + os.environ["FRED_DEBUG_FOLDER"])
    for name in list(os.environ):
        if name.startswith("FRED_") or name == "LD_PRELOAD":
            gdb.execute("unset environment " + name)    # or the stack would lie elsewhere
    results = []
    for function, *arguments in json.loads(os.environ["FRED_JOBS"]):
        try:
            results.append(globals()[function](*arguments))
        except (gdb.error, gdb.GdbError) as problem:
            results.append({"error": str(problem)})
        with open(os.environ["FRED_RESULTS"], "w") as file:
            json.dump(results, file)


main()
