# SPDX-License-Identifier: GPL-3.0-or-later
"""fred-reverse-finish under gdb goes to the instruction that called the function, as gdb's own reverse-finish does."""
import re
import shutil

import pytest

from gdb_pair import Gdb
from random_c_program import compile_text

pytestmark = pytest.mark.skipif(not shutil.which("gdb") or not shutil.which("gcc"), reason="no gdb or no gcc here")

CALLS = r"""#include <signal.h>
#include <stdlib.h>
int g;
int add(int x)
{
	g += x;
	return g;
}
int outer(int a, int b)
{
	int s = a + b;
	s += add(a);
	return s;
}
int order(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}
__attribute__((noinline)) int tail(int x)
{
	g ^= 1;
	return outer(x, g);
}
void handler(int s)
{
	g++;
}
int main(void)
{
	int t = 0, v[] = {3, 1, 2};
	t = outer(add(1), 2) + add(3);
	qsort(v, 3, sizeof *v, order);
	t += tail(t);
	signal(SIGUSR1, handler);
	raise(SIGUSR1);
	return t & 1;
}
"""


def start(folder, *commands, flags=("-O0",)):
    compile_text(CALLS, folder.work + "/calls", *flags)
    session = Gdb(folder, "-nx", "-ex", "set debug-file-directory /nonexistent", "./calls", snapshots=True)
    session.do_all("break main", "run", *commands)
    return session


def number(session, expression):
    return int(session.do("output/x " + expression), 16)


def caller(session, frame=1):
    """Where the call of the function below that frame returns to, and the stack pointer before it."""
    session.do("frame %d" % frame)
    found = number(session, "$pc"), number(session, "$sp")
    session.do("frame 0")
    return found


def check_at_call(session, returns):
    instructions = re.findall(r"(0x\w+)[^\n]*:\s+(\w+)", session.do("x/2i $pc"))
    assert instructions[0][1] == "call", instructions
    assert (int(instructions[1][0], 16), number(session, "$sp")) == returns


@pytest.mark.parametrize("commands", [
    ["break add if x == 3", "continue"],                    # not the first call in its line
    ["break outer", "continue", "next", "next"],            # after a call in the line, and one of its own
    ["break *outer", "continue"], ["break *outer", "continue", "stepi 2"],          # before its first stop
    ["break outer", "continue", "break *add", "continue"],
    ["break order", "continue", "continue"],                # called by code without lines
    ["break handler", "handle SIGUSR1 nostop noprint pass", "break add if x == 3", "continue", "stepi", "stepi"]])
def test_the_call_instruction(folder, commands):
    session = start(folder, *commands)
    here, returns = session.do("where"), caller(session)
    session.do("reverse-finish")
    check_at_call(session, returns)
    session.do("stepi")
    assert session.do("where").split("(")[0].split()[-1] == here.split("(")[0].split()[-1]
    session.do_all("fred-undo 2")
    assert session.do("where") == here
    session.do("fred-redo")
    check_at_call(session, returns)
    session.kill()


def test_the_selected_frame_counts(folder):
    session = start(folder, "break outer", "continue", "tbreak add", "continue")
    returns = caller(session, 2)
    session.do_all("up", "fred-reverse-finish")
    check_at_call(session, returns)
    session.do_all("fred-undo", "down", "fred-reverse-finish 2")
    check_at_call(session, returns)
    assert "No more reverse-execution history." in session.do("fred-reverse-finish")
    assert "int t = 0" in session.do("frame")
    session.kill()


def test_on_from_there(folder):
    """As from any place in the middle of a line."""
    session = start(folder, "tbreak outer", "continue")
    answer = session.do("reverse-finish")
    assert re.match(r"0x\w+ in main \(\) at \S+:\d+\n\d+\t\tt = outer\(add\(1\), 2\)", answer), answer
    assert number(session, "g") == 1
    assert "outer (a=1, b=2)" in session.do("step")
    session.do("fred-undo")
    assert "qsort" in session.do("next")
    session.do("fred-undo")
    assert "return g" in session.do("reverse-step 2")       # of add(1), which lies between
    session.do("fred-undo")
    assert "int t = 0" in session.do("reverse-next 2")
    session.kill()


def test_from_where_a_finish_had_stopped_in_the_line(folder):
    """That is in the middle of the statement, and no stop to come back to."""
    session = start(folder, "tbreak add", "continue", "finish", "step")
    session.do("reverse-finish")
    assert "t = outer(add(1), 2)" in session.do("frame")
    assert re.match(r"(add \(x=1\) [^\n]*\n)?\d+\t}", session.do("reverse-step"))
    session.kill()


def test_of_a_tail_call(folder):
    session = start(folder, "tbreak tail", "continue", "tbreak outer", "continue", flags=("-O2", "-fno-inline"))
    assert "tail (" in session.do("where")
    session.do("reverse-finish")
    assert re.search(r"jmp +\S+ <outer>", session.do("x/i $pc"))
    assert "tail (" in session.do("where").split("\n")[0]
    assert "outer (" in session.do("step")
    session.kill()


def test_of_a_signal_handler(folder):
    """No instruction calls it."""
    session = start(folder, "handle SIGUSR1 nostop noprint pass", "tbreak handler", "continue")
    assert "cannot be followed" in session.do("fred-reverse-finish")
    assert "raise(SIGUSR1);" in session.do("frame") and "#0  main" in session.do("where")
    session.kill()
