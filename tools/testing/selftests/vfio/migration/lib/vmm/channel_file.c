// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stream in a file, or in a named pipe; see channel.h.
 *
 * A file is written under a temporary name, and renamed when it is complete and on
 * disk. So the name always has a complete stream: the old one, or the new one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "lib/vfio/util.h"
#include "channel_int.h"

/* No event tells a writer that a named pipe has a reader, so poll open() */
#define TICK_MS		20

static int wait_a_tick(const struct vmig_patience *patience, int64_t end)
{
	const struct vmig_patience tick = {
		.timeout_ms = TICK_MS,
		.cancel_fd = patience ? patience->cancel_fd : -1,
	};
	int ret;

	if (patience && patience->timeout_ms >= 0 && vmig_now_ms() >= end)
		return -ETIMEDOUT;
	ret = vmig_io_wait(-1, 0, &tick);
	return ret == -ETIMEDOUT ? 0 : ret;
}

/* Opened non-blocking: the first wait for data waits for the peer, see io.h */
static int open_as_it_is(struct vmig_channel *ch, const char *path, bool is_fifo)
{
	int64_t end = vmig_now_ms() +
		      (ch->patience ? ch->patience->timeout_ms : 0);
	int flags = ch->way == VMIG_CHANNEL_WRITE ? O_WRONLY : O_RDONLY;
	int ret = 0;

	while (!ret) {
		ch->fd = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
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

/* The mode of the file that is replaced, or that of open() */
static mode_t get_mode(const struct stat *old)
{
	mode_t mask;

	if (old)
		return old->st_mode & 07777;
	mask = umask(0);
	umask(mask);
	return 0666 & ~mask;
}

static int create(struct vmig_channel *ch, const char *path,
		  const struct stat *old)
{
	/* Replace the file, not a link to it */
	ch->path = old ? realpath(path, NULL) : strdup(path);
	if (!ch->path)
		return -errno;
	if (asprintf(&ch->temp, "%s.XXXXXX", ch->path) < 0) {
		ch->temp = NULL;
		return -ENOMEM;
	}
	ch->fd = mkostemp(ch->temp, O_CLOEXEC);
	if (ch->fd < 0) {
		int ret = -errno;

		free(ch->temp);
		ch->temp = NULL;
		return ret;
	}
	/* Some file systems have no modes */
	if (fchmod(ch->fd, get_mode(old)))
		errno = 0;
	return 0;
}

int vmig_file_open(struct vmig_channel *ch, const char *path)
{
	struct stat st;
	bool is_there = !stat(path, &st);

	if (!is_there && errno != ENOENT)
		return -errno;
	/* Do not replace a dangling link by a file */
	if (!is_there && !lstat(path, &st))
		return -ENOENT;
	if (ch->way == VMIG_CHANNEL_READ || (is_there && !S_ISREG(st.st_mode)))
		return open_as_it_is(ch, path,
				     is_there && S_ISFIFO(st.st_mode));
	return create(ch, path, is_there ? &st : NULL);
}

int vmig_file_sync(int fd)
{
	int ret;

	do {
		ret = fsync(fd);
	} while (ret && errno == EINTR);
	/* EINVAL, EROFS: pipe, socket and the like */
	return ret && errno != EINVAL && errno != EROFS ? -errno : 0;
}

static int sync_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, slash - path + 1) : strdup(".");
	int fd, ret;

	if (!dir)
		return -ENOMEM;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ret = fd < 0 ? -errno : vmig_file_sync(fd);
	free(dir);
	if (fd >= 0)
		close(fd);
	return ret;
}

int vmig_file_rename(const struct vmig_channel *ch)
{
	/* Keep an older file, if possible, until the new one is on disk */
	bool is_kept = !renameat2(AT_FDCWD, ch->temp, AT_FDCWD, ch->path,
				  RENAME_EXCHANGE);
	int ret;

	if (!is_kept && rename(ch->temp, ch->path))
		return -errno;
	ret = sync_directory(ch->path);
	if (!ret && is_kept)
		unlink(ch->temp);
	/* The source will resume, so the new file must not be loaded */
	if (ret && is_kept) {
		rename(ch->temp, ch->path);
		sync_directory(ch->path);
	}
	if (ret && !is_kept)
		unlink(ch->path);
	return ret;
}
