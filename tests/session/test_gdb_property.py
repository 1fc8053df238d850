# SPDX-License-Identifier: GPL-3.0-or-later
"""Random C programs, random commands in gdb: each reverse command against its definition, by brute force.

The oracle is gdb alone: it steps through the whole run once, and again from each place to which fredapp went forward, so
that the place is known among the stops by those that follow.  FRED_SEED=N runs one seed, FRED_ROUNDS sets how many."""
import os
import random
import re
import shutil

import pytest

import machine
from gdb_clock_peer import run_jobs
from gdb_pair import Gdb
from random_c_program import CProgram, compile_program, function_names

pytestmark = pytest.mark.skipif(not shutil.which("gdb") or not shutil.which("gcc"), reason="no gdb or no gcc here")

SEED = os.environ.get("FRED_SEED")
ROUNDS = int(os.environ.get("FRED_ROUNDS", "3"))
# Continuous integration judges a change, by the same programs each time; new ones are looked for at every run by hand.
# More rounds are asked for to find something new.
chance = random.Random(None if "FRED_ROUNDS" in os.environ else 4)
ONCE_BAD = [208110, 254300, 612579]     # stepi to a later piece of a line, and behind a call in it
SEEDS = [int(SEED)] if SEED else ONCE_BAD + chance.sample(range(10**6), ROUNDS)
# In optimised code a line has many pieces, and at which of them `step` stops depends on where the command before ended.
OPTIMISED = [["-Og", "-fno-inline"], ["-O1", "-fno-inline"], ["-O1"],
             ["-O1", "-fno-inline", "-foptimize-sibling-calls"]] if os.environ.get("FRED_OPTIMISED") else []
OPTIONS = [["-O0"], *OPTIMISED]
FEATURES = os.environ.get("FRED_FEATURES", "signals tails").split()
MOST = 700
MOST_INSTRUCTIONS = 9000
VALUES = ["T", "G[0]", "G[1]", "G[2]", "G[3]"]
CONDITIONS = ["T %% 2", "G[1] > 2", "T > %d", "G[3] == 0"]
TO_MAIN = ["set confirm off", "handle SIGUSR1 nostop noprint pass", "break main", "run", "delete"]
LINE, FUNCTION, DEPTH, PC, SP, THREAD, STACK, NOW = range(8)


class Oracle:
    """All stops of a run.  A position is (k, inside): at stop k, or in the statement that begins there."""

    def __init__(self, path, text, options):
        self.path, self.functions, self.inlines = path, function_names(text), options == ["-O1"]
        self.optimized = options != ["-O0"]
        (_, _, stops), _ = run_jobs(path, ["give", TO_MAIN], ["count_calls", self.functions],
                                    ["survey", MOST + 1, VALUES])
        self.stops = stops

    def key(self, stop):
        """What a session can be compared by: line, function, depth, pc, sp from the start of the run, values."""
        line = stop[LINE][1] if stop[LINE] else 0
        return (line, stop[FUNCTION], stop[DEPTH], stop[PC], stop[SP] - self.stops[0][SP], tuple(stop[NOW]))

    def keys(self, stops):
        return [self.key(stop) for stop in stops]

    def forward(self, at, commands):
        """Where the commands lead from stop `at`: (position, description, those of each command's end), None at the end of the
        program."""
        reach = TO_MAIN + (["step %d" % at] if at else [])
        (_, _, _, (now, ends), _, rest), _ = run_jobs(
            self.path, ["give", TO_MAIN], ["count_calls", self.functions], ["give", reach[len(TO_MAIN):]],
            ["attempt", commands, VALUES], ["give", ["delete"]],
            ["survey", MOST, VALUES])
        if now is None:
            return None
        after, known = self.keys(rest[1:]), self.keys(self.stops)
        # From inside a statement `step` may stop once more at the start of another piece of it.
        for extra in range(3):
            tail = after[extra:]
            if tail and tail == known[len(known) - len(tail):]:
                k = len(known) - len(tail) - 1
                # Calls back from code without lines are not stepped into a second time, handlers of signals never.
                stepped = [each for stop in self.stops[:k + 1] for each in stop[STACK]]
                if any(end[LINE] and end[STACK][0] not in stepped for end in ends):
                    return None
                if known[k] == self.key(now):
                    return (k, False), now, ends
                # Or it passes one: from inside the first piece of a line to what follows the second.
                k = next((j for j in (k, k - 1) if j >= 0 and self.holds(j, now)), None)
                return None if k is None else ((k, True), now, ends)
        return None

    def holds(self, k, place):
        """Does the statement that begins at stop k lead to the place before the next stop?"""
        following = self.stops[k + 1][PC:SP + 1] if k + 1 < len(self.stops) else None
        found, _ = run_jobs(self.path, ["give", TO_MAIN + (["step %d" % k] if k else [])],
                            ["leads_to", place[PC:SP + 1], following, MOST_INSTRUCTIONS])
        return found[1]

    def pcs(self, places):
        found, _ = run_jobs(self.path, ["give", TO_MAIN], *[["pcs", where] for where in places])
        return found[1:]

    # The moves, each from a position with its activations to the index of a stop; -1: there is none.
    def stack(self, k):
        return self.stops[k][STACK]

    def last(self, position, suits):
        k, inside = position
        return max((j for j in range(k + inside) if suits(j)), default=-1)

    def reverse_step(self, position, stack):
        return self.last(position, lambda j: True)

    def passing_step(self, position, ends):
        """Stops that a step back may lead to: from where a command had ended in a line, `step` passes a later piece of it."""
        j = self.last(position, lambda j: True)
        passed = j >= 0 and any(
            end[LINE] == self.stops[j][LINE] and end[STACK][0] == self.stack(j)[0] and end[PC] < self.stops[j][PC] and
            end[NOW] == self.stops[j][NOW] for end in ends)
        return [j, self.last((j, False), lambda j: True)] if passed else [j]

    def reverse_next(self, position, stack):
        return self.last(position, lambda j: self.stack(j)[0] in stack)

    def merged_next(self, position, stack):
        """For `next` two pieces of a line, or turns of an unrolled loop, that follow each other are one; for `step` they are
        not where it has been in a function called by the first."""
        j = self.reverse_next(position, stack)
        while j > 0:
            before = self.reverse_next((j, False), self.stack(j))
            if before < 0 or self.stack(before)[0] != self.stack(j)[0] or self.stops[before][LINE] != self.stops[j][LINE]:
                break
            j = before
        return j

    def call(self, position, description, count):
        """The instruction that called the count-th of the activations, by single steps; -1: it began before the start."""
        depth, stack, (k, _) = description[DEPTH] - count + 1, description[STACK], position
        if count > len(stack) or stack[count - 1] in self.stack(0):
            return -1
        while stack[count - 1] in self.stack(k):
            k -= 1
        first = self.stops[k + 1] if k < position[0] else description
        (_, _, depths), _ = run_jobs(self.path, ["give", TO_MAIN], ["give", ["step %d" % k] if k else []],
                                     ["depths_to", first[PC], first[SP], MOST_INSTRUCTIONS])
        callers = [i for i, each in enumerate(depths) if each < depth]
        if not callers or len(depths) == MOST_INSTRUCTIONS:
            return None
        return self.forward(k, ["stepi %d" % callers[-1]] if callers[-1] else [])

    def reverse_continue(self, position, stack, breakpoints, triggers):
        return self.last(position, lambda j: j in triggers or any(
            self.stops[j][PC] in pcs and holds(condition, self.stops[j][NOW]) for pcs, condition in breakpoints))

    def triggers(self, watch):
        """Stops after which a watchpoint triggers before the next."""
        (_, counts), _ = run_jobs(self.path, ["give", TO_MAIN], ["trigger_counts", MOST + 1, watch])
        assert len(counts) == len(self.stops)
        return {j for j in range(len(counts) - 1) if counts[j] < counts[j + 1]}


def holds(condition, values):
    return not condition or bool(eval(condition, {"T": values[0], "G": values[1:]}))


class Walk:
    """A session of fredapp's whose position is known."""

    def __init__(self, folder, oracle):
        self.oracle, self.log = oracle, []
        self.ends = []          # of the commands that led forward
        self.session = Gdb(folder, "-nx", "-ex", "set confirm off", "-ex", "set pagination off", "-ex", "set width 0",
                           "-ex", "set debug-file-directory /nonexistent", oracle.path, snapshots=True)
        for command in TO_MAIN:
            self.do(command)
        self.sp = 0
        self.sp = self.look()[4]
        self.at, self.description = (0, False), oracle.stops[0]
        self.check("the start")

    def do(self, command):
        answer = re.sub(r"\x1b\[K(FReD: [^\n]*)?", "", self.session.do(command))     # progress
        self.log.append("%s -> %s" % (command, answer.strip().replace("\n", " | ")))
        return answer

    def look(self):
        frames = re.findall(r"^#(\d+) +(?:0x\w+ in )?([^ (]+) \([^\n]*?\)(?: at \S*?:(\d+)| from \S+|)$",
                            self.session.do("bt"), re.M)
        values = self.session.do(r'printf "%ld %ld %d %d %d %d %d\n", $pc, $sp, ' + ", ".join(VALUES)).split()
        assert frames and len(values) == 7, self.report("no place: %r %r" % (frames, values))
        numbers = [int(value) for value in values]
        return (int(frames[0][2] or 0), {"??": None}.get(frames[0][1], frames[0][1]), len(frames), numbers[0], numbers[1] - self.sp, tuple(numbers[2:]))

    def report(self, what):
        k = self.at[0]
        near = ["%d: %s" % (i, str(self.oracle.key(stop)) + str(stop[STACK])) for i, stop in enumerate(self.oracle.stops) if k - 8 < i < k + 4]
        return "%s\nseen so far:\n%s\nstops near %s:\n%s" % (what, "\n".join(self.log[-25:]), self.at, "\n".join(near))

    def check(self, what):
        found, expected = self.look(), self.oracle.key(self.description)
        assert found == expected, self.report("%s: expected %s %s, came to %s, that is stop %s" % (
            what, self.at, expected, found,
            [i for i, stop in enumerate(self.oracle.stops) if self.oracle.key(stop) == found]))

    def moved(self, position, description, what):
        self.at, self.description = position, description
        self.check(what)

    def backward(self, command, target, others=()):
        answer = self.do(command)
        assert "did not run the same way" not in answer, self.report("refused")
        ends = "No more reverse-execution history." in answer
        assert any(each <= 0 if ends else each >= 0 for each in (target, *others)), self.report("start, or not")
        if ends:
            target, others = 0, ()
        found = [j for j in others if j >= 0 and self.oracle.key(self.oracle.stops[j]) == self.look()]
        target = found[0] if found else target
        self.moved((target, False), self.oracle.stops[target], command)
        return target


class Wanderer:
    """Random commands."""

    def __init__(self, rnd, oracle):
        self.rnd, self.oracle = rnd, oracle
        self.functions = [name for name in oracle.functions if oracle.pcs([name])[0] and not name.startswith("order")]
        # libc calls order_...() back: `step` goes into its first call, a breakpoint stops in each.
        self.lines = sorted({stop[LINE][1] for stop in oracle.stops if stop[LINE] and "order" not in stop[FUNCTION]})

    def place(self):
        return self.rnd.choice(self.functions) if self.rnd.random() < 0.3 else str(self.rnd.choice(self.lines))

    def condition(self):
        text = self.rnd.choice(CONDITIONS)
        return text % self.rnd.randrange(5, 80) if "%d" in text else text.replace("%%", "%")

    def breakpoints(self):
        """Commands that set some."""
        commands = ["delete"]
        # At a breakpoint in an inlined function gdb shows the innermost frame at once, where `step` alone goes into it.
        if self.oracle.inlines:
            return commands
        for _ in range(self.rnd.choice([0, 1, 1, 2, 3])):
            commands.append("%s %s%s" % (self.rnd.choice(["break", "break", "tbreak"]), self.place(),
                                         " if " + self.condition() if self.rnd.random() < 0.35 else ""))
            if self.rnd.random() < 0.3:
                commands.append("ignore $bpnum %d" % self.rnd.randrange(1, 4))
        if self.rnd.random() < 0.2:
            commands.append("watch G[%d]" % self.rnd.randrange(4))
        return commands

    def move(self):
        line = self.rnd.choice(self.lines)
        return self.rnd.choice(["step", "step", "next", "next", "next %d" % self.rnd.randrange(2, 5), "finish", "finish",
                                "step %d" % self.rnd.randrange(2, 9), "until", "continue", "continue",
                                "until %d" % line, "advance %d" % line, "stepi", "nexti", "stepi %d" % self.rnd.randrange(2, 30)])

    def forward(self, walk):
        """Some commands that stay within the program."""
        commands = self.breakpoints() + [self.move() for _ in range(self.rnd.randrange(1, 8))]
        while True:
            found = self.oracle.forward(walk.at[0], commands)
            if found is not None:
                break
            commands.pop()
        for command in commands:
            walk.do(command)
        walk.ends += found[2]
        walk.moved(*found[:2], "forward")

    def backward(self, walk):
        how = self.rnd.choice(["step", "step", "next", "next", "finish", "continue", "watch"])
        if how in ("watch", "finish"):
            return getattr(self, how)(walk)
        count = self.rnd.choice([1, 1, 1, 2, 3])
        before, more = (walk.at, walk.description), []
        if how == "continue":
            places = [(self.place(), self.condition() if self.rnd.random() < 0.3 else None) for _ in range(2)]
            walk.do("delete")
            for where, condition in places:
                walk.do("break " + where + (" if " + condition if condition else ""))
            triggers = set()
            if self.rnd.random() < 0.5 and not self.oracle.optimized:
                watch = self.rnd.choice(["watch G[%d]", "awatch G[%d]", "rwatch G[%d]", "watch -l G[%d]"]) % self.rnd.randrange(4)
                if not machine.debug_registers_work():          # reads are seen by them alone
                    watch = re.sub(r"^[ar]watch", "watch", watch)
                walk.do(watch)
                triggers = self.oracle.triggers(watch)
            # In the statement where now lies it may have triggered before now, or will.
            unsure = walk.at[0] if walk.at[1] and walk.at[0] in triggers else None
            count = 1 if unsure is not None else count
            more = [list(zip(self.oracle.pcs([where for where, _ in places]), [each for _, each in places])), triggers]
        position, stack, target, others = walk.at, walk.description[STACK], 0, []
        ways = {walk.at}
        for _ in range(count):
            if how == "next":
                ways = {(find(at, stack if at == walk.at else self.oracle.stack(at[0])), False) for at in ways if at[0] >= 0
                        for find in (self.oracle.reverse_next, self.oracle.merged_next)}
                others = [k for k, _ in ways]
            elif how == "step":
                ways = {(k, False) for at in ways if at[0] >= 0 for k in self.oracle.passing_step(at, walk.ends)}
                others = [k for k, _ in ways]
            elif how == "continue" and unsure is not None:
                others = [self.oracle.reverse_continue(position, stack, more[0], triggers - {unsure})]
            target = getattr(self.oracle, "reverse_" + how)(position, stack, *more)
            if target < 0:
                break
            position, stack = (target, False), self.oracle.stack(target)
        if before[0] == (0, False):
            target = -1
        target = walk.backward("fred-reverse-%s%s" % (how, " %d" % count if count > 1 else ""), target, others)
        if before[0] != (0, False) and self.rnd.random() < 0.5:
            walk.do("fred-undo")
            walk.moved(*before, "undo")
            if self.rnd.random() < 0.3:
                walk.do("fred-redo")
                target = max(0, target)
                walk.moved((target, False), self.oracle.stops[target], "redo")

    def finish(self, walk):
        count, before = self.rnd.choice([1, 1, 1, 2, 3]), (walk.at, walk.description)
        found = self.oracle.call(*before, count)
        if found is None:
            return
        command = "fred-reverse-finish%s" % (" %d" % count if count > 1 else "")
        if found == -1:
            walk.backward(command, -1)
        else:
            walk.do(command)
            walk.ends += found[2]
            walk.moved(*found[:2], command)
        if before[0] != (0, False) and self.rnd.random() < 0.5:
            walk.do("fred-undo")
            walk.moved(*before, "undo")

    def watch(self, walk):
        expression, which = self.rnd.choice(VALUES + [self.condition()]), self.rnd.choice(["", "--first ", "--last "])
        k, inside = walk.at

        def value(stop):
            return int(eval(expression, {"T": stop[NOW][0], "G": stop[NOW][1:]}))
        # Of globals alone: they are looked at in all functions.
        values = [value(stop) for stop in self.oracle.stops[:k + 1]]
        values += [value(walk.description)] * inside
        valid = [j for j in range(len(values) - 1) if values[j] != values[-1] and values[j + 1] == values[-1]]
        if which == "--first ":
            valid = [j for j in range(len(values) - 1) if values[j + 1] != values[0]][:1]
        elif which == "--last ":
            valid = valid[-1:]
        answer = walk.do("fred-reverse-watch %s%s" % (which, expression))
        assert "did not run the same way" not in answer and "does not run the same way" not in answer, walk.report("refused")
        if not valid or (not which and "--last %s looks" % expression in answer and values[0] == values[-1]):
            assert answer.startswith("FReD: "), walk.report("no change: say so; values %s" % values)
            return walk.check("stays")
        if "interrupted inside this statement" in answer:      # a command began there, and it is told so
            walk.do("fred-undo")
            return walk.check("undo")
        found = walk.look()
        suits = [j for j in valid if self.oracle.key(self.oracle.stops[j]) == found]
        assert suits, walk.report("%s: expected one of %s, came to %s; values %s" % (expression, valid, found, values))
        walk.at, walk.description = (suits[0], False), self.oracle.stops[suits[0]]


def make_program(folder, rnd, options, **how):
    path = os.path.join(folder.work, "p")
    while True:
        program = CProgram(rnd.random(), **how)
        # The dynamic linker aligns its stack by the address: another distance from main()'s in each environment.
        compile_program(program, path, *options, "-Wl,-z,now")
        oracle = Oracle(path, program.text(), options)
        if 20 < len(oracle.stops) <= MOST:
            return oracle


@pytest.mark.parametrize("seed", SEEDS)
def test_reverse_commands(folder, seed):
    print("FRED_SEED=%d" % seed)
    rnd = random.Random(seed)
    features = {name: rnd.random() < 0.5 for name in FEATURES}
    oracle = make_program(folder, rnd, rnd.choice(OPTIONS), **features)
    wanderer = Wanderer(rnd, oracle)
    walk = Walk(folder, oracle)
    for _ in range(3):
        wanderer.forward(walk)
        for _ in range(rnd.randrange(1, 5)):
            wanderer.backward(walk)
        if walk.at[1]:
            walk.do("fred-reverse-step")    # forward() begins at a stop
            walk.moved((walk.at[0], False), oracle.stops[walk.at[0]], "to the start of the statement")
