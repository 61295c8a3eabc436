/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FUZZ_LINUX_UIO_H
#define FUZZ_LINUX_UIO_H

#include <linux/types.h>

struct kvec {
	void *iov_base;
	size_t iov_len;
};

#endif /* FUZZ_LINUX_UIO_H */
