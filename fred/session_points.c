/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fred/session_points.h"

#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "decompose/thin.h"
#include "fred/message.h"
#include "fred/session_split.h"
#include "fred/settings.h"

/* What the trail may cost: one part in so many of the run.  A page that is copied since the last snapshot costs the program FAULT_US. */
enum { COST_PART = 24, FAULT_US = 3, HIGH = 900 };

struct trail_point {
	struct ckpt_snapshot *snapshot;
	struct node *end;               /* of the command; NULL: it is under way */
	uint64_t seq;                   /* milliseconds, for thinning; strictly increasing */
	uint64_t ran_us;
	size_t typed;                   /* of the command's input the program had read so much, ... */
	bool eofs;                      /* and it may have read ends of file */
};

/* pdb's program can be snapshotted at any moment.  gdb's has to be stopped by an alarm. */
static bool anywhere(const struct session *s)
{
	return s->adapter->trail_signal != 0;
}

static bool has_trail(const struct session *s)
{
	return s->adapter->halt || anywhere(s);
}

/* Only where a node can be put on the way to the command's end. */
static bool is_wanted(const struct session *s)
{
	/* ^C ends it, and the debugger's handler is no part of what is run again. */
	return has_trail(s) && settings.snapshots && settings.snapshot_interval && s->pending && !s->internal && !s->several &&
	       !s->interrupted && !s->trail.off && s->timeline->here &&
	       ((s->pending_class == COMMAND_RESTARTS && s->adapter->halt) || (s->pending_class == COMMAND_MOVES && s->adapter->goes_on(s->pending, NULL, NULL)));
}

static uint64_t interval_us(void)
{
	return (uint64_t)settings.snapshot_interval * 1000;
}

int points_wait(const struct session *s)
{
	uint64_t now = clock_us(), next = s->trail.next ? s->trail.next : s->pending_since + interval_us();

	if (!is_wanted(s))
		return -1;
	if (!anywhere(s))
		return (int)settings.snapshot_interval;
	return next > now ? (int)((next - now) / 1000) + 1 : 0;
}

/* Has the program read all that was typed at it?  What it has not would be in the terminal, of which a snapshot knows nothing. */
static bool input_is_read(struct session *s)
{
	struct pollfd back = {.fd = s->back, .events = POLLIN};
	struct termios t;
	int unread = 0;

	if (s->typed.len == 0)
		return true;
	/* What is typed comes through a work queue, which a poll() that finds nothing waits for (drivers/tty/n_tty.c, n_tty_poll).  Of a line
	 * that is not complete FIONREAD tells nothing. */
	return poll(&back, 1, 0) == 0 && tcgetattr(s->back, &t) == 0 && (!(t.c_lflag & ICANON) || s->typed.data[s->typed.len - 1] == '\n') &&
	       ioctl(s->back, FIONREAD, &unread) == 0 && unread == 0;
}

static void add_point(struct session *s, struct ckpt_snapshot *snapshot)
{
	struct timeline *t = s->timeline;
	struct trail_point p = {.snapshot = snapshot, .seq = clock_us() / 1000, .typed = s->typed.len, .eofs = s->in.eofs > 0,
				.ran_us = t->here->ran_us + clock_us() - s->pending_since};

	if (t->n_points && p.seq <= t->points[t->n_points - 1].seq)
		p.seq = t->points[t->n_points - 1].seq + 1;
	array_grow(t->points, t->n_points);
	t->points[t->n_points++] = p;
	snapshots_thin(t);
}

/* What it has not read of ours its restored copy would wait for.  The socket counts it (net/unix/af_unix.c, unix_outq_len). */
static bool has_heard(const struct session *s)
{
	int unread = 0;

	return ioctl(s->adapter->fd(s->agent), SIOCOUTQ, &unread) == 0 && unread == 0;
}

/* Nobody hears once more what it has said before it was frozen: that it is at a prompt. */
static bool has_spoken(const struct session *s)
{
	struct pollfd agent = {.fd = s->adapter->fd(s->agent), .events = POLLIN};

	return poll(&agent, 1, 0) != 0;
}

/* Its cost decides when the next one is taken. */
static int take_point(struct session *s, uint64_t *next_us, struct err *err)
{
	uint64_t began = clock_us(), faults = ckpt_faults(s->ckpt), copied = faults - s->trail.faults;
	struct ckpt_snapshot *snapshot;

	if (!anywhere(s) && !ckpt_is_alone(s->ckpt))
		return err_set(err, "the program has several threads now, or is several");
	if (ckpt_snapshot(s->ckpt, &snapshot, err))
		return -1;
	if (fault("point-interrupt"))           /* as if it had been ^C, see ckpt-interrupt */
		s->interrupted = true;
	/* Popen() waits for the end of a pipe, say.  Those of the agent are high. */
	bool useless = (anywhere(s) && has_spoken(s)) || ckpt_holds_ends(snapshot, HIGH);
	if (useless)
		ckpt_drop(snapshot);
	else
		add_point(s, snapshot);
	/* It has cost as much, and so will the next. */
	s->trail.faults = faults;
	uint64_t cost = clock_us() - began + (s->trail.points++ ? copied * FAULT_US : 0);
	*next_us = cost * COST_PART > *next_us ? cost * COST_PART : *next_us;
	log_debug(LOG_SESSION, "%s: %llu us, %llu pages copied since the last", useless ? "no point of the trail" : "point of the trail",
		  (unsigned long long)(clock_us() - began), (unsigned long long)copied);
	return 0;
}

static void try_point(struct session *s, uint64_t *next_us)
{
	struct err err;

	if (is_wanted(s) && input_is_read(s) && has_heard(s) && take_point(s, next_us, &err)) {
		log_info(LOG_SESSION, "no trail: %s", err.what);
		s->trail.off = true;
	}
}

/* None of a program that waits: it stands where it stood.  Nor while it has children, which would be missing. */
static void look_anywhere(struct session *s)
{
	uint64_t next_us = interval_us(), ran = ckpt_ran_us(s->ckpt);

	if (ran >= s->trail.ran + next_us / 2 && !ckpt_has_children(s->ckpt)) {
		try_point(s, &next_us);
		s->trail.ran = ran;
	}
	s->trail.next = clock_us() + next_us;
}

static void set_alarm(struct session *s, uint64_t us)
{
	struct err err;

	if (s->trail.alarm >= 0)
		close(s->trail.alarm);
	s->trail.ran = 0;
	s->trail.next = us;
	s->trail.alarm = ckpt_alarm(s->ckpt, us, s->adapter->alarm_mark, &err);
	if (s->trail.alarm < 0)
		log_debug(LOG_SESSION, "no alarm: %s", err.what);
}

void points_look(struct session *s)
{
	uint64_t ran = 0;

	if (anywhere(s)) {
		look_anywhere(s);
		return;
	}
	/* A program that another one has executed, a shell say, needs an alarm of its own; and for one that has not run it is the same. */
	if (read(s->trail.alarm, &ran, sizeof ran) != sizeof ran || ran == s->trail.ran)
		set_alarm(s, s->trail.next ? s->trail.next : interval_us());
	else
		s->trail.ran = ran;
}

void points_alarm(struct session *s)
{
	uint64_t next_us = interval_us();
	struct err err;

	try_point(s, &next_us);
	if (is_wanted(s))
		set_alarm(s, next_us);
	if (s->adapter->go_on(s->agent, &err))
		log_info(LOG_SESSION, "%s", err.what);
}

static void forget(struct timeline *t, size_t i)
{
	ckpt_drop(t->points[i].snapshot);
	memmove(&t->points[i], &t->points[i + 1], (--t->n_points - i) * sizeof *t->points);
}

void points_end(struct session *s, struct node *node)
{
	struct timeline *t = s->timeline;

	if (s->trail.alarm >= 0)
		close(s->trail.alarm);
	s->trail = (struct trail){.alarm = -1};
	for (size_t i = t->n_points; i-- > 0 && !t->points[i].end;) {
		t->points[i].end = node;
		if (!node)
			forget(t, i);
	}
}

bool points_drop_one(struct timeline *t, size_t budget)
{
	if (t->n_points <= budget)
		return false;
	cleanup_free struct thin_snapshot *list = xcalloc(t->n_points, sizeof *list);

	for (size_t i = 0; i < t->n_points; i++)
		list[i].seq = t->points[i].seq;
	int pick = thin_pick(list, t->n_points, budget, clock_us() / 1000);
	if (pick >= 0)
		forget(t, (size_t)pick);
	return pick >= 0;
}

void points_free(struct timeline *t)
{
	while (t->n_points)
		forget(t, t->n_points - 1);
	free(t->points);
}

/* Those on the edge: from *first on so many.  Where the edge begins or ends at a place that is no point's, none is known to lie between. */
static size_t on_edge(const struct timeline *t, const struct node *end, size_t *first)
{
	const struct node *whole = timeline_whole(end), *parent = end->parent;
	uint64_t after = parent->whole == whole ? parent->point : 0, before = end->whole ? end->point : UINT64_MAX;
	size_t n = 0;

	if ((parent->whole == whole && !after) || !before)
		return 0;
	for (size_t i = 0; i < t->n_points; i++)
		if (t->points[i].end == whole && t->points[i].seq > after && t->points[i].seq < before && n++ == 0)
			*first = i;
	return n;
}

bool points_has(const struct session *s, const struct node *end)
{
	size_t first;

	return has_trail(s) && end->parent && on_edge(s->timeline, end, &first) > 0;
}

bool points_are_far(const struct node *end)
{
	uint64_t behind = end->whole ? end->whole->ran_us - end->ran_us : 0;

	return !end->parent->whole || end->ran_us - end->parent->ran_us > 3 * (behind + interval_us());
}

size_t points_bytes(const struct timeline *t)
{
	size_t bytes = 0;

	for (size_t i = 0; i < t->n_points; i++) {
		struct ckpt_info info;

		ckpt_info(t->points[i].snapshot, &info);
		bytes += info.share_bytes;
	}
	return bytes;
}

void session_trail(struct session *s, struct buf *out)
{
	struct timeline *t = s->timeline;

	if (!t->n_points)
		buf_printf(out, "no snapshots in the middle of a run%s\n", has_trail(s) ? "" : ": this debugger's are not taken there");
	for (size_t i = 0, n; i < t->n_points; i += n) {
		const struct node *end = t->points[i].end, *edge = end;
		uint64_t bytes = 0;

		while (edge->parent->whole == end)      /* the first has the command, the others are what was left of it */
			edge = edge->parent;
		buf_printf(out, "in the middle of `%s`, which ended at %.2f s:", edge->command, (double)end->ran_us / 1e6);
		for (n = 0; i + n < t->n_points && t->points[i + n].end == end; n++) {
			struct ckpt_info info;

			ckpt_info(t->points[i + n].snapshot, &info);
			bytes += info.private_bytes;
			buf_printf(out, " %.2f", (double)t->points[i + n].ran_us / 1e6);
		}
		buf_printf(out, " s, %.1f MB\n", (double)bytes / (1 << 20));
	}
}

/* What the program had not read there of the edge's input; its bytes are the edge's. */
static struct input_rest rest_behind(const struct trail_point *p, const struct node *end)
{
	size_t before = end->parent->whole ? end->parent->point_typed : 0, n = p->typed > before ? p->typed - before : 0;

	n = n < end->typed.len ? n : end->typed.len;
	return (struct input_rest){.typed = {.data = end->typed.data + n, .len = end->typed.len - n}, .eofs = end->eofs};
}

static int come_to_prompt(struct session *s, const struct trail_point *p, const struct node *end, struct landing *l, struct err *err)
{
	/* At once: else it may run beyond the edge's end, and if that was made by ^C nothing would stop it.  But what it reads first is to be
	 * there. */
	struct input_rest rest = rest_behind(p, end);
	bool at_once = anywhere(s) && !rest.typed.len && !rest.eofs;
	struct adapter_event event;

	if ((!s->astray && travel_keep_here(s, err)) ||
	    travel_restore(s, p->snapshot, end->parent->prompt, at_once ? s->adapter->trail_signal : 0, err))
		return -1;
	s->astray = true;
	if (input_feed(s, &rest, err))
		return -1;
	if (!at_once && (anywhere(s) ? ckpt_signal(s->ckpt, s->adapter->trail_signal, err) : s->adapter->halt(s->agent, err)))
		return -1;
	if (run_to_prompt(s, &event, err))
		return -1;
	adapter_event_free(&event);
	if (s->adapter->land) {
		if (s->adapter->land(s->agent, "", NULL, 0, NULL, err) || run_to_prompt(s, &event, err))
			return -1;
		adapter_event_free(&event);
	}
	return land_ask(s, l, err);
}

/* 0: it is no place that can be found again, or too near to the edge's start. */
static int put_in(struct session *s, const struct trail_point *p, struct node *end, struct node **node, struct err *err)
{
	struct landing l = {0};

	if (come_to_prompt(s, p, end, &l, err)) {
		free(l.state);
		return -1;
	}
	int r = 0;
	if (l.how == LANDED && land_between(end->parent, end, &l)) {
		l.us = p->ran_us > end->parent->ran_us ? p->ran_us - end->parent->ran_us : 0;
		r = land_here(s, end, &l, node, err) ? -1 : 1;
	}
	free(l.state);
	if (r > 0) {
		(*node)->point = p->seq;
		(*node)->ticks = l.passes;
		(*node)->point_typed = p->typed;
		/* How many of them it has read nobody knows; there are plenty. */
		if (p->eofs)
			(*node)->eofs = end->eofs;
		log_info(LOG_SESSION, "trail: at %.6f s, %s:%ld", (double)(*node)->ran_us / 1e6,
			 (*node)->place.file ? (*node)->place.file : "?", (*node)->place.line);
	}
	return r;
}

/* Of the n from `first` on. */
static size_t choose(const struct timeline *t, const struct node *end, enum points_which which, size_t first, size_t n)
{
	uint64_t behind = end->whole ? end->whole->ran_us - end->ran_us : 0;
	size_t i = first + n - 1;

	if (which == POINTS_MIDDLE)
		return first + n / 2;
	while (which == POINTS_AS_FAR && i > first && t->points[i].ran_us + behind > end->ran_us)
		i--;
	return i;
}

int points_put_in(struct session *s, struct node *end, enum points_which which, struct node **node, struct err *err)
{
	struct timeline *t = s->timeline;
	size_t first, n;
	int r = 0;

	while (r == 0 && has_trail(s) && (n = on_edge(t, end, &first)) > 0) {
		size_t i = choose(t, end, which, first, n);

		progress_line("going back into the run, at %.1f of %.1f s; ^C stops", (double)t->points[i].ran_us / 1e6,
			      (double)timeline_whole(end)->ran_us / 1e6);
		r = put_in(s, &t->points[i], end, node, err);
		forget(t, i);
		if (r < 0 && !split_stopped(s, err))
			r = 0;
	}
	return r;
}
