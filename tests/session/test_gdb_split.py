# SPDX-License-Identifier: GPL-3.0-or-later
"""Going back into runs that are much too long to be gone through statement by statement: millions of them."""
import re
import shutil
import subprocess

import pytest

from gdb_pair import Gdb, build

pytestmark = pytest.mark.skipif(not shutil.which("gdb") or not shutil.which("gcc"), reason="no gdb or no gcc here")

LONG = """#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
long total, bad, count;
volatile sig_atomic_t trapped;
unsigned seed = 1;
static unsigned number(void)
{
	seed = seed * 1103515245 + 12345;
	return seed >> 16;
}
static long mix(long a, long b)
{
	long r = a ^ b;
	r += a & 7;
	return r & 15;
}
static void late(long i)
{
	bad = i;
	total++;
}
static void done(void)
{
	count++;
}
static long is_bad(void)
{
	return bad > 0;
}
static void work(long n, long when)
{
	for (long i = 0; i < n; i++) {
		total += mix(i, number());
		if (i == when)
			late(i);
	}
	done();
}
static void on_trap(int sig)
{
	trapped = sig;
}
int main(int argc, char **argv)
{
	long n = 4000000;
	signal(SIGTRAP, on_trap);
	signal(SIGINT, on_trap);
	work(n, n / 10 * 7);
	printf("%ld %ld %d %ld\\n", total, bad, trapped, is_bad());
	if (argc > 1)
		*(volatile int *)0 = 0;
	return 0;
}
"""
LINES = {text.strip(): number for number, text in enumerate(LONG.split("\n"), 1)}


@pytest.fixture
def gdb(folder):
    session = Gdb(folder, "-nx", build(folder.work, "long.c", text=LONG), snapshots=True)
    session.do("set confirm off")
    yield session
    session.kill()


def at(session):
    """The line where it stands."""
    return int(re.search(r"^(\d+)\t", session.do("frame"), re.M).group(1))


def runs_on(session):
    """The program has noticed nothing."""
    session.do("delete")
    answer = session.do("continue")
    printed = re.search(r"^(\d+ \d+ \d+ \d+)$", answer, re.M)
    assert printed, answer
    return printed.group(1)


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("plain"))
    return subprocess.run([build(folder, "long.c", text=LONG)], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def test_reverse_step_and_next_from_the_end(gdb, printed):
    gdb.do_all("break done", "run")
    gdb.do("fred-reverse-step")
    assert at(gdb) == LINES["done();"]
    gdb.do("fred-reverse-step")                 # the loop's condition
    assert at(gdb) == LINES["for (long i = 0; i < n; i++) {"] and gdb.do("output i") == "3999999"
    gdb.do("fred-reverse-next 2")               # late() is not called in this round
    assert gdb.do("output i") == "3999999" and at(gdb) == LINES["total += mix(i, number());"]
    assert gdb.do("fred-history").count("continue") == 1
    gdb.do("next 3")
    assert at(gdb) == LINES["done();"]
    assert "done ()" in gdb.do("next")
    assert runs_on(gdb) == printed


def test_reverse_next_over_the_whole_run(gdb, printed):
    gdb.do_all("break %d" % LINES['printf("%ld %ld %d %ld\\n", total, bad, trapped, is_bad());'], "run")
    gdb.do("fred-reverse-next")
    assert at(gdb) == LINES["work(n, n / 10 * 7);"] and gdb.do("output total") == "0"
    assert runs_on(gdb) == printed
    gdb.do("fred-undo 2")
    assert at(gdb) == LINES["work(n, n / 10 * 7);"]


def test_reverse_finish_out_of_the_middle(gdb, printed):
    gdb.do_all("break late", "run")
    assert gdb.do("output i") == "2800000"
    gdb.do("fred-reverse-finish")
    assert at(gdb) == LINES["late(i);"] and "0x" in gdb.do("frame").split("\n")[0]
    gdb.do("fred-reverse-finish")
    assert at(gdb) == LINES["work(n, n / 10 * 7);"] and "main" in gdb.do("frame") and gdb.do("output total") == "0"
    assert runs_on(gdb) == printed


@pytest.mark.parametrize("expression, before, after", [("bad", "0", "2800000"), ("is_bad()", "0", "1")])
def test_reverse_watch(gdb, printed, expression, before, after):
    gdb.do_all("break done", "run")
    answer = gdb.do("fred-reverse-watch " + expression)
    assert "%s was %s before, %s after this statement" % (expression, before, after) in answer, answer
    assert at(gdb) == LINES["bad = i;"] and gdb.do("output bad") == "0"
    gdb.do("next")
    assert gdb.do("output bad") == "2800000"
    gdb.do("fred-reverse-next")
    assert gdb.do("output bad") == "0" and at(gdb) == LINES["bad = i;"]
    assert gdb.do("fred-history").count("continue") <= 1
    assert runs_on(gdb) == printed
    gdb.do("fred-undo 5")
    assert gdb.do("output bad") == "2800000" and "done ()" in gdb.do("frame")


def test_from_a_crash(folder):
    session = Gdb(folder, "-nx", "--args", build(folder.work, "long.c", text=LONG), "crash", snapshots=True)
    assert "SIGSEGV" in session.do("run")
    session.do("fred-reverse-next 2")
    assert at(session) == LINES["if (argc > 1)"]
    session.kill()


def test_after_the_end(gdb):
    assert "exited normally" in gdb.do("run")
    gdb.do("fred-reverse-step")
    assert "bad was 0 before" in gdb.do("fred-reverse-watch bad")
    assert at(gdb) == LINES["bad = i;"]


def test_where_the_kernel_does_not_let_us(folder):
    """Then it is gone through statement by statement."""
    text = LONG.replace("4000000", "700")
    session = Gdb(folder, "-nx", build(folder.work, "long.c", text=text), snapshots=True, env={"FRED_FAULT": "no-perf"})
    session.do_all("break done", "run", "fred-reverse-next 2")
    assert session.do("output i") == "699" and at(session) == LINES["for (long i = 0; i < n; i++) {"]
    session.kill()


def test_positions_whose_snapshots_are_gone(gdb, printed):
    """Few may be kept: the end of the run is come to again, and what was found in it, too."""
    gdb.do_all("fred-set max-snapshots 2", "break done", "run", "fred-reverse-next")
    assert at(gdb) == LINES["done();"]
    gdb.do_all("print 1", "next", "next", "next")
    gdb.do("fred-undo 3")
    assert at(gdb) == LINES["done();"]
    gdb.do("fred-undo")
    assert at(gdb) == LINES["count++;"] and "done ()" in gdb.do("frame")
    gdb.do("fred-redo")
    assert at(gdb) == LINES["done();"]
    assert runs_on(gdb) == printed


def test_reverse_stepi_and_nexti(gdb):
    gdb.do_all("break done", "run")
    stop = int(gdb.do("output/x $pc"), 16)
    gdb.do("fred-reverse-stepi")
    assert 0 < stop - int(gdb.do("output/x $pc"), 16) < 16 and "done ()" in gdb.do("frame")
    gdb.do("fred-reverse-nexti 3")              # over the call, and before it
    assert "work (" in gdb.do("frame") and gdb.do("output i") == "4000000"
    gdb.do("stepi 3")
    assert "done ()" in gdb.do("frame")
