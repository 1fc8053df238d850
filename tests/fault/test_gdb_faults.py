# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults and unruly programs under gdb: a clear message and what to do, nothing left running, nothing of the user's lost."""
import os
import re
import shutil
import signal
import subprocess

import pytest

import driver
from gdb_pair import Gdb
from gdb_unruly import SOURCES, compile_unruly

pytestmark = pytest.mark.skipif(not shutil.which("gdb") or not shutil.which("gcc"), reason="no gdb or no gcc here")

ROOT = os.geteuid() == 0
EXITED = re.compile(rb"\(fred\) $")


def line_of(name, text):
    return next(number for number, line in enumerate(SOURCES[name].split("\n"), 1) if text in line)


def start(folder, name, *commands, flags=("-g",), target=None, **how):
    """gdb on one of the unruly programs, with snapshots, after these commands."""
    compile_unruly(folder.work, name, *flags)
    session = Gdb(folder, "-nx", "./" + name, snapshots=True, **how)
    session.do_all(*commands)
    return session


def at_square(folder, **how):
    """In the second call of square()."""
    return start(folder, "sums", "break square", "run", "continue", **how)


def value(session, expression):
    return session.do("output " + expression).strip()


# Processes of the session, as somebody outside sees them.

def field(pid, name):
    with open("/proc/%d/status" % pid) as file:
        return next(line.split()[1] for line in file if line.startswith(name + ":"))


def processes(folder):
    """{pid: (command, state, tracer)}"""
    found = {}
    for pid, _ in driver.survivors(folder.id):
        try:
            found[pid] = (field(pid, "Name"), field(pid, "State"), int(field(pid, "TracerPid")))
        except (OSError, StopIteration):
            pass
    return found


def gdb_of(folder):
    """The gdb that the user talks to, none of its snapshots."""
    pid, = (pid for pid, (name, state, _) in processes(folder).items() if name == "gdb" and state not in "tTZ")
    return pid


def program_of(folder):
    gdb = gdb_of(folder)
    pid, = (pid for pid, (_, _, tracer) in processes(folder).items() if tracer == gdb)
    return pid


# Someone dies.

@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV])
def test_gdb_killed_at_the_prompt(folder, how):
    """Undo goes back before the last command, whose position nobody had kept yet; redo runs that command again."""
    session = at_square(folder)
    os.kill(gdb_of(folder), how)
    told = session.expect(EXITED)
    assert re.search(r"FReD: the debugger was killed by signal %d .*fred-undo" % how, told), told
    session.send("where")
    assert "FReD: the debugger has exited" in session.expect(EXITED)
    assert "square (n=1)" in session.do("fred-undo")
    assert "square (n=2)" in session.do("fred-redo")
    assert "square (n=3)" in session.do("continue")
    assert "square (n=2)" in session.do("fred-undo")
    assert value(session, "n") == "2"
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


# Unruly programs.

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
