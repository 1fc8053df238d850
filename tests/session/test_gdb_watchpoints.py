# SPDX-License-Identifier: GPL-3.0-or-later
"""fred-reverse-continue with gdb's watchpoints enabled, against what they did forwards."""
import re
import shutil

import pytest

from gdb_pair import Gdb, build

pytestmark = pytest.mark.skipif(not shutil.which("gdb") or not shutil.which("gcc"), reason="no gdb or no gcc here")

PROGRAM = """#include <stdio.h>
static int total = 1;
static int inner(int x)
{
	static int calls;
	int y = 0;
	for (int i = 0; i < 3; i++)
		y += x;
	calls++;
	return y;
}
int main(void)
{
	for (int i = 0; i < 3; i++)
		total = inner(total);
	printf("%d\\n", total);
	return 0;
}
"""
TRIGGERS = "FReD: a breakpoint is reached, or a watchpoint triggers, in what is executed from here to the next stop:"
NO_MORE = "No more reverse-execution history."


LOOP = PROGRAM.split("\n").index("int main(void)") + 3


def line_of(text):
    return PROGRAM.split("\n").index(text) + 1


@pytest.fixture
def gdb(folder):
    session = Gdb(folder, "-nx", build(folder.work, "p.c", text=PROGRAM), snapshots=True)
    session.do_all("set confirm off", "break main", "run", "delete")
    yield session
    session.kill()


def forwards(gdb, command="continue"):
    """The old values that the watchpoint tells as long as it triggers."""
    values = []
    while True:
        found = re.search(r"^Old value = (.*)$", gdb.do(command), re.M)
        if not found:
            return values
        values.append(found.group(1))


def backwards(gdb, expression, most=20):
    """The value at each place to which reverse-continue leads while a watchpoint triggers there."""
    values = []
    while len(values) < most and TRIGGERS in gdb.do("reverse-continue"):
        values.append(gdb.do("output " + expression))
    return values


@pytest.mark.parametrize("hardware", [1, 0])
def test_a_global_that_callers_change(gdb, hardware, request):
    if hardware:
        request.getfixturevalue("debug_registers")
    gdb.do_all("set can-use-hw-watchpoints %d" % hardware, "tbreak %d" % line_of('\tprintf("%d\\n", total);'), "continue",
               "watch total")
    assert backwards(gdb, "total") == ["9", "3", "1"]
    gdb.do("fred-undo")
    # What changes it is the rest of main()'s line.
    assert "inner (x=1)" in gdb.do("bt 1") and gdb.do("frame").endswith("\t}\n")
    assert forwards(gdb) == ["1", "3", "9"]


def test_commands_that_a_watchpoint_ended(gdb):
    gdb.do("watch total")
    for _ in range(3):
        assert "atchpoint 2: total" in gdb.do("continue")
    assert backwards(gdb, "total") == ["9", "3", "1"]
    gdb.do("fred-undo")
    assert forwards(gdb) == ["1", "3", "9"]


def test_a_local_belongs_to_one_call(gdb):
    gdb.do_all("tbreak inner if x == 3", "continue", "watch y")
    values = forwards(gdb)
    assert values[1:] == ["0", "3", "6"]
    gdb.do_all("fred-undo", "delete", "tbreak %d" % line_of("\treturn y;"), "continue")
    assert "x=3" in gdb.do("bt 1")
    gdb.do("watch y")
    assert backwards(gdb, "y") == values[::-1]
    # The call before had its y at the same address.
    assert "main () at" in gdb.do("bt 1") and gdb.do("output total") == "1"


def test_a_local_that_went_out_of_scope(gdb):
    """In the command that is run again gdb deletes the watchpoint."""
    gdb.do_all("tbreak inner if x == 3", "continue", "watch y")
    forwards(gdb)
    assert "main" in gdb.do("bt 1") and "No breakpoints" in gdb.do("info breakpoints")
    gdb.do("reverse-step")
    assert "inner (x=3)" in gdb.do("bt 1") and "}" in gdb.do("frame")
    gdb.do("reverse-next")
    assert "return y;" in gdb.do("frame")


def test_reads(gdb, debug_registers):
    gdb.do_all("tbreak %d" % line_of("\treturn y;"), "continue", "rwatch total", "up", "awatch i")
    # The call reads total; the line before sets i, in main(), which was called before the last breakpoint.
    assert backwards_lines(gdb) == ["main:%d" % each for each in (line_of("\t\ttotal = inner(total);"), LOOP)]


def backwards_lines(gdb):
    lines = []
    while TRIGGERS in gdb.do("reverse-continue"):
        lines.append(re.sub(r"#0 .*?(\w+) \(.*?\) at \S*?:(\d+)\n.*", r"\1:\2", gdb.do("bt 1"), flags=re.S))
    return lines


def test_conditions_and_other_names(gdb):
    gdb.do_all("tbreak inner if x == 9", "continue", "watch calls if total > 1", "watch -l x")
    gdb.do_all("tbreak %d" % line_of('\tprintf("%d\\n", total);'), "continue", "continue")
    # In main() neither name means anything.
    assert "main () at" in gdb.do("bt 1")
    assert backwards(gdb, "inner::calls", 1) == ["2"]
    answer = gdb.do("reverse-continue")
    assert TRIGGERS in answer and "cannot be set again" not in answer
    assert "\t\ttotal = inner(total);" in gdb.do("frame")          # its parameter is written
    assert re.search(r"watchpoint .* inner::calls\n.*if total > 1\n.*watchpoint .* \*\(int \*\) 0x", gdb.do(
        "info breakpoints"))


def test_what_may_mean_something_else_is_refused(gdb):
    gdb.do_all("tbreak inner", "continue", "watch $rax")
    assert "may mean something else there" in gdb.do("reverse-continue")
    gdb.do_all("delete", "watch total if y > 1")
    assert "its condition may mean" in gdb.do("reverse-continue")
    gdb.do_all("delete", "watch y", "disable", "finish", "enable")
    assert "of a function that has returned" in gdb.do("reverse-continue")


PASSED = """#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
static int compared, handled;
static int compare(const void *a, const void *b)
{
	compared++;
	return *(const int *)a - *(const int *)b;
}
static void handler(int number)
{
	handled++;
}
int main(void)
{
	int v[] = {3, 1, 2};
	signal(SIGUSR1, handler);
	qsort(v, 3, sizeof *v, compare);
	raise(SIGUSR1);
	puts("done");
	return compared + handled;
}
"""


@pytest.mark.parametrize("breakpoints, statement", [
    (["compare"], "qsort(v, 3, sizeof *v, compare);"), (["compare if compared > 1"], "qsort(v, 3, sizeof *v, compare);"),
    (["handler"], "raise(SIGUSR1);"), (["write"], 'puts("done");'), (["compare", "handler"], "raise(SIGUSR1);"),
    (["compare if compared > 3"], None)])
def test_a_breakpoint_where_step_does_not_stop(folder, breakpoints, statement):
    """In a function that libc calls, in a signal's handler, in a function without lines; set when that was over."""
    program = build(folder.work, "passed.c", text=PASSED)
    session = Gdb(folder, "-nx", "-ex", "set debug-file-directory /nonexistent", program, snapshots=True)
    session.do_all("handle SIGUSR1 nostop noprint pass", "tbreak main", "run")
    session.do_all("tbreak %d" % (PASSED.split("\n").index("\treturn compared + handled;") + 1), "continue")
    session.do_all(*["break " + each for each in breakpoints])
    answer = session.do("reverse-continue")
    if statement is None:
        assert NO_MORE in answer
    else:
        assert TRIGGERS in answer and answer.endswith("\t%s\n" % statement), answer
        assert "Breakpoint" in session.do("continue")
    session.kill()


def test_a_breakpoint_in_a_library_over_an_exec(folder):
    program = build(folder.work, "again.c", text="""#include <stdio.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	puts("done");
	if (argc > 1)
		return 0;
	execl("/proc/self/exe", "again", "x", (char *)0);
	return 1;
}
""")
    session = Gdb(folder, "-nx", "-ex", "set debug-file-directory /nonexistent", program, snapshots=True)
    session.do_all("break main", "run", "continue", "delete 1", "tbreak 6", "continue", "break write")
    for argc in "2", "1":
        assert TRIGGERS in session.do("reverse-continue")
        assert session.do("output argc") == argc and 'puts("done");' in session.do("frame")
    session.kill()
