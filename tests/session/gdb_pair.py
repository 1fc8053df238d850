# SPDX-License-Identifier: GPL-3.0-or-later
"""The same session twice: in gdb alone, and in gdb through fredapp, each on a terminal of its own."""
import os
import re
import subprocess

import driver
import machine

PROMPT = re.compile(rb"(?:\(gdb\) |(?:^|\n) *>|>>> |\(y or n\) |\(y or \[n\]\) |\(\[y\] or n\) |--Type <RET> [^\n]*--)$")
NOISE = re.compile(r"\x1b\[\?2004[hl]\r?|\r")
SIZE = (24, 100)
# What fredapp says first on a machine that has none in hardware.
NO_WATCHPOINTS = re.compile(r"^FReD: the debug registers .*\n", re.M)

PROGRAMS = {
    "sum.c": r"""#include <stdio.h>
static int add(int a, int b)
{
	int sum = a + b;
	return sum;
}
int main(int argc, char **argv)
{
	int s = 0;
	for (int i = 0; i < 5; i++) {
		s = add(s, i);
		s ^= 1;
	}
	printf("%d\n", s);
	return s & 1;
}
""",
    "echo.c": r"""#include <stdio.h>
int main(void)
{
	char line[100];
	printf("name? ");
	fflush(stdout);
	while (fgets(line, sizeof line, stdin))
		printf("hello %s", line);
	return 3;
}
""",
    "spin.c": r"""#include <stdio.h>
volatile long n;
int main(void)
{
	puts("spinning");
	fflush(stdout);
	for (;;)
		n++;
}
""",
    "crash.c": r"""struct s { int a; struct s *next; } *p;
static int f(int x)
{
	return p->next->a + x;
}
int main(void)
{
	return f(3);
}
""",
    "cpp.cc": r"""#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>
template <class T> struct Box { T v; T get() const { return v; } };
struct Num { int n; Num operator+(const Num &o) const { return Num{n + o.n}; } };
static int thrower(int x) { if (x > 2) throw std::runtime_error("big"); return x; }
int main()
{
	std::vector<int> v{1, 2, 3};
	std::string s = "hey";
	Box<int> b{5};
	Num a{1}, c{2};
	try {
		for (int x : v)
			thrower(x);
	} catch (const std::exception &e) {
		puts(e.what());
	}
	return b.get() + (a + c).n;
}
""",
}


def build(folder, source, *flags, output=None, text=None):
    """Compiles one of the programs, or the text, into the folder; its name there."""
    name = output or os.path.splitext(source)[0]
    with open(os.path.join(folder, source), "w") as file:
        file.write(text or PROGRAMS[source])
    compiler = "g++" if source.endswith(".cc") else "gcc"
    subprocess.run([compiler, "-O0", *(flags or ["-g"]), "-o", name, source], cwd=folder, check=True)
    return "./" + name


class Gdb(driver.Debugger):
    """gdb at its first prompt, through fredapp or not; .banner is what it said before."""

    prompt_pattern = PROMPT

    def __init__(self, folder, *arguments, plain=False, snapshots=False, options=(), env=None, **how):
        command = [] if plain else [driver.FRED, *options]
        super().__init__(folder, [*command, "gdb", "-q", *(machine.gdb_options() if plain else []), *arguments], size=how.pop("size", SIZE), env=env, **how)
        self.banner = self.clean(self.prompt())
        if not plain and not snapshots:
            self.do("fred-set snapshots off")

    @staticmethod
    def clean(text):
        text = NO_WATCHPOINTS.sub("", NOISE.sub("", text))
        # Other process numbers, and of another width in a table.
        return re.sub(r" +Frame", " Frame", re.sub(r"(process|LWP) \d+", r"\1 N", text))

    def answer(self, line, seconds=None):
        text = self.clean(self.prompt(seconds))
        # Echo of what was typed, whole or, at a question, on the line of the question.
        return text[len(line):].lstrip("\n") if text.startswith(line) else text.lstrip("\n")


def both(folder, commands, *arguments, **how):
    """[(command, gdb's answer, the answer through fredapp)] of those that differ."""
    answers = []
    for plain in (True, False):
        gdb = Gdb(folder, *arguments, plain=plain, **how)
        answers.append([gdb.banner] + [gdb.do(command) for command in commands])
        gdb.kill()
    return [(command, one, other) for command, one, other in zip(["(start)", *commands], *answers) if one != other]
