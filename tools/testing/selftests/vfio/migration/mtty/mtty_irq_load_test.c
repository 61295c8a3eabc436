// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts of the stream and of the destination: what the destination had before the load,
 * when its eventfd is connected, and what it disables first. A pending interrupt is signalled
 * once, a message that was sent is not sent again, and masks are the destination's own.
 */
#include "mtty/irq_fixture.h"

/* The interrupt of the source */
enum source {
	LOW,
	/* High; no eventfd was connected */
	PENDING,
	/* High, and signalled as INTx, which is masked then */
	INTX_SENT,
	/* High, and signalled as a message */
	MSI_SENT,
	NR_SOURCES
};

static const char * const names[] = { "low", "pending", "INTx sent", "MSI sent" };

FIXTURE(irq_load) {
	IRQ_MEMBERS;
	struct vmig_bytes streams[NR_SOURCES];
};

/* @port: of the source; the destination had an interrupt of the other one */
FIXTURE_VARIANT(irq_load) {
	unsigned int port;
	unsigned int index;
	unsigned int other;
};

FIXTURE_VARIANT_ADD(irq_load, port_0_intx) { .port = 0, .index = INTX, .other = MSI };
FIXTURE_VARIANT_ADD(irq_load, port_0_msi) { .port = 0, .index = MSI, .other = INTX };
FIXTURE_VARIANT_ADD(irq_load, port_1_intx) { .port = 1, .index = INTX, .other = MSI };
FIXTURE_VARIANT_ADD(irq_load, port_1_msi) { .port = 1, .index = MSI, .other = INTX };

/* A reset does not disable an index, nor does it keep bus mastering */
static int start_again(struct vmig_device *dev)
{
	int ret;

	ret = vmig_irq_disable(dev, INTX);
	if (!ret)
		ret = vmig_irq_disable(dev, MSI);
	if (!ret)
		ret = vmig_device_reset(dev);
	return ret ? ret : vmig_bus_master_enable(dev);
}

static int make_stream(struct vmig_device *dev, unsigned int port, enum source source,
		       int fd, struct vmig_bytes *stream)
{
	int ret = start_again(dev);

	if (!ret && source == INTX_SENT)
		ret = vmig_irq_set_fd(dev, INTX, TRIGGER, fd);
	if (!ret && source == MSI_SENT)
		ret = vmig_irq_set_fd(dev, MSI, TRIGGER, fd);
	if (!ret && source != LOW)
		ret = vmig_port_irq_raise(dev, port);
	if (!ret)
		ret = vmig_transfer_save(dev, stream);
	vmig_eventfd_take(fd);
	return ret;
}

FIXTURE_SETUP(irq_load)
{
	unsigned int i;

	OPEN_IRQ_DEVICE("mtty-2");
	for (i = 0; i < NR_SOURCES; i++)
		ASSERT_RET(0, make_stream(self->dev, variant->port, i, self->a,
					  &self->streams[i]), "%s", names[i]);
	ASSERT_RET(0, start_again(self->dev), "reset");
}

FIXTURE_TEARDOWN(irq_load)
{
	unsigned int i;

	for (i = 0; i < NR_SOURCES; i++)
		vmig_bytes_free(&self->streams[i]);
	CLOSE_IRQ_DEVICE();
}

/* How often the interrupt of a stream is signalled to an unmasked eventfd */
static int wanted(unsigned int index, enum source source)
{
	if (index == INTX)
		return source != LOW;
	return source == PENDING || source == INTX_SENT;
}

#define WANTED(_source)	wanted(variant->index, _source)
#define START_AGAIN()	ASSERT_RET(0, start_again(self->dev), "start again")
#define LOAD(_source) \
	ASSERT_RET(0, vmig_transfer_load(self->dev, &self->streams[_source]), "load: %s", \
		   names[_source])
#define EXPECT_A(_want, ...)	EXPECT_SIGNALS(_want, self->a, __VA_ARGS__)

/* How INTx of the destination was masked before the load */
enum mask { NOT_MASKED, BY_IOCTL, BY_EVENTFD, NR_MASKS };

static int do_mask(struct vmig_device *dev, enum mask mask, int fd)
{
	int ret;

	if (mask == NOT_MASKED)
		return 0;
	if (mask == BY_IOCTL)
		return vmig_irq_action(dev, INTX, MASK);
	ret = vmig_irq_set_fd(dev, INTX, MASK, fd);
	if (!ret)
		ret = vmig_eventfd_signal(fd);
	/* Waits for the worker */
	return ret ? ret : vmig_irq_set_fd(dev, INTX, MASK, -1);
}

static void check_masks(struct __test_metadata *_metadata, FIXTURE_DATA(irq_load) *self,
			const FIXTURE_VARIANT(irq_load) *variant, enum source source,
			enum mask mask, bool high)
{
	bool is_masked = variant->index == INTX && (mask || high);
	int want = is_masked ? 0 : WANTED(source);

	START_AGAIN();
	CONNECT(variant->index, self->a);
	if (variant->index == INTX)
		ASSERT_RET(0, do_mask(self->dev, mask, self->b), "mask");
	if (high)
		ASSERT_RET(0, vmig_port_irq_raise(self->dev, !variant->port), "raise");
	EXPECT_A(high && !(variant->index == INTX && mask), "before");
	LOAD(source);
	EXPECT_A(0, "%s, in STOP", names[source]);
	GO(VFIO_DEVICE_STATE_RUNNING);
	EXPECT_A(want, "%s, mask %u, level was %u", names[source], mask, high);
	if (variant->index == MSI)
		return;
	ASSERT_RET(0, vmig_irq_action(self->dev, INTX, UNMASK), "unmask");
	EXPECT_A(source != LOW, "%s, mask %u, level was %u, unmasked", names[source],
		 mask, high);
}

/* Driver: each mask and each level that the destination had: masks stay, levels do not */
TEST_F(irq_load, over_each_mask_and_level)
{
	unsigned int source, mask;

	for (source = 0; source < NR_SOURCES; source++) {
		for (mask = 0; mask < NR_MASKS; mask++) {
			check_masks(_metadata, self, variant, source, mask, false);
			check_masks(_metadata, self, variant, source, mask, true);
		}
	}
}

/* Driver: VFIO_DEVICE_SET_IRQS: connected at any time, signalled once */
TEST_F(irq_load, connected_at_any_time)
{
	unsigned int source, when;

	for (source = 0; source < NR_SOURCES; source++) {
		for (when = 0; when < 3; when++) {
			START_AGAIN();
			if (when == 0)
				CONNECT(variant->index, self->a);
			LOAD(source);
			if (when == 1)
				CONNECT(variant->index, self->a);
			EXPECT_A(0, "%s, in STOP", names[source]);
			GO(VFIO_DEVICE_STATE_RUNNING);
			if (when == 2)
				CONNECT(variant->index, self->a);
			EXPECT_A(WANTED(source), "%s, connected at %u", names[source], when);
			CONNECT(variant->index, self->b);
			EXPECT_SIGNALS(0, self->b, "%s, again", names[source]);
		}
	}
}

/* Driver: VFIO_DEVICE_SET_IRQS: disabling a disabled index first changes nothing */
TEST_F(irq_load, disabled_first)
{
	unsigned int source, way;

	for (source = 0; source < NR_SOURCES; source++) {
		for (way = 0; way < 2; way++) {
			START_AGAIN();
			LOAD(source);
			if (way) {
				CONNECT(INTX, -1);
				CONNECT(MSI, -1);
			} else {
				ASSERT_RET(0, vmig_irq_disable(self->dev, INTX), "INTx");
				ASSERT_RET(0, vmig_irq_disable(self->dev, MSI), "MSI");
			}
			CONNECT(variant->index, self->a);
			GO(VFIO_DEVICE_STATE_RUNNING);
			EXPECT_A(WANTED(source), "%s, way %u", names[source], way);
		}
	}
}

/* Driver: a VMM that has enabled the other index before, as QEMU does with INTx */
TEST_F(irq_load, other_index_before)
{
	unsigned int source;

	for (source = 0; source < NR_SOURCES; source++) {
		START_AGAIN();
		CONNECT(variant->other, self->b);
		LOAD(source);
		ASSERT_RET(0, vmig_irq_disable(self->dev, variant->other), "disable");
		CONNECT(variant->index, self->a);
		EXPECT_A(0, "%s, in STOP", names[source]);
		GO(VFIO_DEVICE_STATE_RUNNING);
		EXPECT_A(WANTED(source), "%s", names[source]);
		EXPECT_SIGNALS(0, self->b, "%s, the other index", names[source]);
	}
}

/* Driver: saved again before it has run, without an eventfd: the interrupt is the same */
TEST_F(irq_load, saved_again)
{
	unsigned int source;

	for (source = 0; source < NR_SOURCES; source++) {
		START_AGAIN();
		LOAD(source);
		self->stream.len = 0;
		ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
		START_AGAIN();
		ASSERT_RET(0, vmig_transfer_load(self->dev, &self->stream), "load");
		CONNECT(variant->index, self->a);
		GO(VFIO_DEVICE_STATE_RUNNING);
		EXPECT_A(WANTED(source), "%s", names[source]);
	}
}

/* Driver: VFIO_IRQ_SET_ACTION_TRIGGER by the user is not the device's own interrupt */
TEST_F(irq_load, loopback_before_running)
{
	unsigned int source;

	for (source = 0; source < NR_SOURCES; source++) {
		START_AGAIN();
		LOAD(source);
		CONNECT(variant->index, self->a);
		ASSERT_RET(0, vmig_irq_action(self->dev, variant->index, TRIGGER),
			   "loopback");
		EXPECT_A(1, "%s, loopback", names[source]);
		GO(VFIO_DEVICE_STATE_RUNNING);
		EXPECT_A(WANTED(source), "%s, in RUNNING", names[source]);
	}
}

/* Driver: after the load, the next interrupt is signalled */
TEST_F(irq_load, next_interrupt)
{
	unsigned int source, port;

	for (source = 0; source < NR_SOURCES; source++) {
		START_AGAIN();
		CONNECT(variant->index, self->a);
		LOAD(source);
		GO(VFIO_DEVICE_STATE_RUNNING);
		vmig_eventfd_take(self->a);
		for (port = 0; port < 2; port++) {
			ASSERT_RET(0, vmig_port_irq_lower(self->dev, 0), "lower");
			ASSERT_RET(0, vmig_port_irq_lower(self->dev, 1), "lower");
			if (variant->index == INTX)
				ASSERT_RET(0, vmig_irq_action(self->dev, INTX, UNMASK),
					   "unmask");
			EXPECT_A(0, "%s, low", names[source]);
			ASSERT_RET(0, vmig_port_irq_raise(self->dev, port), "raise");
			EXPECT_A(1, "%s, port %u", names[source], port);
		}
	}
}

TEST_HARNESS_MAIN
