# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's signal brings a run to a prompt, at any moment; and what is left of the command goes on as if nothing had been.

Random programs are sent it at random moments of commands that move.  What is left of them must end as pdb's own run, under the
clock and without it; and the clock must find the place again from the start.  FRED_SEED replays one seed (not the moments),
FRED_ROUNDS sets how many programs each Python gets."""
import fcntl
import os
import platform
import random
import select
import struct
import subprocess
import termios
import time

import pytest

import driver
from clock_peer import FOREVER, Peer
from clock_program import Program

SIGNAL, REST = 58, "(go on)"
ROUNDS = int(os.environ.get("FRED_ROUNDS", "3"))
TRIALS = 4
SEED = os.environ.get("FRED_SEED")
ONCE_BAD = [379277524]                  # a frame that is in `for` over a generator
chance = random.Random(5 if os.environ.get("CI") else None)     # the same programs for every change that CI judges

MORE = """
for _ in range(%d):
    try:
        f0(3)
    except Exception:
        T[0] += 1
"""


def start(python, path):
    return Peer([python, "-m", "pdb", os.path.basename(path)], cwd=os.path.dirname(path))


def state(peer):
    """Before 3.10 a frame that pdb has ceased to trace shows a stale line once an exception leaves it, as it had not if it ran traced."""
    prompt = peer.prompt
    (path, line, function), *stop = prompt.stop
    if prompt.post_mortem and peer.hello[1][:4] in ("3.8.", "3.9."):
        line = 0
    return path, line, function, stop, prompt.restarted, prompt.post_mortem, prompt.session, peer.value("T[0]"), peer.ask("s")


def run_and_signal(peer, command, delay):
    """True: it stands where the signal has halted it."""
    peer.send("l", command)
    time.sleep(delay)
    os.kill(peer.process.pid, SIGNAL)
    peer.wait()
    return peer.ask("r")[0] == "landed"


def trial(python, path, rnd):
    lines = sum(1 for _ in open(path))
    before = ["b %d, T[0] %% 7 == 3" % rnd.randrange(1, lines)] * rnd.randrange(2) + rnd.choice([["step"] * 30, ["next"] * 5, []])
    command = rnd.choice(["continue", "continue", "next", "until", "return"])
    halted = 0
    peers = [start(python, path) for _ in range(4)]
    try:
        for peer in peers:
            for line in before:
                peer.line(line)
        plain, unclocked, clocked, again = peers
        began = time.monotonic()
        plain.line(command)
        expected, lasted = state(plain), time.monotonic() - began
        text = command
        while run_and_signal(unclocked, text, rnd.random() * lasted):
            assert (unclocked.prompt.tick, unclocked.prompt.end, unclocked.prompt.inside) == (1, 0, 0)
            text, halted = REST, halted + 1
        assert state(unclocked) == expected
        if run_and_signal(clocked, command, rnd.random() * lasted):
            digest = clocked.ask("r")[2]
            assert digest == clocked.ask("d", command)[0]
            place, halted = clocked.prompt.stop, halted + 1
            again.run(command, until=digest)
            assert again.prompt.stop == place and again.ask("d", command) == [digest] and again.prompt.end
            clocked.run(REST)
            again.run(None)
            assert clocked.prompt.tick == len(clocked.ticks) or clocked.prompt.post_mortem
            assert clocked.ticks == again.ticks
            assert state(again) == expected
        assert state(clocked) == expected
        for peer in peers[1:3]:
            assert [line for line in peer.printed().split("\n") if line.startswith("at ")] == \
                [line for line in plain.printed().split("\n") if line.startswith("at ")]
        return halted
    except AssertionError as error:
        raise AssertionError("%r, %r: %s\n%s" % (before, command, error, "\n---\n".join(
            peer.printed()[-300:] for peer in peers))) from error
    finally:
        for peer in peers:
            peer.__exit__()


def test_what_is_left_is_the_same(python, tmp_path):
    path, halted = str(tmp_path / "p.py"), 0
    for seed in [int(SEED)] if SEED else ONCE_BAD + chance.sample(range(1 << 30), ROUNDS):
        rnd = random.Random(seed)
        with open(path, "w") as file:
            head, last = Program(seed).text().rstrip("\n").rsplit("\n", 1)
            file.write(head + MORE % 300 + last + "\n")
        print("FRED_SEED=%d %s" % (seed, path))
        for _ in range(TRIALS):
            halted += trial(python, path, rnd)
    for _ in range(100):            # it is a matter of luck, with programs that are over soon
        halted = halted or trial(python, path, rnd)
    assert halted > 0


CALLS = {0, 7, 23, 35, 202, 230, 232, 257, 270, 281}
# read, poll, select, nanosleep, futex, clock_nanosleep, epoll_wait, openat, pselect6, epoll_pwait: where a program waits
FUTEX = 202


def test_where_a_module_is_imported(python, tmp_path):
    """What pdb leaves in the module at a prompt, and frames outside see, is none of the place."""
    (tmp_path / "p.py").write_text("import m\nend = 1\n")
    (tmp_path / "m.py").write_text("def f():\n    return 1\na = [f() for _ in 'ab']\nb = 2\nc = 3\n")
    with start(python, str(tmp_path / "p.py")) as peer, start(python, str(tmp_path / "p.py")) as again:
        peer.line("tbreak m:4")
        assert peer.line("continue").place[:2] == ("m.py", 4)
        assert peer.line("next").place[:2] == ("m.py", 5)
        again.run("continue", until=peer.ask("d", "continue")[0])
        assert again.prompt.place[:2] == ("m.py", 5) and again.prompt.end


@pytest.fixture
def pdb(python, tmp_path):
    """pdb(text) is a Peer that debugs it; what the program writes to `pipe` is what peer.said() waits for."""
    peers = []

    def begin(text, which=python):
        os.mkfifo(tmp_path / "pipe")
        text = "import os, sys, time\npipe = open('pipe', 'wb', 0)\n" + text
        (tmp_path / "p.py").write_text(text)
        pipe = os.open(tmp_path / "pipe", os.O_RDWR)            # no end of file before the program has opened it
        peer = Peer([which, "-m", "pdb", "p.py"], cwd=str(tmp_path))
        peers.append((peer, pipe))
        peer.said = lambda: os.read(pipe, 100).decode() if select.select([pipe], [], [], driver.DEADLINE)[0] else "nothing"
        peer.line("b %d" % driver.line_with(text, "return value"))
        return peer
    yield begin
    for peer, pipe in peers:
        peer.__exit__()
        os.close(pipe)


REPORT = "def report(value):\n    return value\n"


def waits(pid, thread, calls):
    """And not for the interpreter: that wait has a limit, the fourth argument of a futex."""
    with open("/proc/%d/task/%s/syscall" % (pid, thread)) as file:
        call, *arguments = file.read().split()
    return call in map(str, calls) and (call != str(FUTEX) or arguments[3] == "0x0")


def signal_in_call(peer, threads=1):
    """As soon as all its threads wait in a system call, the main thread last, and no other one for a lock."""
    pid, deadline = peer.process.pid, time.monotonic() + driver.DEADLINE

    def all_wait():
        others = [thread for thread in os.listdir("/proc/%d/task" % pid) if int(thread) != pid]
        return len(others) == threads - 1 and all(waits(pid, thread, CALLS - {FUTEX}) for thread in others) and waits(pid, pid, CALLS)
    while not all_wait():
        assert time.monotonic() < deadline
    os.kill(pid, SIGNAL)
    return peer.wait()


WAITS = {
    "sleep": "began = time.monotonic()\n    time.sleep(0.7)\n    return time.monotonic() - began >= 0.7\n",
    "read": "return os.read(os.open('pipe2', os.O_RDONLY), 9) == b'hello'\n",
    "join": "out, main = [], threading.get_ident()\n    def joined(f):\n        return f and (f.f_code.co_name == 'join' or joined(f.f_back))\n"
            "    def hello():\n        while not joined(sys._current_frames()[main]):\n            pass\n"
            "        out.append(open('pipe2').read())\n"
            "    t = threading.Thread(target=hello)\n    t.start()\n    t.join()\n    return out == ['hello']\n",
    "event loop": "async def main():\n        return await asyncio.wait_for(asyncio.sleep(0.7, 5), 9)\n    return asyncio.run(main()) == 5\n",
}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="where a call waits is told from the registers of x86-64")
@pytest.mark.parametrize("what", WAITS)
@pytest.mark.parametrize("how", ["clock", "line", "user"])
def test_in_a_call_that_waits(pdb, tmp_path, what, how):
    """The prompt comes at once, inside the statement, and the call goes on with what is left."""
    os.mkfifo(tmp_path / "pipe2")
    peer = pdb("import asyncio, threading\n" + REPORT + "def wait():\n    pipe.write(b'waits')\n    " + WAITS[what] + "report(wait())\n")
    peer.send("l", "continue")
    assert peer.said() == "waits"
    signal_in_call(peer, threads=2 if what == "join" else 1)
    assert peer.ask("r")[0] == "landed" and (peer.prompt.tick, peer.prompt.end, peer.prompt.inside) == (0, 0, 1)
    if what in ("sleep", "read"):
        assert peer.prompt.place[2] == "wait"
    peer.send(*{"clock": ("k", 1, REST, FOREVER, 1, "", 0, ""), "line": ("l", REST), "user": ("l", "continue")}[how])
    if what in ("read", "join"):
        with open(tmp_path / "pipe2", "w") as pipe:
            pipe.write("hello")
    peer.wait()
    assert peer.prompt.place[2] == "report" and peer.value("value") == ["1", "True"]
    if how == "clock":
        assert peer.prompt.tick == len(peer.ticks) > 0


LOOPS = REPORT + """def inner(i):
    return i % 7
def long(n):
    total = 0
    for i in range(n):
        total += inner(i)
        if i == 1000:
            pipe.write(b'runs')
    return total
def outer():
    got = long(30000)
    got += 1
    return got
report(outer())
"""


@pytest.mark.parametrize("rest", ["clock", "line"])
def test_over_a_long_call(pdb, rest):
    """`next` over it is not over yet."""
    peer = pdb(LOOPS)
    peer.line("tbreak outer")
    peer.line("continue")
    peer.send("l", "next")
    assert peer.said() == "runs"
    os.kill(peer.process.pid, SIGNAL)
    peer.wait()
    assert peer.ask("r")[0] == "landed" and peer.prompt.place[2] in ("long", "inner")
    if rest == "clock":
        peer.run(REST)
        assert peer.prompt.tick == len(peer.ticks)
    else:
        peer.line(REST)
    assert peer.prompt.place[2] == "outer" and peer.value("got") == ["1", str(sum(i % 7 for i in range(30000)))]
    assert peer.line("continue").place[2] == "report"


def test_commands_of_the_same_line_wait(pdb):
    """They come when the command has come to its own end."""
    peer = pdb(LOOPS)
    peer.line("tbreak outer")
    peer.line("continue")
    peer.send("l", "next ;; x = 5")
    peer.said()
    os.kill(peer.process.pid, SIGNAL)
    assert peer.wait().place[2] in ("long", "inner") and peer.value("x")[0] == "0"
    peer.line(REST)
    assert peer.value("x") == ["1", "5"]


def test_the_user_goes_on(pdb):
    peer = pdb(LOOPS)
    peer.send("l", "continue")
    peer.said()
    os.kill(peer.process.pid, SIGNAL)
    first = peer.wait().stop
    assert peer.line("step").stop != first
    assert peer.line("continue").place[2] == "report"
    assert peer.value("value") == ["1", str(sum(i % 7 for i in range(30000)) + 1)]


def test_it_is_ignored(pdb):
    """Where nothing runs, and where a program has taken from pdb what it needs."""
    peer = pdb(REPORT + "import signal\nstrange = [n for n in range(1, 65) if callable(signal.getsignal(n)) and n != 2]\n"
               "report(strange)\nsys.settrace(None)\nfor i in range(100000):\n    if i == 9: pipe.write(b'runs')\ndone = 1\n")
    for _ in range(9):
        os.kill(peer.process.pid, SIGNAL)
        assert peer.value("1 + 1") == ["1", "2"] and peer.refusals == 0
    peer.line("continue")
    assert peer.value("value") == ["1", "[]"]
    peer.send("l", "continue")
    peer.said()
    os.kill(peer.process.pid, SIGNAL)
    assert peer.wait().restarted and peer.ask("r") == ["end"]
    assert peer.refusals > 0            # nobody is to wait for a prompt


BUSY = REPORT + """import threading
spin = [True]
thread = threading.Thread(target=lambda: all(iter(lambda: bool(spin), False)))
thread.start()
sys.setswitchinterval(0.2)
report(1)
sys.setswitchinterval(0.001)
spin.clear()
thread.join()
report(open('pipe2').read())
"""


def test_while_the_agent_is_at_work(pdb, tmp_path):
    """It has read the command, and a busy thread keeps it from starting it: then the halt waits, but is not lost."""
    os.mkfifo(tmp_path / "pipe2")
    peer = pdb(BUSY)
    peer.line("continue")
    peer.send("l", "continue")
    while struct.unpack("i", fcntl.ioctl(peer.socket, termios.TIOCOUTQ, bytes(4)))[0]:
        pass
    os.kill(peer.process.pid, SIGNAL)
    peer.wait()                         # where it is: when CPython calls a handler while another thread runs is CPython's affair
    assert peer.ask("r")[0] == "landed"
    peer.send("l", REST)
    with open(tmp_path / "pipe2", "w") as pipe:
        pipe.write("2")
    peer.wait()
    assert peer.value("value") == ["1", "'2'"]


def test_after_the_end_of_the_program(pdb):
    """While pdb tells of it there is nothing to halt."""
    peer = pdb(REPORT + "class Err:\n    def write(self, text):\n        os.kill(os.getpid(), %d)\n        return old.write(text)\n"
               "    def flush(self):\n        old.flush()\nold, sys.stderr = sys.stderr, Err()\n[][1]\n" % SIGNAL)
    peer.line("clear 1")
    prompt = peer.line("continue")
    assert prompt.post_mortem and prompt.end and peer.ask("r") == ["end"]
    assert peer.line("continue").restarted


def test_in_a_call_of_numpy(pdb):
    if subprocess.run(["/usr/bin/python3", "-c", "import numpy"], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("/usr/bin/python3 has no numpy")
    peer = pdb(REPORT + "import numpy\ndef sort():\n    values = numpy.arange(2000000)[::-1] * 7919 % 2000003\n    pipe.write(b'sorts')\n"
               "    values.sort()\n    ordered = bool((values[1:] >= values[:-1]).all())\n    return ordered\nreport(sort())\n", "/usr/bin/python3")
    peer.send("l", "continue")
    assert peer.said() == "sorts"
    os.kill(peer.process.pid, SIGNAL)
    assert peer.wait().place[2] == "sort" and peer.ask("r")[0] == "landed" and not peer.prompt.inside
    peer.run(REST)
    assert peer.prompt.place[2] == "report" and peer.value("value") == ["1", "True"]


def test_with_another_thread(pdb):
    peer = pdb("import threading\n" + LOOPS.replace("report(outer())", """
def work():
    while not stop:
        count[0] += 1
stop, count = [], [0]
worker = threading.Thread(target=work)
worker.start()
value = outer()
stop.append(1)
worker.join()
report(value)"""))
    peer.send("l", "continue")
    assert peer.said() == "runs"
    os.kill(peer.process.pid, SIGNAL)
    assert peer.wait().place[2] in ("long", "inner", "outer") and peer.ask("r")[0] == "landed"
    peer.line(REST)
    assert peer.prompt.place[2] == "report" and peer.value("value") == ["1", str(sum(i % 7 for i in range(30000)) + 1)]


def debugged(folder):
    """The process that runs: not a snapshot of it, which is a stopped one."""
    for pid, line in driver.survivors(folder.id):
        with open("/proc/%d/stat" % pid) as file:
            if " -m pdb " in line and "fredapp" not in line and file.read().rsplit(")", 1)[1].split()[0] in "RS":
                return pid
    raise AssertionError("pdb does not run")


def test_whoever_sends_it(folder, fred, python):
    """It stops the user's own run, and that end is found again."""
    path = os.path.join(folder.work, "p.py")
    with open(path, "w") as file:
        file.write("def spin():\n    n = 0\n    while n < 2000000:\n        n += 1\n        if n == 5000:\n            print('ready', flush=True)\n"
                   "    return n\nprint(spin())\n")
    session = fred(path, python=python)
    session.do("fred-set max-snapshots 2")
    session.send("continue")
    session.expect("ready\r\n")
    os.kill(debugged(folder), SIGNAL)
    assert "spin()" in session.prompt()
    n, where = int(session.do("p n")), session.do("where")
    assert n >= 5000
    session.do("fred-reverse-step")
    assert int(session.do("p n")) in (n, n - 1) and session.do("where") != where
    session.do_all("fred-undo", "next", "next", "next", "fred-undo 3")
    assert session.do("where") == where and session.do("p n") == str(n) + "\n"
    assert "2000000\nThe program finished" in session.do("continue")
    session.quit()
