// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each ioctl of the device and of a data_fd as a 32-bit process issues it. On x86 a 64-bit
 * program enters the kernel by the same path with "int $0x80", if its arguments are below
 * 4 GiB. The structures are the same for both.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <linux/pci_regs.h>

#include "lib/mtty.h"
#include "lib/vfio/case.h"

#define PORTS	2
#define SEED	23
#define ROOM	4096
#define GET	VFIO_DEVICE_FEATURE_GET
#define SET	VFIO_DEVICE_FEATURE_SET

/* Numbers of system calls of 32-bit x86 */
#define NR_GETPID	20
#define NR_IOCTL	54

#if defined(__x86_64__)
static long call32(long nr, long a, long b, long c)
{
	long ret;

	asm volatile("int $0x80" : "=a" (ret) : "a" (nr), "b" (a), "c" (b), "d" (c)
		     : "memory", "cc", "r8", "r9", "r10", "r11");
	return (int)ret;
}

static sigjmp_buf no_call;

static void has_no_call(int sig)
{
	siglongjmp(no_call, 1);
}

/* A kernel without IA32 emulation has no such interrupt: SIGSEGV */
static bool has_call32(void)
{
	struct sigaction act = { .sa_handler = has_no_call }, old;
	static bool has;

	sigaction(SIGSEGV, &act, &old);
	if (!sigsetjmp(no_call, 1))
		has = call32(NR_GETPID, 0, 0, 0) == getpid();
	sigaction(SIGSEGV, &old, NULL);
	return has;
}
#else
static long call32(long nr, long a, long b, long c)
{
	return -EOPNOTSUPP;
}

static bool has_call32(void)
{
	return false;
}
#endif

#ifndef MAP_32BIT
#define MAP_32BIT	0
#endif

/* @low: memory below 4 GiB, for arguments; @config: of the device, to be loaded */
FIXTURE(compat) {
	DEVICE_MEMBERS;
	void *low;
	struct vmig_snapshot config;
};

FIXTURE_SETUP(compat)
{
	self->fd = -1;
	if (!has_call32())
		SKIP(return, "not applicable: the kernel has no 32-bit system calls here");
	OPEN_DEVICE("mtty-2", .config_policy = "reorder", .capture_size = "64K");
	ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "contents");
	self->low = mmap(NULL, ROOM, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	ASSERT_NE(MAP_FAILED, self->low);
}

FIXTURE_TEARDOWN(compat)
{
	if (self->low)
		munmap(self->low, ROOM);
	CLOSE_DEVICE();
}

/* The ioctl of a 32-bit process, with a copy of this argument; 0 or -errno */
static int ioctl32(FIXTURE_DATA(compat) *self, int fd, unsigned long cmd, void *arg,
		   size_t size)
{
	long ret;

	memcpy(self->low, arg, size);
	ret = call32(NR_IOCTL, fd, (long)cmd, (long)self->low);
	memcpy(arg, self->low, size);
	return ret < 0 ? ret : 0;
}

static int feature32(FIXTURE_DATA(compat) *self, uint32_t flags, void *data, size_t size)
{
	struct {
		struct vfio_device_feature feature;
		uint8_t data[64];
	} arg = { .feature.argsz = sizeof(arg.feature) + size, .feature.flags = flags };
	int ret;

	memcpy(arg.data, data, size);
	ret = ioctl32(self, self->dev->fd, VFIO_DEVICE_FEATURE, &arg, sizeof(arg));
	memcpy(data, arg.data, size);
	return ret;
}

static int set_state32(FIXTURE_DATA(compat) *self, enum vfio_device_mig_state state)
{
	struct vfio_device_feature_mig_state mig = { .device_state = state, .data_fd = -1 };
	int ret;

	ret = feature32(self, SET | VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, &mig, sizeof(mig));
	if (self->fd >= 0 && mig.data_fd >= 0)
		close(self->fd);
	if (mig.data_fd >= 0)
		self->fd = mig.data_fd;
	return ret;
}

/* The same result, and the same bytes, from both paths */
#define EXPECT_BOTH(_want, _fd, _cmd, _arg) do { \
	typeof(_arg) arg64 = _arg, arg32 = _arg; \
	EXPECT_RET(_want, ioctl(_fd, _cmd, &arg64) ? -errno : 0, "64 bits"); \
	EXPECT_RET(_want, ioctl32(self, _fd, _cmd, &arg32, sizeof(arg32)), "32 bits"); \
	EXPECT_EQ(0, memcmp(&arg64, &arg32, sizeof(arg32))); \
} while (0)

/* Driver: a 32-bit process: VFIO_DEVICE_GET_*_INFO, as for one of 64 bits */
TEST_F(compat, device_info)
{
	struct {
		struct vfio_region_info info;
		uint8_t caps[256];
	} region;
	struct vfio_device_info device = { .argsz = sizeof(device) };
	struct vfio_irq_info irq;
	unsigned int i;

	EXPECT_BOTH(0, self->dev->fd, VFIO_DEVICE_GET_INFO, device);
	for (i = 0; i <= VFIO_PCI_NUM_REGIONS; i++) {
		memset(&region, 0, sizeof(region));
		region.info.argsz = sizeof(region);
		region.info.index = i;
		EXPECT_BOTH(i < VFIO_PCI_NUM_REGIONS ? 0 : -EINVAL, self->dev->fd,
			    VFIO_DEVICE_GET_REGION_INFO, region);
	}
	for (i = 0; i <= VFIO_PCI_NUM_IRQS; i++) {
		irq = (struct vfio_irq_info) { .argsz = sizeof(irq), .index = i };
		EXPECT_BOTH(i < VFIO_PCI_NUM_IRQS ? 0 : -EINVAL, self->dev->fd,
			    VFIO_DEVICE_GET_IRQ_INFO, irq);
	}
}

/* Driver: a 32-bit process: VFIO_DEVICE_SET_IRQS connects an eventfd, and signals it */
TEST_F(compat, set_irqs)
{
	struct {
		struct vfio_irq_set set;
		int32_t fd;
	} arg = { .set = {
		.argsz = sizeof(arg), .index = MSI, .count = 1,
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | TRIGGER,
	} };
	int irq = vmig_eventfd_create();

	ASSERT_LE(0, irq);
	arg.fd = irq;
	EXPECT_RET(0, ioctl32(self, self->dev->fd, VFIO_DEVICE_SET_IRQS, &arg, sizeof(arg)),
		   "connect");
	EXPECT_EQ(0, vmig_eventfd_take(irq));
	arg.set.flags = VFIO_IRQ_SET_DATA_NONE | TRIGGER;
	EXPECT_RET(0, ioctl32(self, self->dev->fd, VFIO_DEVICE_SET_IRQS, &arg, sizeof(arg)),
		   "signal");
	EXPECT_EQ(1, vmig_eventfd_take(irq));
	close(irq);
}

/* Driver: a 32-bit process: VFIO_DEVICE_RESET */
TEST_F(compat, reset)
{
	ASSERT_RET(0, set_state32(self, STOP), "STOP");
	EXPECT_RET(0, ioctl32(self, self->dev->fd, VFIO_DEVICE_RESET, self->low, 0),
		   "reset");
	EXPECT_STATE(RUNNING, self->dev, "after a reset");
	EXPECT_RESET_CONTENTS(self->dev, PORTS);
}

/* Driver: a 32-bit process: VFIO_DEVICE_FEATURE of migration and of the proposal */
TEST_F(compat, features)
{
	struct vfio_device_feature_migration flags = { 0 };
	struct vfio_device_feature_mig_data_size size = { 0 };
	struct vfio_device_feature_mig_config config = { 0 };
	uint64_t want_flags = 0, want_size = 1;

	ASSERT_RET(0, vmig_mig_get_flags(self->dev, &want_flags), "flags");
	ASSERT_RET(0, vmig_mig_data_size(self->dev, &want_size), "size");
	EXPECT_RET(0, feature32(self, GET | VFIO_DEVICE_FEATURE_MIGRATION, &flags,
				sizeof(flags)), "MIGRATION");
	EXPECT_EQ(want_flags, flags.flags);
	EXPECT_RET(0, feature32(self, GET | VFIO_DEVICE_FEATURE_MIG_DATA_SIZE, &size,
				sizeof(size)), "MIG_DATA_SIZE");
	EXPECT_EQ(want_size, size.stop_copy_length);
	EXPECT_RET(0, feature32(self, GET | VFIO_DEVICE_FEATURE_MIG_CONFIG, &config,
				sizeof(config)), "GET MIG_CONFIG");
	EXPECT_EQ(VFIO_MIG_CONFIG_ANY_ORDER, config.need);
	EXPECT_RET(0, feature32(self, SET | VFIO_DEVICE_FEATURE_MIG_CONFIG, &config,
				sizeof(config)), "SET MIG_CONFIG");
	config.size++;
	EXPECT_RET(-EOPNOTSUPP, feature32(self, SET | VFIO_DEVICE_FEATURE_MIG_CONFIG,
					  &config, sizeof(config)), "another size");
}

/* The argument of the ioctls that carry a snapshot */
struct config_arg {
	struct vfio_mig_config head;
	uint8_t data[PCI_CFG_SPACE_SIZE];
};

/* Driver: a 32-bit process: the ioctls of a saving data_fd */
TEST_F(compat, saving)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info) };
	struct config_arg config = { .head.argsz = sizeof(config) };

	ASSERT_RET(0, set_state32(self, PRE_COPY), "PRE_COPY");
	EXPECT_BOTH(0, self->fd, VFIO_MIG_GET_PRECOPY_INFO, info);
	EXPECT_BOTH(0, self->fd, VFIO_MIG_GET_CONFIG, config);
	ASSERT_RET(0, ioctl32(self, self->fd, VFIO_MIG_GET_PRECOPY_INFO, &info, sizeof(info)),
		   "PRECOPY_INFO");
	EXPECT_LT(0, info.initial_bytes);
	info.argsz = 8;
	EXPECT_BOTH(-EINVAL, self->fd, VFIO_MIG_GET_PRECOPY_INFO, info);
	config.head.flags = 1;
	EXPECT_BOTH(-EINVAL, self->fd, VFIO_MIG_GET_CONFIG, config);
	config.head.flags = 0;
	EXPECT_BOTH(-ENOTTY, self->fd, VFIO_MIG_SET_CONFIG, config);
	EXPECT_BOTH(-ENOTTY, self->fd, VFIO_MIG_CHECK_DATA, config);
	ASSERT_RET(0, set_state32(self, STOP_COPY), "STOP_COPY");
	info.argsz = sizeof(info);
	EXPECT_BOTH(-EINVAL, self->fd, VFIO_MIG_GET_PRECOPY_INFO, info);
	EXPECT_BOTH(0, self->fd, VFIO_MIG_GET_CONFIG, config);
}

/* Driver: a 32-bit process: the ioctls of a resuming data_fd */
TEST_F(compat, resuming)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info) };
	struct config_arg config = { .head.argsz = sizeof(config) };

	ASSERT_RET(0, set_state32(self, STOP_COPY), "STOP_COPY");
	ASSERT_RET(0, vmig_transfer_read(self->fd, &self->stream, 4096), "read");
	ASSERT_RET(0, ioctl32(self, self->fd, VFIO_MIG_GET_CONFIG, &config, sizeof(config)),
		   "GET_CONFIG");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, set_state32(self, RESUMING), "RESUMING");
	EXPECT_BOTH(-ENODATA, self->fd, VFIO_MIG_CHECK_DATA, info);
	EXPECT_BOTH(-ENOTTY, self->fd, VFIO_MIG_GET_PRECOPY_INFO, info);
	EXPECT_BOTH(-ENOTTY, self->fd, VFIO_MIG_GET_CONFIG, config);
	config.head.reserved = 1;
	EXPECT_BOTH(-EINVAL, self->fd, VFIO_MIG_SET_CONFIG, config);
	config.head.reserved = 0;
	ASSERT_RET(0, vmig_transfer_write(self->fd, self->stream.data, self->stream.len,
					  4096, NULL), "write");
	EXPECT_BOTH(-ESTALE, self->fd, VFIO_MIG_CHECK_DATA, info);
	EXPECT_RET(0, ioctl32(self, self->fd, VFIO_MIG_SET_CONFIG, &config, sizeof(config)),
		   "SET_CONFIG");
	EXPECT_BOTH(0, self->fd, VFIO_MIG_CHECK_DATA, info);
	ASSERT_RET(0, set_state32(self, RUNNING), "RUNNING");
	EXPECT_CONTENTS(self->dev, PORTS, SEED);
}

/* Driver: a 32-bit process: an unknown ioctl: ENOTTY; memory that cannot be used: EFAULT */
TEST_F(compat, bad_calls)
{
	static const unsigned long known[] = {
		VFIO_MIG_GET_PRECOPY_INFO, VFIO_MIG_GET_CONFIG,
	};
	unsigned int i;

	ASSERT_EQ(0, mprotect(self->low, ROOM, PROT_NONE));
	ASSERT_RET(0, vmig_mig_set_state(self->dev, PRE_COPY, &self->fd), "PRE_COPY");
	for (i = 0; i < ARRAY_SIZE(known); i++)
		EXPECT_EQ(-EFAULT, call32(NR_IOCTL, self->fd, known[i], (long)self->low));
	EXPECT_EQ(-EFAULT, call32(NR_IOCTL, self->dev->fd, VFIO_DEVICE_FEATURE,
				  (long)self->low));
	EXPECT_EQ(-EFAULT, call32(NR_IOCTL, self->dev->fd, VFIO_DEVICE_GET_INFO,
				  (long)self->low));
	EXPECT_EQ(-ENOTTY, call32(NR_IOCTL, self->fd, _IO(VFIO_TYPE, VFIO_BASE + 30),
				  (long)self->low));
	EXPECT_EQ(-ENOTTY, call32(NR_IOCTL, self->dev->fd, _IO(VFIO_TYPE, VFIO_BASE + 60),
				  (long)self->low));
}

TEST_HARNESS_MAIN
