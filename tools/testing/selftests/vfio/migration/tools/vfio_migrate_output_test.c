// SPDX-License-Identifier: GPL-2.0-only
/*
 * The output of vfio-migrate: an error if it cannot be printed, valid JSON, and no effect
 * on the stream or the migration.
 */
#include <termios.h>

#include "tools/fixture.h"

#define STREAM		"/tmp/vfio-migrate-output.stream"

FIXTURE(output) {
	TOOL_MEMBERS;
	int full;
	int dead;
};

FIXTURE_SETUP(output)
{
	int fd[2];

	OPEN_TOOL();
	self->full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, self->full);
	ASSERT_EQ(0, pipe2(fd, O_CLOEXEC));
	close(fd[0]);
	self->dead = fd[1];
}

FIXTURE_TEARDOWN(output)
{
	close(self->full);
	close(self->dead);
	CLOSE_TOOL();
}

/* The exit status, with this standard output; standard error is in "out" */
#define RUN_TO(_fd, _fmt, ...) ({ \
	pid_t run_to_pid = START(-1, _fd, _fmt, ##__VA_ARGS__); \
\
	vmig_tool_read(self->printed, self->out, sizeof(self->out)); \
	vmig_tool_finish(run_to_pid); \
})

/* Tool: standard output is full, or has no reader: 7, and a message; all else is done */
TEST_F(output, output_that_cannot_be_printed)
{
	static const char * const words[] = {
		"save %s " STREAM, "save --json %s " STREAM,
		"load %s " STREAM, "load --json %s " STREAM,
		"inspect " STREAM, "inspect --json " STREAM, "--help",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		EXPECT_EQ(NO_OUTPUT, RUN_TO(self->full, words[i], self->src.uuid))
			TH_LOG("%s", words[i]);
		EXPECT_OUT("cannot print: No space left on device");
		EXPECT_EQ(NO_OUTPUT, RUN_TO(self->dead, words[i], self->src.uuid))
			TH_LOG("%s", words[i]);
		EXPECT_OUT("cannot print: Broken pipe");
	}
	EXPECT_RUN(DONE, "inspect " STREAM);
	EXPECT_EQ(DONE, RUN_TO(self->full, "save --quiet %s " STREAM,
			       self->src.uuid));
}

/* Tool: the exit status is that of the first error */
TEST_F(output, first_error_counts)
{
	pid_t pid;

	EXPECT_EQ(FAILED, RUN_TO(self->full,
				 "save --json --guest=20 %s /tmp/not/there",
				 self->src.uuid));
	EXPECT_OUT("No such file or directory");
	EXPECT_OUT("cannot print");
	pid = vmig_tool_start(TOOL(-1, self->dead, self->dead),
			      "save --guest=20 %s /tmp/not/there",
			      self->src.uuid);
	EXPECT_EQ(FAILED, vmig_tool_finish(pid));
	EXPECT_EQ(BROKEN, RUN_TO(self->full, "inspect --json /dev/null"));
}

static void close_all(void)
{
	close_range(STDIN_FILENO, STDERR_FILENO, 0);
}

/* Tool: without descriptors 0 to 2, no output gets into the files that it opens */
TEST_F(output, closed_descriptors)
{
	EXPECT_EQ(NO_OUTPUT, RUN_PREPARED(close_all, "save --guest=20 %s " STREAM,
					  self->src.uuid));
	EXPECT_RUN(DONE, "inspect " STREAM);
	EXPECT_EQ(FAILED, RUN_PREPARED(close_all, "load %s -", self->src.uuid));
	EXPECT_EQ(FAILED, RUN_PREPARED(close_all, "save %s -", self->src.uuid));
}

static void copy_output(void)
{
	dup2(STDOUT_FILENO, 9);
}

/* Tool: with the stream on standard output by any name, nothing else is printed there */
TEST_F(output, stream_on_standard_output)
{
	static const char * const names[] = {
		"-", "fd:1", "fd:01", "fd:9", "/dev/fd/1", "/proc/self/fd/9",
	};
	char name[64];
	unsigned int i;
	int fd[2];
	pid_t pid;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		ASSERT_EQ(0, pipe2(fd, O_CLOEXEC));
		pid = vmig_tool_start(PREPARED(copy_output, -1, fd[1], -1),
				      "save --json %s %s", self->src.uuid,
				      names[i]);
		close(fd[1]);
		snprintf(name, sizeof(name), "fd:%d", fd[0]);
		EXPECT_EQ(DONE, vmig_tool_finish(pid)) TH_LOG("%s", names[i]);
		EXPECT_EQ(0, fcntl(fd[0], F_SETFD, 0));
		EXPECT_RUN(DONE, "inspect %s", name);
		EXPECT_OUT("whole: ");
		close(fd[0]);
	}
}

/* Length of a character in bytes, or 0 if it is not one (RFC 3629, section 4) */
static size_t character(const unsigned char *at)
{
	uint32_t code, least;
	size_t len, i;

	if (*at < 0x80)
		return 1;
	len = *at >= 0xf0 ? 4 : *at >= 0xe0 ? 3 : 2;
	least = len == 4 ? 0x10000 : len == 3 ? 0x800 : 0x80;
	code = *at & (0xff >> (len + 1));
	if (*at < 0xc0 || *at > 0xf7)
		return 0;
	for (i = 1; i < len; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (at[i] & 0x3f);
	}
	return code < least || code > 0x10ffff ||
	       (code >= 0xd800 && code < 0xe000) ? 0 : len;
}

static bool is_utf8(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	while (*at) {
		size_t len = character(at);

		if (!len)
			return false;
		at += len;
	}
	return true;
}

/* Tool: --json prints UTF-8: a byte that is not becomes U+FFFD */
TEST_F(output, json_is_utf8)
{
	static const char * const bad[] = {
		"\xff\xfe", "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xc0\xaf",
		"\xe0\x80\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80",
		"\xf4\x90\x80\x80", "\x80",
	};
	char name[600];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(FAILED, RUN("save --json --guest=1 %s /tmp/not/%s/it",
				      self->src.uuid, bad[i]));
		EXPECT_OUT("\\ufffd");
		/* Standard error has the name unchanged */
		EXPECT_TRUE(is_utf8(strchr(self->out, '{')))
			TH_LOG("row %u: %s", i, self->out);
	}
	/* Valid characters stay: two, three and four bytes, quotes, a control */
	RUN("save --json --guest=1 %s /tmp/not/\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"\\\x01",
	    self->src.uuid);
	EXPECT_OUT("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\\\"\\\\\\u0001");
	/* A long name leaves room for the reason, at each place of its cut */
	for (i = 250; i < 256; i++) {
		memset(name, 0, sizeof(name));
		while (strlen(name) < 2 * i)
			strcat(name, "\xc3\xa4");
		name[i] = '/';
		RUN("save --json --guest=1 %s /tmp/%s", self->src.uuid,
		    name + (i % 2 ? 0 : 1));
		EXPECT_OUT("No such file or directory\"");
		EXPECT_TRUE(is_utf8(strchr(self->out, '{')));
	}
}

/* Tool: a terminal that is stopped (^S) does not stop the migration */
TEST_F(output, stopped_terminal)
{
	int tty, fd = open_terminal(&tty);
	pid_t pid;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, tcflow(tty, TCOOFF));
	pid = vmig_tool_start(TOOL(-1, -1, tty), "save --guest=20 %s " STREAM,
			      self->src.uuid);
	EXPECT_EQ(DONE, vmig_tool_finish(pid));
	close(tty);
	close(fd);
}

/* Tool: inspect --quiet prints only errors; a stream that cannot be read is not broken */
TEST_F(output, inspect)
{
	EXPECT_RUN(DONE, "save %s " STREAM, self->src.uuid);
	EXPECT_RUN(DONE, "inspect --quiet " STREAM);
	EXPECT_STREQ("", self->out);
	ASSERT_EQ(0, truncate(STREAM, 100));
	EXPECT_RUN(BROKEN, "inspect --quiet " STREAM);
	EXPECT_OUT("the stream ends too early");
	EXPECT_RUN(FAILED, "inspect /tmp");
	EXPECT_OUT("Is a directory");
	EXPECT_RUN(FAILED, "inspect --json /tmp");
	EXPECT_OUT("\"ok\":false,");
	EXPECT_RUN(FAILED, "load %s /tmp", self->src.uuid);
}

TEST_HARNESS_MAIN
