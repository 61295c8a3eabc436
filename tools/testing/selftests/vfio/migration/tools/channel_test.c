// SPDX-License-Identifier: GPL-2.0-only
/*
 * The channels of a stream (lib/vmm/channel.h): a peer that is missing is an error, a file
 * is replaced when it is complete, and the verdict of the source when all was sent.
 */
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* To bring up the loopback device */
#define NEEDS_ROOT
#define WITHOUT_DEVICE
#include "tools/fixture.h"

#define PORT		7533
#define DEADLINE_MS	30000

FIXTURE(channel) {
	struct vmig_patience patience;
	struct vmig_channel ch;
	char dir[32];
	char path[64];
	pid_t child;
};

FIXTURE_SETUP(channel)
{
	vmig_peer_loopback_up();
	self->patience = (struct vmig_patience) { SILENCE_MS, -1 };
	self->ch.fd = -1;
	snprintf(self->dir, sizeof(self->dir), "/tmp/channel-test.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
	snprintf(self->path, sizeof(self->path), "%s/stream", self->dir);
}

FIXTURE_TEARDOWN(channel)
{
	char command[64];

	vmig_channel_abort(&self->ch);
	if (self->child) {
		kill(self->child, SIGKILL);
		waitpid(self->child, NULL, 0);
	}
	snprintf(command, sizeof(command), "rm -rf %s", self->dir);
	EXPECT_EQ(0, system(command));
}

static int open_channel(FIXTURE_DATA(channel) *self, const char *name,
			enum vmig_channel_way way)
{
	return vmig_channel_open(&self->ch, name, way, &self->patience);
}

/* A TCP connection, one end of it opened as "fd:N" */
static int open_tcp(FIXTURE_DATA(channel) *self, enum vmig_channel_way way,
		    int *peer)
{
	int fd = open_connection(PORT, peer), ret;
	char name[16];

	if (fd < 0)
		return fd;
	snprintf(name, sizeof(name), "fd:%d", fd);
	ret = open_channel(self, name, way);
	close(fd);
	return ret;
}

/* Library: a named pipe without a peer: open() has a limit, too */
TEST_F(channel, named_pipe_without_a_peer)
{
	char byte;

	ASSERT_EQ(0, mkfifo(self->path, 0600));
	vmig_signals_start(SIGNALS_US);
	EXPECT_RET(-ETIMEDOUT, open_channel(self, self->path,
					    VMIG_CHANNEL_WRITE), "write");
	ASSERT_RET(0, open_channel(self, self->path, VMIG_CHANNEL_READ), "read");
	EXPECT_RET(-ETIMEDOUT, vmig_io_read(self->ch.fd, &byte, 1,
					    &self->patience), "read");
	vmig_signals_stop();
}

/* Library: each kind of wait can be cancelled: ECANCELED, and nothing was sent */
TEST_F(channel, waits_can_be_cancelled)
{
	static const uint8_t data[LEN];
	int fd[2], peer;
	char byte;

	self->patience.timeout_ms = -1;
	self->patience.cancel_fd = eventfd(1, EFD_CLOEXEC);
	ASSERT_LE(0, self->patience.cancel_fd);
	ASSERT_EQ(0, mkfifo(self->path, 0600));
	EXPECT_RET(-ECANCELED, open_channel(self, self->path,
					    VMIG_CHANNEL_WRITE), "FIFO");
	EXPECT_RET(-ECANCELED, open_channel(self, "tcp::7533",
					    VMIG_CHANNEL_READ), "accept");
	ASSERT_EQ(0, pipe2(fd, O_CLOEXEC));
	EXPECT_RET(-ECANCELED, vmig_io_read(fd[0], &byte, 1, &self->patience),
		   "read");
	EXPECT_RET(-ECANCELED, vmig_io_write(fd[1], data, 1, &self->patience),
		   "write");
	EXPECT_RET(-EAGAIN, fcntl(fd[0], F_SETFL, O_NONBLOCK) ? -errno :
		   read(fd[0], &byte, 1) < 0 ? -errno : 0, "nothing was written");
	ASSERT_RET(0, open_tcp(self, VMIG_CHANNEL_WRITE, &peer), "TCP");
	EXPECT_RET(-ECANCELED, vmig_channel_finish(&self->ch), "finish");
	close(self->patience.cancel_fd);
	close(peer);
	close(fd[0]);
	close(fd[1]);
}

/* Library: vmig_channel_verdict(): once all was sent, only a reset is a refusal */
TEST_F(channel, verdict)
{
	static const int silent[] = {
		-ETIMEDOUT, -EHOSTUNREACH, -ENETUNREACH, -EPIPE, -EINTR,
		-ENOTCONN, -EPROTO, -EIO, -ECANCELED, -EAGAIN,
	};
	struct vmig_channel tcp = { .is_tcp = true }, file = { .is_tcp = false };
	unsigned int i;

	EXPECT_EQ(VMIG_CHANNEL_TAKEN, vmig_channel_verdict(&tcp, true, 0));
	EXPECT_EQ(VMIG_CHANNEL_TAKEN, vmig_channel_verdict(&file, true, 0));
	EXPECT_EQ(VMIG_CHANNEL_REFUSED,
		  vmig_channel_verdict(&tcp, true, -ECONNRESET));
	for (i = 0; i < ARRAY_SIZE(silent); i++) {
		EXPECT_EQ(VMIG_CHANNEL_UNSURE,
			  vmig_channel_verdict(&tcp, true, silent[i]))
			TH_LOG("%s", vmig_errno_name(silent[i]));
		EXPECT_EQ(VMIG_CHANNEL_REFUSED,
			  vmig_channel_verdict(&tcp, false, silent[i]));
		EXPECT_EQ(VMIG_CHANNEL_REFUSED,
			  vmig_channel_verdict(&file, true, silent[i]));
	}
}

enum end { IN_ORDER, RESET, SILENCE, A_BYTE };

static int see_end(FIXTURE_DATA(channel) *self, enum end end,
		   enum vmig_channel_end *verdict)
{
	char buf[8];
	int peer, ret;

	ret = open_tcp(self, VMIG_CHANNEL_WRITE, &peer);
	if (ret)
		return ret;
	if (vmig_io_write(self->ch.fd, "all", 3, &self->patience))
		return -EIO;
	self->child = fork();
	if (!self->child) {
		vmig_channel_abort(&(struct vmig_channel) { .fd = self->ch.fd });
		if (vmig_io_read(peer, buf, sizeof(buf), NULL) != 3)
			_exit(1);
		/* The writer shuts down its direction, and waits */
		if (vmig_io_read(peer, buf, sizeof(buf), NULL))
			_exit(1);
		if (end == A_BYTE && write(peer, "x", 1) != 1)
			_exit(1);
		if (end == RESET)
			vmig_peer_reset(peer);
		if (end == RESET || end == IN_ORDER)
			_exit(0);
		pause();
	}
	close(peer);
	vmig_signals_start(SIGNALS_US);
	if (end != SILENCE)
		self->patience.timeout_ms = DEADLINE_MS;
	ret = vmig_channel_finish(&self->ch);
	vmig_signals_stop();
	*verdict = vmig_channel_verdict(&self->ch, true, ret);
	self->patience.timeout_ms = SILENCE_MS;
	kill(self->child, SIGKILL);
	waitpid(self->child, NULL, 0);
	self->child = 0;
	return ret;
}

/* Library: signals during the wait do not change the verdict */
TEST_F(channel, end_of_a_connection_under_signals)
{
	static const struct {
		enum end end;
		int ret;
		enum vmig_channel_end verdict;
	} rows[] = {
		{ IN_ORDER, 0, VMIG_CHANNEL_TAKEN },
		{ RESET, -ECONNRESET, VMIG_CHANNEL_REFUSED },
		{ SILENCE, -ETIMEDOUT, VMIG_CHANNEL_UNSURE },
		{ A_BYTE, -EPROTO, VMIG_CHANNEL_UNSURE },
	};
	enum vmig_channel_end verdict = VMIG_CHANNEL_TAKEN;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT_RET(rows[i].ret, see_end(self, rows[i].end, &verdict),
			   "row %u", i);
		EXPECT_EQ(rows[i].verdict, verdict) TH_LOG("row %u", i);
	}
}

/* Library: the reader resets before the writer waits: a refusal */
TEST_F(channel, early_reset)
{
	struct tcp_info info = { .tcpi_state = TCP_ESTABLISHED };
	socklen_t size = sizeof(info);
	int peer, ret;

	ASSERT_RET(0, open_tcp(self, VMIG_CHANNEL_WRITE, &peer), "open");
	vmig_peer_reset(peer);
	while (info.tcpi_state == TCP_ESTABLISHED)
		ASSERT_EQ(0, getsockopt(self->ch.fd, IPPROTO_TCP, TCP_INFO,
					&info, &size));
	ret = vmig_channel_finish(&self->ch);
	EXPECT_RET(-ECONNRESET, ret, "finish");
	EXPECT_EQ(VMIG_CHANNEL_REFUSED,
		  vmig_channel_verdict(&self->ch, true, ret));
}

/* Library: finish and abort reach the peer also if a duplicate descriptor is open */
TEST_F(channel, shared_connection)
{
	int peer, shared, error;
	char byte;

	ASSERT_RET(0, open_tcp(self, VMIG_CHANNEL_READ, &peer), "open");
	shared = dup(self->ch.fd);
	EXPECT_RET(0, vmig_channel_finish(&self->ch), "finish");
	self->patience.timeout_ms = DEADLINE_MS;
	EXPECT_EQ(0, vmig_io_read(peer, &byte, 1, &self->patience));
	close(shared);
	close(peer);

	ASSERT_RET(0, open_tcp(self, VMIG_CHANNEL_READ, &peer), "open");
	shared = dup(self->ch.fd);
	vmig_channel_abort(&self->ch);
	error = vmig_io_read(peer, &byte, 1, &self->patience);
	EXPECT_RET(-ECONNRESET, error, "abort");
	close(shared);
	close(peer);
}

/* Library: another socket than TCP has no verdict: finish succeeds */
TEST_F(channel, other_sockets)
{
	char name[16];
	int fd[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	snprintf(name, sizeof(name), "fd:%d", fd[0]);
	ASSERT_RET(0, open_channel(self, name, VMIG_CHANNEL_WRITE), "open");
	EXPECT_FALSE(self->ch.is_tcp);
	EXPECT_RET(0, vmig_io_write(self->ch.fd, "all", 3, NULL), "write");
	EXPECT_RET(0, vmig_channel_finish(&self->ch), "finish");
	close(fd[0]);
	close(fd[1]);
}

static void expect_accepted(struct __test_metadata *_metadata,
			    FIXTURE_DATA(channel) *self, int family, bool has_v6)
{
	int fd, ret;

	self->child = fork();
	if (!self->child) {
		if (!has_v6)
			vmig_deny(__NR_socket, AF_INET6, EAFNOSUPPORT);
		self->patience.timeout_ms = DEADLINE_MS;
		ret = open_channel(self, "tcp::7533", VMIG_CHANNEL_READ);
		_exit(ret ? 1 : vmig_channel_finish(&self->ch));
	}
	fd = vmig_peer_connect(family, PORT);
	if (family == AF_INET6 && (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL)) {
		TH_LOG("no IPv6 on this kernel");
	} else {
		ASSERT_RET(0, fd < 0 ? fd : 0, "connect");
		EXPECT_EQ(0, vmig_peer_read_all(fd));
		EXPECT_EQ(self->child, waitpid(self->child, &ret, 0));
		EXPECT_EQ(0, ret);
		close(fd);
		self->child = 0;
	}
}

/* Library: tcp::PORT listens on all addresses, of IPv6 and IPv4, or of IPv4 alone */
TEST_F(channel, all_addresses)
{
	expect_accepted(_metadata, self, AF_INET, true);
	expect_accepted(_metadata, self, AF_INET, false);
	expect_accepted(_metadata, self, AF_INET6, true);
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	fputs(text, file);
	fclose(file);
}

static const char *read_text(const char *path)
{
	static char text[64];
	FILE *file = fopen(path, "r");

	if (!file)
		return "none";
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

static unsigned int count_files(const char *dir)
{
	unsigned int nr = 0;
	DIR *list = opendir(dir);

	while (readdir(list))
		nr++;
	closedir(list);
	return nr - 2;
}

static int write_new(FIXTURE_DATA(channel) *self)
{
	int ret = open_channel(self, self->path, VMIG_CHANNEL_WRITE);

	return ret ? ret : vmig_io_write(self->ch.fd, "new", 3, NULL);
}

/* Library: a file is replaced when the stream is complete, and keeps its mode */
TEST_F(channel, file_is_replaced_when_complete)
{
	struct stat st;

	ASSERT_RET(0, write_new(self), "open");
	EXPECT_STREQ("none", read_text(self->path));
	vmig_channel_abort(&self->ch);
	EXPECT_EQ(0, count_files(self->dir));

	write_text(self->path, "old");
	ASSERT_EQ(0, chmod(self->path, 0640));
	ASSERT_RET(0, write_new(self), "open");
	EXPECT_STREQ("old", read_text(self->path));
	vmig_channel_abort(&self->ch);
	EXPECT_STREQ("old", read_text(self->path));
	EXPECT_EQ(1, count_files(self->dir));

	ASSERT_RET(0, write_new(self), "open");
	EXPECT_RET(0, vmig_channel_finish(&self->ch), "finish");
	EXPECT_STREQ("new", read_text(self->path));
	ASSERT_EQ(0, stat(self->path, &st));
	EXPECT_EQ(0640, st.st_mode & 07777);
	EXPECT_EQ(1, count_files(self->dir));
}

/* Library: a symbolic link stays a link; a new file has the mode of umask() */
TEST_F(channel, file_behind_a_link)
{
	char file[64];
	struct stat st;

	snprintf(file, sizeof(file), "%s/file", self->dir);
	write_text(file, "old");
	ASSERT_EQ(0, symlink("file", self->path));
	ASSERT_RET(0, write_new(self), "open");
	EXPECT_RET(0, vmig_channel_finish(&self->ch), "finish");
	EXPECT_STREQ("new", read_text(file));
	ASSERT_EQ(0, lstat(self->path, &st));
	EXPECT_TRUE(S_ISLNK(st.st_mode));

	ASSERT_EQ(0, unlink(self->path));
	umask(027);
	ASSERT_RET(0, write_new(self), "open");
	EXPECT_RET(0, vmig_channel_finish(&self->ch), "finish");
	ASSERT_EQ(0, stat(self->path, &st));
	EXPECT_EQ(0640, st.st_mode & 07777);
}

/* Library: a symbolic link to a missing file is refused, and stays */
TEST_F(channel, dangling_link)
{
	struct stat st;

	ASSERT_EQ(0, symlink("nothing", self->path));
	EXPECT_RET(-ENOENT, write_new(self), "open");
	ASSERT_EQ(0, lstat(self->path, &st));
	EXPECT_TRUE(S_ISLNK(st.st_mode));
	EXPECT_EQ(1, count_files(self->dir));
}

/* Move the file to another descriptor; returns the old one */
static int move_up(FIXTURE_DATA(channel) *self, int number)
{
	int low = self->ch.fd;

	self->ch.fd = fcntl(low, F_DUPFD_CLOEXEC, number);
	close(low);
	return low;
}

/* Library: a failed fsync(), of file or directory: an error, and the old file is kept */
TEST_F(channel, fsync_fails)
{
	int low;

	write_text(self->path, "old");
	ASSERT_RET(0, write_new(self), "open");
	low = move_up(self, 100);
	ASSERT_RET(0, vmig_deny(__NR_fsync, 100, EIO), "seccomp");
	EXPECT_RET(-EIO, vmig_channel_finish(&self->ch), "of the file");
	EXPECT_STREQ("old", read_text(self->path));
	EXPECT_EQ(1, count_files(self->dir));

	/* fsync() of the directory, whose descriptor is the lowest */
	ASSERT_RET(0, write_new(self), "open");
	ASSERT_EQ(low, move_up(self, 101));
	ASSERT_RET(0, vmig_deny(__NR_fsync, low, EIO), "seccomp");
	EXPECT_RET(-EIO, vmig_channel_finish(&self->ch), "of the directory");
	EXPECT_STREQ("old", read_text(self->path));
	EXPECT_EQ(1, count_files(self->dir));

	ASSERT_EQ(0, unlink(self->path));
	ASSERT_RET(0, write_new(self), "open");
	ASSERT_EQ(low, move_up(self, 101));
	EXPECT_RET(-EIO, vmig_channel_finish(&self->ch), "of a new file");
	EXPECT_EQ(0, count_files(self->dir));
}

TEST_HARNESS_MAIN
