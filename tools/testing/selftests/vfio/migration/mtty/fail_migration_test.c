// SPDX-License-Identifier: GPL-2.0-only
/*
 * A migration in which each allocation and each copy from or to user memory fails once
 * (lib/vfio/fail_each.h), and which transfers everything. Leaks are found by kmemleak
 * after the module was unloaded.
 */
#include <linux/pci_regs.h>

#include "lib/mtty.h"
#include "fail_variants.h"

#define BAR2		VFIO_PCI_BAR2_REGION_INDEX
#define PORTS		2
#define SEED		7
#define SIZE		"1M"
/* A byte of config space */
#define LINE		0x5a
/* Two pages that are not adjacent, so that there are several records */
#define FAR		0x8000u
#define NEAR		0x3000u
/* More than the device copies at once, and no round number */
#define CHUNK		9001u
/* Nothing is written from here on, except one new page after each success */
#define FRESH		0x10000u
/* There are some hundred faults, and a kernel with KASAN is slow */
#define TIMEOUT_S	800

struct vmig_fail_ctx {
	const char *policy;
	struct vmig_testdev src;
	struct vmig_testdev dst;
	struct vmig_bytes stream;
	struct vmig_snapshot config;
	uint64_t fresh;
	size_t loaded;
	int fd;
};

FIXTURE(fail_migration) {
	struct vmig_fail_ctx w;
	struct vmig_fault fault;
	struct vmig_fail_counts result;
	int fds;
	int number;
};

FIXTURE_VARIANT(fail_migration) {
	enum vmig_path path;
	const char *policy;
};

FAIL_VARIANTS(fail_migration);

FIXTURE_SETUP(fail_migration)
{
	const struct vmig_attrs attrs = {
		.config_policy = variant->policy, .capture_size = SIZE,
	};
	struct vmig_fail_ctx *w = &self->w;
	const char *missing;

	w->policy = variant->policy;
	w->fresh = FRESH;
	w->fd = -1;
	w->src.dev = VMIG_DEVICE_CLOSED;
	w->dst.dev = VMIG_DEVICE_CLOSED;
	missing = fail_missing(&self->fault, variant->path);
	if (missing)
		SKIP(return, "no %s on this kernel", missing);
	self->fds = vmig_count_fds();
	ASSERT_LT(0, self->fds);
	self->number = vmig_testdev_next_number();
	ASSERT_LE(0, self->number);
	ASSERT_EQ(0, vmig_testdev_open(&w->src, "mtty-2", variant->path, &attrs));
	ASSERT_EQ(0, vmig_testdev_open(&w->dst, "mtty-2", variant->path, &attrs));
}

FIXTURE_TEARDOWN(fail_migration)
{
	struct vmig_fail_ctx *w = &self->w;

	vmig_fault_exit(&self->fault);
	if (w->fd >= 0)
		close(w->fd);
	vmig_bytes_free(&w->stream);
	vmig_testdev_close(&w->src);
	vmig_testdev_close(&w->dst);
}

static int state_is(struct vmig_device *dev, enum vfio_device_mig_state want)
{
	enum vfio_device_mig_state state;
	int ret;

	ret = vmig_mig_get_state(dev, &state);
	return ret ? ret : state == want;
}

static void close_data(struct vmig_fail_ctx *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

/*
 * ENOMEM: the state has not changed. EFAULT: it may have changed, and a new data_fd is
 * lost, because it could not be copied to the user.
 */
static int unset_state(struct vmig_device *dev, int err,
		       enum vfio_device_mig_state from,
		       enum vfio_device_mig_state to)
{
	int at_from = state_is(dev, from);
	int at_to = state_is(dev, to);

	if (at_from < 0 || at_to < 0)
		return -EIO;
	if (err == -ENOMEM)
		return at_from ? 0 : -EUCLEAN;
	if (!err)
		return at_to ? 0 : -EUCLEAN;
	return at_from || at_to ? 0 : -EUCLEAN;
}

static int pre_copy(struct vmig_fail_ctx *w)
{
	return vmig_mig_set_state(&w->src.dev, VFIO_DEVICE_STATE_PRE_COPY, &w->fd);
}

/* A write from now on makes a page dirty: use one that was never written */
static int is_tracked(struct vmig_fail_ctx *w)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info) };
	int ret;

	ret = vmig_region_write(&w->src.dev, BAR2, w->fresh, "", 1);
	w->fresh += getpagesize();
	if (!ret)
		ret = vmig_precopy_info(w->fd, &info);
	if (ret)
		return ret;
	return info.initial_bytes && info.dirty_bytes ? 0 : -EUCLEAN;
}

static int unpre_copy(struct vmig_fail_ctx *w, int ret)
{
	/* A call that returns 0 must track dirty pages */
	if (!ret && is_tracked(w))
		return -EUCLEAN;
	close_data(w);
	ret = unset_state(&w->src.dev, ret, VFIO_DEVICE_STATE_RUNNING,
			  VFIO_DEVICE_STATE_PRE_COPY);
	return ret ? ret : vmig_mig_set_state(&w->src.dev,
					      VFIO_DEVICE_STATE_RUNNING, NULL);
}

static int get_precopy_info(struct vmig_fail_ctx *w)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info) };
	int ret;

	ret = vmig_precopy_info(w->fd, &info);
	return ret || info.initial_bytes ? ret : -EUCLEAN;
}

static int opt_in(struct vmig_fail_ctx *w)
{
	int ret;

	ret = vmig_config_opt_in_own(&w->src.dev);
	return ret ? ret : vmig_config_opt_in_own(&w->dst.dev);
}

static int ask(struct vmig_fail_ctx *w)
{
	struct vmig_config_answer answer = { 0 };
	uint64_t bytes = 0, flags = 0;
	uint8_t config[256] = { 0 };
	int ret;

	ret = vmig_config_query(&w->src.dev, &answer);
	if (!ret)
		ret = vmig_mig_get_flags(&w->src.dev, &flags);
	if (!ret)
		ret = vmig_mig_data_size(&w->src.dev, &bytes);
	if (!ret)
		ret = vmig_region_read(&w->src.dev,
				       VFIO_PCI_CONFIG_REGION_INDEX, 0,
				       config, sizeof(config));
	/* A call that returns 0 must return all values */
	if (!ret && (!answer.size || !flags || !bytes || !config[PCI_VENDOR_ID]))
		ret = -EUCLEAN;
	return ret;
}

static int get_config(struct vmig_fail_ctx *w)
{
	int ret;

	memset(&w->config, 0, sizeof(w->config));
	ret = vmig_config_get(w->fd, &w->config);
	if (!ret && w->config.data[PCI_INTERRUPT_LINE] != LINE)
		ret = -EUCLEAN;
	return ret;
}

/* The user has not got a snapshot, so data that need one cannot be read */
static int unget_config(struct vmig_fail_ctx *w, int ret)
{
	char byte;

	if (!ret || strcmp(w->policy, "before-data"))
		return 0;
	return read(w->fd, &byte, 1) == -1 && errno == ESTALE ? 0 : -EUCLEAN;
}

static int read_data(struct vmig_fail_ctx *w)
{
	ssize_t n;
	int ret;

	ret = vmig_bytes_reserve(&w->stream, CHUNK);
	if (ret)
		return ret;
	n = read(w->fd, w->stream.data + w->stream.len, CHUNK);
	if (n < 0)
		return errno == ENOMSG ? 0 : -errno;
	w->stream.len += n;
	return n ? VMIG_FAIL_EACH_MORE : 0;
}

static int write_again(struct vmig_fail_ctx *w)
{
	return vmig_region_write(&w->src.dev, BAR2, NEAR, "again", 5);
}

static int stop_copy(struct vmig_fail_ctx *w)
{
	return vmig_mig_set_state(&w->src.dev, VFIO_DEVICE_STATE_STOP_COPY, NULL);
}

static int unstop_copy(struct vmig_fail_ctx *w, int ret)
{
	return unset_state(&w->src.dev, ret, VFIO_DEVICE_STATE_PRE_COPY,
			   VFIO_DEVICE_STATE_STOP_COPY);
}

static int save_end(struct vmig_fail_ctx *w)
{
	return vmig_mig_set_state(&w->src.dev, VFIO_DEVICE_STATE_STOP, NULL);
}

static int close_fd(struct vmig_fail_ctx *w)
{
	close_data(w);
	return 0;
}

static int resuming(struct vmig_fail_ctx *w)
{
	w->loaded = 0;
	return vmig_mig_set_state(&w->dst.dev, VFIO_DEVICE_STATE_RESUMING, &w->fd);
}

/* The way from RUNNING to RESUMING is by STOP, where it may have ended */
static int unresuming(struct vmig_fail_ctx *w, int ret)
{
	int stopped = state_is(&w->dst.dev, VFIO_DEVICE_STATE_STOP);

	close_data(w);
	if (stopped != 1) {
		ret = unset_state(&w->dst.dev, ret, VFIO_DEVICE_STATE_RUNNING,
				  VFIO_DEVICE_STATE_RESUMING);
		if (ret)
			return ret;
	}
	return vmig_device_reset(&w->dst.dev);
}

static int load_config(struct vmig_fail_ctx *w)
{
	return vmig_config_set(w->fd, &w->config);
}

/* Loaded, or nothing has changed */
static int unload_config(struct vmig_fail_ctx *w, int ret)
{
	uint8_t line;

	if (!ret)
		return 0;
	ret = vmig_config_read8(&w->dst.dev, PCI_INTERRUPT_LINE, &line);
	return ret || !line ? ret : -EUCLEAN;
}

static int config_first(struct vmig_fail_ctx *w)
{
	return strcmp(w->policy, "before-data") ? 0 : load_config(w);
}

static int config_last(struct vmig_fail_ctx *w)
{
	return strcmp(w->policy, "independent") &&
	       strcmp(w->policy, "reorder") ? 0 : load_config(w);
}

static int write_data(struct vmig_fail_ctx *w)
{
	size_t left = w->stream.len - w->loaded;
	ssize_t n;

	n = write(w->fd, w->stream.data + w->loaded, left < CHUNK ? left : CHUNK);
	if (n < 0)
		return -errno;
	w->loaded += n;
	return w->loaded < w->stream.len ? VMIG_FAIL_EACH_MORE : 0;
}

/* A refused stream stays refused, so all of it must be written again */
static int unwrite_data(struct vmig_fail_ctx *w, int ret)
{
	if (ret != -ENOMEM)
		return 0;
	if (write(w->fd, "", 1) != -1 || errno != ENOMEM ||
	    vmig_mig_set_state(&w->dst.dev, VFIO_DEVICE_STATE_STOP, NULL) !=
			       -ENOMEM ||
	    state_is(&w->dst.dev, VFIO_DEVICE_STATE_ERROR) != 1)
		return -EUCLEAN;
	close_data(w);
	ret = vmig_device_reset(&w->dst.dev);
	return ret ? ret : 2;
}

static int check_data(struct vmig_fail_ctx *w)
{
	return vmig_check_data(w->fd);
}

static int load_end(struct vmig_fail_ctx *w)
{
	return vmig_mig_set_state(&w->dst.dev, VFIO_DEVICE_STATE_STOP, NULL);
}

static int unload_end(struct vmig_fail_ctx *w, int ret)
{
	return unset_state(&w->dst.dev, ret, VFIO_DEVICE_STATE_RESUMING,
			   VFIO_DEVICE_STATE_STOP);
}

static int run(struct vmig_fail_ctx *w)
{
	return vmig_mig_set_state(&w->dst.dev, VFIO_DEVICE_STATE_RUNNING, NULL);
}

static const struct vmig_step migration[] = {
	{ "SET MIG_CONFIG", opt_in },
	{ "PRE_COPY", pre_copy, unpre_copy },
	{ "GET_PRECOPY_INFO", get_precopy_info },
	{ "MIG_CONFIG, MIGRATION, MIG_DATA_SIZE", ask },
	{ "GET_CONFIG", get_config, unget_config },
	{ "read() in PRE_COPY", read_data },
	{ "write a page again", write_again },
	{ "STOP_COPY", stop_copy, unstop_copy },
	{ "read() in STOP_COPY", read_data },
	{ "GET_CONFIG at the end", get_config },
	{ "STOP after STOP_COPY", save_end },
	{ "close of the saving data_fd", close_fd },
	{ "RESUMING", resuming, unresuming },
	{ "SET_CONFIG before data", config_first, unload_config },
	{ "write()", write_data, unwrite_data },
	{ "SET_CONFIG at last", config_last, unload_config },
	{ "CHECK_DATA", check_data },
	{ "STOP after RESUMING", load_end, unload_end },
	{ "close of the resuming data_fd", close_fd },
	{ "RUNNING", run },
};

/* Driver: a migration in which everything fails once transfers everything */
TEST_F_TIMEOUT(fail_migration, all_of_it_arrives, TIMEOUT_S)
{
	uint8_t page[6] = "far", seen[6] = "", line = 0;
	struct vmig_fail_ctx *w = &self->w;

	ASSERT_RET(0, vmig_contents_set(&w->src.dev, PORTS, SEED), "contents");
	ASSERT_RET(0, vmig_config_write8(&w->src.dev, PCI_INTERRUPT_LINE, LINE),
		   "config space");
	ASSERT_RET(0, vmig_region_write(&w->src.dev, BAR2, FAR, page,
					sizeof(page)), "far");
	ASSERT_RET(0, vmig_fail_each(&self->result, &self->fault, migration,
				     ARRAY_SIZE(migration), w), "%s",
		   self->result.why);

	EXPECT_CONTENTS(&w->dst.dev, PORTS, SEED);
	EXPECT_RET(0, vmig_region_read(&w->dst.dev, BAR2, FAR, seen,
				       sizeof(seen)), "far");
	EXPECT_EQ(0, memcmp(page, seen, sizeof(page)));
	EXPECT_RET(0, vmig_region_read(&w->dst.dev, BAR2, NEAR, seen, 5), "near");
	EXPECT_EQ(0, memcmp("again", seen, 5));
	EXPECT_RET(0, vmig_config_read8(&w->dst.dev, PCI_INTERRUPT_LINE, &line),
		   "config space");
	EXPECT_EQ(LINE, line);
	vmig_testdev_close(&w->src);
	vmig_testdev_close(&w->dst);
	EXPECT_FREED(self->number);
	EXPECT_EQ(self->fds, vmig_count_fds());
	EXPECT_LT(0, self->result.no_memory);
	EXPECT_LT(0, self->result.bad_address);
	TH_LOG(VMIG_FAIL_EACH_FMT, VMIG_FAIL_EACH_ARG(&self->result));
}

TEST_HARNESS_MAIN
