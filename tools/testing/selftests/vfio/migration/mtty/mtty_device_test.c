// SPDX-License-Identifier: GPL-2.0-only
/*
 * The whole device: info and feature ioctls, bad arguments, and the device after close.
 */
#include <errno.h>
#include <sys/ioctl.h>

#include "mtty/irq_fixture.h"

#define PORTS		2
#define SEED		20

/* An interrupt that must not come would come in this time */
#define QUIET_MS	100

/* An ioctl that fills in a structure with argsz as the first member */
struct info {
	const char *name;
	unsigned int cmd;
	uint32_t minsz;
};

static const struct info infos[] = {
	{ "VFIO_DEVICE_GET_INFO", VFIO_DEVICE_GET_INFO,
	  offsetof(struct vfio_device_info, cap_offset) },
	{ "VFIO_DEVICE_GET_REGION_INFO", VFIO_DEVICE_GET_REGION_INFO,
	  sizeof(struct vfio_region_info) },
	{ "VFIO_DEVICE_GET_IRQ_INFO", VFIO_DEVICE_GET_IRQ_INFO,
	  sizeof(struct vfio_irq_info) },
};

/* Words of the structure; not all have an index */
#define WORD_ARGSZ	0
#define WORDS		16

FIXTURE(device) {
	IRQ_MEMBERS;
};

FIXTURE_VARIANT(device) {
	enum vmig_path path;
};

FIXTURE_VARIANT_ADD(device, by_group) { .path = VMIG_PATH_GROUP };
FIXTURE_VARIANT_ADD(device, by_cdev) { .path = VMIG_PATH_CDEV };

FIXTURE_SETUP(device)
{
	if (!vmig_path_available(variant->path))
		SKIP(return, "this kernel does not offer devices by %s",
		     vmig_path_name(variant->path));
	OPEN_IRQ_DEVICE_BY(variant->path, "mtty-2", .capture_size = "64K");
}

FIXTURE_TEARDOWN(device)
{
	CLOSE_IRQ_DEVICE();
}

static int call(struct vmig_device *dev, unsigned int cmd, const void *arg)
{
	return vmig_call_error(ioctl(dev->fd, cmd, arg));
}

/* Driver: vfio_device_info: a PCI device that can be reset, all PCI indexes */
TEST_F(device, info)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	ASSERT_RET(0, call(self->dev, VFIO_DEVICE_GET_INFO, &info), "info");
	EXPECT_EQ(VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET, info.flags);
	EXPECT_EQ(VFIO_PCI_NUM_REGIONS, info.num_regions);
	EXPECT_EQ(VFIO_PCI_NUM_IRQS, info.num_irqs);
}

/* Driver: argsz of each info structure: too small EINVAL, nothing filled in */
TEST_F(device, info_argsz_too_small)
{
	unsigned int i, w;

	for (i = 0; i < ARRAY_SIZE(infos); i++) {
		const uint32_t small[] = { 0, 1, 4, 8, infos[i].minsz - 1 };

		for (w = 0; w < ARRAY_SIZE(small); w++) {
			uint32_t arg[WORDS] = { small[w] };

			EXPECT_RET(-EINVAL, call(self->dev, infos[i].cmd, arg),
				   "%s, argsz %u", infos[i].name, small[w]);
			EXPECT_EQ(0, arg[1]) {
				TH_LOG("%s wrote flags", infos[i].name);
			}
			EXPECT_EQ(small[w], arg[WORD_ARGSZ]);
		}
	}
}

/* Driver: info structure not accessible: EFAULT */
TEST_F(device, info_bad_pointer)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	uint8_t *end = guarded_page_map(), *map;
	unsigned int i, k;

	ASSERT_NE(NULL, end);
	map = end - page;
	for (i = 0; i < ARRAY_SIZE(infos); i++) {
		uint32_t minsz = infos[i].minsz;
		const void *bad[] = { NULL, end, end - 4, end - minsz + 1 };

		memset(map, 0, page);
		for (k = 0; k < ARRAY_SIZE(bad); k++)
			EXPECT_RET(-EFAULT, call(self->dev, infos[i].cmd,
						 bad[k]),
				   "%s, pointer %u", infos[i].name, k);

		/* Readable, not writable */
		memcpy(map, &minsz, sizeof(minsz));
		ASSERT_EQ(0, mprotect(map, page, PROT_READ));
		EXPECT_RET(-EFAULT, call(self->dev, infos[i].cmd, map),
			   "%s, read-only", infos[i].name);
		ASSERT_EQ(0, mprotect(map, page, PROT_READ | PROT_WRITE));

		memcpy(end - minsz, &minsz, sizeof(minsz));
		EXPECT_RET(0, call(self->dev, infos[i].cmd, end - minsz),
			   "%s, up to the end", infos[i].name);
	}
	guarded_page_unmap(end);
}

/* Driver: an ioctl that the device does not have: ENOTTY */
TEST_F(device, unknown_ioctl)
{
	static const unsigned int cmds[] = {
		VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, VFIO_DEVICE_PCI_HOT_RESET,
		VFIO_DEVICE_QUERY_GFX_PLANE, VFIO_DEVICE_GET_GFX_DMABUF,
		VFIO_DEVICE_IOEVENTFD, VFIO_GET_API_VERSION,
		VFIO_MIG_GET_PRECOPY_INFO, _IO(VFIO_TYPE, VFIO_BASE + 150),
		_IO('x', VFIO_BASE), 0, UINT32_MAX,
	};
	uint32_t arg[WORDS] = { sizeof(arg) };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		EXPECT_RET(-ENOTTY, call(self->dev, cmds[i], arg), "%#x",
			   cmds[i]);
}

/* Driver: a feature that the device does not have: ENOTTY */
TEST_F(device, unknown_feature)
{
	static const uint32_t features[] = {
		VFIO_DEVICE_FEATURE_PCI_VF_TOKEN,
		VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY,
		VFIO_DEVICE_FEATURE_LOW_POWER_EXIT,
		VFIO_DEVICE_FEATURE_MIG_CONFIG - 1,
		VFIO_DEVICE_FEATURE_MIG_CONFIG + 1,
		0x7fff, VFIO_DEVICE_FEATURE_MASK,
	};
	static const uint32_t ops[] = {
		VFIO_DEVICE_FEATURE_GET, VFIO_DEVICE_FEATURE_SET,
		VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_GET,
		VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_SET,
		VFIO_DEVICE_FEATURE_PROBE,
	};
	uint32_t data[WORDS] = { 0 };
	unsigned int i, o;

	for (i = 0; i < ARRAY_SIZE(features); i++)
		for (o = 0; o < ARRAY_SIZE(ops); o++)
			EXPECT_RET(-ENOTTY, vmig_feature(self->dev,
							 features[i] | ops[o],
							 data, sizeof(data)),
				   "feature %u, op %#x", features[i], ops[o]);
}

#define REOPEN() do { \
	vmig_device_close(self->dev); \
	ASSERT_RET(0, vmig_device_open(self->dev, &self->td.mdev, \
				       variant->path), "open"); \
} while (0)

/* Closes the device in PRE_COPY, with contents, and opens it again */
static void reopen_in_pre_copy(struct __test_metadata *_metadata,
			       FIXTURE_DATA(device) *self,
			       const FIXTURE_VARIANT(device) *variant,
			       unsigned int seed)
{
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, seed), "contents");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_PRE_COPY,
					 &self->fd), "PRE_COPY");
	REOPEN();
	close(self->fd);
	self->fd = -1;
}

#define OPENINGS	3

/* Proposal: close: another identity at each open, and the content of after a reset */
TEST_F(device, next_user_finds_another_identity)
{
	struct vmig_snapshot config[OPENINGS];
	unsigned int i, other;

	for (i = 0; i < OPENINGS; i++) {
		reopen_in_pre_copy(_metadata, self, variant, SEED + i);
		ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
		self->stream.len = 0;
		ASSERT_RET(0, vmig_transfer_save_config(self->dev, &config[i],
							&self->stream), "save");
		ASSERT_RET(0, vmig_mig_set_state(self->dev,
						 VFIO_DEVICE_STATE_RUNNING, NULL),
			   "RUNNING");
		for (other = 0; other < i; other++) {
			EXPECT_NE(0, memcmp(config[i].id, config[other].id,
					    sizeof(config[i].id)));
			EXPECT_EQ(0, memcmp(config[i].data, config[other].data,
					    config[i].size));
		}
	}
}

/* Driver: close: registers, config space, capture memory and state are reset */
TEST_F(device, next_user_finds_a_reset_device)
{
	const char *what = "";
	unsigned int i;

	for (i = 0; i < 3; i++) {
		reopen_in_pre_copy(_metadata, self, variant, SEED + i);
		EXPECT_STATE(VFIO_DEVICE_STATE_RUNNING, self->dev, "reopened");
		EXPECT_RET(0, vmig_contents_check_reset(self->dev, PORTS, &what),
			   "%s", what);
	}
}

/* Driver: close: eventfds are disconnected, and INTx is unmasked */
TEST_F(device, next_user_finds_no_interrupts)
{
	unsigned int index;
	int fd = vmig_eventfd_create();

	ASSERT_LE(0, fd);
	for (index = INTX; index <= MSI; index++) {
		CONNECT(index, self->a);
		if (index == INTX) {
			ASSERT_RET(0, vmig_irq_set_fd(self->dev, INTX, UNMASK,
						      self->b), "bind");
			ASSERT_RET(0, vmig_irq_action(self->dev, INTX, MASK),
				   "mask");
		}
		REOPEN();
		EXPECT_RET(-EINVAL, vmig_irq_action(self->dev, index, TRIGGER),
			   "index %u is enabled", index);
		EXPECT_RET(0, vmig_bus_master_enable(self->dev), "bus master");
		RAISE();
		EXPECT_EQ(0, vmig_eventfd_take(self->a));
		CONNECT(index, fd);
		EXPECT_EQ(1, vmig_eventfd_take(fd));
		EXPECT_RET(0, vmig_eventfd_signal(self->b), "old eventfd");
		EXPECT_EQ(-ETIMEDOUT, vmig_eventfd_wait(fd, QUIET_MS));
		vmig_eventfd_take(self->b);
		REOPEN();
	}
	close(fd);
}

/* Driver: close: a character timeout that is running is cancelled */
TEST_F(device, next_user_gets_no_timeout)
{
	ASSERT_RET(0, vmig_uart_init(self->dev, 0, UART_FCR_TRIGGER_8,
				     UART_IER_RDI), "init");
	ASSERT_RET(0, vmig_uart_out(self->dev, 0, UART_TX, 't'), "byte");
	REOPEN();
	ASSERT_RET(0, vmig_bus_master_enable(self->dev), "bus master");
	CONNECT(MSI, self->a);
	ASSERT_RET(0, vmig_uart_init(self->dev, 0, UART_FCR_TRIGGER_8,
				     UART_IER_RDI), "init");
	EXPECT_EQ(-ETIMEDOUT, vmig_eventfd_wait(self->a, QUIET_MS));
}

/* Driver: the offsets of regions do not change: read() may be the first call */
TEST_F(device, first_call_is_a_read)
{
	uint64_t offset = self->dev->region[VFIO_PCI_CONFIG_REGION_INDEX].offset;
	uint16_t vendor = 0;
	char sysfs[64];

	snprintf(sysfs, sizeof(sysfs), "/sys/bus/mdev/devices/%s", self->td.mdev.uuid);
	vmig_device_close(self->dev);
	ASSERT_RET(0, vmig_device_open_untouched(self->dev, sysfs, variant->path), "open");
	EXPECT_EQ(sizeof(vendor), pread(self->dev->fd, &vendor, sizeof(vendor), offset));
	EXPECT_EQ(0x4348, vendor);
}

TEST_HARNESS_MAIN
