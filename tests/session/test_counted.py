# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of the user's is counted while pdb traces it: what is known at its end of the last stops, without running it again.

Random programs: the same command under the clock tells each stop.  FRED_SEED replays one seed, FRED_ROUNDS sets how many programs each
Python gets."""
import os
import random

from clock_peer import Peer
from clock_program import Program

ROUNDS = int(os.environ.get("FRED_ROUNDS", "8"))
SEED = os.environ.get("FRED_SEED")
chance = random.Random(6 if os.environ.get("CI") else None)


def start(python, path):
    return Peer([python, "-m", "pdb", os.path.basename(path)], cwd=os.path.dirname(path))


def last_before_now(ticks, depth, at_tick):
    """The number of the last tick so deep or less deep; that where the program stands is none."""
    past = ticks[:-1] if at_tick else ticks
    return max([i for i, (_, at) in enumerate(past, 1) if at <= depth], default=0)


def trial(python, path, rnd):
    """How many depths were known."""
    lines = sum(1 for _ in open(path))
    # A breakpoint that is never reached keeps pdb tracing.
    before = ["b %d, T[0] %% 7 == 3" % rnd.randrange(1, lines), "b 1, T[0] < 0"] + rnd.choice([["step"] * rnd.randrange(30), ["next"] * 5])
    command = rnd.choice(["continue", "c", "next", "until", "return", "next ;; next"])
    with start(python, path) as counted, start(python, path) as clocked:
        for line in before:
            counted.line(line)
            clocked.line(line)
        end = counted.line(command)
        if ";;" in command:
            clocked.run("next")
            ticks = clocked.ticks
            clocked.run("next")
            clocked.ticks = ticks + clocked.ticks
        else:
            clocked.run(command)
        assert end.stop == clocked.prompt.stop
        known = 0
        for depth in range(1, end.depth + 3):
            answer = counted.ask("D", depth)
            if answer and not end.restarted:
                assert answer == [str(last_before_now(clocked.ticks, depth, not clocked.prompt.inside)), str(len(clocked.ticks))], \
                    (before, command, depth, clocked.ticks)
                known += 1
        assert known == 0 or not end.post_mortem
        return known


def test_last_stops(python, tmp_path):
    path, known = str(tmp_path / "p.py"), 0
    for seed in [int(SEED)] if SEED else chance.sample(range(1 << 30), ROUNDS):
        rnd = random.Random(seed)
        with open(path, "w") as file:
            file.write(Program(seed).text())
        print("FRED_SEED=%d %s" % (seed, path))
        for _ in range(3):
            known += trial(python, path, rnd)
    assert known > 0


def test_not_known(python, tmp_path):
    """Where pdb does not trace, where the program itself has taken over, after what is no run, and where the way to here was another."""
    path = tmp_path / "p.py"
    path.write_text("import sys\ndef f():\n    return 1\nf()\nf()\nsys.settrace(None)\nbreakpoint()\nf()\nf()\n")
    with start(python, str(path)) as peer:
        assert peer.ask("D", 99) == []
        peer.line("b 5")
        peer.line("continue")
        assert peer.ask("D", 99) != []
        peer.line("p 1")
        assert peer.ask("D", 99) != []
        peer.line("!x = 1")
        assert peer.ask("D", 99) == []
        peer.line("step")
        assert peer.ask("D", 99) == []
        peer.line("return")
        assert peer.ask("D", 99) != []
        peer.run("step", 1)
        assert peer.ask("D", 99) == []
        peer.line("clear 1")
        peer.line("continue")
        assert peer.prompt.place[1] in (7, 8) and peer.ask("D", 99) == []


def test_nothing_is_left_of_it(python, tmp_path):
    """At a prompt sys.settrace() is as pdb knows it; and what the program has kept of it during a run works afterwards."""
    path = tmp_path / "p.py"
    path.write_text("import sys\nkept = sys.settrace\ndef f():\n    return sys._getframe().f_trace\nf()\nx = 1\n"
                    "kept(None)\nx = 2\nprint('the end')\n")
    with start(python, str(path)) as peer:
        before = peer.value("id(__import__('sys').settrace), __import__('sys').gettrace()")
        peer.line("b 6")
        peer.line("continue")
        assert peer.prompt.place[1] == 6
        assert peer.value("id(__import__('sys').settrace), __import__('sys').gettrace()") == before
        assert peer.line("continue").restarted and "the end" in peer.printed()
