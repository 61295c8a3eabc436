// SPDX-License-Identifier: GPL-2.0-only
/*
 * One data_fd, several who use it at once, and a session that ends meanwhile: each
 * call has an answer, and from then on that is ENODEV.
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
#define ROUNDS		20
/* Before the session ends, each user has come so far */
#define MIN_CALLS	5
/* Ends in the middle of heads and of what is behind them */
#define CHUNK		97
#define TIMEOUT_S	300

enum way {
	BY_STATE,	/* a request for another state */
	BY_RESET,	/* VFIO_DEVICE_RESET */
	BY_CLOSE,	/* the device is closed */
};

struct race;

/**
 * struct user - one of those who use the data_fd
 * @race:	what they share
 * @thread:	itself
 * @nowhere:	what it offers, or asks to be filled: memory that is not there, or NULL
 * @pos:	how much of the stream it has written
 * @ret:	0, -EUCLEAN if a session that is over gave another answer than ENODEV,
 *		or an -errno that no call should have
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
 * @loads:	it is to be written to
 * @stream:	what to write
 * @nowhere:	memory that nobody can read or write
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
	struct vmig_testdev td;
	struct vmig_device *dev;
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
	const struct vmig_attrs attrs = { .capture_size = "64K" };
	struct race *race = &self->race;

	self->dev = &self->td.dev;
	race->fd = -1;
	race->loads = variant->state == VFIO_DEVICE_STATE_RESUMING;
	race->nowhere = mmap(NULL, CHUNK, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0);
	ASSERT_NE(MAP_FAILED, race->nowhere);
	ASSERT_EQ(0, sem_init(&race->busy, 0, 0));
	ASSERT_EQ(0, vmig_testdev_open(&self->td, "mtty-2", VMIG_PATH_ANY,
				       &attrs));
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
	vmig_testdev_close(&self->td);
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

/* What else there is to call; its answers are other tests' business */
static void ask(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN | POLLOUT };
	struct vfio_precopy_info info;

	poll(&pfd, 1, 0);
	vmig_precopy_info(fd, &info);
}

static bool is_known(int ret)
{
	/* Of several who write at once, none has written a stream */
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
		ask(race->fd);
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

/* In each other round there is one who writes, or reads, as it should be done */
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
		/* A stream that is not complete does not end the session */
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
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "scene");
	stream->len = 0;
	ASSERT_RET(0, vmig_transfer_save(self->dev, stream), "save");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_transfer_load(self->dev, stream), "load");
	EXPECT_RET(0, vmig_contents_check(self->dev, PORTS, SEED, &what), "%s",
		   what);
}

/*
 * Clause: read(), write(), poll() and VFIO_MIG_GET_PRECOPY_INFO of one data_fd at
 * once, while its session ends: each has its answer, and then it is ENODEV
 */
TEST_F_TIMEOUT(data_fd_race, ends_under_its_users, TIMEOUT_S)
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
