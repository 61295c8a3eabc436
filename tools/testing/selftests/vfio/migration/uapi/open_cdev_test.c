// SPDX-License-Identifier: GPL-2.0-only
/* VFIO_DEVICE_BIND_IOMMUFD: opening a device by its own file. */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <linux/iommufd.h>

#include "usable.h"

#define UNKNOWN_FLAG	0x80000000
/* The size of the first version; later members are optional */
#define BIND_SIZE	(offsetof(struct vfio_device_bind_iommufd, out_devid) + sizeof(uint32_t))

/* @iommufd: of its own; the library's is in @dev. @file, @other: files of the device */
FIXTURE(open_cdev) {
	SUBJECT_MEMBERS;
	int iommufd;
	int file;
	int other;
};

FIXTURE_SETUP(open_cdev)
{
	self->iommufd = -1;
	self->file = -1;
	self->other = -1;
	OPEN_SUBJECT();
	/* Without it the cases do not apply */
	self->iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
}

FIXTURE_TEARDOWN(open_cdev)
{
	if (self->file >= 0)
		close(self->file);
	if (self->other >= 0)
		close(self->other);
	if (self->iommufd >= 0)
		close(self->iommufd);
	CLOSE_SUBJECT();
}

/* The device is closed then; self->file is a file of it that is not bound */
#define OPEN_FILE() do { \
	NEED(CDEV); \
	vmig_device_close(self->dev); \
	self->file = vmig_cdev_open(self->subject.sysfs); \
	ASSERT_LE(0, self->file); \
	vmig_calls_name(self->file, "file"); \
	vmig_calls_restart("the file of the device was opened"); \
} while (0)

static int bind_with(int file, uint32_t argsz, uint32_t flags, int iommufd)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = argsz, .flags = flags, .iommufd = iommufd,
	};
	int ret;

	vmig_call_text("ioctl(fd %d, VFIO_DEVICE_BIND_IOMMUFD, argsz %u, flags %#x, iommufd %d)",
		       file, argsz, flags, iommufd);
	ret = ioctl(file, VFIO_DEVICE_BIND_IOMMUFD, &bind);
	vmig_call_result(ret);
	return ret ? -errno : 0;
}

static int bind_to(int file, int iommufd)
{
	return bind_with(file, BIND_SIZE, 0, iommufd);
}

static int alloc_ioas(int iommufd, uint32_t *ioas)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	if (ioctl(iommufd, IOMMU_IOAS_ALLOC, &alloc))
		return -errno;
	*ioas = alloc.out_ioas_id;
	return 0;
}

static int attach(int file, uint32_t ioas)
{
	struct vfio_device_attach_iommufd_pt arg = { .argsz = sizeof(arg), .pt_id = ioas };
	int ret;

	vmig_call_text("ioctl(fd %d, VFIO_DEVICE_ATTACH_IOMMUFD_PT, %u)", file, ioas);
	ret = ioctl(file, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &arg);
	vmig_call_result(ret);
	return ret ? -errno : 0;
}

static int detach(int file)
{
	struct vfio_device_detach_iommufd_pt arg = { .argsz = sizeof(arg) };
	int ret;

	vmig_call_text("ioctl(fd %d, VFIO_DEVICE_DETACH_IOMMUFD_PT)", file);
	ret = ioctl(file, VFIO_DEVICE_DETACH_IOMMUFD_PT, &arg);
	vmig_call_result(ret);
	return ret ? -errno : 0;
}

static int get_info(int file)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	return vmig_call_ioctl(file, VFIO_DEVICE_GET_INFO, &info) ? -errno : 0;
}

#define LOCKED_KEY	"errno of a call before the bind"

CLAUSE_TEST_F(open_cdev, locked, "open.cdev-locked")
{
	struct vfio_region_info region = { .argsz = sizeof(region) };
	struct vmig_device locked = VMIG_DEVICE_CLOSED;
	const size_t page = sysconf(_SC_PAGESIZE);
	uint32_t val = 0;

	OPEN_FILE();
	locked.fd = self->file;
	EXPECT_REFUSED(LOCKED_KEY, get_info(self->file));
	EXPECT_REFUSED(LOCKED_KEY, vmig_call_ioctl(self->file, VFIO_DEVICE_GET_REGION_INFO,
						   &region) ? -errno : 0);
	EXPECT_REFUSED(LOCKED_KEY, vmig_feature(&locked, VFIO_DEVICE_FEATURE_PROBE |
						VFIO_DEVICE_FEATURE_GET |
						VFIO_DEVICE_FEATURE_MIGRATION, NULL, 0));
	EXPECT_REFUSED(LOCKED_KEY, vmig_device_reset(&locked));
	EXPECT_GT(0, vmig_call_pread(self->file, &val, sizeof(val), 0));
	EXPECT_GT(0, vmig_call_pwrite(self->file, &val, sizeof(val), 0));
	EXPECT_EQ(MAP_FAILED, vmig_call_mmap(page, PROT_READ, MAP_SHARED, self->file, 0));
}

CLAUSE_TEST_F(open_cdev, bind, "open.cdev-bind")
{
	OPEN_FILE();
	ASSERT_RET(0, bind_to(self->file, self->iommufd), "bind");
	EXPECT_RET(0, get_info(self->file), "info");
}

CLAUSE_TEST_F(open_cdev, bind_twice, "open.cdev-bind-twice")
{
	OPEN_FILE();
	ASSERT_RET(0, bind_to(self->file, self->iommufd), "bind");
	EXPECT_REFUSED("errno of a second bind", bind_to(self->file, self->iommufd));
	EXPECT_RET(0, get_info(self->file), "info");
}

CLAUSE_TEST_F(open_cdev, bind_arguments, "open.cdev-bind-arguments")
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, null);
	OPEN_FILE();
	EXPECT_REFUSED("errno of a bind with a short argsz",
		       bind_with(self->file, BIND_SIZE - 1, 0, self->iommufd));
	EXPECT_REFUSED("errno of a bind with an unknown flag",
		       bind_with(self->file, BIND_SIZE, UNKNOWN_FLAG, self->iommufd));
	EXPECT_REFUSED("errno of a bind without an iommufd", bind_to(self->file, -1));
	EXPECT_REFUSED("errno of a bind with a file that is no iommufd",
		       bind_to(self->file, null));
	EXPECT_REFUSED(LOCKED_KEY, get_info(self->file));
	close(null);
}

CLAUSE_TEST_F(open_cdev, exclusive, "open.cdev-exclusive")
{
	OPEN_FILE();
	self->other = vmig_cdev_open(self->subject.sysfs);
	ASSERT_LE(0, self->other);
	ASSERT_RET(0, bind_to(self->file, self->iommufd), "bind");
	EXPECT_REFUSED("errno of a bind of another file", bind_to(self->other, self->iommufd));
	EXPECT_RET(0, get_info(self->file), "info");
}

CLAUSE_TEST_F(open_cdev, unbind, "open.cdev-unbind")
{
	OPEN_FILE();
	self->other = vmig_cdev_open(self->subject.sysfs);
	ASSERT_LE(0, self->other);
	ASSERT_RET(0, bind_to(self->file, self->iommufd), "bind");
	ASSERT_EQ(0, vmig_call_close(self->file));
	self->file = -1;
	ASSERT_RET(0, bind_to(self->other, self->iommufd), "bind after the close");
	EXPECT_RET(0, get_info(self->other), "info");
}

CLAUSE_TEST_F(open_cdev, attach_and_detach, "open.cdev-attach")
{
	uint32_t ioas = 0;

	OPEN_FILE();
	ASSERT_RET(0, alloc_ioas(self->iommufd, &ioas), "IOAS");
	ASSERT_RET(0, bind_to(self->file, self->iommufd), "bind");
	EXPECT_RET(0, attach(self->file, ioas), "attach");
	EXPECT_RET(0, detach(self->file), "detach");
	EXPECT_RET(0, attach(self->file, ioas), "attach again");
	EXPECT_RET(0, get_info(self->file), "info");
}

CLAUSE_TEST_F(open_cdev, group_is_open, "open.cdev-while-group")
{
	NEED(GROUP);
	if (self->iommufd < 0 || !vmig_path_available(VMIG_PATH_CDEV))
		SKIP(return, "not applicable: this kernel does not open devices by their files");
	self->file = vmig_cdev_open(self->subject.sysfs);
	ASSERT_LE(0, self->file);
	EXPECT_REFUSED("errno of a bind while the group is open",
		       bind_to(self->file, self->iommufd));
}

CLAUSE_TEST_F(open_cdev, group_while_bound, "open.group-while-cdev")
{
	int group;

	NEED(CDEV);
	if (!vmig_path_available(VMIG_PATH_GROUP))
		SKIP(return, "not applicable: this kernel does not open devices by group");
	group = vmig_group_open(self->subject.sysfs);
	EXPECT_GT(0, group) {
		close(group);
	}
	RECORD("errno of the group while the device is bound", "%s",
	       vmig_errno_name(group < 0 ? group : 0));
}

CLAUSE_TEST_F(open_cdev, only_for_its_file, "open.cdev-only")
{
	const char *key = "errno of bind, attach and detach by group";
	uint32_t ioas = 0;

	NEED(GROUP);
	if (self->iommufd < 0)
		SKIP(return, "not applicable: this kernel has no iommufd");
	ASSERT_RET(0, alloc_ioas(self->iommufd, &ioas), "IOAS");
	EXPECT_REFUSED(key, bind_to(self->dev->fd, self->iommufd));
	EXPECT_REFUSED(key, attach(self->dev->fd, ioas));
	EXPECT_REFUSED(key, detach(self->dev->fd));
	EXPECT_RET(0, get_info(self->dev->fd), "info");
}

SUBJECT_TEST_MAIN
