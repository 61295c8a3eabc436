// SPDX-License-Identifier: GPL-2.0-only
/*
 * The source's side of the model VMM; see vmm.h.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#include <linux/vfio_mig_config.h>

#include "feature.h"
#include "vmm_int.h"

/* Most data of a round of pre-copy, so that a busy device gives others a turn */
#define ROUND_MAX	(4u << 20)

/*
 * How often config space may change while it is being read, or be changed again
 * before any data could be read, until the round is given up
 */
#define CONFIG_RETRIES	64

static int put(struct vmig_vmm *vmm, int fd, const struct vmig_section *section)
{
	int ret;

	ret = vmig_section_write(fd, section);
	if (ret)
		return vmig_vmm_fail(vmm, ret, "stream: %s", strerror(-ret));
	vmig_vmm_passed(vmm, section);
	return 0;
}

static int put_marker(struct vmig_vmm *vmm, int fd, uint64_t marker)
{
	const struct vmig_section section = { .marker = marker };

	return put(vmm, fd, &section);
}

static bool needs_config_first(const struct vmig_vmm *vmm)
{
	return vmm->policy & VFIO_MIG_CONFIG_BEFORE_DATA;
}

/* Config space and the generation that it has as a whole */
static int take_snapshot(struct vmig_vmm *vmm, uint8_t *config,
			 uint64_t *generation)
{
	unsigned int tries;
	uint64_t now;
	int ret;

	ret = vmig_vmm_query(vmm, &vmm->policy, generation);
	for (tries = 0; !ret && tries < CONFIG_RETRIES; tries++) {
		ret = vmig_region_read(vmm->dev, VFIO_PCI_CONFIG_REGION_INDEX,
				       0, config, VMIG_CONFIG_SIZE);
		if (ret)
			return vmig_vmm_fail(vmm, ret, "config space: %s",
					     strerror(-ret));
		ret = vmig_vmm_query(vmm, &vmm->policy, &now);
		if (ret || now == *generation)
			return ret;
		*generation = now;
	}
	return ret ? ret : -EAGAIN;
}

int vmig_vmm_save_config(struct vmig_vmm *vmm, int fd, uint64_t subflags)
{
	struct vmig_section section = {
		.marker = VFIO_MIG_FLAG_DEV_CONFIG_STATE,
		.subflags = subflags,
	};
	uint8_t config[VMIG_CONFIG_SIZE];
	int ret;

	if (!(subflags & VMIG_CONFIG_SETUP)) {
		vmm->stats.flag_sections++;
		return put(vmm, fd, &section);
	}

	ret = take_snapshot(vmm, config, &section.generation);
	if (ret)
		return vmig_vmm_fail(vmm, ret, "config space: %s",
				     strerror(-ret));
	section.data = config;
	section.len = sizeof(config);
	ret = put(vmm, fd, &section);
	if (ret)
		return ret;

	vmm->stats.config_sections++;
	vmm->generation = section.generation;
	return 0;
}

/* Only what was not sent yet, and only to those who need it */
static int save_config_if_new(struct vmig_vmm *vmm, int fd)
{
	uint64_t generation;
	int ret;

	if (!needs_config_first(vmm))
		return 0;
	ret = vmig_vmm_query(vmm, &vmm->policy, &generation);
	if (ret || generation == vmm->generation)
		return ret;
	return vmig_vmm_save_config(vmm, fd, VMIG_CONFIG_SETUP |
				    VMIG_CONFIG_NO_INTERRUPTS);
}

static int put_data(struct vmig_vmm *vmm, int fd, size_t len, uint64_t *count)
{
	const struct vmig_section section = {
		.marker = VFIO_MIG_FLAG_DEV_DATA_STATE,
		.data = vmm->buf,
		.len = len,
	};

	*count += len;
	return put(vmm, fd, &section);
}

/**
 * copy_data() - from the device into the stream
 * @vmm:	the VMM
 * @fd:		the stream
 * @max:	stop when there is more than this
 * @count:	bytes are added to it
 *
 * Return: 1 at the end, be it temporary or not, 0 if something is left, or
 * -errno.
 */
static int copy_data(struct vmig_vmm *vmm, int fd, uint64_t max,
		     uint64_t *count)
{
	unsigned int retries = 0;
	uint64_t start = *count;
	int ret = 0;

	while (!ret && *count - start < max && retries < CONFIG_RETRIES) {
		ssize_t n = read(vmm->data_fd, vmm->buf, VMIG_DATA_MAX);

		if (n > 0) {
			retries = 0;
			ret = put_data(vmm, fd, n, count);
		} else if (!n || errno == ENOMSG) {
			return 1;
		} else if (errno == ESTALE) {
			/* What comes now depends on config space of its own */
			retries++;
			ret = save_config_if_new(vmm, fd);
		} else {
			ret = vmig_vmm_fail(vmm, -errno, "data_fd: %s",
					    strerror(errno));
		}
	}
	return ret;
}

int vmig_vmm_save_setup(struct vmig_vmm *vmm, int fd)
{
	struct vmig_section section = {
		.marker = VFIO_MIG_FLAG_DEV_SETUP_STATE,
		.version = VMIG_VMSTREAM_VERSION,
	};
	int ret;

	vmig_vmm_begin(vmm, "save_setup");
	vmm->generation = 0;
	ret = vmig_mig_get_flags(vmm->dev, &vmm->mig_flags);
	if (ret)
		return vmig_vmm_fail(vmm, ret, "no migration: %s",
				     strerror(-ret));
	if (vmm->options & VMIG_VMM_NO_PRECOPY)
		vmm->mig_flags &= ~VFIO_MIGRATION_PRE_COPY;

	ret = vmig_vmm_query(vmm, &vmm->policy, &section.generation);
	if (ret)
		return ret;
	section.policy = vmm->policy;
	ret = put(vmm, fd, &section);
	if (!ret && vmm->mig_flags & VFIO_MIGRATION_PRE_COPY)
		ret = vmig_vmm_set_state(vmm, VFIO_DEVICE_STATE_PRE_COPY);
	return ret ? ret : put_marker(vmm, fd, VFIO_MIG_FLAG_END_OF_STATE);
}

static void tell_progress(struct vmig_vmm *vmm)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info) };

	if (vmig_precopy_info(vmm->data_fd, &info))
		return;
	vmig_vmm_called(vmm, "VFIO_MIG_GET_PRECOPY_INFO",
			"initial %llu, dirty %llu",
			(unsigned long long)info.initial_bytes,
			(unsigned long long)info.dirty_bytes);
}

int vmig_vmm_save_iterate(struct vmig_vmm *vmm, int fd)
{
	int ret, drained;

	vmig_vmm_begin(vmm, "save_live_iterate");
	tell_progress(vmm);
	ret = save_config_if_new(vmm, fd);
	if (!ret)
		ret = copy_data(vmm, fd, ROUND_MAX, &vmm->stats.bytes_precopy);
	/* Config space that never rests will, at the latest, when the guest does */
	if (ret < 0 && ret != -EAGAIN)
		return ret;
	vmm->why[0] = '\0';
	drained = ret == 1;
	ret = put_marker(vmm, fd, VFIO_MIG_FLAG_END_OF_STATE);
	return ret ? ret : drained;
}

int vmig_vmm_save_complete_precopy(struct vmig_vmm *vmm, int fd)
{
	bool precopy = vmm->mig_flags & VFIO_MIGRATION_PRE_COPY;
	int ret = 0;

	vmig_vmm_begin(vmm, "save_live_complete_precopy");
	if (vmm->stop_guest)
		vmm->stop_guest(vmm->opaque);
	vmm->stats.stopped_at = vmig_vmm_now_ns();
	if (vmm->mig_flags & VFIO_MIGRATION_P2P)
		ret = vmig_vmm_set_state(vmm, precopy ?
					 VFIO_DEVICE_STATE_PRE_COPY_P2P :
					 VFIO_DEVICE_STATE_RUNNING_P2P);
	if (!ret)
		ret = vmig_vmm_set_state(vmm, VFIO_DEVICE_STATE_STOP_COPY);
	if (!ret)
		ret = save_config_if_new(vmm, fd);
	if (ret)
		return ret;

	ret = copy_data(vmm, fd, UINT64_MAX, &vmm->stats.bytes_stopcopy);
	if (ret <= 0)
		return ret ? ret : vmig_vmm_fail(vmm, -EAGAIN,
						 "config space never rests");
	return put_marker(vmm, fd, VFIO_MIG_FLAG_END_OF_STATE);
}

int vmig_vmm_save_irqchip(struct vmig_vmm *vmm, int fd)
{
	struct vmig_section section = { .marker = VMIG_FLAG_IRQCHIP_STATE };
	struct vmig_bytes blob = {};
	int ret;

	vmig_vmm_begin(vmm, "interrupt controller");
	ret = vmig_irqchip_save(vmm->chip, &blob);
	if (ret) {
		vmig_vmm_fail(vmm, ret, "interrupt controller: %s",
			      strerror(-ret));
	} else {
		section.data = blob.data;
		section.len = blob.len;
		ret = put(vmm, fd, &section);
	}
	vmig_bytes_free(&blob);
	return ret ? ret : put_marker(vmm, fd, VFIO_MIG_FLAG_END_OF_STATE);
}

int vmig_vmm_save_state(struct vmig_vmm *vmm, int fd)
{
	uint64_t subflags = VMIG_CONFIG_ENABLE_INTERRUPTS;
	int ret;

	vmig_vmm_begin(vmm, "save_state");
	if (!needs_config_first(vmm))
		subflags |= VMIG_CONFIG_SETUP;
	ret = vmig_vmm_save_config(vmm, fd, subflags);
	return ret ? ret : put_marker(vmm, fd, VFIO_MIG_FLAG_END_OF_STATE);
}

int vmig_vmm_save_end(struct vmig_vmm *vmm, int fd)
{
	int ret;

	vmig_vmm_begin(vmm, "save_end");
	ret = put_marker(vmm, fd, VMIG_FLAG_END_OF_STREAM);
	if (!ret)
		ret = vmig_vmm_set_state(vmm, VFIO_DEVICE_STATE_STOP);
	vmig_vmm_close_data(vmm);
	return ret;
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
	unsigned int round = 0;
	int ret;

	ret = vmig_vmm_save_setup(vmm, fd);
	if (ret || !(vmm->mig_flags & VFIO_MIGRATION_PRE_COPY))
		return ret;
	do {
		ret = vmig_vmm_save_iterate(vmm, fd);
	} while (!ret && ++round < vmm->max_rounds);

	return ret < 0 ? ret : 0;
}

int vmig_vmm_save(struct vmig_vmm *vmm, int fd)
{
	int ret;

	ret = save_live(vmm, fd);
	if (!ret)
		ret = vmig_vmm_save_complete_precopy(vmm, fd);
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
