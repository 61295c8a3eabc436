// SPDX-License-Identifier: GPL-2.0-only
/* The destination side of the model VMM; see vmm.h. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "lib/vfio/feature.h"
#include "lib/vfio/util.h"
#include "vmm_int.h"

/* Refuse another kind of source while the device is unchanged */
static int opt_in(struct vmig_vmm *vmm)
{
	struct vmig_config_answer own;
	int ret;

	ret = vmig_vmm_opt_in(vmm);
	if (!ret)
		return 0;
	if (ret != -EOPNOTSUPP || vmig_vmm_query(vmm, &own))
		return vmig_vmm_fail(vmm, ret, "opt-in: %s", strerror(-ret));
	return vmig_vmm_fail(vmm, ret,
			     "config space: %s on the source, %s here; snapshots of %u and %u bytes",
			     vmig_need_name(vmm->answer.need),
			     vmig_need_name(own.need), vmm->answer.size,
			     own.size);
}

static int load_setup(struct vmig_vmm *vmm, const struct vmig_section *section)
{
	int ret;

	vmm->answer = (struct vmig_config_answer) {};
	if (vmm->config != VMIG_VMM_CONFIG_PLAIN) {
		vmm->answer.need = section->need;
		vmm->answer.size = section->size;
	}
	ret = opt_in(vmm);
	return ret ? ret : vmig_vmm_set_state(vmm, VFIO_DEVICE_STATE_RESUMING);
}

/* As a VMM that does not know snapshots: dwords, as firmware and kernels do */
static int write_region(struct vmig_vmm *vmm, const struct vmig_section *section)
{
	unsigned int reg;
	int ret;

	for (reg = 0; reg < section->len; reg += 4) {
		ret = vmig_region_write(vmm->dev, VFIO_PCI_CONFIG_REGION_INDEX,
					reg, section->data + reg, 4);
		if (ret)
			return vmig_vmm_fail(vmm, ret, "config space, 0x%x: %s",
					     reg, strerror(-ret));
		vmm->stats.config_writes++;
	}
	vmig_vmm_report_call(vmm, "write() to the config region", "%zu bytes",
			     section->len);
	return 0;
}

static const char *why_config_refused(int error)
{
	switch (error) {
	case -EINVAL:
		return "is that of another device";
	case -ESTALE:
		return "does not belong to the data";
	case -EBUSY:
		return "comes in the middle of a record of another one";
	default:
		return strerror(-error);
	}
}

static int set_snapshot(struct vmig_vmm *vmm, const struct vmig_section *section)
{
	struct vmig_snapshot snapshot = { .size = section->len };
	char hex[VMIG_ID_HEX_SIZE];
	int ret;

	memcpy(snapshot.id, section->id, sizeof(snapshot.id));
	memcpy(snapshot.data, section->data, section->len);
	vmig_id_hex(section->id, hex);
	ret = vmig_config_set(vmm->data_fd, &snapshot);
	if (ret)
		return vmig_vmm_fail(vmm, ret, "config space %s %s", hex,
				     why_config_refused(ret));
	vmm->stats.config_writes++;
	vmig_vmm_report_call(vmm, "VFIO_MIG_SET_CONFIG", "%s", hex);
	return 0;
}

static int set_up_config(struct vmig_vmm *vmm,
			 const struct vmig_section *section)
{
	int ret;

	ret = vmm->opted_in ? set_snapshot(vmm, section) :
			      write_region(vmm, section);
	if (ret)
		return ret;
	vmm->stats.config_sections++;
	vmm->stats.config_bytes += section->len;
	vmm->has_config = true;
	memcpy(vmm->id, section->id, sizeof(vmm->id));
	return 0;
}

static int enable_by_subflag(struct vmig_vmm *vmm,
			     const struct vmig_section *section)
{
	if (!(section->subflags & VMIG_CONFIG_ENABLE_INTERRUPTS))
		return 0;
	if (!vmm->chip_restored)
		return vmig_vmm_fail(vmm, -EPROTO,
				     "interrupts are to be enabled, but their controller is not restored");
	if (vmm->irq_enabled)
		return vmig_vmm_fail(vmm, -EALREADY,
				     "interrupts are to be enabled twice");
	return vmig_vmm_enable_interrupts(vmm);
}

/* An old VMM ignores subflags: interrupts are on if config space enables them */
static int enable_with_config(struct vmig_vmm *vmm,
			      const struct vmig_section *section)
{
	if (!(section->subflags & VMIG_CONFIG_SETUP) || vmm->irq_enabled)
		return 0;
	return vmig_vmm_enable_interrupts(vmm);
}

static int load_config(struct vmig_vmm *vmm, const struct vmig_section *section)
{
	int ret = 0;

	if (section->subflags & VMIG_CONFIG_SETUP)
		ret = set_up_config(vmm, section);
	else
		vmm->stats.flag_sections++;
	if (ret)
		return ret;

	if (vmm->options & VMIG_VMM_IRQ_WITH_CONFIG)
		return enable_with_config(vmm, section);
	return enable_by_subflag(vmm, section);
}

static int write_data(struct vmig_vmm *vmm, const uint8_t *data, size_t len,
		      size_t *done)
{
	while (*done < len) {
		ssize_t n = write(vmm->data_fd, data + *done, len - *done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		*done += n;
	}
	return 0;
}

static int data_refused(struct vmig_vmm *vmm, int error)
{
	bool is_first = vmm->answer.need == VFIO_MIG_CONFIG_BEFORE_DATA &&
			!vmm->has_config;

	switch (error) {
	case -EPROTO:
		return vmig_vmm_fail(vmm, error, is_first ?
				     "data before config space, which this device needs first" :
				     "only one side has opted in to MIG_CONFIG");
	case -ESTALE:
		return vmig_vmm_fail(vmm, error,
				     "data made under another config space than the one loaded");
	default:
		return vmig_vmm_fail(vmm, error, "data_fd: %s",
				     strerror(-error));
	}
}

static int load_data(struct vmig_vmm *vmm, const struct vmig_section *section)
{
	size_t done = 0;
	int ret;

	ret = write_data(vmm, section->data, section->len, &done);
	if (!ret)
		return 0;
	if (ret == -EPROTO || ret == -ESTALE) {
		vmm->refused.len = 0;
		if (vmig_bytes_add(&vmm->refused, section->data + done,
				   section->len - done))
			return vmig_vmm_fail(vmm, -ENOMEM, "out of memory");
	}
	return data_refused(vmm, ret);
}

int vmig_vmm_retry_data(struct vmig_vmm *vmm)
{
	size_t done = 0;
	int ret;

	vmm->why[0] = '\0';
	ret = write_data(vmm, vmm->refused.data, vmm->refused.len, &done);
	vmig_bytes_cut(&vmm->refused, 0, done);
	return ret ? data_refused(vmm, ret) : 0;
}

static int load_guest(struct vmig_vmm *vmm, const struct vmig_section *section)
{
	int ret;

	if (!vmm->load_guest)
		return vmig_vmm_fail(vmm, -EOPNOTSUPP,
				     "the stream has a guest, which this VMM cannot load");
	ret = vmm->load_guest(vmm->guest, section->data, section->len);
	return ret ? vmig_vmm_fail(vmm, ret, "guest: %s", strerror(-ret)) : 0;
}

static int load_irqchip(struct vmig_vmm *vmm, const struct vmig_section *section)
{
	int ret;

	ret = vmig_irqchip_restore(vmm->chip, section->data, section->len);
	if (ret)
		return vmig_vmm_fail(vmm, ret, "interrupt controller: %s",
				     strerror(-ret));
	vmm->chip_restored = true;
	return 0;
}

static const struct {
	uint64_t marker;
	const char *step;
	int (*load)(struct vmig_vmm *vmm, const struct vmig_section *section);
} loaders[] = {
	{ VFIO_MIG_FLAG_DEV_SETUP_STATE, "load_setup", load_setup },
	{ VFIO_MIG_FLAG_DEV_CONFIG_STATE, "load_state", load_config },
	{ VFIO_MIG_FLAG_DEV_DATA_STATE, "load_state", load_data },
	{ VMIG_FLAG_GUEST_STATE, "guest", load_guest },
	{ VMIG_FLAG_IRQCHIP_STATE, "interrupt controller", load_irqchip },
};

int vmig_vmm_load_section(struct vmig_vmm *vmm,
			  const struct vmig_section *section)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(loaders); i++) {
		if (loaders[i].marker == section->marker)
			break;
	}
	if (i == ARRAY_SIZE(loaders))
		return 0;

	vmig_vmm_begin_step(vmm, loaders[i].step);
	vmig_vmm_report_section(vmm, section);
	if (vmm->data_fd < 0 && section->marker != VFIO_MIG_FLAG_DEV_SETUP_STATE)
		return vmig_vmm_fail(vmm, -EPROTO,
				     "%s comes before the setup section",
				     vmig_section_name(section->marker));
	return loaders[i].load(vmm, section);
}

int vmig_vmm_load_step(struct vmig_vmm *vmm, struct vmig_reader *reader)
{
	struct vmig_section section;
	int ret;

	do {
		ret = vmig_section_read(reader, &section);
		if (ret) {
			vmm->why[0] = '\0';
			vmm->read_error = reader->read_error;
			return vmig_vmm_fail(vmm, ret, "stream: %s",
					     reader->why);
		}
		ret = vmig_vmm_load_section(vmm, &section);
		if (ret)
			return ret;
		if (section.marker == VMIG_FLAG_END_OF_STREAM)
			return 1;
	} while (section.marker != VFIO_MIG_FLAG_END_OF_STATE);

	return 0;
}

static int check_data(struct vmig_vmm *vmm)
{
	int ret;

	if (!vmm->opted_in)
		return 0;
	ret = vmig_check_data(vmm->data_fd);
	if (ret == -ESTALE)
		return vmig_vmm_fail(vmm, ret,
				     "the config space that the data were made under is not loaded");
	if (ret)
		return vmig_vmm_fail(vmm, ret, "VFIO_MIG_CHECK_DATA: %s",
				     strerror(-ret));
	vmig_vmm_report_call(vmm, "VFIO_MIG_CHECK_DATA", "can run");
	return 0;
}

int vmig_vmm_load_start(struct vmig_vmm *vmm)
{
	int ret;

	vmig_vmm_begin_step(vmm, "load_start");
	if (!vmm->irq_enabled)
		return vmig_vmm_fail(vmm, -EPROTO,
				     "the stream has ended, and interrupts are not enabled");
	ret = check_data(vmm);
	if (!ret)
		ret = vmig_vmm_set_state(vmm, VFIO_DEVICE_STATE_RUNNING);
	if (ret)
		return ret;
	vmm->stats.running_at = vmig_now_ns();
	vmig_vmm_close_data(vmm);
	return 0;
}

int vmig_vmm_load(struct vmig_vmm *vmm, int fd)
{
	struct vmig_reader reader;
	int ret;

	vmig_reader_init(&reader, fd);
	reader.patience = vmm->patience;
	do {
		ret = vmig_vmm_load_step(vmm, &reader);
	} while (!ret);
	vmig_reader_exit(&reader);

	return ret < 0 ? ret : vmig_vmm_load_start(vmm);
}
