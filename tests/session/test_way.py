# SPDX-License-Identifier: GPL-3.0-or-later
"""A program that does not do the same when it is run again: FReD says so, also where the line is the right one."""
import os

import pytest

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
