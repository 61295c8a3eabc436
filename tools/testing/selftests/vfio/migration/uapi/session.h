/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the tests of data transfer sessions: contents, sessions in each state, poll()
 * without waiting. @self->dev is the device, @self->fd the data_fd, @self->stream the
 * data.
 */
#ifndef VMIG_SESSION_H
#define VMIG_SESSION_H

#include <errno.h>

#include "states.h"

#define SEED	20

#define NEED_STATE(_state)	NEED_MASK(state_needs(_state))

/* Contents that EXPECT_CONTENTS() finds again, if the device has the operations */
#define FILL(_dev, _seed) do { \
	if (self->subject.ops->fill) \
		TRY(self->subject.ops->fill(_dev, _seed), "fill"); \
} while (0)

/*
 * The contents of FILL(). Must come last: what was judged before does not make the case
 * pass if the contents cannot be judged.
 */
#define EXPECT_CONTENTS(_dev, _seed) do { \
	if (self->subject.ops->check) \
		EXPECT_FILLED(_dev, _seed); \
	else if (_metadata->exit_code != KSFT_FAIL) \
		SKIP(return, "not checked: the contents: no operation check for %s", \
		     self->subject.ops->name); \
} while (0)

/* Go to a state that begins a session, as a step. In a case, not in a function of it. */
#define BEGIN(_state, _fd)	BEGIN_OF(self->dev, _state, _fd)
#define BEGIN_OF(_dev, _state, _fd) do { \
	enum vfio_device_mig_state begin_state = (_state); \
	TRY(vmig_mig_set_state(_dev, begin_state, _fd), "to %s", \
	    vmig_state_name(begin_state)); \
	TRY(*(_fd) < 0 ? -EBADF : 0, "data_fd in %s", vmig_state_name(begin_state)); \
} while (0)

/* The whole stream, in STOP_COPY afterwards; as a step, like BEGIN() */
#define SAVE()	TRY_STREAM(vmig_transfer_save(self->dev, &self->stream), "save")

/* Write all of self->stream to a data_fd, as a step */
#define WRITE_ALL(_fd) \
	TRY(vmig_transfer_write(_fd, self->stream.data, self->stream.len, \
				VMIG_TRANSFER_CHUNK, NULL), "write")

/* vfio.h has a reset for every device that can migrate; other cases judge that */
#define RESET_LISTED() do { \
	int listed_ret = vmig_device_reset_listed(self->dev); \
	if (listed_ret == -ENOTTY) \
		SKIP(return, "not checked: the device cannot be reset"); \
	ASSERT_RET(0, listed_ret, "reset"); \
} while (0)

/* The bits of POLL* as text, which the next call overwrites */
static inline const char *events_text(int events)
{
	static const struct {
		int bit;
		const char *name;
	} names[] = {
		{ POLLIN, " POLLIN" }, { POLLOUT, " POLLOUT" }, { POLLERR, " POLLERR" },
		{ POLLHUP, " POLLHUP" }, { POLLNVAL, " POLLNVAL" },
	};
	static char text[64];
	unsigned int i;

	if (events < 0)
		return vmig_errno_name(events);
	text[0] = '\0';
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (events & names[i].bit)
			strcat(text, names[i].name);
	}
	return text[0] ? text + 1 : "no event";
}

/* Events of a descriptor now, or -errno */
static inline int events_now(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN | POLLOUT };

	return vmig_call_poll(&pfd, 0) < 0 ? -errno : pfd.revents;
}

#endif /* VMIG_SESSION_H */
