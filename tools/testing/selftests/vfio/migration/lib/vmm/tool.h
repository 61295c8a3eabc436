/* SPDX-License-Identifier: GPL-2.0-only */
/* Run vfio-migrate as a child of a test. */
#ifndef VMIG_TOOL_H
#define VMIG_TOOL_H

#include <stddef.h>
#include <sys/types.h>

/* Limit of each wait for the child */
#define VMIG_TOOL_DEADLINE_MS	60000

/* Exit status, see vfio-migrate --help */
enum vmig_tool_status {
	DONE, FAILED, USAGE, BROKEN, DEVICE, UNSURE, LOST, NO_OUTPUT
};

/**
 * struct vmig_tool - standard descriptors of the child
 * @in:		standard input; -1 for /dev/null
 * @out:	standard output; -1 for /dev/null
 * @err:	standard error; -1 for /dev/null
 * @prepare:	called in the child when the descriptors are set; may be NULL
 */
struct vmig_tool {
	int in;
	int out;
	int err;
	void (*prepare)(void);
};

/**
 * vmig_tool_start - start vfio-migrate
 * @tool:	its standard descriptors
 * @fmt:	its command line; blanks separate words
 *
 * Return: its pid, or -1.
 */
pid_t vmig_tool_start(const struct vmig_tool *tool, const char *fmt, ...);

/**
 * vmig_tool_finish - wait for the end of the child
 * @pid:	from vmig_tool_start()
 *
 * Return: its exit status; -1000 - SIGNAL; or -SIGKILL if it was killed after
 * VMIG_TOOL_DEADLINE_MS.
 */
int vmig_tool_finish(pid_t pid);

/**
 * vmig_tool_wait_state - wait for a state of the child
 * @pid:	from vmig_tool_start()
 * @state:	letter as in /proc/PID/stat
 *
 * Return: 0, or -ETIMEDOUT after VMIG_TOOL_DEADLINE_MS.
 */
int vmig_tool_wait_state(pid_t pid, char state);

/**
 * vmig_tool_read - read up to the end, or up to a pause of VMIG_TOOL_DEADLINE_MS
 * @fd:		closed afterwards
 * @text:	filled in, terminated
 * @size:	of @text in bytes; the rest is dropped
 */
void vmig_tool_read(int fd, char *text, size_t size);

#endif /* VMIG_TOOL_H */
