"""Says how large the terminal is whenever that changes."""  # SPDX-License-Identifier: GPL-3.0-or-later
import os
import signal
import sys

changes = []


def changed(signum, frame):
    changes.append(os.get_terminal_size())
    print("changed to", *changes[-1], flush=True)


signal.signal(signal.SIGWINCH, changed)
print("size", *os.get_terminal_size(), flush=True)
while sys.stdin.readline().strip() != "enough":
    print("size", *os.get_terminal_size(), flush=True)
done = True
