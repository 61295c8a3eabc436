// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many who use one device at once, with no regard for each other, while it is
 * configured, removed, and its module is to be unloaded; and many devices at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/mtty.h"

#define USERS		6
#define RUN_MS		1500
#define MIN_STEPS	20
#define DEVICES		64
#define ROUNDS		10
#define REMOVALS	3
#define OPENINGS	50
/* How often an attribute has to be written between two openings */
#define MIN_WRITES	5
#define TIMEOUT_S	300

/**
 * struct user - one thread, and what it does to the device
 * @fuzz:	any call, see lib/fuzz.h
 * @thread:	itself
 * @stop:	it has to end; shared by all
 * @ret:	0 or what its last call returned
 */
struct user {
	struct vmig_fuzz fuzz;
	pthread_t thread;
	const bool *stop;
	int ret;
};

FIXTURE(stress) {
	struct vmig_testdev td;
	struct vmig_device *dev;
	struct user user[USERS];
	bool stop;
};

FIXTURE_VARIANT(stress) {
	const char *policy;
};

FIXTURE_VARIANT_ADD(stress, independent) {
	.policy = "independent",
};

FIXTURE_VARIANT_ADD(stress, before_data) {
	.policy = "before-data",
};

FIXTURE_VARIANT_ADD(stress, embedded) {
	.policy = "embedded",
};

static void open_device(struct __test_metadata *_metadata,
			FIXTURE_DATA(stress) *self, const char *policy)
{
	const struct vmig_attrs attrs = {
		.config_policy = policy, .capture_size = "64K",
	};

	self->dev = &self->td.dev;
	ASSERT_EQ(0, vmig_testdev_open(&self->td, "mtty-2", VMIG_PATH_ANY,
				       &attrs));
}

FIXTURE_SETUP(stress)
{
	unsigned int i;

	open_device(_metadata, self, variant->policy);
	for (i = 0; i < USERS; i++) {
		struct user *user = &self->user[i];

		ASSERT_EQ(0, vmig_device_reset(self->dev));
		ASSERT_EQ(0, vmig_fuzz_record(&user->fuzz, self->dev));
		user->fuzz.shared = true;
		user->stop = &self->stop;
	}
	ASSERT_EQ(0, vmig_device_reset(self->dev));
}

FIXTURE_TEARDOWN(stress)
{
	unsigned int i;

	for (i = 0; i < USERS; i++)
		vmig_fuzz_free(&self->user[i].fuzz);
	vmig_testdev_close(&self->td);
}

/* Until told to end; but on a slow machine, too, it has to have done something */
static void *use(void *opaque)
{
	struct user *user = opaque;

	while (!user->ret && (user->fuzz.steps < MIN_STEPS ||
			      !__atomic_load_n(user->stop, __ATOMIC_ACQUIRE)))
		user->ret = vmig_fuzz_step(&user->fuzz);
	return NULL;
}

static void start(struct __test_metadata *_metadata, FIXTURE_DATA(stress) *self)
{
	unsigned int i;

	self->stop = false;
	for (i = 0; i < USERS; i++) {
		struct user *user = &self->user[i];

		ASSERT_EQ(0, vmig_fuzz_begin(&user->fuzz, self->dev, 1 + i));
		ASSERT_EQ(0, pthread_create(&user->thread, NULL, use, user));
	}
}

static void finish(struct __test_metadata *_metadata, FIXTURE_DATA(stress) *self)
{
	unsigned int i;

	__atomic_store_n(&self->stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < USERS; i++) {
		struct user *user = &self->user[i];

		ASSERT_EQ(0, pthread_join(user->thread, NULL));
		EXPECT_RET(0, user->ret, "user %u: %s", i, user->fuzz.what);
		EXPECT_LE(MIN_STEPS, user->fuzz.steps);
	}
}

/* Only then, as a data_fd may be all that is left of a device */
static void end(FIXTURE_DATA(stress) *self)
{
	unsigned int i;

	for (i = 0; i < USERS; i++)
		vmig_fuzz_end(&self->user[i].fuzz);
}

static void rest(unsigned int ms)
{
	const struct timespec time = {
		.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L,
	};

	nanosleep(&time, NULL);
}

static void expect_works(struct __test_metadata *_metadata,
			 FIXTURE_DATA(stress) *self)
{
	const char *what = "";

	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_RET(0, vmig_contents_check_reset(self->dev, 2, &what), "%s", what);
	ASSERT_RET(0, vmig_contents_set(self->dev, 2, 5), "scene");
	EXPECT_RET(0, vmig_contents_check(self->dev, 2, 5, &what), "%s", what);
}

/* Clause: all calls of one device, from many threads: each has its answer */
TEST_F_TIMEOUT(stress, many_users, TIMEOUT_S)
{
	start(_metadata, self);
	rest(RUN_MS);
	finish(_metadata, self);
	end(self);
	expect_works(_metadata, self);
}

/* Clause: migration/ in sysfs: EBUSY while open, whatever goes on there */
TEST_F_TIMEOUT(stress, attributes, TIMEOUT_S)
{
	char value[64];
	unsigned int i;

	start(_metadata, self);
	for (i = 0; i < 200; i++) {
		rest(1);
		EXPECT_RET(-EBUSY, vmig_mdev_set_attr(&self->td.mdev,
						      "migration/capture_size",
						      "8K"), "write");
		EXPECT_RET(0, vmig_mdev_get_attr(&self->td.mdev,
						 "migration/capture_size",
						 value, sizeof(value)), "read");
		EXPECT_STREQ("65536", value);
	}
	finish(_metadata, self);
	end(self);
	expect_works(_metadata, self);
}

/**
 * struct writer - one who does not stop to configure a device
 * @mdev:	the device
 * @attr:	what he writes,
 * @value:	in turn
 * @thread:	itself
 * @stop:	it has to end
 * @written:	how often it was not in vain
 * @ret:	0 or another error than EBUSY
 */
struct writer {
	const struct vmig_mdev *mdev;
	const char *attr;
	const char *value[2];
	pthread_t thread;
	bool stop;
	unsigned int written;
	int ret;
};

static void *write_attr(void *opaque)
{
	struct writer *writer = opaque;
	unsigned int i;
	int ret;

	for (i = 0; !__atomic_load_n(&writer->stop, __ATOMIC_ACQUIRE); i++) {
		ret = vmig_mdev_set_attr(writer->mdev, writer->attr,
					 writer->value[i % 2]);
		if (!ret)
			__atomic_add_fetch(&writer->written, 1, __ATOMIC_RELAXED);
		else if (ret != -EBUSY)
			writer->ret = ret;
	}
	return NULL;
}

static bool has_written(const struct writer *writer)
{
	return __atomic_load_n(&writer->written, __ATOMIC_RELAXED) >= MIN_WRITES;
}

/* What a user has found when he opened it, he finds until he closes it */
static void expect_stays(struct __test_metadata *_metadata,
			 struct vmig_device *dev)
{
	uint64_t size = dev->region[VFIO_PCI_BAR2_REGION_INDEX].size;
	struct vfio_device_feature_mig_config before, after;
	uint8_t byte;

	EXPECT_TRUE(size == 8192 || size == 65536);
	ASSERT_RET(0, vmig_mig_config_get(dev, &before), "query");
	rest(1);
	EXPECT_RET(0, vmig_region_write(dev, VFIO_PCI_BAR2_REGION_INDEX,
					size - 1, "x", 1), "last byte");
	EXPECT_RET(-EINVAL, vmig_region_read(dev, VFIO_PCI_BAR2_REGION_INDEX,
					     size, &byte, 1), "behind it");
	ASSERT_RET(0, vmig_mig_config_get(dev, &after), "query");
	EXPECT_EQ(before.flags, after.flags);
}

/* Clause: migration/ in sysfs while others open and close: between two openings only */
TEST_F_TIMEOUT(stress, configured_between_openings, TIMEOUT_S)
{
	struct writer writers[] = {
		{ .attr = "migration/capture_size", .value = { "8K", "64K" } },
		{ .attr = "migration/config_policy",
		  .value = { "before-data", variant->policy } },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(writers); i++) {
		writers[i].mdev = &self->td.mdev;
		ASSERT_EQ(0, pthread_create(&writers[i].thread, NULL, write_attr,
					    &writers[i]));
	}
	for (i = 0; i < OPENINGS || !has_written(&writers[0]) ||
	     !has_written(&writers[1]); i++) {
		vmig_device_close(self->dev);
		ASSERT_RET(0, vmig_device_open(self->dev, &self->td.mdev,
					       VMIG_PATH_ANY), "open");
		expect_stays(_metadata, self->dev);
	}
	for (i = 0; i < ARRAY_SIZE(writers); i++) {
		__atomic_store_n(&writers[i].stop, true, __ATOMIC_RELEASE);
		ASSERT_EQ(0, pthread_join(writers[i].thread, NULL));
		EXPECT_RET(0, writers[i].ret, "%s", writers[i].attr);
	}
	expect_works(_metadata, self);
}

/* Clause: delete_module(): refused as long as a device is open */
TEST_F_TIMEOUT(stress, module_is_held, TIMEOUT_S)
{
	unsigned int i;

	if (access("/sys/module/mtty/refcnt", F_OK))
		SKIP(return, "mtty is not a module here");
	start(_metadata, self);
	for (i = 0; i < 200; i++) {
		rest(1);
		ASSERT_EQ(-1, syscall(SYS_delete_module, "mtty", O_NONBLOCK));
		ASSERT_EQ(EAGAIN, errno);
	}
	finish(_metadata, self);
	end(self);
	expect_works(_metadata, self);
}

static void *remove_device(void *opaque)
{
	vmig_mdev_remove(opaque);
	return NULL;
}

/*
 * Clause: removal of a device in use: waits for its users, who can go on until they
 * close it, and what they have left of it is harmless then
 */
TEST_F_TIMEOUT(stress, removed_meanwhile, TIMEOUT_S)
{
	pthread_t remover;
	unsigned int i;

	for (i = 0; i < REMOVALS; i++) {
		start(_metadata, self);
		ASSERT_EQ(0, pthread_create(&remover, NULL, remove_device,
					    &self->td.mdev));
		rest(RUN_MS / REMOVALS);
		finish(_metadata, self);
		vmig_device_close(self->dev);
		ASSERT_EQ(0, pthread_join(remover, NULL));
		/* Their data_fds are closed when there is no device any more */
		end(self);
		open_device(_metadata, self, variant->policy);
	}
	expect_works(_metadata, self);
}

struct traveller {
	pthread_barrier_t *all_there;
	struct vmig_testdev td;
	struct vmig_bytes stream;
	pthread_t thread;
	const char *what;
	uint8_t seed;
	int ret;
};

/* Out of the device and, after a reset, into it again */
static void *travel(void *opaque)
{
	struct traveller *self = opaque;
	struct vmig_device *dev = &self->td.dev;
	unsigned int i;

	pthread_barrier_wait(self->all_there);
	for (i = 0; !self->ret && i < ROUNDS; i++) {
		self->stream.len = 0;
		self->ret = vmig_contents_set(dev, 2, self->seed);
		if (!self->ret)
			self->ret = vmig_transfer_save(dev, &self->stream);
		if (!self->ret)
			self->ret = vmig_device_reset(dev);
		if (!self->ret)
			self->ret = vmig_transfer_load(dev, &self->stream);
		if (!self->ret)
			self->ret = vmig_contents_check(dev, 2, self->seed,
						     &self->what);
		if (!self->ret)
			self->ret = vmig_device_reset(dev);
	}
	return NULL;
}

FIXTURE(crowd) {
	pthread_barrier_t all_there;
	struct traveller all[DEVICES];
	unsigned int nr;
};

FIXTURE_SETUP(crowd)
{
}

FIXTURE_TEARDOWN(crowd)
{
	unsigned int i;

	for (i = 0; i < self->nr; i++) {
		vmig_bytes_free(&self->all[i].stream);
		vmig_testdev_close(&self->all[i].td);
	}
}

/* Clause: many devices, all at once: each migrates as if it were alone */
TEST_F_TIMEOUT(crowd, each_migrates_as_if_alone, TIMEOUT_S)
{
	const struct vmig_attrs attrs = { .config_policy = "embedded" };
	struct traveller *all = self->all;
	unsigned int i;

	ASSERT_EQ(0, pthread_barrier_init(&self->all_there, NULL, DEVICES));
	for (i = 0; i < DEVICES; i++) {
		all[i].all_there = &self->all_there;
		all[i].seed = i;
		all[i].what = "";
		ASSERT_RET(0, vmig_testdev_open(&all[i].td, "mtty-2",
						VMIG_PATH_ANY, &attrs),
			   "device %u", i);
		self->nr++;
	}
	for (i = 0; i < DEVICES; i++)
		ASSERT_EQ(0, pthread_create(&all[i].thread, NULL, travel,
					    &all[i]));
	for (i = 0; i < DEVICES; i++) {
		ASSERT_EQ(0, pthread_join(all[i].thread, NULL));
		EXPECT_RET(0, all[i].ret, "device %u: %s", i, all[i].what);
	}
}

TEST_HARNESS_MAIN
