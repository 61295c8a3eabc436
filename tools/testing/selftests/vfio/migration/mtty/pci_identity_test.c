// SPDX-License-Identifier: GPL-2.0-only
/*
 * The identity of config space: new after each write, and each reset, that has changed a
 * byte of it, wherever that byte is; the same after one that has not.
 */
#include <linux/pci_regs.h>

#include "lib/mtty.h"

#define CONFIG	VFIO_PCI_CONFIG_REGION_INDEX
#define SIZE	PCI_CFG_SPACE_SIZE
#define ID_SIZE	VFIO_MIG_CONFIG_ID_SIZE

FIXTURE(identity) {
	DEVICE_MEMBERS;
	/* Bits that can be written; a byte without any is read-only */
	uint8_t writable[SIZE];
	uint8_t id[ID_SIZE];
};

static int read_all(struct vmig_device *dev, uint8_t space[SIZE])
{
	return vmig_region_read(dev, CONFIG, 0, space, SIZE);
}

FIXTURE_SETUP(identity)
{
	unsigned int at;

	OPEN_DEVICE("mtty-2", .config_policy = "before-data");
	for (at = 0; at < SIZE; at++)
		ASSERT_RET(0, vmig_config_find_writable(self->dev, at, &self->writable[at]),
			   "byte 0x%x", at);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
}

FIXTURE_TEARDOWN(identity)
{
	CLOSE_DEVICE();
}

/* The identity, from a session of its own */
static int get_id(struct vmig_device *dev, uint8_t id[ID_SIZE])
{
	struct vmig_snapshot config = { 0 };
	int fd, ret, end;

	ret = vmig_mig_set_state(dev, VFIO_DEVICE_STATE_STOP_COPY, &fd);
	if (ret)
		return ret;
	ret = vmig_config_get(fd, &config);
	memcpy(id, config.id, ID_SIZE);
	close(fd);
	end = vmig_mig_set_state(dev, VFIO_DEVICE_STATE_RUNNING, NULL);
	return ret ? ret : end;
}

/* Is the identity another one than at the last call? */
#define IS_NEW() ({ \
	uint8_t last_id[ID_SIZE]; \
	memcpy(last_id, self->id, ID_SIZE); \
	ASSERT_RET(0, get_id(self->dev, self->id), "identity"); \
	!!memcmp(last_id, self->id, ID_SIZE); \
})

/* Driver: identity: a write of one byte, alone or among others, that has changed it: new */
TEST_F(identity, each_byte_counts)
{
	static const unsigned int widths[] = { 1, 2, 4, 8 };
	unsigned int i, at, changed;
	uint8_t space[SIZE];

	IS_NEW();
	for (i = 0; i < ARRAY_SIZE(widths); i++) {
		for (changed = 0; changed < SIZE; changed++) {
			at = changed - changed % widths[i];
			ASSERT_RET(0, read_all(self->dev, space), "all");
			space[changed] ^= self->writable[changed] ?: 0xff;
			ASSERT_RET(0, vmig_region_write(self->dev, CONFIG, at, space + at,
							widths[i]), "write");
			EXPECT_EQ(!!self->writable[changed], IS_NEW()) {
				TH_LOG("byte %#x, %u bytes at %#x", changed, widths[i], at);
			}
		}
	}
}

/* Driver: identity: a write of what is there already: the same */
TEST_F(identity, equal_bytes_do_not_count)
{
	uint8_t space[SIZE];

	IS_NEW();
	ASSERT_RET(0, read_all(self->dev, space), "all");
	ASSERT_RET(0, vmig_region_write(self->dev, CONFIG, 0, space, SIZE), "write");
	EXPECT_FALSE(IS_NEW());
}

/* Driver: identity: a reset that has changed one byte: new; one that has not: the same */
TEST_F(identity, reset_counts_if_it_has_changed_a_byte)
{
	unsigned int at;
	uint8_t val;

	IS_NEW();
	for (at = 0; at < SIZE; at++) {
		ASSERT_RET(0, vmig_config_read8(self->dev, at, &val), "read");
		ASSERT_RET(0, vmig_config_write8(self->dev, at, ~val), "write");
		EXPECT_EQ(!!self->writable[at], IS_NEW()) {
			TH_LOG("write of byte %#x", at);
		}
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
		EXPECT_EQ(!!self->writable[at], IS_NEW()) {
			TH_LOG("reset after a write of byte %#x", at);
		}
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
		EXPECT_FALSE(IS_NEW()) {
			TH_LOG("second reset after a write of byte %#x", at);
		}
	}
}

TEST_HARNESS_MAIN
