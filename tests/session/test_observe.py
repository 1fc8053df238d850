# SPDX-License-Identifier: GPL-3.0-or-later
"""What pdb's agent sees of an expression on the way of a run, against evaluating it at every stop of `step`; and that it looks
only at what runs no code of the program."""
import os
import re

import pytest

from clock_peer import Peer

PROGRAM = '''
class Plain:
    kind = "plain"
    def __init__(self):
        self.n = 0
        self.next = None

class Slotted:
    __slots__ = "n", "empty"

class Trap:
    touched = 0
    def touch(self, *_):
        Trap.touched += 1
        return 7
    n = property(touch)
    __eq__ = __lt__ = __contains__ = __getitem__ = touch
    __hash__ = None
    def __getattr__(self, name):
        return self.touch()
    def __len__(self):
        return self.touch()
    def __repr__(self):
        return str(self.touch())

def inner(obj, depth):
    obj.n += depth
    if depth:
        inner(obj, depth - 1)
    return obj.n

def work(trap):
    total, ratio, text, nothing = 0, 0.0, "", None
    items, table, pair, members = [], {"a": 1}, (0, "x"), set()
    obj, slotted = Plain(), Slotted()
    nan = -0.0
    for i in range(6):
        total += i
        ratio = total / 2
        text += "ab"[i % 2]
        items.append(i)
        if i % 2:
            table["k%d" % i] = i
            slotted.n = i
            nothing = obj
        else:
            table.pop("k1", 0)
            nothing = None
            nan = float("nan") if i == 4 else 0.0
        pair = (i // 2, text[:2])
        members.add(i % 3)
        inner(obj, i % 3)
        obj.next = obj if i > 3 else None
        late = i
        if i == 4:
            del late
    return total

def main():
    work(Trap())
    outer = 5
    return outer

main()
'''
LOOKS = """total; total < 7; ratio; ratio * 2 > 5 and total; text; len(text) > 3; text == 'abab'; nothing; nothing is None; items; len(items)
items[0]; items[-1]; items[5]; items == []; items == [0, 1]; pair == (1, 'ab'); (total, text); {} == table; table; table['a']; table['k3']; 'k1' in table; 'b' in text; len(table) == 2; pair; pair[0]; members
obj.n; obj.n > 4; obj.next; obj.next is None; obj.next.n; obj.kind; obj.no_such; slotted.n; slotted.empty; late; late + 1; no_such
not total; -total; ~total & 3; total if i % 2 else text; 0 < total < 9 < ratio; obj == None; None != nothing; total < text; 1 // total
i in items; i in (1, 2); nan; not items; not obj; obj and total; Trap.touched; os.sep""".replace("\n", "; ").split("; ")
DISTURBS = """trap.n; trap.other; trap == 1; trap < 1; 1 in trap; trap[0]; len(trap); not trap; trap; [trap] ; items.count(1); trap == None
(lambda: 1)(); [x for x in items]; sum(items); f'{trap}'; items[0:2]; total ** total; work; trap and 1; total == trap
str(total)""".replace("\n", "; ").split("; ")


@pytest.fixture
def script(folder):
    path = os.path.join(folder.work, "p.py")
    with open(path, "w") as file:
        file.write("import os\n" + PROGRAM)
    return path


def at_work(python, script):
    """pdb at the first statement of work(), whose frame is at the depth returned."""
    peer = Peer([python, "-m", "pdb", "p.py"], cwd=os.path.dirname(script))
    peer.line("tbreak work")
    peer.line("continue")
    assert peer.prompt.place[2] == "work"
    return peer, peer.prompt.depth


def value_at(peer, expression, depth):
    return tuple(peer.ask("v", expression, depth))


def undefined_alike(value):
    return value if value[0] == "1" else ("0", "")


def stepped(python, script, expressions):
    """The values of the expressions in work()'s frame at every stop up to its return, and how many there are."""
    peer, depth = at_work(python, script)
    with peer:
        values = []
        while True:
            values.append([undefined_alike(value_at(peer, each, depth)) for each in expressions])
            if peer.prompt.depth == depth and peer.prompt.kind == 2:
                return values
            peer.line("step")


def no_address(text):
    return re.sub("0x[0-9a-f]+", "0x", text)


def observed(peer, expression, depth, limit):
    refused = peer.ask("x", expression, depth)
    if refused[0] == "0":
        return None
    peer.run("continue", limit, trace=2)
    whole, *seen = peer.ask("y")
    return seen if whole == "1" else None


def test_a_look_sees_what_an_evaluation_at_every_stop_gives(python, script):
    # A trap's own counter is 0 for ever: it is looked at and not touched.
    values = stepped(python, script, LOOKS)
    for i, expression in enumerate(LOOKS):
        row = [each[i] for each in values]
        changes = [k for k in range(len(row) - 1) if row[k] != row[k + 1]]
        peer, depth = at_work(python, script)
        with peer:
            seen = observed(peer, expression, depth, len(row) - 1)
            assert seen is not None, "%s was given up" % expression
            assert [int(seen[0]), seen[2]] == [len(changes), row[-1][0]], (expression, seen, row)
            assert not changes or int(seen[1]) == changes[-1], (expression, seen, row)
            valued = next((k for k in range(len(row)) if row[k][0] == "1"), len(row))
            since = [k for k in changes if k >= valued]
            assert [int(n) for n in seen[4:6]] == [int(valued < len(row)), len(since)], (expression, seen, row)
            assert not since or int(seen[6]) == since[0], (expression, seen, row)
            assert row[-1][0] == "0" or no_address(seen[3]) == no_address(row[-1][1]), (expression, seen, row)


def test_code_of_the_program_is_not_run_by_a_look(python, script):
    for expression in DISTURBS:
        peer, depth = at_work(python, script)
        with peer:
            assert observed(peer, expression, depth, 40) is None, expression
            assert value_at(peer, "Trap.touched", depth) == ("1", "0"), expression


def test_an_activation_that_begins_in_the_run(python, script):
    with Peer([python, "-m", "pdb", "p.py"], cwd=os.path.dirname(script)) as peer:
        peer.line("next")
        depth = peer.prompt.depth + 2
        peer.line("tbreak inner")
        seen = observed(peer, "total", depth, 1 << 40)
        assert peer.prompt.place[2] == "inner"
        total = [tick for tick in range(len(peer.ticks)) if peer.ticks[tick][1] >= depth]
        assert seen[0] == "1" and seen[2:6] == ["1", "0", "1", "0"], "0 after undefined, once: %r" % seen
        assert total[0] < int(seen[1]) < len(peer.ticks)


def test_reverse_watch_says_that_it_is_the_latest(fred, folder, script):
    session = fred(script)
    session.do_all("break %d" % (1 + PROGRAM[:PROGRAM.index("    return total")].count("\n") + 1), "continue")
    answer = session.do("fred-reverse-watch items[0:1] == [0]")
    assert "may have changed again later" in answer, "a slice is made: no look"
    session.do("fred-undo")
    answer = session.do("fred-reverse-watch total > 7")
    assert "-> total += i" in answer and "may have changed" not in answer
    assert session.do("p total, i") == "(6, 4)\n"
    session.quit()
