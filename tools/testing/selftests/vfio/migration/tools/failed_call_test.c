// SPDX-License-Identifier: GPL-2.0-only
/*
 * The answer of the library to a call that fails, or that does a part: the error, and no
 * value that a test could take for an answer. The device is a file, so each ioctl fails with
 * ENOTTY, and what is read is what the test has written.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>

#define WITHOUT_DEVICE
#include "tools/fixture.h"

#define CONFIG	VFIO_PCI_CONFIG_REGION_INDEX

FIXTURE(failed) {
	struct vmig_device dev;
	struct vmig_bytes bytes;
};

FIXTURE_SETUP(failed)
{
	self->dev = VMIG_DEVICE_CLOSED;
	self->dev.fd = memfd_create("device", MFD_CLOEXEC);
	ASSERT_LE(0, self->dev.fd);
	ASSERT_EQ(0, ftruncate(self->dev.fd, PCI_CFG_SPACE_SIZE));
}

FIXTURE_TEARDOWN(failed)
{
	vmig_bytes_free(&self->bytes);
	vmig_device_close(&self->dev);
}

/* Library: vmig_mig_set_state(): the data_fd is the kernel's, which has written nothing */
TEST_F(failed, data_fd_is_not_the_librarys)
{
	int fd = 77;

	EXPECT_RET(-ENOTTY, vmig_mig_set_state(&self->dev, VFIO_DEVICE_STATE_STOP_COPY, &fd),
		   "SET");
	EXPECT_EQ(VMIG_FD_UNWRITTEN, fd);
	EXPECT_NE(-1, VMIG_FD_UNWRITTEN);
}

/* Library: a call of a feature or of a data_fd that fails leaves its output as it was */
TEST_F(failed, answers_stay_as_they_were)
{
	enum vfio_device_mig_state state = VFIO_DEVICE_STATE_STOP_COPY;
	struct vmig_config_answer answer = { .need = 5, .size = 6 };
	struct vfio_precopy_info info = { .initial_bytes = 7, .dirty_bytes = 8 };
	struct vmig_snapshot snapshot = { .size = 9 };
	uint64_t flags = 10, bytes = 11;
	struct vmig_device *dev = &self->dev;

	EXPECT_RET(-ENOTTY, vmig_mig_get_state(dev, &state), "state");
	EXPECT_EQ(VFIO_DEVICE_STATE_STOP_COPY, state);
	EXPECT_RET(-ENOTTY, vmig_config_query(dev, &answer), "query");
	EXPECT_EQ(5, answer.need);
	EXPECT_EQ(6, answer.size);
	EXPECT_RET(-ENOTTY, vmig_precopy_info(dev->fd, &info), "PRECOPY_INFO");
	EXPECT_EQ(7, info.initial_bytes);
	EXPECT_EQ(8, info.dirty_bytes);
	EXPECT_RET(-ENOTTY, vmig_config_get(dev->fd, &snapshot), "GET_CONFIG");
	EXPECT_EQ(9, snapshot.size);
	EXPECT_RET(-ENOTTY, vmig_mig_get_flags(dev, &flags), "flags");
	EXPECT_EQ(10, flags);
	EXPECT_RET(-ENOTTY, vmig_mig_data_size(dev, &bytes), "size");
	EXPECT_EQ(11, bytes);
}

/* Library: a register that cannot be read, or only in part, leaves the value as it was */
TEST_F(failed, registers_stay_as_they_were)
{
	uint8_t all[PCI_CFG_SPACE_SIZE];
	uint32_t dword = 0x12345678;
	uint16_t word = 0x1234;

	EXPECT_RET(0, vmig_region_read(&self->dev, CONFIG, 0, all, sizeof(all)), "all");
	EXPECT_RET(-EIO, vmig_region_read(&self->dev, CONFIG, 1, all, sizeof(all)), "but one");
	EXPECT_RET(-EIO, vmig_config_read16(&self->dev, PCI_CFG_SPACE_SIZE - 1, &word), "half");
	EXPECT_EQ(0x1234, word);
	EXPECT_RET(-EIO, vmig_config_read32(&self->dev, PCI_CFG_SPACE_SIZE - 3, &dword), "part");
	EXPECT_EQ(0x12345678, dword);
}

/* Library: vmig_config_find_cap(): found, ENOENT, or the error of reading config space */
TEST_F(failed, capability_is_not_found_or_not_read)
{
	unsigned int cap = 1;

	EXPECT_RET(-ENOENT, vmig_config_find_cap(&self->dev, PCI_CAP_ID_MSI, &cap), "no list");
	ASSERT_RET(0, vmig_config_write16(&self->dev, PCI_STATUS, PCI_STATUS_CAP_LIST), "list");
	EXPECT_RET(-ENOENT, vmig_config_find_cap(&self->dev, PCI_CAP_ID_MSI, &cap), "empty");
	/* A list that goes round: PM at 0x40, MSI at 0x50, PM again */
	ASSERT_RET(0, vmig_config_write8(&self->dev, PCI_CAPABILITY_LIST, 0x40), "first");
	ASSERT_RET(0, vmig_config_write16(&self->dev, 0x40, 0x5000 | PCI_CAP_ID_PM), "PM");
	ASSERT_RET(0, vmig_config_write16(&self->dev, 0x50, 0x4000 | PCI_CAP_ID_MSI), "MSI");
	EXPECT_RET(-ENOENT, vmig_config_find_cap(&self->dev, PCI_CAP_ID_MSIX, &cap), "MSI-X");
	EXPECT_EQ(1, cap);
	EXPECT_RET(0, vmig_config_find_cap(&self->dev, PCI_CAP_ID_MSI, &cap), "MSI");
	EXPECT_EQ(0x50, cap);
	/* The list leads to where nothing can be read */
	ASSERT_RET(0, vmig_config_write8(&self->dev, 0x41, 0xfc), "next");
	ASSERT_EQ(0, ftruncate(self->dev.fd, 0xfc));
	EXPECT_RET(-EIO, vmig_config_find_cap(&self->dev, PCI_CAP_ID_MSI, &cap), "cut");
}

/* Library: vmig_transfer_write(): a short write() is continued; what was taken is told */
TEST_F(failed, short_write_is_continued)
{
	static const uint8_t data[10000];
	size_t taken = 0;
	int fd[2];

	/* A pipe of one page, which nothing reads */
	ASSERT_EQ(0, pipe2(fd, O_CLOEXEC | O_NONBLOCK));
	ASSERT_LT(0, fcntl(fd[1], F_SETPIPE_SZ, 4096));
	EXPECT_RET(-EAGAIN, vmig_transfer_write(fd[1], data, sizeof(data), sizeof(data), &taken),
		   "full");
	EXPECT_EQ(4096, taken);
	close(fd[0]);
	close(fd[1]);
}

/* Library: vmig_transfer_read(): an error of read() is no end of the stream */
TEST_F(failed, read_error_is_no_end)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ASSERT_LE(0, fd);
	EXPECT_RET(-EISDIR, vmig_transfer_read(fd, &self->bytes, 4096), "a directory");
	EXPECT_RET(0, vmig_transfer_read(self->dev.fd, &self->bytes, 100), "to the end");
	EXPECT_EQ(PCI_CFG_SPACE_SIZE, self->bytes.len);
	close(fd);
}

/* Library: vmig_eventfd_take(): each signal counts; an error is no count of 0 */
TEST_F(failed, signals_are_counted)
{
	int fd = vmig_eventfd_create();
	unsigned int i;

	ASSERT_LE(0, fd);
	for (i = 0; i < 3; i++)
		ASSERT_RET(0, vmig_eventfd_signal(fd), "signal");
	EXPECT_EQ(3, vmig_eventfd_take(fd));
	EXPECT_EQ(0, vmig_eventfd_take(fd));
	ASSERT_RET(0, vmig_eventfd_signal(fd), "signal");
	EXPECT_EQ(1, vmig_eventfd_wait(fd, VMIG_IRQ_DEADLINE_MS));
	EXPECT_EQ(-ETIMEDOUT, vmig_eventfd_wait(fd, 0));
	close(fd);
	EXPECT_EQ(-EBADF, vmig_eventfd_take(fd));
}

/* Library: vmig_poll_thread_join(): the events that came, of those that were asked for */
TEST_F(failed, events_are_those_that_came)
{
	struct vmig_poll_thread thread;
	short seen = -1;
	int fd[2];

	ASSERT_EQ(0, pipe2(fd, O_CLOEXEC));
	ASSERT_RET(0, vmig_poll_thread_start(&thread, fd[0], POLLIN | POLLPRI), "start");
	ASSERT_EQ(1, write(fd[1], "x", 1));
	EXPECT_RET(0, vmig_poll_thread_join(&thread, &seen), "join");
	EXPECT_EQ(POLLIN, seen);
	EXPECT_RET(-EALREADY, vmig_poll_thread_start(&thread, fd[0], POLLIN), "data are there");
	EXPECT_RET(-ESRCH, vmig_poll_thread_join(&thread, &seen), "no thread");
	close(fd[0]);
	close(fd[1]);
}

TEST_HARNESS_MAIN
