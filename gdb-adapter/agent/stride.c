/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdb-adapter/agent/stride.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "gdb-adapter/agent/tour.h"

enum { BITS = 13, ROOM = 1 << BITS };

struct way { uint64_t at, to; };

static struct way ways[ROOM];           /* a hash table by .at; 0: free */
static size_t n_ways;
static pid_t striding;                  /* the process, 0: none */
static unsigned long n_strides;         /* made */
enum { MISSES = 256 };
static uint64_t misses[MISSES];         /* where steps began of which nothing is known; 0: free */

static struct way *find(uint64_t at)
{
	size_t i = (size_t)(at * 0x9e3779b97f4a7c15u >> (64 - BITS));

	while (ways[i].at != 0 && ways[i].at != at)
		i = (i + 1) % ROOM;
	return &ways[i];
}

static void forget(void)
{
	memset(ways, 0, sizeof ways);
	n_ways = 0;
	tours_forget();
}

static bool learn(uint64_t at, uint64_t to)
{
	struct way *way = find(at);

	if (way->at == 0 && ++n_ways > ROOM / 2) {
		forget();
		return false;
	}
	if (at < to && to - at > 1)
		*way = (struct way){ at, to };
	return true;
}

/* The same ones come again and again: what falls on another is noted the next time. */
static void note_miss(uint64_t at)
{
	misses[(at ^ at >> 8) % MISSES] = at;
}

static size_t take_misses(uint64_t *at)
{
	size_t n = 0;

	for (size_t i = 0; i < MISSES; i++)
		if (misses[i] != 0)
			at[n++] = misses[i];
	memset(misses, 0, sizeof misses);
	return n;
}

/* The tests' harness calls these without the rest of the agent. */
__attribute__((visibility("default"))) int fred_stride_learn(unsigned long at, unsigned long to);
int fred_stride_learn(unsigned long at, unsigned long to)
{
	if (at == 0)
		forget();
	return at == 0 || learn(at, to);
}

__attribute__((visibility("default"))) void fred_stride(int pid);
void fred_stride(int pid)
{
	striding = pid;
}

__attribute__((visibility("default"))) unsigned long fred_strides(void);
unsigned long fred_strides(void)
{
	return n_strides;
}

__attribute__((visibility("default"))) unsigned long fred_stride_missed(uint64_t *at);
unsigned long fred_stride_missed(uint64_t *at)
{
	return take_misses(at);
}

object *py_stride(object *self, object *args)
{
	striding = (pid_t)PyLong_AsLong(PyTuple_GetItem(args, 0));
	return PyErr_Occurred() ? NULL : none();
}

object *py_stride_learn(object *self, object *args)
{
	object *list = PyTuple_GetItem(args, 0);
	ssize_t n = list != NULL ? PyList_Size(list) : -1;
	bool room = true;

	if (n == 0)
		forget();
	for (ssize_t i = 0; i + 1 < n && room; i += 2)
		room = learn((uint64_t)PyLong_AsLong(PyList_GetItem(list, i)), (uint64_t)PyLong_AsLong(PyList_GetItem(list, i + 1)));
	return PyErr_Occurred() ? NULL : boolean(room);
}

object *py_stride_missed(object *self, object *args)
{
	uint64_t at[MISSES];
	size_t n = take_misses(at);
	object *list = PyList_New(0);

	for (size_t i = 0; list != NULL && i < n; i++) {
		object *number = PyLong_FromLong((long)at[i]);

		if (number != NULL)
			PyList_Append(list, number);
		Py_DecRef(number);
	}
	return list;
}

static bool over(ptrace_function *real, pid_t tid, uint64_t to)
{
	enum tour_end end = tour_run(real, tid, &to, 1, false);

	n_strides += end == TOUR_OURS;
	return end == TOUR_GDBS;
}

bool stride(ptrace_function *real, enum __ptrace_request request, pid_t tid, long signal)
{
	struct way *way;
	uint64_t pc;

	if (striding == 0)
		return false;
	if (tid != striding)
		striding = 0;           /* there is another thread, or process */
	if (request != PTRACE_SINGLESTEP || signal != 0 || striding == 0)
		return false;
	pc = tour_pc(real, tid);
	if (tour_from(real, tid, pc))
		return true;
	way = find(pc);
	if (way->at == 0)
		note_miss(pc);
	return way->at != 0 && over(real, tid, way->to);
}
