# SPDX-License-Identifier: GPL-3.0-or-later
"""What a program does with tracing itself, while the statement clock of the agent in pdb counts: it sees what it would see
without the clock, and a tick is still a stop that `step` would make."""
import os

import pytest

from clock_peer import FOREVER, Peer

OFF_AND_ON = """\
import sys
def inner(n):
    return n + 1
def untraced():
    n = inner(1)
    return n
def quiet():
    old = sys.gettrace()
    sys.settrace(None)
    print(sys.gettrace(), untraced())
    sys.settrace(old)
    return inner(2)
def again():
    value = untraced()
    return value
old = sys.gettrace()
print(old is None, quiet(), again())
print(sys.gettrace() == old, sys.settrace)
"""
OWN = """\
import sys
seen = []
def trace(frame, event, arg):
    seen.append((event, frame.f_code.co_name, frame.f_lineno))
    return trace if frame.f_code.co_name != "twice" else None
def twice(n):
    return n * 2
def work(n):
    n = twice(n)
    return n
def own():
    old = sys.gettrace()
    sys.settrace(trace)
    n = work(3)
    sys.settrace(old)
    return work(n)
print(own(), seen)
print(work(1))
"""
FAILS = """\
import sys
def trace(frame, event, arg):
    if event == "line":
        raise ValueError(event)
    return trace
def work(n):
    n += 1
    return n
def own():
    sys.settrace(trace)
    try:
        work(3)
    except ValueError as error:
        print(error, sys.gettrace())
own()
print(work(1), sys.gettrace())
"""
LIVES = """\
class Thing:
    def __init__(self, name):
        self.name = name
    def __del__(self):
        print("dead", self.name)
def work(thing):
    print("begin")
    thing = Thing("b")
    print("one")
    thing = None
    print("two")
def inner():
    work(Thing("a"))
    print("back")
inner()
print("end")
"""
FRAMES = """\
import sys
def names(frame):
    return sorted(frame.f_locals)
def work():
    frame = sys._getframe()
    kept = frame.f_locals
    first = names(frame)
    second = 2
    print(first, sorted(kept))
    return second
print(work())
"""
# The last line of each is reached in one way or other; the breakpoint has pdb look at all frames of the file.
PROGRAMS = {"off and on": OFF_AND_ON, "own function": OWN, "own function fails": FAILS, "lives": LIVES, "frames": FRAMES}


@pytest.fixture
def pdb(tmp_path, python):
    peers = []

    def start(text):
        if not peers:           # pdb says so when the file has changed
            (tmp_path / "p.py").write_text(text)
        peers.append(Peer([python, "-m", "pdb", "p.py"], cwd=str(tmp_path)))
        return peers[-1]
    yield start
    for peer in peers:
        peer.__exit__()


def output(peer):
    """What the program printed: the rest is pdb's."""
    return [line for line in peer.printed().split("\n") if line and line[0] not in ">-"]


def last_line(text):
    return text.count("\n")


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("breakpoint", (False, True))
def test_the_program_sees_what_it_would_see_without_the_clock(pdb, name, breakpoint):
    text = PROGRAMS[name] + "print('over')\n"
    peers = [pdb(text), pdb(text), pdb(text)]
    for peer in peers:
        if breakpoint:
            peer.line("b %d" % last_line(text))
    plain, clock, halting = peers
    plain.line("continue")
    clock.run("continue")
    halting.run("continue", 3, 0)
    halting.run(None, FOREVER, 0)
    assert clock.prompt.stop == plain.prompt.stop and halting.prompt.stop == plain.prompt.stop
    assert halting.prompt.tick == clock.prompt.tick == len(clock.ticks)
    assert output(clock) == output(plain)
    assert output(halting) == output(plain)


@pytest.mark.parametrize("name", ("off and on", "own function", "own function fails", "frames"))
def test_ticks_are_the_stops_of_step(pdb, name):
    text = PROGRAMS[name] + "print('over')\n"
    stepping, clock = pdb(text), pdb(text)
    stops = []
    while not (stepping.line("step").restarted or stepping.prompt.post_mortem):
        stops.append((stepping.prompt.kind, stepping.prompt.depth))
    clock.run("continue")
    assert clock.ticks == stops


def test_a_thread_that_is_not_counted(pdb):
    """It stops at a breakpoint of its own while another is counted; then both go on as ever."""
    text = """\
import threading
begun, go = threading.Event(), threading.Event()
def work():
    begun.wait()
    breakpoint()
    go.set()
    return 1
thread = threading.Thread(target=work)
thread.start()
def main():
    begun.set()
    go.wait()
    total = 0
    for i in range(5):
        total += i
    return total
print(main())
thread.join()
"""
    peer = pdb(text)
    peer.line("b 16")
    peer.line("tbreak main")
    peer.line("continue")
    assert peer.prompt.place == ("p.py", 11, "main")
    peer.run("continue")
    assert peer.prompt.place[2] == "work"
    peer.line("continue")
    assert peer.prompt.place == ("p.py", 16, "main") and peer.value("total") == ["1", "10"]
    peer.run("next", 1)
    assert peer.prompt.tick == 1 and peer.prompt.stop == (("p.py", 16, "main"), peer.prompt.depth, 2)


def test_nothing_is_kept(pdb):
    """A run under the clock leaves no object more: neither what it counted nor the debugger's."""
    text = """\
import gc, sys
def f(n):
    return n
def main():
    for i in range(20):
        f(i)
    return 0
for turn in range(9):
    main()
    gc.collect(), print("turn")
    here = 1
"""
    peer = pdb(text)
    peer.line("b 11")
    counts = []
    for _ in range(8):
        peer.run("continue", 50)
        peer.run(None, 60)
        peer.run(None)
        assert peer.prompt.end and peer.prompt.place[1] == 11
        counts.append(int(peer.value("len(gc.get_objects())")[1]))
    assert counts[-1] - counts[3] <= 8, counts
