# SPDX-License-Identifier: GPL-3.0-or-later
# The place as gdb prints a stop, to the byte.
#
# No command of gdb's prints the newest frame without its number, as a stop does.  So `frame` is printed to a terminal of
# our own, as gdb colours only what goes to a terminal, and the number is taken off.

import tty


def clock_printed(command):
    """What a command prints on a terminal."""
    gdb.flush()
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    saved = os.dup(1)
    os.dup2(theirs, 1)
    os.close(theirs)
    try:
        gdb.execute(command)
        gdb.flush()
    finally:
        os.dup2(saved, 1)       # the terminal is closed, which is the end of what can be read
        os.close(saved)
    pieces = []
    try:
        while True:
            pieces.append(os.read(ours, 65536))
    except OSError:
        os.close(ours)
    return b''.join(pieces).decode('utf-8', 'surrogateescape')


def clock_show(former):
    """former: the id of the frame that the user was in, str(frame): in the same one gdb shows the line alone."""
    frame = clock_frame()
    if frame is None:
        return
    text = clock_printed('frame')
    if text.startswith('#'):
        text = text.split(None, 1)[1]
    lines = text.splitlines(True)
    if str(frame) == former and len(lines) > 1:
        text = lines[-1]
        address = lines[0].split()[0]
        at = address.find('0x')
        if at == 0 or (at > 0 and address[at - 1] == 'm'):      # behind a colour
            text = address + '\t' + text
    gdb.write(text)
    gdb.execute('display')
    gdb.flush()
