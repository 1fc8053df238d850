# SPDX-License-Identifier: GPL-3.0-or-later
"""The statement clock of the agent in gdb, against the definition: a tick is a stop that `step` makes.

Random C programs are stepped through to the end; then commands that move are given at random places, by gdb alone and in
steps under the clock, and everything must be the same: where it ended, what is left of the breakpoints; the trace must be
the piece of the stepping that lies between, with depths and kinds as full unwinding and a count of all calls give them.
FRED_SEED replays one seed, FRED_ROUNDS sets how many programs there are."""
import os
import random

import pytest
from gdb_clock_peer import FOREVER, run_jobs
from random_c_program import CProgram, compile_program, function_names

ROUNDS = int(os.environ.get("FRED_ROUNDS", "3"))
TRIALS = int(os.environ.get("FRED_TRIALS", "6"))
SEED = os.environ.get("FRED_SEED")
MOST = 900
# More rounds are asked for to find something new.
chance = random.Random(None if "FRED_ROUNDS" in os.environ else 3)
LINE, FUNCTION, DEPTH, PC, SP, THREAD, KIND = range(7)
VALUES = ["T", "G[0]", "G[1]", "G[2]", "G[3]"]


def step_through(path, text):
    found, _ = run_jobs(path, ["give", ["tbreak main", "run"]], ["walk", MOST + 1, function_names(text)])
    return found[1]


def lines_of(stops):
    return sorted({stop[LINE][1] for stop in stops if stop[LINE]})


def choose_breakpoints(rnd, stops):
    lines = lines_of(stops)
    commands = []
    for number in range(2, 2 + rnd.choice([0, 1, 1, 2])):
        commands.append("%s %d%s" % (rnd.choice(["break", "break", "tbreak"]), rnd.choice(lines), rnd.choice(
            ["", "", " if T % 2", " if G[1] > 2"])))
        if rnd.random() < 0.3:
            commands.append("ignore %d %d" % (number, rnd.randrange(1, 4)))
        elif rnd.random() < 0.2:
            commands.append("python gdb.breakpoints()[-1].commands = %r" % rnd.choice(
                ["silent\nprint T\ncontinue", "print G", "silent\nnext", "set var $a = 1\nstep"]))
    if rnd.random() < 0.15:
        commands.append("watch G[%d]" % rnd.randrange(4))
    return commands


def choose(rnd, stops, at):
    depth, line = stops[at][DEPTH], rnd.choice(lines_of(stops))
    return rnd.choice(["next", "next", "next", "next %d" % rnd.randrange(2, 6), "step", "step %d" % rnd.randrange(2, 9),
                       "continue", "continue", "until", "until %d" % line, "advance %d" % line, "stepi", "nexti",
                       "stepi %d" % rnd.randrange(2, 30), "nexti %d" % rnd.randrange(2, 12)]
                      + ["finish", "finish"] * (depth > 1))


def check(run, stops, at):
    """A run of the clock against the stepping."""
    stop, ticks, place, _ = run
    assert not stop["diverged"], stop
    assert stop["tick"] == len(ticks)
    expected = [[each[KIND], each[DEPTH], 0] for each in stops[at + 1:at + 1 + len(ticks)]]
    for i, pair in enumerate(zip(ticks, expected)):
        assert pair[0] == pair[1], "tick %d: %r, stepping gives %r" % (i + 1, pair[0], stops[at + 1 + i])
    assert len(ticks) == len(expected)
    if place is None:
        assert at + len(ticks) == len(stops) - 1 and stop["inside"]
        return
    # What was called since the last stop is not counted.
    assert stop["depth"] == place[DEPTH] or stop["inside"] and stop["depth"] < place[DEPTH]
    if not stop["inside"]:
        assert place == stops[at + len(ticks)][:KIND]


def survives(stops, depth, came, to):
    """Is the activation at that depth at one stop that at another one?"""
    return all(stop[DEPTH] >= depth and (stop[KIND] == 0 or stop[DEPTH] > depth) for stop in stops[came + 1:to + 1])


def leap_trial(path, stops, at, setup, command, end, last, rnd):
    """A leap from a tick to another, `last` being the last before the end; a cut one leads nowhere, but a second one to the
    tick that it names does."""
    came = rnd.randrange(last + 1)
    limit, watched = came + rnd.randrange(1, last + 4 - came), rnd.choice([0, 0, *range(1, stops[at + came][DEPTH] + 2)])
    while limit > came:
        print("leap from tick %d to %d, with an eye on depth %d" % (came, limit, watched))
        (_, _, result), _ = run_jobs(path, ["give", setup], ["clock", command, end, came], ["leap_to", limit, watched])
        assert isinstance(result, list), result
        cut, stop, _, place, _ = result
        if not cut:
            stopped = stops[at + limit]
            assert limit <= last and stop["tick"] == limit and place == stopped[:KIND]
            assert [stop["depth"], stop["kind"]] == [stopped[DEPTH], stopped[KIND]]
            assert not watched or stopped[DEPTH] < watched or survives(stops, watched, at + came, at + limit)
            return
        assert came <= stop["tick"] < limit
        limit = stop["tick"]


def whole_leap(path, stops):
    """Through all of the program, which nothing cuts."""
    last = len(stops) - 1
    (_, _, (cut, stop, _, place, _)), _ = run_jobs(path, ["give", ["tbreak main", "run"]], ["clock", "continue", "exit||0|0||", 0],
                                                   ["leap_to", last, 0])
    assert not cut and stop["tick"] == last and place == stops[last][:KIND]


def whole_trial(path, stops, rnd):
    setup, end = ["tbreak main", "run"], "exit||0|0||"
    leap_trial(path, stops, 0, setup, "continue", end, len(stops) - 1, rnd)


def trial(path, stops, rnd):
    at = rnd.randrange(len(stops) - 1)
    setup = ["tbreak main", "run"] + (["step %d" % at] if at else []) + choose_breakpoints(rnd, stops)
    command = choose(rnd, stops, at)
    what = "%r, then %r\nat %r" % (setup, command, stops[at])
    print(what)
    (first, (end, place, state), values, _, after), printed = run_jobs(
        path, ["give", setup], ["plain", command], ["describe", VALUES], ["give", ["delete"]], ["step_to_line"])
    assert first == stops[at][:KIND]
    if isinstance(after, dict):
        after = None
    if end.startswith("place?"):
        (_, end), _ = run_jobs(path, ["give", setup], ["measure", command, end])
    print(end)
    (_, run, same), printed = run_jobs(path, ["give", setup], ["clock", command, end, FOREVER], ["describe", VALUES])
    assert isinstance(run, list), run
    check(run, stops, at)
    assert same == values
    stop, ticks, reached, clock_state = run
    assert (reached or [0] * 6)[PC:] == (place or [0] * 6)[PC:]
    assert stop["end"]
    assert clock_state == state
    # One more step leads to the tick after the last; from inside a statement it may pass the start of another entry of
    # the same line in the line table, or of the rest of a function that has no lines.
    if place is not None:
        following = [each[:KIND] for each in stops[at + stop["tick"] + 1:]] + [None]
        assert after in (following if stop["inside"] else following[:1])
    jobs, limits = [["give", setup]], sorted(rnd.randrange(1, len(ticks) + 2) for _ in range(3))
    for limit in limits + [FOREVER]:
        jobs.append(["clock", command if len(jobs) == 1 else None, end, limit])
    (_, *runs), _ = run_jobs(path, *jobs)
    so_far = []
    for limit, run in zip(limits + [FOREVER], runs):
        so_far += run[1]
        check([run[0], so_far] + run[2:], stops, at)
        if limit < stop["tick"]:
            assert run[0]["tick"] == limit and not run[0]["end"]
    assert so_far == ticks and runs[-1][0] == stop and runs[-1][2] == reached and runs[-1][3] == state
    for _ in range(2 if ticks else 0):
        leap_trial(path, stops, at, setup, command, end, len(ticks) - (not stop["inside"]), rnd)


@pytest.mark.parametrize("options", [["-O0"], ["-O0", "-fcf-protection"], ["-O1", "-fno-inline"]], ids=" ".join)
def test_clock_is_stepping(options, tmp_path):
    seeds = [int(SEED)] if SEED else chance.sample(range(1 << 30), ROUNDS)
    path = str(tmp_path / "p")
    for seed in seeds:
        rnd, stops, tries = random.Random(seed), [], 0
        while len(stops) < 15 or len(stops) > MOST:
            tries += 1
            program = CProgram("%d.%d" % (seed, tries))
            compile_program(program, path, *options)
            stops = step_through(path, program.text())
        print("FRED_SEED=%d: %d stops, %s" % (seed, len(stops), path))
        for _ in range(TRIALS):
            trial(path, stops, rnd)
        for _ in range(4):
            whole_trial(path, stops, rnd)
        whole_leap(path, stops)
