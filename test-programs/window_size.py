"""Says how large the terminal is whenever that changes."""  # SPDX-License-Identifier: GPL-3.0-or-later
import os
import signal
import sys

changes = []


def changed(signum, frame):
    changes.append(os.get_terminal_size())
    # print() could be interrupted by itself.
    os.write(1, b"changed to %d %d\n" % changes[-1])


signal.signal(signal.SIGWINCH, changed)
print("size", *os.get_terminal_size(), flush=True)
while sys.stdin.readline().strip() != "enough":
    print("size", *os.get_terminal_size(), flush=True)
done = True
