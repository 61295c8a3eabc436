// SPDX-License-Identifier: GPL-2.0-only
/* The source side of the model VMM; see vmm.h. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "lib/vfio/feature.h"
#include "lib/vfio/util.h"
#include "vmm_int.h"

/* Most data of a round of pre-copy, so that a busy device does not block others */
#define ROUND_MAX	(4u << 20)

/* The round ends if config space changes so often before any data could be read */
#define CONFIG_RETRIES	64

static int write_marker(struct vmig_vmm *vmm, int fd, uint64_t marker)
{
	const struct vmig_section section = { .marker = marker };

	return vmig_vmm_write_section(vmm, fd, &section);
}

static int write_data(struct vmig_vmm *vmm, int fd, size_t len, uint64_t *count)
{
	const struct vmig_section section = {
		.marker = VFIO_MIG_FLAG_DEV_DATA_STATE,
		.data = vmm->buf,
		.len = len,
	};

	*count += len;
	return vmig_vmm_write_section(vmm, fd, &section);
}

/**
 * copy_data() - copy from the device into the stream
 * @vmm:	the VMM
 * @fd:		the stream
 * @max:	stop after so many bytes
 * @count:	bytes are added to it
 *
 * Return: 1 if the device has no more data for now, 0 if it has, or -errno.
 */
static int copy_data(struct vmig_vmm *vmm, int fd, uint64_t max,
		     uint64_t *count)
{
	unsigned int retries = 0;
	uint64_t start = *count;
	int ret = 0;

	while (!ret && *count - start < max && retries < CONFIG_RETRIES) {
		ssize_t n = read(vmm->data_fd, vmm->buf, VMIG_DATA_MAX);

		if (n < 0 && errno == EINTR)
			continue;
		if (n > 0) {
			retries = 0;
			ret = write_data(vmm, fd, n, count);
		} else if (!n || errno == ENOMSG) {
			return 1;
		} else if (errno == ESTALE) {
			/* The next data need the new config space */
			retries++;
			ret = vmig_vmm_config_stale(vmm, fd);
		} else {
			ret = vmig_vmm_fail(vmm, -errno, "data_fd: %s",
					    strerror(errno));
		}
	}
	return ret;
}

static int opt_in(struct vmig_vmm *vmm)
{
	int ret = 0;

	vmm->answer = (struct vmig_config_answer) {};
	if (vmm->config != VMIG_VMM_CONFIG_PLAIN)
		ret = vmig_vmm_query(vmm, &vmm->answer);
	if (ret)
		return ret;
	ret = vmig_vmm_opt_in(vmm);
	return ret ? vmig_vmm_fail(vmm, ret, "opt-in: %s", strerror(-ret)) : 0;
}

int vmig_vmm_save_setup(struct vmig_vmm *vmm, int fd)
{
	struct vmig_section section = {
		.marker = VFIO_MIG_FLAG_DEV_SETUP_STATE,
		.version = VMIG_VMSTREAM_VERSION,
	};
	int ret;

	vmig_vmm_begin_step(vmm, "save_setup");
	vmm->stats.started_at = vmig_now_ns();
	ret = vmig_mig_get_flags(vmm->dev, &vmm->mig_flags);
	if (ret)
		return vmig_vmm_fail(vmm, ret, "no migration: %s",
				     strerror(-ret));
	if (vmm->options & VMIG_VMM_NO_PRECOPY)
		vmm->mig_flags &= ~VFIO_MIGRATION_PRE_COPY;

	ret = opt_in(vmm);
	if (ret)
		return ret;
	section.need = vmm->answer.need;
	section.size = vmm->answer.size;
	ret = vmig_vmm_write_section(vmm, fd, &section);
	if (!ret && vmm->mig_flags & VFIO_MIGRATION_PRE_COPY)
		ret = vmig_vmm_set_state(vmm, VFIO_DEVICE_STATE_PRE_COPY);
	return ret ? ret : write_marker(vmm, fd, VFIO_MIG_FLAG_END_OF_STATE);
}

static void report_progress(struct vmig_vmm *vmm)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info) };

	if (vmig_precopy_info(vmm->data_fd, &info))
		return;
	vmig_vmm_report_call(vmm, "VFIO_MIG_GET_PRECOPY_INFO",
			     "initial %llu, dirty %llu",
			     (unsigned long long)info.initial_bytes,
			     (unsigned long long)info.dirty_bytes);
}

int vmig_vmm_save_iterate(struct vmig_vmm *vmm, int fd)
{
	int ret, drained;

	vmig_vmm_begin_step(vmm, "save_live_iterate");
	vmm->stats.rounds++;
	report_progress(vmm);
	ret = vmig_vmm_config_before_data(vmm, fd);
	if (!ret)
		ret = copy_data(vmm, fd, ROUND_MAX, &vmm->stats.bytes_precopy);
	if (ret < 0)
		return ret;
	drained = ret == 1;
	ret = write_marker(vmm, fd, VFIO_MIG_FLAG_END_OF_STATE);
	return ret ? ret : drained;
}

int vmig_vmm_save_complete_precopy(struct vmig_vmm *vmm, int fd)
{
	bool precopy = vmm->mig_flags & VFIO_MIGRATION_PRE_COPY;
	int ret = 0;

	vmig_vmm_begin_step(vmm, "save_live_complete_precopy");
	if (vmm->stop_guest)
		vmm->stop_guest(vmm->guest);
	vmm->stats.stopped_at = vmig_now_ns();
	if (vmm->mig_flags & VFIO_MIGRATION_P2P)
		ret = vmig_vmm_set_state(vmm, precopy ?
					 VFIO_DEVICE_STATE_PRE_COPY_P2P :
					 VFIO_DEVICE_STATE_RUNNING_P2P);
	if (!ret)
		ret = vmig_vmm_set_state(vmm, VFIO_DEVICE_STATE_STOP_COPY);
	if (!ret)
		ret = vmig_vmm_config_before_data(vmm, fd);
	if (ret)
		return ret;

	ret = copy_data(vmm, fd, UINT64_MAX, &vmm->stats.bytes_stopcopy);
	if (ret <= 0)
		return ret ? ret : vmig_vmm_fail(vmm, -EAGAIN,
						 "config space keeps changing");
	return write_marker(vmm, fd, VFIO_MIG_FLAG_END_OF_STATE);
}

/* A step with one section; @saved is the result of filling @blob */
static int write_blob(struct vmig_vmm *vmm, int fd, uint64_t marker,
		      struct vmig_bytes *blob, int saved)
{
	struct vmig_section section = {
		.marker = marker, .data = blob->data, .len = blob->len,
	};
	int ret;

	if (saved)
		ret = vmig_vmm_fail(vmm, saved, "%s: %s", vmm->step,
				    strerror(-saved));
	else
		ret = vmig_vmm_write_section(vmm, fd, &section);
	vmig_bytes_free(blob);
	return ret ? ret : write_marker(vmm, fd, VFIO_MIG_FLAG_END_OF_STATE);
}

int vmig_vmm_save_guest(struct vmig_vmm *vmm, int fd)
{
	struct vmig_bytes blob = {};
	int ret;

	if (!vmm->save_guest)
		return 0;
	vmig_vmm_begin_step(vmm, "guest");
	ret = vmm->save_guest(vmm->guest, &blob);
	return write_blob(vmm, fd, VMIG_FLAG_GUEST_STATE, &blob, ret);
}

int vmig_vmm_save_irqchip(struct vmig_vmm *vmm, int fd)
{
	struct vmig_bytes blob = {};
	int ret;

	vmig_vmm_begin_step(vmm, "interrupt controller");
	ret = vmig_irqchip_save(vmm->chip, &blob);
	return write_blob(vmm, fd, VMIG_FLAG_IRQCHIP_STATE, &blob, ret);
}

int vmig_vmm_save_state(struct vmig_vmm *vmm, int fd)
{
	int ret;

	vmig_vmm_begin_step(vmm, "save_state");
	ret = vmig_vmm_config_last(vmm, fd);
	return ret ? ret : write_marker(vmm, fd, VFIO_MIG_FLAG_END_OF_STATE);
}

int vmig_vmm_save_end(struct vmig_vmm *vmm, int fd)
{
	int ret;

	vmig_vmm_begin_step(vmm, "save_end");
	ret = vmig_vmm_set_state(vmm, VFIO_DEVICE_STATE_STOP);
	vmig_vmm_close_data(vmm);
	/* The destination runs once it has this, so nothing may fail after it */
	return ret ? ret : write_marker(vmm, fd, VMIG_FLAG_END_OF_STREAM);
}

int vmig_vmm_save_cancel(struct vmig_vmm *vmm)
{
	int ret;

	ret = vmig_vmm_set_state(vmm, VFIO_DEVICE_STATE_RUNNING);
	vmig_vmm_close_data(vmm);
	return ret;
}

static int save_live(struct vmig_vmm *vmm, int fd)
{
	unsigned int round;
	int ret;

	ret = vmig_vmm_save_setup(vmm, fd);
	if (ret || !(vmm->mig_flags & VFIO_MIGRATION_PRE_COPY))
		return ret;
	for (round = 0; !ret && round < vmm->max_rounds; round++)
		ret = vmig_vmm_save_iterate(vmm, fd);

	return ret < 0 ? ret : 0;
}

int vmig_vmm_save(struct vmig_vmm *vmm, int fd)
{
	int ret;

	ret = save_live(vmm, fd);
	if (!ret)
		ret = vmig_vmm_save_complete_precopy(vmm, fd);
	if (!ret)
		ret = vmig_vmm_save_guest(vmm, fd);
	if (!ret)
		ret = vmig_vmm_save_irqchip(vmm, fd);
	if (!ret)
		ret = vmig_vmm_save_state(vmm, fd);
	if (!ret)
		ret = vmig_vmm_save_end(vmm, fd);
	if (ret)
		vmig_vmm_save_cancel(vmm);
	return ret;
}
