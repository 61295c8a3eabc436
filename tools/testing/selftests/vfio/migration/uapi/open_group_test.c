// SPDX-License-Identifier: GPL-2.0-only
/* VFIO_GROUP_GET_DEVICE_FD: opening a device by its group. */
#include <fcntl.h>
#include <sys/ioctl.h>

#include "usable.h"

/* @second_fd: another file of the device */
FIXTURE(open_group) {
	SUBJECT_MEMBERS;
	int second_fd;
	int event;
};

FIXTURE_SETUP(open_group)
{
	self->second_fd = -1;
	OPEN_SUBJECT();
	self->event = vmig_eventfd_create();
	ASSERT_LE(0, self->event);
}

FIXTURE_TEARDOWN(open_group)
{
	if (self->second_fd >= 0)
		close(self->second_fd);
	close(self->event);
	CLOSE_SUBJECT();
}

/* Returns the file descriptor or -errno */
static int get_device_fd(int group, const struct vmig_subject *subject)
{
	const char *name = strrchr(subject->sysfs, '/') + 1;
	int fd;

	vmig_call_text("ioctl(group, VFIO_GROUP_GET_DEVICE_FD, \"%s\")", name);
	fd = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, name);
	vmig_call_result(fd);
	return fd < 0 ? -errno : fd;
}

static int get_info(int fd)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	return vmig_call_ioctl(fd, VFIO_DEVICE_GET_INFO, &info) ? -errno : 0;
}

CLAUSE_TEST_F(open_group, device_fd, "open.group-device-fd")
{
	NEED(GROUP);
	self->second_fd = get_device_fd(self->dev->group, &self->subject);
	ASSERT_LE(0, self->second_fd);
	EXPECT_NE(self->dev->fd, self->second_fd);
	EXPECT_RET(0, get_info(self->second_fd), "info");
}

CLAUSE_TEST_F(open_group, no_container, "open.group-no-container")
{
	int group;

	NEED(GROUP);
	vmig_device_close(self->dev);
	group = vmig_group_open(self->subject.sysfs);
	ASSERT_LE(0, group);
	vmig_calls_restart("the group was opened");
	EXPECT_REFUSED("errno of VFIO_GROUP_GET_DEVICE_FD without a container",
		       get_device_fd(group, &self->subject));
	close(group);
}

CLAUSE_TEST_F(open_group, close_on_exec, "open.fd-cloexec")
{
	NEED(GROUP);
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->dev->fd, F_GETFD) & FD_CLOEXEC);
}

/* Go on with the second file, and close the first one */
static void change_file(FIXTURE_DATA(open_group) *self)
{
	vmig_call_close(self->dev->fd);
	self->dev->fd = self->second_fd;
	self->second_fd = -1;
	vmig_calls_name(self->dev->fd, "second file");
}

CLAUSE_TEST_F(open_group, twice_state, "open.group-twice")
{
	int first_fd = self->dev->fd;

	NEED(GROUP);
	NEED(MIGRATION);
	self->second_fd = get_device_fd(self->dev->group, &self->subject);
	ASSERT_LE(0, self->second_fd);
	GO(STOP);
	self->dev->fd = self->second_fd;
	EXPECT_STATE(STOP, self->dev, "by the second file");
	self->dev->fd = first_fd;
	change_file(self);
	EXPECT_STATE(STOP, self->dev, "after the first file was closed");
}

CLAUSE_TEST_F(open_group, twice_irqs, "open.group-twice")
{
	int index;

	NEED(GROUP);
	NEED_IRQ(index);
	self->second_fd = get_device_fd(self->dev->group, &self->subject);
	ASSERT_LE(0, self->second_fd);
	CONNECT_FD(index, self->event);
	change_file(self);
	EXPECT_RET(0, vmig_irq_action(self->dev, index, TRIGGER), "trigger by the second file");
	EXPECT_SIGNALS(1, self->event, "connected by the first file");
}

CLAUSE_TEST_F(open_group, twice_contents, "open.group-twice")
{
	const char *what = "";

	NEED(GROUP);
	NEED_OP(fill);
	NEED_OP(check);
	self->second_fd = get_device_fd(self->dev->group, &self->subject);
	ASSERT_LE(0, self->second_fd);
	ASSERT_RET(0, self->subject.ops->fill(self->dev, 30), "fill");
	change_file(self);
	EXPECT_RET(0, self->subject.ops->check(self->dev, 30, &what), "%s", what);
}

CLAUSE_TEST_F(open_group, twice_regions, "open.group-twice")
{
	NEED(GROUP);
	self->second_fd = get_device_fd(self->dev->group, &self->subject);
	ASSERT_LE(0, self->second_fd);
	change_file(self);
	EXPECT_RET(0, get_info(self->dev->fd), "info");
	EXPECT_RET(0, vmig_device_learn(self->dev), "regions");
}

SUBJECT_TEST_MAIN
