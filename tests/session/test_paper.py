# SPDX-License-Identifier: GPL-3.0-or-later
"""The sessions of the original paper, its linked list, and a bug hunt in a library that Debian ships."""
import os
import re
import subprocess
import sys

import pytest

import driver
from driver import line_of

# In Python 3 `print num` is no statement; the paper's users have this line in their .pdbrc.
PDBRC = "alias print p %1\n"


def history_of(answer):
    """The commands in fred-history's answer."""
    found = re.search(r"\[(.*)\]", answer)
    assert found, "no list in %r" % answer
    return found.group(1).split(", ")


def spelled_out(commands):
    """A run of a move is shown as `next 9731`; pdb knows no such count."""
    for command in commands:
        run = re.fullmatch(r"(step|next) (\d+)", command)
        yield from [run.group(1)] * int(run.group(2)) if run else [command]


def test_autocount(folder, fred):
    with open(os.path.join(folder.home, ".pdbrc"), "w") as file:
        file.write(PDBRC)
    top, bottom = line_of("autocount.py", "num = 0"), line_of("autocount.py", "print(")
    session = fred("autocount.py")
    session.do("break %d" % top)
    assert "(%d)main()" % top in session.do("continue")
    assert re.search(r"FReD: checkpoint \d+ at .*autocount\.py:%d in main" % top, session.do("fred-checkpoint"))
    session.do("break %d" % bottom)
    assert "(%d)main()" % bottom in session.do("continue")
    assert session.do("print num") == "10\n"
    answer = session.do("fred-reverse-watch num < 5")
    assert "FReD: num < 5 was True before, False after this statement:" in answer.replace("true", "True").replace(
        "false", "False")
    assert "autocount.py(%d)main()\n-> num = num + 1\n" % line_of("autocount.py", "num + 1") in answer
    assert re.search(r"FReD: \d+ evaluations?, \d+ snapshots?, [0-9.]+ m?s", answer)
    assert session.do("print num") == "4\n"
    session.do("next")
    assert session.do("print num") == "5\n"
    session.quit()
    assert session.status == 0


def test_a_and_its_history(fred, bare):
    session = fred("a.py")
    assert re.search(r"FReD: checkpoint \d+ at .*a\.py:1 in <module>", session.do("fred-checkpoint"))
    session.do("break 6")
    assert "a.py(6)square()" in session.do("continue")
    assert history_of(session.do("fred-history")) == ["break 6", "continue"]
    assert "a.py(5)square()\n-> result = n * n\n" in session.do("fred-reverse-next")
    commands = list(spelled_out(history_of(session.do("fred-history"))))
    assert commands[0] == "break 6"
    assert set(commands[1:]) == {"next", "step"}
    # Whoever types that list into a bare pdb comes to the same place.
    by_hand = bare("a.py")
    for command in commands:
        place = by_hand.do(command)
    assert "a.py(5)square()\n-> result = n * n\n" in place
    assert by_hand.do("p n") == session.do("p n") == "2\n"


def linked_list(batch, limit, to_the_end):
    """Figure 4: len() costs O(n), so it is called some dozens of times, not at every statement."""
    watch = "fred-reverse-watch linked_list.len() <= %d" % limit
    done = batch(["fred-checkpoint", *to_the_end, "p linked_list.len() - limit", watch, "where", "p value",
                  "p self.len() - self.limit", "next", "p self.len() - self.limit", "quit"], "linked_list.py", str(limit),
                 seconds=120)
    assert done.answer("p linked_list.len() - limit") == "1", done
    guilty = line_of("linked_list.py", "self.tail.next = node")
    assert "linked_list.py(%d)append()\n-> self.tail.next = node" % guilty in done.answer(watch), done
    assert done.answer("p value") == "-%d" % (limit + 7), done
    assert [done.answer("p self.len() - self.limit", i) for i in (0, 1)] == ["0", "1"], done
    # Called by the line with the bug, and by no other.
    late = line_of("linked_list.py", "arrived late")
    assert "linked_list.py(%d)read_sensor()" % late in done.answer("where"), done
    counts = re.search(r"FReD: (\d+) evaluations, \d+ snapshots, ([0-9.]+) s", done.answer(watch))
    assert counts and int(counts.group(1)) < 200, done


def test_linked_list_from_a_breakpoint(batch):
    linked_list(batch, 1000, ["break %d" % line_of("linked_list.py", "assert linked_list.len()"), "continue"])


def test_linked_list_from_its_failure(batch):
    """The whole million: to the failed assertion at full speed, and back from there."""
    linked_list(batch, 1000000, ["continue"])


def hunt(folder, batch, *options):
    """Looks for the seeded bug; returns the batch, and FILE, LINE of the seeded statement."""
    seeded = subprocess.run([sys.executable, driver.program("seed_bug.py"), os.path.join(folder.work, "library")],
                            check=True, capture_output=True, text=True).stdout.strip()
    path, line = seeded.rsplit(":", 1)
    done = batch(["break %d" % line_of("prices.py", "    complain(price)"), "continue", "p price in prices",
                  "p intact(prices)", " ".join(["fred-reverse-watch", *options, "intact(prices)"]), "where", "p pos",
                  "quit"], "prices.py", os.path.join(folder.work, "library"))
    return done, path, int(line)


def library():
    return pytest.importorskip("sortedcontainers", reason="python3-sortedcontainers is not installed")


def test_library_hunt(folder, batch):
    """`--last`: the invariant is broken for a moment in many places; the last time, it stayed broken."""
    library()
    done, path, line = hunt(folder, batch, "--last")
    assert done.answer("p intact(prices)") == "False", done
    answer = done.answer("fred-reverse-watch --last intact(prices)")
    assert "%s(%d)_delete()\n-> _maxes[prev] = _lists[prev][0]" % (path, line) in answer, done
    assert "prices.py(%d)main()" % line_of("prices.py", "prices.remove(price)") in done.answer("where"), done


def test_library_hunt_any(folder, batch):
    """Without --last: some statement that made it false.  The oracle is the definition itself, by sys.settrace."""
    library()
    done, path, line = hunt(folder, batch)
    answer = done.answer("fred-reverse-watch intact(prices)")
    found = re.search(r"> (\S+)\((\d+)\)(\w+)\(", answer)
    assert found, done
    guilty = {(file, number) for file, number in transitions(os.path.dirname(os.path.dirname(path)))}
    assert (found.group(1), int(found.group(2))) in guilty, (done, guilty)
    assert (path, line) in guilty


ORACLE = r"""
import json, sys
sys.argv = ["prices.py", sys.argv[2]]
sys.path[:0] = [sys.path.pop(0), %r]
import prices
main, last, before, found = None, None, None, []
def trace(frame, event, arg):
    global main, last, before
    if frame.f_code.co_name == "main":
        main = main or frame
    if main is None:
        return trace
    sys.settrace(None)
    book = main.f_locals.get("prices")
    now = prices.intact(book) if book is not None else None
    if last is True and now is False:
        found.append(before)
    last, before = now, (frame.f_code.co_filename, frame.f_lineno)
    sys.settrace(trace)
    return trace
sys.settrace(trace)
prices.main()
sys.settrace(None)
print(json.dumps(found))
"""


def transitions(library):
    import json
    done = subprocess.run([sys.executable, "-c", ORACLE % driver.PROGRAMS, "-", library], check=True,
                          capture_output=True, text=True)
    return [tuple(pair) for pair in json.loads(done.stdout.strip().split("\n")[-1])]
