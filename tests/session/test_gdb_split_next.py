# SPDX-License-Identifier: GPL-3.0-or-later
"""next, until, advance and finish over calls that last for millions of statements: back into them as into a `continue`."""
import re
import shutil

import pytest

from gdb_pair import Gdb, build

pytestmark = pytest.mark.skipif(not shutil.which("gdb") or not shutil.which("gcc"), reason="no gdb or no gcc here")

LONG = """#include <stdio.h>
#include <stdlib.h>
#include <time.h>
long total, bad, got;
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
static long work(long n, long when)
{
	for (long i = 0; i < n; i++) {
		total += mix(i, number());
		if (i == when)
			late(i);
	}
	return total & 1023;
}
int main(int argc, char **argv)
{
	long n = argc > 1 ? 20000000 : 4000000, first;
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	seed += argc > 1 ? now.tv_nsec : 0;
	first = seed;
	got = work(n, n / 10 * 7);
	printf("%ld %ld %ld %ld\\n", total, bad, got, first);
	got = work(1000, 2000);
	return 0;
}
"""
LINES = {text.strip(): number for number, text in enumerate(LONG.split("\n"), 1)}
CALL, AFTER, LOOP = LINES["got = work(n, n / 10 * 7);"], LINES['printf("%ld %ld %ld %ld\\n", total, bad, got, first);'], LINES["if (i == when)"]
# To the same place, or for `finish` to one `step` before it.
WAYS = {"next": ["next"], "until": ["until"], "advance": ["advance %d" % AFTER], "finish": ["tbreak work", "continue", "finish"]}


@pytest.fixture
def start(folder):
    program = build(folder.work, "long.c", text=LONG)

    def begin(*commands, args=(), interval=0):
        session = Gdb(folder, "-nx", "--args", program, *args, snapshots=True)
        session.do_all("set confirm off", "fred-set snapshot-interval %d" % interval, "break %d" % CALL, "run", *commands)
        return session
    return begin


def at(session):
    return int(re.search(r"^(\d+)\t", session.do("frame"), re.M).group(1))


def place(session):
    return session.do("where"), [session.do("output " + name) for name in ("total", "bad", "got", "seed")]


BACK = [["fred-reverse-step"] * 5, ["fred-reverse-next"] * 2, ["fred-reverse-step 3", "fred-reverse-finish"],
        ["fred-reverse-step 40", "fred-reverse-next 3", "next 3"]]
SEARCHES = [["fred-reverse-watch bad"], ["fred-reverse-step 3", "fred-reverse-watch total > 1000"]]


def walk(session, commands):
    """Where each of them leads, from the same place."""
    places = []
    for command in commands:
        session.do(command)
        places.append(place(session))
    session.do("fred-undo %d" % len(commands))
    return places


@pytest.fixture(scope="module")
def by_continue():
    """What is found from the end of the same run, made by `continue`; filled in by the first test that needs it."""
    return {}


def compare(start, by_continue, way, moves):
    if "".join(moves[0]) not in by_continue:
        session = start("tbreak %d" % AFTER, "continue")
        by_continue.update(("".join(commands), walk(session, commands)) for commands in moves)
        session.kill()
    session = start(*WAYS[way])
    end = place(session)
    for commands in moves:
        assert walk(session, commands) == by_continue["".join(commands)], commands
        assert place(session) == end
    session.do("delete")
    assert re.search(r"^\d+ 2800000 \d+ 1$", session.do("continue"), re.M)
    session.kill()


@pytest.mark.parametrize("way", WAYS)
def test_the_same_as_of_continue(start, by_continue, way):
    compare(start, by_continue, way, BACK)


@pytest.mark.parametrize("way", WAYS)
def test_the_same_search_as_of_continue(start, by_continue, way, debug_registers):
    compare(start, by_continue, way, SEARCHES)


@pytest.mark.parametrize("way", WAYS)
def test_the_latest_and_the_first_change(start, way, debug_registers):
    session = start(*WAYS[way])
    for command in "fred-last", "fred-reverse-watch --first":
        answer = session.do(command + " bad < 5")
        assert "bad < 5 was 1 before, 0 after this statement" in answer, answer
        assert at(session) == LINES["bad = i;"] and session.do("output i") == "2800000"
        session.do("fred-undo")
    session.kill()


def test_a_place_that_is_not_come_by_again(start, monkeypatch):
    """A signal's handler may be what counts one pass twice.  The pieces found until then are made use of, or it would last for hours."""
    monkeypatch.setenv("FRED_FAULT", "split-pass")
    session = start("next")
    session.do("fred-reverse-step 2")
    assert "work" in session.do("frame") and at(session) == LINES["return total & 1023;"]
    session.kill()


def test_what_finish_has_printed_stays(start):
    """Where the end is come to again, it is by what the user typed."""
    session = start("fred-set max-snapshots 2", *WAYS["finish"])
    value = session.do("output $")
    session.do("fred-reverse-next 3")
    session.do_all("print 1", "next", "next")
    session.do("fred-undo 3")
    assert at(session) == CALL and session.do("output $") == value != "1"
    session.kill()


@pytest.mark.parametrize("way", ["next", "finish"])
def test_it_never_runs_the_same_way_again(start, way):
    """The trail is laid in these, too."""
    session = start(*WAYS[way], args=["x"], interval=5)
    assert "in the middle of `%s`" % way in session.do("fred-list --trail")
    places = [session.do("output " + name) for name in ("total", "bad", "seed")]
    session.do("fred-reverse-step %d" % (1 if way == "finish" else 2))
    assert "work" in session.do("frame") and places == [session.do("output " + name) for name in ("total", "bad", "seed")]
    session.do("fred-undo")
    assert "bad was 0 before" in session.do("fred-reverse-watch bad")
    session.kill()


def test_a_breakpoint_ends_it(start):
    session = start("break late", "next")
    assert "late (i=2800000)" in session.do("frame")
    session.do("fred-reverse-step 2")
    assert at(session) == LOOP and session.do("output i") == "2800000"
    session.do("fred-undo")
    session.do("fred-reverse-next")
    assert at(session) == LINES["late(i);"] and session.do("output i") == "2800000"
    session.kill()


def test_reverse_continue(start):
    """By counted hits."""
    session = start("next", "break late", "break %d" % LINES["late(i);"])
    session.do("fred-reverse-continue")
    assert "late (i=2800000)" in session.do("frame")
    session.do("fred-reverse-continue")
    assert at(session) == LINES["late(i);"] and session.do("output i") == "2800000"
    session.do("fred-reverse-continue")
    assert at(session) == CALL and session.do("output bad") == "0"
    session.kill()


def test_called_before_the_command(start):
    """What fred-reverse-next looks for lies before the run: nothing of that is in it."""
    session = start("tbreak work", "continue", "tbreak %d" % AFTER, "continue", "fred-reverse-next 3")
    assert at(session) == LINES["seed += argc > 1 ? now.tv_nsec : 0;"]
    session.kill()
