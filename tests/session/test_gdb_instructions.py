# SPDX-License-Identifier: GPL-3.0-or-later
"""fred-reverse-stepi and -nexti against stepping forward in gdb alone."""
import re
import shutil
import subprocess

import pytest

import driver
from gdb_pair import Gdb, build

pytestmark = pytest.mark.skipif(not shutil.which("gdb") or not shutil.which("gcc"), reason="no gdb or no gcc here")

ON = 400        # instructions from the first stop in insert()


def compile_list(folder):
    subprocess.run(["gcc", "-g", "-O0", "-o", "list30", driver.program("list30.c")], cwd=folder.work, check=True)


def forward(folder):
    """pc and function after 0, 1, 2, ... instructions, in gdb alone on a terminal of the same size."""
    gdb = Gdb(folder, "./list30", plain=True)
    gdb.do("break insert")
    gdb.do("run")
    gdb.do("set height 0")
    way = gdb.do("python for _ in range(%d): print('\\nAT', hex(gdb.newest_frame().pc()), gdb.newest_frame().name(), "
                 "gdb.execute('stepi', to_string=True)[:0])" % ON)
    gdb.kill()
    return [tuple(line.split()[1:3]) for line in way.splitlines() if line.startswith("AT ")]


def pc(session):
    return re.search(r"0x[0-9a-f]+", session.do("output/x $pc")).group(0)


def at_insert(folder):
    compile_list(folder)
    session = Gdb(folder, "./list30", snapshots=True)
    session.do("break insert")
    session.do("run")
    return session


def test_reverse_stepi(folder):
    session = at_insert(folder)
    way = forward(folder)
    session.do("stepi 150")
    session.do("stepi 50")
    assert pc(session) == way[200][0]
    at = 200
    for back in (1, 1, 2, 9, 40):
        session.do("fred-reverse-stepi %d" % back)
        at -= back
        assert pc(session) == way[at][0]
    session.do("stepi")
    assert pc(session) == way[at + 1][0]
    session.do("fred-undo")
    assert pc(session) == way[at][0]
    session.do("fred-undo")
    assert pc(session) == way[at + 40][0]
    session.do("fred-reverse-stepi %d" % (at + 40))
    assert pc(session) == way[0][0]
    # Beyond the first stop, into the run that led there; it begins in main().
    assert "No more reverse-execution history." in session.do("fred-reverse-stepi 1000")
    assert "main () at" in session.do("frame")
    session.kill()


def test_fred_end_is_the_newest_position(folder):
    """Of the user's commands: a place that a move by instructions found is none."""
    session = at_insert(folder)
    session.do("stepi 5")
    newest = pc(session)
    for move in ("fred-reverse-stepi", "fred-reverse-nexti"):
        session.do(move)
        assert pc(session) != newest
        session.do("fred-end")
        assert pc(session) == newest
    session.kill()


def test_breakpoints_of_now_do_not_stop_it_on_the_way(folder):
    session = at_insert(folder)
    way = forward(folder)
    session.do("stepi 3")
    session.do("break *%s" % way[1][0])
    session.do("fred-reverse-stepi")
    assert pc(session) == way[2][0]
    # Again, by running it anew: the undo goes before it, the redo comes back.
    session.do("fred-undo")
    session.do("fred-redo")
    assert pc(session) == way[2][0]
    session.kill()


def test_reverse_nexti(folder):
    session = at_insert(folder)
    way = forward(folder)
    inside = [function == "insert" for _, function in way]
    call = inside.index(False) - 1                          # the call of malloc()
    session.do("nexti %d" % (call + 3))                     # two instructions after its return
    after = pc(session)
    session.do("fred-reverse-nexti 2")
    returned = pc(session)
    assert returned not in (after, way[call][0])
    session.do("fred-reverse-nexti")
    assert pc(session) == way[call][0]
    session.do("fred-reverse-nexti")
    assert pc(session) == way[call - 1][0]
    session.do("stepi 2")
    assert pc(session) == way[call + 1][0]
    session.do("fred-reverse-nexti")                        # from the callee's first instruction to the call
    assert pc(session) == way[call][0]
    session.kill()


def test_from_a_signal_of_the_programs_own(folder):
    """Forward, stepi stops twice there: after the system call that raises it, and at the signal."""
    raises = ("#include <signal.h>\nvolatile int hits;\nstatic void on(int s) { hits++; }\n"
              "int main(void)\n{\n\tsignal(SIGUSR1, on);\n\traise(SIGUSR1);\n\treturn hits;\n}\n")
    session = Gdb(folder, build(folder.work, "p.c", text=raises), snapshots=True)
    session.do("break main")
    session.do("run")
    assert "SIGUSR1" in session.do("continue")
    stop = pc(session)
    session.do("fred-reverse-stepi")
    assert pc(session) == stop and "after being stepped" in session.do("info program")
    session.do("fred-reverse-stepi")
    assert "syscall" in session.do("x/i $pc")
    session.do("fred-end")
    assert pc(session) == stop
    session.kill()


HEAP = r"""#include <stdlib.h>
int *cell;
int twice(int n)
{
	return n < 2 ? n : 2 * twice(n - 1);
}
int main(void)
{
	cell = malloc(sizeof *cell);
	*cell = 7;
	free(cell);
	int t = twice(5);
	return t != 16;
}
"""


def in_twice(folder):
    """In one command from the start: malloc() asks the kernel for a random number, another in each run, and leaves it in a register."""
    session = Gdb(folder, "-nx", build(folder.work, "heap.c", text=HEAP), snapshots=True)
    session.do_all("break twice if n == 3", "run")
    return session


def test_behind_mallocs_random_number(folder):
    session = in_twice(folder)
    stop = int(pc(session), 16)
    answer = session.do("fred-reverse-stepi")
    assert "not run the same way" not in answer
    assert 0 < stop - int(pc(session), 16) < 16 and "twice (" in session.do("frame")
    session.do("stepi")
    assert int(pc(session), 16) == stop and session.do("output n") == "3"
    session.do("fred-reverse-nexti 9")
    assert "call" not in session.do("x/i $pc") and session.do("output n") == "4"
    session.kill()


def test_finish_behind_mallocs_random_number(folder):
    session = in_twice(folder)
    session.do("display n")
    answer = session.do("fred-reverse-finish")
    assert "cannot be followed" not in answer and "1: n = 4" in answer
    assert re.search(r"call.*<twice>", session.do("x/i $pc"))
    session.kill()


INLINED = r"""int table[16];
static inline __attribute__((always_inline)) int mix(int a, int b)
{
	int c = a * 31;
	c ^= b;
	return c + table[c & 15];
}
__attribute__((noinline)) int work(int n)
{
	int s = n;
	for (int i = 0; i < n; i++) {
		s = mix(s, i);
		table[i & 15] = s;
	}
	return s;
}
int main(void)
{
	return work(5) & 1;
}
"""


def test_an_inlined_function_begins_its_callers_statement(folder):
    """There `step` stops twice, and `stepi` once."""
    program = build(folder.work, "inlined.c", "-g", "-O2", text=INLINED)
    script = "break work\nrun\n" + "output/x $pc\necho \\n\nstepi\n" * 45
    with open(folder.work + "/way", "w") as file:
        file.write(script)
    plain = subprocess.run(["gdb", "-nx", "-q", "-batch", "-x", "way", program], cwd=folder.work, capture_output=True, text=True)
    way = re.findall(r"^(0x[0-9a-f]+)$", plain.stdout, re.M)
    assert len(way) == 45
    session = Gdb(folder, "-nx", program, snapshots=True)
    session.do_all("break work", "run", "stepi 44")
    inlined = 0
    for at in range(43, 13, -1):
        answer = session.do("fred-reverse-stepi")
        assert pc(session) == way[at], answer
        inlined += answer.startswith("mix (")
    assert inlined > 1
    session.kill()
