# SPDX-License-Identifier: GPL-3.0-or-later
"""The statement clock of the agent in gdb, where random programs do not lead it: signals, threads, system calls, single
instructions, breakpoints of another time, and the place as gdb prints it."""
import os
import pty

import driver
import pytest
from gdb_clock_peer import AGENT, FOREVER, HERE, run_jobs
from random_c_program import compile_text

MAIN = ["tbreak main", "run"]

SIGNALS = r"""
#include <signal.h>
#include <unistd.h>
int T;
static void handler(int n)
{
	T += n;
	T++;
}
static int work(int n)
{
	T++;
	raise(SIGUSR1);
	T += n;
	return T;
}
int main(void)
{
	signal(SIGUSR1, handler);
	work(1); work(1);
	for (int i = 0; i < 3; i++) {
		T++;
		work(i);
	}
	write(1, "x", 1);
	*(volatile int *)0 = T;
	return 0;
}
"""
THREADS = r"""
#include <pthread.h>
int T;
static void *other(void *arg)
{
	T++;
	T += 2;
	return arg;
}
static int work(int n)
{
	T += n;
	return n;
}
int main(void)
{
	pthread_t thread;
	work(1);
	pthread_create(&thread, 0, other, 0);
	pthread_join(thread, 0);
	work(2);
	return 0;
}
"""


@pytest.fixture
def signals(tmp_path):
    return compile_text(SIGNALS, str(tmp_path / "p"))


def line_of(source, text):
    return source.split("\n").index(text) + 1


def both(path, setup, command, unit="step"):
    """gdb's own end of the command, and the clock's run of it: stop, ticks, place."""
    (_, (end, place, state), values), _ = run_jobs(path, ["give", setup], ["plain", command], ["describe", ["T"]])
    if end.startswith("place?"):
        (_, end), _ = run_jobs(path, ["give", setup], ["measure", command, end])
    (_, run, same), _ = run_jobs(path, ["give", setup], ["clock", command, end, FOREVER, True, unit], ["describe", ["T"]])
    assert isinstance(run, list), run
    stop, ticks, reached, left = run
    assert left == state and same == values
    assert reached == place and stop["end"] and not stop["diverged"] and stop["tick"] == len(ticks)
    return end, stop, ticks, place


def test_steps_pass_a_handler(signals):
    _, stop, ticks, _ = both(signals, MAIN + ["handle SIGUSR1 nostop noprint pass", "next"], "next")
    calls = [depth for kind, depth, _ in ticks if kind == 1]
    assert calls == [2, 2] and stop["tick"] > 8 and not stop["inside"]


def test_a_breakpoint_in_a_handler(signals):
    end, stop, ticks, place = both(signals, MAIN + ["handle SIGUSR1 nostop noprint pass", "break handler"], "continue")
    assert end.startswith("break|") and place[1] == "handler" and ticks[-1] == [1, place[2], 0] and place[2] > 3


def test_the_end_is_a_signal(signals):
    end, stop, ticks, place = both(signals, MAIN + ["handle SIGUSR1 nostop noprint pass"], "continue")
    assert end.startswith("signal|") and end.endswith("SIGSEGV") and stop["inside"]
    assert place[0][1] == line_of(SIGNALS, "\t*(volatile int *)0 = T;")


def test_the_end_is_a_signal_of_the_programs_own(signals):
    _, stop, ticks, place = both(signals, MAIN, "next 4")
    assert stop["inside"] and ticks[-1][1] == 2 and place[2] > 2


def test_the_end_is_a_system_call(signals):
    _, stop, ticks, place = both(signals, MAIN + ["handle SIGUSR1 nostop noprint pass", "catch syscall write"], "continue")
    # write() has made no stop: main() is the innermost that has.
    assert place[1] == "write" and stop["inside"] and stop["depth"] == 1 and ticks[-1][1] == 1


CALLS = r"""
int T;
static long ask(long call)
{
	long answer;
	T++;
	__asm__ volatile("syscall" : "=a"(answer) : "0"(call) : "rcx", "r11", "memory");
	T++;
	return answer;
}
static void both(void)
{
	ask(39); ask(110);
	T++;
}
int main(void)
{
	both();
	T += 2;
	both();
	return 0;
}
"""
TO_CALL = MAIN + ["tbreak ask", "continue", "next"]


@pytest.mark.parametrize("setup, command, ticks", [
    (MAIN + ["catch syscall getpid"], "continue", 3),
    (MAIN + ["catch syscall getpid", "continue"], "continue", 0),      # to its return
    (MAIN + ["catch syscall getpid", "continue", "continue"], "continue", 16),
    (MAIN + ["catch syscall getppid"], "next", 9),                     # called in the line
    (TO_CALL + ["catch syscall getpid"], "next", 1),                   # gdb steps this line, and catches nothing
    (TO_CALL + ["catch syscall getpid"], "finish", 0),
    (MAIN + ["catch syscall getpid"], "step 5", 5)])
def test_system_calls_in_lines_that_are_stepped(tmp_path, setup, command, ticks):
    """The kernel tells gdb of no system call that it steps over, so where the program ran on the clock does not step there."""
    _, _, told, _ = both(compile_text(CALLS, str(tmp_path / "p")), setup, command)
    assert len(told) == ticks


EXEC = r"""
#include <unistd.h>
int T;
int main(int argc, char **argv)
{
	if (argc > 1)
		return T;
	T++;
	execl("/proc/self/exe", "p", "again", (char *)0);
	return 1;
}
"""


@pytest.mark.parametrize("setup, how", [(MAIN + ["catch exec"], "break"), (MAIN + ["break 7"], "break"), (MAIN, "exit")])
def test_the_program_executes_another(tmp_path, setup, how):
    """Its libraries are not there yet when it begins, and nothing of the clock's is where they were."""
    end, stop, _, _ = both(compile_text(EXEC, str(tmp_path / "p")), setup, "continue")
    assert end.startswith(how) and not stop["diverged"]


def test_a_signal_is_sent(signals):
    setup = MAIN + ["handle SIGUSR1 nostop noprint pass", "next", "step"]
    _, _, ticks, _ = both(signals, setup + ["break %d" % line_of(SIGNALS, "\tT += n;")], "signal SIGUSR1")
    assert ticks[0][1] > 2              # the handler is entered before anything else happens


def test_a_jump(signals):
    setup = MAIN + ["handle SIGUSR1 nostop noprint pass"]
    last = line_of(SIGNALS, '\twrite(1, "x", 1);')
    _, stop, ticks, _ = both(signals, setup, "jump %d" % last)
    assert [tick[:2] for tick in ticks] == [[0, 1]] and stop["inside"]


def test_single_instructions(signals):
    setup = MAIN + ["handle SIGUSR1 nostop noprint pass", "next", "step"]
    _, stop, ticks, _ = both(signals, setup, "next", "stepi")
    assert stop["tick"] > 2 and not stop["inside"] and {kind for kind, _, _ in ticks} == {0}
    (_, *stops), _ = run_jobs(signals, ["give", setup], *[["give", ["stepi"]] for _ in ticks])
    assert [place[2] for place in stops] == [depth for _, depth, _ in ticks]


PROLOGUE = r"""
int T;
static int one(int n) { T += n; return T; }
int main(void)
{
	T = one(one(1));
	return T;
}
"""


@pytest.mark.parametrize("command, calls", [("finish", 1), ("step", 2), ("step 3", 2), ("next 2", 2), ("stepi", 0), ("stepi 2", 1)])
def test_from_a_prologue(tmp_path, command, calls):
    """`step` goes from there past the first stop of the call, which is in the same line; but there it is."""
    setup = MAIN + ["break *one", "continue", "delete", "stepi"]
    _, stop, ticks, _ = both(compile_text(PROLOGUE, str(tmp_path / "p")), setup, command)
    assert [depth for kind, depth, _ in ticks if kind == 1] == [2] * calls and ticks[:1] == [[1, 2, 0]] * bool(calls)


PIECES = r"""
int T;
static int one(int n) { T += n; return T; }
int main(void)
{
	int n = 1;
	T = one(T) - one(n);
	return T;
}
"""


def test_a_later_piece_of_a_line_is_no_stop_after_a_call(tmp_path):
    """The line table has the line again, where the second argument is made; from the return `step` goes on past that."""
    path, setup = compile_text(PIECES, str(tmp_path / "p")), MAIN + ["next"]
    (_, behind), _ = run_jobs(path, ["give", setup], ["piece_behind"])
    piece = "*%d" % behind
    for before, command in ([], "advance " + piece), (["break " + piece], "continue"):
        _, stop, ticks, place = both(path, setup + before, command)
        assert "*%d" % place[3] == piece and stop["inside"] and ticks == [[1, 2, 0]]


RETURNS = r"""
int T;
static void add(int n)
{
	T += n;
}
int main(void)
{
	for (int i = 0; i < 9; i++) {
		add(i);
		T++;
	}
	return T;
}
"""


@pytest.mark.parametrize("command", ["advance add", "continue"])
def test_a_function_without_a_prologue_begins_at_once(tmp_path, command):
    """Nobody has stepped into it yet, and so has learnt where its first stop is."""
    setup = MAIN + ["break *add"] * (command == "continue")
    _, stop, ticks, place = both(compile_text(RETURNS, str(tmp_path / "p"), "-O1", "-fno-inline"), setup, command)
    assert place[1] == "add" and ticks[-1] == [1, 2, 0] and not stop["inside"]


def test_a_return_to_the_start_of_a_line_is_passed_once(tmp_path):
    """There `next 5` runs into a breakpoint twice, and so into that which counts."""
    _, stop, ticks, _ = both(compile_text(RETURNS, str(tmp_path / "p")), MAIN, "next 5")
    assert len([depth for _, depth, _ in ticks if depth == 1]) == 5


COUNTED = r"""
#include <stdlib.h>
int T;
static int add(int n)
{
	T += n;
	return T;
}
static void none(void)
{
}
int main(void)
{
	for (int i = 0; i < 9; i++) {
		T = add(labs(i)) + 1;
		none();
		T++;
	}
	return T;
}
"""


@pytest.mark.parametrize("where, ignored, command", [
    ("add", 1, "step 20"), ("add", 4, "step 20"), ("add", 3, "continue"), ("add", 2, "next 12"), ("line", 3, "next 14"),
    ("line", 5, "step 30"), ("return", 3, "continue"), ("return", 2, "next 9"), ("return", 4, "step 40")])
def test_breakpoints_that_are_counted_only(tmp_path, where, ignored, command):
    """Behind a prologue, and where a call returned, gdb may count one passing twice: in `step 20` and `next 14`, not in
    `continue`, and not where steps do.  Where an ignore count ran out it does so, there and no other time; both() compares
    the counts, too."""
    path = compile_text(COUNTED, str(tmp_path / "p"), "-O0", "-fno-builtin")
    calls = line_of(COUNTED, "\t\tT = add(labs(i)) + 1;")
    (_, inside), _ = run_jobs(path, ["give", MAIN + ["tbreak %d" % calls, "continue"]], ["instructions"])
    place = {"add": "add", "line": str(calls + 2), "return": "*%d" % inside[4]}[where]     # to which labs() returns
    for kind in "break", "tbreak":
        both(path, MAIN + ["%s %s" % (kind, place), "ignore $bpnum %d" % ignored], command)


@pytest.mark.parametrize("command", ["step 8", "continue", "next 4"])
def test_a_temporary_breakpoint_has_commands(tmp_path, command):
    """It is gone when they have moved the program on."""
    commands = "python gdb.breakpoints()[-1].commands = 'silent\\nnext'"
    end, *_ = both(compile_text(RETURNS, str(tmp_path / "p")), MAIN + ["tbreak add if T > 1", commands], command)
    assert end.startswith("place|")


def test_half_of_it_was_refused(signals):
    """main() has been left, and of what called it gdb knows no lines."""
    last = line_of(SIGNALS, "\treturn 0;")
    end, stop, _, place = both(signals, MAIN + ["tbreak %d" % last, "jump %d" % last], "next 5")
    assert end.startswith("place|") and not place[0] and stop["inside"]


def test_nothing_to_leap_over(signals):
    """gdb refused the command."""
    (_, (end, _, _)), _ = run_jobs(signals, ["give", MAIN], ["plain", "finish"])
    (_, _, (cut, stop, *_)), _ = run_jobs(signals, ["give", MAIN], ["clock", "finish", end, 0], ["leap_to", 256, 0])
    assert end.startswith("none|") and cut and stop["tick"] == 0


def test_the_end_is_in_another_thread(tmp_path):
    path = compile_text(THREADS, str(tmp_path / "p"), "-O0", "-pthread")
    end, stop, ticks, place = both(path, MAIN + ["break other"], "continue")
    assert place[5] == "1.2" and ticks == [[1, place[2], 0]]    # all of that thread: the function that it begins in is called
    both(path, MAIN + ["break other", "continue", "set scheduler-locking on"], "next")
    both(path, MAIN + ["break other", "continue"], "continue")


def test_another_end_is_reported(signals):
    setup = MAIN + ["handle SIGUSR1 nostop noprint pass", "next"]
    (_, (end, _, _)), _ = run_jobs(signals, ["give", setup], ["plain", "next"])
    (_, run), _ = run_jobs(signals, ["give", setup + ["break handler"]], ["clock", "next", end, FOREVER])
    assert run[0]["end"] and run[0]["diverged"] and run[2][1] == "handler"


def test_breakpoints_of_another_time_are_marked(signals):
    setup = MAIN + ["handle SIGUSR1 nostop noprint pass", "next"]
    (_, (end, _, _)), _ = run_jobs(signals, ["give", setup], ["plain", "next"])
    (_, (_, ticks, _, _)), _ = run_jobs(signals, ["give", setup], ["clock", "next", end, FOREVER])
    calls = [at + 1 for at, tick in enumerate(ticks) if tick[0] == 1]
    texts = {"work": ["break work", [None, None, True]], "second": ["tbreak work", ["T > 1", None, True]],
             "never": ["break work", ["0", None, True]], "disabled": ["break work", [None, None, False]],
             "unknown": ["break nowhere", [None, None, True]]}
    expected = {"work": calls, "second": calls[1:]}
    for name, breakpoint in texts.items():
        (_, found), _ = run_jobs(signals, ["give", setup], ["marked", "next", end, [[2, breakpoint]]])
        assert found == [expected.get(name, []), []], name


STRAIGHT = r"""
int T, G[4];
int main(void)
{
	for (int i = 0; i < 9; i++) {
		T += i; G[1] = T; G[2] = G[1] + 3; G[3] = G[2] * G[1] + T;
		G[0] = T;
	}
	return T;
}
"""


@pytest.mark.parametrize("halfway", ["break *%d", "tbreak *%d if G[1] > 4", "break *%d if T > 9", "watch G[2]", "rwatch G[1]"])
def test_a_stride_ends_where_gdb_has_something(tmp_path, halfway):
    """Over instructions without a jump the program runs; but not past a breakpoint, nor unseen by a watchpoint."""
    path = compile_text(STRAIGHT, str(tmp_path / "p"))
    line = line_of(STRAIGHT, "\t\tT += i; G[1] = T; G[2] = G[1] + 3; G[3] = G[2] * G[1] + T;")
    to_line = MAIN + ["tbreak %d" % line, "continue"]
    (_, inside), _ = run_jobs(path, ["give", to_line], ["instructions"])
    (_, (end, _, _)), _ = run_jobs(path, ["give", to_line + ["tbreak %d" % (line + 3)]], ["plain", "continue"])
    (_, made), _ = run_jobs(path, ["give", to_line + ["tbreak %d" % (line + 3)]], ["strides", "continue", end])
    assert made >= 9 * 2
    for at in inside[2:-1:7] if "%d" in halfway else [0]:
        setup = to_line + [halfway.replace("%d", str(at))] + ["ignore $bpnum 3"]
        both(path, setup, "continue")
        both(path, setup + ["delete"], "continue")


def test_nothing_is_seen_of_a_run(signals):
    """Nothing is printed, and gdb is afterwards as it was."""
    look = ["info display", "info breakpoints", "show height", "show width", "show pagination", "show print frame-info",
            "show print frame-arguments", "print $bpnum", "print $_", "info signals SIGUSR1"]
    setup = MAIN + ["handle SIGUSR1 nostop noprint pass", "display T", "display/x T", "undisplay 1", "display T + 1",
                    "disable display 3", "set height 33", "set width 77", "set print frame-arguments all", "break 9999",
                    "python gdb.breakpoints()[0].commands = 'silent\\nprint T\\nif T\\nprint 2\\nend'", "x/1xb &T"]
    setup.insert(0, "set breakpoint pending on")
    (_, (end, _, _)), _ = run_jobs(signals, ["give", setup], ["plain", "next"])
    (_, end), _ = run_jobs(signals, ["give", setup], ["measure", "next", end])
    (_, run, _), printed = run_jobs(signals, ["give", setup + ["echo <A>\\n"] + look + ["echo <B>\\n"]],
                          ["clock", "next", end, FOREVER], ["give", ["echo <C>\\n"] + look + ["echo <D>\\n"]])
    assert run[0]["end"]
    before, between, after = printed.split("<A>")[1].replace("<C>", "<B>").replace("<D>", "<B>").split("<B>")[:3]
    assert between.strip() == ""
    assert [line.split(" = ")[-1] for line in after.split("\n")] == [line.split(" = ")[-1] for line in before.split("\n")]


def test_the_place_is_printed_as_gdb_does(signals, tmp_path):
    """On a terminal, with colours; in a new function with the frame, in the same one without it."""
    script = tmp_path / "script"
    former = "former = str(gdb.newest_frame())"
    steps = "".join('python %s; print("<A>"); gdb.execute("%s"); print("<B>"); clock_show(former); print("<C>")\n'
                    % (former, command) for command in ("step", "step", "stepi", "next", "step", "stepi"))
    script.write_text("source %s\ndisplay T\ntbreak main\nrun\nhandle SIGUSR1 nostop noprint pass\nnext\n%squit\n"
                      % (os.path.join(HERE, "gdb_clock_inside.py"), steps))
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(FRED_AGENT_FOLDER=os.path.join(driver.TOP, "gdb-adapter", "agent"), FRED_JOBS="[]", LD_PRELOAD=AGENT,
                          FRED_RESULTS=str(tmp_path / "results"), FRED_DEBUG_FOLDER="/nonexistent", TERM="xterm")
        os.execvp("gdb", ["gdb", "-q", "-nx", "-x", str(script), signals])
    output = b""
    try:
        while True:
            output += os.read(terminal, 65536)
    except OSError:
        os.close(terminal)
        os.waitpid(pid, 0)
    parts = output.decode().split("<A>")[1:]
    assert len(parts) == 6
    for part in parts:
        printed, shown = part.split("<C>")[0].split("<B>")
        assert printed == shown and "\x1b[" in shown and "1: T = " in shown
