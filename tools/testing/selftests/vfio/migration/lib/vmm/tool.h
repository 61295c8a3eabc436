/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vfio-migrate as a child of a test.
 *
 * Functions return 0 or -errno, if nothing else is said; they neither judge nor
 * print.
 */
#ifndef VMIG_TOOL_H
#define VMIG_TOOL_H

#include <stddef.h>
#include <sys/types.h>

/* How long a child that is to do something may take for it */
#define VMIG_TOOL_DEADLINE_MS	60000

/* Exit status, as --help has them; a signal is what vmig_tool_finish() makes of it */
enum vmig_tool_status {
	DONE, FAILED, USAGE, BROKEN, DEVICE, UNSURE, LOST, NO_OUTPUT
};

/**
 * struct vmig_tool - where a child is to read and write
 * @in:		its standard input; -1 for /dev/null
 * @out:	its standard output, in the same way
 * @err:	its standard error
 * @prepare:	called in the child, behind the former; may be NULL
 */
struct vmig_tool {
	int in;
	int out;
	int err;
	void (*prepare)(void);
};

/**
 * vmig_tool_start - start vfio-migrate
 * @tool:	where it reads and writes
 * @fmt:	its command line, in words between which there are blanks
 *
 * Return: its pid, or -1.
 */
pid_t vmig_tool_start(const struct vmig_tool *tool, const char *fmt, ...);

/**
 * vmig_tool_finish - wait until it has ended
 * @pid:	from vmig_tool_start()
 *
 * Return: its exit status, or -1000 - SIGNAL, -SIGKILL if it had to be killed as it
 * did not end in VMIG_TOOL_DEADLINE_MS.
 */
int vmig_tool_finish(pid_t pid);

/**
 * vmig_tool_wait_state - wait until it is in a state
 * @pid:	from vmig_tool_start()
 * @state:	letter as in /proc/PID/stat
 *
 * Return: 0, or -ETIMEDOUT after VMIG_TOOL_DEADLINE_MS.
 */
int vmig_tool_wait_state(pid_t pid, char state);

/**
 * vmig_tool_read - read all that is written to a pipe or the like, until its end, or
 *		    until nothing comes for VMIG_TOOL_DEADLINE_MS
 * @fd:		closed afterwards
 * @text:	filled in, terminated
 * @size:	its size; what is more is lost
 */
void vmig_tool_read(int fd, char *text, size_t size);

#endif /* VMIG_TOOL_H */
