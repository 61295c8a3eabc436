// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <linux/vfio.h>

#include "calls.h"
#include "calls_int.h"
#include "util.h"

#define LINE_MAX_LEN	240
#define NAMES_NR	64

static int list_fd = -1;
static bool list_is_own;
static bool list_ended;
static bool list_paused;
static const int *has_failed;
static const char *names[NAMES_NR];

/* One write() for a line, as threads and children write to the same file */
static void put_line(const char *line, int len)
{
	if (len < 0)
		return;
	if (len > LINE_MAX_LEN - 1)
		len = LINE_MAX_LEN - 1;
	if (write(list_fd, line, len) != len)
		list_fd = -1;
}

static bool begin_line(void)
{
	if (list_fd < 0 || list_paused)
		return false;
	if (!list_ended && __atomic_load_n(has_failed, __ATOMIC_RELAXED)) {
		list_ended = true;
		put_line("!\n", 2);
	}
	return list_fd >= 0;
}

static void put(const char *mark, const char *fmt, va_list args)
{
	char line[LINE_MAX_LEN], text[LINE_MAX_LEN - 32];
	int len;

	vsnprintf(text, sizeof(text), fmt, args);
	len = snprintf(line, sizeof(line), "%s%s\n", mark, text);
	put_line(line, len);
}

int vmig_calls_start(const int *failed)
{
	const char *text = getenv("VFIO_CALLS");
	unsigned int number;

	has_failed = failed;
	list_ended = false;
	list_paused = false;
	if (text) {
		if (vmig_number(text, 65535, &number) || fcntl(number, F_GETFD) < 0)
			return -EBADF;
		list_fd = number;
		list_is_own = false;
		return 0;
	}

	list_fd = memfd_create("calls", MFD_CLOEXEC);
	list_is_own = true;
	return list_fd < 0 ? -errno : 0;
}

void vmig_calls_restart(const char *fmt, ...)
{
	va_list args;

	if (!begin_line())
		return;
	va_start(args, fmt);
	put("= ", fmt, args);
	va_end(args);
}

void vmig_calls_pause(bool pause)
{
	list_paused = pause;
}

/* Set @from and @to to the lines from the last "=" before the first "!" */
static void select_lines(char *list, char **from, char **to)
{
	char *line, *next;

	*from = list;
	for (line = list; *line; line = next) {
		next = line + strcspn(line, "\n");
		next += *next == '\n';
		if (*line == '!')
			break;
		if (*line == '=')
			*from = line;
	}
	*to = line;
}

/* "> TID CALL" and the "< TID RESULT" behind it become one line */
static void print_lines(char *from)
{
	const char *call = NULL;
	char *line;

	for (line = strtok(from, "\n"); line; line = strtok(NULL, "\n")) {
		if (*line == '<' && call) {
			printf("# call: %s = %s\n", call, line + 2 + strcspn(line + 2, " ") + 1);
			call = NULL;
			continue;
		}
		if (call)
			printf("# call: %s\n", call);
		call = *line == '>' ? line + 2 + strcspn(line + 2, " ") + 1 : NULL;
		if (!call)
			printf("# call: %s\n", line);
	}
	if (call)
		printf("# call: %s: did not return\n", call);
	fflush(stdout);
}

void vmig_calls_print(void)
{
	const off_t size = 16384;
	char *text, *from, *to;
	ssize_t len;
	off_t end;

	if (list_fd < 0 || !list_is_own)
		return;
	text = calloc(1, size);
	end = lseek(list_fd, 0, SEEK_END);
	if (!text || end < 0)
		goto out;
	/* Its end, if it is too long to be printed */
	len = pread(list_fd, text, size - 1, end < size ? 0 : end - size + 1);
	if (len > 0) {
		select_lines(text, &from, &to);
		*to = '\0';
		print_lines(from);
	}
out:
	free(text);
}

void vmig_calls_name(int fd, const char *name)
{
	if (fd >= 0 && fd < NAMES_NR)
		names[fd] = name;
}

/* Into @text, of 24 bytes */
static const char *name_of(int fd, char *text)
{
	if (fd >= 0 && fd < NAMES_NR && names[fd])
		return names[fd];
	snprintf(text, 24, "fd %d", fd);
	return text;
}

void vmig_call_text(const char *fmt, ...)
{
	char mark[32];
	va_list args;

	if (!begin_line())
		return;
	snprintf(mark, sizeof(mark), "> %ld ", (long)syscall(SYS_gettid));
	va_start(args, fmt);
	put(mark, fmt, args);
	va_end(args);
}

static void put_result(int64_t ret, const char *more)
{
	int err = errno;
	char line[LINE_MAX_LEN];
	const char *name;
	int len;

	if (list_fd < 0 || list_paused)
		return;
	if (ret == -1) {
		name = strerrorname_np(err);
		len = snprintf(line, sizeof(line), "< %ld -1 %s\n",
			       (long)syscall(SYS_gettid), name ? name : "?");
	} else {
		len = snprintf(line, sizeof(line), "< %ld %lld%s\n",
			       (long)syscall(SYS_gettid), (long long)ret, more);
	}
	put_line(line, len);
	errno = err;
}

void vmig_call_result(int64_t ret)
{
	put_result(ret, "");
}

int vmig_call_ioctl(int fd, unsigned long request, void *arg)
{
	char text[LINE_MAX_LEN - 32], name[24];
	int ret;

	if (list_fd < 0 || list_paused)
		return ioctl(fd, request, arg);

	vmig_calls_describe(request, arg, text, sizeof(text));
	vmig_call_text("ioctl(%s, %s)", name_of(fd, name), text);
	ret = ioctl(fd, request, arg);
	text[0] = '\0';
	if (!ret)
		vmig_calls_describe_result(request, arg, text, sizeof(text));
	put_result(ret, text);
	if (!ret && request == VFIO_DEVICE_RESET)
		vmig_calls_restart("%s was reset", name_of(fd, name));
	return ret;
}

ssize_t vmig_call_read(int fd, void *buf, size_t len)
{
	char name[24];
	ssize_t ret;

	vmig_call_text("read(%s, %zu)", name_of(fd, name), len);
	ret = read(fd, buf, len);
	put_result(ret, "");
	return ret;
}

ssize_t vmig_call_write(int fd, const void *buf, size_t len)
{
	char name[24];
	ssize_t ret;

	vmig_call_text("write(%s, %zu)", name_of(fd, name), len);
	ret = write(fd, buf, len);
	put_result(ret, "");
	return ret;
}

ssize_t vmig_call_pread(int fd, void *buf, size_t len, uint64_t offset)
{
	char name[24];
	ssize_t ret;

	vmig_call_text("pread(%s, %zu, %#llx)", name_of(fd, name), len,
		       (unsigned long long)offset);
	ret = pread(fd, buf, len, offset);
	put_result(ret, "");
	return ret;
}

ssize_t vmig_call_pwrite(int fd, const void *buf, size_t len, uint64_t offset)
{
	char name[24];
	ssize_t ret;

	vmig_call_text("pwrite(%s, %zu, %#llx)", name_of(fd, name), len,
		       (unsigned long long)offset);
	ret = pwrite(fd, buf, len, offset);
	put_result(ret, "");
	return ret;
}

int vmig_call_poll(struct pollfd *pfd, int timeout_ms)
{
	char name[24], revents[32];
	int ret;

	vmig_call_text("poll(%s, %#x, %d)", name_of(pfd->fd, name), pfd->events,
		       timeout_ms);
	ret = poll(pfd, 1, timeout_ms);
	snprintf(revents, sizeof(revents), ", revents %#x", pfd->revents);
	put_result(ret, ret > 0 ? revents : "");
	return ret;
}

void *vmig_call_mmap(size_t len, int prot, int flags, int fd, uint64_t offset)
{
	char name[24];
	void *ret;

	vmig_call_text("mmap(%zu, %#x, %#x, %s, %#llx)", len, prot, flags, name_of(fd, name),
		       (unsigned long long)offset);
	ret = mmap(NULL, len, prot, flags, fd, offset);
	put_result(ret == MAP_FAILED ? -1 : 0, "");
	return ret;
}

int vmig_call_close(int fd)
{
	char name[24];
	int ret;

	vmig_call_text("close(%s)", name_of(fd, name));
	ret = close(fd);
	put_result(ret, "");
	vmig_calls_name(fd, NULL);
	return ret;
}
