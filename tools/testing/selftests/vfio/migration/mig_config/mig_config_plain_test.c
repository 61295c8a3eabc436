// SPDX-License-Identifier: GPL-2.0-only
/*
 * A user that has not opted in finds a device as vfio.h describes it, whatever the answer
 * is: no new error, no new ioctl, and ordinary writes to config space in RESUMING.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "lib/mtty.h"
#include "lib/vfio/precopy_v2.h"
#include "recording.h"

#define SET_UP_SOURCE() do { \
	ASSERT_RET(0, vmig_contents_set(&self->src.dev, PORTS, SEED), "ports"); \
	ASSERT_RET(0, vmig_config_change(&self->src.dev), "config space"); \
} while (0)

FIXTURE_VARIANT(plain) {
	const char *policy;
};

TWO_DEVICES_FIXTURE(plain, variant->policy, SET_UP_SOURCE());
POLICY_VARIANTS(plain);

#define IS_EMBEDDED	IS("embedded")

/* Is the command register in effect? Without I/O decoding a register reads as all ones. */
#define EXPECT_SCRATCH(_want) do { \
	uint8_t seen_scratch = 0; \
	EXPECT_RET(0, vmig_uart_out(self->dev, 0, UART_SCR, 0x5a), "write SCR"); \
	EXPECT_RET(0, vmig_uart_in(self->dev, 0, UART_SCR, &seen_scratch), "read SCR"); \
	EXPECT_EQ(_want, seen_scratch); \
} while (0)
#define EXPECT_IO_DECODED()	EXPECT_SCRATCH(0x5a)
#define EXPECT_IO_IGNORED()	EXPECT_SCRATCH(0xff)

/* Proposal: the new ioctls of a data_fd: ENOTTY, also when the session has ended */
TEST_F(plain, has_no_new_ioctl)
{
	static const enum vfio_device_mig_state states[] = {
		VFIO_DEVICE_STATE_PRE_COPY, VFIO_DEVICE_STATE_PRE_COPY_P2P,
		VFIO_DEVICE_STATE_STOP_COPY, VFIO_DEVICE_STATE_RESUMING,
	};
	struct vmig_snapshot snapshot = { .size = PCI_CFG_SPACE_SIZE };
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(states); i++) {
		ASSERT_RET(0, begin_after_reset(self->dev, states[i], &self->fd),
			   "%s", vmig_state_name(states[i]));
		for (j = 0; j < 2; j++) {
			EXPECT_RET(-ENOTTY, vmig_config_get(self->fd, &snapshot),
				   "GET_CONFIG");
			EXPECT_RET(-ENOTTY, vmig_config_set(self->fd, &snapshot),
				   "SET_CONFIG");
			EXPECT_RET(-ENOTTY, vmig_check_data(self->fd),
				   "CHECK_DATA");
			ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
			/* It applies to sessions that begin afterwards */
			ASSERT_RET(0, vmig_config_opt_in_own(self->dev),
				   "opt in");
		}
		vmig_device_close(self->dev);
		ASSERT_EQ(0, vmig_device_open(self->dev, &self->dst.mdev,
					      VMIG_PATH_ANY));
	}
}

/* Proposal: objection "imposed": read() has no new error when config space changes */
TEST_F(plain, objection_imposed_read_has_no_new_error)
{
	struct vmig_device *src = &self->src.dev;
	unsigned int i;

	ASSERT_RET(0, vmig_mig_set_state(src, VFIO_DEVICE_STATE_PRE_COPY,
					 &self->fd), "PRE_COPY");
	for (i = 0; i < 3; i++) {
		READ(-ENOMSG, &self->rec.data);
		ASSERT_RET(0, vmig_config_change(src), "config");
	}
	ASSERT_RET(0, set_state(src, VFIO_DEVICE_STATE_STOP_COPY), "stop");
	READ(0, &self->rec.data);
	ASSERT_RET(0, vmig_config_change(src), "config");
	READ(0, &self->rec.data);
}

/* Proposal: a change of config space is no data, unless the driver includes it in them */
TEST_F(plain, change_is_not_announced)
{
	struct vmig_device *src = &self->src.dev;
	struct vfio_precopy_info info;
	struct pollfd pfd;

	/* No REINIT either, on kernels that have it */
	vmig_precopy_v2_opt_in(src);
	ASSERT_RET(0, vmig_mig_set_state(src, VFIO_DEVICE_STATE_PRE_COPY,
					 &self->fd), "PRE_COPY");
	READ(-ENOMSG, &self->rec.data);
	ASSERT_RET(0, vmig_config_change(src), "config");
	pfd = (struct pollfd) { .fd = self->fd, .events = POLLIN };
	EXPECT_EQ(IS_EMBEDDED, poll(&pfd, 1, 0));
	ASSERT_RET(0, vmig_precopy_info(self->fd, &info), "PRECOPY_INFO");
	EXPECT_EQ(0, info.flags);
	EXPECT_EQ(0, info.initial_bytes);
	EXPECT_EQ(IS_EMBEDDED, info.dirty_bytes != 0);
}

/* Proposal: data carry no identity */
TEST_F(plain, data_carry_no_identity)
{
	struct vmig_rec rec;
	unsigned int nr;

	SAVE();
	for (nr = 0; !vmig_stream_at(&self->rec.data, nr, &rec); nr++) {
		EXPECT_EQ(0, rec.source);
		EXPECT_EQ(0, rec.version);
	}
	EXPECT_LT(5, nr);
}

/* Proposal: data alone are loaded; config space is the user's, or that in the data */
TEST_F(plain, data_are_loaded_without_config)
{
	SAVE();
	ASSERT_RET(0, read_content(IS_EMBEDDED ? &self->src.dev : self->dev,
				   self->other.data), "content");
	ASSERT_RET(0, vmig_transfer_load(self->dev, &self->rec.data), "load");
	EXPECT_MIGRATED(&self->other);
}

/* Proposal: objection "imposed": writes in RESUMING take effect at once, at any time */
TEST_F(plain, objection_imposed_writes_in_resuming_are_ordinary)
{
	size_t half;
	uint16_t id;

	SAVE();
	half = self->rec.data.len / 2;
	RESUME();
	EXPECT_IO_DECODED();
	EXPECT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND, 0), "before");
	EXPECT_IO_IGNORED();
	EXPECT_RET(0, vmig_config_write16(self->dev, PCI_VENDOR_ID, 0x1234),
		   "read-only bits are ignored");
	EXPECT_RET(0, vmig_config_read16(self->dev, PCI_VENDOR_ID, &id), "ID");
	EXPECT_EQ(0x4348, id);
	LOAD_BYTES(0, 0, half);
	EXPECT_RET(0, vmig_config_write16(self->dev, PCI_COMMAND,
					  PCI_COMMAND_IO), "between");
	EXPECT_IO_DECODED();
	LOAD_BYTES(0, half, self->rec.data.len);
	EXPECT_RET(0, vmig_config_write8(self->dev, PCI_INTERRUPT_LINE, 0x99),
		   "after");
	ASSERT_RET(0, read_content(self->dev, self->other.data), "content");
	EXPECT_EQ(0x99, self->other.data[PCI_INTERRUPT_LINE]);
	EXPECT_MIGRATED(&self->other);
}

/* Driver: data of a source with another answer: EXDEV, and then ERROR */
TEST_F(plain, data_of_another_answer)
{
	int write_err;

	SAVE();
	vmig_testdev_close(&self->dst);
	ASSERT_EQ(0, open_device(&self->dst, IS_EMBEDDED ? "independent" :
				 "embedded"));
	EXPECT_RET(-EXDEV, vmig_transfer_offer(self->dev, &self->rec.data,
					       &write_err), "STOP");
	EXPECT_RET(-EXDEV, write_err, "write");
	EXPECT_STATE(VFIO_DEVICE_STATE_ERROR, self->dev, "STOP");
}

TEST_HARNESS_MAIN
