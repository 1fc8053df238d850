# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of sessions with gdb, and the same commands under gdb's own `record full`."""
import os
import re
import shutil
import statistics
import subprocess

import figures
from figures import COMMANDS, HERE, ROUNDS, TOP, driver, median_ms, repeat, row, timed
from gdb_pair import Gdb

STEPS = os.path.join(HERE, "steps.c")
LIST = os.path.join(TOP, "test-programs", "list30.c")


def line_of(source, text):
    with open(source) as file:
        return next(number for number, line in enumerate(file, 1) if text in line)


LOOP, CALL, RETURN = (line_of(STEPS, text) for text in ("total += i", "total += work", "return sum"))

PRINTS = line_of(LIST, "printf(")


class Bench(figures.Bench):
    def __init__(self):
        super().__init__()
        for source in (STEPS, LIST):
            name = os.path.splitext(os.path.basename(source))[0]
            subprocess.run(["gcc", "-g", "-O0", "-o", name, source], cwd=self.folder.work, check=True)

    def session(self, fred, *commands, program="./steps", args=(), snapshots=True):
        session = Gdb(self.folder, "-nx", "--args", program, *args, plain=not fred, snapshots=snapshots)
        session.do_all(*commands)
        return session

    def end(self, session):
        """Nothing of it disturbs the next measurement."""
        session.kill()
        driver.await_no_survivors(self.folder.id)


def scripted_nexts(bench, snapshots, n):
    """Seconds for a whole `fredapp --batch` run with n `next`."""
    commands = ["fred-set snapshots %s" % snapshots, "break %d" % LOOP, "run", "delete"] + ["next"] * n
    return timed(lambda: driver.run_batch(bench.folder, commands, "gdb", "-q", "-nx", "./steps"))


def thousand_next(bench):
    def typed(kind):
        session = bench.session(kind != "bare", "break %d" % LOOP, "run", "delete", "y", snapshots=kind == "on")
        seconds = timed(lambda: repeat(session, "next"))
        bench.end(session)
        return seconds

    def scripted(kind):
        snapshots = kind.split()[1]
        return scripted_nexts(bench, snapshots, COMMANDS) - scripted_nexts(bench, snapshots, 0)
    times = bench.alternate(("bare", "off", "on"), typed)
    times.update(bench.alternate(("script off", "script on"), scripted))
    figures.thousand_next(times, 1.1, None, "bare gdb")


def undo(bench):
    session = bench.session(True, "break %d" % LOOP, "run", "next", args=["10"])
    undos, redos = [], []
    for _ in range(max(ROUNDS * 4, 10)):
        session.do("next")
        undos.append(timed(lambda: session.do("fred-undo")))
        redos.append(timed(lambda: session.do("fred-redo")))
    bench.end(session)
    row("fred-undo, gdb and a program with 10 MB", "%.2f ms (redo %.2f ms)" % (median_ms(undos), median_ms(redos)),
        "10 ms", median_ms(undos) <= 10)


# The commands, what is done from the call on before they are given, and what they show when they went where they shall.
OVER = ("next",)
INTO = ("tbreak %d" % RETURN, "continue")
BACK = (
    ("reverse-step", OVER, r"^%d\t" % CALL),
    ("reverse-next", OVER, r"^%d\t" % CALL),
    ("reverse-stepi", OVER, r"^0x\w+ .*^%d\t|^0x\w+\t%d\t" % (CALL, CALL)),
    ("reverse-nexti", OVER, r"^0x\w+ .*^%d\t|^0x\w+\t%d\t" % (CALL, CALL)),
    ("reverse-finish", INTO, r"^0x\w+ in .*^%d\t" % CALL),
    ("reverse-continue", OVER + ("break work",), r"work \(n=500\)"),
)


def back_and_forth(bench, fred, command, forward, wanted):
    """Milliseconds for the way forward, recording where gdb does it, and back; and what went wrong."""
    session = bench.session(fred, "tbreak %d" % CALL, "run", *([] if fred else ["record full"]))
    try:
        there = timed(lambda: session.do_all(*forward)) * 1000
        answer = []
        back = timed(lambda: answer.append(session.do(command, 300))) * 1000
    finally:
        bench.end(session)
    wrong = "" if re.search(wanted, answer[0], re.M | re.S) else "goes elsewhere: " + " ".join(answer[0].split())[:80]
    return there, back, wrong


def plain_next(bench):
    session = bench.session(False, "tbreak %d" % CALL, "run")
    seconds = timed(lambda: session.do("next"))
    bench.end(session)
    return seconds * 1000


def beside_record(bench):
    """Back over a call of 1,000 statements, and the same under gdb's `record full`."""
    plain, rounds = [], {command: {True: [], False: []} for command, _, _ in BACK}
    for _ in range(ROUNDS):
        plain.append(plain_next(bench))
        for command, forward, wanted in BACK:
            for fred, found in rounds[command].items():
                found.append(back_and_forth(bench, fred, command, forward, wanted))
    plain = statistics.median(plain)
    row("gdb: `next` over a call of 1,000 statements", "%.2f ms" % plain)
    for command, forward, _ in BACK:
        ours, records = rounds[command][True], rounds[command][False]
        back = statistics.median(there_back[1] for there_back in ours)
        reach = 10 * plain + 300 if command in ("reverse-step", "reverse-next") else None
        wrong = next((each[2] for each in ours if each[2]), "")
        row("fred-%s %s" % (command, "at the end of the call" if forward is INTO else "after it"),
            "%.0f ms%s" % (back, wrong and "; " + wrong), "10 times that + 300 ms: %.0f ms" % reach if reach else "",
            back <= reach and not wrong if reach else None)
        there, gdbs, whole = (statistics.median(values) for values in (
            [each[0] for each in records], [each[1] for each in records], [each[0] + each[1] for each in records]))
        wrong = next((each[2] for each in records if each[2]), "works")
        row("%s under `record full`" % command, "%s; recording %.0f ms + %.1f ms; fredapp takes %.2f times that" % (
            wrong, there, gdbs, statistics.median(each[0] + each[1] for each in ours) / whole))


def watch(bench):
    """The statement that makes the list longer."""
    forward, back, answers = [], [], []
    for _ in range(ROUNDS):
        session = bench.session(True, "break main", "run", "tbreak %d" % PRINTS, program="./list30")
        forward.append(timed(lambda: session.do("continue")))
        back.append(timed(lambda: answers.append(session.do("fred-reverse-watch list_len(head) < 17", 300))))
        bench.end(session)
        if "tail->next = node;" not in answers[-1]:
            raise driver.Failure("wrong: " + answers[-1])
    row("fred-reverse-watch list_len(head) < 17 at the end of list30", "%.0f ms; `continue` to there took %.1f ms" % (
        median_ms(back), median_ms(forward)))


def record_list(bench):
    """How far gdb's `record full` comes with the same."""
    session = bench.session(False, "break main", "run", "record full", "tbreak %d" % PRINTS, program="./list30")
    took = timed(lambda: session.do("continue", 300))
    session.do("watch list_len(head) < 17")
    row("`record full`: `watch list_len(head) < 17` and `reverse-continue` there", "recording %.0f ms, then: %s" % (
        took * 1000, first_line(session.do("reverse-continue", 300))))
    bench.end(session)
    session = bench.session(False, "break main", "run", "record full", "tbreak %d" % (PRINTS + 1), program="./list30")
    row("`record full`: list30 on over its printf()", first_line(session.do("continue", 300)))
    bench.end(session)


def first_line(answer):
    """What gdb says, without `Continuing.`"""
    return next((line for line in answer.split("\n") if line and line != "Continuing."), "nothing")[:120]


def run():
    if shutil.which("gdb") and shutil.which("gcc"):
        figures.measure(Bench(), (thousand_next, undo, beside_record, watch, record_list))
