# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of sessions with pdb."""
import os
import statistics
import subprocess

import figures
from figures import COMMANDS, HERE, ROUNDS, TOP, driver, repeat, row, timed

PYTHON = driver.PYTHON
STEPS = os.path.join(HERE, "steps.py")


class Bench(figures.Bench):
    def session(self, fred, *options, script=STEPS, args=()):
        argv = [PYTHON, "-m", "pdb", script, *args]
        session = driver.Fred(self.folder, *argv) if fred else driver.Debugger(self.folder, argv)
        session.prompt()
        session.do_all(*options)
        return session


def scripted_nexts(bench, snapshots, n):
    """Seconds for a whole `fredapp --batch` run with n `next`."""
    commands = ["fred-set snapshots %s" % snapshots, "break main", "continue"] + ["next"] * n
    return timed(lambda: driver.run_batch(bench.folder, commands, PYTHON, "-m", "pdb", STEPS))


def thousand_next(bench):
    kinds = {"bare": (False,), "off": (True, "fred-set snapshots off"), "on": (True,)}

    def typed(kind):
        session = bench.session(*kinds[kind])
        session.do_all("break main", "continue")
        seconds = timed(lambda: repeat(session, "next"))
        session.quit()
        return seconds

    def scripted(kind):
        snapshots = kind.split()[1]
        return scripted_nexts(bench, snapshots, COMMANDS) - scripted_nexts(bench, snapshots, 0)
    times = bench.alternate(kinds, typed)
    times.update(bench.alternate(("script off", "script on"), scripted))
    figures.thousand_next(times, 1.2, 1, "bare pdb")


def undo(bench):
    for megabytes, reach in ((0, 5), (100, None), (1000, None)):
        script = os.path.join(TOP, "test-programs", "grows.py")
        session = bench.session(True, script=script, args=[str(megabytes)])
        session.do_all("tbreak 7", "continue", "x = 0")
        times, redos = [], []
        for i in range(max(ROUNDS * 4, 10) if megabytes < 1000 else ROUNDS):
            session.do("x = %d" % i)
            times.append(timed(lambda: session.do("fred-undo")))
            redos.append(timed(lambda: session.do("fred-redo")))
        session.quit()
        row("fred-undo, pdb with %d MB more" % megabytes if megabytes else "fred-undo, pdb alone (10 MB)",
            "%.2f ms (redo %.2f ms)" % (statistics.median(times) * 1000, statistics.median(redos) * 1000),
            "%d ms" % reach if reach else "", statistics.median(times) * 1000 <= reach if reach else None)


SETTRACE = """
import sys, time
sys.argv = [sys.argv[1]]
code = compile(open(sys.argv[0]).read(), sys.argv[0], "exec")
expression, last, changes = compile("total < 3500", "e", "eval"), [None], []
def trace(frame, event, arg):
    if frame.f_code.co_name == "main" and "total" in frame.f_locals:
        value = eval(expression, frame.f_globals, frame.f_locals)
        if value is not last[0]:
            changes.append(frame.f_lineno)
            last[0] = value
    return trace
began = time.perf_counter()
sys.settrace(trace)
exec(code, {})
sys.settrace(None)
print(time.perf_counter() - began)
"""


def watch(bench):
    times = {"watch": [], "ignore": [], "next": [], "settrace": [], "plain": []}
    for _ in range(ROUNDS):
        session = bench.session(True)
        session.do_all("break 8", "continue")
        answer = []
        times["watch"].append(timed(lambda: answer.append(session.do("fred-reverse-watch total < 3500"))))
        assert "-> total += 1" in answer[0], answer[0]
        session.quit()
        # Forward by counted commands: bare pdb passes 10,000 statements with a breakpoint and an ignore count.
        session = bench.session(False)
        session.do_all("break main", "continue", "tbreak 7", "ignore 2 4999")
        times["ignore"].append(timed(lambda: session.do("continue")))
        session.quit()
        # Forward by one command a statement.
        session = bench.session(False)
        session.do_all("break main", "continue")
        times["next"].append(timed(lambda: repeat(session, "next", 2000)) * 5)
        session.quit()
        done = subprocess.run([PYTHON, "-c", SETTRACE, STEPS], capture_output=True, text=True, check=True)
        times["settrace"].append(float(done.stdout))
    median = {kind: statistics.median(values) for kind, values in times.items() if values}
    row("10,000 statements forward in bare pdb, breakpoint with an ignore count", "%.1f ms" % (median["ignore"] * 1000))
    row("10,000 statements forward in bare pdb, a `next` each", "%.1f ms" % (median["next"] * 1000))
    row("fred-reverse-watch, transition among 10,000 statements",
        "%.1f ms, %.2f times counted, %.3f times `next`" % (median["watch"] * 1000, median["watch"] / median["ignore"],
                                                          median["watch"] / median["next"]),
        "3 times counted", median["watch"] / median["ignore"] <= 3)
    row("peer: sys.settrace, the expression at each line (needs to know it beforehand)",
        "%.1f ms, %.2f times counted" % (median["settrace"] * 1000, median["settrace"] / median["ignore"]))


def library(bench):
    """The bug hunt of `make demo`."""
    copy = os.path.join(bench.folder.work, "library")
    if subprocess.run([PYTHON, os.path.join(TOP, "test-programs", "seed_bug.py"), copy], capture_output=True).returncode:
        return
    with open(os.path.join(TOP, "test-programs", "prices.py")) as file:
        line = next(n for n, text in enumerate(file, 1) if "complain(price)" in text and "def" not in text)
    for option in ("", "--last "):
        session = bench.session(True, script=os.path.join(TOP, "test-programs", "prices.py"), args=[copy])
        session.do("break %d" % line)
        forward = timed(lambda: session.do("continue"))
        back = timed(lambda: session.do("fred-reverse-watch %sintact(prices)" % option, 300))
        session.quit()
        row("bug hunt in sortedcontainers, fred-reverse-watch %s" % option,
            "%.2f s; `continue` to the failure took %.2f s" % (back, forward))


def run():
    figures.measure(Bench(), (thousand_next, undo, watch, library))
