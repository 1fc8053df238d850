# SPDX-License-Identifier: GPL-3.0-or-later
"""What users of pdb do, with every CPython that is here: first as it is without FReD, then backwards."""
import os
import re
import subprocess

import pytest

import driver
from driver import line_of


AFTER_THE_END = re.compile(rb"FReD: [^\n]*\n\(fred\) $")


def version_of(python):
    done = subprocess.run([python, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True,
                          check=True)
    return tuple(map(int, done.stdout.split()))


def has(python, module):
    return subprocess.run([python, "-c", "import " + module], capture_output=True).returncode == 0


def test_steps_and_back(fred, python):
    session = fred("a.py", python=python)
    session.do("break 5")
    session.do("continue")
    session.do("step")
    assert "(6)square()\n-> return result" in session.do("where")
    assert "(5)square()\n-> result = n * n" in session.do("fred-reverse-step")
    assert "(4)square()" in session.do("fred-reverse-step")
    assert "(12)total()" in session.do("fred-reverse-step")
    assert "(18)main()" in session.do("fred-reverse-finish")
    assert "(5)square()" in session.do("continue")
    assert session.do("p n") == "2\n"
    session.quit()
    assert session.status == 0


def test_undo_redo(fred, python):
    session = fred("autocount.py", python=python)
    session.do("break 6")
    session.do("continue")
    for _ in range(4):
        session.do("next")
    assert session.do("p num") == "2\n"
    session.do("fred-undo 2")
    assert session.do("p num") == "1\n"
    session.do("fred-redo 2")
    assert session.do("p num") == "2\n"


def test_program_reads_the_terminal(fred, python):
    session = fred("reads_stdin.py", python=python)
    session.send("continue")
    for name in ("ada", "grace"):
        session.expect("name? ")
        session.send(name)
        session.expect("hello " + name)
    session.expect("name? ")
    session.send("")
    session.send("the rest")
    assert "greeted 2 rest 'the rest\\n'" in session.prompt()


def test_program_reads_at_a_next(fred, python):
    session = fred("reads_stdin.py", python=python)
    line = line_of("reads_stdin.py", "input(")
    session.do("break %d" % line)
    session.do("continue")
    session.send("next")
    session.expect("name? ")
    session.send("ada")
    session.prompt()
    assert session.do("p name") == "'ada'\n"
    session.do("fred-undo")
    assert "NameError" in session.do("p name")
    session.send("next")
    session.expect("name? ")
    session.send("grace")
    session.prompt()
    assert session.do("p name") == "'grace'\n"


def test_megabytes(fred, python):
    session = fred("floods.py", python=python)
    session.do("break %d" % line_of("floods.py", "after = 2"))
    answer = session.do("continue")
    expected = "".join("%08d %s\n" % (i, "x" * 71) for i in range(50000))
    assert answer.startswith(expected)
    assert "-> after = 2" in answer[len(expected):]
    session.do("next")
    session.do("fred-undo")
    assert session.do("p before, 'after' in globals()") == "(1, False)\n"


def test_no_newline(fred, python):
    session = fred("no_newline.py", python=python)
    session.do("break %d" % line_of("no_newline.py", "x = 1"))
    assert session.do("continue").startswith("no newline> ")
    session.do("next")
    session.do("fred-undo")
    assert "NameError" in session.do("p x")
    session.do("next")
    assert session.do("p x") == "1\n"


def test_screen_escapes(fred, bare, python):
    with_, without = fred("escapes.py", python=python), bare("escapes.py", python=python)
    commands = ["break %d" % line_of("escapes.py", "done = True"), "continue", "p 1"]
    assert with_.do_all(*commands) == without.do_all(*commands)


def test_fake_prompts(fred, python):
    """A program that says and asks '(Pdb) ' fools nobody: what is typed there goes to the program."""
    session = fred("fake_prompt.py", python=python)
    session.do("break %d" % line_of("fake_prompt.py", "end = True"))
    session.send("continue")
    session.expect("(Pdb) (Pdb) ")
    session.send("fred-undo")
    session.expect("first fred-undo")
    session.expect("(Pdb) (Pdb) ")
    session.send("p 1")
    answer = session.prompt()
    assert "second p 1" in answer and "-> end = True" in answer
    assert session.do("p first, second") == "('fred-undo', 'p 1')\n"


def test_fake_prompt_at_next(fred, python):
    session = fred("fake_prompt.py", python=python)
    session.do("tbreak %d" % line_of("fake_prompt.py", "first = input"))
    session.send("continue")
    session.expect('first = input("(Pdb) ")\r\n(Pdb) ')      # the program has written one before
    session.send("next")
    session.expect("next\r\n(Pdb) ")
    session.do("where")
    assert session.do("p first") == "'where'\n"


def test_blocked_signals(fred, python):
    session = fred("blocks_signals.py", python=python)
    session.do("break %d" % line_of("blocks_signals.py", "total += i"))
    for _ in range(4):
        session.do("continue")
    assert session.do("p total") == "3\n"
    session.do("fred-undo 2")
    assert session.do("p total") == "0\n"
    session.do("fred-redo 2")
    session.do("clear 1")
    answer = session.do("continue")
    assert re.search(r"total 4950 blocked \d\d", answer), answer


def test_breakpoint_call(fred, python):
    session = fred(argv=[python, driver.program("calls_breakpoint.py")])
    assert "average()" in session.banner
    assert session.do("p total") == "12\n"
    session.do("tbreak %d" % line_of("calls_breakpoint.py", "return result"))
    session.do("continue")
    assert session.do("p result") == "3.0\n"
    session.do("fred-undo")
    assert "NameError" in session.do("p result")
    session.send("continue")
    session.prompt()
    session.send("continue")
    # The program is over, but what it was is not.
    assert "average 3.0" in session.expect(AFTER_THE_END)
    session.send("fred-undo")
    session.prompt()
    assert session.do("p result") == "3.0\n"
    session.send("continue")
    session.expect(AFTER_THE_END)
    session.quit()
    assert session.status == 0


def test_breakpoint_call_reverse(fred, python):
    session = fred(argv=[python, driver.program("calls_breakpoint.py")])
    first = session.do("where")
    session.do("next")
    answer = session.do("fred-reverse-next 5")
    assert "No more reverse-execution history." in answer
    assert session.do("where") == first


@pytest.mark.parametrize("option", ["--pdb", "--trace"])
def test_pytest(fred, python, option):
    if not has(python, "pytest"):
        pytest.skip("no pytest for " + python)
    session = fred(argv=[python, "-m", "pytest", "-p", "no:cacheprovider", option, driver.program("failing_case.py")])
    if option == "--pdb":
        assert "assert level >= 0" in session.banner
        assert session.do("p level") == "-1\n"
        assert session.do("p amount") == "2\n"
        session.do("tank['level'] = 7")
        session.do("fred-undo")
        assert session.do("p tank['level']") == "-1\n"
    else:
        assert "test_small_amount()" in session.banner
        session.do("continue")          # to the start of the next test
        here = session.do("next")
        session.do("next")
        assert session.do("fred-reverse-next") == here
        assert "'level': 5" in session.do("p tank")
    session.send("quit")
    session.expect_end()


def test_pytest_goes_on_after_a_failure(folder, fred):
    """What leads to a prompt from one of a failed test cannot be run again: history begins anew, and that is said."""
    python = "/usr/bin/python3"
    if not has(python, "pytest"):
        pytest.skip("no pytest for " + python)
    path = os.path.join(folder.work, "test_three.py")
    with open(path, "w") as file:
        file.write("def test_a():\n    assert 0\n\n\ndef test_b():\n    assert 0\n\n\n"
                   "def test_c():\n    breakpoint()\n    x = 1\n    y = 2\n")
    session = fred(argv=[python, "-m", "pytest", "-p", "no:cacheprovider", "--pdb", path])
    for line in (2, 6):
        answer = session.do("fred-reverse-next")
        assert "No more reverse-execution history" in answer and "pytest --trace" in answer
        assert "pytest --trace" in session.do("fred-reverse-watch __name__")
        assert "(%d)" % line in session.do("where")
        here = session.do("continue")
    assert "test_c()" in here
    assert "No more reverse-execution history" in session.do("fred-reverse-next")
    where = session.do("where")
    session.do("next")
    session.do("fred-reverse-next")
    assert session.do("where") == where
    session.do("fred-undo 3")
    assert "(6)test_b()" in session.do("where")
    session.send("quit")
    session.expect_end()


def test_post_mortem(fred, python):
    session = fred("raises.py", python=python)
    answer = session.do("continue")
    assert "ZeroDivisionError" in answer and "post mortem" in answer
    assert session.do("p b") == "0\n"
    session.do("up")
    assert session.do("p divisor") == "0\n"
    answer = session.do("fred-reverse-next")
    assert "raises.py" in answer
    # Back in the living program: it can be stepped again.
    assert re.search(r"raises\.py\(\d+\)", session.do("step"))


def test_post_mortem_watch(fred, python):
    session = fred("raises.py", python=python)
    session.do("continue")
    session.do("up")
    answer = session.do("fred-reverse-watch divisor > 0")
    assert "raises.py(%d)main()\n-> divisor = divisor - 1" % line_of("raises.py", "divisor - 1") in answer
    assert session.do("p divisor") == "1\n"


def test_interact(fred, python):
    session = fred("a.py", python=python)
    session.do("break 6")
    session.do("continue")
    session.send("interact")
    session.prompt()
    assert session.do("n * 100") == "200\n"
    assert session.do("def twice(x):") == ""
    assert session.do("    return 2 * x") == ""
    assert session.do("") == ""
    assert session.do("twice(n)") == "4\n"
    session.type(b"\x04")
    session.prompt()
    assert session.do("p n") == "2\n"
    session.do("fred-undo")
    assert session.do("p n") == "2\n"


def test_multi_line_statement(fred, bare, python):
    commands = ["for i in range(2):", "    print('line', i)", "", "p 1 + 1"]
    if version_of(python) < (3, 13):
        commands = ["for i in range(2): print('line', i)", "x = [1,2]; y = x", "p y"]
    assert fred("a.py", python=python).do_all(*commands) == bare("a.py", python=python).do_all(*commands)


def test_multi_line_statement_undone(fred, python):
    if version_of(python) < (3, 13):
        pytest.skip("pdb takes statements of several lines from 3.13 on")
    session = fred("a.py", python=python)
    session.do_all("sums = []", "for i in range(3):", "    sums.append(i)", "")
    assert session.do("p sums") == "[0, 1, 2]\n"
    session.do("fred-undo")
    assert session.do("p sums") == "[]\n"


def test_commands(fred, python):
    session = fred("a.py", python=python)
    session.do("break 6")
    assert session.do_all("commands 1", "silent", "p 'seen', result", "end") == ["", "", "", ""]
    assert session.do("continue") == "('seen', 4)\n"
    assert session.do("continue") == "('seen', 9)\n"
    # `commands` are part of the debugger: they still stand in the past, and are not consulted on the way back.
    assert "(6)square()" in session.do("fred-reverse-continue")
    assert session.do("p result") == "4\n"
    assert session.do("continue") == "('seen', 9)\n"


def test_display(fred, bare, python):
    commands = ["break 6", "continue", "display result", "continue", "display", "undisplay result", "continue"]
    assert fred("a.py", python=python).do_all(*commands) == bare("a.py", python=python).do_all(*commands)


def test_display_after_reverse(fred, python):
    session = fred("a.py", python=python)
    session.do_all("break 6", "continue", "continue", "display n")
    session.do("fred-reverse-continue")
    # Set later, it stands in the past too.
    assert "n: 2" in session.do("display")


def test_breakpoints_survive(fred, python):
    session = fred("a.py", python=python)
    session.do_all("break 6", "continue", "continue", "break 16", "tbreak 13")
    session.do("fred-reverse-continue")
    listing = session.do("break")
    for number, line in ((1, 6), (2, 16), (3, 13)):
        assert re.search(r"^%d +breakpoint.*a\.py:%d$" % (number, line), listing, re.M), listing
    # Undo takes them back, for only undo does.
    session.do("fred-undo 3")
    assert "a.py:16" not in session.do("break")


def test_interrupt_running(fred, python):
    session = fred("spins.py", python=python)
    session.send("continue")
    session.expect("at 1000000")        # not before it is in spin()
    session.interrupt()
    answer = session.prompt()
    assert "Program interrupted" in answer and "spin()" in answer
    assert session.do("p count >= 0") == "True\n"
    session.send("continue")
    session.expect(re.compile(rb"at \d+000000"))
    session.interrupt()
    assert "spin()" in session.prompt()
    session.do("fred-undo 2")
    assert "(1)<module>()" in session.do("where")


def test_end_and_restart(fred, python):
    session = fred("a.py", python=python)
    answer = session.do("continue")
    assert "sum of squares: 38" in answer and "The program finished and will be restarted" in answer
    assert "a.py(1)<module>()" in answer
    answer = session.do("run one 'two three'")
    assert "Restarting" in answer
    session.do("next")
    assert session.do("p sys.argv[1:]") == "['one', 'two three']\n"
    session.do("fred-undo 2")
    session.do("next")
    assert session.do("p sys.argv[1:]") == "[]\n"
    session.do("fred-undo 2")
    assert "(1)<module>()" in session.do("where")
    session.send("quit")
    session.expect_end()
    assert session.status == 0


def test_start_after_restart(fred, python):
    session = fred("a.py", python=python)
    session.do_all("break 6", "continue", "continue", "continue", "clear 1", "continue", "next", "next")
    # The start is the first live stop since the restart.
    assert "No more reverse-execution history." in session.do("fred-reverse-step 50")
    assert "(1)<module>()" in session.do("where")


def test_coloured_prompt(folder, fred, python):
    session = fred(argv=[python, driver.program("coloured_prompt.py"), driver.program("a.py")])
    assert b"\x1b[1m(Pdb)\x1b[0m " in session.seen
    session.do("break 6")
    session.do("continue")
    session.do("continue")
    assert session.do("p result") == "9\n"
    assert "(5)square()" in session.do("fred-reverse-step")
    session.do("fred-undo 2")
    assert session.do("p result") == "4\n"


def test_pdbrc(folder, fred, bare, python):
    for directory, text in ((folder.home, "alias twice p 2 * (%1)\nbreak 6\n"), (folder.work, "continue\np 'local'\n")):
        with open(os.path.join(directory, ".pdbrc"), "w") as file:
            file.write(text)
    with_, without = fred("a.py", python=python), bare("a.py", python=python)
    assert with_.banner == without.banner
    assert "local" in with_.banner
    commands = ["twice result", "where", "continue"]
    assert with_.do_all(*commands) == without.do_all(*commands)
    assert "(5)square()" in with_.do("fred-reverse-next")


def test_module_forms(folder, fred, python):
    os.makedirs(os.path.join(folder.work, "package"))
    for name, text in (("__init__.py", ""), ("__main__.py", "import sys\nx = 1\nx = 2\nprint(x, sys.argv[1:])\n")):
        with open(os.path.join(folder.work, "package", name), "w") as file:
            file.write(text)
    for argv in ([python, "-mpdb", "-m", "package", "arg"], [python, "-m", "pdb", "-c", "next", "-m", "package", "arg"]):
        session = fred(argv=argv)
        session.do("until 3")
        assert session.do("p x") == "1\n"
        session.do("next")
        assert "__main__.py(3)" in session.do("fred-reverse-step")
        session.quit()


def test_threads(fred, python):
    """Four threads wait on a queue; a twin that lost them would not answer."""
    session = fred("threads.py", python=python)
    session.do("break %d" % line_of("threads.py", "total += results.get()"))
    for _ in range(3):
        session.do("continue")
    assert session.do("p total, round") == "(1, 2)\n"
    session.do("fred-undo 2")
    assert session.do("p total, round") == "(0, 0)\n"
    assert session.do("p sum(t.is_alive() for t in threads)") == "4\n"
    session.do("clear 1")
    assert "total 30 alive 4" in session.do("continue")
    session.quit()


def test_numpy(fred, python):
    if not has(python, "numpy"):
        pytest.skip("no numpy for " + python)
    session = fred("uses_numpy.py", python=python)
    session.do("break %d" % line_of("uses_numpy.py", "spread = float"))
    for _ in range(3):
        session.do("continue")
    spread = session.do("p spread")
    session.do("next")
    assert session.do("p spread") != spread
    session.do("fred-undo")
    assert session.do("p spread") == spread
    session.do("clear 1")
    assert "sum 1000.000 spread 5574353.119" in session.do("continue")


def test_files_go_back(folder, fred, python):
    data = os.path.join(folder.work, "data")
    os.mkdir(data)

    def put():
        for name, text in (("appended", "zero\n"), ("overwritten", "......---"), ("truncated", "0123456789")):
            with open(os.path.join(data, name), "w") as file:
                file.write(text)

    def content():
        texts = []
        for name in ("appended", "overwritten", "truncated"):
            with open(os.path.join(data, name)) as file:
                texts.append(file.read())
        return texts
    put()
    session = fred("writes_files.py", data, python=python)
    start, one, two = (line_of("writes_files.py", text) for text in ('write("one', 'write("two', 'print("written'))
    session.do("break %d" % start)
    session.do("continue")
    first = content()
    session.do("until %d" % one)
    second = content()
    assert second == ["zero\none\n", "ONE...---", "01234"]
    session.do("until %d" % two)
    third = content()
    assert third == ["zero\none\ntwo\n", "ONETWO---", "01"]
    session.do("fred-undo")
    assert content() == second
    session.do("fred-undo")
    assert content() == first
    session.do("fred-redo 2")
    assert content() == third
    session.do("fred-undo 2")
    session.do("until %d" % two)
    assert content() == third


def test_quit_in_the_past(fred, python):
    session = fred("a.py", python=python)
    session.do_all("break 6", "continue", "continue", "fred-reverse-continue")
    assert session.quit() == ""
    assert session.status == 0
