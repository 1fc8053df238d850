# SPDX-License-Identifier: GPL-3.0-or-later
"""`run`, and then back: the history before the first stop, whatever that was; and how a command ended is remembered while the
user looks around."""
import re
import shutil

import pytest

from gdb_pair import Gdb, build

pytestmark = pytest.mark.skipif(not shutil.which("gdb") or not shutil.which("gcc"), reason="no gdb or no gcc here")

LIST = """#include <stdlib.h>
struct node { int value; struct node *next; };
static struct node *head;
static void push(int value)
{
	struct node *node = malloc(sizeof *node);
	node->value = value;
	node->next = head;
	head = node;
}
static int sum(struct node *node)
{
	int s = 0;
	while (node->value != -1) {
		s += node->value;
		node = node->next;
	}
	return s;
}
int main(int argc, char **argv)
{
	for (int i = 0; i < 3; i++)
		push(i + argc);
	return sum(head);
}
"""


def crashed(folder, run="run"):
    session = Gdb(folder, build(folder.work, "list.c", text=LIST), snapshots=True)
    assert "SIGSEGV" in session.do(run)
    session.do("bt")
    return session


def test_back_from_a_crash(folder):
    session = crashed(folder)
    session.do("fred-reverse-next 2")
    assert "16\t" in session.do("frame")
    assert session.do("output node->next") == "(struct node *) 0x0"
    assert re.search(r"\[start, ", session.do("fred-history"))
    session.do("next")
    assert "SIGSEGV" in session.do("next 2")
    session.do("fred-undo 3")
    assert "0x" in session.do("frame").split("\n")[0]       # in the middle of the line that crashed
    session.kill()


def test_who_made_the_list_end(folder):
    """The arguments of `run` are those of the second run."""
    session = crashed(folder, "run one two")
    session.do("up")
    answer = session.do("fred-reverse-watch head->value == 5")
    assert "before, 1 after this statement" in answer and "list.c:9" in answer, answer
    assert session.do("output argc") != "1"
    session.do("up")
    assert session.do("output argc") == "3"
    session.kill()


def test_breakpoints_of_the_user_are_hit_as_in_the_run(folder):
    session = crashed(folder)
    session.do("fred-undo")
    session.do("break push if value == 2")
    assert "Breakpoint 1, push" in session.do("run")
    assert "SIGSEGV" in session.do("continue")
    session.do("fred-reverse-next")
    assert "breakpoint already hit 1 time" in session.do("info breakpoints")
    session.kill()


def test_looking_around_does_not_change_where_a_command_ended(folder):
    session = Gdb(folder, build(folder.work, "sum.c"), snapshots=True)
    session.do("break main")
    session.do("run")
    session.do("break 11 if i == 3")
    session.do("continue")
    assert session.do("output i") == "3"
    session.do("bt")
    session.do("next")
    session.do("next")
    session.do("fred-reverse-next 2")
    assert session.do("output i") == "3"
    # To the end of the round before.
    session.do("fred-reverse-next")
    assert "10\t" in session.do("frame")
    assert session.do("output i") == "2"
    session.kill()


COUNT = """#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
static int total, calls;
static void add(int i)
{
	total += i;
	calls++;
}
int main(int argc, char **argv)
{
	char line[100];
	int pid = getpid(), now = 0;
	struct timespec t;
	for (int i = 0; i < 6; i++)
		add(i);
	while (argc > 1 && !strcmp(argv[1], "read") && fgets(line, sizeof line, stdin))
		add(atoi(line));
	clock_gettime(CLOCK_REALTIME, &t);
	if (argc > 1 && !strcmp(argv[1], "local"))
		now = t.tv_nsec;
	if (argc > 1 && !strcmp(argv[1], "data"))
		total += t.tv_nsec;
	pid -= now;
	printf("%d %d\\n", total, calls);
	return 3;
}
"""
PRINT, NO_MORE = 27, "No more reverse-execution history."


def counting(folder, *commands, run="run"):
    """At the first stop."""
    session = Gdb(folder, build(folder.work, "count.c", text=COUNT), snapshots=True)
    for command in commands:
        session.do(command)
    session.stopped = session.do(run)
    return session


def line(session):
    return int(session.do("frame").split("\n")[1].split("\t")[0])


def at_main(session):
    return "main (" in session.do("frame") and line(session) == 15


def test_back_from_the_first_breakpoint(folder):
    session = counting(folder, "break %d" % PRINT)
    assert "Breakpoint 1, main" in session.stopped
    assert "FReD" not in session.do("fred-reverse-next 2") and line(session) == 24
    answer = session.do("fred-reverse-watch total > 5")
    assert "was 0 before, 1 after" in answer and "add (i=3)" in answer, answer
    assert "Starting program" not in answer and "15 6" not in answer
    assert re.search(r"\[break 27, start, .*step", session.do("fred-history"))
    assert NO_MORE in session.do("fred-reverse-continue") and at_main(session)
    assert NO_MORE in session.do("fred-reverse-step") and at_main(session)
    session.do("fred-undo 3")
    assert line(session) == PRINT
    session.do("fred-undo")             # `run` is one command
    assert "No stack." in session.do("bt")
    assert "Breakpoint 1, main" in session.do("run") and "Breakpoint 2" in session.do("break 9")
    session.kill()


@pytest.mark.parametrize("commands", [["break main"], ["tbreak main"], ["break 15"], ["break main if argc == 1"],
                                      ["break main", "commands 1\nsilent\nend"]])
def test_where_the_program_begins_nothing_is_before(folder, commands):
    session = counting(folder, *commands)
    assert at_main(session)
    for move in "fred-reverse-step", "fred-reverse-finish", "fred-reverse-stepi", "fred-reverse-next":
        assert session.do(move).strip() == "FReD: " + NO_MORE
    assert "no history" in session.do("fred-reverse-watch total")
    assert at_main(session)
    session.kill()


def test_start_and_starti_begin_it(folder):
    session = counting(folder, run="start")
    assert NO_MORE in session.do("fred-reverse-step")
    session.kill()
    session = counting(folder, run="starti")
    assert NO_MORE in session.do("fred-reverse-step")
    session.kill()


def test_hits_on_the_way_are_those_of_the_run(folder):
    session = counting(folder, "break main", "ignore 1 1", "break add", "condition 2 i == 1 || i == 4", "ignore 2 1")
    assert "Breakpoint 2, add (i=4)" in session.stopped
    session.do("fred-reverse-next 3")
    assert "already hit 1 time\n" in session.do("info breakpoints 1") and "already hit 1 time\n" in session.do("info breakpoints 2")
    session.do("fred-reverse-continue")
    assert "add (i=1)" in session.do("frame")
    assert "already hit 1 time\n" in session.do("info breakpoints 2")
    assert "Breakpoint 2, add (i=4)" in session.do("continue")
    assert session.do("output $bpnum") == "2"
    session.kill()


def test_commands_that_went_on_in_main(folder):
    session = counting(folder, "break main", "commands 1\nsilent\nprint argc\ncontinue\nend", "break %d" % PRINT)
    assert "$1 = 1" in session.stopped and "Breakpoint 2" in session.stopped
    session.do("fred-reverse-next 4")
    assert line(session) == 21
    session.do("fred-start")
    assert at_main(session) and session.do("output $") == "1"
    assert "Breakpoint 2" in session.do("continue")
    session.kill()


def test_breakpoints_set_and_deleted_since(folder):
    session = counting(folder, "tbreak %d" % PRINT)
    session.do("break 9 if i == 2")
    session.do("fred-reverse-continue")
    assert session.do("output i") == "2"
    assert "tbreak" not in session.do("info breakpoints") and "Num" in session.do("info breakpoints")
    session.do("delete 2")
    session.do("fred-reverse-finish")
    assert "0x" in session.do("frame") and line(session) == 18
    session.kill()


def test_back_from_a_watchpoint(folder):
    session = counting(folder, "watch calls if calls == 3")
    assert "atchpoint 1" in session.stopped
    session.do("fred-reverse-step")
    assert line(session) == 10 and session.do("output calls") == "2"
    session.do("fred-reverse-finish")
    assert "main" in session.do("frame") and session.do("output i") == "2"
    session.kill()


def test_back_from_the_exit(folder):
    session = counting(folder)
    assert "exited with code 03" in session.stopped
    assert "the program has ended" in session.do("fred-reverse-watch total")
    assert "the program has ended" in session.do("fred-reverse-finish")
    session.do("break add if i == 5")
    session.do("fred-reverse-continue")
    assert "add (i=5)" in session.do("frame")
    assert session.do("output $_exitcode") == "void"
    session.do("fred-undo")
    assert session.do("output $_exitcode") == "3"
    assert "FReD" not in session.do("fred-reverse-step")
    session.do("fred-undo 3")
    assert "No stack." in session.do("bt")
    session.kill()


def test_input_of_the_run(folder):
    session = Gdb(folder, build(folder.work, "count.c", text=COUNT), snapshots=True)
    session.do("break %d" % PRINT)
    session.send("run read")
    session.send("30")
    session.send("40")
    session.type("\x04")
    assert "Breakpoint 1" in session.prompt()
    answer = session.do("fred-reverse-watch total >= 80")
    assert "was 0 before, 1 after" in answer and "add (i=40)" in answer, answer
    session.do("fred-reverse-continue")
    session.do("fred-end")
    assert session.do("output total") == "85"
    session.kill()


def test_input_where_the_search_goes_on(folder):
    """What the program has not read yet at a place that the search comes back to is there again."""
    session = Gdb(folder, build(folder.work, "count.c", text=COUNT), snapshots=True)
    session.do("break main")
    session.do("run read")
    session.do("break %d" % PRINT)
    session.send("continue")
    for number in range(8):
        session.send("%d" % number)
    session.type("\x04")
    assert "Breakpoint 2" in session.prompt()
    assert "add (i=7)" in session.do("fred-reverse-watch total > 40")
    session.kill()


def test_run_again_with_other_arguments(folder):
    session = counting(folder, "break 9 if i == 3")
    session.do("fred-reverse-next")
    assert "Start it from the beginning?" in session.do("run one two")
    assert "Breakpoint 1, add (i=3)" in session.do("y")
    session.do("fred-reverse-finish")
    assert session.do("output argc") == "3"
    assert NO_MORE in session.do("fred-reverse-continue") and at_main(session)
    assert ", start one two, " in session.do("fred-history")
    session.kill()


@pytest.mark.parametrize("what", ["local", "data"])
def test_a_program_that_asks_the_clock(folder, what):
    """Its number is the same in both runs, its time is not: a value that depends on that is refused, and differing data are told."""
    session = counting(folder, "break %d" % PRINT, run="run " + what)
    assert "did not run the same way" in session.do("fred-reverse-watch total - pid")
    assert line(session) == PRINT
    assert ("the program came to other values" in session.do("fred-reverse-next")) == (what == "data")
    assert line(session) == 26
    session.kill()


def test_without_main(folder):
    name = build(folder.work, "count.c", "-s", text=COUNT)
    session = Gdb(folder, name, snapshots=True)
    session.do("catch syscall clock_nanosleep")
    assert "exited" in session.do("run")
    assert NO_MORE + "\nFReD: history begins here, for gdb knows no lines of main()" in session.do("fred-reverse-stepi")
    session.kill()


def test_other_addresses_each_time(folder):
    session = Gdb(folder, build(folder.work, "list.c", text=LIST), snapshots=True)
    session.do_all("set disable-randomization off", "break sum", "run", "next")
    session.do("fred-reverse-next")
    here = session.do("where")
    answer = session.do("fred-reverse-next")
    assert NO_MORE in answer and "history begins here, for the program gets other addresses each time" in answer
    assert session.do("where") == here
    session.kill()


BEFORE_MAIN = """#include <cstdio>
static int made;
struct Thing {
	int value;
	explicit Thing(int v) : value(v) {
		made += v;
		value++;
	}
};
static Thing one(3), two(4);
int main()
{
	printf("%d %d\\n", made, one.value);
	return two.value;
}
"""


def test_a_constructor_before_main(folder):
    session = Gdb(folder, build(folder.work, "thing.cc", text=BEFORE_MAIN), snapshots=True)
    session.do("break 7 if v == 4")
    assert "Breakpoint 1, Thing::Thing" in session.do("start")
    answer = session.do("fred-reverse-watch made == 0")
    assert "was true before, false after this statement" in answer and "v=3" in answer, answer
    session.do("fred-undo")
    session.do("fred-reverse-step")
    assert line(session) == 6 and session.do("output v") == "4"
    session.do("continue")
    # The number of `start` is used up.
    assert "Temporary breakpoint 2, main" in session.do("continue")
    assert "Breakpoint 3" in session.do("break 14")
    session.kill()


def test_a_thrown_exception(folder):
    """No stop was made in the function that is called last: it is not the one that was called before it."""
    session = Gdb(folder, build(folder.work, "cpp.cc"), snapshots=True)
    session.do("catch throw")
    assert "Catchpoint 1 (exception thrown)" in session.do("run")
    session.do("fred-reverse-next")
    assert "thrower (x=3)" in session.do("frame")
    session.kill()


THREADS = """#include <pthread.h>
static int sum;
static void *work(void *argument)
{
	int n = *(int *)argument;
	sum += n;
	return argument;
}
int main(void)
{
	int numbers[] = {1, 2, 3};
	for (int i = 0; i < 3; i++) {
		pthread_t thread;
		pthread_create(&thread, 0, work, &numbers[i]);
		pthread_join(thread, 0);
	}
	return sum;
}
"""


def test_back_in_a_thread(folder):
    session = Gdb(folder, build(folder.work, "threads.c", "-g", "-pthread", text=THREADS), snapshots=True)
    session.do("break 7 if n == 2")
    assert "Breakpoint 1, work" in session.do("run")
    answer = session.do("fred-reverse-watch sum")
    assert "was 1 before, 3 after" in answer and "threads.c:6" in answer and "thread 3" in answer, answer
    session.do("fred-undo")
    session.do("fred-reverse-next 2")
    assert line(session) == 5 and session.do("output *(int *)argument") == "2"
    session.kill()


def test_the_program_is_still_heard(folder):
    """Started once more to go back before its first stop, and run on from there."""
    session = Gdb(folder, build(folder.work, "sum.c"), snapshots=True)
    session.do_all("set confirm off", "break add if a > 3", "run", "fred-reverse-next", "delete")
    assert re.search(r"^\d+$", session.do("continue"), re.M)
    session.kill()
