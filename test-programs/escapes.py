"""Writes to the terminal as a full-screen program does, title and alternate screen included."""  # SPDX-License-Identifier: GPL-3.0-or-later
import sys


def put(text):
    sys.stdout.write(text)
    sys.stdout.flush()


put("\x1b[?1049h\x1b[2J\x1b[1;1H")
put("\x1b[31;1mred\x1b[0m\x1b[5;10Hhere\x1b]0;title\x07")
put("\x00\x08\x7f\xe9\u2713")
sys.stdout.buffer.write(b"\xff\xfe raw \x1b[")
sys.stdout.flush()
put("\x1b[?1049l")
done = True
