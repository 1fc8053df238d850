# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command that FReD adds, as its table in the documentation describes it."""
import os
import re

import pytest

import driver
from driver import line_of
from test_paper import history_of

COMMANDS = """checkpoint ckpt list restart delete undo redo reverse-step rs reverse-next rn reverse-finish rf
reverse-continue rc reverse-watch rw last history when start end branch switch source set show help""".split()


def place(answer):
    """(file, line, function) of the place that an answer shows last."""
    found = re.findall(r"^> (\S+)\((\d+)\)(\S+?)\(\)", answer, re.M)
    assert found, "no place in %r" % answer
    return os.path.basename(found[-1][0]), int(found[-1][1]), found[-1][2]


def at_6(fred, **how):
    session = fred("a.py", **how)
    session.do_all("break 6", "continue")
    return session


def test_undo_shows_the_place(fred):
    session = at_6(fred)
    here = session.do("where")
    session.do("continue")
    assert place(session.do("fred-undo")) == ("a.py", 6, "square")
    assert session.do("where") == here
    assert place(session.do("fred-redo")) == ("a.py", 6, "square")
    assert session.do("p n") == "3\n"


def test_undo_to_the_beginning_and_beyond(fred):
    session = at_6(fred)
    answer = session.do("fred-undo 2")
    assert place(answer) == ("a.py", 1, "<module>")
    assert session.do("break") == ""        # looks, and changes nothing that could be undone
    answer = session.do("fred-undo")
    assert re.search(r"^FReD: .", answer, re.M)
    session.do("fred-redo 2")
    assert session.do("p n") == "2\n"
    assert re.search(r"^FReD: .", session.do("fred-redo"), re.M)


def test_undo_is_exact(fred):
    """Undo does not run anything again: what depended on time and chance is as it was."""
    session = at_6(fred)
    session.do("import random, time, os")
    session.do("x = (random.random(), time.time(), os.urandom(4))")
    first = session.do("p x")
    session.do("x = None")
    session.do("fred-undo")
    assert session.do("p x") == first
    session.do("fred-undo")
    assert "NameError" in session.do("p x")
    session.do("fred-redo")
    assert session.do("p x") == first


def test_undo_skips_what_changes_nothing(fred):
    session = at_6(fred)
    session.do("!n = 50")
    session.do_all("p n", "where", "list", "args", "pp n", "whatis n")
    session.do("fred-undo")
    assert session.do("p n") == "2\n"


def test_undo_of_every_kind(fred):
    session = at_6(fred)
    session.do("!n = 10")
    assert session.do("p n") == "10\n"
    session.do("fred-undo")
    session.do("!n = 11")
    session.do("fred-undo")
    session.do("p globals().update(changed=1)")
    session.do("fred-undo")
    assert session.do("p n, 'changed' in globals()") == "(2, False)\n"
    session.do("disable 1")
    session.do("fred-undo")
    assert re.search(r"keep +yes", session.do("break"))
    session.do("jump 5")
    session.do("fred-undo")
    assert "> %s(6)square()" % driver.program("a.py") in session.do("where")


def test_undo_after_a_reverse_move_returns(fred):
    session = at_6(fred)
    here = session.do("where")
    session.do("fred-reverse-finish")
    session.do("fred-undo")
    assert session.do("where") == here


def test_new_command_after_undo_forgets_redo(fred):
    session = at_6(fred)
    session.do("continue")
    session.do("fred-undo")
    session.do("!n = 7")
    assert re.search(r"^FReD: ", session.do("fred-redo"), re.M)
    assert session.do("p n") == "7\n"


def test_reverse_step(fred):
    session = at_6(fred)
    assert place(session.do("fred-reverse-step")) == ("a.py", 5, "square")
    assert place(session.do("fred-rs")) == ("a.py", 4, "square")
    assert place(session.do("reverse-step")) == ("a.py", 12, "total")
    assert place(session.do("fred-rs 2")) == ("a.py", 10, "total")


def test_reverse_next(fred):
    session = at_6(fred)
    assert place(session.do("fred-reverse-next")) == ("a.py", 5, "square")
    session.do("continue")
    assert place(session.do("fred-rn 2")) == ("a.py", 4, "square")
    assert place(session.do("reverse-next")) == ("a.py", 12, "total")
    assert place(session.do("fred-rn")) == ("a.py", 11, "total")


def test_reverse_next_passes_over_calls(fred):
    session = fred("a.py")
    session.do_all("break 13", "continue")
    # total() called square() three times; the last stop in this activation is the head of the loop.
    assert place(session.do("fred-rn")) == ("a.py", 11, "total")
    assert place(session.do("fred-rn")) == ("a.py", 12, "total")
    assert session.do("p n") == "5\n"
    assert place(session.do("fred-rn")) == ("a.py", 11, "total")
    assert place(session.do("fred-rn")) == ("a.py", 12, "total")
    assert session.do("p n, sum") == "(3, 4)\n"


def test_reverse_finish(fred):
    session = at_6(fred)
    assert place(session.do("fred-reverse-finish")) == ("a.py", 12, "total")
    assert place(session.do("fred-rf")) == ("a.py", 18, "main")
    assert place(session.do("reverse-finish")) == ("a.py", 21, "<module>")
    assert "No more reverse-execution history." in session.do("fred-rf")


def test_reverse_finish_counts_the_selected_frame(fred):
    session = at_6(fred)
    session.do("up")
    assert place(session.do("fred-rf")) == ("a.py", 18, "main")


def test_reverse_continue(fred):
    session = at_6(fred)
    session.do_all("continue", "continue")
    assert session.do("p n") == "5\n"
    assert place(session.do("fred-reverse-continue")) == ("a.py", 6, "square")
    assert session.do("p n") == "3\n"
    assert place(session.do("fred-rc")) == ("a.py", 6, "square")
    answer = session.do("reverse-continue")
    assert "No more reverse-execution history." in answer
    assert place(answer) == ("a.py", 1, "<module>")


def test_reverse_continue_count(fred):
    session = at_6(fred)
    session.do_all("continue", "continue")
    session.do("fred-rc 2")
    assert session.do("p n") == "2\n"


def test_reverse_continue_conditions(fred):
    session = fred("a.py")
    session.do_all("break 13", "continue", "break 6, n == 3", "break 5", "disable 3", "ignore 2 100")
    # Ignore counts are not consulted, conditions and disabling are.
    assert place(session.do("fred-rc")) == ("a.py", 6, "square")
    assert session.do("p n") == "3\n"
    assert "No more reverse-execution history." in session.do("fred-rc")


def test_reverse_watch(fred):
    session = fred("a.py")
    session.do_all("break 13", "continue")
    answer = session.do("fred-reverse-watch sum < 10")
    assert re.search(r"FReD: sum < 10 was true before, false after this statement:", answer, re.I)
    # The change comes after square() returned: its last stop is the place, and the caller's statement is guilty.
    assert place(answer) == ("a.py", 6, "square")
    assert re.search(r"FReD: .*a\.py:12 in total", answer), answer
    assert session.do("p n") == "3\n"
    session.do("fred-undo")
    assert session.do("p sum") == "38\n"


def test_reverse_watch_short_name(fred):
    session = fred("autocount.py")
    session.do_all("break 8", "continue")
    assert place(session.do("fred-rw num < 5")) == ("autocount.py", 7, "main")
    assert session.do("p num") == "4\n"


def test_reverse_watch_undefined(fred):
    session = at_6(fred)
    here = session.do("where")
    assert re.search(r"^FReD: .*nonsense", session.do("fred-reverse-watch nonsense"), re.M)
    assert session.do("where") == here
    assert session.do("p n") == "2\n"


def test_reverse_watch_never_changed(fred):
    # The module's own activation lives from the first stop on: in a function, its call would be the change.
    session = fred("autocount.py")
    session.do_all("break 11", "continue")
    here = session.do("where")
    assert "--last" in session.do("fred-reverse-watch str(1)")
    assert "has been 2 at every stop since the start" in session.do("fred-reverse-watch 1 + 1"), "all were looked at"
    assert re.search(r"^FReD: ", session.do("fred-reverse-watch --last 1 + 1"), re.M)
    assert session.do("where") == here


def test_reverse_watch_last(fred):
    session = fred("generators.py")
    line = line_of("generators.py", "a = f(1)")
    session.do_all("break %d" % line, "continue")
    # len(seen) % 2 changes at every append.
    answer = session.do("fred-reverse-watch --last len(seen) % 2")
    assert place(answer)[2] == "risky"
    assert re.search(r"FReD: .*generators\.py:%d in main" % line_of("generators.py", "seen.append(risky(n))"), answer)
    assert session.do("p n") == "2\n"


def test_reverse_watch_needs_an_expression(fred):
    session = at_6(fred)
    assert re.search(r"^FReD: .*EXPR", session.do("fred-reverse-watch"), re.M | re.I)


def test_reverse_next_between_calls_of_one_line(fred):
    """`a = f(1) + g(2)`: from f's return straight to g's call, so depth alone would be wrong."""
    session = fred("generators.py")
    line = line_of("generators.py", "a = f(1)")
    session.do_all("break %d" % line, "continue")
    assert place(session.do("step"))[2] == "f"
    session.do_all("step", "step")
    assert place(session.do("step"))[2] == "g"
    assert place(session.do("fred-reverse-next")) == ("generators.py", line, "main")
    session.do("fred-undo")
    assert place(session.do("fred-reverse-step"))[2] == "f"


def test_checkpoints(fred):
    session = at_6(fred)
    answer = session.do("fred-checkpoint before the second")
    number = int(re.search(r"FReD: checkpoint (\d+) at (\S*)a\.py:6 in square \([0-9.]+ ms\)", answer).group(1))
    session.do("continue")
    other = int(re.search(r"checkpoint (\d+)", session.do("fred-ckpt")).group(1))
    assert other == number + 1
    listing = session.do("fred-list")
    assert re.search(r"^\*? *%d\b.*a\.py:6.*before the second" % number, listing, re.M), listing
    assert re.search(r"^\* *%d\b" % other, listing, re.M), listing
    assert place(session.do("fred-restart %d" % number)) == ("a.py", 6, "square")
    assert session.do("p n") == "2\n"
    assert re.search(r"^\* *%d\b" % number, session.do("fred-list"), re.M)
    session.do("fred-restart %d" % other)
    assert session.do("p n") == "3\n"
    # Without a number: the first, from the start of the program.
    assert place(session.do("fred-restart")) == ("a.py", 1, "<module>")
    session.do("fred-restart %d" % number)
    assert history_of(session.do("fred-history")) in ([""], ["p n"])
    session.do("fred-delete %d" % other)
    assert not re.search(r"^\*? *%d\b" % other, session.do("fred-list"), re.M)
    assert re.search(r"^FReD: .*%d" % other, session.do("fred-restart %d" % other), re.M)
    assert session.do("p n") == "2\n"


def test_restart_keeps_later_breakpoints(fred):
    session = at_6(fred)
    session.do_all("fred-checkpoint", "continue", "break 13")
    session.do("fred-restart 1")
    assert "a.py:13" in session.do("break")


@pytest.mark.parametrize("line", ["fred-restart 99", "fred-restart x", "fred-delete 99", "fred-delete", "fred-undo x",
                                  "fred-undo 0", "fred-undo -1", "fred-reverse-step 0", "fred-reverse-next many",
                                  "fred-switch nowhere", "fred-branch", "fred-set nothing 1", "fred-set snapshots maybe",
                                  "fred-set file-limit -1", "fred-show nothing", "fred-help nothing",
                                  "fred-source /nonexistent/file", "fred-source", "fred-", "fred-42"])
def test_bad_arguments(fred, line):
    session = at_6(fred)
    answer = session.do(line)
    assert re.match(r"FReD: \S", answer), answer
    assert "Traceback" not in answer and "***" not in answer
    assert session.do("p n") == "2\n"


def test_history(fred):
    session = fred("a.py")
    assert history_of(session.do("fred-history")) == [""]
    session.do_all("fred-checkpoint", "break 6", "continue", "where", "p n", "next")
    assert history_of(session.do("fred-history")) == ["break 6", "continue", "where", "p n", "next"]
    session.do("fred-checkpoint")
    session.do("next")
    assert history_of(session.do("fred-history")) == ["next"]


def test_history_after_reverse(fred):
    session = fred("autocount.py")
    session.do_all("fred-checkpoint", "break 7", "continue", "break 8", "next", "next")
    session.do("fred-reverse-step")
    commands = history_of(session.do("fred-history"))
    # `break 8` changes only the debugger: it was done again here.
    assert sorted(c for c in commands if c.startswith("break")) == ["break 7", "break 8"]


def test_when(fred):
    session = at_6(fred)
    session.do_all("fred-checkpoint", "continue")
    answer = session.do("fred-when")
    assert re.search(r"checkpoint 1 ?\+ ?1\b|checkpoint 1 .*1 command", answer), answer
    assert re.search(r"\d+ ?%", answer) and re.search(r"[0-9.]+ ?m?s\b", answer), answer
    session.do("fred-start")
    assert re.search(r"\b0 ?%", session.do("fred-when"))
    session.do("fred-end")
    assert re.search(r"\b100 ?%", session.do("fred-when"))


def test_start_and_end(fred):
    session = at_6(fred)
    session.do_all("continue", "continue")
    assert place(session.do("fred-start")) == ("a.py", 1, "<module>")
    assert place(session.do("fred-end")) == ("a.py", 6, "square")
    assert session.do("p n") == "5\n"
    session.do("fred-reverse-continue")
    session.do("fred-end")
    assert session.do("p n") == "5\n"


def test_branches(fred):
    session = at_6(fred)
    answer = session.do("fred-branch other")
    assert "Traceback" not in answer
    session.do("!n = 100")
    session.do("fred-list")
    name = re.search(r"\bmain\b", session.do("fred-list"))
    assert name, "the first timeline has a name that fred-list shows"
    session.do("fred-switch main")
    assert session.do("p n") == "2\n"
    session.do("continue")
    assert session.do("p n") == "3\n"
    session.do("fred-switch other")
    assert session.do("p n") == "100\n"
    session.do("fred-switch main")
    assert session.do("p n") == "3\n"


def test_source(folder, fred):
    path = os.path.join(folder.work, "commands")
    with open(path, "w") as file:
        file.write("# go to the place\nbreak 6\n\ncontinue\n- fred-nonsense\np n\nfred-reverse-step\nfred-nonsense\n!n = 99\n")
    session = fred("a.py")
    answer = session.do("fred-source " + path)
    assert re.search(r"^2$", answer, re.M)
    assert place(answer) == ("a.py", 5, "square")
    # It stopped at the error that no `-` stood before, and says where.
    assert "commands:8" in answer
    assert session.do("p n") == "2\n"


def test_source_of_source(folder, fred):
    for name, text in (("one", "fred-source two\np 'one'\n"), ("two", "p 'two'\n"), ("loop", "fred-source loop\n")):
        with open(os.path.join(folder.work, name), "w") as file:
            file.write(text)
    session = fred("a.py")
    answer = session.do("fred-source one")
    assert answer.index("'two'") < answer.index("'one'")
    assert "FReD: " in session.do("fred-source loop")


def test_settings(fred):
    session = fred("a.py")
    listing = session.do("fred-show")
    for name in "snapshots max-snapshots max-snapshot-memory file-limit eval-timeout bare-names stay-awake".split():
        assert re.search(r"^ *%s +\S+ .*" % name, listing, re.M), name
    session.do("fred-set max-snapshots 50")
    assert re.search(r"max-snapshots +50\b", session.do("fred-show max-snapshots"))
    # A setting without a value is a question.
    assert re.match(r"(FReD: |max-snapshots)", session.do("fred-set max-snapshots"))


def test_snapshots_off(fred):
    session = fred("autocount.py")
    session.do("fred-set snapshots off")
    session.do_all("break 7", "continue", "continue", "continue")
    assert session.do("p num") == "2\n"
    # Undo replays from the snapshot before.
    session.do("fred-undo")
    assert session.do("p num") == "1\n"
    assert place(session.do("fred-reverse-next")) == ("autocount.py", 6, "main")


def test_few_snapshots(fred):
    session = fred("autocount.py")
    session.do("fred-set max-snapshots 3")
    session.do("break 7")
    for _ in range(9):
        session.do("continue")
    for n in range(7, 2, -1):
        session.do("fred-undo")
        assert session.do("p num") == "%d\n" % n


def test_bare_names(fred):
    session = at_6(fred)
    session.do("fred-set bare-names off")
    assert "SyntaxError" in session.do("reverse-next") or "NameError" in session.do("reverse-next")
    session.do("fred-set bare-names on")
    assert place(session.do("reverse-next")) == ("a.py", 5, "square")


def test_rc_may_be_a_variable(fred):
    session = at_6(fred)
    session.do("rc = 5")
    assert session.do("rc") == "5\n"
    assert session.do("p rc") == "5\n"


def test_help(fred):
    session = fred("a.py")
    listing = session.do("fred-help")
    for name in COMMANDS:
        assert re.search(r"\bfred-%s\b" % re.escape(name), listing), name
    for name in COMMANDS:
        text = session.do("fred-help " + name)
        assert "fred-" in text and "FReD: " not in text.split("\n")[0], (name, text)
        assert text == session.do("fred-help fred-" + name)
    assert "xample" in session.do("fred-help reverse-watch")
    # pdb's own help is pdb's.
    assert "Documented commands" in session.do("help")


@pytest.mark.parametrize("wrong, right", [("fred-chekpoint", "fred-checkpoint"), ("fred-reverse-nxt", "fred-reverse-next"),
                                          ("fred-histroy", "fred-history"), ("fred-unod", "fred-undo")])
def test_unknown_command_suggests(fred, wrong, right):
    answer = fred("a.py").do(wrong)
    assert re.match(r"FReD: .*%s.*%s" % (wrong, right), answer), answer


def test_undo_after_quit_of_program(fred):
    """The program ends with os._exit: the session can still go back."""
    session = at_6(fred)
    session.send("import os; os._exit(3)")
    session.expect(re.compile(rb"FReD: [^\n]*\n[^\n]*\(fred\) $"))
    session.send("fred-undo")
    session.prompt()
    assert session.do("p n") == "2\n"


def test_errors_go_to_stderr(batch):
    done = batch(["fred-restart 99", "p 1"], "a.py", options=())
    assert "FReD: " in done.err and "FReD: " not in done.out
