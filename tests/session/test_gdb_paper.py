# SPDX-License-Identifier: GPL-3.0-or-later
"""A linked list in C that must not grow beyond 16 nodes: the original paper's session, under gdb."""
import os
import re
import shutil
import subprocess

import pytest

import driver
from driver import line_of
from gdb_pair import Gdb

pytestmark = pytest.mark.skipif(not shutil.which("gdb") or not shutil.which("gcc"), reason="no gdb or no gcc here")


def at_the_end(folder, source):
    name = os.path.splitext(source)[0]
    subprocess.run(["gcc", "-g", "-O0", "-o", name, driver.program(source)], cwd=folder.work, check=True)
    session = Gdb(folder, "./" + name, snapshots=True)
    session.do("break main")
    assert "Breakpoint 1, main" in session.do("run")
    assert re.search(r"FReD: checkpoint \d+ at %s:\d+ in main" % source, session.do("fred-ckpt"))
    session.do("break %d" % line_of(source, "printf("))
    assert "Breakpoint 2, main" in session.do("continue")
    assert length(session) == 30
    return session


def length(session):
    return int(re.search(r"= (\d+)", session.do("print list_len(head)")).group(1))


def place(session):
    """Function and line of the innermost frame."""
    return re.search(r"#0 .*?(\w+) \(.*?\) at \S*:(\d+)", session.do("where").replace("\n", " ")).groups()


def forward(folder, source, name):
    """Function and line of each stop of `step`, from main to its printf, as gdb alone says."""
    script = "\n".join(["break main", "run", "python", "while gdb.selected_inferior().pid:",
                        "  frame = gdb.newest_frame()", "  sal = frame.find_sal()",
                        "  print('AT', frame.name(), sal.line)",
                        "  if (frame.name(), sal.line) == ('main', %d): break" % line_of(source, "printf("),
                        "  gdb.execute('step', to_string=True)", "end"])
    path = os.path.join(folder.work, "forward.gdb")
    with open(path, "w") as file:
        file.write(script)
    done = subprocess.run(["gdb", "-q", "-nx", "-batch", "-x", path, "./" + name], cwd=folder.work, text=True,
                          capture_output=True, check=True)
    return [tuple(line.split()[1:3]) for line in done.stdout.splitlines() if line.startswith("AT ")]


def nth_stop(stops, at, n):
    """Where in the row the n-th stop at that place is."""
    return [i for i, stop in enumerate(stops) if stop == at][n]


def test_the_change_inside_the_function(folder):
    source = "list30.c"
    session = at_the_end(folder, source)
    answer = session.do("fred-reverse-watch list_len(head) < 17")
    assert "FReD: list_len(head) < 17 was 1 before, 0 after this statement:" in answer
    guilty = ("insert", str(line_of(source, "tail->next = node")))
    assert "%s:%s" % (source, guilty[1]) in answer
    assert re.search(r"FReD: \d+ evaluations, \d+ snapshots, [0-9.]+ s", answer)
    assert length(session) == 16
    assert place(session) == guilty
    session.do("next")
    assert length(session) == 17
    stops = forward(folder, source, "list30")
    # The first of the thirty calls makes the list without this statement, the sixteenth execution adds the 17th node.
    here = nth_stop(stops, guilty, 15)
    session.do("fred-reverse-step")
    assert place(session) == guilty
    for back in range(1, 4):
        session.do("fred-reverse-step")
        assert place(session) == stops[here - back]
    session.do("fred-reverse-next 2")
    assert place(session) == ("main", str(line_of(source, "insert(i)")))
    assert "breakpoint     keep y" in session.do("info breakpoints 2")
    session.kill()


def test_the_change_after_the_return(folder):
    source = "list30_tail.c"
    session = at_the_end(folder, source)
    guilty = line_of(source, "tail->next = new_node")
    answer = session.do("fred-reverse-watch list_len(head) < 17")
    assert "FReD: list_len(head) < 17 was 1 before, 0 after this statement:" in answer
    assert re.search(r"in the rest of the statement at \S*%s:%d in main\(\)" % (source, guilty), answer)
    assert length(session) == 16
    assert place(session)[0] == "new_node"
    session.do("finish")
    assert place(session) == ("main", str(guilty))
    assert length(session) == 16
    session.do("next")
    assert length(session) == 17
    # Evaluating with a call counts as a command that may change the program.
    session.do("fred-undo 2")
    assert length(session) == 16
    session.kill()


def test_undo_brings_an_ended_program_back(folder):
    session = at_the_end(folder, "list30.c")
    assert "exited normally" in session.do("continue")
    session.do("fred-undo")
    assert place(session)[0] == "main"
    session.do("fred-redo")
    assert "The program is not being run" in session.do("next")
    session.do("fred-undo 2")
    assert length(session) == 30
    session.kill()
