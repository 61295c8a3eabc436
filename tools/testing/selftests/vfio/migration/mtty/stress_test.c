// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many threads use one device at the same time, while it is configured, removed, and its
 * module is to be unloaded. Many devices migrate at the same time.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>

#include "lib/mtty.h"

#define USERS		6
#define RUN_MS		200
#define MIN_STEPS	20
#define DEVICES		64
#define ROUNDS		5
#define REMOVALS	3
/* Calls that are refused while the device is in use */
#define CALLS		50
#define OPENINGS	50
/* How often each attribute must have been written in the end */
#define MIN_WRITES	5
#define TIMEOUT_S	300

/**
 * struct user - one thread
 * @fuzz:	its calls
 * @thread:	its id
 * @stop:	it must end; shared by all
 * @ret:	0 or the error of its last call
 */
struct user {
	struct vmig_fuzz fuzz;
	pthread_t thread;
	const bool *stop;
	int ret;
};

FIXTURE(stress) {
	DEVICE_MEMBERS;
	struct user user[USERS];
	bool stop;
};

FIXTURE_VARIANT(stress) {
	const char *policy;
};

POLICY_VARIANTS(stress);

#define OPEN(_policy) \
	OPEN_DEVICE("mtty-2", .config_policy = _policy, .capture_size = "64K")

FIXTURE_SETUP(stress)
{
	unsigned int i;

	OPEN(variant->policy);
	for (i = 0; i < USERS; i++) {
		struct user *user = &self->user[i];

		ASSERT_EQ(0, vmig_device_reset(self->dev));
		user->fuzz.opt_in = true;
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
	CLOSE_DEVICE();
}

/* At least MIN_STEPS, also on a slow machine */
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

/* Apart from finish(), because a data_fd may be closed after its device was removed */
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
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_RESET_CONTENTS(self->dev, 2);
	ASSERT_RET(0, vmig_contents_set(self->dev, 2, 5), "contents");
	EXPECT_CONTENTS(self->dev, 2, 5);
}

/* Driver: calls of one device from many threads: each has a valid result */
TEST_F_TIMEOUT(stress, many_users, TIMEOUT_S)
{
	start(_metadata, self);
	rest(RUN_MS);
	finish(_metadata, self);
	end(self);
	expect_works(_metadata, self);
}

/* Driver: migration/ in sysfs: EBUSY while the device is open and in use */
TEST_F_TIMEOUT(stress, attributes, TIMEOUT_S)
{
	char value[64];
	unsigned int i;

	start(_metadata, self);
	for (i = 0; i < CALLS; i++) {
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
 * struct writer - a thread that writes an attribute
 * @mdev:	the device
 * @attr:	the attribute
 * @value:	written in turn
 * @thread:	its id
 * @stop:	it must end
 * @written:	successful writes
 * @ret:	0 or an error other than EBUSY
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

/* The attributes do not change while the device is open */
static void expect_stays(struct __test_metadata *_metadata,
			 struct vmig_device *dev)
{
	uint64_t size = dev->region[VFIO_PCI_BAR2_REGION_INDEX].size;
	struct vmig_config_answer before, after;
	uint8_t byte;

	EXPECT_TRUE(size == 8192 || size == 65536);
	ASSERT_RET(0, vmig_config_query(dev, &before), "query");
	rest(1);
	EXPECT_RET(0, vmig_region_write(dev, VFIO_PCI_BAR2_REGION_INDEX,
					size - 1, "x", 1), "last byte");
	EXPECT_RET(-EINVAL, vmig_region_read(dev, VFIO_PCI_BAR2_REGION_INDEX,
					     size, &byte, 1), "behind it");
	ASSERT_RET(0, vmig_config_query(dev, &after), "query");
	EXPECT_EQ(before.need, after.need);
}

/* Driver: migration/ in sysfs, others open and close: changes only between openings */
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

/* Clause: delete_module(2): EAGAIN as long as a device is open */
TEST_F_TIMEOUT(stress, module_is_held, TIMEOUT_S)
{
	unsigned int i;

	if (access("/sys/module/mtty/refcnt", F_OK))
		SKIP(return, "mtty is not a module here");
	start(_metadata, self);
	for (i = 0; i < CALLS; i++) {
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
	return (void *)(intptr_t)vmig_mdev_remove(opaque);
}

/*
 * Driver: removal of a device in use: waits until it is closed; a data_fd that is closed
 * later does no damage
 */
TEST_F_TIMEOUT(stress, removed_meanwhile, TIMEOUT_S)
{
	pthread_t remover;
	unsigned int i;
	void *removed;

	for (i = 0; i < REMOVALS; i++) {
		start(_metadata, self);
		ASSERT_EQ(0, pthread_create(&remover, NULL, remove_device,
					    &self->td.mdev));
		rest(RUN_MS / REMOVALS);
		finish(_metadata, self);
		vmig_device_close(self->dev);
		ASSERT_EQ(0, pthread_join(remover, &removed));
		ASSERT_RET(0, (intptr_t)removed, "remove the device");
		/* This closes their data_fds, after the device was removed */
		end(self);
		OPEN(variant->policy);
	}
	expect_works(_metadata, self);
}

struct migrating {
	pthread_barrier_t *all_there;
	struct vmig_testdev td;
	struct vmig_bytes stream;
	pthread_t thread;
	const char *what;
	uint8_t seed;
	int ret;
};

/* Save, reset, load, many times */
static void *migrate(void *opaque)
{
	struct migrating *self = opaque;
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
			self->ret = vmig_contents_check(dev, 2, self->seed, &self->what);
		if (!self->ret)
			self->ret = vmig_device_reset(dev);
	}
	return NULL;
}

FIXTURE(crowd) {
	pthread_barrier_t all_there;
	struct migrating all[DEVICES];
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

/* Driver: many devices at the same time: each migrates as if it were alone */
TEST_F_TIMEOUT(crowd, each_migrates_as_if_alone, TIMEOUT_S)
{
	const struct vmig_attrs attrs = { .config_policy = "embedded" };
	struct migrating *all = self->all;
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
		ASSERT_EQ(0, pthread_create(&all[i].thread, NULL, migrate, &all[i]));
	for (i = 0; i < DEVICES; i++) {
		ASSERT_EQ(0, pthread_join(all[i].thread, NULL));
		EXPECT_RET(0, all[i].ret, "device %u: %s", i, all[i].what);
	}
}

TEST_HARNESS_MAIN
