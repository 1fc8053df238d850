# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent inside pdb, spoken to directly: what it answers, and that the program cannot tell it is there."""
import os
import signal
import subprocess
import sys
import time

import pytest

import clock_peer
from clock_peer import Peer

LOOKS, DEBUGGER, MOVES, PROGRAM, RESTARTS, QUITS = range(6)


@pytest.fixture
def pdb(python, tmp_path):
    peers = []

    def start(text, *args, argv=None, **how):
        path = tmp_path / "p.py"
        path.write_text(text)
        peers.append(Peer(argv or [python, "-m", "pdb", "p.py", *args], cwd=str(tmp_path), **how))
        return peers[-1]
    yield start
    for peer in peers:
        peer.__exit__()


def until(peer, line):
    """Steps to a line of the program."""
    for _ in range(500):
        if peer.prompt.place[:2] == ("p.py", line) and peer.prompt.kind == 0:
            return
        peer.line("step")
    raise AssertionError("line %d not reached" % line)


CLASSES = [
    ("where", LOOKS), ("l 1,3", LOOKS), ("p x", LOOKS), ("p x.y[0] < 3", LOOKS), ("p len(l)", LOOKS), ("p f(1)", PROGRAM),
    ("pp sorted(l)", LOOKS), ("x", LOOKS), ("x.y", LOOKS), ("x == 3", LOOKS), ("f()", PROGRAM), ("x = 3", PROGRAM),
    ("x += 1", PROGRAM), ("!x", PROGRAM), ("p (x := 3)", PROGRAM), ("p [f for f in l]", LOOKS), ("p id(x)", PROGRAM),
    ("p max", LOOKS), ("import os", PROGRAM), ("del x", PROGRAM), ("break 3", DEBUGGER), ("b", LOOKS), ("break", LOOKS), ("b f", DEBUGGER), ("display", LOOKS), ("up", DEBUGGER),
    ("display x", DEBUGGER), ("step", MOVES), ("s", MOVES), ("until 5", MOVES), ("c", MOVES), ("jump 3", PROGRAM),
    ("interact", PROGRAM), ("run a", RESTARTS), ("q", QUITS), ("EOF", QUITS), ("p 1;;next", MOVES), ("n;;x = 1", PROGRAM),
    ("nn", MOVES), ("pq 4", LOOKS), ("pq f()", PROGRAM), ("???", LOOKS), ("alias a next;;next", DEBUGGER), ("loop", PROGRAM),
    ("nonsense here", PROGRAM), ("p", PROGRAM), ("retval", LOOKS), ("whatis f()", PROGRAM), ("\udcff", PROGRAM),
]


def test_classify(pdb):
    peer = pdb("x = 1\nl = [1]\ndef f(a=1): return a\ndef id(x): return x\nx = 2\n")
    until(peer, 5)
    for line in ("alias nn next", "alias pq p %1", "alias loop loop"):
        peer.line(line)
    for text, expected in CLASSES:
        assert peer.ask("c", text) == [str(expected)], text
    assert peer.ask("c", "") == [str(DEBUGGER)]         # the last was an alias
    peer.line("step")
    assert peer.ask("c", "") == [str(MOVES)]


def test_complete(pdb):
    peer = pdb("number = 1\nnumbers = 2\nclass Klass: thing = 1\nx = Klass()\n")
    until(peer, 4)
    assert peer.ask("t", "und", 0, 3) == ["undisplay"]
    assert sorted(peer.ask("t", "p num", 2, 5)) == ["number", "numbers"]
    assert "x" not in peer.ask("t", "p num", 2, 5)
    assert peer.ask("t", "p Klass.th", 2, 10) == ["Klass.thing"]
    assert peer.ask("t", "  p 'é' + num", 11, 14) in (["number", "numbers"], ["numbers", "number"])


def test_values(pdb):
    peer = pdb("""\
class Bad:
    def __repr__(self): raise SystemExit(3)
def deep(n): return deep(n + 1)
def f(a):
    b = a + 1
    return b
bad, long, snow = Bad(), list(range(3000)), '\\u2603\\0'
f(1)
""")
    until(peer, 6)
    depth = peer.prompt.depth
    assert peer.ask("v", "a, b", depth) == ["1", "(1, 2)"]
    assert peer.ask("v", "a", depth - 1) == ["0", "NameError: name 'a' is not defined"]
    assert peer.ask("v", " snow ", depth - 1) == ["1", "'\u2603\\x00'"]
    assert peer.ask("v", "bad", depth) == ["0", "SystemExit: 3"]
    assert peer.ask("v", "all(a < i for i in (2, 3))", depth) == ["1", "True"]
    kind, text = peer.ask("v", "long", depth)
    assert kind == "1" and len(text) < 600 and "characters" in text
    assert peer.ask("v", "list(range(3001))", depth)[1] != text
    assert peer.ask("v", "deep(0)", depth)[1].startswith("RecursionError")
    assert peer.ask("v", "1 +", depth)[0] == "0"
    assert peer.ask("v", "1", 99) == ["0", "no frame at depth 99"]
    assert peer.ask("v", "breakpoint()", depth) == ["1", "None"]
    assert peer.line("!b = 40").depth == depth
    assert peer.ask("v", "b", depth) == ["1", "40"]
    peer.line("step")
    assert peer.ask("v", "b", peer.prompt.depth) == ["1", "40"]


def test_where_and_selection(pdb):
    peer = pdb("def f():\n    return 1\n\ndef g():\n    return f()\n\ng()\n")
    until(peer, 2)
    depth = peer.prompt.depth
    peer.line("up")
    kind, selected, *places = peer.ask("w")
    assert (kind, int(selected)) == ("0", depth - 1)
    assert [os.path.basename(places[0]), *places[1:4]] == ["p.py", "2", "f", str(depth)]
    assert places[5:] == ["5", "g", str(depth - 1)]


def test_settings_survive(pdb):
    peer = pdb("def f(a):\n    return a\n\nfor i in range(9):\n    f(i)\nx = 3\n")
    for line in ("break 6", "tbreak 5, i > 3", "break f", "ignore 1 1", "clear 1", "commands 3", "silent", "p a", "end",
                 "alias z p 5", "display 1 + 1"):
        peer.line(line)
    saved = peer.ask("s")
    for line in ("clear 2 3", "unalias z", "break 4", "undisplay 1 + 1"):
        peer.line(line)
    assert peer.ask("o", *saved) == []
    assert peer.ask("s") == saved
    peer.line("continue")
    assert peer.prompt.place[1:] == (2, "f") and peer.value("a") == ["1", "0"]
    peer.line("clear 3")
    peer.line("continue")
    assert peer.prompt.place[1] == 5 and peer.value("i") == ["1", "4"]
    assert "Deleted breakpoint 2" in peer.printed()
    peer.line("break 6")
    assert "Breakpoint 4 at" in peer.printed().splitlines()[-1]
    assert peer.ask("o", "nonsense(") is None


def test_breakpoint_in_a_running_caller(pdb, tmp_path):
    """pdb itself would not see it before 3.14."""
    (tmp_path / "other.py").write_text("def g():\n    return 1\n")
    peer = pdb("def f():\n    other.g()\n    return 1\n\nimport other\nf()\n")
    peer.line("break other:2")
    peer.line("continue")
    assert peer.prompt.place == ("other.py", 2, "g")
    peer.line("break %s:3" % (tmp_path / "p.py"))
    saved = peer.ask("s")
    peer.line("clear 2")
    assert peer.ask("o", *saved) == []
    peer.line("continue")
    assert peer.prompt.place == ("p.py", 3, "f")


def test_more_prompts(pdb):
    peer = pdb("x = 1\ny = 2\nz = 3\n")
    peer.line("next")
    peer.line("break 2")
    assert peer.line("commands 1") == "(com) "
    assert peer.ask("c", "whatever") == [str(DEBUGGER)]
    assert peer.line("p 77") == "(com) "
    assert peer.line("end").text == "(Pdb) "
    assert peer.line("clear") == "Clear all breaks? "
    assert peer.line("n").text == "(Pdb) "
    assert peer.line("interact").startswith(">>> ")
    assert peer.line("x + 41").startswith(">>> ")
    assert peer.line("if x:").startswith("... ")
    peer.line("    print('in', 'block')")
    peer.line("")
    peer.send("e")
    assert peer.wait().text == "(Pdb) "
    assert "NameError" not in peer.printed()
    assert "in block" in peer.printed()
    if peer.hello[1].startswith("3.13"):
        assert peer.line("for i in range(2):") == "...   "
        assert peer.line("    print('i', i)") == "...   "
        assert peer.line("").text == "(Pdb) "
        assert "i 1" in peer.printed()


def test_nested_debugger(pdb):
    peer = pdb("def f(a):\n    b = a\n    return b\n\nx = 1\n")
    until(peer, 5)
    outer = peer.prompt.session
    assert peer.line("debug f(3)").text == "((Pdb)) "
    assert peer.prompt.session != outer
    for _ in range(2):
        peer.line("step")
    assert peer.prompt.place == ("p.py", 2, "f")
    assert peer.run("continue").text == "(Pdb) "
    assert peer.prompt.session == outer
    assert "LEAVING" in peer.printed()


def test_restart_and_end(pdb):
    peer = pdb("import sys\nprint(sys.argv[1:])\n", "one")
    assert not peer.prompt.restarted
    peer.line("next")
    peer.line("run two three")
    assert peer.prompt.restarted and peer.prompt.place[1] == 1
    assert not peer.line("next").restarted
    assert peer.line("continue").restarted
    assert "['two', 'three']" in peer.printed()
    end = peer.run("continue")
    assert end.restarted and end.end
    peer.send("l", "quit")
    assert peer.process.wait(60) == 0


def test_end_of_file_and_interrupt(pdb):
    peer = pdb("x = 1\n")
    peer.send("i")
    assert peer.wait().text == "(Pdb) "
    assert "--KeyboardInterrupt--" in peer.printed()
    peer.process.send_signal(signal.SIGINT)
    assert peer.wait().place[1] == 1
    peer.send("e")
    assert peer.process.wait(60) == 0


def test_interrupt_while_running(pdb):
    peer = pdb("import time\nprint('go', flush=True)\nwhile True:\n    time.sleep(0.01)\n")
    peer.send("l", "continue")
    while "go" not in peer.printed():
        time.sleep(0.01)
    peer.process.send_signal(signal.SIGINT)
    assert peer.wait().place[0] == "p.py" and not peer.prompt.restarted
    peer.send("k", 1, "continue", 1 << 60, 0, "", 0, "")
    time.sleep(0.1)
    peer.process.send_signal(signal.SIGINT)
    assert peer.wait().place[0] == "p.py"
    assert peer.prompt.end and peer.prompt.tick > 0


def test_breakpoint_call(pdb, python):
    text = """\
def f(a):
    breakpoint()
    return a

for i in range(3):
    f(i)
print('over')
"""
    peer = pdb(text, argv=[python, "p.py"])
    first = peer.prompt
    assert first.place[0] == "p.py" and first.place[2] == "f"
    assert peer.value("a") == ["1", "0"]
    second = peer.line("continue")
    assert (peer.value("a"), second.stop) == (["1", "1"], first.stop)
    third = peer.run("continue")
    assert (peer.value("a"), third.stop) == (["1", "2"], first.stop)
    assert third.end and third.tick == len(peer.ticks) and third.session != second.session
    peer.send("k", 1, "continue", 1 << 60, 1, "", 0, "")
    peer.process.wait(60)
    assert peer.printed().endswith("over\n")


def test_halt_and_take_over(pdb, python):
    """At a halt the user may go on by hand, and the program runs undisturbed after it."""
    text = "import sys\ndef f(n):\n    s = n\n    return s\n\nx = f(1)\ny = f(2)\nz = sys.gettrace() is None\nprint(z)\n"
    peer = pdb(text, argv=[python, "-c", "import pdb, runpy; pdb.set_trace(); runpy.run_path('p.py')"])
    peer.line("tbreak p.py:6")
    peer.line("continue")
    assert peer.prompt.place[1] == 6
    peer.run("continue", 3)
    assert peer.prompt.tick == 3 and not peer.prompt.end and peer.prompt.place[1] == 4
    peer.line("p n")
    assert peer.prompt.end and peer.prompt.tick == 0
    assert peer.line("return").kind == 2
    assert peer.line("next").place[1] == 7
    peer.send("k", 0, "", 1 << 60, 0, "", 0, "")
    assert peer.receive()[0] == "F"
    peer.send("l", "continue")
    peer.process.wait(60)
    assert peer.printed().endswith("True\n")


def test_breakpoints_in_a_trace(pdb):
    text = "def f(a):\n    b = a\n    return b\n\nfor i in range(4):\n    f(i)\nend = 1\n"
    peer = pdb(text)
    for line in ("b 6, i % 2", "b f", "ignore 2 2", "b 7", "disable 3", "tbreak 3"):
        peer.line(line)
    until(peer, 5)
    saved = peer.ask("s")
    peer.run("until 7", breakpoints=saved[0])
    at = [tick for tick, flag in zip(peer.ticks, peer.breakpoints) if flag]
    assert peer.prompt.place[1] in (2, 3, 6) and at
    assert peer.ask("s") != saved
    peer.line("clear 1 2")
    peer.line("undisplay")
    peer.line("b 2")
    peer.line("disable 5")
    peer.line("return") if peer.prompt.place[2] == "f" else None


LEAVES_NO_TRACE = """\
import os, pdb, sys
assert not any('fred' in name for name in sys.modules), sys.modules
assert not any(name.startswith('FRED_AGENT_FD') for name in os.environ)
assert os.environ.get('LD_PRELOAD') == %r, os.environ.get('LD_PRELOAD')
import cmd, code
class Mine(cmd.Cmd):
    def do_end(self, arg): return True
    def default(self, line): print('mine got', line)
sys.stdin = open(sys.argv[1])
Mine().cmdloop()
print('read', input('(Pdb) '))
pid = os.fork()
if pid == 0:
    print('child', input())
    pdb.set_trace()
    os._exit(7)
print('status', os.waitpid(pid, 0)[1] >> 8)
frame, names = sys._getframe(), []
while frame: names.append(frame.f_code.co_filename); frame = frame.f_back
print('frames', [name for name in names if 'fred>' in name])
print('done')
"""


@pytest.mark.parametrize("preload", [None, "libm.so.6"])
@pytest.mark.parametrize("clock", [False, True])
def test_leaves_no_trace(pdb, python, tmp_path, preload, clock):
    (tmp_path / "input").write_text("hello\nend\nline\nfrom the child\ncontinue\nq\n")
    env = {"LD_PRELOAD": clock_peer.AGENT + ":" + preload} if preload else {}
    peer = pdb(LEAVES_NO_TRACE % preload, "input", env=env)
    if clock:
        peer.send("k", 1, "continue", 1 << 60, 0, "", 0, "")
        prompt = peer.wait()
    else:
        prompt = peer.line("continue")
    printed = peer.printed()
    assert prompt.restarted, printed
    for text in ("mine got hello", "(Pdb) read line", "child from the child", "status 7", "frames []\ndone"):
        assert text in printed, printed


def test_no_frame_of_ours_when_stepping_into_cmd(pdb):
    peer = pdb("import cmd, sys\nclass Mine(cmd.Cmd):\n    use_rawinput = True\nsys.stdin = open('/dev/null')\n"
               "m = Mine()\nm.do_EOF = lambda arg: True\nm.cmdloop()\nx = 1\n")
    until(peer, 7)
    places = []
    while peer.prompt.place[:2] != ("p.py", 8):
        peer.line("step")
        places.append(peer.prompt.place)
    assert ("cmd.py" in [place[0] for place in places]) and "<fred>" not in [place[0] for place in places]


def test_a_pdb_with_its_own_streams_is_left_alone(pdb):
    peer = pdb("import io, pdb\nout = io.StringIO()\np = pdb.Pdb(stdin=io.StringIO('p 6 * 7\\nc\\n'), stdout=out)\n"
               "def f():\n    p.set_trace()\n    return 1\nf()\nprint(out.getvalue())\n")
    peer.line("continue")
    assert peer.prompt.restarted and "42" in peer.printed()


def test_not_python(tmp_path):
    """Shells and env before the real command leave the way in as it is; without Python nothing happens at all."""
    script = tmp_path / "shim"
    (tmp_path / "p.py").write_text("x = 1\n")
    script.write_text("#!/bin/bash\n/bin/true\nexec /usr/bin/env %s -m pdb \"$@\"\n" % sys.executable)
    script.chmod(0o755)
    with Peer([str(script), "p.py"], cwd=str(tmp_path)) as peer:
        assert peer.prompt.place[0] == "p.py"
        peer.send("l", "q")
        assert peer.process.wait(60) == 0
    result = subprocess.run(["/bin/sh", "-c", "echo $LD_PRELOAD"], env={"LD_PRELOAD": clock_peer.AGENT, "FRED_AGENT_FD": "99"},
                            stdout=subprocess.PIPE)
    assert result.stdout.decode().strip() == clock_peer.AGENT


def test_fredapp_is_gone(pdb):
    peer = pdb("print('still runs')\nx = 1\n")
    peer.socket.close()
    peer.process.wait(60)       # end of file at the prompt: pdb quits
    assert "Traceback" not in peer.printed()


def test_threads(pdb, python):
    text = """\
import threading
def work(n):
    x = n
    breakpoint()
    return x
threads = [threading.Thread(target=work, args=(i,)) for i in range(3)]
for t in threads: t.start()
for t in threads: t.join()
print('joined')
"""
    peer = pdb(text, argv=[python, "p.py"])
    seen = {peer.value("n")[1]}
    for _ in range(2):
        peer.line("continue")
        seen.add(peer.value("n")[1])
    peer.send("l", "continue")
    peer.process.wait(60)
    assert seen == {"0", "1", "2"} and peer.printed().endswith("joined\n")


@pytest.mark.skipif(subprocess.call([sys.executable, "-c", "import pytest"], stderr=subprocess.DEVNULL) != 0, reason="no pytest")
@pytest.mark.parametrize("option", ["--pdb", "--trace"])
def test_pytest(tmp_path, option):
    (tmp_path / "test_it.py").write_text("def test_it():\n    x = 41\n    x += 1\n    assert x == 3\n")
    with Peer([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", option, "test_it.py"], cwd=str(tmp_path)) as peer:
        if option == "--trace":
            assert peer.prompt.place == ("test_it.py", 2, "test_it")
            peer.run("next")
            assert peer.prompt.place[1] == 3 and peer.prompt.tick == 1
            peer.run("next")
        assert peer.prompt.place[0] == "test_it.py"
        assert peer.value("x") == ["1", "42"]
        peer.send("l", "q")
        peer.process.wait(60)
