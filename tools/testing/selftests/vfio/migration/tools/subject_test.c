// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device under test, as lib/subject/ opens it: by which name, with what it has; and the
 * operations of mtty, which have to see what differs.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/mtty.h"
#include "lib/subject.h"

#define SEED	7
#define BAR2	VFIO_PCI_BAR2_REGION_INDEX

/* Two cases of the same name */
CASE_RECORD(fixture_a, same_name, NULL, "a.clause");
CASE_RECORD(fixture_b, same_name, "writes invalid data", "b.clause", "b.other");

FIXTURE(subject) {
	struct vmig_subject subject;
	struct vmig_subject second;
	struct vmig_mdev mdev[2];
};

FIXTURE_SETUP(subject)
{
	self->subject.dev = VMIG_DEVICE_CLOSED;
	self->second.dev = VMIG_DEVICE_CLOSED;
}

FIXTURE_TEARDOWN(subject)
{
	vmig_subject_close(&self->second);
	vmig_subject_close(&self->subject);
	vmig_mdev_remove(&self->mdev[0]);
	vmig_mdev_remove(&self->mdev[1]);
}

#define OPEN_AS(_name) do { \
	ASSERT_EQ(0, setenv("VFIO_DEVICE", _name, 1)); \
	ASSERT_RET(0, vmig_subject_open(&self->subject), "%s", _name); \
} while (0)

/* Library: vmig_case_find(): by fixture and name */
TEST_F(subject, case_is_found_by_both_names)
{
	const struct vmig_case *a = vmig_case_find("fixture_a", "same_name");
	const struct vmig_case *b = vmig_case_find("fixture_b", "same_name");

	ASSERT_NE(NULL, a);
	ASSERT_NE(NULL, b);
	EXPECT_STREQ("a.clause", a->clauses[0]);
	EXPECT_EQ(NULL, a->destructive);
	EXPECT_STREQ("b.clause", b->clauses[0]);
	EXPECT_STREQ("writes invalid data", b->destructive);
	EXPECT_EQ(NULL, vmig_case_find("fixture_c", "same_name"));
	EXPECT_EQ(NULL, vmig_case_find("fixture_a", "other_name"));
}

/* Library: vmig_subject_open(): the attributes of a device that is created, and what it has */
TEST_F(subject, has_what_its_attributes_say)
{
	static const struct {
		const char *name;
		uint32_t has;
		uint32_t lacks;
	} row[] = {
		{ "mtty/mtty-1:migration/features=stop_copy:migration/capture_size=64K",
		  VMIG_HAS_MIGRATION, VMIG_HAS_P2P | VMIG_HAS_PRE_COPY },
		{ "mtty/mtty-1:migration/features=p2p:migration/capture_size=64K",
		  VMIG_HAS_MIGRATION | VMIG_HAS_P2P, VMIG_HAS_PRE_COPY },
		{ "mtty/mtty-1:migration/features=pre_copy:migration/capture_size=64K",
		  VMIG_HAS_MIGRATION | VMIG_HAS_PRE_COPY, VMIG_HAS_P2P },
	};
	const uint32_t always = VMIG_HAS_PCI | VMIG_HAS_INTX | VMIG_HAS_MSI | VMIG_HAS_RESET |
				VMIG_HAS_MDEV | VMIG_HAS_IRQ | VMIG_HAS_REGION | VMIG_HAS_MMAP;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		OPEN_AS(row[i].name);
		EXPECT_EQ(0x10000, self->subject.dev.region[BAR2].size);
		EXPECT_EQ(row[i].has | always, self->subject.has & (row[i].has | always)) {
			TH_LOG("%s", row[i].name);
		}
		EXPECT_EQ(0, self->subject.has & (row[i].lacks | VMIG_HAS_MSIX | VMIG_HAS_VGA)) {
			TH_LOG("%s", row[i].name);
		}
		vmig_subject_close(&self->subject);
	}
}

/* Library: VFIO_DEVICE=FIRST,SECOND: two devices that were given */
TEST_F(subject, two_devices_are_given)
{
	char names[2 * VMIG_UUID_LEN + 2];
	unsigned int i;

	for (i = 0; i < 2; i++)
		ASSERT_RET(0, vmig_testdev_create(&self->mdev[i], "mtty-1"), "create");
	snprintf(names, sizeof(names), "%s,%s", self->mdev[0].uuid, self->mdev[1].uuid);
	OPEN_AS(names);
	ASSERT_RET(0, vmig_subject_open_second(&self->second), "second");
	EXPECT_STREQ(self->mdev[0].uuid, strrchr(self->subject.sysfs, '/') + 1);
	EXPECT_STREQ(self->mdev[1].uuid, strrchr(self->second.sysfs, '/') + 1);
}

/* Library: vmig_subject_close(): a device that was given is left as after a reset */
TEST_F(subject, given_device_is_reset)
{
	struct vmig_device other;
	uint8_t scratch = 0;

	ASSERT_RET(0, vmig_testdev_create(&self->mdev[0], "mtty-1"), "create");
	OPEN_AS(self->mdev[0].uuid);
	ASSERT_RET(0, vmig_uart_out(&self->subject.dev, 0, UART_SCR, 1), "write");
	ASSERT_RET(0, vmig_mig_set_state(&self->subject.dev, VFIO_DEVICE_STATE_STOP, NULL),
		   "STOP");
	/* While it is open it is not reset by being closed */
	other = self->subject.dev;
	other.fd = dup(self->subject.dev.fd);
	ASSERT_LE(0, other.fd);
	vmig_subject_close(&self->subject);
	EXPECT_STATE(VFIO_DEVICE_STATE_RUNNING, &other, "afterwards");
	EXPECT_RET(0, vmig_uart_in(&other, 0, UART_SCR, &scratch), "read");
	EXPECT_EQ(0, scratch);
	close(other.fd);
}

/* All that fill() has set, but for one thing: check() has to name that */
#define EXPECT_DIFFERENCE(_what) do { \
	const char *seen_what = ""; \
	EXPECT_RET(-EUCLEAN, ops->check(dev, SEED, &seen_what), "%s", seen_what); \
	EXPECT_STREQ(_what, seen_what); \
} while (0)

/* Library: the operations fill and check of mtty: each thing that differs is found */
TEST_F(subject, check_finds_what_differs)
{
	static const uint8_t bytes[] = { SEED, SEED + 1, SEED + 2, SEED + 3, SEED + 5 };
	struct vmig_device *dev = &self->subject.dev;
	const struct vmig_ops *ops;
	const char *what = "";
	uint64_t end = 0;
	unsigned int i;

	OPEN_AS("mtty/mtty-1:migration/capture_size=64K");
	ops = self->subject.ops;
	ASSERT_EQ(&vmig_ops_mtty, ops);
	ASSERT_RET(0, ops->fill(dev, SEED), "fill");
	EXPECT_RET(0, ops->check(dev, SEED, &what), "%s", what);
	ASSERT_RET(0, ops->fill(dev, SEED), "fill");
	ASSERT_RET(0, vmig_uart_out(dev, 0, UART_LCR, UART_LCR_WLEN8), "LCR");
	EXPECT_DIFFERENCE("LCR");
	ASSERT_RET(0, ops->fill(dev, SEED), "fill");
	ASSERT_RET(0, vmig_uart_out(dev, 0, UART_SCR, SEED), "SCR");
	EXPECT_DIFFERENCE("SCR");
	ASSERT_RET(0, ops->fill(dev, SEED), "fill");
	ASSERT_RET(0, vmig_uart_out(dev, 0, UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR),
		   "FCR");
	for (i = 0; i < ARRAY_SIZE(bytes); i++)
		ASSERT_RET(0, vmig_uart_out(dev, 0, UART_TX, bytes[i]), "byte %u", i);
	EXPECT_DIFFERENCE("bytes in the receiver");
	ASSERT_RET(0, ops->fill(dev, SEED), "fill");
	ASSERT_RET(0, vmig_region_write(dev, BAR2, dev->region[BAR2].size - sizeof(end), &end,
					sizeof(end)), "memory");
	EXPECT_DIFFERENCE("capture memory");
}

TEST_HARNESS_MAIN
