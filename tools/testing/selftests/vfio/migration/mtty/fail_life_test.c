// SPDX-License-Identifier: GPL-2.0-only
/*
 * From creation to removal of a device, each allocation and each copy from or to user
 * memory fails once (lib/vfio/fail_each.h). Leaks are found by kmemleak after the module
 * was unloaded.
 */
#include <dirent.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <linux/pci_regs.h>

#include "lib/mtty.h"
#include "fail_variants.h"

#define BAR2		VFIO_PCI_BAR2_REGION_INDEX
#define SIZE		"64K"
#define FAR		0x8000u
/* More than the device copies at once, and no round number */
#define CHUNK		9001u
/* There are some hundred faults, and a kernel with KASAN is slow */
#define TIMEOUT_S	800

struct vmig_fail_ctx {
	enum vmig_path path;
	const char *policy;
	struct vmig_mdev mdev;
	struct vmig_device dev;
	uint64_t logged;
	uint8_t written;
	int eventfd[2];
};

FIXTURE(fail_life) {
	struct vmig_fail_ctx w;
	struct vmig_fault fault;
	struct vmig_fail_counts result;
	int fds;
	int number;
};

FIXTURE_VARIANT(fail_life) {
	enum vmig_path path;
	const char *policy;
};

FAIL_VARIANTS(fail_life);

FIXTURE_SETUP(fail_life)
{
	const char *missing;

	self->w.path = variant->path;
	self->w.policy = variant->policy;
	self->w.dev = VMIG_DEVICE_CLOSED;
	missing = fail_missing(&self->fault, variant->path);
	if (missing)
		SKIP(return, "no %s on this kernel", missing);
	self->w.eventfd[0] = vmig_eventfd_create();
	self->w.eventfd[1] = vmig_eventfd_create();
	self->fds = vmig_count_fds();
	ASSERT_LT(0, self->fds);
	self->number = vmig_testdev_next_number();
	ASSERT_LE(0, self->number);
}

FIXTURE_TEARDOWN(fail_life)
{
	vmig_fault_exit(&self->fault);
	vmig_device_close(&self->w.dev);
	vmig_mdev_remove(&self->w.mdev);
}

static int device_nodes(void)
{
	DIR *dir = opendir("/sys/bus/mdev/devices");
	struct dirent *entry;
	int n = 0;

	while (dir && (entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return n;
}

static int create(struct vmig_fail_ctx *w)
{
	return vmig_testdev_create(&w->mdev, "mtty-2");
}

static int uncreate(struct vmig_fail_ctx *w, int ret)
{
	if (!ret)
		return vmig_mdev_remove(&w->mdev);
	return device_nodes() ? -EUCLEAN : 0;
}

static int set_attrs(struct vmig_fail_ctx *w)
{
	int ret;

	ret = vmig_mdev_set_attr(&w->mdev, "migration/config_policy", w->policy);
	if (!ret)
		ret = vmig_mdev_set_attr(&w->mdev, "migration/capture_size", SIZE);
	if (!ret)
		ret = vmig_mdev_set_attr(&w->mdev, "migration/features", "p2p pre_copy");
	return ret;
}

static int get_attrs(struct vmig_fail_ctx *w)
{
	char value[64];
	int ret;

	ret = vmig_mdev_get_attr(&w->mdev, "migration/config_policy",
				 value, sizeof(value));
	if (!ret && strcmp(value, w->policy))
		ret = -EUCLEAN;
	if (!ret)
		ret = vmig_mdev_get_attr(&w->mdev, "migration/features",
					 value, sizeof(value));
	if (!ret)
		ret = vmig_mdev_get_attr(&w->mdev,
					 "migration/capture_size", value,
					 sizeof(value));
	return ret;
}

static int open_device(struct vmig_fail_ctx *w)
{
	return vmig_device_open(&w->dev, &w->mdev, w->path);
}

static int unopen_device(struct vmig_fail_ctx *w, int ret)
{
	vmig_device_close(&w->dev);
	return 0;
}

static int opt_in(struct vmig_fail_ctx *w)
{
	return vmig_config_opt_in_own(&w->dev);
}

/* Opted in, or nothing has changed; only a session shows which */
static int unopt_in(struct vmig_fail_ctx *w, int ret)
{
	struct vmig_snapshot config;
	int want = ret ? -ENOTTY : 0;
	int fd;

	ret = vmig_mig_set_state(&w->dev, VFIO_DEVICE_STATE_STOP_COPY, &fd);
	if (ret)
		return ret;
	ret = vmig_config_get(fd, &config);
	close(fd);
	if (ret != want)
		return -EUCLEAN;
	return vmig_mig_set_state(&w->dev, VFIO_DEVICE_STATE_RUNNING, NULL);
}

static int get_info(struct vmig_fail_ctx *w)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	union {
		struct vfio_region_info info;
		uint8_t room[256];
	} region = { .info = { .argsz = sizeof(region), .index = BAR2 } };
	struct vfio_irq_info irq = { 0 };
	int ret;

	if (ioctl(w->dev.fd, VFIO_DEVICE_GET_INFO, &info))
		return -errno;
	if (ioctl(w->dev.fd, VFIO_DEVICE_GET_REGION_INFO, &region))
		return -errno;
	ret = vmig_irq_info(&w->dev, VFIO_PCI_MSI_IRQ_INDEX, &irq);
	/* A call that returns 0 must return all values */
	if (!ret && (!info.num_regions || !region.info.size ||
		     !region.info.cap_offset || !irq.count))
		ret = -EUCLEAN;
	return ret;
}

static int access_regions(struct vmig_fail_ctx *w)
{
	static uint8_t buf[CHUNK], seen[CHUNK];
	uint8_t config[256] = { 0 };
	int ret;

	/* A new value each time: an older one must not pass */
	memset(buf, ++w->written, sizeof(buf));
	memset(seen, 0, sizeof(seen));
	ret = vmig_region_write(&w->dev, BAR2, FAR, buf, sizeof(buf));
	if (!ret)
		ret = vmig_region_read(&w->dev, BAR2, FAR, seen, sizeof(seen));
	if (!ret)
		ret = vmig_region_read(&w->dev,
				       VFIO_PCI_CONFIG_REGION_INDEX, 0, config,
				       sizeof(config));
	if (!ret && (memcmp(buf, seen, sizeof(buf)) || !config[PCI_VENDOR_ID]))
		ret = -EUCLEAN;
	return ret;
}

/* The first byte allocates a page for the log */
static int send_byte(struct vmig_fail_ctx *w)
{
	return vmig_uart_out(&w->dev, 0, UART_TX, 'x');
}

static int unsend_byte(struct vmig_fail_ctx *w, int ret)
{
	struct vmig_capture_head info;
	uint64_t want = w->logged + !ret;

	ret = vmig_capture_info(&w->dev, &info);
	if (ret)
		return ret;
	w->logged = info.logged;
	return info.logged == want ? 0 : -EUCLEAN;
}

static int connect_fd(struct vmig_fail_ctx *w, int nr, uint32_t action)
{
	return vmig_irq_set_fd(&w->dev, VFIO_PCI_INTX_IRQ_INDEX, action, w->eventfd[nr]);
}

static int connect_trigger(struct vmig_fail_ctx *w)
{
	return connect_fd(w, 0, VFIO_IRQ_SET_ACTION_TRIGGER);
}

static int replace_trigger(struct vmig_fail_ctx *w)
{
	return connect_fd(w, 1, VFIO_IRQ_SET_ACTION_TRIGGER);
}

/* The eventfd connected before is still connected, unless it was replaced */
static int unreplace_trigger(struct vmig_fail_ctx *w, int ret)
{
	int nr = !ret;

	ret = vmig_irq_action(&w->dev, VFIO_PCI_INTX_IRQ_INDEX,
			      VFIO_IRQ_SET_ACTION_TRIGGER);
	if (ret)
		return ret;
	if (vmig_eventfd_take(w->eventfd[nr]) != 1 || vmig_eventfd_take(w->eventfd[!nr]))
		return -EUCLEAN;
	return connect_trigger(w);
}

static int connect_unmask(struct vmig_fail_ctx *w)
{
	return connect_fd(w, 0, VFIO_IRQ_SET_ACTION_UNMASK);
}

static int connect_mask(struct vmig_fail_ctx *w)
{
	return connect_fd(w, 0, VFIO_IRQ_SET_ACTION_MASK);
}

static int disconnect(struct vmig_fail_ctx *w)
{
	return vmig_irq_disable(&w->dev, VFIO_PCI_INTX_IRQ_INDEX);
}

static int map_memory(struct vmig_fail_ctx *w)
{
	size_t page = sysconf(_SC_PAGESIZE);
	uint8_t *mem;

	mem = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED,
		   w->dev.fd, w->dev.region[BAR2].offset + 2 * page);
	if (mem == MAP_FAILED)
		return -errno;
	/* A read fault first; a fault without memory is repeated */
	if (!__atomic_load_n(mem, __ATOMIC_RELAXED))
		__atomic_store_n(mem, 1, __ATOMIC_RELAXED);
	return munmap(mem, page) ? -errno : 0;
}

static int log_start(struct vmig_fail_ctx *w)
{
	struct vfio_device_feature_dma_logging_range range = {
		.length = 1 << 20,
	};
	struct vfio_device_feature_dma_logging_control control = {
		.page_size = 4096, .num_ranges = 1,
		.ranges = (uintptr_t)&range,
	};
	int ret;

	ret = vmig_feature(&w->dev, VFIO_DEVICE_FEATURE_SET |
			   VFIO_DEVICE_FEATURE_DMA_LOGGING_START, &control,
			   sizeof(control));
	return ret == -ENOTTY ? 0 : ret;
}

static int log_report(struct vmig_fail_ctx *w)
{
	uint64_t bitmap[4] = { 0 };
	struct vfio_device_feature_dma_logging_report report = {
		.length = 1 << 20, .page_size = 4096,
		.bitmap = (uintptr_t)bitmap,
	};
	int ret;

	ret = vmig_feature(&w->dev, VFIO_DEVICE_FEATURE_GET |
			   VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT, &report,
			   sizeof(report));
	if (!ret && (bitmap[0] || bitmap[1] || bitmap[2] || bitmap[3]))
		ret = -EUCLEAN;
	return ret == -ENOTTY ? 0 : ret;
}

static int log_stop(struct vmig_fail_ctx *w)
{
	int ret;

	ret = vmig_feature(&w->dev, VFIO_DEVICE_FEATURE_SET |
			   VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP, NULL, 0);
	return ret == -ENOTTY ? 0 : ret;
}

/* Started, or nothing has changed */
static int unlog_start(struct vmig_fail_ctx *w, int ret)
{
	return ret ? 0 : log_stop(w);
}

static int unlog_stop(struct vmig_fail_ctx *w, int ret)
{
	return ret ? 0 : log_start(w);
}

static int reset(struct vmig_fail_ctx *w)
{
	w->logged = 0;
	return vmig_device_reset(&w->dev);
}

static int close_device(struct vmig_fail_ctx *w)
{
	vmig_device_close(&w->dev);
	return 0;
}

static int unclose_device(struct vmig_fail_ctx *w, int ret)
{
	return open_device(w);
}

static int remove_device(struct vmig_fail_ctx *w)
{
	return vmig_mdev_remove(&w->mdev);
}

/* Removed, or as before */
static int unremove_device(struct vmig_fail_ctx *w, int ret)
{
	if (device_nodes() != !!ret)
		return -EUCLEAN;
	return ret ? 0 : create(w);
}

static const struct vmig_step life[] = {
	{ "create", create, uncreate },
	{ "write attributes", set_attrs },
	{ "read attributes", get_attrs },
	{ "open", open_device, unopen_device },
	{ "GET and SET MIG_CONFIG", opt_in, unopt_in },
	{ "GET_INFO, GET_REGION_INFO, GET_IRQ_INFO", get_info },
	{ "read and write regions", access_regions },
	{ "send a byte", send_byte, unsend_byte },
	{ "SET_IRQS, trigger", connect_trigger },
	{ "SET_IRQS, another trigger", replace_trigger, unreplace_trigger },
	{ "SET_IRQS, unmask", connect_unmask },
	{ "SET_IRQS, mask", connect_mask },
	{ "SET_IRQS, off", disconnect },
	{ "mmap", map_memory },
	{ "DMA_LOGGING_START", log_start, unlog_start },
	{ "DMA_LOGGING_REPORT", log_report },
	{ "DMA_LOGGING_STOP", log_stop, unlog_stop },
	{ "RESET", reset },
	{ "close", close_device, unclose_device },
	{ "remove", remove_device, unremove_device },
};

/*
 * A bug of vfio_create_group(), in Linux 7.3 and before: a group that cannot be created
 * is released with a warning, and keeps a reference. No fault is injected there.
 */
static unsigned int spare_groups(struct vmig_fault *fault)
{
	return vmig_fault_exclude(fault, "vfio", "vfio_create_group") ? 1 : 0;
}

/* Driver: all calls but migration, and sysfs: a call that fails has no effect */
TEST_F_TIMEOUT(fail_life, nothing_half_done, TIMEOUT_S)
{
	unsigned int first = spare_groups(&self->fault);

	if (first)
		ASSERT_RET(0, create(&self->w), "create");
	EXPECT_RET(0, vmig_fail_each(&self->result, &self->fault, life + first,
				     ARRAY_SIZE(life) - first, &self->w), "%s",
		   self->result.why);
	EXPECT_EQ(0, device_nodes());
	EXPECT_FREED(self->number);
	EXPECT_EQ(self->fds, vmig_count_fds());
	EXPECT_LT(0, self->result.no_memory);
	EXPECT_LT(0, self->result.bad_address);
	TH_LOG(VMIG_FAIL_EACH_FMT, VMIG_FAIL_EACH_ARG(&self->result));
}

TEST_HARNESS_MAIN
