# SPDX-License-Identifier: GPL-3.0-or-later
"""A program that does not do the same when it is run again: FReD says so, also where the line is the right one."""
import os
import shutil

import pytest

from driver import line_with
from gdb_pair import Gdb, build

PROGRAM = """import os, sys
def work(n):
    for i in range(n):
        pass
    total = 0
    for i in range(40):
        total += i
    return total
def main():
    n = len(os.listdir(sys.argv[1]))
    total = work(n)
    print(total)
main()
"""


@pytest.fixture
def session(folder, fred):
    """In the middle of the second loop, found by a search: some hundred ticks from the start."""
    script, files = os.path.join(folder.work, "p.py"), os.path.join(folder.work, "files")
    os.mkdir(files)
    for name in range(30):
        open(os.path.join(files, str(name)), "w").close()
    with open(script, "w") as file:
        file.write(PROGRAM)
    session = fred(script, files)
    session.files = files
    session.do_all("break 8", "continue")
    assert "-> total += i" in session.do("fred-reverse-watch total >= 100")
    assert session.do("p total, i") == "(91, 14)\n"
    return session


def test_the_same_again(session):
    assert "-> for i in range(40)" in session.do("fred-reverse-step")
    assert session.do("p total, i") == "(91, 13)\n"
    session.quit()


def test_one_turn_less(session):
    """The first loop goes round once less: two ticks fewer, and every later tick is that line of another turn."""
    os.unlink(os.path.join(session.files, "3"))
    for command in ("fred-reverse-step", "fred-reverse-next 2", "fred-reverse-finish", "fred-reverse-watch total >= 50"):
        assert "did not run the same way again" in session.do(command), command
        assert session.do("p total, i") == "(91, 14)\n", "and the position is kept"
    assert session.do("next") and session.do("p total") == "105\n"
    session.quit()


def test_one_turn_less_without_a_snapshot(session):
    """Undo to a position whose snapshot is gone runs it again: not to another place."""
    session.do("fred-set max-snapshots 2")
    for _ in range(6):
        session.do("next")
    os.unlink(os.path.join(session.files, "3"))
    answer = session.do("fred-undo 6")
    assert "did not run the same way again" in answer or session.do("p total, i") == "(91, 14)\n"
    session.quit()


TICKETS = """import sys
def ticket():
    with open(sys.argv[1], 'r+') as file:
        number = int(file.read())
        file.seek(0)
        file.write(str(number + %d))
    return number
def work():
    number = ticket()
    number += 1
    return number
def main():
    kept = work()
    print(kept)
main()
"""
TICKETS_C = """#include <stdio.h>
static int ticket(const char *name)
{
	int number;
	FILE *file = fopen(name, "r+");
	if (fscanf(file, "%%d", &number) != 1)
		return -1;
	rewind(file);
	fprintf(file, "%%d", number + %d);
	fclose(file);
	return number;
}
static int work(const char *name)
{
	int number = ticket(name);
	number++;
	return number;
}
int main(int argc, char **argv)
{
	int kept = work(argv[1]);
	printf("%%d\\n", kept);
	return 0;
}
"""
OTHER_VALUES = "the program came to other values"


def tickets(folder):
    name = os.path.join(folder.work, "tickets")
    with open(name, "w") as file:
        file.write("100")
    return name


def with_tickets(folder, fred, python, text):
    script = os.path.join(folder.work, "p.py")
    with open(script, "w") as file:
        file.write(text)
    return fred(argv=[python, "-m", "pdb", script, tickets(folder)])


@pytest.mark.parametrize("more", (0, 1))
def test_other_values(folder, fred, python, more):
    """The file is closed when a snapshot is taken, and does not go back: run again, work() draws another number."""
    session = with_tickets(folder, fred, python, TICKETS % more)
    session.do_all("break 14", "continue")
    assert session.do("p kept") == "101\n"
    answer = session.do("fred-reverse-step")
    assert "-> return number" in answer and (OTHER_VALUES in answer) == bool(more)
    assert session.do("fred-undo") and session.do("p kept") == "101\n"
    answer = session.do("fred-reverse-watch kept > 100")
    assert "-> kept = work()" in answer or "return number" in answer
    assert (OTHER_VALUES in answer) == bool(more)


FAILS = TICKETS.replace("kept = work()", "kept = work()\n    try:\n        fail(kept)\n    finally:\n        kept = 0").replace(
    "def main", "def fail(of):\n    return [][of]\ndef main")


@pytest.mark.parametrize("more", (0, 1))
def test_other_values_at_a_failure(folder, fred, python, more):
    """The frames that have failed have them; what `finally` did after the last stop that is gone back to is no other value."""
    session = with_tickets(folder, fred, python, FAILS % more)
    assert "IndexError" in session.do("continue")
    for command in "fred-reverse-step", "fred-reverse-next", "fred-reverse-watch of > 100":
        answer = session.do(command)
        assert "->" in answer and (OTHER_VALUES in answer) == bool(more), answer
        session.do("fred-undo")


def test_other_values_later(folder, fred):
    """What was there at the end of an earlier command its snapshot knows."""
    script = os.path.join(folder.work, "p.py")
    with open(script, "w") as file:
        file.write(TICKETS % 1)
    session = fred(script, tickets(folder))
    session.do_all("break 13", "continue", "next", "next")
    assert OTHER_VALUES not in session.do("fred-reverse-step")
    assert OTHER_VALUES in session.do("fred-reverse-step")
    session.quit()


DRAWS = """import os, sys
def draw():
    with open(sys.argv[1], 'a') as file:
        file.write('x')
    return os.path.getsize(sys.argv[1])
def work():
    for i in range(draw()):
        pass
    done = 1
    return done
def main():
    kept = work()
    print(kept)
main()
"""


@pytest.mark.parametrize("command", ("step", "next"))
def test_a_wrong_place_is_not_shown(folder, fred, python, command):
    """Each run goes round once more, so the way back leads elsewhere: that is said, and no place is shown before."""
    script = os.path.join(folder.work, "p.py")
    with open(script, "w") as file:
        file.write(DRAWS)
    session = fred(script, os.path.join(folder.work, "drawn"), python=python)
    session.do_all("break 10", "continue")
    answer = session.do("fred-reverse-" + command)
    assert "did not run the same way again" in answer and "->" not in answer
    assert session.do("p done") == "1\n", "and the position is kept"
    session.quit()


# Not by threading.Thread, whose start() waits in Python for what the other thread does: that is not the same each time.
NUMBERS = """import _thread, subprocess
def main():
    numbers, lock = [], _thread.allocate_lock()
    lock.acquire()
    _thread.start_new_thread(lambda: (numbers.append(_thread.get_native_id()), lock.release()), ())
    lock.acquire()
    child = subprocess.Popen(["true"])
    child.wait()
    done = True
    print(numbers, child.pid)
main()
"""


def test_numbers_of_threads_and_children(folder, fred, python):
    """They are numbered as in the first run, so there is nothing to warn of, and what the user noted still holds."""
    script = os.path.join(folder.work, "numbers.py")
    with open(script, "w") as file:
        file.write(NUMBERS)
    session = fred(script, python=python)
    session.do("fred-set snapshot-interval 1")          # points of the trail, too, know which number comes next
    session.do_all("break 10", "continue")
    numbers = session.do("p numbers, child.pid")
    assert session.do("fred-reverse-next") == "> %s(9)main()\n-> done = True\n" % script
    assert session.do("p numbers, child.pid") == numbers
    session.do_all("fred-restart", "continue")
    assert session.do("p numbers, child.pid") == numbers
    session.quit()


@pytest.mark.skipif(not shutil.which("gdb") or not shutil.which("gcc"), reason="no gdb or no gcc here")
@pytest.mark.parametrize("more", (0, 1))
def test_other_values_in_c(folder, more):
    session = Gdb(folder, "--args", build(folder.work, "p.c", "-g", text=TICKETS_C % more), tickets(folder), snapshots=True)
    session.do_all("break %d" % line_with(TICKETS_C, "int kept"), "run", "next")
    assert "= 101" in session.do("print kept")
    answer = session.do("fred-reverse-step")
    assert "return number;" in answer or "}" in answer
    assert (OTHER_VALUES in answer) == bool(more)


PARITY = TICKETS_C.replace("static int work(const char *name)", """static int odd(int n)
{
	return n + 1;
}
static int even(int n)
{
	return n + 1;
}
static int work(const char *name)""").replace("	number++;", "	number = number %% 2 ? odd(number) : even(number);")


@pytest.mark.skipif(not shutil.which("gdb") or not shutil.which("gcc"), reason="no gdb or no gcc here")
@pytest.mark.parametrize("more", (0, 1))
def test_another_branch_in_c(folder, more):
    """Each run takes the other branch, with as many stops: the place of that number is in another function."""
    session = Gdb(folder, "--args", build(folder.work, "p.c", "-g", text=PARITY % more), tickets(folder), snapshots=True)
    session.do_all("break %d" % line_with(PARITY, "int kept"), "run", "next")
    answer = session.do("fred-reverse-step 3")
    assert "same way" in answer or OTHER_VALUES in answer if more else "even (n=100)" in answer and OTHER_VALUES not in answer, answer
    session.kill()
