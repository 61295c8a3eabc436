// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-migrate: the places a stream can go to, exit status, and that nothing is lost
 * when either side fails.
 */
#include <ctype.h>
#include <endian.h>

#include "tools/fixture.h"

#define STREAM		"/tmp/vfio-migrate-test.stream"
#define TCP		"tcp:127.0.0.1:7531"
#define PORT		7531
#define UUID		"01234567-89ab-cdef-0123-456789abcdef"

FIXTURE(migrate) {
	TOOL_MEMBERS;
};

FIXTURE_VARIANT(migrate) {
	const char *policy;
};

POLICY_VARIANTS(migrate);

FIXTURE_SETUP(migrate)
{
	OPEN_TOOL();
	ASSERT_EQ(0, vmig_mdev_set_attr(&self->src, "migration/config_policy",
					variant->policy));
	ASSERT_EQ(0, vmig_mdev_set_attr(&self->dst, "migration/config_policy",
					variant->policy));
}

FIXTURE_TEARDOWN(migrate)
{
	CLOSE_TOOL();
}

/* Tool: --config under each policy: exit status of save and load */
TEST_F(migrate, each_config_mode)
{
	/* @refused: by these policies */
	static const struct {
		const char *mode;
		const char *refused;
	} modes[] = {
		{ "auto", "" }, { "always", "" }, { "plain", "" },
		{ "last", "before-data" }, { "never", "before-data reorder" },
	};
	bool config_first = !strcmp(variant->policy, "before-data");
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		int status = strstr(modes[i].refused, variant->policy) ? BROKEN : DONE;

		EXPECT_RUN(DONE, "save --config %s %s " STREAM, modes[i].mode,
			   self->src.uuid);
		EXPECT_RUN(status, "load %s " STREAM, self->dst.uuid);
		if (status)
			EXPECT_OUT(config_first ? "data before config space" :
				   "made under is not loaded");
		EXPECT_RUN(status, "inspect " STREAM);
	}
}

/* A number of the JSON object; -1 if there is none of this name */
static long long json_number(const char *json, const char *name)
{
	char key[32];
	const char *at;

	snprintf(key, sizeof(key), "\"%s\":", name);
	at = strstr(json, key);
	return at ? strtoll(at + strlen(key), NULL, 10) : -1;
}

/* Both ports are counted, and what was sent has come back, and is in the log */
#define EXPECT_COUNTS() do { \
	long long sent_bytes = json_number(self->out, "sent"); \
	EXPECT_LT(0, sent_bytes); \
	EXPECT_EQ(sent_bytes, json_number(self->out, "received")); \
	EXPECT_EQ(sent_bytes, json_number(self->out, "logged")); \
	EXPECT_EQ(0, json_number(self->out, "lost")); \
} while (0)

/* Tool: a file: the guest continues in another process, and nothing is lost */
TEST_F(migrate, guest_through_a_file)
{
	EXPECT_RUN(DONE, "save --guest=100 --busy-config --json %s " STREAM,
		   self->src.uuid);
	EXPECT_OUT("\"result\":\"done\",\"exit\":0,");
	EXPECT_OUT("\"config_repeats\":0,");
	EXPECT_OUT(variant->policy);
	EXPECT_RUN(DONE, "load --guest=100 --json %s " STREAM, self->dst.uuid);
	EXPECT_COUNTS();
	EXPECT_LT(0, json_number(self->out, "config_changes"));
	EXPECT_OUT("\"error\":\"\"}\n");
	/* The guest in the stream is optional */
	EXPECT_RUN(DONE, "load %s " STREAM, self->dst.uuid);
}

/* Tool: "-": standard output and input, with nothing else in the stream */
TEST_F(migrate, pipe)
{
	pid_t save, load;
	int fd[2];

	ASSERT_EQ(0, pipe2(fd, O_CLOEXEC));
	save = vmig_tool_start(TOOL(-1, fd[1], -1), "save --guest=50 --json %s -",
			       self->src.uuid);
	load = vmig_tool_start(TOOL(fd[0], -1, -1), "load --guest=50 %s -",
			       self->dst.uuid);
	close(fd[0]);
	close(fd[1]);
	EXPECT_EQ(DONE, vmig_tool_finish(save));
	EXPECT_EQ(DONE, vmig_tool_finish(load));
}

/* Tool: a named pipe, and an open file descriptor by its number */
TEST_F(migrate, fifo_and_number)
{
	pid_t save, load;
	int fd;

	ASSERT_EQ(0, mkfifo(FIFO, 0600));
	load = START_SILENT("load %s " FIFO, self->dst.uuid);
	fd = open(FIFO, O_WRONLY);
	ASSERT_LE(0, fd);
	save = START_SILENT("save %s fd:%d", self->src.uuid, fd);
	close(fd);
	EXPECT_EQ(DONE, vmig_tool_finish(save));
	EXPECT_EQ(DONE, vmig_tool_finish(load));
}

/* Tool: no reader: save fails, the guest continues and has lost nothing */
TEST_F(migrate, no_reader)
{
	char dead[32];
	int fd[2];

	ASSERT_EQ(0, pipe(fd));
	close(fd[0]);
	snprintf(dead, sizeof(dead), "fd:%d", fd[1]);
	EXPECT_RUN(FAILED, "save --guest=100 --busy-config --json %s %s",
		   self->src.uuid, dead);
	EXPECT_OUT("Broken pipe");
	EXPECT_OUT("\"lost\":0,");
	close(fd[1]);
}

/* Tool: load of a cut stream: 3, and the device can be used again */
TEST_F(migrate, cut_stream)
{
	struct stat st;

	EXPECT_RUN(DONE, "save --guest=50 %s " STREAM, self->src.uuid);
	ASSERT_EQ(0, stat(STREAM, &st));
	ASSERT_EQ(0, truncate(STREAM, st.st_size - 1));
	EXPECT_RUN(BROKEN, "inspect " STREAM);
	EXPECT_OUT("broken at byte");
	EXPECT_RUN(BROKEN, "load --guest %s " STREAM, self->dst.uuid);
	EXPECT_OUT("the stream ends too early");
	EXPECT_RUN(DONE, "save %s " STREAM, self->src.uuid);
	EXPECT_RUN(DONE, "load %s " STREAM, self->dst.uuid);
}

TOOL_FIXTURE(cli);

/* Tool: a bad command line: 2, with a hint */
TEST_F(cli, usage)
{
	static const char * const bad[] = {
		"", "fly", "save", "save a", "save a b c", "load", "load a",
		"inspect", "inspect a b", "--fly", "save --config", "inspect -x",
		"save --config sometimes a b", "save --max-rounds x a b",
		"save --max-rounds -1 a b", "save --guest=1x a b",
		"save --timeout 0 a b", "save --unsure maybe a b",
		"save --busy-config a b", "save --dirty 0 a b",
		"save --dirty 1x a b", "save --dirty 1: a b",
		"save --dirty 1:-1 a b", "save --dirty :1 a b",
		"save --dirty 999999999999999999 a b",
		/* A number is digits only */
		"save --max-rounds +3 a b", "save --max-rounds \t3 a b",
		"save --max-rounds \t-18446744073709551615 a b",
		"save --guest=+5 a b", "save --timeout +5 a b",
		"save --timeout 4294967297 a b", "save --dirty +4 a b",
		"save --dirty 4:+1 a b",
		/* An option without effect */
		"load --config auto " UUID " b", "load --dirty 4 " UUID " b",
		"load --max-rounds 1 " UUID " b", "load --no-precopy " UUID " b",
		"load --guest --busy-config " UUID " b",
		"load --unsure stop " UUID " b", "inspect --guest a",
		"inspect --config auto a",
		/* A device is a UUID */
		"save no-uuid " STREAM, "save " UUID "0 b", "save x" UUID " b",
		"save 01234567+89ab-cdef-0123-456789abcdef b",
		"save 01234567-89ab-cdef-0123-456789abcdeg b", "save / b",
	};
	static const char * const places[] = {
		"tcp:nowhere", "tcp:1.2.3:80", "fd:x", "fd:+1", "fd:\t1",
		"tcp:127.0.0.1:+80", "tcp:127.0.0.1:65536",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_RUN(USAGE, "%s", bad[i]);
		EXPECT_OUT("see vfio-migrate --help");
	}
	for (i = 0; i < ARRAY_SIZE(places); i++)
		EXPECT_RUN(USAGE, "save %s %s", self->src.uuid, places[i]);
	EXPECT_RUN(USAGE, "load %s tcp:[::1:80", self->dst.uuid);
	EXPECT_RUN(DONE, "--help");
	EXPECT_OUT("Exit status:");
}

/* Tool: a terminal, by descriptor or by path: no stream is sent there */
TEST_F(cli, terminal)
{
	int fd, tty;
	pid_t pid;

	fd = open_terminal(&tty);
	ASSERT_LE(0, fd);
	pid = vmig_tool_start(TOOL(-1, tty, -1), "save %s -", self->src.uuid);
	EXPECT_EQ(USAGE, vmig_tool_finish(pid));
	pid = vmig_tool_start(TOOL(tty, -1, -1), "load %s -", self->dst.uuid);
	EXPECT_EQ(USAGE, vmig_tool_finish(pid));
	EXPECT_RUN(USAGE, "save %s %s", self->src.uuid, ttyname(tty));
	EXPECT_RUN(USAGE, "load %s %s", self->dst.uuid, ttyname(tty));
	close(tty);
	close(fd);
}

/* Where the stream in a file has the saved guest; 0 if it has none */
static uint64_t find_guest(const char *path)
{
	struct vmig_section section;
	struct vmig_reader reader;
	int ret;

	vmig_reader_init(&reader, open(path, O_RDONLY | O_CLOEXEC));
	do {
		ret = vmig_section_read(&reader, &section);
	} while (!ret && section.marker != VMIG_FLAG_GUEST_STATE);
	close(reader.fd);
	vmig_reader_exit(&reader);
	/* Behind the marker and the length */
	return ret ? 0 : section.offset + 2 * sizeof(uint64_t);
}

/* Tool: a guest that has lost bytes, of either port: 6, how many, and a message */
TEST_F(cli, guest_that_has_lost_data)
{
	const uint64_t wrong = htole64(3);
	unsigned int port;
	uint64_t at;
	int fd;

	for (port = 0; port < VMIG_TRAFFIC_PORTS; port++) {
		EXPECT_RUN(DONE, "save --guest=20 %s " STREAM, self->src.uuid);
		at = find_guest(STREAM);
		ASSERT_LT(0, at);
		fd = open(STREAM, O_WRONLY | O_CLOEXEC);
		ASSERT_LE(0, fd);
		/* The length of the traffic; for each port: sent, received, wrong */
		at += sizeof(uint32_t) + (3 * port + 2) * sizeof(wrong);
		ASSERT_EQ(sizeof(wrong), pwrite(fd, &wrong, sizeof(wrong), at));
		close(fd);
		EXPECT_RUN(LOST, "load --guest=20 --json %s " STREAM, self->dst.uuid);
		EXPECT_EQ(3, json_number(self->out, "lost"));
		EXPECT_OUT("\"result\":\"lost\",\"exit\":6,");
		EXPECT_OUT("the guest has lost data");
	}
}

/* Tool: progress is printed on a terminal only */
TEST_F(cli, progress)
{
	ssize_t n;
	int fd, tty;
	pid_t pid;

	fd = open_terminal(&tty);
	ASSERT_LE(0, fd);
	pid = vmig_tool_start(TOOL(-1, -1, tty), "save --guest=50 %s " STREAM,
			      self->src.uuid);
	EXPECT_EQ(DONE, vmig_tool_finish(pid));
	n = read(fd, self->out, sizeof(self->out) - 1);
	self->out[n > 0 ? n : 0] = '\0';
	EXPECT_OUT("\rsaving");
	EXPECT_OUT("KiB/s");
	EXPECT_OUT("expected downtime");
	close(tty);
	close(fd);

	EXPECT_RUN(DONE, "save --guest=50 %s " STREAM, self->src.uuid);
	EXPECT_EQ(NULL, strstr(self->out, "saving"));
	EXPECT_EQ(NULL, strchr(self->out, '\r'));
	EXPECT_RUN(DONE, "save --guest=50 --quiet %s " STREAM, self->src.uuid);
	EXPECT_STREQ("", self->out);
}

/* Tool: a UUID in capitals, or a path that ends with slashes: the same device */
TEST_F(cli, device_by_other_names)
{
	char name[VMIG_UUID_LEN + 1];
	unsigned int i;

	for (i = 0; i < sizeof(name); i++)
		name[i] = toupper((unsigned char)self->src.uuid[i]);
	EXPECT_RUN(DONE, "save %s " STREAM, name);
	EXPECT_RUN(DONE, "save --json /sys/bus/mdev/devices/%s// " STREAM, name);
	EXPECT_OUT(self->src.uuid);
	/* Options may follow the other arguments */
	EXPECT_RUN(DONE, "load %s " STREAM " --guest=1 --quiet", self->dst.uuid);
}

/* Tool: a device that does not exist, or is in use: 4 */
TEST_F(cli, device)
{
	struct vmig_mdev gone = self->dst;
	struct vmig_device dev;

	ASSERT_EQ(0, vmig_mdev_remove(&self->dst));
	EXPECT_RUN(DEVICE, "save %s " STREAM, gone.uuid);
	EXPECT_RUN(DEVICE, "load /a/path/that/ends/in/%s " STREAM, gone.uuid);
	EXPECT_OUT(gone.uuid);

	ASSERT_RET(0, vmig_device_open(&dev, &self->src, VMIG_PATH_ANY),
		   "open");
	EXPECT_RUN(DEVICE, "save %s " STREAM, self->src.uuid);
	vmig_device_close(&dev);
	EXPECT_RUN(DONE, "save %s " STREAM, self->src.uuid);
}

/* Tool: --dirty: that amount is written, and sent; more than fits is an error */
TEST_F(cli, dirty)
{
	unsigned long bytes;
	const char *at;

	EXPECT_RUN(DONE, "save --json --dirty 400:10 %s " STREAM,
		   self->src.uuid);
	at = strstr(self->out, "\"bytes\":");
	ASSERT_NE(NULL, at);
	bytes = strtoul(at + strlen("\"bytes\":"), NULL, 10);
	EXPECT_LT(400 * 1024, bytes);
	EXPECT_GT(500 * 1024, bytes);
	EXPECT_RUN(DONE, "load %s " STREAM, self->dst.uuid);
	EXPECT_RUN(DEVICE, "save --dirty 2000 %s " STREAM, self->src.uuid);
	EXPECT_OUT("cannot write to 2000 KiB of capture memory");
	EXPECT_OUT("No space left on device");
}

/* Tool: no such file, or no listener: 1 */
TEST_F(cli, no_stream)
{
	EXPECT_RUN(FAILED, "load %s /tmp/not/there", self->dst.uuid);
	EXPECT_RUN(FAILED, "save --guest=20 %s /tmp/not/there",
		   self->src.uuid);
	EXPECT_RUN(FAILED, "inspect /tmp/not/there");
	EXPECT_RUN(FAILED, "save --guest=20 --json %s " TCP, self->src.uuid);
	EXPECT_OUT("Connection refused");
	EXPECT_OUT("\"lost\":0,");
	EXPECT_RUN(FAILED, "load --timeout 1 %s " TCP, self->dst.uuid);
	EXPECT_OUT("timed out");
}

/* Tool: another policy: 3, with the names of both */
TEST_F(cli, another_policy)
{
	ASSERT_EQ(0, vmig_mdev_set_attr(&self->dst, "migration/config_policy",
					"before-data"));
	EXPECT_RUN(DONE, "save %s " STREAM, self->src.uuid);
	EXPECT_RUN(BROKEN, "load %s " STREAM, self->dst.uuid);
	EXPECT_OUT("embedded on the source, before-data here");
}

/* Tool: a stream of the first version: 3, from load and inspect, with both versions */
TEST_F(cli, stream_of_the_first_version)
{
	const uint64_t words[] = {
		htobe64(VFIO_MIG_FLAG_DEV_SETUP_STATE), htobe64(1), htobe64(1),
		htobe64(1),
	};
	int fd = open(STREAM, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ASSERT_LE(0, fd);
	ASSERT_EQ(sizeof(words), write(fd, words, sizeof(words)));
	close(fd);
	EXPECT_RUN(BROKEN, "load %s " STREAM, self->dst.uuid);
	EXPECT_OUT("the stream has format version 1, this VMM reads 2");
	EXPECT_RUN(BROKEN, "inspect " STREAM);
	EXPECT_OUT("the stream has format version 1, this VMM reads 2");
}

/* Tool: inspect --json prints an object */
TEST_F(cli, inspect_json)
{
	EXPECT_RUN(DONE, "save %s " STREAM, self->src.uuid);
	EXPECT_RUN(DONE, "inspect --json " STREAM);
	EXPECT_EQ('{', self->out[0]);
	EXPECT_OUT("\"section\":\"DEV_SETUP_STATE\"");
	EXPECT_OUT("\"record\":\"END\"");
	EXPECT_OUT("\"ok\":true,");
	ASSERT_EQ(0, truncate(STREAM, 100));
	EXPECT_RUN(BROKEN, "inspect --json " STREAM);
	EXPECT_OUT("\"ok\":false,\"where\":100,");
}

static void expect_peer(struct __test_metadata *_metadata,
			FIXTURE_DATA(cli) *self, const char *options,
			int want, const char *text, int reset)
{
	int fd = vmig_peer_listen(PORT), peer;
	pid_t pid;

	ASSERT_LE(0, fd);
	pid = START(-1, -1, "save --timeout 1 --guest=50 --json %s %s " TCP,
		    options, self->src.uuid);
	peer = vmig_peer_accept(fd);
	ASSERT_LE(0, peer);
	EXPECT_LT(1000, vmig_peer_read_all(peer));
	if (reset)
		vmig_peer_reset(peer);
	EXPECT_STARTED(want, pid);
	EXPECT_OUT(text);
	if (!reset)
		close(peer);
	close(fd);
}

/* Tool: TCP: the reader resets the connection: 1, and nothing is lost */
TEST_F(cli, reader_that_refuses)
{
	expect_peer(_metadata, self, "", FAILED, "\"lost\":0,", 1);
}

/* Tool: TCP: the reader does not answer: 5; with --unsure resume the guest continues */
TEST_F(cli, reader_that_does_not_answer)
{
	expect_peer(_metadata, self, "", UNSURE, "\"result\":\"unsure\"", 0);
	expect_peer(_metadata, self, "--unsure resume", FAILED, "\"lost\":0,",
		    0);
}

/* Tool: TCP: the guest continues at the other end, and the source is notified */
TEST_F(cli, tcp)
{
	pid_t load;
	int tries, ret = FAILED;

	load = START_SILENT("load --guest=50 %s " TCP, self->dst.uuid);
	/* It listens when its device is open */
	for (tries = 0; tries < 200 && ret == FAILED; tries++)
		ret = RUN("save --guest=50 %s " TCP, self->src.uuid);
	EXPECT_EQ(DONE, ret);
	EXPECT_EQ(DONE, vmig_tool_finish(load));
}

/* Tool: TCP: the reader is killed before it runs: the source continues */
TEST_F(cli, killed_reader)
{
	pid_t save, load;

	load = START_SILENT("load --timeout 60 %s " TCP, self->dst.uuid);
	save = START_SILENT("save --guest=50 %s " STREAM, self->src.uuid);
	EXPECT_EQ(DONE, vmig_tool_finish(save));
	kill(load, SIGKILL);
	EXPECT_EQ(-1000 - SIGKILL, vmig_tool_finish(load));
	EXPECT_RUN(FAILED, "save --guest=50 --json %s " TCP, self->src.uuid);
	EXPECT_OUT("\"lost\":0,");
	EXPECT_RUN(DONE, "load %s " STREAM, self->dst.uuid);
}

TEST_HARNESS_MAIN
