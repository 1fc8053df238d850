# SPDX-License-Identifier: GPL-3.0-or-later
"""The user's terminal: its modes at every turn, ^Z, keys of several bytes, pasted text."""
import os
import re
import signal
import termios

import pytest

import driver


def modes(session):
    return driver.modes(session.master)


def await_stop(session):
    pid, status = os.waitpid(session.process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status), "it ended: %d" % status
    return pid


def test_it_is_given_back_as_it_was(folder):
    session = driver.Fred(folder, *driver.pdb("a.py"))
    session.prompt()
    session.do("next")
    assert not modes(session)[3] & termios.ICANON, "the prompt edits lines itself"
    session.send("quit")
    session.expect_end()
    assert modes(session) == session.first_modes


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP])
def test_it_is_given_back_after_a_signal(folder, end):
    session = driver.Fred(folder, *driver.pdb("a.py"))
    session.prompt()
    session.process.send_signal(end)
    session.expect_end()
    assert modes(session) == session.first_modes and session.status == 1


def test_suspended_at_the_prompt(folder, fred):
    session = fred("a.py")
    at_prompt = modes(session)
    session.type("p 4")
    session.expect("p 4")
    session.type(b"\x1a")
    pid = await_stop(session)
    given_back = modes(session)
    assert given_back[3] & termios.ICANON and given_back[3] & termios.ECHO, "the shell gets a sane terminal"
    os.kill(pid, signal.SIGCONT)
    session.expect("(Pdb) p 4")         # what was typed so far stands there again
    assert modes(session) == at_prompt
    session.type("2\n")
    session.expect("\r\n42\r\n")
    session.prompt()
    session.quit()


def test_suspended_while_the_program_runs(folder, fred):
    session = fred("spins.py")
    session.send("continue")
    session.expect("at 1000000")        # not "spinning": ^C in the middle of print() ends in pdb's own print()
    session.type(b"\x1a")
    pid = await_stop(session)
    assert modes(session)[3] & termios.ICANON
    os.kill(pid, signal.SIGCONT)
    session.interrupt()
    session.prompt()
    session.quit()


@pytest.mark.parametrize("mode", ["emacs", "vi"])
def test_keys_of_several_bytes(folder, fred, mode):
    with open(os.path.join(folder.home, ".inputrc"), "w") as file:
        file.write("set editing-mode %s\n" % mode)
    session = fred("a.py", env={"TERM": "xterm", "INPUTRC": os.path.join(folder.home, ".inputrc")})
    session.do("p 40 + 2")
    session.type(b"\x1b[A")             # the line before
    session.expect("p 40 + 2")
    session.type(b"\x1b[D1\n")          # one to the left, and 1
    session.expect("l52\r\n")
    session.prompt()
    session.quit()


def test_several_lines_at_once(fred):
    session = fred("a.py")
    session.type("p 1 + 1\np 2 + 2\nnext\np 3 + 3\n")
    for answer in ("\r\n2\r\n", "\r\n4\r\n", "a.py(", "\r\n6\r\n"):
        session.expect(answer)
    session.prompt()
    session.quit()


def test_pasted_text_comes_in_brackets(fred):
    session = fred("a.py", env={"TERM": "xterm"})
    session.type(b"\x1b[200~p 'pas\tted'\x1b[201~")
    session.expect("ted'")
    session.type("\n")
    session.expect("l'pas\\tted'\r\n")
    session.send("continue")
    text = session.expect("restart")
    assert text.index("\x1b[?2004l") < text.index("The program finished"), "brackets are off while the program runs"
    session.quit()


def test_nobody_reads(folder):
    """A terminal to type at, and a reader of the output that has had enough: fredapp ends, and does not write for ever."""
    session = driver.Terminal(folder, ["sh", "-c", "%s | head -n 1" % " ".join([driver.FRED, *driver.pdb("a.py")])])
    session.expect("a.py(1)")
    session.send("next")
    session.expect_end()
