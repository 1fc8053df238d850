# SPDX-License-Identifier: GPL-3.0-or-later
"""Random Python programs that end, with calls, recursion, loops, generators, exceptions and early exits.

Every simple statement first adds 1 to the global T, so that a stop is known by T, line and depth."""
import random


class Generator:
    def __init__(self, seed, functions=4):
        self.random = random.Random(seed)
        self.lines, self.names, self.vars = [], [], 0
        self.lines += ["T = 0", ""]
        for i in range(functions):
            self.function(i)
        self.lines += ["", ""]
        self.scope, self.callable = ["a", "b"], list(self.names)
        self.put(0, "T += 1; a = 1")
        self.put(0, "T += 1; b = [0]")
        self.block(0, 3, 5, in_function=False)
        self.put(0, "T += 1; end = a")

    def put(self, indent, text):
        self.lines.append("    " * indent + text)

    def expression(self):
        choice, names = self.random.random(), [name for name in self.scope if name not in ("b", "l")]
        if choice < 0.3 or not names:
            return str(self.random.randrange(5))
        if choice < 0.6:
            return "%s + %d" % (self.random.choice(names), self.random.randrange(3))
        if choice < 0.7 and self.callable:
            return "%s + %s" % (self.call(), self.call())
        if self.callable:
            return self.call()
        return "(%s * 3) %% 7" % self.random.choice(names)

    def call(self):
        kind, name = self.random.choice(self.callable)
        names = [n for n in self.scope if n not in ("b", "l")] or ["1"]
        argument = "%s %% 4" % self.random.choice(names)
        return "sum(%s(%s))" % (name, argument) if kind == "generator" else "%s(%s)" % (name, argument)

    def function(self, i):
        kind = self.random.choice(["plain", "plain", "recursive", "generator", "raiser"])
        name = "f%d" % i
        self.scope, self.callable = ["n"], list(self.names)[-2:]
        self.lines += ["", ""]
        self.put(0, "def %s(n):" % name)
        self.put(1, "global T")
        self.put(1, "T += 1; l = [n]")
        self.scope.append("l")
        if kind == "recursive":
            self.put(1, "if n <= 0:")
            self.put(2, "T += 1; return 1")
            self.put(1, "T += 1; r = %s(n - 1)" % name)
            self.scope.append("r")
        if kind == "generator":
            self.put(1, "for i in range(n + 1):")
            self.put(2, "T += 1; l.append(i)")
            self.put(2, "yield i")
            if self.random.random() < 0.5:
                self.put(1, "T += 1; yield n")
        elif kind == "raiser":
            self.put(1, "try:")
            self.put(2, "if n % 2:")
            self.put(3, "T += 1; raise ValueError(n)")
            self.block(2, 1, 2)
            self.put(1, "except ValueError:")
            self.put(2, "T += 1; l.append(9)")
            if self.random.random() < 0.5:
                self.put(1, "finally:")
                self.put(2, "T += 1; l.append(8)")
            self.put(1, "T += 1; return len(l)")
        else:
            self.block(1, 2, 3)
            self.put(1, "T += 1; return n + len(l)")
        self.names.append(("generator" if kind == "generator" else "plain", name))

    def block(self, indent, depth, most, in_function=True):
        bag = "l" if in_function else "b"
        for _ in range(self.random.randrange(1, most + 1)):
            choice = self.random.random()
            if choice < 0.5 or depth == 0:
                name = self.random.choice("xyz")
                self.put(indent, "T += 1; %s = %s" % (name, self.expression()))
                if name not in self.scope and indent <= 1 - (not in_function):
                    self.scope.append(name)
            elif choice < 0.65:
                self.put(indent, "T += 1; %s.append(%s)" % (bag, self.expression()))
            elif choice < 0.8:
                self.put(indent, "for i%d in range(%d):" % (depth, self.random.randrange(1, 4)))
                self.put(indent + 1, "T += 1; %s.append(i%d)" % (bag, depth))
                self.block(indent + 1, depth - 1, 2, in_function)
                if self.random.random() < 0.3:
                    self.put(indent + 1, "if i%d == 1:" % depth)
                    self.put(indent + 2, "T += 1; break")
            else:
                self.put(indent, "if len(%s) %% 2:" % bag)
                self.block(indent + 1, depth - 1, 2, in_function)
                if in_function and self.random.random() < 0.3:
                    self.put(indent + 1, "T += 1; return 2")

    def text(self):
        return "\n".join(self.lines) + "\n"


def program(seed):
    """The text of a program."""
    return Generator(seed).text()
