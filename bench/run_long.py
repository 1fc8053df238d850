# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of long runs, of C under gdb and of Python under pdb: what the trail costs while they are under way, and what going back
from their end takes."""
import math
import os
import re
import shutil
import statistics
import subprocess

import figures
import plot
from figures import HERE, ROUNDS, driver, row, timed
from gdb_pair import Gdb

PYTHON = driver.PYTHON
SCRIPT = os.path.join(HERE, "long.py")
C_STATEMENTS, PYTHON_STATEMENTS = 9, 7          # of a round


class Bench(figures.Bench):
    def __init__(self):
        super().__init__()
        for name in "long", "rewrites":
            source = os.path.join(HERE, name + ".c")
            subprocess.run(["gcc", "-g", "-O0", "-o", name, source], cwd=self.folder.work, check=True)

    def gdb(self, fred, program, *args, trail=True):
        session = Gdb(self.folder, "-nx", "--args", "./" + program, *map(str, args), plain=not fred, snapshots=True)
        session.do_all("break end", "break main", "run")
        if fred and not trail:
            session.do("fred-set snapshot-interval 0")
        return session

    def pdb(self, fred, *args, trail=True):
        argv = [PYTHON, "-m", "pdb", SCRIPT, *map(str, args)]
        session = driver.Fred(self.folder, *argv) if fred else driver.Debugger(self.folder, argv)
        session.prompt()
        with open(SCRIPT) as file:
            session.do("break %d" % next(n for n, line in enumerate(file, 1) if "print(" in line))
        if fred and not trail:
            session.do("fred-set snapshot-interval 0")
        return session

    def end(self, session):
        """Nothing of it disturbs the next measurement."""
        session.kill()
        driver.await_no_survivors(self.folder.id)

    def run(self, session):
        return timed(lambda: session.do("continue", 600))


def trail_costs(bench):
    """What the trail adds to `continue`."""
    kinds = (
        ("C, 50 MB", lambda trail: bench.gdb(True, "rewrites", 50, 1500, trail=trail), 5),
        ("Python, 50 MB", lambda trail: bench.pdb(True, 1500000, 50, trail=trail), 5),
        ("C, writing 500 MB again and again", lambda trail: bench.gdb(True, "rewrites", 500, 150, "writes", trail=trail), 25),
    )
    for what, start, reach in kinds:
        times, points = {True: [], False: []}, ""
        for _ in range(ROUNDS):
            for trail in times:
                session = start(trail)
                times[trail].append(bench.run(session))
                if trail:
                    points = session.do("fred-list --trail").strip().split("\n")[-1]
                bench.end(session)
        without, with_ = (statistics.median(times[trail]) for trail in (False, True))
        more = 100 * (with_ - without) / without
        held = re.search(r"([\d.]+) MB$", points)
        row("`continue` with a trail, %s" % what, "%.2f s, %+.1f %%; then %d points, %s MB" % (
            with_, more, len(re.findall(r" \d+\.\d\d(?= )", points)), held.group(1) if held else "0"), "%d %%" % reach, more <= reach)


# What is to be done from the end, what it shows when it went where it shall, and what is to be reached, in seconds.
FROM_END = {
    "C": (("fred-reverse-step", r"end\(\);", lambda ran: 1),
          ("fred-reverse-next 2", r"for \(long i", lambda ran: 1),
          ("fred-reverse-finish", r"end\(\);", lambda ran: 1),
          ("fred-reverse-watch changed", "changed = i;", lambda ran: 2 * ran + 3)),
    "Python": (("fred-reverse-step", r"return total", lambda ran: 0.3),
               ("fred-reverse-next", r"total = work", lambda ran: 0.3),
               ("fred-reverse-finish", r"^-> main\(\)", lambda ran: 0.3),
               ("fred-reverse-watch changed == 0", "changed = i", lambda ran: ran + 0.5),
               ("fred-reverse-watch str(changed) == '0'", "changed = i", lambda ran: ran + 0.5)),
}


def from_end(bench, language, rounds, times, commands=None):
    """Rows, and {command: seconds}, and those of the plain run."""
    start, each = {"C": (lambda fred: bench.gdb(fred, "long", rounds), C_STATEMENTS),
                   "Python": (lambda fred: bench.pdb(fred, rounds, 1), PYTHON_STATEMENTS)}[language]
    session = start(False)
    ran = bench.run(session)
    bench.end(session)
    found = {}
    for command, wanted, reach in FROM_END[language]:
        if commands and command not in commands:
            continue
        took, answer = [], ""
        for _ in range(times):
            session = start(True)
            bench.run(session)
            answers = []
            took.append(timed(lambda: answers.append(session.do(command, 900))))
            bench.end(session)
            answer = answers[0]
            if not re.search(wanted, answer, re.M):
                raise driver.Failure("wrong: " + answer)
        found[command] = statistics.median(took)
        what = "%s from the end of %.0e statements of %s" % (command, each * rounds, language)
        row(what, "%.2f s; the run took %.2f s" % (found[command], ran), "%.1f s" % reach(ran), found[command] <= reach(ran))
        evaluations = re.search(r"FReD: (\d+) evaluations", answer)
        if evaluations:
            most = 2 * math.log2(each * rounds) + 12
            row("... evaluations", evaluations.group(1), "%.0f" % most, int(evaluations.group(1)) <= most)
    return found, ran


def hits(bench):
    """To the last of a thousand times that a breakpoint would have stopped the program."""
    session = bench.gdb(True, "long", 1000)
    bench.run(session)
    session.do("break mix")
    took = timed(lambda: session.do("fred-reverse-continue", 300))
    bench.end(session)
    row("gdb: fred-reverse-continue to the previous of 1,000 breakpoint hits", "%.2f s" % took, "0.5 s", took <= 0.5)
    session = bench.pdb(True, 1000, 1)
    bench.run(session)
    session.do("break mix")
    took = timed(lambda: session.do("fred-reverse-continue", 300))
    bench.end(session)
    row("pdb: fred-reverse-continue to the previous of 1,000 breakpoint hits", "%.2f s" % took, "0.5 s", took <= 0.5)


def grows(bench):
    """How the cost grows with the run."""
    lines = {}
    for language, command, each, sizes in (("C", "fred-reverse-watch changed", C_STATEMENTS, (5, 6, 7, 8, 9)),
                                           ("Python", "fred-reverse-watch str(changed) == '0'", PYTHON_STATEMENTS, (5, 6, 7))):
        points, plain = [], []
        for size in sizes:
            found, ran = from_end(bench, language, 10 ** size // each, 1, [command])
            points.append((10 ** size, found[command]))
            plain.append((10 ** size, ran))
        lines["%s: the run" % language] = plain
        lines["%s: %s" % (language, command)] = points
    plot.write(os.path.join(HERE, "growth.svg"), "statements", "seconds", lines)


def long_runs(bench):
    for rounds, times, commands in ((10 ** 7, ROUNDS, None), (6 * 10 ** 8, ROUNDS, None),
                                    (6 * 10 ** 9, 1, ("fred-reverse-step", "fred-reverse-watch changed"))):
        from_end(bench, "C", rounds, times, commands)
    for rounds, times in ((150000, ROUNDS), (1500000, 1)):
        from_end(bench, "Python", rounds, times)


def run():
    if shutil.which("gdb") and shutil.which("gcc"):
        figures.measure(Bench(), (trail_costs, long_runs, hits, grows))
