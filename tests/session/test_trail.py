# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots in the middle of a long run under pdb: nobody notices that they are taken, and a way back begins there."""
import os
import re

import pytest

import driver

CHANCE = """import os, sys
how, scale = sys.argv[1], int(sys.argv[2])
seed = int.from_bytes(os.urandom(2), 'big') if how not in ('same', 'reads') else 77
import pdb, signal, subprocess, threading, time     # a point may lie in there
lines = []
def number(x):
    return (x * 1103515245 + 12345) % 65536
def burn(n, x):
    total = 0
    for i in range(n * scale):
        x = number(x)
        total += x & 3
    return total
def done(value):
    kept = value
    return kept
def rung(number, frame):
    os.write(1, b'ready\\n')
    burn(100000000, seed)
def slowly(self, *args, show=pdb.Pdb.message):
    began = time.process_time()
    while sys._getframe(1).f_code.co_name == 'sigint_handler' and time.process_time() - began < 0.2:
        pass
    return show(self, *args)
if how == 'slowly':
    pdb.Pdb.message = slowly
def main():
    few = 20000 if how == 'same' else 60000
    first = burn(few if how == 'same' else 160000, seed)
    if how == 'reads':
        for line in sys.stdin:
            lines.append(line.strip())
            if line == 'end\\n':
                break
            burn(20000, 1)
    if how == 'sleeps':
        began = time.monotonic()
        time.sleep(0.5)
        lines.append(time.monotonic() - began >= 0.5)
    if how == 'prints':
        for i in range(3000):
            print('line', i, flush=True)
            burn(20, i)
    if how in ('long', 'slowly'):
        burn(4000000, seed)         # a point lies in there also where snapshots take long
        os.write(1, b'ready\\n')     # not in print(), into which pdb's handler would print
        burn(100000000, seed)
    if how == 'rings':
        signal.signal(signal.SIGALRM, rung)
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        burn(100000000, seed)
    if how == 'pipe':
        ends = os.pipe()
        burn(40000, seed)
        os.close(ends[1])
        lines.append(os.read(ends[0], 1))
        os.close(ends[0])
    if how == 'child':
        child = subprocess.Popen(['sleep', '1000'])
        burn(40000, seed)
        child.kill()
        child.wait()
    if how == 'threads':
        stop = []
        thread = threading.Thread(target=lambda: [time.sleep(0.001) for _ in iter(lambda: bool(stop), True)])
        thread.start()
        burn(20000, seed)
        stop.append(1)
        thread.join()
    if how == 'busy':
        spin, kept = [True], sys.getswitchinterval()
        thread = threading.Thread(target=lambda: all(iter(lambda: bool(spin), False)))
        thread.start()
        sys.setswitchinterval(0.1)
        done(first)
        sys.setswitchinterval(kept)
        spin.clear()
        thread.join()
        first = 0
        done(first)
    second = burn(few, first)
    done(second)
    print('over', seed)
    if how == 'fails':
        burn(1500000, seed)
        lines[7]
main()
"""


def starter(folder, fred, python=None):
    path = os.path.join(folder.work, "chance.py")
    with open(path, "w") as file:
        file.write(CHANCE)

    def session(how, scale, interval, first=()):
        session = fred(path, how, str(scale), python=python)
        session.do("fred-set snapshot-interval %d" % interval)
        session.do("b %d" % driver.line_with(CHANCE, "kept = value"))
        session.do_all(*first)
        return session

    def begin(how, interval=20, least=0, first=()):
        """At its prompt; or, with so many points at least, where `continue` stopped: .ran is what it printed.  How far the points of a
        run are apart is for FReD to say, by what one costs on this machine."""
        if not least:
            return session(how, 1, interval)
        for scale in 1, 4, 16:
            found = session(how, scale, interval, first)
            found.ran = found.do("continue")
            if points(found) >= least:
                return found
            found.quit()
        raise AssertionError("there are no %d points" % least)
    return begin


@pytest.fixture
def start(folder, fred, python):
    return starter(folder, fred, python)


def line(session):
    return int(re.findall(r"^> .*\((\d+)\)", session.do("where"), re.M)[-1])


def at(text):
    return driver.line_with(CHANCE, text)


def points(session):
    """How many snapshots in the middle of runs there are."""
    found = re.search(r"^in the middle of `continue`.*:((?: [\d.]+)+) s, ", session.do("fred-list --trail"), re.M)
    return len(found.group(1).split()) if found else 0


def place(session):
    """Not the count in the history: it is one from another place."""
    return session.do("where"), [session.do("p " + name) for name in ("seed", "lines", "first", "total", "x", "i", "value")]


WAYS = [["fred-reverse-step"] * 3, ["fred-reverse-step 2000"], ["fred-reverse-next"] * 3, ["fred-reverse-finish"] * 2, ["fred-reverse-step", "fred-reverse-continue"],
        ["fred-reverse-step 3", "fred-reverse-watch x"], ["up", "fred-reverse-watch first"], ["fred-reverse-watch seed"],
        ["fred-reverse-step 4", "fred-reverse-finish", "next", "step", "fred-reverse-next"]]


def test_the_same_as_without(start):
    found = {20: [], 0: []}
    for interval in found:
        session = start("same", interval)
        session.do("continue")
        assert line(session) == at("kept = value")
        assert points(session) >= 1 if interval else points(session) == 0
        session.do("fred-checkpoint")
        for way in WAYS:
            for command in way:
                answer = session.do(command)
                found[interval].append((command, place(session), answer if "watch" not in command else ""))
            session.do("fred-restart 1")
        session.quit()
    for with_trail, without in zip(*found.values()):
        assert with_trail == without


def test_a_run_that_is_never_the_same_again(start):
    session = start("random", least=4)           # one at least between the seed and the call
    seed, value = session.do("p seed"), session.do("p value")
    session.do_all("fred-reverse-step", "fred-reverse-step")
    assert line(session) == at("done(second)") and session.do("p seed, second") == "(%d, %d)\n" % (int(seed), int(value))
    session.do("fred-reverse-step")
    assert line(session) == at("return total")
    session.do("fred-reverse-finish")
    assert line(session) == at("second = burn(few, first)")
    session.do("next")
    assert session.do("p seed, second") == "(%d, %d)\n" % (int(seed), int(value))
    answer = session.do("continue")
    assert line(session) == at("kept = value") and session.do("p seed") == seed and session.do("p value") == value, answer
    assert "over %d\n" % int(seed) in session.do("continue")
    session.quit()


def test_no_trail_no_way_back(start):
    """So it is the trail that makes it."""
    session = start("random", 0)
    session.do("continue")
    assert "other values" in session.do("fred-reverse-step")
    session.quit()


def test_what_the_program_does_is_not_disturbed(start):
    session = start("sleeps")
    session.do("continue")
    assert session.do("p lines") == "[True]\n"
    session.do_all("fred-reverse-step", "fred-reverse-step", "fred-reverse-step")
    assert line(session) == at("return total") and session.do("p lines") == "[True]\n"
    session.quit()


def test_what_it_prints_is_printed_once(start):
    session = start("prints")
    lines = ["line %d" % i for i in range(3000)]
    assert [each for each in session.do("continue").split("\n") if each.startswith("line")] == lines
    for _ in range(3):
        assert "line" not in re.sub(r"line \d+ of", "", session.do("fred-reverse-step"))
    session.quit()


def test_what_is_typed(start):
    session = start("reads")
    session.send("continue")
    for each in "one", "two", "three", "end":
        session.send(each)
    session.prompt()
    assert session.do("p lines") == "['one', 'two', 'three', 'end']\n"
    session.do_all("fred-reverse-step", "fred-reverse-step", "fred-reverse-step", "fred-reverse-finish")
    assert line(session) == at("second = burn(few, first)") and session.do("p lines") == "['one', 'two', 'three', 'end']\n"
    session.do("fred-reverse-next 2")
    assert session.do("p lines") == "['one', 'two', 'three', 'end']\n"
    session.quit()


def test_a_child_would_be_missing(start):
    """A point is taken before it is started, and after it has ended."""
    session = start("child", least=3)
    seed = session.do("p seed")
    session.do_all("fred-reverse-step", "fred-reverse-step", "fred-reverse-step")
    assert line(session) == at("return total") and session.do("p seed") == seed
    session.quit()


def test_the_end_of_a_pipe(start):
    """It comes when the program closes it: no snapshot holds it."""
    session = start("pipe")
    session.do("continue")
    assert session.do("p lines") == "[b'']\n"
    session.quit()


def test_with_a_thread(start):
    session = start("threads", least=3)
    seed = session.do("p seed")
    session.do_all("fred-reverse-step", "fred-reverse-step")
    assert line(session) == at("done(second)") and session.do("p seed") == seed
    session.quit()


def test_while_the_debugger_reads_the_command(start):
    """A busy thread keeps it from that for longer than the interval: what is not read yet would be missing in a snapshot."""
    session = start("busy")
    session.do_all("continue", "continue")
    value = session.do("p value")
    assert value == "0\n"
    answer = session.do("fred-reverse-step") + session.do("fred-reverse-step") + session.do("fred-reverse-next")
    assert line(session) == at("first = 0"), answer
    session.quit()


def test_after_a_failure(start):
    """pdb looks at the dead frames; the way back begins where it failed."""
    session = start("fails", least=2, first=["clear 1"])
    assert "IndexError" in session.ran
    seed = session.do("p seed")
    answers = session.do_all("fred-reverse-step", "fred-reverse-step", "fred-reverse-step")
    assert line(session) == at("return total") and session.do("p seed") == seed, answers
    assert not any("other values" in answer for answer in answers)
    session.quit()
