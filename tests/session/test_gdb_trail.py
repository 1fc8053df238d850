# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots in the middle of a long run under gdb: nobody notices that they are taken, and a way back begins there."""
import re
import shutil

import pytest

from gdb_pair import Gdb, build

pytestmark = pytest.mark.skipif(not shutil.which("gdb") or not shutil.which("gcc"), reason="no gdb or no gcc here")

CHANCE = """#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
unsigned seed, first;
int ended;
long total, alarms, lines, slept, traps;
char last[64];
static void on_alarm(int sig) { alarms++; }
static void on_trap(int sig) { traps++; }
static unsigned number(void)
{
	seed = seed * 1103515245 + 12345;
	return seed >> 16;
}
static long is_one(void)
{
	return slept == 1;
}
static void done(void)
{
	total++;
}
static void burn(double seconds)
{
	for (long i = 0; i < seconds * 5e8 * SCALE; i++)
		total += number() & 3;
}
int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	struct timespec nap = {.tv_nsec = 300000000}, t0, t1;
	signal(SIGTRAP, on_trap);
	getrandom(&seed, sizeof seed, 0);
	first = seed;
	if (!strcmp(how, "again") && !getenv("AGAIN")) {
		setenv("AGAIN", "1", 1);
		burn(0.15);
		execv(argv[0], argv);
	}
	if (!strcmp(how, "pipes")) {
		int ends[2];
		char byte;
		if (pipe(ends) == 0 && fork() == 0) {
			close(ends[1]);
			_exit(read(ends[0], &byte, 1) == 0 ? 7 : 1);
		}
		burn(0.6);
		close(ends[1]);
		waitpid(-1, &ended, 0);
		close(ends[0]);
	}
	if (!strcmp(how, "alarms")) {
		struct itimerval each = {{0, 20000}, {0, 20000}};
		signal(SIGALRM, on_alarm);
		setitimer(ITIMER_REAL, &each, NULL);
	}
	for (lines = 0; lines < 3 && !strcmp(how, "thrice"); lines++) {
		burn(lines == 2 ? 0.6 : 0.2);
		slept += lines;
	}
	if (!strcmp(how, "reads"))
		while (fgets(last, sizeof last, stdin) && strcmp(last, "end\\n")) {
			lines++;
			burn(0.2);
		}
	burn(0.6);
	if (!strcmp(how, "sets"))
		slept = first;
	burn(0.2);
	if (!strcmp(how, "sleeps")) {
		clock_gettime(CLOCK_MONOTONIC, &t0);
		nanosleep(&nap, NULL);
		clock_gettime(CLOCK_MONOTONIC, &t1);
		slept = (t1.tv_sec - t0.tv_sec) * 1000 + (t1.tv_nsec - t0.tv_nsec) / 1000000;
	}
	if (!strcmp(how, "prints"))
		for (int i = 0; i < 40; i++) {
			printf("%d\\n", i);
			fflush(stdout);
			burn(0.02);
		}
	done();
	printf("%ld traps\\n", traps + 0 * is_one());
	return 0;
}
"""
LINES = {text.strip(): number for number, text in enumerate(CHANCE.split("\n"), 1)}


@pytest.fixture
def start(folder):
    sessions = []

    def session(how, scale, settings):
        sessions.append(Gdb(folder, "-nx", "--args", build(folder.work, "chance.c", "-g", "-DSCALE=%d" % scale, text=CHANCE), how,
                            snapshots=True))
        sessions[-1].do_all("set confirm off", "break done", *settings)
        return sessions[-1]

    def begin(how="", least=0, run=lambda gdb: gdb.do("run"), settings=()):
        """At its prompt; or, with so many points at least, where the run stopped: .ran is what it printed.  How far the points of a
        run are apart is for FReD to say, by what one costs on this machine."""
        if not least:
            return session(how, 1, settings)
        for scale in 1, 2, 4, 8:
            gdb = session(how, scale, settings)
            gdb.ran = run(gdb)
            if points(gdb) >= least:
                return gdb
            gdb.kill()
        raise AssertionError("there are no %d points" % least)

    yield begin
    for session in sessions:
        session.kill()


def at(session):
    """The line where it stands."""
    return int(re.search(r"^(\d+)\t", session.do("frame"), re.M).group(1))


def points(session):
    """How many snapshots in the middle of runs there are."""
    found = re.search(r"^in the middle of .*:((?: [\d.]+)+) s, ", session.do("fred-list --trail"), re.M)
    return len(found.group(1).split()) if found else 0


def test_a_run_that_is_never_the_same_again(start):
    gdb = start(least=2)
    seed, first = gdb.do("output seed"), gdb.do("output first")
    gdb.do("fred-reverse-step")
    assert at(gdb) == LINES["done();"]
    gdb.do("fred-reverse-next")
    assert at(gdb) == LINES['if (!strcmp(how, "prints"))'] and gdb.do("output first") == first
    answer = gdb.do("continue")
    assert "Breakpoint 1, done" in answer and gdb.do("output seed") == seed
    answer = gdb.do("continue")
    assert "0 traps" in answer and "exited normally" in answer


def test_without_a_trail_it_is_not(start):
    gdb = start()
    gdb.do_all("fred-set snapshot-interval 0", "run")
    assert points(gdb) == 0
    assert "FReD:" in gdb.do("fred-reverse-step")


def test_a_search_in_another_run_says_so(start, monkeypatch):
    """Where no watchpoint helps it goes by halves of the run, made again."""
    monkeypatch.setenv("FRED_FAULT", "no-debug-registers")
    gdb = start("sets")
    gdb.do_all("fred-set snapshot-interval 0", "run")
    first = gdb.do("output first")
    answer = gdb.do("fred-reverse-watch slept == 0")
    assert at(gdb) == LINES["slept = first;"] and gdb.do("output first") != first
    assert "came to other values" in answer, answer


@pytest.mark.parametrize("command, change", (("fred-last slept", "slept += lines;"), ("fred-reverse-watch --first lines", "for (lines = 0; lines < 3")))
def test_a_watchpoint_in_another_run_says_so(start, debug_registers, command, change):
    """The change is the same one in each run, and all else is not."""
    gdb = start("thrice")
    gdb.do_all("fred-set snapshot-interval 0", "run")
    first = gdb.do("output first")
    answer = gdb.do(command)
    assert at(gdb) == next(line for text, line in LINES.items() if text.startswith(change)) and gdb.do("output first") != first
    assert "came to other values" in answer, answer


def test_reverse_watch_by_the_points(start):
    """Of a value that no other run would have."""
    gdb = start("sets", least=3)
    value, first = gdb.do("output slept"), gdb.do("output first")
    assert value == first
    answer = gdb.do("fred-reverse-watch slept == 0")
    assert "FReD: slept == 0 was 1 before, 0 after this statement:" in answer, answer
    assert at(gdb) == LINES["slept = first;"] and gdb.do("output first") == first and gdb.do("output slept") == "0"
    gdb.do("next")
    assert gdb.do("output slept") == value


def test_the_latest_change_of_a_global(start, debug_registers):
    """Seen by the processor, from point to point backwards, and never one of those before it."""
    gdb = start("thrice", least=3)
    first = gdb.do("output first")
    for command in "fred-reverse-watch slept", "fred-last slept", "fred-last slept > 2":
        answer = gdb.do(command)
        assert "may have changed again" not in answer and "after this statement:" in answer, answer
        assert at(gdb) == LINES["slept += lines;"] and gdb.do("output lines") == "2" and gdb.do("output slept") == "1"
        assert gdb.do("output first") == first
        gdb.do("next")
        assert gdb.do("output slept") == "3"
        gdb.do("fred-undo 2")
    assert "traps has been 0 at every stop since the start" in gdb.do("fred-last traps")
    answer = gdb.do("fred-reverse-watch total")             # it changes all the time
    assert "after this statement:" in answer, answer
    gdb.do("fred-end")


def test_a_value_that_came_and_went(start):
    """At both ends of the run it is the same; no watchpoint sees what a function returns, but it is looked at at the points."""
    gdb = start("thrice", least=6)
    answer = gdb.do("fred-reverse-watch is_one()")
    assert "is_one() was 1 before, 0 after this statement:" in answer, answer
    assert at(gdb) == LINES["slept += lines;"] and gdb.do("output lines") == "2"
    gdb.do("fred-undo")
    answer = gdb.do("fred-reverse-watch is_one() > 5")
    assert "wherever the search looked" in answer, answer


def test_timers_and_their_handlers(start):
    gdb = start("alarms", least=2)
    alarms, first = gdb.do("output alarms"), gdb.do("output first")
    assert int(alarms) >= 20
    gdb.do("fred-reverse-step")
    assert at(gdb) == LINES["done();"] and gdb.do("output first") == first


def test_output_and_what_is_typed(start):
    """The reader gets each line once, and what has been read at a point is read no more when the rest is run again."""
    def run(gdb):
        gdb.send("run")
        for line in "one", "two", "three", "end":
            gdb.send(line)
        gdb.prompt()
    gdb = start("reads", 3, run)
    assert gdb.do("output lines") == "3"
    gdb.do("fred-reverse-step")
    assert at(gdb) == LINES["done();"] and gdb.do("output lines") == "3"
    gdb.do("fred-reverse-watch lines < 3")
    assert at(gdb) == LINES["lines++;"] and gdb.do("output lines") == "2"
    assert gdb.do("output last").startswith('"three')
    gdb.send("continue")                        # what comes after that is typed anew
    gdb.send("end")
    assert "Breakpoint 1, done" in gdb.prompt() and gdb.do("output lines") == "3"


def test_prints_all_once(start):
    gdb = start("prints", least=3)
    assert re.findall(r"^(\d+)$", gdb.ran, re.M) == [str(i) for i in range(40)]
    assert re.findall(r"^(\d+)$", gdb.do("fred-reverse-step"), re.M) == []


def test_a_sleep_lasts_as_long(start):
    gdb = start("sleeps", least=2)
    assert 300 <= int(gdb.do("output slept")) < 2000


def test_a_program_that_executes_another(start):
    gdb = start("again", least=2)
    gdb.do("fred-reverse-step")
    assert at(gdb) == LINES["done();"]


def test_a_child_that_waits_for_the_end_of_a_pipe(start):
    """No snapshot holds the other end."""
    gdb = start("pipes")
    assert "Breakpoint 1, done" in gdb.do("run") and gdb.do("output ended >> 8") == "7"


def test_interrupted_with_a_trail(start):
    gdb = start("prints")
    gdb.send("run")
    gdb.expect("Starting program")
    gdb.expect("\n10\r\n")
    gdb.interrupt()
    assert "SIGINT" in gdb.prompt()
    seed = gdb.do("output seed")
    gdb.do("next")
    gdb.do("fred-undo")
    assert gdb.do("output seed") == seed
    gdb.do("delete")
    assert "0 traps" in gdb.do("continue")


def test_old_points_get_sparser(start):
    gdb = start("prints", least=2, settings=("fred-set max-snapshots 16", "fred-set snapshot-interval 20"))
    assert points(gdb) <= 4
    gdb.do("fred-reverse-step")
    assert at(gdb) == LINES["done();"]

