# SPDX-License-Identifier: GPL-3.0-or-later
"""Random programs, random commands: each reverse command against its definition, by brute force.

The oracle is bare pdb: it steps through the whole run once (stops.py, and again on a terminal for the texts it
prints).  Then fredapp goes forward with random commands and backward with every reverse command.
FRED_SEED=N runs one seed; FRED_ROUNDS how many programs."""
import json
import os
import random
import re
import subprocess

import pytest

import random_program
from test_paper import history_of, spelled_out

SEED = os.environ.get("FRED_SEED")
ROUNDS = int(os.environ.get("FRED_ROUNDS", "6"))
# Continuous integration judges a change, by the same programs each time; new ones are looked for at every run by hand.
chance = random.Random(1 if os.environ.get("CI") else None)
SEEDS = [int(SEED)] if SEED else list(range(1, ROUNDS)) + [chance.randrange(10**6)]
EXPRESSIONS = ["x", "len(l)", "T > 9", "T // 7", "n", "sum(l) > 3", "a", "len(b) % 3", "'x' in dir()"]


class Oracle:
    def __init__(self, folder, bare, python, seed):
        self.path = os.path.join(folder.work, "random_%d.py" % seed)
        with open(self.path, "w") as file:
            file.write(random_program.program(seed))
        done = subprocess.run([python, os.path.join(os.path.dirname(__file__), "stops.py"), self.path, "1500",
                               *EXPRESSIONS], capture_output=True, text=True, check=True, env=folder.environment())
        self.stops = json.loads(done.stdout)
        while self.stops[-1]["depth"] == 0:         # bdb's own code, after the program
            self.stops.pop()
        session = bare(argv=[python, "-m", "pdb", self.path])
        texts = [session.banner.replace("\r\n", "\n")]
        for _ in self.stops[1:]:
            texts.append(session.do("step"))
        for stop, text in zip(self.stops, texts):
            stop["text"] = text
        session.quit()

    def __len__(self):
        return len(self.stops)

    def stack(self, i):
        return [activation for activation, _, _ in self.stops[i]["frames"]]

    def reverse_step(self, i):
        return i - 1

    def reverse_next(self, i):
        return max((j for j in range(i) if self.stack(j)[-1] in self.stack(i)), default=-1)

    def reverse_finish(self, i):
        return max((j for j in range(i) if self.stack(j)[-1] in self.stack(i)[:-1]), default=-1)

    def reverse_continue(self, i, lines):
        return max((j for j in range(i) if self.stops[j]["kind"] == "line" and self.stops[j]["line"] in lines and
                    self.stops[j]["file"] == os.path.basename(self.path)), default=-1)

    def values(self, i, expression):
        """What the expression is, at each stop up to i, in the activation that is selected at i, or if it needs none of its
        variables in the outermost for which that is so too."""
        frames, number, values = self.stops[i]["frames"], EXPRESSIONS.index(expression), []
        activation = frames[-1][0] if frames[-1][2][number] else next(each[0] for each in frames if not each[2][number])
        for stop in self.stops[:i + 1]:
            found = [each[1] for each in stop["frames"] if each[0] == activation]
            values.append(found[0][number] or "undefined" if found else "unborn")
        return values


def shown(text):
    """A place as pdb prints it, without a stale return value.

    Where pdb has stopped at the --Return-- of a generator, it goes on to show that value at the generator's later stops: a
    variable of its own that it left in the frame.  Whoever came there without that stop does not see it."""
    return text if text.startswith("--Return--") else re.sub(r"^(> \S+\(\d+\)\S*\(\))->.*$", r"\1", text, flags=re.M)


class Walk:
    """A fredapp session whose place among the oracle's stops is known."""

    def __init__(self, session, oracle):
        self.session, self.oracle = session, oracle
        self.at = 0
        self.log = []

    def do(self, command):
        answer = re.sub(r"\r\x1b\[K(FReD: [^\r\n]*)?", "", self.session.do(command))     # progress
        self.log.append("%s -> %s" % (command, answer.strip().replace("\n", " | ")))
        return answer

    def look(self):
        """The indices of the stops that this place may be."""
        where = self.session.do("where")
        entries = re.findall(r"^[> ] (\S+)\((\d+)\)(\S+)\(\)", where, re.M)
        ours = [entry for entry in entries if entry[0] in (self.oracle.path, "<string>")]
        top = self.session.do("p T").strip()
        line, name = int(entries[-1][1]), entries[-1][2]
        return {i for i, stop in enumerate(self.oracle.stops)
                if stop["depth"] == len(ours) and stop["line"] == line and stop["function"] == name and
                (top == str(stop["T"]) or stop["T"] is None and "NameError" in top)}

    def forward(self, command):
        """A forward move; taken back when it leaves the program."""
        answer = self.do(command)
        if "The program finished" in answer:        # `return` in a generator runs to its very end
            self.do("fred-undo")
            assert self.at in self.look(), self.report("undo leads back to stop %d" % self.at)
            return
        found = {i for i in self.look() if shown(self.oracle.stops[i]["text"]) == shown(answer) and i > self.at}
        for _ in range(10):
            if len(found) == 1:
                break
            answer = self.do("step")
            found = {i for i in self.look() if shown(self.oracle.stops[i]["text"]) == shown(answer) and i > self.at}
        assert len(found) == 1, self.report("where did that lead: %r of %s" % (answer, sorted(found)))
        self.at = found.pop()

    def report(self, what):
        return "%s\nseen so far:\n%s" % (what, "\n".join(self.log[-12:]))

    def backward(self, command, target):
        answer = self.do(command)
        if target < 0:
            assert "FReD: No more reverse-execution history.\n" in answer, self.report("start expected")
            target = 0
        if self.at == 0:
            assert answer == "FReD: No more reverse-execution history.\n", self.report("stays at the start")
            return
        stop = self.oracle.stops[target]
        assert shown(answer.replace("FReD: No more reverse-execution history.\n", "")) == shown(stop["text"]), \
            self.report("expected stop %d: %r" % (target, stop))
        assert target in self.look(), self.report("expected stop %d: %r" % (target, stop))
        self.at = target


def start(folder, fred, bare, python, seed):
    print("FRED_SEED=%d" % seed)
    oracle = Oracle(folder, bare, python, seed)
    walk = Walk(fred(argv=[python, "-m", "pdb", oracle.path]), oracle)
    return oracle, walk, random.Random(seed + 1)


def wander(walk, chance, most=4):
    """Some random forward moves that stay within the program."""
    for _ in range(chance.randrange(1, most + 1)):
        left = len(walk.oracle) - walk.at
        if left < 12:
            return
        command = chance.choice(["step", "step", "next", "next", "return", "continue"])
        if command == "continue":
            ahead = [stop["line"] for stop in walk.oracle.stops[walk.at + 1:-6] if stop["kind"] == "line" and
                     stop["file"] == os.path.basename(walk.oracle.path)]
            if not ahead:
                continue
            walk.do("tbreak %d" % chance.choice(ahead))
        elif command == "return" and walk.oracle.stops[walk.at]["depth"] <= 2:
            continue
        walk.forward(command)


@pytest.mark.parametrize("seed", SEEDS)
def test_reverse_commands(folder, fred, bare, python, seed):
    oracle, walk, chance = start(folder, fred, bare, python, seed)
    for _ in range(14):
        wander(walk, chance)
        how, now = chance.choice(["step", "next", "finish"]), walk.at
        count, target = chance.choice([1, 1, 1, 2, 3]), walk.at
        for _ in range(count if how != "finish" else 1):
            target = getattr(oracle, "reverse_" + how)(target) if target >= 0 else target
        walk.backward("fred-reverse-%s%s" % (how, " %d" % count if count > 1 and how != "finish" else ""), target)
        if now > 0 and chance.random() < 0.4:       # at the start nothing moved, and nothing is there to undo
            walk.do("fred-undo")
            assert now in walk.look(), walk.report("undo leads back to stop %d" % now)
            walk.at = now


@pytest.mark.parametrize("seed", SEEDS)
def test_reverse_continue(folder, fred, bare, python, seed):
    oracle, walk, chance = start(folder, fred, bare, python, seed)
    lines = [stop["line"] for stop in oracle.stops if stop["kind"] == "line" and stop["depth"] > 1]
    for _ in range(6):
        wander(walk, chance, 6)
        chosen = {chance.choice(lines) for _ in range(2)}
        numbers = []
        for line in chosen:
            numbers.append(re.match(r"Breakpoint (\d+)", walk.do("break %d" % line)).group(1))
        count, target = chance.choice([1, 1, 2]), walk.at
        for _ in range(count):
            target = oracle.reverse_continue(target, chosen) if target >= 0 else target
        walk.backward("fred-reverse-continue%s" % (" %d" % count if count > 1 else ""), target)
        walk.do("clear " + " ".join(numbers))


def changes(values, which):
    """The stops of which fred-reverse-watch may name any."""
    now = len(values) - 1
    if values[now] == "undefined":
        return []
    if which == "--first ":
        first = next(j for j in range(now + 1) if values[j] not in ("unborn", "undefined"))
        return [j for j in range(first, now) if values[j + 1] != values[first]][:1]
    valid = [j for j in range(now) if values[j] != values[now] and values[j + 1] == values[now]]
    return valid[-1:] if which == "--last " else valid


@pytest.mark.parametrize("seed", SEEDS)
def test_reverse_watch(folder, fred, bare, python, seed):
    oracle, walk, chance = start(folder, fred, bare, python, seed)
    for _ in range(8):
        wander(walk, chance, 6)
        expression, now, which = chance.choice(EXPRESSIONS), walk.at, chance.choice(["", "--first ", "--last "])
        values = oracle.values(now, expression)
        answer = walk.do("fred-reverse-watch %s%s" % (which, expression))
        expected = changes(values, which)
        if not expected:
            assert re.match("FReD: ", answer), walk.report("no change: say so")
            assert now in walk.look(), walk.report("stays where it was, at stop %d" % now)
            continue
        found = walk.look()
        if not which and now in found and "--last" in answer:
            # Sampling saw no difference between both ends: allowed, and said.
            assert values[0] == values[now] or "unborn" in values, walk.report("both ends differ")
            continue
        expected = set(expected)
        assert found & expected, walk.report("expected one of the stops %s, came to %s; values %s" %
                                             (sorted(expected), sorted(found), values))
        after = values[now] if which != "--first " else values[min(expected) + 1]
        assert after.lower() in answer.lower(), walk.report("the value is told")
        walk.at = min(found & expected)
        if len(found) > 1:
            walk.do("fred-undo")
            walk.at = now


@pytest.mark.parametrize("seed", SEEDS)
def test_history_leads_here(folder, fred, bare, python, seed):
    """The commands that fred-history shows lead a bare pdb to the same place."""
    oracle, walk, chance = start(folder, fred, bare, python, seed)
    for _ in range(3):
        wander(walk, chance)
        target = oracle.reverse_next(walk.at)
        walk.backward("fred-reverse-next", target)
    commands = spelled_out(history_of(walk.do("fred-history")))
    session = bare(argv=[python, "-m", "pdb", oracle.path])
    answer = session.banner.replace("\r\n", "\n")
    commands = list(commands)
    for command, following in zip(commands, commands[1:] + [""]):
        # The list reads as with breakpoints disabled; of those set here only the one that a `continue` ran to matters.
        if command and not (command.startswith("tbreak") and following != "continue"):
            answer = session.do(command)
    assert Walk(session, oracle).look() & walk.look(), walk.report("by hand: " + answer)
