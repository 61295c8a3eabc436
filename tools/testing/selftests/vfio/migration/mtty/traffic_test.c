// SPDX-License-Identifier: GPL-2.0-only
/*
 * Migration of a device that is in use: a guest sends on both ports and compares the
 * bytes it receives. At the end the capture log must have every byte that was sent, in
 * order.
 */
#include <endian.h>

#include "lib/vmm.h"

#define VECTOR		0x42
#define ROUNDS		3
#define FIFO_SIZE	16

/* Enough for several FIFOs of both ports between two migrations */
#define SOME_TRAFFIC	150

FIXTURE(traffic) {
	struct vmig_pair pair;
	struct vmig_traffic *guest;
	struct vmig_traffic_report report;
};

FIXTURE_VARIANT(traffic) {
	struct vmig_attrs attrs;
	bool precopy;
};

#define VARIANT(_name, _policy, _features) \
	FIXTURE_VARIANT_ADD(traffic, _name) { \
		.attrs = { .config_policy = _policy, .features = _features }, \
		.precopy = !(_features), \
	}

VARIANT(independent, "independent", NULL);
VARIANT(independent_stop_copy_only, "independent", "stop_copy");
VARIANT(before_data, "before-data", NULL);
VARIANT(before_data_stop_copy_only, "before-data", "stop_copy");
VARIANT(reorder, "reorder", NULL);
VARIANT(embedded, "embedded", NULL);

FIXTURE_SETUP(traffic)
{
	ASSERT_EQ(0, vmig_pair_open(&self->pair, &variant->attrs, VMIG_IRQCHIP_AUTO));
	TH_LOG("controller: %s", vmig_irqchip_name(self->pair.chip[0]));
	ASSERT_EQ(0, vmig_vmm_boot(&self->pair.src, VFIO_PCI_MSI_IRQ_INDEX, VECTOR));
	ASSERT_EQ(0, vmig_traffic_start(&self->guest, self->pair.src.dev));
}

FIXTURE_TEARDOWN(traffic)
{
	if (self->guest)
		vmig_traffic_finish(self->guest, &self->report);
	vmig_pair_close(&self->pair);
}

static void stop_guest(void *opaque)
{
	vmig_traffic_pause(opaque);
}

/* The source stops the guest when it stops the device */
static void let_source_stop_guest(FIXTURE_DATA(traffic) *self)
{
	self->pair.src.stop_guest = stop_guest;
	self->pair.src.guest = self->guest;
}

static void expect_nothing_lost(struct __test_metadata *_metadata,
				FIXTURE_DATA(traffic) *self, uint64_t at_least)
{
	struct vmig_traffic_report *report = &self->report;
	unsigned int port;

	ASSERT_RET(0, vmig_traffic_finish(self->guest, report), "the guest");
	self->guest = NULL;
	EXPECT_EQ(0, report->lost);
	EXPECT_LE(at_least, report->sent[0] + report->sent[1]);
	for (port = 0; port < VMIG_TRAFFIC_PORTS; port++) {
		EXPECT_LT(0, report->sent[port]);
		EXPECT_EQ(report->sent[port], report->received[port]);
		EXPECT_EQ(report->sent[port], report->logged[port]);
	}
}

/* Clause: STOP_COPY, RESUMING: the whole state is transferred: no byte is lost */
TEST_F(traffic, nothing_is_lost)
{
	struct vmig_pair *pair = &self->pair;
	unsigned int round;

	for (round = 0; round < ROUNDS; round++) {
		ASSERT_RET(0, vmig_traffic_wait(self->guest, SOME_TRAFFIC),
			   "round %u", round);
		let_source_stop_guest(self);
		ASSERT_RET(0, vmig_vmm_migrate(&pair->src, &pair->dst),
			   "round %u, source: %s; destination: %s", round,
			   pair->src.why, pair->dst.why);
		EXPECT_EQ(variant->precopy, pair->src.stats.bytes_precopy > 0);
		EXPECT_LT(0, pair->src.stats.bytes_stopcopy);
		vmig_traffic_resume(self->guest, pair->dst.dev);
		ASSERT_EQ(0, vmig_pair_swap(pair));
	}
	expect_nothing_lost(_metadata, self, ROUNDS * SOME_TRAFFIC);
}

/* Bytes sent during pre-copy, so that STOP_COPY has data to send */
static void make_traffic(void *opaque, const struct vmig_event *event)
{
	if (event->kind == VMIG_EVENT_STEP && !strcmp(event->step, "save_live_iterate"))
		vmig_traffic_wait(opaque, SOME_TRAFFIC);
}

/* Clause: PRE_COPY: bytes sent during pre-copy are transferred as well */
TEST_F(traffic, bytes_sent_during_precopy_are_not_lost)
{
	struct vmig_vmm *src = &self->pair.src;

	let_source_stop_guest(self);
	src->observe = make_traffic;
	src->opaque = self->guest;
	ASSERT_RET(0, vmig_vmm_migrate(src, &self->pair.dst),
		   "source: %s; destination: %s", src->why,
		   self->pair.dst.why);
	vmig_traffic_resume(self->guest, self->pair.dst.dev);
	ASSERT_EQ(0, vmig_traffic_wait(self->guest, SOME_TRAFFIC));
	expect_nothing_lost(_metadata, self, SOME_TRAFFIC * (variant->precopy ? 2 : 1));
}

/* Clause: STOP_COPY: the stream can be a file, and the source be reset before the load */
TEST_F(traffic, stream_may_be_a_file)
{
	struct vmig_pair *pair = &self->pair;

	ASSERT_EQ(0, vmig_traffic_wait(self->guest, SOME_TRAFFIC));
	let_source_stop_guest(self);
	ASSERT_RET(0, vmig_vmm_save(&pair->src, pair->fd), "%s", pair->src.why);
	ASSERT_EQ(0, vmig_device_reset(pair->src.dev));

	ASSERT_RET(0, vmig_vmm_load(&pair->dst, pair->reader.fd), "%s", pair->dst.why);
	vmig_traffic_resume(self->guest, pair->dst.dev);
	ASSERT_EQ(0, vmig_traffic_wait(self->guest, SOME_TRAFFIC));
	expect_nothing_lost(_metadata, self, 2 * SOME_TRAFFIC);
}

/* To a destination with other attributes, which refuses the stream */
static void expect_refused(struct __test_metadata *_metadata,
			   FIXTURE_DATA(traffic) *self,
			   const struct vmig_attrs *attrs, int err)
{
	struct vmig_pair *pair = &self->pair;
	struct vmig_testdev td;
	struct vmig_vmm dst;
	int ret;

	ASSERT_EQ(0, vmig_testdev_open(&td, "mtty-2", VMIG_PATH_ANY, attrs));
	ASSERT_EQ(0, vmig_vmm_init(&dst, VMIG_VMM_DESTINATION, &td.dev, pair->chip[1]));
	ASSERT_EQ(0, vmig_traffic_wait(self->guest, SOME_TRAFFIC));

	ret = vmig_vmm_migrate(&pair->src, &dst);
	EXPECT_RET(err, ret, "%s", dst.why);
	EXPECT_STATE(VFIO_DEVICE_STATE_RUNNING, pair->src.dev, "source");
	EXPECT_EQ(0, vmig_traffic_wait(self->guest, SOME_TRAFFIC));
	vmig_vmm_exit(&dst);
	vmig_testdev_close(&td);
	expect_nothing_lost(_metadata, self, 2 * SOME_TRAFFIC);
}

/* Clause: STOP_COPY: the destination refuses the data: the source has lost nothing */
TEST_F(traffic, source_survives_a_failed_migration)
{
	struct vmig_attrs other = variant->attrs;

	other.features = other.features ? "p2p" : "stop_copy";
	expect_refused(_metadata, self, &other, -EXDEV);
}

/* Clause: STOP_COPY: the destination cannot opt in: the source has lost nothing */
TEST_F(traffic, source_survives_a_refused_opt_in)
{
	struct vmig_attrs other = variant->attrs;

	other.config_policy = strcmp(other.config_policy, "before-data") ?
			      "before-data" : "independent";
	expect_refused(_metadata, self, &other, -EOPNOTSUPP);
}

/* Clause: STOP_COPY: if the stream is cut, the source runs and has lost nothing */
TEST_F(traffic, source_survives_a_cut_stream)
{
	struct vmig_pair *pair = &self->pair;
	off_t size, cut;

	ASSERT_EQ(0, vmig_traffic_wait(self->guest, SOME_TRAFFIC));
	vmig_traffic_pause(self->guest);
	ASSERT_RET(0, vmig_vmm_save(&pair->src, pair->fd), "%s", pair->src.why);
	size = lseek(pair->fd, 0, SEEK_CUR);

	for (cut = size - 1; cut > 0; cut -= cut > 64 ? cut / 3 : 8) {
		ASSERT_EQ(0, ftruncate(pair->fd, cut));
		ASSERT_EQ(0, lseek(pair->reader.fd, 0, SEEK_SET));
		EXPECT_RET(-ENODATA, vmig_vmm_load(&pair->dst, pair->reader.fd),
			   "cut at byte %lld of %lld: %s", (long long)cut,
			   (long long)size, pair->dst.why);
		EXPECT_EQ(0, pair->dst.stats.running_at);
		ASSERT_EQ(0, vmig_device_reset(pair->dst.dev));
		pair->dst.irq_enabled = false;
	}

	ASSERT_EQ(0, vmig_vmm_save_cancel(&pair->src));
	vmig_traffic_resume(self->guest, pair->src.dev);
	ASSERT_EQ(0, vmig_traffic_wait(self->guest, SOME_TRAFFIC));
	expect_nothing_lost(_metadata, self, 2 * SOME_TRAFFIC);
}

/* The first bytes that a guest sends on port 0, from the log of a device */
static int first_bytes(struct vmig_device *dev, uint8_t *bytes, size_t len)
{
	struct vmig_traffic_report report;
	struct vmig_traffic *guest;
	uint8_t *log = NULL;
	size_t logged = 0;
	int ret;

	ret = vmig_traffic_start(&guest, dev);
	if (ret)
		return ret;
	/* Most bytes may be of the other port */
	do {
		free(log);
		log = NULL;
		ret = vmig_traffic_wait(guest, len);
		if (!ret)
			ret = vmig_capture_port(dev, 0, &log, &logged);
	} while (!ret && logged < len);
	if (!ret)
		memcpy(bytes, log, len);
	free(log);
	vmig_traffic_finish(guest, &report);
	return ret;
}

DEVICE_FIXTURE(load, "mtty-2");

/* Library: vmig_traffic_load(): the guest had stopped with a full FIFO: nothing is lost */
TEST_F(load, guest_with_a_full_fifo)
{
	uint64_t state[3 * VMIG_TRAFFIC_PORTS] = { htole64(FIFO_SIZE) };
	struct vmig_traffic_report report;
	uint8_t bytes[FIFO_SIZE];
	struct vmig_traffic *guest;
	unsigned int i;

	ASSERT_RET(0, first_bytes(self->dev, bytes, FIFO_SIZE), "first bytes");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	for (i = 0; i < VMIG_TRAFFIC_PORTS; i++)
		ASSERT_EQ(0, vmig_uart_init(self->dev, i, UART_FCR_TRIGGER_8, 0));
	for (i = 0; i < FIFO_SIZE; i++)
		ASSERT_EQ(0, vmig_uart_out(self->dev, 0, UART_TX, bytes[i]));

	ASSERT_RET(0, vmig_traffic_load(&guest, self->dev, (void *)state,
					sizeof(state)), "load");
	vmig_traffic_resume(guest, self->dev);
	EXPECT_RET(0, vmig_traffic_wait(guest, SOME_TRAFFIC), "traffic");
	EXPECT_RET(0, vmig_traffic_finish(guest, &report), "finish");
	EXPECT_EQ(0, report.lost);
	EXPECT_LT(FIFO_SIZE, report.sent[0]);
}

/* Library: vmig_traffic_load(), vmig_config_writer_load(): EBADMSG, and no guest */
TEST_F(load, impossible_state_is_refused)
{
	const struct {
		uint64_t word[3 * VMIG_TRAFFIC_PORTS];
		size_t len;
	} bad[] = {
		{ { 0 }, 0 },
		{ { 0 }, 47 },
		{ { 5, 6 }, 48 },			/* received, never sent */
		{ { 0, 0, 0, 1, 2 }, 48 },
		{ { htole64(1ULL << 40) }, 48 },	/* more than can be kept */
		{ { UINT64_MAX, UINT64_MAX }, 48 },
	};
	struct vmig_traffic *guest = NULL;
	struct vmig_config_writer *writer = NULL;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_RET(-EBADMSG, vmig_traffic_load(&guest, self->dev,
						       (void *)bad[i].word,
						       bad[i].len), "row %u", i);
		EXPECT_EQ(NULL, guest);
	}
	EXPECT_RET(-EBADMSG, vmig_config_writer_load(&writer, self->dev,
						     (void *)bad[0].word, 7),
		   "config writer");
	EXPECT_EQ(NULL, writer);
}

TEST_HARNESS_MAIN
