// SPDX-License-Identifier: GPL-2.0-only
/* A device that is open: unknown ioctls, other devices, and what the next user finds. */
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "usable.h"

#define SEED		30
#define DEADLINE_MS	5000

/* @event, @other: eventfds */
FIXTURE(open) {
	SUBJECT_MEMBERS;
	int event;
	int other;
};

FIXTURE_SETUP(open)
{
	OPEN_SUBJECT();
	self->event = vmig_eventfd_create();
	ASSERT_LE(0, self->event);
	self->other = vmig_eventfd_create();
	ASSERT_LE(0, self->other);
}

FIXTURE_TEARDOWN(open)
{
	close(self->event);
	close(self->other);
	CLOSE_SUBJECT();
}

static int call(struct vmig_device *dev, unsigned long request)
{
	uint32_t arg[64] = { sizeof(arg) };

	return vmig_call_ioctl(dev->fd, request, arg) ? -errno : 0;
}

CLAUSE_TEST_F(open, unknown_ioctl, "open.unknown-ioctl")
{
	static const unsigned long requests[] = {
		_IO(VFIO_TYPE, VFIO_BASE + 150), _IO(VFIO_TYPE, 0xff), VFIO_GET_API_VERSION,
		_IO('x', VFIO_BASE), 0, UINT32_MAX,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		vmig_calls_restart("device was opened");
		EXPECT_REFUSED("errno of an unknown ioctl", call(self->dev, requests[i]));
	}
}

#define OPEN_SECOND() do { \
	int open_ret = vmig_subject_open_second(&self->second); \
\
	if (open_ret == -ENODEV) \
		SKIP(return, "not checked: no second device was given"); \
	ASSERT_RET(0, open_ret, "open the second device"); \
} while (0)

CLAUSE_TEST_F(open, two_devices_state, "open.two-devices")
{
	NEED(MIGRATION);
	OPEN_SECOND();
	GO(STOP);
	EXPECT_STATE(RUNNING, &self->second.dev, "the second device");
	GO(RUNNING);
	EXPECT_RET(0, vmig_mig_set_state(&self->second.dev, STOP, NULL), "STOP");
	EXPECT_STATE(RUNNING, self->dev, "the first device");
}

CLAUSE_TEST_F(open, two_devices_contents, "open.two-devices")
{
	const char *what = "";

	NEED_OP(fill);
	NEED_OP(check);
	OPEN_SECOND();
	ASSERT_RET(0, self->subject.ops->fill(&self->second.dev, SEED), "fill");
	ASSERT_RET(0, self->subject.ops->fill(self->dev, SEED + 1), "fill");
	if (self->subject.has & VMIG_HAS_RESET)
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_RET(0, self->subject.ops->check(&self->second.dev, SEED, &what), "%s", what);
}

CLAUSE_TEST_F(open, two_devices_irqs, "open.two-devices")
{
	int index;

	NEED_IRQ(index);
	OPEN_SECOND();
	CONNECT_FD(index, self->event);
	ASSERT_RET(0, vmig_irq_set_fd(&self->second.dev, index, TRIGGER, self->other), "connect");
	ASSERT_RET(0, vmig_irq_action(self->dev, index, TRIGGER), "trigger");
	EXPECT_SIGNALS(1, self->event, "the device that was triggered");
	EXPECT_SIGNALS(0, self->other, "the second device");
}

CLAUSE_TEST_F(open, next_user_contents, "open.reopen-contents")
{
	const char *what = "";
	int ret;

	NEED_OP(fill);
	NEED_OP(check);
	ASSERT_RET(0, self->subject.ops->fill(self->dev, SEED), "fill");
	ASSERT_RET(0, reopen_listed(&self->subject), "open again");
	ret = self->subject.ops->check(self->dev, SEED, &what);
	EXPECT_TRUE(!ret || ret == -EUCLEAN) {
		TH_LOG("%s: %s", what, vmig_errno_name(ret));
	}
	RECORD("contents after the last close", "%s", ret ? "reset" : "left to the next user");
}

SUBJECT_FIXTURE(open_state);

FIXTURE_VARIANT(open_state) {
	enum vfio_device_mig_state state;
};

REACHABLE_STATE_VARIANTS(open_state);

CLAUSE_TEST_F(open_state, next_user_state, "open.reopen-state")
{
	NEED_MASK(state_needs(variant->state));
	REACH(variant->state);
	ASSERT_RET(0, reopen_listed(&self->subject), "open again");
	EXPECT_STATE(RUNNING, self->dev, "after the last close in %s",
		     vmig_state_name(variant->state));
}

/* In the child: has the device in a state, says so and waits for its end */
static void own_device(struct vmig_subject *subject, enum vfio_device_mig_state state, int said)
{
	int ret, fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	ret = vmig_subject_reopen(subject);
	if (!ret && state != RUNNING)
		ret = vmig_mig_set_state(&subject->dev, state, &fd);
	if (write(said, &ret, sizeof(ret)) == sizeof(ret))
		pause();
	_exit(1);
}

/* Start a process that has the device in a state, and kill it */
static void kill_owner(struct __test_metadata *_metadata, FIXTURE_DATA(open_state) *self,
		       enum vfio_device_mig_state state)
{
	const struct vmig_patience patience = { .timeout_ms = DEADLINE_MS, .cancel_fd = -1 };
	int said[2], ret = -1;
	pid_t child;

	vmig_device_close(self->dev);
	ASSERT_EQ(0, pipe(said));
	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		own_device(&self->subject, state, said[1]);
	close(said[1]);
	EXPECT_EQ((ssize_t)sizeof(ret), vmig_io_read(said[0], &ret, sizeof(ret), &patience));
	close(said[0]);
	ASSERT_EQ(0, kill(child, SIGKILL));
	ASSERT_EQ(child, waitpid(child, NULL, 0));
	ASSERT_RET(0, ret, "%s in the other process", vmig_state_name(state));
}

CLAUSE_TEST_F(open_state, owner_is_killed, "open.owner-death")
{
	enum vfio_device_mig_state state;

	NEED_MASK(state_needs(variant->state));
	kill_owner(_metadata, self, variant->state);
	ASSERT_RET(0, vmig_subject_reopen(&self->subject), "open again");
	vmig_calls_restart("a process that had the device in %s was killed, device was opened",
			   vmig_state_name(variant->state));
	ASSERT_RET(0, vmig_mig_get_state(self->dev, &state), "state");
	if (state != RUNNING) {
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
		ASSERT_RET(0, vmig_mig_get_state(self->dev, &state), "state");
	}
	if (state != RUNNING)
		GO(RUNNING);
	EXPECT_USABLE(SEED);
}

SUBJECT_TEST_MAIN
