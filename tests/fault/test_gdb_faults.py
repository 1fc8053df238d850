# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults and unruly programs under gdb: a clear message and what to do, nothing left running, nothing of the user's lost."""
import os
import re
import shutil
import signal
import stat
import subprocess
import time

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


def ordinary_user(folder):
    if not ROOT:
        return ()
    if not shutil.which("setpriv"):
        pytest.skip("setpriv is not installed")
    path = driver.FRED
    while path != "/":
        if not os.stat(path).st_mode & (stat.S_IXOTH if os.path.isdir(path) else stat.S_IROTH):
            pytest.skip("an ordinary user may not read " + path)
        path = os.path.dirname(path)
    for path in (folder.home, folder.tmp, folder.work):
        os.chmod(path, 0o777)
    return ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all",
            "--no-new-privs")


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


# What undo takes back, and redo puts back.

def positions(session):
    return (session.do("where"), value(session, "global"), value(session, "side"), session.do("info breakpoints"),
            session.do("info display"), session.do("frame"))


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
    refused = session.do("fred-reverse-next")
    assert re.search("FReD: .*fred-undo", refused), refused
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


# Expressions.

@pytest.mark.parametrize("expression, words", [
    ("nosuch > 1", "No symbol"), ("1/0", "Division by zero"), ("n >", "syntax"), ("boom(1)", "signaled while in a function"),
    ("exit(3)", "exited while in a function|ended"), ("effect2(1)", "No symbol"), ("forever(1)", "eval-timeout"),
    ("broken(1)", "stopped while in a function")])
def test_an_expression_that_fails(folder, expression, words):
    session = at_square(folder)
    session.do_all("break broken", "fred-set eval-timeout 1")
    before = positions(session)
    answer = session.do("fred-reverse-watch " + expression)
    assert re.match("FReD: ", answer) and re.search(words, answer), answer
    assert positions(session) == before
    assert value(session, "6 * 7") == "42"
    session.kill()


def test_an_expression_that_loops_is_interrupted(folder):
    session = at_square(folder)
    session.do("fred-set eval-timeout 0")
    before = positions(session)
    session.send("fred-reverse-watch forever(1)")
    session.expect("forever(1)\r\n")
    session.interrupt()
    assert "stopped by ^C" in session.prompt()
    assert positions(session) == before
    session.kill()


def test_evaluations_do_not_change_the_program(folder):
    session = at_square(folder)
    session.do("fred-reverse-watch effect(1) < 0")
    assert value(session, "side") == "0"
    session.kill()


# The machine refuses.

@pytest.mark.parametrize("name", ["ckpt-clone", "ckpt-seize", "ckpt-restore", "ckpt-set-tid", "ckpt-freeze", "ckpt-traced-thread"])
@pytest.mark.parametrize("nth", [2, 5, 8])
def test_steps_of_the_engine_fail(folder, name, nth):
    session = at_square(folder, env={"FRED_FAULT": "%s:%d" % (name, nth)})
    session.do_all("next", "fred-undo")
    assert value(session, "n") in ("1", "2")
    session.do_all("fred-undo", "fred-redo", "next")
    assert value(session, "6 * 7") == "42"
    session.kill()


def test_no_namespaces(folder):
    """gdb cannot go back then, and is a debugger none the less."""
    session = start(folder, "sums", "break square", "run", env={"FRED_FAULT": "no-root-namespaces,no-user-namespaces"})
    assert re.search("FReD: no snapshots.*namespaces.*fredapp --doctor", session.do("continue"))
    assert value(session, "n") == "2"
    assert re.match("FReD: .*--doctor", session.do("fred-reverse-next"))
    assert value(session, "n") == "2"
    session.do("next")
    os.kill(session.process.pid, signal.SIGKILL)
    session.expect_end()
    assert driver.await_no_survivors(folder.id) == []


def test_no_ptrace(folder):
    session = start(folder, "sums", env={"FRED_FAULT": "no-ptrace"})
    assert re.search("FReD: .*ptrace", session.banner)
    session.do_all("break square", "run")
    assert "square (n=2)" in session.do("continue")
    assert re.match("FReD: ", session.do("fred-undo"))
    assert value(session, "n") == "2"
    session.kill()


@pytest.mark.skipif(not ROOT, reason="mounting a full file system needs root")
def test_disk_full_under_tmpdir(folder):
    small = os.path.join(folder.path, "small")
    os.mkdir(small)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], capture_output=True).returncode:
        pytest.skip("mount is not allowed here")
    try:
        with open(os.path.join(folder.work, "data"), "w") as file:
            file.write("0123456789" * 50000)
        session = start(folder, "writes", "break %d" % line_of("writes", "step = 1"), env={"TMPDIR": small})
        answers = session.do_all("run", "next", "next", "next", "next")
        told = re.findall("FReD: .*space.*TMPDIR.*", "".join(answers))
        assert len(told) == 1, answers
        assert value(session, "step") == "4"
        session.do("fred-undo 3")
        assert value(session, "step") == "1"
        session.kill()
        with open(os.path.join(folder.work, "data")) as file:
            assert file.read().startswith("0123456789" * 50000)
    finally:
        driver.await_no_survivors(folder.id, 5)
        subprocess.run(["umount", "-l", small], check=False)


def test_files_go_back(folder):
    with open(os.path.join(folder.work, "data"), "w") as file:
        file.write("0123456789")
    session = start(folder, "writes", "break %d" % line_of("writes", "step = 1"), "run")
    session.do_all("next", "next", "next")
    with open(os.path.join(folder.work, "data")) as file:
        assert file.read() == "0123456789ab"
    session.do("fred-undo 2")
    with open(os.path.join(folder.work, "data")) as file:
        assert file.read() == "0123456789"
    session.kill()


@pytest.mark.parametrize("faults", ["", "no-user-namespaces"])
def test_ordinary_user(folder, faults):
    compile_unruly(folder.work, "sums")
    session = Gdb(folder, "-nx", "./sums", snapshots=True, prefix=ordinary_user(folder), env={"FRED_FAULT": faults or None})
    assert session.do("shell id -u").strip() == ("65534" if ROOT else str(os.getuid()))
    session.do_all("break square", "run", "continue")
    answer = session.do("fred-undo")
    if faults:
        assert answer.startswith("FReD: ") or "square (n=1)" in answer
    else:
        assert "square (n=1)" in answer
        session.do_all("continue", "next")
        assert "square (n=2)" in session.do("fred-reverse-next")
        session.do("up")
        assert "was 0 before, 1 after" in session.do("fred-reverse-watch s == 1")
        os.kill(program_of(folder), signal.SIGKILL)
        session.do("next")
        assert "sums.c" in session.do("fred-undo")
    session.kill()


# Input that makes no sense; programs that give little.

def test_wrong_commands(folder):
    session = at_square(folder)
    for command in ("fred-frobnicate", "fred-restart 77", "fred-reverse-watch", "fred-reverse-step abc", "fred-undo x",
                    "fred-reverse-next 0", "fred-delete 9", "fred-switch nowhere", "fred-set nosuch 3"):
        answer = session.do(command)
        assert answer.startswith("FReD: ") and answer.count("\n") == 1, answer
    assert value(session, "n") == "2"
    session.kill()


def test_a_missing_program(folder):
    session = Gdb(folder, "-nx", "./missing", snapshots=True)
    assert "./missing: No such file or directory." in session.banner
    assert "No executable file specified" in session.do("run")
    for command in ("fred-reverse-step", "fred-reverse-continue", "fred-reverse-watch 1"):
        assert "FReD: no program runs here" in session.do(command)
    assert "FReD: checkpoint 0 and " in session.do("fred-when")
    session.quit()
    assert session.status == 0


def test_no_debug_information(folder):
    session = start(folder, "sums", "break square", "run", "stepi", "stepi", flags=("-g0",))
    there = session.do("x/i $pc")
    session.do("stepi")
    session.do("fred-undo")
    assert session.do("x/i $pc") == there
    assert "Single stepping until exit from function square" in session.do("next")
    session.do("fred-undo")
    answer = session.do("fred-reverse-step")
    assert "FReD: " in answer or "square ()" in answer
    session.kill()


def test_a_core_file(folder):
    session = start(folder, "crash", "run", "generate-core-file core")
    session.kill()
    session = Gdb(folder, "-nx", "./crash", "core", snapshots=True)
    assert "f (x=3)" in session.do("where")
    session.do("up")
    session.do("fred-undo")
    assert "#0 " in session.do("frame")
    for command in ("fred-reverse-step", "fred-reverse-next", "fred-reverse-continue", "fred-reverse-watch n"):
        assert session.do(command).startswith("FReD: "), command
    assert "f (x=3)" in session.do("where")
    session.kill()


def test_the_window_is_resized(folder):
    """The window is as large as it is, also in the past."""
    session = at_square(folder)
    width = 'print $_gdb_setting("width")'
    narrow = int(session.do(width).split()[-1])
    session.do("next")
    session.resize(24, 133)
    session.expect(re.compile(rb"\r\(gdb\) $"))      # gdb has heard of it
    assert session.do(width).split()[-1] == str(narrow + 33)
    session.do("fred-undo")
    assert session.do(width).split()[-1] == str(narrow + 33)
    session.do_all("next", "next")
    session.do("fred-reverse-next")
    assert session.do(width).split()[-1] == str(narrow + 33)
    session.kill()


# At bad moments.

@pytest.mark.parametrize("victim", [gdb_of, program_of])
def test_killed_during_a_search(folder, victim):
    session = at_square(folder)
    session.do("fred-set eval-timeout 0")
    before = positions(session)
    session.send("fred-reverse-watch forever(1)")
    session.expect("forever(1)\r\n")
    deadline = time.monotonic() + driver.DEADLINE
    while not os.path.exists(os.path.join(folder.work, "looping")):
        assert time.monotonic() < deadline, "the expression is evaluated"
        os.sched_yield()
    os.kill(victim(folder), signal.SIGKILL)
    answer = session.prompt()
    assert answer.startswith("FReD: "), answer
    assert positions(session) == before
    session.do_all("next", "fred-undo")
    assert positions(session) == before
    session.kill()


def test_stopped_in_vfork(folder):
    """No snapshot can be had there, and is said not to be; undo gets there all the same, by running to it again."""
    session = start(folder, "children", "catch vfork")
    assert "vforked process" in session.do("run")
    assert re.search("FReD: no snapshots.*vfork", session.do("next"))
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
