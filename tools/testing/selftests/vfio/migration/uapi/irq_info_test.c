// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_GET_IRQ_INFO: its argument, and what it says about PCI's interrupts.
 */
#include <linux/pci_regs.h>
#include <sys/mman.h>

#include "irq_case.h"

/* More indexes than any bus has */
#define INDEX_MAX	64

SUBJECT_FIXTURE(irq_info);

#define NEED_AN_INDEX() do { \
	if (!self->dev->nr_irqs) \
		SKIP(return, "not applicable: the device has no interrupt index"); \
} while (0)

static int get_info(struct vmig_device *dev, void *info)
{
	return vmig_call_ioctl(dev->fd, VFIO_DEVICE_GET_IRQ_INFO, info) ? -errno : 0;
}

CLAUSE_TEST_F(irq_info, small_argsz, "irq.argsz-small")
{
	static const uint32_t argsz[] = { 0, 4, sizeof(struct vfio_irq_info) - 1 };
	unsigned int i;

	NEED_AN_INDEX();
	for (i = 0; i < ARRAY_SIZE(argsz); i++) {
		struct vfio_irq_info info = {
			.argsz = argsz[i], .flags = 0x5a5a5a5a, .count = 0x5a5a5a5a,
		};

		EXPECT_REFUSED("error of GET_IRQ_INFO, argsz too small",
			       get_info(self->dev, &info));
		EXPECT_EQ(0x5a5a5a5a, info.flags);
		EXPECT_EQ(0x5a5a5a5a, info.count);
	}
}

CLAUSE_TEST_F(irq_info, large_argsz, "irq.argsz-large")
{
	struct {
		struct vfio_irq_info info;
		uint8_t behind[64];
	} arg;
	unsigned int i;

	NEED_AN_INDEX();
	memset(&arg, 0x5a, sizeof(arg));
	arg.info.argsz = sizeof(arg);
	arg.info.index = 0;
	EXPECT_RET(0, get_info(self->dev, &arg), "argsz %zu", sizeof(arg));
	EXPECT_EQ(0, arg.info.index);
	for (i = 0; i < sizeof(arg.behind); i++)
		ASSERT_EQ(0x5a, arg.behind[i]);
}

CLAUSE_TEST_F(irq_info, outputs, "irq.info-outputs")
{
	static const uint32_t patterns[] = { 0x5a5a5a5a, 0xa5a5a5a5, UINT32_MAX };
	unsigned int i, index;

	NEED_AN_INDEX();
	for (index = 0; index < self->dev->nr_irqs && index < INDEX_MAX; index++) {
		struct vfio_irq_info want;

		if (vmig_irq_info(self->dev, index, &want))
			continue;
		for (i = 0; i < ARRAY_SIZE(patterns); i++) {
			struct vfio_irq_info info = {
				.argsz = sizeof(info), .index = index,
				.flags = patterns[i], .count = patterns[i],
			};

			EXPECT_RET(0, get_info(self->dev, &info), "index %u", index);
			EXPECT_EQ(want.flags, info.flags) {
				TH_LOG("index %u: flags were %#x", index, patterns[i]);
			}
			EXPECT_EQ(want.count, info.count) {
				TH_LOG("index %u: count was %#x", index, patterns[i]);
			}
		}
	}
}

CLAUSE_TEST_F(irq_info, bad_address, "irq.info-fault")
{
	const struct vfio_irq_info info = { .argsz = sizeof(info) };
	static const size_t present[] = { 0, 4, sizeof(info) - 1 };
	const char *key = "error of GET_IRQ_INFO, bad address";
	uint8_t *end = guarded_page_map();
	const size_t page = sysconf(_SC_PAGESIZE);
	unsigned int i;

	NEED_AN_INDEX();
	ASSERT_NE(NULL, end);
	EXPECT_REFUSED(key, get_info(self->dev, NULL));
	for (i = 0; i < ARRAY_SIZE(present); i++) {
		memcpy(end - present[i], &info, present[i]);
		EXPECT_REFUSED(key, get_info(self->dev, end - present[i]));
	}
	/* The answer cannot be written */
	memcpy(end - sizeof(info), &info, sizeof(info));
	ASSERT_EQ(0, mprotect(end - page, page, PROT_READ));
	EXPECT_REFUSED(key, get_info(self->dev, end - sizeof(info)));
	guarded_page_unmap(end);
}

CLAUSE_TEST_F(irq_info, index_beyond_the_last, "irq.index-beyond")
{
	const uint32_t index[] = { self->dev->nr_irqs, self->dev->nr_irqs + 1, INT32_MAX,
				   UINT32_MAX };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(index); i++) {
		struct vfio_irq_info info;

		EXPECT_REFUSED("error of GET_IRQ_INFO, no such index",
			       vmig_irq_info(self->dev, index[i], &info));
	}
}

CLAUSE_TEST_F(irq_info, each_index, "irq.unimplemented")
{
	unsigned int i;

	NEED_AN_INDEX();
	for (i = 0; i < self->dev->nr_irqs && i < INDEX_MAX; i++) {
		struct vfio_irq_info info;
		char key[32];
		int ret = vmig_irq_info(self->dev, i, &info);

		snprintf(key, sizeof(key), "interrupt index %u", i);
		if (ret) {
			RECORD(key, "refused, %s", vmig_errno_name(ret));
			continue;
		}
		EXPECT_EQ(i, info.index);
		RECORD(key, "flags %#x, count %u", info.flags, info.count);
	}
}

/* By the registers of config space */
static int64_t count_of(struct vmig_device *dev, unsigned int index)
{
	unsigned int cap;
	uint16_t flags;
	uint8_t pin;
	int ret;

	if (index == INTX)
		return vmig_config_read8(dev, PCI_INTERRUPT_PIN, &pin) ? -EIO : !!pin;
	ret = vmig_config_find_cap(dev, index == MSI ? PCI_CAP_ID_MSI : PCI_CAP_ID_MSIX, &cap);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	if (vmig_config_read16(dev, cap + PCI_MSI_FLAGS, &flags))
		return -EIO;
	if (index == MSI)
		return 1 << ((flags & PCI_MSI_FLAGS_QMASK) >> 1);
	return (flags & PCI_MSIX_FLAGS_QSIZE) + 1;
}

CLAUSE_TEST_F(irq_info, count_of_pci_interrupts, "irq.pci-count")
{
	static const char *const name[] = { "INTx", "MSI", "MSI-X" };
	unsigned int index;

	NEED(PCI);
	for (index = INTX; index <= MSIX; index++) {
		struct vfio_irq_info info;

		if (vmig_irq_info(self->dev, index, &info))
			info.count = 0;
		EXPECT_EQ(count_of(self->dev, index), info.count) {
			TH_LOG("%s", name[index]);
		}
	}
}

CLAUSE_TEST_F(irq_info, intx_is_a_level, "irq.pci-intx-level")
{
	const uint32_t level = VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED;
	struct vfio_irq_info info;

	NEED(INTX);
	ASSERT_RET(0, vmig_irq_info(self->dev, INTX, &info), "INTx");
	EXPECT_EQ(level, info.flags & level);
}

SUBJECT_TEST_MAIN
