# SPDX-License-Identifier: GPL-3.0-or-later
"""gdb on an unruly program, and the processes of that session as somebody outside sees them."""
import driver
from gdb_pair import Gdb
from gdb_unruly import SOURCES, compile_unruly


def line_of(name, text):
    return driver.line_with(SOURCES[name], text)


def start(folder, name, *commands, flags=("-g",), **how):
    """gdb on one of the unruly programs, with snapshots, after these commands."""
    compile_unruly(folder.work, name, *flags)
    session = Gdb(folder, "-nx", "./" + name, snapshots=True, **how)
    session.do_all(*commands)
    return session


def at_square(folder, **how):
    """In the second call of square()."""
    return start(folder, "sums", "break square", "run", "continue", **how)


def value(session, expression):
    return session.do("output " + expression).strip()


def positions(session):
    return (session.do("where"), value(session, "global"), value(session, "side"), session.do("info breakpoints"),
            session.do("info display"), session.do("frame"))


# Processes of the session, as somebody outside sees them.

def field(pid, name):
    with open("/proc/%d/status" % pid) as file:
        return next(line.split()[1] for line in file if line.startswith(name + ":"))


def processes(folder):
    """{pid: (command, state, tracer)}"""
    found = {}
    for pid, _ in driver.survivors(folder.id):
        try:
            found[pid] = (field(pid, "Name"), field(pid, "State"), int(field(pid, "TracerPid")))
        except (OSError, StopIteration):
            pass
    return found


def gdb_of(folder):
    """The gdb that the user talks to, none of its snapshots; one that has been dropped may still be about to end."""
    def alone():
        found = [pid for pid, (name, state, _) in processes(folder).items() if name == "gdb" and state not in "tTZ"]
        return found if len(found) == 1 else None
    return driver.await_state(alone, "one gdb is no snapshot")[0]


def program_of(folder):
    gdb = gdb_of(folder)
    pid, = (pid for pid, (_, _, tracer) in processes(folder).items() if tracer == gdb)
    return pid
