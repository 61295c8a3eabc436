// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_MIG_GET_CONFIG and VFIO_MIG_SET_CONFIG: what a snapshot has, its identity, and its
 * checks. For bad arguments see mig_config_args_test.c.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "lib/mtty.h"
#include "recording.h"

/* Offset of the MSI capability */
#define MSI	0x50

FIXTURE(snapshot) {
	DEVICE_MEMBERS;
	struct vmig_snapshot snapshot;
	struct vmig_snapshot other;
};

FIXTURE_VARIANT(snapshot) {
	const char *policy;
};

POLICY_VARIANTS(snapshot);

FIXTURE_SETUP(snapshot)
{
	OPEN_DEVICE("mtty-2", .capture_size = "64K",
		    .config_policy = variant->policy);
	ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
}

FIXTURE_TEARDOWN(snapshot)
{
	CLOSE_DEVICE();
}

/* Proposal: in each saving state: the content of config space, and its size */
TEST_F(snapshot, has_the_content_in_each_saving_state)
{
	static const enum vfio_device_mig_state states[] = {
		VFIO_DEVICE_STATE_PRE_COPY, VFIO_DEVICE_STATE_PRE_COPY_P2P,
		VFIO_DEVICE_STATE_STOP_COPY,
	};
	struct vmig_config_answer answer;
	unsigned int i;

	ASSERT_RET(0, vmig_config_query(self->dev, &answer), "query");
	GO(PRE_COPY, &self->fd);
	for (i = 0; i < ARRAY_SIZE(states); i++) {
		CHANGE_CONFIG();
		ASSERT_RET(0, set_state(self->dev, states[i]), "%s",
			   vmig_state_name(states[i]));
		GET_CONFIG(&self->snapshot);
		EXPECT_EQ(answer.size, self->snapshot.size);
		EXPECT_RET(0, check_content(self->dev, &self->snapshot), "in %s",
			   vmig_state_name(states[i]));
	}
}

/* Proposal: PCI_STATUS_INTERRUPT only reports a state: it is zero, and no new identity */
TEST_F(snapshot, has_no_interrupt_status)
{
	uint16_t status;

	GO(PRE_COPY, &self->fd);
	GET_CONFIG(&self->snapshot);
	ASSERT_RET(0, vmig_uart_init(self->dev, 0, UART_FCR_TRIGGER_1,
				     UART_IER_THRI), "interrupt");
	ASSERT_RET(0, vmig_config_read16(self->dev, PCI_STATUS, &status),
		   "status");
	EXPECT_EQ(PCI_STATUS_INTERRUPT, status & PCI_STATUS_INTERRUPT);
	GET_CONFIG(&self->other);
	EXPECT_EQ(0, self->other.data[PCI_STATUS] & PCI_STATUS_INTERRUPT);
	EXPECT_EQ(0, memcmp(&self->snapshot, &self->other,
			    sizeof(self->snapshot)));
}

struct writer {
	struct vmig_device *dev;
	bool stop;
};

/* Two registers of one byte that always have the same value */
static void *write_twins(void *opaque)
{
	struct writer *writer = opaque;
	uint8_t n = 0;

	while (!__atomic_load_n(&writer->stop, __ATOMIC_RELAXED)) {
		n++;
		vmig_config_write16(writer->dev, PCI_CACHE_LINE_SIZE, n << 8 | n);
	}

	return NULL;
}

/* Proposal: objection "not atomic": bytes and identity are one consistent copy */
TEST_F(snapshot, objection_not_atomic_copy_is_consistent)
{
	struct vmig_snapshot *now = &self->snapshot, *before = &self->other;
	struct writer writer = { .dev = self->dev };
	unsigned int i, changes = 0;
	pthread_t thread;

	GO(PRE_COPY, &self->fd);
	GET_CONFIG(before);
	ASSERT_EQ(0, pthread_create(&thread, NULL, write_twins, &writer));
	for (i = 0; i < 100000 && changes < 60; i++) {
		GET_CONFIG(now);
		EXPECT_EQ(now->data[PCI_CACHE_LINE_SIZE],
			  now->data[PCI_LATENCY_TIMER]);
		changes += !same_id(now, before);
		EXPECT_TRUE(!same_id(now, before) ||
			    !memcmp(now->data, before->data, now->size));
		*before = *now;
	}
	__atomic_store_n(&writer.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_LT(10, changes);
}

/* Proposal: in the middle of a record, the content that the record was made under */
TEST_F(snapshot, belongs_to_the_next_byte_in_a_record)
{
	char byte;

	GO(STOP_COPY, &self->fd);
	GET_CONFIG(&self->snapshot);
	ASSERT_EQ(1, read(self->fd, &byte, 1));
	CHANGE_CONFIG();
	GET_CONFIG(&self->other);
	EXPECT_EQ(0, memcmp(&self->snapshot, &self->other,
			    sizeof(self->snapshot)));
}

/* Proposal: after the end of the stream, the content of the last record */
TEST_F(snapshot, belongs_to_the_last_record_after_the_end)
{
	GO(STOP_COPY, &self->fd);
	GET_CONFIG(&self->snapshot);
	READ(0, &self->stream);
	CHANGE_CONFIG();
	GET_CONFIG(&self->other);
	EXPECT_EQ(0, memcmp(&self->snapshot, &self->other,
			    sizeof(self->snapshot)));
}

/* Proposal: at the temporary end, the present content */
TEST_F(snapshot, is_the_present_content_at_the_temporary_end)
{
	GO(PRE_COPY, &self->fd);
	GET_CONFIG(&self->snapshot);
	READ(-ENOMSG, &self->stream);
	CHANGE_CONFIG();
	GET_CONFIG(&self->other);
	EXPECT_FALSE(same_id(&self->snapshot, &self->other));
	EXPECT_RET(0, check_content(self->dev, &self->other), "content");
}

/* Proposal: enable bits of MSI are content; loading them signals nothing */
TEST_F(snapshot, msi_enable_is_content_and_not_an_action)
{
	int msi = vmig_eventfd_create();
	unsigned int reg;
	uint16_t flags;

	ASSERT_RET(0, vmig_config_find_cap(self->dev, PCI_CAP_ID_MSI, &reg), "MSI capability");
	reg += PCI_MSI_FLAGS;
	ASSERT_LE(0, msi);
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, VFIO_PCI_MSI_IRQ_INDEX,
				      VFIO_IRQ_SET_ACTION_TRIGGER, msi), "MSI");
	GO(STOP_COPY, &self->fd);
	GET_CONFIG(&self->snapshot);
	EXPECT_EQ(0, self->snapshot.data[reg] & PCI_MSI_FLAGS_ENABLE);
	self->snapshot.data[reg] |= PCI_MSI_FLAGS_ENABLE;
	RESUME();
	EXPECT_RET(0, vmig_config_set(self->fd, &self->snapshot), "SET_CONFIG");
	ASSERT_RET(0, vmig_config_read16(self->dev, reg, &flags), "flags");
	EXPECT_EQ(PCI_MSI_FLAGS_ENABLE, flags & PCI_MSI_FLAGS_ENABLE);
	EXPECT_EQ(0, vmig_eventfd_take(msi));
	close(msi);
}

/* Proposal: the identity changes with every register that a guest can write, never to 0 */
TEST_F(snapshot, identity_changes_with_every_writable_register)
{
	const struct vmig_snapshot none = { .size = 0 };
	const unsigned int msi = MSI;
	const struct {
		unsigned int reg;
		uint16_t val;
	} row[] = {
		{ PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MASTER },
		{ PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_INTX_DISABLE },
		{ PCI_COMMAND, PCI_COMMAND_MEMORY },
		{ PCI_CACHE_LINE_SIZE, 0x0010 },
		{ PCI_CACHE_LINE_SIZE, 0x4010 },
		{ PCI_BASE_ADDRESS_0, 0x1000 },
		{ PCI_BASE_ADDRESS_0 + 2, 0x0001 },
		{ PCI_BASE_ADDRESS_1, 0x1008 },
		{ PCI_BASE_ADDRESS_2 + 2, 0xe000 },
		{ PCI_INTERRUPT_LINE, 0x000b },
		{ msi + PCI_MSI_ADDRESS_LO, 0x1000 },
		{ msi + PCI_MSI_ADDRESS_HI, 0x0001 },
		{ msi + PCI_MSI_DATA_64, 0x4021 },
		{ msi + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE },
	};
	unsigned int i;

	GO(PRE_COPY, &self->fd);
	GET_CONFIG(&self->snapshot);
	EXPECT_FALSE(same_id(&self->snapshot, &none));
	for (i = 0; i < ARRAY_SIZE(row); i++) {
		ASSERT_RET(0, vmig_config_write16(self->dev, row[i].reg,
						  row[i].val), "write");
		GET_CONFIG(&self->other);
		EXPECT_FALSE(same_id(&self->other, &self->snapshot)) {
			TH_LOG("register %#x = %#x", row[i].reg, row[i].val);
		}
		EXPECT_FALSE(same_id(&self->other, &none));
		self->snapshot = self->other;
	}
}

/* Driver: writes that change nothing, and those to read-only bits, keep the identity */
TEST_F(snapshot, identity_stays_when_nothing_changes)
{
	uint8_t space[PCI_CFG_SPACE_SIZE];
	unsigned int at;

	GO(PRE_COPY, &self->fd);
	GET_CONFIG(&self->snapshot);
	ASSERT_RET(0, vmig_region_read(self->dev, CONFIG, 0, space,
				       sizeof(space)), "read");
	ASSERT_RET(0, vmig_region_write(self->dev, CONFIG, 0, space,
					sizeof(space)), "write");
	for (at = 0; at < sizeof(space); at++)
		ASSERT_RET(0, vmig_config_write8(self->dev, at, space[at]),
			   "byte %#x", at);
	ASSERT_RET(0, vmig_config_write32(self->dev, PCI_VENDOR_ID, ~0U), "ID");
	ASSERT_RET(0, vmig_config_write16(self->dev, 0xfe, 0xffff), "unused");
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "ports");
	GET_CONFIG(&self->other);
	EXPECT_TRUE(same_id(&self->other, &self->snapshot));
}

/* Load, in a new RESUMING session, content with this byte; then take a snapshot */
static void load_line(struct __test_metadata *_metadata,
		      FIXTURE_DATA(snapshot) *self, uint8_t line,
		      struct vmig_snapshot *after)
{
	self->snapshot.data[PCI_INTERRUPT_LINE] = line;
	RESUME();
	ASSERT_RET(0, vmig_config_set(self->fd, &self->snapshot), "SET_CONFIG");
	EXPECT_RET(0, check_content(self->dev, &self->snapshot), "content");
	ASSERT_RET(0, vmig_transfer_write(self->fd, self->stream.data,
					  self->stream.len, 4096, NULL), "data");
	close(self->fd);
	GO(STOP_COPY, &self->fd);
	GET_CONFIG(after);
}

/* Proposal: objections H and I: content that changes in RESUMING has another identity */
TEST_F(snapshot, objection_h_i_other_content_loaded_has_another_identity)
{
	struct vmig_snapshot first, second;

	GO(STOP_COPY, &self->fd);
	GET_CONFIG(&self->snapshot);
	READ(0, &self->stream);
	load_line(_metadata, self, 0x11, &first);
	load_line(_metadata, self, 0x22, &second);
	EXPECT_EQ(0x11, first.data[PCI_INTERRUPT_LINE]);
	EXPECT_EQ(0x22, second.data[PCI_INTERRUPT_LINE]);
	EXPECT_FALSE(same_id(&first, &second));
	EXPECT_FALSE(same_id(&first, &self->snapshot));
	EXPECT_FALSE(same_id(&second, &self->snapshot));
}

/* Proposal: objection J: the same content in two devices has two identities */
TEST_F(snapshot, objection_j_two_devices_have_two_identities)
{
	struct vmig_testdev td;
	int fd;

	GO(PRE_COPY, &self->fd);
	GET_CONFIG(&self->snapshot);
	ASSERT_EQ(0, open_device(&td, variant->policy));
	EXPECT_RET(0, vmig_config_opt_in_own(&td.dev), "opt in");
	EXPECT_RET(0, vmig_mig_set_state(&td.dev, VFIO_DEVICE_STATE_PRE_COPY,
					 &fd), "PRE_COPY");
	EXPECT_RET(0, vmig_config_get(fd, &self->other), "GET_CONFIG");
	close(fd);
	vmig_testdev_close(&td);
	EXPECT_EQ(0, memcmp(self->snapshot.data, self->other.data,
			    self->snapshot.size));
	EXPECT_FALSE(same_id(&self->snapshot, &self->other));
}

/* The byte at @reg of the snapshot differs by @flip from this device's */
FIXTURE_VARIANT(contradiction) {
	unsigned int reg;
	uint8_t flip;
	int ret;
};

DEVICE_FIXTURE(contradiction, "mtty-2", .capture_size = "64K");

#define CONTRADICTION(_name, _reg, _flip, _ret) \
	FIXTURE_VARIANT_ADD(contradiction, _name) { \
		.reg = _reg, .flip = _flip, .ret = _ret, \
	}

CONTRADICTION(vendor, PCI_VENDOR_ID, 0x01, -EINVAL);
CONTRADICTION(device, PCI_DEVICE_ID + 1, 0x80, -EINVAL);
CONTRADICTION(command_reserved, PCI_COMMAND + 1, 0x01, -EINVAL);
CONTRADICTION(status_cap_list, PCI_STATUS, PCI_STATUS_CAP_LIST, -EINVAL);
CONTRADICTION(status_interrupt, PCI_STATUS, PCI_STATUS_INTERRUPT, -EINVAL);
CONTRADICTION(revision, PCI_REVISION_ID, 0x10, -EINVAL);
CONTRADICTION(class, PCI_CLASS_DEVICE, 0x01, -EINVAL);
CONTRADICTION(header_type, PCI_HEADER_TYPE, 0x80, -EINVAL);
CONTRADICTION(bar0_type, PCI_BASE_ADDRESS_0, 0x01, -EINVAL);
CONTRADICTION(bar0_alignment, PCI_BASE_ADDRESS_0, 0x04, -EINVAL);
CONTRADICTION(bar0_address, PCI_BASE_ADDRESS_0, 0x08, 0);
CONTRADICTION(bar1_alignment, PCI_BASE_ADDRESS_1, 0x04, -EINVAL);
CONTRADICTION(bar2_type, PCI_BASE_ADDRESS_2, 0x04, -EINVAL);
CONTRADICTION(bar2_alignment, PCI_BASE_ADDRESS_2 + 1, 0x80, -EINVAL);
CONTRADICTION(bar2_address, PCI_BASE_ADDRESS_2 + 2, 0x01, 0);
CONTRADICTION(bar3, PCI_BASE_ADDRESS_3 + 3, 0x01, -EINVAL);
CONTRADICTION(subsystem, PCI_SUBSYSTEM_ID, 0x01, -EINVAL);
CONTRADICTION(capabilities, PCI_CAPABILITY_LIST, 0x04, -EINVAL);
CONTRADICTION(line, PCI_INTERRUPT_LINE, 0xff, 0);
CONTRADICTION(pin, PCI_INTERRUPT_PIN, 0x03, -EINVAL);
CONTRADICTION(msi_id, MSI, 0x01, -EINVAL);
CONTRADICTION(msi_vectors, MSI + PCI_MSI_FLAGS, PCI_MSI_FLAGS_QSIZE, -EINVAL);
CONTRADICTION(msi_enable, MSI + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE, 0);
CONTRADICTION(msi_address, MSI + PCI_MSI_ADDRESS_LO, 0x01, -EINVAL);
CONTRADICTION(nowhere, 0xff, 0x01, -EINVAL);

/*
 * Proposal: SET_CONFIG, a snapshot that contradicts this device: EINVAL, and config space
 * does not change; corrected, the snapshot is applied as a whole
 */
TEST_F(contradiction, snapshot_is_applied_as_a_whole_or_not_at_all)
{
	struct vmig_snapshot own, snapshot;
	unsigned int cap = 0;

	ASSERT_RET(0, vmig_config_find_cap(self->dev, PCI_CAP_ID_MSI, &cap), "MSI capability");
	ASSERT_EQ(MSI, cap);
	ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_STOP_COPY,
					 &self->fd), "STOP_COPY");
	ASSERT_RET(0, vmig_config_get(self->fd, &own), "GET_CONFIG");
	RESUME();

	/* Differs before and after most of the registers */
	snapshot = own;
	snapshot.data[PCI_COMMAND] &= ~PCI_COMMAND_IO;
	snapshot.data[MSI + PCI_MSI_DATA_64] ^= 0x01;
	snapshot.data[variant->reg] ^= variant->flip;
	EXPECT_RET(variant->ret, vmig_config_set(self->fd, &snapshot),
		   "register %#x ^ %#x", variant->reg, variant->flip);
	EXPECT_RET(0, check_content(self->dev, variant->ret ? &own : &snapshot),
		   "content");

	snapshot.data[variant->reg] ^= variant->flip;
	EXPECT_RET(0, vmig_config_set(self->fd, &snapshot), "corrected");
	EXPECT_RET(0, check_content(self->dev, &snapshot), "corrected");
}

TEST_HARNESS_MAIN
