/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MTTY_LOAD_H
#define MTTY_LOAD_H

#include <linux/types.h>

struct file;
struct mtty;

struct file *mtty_load_begin(struct mtty *mtty);
int mtty_load_finish(struct mtty *mtty);

#endif /* MTTY_LOAD_H */
