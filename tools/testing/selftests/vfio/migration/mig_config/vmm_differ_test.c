// SPDX-License-Identifier: GPL-2.0-only
/*
 * A live migration between devices that differ fails with a reason; the destination
 * does not change, and the source continues without a loss.
 */
#include <errno.h>
#include <string.h>

#include "lib/vmm.h"

#define SEED_SRC	51
#define SEED_DST	52

FIXTURE(differ) {
	struct vmig_testdev src;
	struct vmig_testdev dst;
	struct vmig_irqchip *chip[2];
	struct vmig_vmm vmm[2];
	unsigned int dst_ports;
};

/* @why: part of the message of the destination's VMM. @dst_ports: 1, or 0 for 2 */
FIXTURE_VARIANT(differ) {
	struct vmig_attrs src;
	struct vmig_attrs dst;
	unsigned int dst_ports;
	int err;
	const char *why;
};

#define VARIANT(_name, _err, _why, ...) \
	FIXTURE_VARIANT_ADD(differ, _name) { \
		.err = _err, .why = _why, __VA_ARGS__ \
	}

VARIANT(policy, -EOPNOTSUPP, "before-data on the source, reorder here",
	.src = { .config_policy = "before-data" },
	.dst = { .config_policy = "reorder" });
VARIANT(ports, -EXDEV, "data_fd: ", .dst_ports = 1);
/* Config space comes first, and the BARs differ */
VARIANT(ports_before_data, -EINVAL, "is that of another device",
	.src = { .config_policy = "before-data" },
	.dst = { .config_policy = "before-data" }, .dst_ports = 1);
VARIANT(capture_size, -EXDEV, "data_fd: ",
	.src = { .capture_size = "64K" }, .dst = { .capture_size = "128K" });
VARIANT(capture_size_before_data, -EXDEV, "data_fd: ",
	.src = { .config_policy = "before-data", .capture_size = "64K" },
	.dst = { .config_policy = "before-data", .capture_size = "128K" });
VARIANT(features, -EXDEV, "data_fd: ",
	.src = { .features = "pre_copy" }, .dst = { .features = "p2p pre_copy" });
VARIANT(features_before_data, -EXDEV, "data_fd: ",
	.src = { .config_policy = "before-data", .features = "pre_copy" },
	.dst = { .config_policy = "before-data", .features = "p2p pre_copy" });

FIXTURE_SETUP(differ)
{
	unsigned int i;

	ASSERT_EQ(0, vmig_testdev_open(&self->src, "mtty-2", VMIG_PATH_ANY,
				       &variant->src));
	self->dst_ports = variant->dst_ports ?: 2;
	ASSERT_EQ(0, vmig_testdev_open(&self->dst, self->dst_ports == 1 ?
				       "mtty-1" : "mtty-2", VMIG_PATH_ANY,
				       &variant->dst));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, vmig_irqchip_create(&self->chip[i],
						 VMIG_IRQCHIP_AUTO));
		ASSERT_EQ(0, vmig_vmm_init(&self->vmm[i], i ?
					   VMIG_VMM_DESTINATION :
					   VMIG_VMM_SOURCE,
					   i ? &self->dst.dev : &self->src.dev,
					   self->chip[i]));
	}
	ASSERT_EQ(0, vmig_contents_set(&self->src.dev, 2, SEED_SRC));
	ASSERT_EQ(0, vmig_contents_set(&self->dst.dev, self->dst_ports,
				       SEED_DST));
	ASSERT_EQ(0, vmig_vmm_boot(&self->vmm[0], VFIO_PCI_MSI_IRQ_INDEX,
				   VMIG_LATE_IRQ_MSI_VECTOR));
}

FIXTURE_TEARDOWN(differ)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (self->vmm[i].buf)
			vmig_vmm_exit(&self->vmm[i]);
		vmig_irqchip_destroy(self->chip[i]);
	}
	vmig_testdev_close(&self->src);
	vmig_testdev_close(&self->dst);
}

/* Library: another kind of device is found before the destination changes */
TEST_F(differ, is_found_before_a_change)
{
	struct vmig_device *src = &self->src.dev, *dst = &self->dst.dev;
	uint8_t before[VMIG_CONFIG_SIZE], after[VMIG_CONFIG_SIZE];
	const char *what = "";

	ASSERT_RET(0, vmig_region_read(dst, VFIO_PCI_CONFIG_REGION_INDEX, 0,
				       before, sizeof(before)), "config");
	EXPECT_RET(variant->err, vmig_vmm_migrate(&self->vmm[0],
						  &self->vmm[1]),
		   "source: %s; destination: %s", self->vmm[0].why,
		   self->vmm[1].why);
	EXPECT_NE(NULL, strstr(self->vmm[1].why, variant->why)) {
		TH_LOG("%s", self->vmm[1].why);
	}
	EXPECT_FALSE(self->vmm[1].irq_enabled);

	/* Before the contents: reading them changes the interrupt status */
	if (!self->vmm[1].stats.config_sections) {
		EXPECT_RET(0, vmig_region_read(dst,
					       VFIO_PCI_CONFIG_REGION_INDEX, 0,
					       after, sizeof(after)), "config");
		EXPECT_EQ(0, memcmp(before, after, sizeof(after)));
	}
	EXPECT_RET(0, vmig_contents_check(dst, self->dst_ports, SEED_DST,
					  &what), "destination: %s", what);

	EXPECT_STATE(VFIO_DEVICE_STATE_RUNNING, src, "source");
	EXPECT_RET(0, vmig_contents_check(src, 2, SEED_SRC, &what), "source: %s",
		   what);
}

TEST_HARNESS_MAIN
