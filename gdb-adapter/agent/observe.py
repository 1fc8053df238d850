# SPDX-License-Identifier: GPL-3.0-or-later
# Looking at an expression at every tick of a trace.  Without assignments and calls it disturbs nothing; what calls something all
# the same, an operator of C++ say, gdb refuses then, and the look is given up: the search evaluates in processes that are
# thrown away instead.

LOOK = 'with may-call-functions off -- output '


class Disturbing(Exception):
    pass


class Observer:
    present = None

    def __init__(self, expression, level, language):
        self.command, self.level, self.language = LOOK + expression, level, language
        self.given_up = self.known = False      # known: the activation is there, and since it was born:
        self.forget()

    def forget(self):
        self.known, self.changes, self.change, self.last = False, 0, 0, None
        self.valued, self.since, self.first = False, 0, 0       # it has had a value, and since then

    def value(self, frame):
        """(does it have one?, text)"""
        newest = gdb.selected_frame()
        frame.select()
        try:
            if self.language:
                quiet('set language ' + self.language)
            return 1, quiet(self.command)
        except gdb.error as problem:
            if 'may-call-functions' in str(problem):
                raise Disturbing
            return 0, ''
        finally:
            if self.language:
                quiet('set language auto')
            newest.select()

    def look(self, frame, depth, kind, tick):
        """A stop, with its newest frame."""
        if self.given_up or (depth < self.level and not self.known):
            return
        if depth < self.level or (depth == self.level and kind == CALL):
            self.forget()                       # another activation, as the stack is rebuilt from a trace
        if depth < self.level:
            return
        for _ in range(depth - self.level):
            frame = frame.older()
        try:
            self.see(self.value(frame), tick)
        except Disturbing:
            self.given_up = True

    def see(self, value, tick):
        if self.known and value != self.last:
            self.changes, self.change = self.changes + 1, tick - 1
            if self.valued:
                self.since, self.first = self.since + 1, self.first if self.since else self.change
        self.known, self.last, self.valued = True, value, self.valued or value[0] == 1


def observe(expression, depth, language=''):
    """The trace that comes next looks at it.  1; or 0 and why not."""
    Observer.present = None
    if known.threads > 1:
        return [0, 'several threads']
    if '$' in expression or classify_expression(expression) != LOOKS:
        return [0, 'it may change something']
    observer = Observer(expression, int(depth), language)
    stack = list(frames())
    try:
        if observer.level <= len(stack):
            observer.see(observer.value(stack[-observer.level]), 0)
    except Disturbing:
        return [0, 'it calls a function']
    Observer.present = observer
    return [1, '']


def observed():
    seen = Observer.present
    if seen is None or seen.given_up or not seen.known:
        return [0, 0, 0, 0, '', 0, 0, 0]
    return [1, seen.changes, seen.change, seen.last[0], short_value(seen.last[1]), int(seen.valued), seen.since, seen.first]


requests.update({'x': observe, 'y': observed})
