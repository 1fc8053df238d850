# SPDX-License-Identifier: GPL-3.0-or-later
"""C programs that do what makes a debugger's life hard."""
import os
import subprocess

from gdb_pair import PROGRAMS

SOURCES = {
    "sums": r"""#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int global = 1, side;
int effect(int x) { side += x; return side; }
int boom(int x) { return *(volatile int *)0 + x; }
int broken(int x) { return x + 1; }
int forever(int x) { close(creat("looping", 0600)); for (;;) side++; return x; }
static int square(int n)
{
	int r = n * n;
	global = r;
	return r;
}
static int total(int n)
{
	int s = 0;
	for (int i = 1; i <= n; i++) {
		int q = square(i);
		s += q;
	}
	return s;
}
int main(void)
{
	int t = total(5);
	printf("total %d\n", t);
	t += effect(1);
	return t;
}
""",
    "spins": PROGRAMS["spin.c"],
    "daemon": r"""#include <unistd.h>
int step;
int main(void)
{
	step = 1;
	if (fork() == 0) {
		setsid();
		step = 2;
		for (;;)
			pause();
	}
	step = 3;
	step = 4;
	return 0;
}
""",
    "execs": r"""#include <unistd.h>
int before;
int main(void)
{
	before = 1;
	before = 2;
	execl("./target", "target", "x", NULL);
	return 1;
}
""",
    "target": r"""#include <stdio.h>
int after;
int main(int argc, char **argv)
{
	after = 1;
	after = 2;
	printf("target %d\n", argc);
	return 5;
}
""",
    "sessions": r"""#include <signal.h>
#include <stdio.h>
#include <unistd.h>
int step, led;
int main(void)
{
	step = 1;
	signal(SIGTTOU, SIG_IGN);
	setpgid(0, 0);
	step = 2;
	led = setsid() > 0;
	step = 3;
	step = 4;
	return 0;
}
""",
    "blocks": r"""#include <signal.h>
#include <stdio.h>
int step;
int main(void)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, 0);
	signal(SIGTRAP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	for (int i = 0; i < 10; i++) {
		step = i;
		step += 0;
	}
	printf("done %d\n", step);
	return 0;
}
""",
    "children": r"""#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
volatile int chld, waited, step;
static void handler(int s) { chld++; }
int main(void)
{
	signal(SIGCHLD, handler);
	for (step = 0; step < 5; step++) {
		int status;
		if (fork() == 0)
			_exit(step);
		while (wait(&status) < 0 && errno == EINTR)
			;
		waited += WEXITSTATUS(status);
	}
	int s = system("exit 3");
	waited += WEXITSTATUS(s);
	errno = 0;
	int none = waitpid(-1, 0, WNOHANG);
	printf("chld %d waited %d none %d errno %d\n", chld, waited, none, errno);
	return 0;
}
""",
    "threads": r"""#include <pthread.h>
#include <stdio.h>
int total;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static void *work(void *p)
{
	for (int i = 0; i < 10; i++) {
		pthread_mutex_lock(&mutex);
		total++;
		pthread_mutex_unlock(&mutex);
	}
	return 0;
}
int main(void)
{
	pthread_t threads[20];
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 20; i++)
			pthread_create(&threads[i], 0, work, 0);
		for (int i = 0; i < 20; i++)
			pthread_join(threads[i], 0);
		printf("round %d total %d\n", round, total);
	}
	return 0;
}
""",
    "pipes": r"""#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
int got, step;
int main(void)
{
	int to[2], from[2];
	if (pipe(to) || pipe(from))
		return 1;
	if (fork() == 0) {
		char c;
		close(to[1]);
		close(from[0]);
		while (read(to[0], &c, 1) == 1) {
			c++;
			(void)!write(from[1], &c, 1);
		}
		_exit(0);
	}
	close(to[0]);
	close(from[1]);
	for (step = 0; step < 5; step++) {
		char c = 'a' + step;
		(void)!write(to[1], &c, 1);
		(void)!read(from[0], &c, 1);
		got = c;
	}
	close(to[1]);
	wait(0);
	printf("got %c\n", got);
	return 0;
}
""",
    "prints": r"""#include <stdio.h>
#include <string.h>
int step;
int main(void)
{
	static char big[3000001];
	memset(big, 'x', sizeof big - 1);
	for (int i = 99; i < 3000000; i += 100)
		big[i] = '\n';
	step = 1;
	fputs(big, stdout);
	fflush(stdout);
	step = 2;
	fputs("no newline", stdout); fflush(stdout);
	step = 3;
	return 0;
}
""",
    "reads": r"""#include <stdio.h>
char line[100];
int n;
int main(void)
{
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof line, stdin)) {
		n++;
		printf("%d:%s", n, line);
	}
	printf("eof\n");
	return 0;
}
""",
    "writes": r"""#include <fcntl.h>
#include <unistd.h>
int step;
int main(void)
{
	int fd = open("data", O_RDWR | O_APPEND);
	step = 1;
	step += write(fd, "a", 1);
	step += write(fd, "b", 1);
	step += write(fd, "c", 1);
	return 0;
}
""",
    "crash": r"""struct s { int a; struct s *next; } *p;
int n;
static int f(int x)
{
	n = x;
	n = x + 1;
	return p->next->a + x;
}
int main(void)
{
	n = 9;
	return f(3);
}
""",
}


def compile_unruly(folder, name, *flags):
    with open(os.path.join(folder, name + ".c"), "w") as file:
        file.write(SOURCES[name])
    subprocess.run(["gcc", "-O0", "-pthread", *(flags or ["-g"]), "-o", name, name + ".c"], cwd=folder, check=True)
