# SPDX-License-Identifier: GPL-3.0-or-later
"""gdb through fredapp is gdb: the same commands in both give the same bytes, but for echo and prompt."""
import os
import re
import shutil

import pytest

import driver
from gdb_pair import Gdb, both, build

pytestmark = pytest.mark.skipif(not shutil.which("gdb") or not shutil.which("gcc"), reason="no gdb or no gcc here")

STEPPING = """break main|run|next|next|||print s|print $|print $1|list||info breakpoints|bt|step|info frame|finish|up|down
display s|next|info display|undisplay 1|tbreak add|continue|until|advance 12|stepi|nexti|x/2i $pc||info line|info source|whatis s
ptype s|info registers rip|info program|info args|info locals|frame 0|thread|info threads|thread apply all bt|call add(3,4)|p $|p $$2
print &add|p $_|p $__|x/3x $sp|p $_|list add||list -|ptype main|info scope add|watch s|continue|info watchpoints|return|y|next"""
ASKING = """delete|run|run|n|run|y|kill|n|kill|y|info frame|delete|start|delete|y|set confirm off|run|kill|set confirm on|start
define foo|print 1|end|define foo|n|foo|show user foo"""
BLOCKS = """break 11|commands|silent|print s|continue|end|tbreak 14|run|info breakpoints|bt|delete|y|while 0|end|if 1|print 7|else
print 8|end|python|for i in range(3):|  print(i)||end|python print(sorted(globals()))|python-interactive|1+1|gdb.parameter("height")
python print(gdb.VERSION > "1")|pi 3+4|define bar|document bar|hi|end|end|document bar|hi there|end|help bar|bar|define hook-next
echo hook\\n|end|start|next|next||show commands|show convenience|show values|alias zz=next|zz""".replace(
    "python-interactive|1+1|gdb.parameter(\"height\")\n", "")
ERRORS = """nosuch|print nosuch|next|finish|info nosuch|set nosuch 3|show nosuch|help nosuch|undisplay 9|delete 99|condition 99 x
break nosuch|n|run --|bt 1 2|x/zz 3|frame 99|thread 7|up|list 999|call|python 1/0|source /nonexistent|file /nonexistent|start
print *(int*)0|call nosuch()|frame 99|up 99|finish|enable 99"""
PAGING = """set height 10|info functions|q|info functions||c|help all|q|start|set height 5|info all-registers|q|show height
set pagination off|info types|set pagination on"""


def lines(text):
    return [command for line in text.split("\n") for command in line.split("|")]


@pytest.mark.parametrize("script", [STEPPING, ASKING, BLOCKS, ERRORS, PAGING], ids="stepping asking blocks errors paging".split())
def test_the_same_bytes(folder, script):
    program = build(folder.work, "sum.c")
    assert both(folder, lines(script), "-nx", program) == []


@pytest.mark.parametrize("flags, commands", [
    (["-g", "-static"], "start|next|step|bt|finish|continue"),
    (["-g", "-no-pie"], "start|next|step|bt|finish|continue"),
    (["-s"], "start|break printf|run|bt|next|stepi|stepi|x/i $pc|continue|info functions printf"),
], ids="static non-PIE stripped".split())
def test_all_kinds_of_programs(folder, flags, commands):
    assert both(folder, lines(commands), "-nx", build(folder.work, "sum.c", *flags)) == []


@pytest.mark.skipif(not shutil.which("g++"), reason="no g++ here")
def test_c_plus_plus(folder):
    program = build(folder.work, "cpp.cc")
    commands = """start|next|next|next|next|print v|print s|print b|print b.get()|print a+c|ptype b|catch throw|continue|bt 3|finish
continue|continue"""
    assert both(folder, lines(commands), "-nx", program) == []


def test_a_crash_and_its_core(folder):
    program = build(folder.work, "crash.c")
    commands = "run|bt|info locals|print $_siginfo.si_signo|print p|x/i $pc|generate-core-file core|continue|bt|print $_exitsignal"
    assert both(folder, lines(commands), "-nx", program) == []
    assert both(folder, lines("bt|print p|up|frame 0|list|next|info threads"), "-nx", program, "core") == []


def test_options_and_init_files(folder):
    program = build(folder.work, "sum.c")
    with open(os.path.join(folder.home, ".gdbinit"), "w") as file:
        file.write("set confirm off\ndefine hello\necho hello\\n\nend\nhello\n")
    with open(os.path.join(folder.work, "script"), "w") as file:
        file.write("break add\nrun\nbt\n")
    assert both(folder, lines("hello|show confirm|run|kill"), program) == []
    assert both(folder, lines("info breakpoints|next"), "-nx", "-x", "script", program) == []
    assert both(folder, lines("show args|next|kill|y"), "-nx", "-ex", "break main", "-ex", "run", "--args", program, "1", "2 3") == []
    assert both(folder, ["file " + program, "start", "shell echo hi", "!echo ho", "pwd", "pipe info line | cat"], "-nx") == []


def test_without_a_prompt_nothing_is_different(folder):
    program = build(folder.work, "sum.c")
    for arguments in (["--version"], ["-nx", "-batch", "-ex", "run", program], ["-batch", "-nosuchoption"]):
        plain = driver.Terminal(folder, ["gdb", *arguments])
        fred = driver.Terminal(folder, [driver.FRED, "gdb", *arguments])
        assert Gdb.clean(fred.expect_end()) == Gdb.clean(plain.expect_end())
        assert fred.status == plain.status


def test_the_program_has_the_terminal(folder):
    """It reads what is typed while it runs, and is interrupted by ^C; type-ahead is the next command."""
    program = build(folder.work, "echo.c")
    gdb = Gdb(folder, "-nx", program)
    gdb.send("run")
    gdb.expect("name? ")
    gdb.send("bob")
    gdb.expect("hello bob\r\n")
    gdb.interrupt()
    assert "received signal SIGINT" in gdb.prompt()
    gdb.send("continue")
    gdb.expect("Continuing.")
    gdb.send("joe")
    gdb.expect("hello joe\r\n")
    gdb.type(b"\x04")
    assert "exited with code 03" in gdb.prompt()
    gdb.send("run")
    gdb.expect("name? ")
    gdb.type("print 6*7\n")            # the program reads it ...
    gdb.expect("hello print 6*7\r\n")
    gdb.interrupt()
    gdb.prompt()
    gdb.send("shell sleep 0.2\nprint 6*7")      # ... and gdb what nobody has read
    gdb.expect("= 42\r\n")


def test_interrupts(folder):
    program = build(folder.work, "spin.c")
    gdb = Gdb(folder, "-nx", program)
    for command in ("run", "continue"):
        gdb.send(command)
        gdb.expect("spinning\r\n" if command == "run" else "Continuing.\r\n")
        gdb.interrupt()
        assert "received signal SIGINT, Interrupt." in gdb.prompt()
    gdb.interrupt()                     # at the prompt
    assert gdb.prompt().endswith("Quit\r\n")
    gdb.send("kill")
    gdb.prompt()
    gdb.interrupt()                     # at a question
    assert gdb.prompt().endswith("Quit\r\n")
    gdb.send("python print('busy', flush=True) or [0 for _ in iter(int, 1)]")
    gdb.expect("\r\nbusy\r\n")
    gdb.interrupt()                     # gdb itself is busy
    assert "KeyboardInterrupt" in gdb.prompt()


def test_leaving(folder):
    program = build(folder.work, "sum.c")
    gdb = Gdb(folder, "-nx", program)
    gdb.do_all("break main", "run")
    assert "Quit anyway?" in gdb.do("quit")
    gdb.do("n")
    gdb.type(b"\x04")
    assert "Quit anyway?" in gdb.prompt()
    gdb.send("y")
    gdb.expect_end()
    assert gdb.status == 0
    gdb = Gdb(folder, "-nx", program)
    gdb.send("quit 7")
    gdb.expect_end()
    assert gdb.status == 7


@pytest.mark.parametrize("arguments, word", [(["-p", "1"], "run"), (["--pid=1"], "run"), (["-tui"], "screen"), (["-i=mi"], "command line")])
def test_wrong_usage(folder, arguments, word):
    done = driver.run(folder, [driver.FRED, "gdb", *arguments])
    assert done.status == 2 and word in done.err and done.err.count("\n") == 1


def test_what_is_refused_at_the_prompt_changes_nothing(folder):
    gdb = Gdb(folder, "-nx", build(folder.work, "spin.c"))
    gdb.do("start")
    for command in ("tui enable", "layout src", "attach 1", "continue &", "target remote :1"):
        assert gdb.do(command).startswith("FReD: ")
    assert "main ()" in gdb.do("bt")


def test_a_script_that_turns_the_text_interface_on(folder):
    """From .gdbinit, the command line, or Python: gdb says why not, and draws nothing."""
    program = build(folder.work, "spin.c")
    with open(os.path.join(folder.home, ".gdbinit"), "w") as file:
        file.write("tui enable\n")
    gdb = Gdb(folder, "-ex", "layout src", program, env={"TERM": "xterm"})
    assert gdb.banner.count("FReD: gdb would draw on the whole screen") == 2
    assert "FReD: gdb would draw" in gdb.do("python gdb.execute('tui enable')")
    assert gdb.do("info win") == "The TUI is not active.\n"
    assert gdb.do("print 6 * 7").endswith("= 42\n")
    assert b"\x1b[?1049h" not in gdb.seen


def test_a_script_that_turns_editing_off(folder):
    """From .gdbinit or sourced later: gdb goes on reading what fredapp gives it, and says why."""
    program, script = build(folder.work, "spin.c"), os.path.join(folder.work, "off.gdb")
    with open(script, "w") as file:
        file.write("set editing off\n")
    shutil.copy(script, os.path.join(folder.home, ".gdbinit"))
    gdb = Gdb(folder, program)
    assert gdb.banner.count("FReD: editing stays on") == 1
    for how in ("source " + script, "python gdb.execute('set editing off')"):
        assert gdb.do(how).startswith("FReD: editing stays on")
        assert gdb.do("print 6 * 7").endswith("= 42\n")
    assert "is on." in gdb.do("show editing")


@pytest.mark.parametrize("faults", ["", "no-root-namespaces,no-user-namespaces"])
def test_a_script_that_attaches(folder, faults):
    """The session's own first process is there, or any of the user's."""
    program, script = build(folder.work, "spin.c"), os.path.join(folder.work, "attach.gdb")
    with open(script, "w") as file:
        file.write("attach %d\n" % (os.getpid() if faults else 1))
    gdb = Gdb(folder, "-nx", "-x", script, program, env={"FRED_FAULT": faults or None})
    assert "FReD: only a program that gdb has started itself can be taken back" in gdb.banner
    assert "can be taken back" in gdb.do("source " + script)
    assert "process" not in gdb.do("info inferiors")
    gdb.do("start")
    assert "main ()" in gdb.do("bt")


def test_a_wrapper_script_and_env(folder):
    program = build(folder.work, "sum.c")
    path = os.path.join(folder.work, "gdb-wrapped")
    with open(path, "w") as file:
        file.write('#!/bin/sh\nexport FROM_WRAPPER=1\nexec gdb "$@"\n')
    os.chmod(path, 0o755)
    done = driver.run_batch(folder, ["show environment FROM_WRAPPER", "show environment LD_PRELOAD", "break main", "run",
                                     "print argc"], path, "-q", "-nx", program)
    assert "FROM_WRAPPER = 1" in done.out and "$1 = 1" in done.out
    assert 'Environment variable "LD_PRELOAD" not defined.' in done.out


def test_the_agent_is_not_in_the_program(folder):
    program = build(folder.work, "sum.c")
    gdb = Gdb(folder, "-nx", program)
    gdb.do("start")
    assert "fred" not in gdb.do("info sharedlibrary")
    assert "FRED_AGENT" not in gdb.do("show environment")
    processes = [pid for pid, command in driver.survivors(folder.id) if command == os.path.join(folder.work, "sum")]
    assert processes
    for pid in processes:
        with open("/proc/%d/maps" % pid) as maps:
            assert "agent" not in maps.read()


def test_names_of_gdbs_users(folder):
    gdb = Gdb(folder, "-nx", build(folder.work, "sum.c"), snapshots=True)
    gdb.do_all("break main", "run", "next", "next")
    assert re.match(r"FReD: checkpoint 1 at sum.c:1\d in main", gdb.do("checkpoint"))
    assert " 1   sum.c:1" in gdb.do("info checkpoints")
    line = gdb.do("next")
    gdb.do("undo")
    assert gdb.do("redo").endswith(line)
    assert "checkpoint 1 and 1 command" in gdb.do("when")
    gdb.do("restart 1")
    assert gdb.do("next") == line
    assert gdb.do("delete checkpoint 1") == ""
    gdb.do("fred-set bare-names off")
    assert gdb.do("undo").startswith("Undefined command")


def test_while_gdb_records_the_names_are_its_own(folder):
    gdb = Gdb(folder, "-nx", build(folder.work, "sum.c", "-g", "-static"))
    gdb.do_all("start", "next")
    gdb.do("record full")
    gdb.do("next")
    assert "No more reverse-execution history." in gdb.do("reverse-continue")
    gdb.do("record stop")
    assert gdb.do("reverse-continue").startswith("FReD: ")
