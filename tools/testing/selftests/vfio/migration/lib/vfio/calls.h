/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System calls on VFIO files, and a list of them: a failed case shows the calls that led
 * to it. Nothing is listed before vmig_calls_start().
 *
 * The list has one line for each event:
 *   "= TEXT"		a new list begins: the device was opened, or reset
 *   "> TID TEXT"	a call begins
 *   "< TID RESULT"	it returned; without this line, it did not
 *   "!"		an expectation has failed since the line before
 *
 * The functions are the system calls of their names: -1 and errno on failure.
 */
#ifndef VMIG_CALLS_H
#define VMIG_CALLS_H

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * vmig_calls_start - begin to list calls
 * @failed:	becomes non-zero when an expectation fails; must stay valid
 *
 * The list goes to the file descriptor that the environment variable VFIO_CALLS has, or
 * else to a file in memory, for vmig_calls_print(). Children of fork() share it.
 *
 * Return: 0, -EBADF if VFIO_CALLS is no open descriptor, or another -errno.
 */
int vmig_calls_start(const int *failed);

/**
 * vmig_calls_restart - begin a new list: what came before is not needed to repeat it
 * @fmt:	what the list starts from
 */
void vmig_calls_restart(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * vmig_calls_print - print the list up to the first failure, as KTAP diagnostics
 *
 * Does nothing if the list goes to VFIO_CALLS.
 */
void vmig_calls_print(void);

/**
 * vmig_calls_name - name a file descriptor in the list
 * @fd:		the descriptor
 * @name:	a string that stays valid; NULL: "fd N" again
 */
void vmig_calls_name(int fd, const char *name);

int vmig_call_ioctl(int fd, unsigned long request, void *arg);

/**
 * vmig_call_error - the error of a call that returns 0 or -1
 * @ret:	what it has returned
 *
 * Another result leaves errno as an earlier call has set it, so it has an error of its own.
 *
 * Return: 0, -errno, or -EPROTO if it returned another value.
 */
static inline int vmig_call_error(int ret)
{
	if (ret < 0)
		return -errno;
	return ret ? -EPROTO : 0;
}

ssize_t vmig_call_read(int fd, void *buf, size_t len);
ssize_t vmig_call_write(int fd, const void *buf, size_t len);
ssize_t vmig_call_pread(int fd, void *buf, size_t len, uint64_t offset);
ssize_t vmig_call_pwrite(int fd, const void *buf, size_t len, uint64_t offset);
int vmig_call_poll(struct pollfd *pfd, int timeout_ms);
void *vmig_call_mmap(size_t len, int prot, int flags, int fd, uint64_t offset);
int vmig_call_close(int fd);

/**
 * vmig_call_text - list any other call
 * @fmt:	the call, such as "dup(device)"
 *
 * To be followed by vmig_call_result() in the same thread.
 */
void vmig_call_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * vmig_calls_pause - list nothing, or list calls again
 * @pause:	true: the calls that follow, of any thread, are shown as one, which
 *		vmig_call_text() has named
 */
void vmig_calls_pause(bool pause);

/**
 * vmig_call_result - list the result of a call
 * @ret:	-1: errno is shown; else this value
 *
 * errno does not change.
 */
void vmig_call_result(int64_t ret);

#endif /* VMIG_CALLS_H */
