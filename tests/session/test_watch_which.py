# SPDX-License-Identifier: GPL-3.0-or-later
"""Which change of an expression fred-reverse-watch finds: --first, --last (fred-last) and --any, under pdb and under gdb."""
import os
import re
import shutil

import pytest

from driver import line_of
from gdb_pair import Gdb, build

SCRIPT = """steps = 0
def add(total, n):
    global steps
    steps += 1
    total += n
    return total
def work():
    total = 0
    for n in (0, 3, 4, -7, 0, 2):
        total = add(total, n)
    return total, steps
constant = 7
level = work()[0]
level = level + 1
level = level * 5
print(level, constant)
"""
PROGRAM = """static int level, steps, constant = 7;
static int add(int total, int n)
{
	steps += 1;
	total += n;
	return total;
}
static int work(void)
{
	static const int by[] = { 0, 3, 4, -7, 0, 2 };
	int total = 0;
	for (int i = 0; i < 6; i++)
		total = add(total, by[i]);
	return total;
}
int main(void)
{
	level = work();
	level = level + 1;
	level = level * 5;
	return level + constant;
}
"""


class Python:
    name, text, add, work, end = "pdb", SCRIPT, "        total = add(total, n)", "    return total, steps", "print(level, constant)"
    since, value, true, false = "it first had a value", "p %s", "true", "false"

    def __init__(self, fred, folder):
        path = os.path.join(folder.work, "p.py")
        with open(path, "w") as file:
            file.write(self.text)
        self.session = fred(path)
        self.do = self.session.do

    def run_to(self, line):
        self.session.do_all("break %d" % self.number(line), "continue")

    def number(self, line):
        return 1 + self.text.split("\n").index(line)

    def line(self):
        return int(re.findall(r"^> \S+\((\d+)\)", self.do("where"), re.M)[-1])

    def get(self, expression):
        return self.do(self.value % expression).strip()


class C(Python):
    name, text, add, work, end = "gdb", PROGRAM, "\t\ttotal = add(total, by[i]);", "\treturn total;", "\treturn level + constant;"
    since, value, true, false = "the start", "output %s", "1", "0"

    def __init__(self, fred, folder):
        self.session = Gdb(folder, "-nx", build(folder.work, "p.c", text=self.text), snapshots=True)
        self.do = self.session.do

    def run_to(self, line):
        self.session.do_all("break %d" % self.number(line), "run")

    def number(self, line):
        return 1 + max(i for i, each in enumerate(self.text.split("\n")) if each == line)

    def line(self):
        return int(re.search(r"\.c:(\d+)", self.do("frame")).group(1))


@pytest.fixture(params=[Python, C], ids=["pdb", "gdb"])
def program(request, fred, folder):
    if request.param is C and not (shutil.which("gdb") and shutil.which("gcc")):
        pytest.skip("no gdb or no gcc here")
    program = request.param(fred, folder)
    yield program
    program.session.kill()


def level_line(program, change):
    semicolon = ";\n" if program.name == "gdb" else "\n"
    return 1 + program.text[:program.text.index("level = level %s%s" % (change, semicolon))].count("\n")


def test_a_global_that_changes_several_times(program):
    program.run_to(program.end)
    first = ("level", "2", "3", "+ 1") if program.name == "pdb" else ("level > 1", "0", "1", None)
    answer = program.do("fred-reverse-watch --first " + first[0])
    assert "%s was %s before, %s after this statement" % first[:3] in answer, answer
    if program.name == "gdb":
        assert "this is the first change since the start" in answer
    assert first[3] is None or program.line() == level_line(program, first[3])
    assert program.get(first[0]) == first[1]
    program.do("fred-undo")
    assert program.get("level") == "15"
    for command in ("fred-last", "fred-reverse-watch --last", "fred-reverse-watch --any", "fred-rw"):
        answer = program.do(command + " level")
        assert "level was 3 before, 15 after this statement" in answer and "changed once" not in answer, answer
        assert program.line() == level_line(program, "* 5") and program.get("level") == "3"
        program.do("fred-undo")


def test_a_local_that_comes_to_the_same_value_again(program):
    program.run_to(program.work)
    for option, ns in (("--first", ["3"]), ("--last", ["2"]), ("--any", ["3", "2"]), ("", ["3", "2"])):
        # Before its first assignment a local of C has any value.
        expression = "total == 0" if program.name == "pdb" or option != "--first" else "steps > 1 && total != 0"
        answer = program.do("fred-reverse-watch %s %s" % (option, expression))
        before, after = (program.true, program.false) if "==" in expression else (program.false, program.true)
        assert "was %s before, %s after" % (before, after) in answer, answer
        assert re.search(r"the rest of the statement at \S+:%d in work" % program.number(program.add), answer), answer
        assert program.get("n") in ns, answer
        assert program.get("total") == program.get("n")
        program.do("fred-undo")


def test_how_often_is_said_where_every_stop_was_looked_at(fred, folder):
    program = Python(fred, folder)
    program.run_to(program.end)
    for command, count in [("fred-rw --first level", "level changed 2 times since it first had a value; this is the first"),
                           ("fred-last level", "level changed 2 times since it first had a value; this is the last"),
                           ("fred-rw steps", "steps changed 6 times since it first had a value; this is the last"),
                           ("fred-rw --first steps", "steps changed 6 times since it first had a value; this is the first"),
                           ("fred-last level > 2", "level > 2 changed once since it first had a value: here")]:
        assert "\nFReD: %s\n" % count in program.do(command), command
        program.do("fred-undo")
    # A call is not looked at in passing; a command of the user's may have changed anything.
    assert "times" not in program.do("fred-last str(level)")
    program.session.do_all("fred-undo", "steps = 5", "next")
    assert "times" not in program.do("fred-rw --first level")


def test_how_often_in_one_call(fred, folder):
    program = Python(fred, folder)
    program.session.do_all("break add", "continue", "ignore 1 1", "continue", "next", "next", "next")
    assert program.line() == program.number("    return total")
    assert "total changed once since it first had a value: here" in program.do("fred-rw --first total")
    program.do("fred-undo")
    assert "total changed" not in program.do("fred-rw total"), "by halves, not all commands were looked at"


def test_what_never_changed(program):
    program.run_to(program.end)
    here = program.do("where")
    for expression in ("constant", "constant + 0 * level"):
        answer = program.do("fred-reverse-watch --first %s" % expression)
        assert answer == "FReD: %s has been 7 at every stop since %s\n" % (expression, program.since)
        assert program.do("where") == here
    if program.name == "gdb":
        assert program.do("fred-last constant") == "FReD: constant has been 7 at every stop since the start\n"


def test_a_change_by_a_command_of_the_users(program):
    program.run_to(program.work)
    command = "constant = 8" if program.name == "pdb" else "set variable constant = 8"
    program.do(command if program.name == "gdb" else "global constant; " + command)
    program.run_to(program.end) if program.name == "pdb" else program.session.do_all("break %d" % program.number(program.end), "continue")
    name = "constant"
    answer = program.do("fred-reverse-watch --first " + name)
    assert re.search(r"constant was 7 before, 8 after the command `.*constant = 8` here", answer), answer
    assert program.get(name) == "7" and program.line() == program.number(program.work)


@pytest.mark.parametrize("line, complaint", [
    ("fred-reverse-watch --frist level", "there is no option --frist; there are --first, --last and --any"),
    ("fred-reverse-watch --first --last level", "one change at a time, please: --first, --last or --any"),
    ("fred-rw --any --first level", "one change at a time, please: --first, --last or --any"),
    ("fred-last --first level", "one change at a time, please: --first, --last or --any"),
    ("fred-reverse-watch --first", "fred-reverse-watch needs an expression"),
    ("fred-last", "fred-last needs an expression"),
    ("fred-reverse-watch --first no_such_name", "`no_such_name' has no value here"),
])
def test_refused_in_a_line(program, line, complaint):
    program.run_to(program.end)
    here = program.do("where")
    answer = program.do(line)
    assert answer.startswith("FReD: " + complaint) and answer.count("\n") == 1, answer
    assert program.do("where") == here


def test_an_option_twice_and_a_name_that_begins_like_one(program):
    program.run_to(program.end)
    assert "level was 3 before, 15 after" in program.do("fred-reverse-watch --last --last level")


def test_interrupt_of_a_search_for_the_first(fred):
    session = fred("spins.py", "10000", env={"TERM": "xterm"})
    session.do("break %d" % line_of("spins.py", "return count"))
    assert "-> return count" in session.do("continue")
    here = session.do("where")
    # A call: nothing is seen in passing.
    session.send("fred-reverse-watch --first str(count < 0)")
    session.expect(re.compile(rb"FReD: the first change, \d%, \d+ evaluations, \d+ snapshots, \d+ of \d+ s; \^C stops"))
    session.interrupt()
    session.expect("FReD: stopped by ^C")
    session.prompt()
    assert session.do("where") == here
    assert "10000" in session.do("p count")
    session.send("fred-last str(count < 0)")
    session.expect(re.compile(rb"FReD: the last change, \d%, \d+ evaluations, \d+ snapshots, \d+ of \d+ s; \^C stops"))
    session.interrupt()
    session.prompt()
    assert "10000" in session.do("p count")


LONG = """static long same(long n) { return n; }
int main(void)
{
	volatile long n = 0;
	for (long i = 0; i < 3000; i++)
		n++;
	return same(0);
}
"""


@pytest.mark.skipif(not shutil.which("gdb") or not shutil.which("gcc"), reason="no gdb or no gcc here")
def test_interrupt_of_a_search_for_the_first_in_gdb(folder):
    session = Gdb(folder, "-nx", build(folder.work, "long.c", text=LONG), snapshots=True, env={"TERM": "xterm"})
    session.do_all("break 7", "run")
    here = session.do("frame")
    session.send("fred-reverse-watch --first same(n) < 0")     # a call: nothing is seen in passing
    session.expect("the first change, ")
    session.interrupt()
    session.prompt()
    assert session.do("frame") == here
    assert "3000" in session.do("output n")
    session.kill()
