# SPDX-License-Identifier: GPL-3.0-or-later
"""Which frame fred-reverse-watch looks at in pdb: an expression without local variables has a life before the present
function was called."""
import os

import pytest

PROGRAM = """limits = {"top": 3}
seen = []

def note(n):
    seen.append(n)

def fill(n):
    for i in range(n):
        note(i)

def check(limit):
    top = limit + 1
    return top

def outer(seen):
    local = len(seen)
    return check(local)

class Box:
    size = 3
    size = check(size)

fill(10)
limits["top"] = 7
outer("other")
"""
CASES = (
    ("len(seen) < 5", "note()", "seen.append(n)"),
    ("any(x > 6 for x in seen)", "note()", "seen.append(n)"),           # evaluated, as a generator is code
    ("limits['top'] == 3", "<module>()", 'limits["top"] = 7'),
    ("top > limit", "check()", "top = limit + 1"),                      # local
    ("top + len(seen) > 3", "check()", "top = limit + 1"),              # in part
)


@pytest.fixture
def session(folder, fred, python):
    script = os.path.join(folder.work, "p.py")
    with open(script, "w") as file:
        file.write(PROGRAM)
    session = fred(argv=[python, "-m", "pdb", script])
    return session


def test_the_outermost_frame_in_which_it_means_the_same(session):
    session.do_all("break 13, limit == 5", "continue")
    for expression, function, statement in CASES:
        answer = session.do("fred-reverse-watch " + expression)
        assert function in answer and "-> %s\n" % statement in answer, answer
        session.do("fred-undo")


def test_a_local_variable_of_that_name_in_a_caller(session):
    """outer() has a `seen` of its own; in check() it is the module's, and in outer() outer's."""
    session.do_all("break 13, limit == 5", "continue")
    assert "note()" in session.do("fred-reverse-watch len(seen) >= 10") and session.do("fred-undo")
    session.do("up")
    assert "outer('other')" in session.do("fred-reverse-watch seen").replace('"', "'")
    session.do("fred-undo")


def test_a_class_body(session):
    session.do_all("break 13, limit == 3", "continue", "up")
    assert "-> size = 3\n" in session.do("fred-reverse-watch size")
    session.quit()
