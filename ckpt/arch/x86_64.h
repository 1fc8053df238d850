/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A part of arch/. */
#ifndef CKPT_ARCH_X86_64_H
#define CKPT_ARCH_X86_64_H

/* include/linux/errno.h: never seen by programs, only by a tracer of a call that was interrupted. */
enum { ERESTARTSYS = 512, ERESTARTNOINTR = 513, ERESTARTNOHAND = 514, ERESTART_RESTARTBLOCK = 516 };

#endif
