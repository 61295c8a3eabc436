// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_GET_IRQ_INFO, and every request that VFIO_DEVICE_SET_IRQS refuses: the
 * errno, which vfio.h does not name, and that nothing has changed.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "mtty/irq_fixture.h"

#define ERR		VFIO_PCI_ERR_IRQ_INDEX

#define NONE		VFIO_IRQ_SET_DATA_NONE
#define BOOL		VFIO_IRQ_SET_DATA_BOOL
#define EVENTFD		VFIO_IRQ_SET_DATA_EVENTFD

#define MINSZ		sizeof(struct vfio_irq_set)
#define ALL		UINT32_MAX

/* A request and its data */
union request {
	struct vfio_irq_set set;
	struct {
		uint8_t head[MINSZ];
		int32_t data;
	};
};

struct row {
	const char *what;
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t start;
	uint32_t count;
	int err;
};

/* @a: connected to the enabled interrupt; @b: not connected */
FIXTURE(irq_args) {
	IRQ_MEMBERS;
};

FIXTURE_VARIANT(irq_args) {
	/* VFIO_PCI_NUM_IRQS for none */
	unsigned int enabled;
};

FIXTURE_VARIANT_ADD(irq_args, none_enabled) { .enabled = VFIO_PCI_NUM_IRQS };
FIXTURE_VARIANT_ADD(irq_args, intx_enabled) { .enabled = INTX };
FIXTURE_VARIANT_ADD(irq_args, msi_enabled) { .enabled = MSI };

FIXTURE_SETUP(irq_args)
{
	OPEN_IRQ_DEVICE("mtty-1");
	if (variant->enabled < VFIO_PCI_NUM_IRQS)
		CONNECT(variant->enabled, self->a);
}

FIXTURE_TEARDOWN(irq_args)
{
	CLOSE_IRQ_DEVICE();
}

static int set_irqs(struct vmig_device *dev, const void *arg)
{
	return ioctl(dev->fd, VFIO_DEVICE_SET_IRQS, arg) ? -errno : 0;
}

/* As before the request: the enabled interrupt is not masked, and is signalled once */
static void expect_unchanged(struct __test_metadata *_metadata,
			     FIXTURE_DATA(irq_args) *self,
			     const FIXTURE_VARIANT(irq_args) *variant,
			     const char *what)
{
	bool is_enabled = variant->enabled < VFIO_PCI_NUM_IRQS;
	unsigned int index;

	EXPECT_SIGNALS(0, self->a, "%s: signalled", what);
	EXPECT_RET(0, vmig_port_irq_raise(self->dev, 0), "%s", what);
	EXPECT_SIGNALS(is_enabled, self->a, "%s: interrupt", what);
	EXPECT_SIGNALS(0, self->b, "%s: connected", what);
	EXPECT_RET(0, vmig_port_irq_lower(self->dev, 0), "%s", what);
	if (variant->enabled == INTX)
		EXPECT_RET(0, vmig_irq_action(self->dev, INTX, UNMASK), "%s",
			   what);
	for (index = INTX; index <= MSI; index++)
		EXPECT_RET(index == variant->enabled ? 0 : -EINVAL,
			   vmig_irq_action(self->dev, index, TRIGGER),
			   "%s: index %u", what, index);
	EXPECT_EQ(is_enabled, vmig_eventfd_take(self->a));
}

static void expect_refused(struct __test_metadata *_metadata,
			   FIXTURE_DATA(irq_args) *self,
			   const FIXTURE_VARIANT(irq_args) *variant,
			   const struct row *row, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		union request req = {
			.set = {
				.argsz = row[i].argsz,
				.flags = row[i].flags,
				.index = row[i].index,
				.start = row[i].start,
				.count = row[i].count,
			},
		};

		/* Valid as an eventfd, and true as a bool if it is not 0 */
		req.data = self->b;
		EXPECT_RET(row[i].err, set_irqs(self->dev, &req), "%s",
			   row[i].what);
		expect_unchanged(_metadata, self, variant, row[i].what);
	}
}

/* Driver: vfio_irq_info: INTx, MSI, ERR: one interrupt; MSI-X, REQ: none */
TEST_F(irq_args, info_of_each_index)
{
	static const struct {
		uint32_t flags;
		uint32_t count;
	} want[VFIO_PCI_NUM_IRQS] = {
		[INTX] = { VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE |
			   VFIO_IRQ_INFO_AUTOMASKED, 1 },
		[MSI] = { VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE, 1 },
		[ERR] = { VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE, 1 },
	};
	struct vfio_irq_info info;
	unsigned int i;

	for (i = 0; i < VFIO_PCI_NUM_IRQS; i++) {
		ASSERT_RET(0, vmig_irq_info(self->dev, i, &info), "index %u", i);
		EXPECT_EQ(want[i].flags, info.flags);
		EXPECT_EQ(want[i].count, info.count);
		EXPECT_EQ(i, info.index);
	}
}

/*
 * Driver: VFIO_PCI_ERR_IRQ_INDEX: an eventfd can be connected beside INTx or MSI, as in
 * vfio-pci; the device never signals an error
 */
TEST_F(irq_args, error_index_takes_an_eventfd)
{
	EXPECT_RET(-EINVAL, vmig_irq_action(self->dev, ERR, TRIGGER), "no eventfd");
	EXPECT_RET(0, vmig_irq_disable(self->dev, ERR), "never enabled");
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, ERR, TRIGGER, self->b),
		   "connect");
	EXPECT_RET(-ENOTTY, vmig_irq_action(self->dev, ERR, MASK), "mask");
	EXPECT_RET(-ENOTTY, vmig_irq_action(self->dev, ERR, UNMASK), "unmask");
	EXPECT_EQ(0, vmig_eventfd_take(self->b));
	EXPECT_RET(0, vmig_irq_action(self->dev, ERR, TRIGGER), "loopback");
	EXPECT_EQ(1, vmig_eventfd_take(self->b));
	expect_unchanged(_metadata, self, variant, "ERR");
	EXPECT_EQ(0, vmig_eventfd_take(self->b));

	ASSERT_RET(0, vmig_irq_disable(self->dev, ERR), "disable");
	EXPECT_RET(-EINVAL, vmig_irq_action(self->dev, ERR, TRIGGER), "disabled");
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, ERR, TRIGGER, self->b),
		   "connect again");
	ASSERT_RET(0, vmig_irq_set_fd(self->dev, ERR, TRIGGER, -1), "-1");
	EXPECT_RET(-EINVAL, vmig_irq_action(self->dev, ERR, TRIGGER), "disabled");
}

/* Driver: vfio_irq_info.index: beyond the last one EINVAL */
TEST_F(irq_args, info_of_no_index)
{
	static const uint32_t index[] = {
		VFIO_PCI_NUM_IRQS, VFIO_PCI_NUM_IRQS + 1, 0x7fffffff, ALL,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(index); i++) {
		struct vfio_irq_info info;

		EXPECT_RET(-EINVAL, vmig_irq_info(self->dev, index[i], &info),
			   "index %u", index[i]);
		EXPECT_EQ(0, info.count);
	}
}

/* Driver: vfio_irq_set.flags: one DATA and one ACTION flag, else EINVAL */
TEST_F(irq_args, flags_are_one_of_each)
{
	static const struct row row[] = {
		{ "NONE and BOOL", MINSZ + 4, NONE | BOOL | TRIGGER, .count = 1 },
		{ "NONE and EVENTFD", MINSZ + 4, NONE | EVENTFD | TRIGGER, .count = 1 },
		{ "BOOL and EVENTFD", MINSZ + 4, BOOL | EVENTFD | TRIGGER, .count = 1 },
		{ "all data", MINSZ + 4, NONE | BOOL | EVENTFD | MASK, .count = 1 },
		{ "no data", MINSZ + 4, TRIGGER, .count = 1 },
		{ "MASK and UNMASK", MINSZ, NONE | MASK | UNMASK, .count = 1 },
		{ "MASK and TRIGGER", MINSZ, NONE | MASK | TRIGGER, .count = 1 },
		{ "UNMASK and TRIGGER", MINSZ + 4, BOOL | UNMASK | TRIGGER, .count = 1 },
		{ "all actions", MINSZ + 4, EVENTFD | MASK | UNMASK | TRIGGER, .count = 1 },
		{ "no action", MINSZ + 4, EVENTFD, .count = 1 },
		{ "no action, count 0", MINSZ, NONE, .count = 0 },
		{ "no flags", MINSZ, 0, .count = 0 },
		{ "unknown flag", MINSZ, NONE | TRIGGER | 1 << 6, .count = 1 },
		{ "highest flag", MINSZ, NONE | TRIGGER | 1U << 31, .count = 1 },
		{ "all flags", MINSZ + 4, ALL, .count = 1 },
	};
	unsigned int i, index;

	for (index = INTX; index <= MSI; index++) {
		for (i = 0; i < ARRAY_SIZE(row); i++) {
			struct row one = row[i];

			one.index = index;
			one.err = -EINVAL;
			expect_refused(_metadata, self, variant, &one, 1);
		}
	}
}

/* Driver: vfio_irq_set.index, .start, .count: out of range EINVAL */
TEST_F(irq_args, range_is_checked)
{
	static const struct row row[] = {
		{ "index NUM_IRQS", MINSZ + 4, EVENTFD | TRIGGER,
		  VFIO_PCI_NUM_IRQS, 0, 1, -EINVAL },
		{ "last index", MINSZ + 4, EVENTFD | TRIGGER, ALL, 0, 1, -EINVAL },
		{ "index NUM_IRQS, count 0", MINSZ, NONE | TRIGGER,
		  VFIO_PCI_NUM_IRQS, 0, 0, -EINVAL },
		{ "MSI-X", MINSZ + 4, EVENTFD | TRIGGER,
		  VFIO_PCI_MSIX_IRQ_INDEX, 0, 1, -EINVAL },
		{ "second ERR", MINSZ + 4, EVENTFD | TRIGGER, ERR, 1, 1, -EINVAL },
		{ "REQ", MINSZ + 4, EVENTFD | TRIGGER,
		  VFIO_PCI_REQ_IRQ_INDEX, 0, 1, -EINVAL },
		{ "second INTx", MINSZ + 4, EVENTFD | TRIGGER, INTX, 1, 1, -EINVAL },
		{ "second MSI", MINSZ, NONE | TRIGGER, MSI, 1, 1, -EINVAL },
		{ "second MSI, count 0", MINSZ, NONE | TRIGGER, MSI, 1, 0, -EINVAL },
		{ "two INTx", MINSZ, NONE | MASK, INTX, 0, 2, -EINVAL },
		{ "two MSI", MINSZ + 8, EVENTFD | TRIGGER, MSI, 0, 2, -EINVAL },
		{ "last start", MINSZ + 4, EVENTFD | TRIGGER, INTX, ALL, 1, -EINVAL },
		{ "start wraps", MINSZ + 4, EVENTFD | TRIGGER, INTX, ALL, 2, -EINVAL },
		{ "largest count", MINSZ + 4, EVENTFD | TRIGGER, INTX, 0, ALL, -EINVAL },
		{ "count wraps", MINSZ + 4, EVENTFD | TRIGGER, INTX, 2, ALL, -EINVAL },
		{ "bytes wrap", MINSZ + 4, EVENTFD | TRIGGER, MSI, 0, 1 << 30, -EINVAL },
	};

	expect_refused(_metadata, self, variant, row, ARRAY_SIZE(row));
}

/* Driver: vfio_irq_set.argsz: too small for the data of count: EINVAL */
TEST_F(irq_args, argsz_is_checked)
{
	static const struct row row[] = {
		{ "0", 0, NONE | TRIGGER, INTX, 0, 1, -EINVAL },
		{ "one less", MINSZ - 1, NONE | TRIGGER, INTX, 0, 1, -EINVAL },
		{ "one less, count 0", MINSZ - 1, NONE | TRIGGER, MSI, 0, 0, -EINVAL },
		{ "no bool", MINSZ, BOOL | MASK, INTX, 0, 1, -EINVAL },
		{ "no eventfd", MINSZ, EVENTFD | TRIGGER, MSI, 0, 1, -EINVAL },
		{ "part of an eventfd", MINSZ + 3, EVENTFD | TRIGGER, INTX, 0, 1, -EINVAL },
	};

	expect_refused(_metadata, self, variant, row, ARRAY_SIZE(row));
}

/* Driver: vfio_irq_set.count 0: only with TRIGGER and DATA_NONE; else EINVAL, ENOTTY */
TEST_F(irq_args, count_zero_is_for_disabling)
{
	static const struct row row[] = {
		{ "bool INTx", MINSZ + 4, BOOL | TRIGGER, INTX, 0, 0, -EINVAL },
		{ "bool MSI", MINSZ + 4, BOOL | TRIGGER, MSI, 0, 0, -EINVAL },
		{ "eventfd INTx", MINSZ + 4, EVENTFD | TRIGGER, INTX, 0, 0, -EINVAL },
		{ "eventfd MSI", MINSZ + 4, EVENTFD | TRIGGER, MSI, 0, 0, -EINVAL },
		{ "mask", MINSZ, NONE | MASK, INTX, 0, 0, -EINVAL },
		{ "unmask", MINSZ, NONE | UNMASK, INTX, 0, 0, -EINVAL },
		{ "mask MSI", MINSZ, NONE | MASK, MSI, 0, 0, -ENOTTY },
		{ "MSI-X", MINSZ, NONE | TRIGGER, VFIO_PCI_MSIX_IRQ_INDEX, 0, 0, -EINVAL },
		{ "bool ERR", MINSZ + 4, BOOL | TRIGGER, ERR, 0, 0, -EINVAL },
		{ "REQ", MINSZ, NONE | TRIGGER, VFIO_PCI_REQ_IRQ_INDEX, 0, 0, -EINVAL },
	};

	expect_refused(_metadata, self, variant, row, ARRAY_SIZE(row));
}

/* Driver: VFIO_IRQ_INFO_MASKABLE not set: MASK and UNMASK are ENOTTY */
TEST_F(irq_args, msi_cannot_be_masked)
{
	static const struct row row[] = {
		{ "mask", MINSZ, NONE | MASK, MSI, 0, 1, -ENOTTY },
		{ "unmask", MINSZ, NONE | UNMASK, MSI, 0, 1, -ENOTTY },
		{ "mask, bool", MINSZ + 1, BOOL | MASK, MSI, 0, 1, -ENOTTY },
		{ "unmask, bool", MINSZ + 1, BOOL | UNMASK, MSI, 0, 1, -ENOTTY },
		{ "mask, eventfd", MINSZ + 4, EVENTFD | MASK, MSI, 0, 1, -ENOTTY },
		{ "unmask, eventfd", MINSZ + 4, EVENTFD | UNMASK, MSI, 0, 1, -ENOTTY },
	};

	expect_refused(_metadata, self, variant, row, ARRAY_SIZE(row));
}

/* Driver: VFIO_IRQ_SET_ACTION_MASK, _UNMASK, INTx not enabled: EINVAL */
TEST_F(irq_args, masking_needs_an_enabled_index)
{
	static const struct row row[] = {
		{ "mask", MINSZ, NONE | MASK, INTX, 0, 1, -EINVAL },
		{ "unmask", MINSZ, NONE | UNMASK, INTX, 0, 1, -EINVAL },
		{ "mask, bool", MINSZ + 1, BOOL | MASK, INTX, 0, 1, -EINVAL },
		{ "unmask, bool", MINSZ + 1, BOOL | UNMASK, INTX, 0, 1, -EINVAL },
		{ "mask, eventfd", MINSZ + 4, EVENTFD | MASK, INTX, 0, 1, -EINVAL },
		{ "unmask, eventfd", MINSZ + 4, EVENTFD | UNMASK, INTX, 0, 1, -EINVAL },
	};

	if (variant->enabled == INTX) {
		EXPECT_RET(0, vmig_irq_action(self->dev, INTX, MASK), "mask");
		EXPECT_RET(0, vmig_irq_action(self->dev, INTX, UNMASK),
			   "unmask");
		return;
	}
	expect_refused(_metadata, self, variant, row, ARRAY_SIZE(row));
}

/* Driver: VFIO_IRQ_SET_DATA_EVENTFD, not an eventfd: no file EBADF, another one EINVAL */
TEST_F(irq_args, data_must_be_an_eventfd)
{
	unsigned int index = variant->enabled == INTX ? INTX : MSI;
	static const uint32_t action[] = { TRIGGER, MASK, UNMASK };
	int closed = dup(self->b), other = open("/dev/null", O_RDWR);
	const struct {
		const char *what;
		int fd;
		int err;
	} row[] = {
		{ "closed", closed, -EBADF },
		{ "-2", -2, -EBADF },
		{ "smallest", INT32_MIN, -EBADF },
		{ "largest", INT32_MAX, -EBADF },
		{ "/dev/null", other, -EINVAL },
		{ "the device", self->dev->fd, -EINVAL },
	};
	/* Only INTx can be masked */
	unsigned int nr = index == INTX ? ARRAY_SIZE(action) : 1, i, a;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, close(closed));
	for (i = 0; i < ARRAY_SIZE(row); i++) {
		for (a = 0; a < nr; a++) {
			EXPECT_RET(row[i].err,
				   vmig_irq_set_fd(self->dev, index, action[a],
						   row[i].fd),
				   "%s, action %#x", row[i].what, action[a]);
			expect_unchanged(_metadata, self, variant, row[i].what);
		}
	}
	close(other);
}

/* Driver: ioctl(2), VFIO_DEVICE_SET_IRQS, request not readable: EFAULT */
TEST_F(irq_args, unreadable_request)
{
	const union request req = {
		.set = {
			.argsz = sizeof(req), .flags = EVENTFD | TRIGGER,
			.index = variant->enabled == INTX ? INTX : MSI,
			.count = 1,
		},
	};
	static const size_t readable[] = { 0, 4, MINSZ - 1, MINSZ, MINSZ + 3 };
	uint8_t *end = guarded_page_map();
	unsigned int i;

	ASSERT_NE(NULL, end);
	EXPECT_RET(-EFAULT, set_irqs(self->dev, NULL), "NULL");
	for (i = 0; i < ARRAY_SIZE(readable); i++) {
		memcpy(end - readable[i], &req, readable[i]);
		EXPECT_RET(-EFAULT, set_irqs(self->dev, end - readable[i]),
			   "%zu readable bytes", readable[i]);
		expect_unchanged(_metadata, self, variant, "unreadable");
	}
	guarded_page_unmap(end);
}

TEST_HARNESS_MAIN
