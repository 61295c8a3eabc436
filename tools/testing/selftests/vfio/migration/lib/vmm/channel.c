// SPDX-License-Identifier: GPL-2.0-only
/* See channel.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "channel_int.h"
#include "lib/vfio/util.h"

#define FD_MAX		1048576

static int open_number(struct vmig_channel *ch, unsigned int fd)
{
	ch->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return ch->fd < 0 ? -errno : 0;
}

static int open_name(struct vmig_channel *ch, const char *name)
{
	unsigned int fd;

	if (!strcmp(name, "-"))
		return open_number(ch, ch->way == VMIG_CHANNEL_WRITE ?
				   STDOUT_FILENO : STDIN_FILENO);
	if (!strncmp(name, "fd:", 3))
		return vmig_number(name + 3, FD_MAX, &fd) ? -EINVAL :
							    open_number(ch, fd);
	if (!strncmp(name, "tcp:", 4))
		return vmig_tcp_open(ch, name + 4);
	return *name ? vmig_file_open(ch, name) : -EINVAL;
}

int vmig_channel_open(struct vmig_channel *ch, const char *name,
		      enum vmig_channel_way way,
		      const struct vmig_patience *patience)
{
	int ret;

	*ch = (struct vmig_channel) {
		.fd = -1, .way = way, .patience = patience,
	};
	ret = open_name(ch, name);
	if (!ret && isatty(ch->fd))
		ret = -ENOTTY;
	if (ret) {
		vmig_channel_abort(ch);
		return ret;
	}
	ch->is_tcp = vmig_tcp_is(ch->fd);
	if (ch->is_tcp)
		vmig_tcp_begin(ch);
	return 0;
}

static int do_close(struct vmig_channel *ch)
{
	int ret = close(ch->fd) ? -errno : 0;

	ch->fd = -1;
	/* Linux closes it in this case, too */
	return ret == -EINTR ? 0 : ret;
}

static void forget_file(struct vmig_channel *ch)
{
	free(ch->path);
	free(ch->temp);
	ch->path = NULL;
	ch->temp = NULL;
}

static int store(struct vmig_channel *ch)
{
	int error, ret = vmig_file_sync(ch->fd);

	error = do_close(ch);
	ret = ret ? ret : error;
	if (!ch->temp)
		return ret;
	if (!ret)
		ret = vmig_file_rename(ch);
	if (ret)
		unlink(ch->temp);
	forget_file(ch);
	return ret;
}

int vmig_channel_finish(struct vmig_channel *ch)
{
	int error, ret = 0;

	if (ch->fd < 0)
		return 0;
	if (!ch->is_tcp && ch->way == VMIG_CHANNEL_WRITE)
		return store(ch);
	if (ch->is_tcp)
		ret = vmig_tcp_finish(ch);
	error = do_close(ch);
	return ret ? ret : error;
}

enum vmig_channel_end
vmig_channel_verdict(const struct vmig_channel *ch, bool is_all, int error)
{
	if (!error)
		return VMIG_CHANNEL_TAKEN;
	if (is_all && ch->is_tcp && error != -ECONNRESET)
		return VMIG_CHANNEL_UNSURE;
	return VMIG_CHANNEL_REFUSED;
}

void vmig_channel_abort(struct vmig_channel *ch)
{
	if (ch->fd >= 0 && ch->is_tcp)
		vmig_tcp_reset(ch);
	if (ch->fd >= 0)
		do_close(ch);
	if (ch->temp)
		unlink(ch->temp);
	forget_file(ch);
}
