// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls of one data_fd, and config space, at the same time: GET_CONFIG against
 * read(), SET_CONFIG and CHECK_DATA against write(), and resets that end the session. Each
 * call has a valid result, each snapshot is one consistent copy, and the kernel must not
 * log a report.
 */
#include <endian.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <linux/pci_regs.h>

#include "lib/mtty.h"
#include "lib/vfio/precopy_v2.h"

#define PORTS		2
#define SEED		61
#define CONFIG		VFIO_PCI_CONFIG_REGION_INDEX

/*
 * Enough rounds for fast and slow threads to run at the same time. A kernel with
 * sanitizers in an emulated VM reaches the time limit first.
 */
#define ROUNDS		5000
#define RUN_S		5
/* Sessions that resets end, at least */
#define SESSIONS	20
#define TIMEOUT_S	120

/* All bytes of each of these registers are written together, with one value */
static const struct {
	unsigned int reg;
	unsigned int len;
} wide[] = {
	{ PCI_CACHE_LINE_SIZE, 2 },
	{ 0x50 + PCI_MSI_ADDRESS_HI, 4 },
	{ 0x50 + PCI_MSI_DATA_64, 2 },
};

struct crowd;

/* One call or a few; 0 or -errno */
typedef int (*call_fn)(struct crowd *crowd, unsigned int round);

/**
 * struct crowd - shared by all threads
 * @dev:	the device
 * @state:	begins a session
 * @fd:		its data_fd; the number is always the same
 * @config:	a snapshot of @stream
 * @stream:	data that the device can load
 * @stop:	the threads must end
 */
struct crowd {
	struct vmig_device *dev;
	enum vfio_device_mig_state state;
	int fd;
	struct vmig_snapshot config;
	struct vmig_bytes stream;
	bool stop;
};

struct thread {
	struct crowd *crowd;
	const char *name;
	call_fn call;
	pthread_t id;
	unsigned int rounds;
	int ret;
};

FIXTURE(config_stress) {
	DEVICE_MEMBERS;
	struct crowd crowd;
};

FIXTURE_VARIANT(config_stress) {
	const char *policy;
};

POLICY_VARIANTS(config_stress);

FIXTURE_SETUP(config_stress)
{
	OPEN_DEVICE("mtty-2", .config_policy = variant->policy,
		    .capture_size = "64K");
	ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "contents");
	ASSERT_RET(0, vmig_transfer_save_config(self->dev, &self->crowd.config,
						&self->crowd.stream), "save");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RUNNING, NULL),
		   "RUNNING");
	self->crowd.dev = self->dev;
	self->crowd.fd = -1;
}

FIXTURE_TEARDOWN(config_stress)
{
	if (self->crowd.fd >= 0)
		close(self->crowd.fd);
	vmig_bytes_free(&self->crowd.stream);
	CLOSE_DEVICE();
}

/* One of these is no failure */
static int unless(int ret, const int *errors, unsigned int nr)
{
	while (nr--)
		if (ret == errors[nr])
			return 0;
	return ret;
}

#define UNLESS(_ret, ...) ({ \
	const int unless_errors[] = { __VA_ARGS__ }; \
	unless(_ret, unless_errors, ARRAY_SIZE(unless_errors)); \
})

static int read_data(struct crowd *crowd, unsigned int round)
{
	static __thread uint8_t buf[1 << 16];
	size_t len = round % 7 ? 1 + round % 61 : sizeof(buf);

	if (read(crowd->fd, buf, len) >= 0)
		return 0;
	return UNLESS(-errno, -ENODEV, -ENOMSG, -ESTALE);
}

static bool is_whole(const uint8_t *data)
{
	unsigned int i, at;

	for (i = 0; i < ARRAY_SIZE(wide); i++)
		for (at = 1; at < wide[i].len; at++)
			if (data[wide[i].reg] != data[wide[i].reg + at])
				return false;
	return true;
}

/* Identities of one source are in order */
static uint64_t version_of(const struct vmig_snapshot *config)
{
	uint64_t version;

	memcpy(&version, config->id + sizeof(version), sizeof(version));
	return le64toh(version);
}

static int get_config(struct crowd *crowd, unsigned int round)
{
	static __thread struct vmig_snapshot last;
	struct vmig_snapshot config;
	int ret;

	ret = vmig_config_get(crowd->fd, &config);
	if (ret)
		return UNLESS(ret, -ENODEV);
	if (!is_whole(config.data))
		return -EUCLEAN;
	/* No two contents have the same identity */
	if (last.size && version_of(&config) < version_of(&last))
		return -EILSEQ;
	if (last.size && version_of(&config) == version_of(&last) &&
	    memcmp(config.data, last.data, config.size))
		return -ENOTUNIQ;
	last = config;
	return 0;
}

static int write_config(struct crowd *crowd, unsigned int round)
{
	unsigned int nr = round % ARRAY_SIZE(wide);
	uint8_t bytes[4];

	memset(bytes, round / ARRAY_SIZE(wide), sizeof(bytes));
	return UNLESS(vmig_region_write(crowd->dev, CONFIG, wide[nr].reg, bytes,
					wide[nr].len), -EBUSY);
}

static int read_config(struct crowd *crowd, unsigned int round)
{
	uint8_t data[PCI_CFG_SPACE_SIZE];
	int ret;

	ret = vmig_region_read(crowd->dev, CONFIG, 0, data, sizeof(data));
	return ret || is_whole(data) ? ret : -EUCLEAN;
}

static int query(struct crowd *crowd, unsigned int round)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info) };
	struct pollfd pfd = { .fd = crowd->fd, .events = POLLIN | POLLOUT };
	struct vmig_config_answer answer;
	int ret;

	switch (round % 3) {
	case 0:
		/* ENOTTY: for a loading session only */
		return UNLESS(vmig_precopy_info(crowd->fd, &info), -EINVAL, -ENOTTY);
	case 1:
		return poll(&pfd, 1, 0) < 0 ? -errno : 0;
	default:
		ret = vmig_config_query(crowd->dev, &answer);
		return ret ? ret : UNLESS(vmig_config_opt_in(crowd->dev, &answer),
					  -EBUSY);
	}
}

static int touch_memory(struct crowd *crowd, unsigned int round)
{
	uint8_t byte = round;

	return vmig_region_write(crowd->dev, VFIO_PCI_BAR2_REGION_INDEX,
				 4096 * (1 + round % 15), &byte, 1);
}

/* EBADMSG: the session is another one, or has all the data */
static int write_data(struct crowd *crowd, unsigned int round)
{
	static __thread size_t at;
	size_t left = crowd->stream.len - at;
	ssize_t n;

	n = write(crowd->fd, crowd->stream.data + at,
		  round % 5 ? 1 + round % left : left);
	if (n >= 0) {
		at = (at + n) % crowd->stream.len;
		return 0;
	}
	if (errno != EPROTO && errno != ESTALE)
		at = 0;
	return UNLESS(-errno, -ENODEV, -EPROTO, -ESTALE, -EBADMSG);
}

static int set_config(struct crowd *crowd, unsigned int round)
{
	struct vmig_snapshot config = crowd->config;
	unsigned int i;

	/* Another version, with another content */
	config.id[sizeof(uint64_t)] += round % 3;
	for (i = 0; i < ARRAY_SIZE(wide); i++)
		memset(config.data + wide[i].reg, round, wide[i].len);
	return UNLESS(vmig_config_set(crowd->fd, &config), -ENODEV, -ESTALE, -EBUSY);
}

static int check_data(struct crowd *crowd, unsigned int round)
{
	return UNLESS(vmig_check_data(crowd->fd), -ENODEV, -ENODATA, -ESTALE, -EBADMSG);
}

static void *run(void *opaque)
{
	struct thread *thread = opaque;
	struct crowd *crowd = thread->crowd;

	while (!thread->ret && !__atomic_load_n(&crowd->stop, __ATOMIC_ACQUIRE)) {
		thread->ret = thread->call(crowd, thread->rounds);
		__atomic_add_fetch(&thread->rounds, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static bool all_have_run(struct thread *thread, unsigned int nr)
{
	while (nr--)
		if (__atomic_load_n(&thread[nr].rounds, __ATOMIC_RELAXED) < ROUNDS &&
		    !__atomic_load_n(&thread[nr].ret, __ATOMIC_RELAXED))
			return false;
	return true;
}

/* A new session in place of the old one, while calls of that are still in progress */
static void begin_session(struct __test_metadata *_metadata, struct crowd *crowd)
{
	int fd;

	ASSERT_RET(0, vmig_device_reset(crowd->dev), "reset");
	ASSERT_RET(0, vmig_mig_set_state(crowd->dev, crowd->state, &fd), "session");
	if (crowd->fd < 0) {
		crowd->fd = fd;
		return;
	}
	ASSERT_EQ(crowd->fd, dup2(fd, crowd->fd));
	close(fd);
}

static void stress(struct __test_metadata *_metadata, struct crowd *crowd,
		   struct thread *thread, unsigned int nr)
{
	int64_t end = vmig_now_ms() + RUN_S * 1000;
	unsigned int i, sessions;

	begin_session(_metadata, crowd);
	for (i = 0; i < nr; i++) {
		thread[i].crowd = crowd;
		ASSERT_EQ(0, pthread_create(&thread[i].id, NULL, run, &thread[i]));
	}
	for (sessions = 1; sessions < SESSIONS || (vmig_now_ms() < end &&
						   !all_have_run(thread, nr));
	     sessions++) {
		usleep(10 * 1000);
		/* Saving continues with the stopped device */
		if (crowd->state == VFIO_DEVICE_STATE_PRE_COPY && sessions % 2)
			EXPECT_RET(0, vmig_mig_set_state(crowd->dev,
							 VFIO_DEVICE_STATE_STOP_COPY,
							 NULL), "STOP_COPY");
		else
			begin_session(_metadata, crowd);
	}
	__atomic_store_n(&crowd->stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < nr; i++) {
		ASSERT_EQ(0, pthread_join(thread[i].id, NULL));
		EXPECT_RET(0, thread[i].ret, "%s, round %u", thread[i].name,
			   thread[i].rounds);
		EXPECT_LT(SESSIONS, thread[i].rounds);
	}
	TH_LOG("%u sessions", sessions);
}

static void expect_works(struct __test_metadata *_metadata,
			 FIXTURE_DATA(config_stress) *self)
{
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_RESET_CONTENTS(self->dev, PORTS);
	EXPECT_RET(0, vmig_transfer_load_config(self->dev, &self->crowd.config,
						&self->crowd.stream), "load");
	EXPECT_CONTENTS(self->dev, PORTS, SEED);
}

/* Proposal: GET_CONFIG during any other call: one consistent copy, versions in order */
TEST_F_TIMEOUT(config_stress, saving, TIMEOUT_S)
{
	struct thread threads[] = {
		{ .name = "read()", .call = read_data },
		{ .name = "GET_CONFIG", .call = get_config },
		{ .name = "another GET_CONFIG", .call = get_config },
		{ .name = "write to config space", .call = write_config },
		{ .name = "read of config space", .call = read_config },
		{ .name = "queries", .call = query },
		{ .name = "write to memory", .call = touch_memory },
	};

	vmig_precopy_v2_opt_in(self->dev);
	self->crowd.state = VFIO_DEVICE_STATE_PRE_COPY;
	stress(_metadata, &self->crowd, threads, ARRAY_SIZE(threads));
	expect_works(_metadata, self);
}

/* Proposal: SET_CONFIG and CHECK_DATA during any other call: a whole snapshot or nothing */
TEST_F_TIMEOUT(config_stress, loading, TIMEOUT_S)
{
	struct thread threads[] = {
		{ .name = "write()", .call = write_data },
		{ .name = "SET_CONFIG", .call = set_config },
		{ .name = "another SET_CONFIG", .call = set_config },
		{ .name = "CHECK_DATA", .call = check_data },
		{ .name = "write to config space", .call = write_config },
		{ .name = "read of config space", .call = read_config },
		{ .name = "queries", .call = query },
	};

	self->crowd.state = VFIO_DEVICE_STATE_RESUMING;
	stress(_metadata, &self->crowd, threads, ARRAY_SIZE(threads));
	expect_works(_metadata, self);
}

TEST_HARNESS_MAIN
