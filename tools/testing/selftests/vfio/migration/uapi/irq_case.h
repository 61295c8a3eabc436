/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the interrupt tests: a device with three eventfds, variants for the kinds of
 * PCI interrupts, and the wait for a signal.
 */
#ifndef VMIG_UAPI_IRQ_CASE_H
#define VMIG_UAPI_IRQ_CASE_H

#include <errno.h>
#include <stdlib.h>

#include "uapi.h"

/* A signal that must come is there long before. A busy host needs some time. */
#define SIGNAL_MS	3000
/* A signal that must not come is looked for so long: interrupts may be asynchronous */
#define QUIET_MS	20

#define ANY_KIND	(VMIG_HAS_INTX | VMIG_HAS_MSI | VMIG_HAS_MSIX)

/* @info: of the index under test; count is 0 if the device does not have it */
#define IRQ_MEMBERS \
	SUBJECT_MEMBERS; \
	struct vfio_irq_info info; \
	int a; \
	int b; \
	int c

/* The last of these kinds (VMIG_HAS_*) that the device has */
static inline void find_index(struct vmig_device *dev, uint32_t kinds,
			      struct vfio_irq_info *found)
{
	static const uint32_t has[] = {
		[INTX] = VMIG_HAS_INTX, [MSI] = VMIG_HAS_MSI, [MSIX] = VMIG_HAS_MSIX,
	};
	struct vfio_irq_info info;
	unsigned int index;

	for (index = INTX; index <= MSIX; index++) {
		if (!(kinds & has[index]))
			continue;
		if (!found->count)
			found->index = index;
		if (!vmig_irq_info(dev, index, &info) && info.count)
			*found = info;
	}
}

#define OPEN_IRQ_SUBJECT(_kinds) do { \
	OPEN_SUBJECT(); \
	find_index(self->dev, _kinds, &self->info); \
	self->a = vmig_eventfd_create(); \
	self->b = vmig_eventfd_create(); \
	self->c = vmig_eventfd_create(); \
	EXPECT_LE(0, self->a); \
	EXPECT_LE(0, self->b); \
	EXPECT_LE(0, self->c); \
	vmig_calls_restart("device was opened"); \
} while (0)

#define CLOSE_IRQ_SUBJECT() do { \
	close(self->a); \
	close(self->b); \
	close(self->c); \
	CLOSE_SUBJECT(); \
} while (0)

/* A fixture for one index of the device, one of @_kinds */
#define IRQ_FIXTURE(_name, _kinds) \
FIXTURE(_name) { \
	IRQ_MEMBERS; \
}; \
\
FIXTURE_SETUP(_name) \
{ \
	OPEN_IRQ_SUBJECT(_kinds); \
} \
\
FIXTURE_TEARDOWN(_name) \
{ \
	CLOSE_IRQ_SUBJECT(); \
} \
struct _name##_needs_a_semicolon

/* A fixture whose variants are kinds of interrupts: any of INTX, MSI, MSIX, MESSAGE */
#define IRQ_FIXTURE_OF_KINDS(_name) \
FIXTURE_VARIANT(_name) { \
	uint32_t has; \
	const char *name; \
}; \
\
IRQ_FIXTURE(_name, variant->has)

#define INTX_VARIANT(_name) \
	FIXTURE_VARIANT_ADD(_name, intx) { .has = VMIG_HAS_INTX, .name = "INTX" }
#define MSI_VARIANT(_name) \
	FIXTURE_VARIANT_ADD(_name, msi) { .has = VMIG_HAS_MSI, .name = "MSI" }
#define MSIX_VARIANT(_name) \
	FIXTURE_VARIANT_ADD(_name, msix) { .has = VMIG_HAS_MSIX, .name = "MSIX" }
/* MSI-X, or else MSI */
#define MESSAGE_VARIANT(_name) \
	FIXTURE_VARIANT_ADD(_name, message) { \
		.has = VMIG_HAS_MSI | VMIG_HAS_MSIX, .name = "MSI or MSIX" \
	}

#define NEED_INDEX() do { \
	if (!(self->subject.has & variant->has)) \
		SKIP(return, "not applicable: the device does not have %s", variant->name); \
} while (0)

/* Signals of an eventfd since the last look; 0 after this time */
static inline int64_t count_signals(int fd, int ms)
{
	int64_t nr;

	vmig_call_text("signals of eventfd %d, within %d ms", fd, ms);
	nr = vmig_eventfd_wait(fd, ms);
	if (nr == -ETIMEDOUT)
		nr = 0;
	vmig_call_result(nr);
	return nr;
}

#define EXPECT_NR_SIGNALS(_want, _fd, _ms, ...) do { \
	int64_t nr_signals = count_signals(_fd, _ms); \
	EXPECT_EQ(_want, nr_signals) { \
		TH_LOG(__VA_ARGS__); \
		TH_LOG("  signals of eventfd %d: expected %d, seen %lld", _fd, _want, \
		       (long long)nr_signals); \
	} \
} while (0)
/* One signal, which may take some time */
#define EXPECT_SIGNAL(_fd, ...)		EXPECT_NR_SIGNALS(1, _fd, SIGNAL_MS, __VA_ARGS__)
/* One signal at least: one of an earlier interrupt may be added */
#define EXPECT_SOME_SIGNAL(_fd, ...) do { \
	int64_t nr_signals = count_signals(_fd, SIGNAL_MS); \
	EXPECT_LE(1, nr_signals) { \
		TH_LOG(__VA_ARGS__); \
	} \
} while (0)
/* One signal, which is there already */
#define EXPECT_SIGNAL_NOW(_fd, ...)	EXPECT_NR_SIGNALS(1, _fd, 0, __VA_ARGS__)
/* None, although the device had time */
#define EXPECT_SILENT(_fd, ...)		EXPECT_NR_SIGNALS(0, _fd, QUIET_MS, __VA_ARGS__)
/* None until now; for a second eventfd, after a look at the first */
#define EXPECT_NONE(_fd, ...)		EXPECT_NR_SIGNALS(0, _fd, 0, __VA_ARGS__)

/* Add 1 to an eventfd, as a VMM does to mask or unmask */
static inline int signal_eventfd(int fd)
{
	int ret;

	vmig_call_text("add 1 to eventfd %d", fd);
	ret = vmig_eventfd_signal(fd);
	vmig_call_result(ret);
	return ret;
}

/*
 * Let the device raise an interrupt; where there is no operation for it, simulate it with
 * TRIGGER, which vfio.h calls loopback.
 */
static inline int fire(struct vmig_subject *subject, unsigned int index, unsigned int vector)
{
	struct vfio_irq_set set = {
		.argsz = sizeof(set), .index = index, .start = vector, .count = 1,
		.flags = VFIO_IRQ_SET_DATA_NONE | TRIGGER,
	};

	if (subject->ops->irq_raise)
		return subject->ops->irq_raise(&subject->dev, index, vector);
	return vmig_call_ioctl(subject->dev.fd, VFIO_DEVICE_SET_IRQS, &set) ? -errno : 0;
}

/*
 * fire() while nothing is connected. A level of a real function would then disturb other
 * devices on the line, so it is raised on a device of the test only. A simulated interrupt
 * may be refused.
 */
static inline void fire_unconnected(struct vmig_subject *subject, unsigned int index)
{
	if (index != INTX || !vmig_subject_given() || getenv("VFIO_DESTRUCTIVE"))
		fire(subject, index, 0);
}

/*
 * The end of an interrupt: the level falls, and the next one is not masked. A failure is not
 * judged here: the next signal would be missing.
 */
static inline void quiesce(struct vmig_subject *subject, const struct vfio_irq_info *info,
			   unsigned int vector)
{
	if (subject->ops->irq_lower)
		subject->ops->irq_lower(&subject->dev, info->index, vector);
	if (info->flags & VFIO_IRQ_INFO_AUTOMASKED)
		vmig_irq_action(&subject->dev, info->index, UNMASK);
}

#define FIRE(_vector) \
	ASSERT_RET(0, fire(&self->subject, self->info.index, _vector), "raise the interrupt")
#define QUIESCE(_vector)	quiesce(&self->subject, &self->info, _vector)

/* Connect eventfds to the first interrupts of the index */
#define CONNECT_FDS(_nr, ...) do { \
	const int32_t connect_fds[] = { __VA_ARGS__ }; \
	NEED_CONNECTED(self->info.index, _nr, \
		       vmig_irq_set_fds(self->dev, self->info.index, TRIGGER, 0, _nr, \
					connect_fds)); \
} while (0)

/* Several interrupts, so that one is not like another */
#define NEED_INTERRUPTS(_nr) do { \
	NEED_INDEX(); \
	if (self->info.count < (_nr)) \
		SKIP(return, "not applicable: the index has less than %u interrupts", _nr); \
} while (0)

#endif /* VMIG_UAPI_IRQ_CASE_H */
