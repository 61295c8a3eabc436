/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the tests of vfio-migration-conformance. They need no device: the programs that
 * it runs are shell scripts in a directory that the fixture makes.
 */
#ifndef VMIG_CONFORMANCE_FIXTURE_H
#define VMIG_CONFORMANCE_FIXTURE_H

#include <sys/mount.h>
#include <sys/sysmacros.h>

#define WITHOUT_DEVICE
#define STREAM	"unused"
#include "tools/fixture.h"

/* Exit status, as in conformance/conformance.h */
enum { KEPT, VIOLATED, INCOMPLETE, CRASHED, NO_DEVICE };

#define CLAUSE(_id, _more) \
	"Id: " _id "\n" \
	"Symbol: enum vfio_device_mig_state\n" \
	"Since: 5.18\n" \
	"By: driver\n" \
	"Text: This is what " _id "\n" \
	" asks for.\n" _more "\n"

#define MUST	"Level: MUST\n"

/* Whatever the test gives as device, it must be a character device */
#define A_DEVICE	"/dev/null"

#define RUNNER		"exec ./vfio-migration-conformance"

FIXTURE(conformance) {
	char dir[64];
	char out[262144];
	int printed;
};

/* A file in the fixture's directory, that can be executed */
static inline void write_file(const char *dir, const char *name, const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		perror(path);
	close(fd);
}

/* Content of a file in the fixture's directory; 0, or -errno and "" */
static inline int read_file(const char *dir, const char *name, char *text, size_t size)
{
	char path[128];
	int ret;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	ret = vmig_read_file(path, text, size);
	if (ret)
		*text = '\0';
	return ret;
}

/*
 * A test program: @cases is what "PROGRAM --cases" prints, with printf's escapes; @body has
 * "CASE) COMMANDS;;" for each. $dir is the fixture's directory.
 */
static inline void write_program(const char *dir, const char *name, const char *cases,
				 const char *body)
{
	char text[16384];

	snprintf(text, sizeof(text), "#!/bin/sh\ndir=%s\n"
		 "if [ \"$1\" = --cases ]; then printf '%s'; exit; fi\n"
		 "case $2 in\n%s\nesac\n", dir, cases, body);
	write_file(dir, name, text);
}

/* Start the runner in a shell: @fmt is the rest of its command line */
static inline pid_t start(const char *dir, int out, void (*prepare)(void), const char *fmt, ...)
{
	char rest[2048], command[4096];
	va_list args;
	pid_t pid;

	va_start(args, fmt);
	vsnprintf(rest, sizeof(rest), fmt, args);
	va_end(args);
	snprintf(command, sizeof(command), RUNNER " --programs %s --clauses %s/clauses %s", dir,
		 dir, rest);
	pid = fork();
	if (pid)
		return pid;
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	if (prepare)
		prepare();
	execl("/bin/sh", "sh", "-c", command, NULL);
	_exit(127);
}

#define START_RUNNER(_prepare, _fmt, ...) ({ \
	int pipe_fd[2]; \
	pid_t start_pid; \
\
	ASSERT_EQ(0, pipe2(pipe_fd, O_CLOEXEC)); \
	start_pid = start(self->dir, pipe_fd[1], _prepare, _fmt, ##__VA_ARGS__); \
	close(pipe_fd[1]); \
	self->printed = pipe_fd[0]; \
	start_pid; \
})

/* Run it with a device, and keep what it prints in "out" */
#define EXPECT_RUNNER(_status, _fmt, ...) \
	EXPECT_PREPARED(_status, NULL, "--device " A_DEVICE " " _fmt, ##__VA_ARGS__)

/* The same with a function to be called before, and no device */
#define EXPECT_PREPARED(_status, _prepare, _fmt, ...) do { \
	pid_t runner_pid = START_RUNNER(_prepare, _fmt, ##__VA_ARGS__); \
\
	EXPECT_STARTED(_status, runner_pid); \
} while (0)

#define EXPECT_NOT_OUT(_text) \
	EXPECT_EQ(NULL, strstr(self->out, _text)) { \
		TH_LOG("unexpected: %s", _text); \
		TH_LOG("%s", self->out); \
	}

/* "stub_test": its cases and its body */
#define PROGRAM(...)	write_program(self->dir, "stub_test", __VA_ARGS__)

/* The file has to be there: a text is not missing because its file is */
#define FILE_HAS(_name, _text) ({ \
	static char file_text[262144]; \
\
	ASSERT_RET(0, read_file(self->dir, _name, file_text, sizeof(file_text)), _name); \
	!!strstr(file_text, _text); \
})

FIXTURE_SETUP(conformance)
{
	snprintf(self->dir, sizeof(self->dir), "/tmp/conformance-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
	write_file(self->dir, "programs", "stub_test\n");
	write_file(self->dir, "clauses", CLAUSE("a.one", MUST) CLAUSE("a.two", MUST));
	write_file(self->dir, "mig_probe", "#!/bin/sh\necho offers: MIGRATION\n"
		   "echo state: RUNNING\n");
}

FIXTURE_TEARDOWN(conformance)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", self->dir);
	EXPECT_EQ(0, system(command));
}

#endif /* VMIG_CONFORMANCE_FIXTURE_H */
