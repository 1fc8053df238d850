# SPDX-License-Identifier: GPL-3.0-or-later
"""The statement clock of the agent in pdb, against the definition: a tick is a stop that `step` would make.

Random programs are stepped through to the end; then commands that move are given at random places, by pdb alone and
under the clock, and everything must be the same: what was printed, where it ended, what is left of the breakpoints, what
the next command does; and the trace must be the piece of the stepping that lies between.  FRED_SEED replays one seed,
FRED_ROUNDS sets how many programs each Python gets."""
import os
import random
import re

from clock_peer import Peer
from clock_program import Program

ROUNDS = int(os.environ.get("FRED_ROUNDS", "5"))
TRIALS = 6
SEED = os.environ.get("FRED_SEED")
chance = random.Random(2 if os.environ.get("CI") else None)     # the same programs for every change that CI judges


def start(python, path):
    return Peer([python, "-m", "pdb", os.path.basename(path)], cwd=os.path.dirname(path))


def finished(prompt):
    return prompt.restarted or prompt.post_mortem


def step_through(python, path, most):
    """Every stop of the program, or None when there are too many."""
    with start(python, path) as peer:
        stops = [peer.prompt.stop]
        while not finished(peer.line("step")):
            stops.append(peer.prompt.stop)
            if len(stops) > most:
                return None
    return stops


def choose_breakpoints(rnd, stops):
    """Breakpoints for a trial, in lines that the program reaches."""
    lines = sorted({place[1] for place, _, kind in stops if place[0] == "p.py" and kind == 0})
    commands = []
    for number in range(1, rnd.randrange(4) + 1):
        line = rnd.choice(lines)
        commands.append("%s %d%s" % (rnd.choice(["b", "b", "tbreak"]), line, rnd.choice(
            ["", "", ", T[0] % 2", ", T[0] > 30", ", no_such_name"])))
        if rnd.random() < 0.3:
            commands.append("ignore %d %d" % (number, rnd.randrange(3)))
        if rnd.random() < 0.2:
            commands += ["commands %d" % number] + rnd.choice([["p T[0]", "end"], ["silent", "end"], ["silent", "continue"]])
    if rnd.random() < 0.2:
        commands.append("b f0")
    return commands


def choose(rnd, lines):
    return rnd.choice(["continue", "continue", "next", "next", "return", "until", "until %d" % (max(lines) + 1),
                       "until %d" % rnd.choice(lines), "step", ["up", "next"], ["up", "return"], ["up", "up", "until"]])


def give(peer, commands):
    for command in commands:
        peer.line(command)


def state(peer):
    prompt = peer.prompt
    return prompt.stop, prompt.restarted, prompt.session, peer.value("T[0]"), peer.ask("s")


def printed(peer):
    """Before 3.10 a frame that was traced and is no more keeps a stale line, which is wrong in a traceback."""
    text = peer.printed()
    return re.sub(r"line \d+, in .*\n(    .*\n)?", "", text) if peer.hello[1][:4] in ("3.8.", "3.9.") else text


def same_ticks(ticks, stops, first):
    expected = [(kind, depth) for _, depth, kind in stops[first + 1:first + 1 + len(ticks)]]
    if ticks == expected:
        return
    for i, pair in enumerate(zip(ticks, expected)):
        assert pair[0] == pair[1], "tick %d from %d: %r, stepping gives %r" % (i + 1, first, pair[0], stops[first + 1 + i])
    assert len(ticks) == len(expected)


def trial(python, path, stops, rnd):
    lines = [place[1] for place, _, _ in stops if place[0] == "p.py"]
    before, at = choose_breakpoints(rnd, stops), rnd.randrange(len(stops) - 1)
    command = choose(rnd, lines)
    *select, command = [command] if isinstance(command, str) else command
    after = choose(rnd, lines)
    after = [after] if isinstance(after, str) else after
    what = "%r, %d steps, %r, %r, then %r" % (before, at, select, command, after)

    def arrive(peer):
        give(peer, before + ["step"] * at + select)

    with start(python, path) as plain, start(python, path) as clock, start(python, path) as halting:
        try:
            arrive(plain)
            first = plain.prompt.stop
            plain.line(command)
            expected = state(plain)
            arrive(clock)
            assert clock.prompt.stop == first
            clock.run(command)
            assert state(clock) == expected
            end, ticks = clock.prompt, clock.ticks
            assert end.end
            if end.post_mortem:         # the tick where the failed function was left, if it was after the start
                assert ticks[end.tick - 1] == (2, end.depth) or end.tick == len(ticks)
            else:
                assert end.tick == len(ticks)
            if first == stops[at]:      # a breakpoint's commands may have moved the program meanwhile
                same_ticks(ticks, stops, at)
                # `return` in a generator stops at the StopIteration of a `yield from`, where `step` does not.
                if not finished(end) and not end.inside:
                    assert stops[at + end.tick] == end.stop
            arrive(halting)
            limits = sorted(rnd.randrange(1, len(ticks) + 2) for _ in range(rnd.randrange(1, 4)))
            told, text = [], command
            for limit in limits:
                if limit <= len(told):
                    continue
                show = rnd.randrange(2)
                arrivals = halting.arrivals
                halting.run(text, limit, 1, "", show)
                told, text = told + halting.ticks, None
                if halting.prompt.end:
                    assert limit >= len(ticks)
                    break
                assert halting.prompt.tick == limit == len(told)
                assert halting.arrivals == arrivals + show
                if first == stops[at]:
                    assert halting.prompt.stop == stops[at + limit]
            if text is None and not halting.prompt.end or text is not None:
                halting.run(text)
                told += halting.ticks
            assert told == ticks
            assert state(halting) == expected and halting.prompt.end and halting.prompt.tick == end.tick
            for _ in range(2):
                for line in after:
                    plain.line(line), clock.line(line), halting.line(line)
                assert state(clock) == state(plain)
                assert state(halting) == state(plain)
            assert printed(clock) == printed(plain)
        except AssertionError as error:
            raise AssertionError("%s: %s\n--- pdb alone\n%s\n--- clock\n%s\n--- halting\n%s" % (
                what, error, plain.printed()[-800:], clock.printed()[-800:], halting.printed()[-800:])) from error


def test_clock_is_stepping(python, tmp_path):
    seeds = [int(SEED)] if SEED else chance.sample(range(1 << 30), ROUNDS)
    path = str(tmp_path / "p.py")
    for seed in seeds:
        rnd, stops, tries = random.Random(seed), None, 0
        while stops is None or len(stops) < 20:
            tries += 1
            with open(path, "w") as file:
                file.write(Program("%d.%d" % (seed, tries)).text())
            stops = step_through(python, path, 1500)
        print("FRED_SEED=%d: %d stops, %s" % (seed, len(stops), path))
        for _ in range(TRIALS):
            trial(python, path, stops, rnd)
