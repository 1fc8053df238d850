/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One kind of kernel resource a file: a part of ckpt_priv.h. */
#ifndef CKPT_RESOURCE_RESOURCE_H
#define CKPT_RESOURCE_RESOURCE_H

struct files;
struct timers;

struct terminal {
	bool have;
	struct termios modes;
};

int terminal_save(struct ckpt_session *s, struct terminal *t, struct err *err) must_check;
int terminal_restore(struct ckpt_session *s, const struct terminal *t, struct err *err) must_check;
/* Make the process of r the foreground process group of its terminal. */
int terminal_foreground(struct remote *r, pid_t ns_group, struct err *err) must_check;

/* Pending signals of a thread; shared: of its process. */
/* (tid: its number inside when via is given) */
int signals_save(const struct tracer *via, pid_t tid, bool shared, struct pending *p, struct err *err) must_check;
int signals_restore(struct remote *r, pid_t ns_pid, pid_t ns_tid, bool shared, const struct pending *p,
		    struct err *err) must_check;

int timers_save(struct ckpt_session *s, struct remote *r, const struct ckpt_proc *p, struct timers **timers,
		struct err *err) must_check;
/* tids maps the thread a timer signals, as recorded, to the present one. */
int timers_restore(struct ckpt_session *s, struct remote *r, const struct timers *timers, const struct ckpt_proc *p,
		   const pid_t *ns_tids, struct err *err) must_check;
void timers_free(struct timers *timers);

int files_save(struct ckpt_session *s, pid_t pid, struct files **files, struct err *err) must_check;
int files_restore(struct ckpt_session *s, pid_t pid, const struct files *files, struct err *err) must_check;
void files_free(struct files *files);
void files_session_free(struct ckpt_session *s);

struct shared_memory;
int shared_memory_save(struct ckpt_session *s, pid_t pid, struct shared_memory **m, struct err *err) must_check;
int shared_memory_restore(struct ckpt_session *s, pid_t pid, const struct shared_memory *m, struct err *err) must_check;
void shared_memory_free(struct shared_memory *m);

/* The last number that was given to a process or thread of the session, which r's process is asked for; 0: not known. */
int numbers_save(struct ckpt_session *s, struct remote *r, pid_t *last, struct err *err) must_check;
/* The same as a part of a batch; fd: the number that the next open file of the process will have. */
#define NUMBER_CALLS 3
#define NUMBER_ROOM 64
struct number_question {
	size_t first;
	uint64_t text;
};
void number_ask(struct batch *b, int fd, struct number_question *q);
pid_t number_told(const struct batch *b, const struct number_question *q);
int numbers_restore(struct remote *r, pid_t last, struct err *err) must_check;

#endif
