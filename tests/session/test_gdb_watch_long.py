# SPDX-License-Identifier: GPL-3.0-or-later
"""fred-reverse-watch --first and --last in runs of millions of statements under gdb: at full speed, by a watchpoint; and where no
watchpoint sees a change, by statements all the same."""
import re
import shutil

import pytest

from gdb_pair import Gdb, build

pytestmark = pytest.mark.skipif(not shutil.which("gdb") or not shutil.which("gcc"), reason="no gdb or no gcc here")

LONG = """static volatile long n, late, twice, constant = 7;
static void mark(long i)
{
	late = i;
}
int main(void)
{
	for (long i = 0; i < 20000000; i++) {
		n += i & 1;
		if (i == 9000 || i == 12000000 || i == 19999000)
			mark(i);
		if (i == 5000000)
			twice = 1, twice = 2;
	}
	return late != 19999000;
}
"""
# More than the clock goes through before it gives up, and little enough for it to go through all the same.
SHORT = """#include <fcntl.h>
#include <unistd.h>
static volatile long n, flip, given = 5;
int main(void)
{
	int zero = open("/dev/zero", O_RDONLY);
	for (int i = 0; i < 1600; i++) {
		n++;
		if (i == 1450)
			flip = 1, flip = 0;
		if (i == 1500)
			read(zero, (void *)&given, sizeof given);
		if (i == 1550)
			flip = 3;
	}
	return flip != 3;
}
"""


def at_end(folder, text, end):
    session = Gdb(folder, "-nx", build(folder.work, "p.c", text=text), snapshots=True)
    session.do_all("fred-set snapshot-interval 10", "break %d" % (1 + text[:text.index(end)].count("\n")), "run")
    return session


@pytest.fixture
def long_run(folder, debug_registers):
    session = at_end(folder, LONG, "return late")
    yield session
    session.kill()


def found(session, command, before, after, line):
    """`next` at the place found makes the change, and gdb's own reverse moves go on from there."""
    answer = session.do(command)
    expression = command.split("--first " if "--first" in command else "fred-last ")[1]
    assert "FReD: %s was %s before, %s after this statement:\n" % (expression, before, after) in answer, answer
    assert line in answer and "thread" not in answer, answer
    assert session.do("output " + expression) == before
    session.do("next")
    assert session.do("output " + expression) == after
    session.do("fred-undo 2")
    return answer


def test_first_and_last_of_several_changes(long_run):
    answer = found(long_run, "fred-reverse-watch --first late", "0", "9000", "late = i;")
    assert "FReD: this is the first change since the start\n" in answer
    found(long_run, "fred-last late", "12000000", "19999000", "late = i;")
    found(long_run, "fred-reverse-watch --first late > 9000", "0", "1", "late = i;")
    assert long_run.do("output late") == "19999000"


def test_a_statement_that_writes_twice(long_run):
    found(long_run, "fred-reverse-watch --first twice", "0", "2", "twice = 1, twice = 2;")
    found(long_run, "fred-last twice", "0", "2", "twice = 1, twice = 2;")


def test_what_never_changed(long_run):
    for command in ("fred-reverse-watch --first", "fred-last"):
        assert long_run.do(command + " constant") == "FReD: constant has been 7 at every stop since the start\n"
    assert "return late" in long_run.do("frame")


def test_back_from_there(long_run):
    long_run.do("fred-last late < 10000")
    for command, line in (("reverse-step", 11), ("reverse-finish", 11), ("reverse-next 2", 10), ("reverse-step 20", 8)):
        answer = long_run.do(command)
        assert re.search(r"^%d\t" % line, answer, re.M), (command, answer)
        assert long_run.do("output late") == "9000"
        assert 11999990 < int(long_run.do("output i")) <= 12000000
        long_run.do("fred-undo")
    assert long_run.do("output i") == "12000000"
    answer = long_run.do("fred-last n")
    assert "6000000 after this statement" in answer or "5999999 before" in answer, answer


def test_one_change_after_another(long_run):
    """From where the one was found on to the one before: what comes later in the run does not count."""
    long_run.do("reverse-step 3")
    for before, after in (("12000000", "19999000"), ("9000", "12000000"), ("0", "9000")):
        answer = long_run.do("fred-last late")
        assert "FReD: late was %s before, %s after this statement:\n" % (before, after) in answer, answer
        assert long_run.do("output late") == before and "late = i;" in long_run.do("frame")
        long_run.do("reverse-step 2")
    assert long_run.do("fred-last late") == "FReD: late has been 0 at every stop since the start\n"
    long_run.do("fred-undo 2")
    assert "twice was" not in long_run.do("fred-last constant")


def test_in_a_run_that_a_reverse_move_has_split(long_run):
    assert "for (long i" in long_run.do("reverse-step")
    long_run.do("fred-undo")
    found(long_run, "fred-last late < 10000", "1", "0", "late = i;")
    found(long_run, "fred-reverse-watch --first late < 10000", "1", "0", "late = i;")
    found(long_run, "fred-last constant + late", "12000007", "19999007", "late = i;")


def test_interrupt(long_run):
    here = long_run.do("frame")
    long_run.send("fred-reverse-watch --first n < 0")      # each of millions of writes stops the program
    long_run.expect("n < 0\r\n")
    long_run.interrupt()
    long_run.expect("FReD: stopped by ^C")
    long_run.prompt()
    assert long_run.do("frame") == here


def test_what_no_watchpoint_sees_is_found_by_statements(folder):
    session = at_end(folder, SHORT, "return flip")
    found(session, "fred-reverse-watch --first given", "5", "0", "read")
    found(session, "fred-last given", "5", "0", "read")
    # A change that its own statement takes back is none.
    found(session, "fred-reverse-watch --first flip", "0", "3", "flip = 3;")
    session.kill()
