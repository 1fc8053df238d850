# SPDX-License-Identifier: GPL-3.0-or-later
"""What gdb's agent sees of an expression on the way of a trace, as fred-reverse-watch --first and --last tell it, against its value
at every stop of `step` in gdb alone; and that a look calls no function of the program's."""
import json
import os
import re
import shutil
import subprocess

import pytest

from gdb_pair import Gdb, build

pytestmark = pytest.mark.skipif(not shutil.which("gdb") or not shutil.which("gcc"), reason="no gdb or no gcc here")

PROGRAM = """struct node { int n; struct node *next; } nodes[4], *head;
static char text[8] = "a";
static double ratio;
static int total, bits, table[3];
static void push(int i)
{
	int total = 100 + i;
	nodes[i].n = total;
	nodes[i].next = head;
	head = &nodes[i];
}
static int fact(int n)
{
	int total = n;
	if (n > 1)
		total *= fact(n - 1);
	return total;
}
int main(void)
{
	for (int i = 0; i < 4; i++) {
		push(i);
		total += fact(i);
		bits ^= 1 << i % 2;
		text[i] = 'a' + i;
		ratio = total / 2.0;
		table[i % 3] = i;
	}
	head = head->next;
	text[1] = 0;
	bits = -bits;
	return total;
}
"""
LOOKS = """total; total > 1; total * 2 + bits; bits; -bits; !bits; head; head == 0; head->n; head->next->n; *head; head->next == 0; text; text[1];
nodes; nodes[2].n; ratio; ratio > 1 && total; table; table[2]; (char)total; sizeof(total); text[0] == 'a'; &nodes[total]; *(int *)&ratio
total / bits""".replace("\n", "; ").split("; ")
ORACLE = """
import gdb, json
found = []
gdb.execute("set confirm off")
gdb.execute("break main")
gdb.execute("run", False, True)
gdb.execute("delete")
while True:
    frame, depth = gdb.newest_frame(), 1
    top, line = frame, frame.find_sal().line
    while frame.older() is not None:
        frame, depth = frame.older(), depth + 1
    frame.select()
    values = []
    for each in EXPRESSIONS:
        try:
            values.append(gdb.execute("output " + each, False, True))
        except gdb.error:
            values.append("undefined")
    top.select()
    found.append([line, depth, values])
    if line == LAST:
        break
    gdb.execute("step", False, True)
print("\\n@" + json.dumps(found))
"""


END = PROGRAM.count("\n") - 1           # main's last statement


@pytest.fixture
def program(folder):
    return build(folder.work, "p.c", text=PROGRAM)


def stepped(folder, program):
    """Line, depth and the values of all stops of main() and what it calls."""
    script = os.path.join(folder.work, "oracle.py")
    with open(script, "w") as file:
        file.write("LAST, EXPRESSIONS = %d, %r\n%s" % (END, LOOKS, ORACLE))
    out = subprocess.run(["gdb", "-nx", "-q", "-batch", "-x", script, program], cwd=folder.work, stdout=subprocess.PIPE, text=True,
                         check=True).stdout
    return json.loads(out.split("\n@")[1])


def at_end(folder, program):
    session = Gdb(folder, "-nx", program, snapshots=True)
    session.do_all("break %d" % END, "run")
    return session


def check(session, command, expression, stops, values, k):
    answer = session.do("%s %s" % (command, expression))
    if k is None:
        assert answer == "FReD: %s has been %s at every stop since the start\n" % (expression, values[-1])
        return
    assert "FReD: %s was %s before, %s after this statement:\n" % (expression, values[k], values[k + 1]) in answer, (answer, values)
    at = session.do("where")
    assert (at.count("#"), int(re.search(r":(\d+)$", at.split("\n")[0]).group(1))) == (stops[k][1], stops[k][0]), (answer, at, k)
    session.do("fred-undo")


def test_a_look_sees_what_an_evaluation_at_every_stop_gives(folder, program):
    stops = stepped(folder, program)
    assert len(stops) > 80
    session = at_end(folder, program)
    for i, expression in enumerate(LOOKS):
        values = [stop[2][i] for stop in stops]
        changes = [k for k in range(len(values) - 1) if values[k] != values[k + 1]]
        if values[-1] == "undefined":
            assert "has no value here" in session.do("fred-last " + expression)
            continue
        check(session, "fred-last", expression, stops, values, changes[-1] if changes else None)
        valued = [k for k in changes if k >= min(j for j in range(len(values)) if values[j] != "undefined")]
        if values[0] != "undefined":
            check(session, "fred-reverse-watch --first", expression, stops, values, valued[0] if valued else None)
    session.kill()


def test_how_often_a_variable_changed(folder, program):
    stops = stepped(folder, program)
    session = at_end(folder, program)
    for expression in ("total", "bits", "head->n"):
        values = [stop[2][LOOKS.index(expression)] for stop in stops]
        base = min(k for k in range(len(values)) if values[k] != "undefined")
        changes = sum(values[k] != values[k + 1] for k in range(base, len(values) - 1))
        since = " since it first had a value" if base else ""
        assert "FReD: %s changed %d times%s; this is the last\n" % (expression, changes, since) in session.do("fred-last " + expression)
        session.do("fred-undo")
    session.kill()


def test_a_local_of_a_call_among_others(folder, program):
    session = Gdb(folder, "-nx", program, snapshots=True)
    session.do_all("break 17 if n == 3", "run")
    # Calls of the same function came before, and one within has a variable of that name.
    answer = session.do("fred-last total")
    assert "total was 3 before, 6 after this statement" in answer and "p.c:16" in answer, answer
    session.kill()


CPP = """#include <vector>
static int calls;
struct Row {
	std::vector<int> cells;
	int operator[](int i);
} row;
int Row::operator[](int i)
{
	calls++;
	return cells[i];
}
int main()
{
	calls = row.cells.empty() ? 0 : row[0];
	for (int i = 0; i < 3; i++)
		row.cells.push_back(i);
	row.cells[1] = 7;
	row.cells[2] = row.cells[1];
	return calls;
}
"""


@pytest.mark.skipif(not shutil.which("g++"), reason="no g++ here")
def test_an_operator_of_the_programs_own_is_not_called_by_a_look(folder):
    session = Gdb(folder, "-nx", build(folder.work, "row.cc", text=CPP), snapshots=True)
    session.do_all("break %d" % (CPP.count("\n") - 1), "run")
    answer = session.do("fred-last row[1] == 7")
    assert "false before, true after this statement" in answer and "row.cells[1] = 7" in answer, answer
    assert "times" not in answer and "once" not in answer
    session.do("fred-undo")
    assert session.do("output calls") == "0"
    session.kill()
