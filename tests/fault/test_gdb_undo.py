# SPDX-License-Identifier: GPL-3.0-or-later
"""What undo takes back under gdb, and redo puts back."""
import re
import shutil

import pytest

from gdb_fault import at_square, positions, start, value

pytestmark = pytest.mark.skipif(not shutil.which("gdb") or not shutil.which("gcc"), reason="no gdb or no gcc here")

QUESTION = re.compile(rb"\((y or n|y or \[n\]|\[y\] or n)\) $")
COMMANDS = ["set var global = 77", "call effect(5)", "finish", "watch side", "tbreak 18", "display global", "continue",
            "next", "up", "set $kept = 3", "call effect(2)", "continue", "delete 1", "step", "handle SIGUSR1 nostop",
            "undisplay 1"]


def test_undo_and_redo_of_all_kinds_of_commands(folder):
    """Forth and back three times, one at a time and in one go: each position is the same in every respect."""
    session = at_square(folder)
    seen = [positions(session)]
    for command in COMMANDS:
        session.do(command)
        seen.append(positions(session))
    for expected in reversed(seen[:-1]):
        session.do("fred-undo")
        assert positions(session) == expected
    for expected in seen[1:]:
        session.do("fred-redo")
        assert positions(session) == expected
    session.do("fred-undo %d" % len(COMMANDS))
    assert positions(session) == seen[0]
    session.do("fred-redo 99")
    assert positions(session) == seen[-1]
    assert re.match(r"FReD: checkpoint 0 and \d+ commands; 100% of the timeline", session.do("fred-when"))
    assert "call effect(5), " in session.do("fred-history")
    session.kill()


@pytest.mark.parametrize("command, answer", [("kill", "Kill the program"), ("run", "from the beginning?"),
                                             ("start", "from the beginning?"), ("return", "return now?"), ("delete", "all breakpoints?")])
def test_undo_of_what_asks(folder, command, answer):
    session = at_square(folder)
    before = positions(session)
    assert answer in session.do(command)
    session.do("y")
    after = session.do("where"), session.do("info breakpoints")
    session.do("fred-undo")
    assert positions(session) == before
    session.do("fred-redo")
    assert (session.do("where"), session.do("info breakpoints")) == after
    session.kill()


@pytest.mark.parametrize("command", ["kill", "run", "start", "return", "delete", "tbreak nosuch", "define next", "quit"])
def test_what_was_answered_no_is_no_step(folder, command):
    session = at_square(folder)
    session.do("next")
    before = positions(session)
    session.send(command)
    session.expect(QUESTION)
    session.send("n")
    session.prompt()
    assert positions(session) == before
    session.do("fred-undo")
    assert value(session, "n") == "2" and "int r" in session.do("frame")
    session.do("fred-redo")
    assert positions(session) == before
    session.kill()


def test_undo_of_a_crash_and_of_an_exit(folder):
    session = start(folder, "crash", "break f", "run")
    assert "SIGSEGV" in session.do("continue")
    session.do("fred-reverse-step")
    assert "return p->next" in session.do("frame") and value(session, "n") == "4"
    session.do("fred-undo 2")
    assert value(session, "n") == "9"
    session.do("fred-redo 2")
    session.do("fred-undo")
    assert "terminated with signal SIGSEGV" in session.do("continue")
    session.do("fred-reverse-next")
    assert "return p->next" in session.do("frame") and value(session, "n") == "4"
    session.do("fred-undo")
    assert "FReD: the program has ended" in session.do("fred-reverse-watch n")
    # Neither a command that needs a program nor a refused one is anything to take back.
    session.do_all("next", "continue")
    assert "SIGSEGV" in session.do_all("fred-undo", "info program")[1]
    session.kill()


def test_commands_of_a_breakpoint(folder):
    session = at_square(folder)
    session.send("commands 1")
    session.prompt()
    for line in ("silent", "set var side = side + 1"):
        session.send(line)
        session.prompt()
    session.do("end")
    session.do_all("continue", "continue")
    assert value(session, "side") == "2"
    session.do("fred-undo")
    assert value(session, "side") == "1"
    session.do("fred-undo")
    assert value(session, "side") == "0"
    assert "silent" in session.do("info breakpoints")
    session.do("fred-undo")
    assert "silent" not in session.do("info breakpoints")
    session.kill()


def test_thread_and_frame_switches(folder):
    session = start(folder, "threads", "break work", "run", "thread 1", "up")
    places = [session.do("thread"), session.do("frame")]
    session.do_all("thread 2", "fred-undo")
    assert [session.do("thread"), session.do("frame")] == places
    session.do_all("fred-undo", "fred-undo")
    assert "is 2 " in session.do("thread")
    session.do("fred-redo 2")
    assert [session.do("thread"), session.do("frame")] == places
    session.kill()


def test_thirty_undos_and_redos_in_a_row(folder):
    session = at_square(folder)
    session.do_all(*["next"] * 10)
    there = positions(session)
    for _ in range(30):
        session.do("fred-undo 7")
        session.do("fred-redo 7")
    assert positions(session) == there
    session.kill()


def test_checkpoints_before_and_after_run(folder):
    session = start(folder, "sums", "break square", "fred-checkpoint before")
    session.do_all("run", "continue")
    assert "checkpoint 2 at sums.c:" in session.do("fred-checkpoint after")
    session.do_all("continue", "fred-restart 1")
    assert "No stack" in session.do("where")
    assert "square (n=1)" in session.do("run")
    assert "square (n=2)" in session.do("fred-restart 2")
    assert "square (n=3)" in session.do("continue")
    assert "square (n=2)" in session.do("fred-undo")
    assert "square (n=1)" in session.do("fred-undo")
    listed = session.do("fred-list")
    assert re.search(r"^ +1 +no program .*before$", listed, re.M) and re.search(r"^ +2 +sums.c:\d+ in square .*after$", listed, re.M), listed
    session.do("fred-restart 0")
    assert "not being run" in session.do("info program")
    session.kill()
