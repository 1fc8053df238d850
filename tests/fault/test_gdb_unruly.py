# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs under gdb that fork, exec, leave their session, block all signals, start threads, print and read."""
import re
import shutil

import pytest

from gdb_fault import line_of, start, value
from gdb_unruly import compile_unruly

pytestmark = pytest.mark.skipif(not shutil.which("gdb") or not shutil.which("gcc"), reason="no gdb or no gcc here")


def test_a_daemon_its_parent(folder):
    session = start(folder, "daemon", "break %d" % line_of("daemon", "step = 3"), "run")
    answer = session.do("next")
    assert answer.count("child processes") == 1, answer
    assert value(session, "step") == "3"
    session.do("fred-undo")
    assert value(session, "step") == "1"
    session.do_all("next", "next", "fred-reverse-next")
    assert value(session, "step") == "3"
    assert "exited normally" in session.do("continue")
    session.do("fred-undo")
    assert value(session, "step") == "3"
    session.kill()


def test_a_daemon_itself(folder):
    session = start(folder, "daemon", "set follow-fork-mode child", "break %d" % line_of("daemon", "step = 2"))
    assert "Thread 2.1" in session.do("run")
    session.do("next")
    assert value(session, "step") == "2"
    session.do("fred-reverse-step")
    assert value(session, "step") == "1"
    session.do("fred-undo 2")
    assert value(session, "step") == "1"
    assert "2.1" in session.do("thread")
    session.do("fred-undo")
    assert "No thread selected" in session.do("thread")
    session.kill()


def test_both_of_a_fork(folder):
    session = start(folder, "daemon", "set detach-on-fork off", "break %d" % line_of("daemon", "step = 2"),
                    "break %d" % line_of("daemon", "step = 3"), "run", "next")
    assert value(session, "step") == "3"
    session.do("inferior 2")
    assert "hit Breakpoint" in session.do("continue")
    session.do("next")
    assert value(session, "step") == "2"
    session.do("fred-undo 2")
    assert value(session, "step") == "1"
    session.do("fred-undo")
    assert value(session, "step") == "3"
    assert "* 1 " in session.do("info inferiors")
    session.do("fred-redo 3")
    assert value(session, "step") == "2"
    session.kill()


def test_exec(folder):
    compile_unruly(folder.work, "target")
    session = start(folder, "execs", "set breakpoint pending on", "break %d" % line_of("execs", "execl"), "run")
    session.do("break target.c:%d" % line_of("target", "after = 2"))
    assert "executing new program" in session.do("continue")
    session.do("next")
    assert value(session, "after") == "2"
    session.do("fred-reverse-next")
    assert value(session, "after") == "1"
    session.do("fred-undo 2")
    assert value(session, "after") == "1"
    session.do("fred-undo")
    assert value(session, "before") == "2"
    session.do("fred-redo")
    assert value(session, "after") == "1"
    assert "exited with code 05" in session.do("continue")
    session.do("fred-undo 2")
    assert value(session, "before") == "2"
    session.kill()


def test_the_session_changes(folder):
    session = start(folder, "sessions", "break main", "run", *["next"] * 7)
    assert value(session, "step") == "4"
    session.do("fred-reverse-next")
    assert value(session, "step") == "3"
    session.do("fred-undo 8")
    assert value(session, "step") == "0"
    session.do("fred-redo 7")
    assert value(session, "step") == "4"
    assert "exited normally" in session.do("continue")
    session.kill()


def test_all_signals_blocked_and_ignored(folder):
    session = start(folder, "blocks", "break %d" % line_of("blocks", "step = i"), "run", "continue", "next")
    assert value(session, "step") == "1"
    session.do("fred-reverse-step")
    assert value(session, "step") == "0"
    session.do("fred-undo")
    assert value(session, "step") == "1"
    session.do("delete 1")
    session.do("tbreak %d" % line_of("blocks", "printf"))
    session.do("continue")
    assert "step = i" in session.do("fred-reverse-watch step < 5")
    assert value(session, "step") == "4"
    session.do("fred-undo")
    assert "exited normally" in session.do("continue")
    session.kill()


def test_children_waited_for(folder):
    """SIGCHLD handlers, wait(-1), system(3): the program sees none of FReD's processes, before and after undo."""
    session = start(folder, "children", "break %d" % line_of("children", "int s = system"), "run")
    assert (value(session, "chld"), value(session, "waited")) == ("5", "10")
    session.do("next")
    assert session.do("next") is not None
    session.do("fred-undo 2")
    assert (value(session, "chld"), value(session, "waited")) == ("5", "10")
    answer = session.do("continue")
    assert "chld 6 waited 13 none -1 errno 10" in answer
    session.do("fred-undo")
    assert value(session, "chld") == "5"
    session.do("fred-undo")
    assert "chld 6 waited 13 none -1 errno 10" in session.do_all("delete 1", "run")[1]
    session.kill()


def test_many_threads_come_and_go(folder):
    """More lines than fit on the screen, too: gdb's pager asks nobody at an undo."""
    session = start(folder, "threads", "break %d" % line_of("threads", "printf"), "run", "continue", "continue")
    assert value(session, "total") == "600"
    assert "exited normally" in session.do("continue")
    for expected in ("600", "400", "200"):
        session.do("fred-undo")
        assert value(session, "total") == expected
    session.do("fred-redo 2")
    assert value(session, "total") == "600"
    session.do("break work")
    session.do("fred-undo 3")
    session.do_all("break work", "continue")
    threads = session.do("info threads")
    session.do("continue")
    session.do("fred-undo")
    assert session.do("info threads") == threads
    session.kill()


def test_pipes_to_a_child(folder):
    """Going back ends the child, as FReD says: the session survives it."""
    session = start(folder, "pipes", "break %d" % line_of("pipes", "write(to[1], &c, 1)"), "run")
    assert "child processes" in session.do("continue")
    assert value(session, "got") == "98"
    session.do("fred-undo")
    assert value(session, "got") == "0"
    session.send("continue")
    session.expect("Continuing.")
    session.kill()


def test_megabytes_and_no_newline(folder):
    session = start(folder, "prints", "break main", "run")
    session.do("tbreak %d" % line_of("prints", "step = 2"))
    assert session.do("continue").count("x" * 99) == 30000
    session.do("next")
    assert "no newline" in session.do("next")
    session.do("fred-undo 2")
    assert value(session, "step") == "1"
    assert "no newline" in session.do_all("next", "next")[1]
    session.kill()


def test_standard_input(folder):
    session = start(folder, "reads", "break %d" % line_of("reads", "printf"))
    session.send("run")
    session.expect("ready\r\n")
    session.send("first")
    session.prompt()
    session.send("continue")
    session.expect("Continuing.")
    session.send("second")
    session.prompt()
    assert "second" in value(session, "line")
    session.do("fred-undo")
    assert "first" in value(session, "line")
    session.do("fred-redo")
    assert value(session, "n") == "2"
    session.send("fred-reverse-continue")
    session.prompt()
    assert value(session, "n") == "1"
    session.kill()


def test_stopped_in_vfork(folder):
    """No snapshot can be had there, and is said not to be; undo gets there all the same, by running to it again."""
    session = start(folder, "children", "catch vfork")
    assert "vforked process" in session.do("run")
    assert re.search("FReD: no snapshot of this position, so undo gets here by running to it again: .*vfork", session.do("next"))
    session.do("fred-undo")
    assert value(session, "waited") == "10"
    assert "chld 6 waited 13 none -1 errno 10" in session.do("continue")
    session.kill()


def test_following_a_child_of_vfork_through_exec(folder):
    session = start(folder, "children", "break %d" % line_of("children", "int s = system"), "run",
                    "set follow-fork-mode child", "catch exec")
    assert "Thread 2.1" in session.do("continue")
    session.do("fred-undo")
    assert value(session, "waited") == "10"
    assert "Thread 2.1" in session.do("continue")
    session.do_all("fred-undo", "set follow-fork-mode parent", "delete 2")
    assert "chld 6 waited 13 none -1 errno 10" in session.do("continue")
    session.kill()
