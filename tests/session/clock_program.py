# SPDX-License-Identifier: GPL-3.0-or-later
"""Random programs for the statement clock: whatever makes pdb's events interesting, in all orders.

They end after some hundred statements, do the same each time, and count in T[0] where they are.  No suspended generator is
left to the garbage: pdb keeps the variables of the last frame shown, so that stepping itself moves the time of its end."""
import random

HEAD = '''\
T = [0]


class Guard:
    def __init__(self, keep):
        self.keep = keep

    def __enter__(self):
        T[0] += 1
        return self

    def __exit__(self, kind, value, traceback):
        T[0] += 1
        return not self.keep

    @property
    def half(self):
        return T[0] // 2

    def __getattr__(self, name):
        if name == "missing":
            raise AttributeError(name)
        return len(name)


class Pause:
    def __await__(self):
        yield 1
        T[0] += 1


def drive(coroutine):
    while True:
        try:
            coroutine.send(None)
        except StopIteration as end:
            return end.value


def end(generator):
    for _ in range(9):
        try:
            return generator.close()
        except RuntimeError:
            T[0] += 1


def closed(generator):
    next(generator)
    end(generator)
    return 1


def thrown(generator):
    next(generator)
    try:
        generator.throw(KeyError(1))
    except (KeyError, StopIteration):
        T[0] += 1
    finally:
        end(generator)
    return 2
'''


class Program:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.out = HEAD.splitlines()
        self.functions = self.random.randrange(2, 5)
        self.name = 0
        for i in range(self.functions):
            self.function("def f%d(n):" % i, "plain")
            self.function("def g%d(n):" % i, "generator")
            self.function("async def c%d(n):" % i, "coroutine")
        self.out += ["", ""]
        self.block(0, 3, "module")
        last = self.random.random()
        if last < 0.1:
            self.put(0, "raise SystemExit(3)")
        elif last < 0.25:
            self.put(0, "[][T[0]]")
        else:
            self.put(0, "print(T[0])")

    def put(self, indent, text):
        self.out.append("    " * indent + text)

    def pick(self, *options):
        return self.random.choice(options)

    def function(self, head, kind):
        self.out += ["", ""]
        self.put(0, head)
        self.put(1, "T[0] += 1")
        self.put(1, "if n <= 0:")
        if kind == "generator":
            self.put(2, "yield 1")
        self.put(2, "return 1")
        self.block(1, 2, kind)
        if kind == "generator":
            self.put(1, "yield n")
        self.put(1, "return T[0] % 3")

    def call(self, kind):
        n = "2" if kind == "module" else "n - 1"
        i = self.random.randrange(self.functions)
        plain = ["f%d(%s)" % (i, n)] * 3 + [
            "sum(g%d(%s))" % (i, n), "drive(c%d(%s))" % (i, n), "closed(g%d(%s))" % (i, n), "thrown(g%d(%s))" % (i, n),
            "len(list(g%d(0)))" % i, "sorted([2, 1], key=lambda v: f%d(0) - v)[0]" % i, "len([f%d(0) for _ in (1, 2)])" % i,
            "sum(f%d(0) for _ in (1, 2))" % i, "Guard(1).half", "Guard(1).some", "(lambda: f%d(%s))()" % (i, n)]
        if kind == "coroutine":
            plain += ["await c%d(%s)" % (i, n)] * 3
        return self.random.choice(plain)

    def block(self, indent, depth, kind):
        for _ in range(self.random.randrange(1, 4)):
            self.statement(indent, depth, kind)

    def statement(self, indent, depth, kind):
        choice = self.random.randrange(16 if depth > 0 else 7)
        self.name += 1
        name = "v%d" % self.name
        if choice < 2:
            self.put(indent, "T[0] += 1")
        elif choice == 2:
            self.put(indent, "%s = %s" % (name, self.call(kind)))
        elif choice == 3:
            self.put(indent, "%s = %s + %s" % (name, self.call(kind), self.call(kind)))
        elif choice == 4:
            self.put(indent, "%s = [" % name)
            self.put(indent + 1, "%s," % self.call(kind))
            self.put(indent + 1, "T[0]]")
        elif choice == 5:
            if kind == "generator":
                self.put(indent, self.pick("yield T[0]", "yield from g0(n - 1)", "%s = yield 2" % name))
            elif kind == "coroutine":
                self.put(indent, "await Pause()")
            else:
                self.put(indent, "for _ in range(3): T[0] += 1")
        elif choice == 6:
            if kind != "module" and self.random.random() < 0.3:
                self.put(indent, "if T[0] % 3 == 0:")
                self.put(indent + 1, self.pick("return 5", "raise ValueError(n)", "raise ValueError(n)"))
            else:
                self.put(indent, "print('at', T[0])")
        elif choice < 9:
            self.put(indent, "for i%d in range(%d):" % (depth, self.random.randrange(1, 3)))
            self.block(indent + 1, depth - 1, kind)
            if self.random.random() < 0.3:
                self.put(indent + 1, "if T[0] % 2:")
                self.put(indent + 2, self.pick("break", "continue"))
        elif choice == 9:
            self.put(indent, "for %s in g%d(%s):" % (name, self.random.randrange(self.functions),
                                                     "2" if kind == "module" else "n - 1"))
            self.block(indent + 1, depth - 1, kind)
            if self.random.random() < 0.3:
                self.put(indent + 1, "break")
        elif choice < 13:
            self.put(indent, "try:")
            self.block(indent + 1, depth - 1, kind)
            if self.random.random() < 0.5:
                self.put(indent + 1, self.pick("raise ValueError(1)", "Guard(1).missing", "{}[T[0]]"))
            self.put(indent, self.pick("except ValueError:", "except (ValueError, LookupError):", "except Exception:"))
            self.block(indent + 1, depth - 1, kind)
            if self.random.random() < 0.5:
                self.put(indent, "finally:")
                self.block(indent + 1, depth - 1, kind)
        elif choice == 13:
            self.put(indent, "with Guard(%d)%s:" % (self.random.randrange(2), self.pick("", " as %s" % name)))
            self.block(indent + 1, depth - 1, kind)
            if self.random.random() < 0.3:
                self.put(indent + 1, "raise KeyError(T[0])")
        elif choice == 14:
            self.put(indent, "class C%d:" % self.name)
            self.put(indent + 1, "x = f0(0)")
            self.put(indent + 1, "def method(self):")
            self.put(indent + 2, "return self.x")
            self.put(indent, "%s = C%d().method()" % (name, self.name))
        else:
            self.put(indent, "if %s:" % self.call(kind))
            self.block(indent + 1, depth - 1, kind)
            self.put(indent, "else:")
            self.put(indent + 1, "T[0] += 1")

    def text(self):
        return "\n".join(self.out) + "\n"
