# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots in the middle of a run under pdb, where ^C ends it."""
import pytest

from test_trail import points, starter


@pytest.fixture
def start(folder, fred, python):
    return starter(folder, fred, python)


@pytest.mark.parametrize("how", ["long", "slowly"])
def test_until_an_interrupt(start, how):
    """The way back from where it came to begins at a point, too; slowly: pdb's handler takes its time."""
    session = start(how)
    session.do("clear 1")
    session.send("continue")
    session.expect("ready\r\n")
    session.interrupt()
    session.prompt()
    seed, where = session.do("p seed"), session.do("where")
    assert points(session) >= 1
    answer = session.do("fred-reverse-step")
    assert "inside a statement" in answer or ("other values" not in answer and "same way" not in answer), answer
    assert session.do("p seed") == seed
    session.quit()


def test_an_interrupt_right_behind_a_point(start, monkeypatch):
    """A copy of that point halts at the very place where ^C ended the run, which lies behind it no more."""
    monkeypatch.setenv("FRED_FAULT", "ckpt-interrupt:8,point-interrupt:5")
    session = start("long")
    session.do("clear 1")
    answer = session.do("continue")
    assert "Program interrupted" in answer
    seed = session.do("p seed")
    assert points(session) >= 2
    answer = session.do("fred-reverse-step")
    assert "inside a statement" in answer or "FReD:" not in answer, answer
    assert session.do("p seed") == seed
    session.quit()


def test_where_an_interrupt_does_not_come_again(folder, fred):
    """A timer's handler is called at another moment each time: what is looked for there is looked for for ever, were it not given up."""
    session = starter(folder, fred)("rings")
    session.do("clear 1")
    session.send("continue")
    session.expect("ready\r\n")
    session.interrupt()
    session.prompt()
    where = session.do("where")
    assert "rung()" in where
    assert "did not run the same way again" in session.do("fred-reverse-step", 300)
    assert session.do("where") == where
    session.quit()
