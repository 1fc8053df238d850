# SPDX-License-Identifier: GPL-3.0-or-later
"""^C at every moment of FReD's own work: it stops at once, and the session is as before in every respect."""
import os
import re
import signal

import pytest

import driver

LOOPS = "all(True for _ in iter(int, 1))"
WATCH = "fred-reverse-watch " + LOOPS


def at_6(fred):
    session = fred("a.py")
    session.do_all("break 6", "continue", "fred-set eval-timeout 0")
    return session


def state_of(pid):
    with open("/proc/%d/stat" % pid) as file:
        return file.read().rsplit(")", 1)[1].split()[0]


def stop_debugger(folder):
    """Holds up the Python that stands at the prompt, not the snapshots; returns its number."""
    pid, = (pid for pid, line in driver.survivors(folder.id)
            if "fredapp" not in line.split(" ")[0] and state_of(pid) not in "tTZ")
    os.kill(pid, signal.SIGSTOP)
    driver.await_state(lambda: state_of(pid) == "T", "the debugger stops")
    return pid


def interrupt_is_taken(session):
    """Types ^C, and waits until fredapp has read the signal."""
    def pending():
        with open("/proc/%d/status" % session.process.pid) as file:
            fields = dict(line.split(":\t") for line in file if ":\t" in line)
        return any(int(fields[name], 16) & 1 << signal.SIGINT - 1 for name in ("SigPnd", "ShdPnd"))
    os.kill(session.process.pid, signal.SIGINT)     # at once, whereas the terminal takes its time
    driver.await_state(lambda: not pending(), "the signal is read")


def interrupt_at_once(folder, session, command):
    """^C while the debugger has not even read what the command has made FReD ask; returns the answer."""
    debugger = stop_debugger(folder)
    session.send(command)
    session.expect(command + "\r\n")
    interrupt_is_taken(session)
    os.kill(debugger, signal.SIGCONT)
    return session.prompt()


def check_unharmed(session, here):
    """The place, and that question and answer still belong together: a changed variable is seen as such, and undone."""
    assert session.do("where") == here
    assert session.do("!n = 5") == ""
    assert session.do("p n") == "5\n"
    session.do("fred-undo")
    assert session.do("p n") == "2\n"
    assert session.do("where") == here


def test_expression_that_loops_is_interrupted(fred):
    """As soon as can be: the request is perhaps not yet read by the debugger."""
    session = at_6(fred)
    here = session.do("where")
    session.send(WATCH)
    session.expect(re.compile(rb"1\)\)\r\n"))
    session.interrupt()
    assert session.prompt().endswith("FReD: stopped by ^C\r\n")
    check_unharmed(session, here)


def test_interrupted_while_the_expression_loops(folder, fred):
    """The debugger is at work on it for certain."""
    session = at_6(fred)
    here = session.do("where")
    sign = os.path.join(folder.path, "evaluating")
    session.send("fred-reverse-watch [open(%r, 'w').close(), %s]" % (sign, LOOPS))
    driver.await_state(lambda: os.path.exists(sign), "the expression is evaluated")
    session.interrupt()
    session.expect("FReD: stopped by ^C\r\n")
    session.prompt()
    check_unharmed(session, here)


@pytest.mark.parametrize("command", [WATCH, "fred-reverse-watch n", "fred-reverse-next", "fred-reverse-continue"])
def test_interrupted_before_the_work_begins(folder, fred, command):
    """The debugger has not even said where it stands: the first request after that is given up as soon as it is sent."""
    session = at_6(fred)
    here = session.do("where")
    assert interrupt_at_once(folder, session, command).endswith("FReD: stopped by ^C\r\n")
    check_unharmed(session, here)


@pytest.mark.parametrize("command", ["continue", "!n = 7", "where"])
def test_interrupted_before_the_debugger_has_the_line(folder, fred, command):
    """FReD is still asking what the line would do: the line is taken back."""
    session = at_6(fred)
    here = session.do("where")
    assert interrupt_at_once(folder, session, command) == "FReD: stopped by ^C\r\n"
    check_unharmed(session, here)


def test_interrupt_typed_with_the_command(fred):
    """Line and ^C in one go: whether the terminal still hands over the line or not, it does not run."""
    session = at_6(fred)
    here = session.do("where")
    session.type(WATCH + "\n\x03")
    session.prompt()
    check_unharmed(session, here)
