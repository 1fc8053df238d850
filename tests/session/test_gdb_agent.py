# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent in gdb: what it says a line would do, values, places, completion; settings that come along through time."""
import os
import re
import subprocess

import pytest

from gdb_pair import build
from gdb_peer import GdbPeer

LOOKS, DEBUGGER, MOVES, PROGRAM, RESTARTS, QUITS = range(6)

SOURCE = r"""#include <stdio.h>
static int add(int a, int b)
{
	int sum = a + b;
	return sum;
}
int main(int argc, char **argv)
{
	int s = 0;
	for (int i = 0; i < 5; i++)
		s = add(s, i);
	printf("%d\n", s);
	return 0;
}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gdb")
    (folder / "sum.c").write_text(SOURCE)
    subprocess.run(["gcc", "-g", "-O0", "-o", "sum", "sum.c"], cwd=folder, check=True)
    return str(folder / "sum")


CLASSES = {
    LOOKS: ["print s", "p/x s", "p s==3", "p s <= 3", "p (int)(s)", "p (char *)(s)", "p sizeof(int)", "p -pretty on -- s",
            'p "a=b(c)"', 'p $_streq("a","b")', "i b", "info reg", "l", "list main", "bt", "where", "frame", "thread",
            "thread apply all bt", "thread apply 1 2 -s bt full", "frame apply all p s", "display", "x/2i $pc", "x", "call s",
            "", "# note", "echo hi", "help next", "ptype s", "with print pretty on -- p s", 'printf "%d=\\n", s', "show args"],
    DEBUGGER: ["b 3", "br main", "tb 3", "d 1", "watch s", "catch fork", "up", "f 1", "thread 1", "disp s", "set listsize 3",
               "set print pretty on", "set args a b", "define foo", "handle SIGUSR1 nostop", "set non-stop off"],
    MOVES: ["n", "next 3", "s", "c", "fin", "u", "until 5", "adv 5", "si", "ni", "jump 3", "with print pretty on -- n"],
    PROGRAM: ["p s=3", "p add(1,2)", "p s<<=3", "p s++", "thread apply all p s=1", "display s=1", "set var s=1", "set s=1",
              "set $a = 1", "call add(1,2)", "python print(1)", "nosuch", "shell ls", "!ls", 'printf "%d", add(1,2)',
              "source x", "return", "kill"],
    RESTARTS: ["r", "run", "start", "starti"],
    QUITS: ["q", "quit", "exit"],
}


def test_a_line_is_classified_as_gdb_understands_it(program):
    with GdbPeer(program) as gdb:
        wrong = [(line, gdb.classify(line), wanted) for wanted, lines in CLASSES.items() for line in lines
                 if gdb.classify(line) != wanted]
        assert wrong == []


def test_the_users_own_commands_may_do_anything(program):
    with GdbPeer(program) as gdb:
        assert gdb.classify("list") == LOOKS
        gdb.classify("define list")
        gdb.lines("define mine", "next", "end", "define hook-list", "next", "end", "alias zz=next")
        assert gdb.classify("mine") == PROGRAM
        assert gdb.classify("list") == PROGRAM
        assert gdb.classify("zz") == MOVES


@pytest.mark.parametrize("line, word", [
    ("tui enable", "fredapp"), ("lay src", "fredapp"), ("attach 1", "run"), ("target remote :1", "gdb alone"),
    ("target ext :1", "gdb alone"), ("c&", "&"), ("run &", "&"), ("set non-stop on", "non-stop"), ("set editing off", "edits")])
def test_what_cannot_be_taken_back_is_refused_with_a_word(program, line, word):
    with GdbPeer(program) as gdb:
        answer = gdb.classify(line)
        assert isinstance(answer, str) and word in answer


def test_places_and_values(program):
    with GdbPeer(program) as gdb:
        assert gdb.ask("v", "1", 1)[0] == "0"
        gdb.lines("break add if a > 0", "run")
        source = os.path.splitext(program)[0] + ".c"
        assert gdb.ask("w") == ["0", "2", source, "4", "add", "2", source, "11", "main", "1"]
        gdb.line("up")
        assert gdb.ask("w")[1] == "1"
        assert gdb.ask("v", "a", 2) == ["1", "1"]
        assert gdb.ask("v", "s", 1) == ["1", "1"]
        assert gdb.ask("v", "add(s, 5)", 1)[0] == "0"           # it stops at the breakpoint in the call
        assert gdb.ask("v", "nosuch", 2) == ["0", 'No symbol "nosuch" in current context.']
        gdb.line("disable 1")
        assert gdb.ask("v", "add(s, 5)", 1) == ["1", "6"]
        # The user's frame is selected as before, and there is no value that they have not asked for.
        assert gdb.printed_by("print s") == "$1 = 1\n"


def test_after_a_command_of_the_step_family_place_is_inside_or_not(program):
    with GdbPeer(program) as gdb:
        gdb.lines("break add", "run", "finish")
        assert gdb.ask("w")[0] == "4"           # in the rest of the calling statement
        gdb.line("next")
        assert gdb.ask("w")[0] == "0"


def test_completion_is_gdbs_own(program):
    with GdbPeer(program) as gdb:
        assert gdb.ask("t", "info br", 5, 7) == ["breakpoints"]
        assert gdb.ask("t", "b sum.c:ma", 2, 10) == ["sum.c:main"]


SETTINGS = ["break 11", "tbreak add if a > 3", "catch fork", "catch syscall write", 'dprintf sum.c:5,"sum %d\\n",sum', "watch s",
            "rwatch s", "commands 1", "silent", "print 5", "end", "disable 3", "ignore 1 5", "display s", "display/x s",
            "undisplay 1", "disable display 2", "delete 2", "set listsize 7"]


def test_settings_come_along_with_their_numbers(program):
    with GdbPeer(program) as gdb:
        gdb.lines("break main", "run", "next")
        gdb.classify('dprintf sum.c:5,"x"')     # as fredapp asks before each line
        gdb.classify("set listsize 7")
        gdb.lines(*SETTINGS)
        saved, table = gdb.settings(), gdb.printed_by("info breakpoints")
    with GdbPeer(program) as gdb:
        gdb.lines("break main", "run", "next")
        assert gdb.ask("o", saved) == []
        assert gdb.printed_by("info breakpoints") == table
        assert gdb.printed_by("info display").split("\n")[2] == "2:   n  /x s"
        assert "is 7" in gdb.printed_by("show listsize")
        assert gdb.settings() == saved
        # One that is there only here goes, a condition that changed changes back.
        gdb.lines("break 12", "condition 2 s == 3", "enable 4")
        assert "breakpoint     keep y" in gdb.printed_by("info breakpoints 9")
        assert gdb.ask("o", saved) == []
        assert gdb.printed_by("info breakpoints") == table


FORKS = """#include <unistd.h>
int main(void)
{
	if (fork() == 0)
		_exit(0);
	return 0;
}
"""
CATCHPOINTS = ["catch fork", "tcatch vfork", "catch exec", "catch throw", "catch throw std::.*", "catch rethrow if $_ == 0",
               "catch syscall", "catch syscall write read", "catch signal", "catch signal SIGUSR1 SIGUSR2", "catch signal all",
               "catch load", "catch load libm", "catch unload libc,"]


def lines_of(table):
    return [line.strip() for line in table.split("\n") if "already hit" not in line]


def test_all_catchpoints_come_along(folder):
    """Those of which `info breakpoints` tells the last event, too."""
    program = build(folder.work, "forks.c", text=FORKS)
    with GdbPeer(program, cwd=folder.work) as gdb:
        gdb.lines("catch fork", "run", *CATCHPOINTS)
        saved, table = gdb.settings(), gdb.printed_by("info breakpoints")
        assert ", process" in table
    with GdbPeer(program, cwd=folder.work) as gdb:
        assert gdb.ask("o", saved) == []
        assert lines_of(gdb.printed_by("info breakpoints")) == lines_of(re.sub(", process.*", "", table))


def test_nothing_of_ours_is_seen(program):
    with GdbPeer(program) as gdb:
        before = gdb.printed_by("python print(sorted(globals()))")
        gdb.lines("break main", "run")
        address = gdb.printed_by("info line 5") and gdb.printed_by("output $_")
        saved = gdb.settings()
        gdb.ask("w"), gdb.ask("v", "s", 1), gdb.ask("d"), gdb.ask("o", saved), gdb.ask("t", "print s", 6, 7), gdb.classify("list")
        assert gdb.printed_by("output $_") == address
        assert gdb.printed_by("print $") == "The history is empty.\n"
        assert gdb.printed_by("python print(sorted(globals()))") == before
        assert gdb.printed_by("info breakpoints").count("\n") == 3


def test_a_run_begins_anew(program):
    with GdbPeer(program) as gdb:
        gdb.line("break main")
        assert not gdb.prompt.restarted
        gdb.line("run")
        assert gdb.prompt.restarted
        gdb.line("next")
        assert not gdb.prompt.restarted
        assert gdb.line("run").startswith("The program being debugged has been started already.")
        gdb.line("y")
        assert gdb.prompt.restarted
