# SPDX-License-Identifier: GPL-3.0-or-later
# The place as gdb prints a stop, to the byte.
#
# No command of gdb's prints the newest frame without its number, as a stop does.  So `frame` is printed to a terminal of
# our own, as gdb colours only what goes to a terminal, and the number is taken off.

import tty


class ClockScreen:
    """What gdb writes to a descriptor while it lasts goes to a terminal of ours, and is .text afterwards."""

    def __init__(self, fd):
        self.fd = fd

    def __enter__(self):
        self.ours, theirs = os.openpty()
        tty.setraw(theirs)
        self.saved = os.dup(self.fd)
        os.dup2(theirs, self.fd)
        os.close(theirs)
        return self

    def __exit__(self, *unused):
        gdb.flush(gdb.STDOUT if self.fd == 1 else gdb.STDERR)
        os.dup2(self.saved, self.fd)        # the terminal is closed, which is the end of what can be read
        os.close(self.saved)
        pieces = []
        try:
            while True:
                pieces.append(os.read(self.ours, 65536))
        except OSError:
            os.close(self.ours)
        self.text = b''.join(pieces).decode('utf-8', 'surrogateescape')


def clock_printed(command):
    """What a command prints on a terminal; what it complains of, as that a source is not there."""
    gdb.flush()
    with ClockScreen(1) as output, ClockScreen(2) as errors:
        gdb.execute(command)
    return output.text, errors.text


def clock_show(former):
    """former: the id of the frame that the user was in, str(frame): in the same one gdb shows the line alone."""
    frame = clock_frame()
    if frame is None:
        return
    text, errors = clock_printed('frame')
    if text.startswith('#'):
        text = text.split(None, 1)[1]
    lines = text.splitlines(True)
    if str(frame) == former and errors:
        text = ''
    elif str(frame) == former and len(lines) > 1:
        text = lines[-1]
        address = lines[0].split()[0]
        at = address.find('0x')
        if at == 0 or (at > 0 and address[at - 1] == 'm'):      # behind a colour
            text = address + '\t' + text
    gdb.write(text)
    gdb.flush()
    gdb.write(errors, gdb.STDERR)
    gdb.execute('display')
    gdb.flush()
