# SPDX-License-Identifier: GPL-3.0-or-later
"""A program that nobody wrote for this: Debian's python3-dbg, half a million lines of C with debug information."""
import os
import re
import shutil

import pytest

from gdb_pair import Gdb

PYTHON = "/usr/bin/python3-dbg"
pytestmark = pytest.mark.skipif(not shutil.which("gdb") or not os.path.exists(PYTHON), reason="no gdb or no python3-dbg here")

SCRIPT = "x = []\nfor i in range(200):\n    x.append(i)\nx.reverse()\n"


def session_at_reverse(folder):
    with open(os.path.join(folder.work, "script.py"), "w") as file:
        file.write(SCRIPT)
    session = Gdb(folder, "--args", PYTHON, "-S", "-E", "-I", "script.py", snapshots=True)
    session.do("set environment PYTHONHASHSEED 0")
    session.do("set breakpoint pending on")
    session.do("break list_reverse")
    assert "Breakpoint 1, list_reverse" in session.do("run", seconds=60)
    return session


def place(session):
    return re.search(r"#0 .*?(\w+) \(.*? at (\S+:\d+)", session.do("bt 1").replace("\n", " ")).groups()


def test_reverse_next_and_undo(folder):
    session = session_at_reverse(folder)
    session.do("step")
    session.do("step")
    places = [place(session)]
    for _ in range(3):
        session.do("next")
        places.append(place(session))
    assert {function for function, _ in places} == {"list_reverse_impl"}
    for expected in reversed(places[:-1]):
        session.do("fred-reverse-next")
        assert place(session) == expected
    session.do("fred-undo 3")
    assert place(session) == places[-1]
    session.do("fred-undo")
    assert place(session) == places[-2]
    session.kill()


def test_reverse_watch_of_its_own_variable(folder):
    """Which statement of list.reverse() put another object at the list's start?"""
    session = session_at_reverse(folder)
    address = re.search(r"0x[0-9a-f]+", session.do("print self->ob_item")).group(0)
    first = "print ((PyLongObject *)((PyObject **)%s)[0])->ob_digit[0]" % address
    assert "= 0\n" in session.do(first)
    session.do("step")
    session.do("step")
    assert place(session)[0] == "list_reverse_impl"
    for _ in range(3):
        session.do("next")
    assert "= 199\n" in session.do(first)
    answer = session.do("fred-reverse-watch ((PyLongObject *)self->ob_item[0])->ob_digit[0] == 0", seconds=60)
    assert "was 1 before, 0 after this statement:" in answer
    assert place(session)[0] == "reverse_slice"
    assert "= 0\n" in session.do(first)
    session.do("next")
    assert "= 199\n" in session.do(first)
    session.kill()
