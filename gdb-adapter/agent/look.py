# SPDX-License-Identifier: GPL-3.0-or-later
# The agent's answers to requests that look: where, values, completion, the place as gdb shows it.

import os
import signal


class Selection:
    """Thread and frame that the user has selected, put back at the end."""

    def __enter__(self):
        self.thread = gdb.selected_thread()
        try:
            self.frame = gdb.selected_frame()
        except gdb.error:
            self.frame = None
        return self

    def __exit__(self, *unused):
        try:
            if self.thread is not None and self.thread.is_valid() and gdb.selected_thread() is not self.thread:
                self.thread.switch()
            if self.frame is not None and self.frame.is_valid():
                self.frame.select()
        except gdb.error:
            pass                # what was evaluated has ended the program


def window():
    try:
        return os.get_terminal_size(0)
    except OSError:
        return None


class Window:
    """Its size does not go back, but gdb's idea of it does; readline makes of one the other."""
    ideas = None
    size = None

    @classmethod
    def heard(cls):
        """If gdb has changed its mind, the size is what it knows of."""
        ideas = gdb.parameter('width'), gdb.parameter('height')
        if ideas != cls.ideas:
            cls.ideas, cls.size = ideas, window()

    @classmethod
    def tell(cls):
        """What the terminal has told a gdb that is gone."""
        if cls.size != window():
            cls.size = window()
            os.kill(os.getpid(), signal.SIGWINCH)


class Unpaged:
    """gdb counts the lines that it has written since the last command, and would ask --Type <RET>-- with nobody to answer."""

    def __enter__(self):
        self.paged = gdb.parameter('pagination')
        quiet('set pagination off')

    def __exit__(self, *unused):
        if self.paged:
            quiet('set pagination on')


INSIDE = 4              # added to the kind of a stop


def frames():
    """All frames, the newest first."""
    frame = clock_frame()
    while frame is not None:
        yield frame
        frame = frame.older()


def depth_of(frame):
    depth = 0
    while frame is not None:
        depth += 1
        frame = frame.older()
    return depth


def where():
    newest = clock_frame()
    if newest is None:
        return [0, 0]
    selected = gdb.selected_frame()
    depth = depth_of(newest)
    fields = [0 if between_statements(newest) else INSIDE, depth_of(selected)]
    for frame, at in ((newest, depth), (newest.older(), depth - 1)):
        place = place_of_frame(frame) if frame is not None else []
        if not place:
            break
        fields += place + [at]
    return fields


def evaluate(expression, depth, language=''):
    stack = list(frames())
    if not 0 < int(depth) <= len(stack):
        return [0, 'no frame at depth %s' % depth]
    with Selection():
        stack[-int(depth)].select()
        try:
            # As print shows it, but it gets no number.
            # A call in it must not let the other threads run: the value would be that of a later time.
            alone = 'with scheduler-locking on -- ' if len(gdb.selected_inferior().threads()) > 1 else ''
            if language:
                quiet('set language ' + language)       # gdb may warn that this is not the frame's
            value = quiet(alone + 'with unwindonsignal on -- output ' + expression)
        except gdb.error as problem:
            return [0, describe(problem)]
        finally:
            if language:
                quiet('set language auto')
        return [1, short_value(value)]


def complete(text, begin, end):
    """The last words of gdb's completions, which are whole lines."""
    raw = text.encode('utf-8', 'surrogateescape')
    line, before = (raw[:int(at)].decode('utf-8', 'surrogateescape') for at in (end, begin))
    words = []
    for found in quiet('complete ' + line).split('\n'):
        if found.startswith(before) and found != before and not found.startswith('*** '):
            words.append(found[len(before):])
    return words[:10000]


def show():
    """As gdb prints a stop, and the displays."""
    with Unpaged():
        if clock_frame() is None:
            gdb.write('The program being debugged is not being run.\n')
            gdb.flush()
        clock_show('')
    Window.tell()
    return []


requests.update({'w': where, 'v': evaluate, 't': complete, 'h': show})
