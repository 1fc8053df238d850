# SPDX-License-Identifier: GPL-3.0-or-later
"""Random programs that look at the world: at random numbers, the time, a file that they have changed themselves, addresses.

They note what they execute.  What is noted where fredapp has gone back to is what the program had executed by then, the first
time: a beginning of what is noted at the end.  Or fredapp says that the program ran in another way, or came to other values.
FRED_SEED=N runs one program, FRED_ROUNDS how many."""
import os
import random
import re

import pytest

SEED = os.environ.get("FRED_SEED")
SEEDS = [int(SEED)] if SEED else range(4 * int(os.environ.get("FRED_ROUNDS", "6")))
WORLD = ("os.urandom(1)[0] & 1", "(time.perf_counter_ns() >> 3) & 1", "counter() & 1", "random.getrandbits(1)",
         "id(object()) >> 5 & 1")
HEAD = """import os, random, time
T = []

def counter():
    n = int(open('n').read()) if os.path.exists('n') else 0
    with open('n', 'w') as file:
        file.write(str(n + 1))
    return n
"""
SAYS = re.compile("same way|came to other values|No more|no statement|has been|wherever")
MOST = 900              # FReD looks at a thousand items of a list


class Program:
    def __init__(self, seed):
        self.chance, self.noted = random.Random(seed), 0
        self.lines = HEAD.split("\n")
        for number in range(4):
            self.lines.append("def f%d():" % number)
            self.block(4, ["f%d" % each for each in range(number)])
            self.lines += ["    " + self.note("pass"), ""]
        self.lines.append("def main():")
        self.first = len(self.lines) + 1
        for _ in range(self.chance.randint(3, 6)):
            self.lines.append("    " + self.note("f%d()" % self.chance.randrange(4)))
        self.lines += ["    " + self.note("pass"), "", "main()", "print('end')", ""]

    def note(self, rest):
        self.noted += 1
        return "T.append(%d); %s" % (self.noted, rest)

    def block(self, indent, callees):
        margin, chance = " " * indent, self.chance
        for _ in range(chance.randint(2, 4)):
            kind = chance.random()
            if kind < .25 and indent < 16:
                self.noted += 1
                test = chance.choice(WORLD) if chance.random() < .6 else "len(T) % 2"
                self.lines.append("%sif T.append(%d) or %s:" % (margin, self.noted, test))
                self.block(indent + 4, callees)
                if chance.random() < .5:
                    self.lines.append(margin + "else:")
                    self.block(indent + 4, callees)
            elif kind < .4 and indent < 8:
                self.lines.append("%sfor i%d in range(%d):" % (margin, indent, chance.randint(1, 3)))
                self.block(indent + 4, callees)
            else:
                self.lines.append(margin + self.note(chance.choice(callees) + "()" if callees and kind < .6 else "x = len(T)"))


def noted(session):
    answer = session.do("p T")
    return eval(answer) if answer.startswith("[") else None


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_shown_has_been_or_it_is_said(folder, fred, seed):
    program = Program(seed)
    path = os.path.join(folder.work, "p.py")
    with open(path, "w") as file:
        file.write("\n".join(program.lines))
    session, chance = fred(path), program.chance
    session.do_all("break %d" % program.first, "continue")
    for _ in range(chance.randint(1, 4)):
        session.do(chance.choice(["next", "next", "next", "step"]))
    before = noted(session)
    if before is None or len(before) > MOST:
        pytest.skip("nothing to compare")
    for _ in range(4):
        command = chance.choice(["fred-reverse-next", "fred-reverse-step", "fred-reverse-finish", "fred-reverse-step 3",
                                 "fred-reverse-next 2", "fred-reverse-watch len(T) > %d" % chance.randint(0, len(before))])
        answer = session.do(command)
        now = noted(session)
        if now is None or "came to other values" in answer:
            break               # before there was a T; or it was said, and what comes now goes back from there
        assert now == before[:len(now)], "%s: %s\n%s\nbefore: %s\nnow: %s" % (seed, command, answer, before, now)
        assert SAYS.search(answer) or "-> " in answer, answer
    session.quit()
