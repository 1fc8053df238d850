# SPDX-License-Identifier: GPL-3.0-or-later
"""What the machine that the tests run on can do."""
import functools
import subprocess
import tempfile

WATCHED = "int x; int main(void) { x = 1; return 0; }"


@functools.lru_cache
def debug_registers_work():
    """As gdb alone finds them."""
    with tempfile.TemporaryDirectory() as where:
        subprocess.run(["gcc", "-g", "-x", "c", "-o", "watched", "-"], input=WATCHED, text=True, cwd=where, check=True)
        done = subprocess.run(["gdb", "-nx", "-q", "-batch", "-ex", "break main", "-ex", "run", "-ex", "watch x", "-ex", "continue",
                               "./watched"], capture_output=True, text=True, cwd=where)
    return "New value = 1" in done.stdout


def gdb_options():
    """For a gdb without fredapp: as fredapp has it."""
    return [] if debug_registers_work() else ["-iex", "set can-use-hw-watchpoints 0"]
