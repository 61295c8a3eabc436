/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DRIVER_LINUX_UIO_H
#define DRIVER_LINUX_UIO_H

#include <linux/types.h>

struct kvec {
	void *iov_base;
	size_t iov_len;
};

#endif /* DRIVER_LINUX_UIO_H */
