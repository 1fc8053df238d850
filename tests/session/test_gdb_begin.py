# SPDX-License-Identifier: GPL-3.0-or-later
"""`run` into a crash, and then back: the history before the first stop; and how a command ended is remembered while the
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
