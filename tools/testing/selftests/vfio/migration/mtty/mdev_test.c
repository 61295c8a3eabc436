// SPDX-License-Identifier: GPL-2.0-only
/*
 * Creating and removing devices: many at once, and one that is open when it, or the
 * module, is to be removed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "lib/mtty.h"

#define TYPES		"/sys/class/mdev_bus/mtty/mdev_supported_types/"
#define DEVICES		"/sys/bus/mdev/devices/"

#define PORTS		2
#define SEED		30

/*
 * More than fit into one byte. Creating them takes two seconds; a kernel with
 * sanitizers in an emulated VM takes almost half a second for each, and has fewer.
 */
#define MANY		300
#define THREADS		10
#define EACH		(MANY / THREADS)
#define CREATE_S	10
#define MANY_TIMEOUT_S	110

/* For something that must happen; only a failure waits so long */
#define DEADLINE_MS	10000
#define POLL_US		10000

static long available(const char *type)
{
	char path[128], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), TYPES "%s/available_instances", type);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (read(fd, text, sizeof(text) - 1) <= 0)
		text[0] = '\0';
	close(fd);
	return text[0] ? strtol(text, NULL, 10) : -EIO;
}

static bool exists(const struct vmig_mdev *mdev)
{
	char path[128];

	snprintf(path, sizeof(path), DEVICES "%s", mdev->uuid);
	return !access(path, F_OK);
}

static const char * const types[] = { "mtty-1", "mtty-2" };

/**
 * struct share - the devices that one thread makes or removes
 * @mdev:	EACH of them at most
 * @nr:		how many of them were made
 * @ret:	0, or the first error
 * @thread:	the thread
 */
struct share {
	struct vmig_mdev mdev[EACH];
	unsigned int nr;
	int ret;
	pthread_t thread;
};

static void *create_share(void *arg)
{
	struct share *share = arg;
	int64_t end = vmig_now_ms() + CREATE_S * 1000;

	while (share->nr < EACH && vmig_now_ms() < end) {
		share->ret = vmig_testdev_create(&share->mdev[share->nr],
						 types[share->nr % 2]);
		if (share->ret)
			break;
		share->nr++;
	}
	return NULL;
}

static void *remove_share(void *arg)
{
	struct share *share = arg;
	unsigned int i;

	for (i = 0; i < EACH; i++) {
		int ret = vmig_mdev_remove(&share->mdev[i]);

		if (!share->ret)
			share->ret = ret;
	}
	return NULL;
}

FIXTURE(mdev_many) {
	struct share share[THREADS];
};

FIXTURE_SETUP(mdev_many)
{
}

FIXTURE_TEARDOWN(mdev_many)
{
	unsigned int i;

	for (i = 0; i < THREADS; i++)
		remove_share(&self->share[i]);
}

static void in_parallel(struct __test_metadata *_metadata,
			struct share *share, void *(*fn)(void *arg))
{
	unsigned int i;

	for (i = 0; i < THREADS; i++) {
		share[i].ret = 0;
		ASSERT_EQ(0, pthread_create(&share[i].thread, NULL, fn, &share[i]));
	}
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_join(share[i].thread, NULL));
		EXPECT_RET(0, share[i].ret, "thread %u", i);
	}
}

/* Driver: available_instances: follows hundreds of creations and removals */
TEST_F_TIMEOUT(mdev_many, hundreds_at_once, MANY_TIMEOUT_S)
{
	long before = available(types[0]);
	struct vmig_device dev;
	const char *what = "";
	unsigned int i, nr = 0;

	ASSERT_LE(MANY, before);
	EXPECT_EQ(before, available(types[1]));
	in_parallel(_metadata, self->share, create_share);
	for (i = 0; i < THREADS; i++)
		nr += self->share[i].nr;
	if (nr < MANY)
		TH_LOG("%u devices instead of %u: time was up", nr, MANY);
	/* Both types share the instances */
	EXPECT_EQ(before - nr, available(types[0]));
	EXPECT_EQ(before - nr, available(types[1]));

	for (i = 0; i < THREADS; i++) {
		struct share *share = &self->share[i];
		unsigned int last = share->nr - 1, ports = 1 + last % 2;

		ASSERT_LT(0, share->nr);
		ASSERT_RET(0, vmig_device_open(&dev, &share->mdev[last],
					       VMIG_PATH_GROUP), "open %u", i);
		EXPECT_RET(0, vmig_contents_set(&dev, ports, SEED), "%u", i);
		EXPECT_RET(0, vmig_contents_check(&dev, ports, SEED, &what),
			   "%u: %s", i, what);
		vmig_device_close(&dev);
	}

	in_parallel(_metadata, self->share, remove_share);
	EXPECT_EQ(before, available(types[0]));
	EXPECT_EQ(before, available(types[1]));
}

/* Driver: available_instances: one less for each device */
TEST_F(mdev_many, each_device_counts)
{
	long before = available(types[0]);
	unsigned int i;

	for (i = 0; i < 4; i++) {
		ASSERT_RET(0, vmig_testdev_create(&self->share[0].mdev[i],
						  types[i / 2]), "device %u", i);
		EXPECT_EQ(before - i - 1, available(types[0]));
	}
	for (i = 0; i < 4; i++) {
		ASSERT_RET(0, vmig_mdev_remove(&self->share[0].mdev[i]), "device %u", i);
		EXPECT_EQ(before - 4 + i + 1, available(types[0]));
	}
}

FIXTURE(mdev_busy) {
	struct vmig_testdev td;
	struct vmig_device *dev;
	pid_t remover;
	pid_t user;
};

FIXTURE_SETUP(mdev_busy)
{
	self->dev = &self->td.dev;
	ASSERT_EQ(0, vmig_testdev_open(&self->td, "mtty-2", VMIG_PATH_GROUP, NULL));
	ASSERT_EQ(0, vmig_contents_set(self->dev, PORTS, SEED));
}

FIXTURE_TEARDOWN(mdev_busy)
{
	vmig_device_close(self->dev);
	if (self->user > 0) {
		kill(self->user, SIGKILL);
		waitpid(self->user, NULL, 0);
	}
	if (self->remover > 0)
		waitpid(self->remover, NULL, 0);
	vmig_testdev_close(&self->td);
}

/* The child must not hold the device open itself; it exits with the errno */
static pid_t start_remover(struct vmig_testdev *td)
{
	pid_t pid = fork();

	if (!pid) {
		vmig_device_close(&td->dev);
		_exit(-vmig_mdev_remove(&td->mdev));
	}
	return pid;
}

/* Wait until the device can no longer be opened */
static int wait_until_going(struct vmig_testdev *td)
{
	int left = DEADLINE_MS * 1000 / POLL_US, fd;

	for (; left; left--) {
		fd = ioctl(td->dev.group, VFIO_GROUP_GET_DEVICE_FD, td->mdev.uuid);
		if (fd < 0)
			return -errno;
		close(fd);
		usleep(POLL_US);
	}
	return -ETIMEDOUT;
}

static int wait_for_exit(pid_t pid, int *status)
{
	int left = DEADLINE_MS * 1000 / POLL_US;
	pid_t seen;

	for (; left; left--) {
		seen = waitpid(pid, status, WNOHANG);
		if (seen)
			return seen < 0 ? -errno : 0;
		usleep(POLL_US);
	}
	return -ETIMEDOUT;
}

/* Driver: mdev "remove" of an open device: waits until it is closed, and it works */
TEST_F(mdev_busy, removal_waits_for_the_user)
{
	long before = available("mtty-1");
	int status = -1;

	self->remover = start_remover(&self->td);
	ASSERT_LT(0, self->remover);
	EXPECT_RET(-ENODEV, wait_until_going(&self->td), "open");

	/* The device still works */
	EXPECT_CONTENTS(self->dev, PORTS, SEED);
	EXPECT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_RET(0, vmig_contents_set(self->dev, PORTS, SEED + 1), "contents");
	EXPECT_CONTENTS(self->dev, PORTS, SEED + 1);
	EXPECT_EQ(0, waitpid(self->remover, &status, WNOHANG));

	vmig_device_close(self->dev);
	ASSERT_RET(0, wait_for_exit(self->remover, &status), "removal");
	self->remover = 0;
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_RET(0, -WEXITSTATUS(status), "remove");
	EXPECT_FALSE(exists(&self->td.mdev));
	EXPECT_EQ(before + 1, available("mtty-1"));
	self->td.mdev.uuid[0] = '\0';
}

/* Driver: mdev "remove" of an open device: also ends when its user is killed */
TEST_F(mdev_busy, removal_ends_when_the_user_is_killed)
{
	int status = -1;

	/* The child process holds the device open */
	self->user = fork();
	ASSERT_LE(0, self->user);
	if (!self->user) {
		while (true)
			pause();
	}
	self->remover = start_remover(&self->td);
	ASSERT_LT(0, self->remover);
	EXPECT_RET(-ENODEV, wait_until_going(&self->td), "open");
	vmig_device_close(self->dev);
	EXPECT_EQ(0, waitpid(self->remover, &status, WNOHANG));

	EXPECT_EQ(0, kill(self->user, SIGKILL));
	EXPECT_RET(0, wait_for_exit(self->user, &status), "user");
	self->user = 0;
	ASSERT_RET(0, wait_for_exit(self->remover, &status), "removal");
	self->remover = 0;
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_RET(0, -WEXITSTATUS(status), "remove");
	EXPECT_FALSE(exists(&self->td.mdev));
	self->td.mdev.uuid[0] = '\0';
}

/* Clause: delete_module(2): EWOULDBLOCK while a device is open, which still works */
TEST_F(mdev_busy, module_stays_while_a_device_is_open)
{
	struct vmig_mdev mdev;
	long ret;

	if (access("/sys/module/mtty/initstate", F_OK))
		SKIP(return, "mtty is not a module here");

	ret = syscall(SYS_delete_module, "mtty", O_NONBLOCK);
	EXPECT_EQ(-1, ret);
	EXPECT_RET(-EWOULDBLOCK, -errno, "delete_module");
	EXPECT_CONTENTS(self->dev, PORTS, SEED);
	EXPECT_RET(0, vmig_testdev_create(&mdev, "mtty-1"), "create");
	EXPECT_RET(0, vmig_mdev_remove(&mdev), "remove");
}

TEST_HARNESS_MAIN
