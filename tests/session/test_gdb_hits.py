# SPDX-License-Identifier: GPL-3.0-or-later
"""fred-reverse-continue where the hits of breakpoints are counted at full speed, and not looked for statement by statement."""
import os
import random
import re
import shutil

import pytest

from gdb_pair import Gdb, build
from random_c_program import CProgram, compile_text, function_names

pytestmark = pytest.mark.skipif(not shutil.which("gdb") or not shutil.which("gcc"), reason="no gdb or no gcc here")

SEED = os.environ.get("FRED_SEED")
ROUNDS = int(os.environ.get("FRED_ROUNDS", "3"))
chance = random.Random(None if "FRED_ROUNDS" in os.environ else 7)
SEEDS = [int(SEED)] if SEED else chance.sample(range(10**6), ROUNDS)

LOOP = """#include <stdio.h>
#include <stdlib.h>
long total, rare;
static long mix(long a, long b)
{
	long r = a ^ b;
	r += a & 7;
	return r & 15;
}
static void seldom(long i)
{
	rare = i;
}
static int order(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}
static void end(void)
{
	total++;
}
static void work(long n)
{
	for (long i = 0; i < n; i++) {
		total += mix(i, total);
		if (i % 400 == 100)
			seldom(i);
	}
	end();
}
int main(int argc, char **argv)
{
	int v[] = {3, 1, 2, 5, 4};
	long n = argc > 1 ? atol(argv[1]) : 1000;
	qsort(v, 5, sizeof *v, order);
	work(n);
	work(3);
	printf("%ld\\n", total);
	return 0;
}
"""
LINES = {text.strip(): number for number, text in enumerate(LOOP.split("\n"), 1)}

# Does what a file says.
UNLIKE = """#include <stdio.h>
long total;
static void one(long i)
{
	total += i;
}
static void end(void)
{
	total++;
}
int main(void)
{
	long n = 0;
	FILE *file = fopen("rounds", "r");
	fscanf(file, "%ld", &n);
	fclose(file);
	for (long i = 0; i < n; i++)
		one(i);
	if (n > 500)
		end();
	return 0;
}
"""

VALUES = 'printf "%d %d %d %d %d %lx %lx\\n", T, G[0], G[1], G[2], G[3], $sp, $pc'
COUNTED = re.compile(r"session: (\d+) hits ")


class Walk:
    """A session with a log.  by_ticks: what keeps hits from being counted."""

    def __init__(self, folder, program, name="log", by_ticks=None):
        self.log, self.by_ticks = os.path.join(folder.work, name), by_ticks
        self.session = Gdb(folder, "-nx", "-ex", "set confirm off", "-ex", "set debug-file-directory /nonexistent", program, snapshots=True, options=("--log", self.log))

    def do(self, *commands):
        for command in commands:
            answer = self.session.do(command)
        return re.sub(r"\x1b\[K(FReD: [^\n]*)?", "", answer)

    def counted(self):
        """Numbers of hits that have been counted so far."""
        with open(self.log) as file:
            return [int(match.group(1)) for match in COUNTED.finditer(file.read())]

    def kill(self):
        self.session.kill()


@pytest.fixture
def start(folder):
    walks = []

    def begin(program, *arguments):
        walks.append(Walk(folder, program, *arguments))
        return walks[-1]

    yield begin
    for walk in walks:
        walk.kill()


@pytest.fixture
def loop(folder, start):
    """At end(), after 1000 rounds."""
    walk = start(build(folder.work, "loop.c", text=LOOP))
    walk.do("break end", "run")
    return walk


def value(walk, text):
    return walk.do("output " + text)


def test_the_previous_of_a_thousand(loop):
    loop.do("break mix")
    answer = loop.do("fred-reverse-continue")
    assert re.match(r"mix \(a=999, b=\d+\) at \S*loop.c:%d\n%d\t\tlong r = a \^ b;" % (LINES["long r = a ^ b;"], LINES["long r = a ^ b;"]), answer)
    assert max(loop.counted()) > 1000
    assert value(loop, "a") == "999"
    # From there on all is as ever.
    loop.do("fred-reverse-step")
    assert value(loop, "i") == "999" and "total += mix(i, total);" in loop.do("frame")
    loop.do("fred-reverse-next")
    assert "for (long i = 0; i < n; i++) {" in loop.do("frame")
    loop.do("fred-reverse-continue")
    assert value(loop, "a") == "998"
    loop.do("fred-reverse-continue 3")
    assert value(loop, "a") == "995"
    loop.do("fred-reverse-continue 300")
    assert value(loop, "a") == "695"
    assert "already hit" not in loop.do("info breakpoints 2")
    loop.do("next")
    assert value(loop, "r") == str(695 ^ int(value(loop, "b")))
    loop.do("fred-undo 7")
    assert "end ()" in loop.do("frame")
    loop.do("delete 2", "continue")
    assert "Continuing" not in loop.do("fred-history")


def test_forward_again(loop):
    loop.do("break mix", "fred-reverse-continue 10")
    assert value(loop, "a") == "990"
    loop.do("continue")
    assert value(loop, "a") == "991"
    loop.do("delete 2", "continue")
    assert "end ()" in loop.do("frame")


def test_counts_conditions_and_what_is_disabled(loop):
    loop.do("break mix if a % 100 == 7", "break seldom", "ignore 3 1000", "break work", "disable 4", "fred-reverse-continue")
    assert value(loop, "a") == "907"
    loop.do("fred-reverse-continue 2")          # 900: seldom(); it is ignored forward, not backward
    assert value(loop, "a") == "807"
    loop.do("fred-reverse-continue 2")
    assert value(loop, "a") == "607"
    loop.do("fred-reverse-continue 2")
    assert value(loop, "i") == "500" and "seldom" in loop.do("frame")
    loop.do("tbreak %d" % LINES["end();"], "fred-reverse-continue 5")
    assert value(loop, "i") == "100" and "seldom" in loop.do("frame")
    assert max(loop.counted()) > 10
    assert "No more reverse-execution history" in loop.do("fred-reverse-continue 9")


def test_interleaved(loop):
    loop.do("break mix", "break %d" % LINES["return r & 15;"], "break seldom", "fred-reverse-continue")
    assert value(loop, "a") == "999" and "return r & 15;" in loop.do("frame")
    loop.do("fred-reverse-continue")
    assert value(loop, "a") == "999" and "long r = a ^ b;" in loop.do("frame")
    loop.do("fred-reverse-continue 198")        # two a round, and behind mix(900) one more
    assert value(loop, "a") == "900" and "return r & 15;" in loop.do("frame")
    loop.do("fred-reverse-continue")
    assert value(loop, "a") == "900" and "long r = a ^ b;" in loop.do("frame")
    loop.do("fred-undo 3", "fred-reverse-continue 198")
    assert value(loop, "i") == "900" and "seldom" in loop.do("frame")
    assert loop.counted()


def test_an_earlier_command(loop):
    loop.do("continue")                         # end() of work(3)
    loop.do("delete", "break seldom", "fred-reverse-continue")
    assert value(loop, "i") == "900"
    loop.do("fred-undo", "break end", "fred-reverse-continue")
    assert "end ()" in loop.do("frame") and "work (n=1000)" in loop.do("bt")
    loop.do("fred-reverse-continue 2")
    assert value(loop, "i") == "500"
    assert loop.counted()


def test_where_code_without_lines_calls(loop):
    """`step` stops in its first call alone."""
    loop.do("break order if *(const int *)a == 5")
    answer = loop.do("fred-reverse-continue")
    assert "a breakpoint is reached, or a watchpoint triggers, in what is executed from here to the next stop:" in answer, answer
    assert "qsort(v, 5, sizeof *v, order);" in answer and loop.counted()


def test_none(loop):
    loop.do("delete", "break mix", "break main", "disable")
    assert "No more reverse-execution history" in loop.do("fred-reverse-continue")
    assert "main" in loop.do("frame") and value(loop, "total") == "0"


def test_from_the_end_of_the_program(folder, start):
    walk = start(build(folder.work, "loop.c", text=LOOP))
    walk.do("run", "break seldom", "fred-reverse-continue")
    assert value(walk, "i") == "900" and walk.counted()
    walk.do("fred-reverse-continue")
    assert value(walk, "i") == "500"


def test_in_a_long_run(folder, start):
    """A million statements from one hit to the other, and to the end."""
    walk = start(build(folder.work, "loop.c", text=LOOP))
    walk.do("break end", "run 400000", "break seldom if i % 200000 == 100", "fred-reverse-continue")
    assert value(walk, "i") == "200100" and value(walk, "rare") == "199700"
    walk.do("fred-reverse-step")
    assert "seldom(i);" in walk.do("frame") and value(walk, "i") == "200100"
    walk.do("fred-reverse-continue")
    assert value(walk, "i") == "100" and value(walk, "rare") == "0"
    walk.do("next")
    assert value(walk, "rare") == "100"
    walk.do("delete", "break end", "continue")
    assert "end ()" in walk.do("frame") and len(walk.counted()) > 2


def test_another_run(folder, start):
    """What does not come to its end again is refused."""
    rounds = os.path.join(folder.work, "rounds")
    walk = start(build(folder.work, "unlike.c", text=UNLIKE))
    with open(rounds, "w") as file:
        file.write("700 ")
    walk.do("break end", "break main", "run", "continue")
    total = value(walk, "total")
    with open(rounds, "w") as file:
        file.write("300 ")
    walk.do("break one")
    answer = walk.do("fred-reverse-continue")
    assert "did not run the same way again" in answer, answer
    assert "end ()" in walk.do("frame") and value(walk, "total") == total


def wander(rnd, lines, functions):
    """Commands: forward, and back by hits of other breakpoints."""
    def place():
        return rnd.choice(functions) if rnd.random() < 0.5 else str(rnd.choice(lines))

    commands = []
    for _ in range(rnd.randrange(1, 4)):
        commands += ["delete", "break " + place() + rnd.choice(["", " if T > %d" % rnd.randrange(60)])]
        commands += ["ignore $bpnum %d" % rnd.randrange(1, 9)] * rnd.randrange(2)
        commands += ["continue"] + rnd.choice([[], ["step"], ["finish"], ["stepi 3"]])
    commands.append("delete")
    for _ in range(rnd.randrange(1, 4)):
        commands.append(rnd.choice(["break ", "break ", "tbreak "]) + place() + rnd.choice(["", "", " if T % 3", " if G[1] > 2"]))
        commands += rnd.choice([[], [], ["ignore $bpnum 4"], ["disable $bpnum"]])
    return commands


def back(rnd):
    return ["fred-reverse-continue" + rnd.choice(["", "", " 2", " 3", " 7"])] * rnd.randrange(1, 4) + \
        rnd.choice([[], ["fred-reverse-step"], ["fred-reverse-next"], ["fred-reverse-stepi"], ["fred-reverse-finish"]])


@pytest.mark.parametrize("seed", SEEDS)
def test_as_by_ticks(folder, start, seed):
    """Both ways lead through random programs to the same places, in the same states."""
    print("FRED_SEED=%d" % seed)
    rnd = random.Random(seed)
    path = os.path.join(folder.work, "p")
    text = CProgram(rnd.random(), signals=rnd.random() < 0.5, tails=rnd.random() < 0.5).text() + "\nint never;\n"
    compile_text(text, path, "-O0", "-Wl,-z,now")
    lines = [number for number, line in enumerate(text.split("\n"), 1) if line.startswith("\t")]
    commands = wander(rnd, lines, function_names(text))
    walks = [start(path, "counts"), start(path, "ticks")]
    for walk in walks:
        walk.do("set pagination off", "set width 0", "break main", "run", *commands)
    walks[1].do("watch never")
    for command in [each for _ in range(5) for each in back(rnd)]:
        answers = [[walk.do(each) for each in (command, "bt 3", VALUES)] for walk in walks]
        assert answers[0] == answers[1], (commands, command)
    assert not walks[1].counted()
