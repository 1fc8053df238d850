"""Says how large the terminal is whenever that changes."""  # SPDX-License-Identifier: GPL-3.0-or-later
import os
import select
import signal

# A handler alone may be late: for a signal that comes just before the read begins Python has no time for it until the
# read is over.
woken, wakes = os.pipe()
os.set_blocking(wakes, False)
signal.set_wakeup_fd(wakes)
signal.signal(signal.SIGWINCH, lambda signum, frame: None)
print("size", *os.get_terminal_size(), flush=True)
line = b""
while line.strip() != b"enough":
    if woken in select.select([0, woken], [], [])[0]:
        os.read(woken, 100)
        print("changed to", *os.get_terminal_size(), flush=True)
        continue
    line = os.read(0, 100)
    print("size", *os.get_terminal_size(), flush=True)
done = True
