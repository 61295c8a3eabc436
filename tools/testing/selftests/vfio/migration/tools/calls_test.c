// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list of calls that a failed case prints (lib/vfio/calls.h), and the names of devices
 * under test (lib/subject/subject.h). No device is needed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "lib/subject.h"

FIXTURE(calls) {
	int list;
	int file;
	int failed;
	char text[4096];
};

/* The calls go to a file that is no VFIO device, so all ioctls fail */
FIXTURE_SETUP(calls)
{
	char number[16];

	self->list = memfd_create("list", 0);
	ASSERT_LE(0, self->list);
	self->file = memfd_create("file", 0);
	ASSERT_LE(0, self->file);
	snprintf(number, sizeof(number), "%d", self->list);
	ASSERT_EQ(0, setenv("VFIO_CALLS", number, 1));
	ASSERT_RET(0, vmig_calls_start(&self->failed), "start");
	vmig_calls_name(self->file, "device");
}

FIXTURE_TEARDOWN(calls)
{
	close(self->list);
	close(self->file);
}

/* The list so far, with "TID" for the number of this thread */
static const char *read_list(FIXTURE_DATA(calls) *self)
{
	char tid[16], *at;
	ssize_t len;

	/* Half of it: a number of one digit is shorter than the word */
	len = pread(self->list, self->text, sizeof(self->text) / 2, 0);
	self->text[len < 0 ? 0 : len] = '\0';
	snprintf(tid, sizeof(tid), " %d ", gettid());
	while ((at = strstr(self->text, tid))) {
		memmove(at + 5, at + strlen(tid), strlen(at + strlen(tid)) + 1);
		memcpy(at, " TID ", 5);
	}
	return self->text;
}

/* Library: vmig_call_read(): the call before it is made, the result after it */
TEST_F(calls, call_and_result)
{
	char byte;

	EXPECT_EQ(0, vmig_call_read(self->file, &byte, 1));
	EXPECT_STREQ("> TID read(device, 1)\n< TID 0\n", read_list(self));
}

/* Library: a result of -1 shows errno, and leaves it as it was */
TEST_F(calls, errno_is_shown_and_kept)
{
	EXPECT_EQ(-1, vmig_call_ioctl(self->file, VFIO_DEVICE_RESET, NULL));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_STREQ("> TID ioctl(device, VFIO_DEVICE_RESET)\n< TID -1 ENOTTY\n",
		     read_list(self));
}

/* Library: an ioctl is shown with what its argument says */
TEST_F(calls, arguments_are_shown)
{
	struct vfio_irq_set irqs = {
		.argsz = sizeof(irqs), .index = 1, .start = 2, .count = 3,
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
	};
	struct vfio_device_feature_dma_logging_range ranges[] = { { 1, 2 }, { 3, 4 }, { 5, 6 } };
	struct vfio_device_feature_dma_logging_control control = {
		.page_size = 0x1000, .num_ranges = 3, .ranges = (uintptr_t)ranges,
	};
	struct vmig_device dev = { .fd = self->file };

	vmig_mig_set_state(&dev, VFIO_DEVICE_STATE_STOP_COPY, NULL);
	vmig_call_ioctl(self->file, VFIO_DEVICE_SET_IRQS, &irqs);
	vmig_feature(&dev, VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_DMA_LOGGING_START,
		     &control, sizeof(control));
	read_list(self);
	EXPECT_NE(NULL, strstr(self->text, "SET MIG_DEVICE_STATE (2), argsz 16, STOP_COPY"));
	EXPECT_NE(NULL, strstr(self->text,
			       "flags EVENTFD|TRIGGER (0x24), index 1, start 2, count 3"));
	EXPECT_NE(NULL, strstr(self->text,
			       "num_ranges 3: [0x1, length 0x2] [0x3, length 0x4] ..."));
}

/* Library: vmig_irq_set_fds(), _set_fd(), _action(), _disable(): what they ask the kernel for */
TEST_F(calls, interrupts_that_are_set)
{
	struct vmig_device dev = { .fd = self->file };
	const int32_t fds[] = { -1, -1, -1 };

	EXPECT_RET(-ENOTTY, vmig_irq_set_fds(&dev, MSIX, TRIGGER, 2, 3, fds), "three");
	EXPECT_NE(NULL, strstr(read_list(self),
			       "flags EVENTFD|TRIGGER (0x24), index 2, start 2, count 3"));
	EXPECT_RET(-ENOTTY, vmig_irq_set_fd(&dev, INTX, UNMASK, -1), "one");
	EXPECT_NE(NULL, strstr(read_list(self),
			       "flags EVENTFD|UNMASK (0x14), index 0, start 0, count 1"));
	EXPECT_RET(-ENOTTY, vmig_irq_action(&dev, INTX, MASK), "mask");
	EXPECT_NE(NULL, strstr(read_list(self),
			       "flags NONE|MASK (0x9), index 0, start 0, count 1"));
	EXPECT_RET(-ENOTTY, vmig_irq_disable(&dev, MSI), "disable");
	EXPECT_NE(NULL, strstr(read_list(self),
			       "flags NONE|TRIGGER (0x21), index 1, start 0, count 0"));
}

/* Library: an argument that cannot be read is shown as an address */
TEST_F(calls, bad_address_is_no_crash)
{
	uint8_t *end = guarded_page_map();

	ASSERT_NE(NULL, end);
	EXPECT_EQ(-1, vmig_call_ioctl(self->file, VFIO_DEVICE_GET_INFO, end));
	EXPECT_EQ(-1, vmig_call_ioctl(self->file, VFIO_DEVICE_FEATURE, NULL));
	*(uint32_t *)(end - 4) = 77;
	EXPECT_EQ(-1, vmig_call_ioctl(self->file, VFIO_DEVICE_GET_INFO, end - 4));
	EXPECT_NE(NULL, strstr(read_list(self), "VFIO_DEVICE_GET_INFO, argsz 77)"));
	guarded_page_unmap(end);
}

/* Library: "!" before the first call after a failure, and only there */
TEST_F(calls, failure_is_marked_once)
{
	char byte;

	vmig_call_read(self->file, &byte, 1);
	self->failed = 1;
	vmig_call_read(self->file, &byte, 2);
	vmig_call_read(self->file, &byte, 3);
	EXPECT_STREQ("> TID read(device, 1)\n< TID 0\n!\n"
		     "> TID read(device, 2)\n< TID 0\n"
		     "> TID read(device, 3)\n< TID 0\n", read_list(self));
}

/* Library: vmig_calls_pause(): calls are shown as one, which does not begin a new list */
TEST_F(calls, many_are_shown_as_one)
{
	char byte;

	vmig_call_text("open device 2");
	vmig_calls_pause(true);
	vmig_calls_restart("device 2 was opened");
	vmig_call_read(self->file, &byte, 1);
	vmig_calls_pause(false);
	vmig_call_result(0);
	EXPECT_STREQ("> TID open device 2\n< TID 0\n", read_list(self));
}

/* Library: a child that is killed in a call leaves the call without a result */
TEST_F(calls, call_without_result)
{
	int pipes[2], status;
	char byte;
	pid_t child;

	ASSERT_EQ(0, pipe(pipes));
	vmig_calls_name(pipes[0], "data_fd");
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		vmig_call_read(pipes[0], &byte, 1);
		_exit(0);
	}
	while (!strstr(read_list(self), "read(data_fd, 1)"))
		ASSERT_EQ(0, waitpid(child, &status, WNOHANG));
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(NULL, strchr(read_list(self), '<'));
	close(pipes[0]);
	close(pipes[1]);
}

/* Library: what vmig_calls_print() prints: since the last restart, up to the failure */
TEST_F(calls, printed_list)
{
	char out[1024] = "";
	int saved, file;
	char byte;

	ASSERT_EQ(0, unsetenv("VFIO_CALLS"));
	ASSERT_RET(0, vmig_calls_start(&self->failed), "start");
	vmig_call_read(self->file, &byte, 1);
	vmig_calls_restart("device was opened");
	vmig_call_read(self->file, &byte, 2);
	self->failed = 1;
	vmig_call_read(self->file, &byte, 3);

	file = memfd_create("stdout", 0);
	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	dup2(file, STDOUT_FILENO);
	vmig_calls_print();
	dup2(saved, STDOUT_FILENO);
	EXPECT_LT(0, pread(file, out, sizeof(out) - 1, 0));
	EXPECT_STREQ("# call: = device was opened\n# call: read(device, 2) = 0\n", out);
	close(saved);
	close(file);
}

/* Library: vmig_calls_start() with a VFIO_CALLS that is no open descriptor: EBADF */
TEST_F(calls, bad_descriptors)
{
	static const char *const bad[] = { "", "x", "-1", "999", "3x", " 3" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ASSERT_EQ(0, setenv("VFIO_CALLS", bad[i], 1));
		EXPECT_RET(-EBADF, vmig_calls_start(&self->failed), "VFIO_CALLS=%s", bad[i]);
	}
}

/* Library: vmig_subject_open() with names that are none, or devices that do not exist */
TEST(names_of_devices)
{
	static const struct {
		const char *name;
		int ret;
	} row[] = {
		{ "", -EINVAL },
		{ ",", -EINVAL },
		{ "0000:ff:1f.7", -ENODEV },
		{ "no such device", -ENODEV },
		{ "../../../tmp", -ENODEV },
		{ "/dev/vfio/devices/vfio999", -ENODEV },
		{ "/dev/null", -ENODEV },
		{ "00000000-0000-0000-0000-000000000000", -ENODEV },
		{ "noparent/notype", -ENODEV },
		{ "noparent/notype:attr", -ENODEV },
	};
	struct vmig_subject subject;
	char longest[600];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		ASSERT_EQ(0, setenv("VFIO_DEVICE", row[i].name, 1));
		EXPECT_RET(row[i].ret, vmig_subject_open(&subject), "VFIO_DEVICE=%s",
			   row[i].name);
	}
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	ASSERT_EQ(0, setenv("VFIO_DEVICE", longest, 1));
	EXPECT_RET(-EINVAL, vmig_subject_open(&subject), "599 characters");
}

/* Library: vmig_subject_open_second(): ENODEV if one device was given */
TEST(second_device)
{
	struct vmig_subject subject;

	ASSERT_EQ(0, setenv("VFIO_DEVICE", "0000:ff:1f.7", 1));
	EXPECT_RET(-ENODEV, vmig_subject_open_second(&subject), "one device");
	EXPECT_TRUE(vmig_subject_given());
	ASSERT_EQ(0, setenv("VFIO_DEVICE", "mtty/mtty-1", 1));
	EXPECT_FALSE(vmig_subject_given());
	ASSERT_EQ(0, setenv("VFIO_DEVICE", "0000:ff:1f.7,", 1));
	EXPECT_RET(-EINVAL, vmig_subject_open_second(&subject), "nothing after the comma");
}

TEST_HARNESS_MAIN
