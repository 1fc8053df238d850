# SPDX-License-Identifier: GPL-3.0-or-later
"""What all measurements share: how they are timed and noted, and the folder they run in.

Everything is measured on a terminal, as a user sees it: from the line sent to the next prompt.  Medians; the rounds of
what is compared alternate, so that a machine that slows down slows down both."""
import os
import statistics
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))
os.environ.setdefault("FRED_BIN", os.path.join(BUILD, "fredapp"))
sys.path.insert(0, os.path.join(TOP, "tests", "session"))
import driver       # noqa: E402

ROUNDS = int(os.environ.get("FRED_BENCH_ROUNDS", "5"))
COMMANDS = 1000
rows = []


def timed(action):
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def median_ms(seconds):
    return statistics.median(seconds) * 1000


def row(what, figure, reach="", met=None):
    rows.append("| %s | %s | %s | %s |" % (what, figure, reach, {True: "yes", False: "**no**", None: ""}[met]))
    print("%-72s %-34s %s" % (what, figure, reach), flush=True)


def repeat(session, command, n=COMMANDS):
    for _ in range(n):
        session.do(command)


class Bench:
    """A folder for the sessions of one debugger."""

    def __init__(self):
        self.folder = driver.Folder(tempfile.mkdtemp(prefix="fred-bench-"), "bench")

    def alternate(self, kinds, measure):
        """{kind: milliseconds of each round} of measure(kind), which returns seconds."""
        times = {kind: [] for kind in kinds}
        for _ in range(ROUNDS):
            for kind in kinds:
                times[kind].append(measure(kind) * 1000)
        return times

    def close(self):
        self.folder.close()
        driver.await_no_survivors(self.folder.id)
        driver.remove(self.folder.path)


def measure(bench, measures):
    try:
        for each in measures:
            try:
                each(bench)
            except driver.Failure as failure:
                row(each.__name__, "failed: " + str(failure).split("\n")[0][:200], "", False)
    finally:
        bench.close()


def thousand_next(times, times_bare, more_ms, bare="bare"):
    """Rows for 1,000 `next`; times: milliseconds of the rounds, by kind: bare, off, on, script off, script on."""
    each = {kind: statistics.median(values) / COMMANDS for kind, values in times.items()}
    row("1,000 `next` through %s on a pty" % bare, "%.3f ms each" % each["bare"])
    for what, kind in (("the same through fredapp, snapshots ", ""),
                       ("from a script (fredapp --batch), snapshots ", "script ")):
        off, on = each[kind + "off"], each[kind + "on"]
        row(what + "off", "%.3f ms each, %.2f times bare" % (off, off / each["bare"]), "%s times bare" % times_bare,
            off / each["bare"] <= times_bare)
        row(what + "on", "%.3f ms each, %.2f ms more" % (on, on - off), "%d ms more" % more_ms if more_ms else "",
            on - off <= more_ms if more_ms else None)
