// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests that VFIO_DEVICE_SET_IRQS must refuse. Each would succeed, or signal, but for
 * what is wrong in it: an eventfd is connected.
 */
#include <fcntl.h>

#include "irq_case.h"

#define NONE		VFIO_IRQ_SET_DATA_NONE
#define BOOL		VFIO_IRQ_SET_DATA_BOOL
#define EVENTFD		VFIO_IRQ_SET_DATA_EVENTFD
#define MINSZ		sizeof(struct vfio_irq_set)

/* A request and its data */
union request {
	struct vfio_irq_set set;
	struct {
		uint8_t head[MINSZ];
		int32_t data[2];
	};
};

/* The answer does not depend on the kind of interrupt */
IRQ_FIXTURE(irq_args, ANY_KIND);

/* Here it does */
IRQ_FIXTURE_OF_KINDS(irq_args_of);
INTX_VARIANT(irq_args_of);
MSI_VARIANT(irq_args_of);
MSIX_VARIANT(irq_args_of);

#define NEED_ANY_INDEX() do { \
	if (!self->info.count) \
		SKIP(return, "not applicable: the device has no interrupts"); \
} while (0)
#define CONNECT_A() do { \
	NEED_ANY_INDEX(); \
	CONNECT_FD(self->info.index, self->a); \
} while (0)

static int set_irqs(struct vmig_device *dev, void *arg)
{
	return vmig_call_ioctl(dev->fd, VFIO_DEVICE_SET_IRQS, arg) ? -errno : 0;
}

#define REQUEST(_flags, _start, _count) ((union request) { \
	.set = { \
		.argsz = sizeof(union request), .flags = (_flags), \
		.index = self->info.index, .start = (_start), .count = (_count), \
	}, \
})

/* All rows but @count of one interrupt; eventfd @b, which is also true as a bool */
#define EXPECT_FLAGS_REFUSED(_key, _flags) do { \
	unsigned int row; \
	for (row = 0; row < ARRAY_SIZE(_flags); row++) { \
		union request req = REQUEST((_flags)[row], 0, 1); \
		req.data[0] = self->b; \
		EXPECT_REFUSED(_key, set_irqs(self->dev, &req)); \
	} \
	EXPECT_SILENT(self->a, "a refused request has signalled"); \
	EXPECT_NONE(self->b, "a refused request has signalled"); \
} while (0)

CLAUSE_TEST_F(irq_args, small_argsz, "irq.set-argsz")
{
	static const struct {
		uint32_t argsz;
		uint32_t flags;
	} row[] = {
		{ 0, NONE | TRIGGER },
		{ MINSZ - 1, NONE | TRIGGER },
		{ MINSZ, BOOL | TRIGGER },
		{ MINSZ, EVENTFD | TRIGGER },
		{ MINSZ + 3, EVENTFD | TRIGGER },
	};
	unsigned int i;

	CONNECT_A();
	for (i = 0; i < ARRAY_SIZE(row); i++) {
		union request req = REQUEST(row[i].flags, 0, 1);

		req.set.argsz = row[i].argsz;
		req.data[0] = self->b;
		EXPECT_REFUSED("error of SET_IRQS, argsz too small", set_irqs(self->dev, &req));
	}
	EXPECT_SILENT(self->a, "a refused request has signalled");
}

CLAUSE_TEST_F(irq_args, large_argsz, "irq.set-argsz-large")
{
	union request req;

	CONNECT_A();
	req = REQUEST(NONE | TRIGGER, 0, 1);
	req.set.argsz = UINT32_MAX;
	EXPECT_RET(0, set_irqs(self->dev, &req), "without data");
	EXPECT_SIGNAL_NOW(self->a, "TRIGGER");
	req.set.flags = EVENTFD | TRIGGER;
	req.data[0] = self->b;
	EXPECT_RET(0, set_irqs(self->dev, &req), "with data");
	EXPECT_RET(0, vmig_irq_action(self->dev, self->info.index, TRIGGER), "TRIGGER");
	EXPECT_SIGNAL_NOW(self->b, "connected with the largest argsz");
}

CLAUSE_TEST_F(irq_args, data_flags, "irq.set-data-flags")
{
	static const uint32_t flags[] = {
		TRIGGER,
		NONE | BOOL | TRIGGER,
		NONE | EVENTFD | TRIGGER,
		BOOL | EVENTFD | TRIGGER,
		NONE | BOOL | EVENTFD | TRIGGER,
	};

	CONNECT_A();
	EXPECT_FLAGS_REFUSED("error of SET_IRQS, not one DATA flag", flags);
}

CLAUSE_TEST_F(irq_args, action_flags, "irq.set-action-flags")
{
	static const uint32_t flags[] = {
		NONE,
		EVENTFD,
		NONE | MASK | UNMASK,
		NONE | MASK | TRIGGER,
		BOOL | UNMASK | TRIGGER,
		NONE | MASK | UNMASK | TRIGGER,
	};

	CONNECT_A();
	EXPECT_FLAGS_REFUSED("error of SET_IRQS, not one ACTION flag", flags);
}

CLAUSE_TEST_F(irq_args, unknown_flags, "irq.set-unknown-flag")
{
	static const uint32_t flags[] = {
		NONE | TRIGGER | 1u << 6,
		NONE | TRIGGER | 1u << 16,
		NONE | TRIGGER | 1u << 31,
	};

	CONNECT_A();
	EXPECT_FLAGS_REFUSED("error of SET_IRQS, unknown flag", flags);
}

CLAUSE_TEST_F(irq_args, index_beyond_the_last, "irq.set-index")
{
	const uint32_t index[] = { self->dev->nr_irqs, self->dev->nr_irqs + 1, UINT32_MAX };
	unsigned int i;

	CONNECT_A();
	for (i = 0; i < ARRAY_SIZE(index); i++) {
		union request req = REQUEST(EVENTFD | TRIGGER, 0, 1);

		req.set.index = index[i];
		req.data[0] = self->b;
		EXPECT_REFUSED("error of SET_IRQS, no such index", set_irqs(self->dev, &req));
	}
}

/* The last rows overflow 32 bits */
CLAUSE_TEST_F(irq_args, range_beyond_the_last, "irq.set-range")
{
	const uint32_t nr = self->info.count;
	const struct {
		uint32_t start;
		uint32_t count;
	} row[] = {
		{ nr, 1 },
		{ 0, nr + 1 },
		{ 0, UINT32_MAX },
		{ UINT32_MAX, 1 },
		{ UINT32_MAX, 2 },
		{ 1, UINT32_MAX },
		{ 2, UINT32_MAX - 1 },
	};
	unsigned int i;

	CONNECT_A();
	for (i = 0; i < ARRAY_SIZE(row); i++) {
		union request req = REQUEST(NONE | TRIGGER, row[i].start, row[i].count);

		EXPECT_REFUSED("error of SET_IRQS, no such interrupt",
			       set_irqs(self->dev, &req));
	}
	EXPECT_SILENT(self->a, "a refused request has signalled");
}

CLAUSE_TEST_F(irq_args_of, absent_kind, "irq.set-range")
{
	union request req = REQUEST(EVENTFD | TRIGGER, 0, 1);

	NEED(PCI);
	if (self->info.count)
		SKIP(return, "not applicable: the index has interrupts");
	req.data[0] = self->a;
	EXPECT_REFUSED("error of SET_IRQS, index of count zero", set_irqs(self->dev, &req));
}

CLAUSE_TEST_F(irq_args, bad_address, "irq.set-fault")
{
	static const size_t present[] = { 0, 4, MINSZ - 1, MINSZ, MINSZ + 3 };
	const char *key = "error of SET_IRQS, bad address";
	union request req = REQUEST(EVENTFD | TRIGGER, 0, 1);
	uint8_t *end = guarded_page_map();
	unsigned int i;

	ASSERT_NE(NULL, end);
	NEED_ANY_INDEX();
	req.data[0] = self->a;
	EXPECT_REFUSED(key, set_irqs(self->dev, NULL));
	for (i = 0; i < ARRAY_SIZE(present); i++) {
		memcpy(end - present[i], &req, present[i]);
		EXPECT_REFUSED(key, set_irqs(self->dev, end - present[i]));
	}
	guarded_page_unmap(end);
}

CLAUSE_TEST_F(irq_args, not_an_eventfd, "irq.no-eventfd")
{
	int closed = dup(self->b), null = open("/dev/null", O_RDWR);
	const struct {
		int fd;
		const char *key;
	} row[] = {
		{ closed, "error of SET_IRQS, number of no file" },
		{ INT32_MAX, "error of SET_IRQS, number of no file" },
		{ null, "error of SET_IRQS, file that is no eventfd" },
		{ self->dev->fd, "error of SET_IRQS, file that is no eventfd" },
	};
	unsigned int i;

	ASSERT_LE(0, null);
	ASSERT_EQ(0, close(closed));
	CONNECT_A();
	for (i = 0; i < ARRAY_SIZE(row); i++)
		EXPECT_REFUSED(row[i].key, vmig_irq_set_fd(self->dev, self->info.index, TRIGGER,
							   row[i].fd));
	close(null);
}

CLAUSE_TEST_F(irq_args_of, negative_number, "irq.negative-fd")
{
	static const int fd[] = { -2, INT32_MIN };
	unsigned int i;
	int ret;

	NEED_INDEX();
	for (i = 0; i < ARRAY_SIZE(fd); i++) {
		CONNECT_FD(self->info.index, self->a);
		ret = vmig_irq_set_fd(self->dev, self->info.index, TRIGGER, fd[i]);
		RECORD("SET_IRQS, number below -1", "%s", ret ? vmig_errno_name(ret) : "as -1");
		if (ret)
			continue;
		vmig_irq_action(self->dev, self->info.index, TRIGGER);
		EXPECT_SILENT(self->a, "fd %d was taken as -1", fd[i]);
	}
}

CLAUSE_TEST_F(irq_args_of, after_a_refusal, "irq.set-refused")
{
	int64_t nr;

	NEED_INDEX();
	CONNECT_A();
	EXPECT_REFUSED("error of SET_IRQS, file that is no eventfd",
		       vmig_irq_set_fd(self->dev, self->info.index, TRIGGER, self->dev->fd));
	vmig_irq_action(self->dev, self->info.index, TRIGGER);
	nr = count_signals(self->a, QUIET_MS);
	EXPECT_GE(1, nr);
	RECORD("eventfd after a refused request", "%s", nr ? "connected" : "disconnected");
	vmig_irq_disable(self->dev, self->info.index);
	CONNECT_FD(self->info.index, self->b);
}

CLAUSE_TEST_F(irq_args_of, mask_of_a_kind_without, "irq.not-maskable")
{
	static const uint32_t flags[] = {
		NONE | MASK, NONE | UNMASK, BOOL | MASK, BOOL | UNMASK, EVENTFD | MASK,
		EVENTFD | UNMASK,
	};

	NEED_INDEX();
	if (self->info.flags & VFIO_IRQ_INFO_MASKABLE)
		SKIP(return, "not applicable: the index is maskable");
	CONNECT_A();
	EXPECT_FLAGS_REFUSED("error of SET_IRQS, index that is not maskable", flags);
}

SUBJECT_TEST_MAIN
