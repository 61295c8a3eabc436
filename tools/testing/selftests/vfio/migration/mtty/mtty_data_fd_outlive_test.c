// SPDX-License-Identifier: GPL-2.0-only
/*
 * A data_fd may stay open longer than the device is open or exists, and than the process
 * that opened it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/mtty.h"

FIXTURE(outlive) {
	DEVICE_MEMBERS;
};

FIXTURE_VARIANT(outlive) {
	enum vmig_path path;
	enum vfio_device_mig_state state;
};

#define VARIANT(_name, _path, _state) \
FIXTURE_VARIANT_ADD(outlive, _name) { \
	.path = VMIG_PATH_##_path, .state = VFIO_DEVICE_STATE_##_state, \
}

VARIANT(group_pre_copy, GROUP, PRE_COPY);
VARIANT(group_stop_copy, GROUP, STOP_COPY);
VARIANT(group_resuming, GROUP, RESUMING);
VARIANT(cdev_pre_copy, CDEV, PRE_COPY);
VARIANT(cdev_stop_copy, CDEV, STOP_COPY);
VARIANT(cdev_resuming, CDEV, RESUMING);

FIXTURE_SETUP(outlive)
{
	if (!vmig_path_available(variant->path))
		SKIP(return, "no %s on this kernel",
		     vmig_path_name(variant->path));
	OPEN_DEVICE_BY(variant->path, "mtty-2", .capture_size = "64K");
}

FIXTURE_TEARDOWN(outlive)
{
	CLOSE_DEVICE();
}

/* A session in the middle of its stream */
static void begin(struct __test_metadata *_metadata,
		  FIXTURE_DATA(outlive) *self,
		  const FIXTURE_VARIANT(outlive) *variant)
{
	char part[40];
	ssize_t n;

	ASSERT_RET(0, vmig_contents_set(self->dev, 2, 1), "contents");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RUNNING,
					 NULL), "RUNNING");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, variant->state, &self->fd),
		   "%s", vmig_state_name(variant->state));
	if (variant->state == VFIO_DEVICE_STATE_RESUMING)
		n = write(self->fd, self->stream.data, sizeof(part));
	else
		n = read(self->fd, part, sizeof(part));
	ASSERT_EQ(40, n);
}

static void expect_ended(struct __test_metadata *_metadata,
			 FIXTURE_DATA(outlive) *self,
			 const FIXTURE_VARIANT(outlive) *variant)
{
	struct pollfd pfd = { .fd = self->fd };
	struct vfio_precopy_info info;
	char buf[4096] = { 0 };

	if (variant->state == VFIO_DEVICE_STATE_RESUMING) {
		EXPECT_EQ(-1, write(self->fd, buf, sizeof(buf)));
		EXPECT_RET(-ENODEV, -errno, "write");
		EXPECT_RET(-ENOTTY, vmig_precopy_info(self->fd, &info), "ioctl");
	} else {
		EXPECT_EQ(-1, read(self->fd, buf, sizeof(buf)));
		EXPECT_RET(-ENODEV, -errno, "read");
		EXPECT_RET(-EINVAL, vmig_precopy_info(self->fd, &info), "ioctl");
	}
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(POLLERR | POLLHUP, pfd.revents);
}

/* Driver: data_fd after the device was closed, and removed: ENODEV */
TEST_F(outlive, the_mediated_device)
{
	begin(_metadata, self, variant);
	vmig_device_close(self->dev);
	expect_ended(_metadata, self, variant);
	ASSERT_RET(0, vmig_mdev_remove(&self->td.mdev), "remove");
	expect_ended(_metadata, self, variant);
	EXPECT_EQ(0, close(self->fd));
	self->fd = -1;
}

/* Driver: poll() while the device is closed and removed: returns POLLERR and POLLHUP */
TEST_F(outlive, the_mediated_device_in_poll)
{
	struct vmig_poll_thread thread;
	short revents = 0;

	begin(_metadata, self, variant);
	ASSERT_RET(0, vmig_poll_thread_start(&thread, self->fd, 0), "poll");
	vmig_device_close(self->dev);
	ASSERT_RET(0, vmig_mdev_remove(&self->td.mdev), "remove");
	EXPECT_RET(0, vmig_poll_thread_join(&thread, &revents), "wake-up");
	EXPECT_EQ(POLLERR | POLLHUP, revents);
}

/* Driver: data_fd of a device that was reopened: ENODEV, not the new session */
TEST_F(outlive, one_opening_of_the_device)
{
	int new_fd = -1;

	begin(_metadata, self, variant);
	vmig_device_close(self->dev);
	ASSERT_RET(0, vmig_device_open(self->dev, &self->td.mdev,
				       variant->path), "open");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, variant->state, &new_fd),
		   "%s", vmig_state_name(variant->state));
	expect_ended(_metadata, self, variant);
	EXPECT_EQ(0, close(new_fd));
}

/* Driver: data_fd of a closed device: the module, which has its code, stays loaded */
TEST_F(outlive, the_module)
{
	if (access("/sys/module/mtty/refcnt", F_OK))
		SKIP(return, "mtty is not a module here");
	begin(_metadata, self, variant);
	vmig_device_close(self->dev);
	ASSERT_EQ(-1, syscall(SYS_delete_module, "mtty", O_NONBLOCK));
	EXPECT_EQ(EAGAIN, errno);
	expect_ended(_metadata, self, variant);
}

static int send_fd(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { .iov_base = "f", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
}

static int receive_fd(int sock, int *fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;

	if (recvmsg(sock, &msg, 0) != 1)
		return -errno;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg)
		return -ENOENT;
	memcpy(fd, CMSG_DATA(cmsg), sizeof(*fd));
	return 0;
}

/* Opens the device, and sends the data_fd; returns the number of the step that failed */
static int child(struct vmig_testdev *td,
		 const FIXTURE_VARIANT(outlive) *variant, int sock)
{
	int fd;

	if (vmig_device_open(&td->dev, &td->mdev, variant->path))
		return 1;
	if (vmig_mig_set_state(&td->dev, variant->state, &fd))
		return 2;
	if (send_fd(sock, fd))
		return 3;
	return 0;
}

/* Driver: data_fd after the process that opened the device has exited: ENODEV */
TEST_F(outlive, the_process)
{
	int sock[2], status = -1;
	pid_t pid;

	vmig_device_close(self->dev);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sock));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(child(&self->td, variant, sock[1]));

	close(sock[1]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	ASSERT_EQ(0, WEXITSTATUS(status));
	ASSERT_RET(0, receive_fd(sock[0], &self->fd), "fd from the child");
	close(sock[0]);
	expect_ended(_metadata, self, variant);
	ASSERT_RET(0, vmig_mdev_remove(&self->td.mdev), "remove");
	expect_ended(_metadata, self, variant);
}

TEST_HARNESS_MAIN
