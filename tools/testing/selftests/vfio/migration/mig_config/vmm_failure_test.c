// SPDX-License-Identifier: GPL-2.0-only
/*
 * The model VMM when a side fails, and what else its users rely on: when the guest is
 * stopped, that it is sent, where a retry goes on, which interrupt is connected.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "lib/vmm.h"

#define SEED	12

FIXTURE(failure) {
	PAIR_MEMBERS;
	enum vfio_device_mig_state stopped_in;
	char loaded[16];
};

FIXTURE_SETUP(failure)
{
	BOOT_PAIR(SEED, .config_policy = "before-data", .capture_size = "64K");
}

FIXTURE_TEARDOWN(failure)
{
	vmig_pair_close(&self->pair);
}

#define EXPECT_SOURCE_RUNS() \
	EXPECT_STATE(VFIO_DEVICE_STATE_RUNNING, self->src->dev, "source")

/* Library: vmig_vmm_save(): no reader takes the data: the source runs again */
TEST_F(failure, source_runs_after_a_reader_that_waits)
{
	const struct vmig_patience patience = { .timeout_ms = 50, .cancel_fd = -1 };
	int fd[2];

	/* Two pages: the setup section fits, the data do not */
	ASSERT_EQ(0, pipe2(fd, O_CLOEXEC));
	ASSERT_LT(0, fcntl(fd[1], F_SETPIPE_SZ, 8192));
	self->src->patience = &patience;
	EXPECT_RET(-ETIMEDOUT, vmig_vmm_save(self->src, fd[1]), "%s", self->src->why);
	EXPECT_LT(0, self->src->stats.rounds);
	EXPECT_SOURCE_RUNS();
	EXPECT_CONTENTS(self->src->dev, 2, SEED);
	close(fd[0]);
	close(fd[1]);
}

/* Library: vmig_vmm_migrate(): the destination fails after the end: the source runs again */
TEST_F(failure, source_runs_after_a_late_refusal)
{
	vmig_pair_close(&self->pair);
	BOOT_PAIR(SEED, .config_policy = "embedded", .capture_size = "64K");
	/* It waits for config space to enable interrupts, which is in the data */
	self->dst->options = VMIG_VMM_IRQ_WITH_CONFIG;
	EXPECT_RET(-EPROTO, vmig_vmm_migrate(self->src, self->dst), "%s", self->dst->why);
	EXPECT_STREQ("the stream has ended, and interrupts are not enabled", self->dst->why);
	EXPECT_SOURCE_RUNS();
	EXPECT_CONTENTS(self->src->dev, 2, SEED);
}

static void stop_guest(void *opaque)
{
	FIXTURE_DATA(failure) *self = opaque;

	self->stopped_in = VFIO_DEVICE_STATE_NR;
	if (vmig_mig_get_state(self->src->dev, &self->stopped_in))
		self->stopped_in = VFIO_DEVICE_STATE_NR;
}

static int save_guest(void *opaque, struct vmig_bytes *state)
{
	return vmig_bytes_add(state, "the guest", 10);
}

static int load_guest(void *opaque, const uint8_t *state, size_t len)
{
	FIXTURE_DATA(failure) *self = opaque;

	if (len != 10)
		return -EBADMSG;
	memcpy(self->loaded, state, len);
	return 0;
}

/* Library: vmig_vmm_save(): the guest is stopped while the device runs, and is sent */
TEST_F(failure, guest_is_stopped_first_and_sent)
{
	self->src->guest = self;
	self->src->stop_guest = stop_guest;
	self->src->save_guest = save_guest;
	self->dst->guest = self;
	self->dst->load_guest = load_guest;
	ASSERT_RET(0, vmig_vmm_migrate(self->src, self->dst), "%s; %s", self->src->why,
		   self->dst->why);
	EXPECT_STREQ("PRE_COPY", vmig_state_name(self->stopped_in));
	EXPECT_STREQ("the guest", self->loaded);
	EXPECT_SAME_DEVICES(SEED);
}

/* The next section of this kind */
static void find_section(struct __test_metadata *_metadata,
			 FIXTURE_DATA(failure) *self, uint64_t marker,
			 struct vmig_section *section)
{
	do {
		ASSERT_RET(0, vmig_pair_read_section(&self->pair, section), "read");
	} while (section->marker != marker);
}

static void keep_snapshot(struct __test_metadata *_metadata,
			  FIXTURE_DATA(failure) *self, struct vmig_snapshot *to)
{
	struct vmig_section section;

	find_section(_metadata, self, VFIO_MIG_FLAG_DEV_CONFIG_STATE, &section);
	ASSERT_EQ(VMIG_CONFIG_SIZE, section.len);
	memcpy(to->id, section.id, sizeof(to->id));
	memcpy(to->data, section.data, section.len);
	to->size = section.len;
}

static void load_snapshot(struct __test_metadata *_metadata,
			  FIXTURE_DATA(failure) *self, const struct vmig_snapshot *from)
{
	struct vmig_section section = {
		.marker = VFIO_MIG_FLAG_DEV_CONFIG_STATE,
		.subflags = VMIG_CONFIG_SETUP | VMIG_CONFIG_NO_INTERRUPTS,
		.data = from->data, .len = from->size,
	};

	memcpy(section.id, from->id, sizeof(section.id));
	ASSERT_RET(0, vmig_vmm_load_section(self->dst, &section), "%s", self->dst->why);
}

/* Library: vmig_vmm_retry_data(): a part of a section was taken: only the rest is written */
TEST_F(failure, retry_goes_on_where_data_were_refused)
{
	struct vmig_section section = { .marker = VFIO_MIG_FLAG_DEV_DATA_STATE };
	struct vmig_snapshot first, second;
	struct vmig_bytes data = {};

	ASSERT_RET(0, vmig_vmm_save_setup(self->src, self->pair.fd), "setup");
	ASSERT_RET(1, vmig_vmm_save_iterate(self->src, self->pair.fd), "iterate");
	ASSERT_RET(0, vmig_config_write8(self->src->dev, PCI_INTERRUPT_LINE, 9), "change");
	ASSERT_RET(0, vmig_vmm_save_complete_precopy(self->src, self->pair.fd), "complete");
	ASSERT_RET(0, vmig_vmm_save_irqchip(self->src, self->pair.fd), "controller");
	ASSERT_RET(0, vmig_vmm_save_state(self->src, self->pair.fd), "state");
	ASSERT_RET(0, vmig_vmm_save_end(self->src, self->pair.fd), "end");

	/* The data of two snapshots become one section */
	ASSERT_RET(0, vmig_pair_load(&self->pair), "%s", self->dst->why);
	keep_snapshot(_metadata, self, &first);
	find_section(_metadata, self, VFIO_MIG_FLAG_DEV_DATA_STATE, &section);
	ASSERT_RET(0, vmig_bytes_add(&data, section.data, section.len), "add");
	keep_snapshot(_metadata, self, &second);
	EXPECT_NE(0, memcmp(first.id, second.id, sizeof(first.id)));
	find_section(_metadata, self, VFIO_MIG_FLAG_DEV_DATA_STATE, &section);
	ASSERT_RET(0, vmig_bytes_add(&data, section.data, section.len), "add");
	section.data = data.data;
	section.len = data.len;

	load_snapshot(_metadata, self, &first);
	EXPECT_RET(-ESTALE, vmig_vmm_load_section(self->dst, &section), "both");
	EXPECT_LT(0, self->dst->refused.len);
	EXPECT_GT(data.len, self->dst->refused.len);
	load_snapshot(_metadata, self, &second);
	EXPECT_RET(0, vmig_vmm_retry_data(self->dst), "%s", self->dst->why);
	ASSERT_RET(0, vmig_pair_load_all(&self->pair), "%s", self->dst->why);
	EXPECT_SAME_DEVICES(SEED);
	vmig_bytes_free(&data);
}

/* Library: vmig_vmm_enable_interrupts(): with INTx disabled and no MSI there is none */
TEST_F(failure, disabled_intx_is_not_connected)
{
	unsigned int cap, before = self->src->stats.set_irqs;
	struct vmig_device *dev = self->src->dev;
	uint16_t command;

	ASSERT_RET(0, vmig_config_find_cap(dev, PCI_CAP_ID_MSI, &cap), "MSI");
	ASSERT_RET(0, vmig_config_write16(dev, cap + PCI_MSI_FLAGS, 0), "disable");
	ASSERT_RET(0, vmig_config_read16(dev, PCI_COMMAND, &command), "command");
	EXPECT_EQ(PCI_COMMAND_INTX_DISABLE, command & PCI_COMMAND_INTX_DISABLE);
	ASSERT_RET(0, vmig_irq_disable(dev, VFIO_PCI_MSI_IRQ_INDEX), "MSI");
	EXPECT_RET(0, vmig_vmm_enable_interrupts(self->src), "%s", self->src->why);
	EXPECT_EQ(before, self->src->stats.set_irqs);
	command &= ~PCI_COMMAND_INTX_DISABLE;
	ASSERT_RET(0, vmig_config_write16(dev, PCI_COMMAND, command), "command");
	EXPECT_RET(0, vmig_vmm_enable_interrupts(self->src), "%s", self->src->why);
	/* The eventfd that triggers, and the one that unmasks */
	EXPECT_EQ(before + 2, self->src->stats.set_irqs);
}

TEST_HARNESS_MAIN
