// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "slow_page.h"

static int attach(struct vmig_slow_page *slow)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)slow->page, .len = slow->size },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	if (ioctl(slow->fd, UFFDIO_API, &api) || ioctl(slow->fd, UFFDIO_REGISTER, &reg))
		return -errno;
	return 0;
}

int vmig_slow_page_map(struct vmig_slow_page *slow)
{
	void *page;
	int ret;

	slow->size = sysconf(_SC_PAGESIZE);
	slow->fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (slow->fd < 0)
		return -errno;
	page = mmap(NULL, slow->size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED) {
		ret = -errno;
		close(slow->fd);
		return ret;
	}
	slow->page = page;
	ret = attach(slow);
	if (ret)
		vmig_slow_page_unmap(slow);
	return ret;
}

int vmig_slow_page_wait(struct vmig_slow_page *slow)
{
	struct pollfd pfd = { .fd = slow->fd, .events = POLLIN };
	struct uffd_msg msg;
	int ret;

	ret = poll(&pfd, 1, VMIG_SLOW_PAGE_MS);
	if (ret < 0)
		return -errno;
	if (!ret)
		return -ETIMEDOUT;
	return read(slow->fd, &msg, sizeof(msg)) == sizeof(msg) ? 0 : -EIO;
}

int vmig_slow_page_fill(struct vmig_slow_page *slow, const void *data, size_t len)
{
	struct uffdio_copy copy = { .dst = (uintptr_t)slow->page, .len = slow->size };
	void *from;
	int ret = 0;

	if (len > slow->size)
		return -EINVAL;
	from = calloc(1, slow->size);
	if (!from)
		return -ENOMEM;
	memcpy(from, data, len);
	copy.src = (uintptr_t)from;
	if (ioctl(slow->fd, UFFDIO_COPY, &copy))
		ret = -errno;
	free(from);
	return ret;
}

void vmig_slow_page_unmap(struct vmig_slow_page *slow)
{
	munmap(slow->page, slow->size);
	close(slow->fd);
}
