// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several threads use one data_fd when its session ends: each call returns, and after
 * the end with ENODEV.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/mtty.h"

#define PORTS		2
#define SEED		20
#define USERS		4
#define ROUNDS		8
/* Calls of each user before the session ends */
#define MIN_CALLS	5
/* Ends within heads and within payloads */
#define CHUNK		97
#define TIMEOUT_S	300

enum way {
	BY_STATE,	/* a request for another state */
	BY_RESET,	/* VFIO_DEVICE_RESET */
	BY_CLOSE,	/* the device is closed */
};

struct race;

/**
 * struct user - a thread that uses the data_fd
 * @race:	shared by all users
 * @thread:	the thread
 * @nowhere:	buffer that cannot be accessed, or NULL for a valid one
 * @pos:	bytes of the stream that it has written
 * @ret:	0, -EUCLEAN if an ended session returned something other than ENODEV, or an
 *		-errno that no call should return
 */
struct user {
	struct race *race;
	pthread_t thread;
	void *nowhere;
	size_t pos;
	int ret;
};

/**
 * struct race - a session and its users
 * @fd:		the data_fd
 * @loads:	users write to it
 * @stream:	data to write
 * @nowhere:	memory that cannot be accessed
 * @busy:	counts the users that have made MIN_CALLS
 * @over:	the session has ended
 * @user:	all users
 */
struct race {
	int fd;
	bool loads;
	struct vmig_bytes stream;
	void *nowhere;
	sem_t busy;
	bool over;
	struct user user[USERS];
};

FIXTURE(data_fd_race) {
	DEVICE_MEMBERS;
	struct race race;
};

FIXTURE_VARIANT(data_fd_race) {
	enum vfio_device_mig_state state;
	enum way way;
};

#define VARIANT(_name, _state, _way) \
FIXTURE_VARIANT_ADD(data_fd_race, _name) { \
	.state = VFIO_DEVICE_STATE_##_state, .way = _way, \
}

VARIANT(pre_copy_by_state, PRE_COPY, BY_STATE);
VARIANT(pre_copy_by_reset, PRE_COPY, BY_RESET);
VARIANT(pre_copy_by_close, PRE_COPY, BY_CLOSE);
VARIANT(stop_copy_by_state, STOP_COPY, BY_STATE);
VARIANT(stop_copy_by_reset, STOP_COPY, BY_RESET);
VARIANT(stop_copy_by_close, STOP_COPY, BY_CLOSE);
VARIANT(resuming_by_state, RESUMING, BY_STATE);
VARIANT(resuming_by_reset, RESUMING, BY_RESET);
VARIANT(resuming_by_close, RESUMING, BY_CLOSE);

FIXTURE_SETUP(data_fd_race)
{
	struct race *race = &self->race;

	OPEN_DEVICE("mtty-2", .capture_size = "64K");
	race->fd = -1;
	race->loads = variant->state == VFIO_DEVICE_STATE_RESUMING;
	race->nowhere = mmap(NULL, CHUNK, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0);
	ASSERT_NE(MAP_FAILED, race->nowhere);
	ASSERT_EQ(0, sem_init(&race->busy, 0, 0));
	ASSERT_EQ(0, vmig_contents_set(self->dev, PORTS, SEED));
	ASSERT_EQ(0, vmig_transfer_save(self->dev, &race->stream));
	ASSERT_EQ(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RUNNING,
					NULL));
}

FIXTURE_TEARDOWN(data_fd_race)
{
	if (self->race.fd >= 0)
		close(self->race.fd);
	vmig_bytes_free(&self->race.stream);
	CLOSE_DEVICE();
	sem_destroy(&self->race.busy);
}

static int read_some(const struct user *user)
{
	char buf[CHUNK];

	return read(user->race->fd, user->nowhere ?: buf, CHUNK) < 0 ? -errno : 0;
}

static int write_some(struct user *user)
{
	const struct vmig_bytes *stream = &user->race->stream;
	size_t len = stream->len - user->pos;
	ssize_t n;

	if (user->nowhere)
		return write(user->race->fd, user->nowhere, CHUNK) < 0 ?
		       -errno : -EIO;
	n = write(user->race->fd, stream->data + user->pos,
		  len < CHUNK ? len : CHUNK);
	if (n > 0)
		user->pos += n;
	return n < 0 ? -errno : 0;
}

/* Other calls, at the same time; other tests check their results */
static void call_others(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN | POLLOUT };
	struct vfio_precopy_info info;

	poll(&pfd, 1, 0);
	vmig_precopy_info(fd, &info);
}

static bool is_known(int ret)
{
	/* EBADMSG: several threads write at once, so the data are in disorder */
	return !ret || ret == -ENODEV || ret == -ENOMSG || ret == -EFAULT ||
	       ret == -EBADMSG;
}

static void *use(void *opaque)
{
	struct user *user = opaque;
	struct race *race = user->race;
	unsigned int calls = 0;
	int ret = 0;

	while (!user->ret && ret != -ENODEV) {
		bool over = __atomic_load_n(&race->over, __ATOMIC_ACQUIRE);

		ret = race->loads ? write_some(user) : read_some(user);
		call_others(race->fd);
		if (!is_known(ret))
			user->ret = ret;
		else if (over && ret != -ENODEV)
			user->ret = -EUCLEAN;
		if (++calls == MIN_CALLS)
			sem_post(&race->busy);
	}
	if (calls < MIN_CALLS)
		sem_post(&race->busy);
	return NULL;
}

/* In every other round only one user has a valid buffer */
static void start(struct __test_metadata *_metadata, struct race *race,
		  unsigned int round)
{
	unsigned int i;

	race->over = false;
	for (i = 0; i < USERS; i++) {
		struct user *user = &race->user[i];

		*user = (struct user) {
			.race = race,
			.nowhere = i && round % 2 ? race->nowhere : NULL,
		};
		ASSERT_EQ(0, pthread_create(&user->thread, NULL, use, user));
	}
	for (i = 0; i < USERS; i++)
		ASSERT_EQ(0, sem_wait(&race->busy));
}

static void finish(struct __test_metadata *_metadata, struct race *race,
		   unsigned int round)
{
	unsigned int i;

	__atomic_store_n(&race->over, true, __ATOMIC_RELEASE);
	for (i = 0; i < USERS; i++) {
		ASSERT_EQ(0, pthread_join(race->user[i].thread, NULL));
		EXPECT_RET(0, race->user[i].ret, "round %u, user %u", round, i);
	}
	close(race->fd);
	race->fd = -1;
}

static void end_session(struct __test_metadata *_metadata,
			FIXTURE_DATA(data_fd_race) *self,
			const FIXTURE_VARIANT(data_fd_race) *variant)
{
	int ret;

	if (variant->way == BY_CLOSE) {
		vmig_device_close(self->dev);
		return;
	}
	if (variant->way == BY_STATE) {
		ret = vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP,
					 NULL);
		/* An incomplete stream does not end the session */
		if (!self->race.loads || (ret != -EBADMSG && ret != -ENODATA))
			EXPECT_RET(0, ret, "STOP");
		if (ret != -ENODATA)
			return;
	}
	EXPECT_RET(0, vmig_device_reset(self->dev), "reset");
}

static void expect_works(struct __test_metadata *_metadata,
			 FIXTURE_DATA(data_fd_race) *self)
{
	struct vmig_bytes *stream = &self->race.stream;
	const char *what = "";

	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "contents");
	stream->len = 0;
	ASSERT_RET(0, vmig_transfer_save(self->dev, stream), "save");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_transfer_load(self->dev, stream), "load");
	EXPECT_RET(0, vmig_contents_check(self->dev, PORTS, SEED, &what), "%s",
		   what);
}

/*
 * Driver: read(), write(), poll() and VFIO_MIG_GET_PRECOPY_INFO at the same time, while
 * the session ends: each returns, then read() and write() fail with ENODEV
 */
TEST_F_TIMEOUT(data_fd_race, ends_while_in_use, TIMEOUT_S)
{
	struct race *race = &self->race;
	unsigned int round;

	for (round = 0; round < ROUNDS; round++) {
		ASSERT_RET(0, vmig_mig_set_state(self->dev, variant->state,
						 &race->fd), "%s",
			   vmig_state_name(variant->state));
		start(_metadata, race, round);
		end_session(_metadata, self, variant);
		finish(_metadata, race, round);
		if (variant->way == BY_CLOSE)
			ASSERT_RET(0, vmig_device_open(self->dev,
						       &self->td.mdev,
						       VMIG_PATH_ANY), "open");
		else
			ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	}
	expect_works(_metadata, self);
}

TEST_HARNESS_MAIN
