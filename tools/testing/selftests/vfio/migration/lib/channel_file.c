// SPDX-License-Identifier: GPL-2.0-only
/* A stream in a file, or in a named pipe; see channel.h. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "channel_int.h"

/* Nothing tells a writer that a named pipe has got its reader, so it looks again */
#define TICK_MS		20

static int wait_a_tick(const struct vmig_patience *patience, int64_t end)
{
	const struct vmig_patience tick = {
		.timeout_ms = TICK_MS,
		.cancel_fd = patience ? patience->cancel_fd : -1,
	};
	int ret;

	if (patience && patience->timeout_ms >= 0 && vmig_io_now_ms() >= end)
		return -ETIMEDOUT;
	ret = vmig_io_wait(-1, 0, &tick);
	return ret == -ETIMEDOUT ? 0 : ret;
}

/* Without blocking: a named pipe has a peer when it first can be used, see io.h */
static int open_as_it_is(struct vmig_channel *ch, const char *path, bool is_fifo)
{
	int64_t end = vmig_io_now_ms() +
		      (ch->patience ? ch->patience->timeout_ms : 0);
	int flags = ch->way == VMIG_CHANNEL_WRITE ? O_WRONLY | O_CREAT | O_TRUNC :
						    O_RDONLY;
	int ret = 0;

	while (!ret) {
		ch->fd = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
			      0666);
		if (ch->fd >= 0)
			return 0;
		if (errno == EINTR)
			continue;
		ret = -errno;
		if (ret == -ENXIO && is_fifo)
			ret = wait_a_tick(ch->patience, end);
	}
	return ret;
}

int vmig_file_open(struct vmig_channel *ch, const char *path)
{
	struct stat st;

	return open_as_it_is(ch, path, !stat(path, &st) && S_ISFIFO(st.st_mode));
}
