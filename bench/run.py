#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""All figures, as ratios within one run: `make bench`.  Writes bench/RESULTS.md; with `pdb`, `gdb` or `long` it only prints, and
measures only that."""
import os
import platform
import re
import subprocess
import sys

import figures
import run_gdb
import run_long
import run_pdb
from figures import BUILD, HERE, ROUNDS, TOP, row


def engine(*debugger):
    path = os.path.join(BUILD, "bench", "bench_ckpt")
    if not os.access(path, os.X_OK):
        return "bench_ckpt was not built.\n"
    done = subprocess.run([path, str(2000 * ROUNDS), *debugger], capture_output=True, text=True)
    print(done.stdout)
    return done.stdout + done.stderr


def engine_rows(text):
    """The two of its figures that are to be reached."""
    part = text[text.find("gdb and a program"):]
    for what, label, reach in (("snapshot pause", "snapshot, pause", 3),
                               ("restore, the present kept", "restore after a next, present kept", 5),
                               ("restore, the present killed", "restore after a next, present killed", 5)):
        found = re.search(re.escape(label) + r" +([\d.]+) ms", part)
        if found:
            row("%s, gdb and a program with 4 threads more and 10 MB" % what, found.group(1) + " ms", "%d ms" % reach,
                float(found.group(1)) <= reach)


def version(argv):
    return subprocess.run(argv, capture_output=True, text=True, cwd=TOP).stdout.strip()


def write(engine_text):
    with open("/proc/cpuinfo") as file:
        cpu = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), platform.machine())
    gdb = version(["gdb", "--version"]).split("\n")[0].split(" ")[-1]
    with open(os.path.join(HERE, "RESULTS.md"), "w") as file:
        file.write("# Figures\n\nMade by `make bench`; medians of %d rounds that alternate; ratios are the point, for "
                   "absolute figures move from machine to machine.\n\n" % ROUNDS)
        file.write("Conditions: Linux %s, %d cores, %s, Python %s, gdb %s, commit %s.\n\n" % (
            platform.release(), os.cpu_count(), cpu, platform.python_version(), gdb,
            version(["git", "rev-parse", "--short", "HEAD"])))
        file.write("| what | measured | to reach | reached |\n|---|---|---|---|\n" + "\n".join(figures.rows) + "\n\n")
        with open(os.path.join(HERE, "remarks.md")) as remarks:
            file.write(remarks.read())
        file.write("## The engine\n\n```\n%s\n```\n" % engine_text.rstrip("\n"))


def main():
    only = sys.argv[1:]
    for name, debugger in (("pdb", run_pdb), ("gdb", run_gdb), ("long", run_long)):
        if not only or name in only:
            debugger.run()
    debuggers = [name for name in only if name != "long"]
    text = engine(*debuggers) if debuggers or not only else ""
    engine_rows(text)
    if not only:
        write(text)


main()
