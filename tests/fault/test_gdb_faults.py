# SPDX-License-Identifier: GPL-3.0-or-later
"""Under gdb: expressions that fail, a machine that refuses, input that makes no sense, programs that give little."""
import os
import re
import shutil
import signal
import subprocess

import pytest

import driver
from gdb_fault import at_square, line_of, positions, program_of, start, value
from gdb_pair import Gdb
from gdb_unruly import compile_unruly

pytestmark = pytest.mark.skipif(not shutil.which("gdb") or not shutil.which("gcc"), reason="no gdb or no gcc here")

ROOT = os.geteuid() == 0


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
    assert re.search("FReD: no snapshot .*namespaces.*fredapp --doctor", session.do("continue"))
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
    session = Gdb(folder, "-nx", "./sums", snapshots=True, prefix=driver.ordinary_user(folder), env={"FRED_FAULT": faults or None})
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
