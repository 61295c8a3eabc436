// SPDX-License-Identifier: GPL-2.0-only
/*
 * The trace events of the driver: the right events of the right device, once, and in
 * order. A test expects the whole log: each line, and no other.
 */
#include <fnmatch.h>

#include <linux/pci_regs.h>

#include "lib/vmm.h"

#define MSI		VFIO_PCI_MSI_IRQ_INDEX
#define INTX		VFIO_PCI_INTX_IRQ_INDEX
#define TRIGGER		VFIO_IRQ_SET_ACTION_TRIGGER

#define LINES		64
#define LINE		160

/* Lowest byte of the second half of an identity */
#define VERSION		8

/* More than the parser needs to refuse it */
#define GARBAGE		64

FIXTURE(trace) {
	struct vmig_trace trace;
	struct vmig_pair pair;
	struct vmig_testdev td;
	struct vmig_device *dev;
	int fd;
	/* The log: adjacent data events of one device and direction are one line */
	char line[LINES][LINE];
	unsigned int nr;
	uint64_t bytes_read;
	uint64_t bytes_written;
};

FIXTURE_SETUP(trace)
{
	int ret;

	self->td.dev = VMIG_DEVICE_CLOSED;
	self->dev = &self->td.dev;
	self->fd = -1;
	ret = vmig_trace_start(&self->trace, "mtty");
	if (ret == -ENODEV)
		SKIP(return, "no tracefs on this kernel (CONFIG_FTRACE)");
	ASSERT_RET(0, ret, "trace");
	self->fd = vmig_eventfd_create();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(trace)
{
	if (self->pair.src.dev)
		vmig_pair_close(&self->pair);
	vmig_testdev_close(&self->td);
	if (self->fd >= 0)
		close(self->fd);
	vmig_trace_stop(&self->trace);
}

static const char *device_name(const FIXTURE_DATA(trace) *self, const char *uuid)
{
	if (!strcmp(uuid, self->pair.td[0].mdev.uuid))
		return "src";
	if (!strcmp(uuid, self->pair.td[1].mdev.uuid))
		return "dst";
	return !strcmp(uuid, self->td.mdev.uuid) ? "dev" : uuid;
}

/* Return: whether it needs its own line; the end of a stream does not */
static bool count_data(FIXTURE_DATA(trace) *self, const char *data, char *last,
		       char *line)
{
	long long ret;
	char call[16];
	char *end;

	if (sscanf(data, "%15s count=%*u ret=%lld", call, &ret) != 2 ||
	    (ret < 0 && ret != -ENOMSG))
		return true;
	if (ret > 0 && !strcmp(call, "read"))
		self->bytes_read += ret;
	if (ret > 0 && !strcmp(call, "write"))
		self->bytes_written += ret;
	end = strstr(line, " count=");
	if (end)
		*end = '\0';
	return strcmp(last, line);
}

/* "mtty_event: UUID and the rest"; any other text is kept, and no pattern matches it */
static void add_line(FIXTURE_DATA(trace) *self, const char *text)
{
	char event[24], uuid[VMIG_UUID_LEN + 1], rest[LINE / 2];
	char *last = self->nr ? self->line[self->nr - 1] : "";
	char *line = self->line[self->nr];

	if (self->nr == LINES - 1)
		return;
	if (sscanf(text, "mtty_%23[^:]: %36s %79[^\n]", event, uuid, rest) != 3) {
		snprintf(line, LINE, "%s", text);
		self->nr++;
		return;
	}
	snprintf(line, LINE, "%s %s %s", event, device_name(self, uuid), rest);
	if (strcmp(event, "data") || count_data(self, rest, last, line))
		self->nr++;
}

static void read_log(struct __test_metadata *_metadata,
		     FIXTURE_DATA(trace) *self)
{
	struct vmig_bytes text = { 0 };
	char *line, *next;

	ASSERT_RET(0, vmig_trace_read(&self->trace, &text), "trace");
	for (line = strtok_r((char *)text.data, "\n", &next); line;
	     line = strtok_r(NULL, "\n", &next))
		add_line(self, line);
	vmig_bytes_free(&text);
}

/* Each line as for fnmatch() */
static void expect_log(struct __test_metadata *_metadata,
		       FIXTURE_DATA(trace) *self, const char * const *want,
		       unsigned int nr)
{
	unsigned int i;

	read_log(_metadata, self);
	for (i = 0; i < nr || i < self->nr; i++) {
		const char *line = i < self->nr ? self->line[i] : "(none)";
		const char *pattern = i < nr ? want[i] : "(none)";

		ASSERT_EQ(0, fnmatch(pattern, line, 0)) {
			TH_LOG("line %u", i);
			TH_LOG("  expected: %s", pattern);
			TH_LOG("  seen:     %s", line);
		}
	}
}

static void open_pair(struct __test_metadata *_metadata,
		      FIXTURE_DATA(trace) *self, const struct vmig_attrs *attrs)
{
	ASSERT_EQ(0, vmig_pair_open(&self->pair, attrs, VMIG_IRQCHIP_MODEL));
	ASSERT_EQ(0, vmig_late_irq_boot(&self->pair, MSI));
	vmig_late_irq_when_stopped(&self->pair.src);
}

static void migrate(struct __test_metadata *_metadata,
		    FIXTURE_DATA(trace) *self)
{
	struct vmig_pair *pair = &self->pair;

	ASSERT_RET(0, vmig_vmm_save(&pair->src, pair->fd), "%s", pair->src.why);
	ASSERT_RET(0, vmig_pair_load_all(pair), "%s", pair->dst.why);
}

static void open_device(struct __test_metadata *_metadata,
			FIXTURE_DATA(trace) *self,
			const struct vmig_attrs *attrs)
{
	ASSERT_EQ(0, vmig_testdev_open(&self->td, "mtty-1", VMIG_PATH_ANY, attrs));
}

/* Up to where the source is in PRE_COPY */
#define BEGUN \
	"open src state=RUNNING", \
	"open dst state=RUNNING", \
	"config src changed version=2", \
	"config src changed version=3", \
	"config src changed version=4", \
	"config src changed version=5", \
	"set_irqs src MSI EVENTFD|TRIGGER start=0 count=1 data=* ret=0", \
	"state src RUNNING -> PRE_COPY ret=0 now=PRE_COPY"

/* Up to where the destination is RESUMING */
#define SAVED \
	"data src read", \
	"state src PRE_COPY -> PRE_COPY_P2P ret=0 now=PRE_COPY_P2P", \
	"state src PRE_COPY_P2P -> STOP_COPY ret=0 now=STOP_COPY", \
	"data src read", \
	"state src STOP_COPY -> STOP ret=0 now=STOP", \
	"state dst RUNNING -> RUNNING_P2P ret=0 now=RUNNING_P2P", \
	"state dst RUNNING_P2P -> STOP ret=0 now=STOP", \
	"state dst STOP -> RESUMING ret=0 now=RESUMING"

/* After all is loaded; a pending interrupt is signalled on the way to RUNNING */
#define STARTED \
	"set_irqs dst MSI EVENTFD|TRIGGER start=0 count=1 data=* ret=0", \
	"state dst RESUMING -> STOP ret=0 now=STOP", \
	"signal dst MSI why=running", \
	"state dst STOP -> RUNNING_P2P ret=0 now=RUNNING_P2P", \
	"state dst RUNNING_P2P -> RUNNING ret=0 now=RUNNING"

/* Driver: mtty_*: a migration with an interrupt pending: all events, in order */
TEST_F(trace, a_migration)
{
	static const char * const want[] = {
		BEGUN,
		"config src read version=5",
		SAVED,
		"config dst loaded version=5",
		"config dst changed version=2",
		"data dst write",
		STARTED,
	};
	const struct vmig_attrs attrs = { .config_policy = "before-data" };
	struct vmig_vmm_stats *stats = &self->pair.src.stats;

	open_pair(_metadata, self, &attrs);
	migrate(_metadata, self);
	expect_log(_metadata, self, want, ARRAY_SIZE(want));
	EXPECT_EQ(stats->bytes_precopy + stats->bytes_stopcopy, self->bytes_read);
	EXPECT_EQ(self->bytes_read, self->bytes_written);
}

/* Driver: mtty_config, embedded: the CONFIG record, before the write() returns */
TEST_F(trace, embedded_config)
{
	static const char * const want[] = {
		BEGUN,
		SAVED,
		"config dst loaded version=0",
		"config dst changed version=2",
		"data dst write",
		STARTED,
	};
	const struct vmig_attrs attrs = { .config_policy = "embedded" };

	open_pair(_metadata, self, &attrs);
	migrate(_metadata, self);
	expect_log(_metadata, self, want, ARRAY_SIZE(want));
}

/* Driver: mtty_config, reorder: a snapshot older than the loaded one is superseded */
TEST_F(trace, superseded_config)
{
	static const char * const want[] = {
		"open dev state=RUNNING",
		"state dev RUNNING -> RUNNING_P2P ret=0 now=RUNNING_P2P",
		"state dev RUNNING_P2P -> STOP ret=0 now=STOP",
		"state dev STOP -> RESUMING ret=0 now=RESUMING",
		"config dev loaded version=9",
		"config dev superseded version=8",
	};
	const struct vmig_attrs attrs = { .config_policy = "reorder" };
	struct vmig_snapshot config = {
		.id = { 1, [VERSION] = 9 }, .size = PCI_CFG_SPACE_SIZE,
	};
	int data_fd;

	open_device(_metadata, self, &attrs);
	ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
	ASSERT_RET(0, vmig_region_read(self->dev, VFIO_PCI_CONFIG_REGION_INDEX, 0,
				       config.data, config.size), "config space");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &data_fd), "RESUMING");
	EXPECT_RET(0, vmig_config_set(data_fd, &config), "newer");
	config.id[VERSION]--;
	EXPECT_RET(0, vmig_config_set(data_fd, &config), "older");
	close(data_fd);
	expect_log(_metadata, self, want, ARRAY_SIZE(want));
}

/* Driver: mtty_signal, defect_early_irq: "early", and not again at RUNNING */
TEST_F(trace, early_signal)
{
	const struct vmig_attrs attrs = {
		.config_policy = "before-data", .defect_early_irq = "1",
	};
	unsigned int i, signals = 0;

	open_pair(_metadata, self, &attrs);
	migrate(_metadata, self);
	read_log(_metadata, self);
	for (i = 0; i < self->nr; i++) {
		if (strncmp(self->line[i], "signal ", 7))
			continue;
		signals++;
		EXPECT_STREQ("signal dst MSI why=early", self->line[i]);
	}
	EXPECT_EQ(1, signals);
}

/* Driver: mtty_signal, mtty_set_irqs: one event for each, with its reason */
TEST_F(trace, interrupts)
{
	static const char * const want[] = {
		"open dev state=RUNNING",
		"config dev changed version=2",
		"set_irqs dev MSI EVENTFD|TRIGGER start=0 count=1 data=FD ret=0",
		"signal dev MSI why=running",
		"signal dev MSI why=user",
		"set_irqs dev MSI NONE|TRIGGER start=0 count=1 data=0 ret=0",
		"set_irqs dev MSI NONE|TRIGGER start=0 count=0 data=0 ret=0",
		"signal dev INTx why=running",
		"set_irqs dev INTx EVENTFD|TRIGGER start=0 count=1 data=FD ret=0",
		"set_irqs dev INTx BOOL|MASK start=0 count=1 data=1 ret=0",
		"signal dev INTx why=running",
		"set_irqs dev INTx NONE|UNMASK start=0 count=1 data=0 ret=0",
		"set_irqs dev INTx EVENTFD|TRIGGER start=0 count=1 data=-1 ret=0",
		"set_irqs dev MSI NONE|MASK start=0 count=1 data=0 ret=-25",
		"set_irqs dev MSI-X EVENTFD|TRIGGER start=0 count=1 data=0 ret=-22",
	};
	const char *now[ARRAY_SIZE(want)];
	char connect[2][LINE];
	unsigned int i, nr = 0;

	open_device(_metadata, self, NULL);
	EXPECT_RET(0, vmig_bus_master_enable(self->dev), "master");
	EXPECT_RET(0, vmig_irq_set_fd(self->dev, MSI, TRIGGER, self->fd), "MSI");
	EXPECT_RET(0, vmig_port_irq_raise(self->dev, 0), "raise");
	EXPECT_RET(0, vmig_irq_action(self->dev, MSI, TRIGGER), "loopback");
	EXPECT_RET(0, vmig_irq_disable(self->dev, MSI), "disable");
	EXPECT_RET(0, vmig_irq_set_fd(self->dev, INTX, TRIGGER, self->fd), "INTx");
	EXPECT_RET(0, vmig_irq_action_bool(self->dev, INTX,
					   VFIO_IRQ_SET_ACTION_MASK, 1), "mask");
	EXPECT_RET(0, vmig_irq_action(self->dev, INTX,
				      VFIO_IRQ_SET_ACTION_UNMASK), "unmask");
	EXPECT_RET(0, vmig_irq_set_fd(self->dev, INTX, TRIGGER, -1), "none");
	EXPECT_RET(-ENOTTY, vmig_irq_action(self->dev, MSI,
					    VFIO_IRQ_SET_ACTION_MASK), "MSI");
	EXPECT_RET(-EINVAL, vmig_irq_set_fd(self->dev, VFIO_PCI_MSIX_IRQ_INDEX,
					    TRIGGER, self->fd), "MSI-X");

	/* The number of the eventfd is known only now */
	for (i = 0; i < ARRAY_SIZE(want); i++) {
		const char *fd = strstr(want[i], "=FD");

		now[i] = want[i];
		if (!fd)
			continue;
		snprintf(connect[nr], LINE, "%.*s=%d%s", (int)(fd - want[i]),
			 want[i], self->fd, fd + 3);
		now[i] = connect[nr++];
	}
	expect_log(_metadata, self, now, ARRAY_SIZE(want));
	EXPECT_EQ(4, vmig_eventfd_take(self->fd));
}

/* Driver: mtty_state: a change that fails: its errno, and the state after it */
TEST_F(trace, failed_changes)
{
	static const char * const want[] = {
		"open dev state=RUNNING",
		"state dev RUNNING -> ERROR ret=-22 now=RUNNING",
		"state dev RUNNING -> 0x63 ret=-22 now=RUNNING",
		"state dev RUNNING -> RUNNING_P2P ret=0 now=RUNNING_P2P",
		"state dev RUNNING_P2P -> STOP ret=0 now=STOP",
		"state dev STOP -> RESUMING ret=0 now=RESUMING",
		"state dev RESUMING -> STOP ret=-61 now=RESUMING",
		"data dev write count=64 ret=-74",
		"state dev RESUMING -> STOP ret=-74 now=ERROR",
		"state dev ERROR -> RUNNING ret=-22 now=ERROR",
		"reset dev state=ERROR",
		"state dev RUNNING -> RUNNING_P2P ret=0 now=RUNNING_P2P",
		"close dev state=RUNNING_P2P",
	};
	uint8_t garbage[GARBAGE] = { 0 };
	struct vmig_device *dev = self->dev;
	int data_fd;

	open_device(_metadata, self, NULL);
	EXPECT_RET(-EINVAL, vmig_mig_set_state(dev, VFIO_DEVICE_STATE_ERROR,
					       NULL), "ERROR");
	EXPECT_RET(-EINVAL, vmig_mig_set_state(dev, 0x63, NULL), "no state");
	ASSERT_RET(0, vmig_mig_set_state(dev, VFIO_DEVICE_STATE_RESUMING,
					 &data_fd), "RESUMING");
	EXPECT_RET(-ENODATA, vmig_mig_set_state(dev, VFIO_DEVICE_STATE_STOP,
						NULL), "no data");
	EXPECT_EQ(-1, write(data_fd, garbage, sizeof(garbage)));
	EXPECT_RET(-EBADMSG, vmig_mig_set_state(dev, VFIO_DEVICE_STATE_STOP,
						NULL), "garbage");
	EXPECT_RET(-EINVAL, vmig_mig_set_state(dev, VFIO_DEVICE_STATE_RUNNING,
					       NULL), "out of ERROR");
	EXPECT_RET(0, vmig_device_reset(dev), "reset");
	EXPECT_RET(0, vmig_mig_set_state(dev, VFIO_DEVICE_STATE_RUNNING_P2P,
					 NULL), "P2P");
	close(data_fd);
	vmig_device_close(dev);
	expect_log(_metadata, self, want, ARRAY_SIZE(want));
}

/* Driver: mtty_data: a data_fd of a removed device still has its name */
TEST_F(trace, data_fd_outlives_the_device)
{
	static const char * const want[] = {
		"open dev state=RUNNING",
		"state dev RUNNING -> PRE_COPY ret=0 now=PRE_COPY",
		"close dev state=PRE_COPY",
		"data dev read count=1 ret=-19",
	};
	struct vmig_mdev gone;
	int data_fd;
	char byte;

	open_device(_metadata, self, NULL);
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_PRE_COPY,
					 &data_fd), "PRE_COPY");
	gone = self->td.mdev;
	vmig_testdev_close(&self->td);
	EXPECT_EQ(-1, read(data_fd, &byte, 1));
	EXPECT_EQ(ENODEV, errno);
	close(data_fd);
	self->td.mdev = gone;
	expect_log(_metadata, self, want, ARRAY_SIZE(want));
	self->td.mdev.uuid[0] = '\0';
}

/* Driver: mtty_config: a write that changes the content of config space: its version */
TEST_F(trace, config_changes)
{
	static const char * const want[] = {
		"open dev state=RUNNING",
		"config dev changed version=2",
		"config dev changed version=3",
		"reset dev state=RUNNING",
		"reset dev state=RUNNING",
		/* The first reset changed it as well */
		"config dev changed version=5",
	};
	unsigned int i;

	open_device(_metadata, self, NULL);
	for (i = 1; i <= 2; i++) {
		EXPECT_RET(0, vmig_config_write8(self->dev, PCI_INTERRUPT_LINE, i),
			   "change");
		EXPECT_RET(0, vmig_config_write8(self->dev, PCI_INTERRUPT_LINE, i),
			   "no change");
		EXPECT_RET(0, vmig_config_write8(self->dev, PCI_VENDOR_ID, i),
			   "a read-only byte");
	}
	EXPECT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_RET(0, vmig_device_reset(self->dev), "reset without a change");
	EXPECT_RET(0, vmig_config_write8(self->dev, PCI_INTERRUPT_LINE, 1), "change");
	expect_log(_metadata, self, want, ARRAY_SIZE(want));
}

/* Driver: mtty_config: all 64 bits of a version */
TEST_F(trace, large_version)
{
	static const char * const want[] = {
		"open dev state=RUNNING",
		"state dev RUNNING -> RUNNING_P2P ret=0 now=RUNNING_P2P",
		"state dev RUNNING_P2P -> STOP ret=0 now=STOP",
		"state dev STOP -> RESUMING ret=0 now=RESUMING",
		"config dev loaded version=17726168133330272258",
		"config dev superseded version=17654110539292344322",
	};
	const struct vmig_attrs attrs = { .config_policy = "reorder" };
	struct vmig_snapshot config = { .size = PCI_CFG_SPACE_SIZE };
	int data_fd;

	/* 0xf600000000000002, little-endian */
	config.id[0] = 1;
	config.id[VERSION] = 2;
	config.id[VERSION + 7] = 0xf6;
	open_device(_metadata, self, &attrs);
	ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
	ASSERT_RET(0, vmig_region_read(self->dev, VFIO_PCI_CONFIG_REGION_INDEX, 0,
				       config.data, config.size), "config space");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &data_fd), "RESUMING");
	EXPECT_RET(0, vmig_config_set(data_fd, &config), "newer");
	config.id[VERSION + 7]--;
	EXPECT_RET(0, vmig_config_set(data_fd, &config), "older");
	close(data_fd);
	expect_log(_metadata, self, want, ARRAY_SIZE(want));
}

/* Driver: mtty_set_irqs: each index has its name; one that PCI does not have, its number */
TEST_F(trace, names_of_the_indexes)
{
	static const char * const want[] = {
		"open dev state=RUNNING",
		"set_irqs dev INTx NONE|TRIGGER start=0 count=0 data=0 ret=0",
		"set_irqs dev MSI NONE|TRIGGER start=0 count=0 data=0 ret=0",
		"set_irqs dev MSI-X NONE|TRIGGER start=0 count=0 data=0 ret=-22",
		"set_irqs dev ERR NONE|TRIGGER start=0 count=0 data=0 ret=0",
		"set_irqs dev REQ NONE|TRIGGER start=0 count=0 data=0 ret=-22",
		"set_irqs dev 0x5 NONE|TRIGGER start=0 count=0 data=0 ret=-22",
	};
	unsigned int index;

	open_device(_metadata, self, NULL);
	for (index = 0; index <= VFIO_PCI_NUM_IRQS; index++)
		vmig_irq_disable(self->dev, index);
	expect_log(_metadata, self, want, ARRAY_SIZE(want));
}

/* Driver: trace events: tools can parse a format: no name of an enum is left in it */
TEST_F(trace, formats_have_numbers)
{
	static const char * const events[] = {
		"mtty_state", "mtty_signal", "mtty_set_irqs", "mtty_config", "mtty_data",
		"mtty_open", "mtty_close", "mtty_reset",
	};
	char path[LINE], text[4096];
	const char *name;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(events); i++) {
		snprintf(path, sizeof(path), "%s/events/mtty/%s/format", self->trace.dir,
			 events[i]);
		ASSERT_RET(0, vmig_read_file(path, text, sizeof(text)), "%s", path);
		name = strstr(text, "VFIO_");
		EXPECT_EQ(NULL, name) {
			TH_LOG("%s has %.32s", events[i], name);
		}
	}
}

/* Driver: accesses that change no config space have no event: they are frequent */
TEST_F(trace, accesses_have_no_event)
{
	static const char * const want[] = { "open dev state=RUNNING" };
	uint8_t tx[UINT8_MAX] = { 0 }, rx[UINT8_MAX];
	uint16_t command;

	open_device(_metadata, self, NULL);
	EXPECT_RET(0, vmig_uart_init(self->dev, 0, UART_FCR_TRIGGER_1,
				     UART_IER_THRI), "init");
	EXPECT_RET(0, vmig_uart_exchange(self->dev, 0, tx, rx, sizeof(tx)), "bytes");
	EXPECT_RET(0, vmig_config_read16(self->dev, 4, &command), "read");
	EXPECT_RET(0, vmig_config_write16(self->dev, 4, command), "write");
	expect_log(_metadata, self, want, ARRAY_SIZE(want));
}

TEST_HARNESS_MAIN
