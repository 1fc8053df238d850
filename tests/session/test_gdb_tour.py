# SPDX-License-Identifier: GPL-3.0-or-later
"""Loops within one line, which gdb steps instruction by instruction: the clock and whoever halts a long run go round them at full speed,
and come to the same stops.  FRED_SEED replays one seed."""
import os
import random

import driver
import pytest
from gdb_clock_peer import FOREVER, run_jobs
from gdb_pair import Gdb
from random_c_program import compile_text
from test_gdb_clock import step_through, trial

LOOPS = r"""
int T, G[4];
#define ALONE __attribute__((noinline, noclone))
ALONE static int twice(int), find(int), count(int), inner(int);
static int twice(int n)
{
	T++;
	return 2 * n;
}
static int find(int n)
{
	for (int i = 0; i < 40; i++) if (i * i > n) return i;
	return -1;
}
static int count(int n)
{
	int r = 0;
	do r += n & 3; while (--n > 0);
	return r;
}
static int inner(int n)
{
	while (n > 1) { n = n & 1 ? 3 * n + 1 : n / 2; T++; if (T == 77) break; }
	return n;
}
int main(void)
{
	for (int i = 0; i < 60; i++) T += i & 3;
	G[0] = find(30); G[1] = count(25);
	for (int i = 0; i < 5; i++) for (int k = 0; k < 7; k++) G[2] += i ^ k;
	for (int i = 0; i < 3; i++)
		inner(i + 5);
	for (int i = 0; i < 4; i++) G[3] += twice(i);
	while (T > 30) T -= 3;
	{ int again = 0; next: if (again++ < 20) goto next; }
	return T & 1;
}
"""
LONG = r"""
volatile long x, t;
int get(void) { return (int)x; }
void end(void) { }
int main(void)
{
	for (long i = 0; i < 100000000; i++) t += i & 3;
	x = 1;
	for (long i = 0; i < 300; i++)
		t += i & 3;
	x = 2;
	while (t > 100) t--;
	t += 1;
	end();
	return t == 0;
}
"""


@pytest.mark.parametrize("options", ["-O0", "-O1", "-O2"])
def test_the_same_stops(options, tmp_path):
    path = compile_text(LOOPS, str(tmp_path / "p"), options)
    stops = step_through(path, LOOPS)
    seed = int(os.environ.get("FRED_SEED", "11"))
    for i in range(8):
        trial(path, stops, random.Random(seed + i))


def test_gdb_is_spared(tmp_path):
    """Not where it has a breakpoint in what is gone round."""
    path = compile_text(LOOPS, str(tmp_path / "p"))
    setup = ["tbreak main", "run"]
    last = "tbreak %d" % driver.line_with(LOOPS, "return T & 1")
    (_, (end, _, _)), _ = run_jobs(path, ["give", setup + [last]], ["plain", "continue"])
    (_, made), _ = run_jobs(path, ["give", setup + [last]], ["tours", "continue", end])
    assert made >= 10
    (_, inside), _ = run_jobs(path, ["give", setup], ["instructions", 9])
    fewer = []
    for address in inside:
        guarded = setup + [last, "break *%d if T < 0" % address]
        (_, (end, place, _)), _ = run_jobs(path, ["give", guarded], ["plain", "continue"])
        (_, made_now), _ = run_jobs(path, ["give", guarded], ["tours", "continue", end])
        (_, run), _ = run_jobs(path, ["give", guarded], ["clock", "continue", end, FOREVER])
        assert run[2] == place and not run[0]["diverged"]
        fewer.append(made_now < made)
    assert any(fewer) and not all(fewer)


def test_leaps(tmp_path):
    """A row of steps meets a loop that nobody has looked at yet: it is cut, or comes where it should; and it comes to an end."""
    text = LONG.replace("100000000", "400000")
    path = compile_text(text, str(tmp_path / "p"))
    setup = ["break end", "tbreak main", "run"]
    (_, (end, _, _)), _ = run_jobs(path, ["give", setup], ["plain", "continue"])
    (_, run), _ = run_jobs(path, ["give", setup], ["clock", "continue", end, FOREVER])
    all_ticks, cut = run[0]["tick"], []
    for limit in range(all_ticks - 9, all_ticks):
        (_, (was_cut, stop, _, at, _)), _ = run_jobs(path, ["give", setup], ["start_leap", "continue", end, limit])
        (_, run), _ = run_jobs(path, ["give", setup], ["clock", "continue", end, limit])
        assert was_cut or (stop["tick"] == limit and at == run[2])
        cut.append(was_cut)
    assert any(cut) and not all(cut)


@pytest.fixture
def session(folder):
    path = os.path.join(folder.work, "long")
    compile_text(LONG, path)
    session = Gdb(folder, "-nx", "--args", path, snapshots=True)
    session.do_all("break end", "break main", "run", "continue", "up")
    return session


def test_a_long_run_back(session):
    lines = [session.do("fred-reverse-step").strip().split("\n")[-1].split("\t")[0] for _ in range(5)]
    wanted = ["end();", "t += 1;", "while (t", "x = 2;", "for (long i = 0; i < 300"]
    assert lines == [str(driver.line_with(LONG, text)) for text in wanted]
    answer = session.do("fred-reverse-watch get()")
    assert "was 0 before, 1 after" in answer and "x = 1;" in answer
    session.kill()


def test_a_long_run_searched(session):
    answer = session.do("fred-reverse-watch get() == 2")
    assert "x = 2;" in answer and session.do("p x") == "$1 = 1\n"
    session.kill()
