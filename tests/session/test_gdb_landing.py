# SPDX-License-Identifier: GPL-3.0-or-later
"""Exceptions and longjmp() in gdb: going back passes the handlers, the destructors and the returns of setjmp(), where gdb's own
`step` may lose sight of the program."""
import os
import random
import re
import shutil

import pytest

from driver import line_with
from gdb_clock_peer import FOREVER, run_jobs
from gdb_pair import Gdb, build
from random_c_program import CProgram, compile_program, function_names

pytestmark = pytest.mark.skipif(not shutil.which("gdb") or not shutil.which("gcc"), reason="no gdb or no gcc here")
cplusplus = pytest.mark.skipif(not shutil.which("g++"), reason="no g++ here")

THROWS = """#include <cstdlib>
#include <stdexcept>
int order, depth, caught, ended;
struct Guard {
	~Guard()
	{
		ended++;
	}
};
static void thrower(int x)
{
	Guard guard;
	if (x > 0)
		throw std::runtime_error("x");
	depth = 0;
}
static int recursive(int n)
{
	depth = n;
	try {
		if (n == 3)
			thrower(n);
		recursive(n + 1);
	} catch (const std::exception &) {
		caught++;
		if (n > 1)
			throw;
	}
	return n;
}
static int compare(const void *, const void *)
{
	try {
		thrower(7);
	} catch (...) {
		order++;
	}
	return 0;
}
int main()
{
	int v[] = {2, 1};
	recursive(0);
	qsort(v, 2, sizeof *v, compare);
	try {
		qsort(v, 2, sizeof *v, [](const void *, const void *) -> int { thrower(8); return 0; });
	} catch (...) { caught += 100; }
	return caught;
}
"""
# Function and text of each stop of a `next` over recursive(0), but for the part that three calls have in common.
ENTER = """recursive:depth = n;|recursive:if (n == 3)|recursive:recursive(n + 1);""".split("|")
THROW = """recursive:depth = n;|recursive:if (n == 3)|recursive:thrower(n);|thrower:if (x > 0)
thrower:throw std::runtime_error("x");|thrower:}|Guard::~Guard:ended++;|Guard::~Guard:}""".replace("\n", "|").split("|")
HANDLE = """recursive:} catch (const std::exception &) {|recursive:caught++;|recursive:if (n > 1)""".split("|")
AGAIN = ["recursive:throw;", "recursive:}"]
LEAVE = ["recursive:}", "recursive:return n;", "recursive:}"]
WAY = ENTER * 3 + THROW + (HANDLE + AGAIN) * 2 + HANDLE + LEAVE + LEAVE[1:]

JUMPS = """#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
static jmp_buf far;
static int n, sorted;
static void deep(int d)
{
	if (d == 0)
		longjmp(far, 7);
	deep(d - 1);
	n = -1;
}
static int compare(const void *a, const void *b)
{
	jmp_buf near;
	if (setjmp(near) == 0)
		longjmp(near, 1);
	sorted++;
	return 0;
}
int main(void)
{
	int v[] = {2, 1};
	for (int i = 0; i < 3; i++) {
		if (setjmp(far) == 0)
			deep(i);
		else
			n++;
	}
	qsort(v, 2, sizeof *v, compare);
	n += 10;
	return n;
}
"""


def line(session):
    return re.search(r"^\d+\t(.*)", session.do("frame"), re.M).group(1).strip()


@pytest.fixture
def throws(folder):
    session = Gdb(folder, "-nx", "-ex", "set debug-file-directory /nonexistent", build(folder.work, "throws.cc", text=THROWS), snapshots=True)
    session.do_all("break main", "run", "break %d" % line_with(THROWS, "return caught"), "continue")
    yield session
    session.kill()


@cplusplus
def test_the_stops_of_handlers_and_destructors(folder):
    path = os.path.join(folder.work, build(folder.work, "throws.cc", text=THROWS))
    setup = ["break %d" % line_with(THROWS, "recursive(0)"), "run"]
    (_, (end, place, _)), _ = run_jobs(path, ["give", setup], ["plain", "next"])
    jobs = [["clock", None if at else "next", end, at + 1] for at in range(len(WAY) + 1)]
    (_, *runs), _ = run_jobs(path, ["give", setup], *jobs)
    text = THROWS.split("\n")
    found = ["%s:%s" % (run[2][1].split("(")[0], text[run[2][0][1] - 1].strip()) for run in runs]
    assert found[:-1] == WAY
    assert runs[-1][2] == place and runs[-1][0]["end"] and not runs[-1][0]["diverged"]
    assert [run[0]["depth"] for run in runs] == [run[2][2] for run in runs]


@cplusplus
def test_the_guilty_statement_in_a_handler(throws):
    answer = throws.do("fred-reverse-watch caught < 2")
    assert "caught < 2 was true before, false after this statement:" in answer and "FReD: the change comes" not in answer, answer
    assert "recursive (n=2)" in answer and line(throws) == "caught++;"
    throws.do("next")
    assert throws.do("output caught") == "2"


@cplusplus
def test_a_handler_in_a_function_that_is_stepped_over(throws):
    """gdb's own step does not stop in compare(), for libc calls it; but after an exception that leaves qsort() it does."""
    for text in ("} catch (...) { caught += 100; }", "try {", "qsort(v, 2, sizeof *v, compare);"):
        throws.do("reverse-next")
        if text == "try {":         # its line is that of the call
            assert "qsort(v, 2, sizeof *v, [](" in line(throws)
        else:
            assert line(throws) == text
    throws.do("fred-undo")
    throws.do("reverse-step")
    assert line(throws) == "qsort(v, 2, sizeof *v, compare);"


@cplusplus
def test_catchpoints_backwards(throws):
    throws.do_all("catch rethrow", "reverse-continue", "reverse-continue")
    assert line(throws) == "throw;" and throws.do("output n") == "3"
    throws.do_all("fred-undo 3", "catch throw")
    assert "a breakpoint is reached" in throws.do("reverse-continue")
    assert line(throws).startswith("qsort(v, 2, sizeof *v, [](")
    throws.do("reverse-continue")
    assert line(throws) == "qsort(v, 2, sizeof *v, compare);"
    throws.do("reverse-continue")
    assert line(throws) == 'throw std::runtime_error("x");' and "recursive (n=3)" in throws.do("where")
    assert "exception thrown" in throws.do("continue")
    throws.do("fred-undo")
    throws.do("catch syscall write")
    assert "catchpoint 4 is not seen backwards: disable 4 first" in throws.do("reverse-continue")
    throws.do("disable 4")
    assert "No more" in throws.do("reverse-continue")


def test_the_guilty_statement_after_longjmp(folder):
    gdb = Gdb(folder, "-nx", "-ex", "set debug-file-directory /nonexistent", build(folder.work, "jumps.c", text=JUMPS), snapshots=True)
    gdb.do_all("break main", "run", "break %d" % line_with(JUMPS, "return n;"), "continue")
    assert gdb.do("output n") == "13"
    gdb.do("fred-reverse-watch n < 3")
    assert line(gdb) == "n++;" and gdb.do("output n") == "2"
    gdb.do("reverse-step")
    assert line(gdb) == "if (setjmp(far) == 0)" and gdb.do("output n") == "2"
    gdb.do("reverse-step")
    assert line(gdb) == "longjmp(far, 7);" and "deep (d=0)" in gdb.do("where")
    gdb.do("fred-undo")
    gdb.do("reverse-next")      # not in deep(), which was left
    assert line(gdb) == "deep(i);" and gdb.do("output i") == "2"
    gdb.do("fred-end")
    gdb.do("reverse-next 2")
    assert line(gdb) == "qsort(v, 2, sizeof *v, compare);" and gdb.do("output sorted") == "0"
    gdb.kill()


def test_a_breakpoint_in_longjmp(folder):
    """Is a stop of its own, and another when the program has landed."""
    path = os.path.join(folder.work, build(folder.work, "jumps.c", text=JUMPS))
    setup = ["break longjmp", "run"]
    (_, (end, place, _)), _ = run_jobs(path, ["give", ["break main", "run", "break longjmp"]], ["plain", "continue"])
    (_, run), _ = run_jobs(path, ["give", ["break main", "run", "break longjmp"]], ["clock", "continue", end, FOREVER])
    assert run[2] == place and run[0]["end"] and not run[0]["diverged"]
    setup = ["break main", "run", "break longjmp", "ignore 2 2", "python gdb.breakpoints()[-1].commands = 'silent\\ncontinue'",
             "tbreak %d" % line_with(JUMPS, "n += 10")]
    (_, (end, place, state)), _ = run_jobs(path, ["give", setup], ["plain", "continue"])
    (_, end), _ = run_jobs(path, ["give", setup], ["measure", "continue", end])
    (_, run), _ = run_jobs(path, ["give", setup], ["clock", "continue", end, FOREVER])
    assert run[2:] == [place, state] and run[0]["end"] and not run[0]["diverged"]


ROUNDS = int(os.environ.get("FRED_ROUNDS", "4"))
chance = random.Random(None if "FRED_ROUNDS" in os.environ else 8)


@pytest.mark.parametrize("options", [["-O0"], ["-O1", "-fno-inline"]], ids=" ".join)
def test_random_programs_that_jump(options, tmp_path):
    """The trace of a whole run against stepping that stops where a call of setjmp() returns once more; halts on the way."""
    for seed in [int(os.environ["FRED_SEED"])] if "FRED_SEED" in os.environ else chance.sample(range(1 << 30), ROUNDS):
        path, tries, stops = str(tmp_path / "p"), 0, []
        while not 20 < len(stops) < 900:
            program = CProgram("%d.%d" % (seed, tries), longjmp=True)
            tries += 1
            if "setjmp(far)" not in program.text():
                continue
            compile_program(program, path, *options)
            (_, stops), _ = run_jobs(path, ["give", ["tbreak main", "run"]],
                                     ["walk", 901, function_names(program.text()), True])
        print("FRED_SEED=%d: %d stops" % (seed, len(stops)))
        (_, run), _ = run_jobs(path, ["give", ["tbreak main", "run"]], ["clock", "continue", "exit||0|0||0", FOREVER])
        stop, ticks, place, _ = run
        assert [[each[6], each[2], 0] for each in stops[1:]] == ticks
        assert place is None and not stop["diverged"]
        limit = random.Random(seed).randrange(9, len(ticks))
        (_, _, leap), _ = run_jobs(path, ["give", ["tbreak main", "run"]], ["clock", "continue", "exit||0|0||0", 0],
                                   ["leap_to", limit, 0])
        assert leap[0] or leap[3] == stops[limit][:6]
