# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line, scripts, batch mode, start-up files, editing and completion."""
import os
import re

import pytest

import driver
from driver import line_of


def test_version(folder):
    done = driver.run(folder, [driver.FRED, "--version"])
    assert done.status == 0 and re.match(r"(?i)fred\S* \d+\.\d+", done.out) and done.err == ""


def test_help(folder):
    done = driver.run(folder, [driver.FRED, "--help"])
    assert done.status == 0 and done.err == ""
    for option in "-x --batch -e --log --debug --version --help --doctor".split():
        assert re.search(r"(^|[\s,])%s\b" % option, done.out), option


def test_doctor(folder):
    done = driver.run(folder, [driver.FRED, "--doctor"])
    assert done.status == 0
    for word in ("namespace", "ptrace", "seccomp", "python"):
        assert word in done.out.lower(), word


@pytest.mark.parametrize("faults, words", [("no-root-namespaces,no-user-namespaces", "namespace"), ("no-ptrace", "ptrace")])
def test_doctor_says_what_is_missing(folder, faults, words):
    done = driver.run(folder, [driver.FRED, "--doctor"], env={"FRED_FAULT": faults})
    assert words in done.out.lower()
    assert done.out != driver.run(folder, [driver.FRED, "--doctor"]).out


@pytest.mark.parametrize("argv", [["--nonsense"], ["-z", "x"], ["-x"], ["-e"], ["--log"], []])
def test_usage_errors(folder, argv):
    done = driver.run(folder, [driver.FRED, *argv])
    assert done.status == 2 and done.out == ""
    assert re.match(r"(FReD|\S*fredapp|usage)\b", done.err, re.I) and "--help" in done.err


def test_no_such_debugger(folder):
    done = driver.run(folder, [driver.FRED, "/nonexistent/debugger"])
    assert done.status not in (0, None) and "/nonexistent/debugger" in done.err


def test_no_such_script(batch):
    done = batch(["p 1"], argv=[driver.PYTHON, "-m", "pdb", "/nonexistent/script.py"])
    assert done.status != 0
    assert "/nonexistent/script.py" in done.out + done.err


def test_script_with_an_error(folder, batch):
    path = os.path.join(folder.work, "broken.py")
    with open(path, "w") as file:
        file.write("def f(:\n")
    done = batch(["p 1", "quit"], argv=[driver.PYTHON, "-m", "pdb", path])
    assert "SyntaxError" in done.out + done.err


def test_batch_reads_like_a_session(batch, bare):
    commands = ["break 6", "continue", "p n", "where", "next", "quit"]
    done = batch(commands, "a.py")
    assert done.status == 0 and done.err == ""
    assert "\x1b" not in done.out and "\r" not in done.out
    session = bare("a.py", env={"COLUMNS": None})
    answers = session.do_all(*commands[:-1])
    expected = session.banner.replace("\r\n", "\n") + "".join(
        "(Pdb) %s\n%s" % pair for pair in zip(commands, answers)) + "(Pdb) quit\n"
    assert done.out == expected


def test_batch_ends_when_the_script_ends(batch):
    done = batch(["break 6", "continue"], "a.py")
    assert done.status == 0
    assert "square()" in done.answer("continue")


def test_batch_commands_of_every_kind(batch):
    done = batch(["fred-checkpoint a note", "break 6", "continue", "continue", "fred-reverse-continue", "p n",
                  "fred-undo", "p n", "fred-history", "fred-list"], "a.py")
    assert [done.answer("p n", i) for i in (0, 1)] == ["2", "3"], done
    assert "a note" in done.answer("fred-list")


def test_e(folder):
    done = driver.run(folder, [driver.FRED, "--batch", "-e", "break 6", "-e", "continue", "-e", "p n * 10", "--",
                               *driver.pdb("a.py")])
    assert done.status == 0
    assert done.answer("p n * 10") == "20"


def test_options_end_at_the_debugger(folder):
    """What follows the debugger's name is the debugger's, even without `--`."""
    done = driver.run(folder, [driver.FRED, "--batch", "-e", "next", "-e", "next", "-e", "p sys.argv[1:]",
                               *driver.pdb("a.py", "-x", "--batch", "--version")])
    assert done.answer("p sys.argv[1:]") == "['-x', '--batch', '--version']"


def test_x_then_interactive(folder, fred):
    path = os.path.join(folder.work, "script")
    with open(path, "w") as file:
        file.write("break 6\ncontinue\n")
    session = fred(argv=driver.pdb("a.py"), options=("-x", path), at_prompt=False)
    session.expect("-> return result")
    session.prompt()
    assert session.do("p n") == "2\n"
    session.quit()


def test_commands_from_a_pipe(folder):
    """stdin is no terminal: batch mode by itself, commands from there."""
    done = driver.run(folder, [driver.FRED, *driver.pdb("a.py")],
                      stdin=b"break 6\ncontinue\np n\nfred-reverse-step\np 'n' in dir()\n")
    assert done.status == 0
    assert done.answer("p n") == "2"
    assert "a.py(5)square()" in done.answer("fred-reverse-step")


def test_stdin_is_dev_null(folder):
    done = driver.run(folder, [driver.FRED, *driver.pdb("a.py")])
    assert done.status == 0
    assert "a.py(1)<module>()" in done.out


def test_stdin_is_closed(folder):
    done = driver.run(folder, ["/bin/sh", "-c", 'exec "$@" <&-', "sh", driver.FRED, "--batch", "-e", "next", "--",
                               *driver.pdb("a.py")])
    assert done.status == 0 and "a.py(4)<module>()" in done.answer("next")


def test_stdout_is_full_or_closed(folder):
    done = driver.run(folder, ["/bin/sh", "-c", 'exec "$@" >/dev/full', "sh", driver.FRED, "--batch", "-e", "p 1", "--",
                               *driver.pdb("a.py")])
    assert done.status not in (None, 0) or "FReD" in done.err


def test_stdin_of_the_program_in_batch(folder):
    """With -x, stdin belongs to the program."""
    path = os.path.join(folder.work, "script")
    with open(path, "w") as file:
        file.write("tbreak %d\ncontinue\np greeted\n" % line_of("reads_stdin.py", "print(\"greeted"))
    done = driver.run(folder, [driver.FRED, "--batch", "-x", path, "--", *driver.pdb("reads_stdin.py")],
                      stdin=b"ada\ngrace\n\nrest\n")
    assert done.status == 0
    assert done.answer("p greeted") == "['ada', 'grace']"


def test_stderr_stays_apart(folder, batch):
    """Where fredapp's stderr is not its stdout, so is the program's."""
    path = os.path.join(folder.work, "both.py")
    with open(path, "w") as file:
        file.write("import sys\nprint('to out')\nprint('to err', file=sys.stderr)\nx = 1\n")
    done = batch(["next", "next", "next"], argv=[driver.PYTHON, "-m", "pdb", path])
    assert "\nto out\n" in done.out and "\nto err\n" not in done.out
    assert done.err == "to err\n"


def test_exit_status_of_plain_program(folder):
    path = os.path.join(folder.work, "exits.py")
    with open(path, "w") as file:
        file.write("import sys\nbreakpoint()\nsys.exit(7)\n")
    done = driver.run(folder, [driver.FRED, "--batch", "-e", "continue", "--", driver.PYTHON, path])
    assert done.status == 7


def test_batch_stops_at_an_error_of_ours(batch):
    """As fred-source: the first error ends the script, with a status that says so; `-` before a line forgives."""
    done = batch(["break 6", "fred-restart 99", "p 'reached'"], "a.py")
    assert done.status != 0 and "'reached'" not in done.out
    done = batch(["break 6", "- fred-restart 99", "p 'reached'"], "a.py")
    assert done.status == 0 and "'reached'" in done.out


def test_comments_in_scripts(batch):
    done = batch(["# nothing", "", "p 1 # pdb's", "   # indented", "p 2"], "a.py")
    assert done.status == 0 and done.answer("p 2") == "2"


def test_log(folder):
    log = os.path.join(folder.work, "log")
    done = driver.run(folder, [driver.FRED, "--log", log, "--batch", "-e", "next", "-e", "fred-undo", "--",
                               *driver.pdb("a.py")], env={"FRED_LOG": "all:debug"})
    assert done.status == 0 and done.err == ""
    with open(log) as file:
        lines = file.read().splitlines()
    assert any("ckpt" in line for line in lines) and any("session" in line for line in lines)


def test_log_cannot_be_written(folder):
    done = driver.run(folder, [driver.FRED, "--log", "/nonexistent/log", "--batch", "-e", "next", "--",
                               *driver.pdb("a.py")])
    assert "/nonexistent/log" in done.err and "Traceback" not in done.out


def test_rc_files(folder, batch):
    config = os.path.join(folder.home, ".config", "fred")
    os.makedirs(config)
    for path, text in ((os.path.join(config, "fredrc"), "# mine\nfred-set max-snapshots 77\nfred-set eval-timeout 5\n"),
                       (os.path.join(folder.work, ".fredrc"), "fred-set eval-timeout 6\n")):
        with open(path, "w") as file:
            file.write(text)
    done = batch(["fred-show"], "a.py")
    assert re.search(r"max-snapshots +77\b", done.out) and re.search(r"eval-timeout +6\b", done.out), done


def test_rc_file_with_an_error(folder, batch):
    with open(os.path.join(folder.work, ".fredrc"), "w") as file:
        file.write("fred-set max-snapshots 77\nfred-set colour blue\n")
    done = batch(["p 1"], "a.py")
    assert re.match(r"FReD: \S*\.fredrc:2: .*colour", done.err)


def test_rc_file_runs_nothing_else(folder, batch):
    """A .fredrc comes with a folder that may be a stranger's: it sets, it does not run."""
    with open(os.path.join(folder.work, ".fredrc"), "w") as file:
        file.write("import os; os.system('touch hacked')\n")
    done = batch(["p 1"], "a.py")
    assert not os.path.exists(os.path.join(folder.work, "hacked"))
    assert ".fredrc:1" in done.err


# At a terminal.

def tab(session, text, expected):
    """Types text and TAB, waits for the completed line, then takes the line away again with ^U."""
    session.type(text + "\t")
    session.expect(expected)
    session.type(b"\x15")
    session.do("p 0")           # not an empty line, which repeats


def test_completion_of_fred_commands(fred):
    session = fred("a.py")
    tab(session, "fred-chec", "fred-checkpoint ")
    tab(session, "fred-reverse-w", "fred-reverse-watch ")
    tab(session, "fred-set max-snapshot-", "max-snapshot-memory")


def test_completion_lists_alternatives(fred):
    session = fred("a.py")
    session.type("fred-reverse-\t\t")
    for name in ("step", "next", "finish", "continue", "watch"):
        assert session.expect("fred-reverse-") is not None
    session.type(b"\x15\n")
    session.prompt()
    screen = "\n".join(session.screen())
    for name in ("step", "next", "finish", "continue", "watch"):
        assert "fred-reverse-" + name in screen


def test_completion_by_the_debugger(fred, python):
    session = fred("a.py", python=python)
    session.do_all("break 6", "continue")
    tab(session, "p resu", "p result")
    tab(session, "undispl", "undisplay")
    session.do("import collections")
    tab(session, "p collections.OrderedD", "p collections.OrderedDict")


def test_completion_of_what_fred_commands_take(fred, python):
    session = fred("a.py", python=python)
    session.do_all("break 6", "continue", "fred-branch sideways", "import collections")
    tab(session, "fred-rw resu", "fred-rw result")
    tab(session, "fred-reverse-watch resu", "fred-reverse-watch result")
    tab(session, "fred-rw  --last resu", "fred-rw  --last result")
    tab(session, "fred-rw --la", "fred-rw --last")
    tab(session, "fred-reverse-watch --fi", "fred-reverse-watch --first")
    tab(session, "fred-rw --an", "fred-rw --any")
    tab(session, "fred-rw --first resu", "fred-rw --first result")
    tab(session, "fred-last resu", "fred-last result")
    tab(session, "fred-las", "fred-last ")
    tab(session, "fred-reverse-watch result + resu", "fred-reverse-watch result + result")
    tab(session, "fred-rw collections.OrderedD", "fred-rw collections.OrderedDict")
    tab(session, "fred-switch si", "fred-switch sideways")
    tab(session, "fred-set snapshots of", "fred-set snapshots off")
    tab(session, "fred-help reverse-w", "fred-help reverse-watch")


def test_completion_changes_nothing(fred):
    session = fred("a.py")
    session.do_all("fred-checkpoint", "break 6", "continue")
    tab(session, "p resu", "p result")
    assert "[break 6, continue, p 0]" in session.do("fred-history")


def test_editing_and_history(fred):
    session = fred("a.py")
    session.do("p 40 + 2")
    session.type(b"\x1b[A\n")
    assert "42\n" in session.prompt().replace("\r\n", "\n")
    session.type("p 9")
    session.type(b"\x1b[D\x7f")
    session.type("p 3*\n")
    assert "p" in session.prompt()


def test_typed_history_is_kept(folder, fred):
    session = fred("a.py")
    session.do("p 'from the first session'")
    session.quit()
    session = fred("a.py")
    session.type(b"\x1b[A\x1b[A\n")
    assert "from the first session" in session.prompt()


def test_typed_history_of_two_sessions(folder, fred):
    """Neither takes away what the other has written."""
    one, two = fred("a.py"), fred("a.py")
    one.do("p 'first'")
    two.do("p 'second'")
    one.quit()
    two.quit()
    with open(os.path.join(folder.home, ".local/state/fred/history")) as file:
        lines = file.read().split("\n")
    assert "p 'first'" in lines and "p 'second'" in lines
    three = fred("a.py")
    three.type(b"\x1b[A\x1b[A")         # quit, and what came before
    three.expect("p 'second'")


def test_empty_line_repeats(fred, bare):
    """As pdb: an empty line repeats the last command."""
    commands = ["next", "", "", "p 1", ""]
    assert fred("a.py").do_all(*commands) == bare("a.py").do_all(*commands)


def test_empty_line_repeats_a_fred_command(fred):
    session = fred("autocount.py")
    session.do_all("break 7", "continue", "continue", "continue", "fred-reverse-continue")
    session.do("")
    assert session.do("p num") == "0\n"


def test_end_of_file_quits(fred):
    session = fred("a.py")
    session.type(b"\x04")
    session.expect_end()
    assert session.status == 0


def test_interrupt_at_the_prompt(fred):
    session = fred("a.py")
    session.type("p 'never entered'")
    session.expect("entered'")
    session.interrupt()
    session.prompt()
    assert session.do("p 1") == "1\n"
    assert "a.py(1)<module>()" in session.do("where")


def test_type_ahead(fred):
    """Commands typed while the program runs are commands, when the program does not read them."""
    session = fred("spins.py", "1000000")
    session.do("break %d" % line_of("spins.py", "return count"))
    session.send("continue")
    session.expect("spinning")
    session.send("p 'typed ahead'")
    session.expect("-> return count")
    session.expect(re.compile(rb"\n'typed ahead'\r\n"))
    session.prompt()


def test_interrupt_of_a_search(fred):
    session = fred("spins.py", "100000")
    session.do("break %d" % line_of("spins.py", "return count"))
    assert "-> return count" in session.do("continue")
    here = session.do("where")
    session.send("fred-reverse-watch --last count < 5")
    session.expect("5\r\n")
    session.interrupt()
    session.prompt()
    assert session.do("where") == here
    assert session.do("p count") == "100000\n"


def test_long_lines(fred):
    session = fred("a.py", size=(24, 400))
    text = "x" * 300
    assert session.do("p '%s'" % text) == "'%s'\n" % text


def test_very_long_line_in_batch(batch):
    text = "x" * 100000
    done = batch(["p len('%s')" % text], "a.py")
    assert "\n100000\n" in done.out


def test_unicode(fred):
    session = fred("a.py")
    assert session.do("p 'größe ✓'") == "'größe ✓'\n"


def test_progress_while_the_program_waits(folder, fred):
    """Run again, it waits for somebody who does not come a second time: the user sees that, and how to stop it."""
    pipe, script = os.path.join(folder.work, "pipe"), os.path.join(folder.work, "waits.py")
    os.mkfifo(pipe)
    with open(script, "w") as file:
        file.write("with open(%r) as file:\n    word = file.read()\nlength = len(word)\nprint(length)\n" % pipe)
    session = fred(script, env={"TERM": "xterm"})
    session.do("break 4")
    session.send("continue")
    with open(pipe, "w") as file:
        file.write("hello")
    session.prompt()
    session.send("fred-reverse-step")
    session.expect("^C stops")
    session.interrupt()
    session.expect("FReD: stopped by ^C")
    session.prompt()
    assert "-> print(length)" in session.do("where")


def test_progress_on_a_terminal_only(folder, batch):
    done = batch(["break 10", "continue", "fred-reverse-watch count < 0 or count > 5"], "spins.py", "1000000")
    assert "\r" not in done.out and "\r" not in done.err
