# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the statement clock in a gdb without fredapp: no snapshots, so every job begins with a fresh gdb."""
import json
import os
import subprocess
import tempfile

import driver
import machine

HERE = os.path.dirname(os.path.abspath(__file__))
FOREVER = 1 << 62
AGENT = os.path.join(os.path.dirname(os.path.abspath(driver.FRED)), "fred-gdb-agent.so")


def run_jobs(program, *jobs, libc_lines=False):
    """A gdb with the program, not yet run; the result of each job, and what gdb printed.

    libc_lines: with the lines of libc, if its debug information is installed."""
    with tempfile.TemporaryDirectory(prefix="fred-clock-") as folder:
        results = os.path.join(folder, "results")
        done = subprocess.run(
            ["gdb", "-q", "-nx", *machine.gdb_options(), "-batch", "-x", os.path.join(HERE, "gdb_clock_inside.py"), program],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, env={
                **os.environ, "LD_PRELOAD": AGENT,
                "FRED_JOBS": json.dumps(jobs), "FRED_RESULTS": results, "HOME": "/nonexistent",
                "FRED_DEBUG_FOLDER": "/usr/lib/debug" if libc_lines else "/nonexistent",
                "FRED_AGENT_FOLDER": os.path.join(driver.TOP, "gdb-adapter", "agent")})
        printed = done.stdout.decode(errors="replace")
        found = []
        if os.path.exists(results):
            with open(results) as file:
                found = json.load(file)
        if len(found) != len(jobs):
            raise AssertionError("gdb did %d of %d jobs:\n%s" % (len(found), len(jobs), printed[-3000:]))
        return found, printed
