#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Session figures, as ratios within one run: `make bench`.  Writes bench/RESULTS.md.

Everything is measured on a terminal, as a user sees it: from the line sent to the next prompt.  Medians; the rounds of
what is compared alternate, so that a machine that slows down slows down both."""
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))
os.environ.setdefault("FRED_BIN", os.path.join(BUILD, "fredapp"))
sys.path.insert(0, os.path.join(TOP, "tests", "session"))
import driver       # noqa: E402

PYTHON = sys.executable
STEPS = os.path.join(HERE, "steps.py")
ROUNDS = int(os.environ.get("FRED_BENCH_ROUNDS", "5"))
COMMANDS = 1000
rows = []


def timed(action):
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def row(what, figure, reach="", met=None):
    rows.append("| %s | %s | %s | %s |" % (what, figure, reach, {True: "yes", False: "**no**", None: ""}[met]))
    print("%-72s %-34s %s" % (what, figure, reach), flush=True)


class Bench:
    def __init__(self):
        self.folder = driver.Folder(tempfile.mkdtemp(prefix="fred-bench-"), "bench")

    def session(self, fred, *options, script=STEPS, args=()):
        argv = [PYTHON, "-m", "pdb", script, *args]
        session = driver.Fred(self.folder, *argv) if fred else driver.Debugger(self.folder, argv)
        session.prompt()
        for option in options:
            session.do(option)
        return session

    def close(self):
        self.folder.close()
        driver.await_no_survivors(self.folder.id)
        driver.remove(self.folder.path)


def nexts(session, n=COMMANDS):
    for _ in range(n):
        session.do("next")


def scripted_nexts(bench, snapshots, n):
    """Seconds for a whole `fredapp --batch` run with n `next`."""
    folder = bench.folder
    commands = ["fred-set snapshots %s" % snapshots, "break main", "continue"] + ["next"] * n
    return timed(lambda: driver.run_batch(folder, commands, PYTHON, "-m", "pdb", STEPS))


def thousand_next(bench):
    kinds = {"bare": (False,), "off": (True, "fred-set snapshots off"), "on": (True,)}
    times = {kind: [] for kind in kinds}
    for _ in range(ROUNDS):
        for kind, how in kinds.items():
            session = bench.session(*how)
            session.do_all("break main", "continue")
            times[kind].append(timed(lambda: nexts(session)))
            session.quit()
    bare, off, on = (statistics.median(times[kind]) for kind in kinds)
    each = 1000 / COMMANDS
    scripts = {kind: [] for kind in ("off", "on")}
    for _ in range(ROUNDS):
        for kind in scripts:
            scripts[kind].append(scripted_nexts(bench, kind, COMMANDS) - scripted_nexts(bench, kind, 0))
    script_off, script_on = (statistics.median(scripts[kind]) for kind in scripts)
    row("1,000 `next` through a bare pty", "%.3f ms each" % (bare * each))
    row("the same through fredapp, snapshots off", "%.3f ms each, %.2f times bare" % (off * each, off / bare),
        "1.2 times bare", off / bare <= 1.2)
    row("the same, snapshots on", "%.3f ms each, %.2f ms more" % (on * each, (on - off) * each), "1 ms more",
        (on - off) * each <= 1)
    row("from a script (fredapp --batch), snapshots off", "%.3f ms each, %.2f times bare" %
        (script_off * each, script_off / bare), "1.2 times bare", script_off / bare <= 1.2)
    row("from a script, snapshots on", "%.3f ms each, %.2f ms more" % (script_on * each, (script_on - script_off) * each),
        "1 ms more", (script_on - script_off) * each <= 1)


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
        times["next"].append(timed(lambda: nexts(session, 2000)) * 5)
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


def engine():
    path = os.path.join(BUILD, "bench", "bench_ckpt")
    if not os.access(path, os.X_OK):
        return "bench_ckpt was not built.\n"
    done = subprocess.run([path], capture_output=True, text=True)
    print(done.stdout)
    return done.stdout + done.stderr


def version(argv):
    return subprocess.run(argv, capture_output=True, text=True, cwd=TOP).stdout.strip()


def main():
    bench = Bench()
    try:
        for measure in (thousand_next, undo, watch, library):
            try:
                measure(bench)
            except driver.Failure as failure:
                row(measure.__name__, "failed: " + str(failure).split("\n")[0][:200], "", False)
    finally:
        bench.close()
    engine_text = engine()
    with open("/proc/cpuinfo") as file:
        cpu = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), platform.machine())
    with open(os.path.join(HERE, "RESULTS.md"), "w") as file:
        file.write("# Figures\n\nMade by `make bench`; medians of %d rounds that alternate; ratios are the point, for "
                   "absolute figures move from machine to machine.\n\n" % ROUNDS)
        file.write("Conditions: Linux %s, %d cores, %s, Python %s, commit %s.\n\n" % (
            platform.release(), os.cpu_count(), cpu, platform.python_version(),
            version(["git", "rev-parse", "--short", "HEAD"])))
        file.write("| what | measured | to reach | reached |\n|---|---|---|---|\n" + "\n".join(rows) + "\n\n")
        with open(os.path.join(HERE, "remarks.md")) as remarks:
            file.write(remarks.read())
        file.write("## The engine\n\n```\n%s```\n" % (engine_text if engine_text.endswith("\n") else engine_text + "\n"))


main()
