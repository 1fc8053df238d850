# SPDX-License-Identifier: GPL-3.0-or-later
"""Backwards in gdb: undo, reverse moves, and the search for the statement that made an expression what it is."""
import re
import subprocess

import pytest

import driver
from driver import line_of
from gdb_pair import Gdb, build
from random_c_program import compile_text


def list_program(folder, name):
    subprocess.run(["gcc", "-g", "-O0", "-o", name, driver.program(name + ".c")], cwd=folder.work, check=True)
    return "./" + name


@pytest.mark.parametrize("name, good, message, further", [
    ("list30", "tail->next = node;", None, "tail = node;"),
    ("list30_tail", "}", "tail->next = new_node(i);", "tail = tail->next;"),
])
def test_the_statement_that_makes_the_list_longer(folder, name, good, message, further):
    gdb = Gdb(folder, "-nx", list_program(folder, name), snapshots=True)
    gdb.do_all("break main", "run")
    assert "FReD: checkpoint 1 at %s.c:" % name in gdb.do("fred-ckpt")
    gdb.do_all("break %d" % line_of(name + ".c", "return 0;"), "continue")
    found = gdb.do("fred-reverse-watch list_len(head) < 17")
    assert "was 1 before, 0 after this statement:" in found
    assert re.search(r"^\d+\t+%s$" % re.escape(good), found, re.M)
    assert (message is None) == ("the change comes" not in found)
    if message:
        assert "%s.c:%d in main()" % (name, line_of(name + ".c", message)) in found
    assert gdb.do("print list_len(head)") == "$1 = 16\n"
    here = gdb.do("where")
    assert here.startswith("#0  ") and "#1  " in here
    assert further in gdb.do("next")
    assert gdb.do("print list_len(head)") == "$2 = 17\n"
    gdb.do("fred-reverse-step")
    assert gdb.do("where") == here
    gdb.do("fred-reverse-next")
    assert gdb.do("where") != here
    gdb.do("step")                      # forwards again, it comes here
    assert gdb.do("where") == here


def test_undo_goes_back_before_a_crash_an_exit_and_a_kill(folder):
    gdb = Gdb(folder, "-nx", build(folder.work, "crash.c"), snapshots=True)
    gdb.do_all("break f", "run")
    here = gdb.do("info registers rip rsp") + gdb.do("bt")
    assert "SIGSEGV" in gdb.do("continue")
    assert "Program terminated" in gdb.do("continue")
    gdb.do("undo 2")
    assert gdb.do("info registers rip rsp") + gdb.do("bt") == here
    gdb.do("kill")
    gdb.do("y")
    gdb.do("undo")
    assert gdb.do("info registers rip rsp") + gdb.do("bt") == here
    gdb.do("set var p = (struct s *)&p")
    gdb.do("undo")
    assert gdb.do("print p") == "$1 = (struct s *) 0x0\n"
    assert "SIGSEGV" in gdb.do("continue")


def test_reverse_moves(folder):
    gdb = Gdb(folder, "-nx", build(folder.work, "sum.c"), snapshots=True)
    gdb.do_all("break main", "run", "break 15", "continue")
    assert gdb.do("reverse-next").endswith('14\t\tprintf("%d\\n", s);\n')
    gdb.do("rn 2")
    assert "12\t\t" in gdb.do("frame")
    gdb.do("rs")
    assert "add (a=6, b=4)" in gdb.do("bt")
    gdb.do("reverse-finish")
    assert "main (" in gdb.do("bt").split("\n")[0] and "11\t\t" in gdb.do("frame")
    assert gdb.do("print s") == "$1 = 6\n"
    # The way there is one of `next`, or, where the run took so long that it was split, by a place in its middle.
    assert re.match(r"\[break main, run, break 15, (next 14|continue), ", gdb.do("fred-history"))
    # What was set later is there, too, under its number; and forwards everything is as it was.
    assert re.search(r"^2 .* sum.c:15$", gdb.do("info breakpoints"), re.M)
    assert "Breakpoint 2, main" in gdb.do("continue")
    assert gdb.do("print s") == "$2 = 11\n"


ONE = """int total;
static int add(int n) { total += n; return total; }
int main(void)
{
	total = 2;
	total = add(3);
	return total;
}
"""


def test_a_function_that_was_finished_from_its_prologue(folder):
    gdb = Gdb(folder, "-nx", build(folder.work, "one.c", text=ONE), snapshots=True)
    gdb.do_all("break main", "run", "break *add", "continue", "stepi", "finish")
    assert "outermost" in gdb.do("finish")      # a command that runs nothing is no move
    assert "has been 2 at every stop" not in gdb.do("fred-reverse-watch --last total") and "add (n=3)" in gdb.do("frame")
    gdb.do_all("fred-undo", "fred-reverse-step")
    assert "add (n=3)" in gdb.do("frame") and gdb.do("output total") == "2"
    gdb.do("fred-reverse-step")
    assert "main () at" in gdb.do("frame") and "6\t\ttotal = add" in gdb.do("frame")


TAIL = r"""int g;
int last(int x)
{
	g += x;
	return g;
}
int tail(int x)
{
	g ^= 1;
	return last(last(x));
}
int (*volatile pointer)(int) = tail;
int main(void)
{
	int t = 1;
	t += pointer(t);
	return t;
}
"""


def test_next_that_ends_in_a_tail_call(folder):
    """The function that it was given in is gone by then, and gdb cannot tell that it was there (a pointer was called): its
    caller's statement is the last stop that still counts."""
    compile_text(TAIL, folder.work + "/tail", "-O1", "-fno-inline", "-foptimize-sibling-calls")
    gdb = Gdb(folder, "-nx", "./tail", snapshots=True)
    gdb.do_all("break main", "run", "tbreak tail", "continue")
    for _ in range(3):
        answer = gdb.do("next")
        if "last (" in answer:
            break
    assert "last (" in answer
    assert "main () at" in gdb.do("reverse-next").replace("\n", " ") and "t += pointer(t)" in gdb.do("frame")


def test_the_same_program_can_be_run_again_and_undone(folder):
    gdb = Gdb(folder, "-nx", build(folder.work, "sum.c"), snapshots=True)
    gdb.do_all("set confirm off", "break 12", "run", "continue")
    assert gdb.do("print s") == "$1 = 2\n"
    gdb.do("run")
    assert gdb.do("print s") == "$2 = 0\n"
    gdb.do("undo")
    assert gdb.do("print s") == "$2 = 2\n"


GONE = """# 1 "gone.c"
int twice(int x)
{
	return x + x;
}
# 1 "here.c"
int main(void)
{
	int a = twice(1);
	return a;
}
"""


def test_a_source_that_is_not_there(folder):
    """gdb says so behind the line of the frame."""
    gdb = Gdb(folder, "-nx", build(folder.work, "here.c", text=GONE), snapshots=True)
    gdb.do_all("break main", "run", "next")
    assert re.fullmatch(r"twice \(x=1\) at \S*gone.c:4\n4\t\S*gone.c: No such file or directory.\n", gdb.do("fred-reverse-step"))
    gdb.kill()


def test_a_display_given_later_is_shown(folder):
    session = Gdb(folder, "-nx", build(folder.work, "sum.c"), snapshots=True)
    session.do_all("break add", "run", "next", "display a", "display/x b")
    assert re.search(r"1: a = 0\n2: /x b = 0x0", session.do("fred-reverse-next"))
    assert re.search(r"1: a = 0\n2: /x b = 0x0", session.do("next"))
    session.kill()


def test_a_display_of_a_local_variable_waits_for_its_function(folder):
    session = Gdb(folder, "-nx", build(folder.work, "sum.c"), snapshots=True)
    session.do_all("break main", "run", "break add", "continue", "display a", "display/x b", "display $_exitcode")
    answer = session.do("fred-reverse-continue")
    assert "main (" in answer and "a = " not in answer and "= void" in answer
    assert session.do("info display").count("\n") == 3
    assert re.search(r"\d: a = 0\n\d: /x b = 0x0", session.do("continue"))
    assert re.search(r"a = 0\n.*b = 0x0", session.do("next"))
    session.kill()
