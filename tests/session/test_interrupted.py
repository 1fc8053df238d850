# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that ^C stopped has no end of its own: it is ended again where it was, among many passes that look alike."""
import os
import subprocess

import pytest

import driver

PAUSE = 34              # of x86-64

PROGRAM = """import os
def spin(words):
    count = 0
    while count >= 0:
        count += 1
        if count == 50000:
            os.write(1, b"ready")
spin(["a"] * 50)
"""


def stops_inside(python):
    """From 3.13 on pdb stops at the instruction, and not at the next statement."""
    return subprocess.run([python, "-c", "import sys; sys.exit(sys.version_info < (3, 13))"]).returncode == 0


@pytest.fixture
def session(folder, fred, python):
    script = os.path.join(folder.work, "p.py")
    with open(script, "w") as file:
        file.write(PROGRAM)
    session = fred(script, python=python)
    session.do("fred-set max-snapshots 2")
    session.send("continue")
    session.expect("ready")
    session.interrupt()
    assert "spin()" in session.prompt()
    return session


def place(session):
    """The innermost frame and the pass: pdb shows more callers where ^C stopped it."""
    return session.do("where").split("> ")[-1], int(session.do("p count"))


def test_back_into_it(session, python):
    here = place(session)
    answer = session.do("fred-reverse-next")
    if stops_inside(python) and "inside a statement" in answer:
        assert place(session) == here
        session.do("fred-undo")
        assert "(1)<module>()" in session.do("where")
    else:
        there = place(session)
        assert there[0] != here[0] and 0 <= here[1] - there[1] <= 1
        session.do("next")
        assert place(session) == here
    session.quit()


def test_an_exception_by_interrupt(folder, fred, python):
    """pdb lets the program have it where the command was `next`: run again, it would wait for ever."""
    script = os.path.join(folder.work, "waits.py")
    with open(script, "w") as file:
        file.write("import os, signal\nos.write(1, b'waiting'); signal.pause()\nprint(1)\n")
    session = fred(script, python=python)
    session.do("next")
    session.send("next")
    session.expect("waiting")
    # Before it is in there CPython would take the signal, and wait all the same.
    driver.await_state(lambda: "call %d " % PAUSE in driver.standing(folder.id), "in pause()")
    session.interrupt()
    assert "KeyboardInterrupt" in session.prompt()
    assert "KeyboardInterrupt" in session.do("fred-reverse-next")
    assert "(2)<module>()" in session.do("where")
    session.do("fred-undo")
    assert "(1)<module>()" in session.do("fred-reverse-next")
    session.quit()


def test_undo_to_its_end(session, python):
    """Where the end has no snapshot any more the command is run again, up to there: by itself it would run for ever."""
    here = place(session)
    for _ in range(6):
        session.do("next")
    assert place(session) != here
    answer = session.do("fred-undo 6")
    assert place(session) == here or (stops_inside(python) and "inside a statement" in answer)
    session.do("next")
    session.quit()
