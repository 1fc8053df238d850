# SPDX-License-Identifier: GPL-3.0-or-later
"""Random C programs that end: nested calls, recursion, loops, switch, goto, pointers to functions, early returns, callbacks
from libc.

The same seed gives the same text.  T counts the statements executed, so a place in time is known by T, line and depth; a
program stops calling when it has counted to FUEL.  Signals that have a handler, calls that are a function's last act, and
longjmp are for those who ask: `step` passes over a handler, and loses sight of the program at a longjmp.  compile_program()
makes it a binary."""
import random
import re
import subprocess

FUEL = 120


class CProgram:
    def __init__(self, seed, functions=6, fuel=FUEL, longjmp=False, signals=False, tails=False):
        self.random, self.lines, self.functions = random.Random(seed), [], []
        self.labels, self.fuel = 0, fuel
        self.put(0, "#include <setjmp.h>", "#include <signal.h>", "#include <stdlib.h>", "int T, G[4];", "jmp_buf far;", "")
        kinds = ["plain", "plain", "recursive", "one_line", "again", "table", "sort", "empty"]
        kinds += ["jumper"] * longjmp + ["signaller"] * 2 * signals + ["tail"] * 3 * tails
        if signals:
            self.put(0, "static void order_signal(int n)", "{", "\tG[3]++;", "\tT += n == SIGUSR1;", "}", "")
        for i in range(functions):
            getattr(self, self.random.choice(kinds if i else ["plain", "one_line"]))("f%d" % i)
            self.put(0, "")
        self.put(0, "int main(void)", "{")
        self.put(1, "int a = 1, b = 2, i = 0;")
        if signals:
            self.put(1, "signal(SIGUSR1, order_signal);")
        self.scope = ["a", "b"]
        self.block(1, 2, 6)
        self.put(1, "T += a + b + i > 1000;", "return 0;")
        self.put(0, "}")

    def text(self):
        return "\n".join(self.lines) + "\n"

    def put(self, indent, *lines):
        self.lines += ["\t" * indent + line for line in lines]

    def pick(self, *choices):
        return self.random.choice(choices)

    def simple(self):
        return self.pick(self.pick(*self.scope), str(self.random.randrange(9)), "G[%d]" % self.random.randrange(4))

    def call(self, depth=0):
        if not self.functions:
            return self.simple()
        name = self.pick(*self.functions[-4:])
        return "%s(%s)" % (name, self.call(depth + 1) if depth < 2 and self.random.random() < 0.3 else self.simple())

    def expression(self):
        shape = self.random.random()
        if shape < 0.3:
            return "%s + %s" % (self.simple(), self.simple())
        if shape < 0.55:
            return self.call()
        if shape < 0.75:
            return "%s %s %s" % (self.call(), self.pick("+", "-", "&&", "||"), self.call())
        return "(%s * 3 + %d) %% 11" % (self.simple(), self.random.randrange(5))

    def target(self):
        return self.pick(self.pick(*self.scope), "G[%d]" % self.random.randrange(4))

    def condition(self):
        return self.pick("%s %% 2" % self.simple(), "%s > %s" % (self.simple(), self.simple()), self.call())

    def block(self, indent, nested, most):
        for _ in range(self.random.randrange(1, most + 1)):
            self.statement(indent, nested)

    def statement(self, indent, nested):
        shape = self.random.random() if nested else self.random.random() * 0.6
        if shape < 0.4:
            self.put(indent, "%s = %s;" % (self.target(), self.expression()))
        elif shape < 0.47:
            self.put(indent, "T++; %s; %s;" % (self.call(), self.call()))
        elif shape < 0.54:
            self.put(indent, "%s =" % self.target(), "\t%s +" % self.call(), "\t%s;" % self.call())
        elif shape < 0.6:
            self.put(indent, "T++;")
        elif shape < 0.72:
            self.put(indent, "if (%s) {" % self.condition())
            self.block(indent + 1, nested - 1, 2)
            if self.random.random() < 0.5:
                self.put(indent, "} else {")
                self.block(indent + 1, nested - 1, 2)
            self.put(indent, "}")
        elif shape < 0.84:
            self.put(indent, "for (i = 0; i < %d; i++)" % self.random.randrange(1, 4))
            self.put(indent + 1, self.pick("%s += %s;" % (self.target(), self.call()), "T += i;"))
        elif shape < 0.9:
            self.put(indent, "i = %d;" % self.random.randrange(3), "while (i-- > 0)", "\t%s;" % self.call())
        else:
            self.put(indent, "switch ((unsigned)%s %% 3) {" % self.simple(), "case 0:")
            self.block(indent + 1, nested - 1, 2)
            self.put(indent + 1, "break;")
            self.put(indent, "case 1:", "\tT++;", "default:")
            self.block(indent + 1, nested - 1, 1)
            self.put(indent, "}")

    def head(self, name, kind="int"):
        self.put(0, "%s%s %s(int n)" % (self.pick("", "static "), kind, name), "{")
        self.put(1, "int i = 0, r = n;")
        self.put(1, "if (T++ > %d)" % self.fuel, "\treturn%s;" % ("" if kind == "void" else " 0"))
        self.scope = ["n", "r"]

    def end(self, name, result="r"):
        self.put(1, "return %s;" % result)
        self.put(0, "}")
        self.functions.append(name)

    def plain(self, name):
        self.head(name)
        self.block(1, 2, 4)
        if self.random.random() < 0.3:
            self.put(1, "if (%s)" % self.condition(), "\treturn %s;" % self.expression())
        self.end(name, self.pick("r + i", self.expression()))

    def recursive(self, name):
        self.head(name)
        self.put(1, "if (n <= 0 || n > 4)", "\treturn 1;")
        self.put(1, self.pick("r = %s(n - 1) + n;", "r = %s(n - 1) + %s(n - 2);".replace("%s(n - 2)", name + "(n - 2)"),
                              "return n * %s(n - 1);") % name)
        self.end(name)

    def one_line(self, name):
        self.scope = ["n"]
        self.put(0, "static int %s(int n) { return %s; }" % (name, self.pick(self.expression(), "n + 1", "n")))
        self.functions.append(name)

    def empty(self, name):
        self.put(0, "int %s(int n)" % name, "{", "\treturn n;")
        self.put(0, "}")
        self.functions.append(name)

    def again(self, name):
        """A function whose first statement is jumped back to."""
        self.put(0, "int %s(int n)" % name, "{", "again:", "\tT++;", "\tif (n-- > 0 && n < 3)", "\t\tgoto again;")
        self.scope = ["n"]
        if self.random.random() < 0.5:
            self.put(1, "G[1] += %s;" % self.call())
        self.end(name, "n")

    def table(self, name):
        chosen = [self.pick(*self.functions) for _ in range(3)]
        self.put(0, "static int (*const table_%s[])(int) = {%s};" % (name, ", ".join(chosen)), "")
        self.head(name)
        self.put(1, "for (i = 0; i < 2; i++)", "\tr += table_%s[(unsigned)(n + i) %% 3](i);" % name)
        self.end(name)

    def sort(self, name):
        """libc, which has no lines, calls back."""
        self.scope = ["n"]
        self.put(0, "static int order_%s(const void *a, const void *b)" % name, "{", "\tT++;",
                 "\treturn *(const int *)a - *(const int *)b;", "}", "")
        self.head(name)
        self.put(1, "qsort(G, 4, sizeof G[0], order_%s);" % name)
        self.end(name, "G[0] + i")

    def signaller(self, name):
        self.head(name)
        self.block(1, 1, 2)
        self.put(1, self.pick("raise(SIGUSR1);", "r += raise(SIGUSR1) + %s;" % self.call(), "if (raise(SIGUSR1) == 0)\n\t\tr++;"))
        self.block(1, 1, 2)
        self.end(name)

    def tail(self, name):
        self.head(name)
        if self.random.random() < 0.5:
            self.block(1, 1, 2)
        if self.random.random() < 0.4:
            self.put(1, "if (%s)" % self.condition(), "\treturn %s;" % self.call())
        self.end(name, self.call())

    def jumper(self, name):
        self.put(0, "static void leap_%s(int n)" % name, "{", "\tif (n > 1)", "\t\tleap_%s(n - 1);" % name,
                 "\tT++;", "\tlongjmp(far, 1);", "}", "")
        self.head(name)
        self.put(1, "if (setjmp(far) == 0)", "\tleap_%s(%d);" % (name, self.random.randrange(1, 4)), "else", "\tG[2]++;")
        self.end(name)


def function_names(text):
    return re.findall(r"^(?:static )?(?:int|void) (\w+)\([^()]*\)(?= \{|$)", text, re.M)


def compile_text(text, path, *options):
    """Writes path.c and makes the binary path, which is returned."""
    with open(path + ".c", "w") as file:
        file.write(text)
    subprocess.run(["gcc", "-g", "-w", *(options or ["-O0"]), "-o", path, path + ".c"], check=True)
    return path


def compile_program(program, path, *options):
    return compile_text(program.text(), path, *options)
