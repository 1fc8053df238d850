# SPDX-License-Identifier: GPL-3.0-or-later
"""pdb through fredapp prints what pdb alone prints, byte for byte.

The same commands go to both, on terminals of the same size and settings; echo and prompts are taken away, and each
command's answer must be the same."""
import re

import pytest


LOOKING = ["break 6", "tbreak 12", "break 18, True", "break", "continue", "continue", "where", "bt", "list", "list 1, 5",
           "ll", "args", "p n", "pp {'key': [1] * 40, 'other': 'x' * 90}", "whatis n", "whatis square", "source square",
           "up", "down", "up 2", "u", "up", "up", "up", "up", "p 1/0", "p", "nonsense here", "x = ", "1 +", "(", "print(n)",
           "!n", "n = n + 1", "n", "condition 1 n > 3", "condition 1", "ignore 1 2", "ignore 1 0", "enable 1", "disable 1",
           "disable 99", "clear 99", "clear 1", "a", "alias", "alias pi p %1 + 1", "pi 4", "unalias pi", "help", "help step",
           "help nonsense", "jump 3", "retval", "rv", "display n", "display", "undisplay", "exceptions", "debug square(3)",
           "next", "next", "continue", "until", "return", "step", "next", "next", "next"]
MOVING = ["step"] * 25 + ["next", "return", "until", "next", "continue"]
ERRORS = ["continue", "where", "p a, b", "up", "p divisor", "step", "next", "continue", "continue"]
GENERATORS = ["break %d" % 58, "continue", "step", "step", "step", "return", "next", "step", "step", "return", "step",
              "until", "next"]


def same(fred, bare, script, commands, *args, python=None, **how):
    with_, without = fred(script, *args, python=python, **how), bare(script, *args, python=python, **how)
    assert with_.banner == without.banner
    for number, command in enumerate(commands):
        expected = without.do(command)
        answer = with_.do(command)
        # Objects live elsewhere: the only difference that there may be.
        normal = [re.sub(r"\b0x[0-9a-f]{6,}", "0xADDRESS", text) for text in (answer, expected)]
        assert normal[0] == normal[1], "command %d: %s" % (number, command)
    return with_, without


@pytest.mark.parametrize("commands", [LOOKING, MOVING], ids=["looking", "moving"])
def test_a(fred, bare, python, commands):
    same(fred, bare, "a.py", commands, python=python)


def test_errors(fred, bare, python):
    same(fred, bare, "raises.py", ERRORS, python=python)


def test_generators(fred, bare, python):
    same(fred, bare, "generators.py", GENERATORS, python=python)


def test_end_and_quit(fred, bare, python):
    with_, without = same(fred, bare, "a.py", ["continue", "next", "run x y", "restart", "continue"], python=python)
    assert with_.quit() == without.quit()
    assert with_.status == without.status


@pytest.mark.parametrize("script", ["escapes.py", "no_newline.py", "floods.py", "autocount.py", "linked_list.py"])
def test_program_output(fred, bare, script):
    argument = {"floods.py": ["3000"], "linked_list.py": ["300"]}.get(script, [])
    same(fred, bare, script, ["next", "next", "next", "next", "continue"], *argument)


@pytest.mark.parametrize("size", [(24, 80), (10, 200), (50, 132)])
def test_sizes(fred, bare, size):
    same(fred, bare, "a.py", ["import os", "p tuple(os.get_terminal_size())", "help", "pp list(range(60))"], size=size)


def test_reverse_and_forward_again(fred, bare):
    """After going back and forth pdb still says what it would have said."""
    commands = ["break 6", "continue", "next", "next", "continue", "where", "step", "step", "continue"]
    expected = bare("a.py").do_all(*commands)
    session = fred("a.py")
    answers = []
    for number, command in enumerate(commands):
        answers.append(session.do(command))
        if number > 1 and number % 2:
            session.do("fred-undo")
            session.do("fred-redo")
        elif number > 1:
            session.do("fred-undo")
            answers[-1] = session.do(command)
    assert answers == expected


def test_terminal_settings(fred, bare):
    """The program finds the terminal as it would without fredapp, at the prompt and while it runs."""
    look = "import termios; p_ = termios.tcgetattr(0); print(p_[:4], p_[6][:6])"
    answers = [session.do(look) for session in (fred("a.py"), bare("a.py"))]
    assert answers[0] == answers[1]


def test_environment_and_descriptors(fred, bare):
    look = ("import os; print(sorted(k for k in os.environ), os.getcwd(), os.isatty(0), os.isatty(1), os.isatty(2), "
            "os.path.realpath('/proc/self/exe'), os.umask(0o22))")
    answers = [session.do(look) for session in (fred("a.py"), bare("a.py"))]
    assert answers[0] == answers[1]


def test_where_has_no_frames_of_ours(fred, python):
    session = fred("a.py", python=python)
    session.do_all("break 6", "continue")
    assert "fred" not in session.do("where").lower()
    assert "fred" not in session.do("p sorted(globals()), sorted(locals())").lower()
    assert "fred" not in session.do("p sorted(__import__('sys').modules)").lower()


def test_one_byte_at_a_time(folder, fred, bare):
    """Keys that arrive one by one, and slowly read output, change nothing."""
    session, alone = fred("a.py"), bare("a.py")
    for command in ("break 6", "continue", "p n", "next"):
        for key in command + "\n":
            session.type(key)
        assert session.answer(command) == alone.do(command)
