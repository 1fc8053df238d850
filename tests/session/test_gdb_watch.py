# SPDX-License-Identifier: GPL-3.0-or-later
"""fred-reverse-watch in gdb: whose statement is guilty when functions return, and what needs no frame."""
import re
import shutil

import pytest

from gdb_pair import Gdb, build

pytestmark = pytest.mark.skipif(not shutil.which("gdb") or not shutil.which("gcc"), reason="no gdb or no gcc here")

DEEP = """static int total = 1;
static int inner(int x)
{
	return x + 1;
}
static int outer(int x)
{
	return inner(x);
}
int main(void)
{
	for (int i = 0; i < 20; i++)
		total = outer(total);
	return inner(total);
}
"""


@pytest.fixture
def gdb(folder):
    session = Gdb(folder, "-nx", build(folder.work, "deep.c", text=DEEP), snapshots=True)
    session.do_all("break main", "run")
    yield session
    session.kill()


def test_the_guilty_caller_is_not_the_nearest(gdb):
    gdb.do_all("break 14", "continue")
    answer = gdb.do("fred-reverse-watch total < 9")
    assert re.search(r"in the rest of the statement at \S*deep\.c:13 in main\(\)", answer), answer
    assert gdb.do("output total") == "8"
    gdb.do("fred-undo")
    assert gdb.do("output total") == "21"


def test_a_global_is_found_from_inside_a_function(gdb):
    assert "inner (x=21)" in gdb.do_all("break inner if x == 21", "continue")[1]
    answer = gdb.do("fred-reverse-watch --last total == 20")
    assert "was 1 before, 0 after" in answer
    assert re.search(r"deep\.c:13 in main\(\)", answer), answer
    assert gdb.do("output total") == "20"


def test_a_local_has_no_value_before_its_function_was_called(gdb):
    gdb.do_all("break inner if x == 21", "continue", "next")
    assert "was not yet there (its function had not been called) before, 1 after" in gdb.do("fred-reverse-watch x == 21")


GATE = """static int open;
int main(void)
{
	for (int i = 0; i < 900; i++) {
		if (i == 100)
			open = 1;
		if (i == 800)
			open = 0;
	}
	return open;
}
"""


def test_a_value_that_is_as_at_the_start_and_was_another_in_between(folder):
    session = Gdb(folder, "-nx", build(folder.work, "gate.c", text=GATE), snapshots=True)
    session.do_all("break main", "run", "break 10", "continue")
    answer = session.do("fred-reverse-watch open")
    assert "open was 1 before, 0 after this statement" in answer and "open = 0;" in answer, answer
    session.kill()
