# SPDX-License-Identifier: GPL-3.0-or-later
"""gdb, its program, FReD or a snapshot is killed or stopped: nothing is left running, and undo goes back before that."""
import os
import re
import shutil
import signal

import pytest

import driver
from gdb_fault import at_square, gdb_of, line_of, positions, processes, program_of, start, value

pytestmark = pytest.mark.skipif(not shutil.which("gdb") or not shutil.which("gcc"), reason="no gdb or no gcc here")

EXITED = re.compile(rb"\(fred\) $")


# Someone dies.

@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV])
def test_gdb_killed_at_the_prompt(folder, how):
    """Undo goes back to that prompt, whose position nobody had kept yet, by running the last command again."""
    session = at_square(folder)
    os.kill(gdb_of(folder), how)
    told = session.expect(EXITED)
    assert re.search(r"FReD: the debugger was killed by signal %d .*fred-undo" % how, told), told
    session.send("where")
    assert "FReD: the debugger has exited" in session.expect(EXITED)
    assert "square (n=2)" in session.do("fred-undo")
    assert "had been killed there" in session.do("fred-redo")
    assert value(session, "n") == "2"
    assert "square (n=1)" in session.do("fred-undo")
    assert "square (n=2)" in session.do("fred-redo")
    assert "square (n=3)" in session.do("continue")
    session.do_all("fred-undo 2", "fred-end")
    assert value(session, "n") == "3"
    session.kill()


def test_gdb_killed_while_the_program_runs(folder):
    session = start(folder, "spins", "break 8", "run", "delete 1")
    session.send("continue")
    session.expect("Continuing.")
    os.kill(gdb_of(folder), signal.SIGKILL)
    assert "fred-undo" in session.expect(EXITED)
    assert "main () at spins.c:8" in session.do("fred-undo")
    assert "main () at spins.c" in session.do("where")
    session.kill()


def test_gdb_kills_itself(folder):
    session = at_square(folder)
    session.send("python import os; os.kill(os.getpid(), 9)")
    assert "fred-undo" in session.expect(EXITED)
    assert "square (n=2)" in session.do("fred-undo")
    session.kill()


def test_the_program_killed_at_the_prompt(folder):
    """gdb does not know of it yet; the past is none the worse for that."""
    session = at_square(folder)
    os.kill(program_of(folder), signal.SIGKILL)
    session.do("next")
    assert "square (n=2)" in session.do("fred-undo")
    assert "square (n=3)" in session.do("continue")
    session.do("fred-undo")
    assert "square (n=1)" in session.do("fred-undo")
    session.kill()


def test_the_program_killed_and_undone_at_once(folder):
    session = at_square(folder)
    os.kill(program_of(folder), signal.SIGKILL)
    assert "square (n=1)" in session.do("fred-undo")
    assert "square (n=2)" in session.do("fred-redo")
    session.kill()


def test_the_program_killed_while_it_runs(folder):
    session = start(folder, "spins", "break 8", "run", "delete 1")
    session.send("continue")
    session.expect("Continuing.")
    os.kill(program_of(folder), signal.SIGKILL)
    assert "Program terminated with signal SIGKILL" in session.prompt()
    assert "main () at spins.c:8" in session.do("fred-undo")
    session.kill()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_fredapp_killed(folder, how):
    session = at_square(folder)
    session.do_all("fred-checkpoint", "next", "fred-reverse-next")
    os.kill(session.process.pid, how)
    session.expect_end()
    assert driver.await_no_survivors(folder.id) == []


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_fredapp_killed_while_a_daemon_runs(folder, how):
    """Children of the program that have left its session and its process group."""
    session = start(folder, "daemon", "break %d" % line_of("daemon", "step = 4"), "run", "next")
    os.kill(session.process.pid, how)
    session.expect_end()
    assert driver.await_no_survivors(folder.id) == []


@pytest.mark.parametrize("running", [False, True])
def test_terminal_closed(folder, running):
    session = start(folder, "spins", "break 8", "run", "fred-checkpoint", "delete 1")
    if running:
        session.send("continue")
        session.expect("Continuing.")
    session.close_master()
    assert driver.await_no_survivors(folder.id) == []


def test_a_snapshot_killed(folder):
    """By the machine, for its memory say: that costs this position, not the session."""
    session = at_square(folder)
    session.do_all("next", "next")
    ours = session.process.pid
    for pid, (_, _, tracer) in processes(folder).items():
        if tracer == ours:
            os.kill(pid, signal.SIGKILL)
    assert "FReD: " in session.do("fred-undo")
    assert value(session, "n") == "2"
    session.do_all("next", "fred-undo")
    assert value(session, "n") == "2"
    session.kill()


# SIGSTOP and SIGCONT from outside.

def test_gdb_stopped(folder):
    session = at_square(folder)
    gdb = gdb_of(folder)
    os.kill(gdb, signal.SIGSTOP)
    session.send("where")
    session.expect("where\r\n")
    os.kill(gdb, signal.SIGCONT)
    assert "square (n=2)" in session.prompt()
    session.do("next")
    assert "square (n=2)" in session.do("fred-undo")
    session.kill()


def test_undo_while_gdb_is_stopped(folder):
    session = at_square(folder)
    os.kill(gdb_of(folder), signal.SIGSTOP)
    assert "square (n=1)" in session.do("fred-undo")
    assert "square (n=2)" in session.do("fred-redo")
    session.kill()


def test_the_program_stopped(folder):
    session = at_square(folder)
    os.kill(program_of(folder), signal.SIGSTOP)
    assert "received signal SIGSTOP" in session.do("next")
    assert "square (n=2)" in session.do("fred-undo")
    assert value(session, "n") == "2"
    session.do("fred-redo")
    os.kill(program_of(folder), signal.SIGCONT)
    session.do_all("next", "fred-undo 2")
    assert value(session, "n") == "2"
    assert "square (n=1)" in session.do("fred-undo")
    session.kill()


def test_fredapp_stopped(folder):
    session = start(folder, "spins", "break 8")
    os.kill(session.process.pid, signal.SIGSTOP)
    session.send("run")
    os.kill(session.process.pid, signal.SIGCONT)
    assert "Breakpoint 1, main" in session.prompt()
    session.do("next")
    assert "main () at spins.c:8" in session.do("fred-undo")
    session.kill()


# At bad moments.

@pytest.mark.parametrize("victim", [gdb_of, program_of])
def test_killed_during_a_search(folder, victim):
    session = at_square(folder)
    session.do("fred-set eval-timeout 0")
    before = positions(session)
    session.send("fred-reverse-watch forever(1)")
    session.expect("forever(1)\r\n")
    driver.await_state(lambda: os.path.exists(os.path.join(folder.work, "looping")), "the expression is evaluated")
    os.kill(victim(folder), signal.SIGKILL)
    answer = session.prompt()
    assert answer.startswith("FReD: "), answer
    assert positions(session) == before
    session.do_all("next", "fred-undo")
    assert positions(session) == before
    session.kill()
