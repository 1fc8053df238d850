/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pdb-adapter/agent/halt.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#include "channel/agent/channel.h"
#include "channel/agent/namespace.h"
#include "channel/protocol.h"
#include "pdb-adapter/agent/clock_control.h"
#include "pdb-adapter/agent/clock_run.h"

/* How to halt; halt.py has the same numbers. */
enum { NO, LATER, SOON, IN_PDB, AT_ONCE };

static void (*cpythons)(int);           /* its handler, which notes that Python's is to be called */
static pthread_t main_thread;
static bool later;                      /* one has come while we were at work ... */
static int held;                        /* ... in so many prompts */
static volatile sig_atomic_t in_call;   /* the last signal has ended a system call that waited */

/* The kernel leaves a call that a signal with a handler has ended with that in rax, behind the instruction. */
static bool ended_a_call(const ucontext_t *context)
{
#ifdef __x86_64__
	static const unsigned char syscall_instruction[] = {0x0f, 0x05};
	const greg_t *registers = context->uc_mcontext.gregs;

	return registers[REG_RAX] == -EINTR && memcmp((const char *)registers[REG_RIP] - 2, syscall_instruction, 2) == 0;
#else
	return false;
#endif
}

static void on_signal(int number, siginfo_t *info, void *context)
{
	in_call = pthread_equal(pthread_self(), main_thread) && !PyGILState_Check() && ended_a_call(context);
	cpythons(number);
}

object *py_halt_take(object *self, object *args)
{
	object *number = PyLong_FromLong(AGENT_HALT_SIGNAL), *done = NULL;
	struct sigaction action;

	if (number != NULL)
		done = PyObject_CallFunctionObjArgs(PyTuple_GetItem(args, 0), number, PyTuple_GetItem(args, 1), NULL);
	if (number != NULL)
		Py_DecRef(number);
	if (done == NULL || sigaction(AGENT_HALT_SIGNAL, NULL, &action) < 0)
		return done;
	main_thread = pthread_self();
	cpythons = action.sa_handler;
	action.sa_flags |= SA_SIGINFO;
	action.sa_sigaction = on_signal;
	sigaction(AGENT_HALT_SIGNAL, &action, NULL);
	return done;
}

/* What halt_wanted() of halt.py says. */
static long ask(object *tracer)
{
	object *nothing = none(), *waits = PyBool_FromLong(in_call);
	object *answer = PyObject_CallFunctionObjArgs(named("halt_wanted"), tracer != NULL ? tracer : nothing, waits, NULL);
	long wanted = answer != NULL ? PyLong_AsLong(answer) : NO;

	Py_DecRef(nothing);
	Py_DecRef(waits);
	if (answer != NULL)
		Py_DecRef(answer);
	return wanted;
}

/* The event of a call, so that pdb is called as a trace function is. */
static object *halt_here(void)
{
	object *done;

	run.at_once = true;
	done = PyObject_CallFunctionObjArgs(named("halt_here"), NULL);
	run.at_once = false;
	return done;
}

object *py_halt_signalled(object *self, object *args)
{
	object *tracer;
	long wanted;

	if (!channel_ours() || (run.running && !(run.live && pthread_equal(run.thread, pthread_self()))))
		return none();
	if (run.live)
		control_uncount(false);
	tracer = control_gettrace();
	PyEval_SetTrace(NULL, NULL);    /* pdb is not to see what we do */
	wanted = ask(tracer);
	later = wanted == LATER && held && !channel_waits();
	/* At a prompt nobody waits for that. */
	if (wanted <= LATER && !held)
		channel_send(MESSAGE_NOT_HALTED, "", 0);
	if (wanted > LATER && control_arm(tracer))
		run.calling = wanted == IN_PDB;
	else if (tracer != NULL)
		control_settrace(tracer);
	if (tracer != NULL)
		Py_DecRef(tracer);
	PyErr_Clear();                  /* the program would get it */
	return wanted == AT_ONCE && run.running ? halt_here() : none();
}

void halt_hold(void)
{
	held++;
}

void halt_now(void)
{
	held--;
	if (later)
		raise(AGENT_HALT_SIGNAL);
	later = false;
}
