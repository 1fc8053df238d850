# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults and bad input: a clear message and what to do, nothing left running, nothing of the user's lost."""
import os
import re
import shutil
import signal
import subprocess
import sys

import pytest

import driver
from driver import line_of

ROOT = os.geteuid() == 0


def children(folder, name="python"):
    return [pid for pid, line in driver.survivors(folder.id) if name in line and "fredapp" not in line.split(" ")[0]]


def at_6(fred, **how):
    session = fred("a.py", **how)
    session.do_all("break 6", "continue")
    return session


# Someone dies.

@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGSEGV])
def test_fredapp_killed(folder, fred, how):
    """With snapshots, a running program, whatever: when fredapp dies all of the session dies."""
    session = at_6(fred)
    session.do_all("fred-checkpoint", "continue", "fred-reverse-continue")
    os.kill(session.process.pid, how)
    session.expect_end()
    assert driver.await_no_survivors(folder.id) == []


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_fredapp_killed_while_the_program_runs(folder, fred, how):
    session = fred("spins.py")
    session.send("continue")
    session.expect("at 1000000")
    os.kill(session.process.pid, how)
    session.expect_end()
    assert driver.await_no_survivors(folder.id) == []


@pytest.mark.parametrize("faults", ["", "no-root-namespaces,no-user-namespaces"])
def test_fredapp_killed_with_daemons(folder, fred, faults):
    """Also what the program has put into the background with sessions of their own."""
    session = fred("a.py", env={"FRED_FAULT": faults or None})
    session.do("import subprocess; _ = subprocess.Popen(['sleep', '1000'], start_new_session=True)")
    session.do("next")
    os.kill(session.process.pid, signal.SIGKILL)
    session.expect_end()
    assert driver.await_no_survivors(folder.id) == []


def test_python_killed(folder, fred):
    session = at_6(fred)
    session.do("import os")
    session.send("os.kill(os.getpid(), 9)")
    answer = session.expect(re.compile(rb"\(fred\) $"))
    assert re.search(r"FReD: .*(killed|signal 9|SIGKILL)", answer), answer
    assert "fred-undo" in answer            # what to do
    session.send("fred-undo")
    session.prompt()
    assert session.do("p n") == "2\n"
    assert "(6)square()" in session.do("continue")
    session.quit()
    assert session.status == 0


def test_python_killed_from_outside(folder, fred):
    session = at_6(fred)
    # The one that stands at the prompt, by its own account; snapshots have the same command line.
    inside = session.do("p open('/proc/self/stat').read().split()[21]").strip().strip("'")
    for pid in children(folder):
        with open("/proc/%d/stat" % pid) as file:
            fields = file.read().rsplit(")", 1)[1].split()
        if fields[19] == inside and fields[0] not in "tT":
            os.kill(pid, signal.SIGKILL)
    assert "fred-undo" in session.expect(re.compile(rb"FReD: [^\n]*\n"))
    session.do("fred-undo")
    assert "a.py" in session.do("where")
    assert session.do("p 6 * 7") == "42\n"


def test_python_killed_while_it_runs(folder, fred):
    session = fred("spins.py")
    session.send("continue")
    session.expect("at 1000000")
    pids = children(folder)
    running = []
    for pid in pids:
        with open("/proc/%d/stat" % pid) as file:
            if file.read().rsplit(")", 1)[1].split()[0] not in "tTZ":
                running.append(pid)
    for pid in running:
        with open("/proc/%d/cmdline" % pid) as file:
            if "spins.py" in file.read():
                os.kill(pid, signal.SIGKILL)
    session.expect(re.compile(rb"FReD: [^\n]*"))
    session.expect(re.compile(rb"\(fred\) $"))
    session.send("fred-undo")
    session.prompt()
    assert "(1)<module>()" in session.do("where")


def test_python_killed_in_batch(batch):
    done = batch(["import os", "os.kill(os.getpid(), 9)", "fred-undo", "p 'after'"], "a.py")
    assert "FReD: " in done.out + done.err and done.answer("p 'after'") == "'after'", done


def test_a_snapshot_is_killed(folder, fred):
    """A twin that the machine killed (memory!) costs that position, not the session."""
    session = at_6(fred)
    session.do_all("continue", "continue")
    for pid in children(folder):
        with open("/proc/%d/stat" % pid) as file:
            if file.read().rsplit(")", 1)[1].split()[0] in "tT":
                os.kill(pid, signal.SIGKILL)
    answer = session.do("fred-undo")
    assert "FReD: " in answer or "(6)square()" in answer
    assert session.do("p n") in ("3\n", "5\n")
    assert session.do("p 6 * 7") == "42\n"


# The terminal.

@pytest.mark.parametrize("faults", ["", "no-root-namespaces,no-user-namespaces"])
def test_terminal_closed(folder, fred, faults):
    session = at_6(fred, env={"FRED_FAULT": faults or None})
    session.do("fred-checkpoint")
    session.close_master()
    assert driver.await_no_survivors(folder.id) == []


def test_terminal_closed_while_the_program_runs(folder, fred):
    session = fred("spins.py")
    session.send("continue")
    session.expect("at 1000000")
    session.close_master()
    assert driver.await_no_survivors(folder.id) == []


def test_terminal_closed_during_a_search(folder, fred):
    session = fred("spins.py", "100000")
    session.do("break %d" % line_of("spins.py", 'return count'))
    session.do("continue")
    session.send("fred-reverse-watch --last count < 5")
    session.expect(re.compile(rb"5\r\n"))
    session.close_master()
    assert driver.await_no_survivors(folder.id) == []


def test_resize_at_the_prompt(fred):
    session = fred("a.py", size=(24, 80))
    session.do("import os")
    assert session.do("p tuple(os.get_terminal_size())") == "(80, 24)\n"
    session.resize(40, 120)
    assert session.do("p tuple(os.get_terminal_size())") == "(120, 40)\n"


def test_resize_while_the_program_runs(fred):
    session = fred("window_size.py", size=(24, 80))
    session.send("continue")
    session.expect("size 80 24")
    session.resize(50, 100)
    session.expect("changed to 100 50")
    session.send("more")
    session.expect("size 100 50")
    session.send("enough")
    session.prompt()


def test_resize_then_undo(fred):
    """The window is as large as it is, also in the past."""
    session = fred("a.py", size=(24, 80))
    session.do_all("import os", "break 6", "continue")
    session.resize(40, 120)
    session.do("fred-undo")
    assert session.do("p tuple(os.get_terminal_size())") == "(120, 40)\n"


@pytest.mark.parametrize("redirection", ["<&-", "<&- >&-", "<&- 2>&-", "2>&-"])
def test_descriptors_closed(folder, redirection):
    out = os.path.join(folder.work, "out")
    script = os.path.join(folder.work, "script")
    with open(script, "w") as file:
        file.write("break 6\ncontinue\nfred-reverse-step\nimport os; open(%r, 'w').write(str(n))\n" % out)
    done = driver.run(folder, ["/bin/sh", "-c", 'exec "$@" ' + redirection, "sh", driver.FRED, "--batch", "-x", script,
                               "--", *driver.pdb("a.py")])
    if ">&-" in redirection.replace("2>&-", ""):
        return                      # nobody reads us: leaving is fine; the fixture looks for survivors
    assert done.status == 0, done
    with open(out) as file:
        assert file.read() == "2"


# The machine refuses.

@pytest.mark.skipif(not ROOT, reason="mounting a full file system needs root")
def test_disk_full_under_tmpdir(folder, fred):
    small = os.path.join(folder.path, "small")
    os.mkdir(small)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], capture_output=True).returncode:
        pytest.skip("mount is not allowed here")
    try:
        data = os.path.join(folder.work, "data")
        os.mkdir(data)
        for name in ("appended", "overwritten", "truncated"):
            with open(os.path.join(data, name), "w") as file:
                file.write("0123456789" * 50000)
        with open(os.path.join(small, "filler"), "wb") as file:
            try:
                file.write(b"x" * (1 << 20))
            except OSError:
                pass
        session = fred("writes_files.py", data, env={"TMPDIR": small})
        answer = "".join(session.do_all("tbreak %d" % line_of("writes_files.py", "step = 1"), "continue", "next", "next"))
        # The user is told, once a file; the session goes on, and memory still goes back.
        told = re.findall(r"FReD: .*space.*TMPDIR.*", answer)
        assert told and len(set(told)) == len(told), answer
        assert session.do("p step") == "1\n"
        session.do("fred-undo 2")
        assert session.do("p step") == "0\n"
        session.quit()
        # Nothing of the user's lost.
        with open(os.path.join(data, "appended")) as file:
            assert file.read().startswith("0123456789" * 50000)
    finally:
        driver.await_no_survivors(folder.id, 5)
        subprocess.run(["umount", "-l", small], check=False)


def test_file_copy_fails(folder, fred):
    data = os.path.join(folder.work, "data")
    os.mkdir(data)
    for name in ("appended", "overwritten", "truncated"):
        with open(os.path.join(data, name), "w") as file:
            file.write("0123456789")
    session = fred("writes_files.py", data, env={"FRED_FAULT": "file-copy"})
    answer = "".join(session.do_all("tbreak %d" % line_of("writes_files.py", "step = 1"), "continue", "next"))
    assert "FReD: " in answer
    session.do("fred-undo")
    assert session.do("p step") == "0\n"


def test_no_ptrace(folder, fred):
    """No snapshots then: it says so at once, what to do, and is a debugger none the less."""
    session = fred("a.py", env={"FRED_FAULT": "no-ptrace"})
    assert re.search(r"FReD: .*ptrace", session.banner), session.banner
    assert re.search("--doctor|ptrace_scope", session.banner)      # what to do
    session.do("break 6")
    assert "(6)square()" in session.do("continue")
    answer = session.do("fred-undo")
    assert re.match("FReD: ", answer)
    assert session.do("p n") == "2\n"
    session.quit()


OLD_PYTHON = """#include <unistd.h>
const char *Py_GetVersion(void) { return "3.7.16 (default)"; }
int Py_Main(int argc, char **argv) { return pause(); }
int main(int argc, char **argv) { return Py_Main(argc, argv); }
"""


def test_python_that_is_too_old(folder):
    """It has no place for the agent, so there would never be a prompt."""
    if not shutil.which("gcc"):
        pytest.skip("gcc is not installed")
    path = os.path.join(folder.work, "python3.7")
    subprocess.run(["gcc", "-rdynamic", "-o", path, "-xc", "-"], input=OLD_PYTHON, text=True, check=True)
    done = driver.run(folder, [driver.FRED, path, "-m", "pdb", "x.py"])
    assert re.search(r"^FReD: .*3\.7\.16.* 3\.8 or newer", done.out + done.err), done
    assert done.status == 2


def seccomp_without_ptrace():
    """A preexec function that makes ptrace() fail with EPERM, as in many containers; None where it cannot be made."""
    import ctypes
    import platform
    import struct
    if platform.machine() != "x86_64":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong]
    # ld [nr]; jeq ptrace(101): ret ERRNO|EPERM; ret ALLOW
    program = b"".join(struct.pack("HBBI", *each) for each in (
        (0x20, 0, 0, 0), (0x15, 0, 1, 101), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7fff0000)))
    memory = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 4, ctypes.addressof(memory)), 16)

    def apply():
        prctl(38, 1, None, 0, 0)
        if prctl(22, 2, ctypes.addressof(header), 0, 0) != 0:
            raise OSError("seccomp")
    apply.memory = (memory, header)
    return apply


def test_no_ptrace_by_seccomp(folder, fred):
    preexec = seccomp_without_ptrace()
    if not preexec:
        pytest.skip("the filter is written for x86-64")
    session = fred("a.py", preexec=preexec)
    assert re.search(r"FReD: .*ptrace", session.banner), session.banner
    session.do("break 6")
    assert "(6)square()" in session.do("continue")
    assert re.match("FReD: ", session.do("fred-undo"))
    session.quit()


@pytest.mark.parametrize("faults", ["no-root-namespaces", "no-root-namespaces,no-user-namespaces"])
def test_fewer_namespaces(folder, fred, faults):
    session = at_6(fred, env={"FRED_FAULT": faults})
    session.do_all("continue", "!n = 50")
    session.do("fred-undo")
    assert session.do("p n") == "3\n"
    assert "(5)square()" in session.do("fred-reverse-step")
    assert "(6)square()" in session.do("continue")
    session.do("import os, threading; t = threading.Thread(target=print, args=('thread',)); t.start(); t.join()")
    session.do("fred-restart 0")
    assert "(1)<module>()" in session.do("where")
    session.quit()
    assert session.status == 0


@pytest.mark.parametrize("faults", ["", "no-user-namespaces"])
def test_ordinary_user(folder, fred, faults):
    session = at_6(fred, prefix=driver.ordinary_user(folder, driver.program("a.py")), env={"FRED_FAULT": faults or None}, python="/usr/bin/python3")
    assert session.do("import os; print(os.getuid() == %s)" % (65534 if ROOT else os.getuid())) == "True\n"
    session.do("continue")
    assert session.do("p n") == "3\n"
    session.do("fred-undo")
    assert session.do("p n") == "2\n"
    assert "(5)square()" in session.do("fred-reverse-step")
    session.do("fred-reverse-watch n == 0")
    session.quit()
    assert session.status == 0


def test_no_place_for_files(folder, batch):
    done = batch(["break 6", "continue", "fred-reverse-step"], "a.py", env={"TMPDIR": "/nonexistent", "HOME": "/nonexistent"})
    assert "(5)square()" in done.answer("fred-reverse-step"), done


def test_read_only_home(folder, batch):
    os.chmod(folder.home, 0o555)
    done = batch(["break 6", "continue", "fred-undo"], "a.py")
    os.chmod(folder.home, 0o755)
    assert done.status == 0


def test_few_processes(folder, batch):
    """At the limit of processes a snapshot fails: the session goes on."""
    if ROOT:
        pytest.skip("the limit of processes does not bind root")
    done = batch(["break 6", "continue", "p n"], "a.py", prefix=("prlimit", "--nproc=3"))
    assert done.answer("p n") == "2"


def test_few_descriptors(folder, batch):
    done = batch(["break 6"] + ["continue"] * 2 + ["fred-undo", "p n"], "a.py", prefix=("prlimit", "--nofile=64"))
    assert done.answer("p n") == "2", done


@pytest.mark.parametrize("name", ["ckpt-clone", "ckpt-seize", "ckpt-restore", "ckpt-set-tid", "ckpt-freeze"])
def test_steps_of_the_engine_fail(folder, fred, name):
    """The third time only: by then there is something to lose."""
    session = fred("a.py", env={"FRED_FAULT": name + ":3"})
    session.do_all("break 6", "continue", "continue")
    answer = session.do("fred-undo")
    value = session.do("p n")
    assert value in ("2\n", "3\n"), (answer, value)
    assert session.do("p 6 * 7") == "42\n"
    session.quit()
    assert session.status == 0


# Bad input.

def test_wrong_commands(batch):
    done = batch(["- fred-frobnicate", "frobnicate it", "p n", "- fred-reverse-watch", "- fred-restart 7 8 9", "p 'alive'"],
                 "a.py")
    assert done.status == 0 and done.answer("p 'alive'") == "'alive'", done
    assert len(re.findall("^FReD: ", done.err, re.M)) >= 3


def test_binary_rubbish_as_commands(folder):
    rubbish = bytes(range(1, 256)).replace(b"\n", b"") + b"\n" + b"\x00\x01\n" + b"p 'alive'\n"
    done = driver.run(folder, [driver.FRED, "--batch", *driver.pdb("a.py")], stdin=rubbish)
    assert "'alive'" in done.out, done


@pytest.mark.parametrize("expression, words", [
    ("undefined_name > 1", "undefined_name"), ("1 / 0", "ZeroDivision"), ("n >", "SyntaxError"),
    ("(_ for _ in ()).throw(KeyboardInterrupt)", "KeyboardInterrupt"), ("exit()", "exit|SystemExit"),
    ("__import__('os').kill(0, 0) + ''", "TypeError")])
def test_expression_that_raises(fred, expression, words):
    session = at_6(fred)
    here = session.do("where")
    answer = session.do("fred-reverse-watch " + expression)
    assert re.match("FReD: ", answer) and re.search(words, answer), answer
    assert session.do("where") == here
    assert session.do("p n") == "2\n"


def test_expression_that_raises_in_the_past_only(fred):
    """Undefined before is a change like another: the statement that defined it."""
    session = fred("a.py")
    session.do_all("break 6", "continue")
    answer = session.do("fred-reverse-watch result")
    assert "a.py(5)square()\n-> result = n * n" in answer


LOOPS = "all(True for _ in iter(int, 1))"


def test_expression_that_loops_in_batch(batch):
    done = batch(["fred-set eval-timeout 1", "break 6", "continue", "- fred-reverse-watch " + LOOPS, "p n"], "a.py")
    assert "eval-timeout" in done.err, done
    assert done.answer("p n") == "2"


def test_expression_that_loops_ignoring_interrupts(batch):
    done = batch(["fred-set eval-timeout 1", "import signal, time", "break 6", "continue",
                  "- fred-reverse-watch [signal.pthread_sigmask(0, signal.valid_signals()), %s]" % LOOPS, "p n"], "a.py")
    assert "eval-timeout" in done.err, done
    assert done.answer("p n") == "2"


def test_expression_that_prints_the_prompt(batch):
    done = batch(["break 6", "continue", "fred-reverse-watch [print('(Pdb) ', end=''), n > 100][1] is False", "p n"], "a.py")
    assert "(4)square()" in done.out or "(12)total()" in done.out
    # What an evaluation prints is not shown.
    assert "(Pdb) (Pdb) " not in done.out


def test_expression_that_changes_the_program(batch):
    """Evaluations do not disturb: each happens in a copy."""
    done = batch(["break 13", "continue", "fred-reverse-watch [numbers.append(9), sum][1] < 5", "up", "p numbers", "p sum"], "a.py")
    assert (done.answer("p numbers"), done.answer("p sum")) == ("[2, 3, 5]", "4"), done


def test_expression_that_kills(fred):
    session = at_6(fred)
    answer = session.do("fred-reverse-watch __import__('os')._exit(1)")
    assert re.match("FReD: ", answer), answer
    assert session.do("p n") == "2\n"


def test_program_that_does_not_run_the_same_way(folder, fred):
    """It says so, instead of a wrong line."""
    path = os.path.join(folder.work, "chance.py")
    with open(path, "w") as file:
        file.write("import os\nx = 0\nfor i in range(50):\n    if os.urandom(1)[0] % 2:\n        x += 1\n        x += 2\n"
                   "    else:\n        x += 3\ny = x\n")
    session = fred(argv=[sys.executable, "-m", "pdb", path])
    session.do_all("break 9", "continue")
    for _ in range(3):
        answer = session.do("fred-reverse-watch x < 40")
        assert re.search("same way|diverge|differ", answer) or re.search(r"-> (x \+= \d)", answer), answer
        if "x += " in answer:
            before = int(session.do("p x"))
            session.do("step")
            assert before < 40 <= int(session.do("p x")), answer
            break


def test_big_program_within_a_budget(folder, fred):
    session = fred("grows.py", "300")
    session.do("fred-set max-snapshot-memory 16")
    session.do_all("break 8", "continue")
    for _ in range(3):
        session.do("next")
    session.do("fred-undo")
    assert session.do("p 1") == "1\n"
