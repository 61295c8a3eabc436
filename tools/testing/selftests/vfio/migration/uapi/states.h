/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The migration states: which a device has, and which have a session. Shared by the tests
 * of states and arcs.
 */
#ifndef VMIG_STATES_H
#define VMIG_STATES_H

#include <errno.h>

#include "stream.h"

/* The needs of a case with PRE_COPY_P2P */
#define HAS_PRE_COPY_P2P	(VMIG_HAS_MIGRATION | VMIG_HAS_P2P | VMIG_HAS_PRE_COPY)

/* The VMIG_HAS_* of a device that has the state */
static inline uint32_t state_needs(enum vfio_device_mig_state state)
{
	static const uint32_t needs[VFIO_DEVICE_STATE_NR] = {
		[RUNNING_P2P] = VMIG_HAS_P2P,
		[PRE_COPY] = VMIG_HAS_PRE_COPY,
		[PRE_COPY_P2P] = VMIG_HAS_P2P | VMIG_HAS_PRE_COPY,
	};

	return VMIG_HAS_MIGRATION | needs[state];
}

static inline bool has_state(const struct vmig_subject *subject,
			     enum vfio_device_mig_state state)
{
	return !vmig_subject_lacks(subject, state_needs(state));
}

/* States that share one session */
static inline bool is_saving(enum vfio_device_mig_state state)
{
	return state == STOP_COPY || state == PRE_COPY || state == PRE_COPY_P2P;
}

static inline bool has_session(enum vfio_device_mig_state state)
{
	return is_saving(state) || state == RESUMING;
}

/*
 * TRY - a step towards what the case judges. If it fails, another clause is violated, and
 * this one is not checked. The other arguments are those of printf() and name the step.
 */
#define TRY(_call, _fmt, ...) do { \
	int try_ret = (_call); \
	if (try_ret && _metadata->exit_code == KSFT_FAIL) \
		return; \
	if (try_ret) \
		SKIP(return, "not checked: " _fmt ": %s", ##__VA_ARGS__, \
		     vmig_errno_name(try_ret)); \
} while (0)

/* TRY_STREAM - a read of a whole stream, as a step */
#define TRY_STREAM(_call, _what) do { \
	int step_ret = (_call); \
	SKIP_IF_TOO_LONG(step_ret); \
	TRY(step_ret, "%s", _what); \
} while (0)

/* SET of a state, as a step */
#define TRY_STATE(_state, _data_fd) do { \
	enum vfio_device_mig_state try_state = (_state); \
	TRY(vmig_mig_set_state(self->dev, try_state, _data_fd), "to %s", \
	    vmig_state_name(try_state)); \
} while (0)

/*
 * Drop the session and what the device contains; the list of calls begins again. Not
 * NEED(RESET): a device that can migrate can be reset, and some do not have the flag.
 */
#define START_AGAIN() do { \
	if (self->fd >= 0) \
		vmig_call_close(self->fd); \
	self->fd = -1; \
	TRY(vmig_device_reset(self->dev), "reset"); \
} while (0)

/* Save the device into self->stream, and start again */
#define SAVE_STREAM() do { \
	TRY_STREAM(vmig_transfer_save(self->dev, &self->stream), "save"); \
	START_AGAIN(); \
} while (0)

/* From RUNNING; self->fd is the session. In RESUMING the saved stream is written. */
#define REACH(_state) do { \
	enum vfio_device_mig_state reached = (_state); \
	if (reached != RUNNING) \
		TRY(vmig_transfer_reach(self->dev, reached, &self->stream, &self->fd), \
		    "RUNNING to %s", vmig_state_name(reached)); \
} while (0)

/* A close and a new open that the case judges: the list of calls does not begin again */
static inline int reopen_listed(struct vmig_subject *subject)
{
	int ret;

	vmig_device_close(&subject->dev);
	vmig_call_text("close the device and open it");
	ret = vmig_device_open_at(&subject->dev, subject->sysfs, subject->path);
	errno = -ret;
	vmig_call_result(ret ? -1 : 0);
	vmig_calls_name(subject->dev.fd, "device");
	return ret;
}

#endif /* VMIG_STATES_H */
