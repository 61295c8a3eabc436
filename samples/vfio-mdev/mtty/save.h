/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MTTY_SAVE_H
#define MTTY_SAVE_H

#include <linux/types.h>

struct file;
struct mtty;

struct file *mtty_save_begin(struct mtty *mtty);
u64 mtty_save_stop_copy_size(const struct mtty *mtty);

#endif /* MTTY_SAVE_H */
