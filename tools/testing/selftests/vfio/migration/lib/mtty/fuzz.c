// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mtty_format.h"

#include "fuzz_int.h"
#include "lib/vfio/irq.h"
#include "lib/vfio/util.h"

#define REGION(index)	((uint64_t)(index) << 40)

/* Mostly small, sometimes a limit, sometimes random */
static uint64_t any_number(struct vmig_fuzz *fuzz)
{
	static const uint64_t edges[] = {
		0, 1, 0xff, 0x100, 0xffff, 0x7fffffff, 0xffffffff, 0x100000000,
		INT64_MAX, UINT64_MAX,
	};

	switch (vmig_fuzz_pick(fuzz, 4)) {
	case 0:
		return edges[vmig_fuzz_pick(fuzz, ARRAY_SIZE(edges))];
	case 1:
		return (uint64_t)rand_r(&fuzz->seed) << 32 ^
		       rand_r(&fuzz->seed);
	default:
		return vmig_fuzz_pick(fuzz, 20);
	}
}

static void any_bytes(struct vmig_fuzz *fuzz, void *data, size_t len)
{
	uint8_t *byte = data;

	while (len--)
		*byte++ = rand_r(&fuzz->seed);
}

/* A call, and each errno that the uAPI or the documentation of the device has for it */
struct fuzz_call {
	const char *name;
	int refusals[8];
};

static const struct fuzz_call set_state_call = {
	"SET MIG_DEVICE_STATE",
	/* The change to STOP repeats the errno of a refused write() */
	{ EINVAL, ENODATA, ESTALE, EBADMSG, EOPNOTSUPP, EXDEV },
};

static const struct fuzz_call read_data_call = {
	"read() of the data_fd", { EFAULT, ENODEV, ENOMSG, ESTALE, EBADF },
};

static const struct fuzz_call write_data_call = {
	"write() to the data_fd",
	{ EBADMSG, EOPNOTSUPP, EXDEV, EINVAL, EPROTO, ESTALE, ENODEV, EBADF },
};

/* ENOTTY in the other direction, or without the opt-in */
static const struct fuzz_call get_config_call = {
	"GET_CONFIG", { EINVAL, EFAULT, ENODEV, ENOTTY },
};

static const struct fuzz_call set_config_call = {
	"SET_CONFIG", { EINVAL, ESTALE, EBUSY, EFAULT, ENODEV, ENOTTY },
};

static const struct fuzz_call check_data_call = {
	"CHECK_DATA",
	{ ENODATA, ESTALE, EBADMSG, EOPNOTSUPP, EXDEV, EINVAL, ENODEV, ENOTTY },
};

static const struct fuzz_call plain_call = {
	"MIG_CONFIG on a data_fd without the opt-in", { ENOTTY },
};

static const struct fuzz_call data_fd_call = {
	"ioctl() of the data_fd", { EINVAL, ENOTTY },
};

static const struct fuzz_call poll_call = { "poll()", { 0 } };

static const struct fuzz_call opt_in_call = {
	"SET MIG_CONFIG", { EINVAL, EOPNOTSUPP, EBUSY },
};

static const struct fuzz_call feature_call = {
	"VFIO_DEVICE_FEATURE", { EINVAL, ENOTTY, EFAULT, EOPNOTSUPP, EBUSY },
};

/* EBUSY: config space belongs to the resuming session */
static const struct fuzz_call region_call = {
	"access to a region", { EINVAL, EBUSY },
};

static const struct fuzz_call mmap_call = { "mmap()", { EINVAL } };

static const struct fuzz_call set_irqs_call = {
	"SET_IRQS", { EINVAL, ENOTTY, EBADF },
};

static const struct fuzz_call info_call = {
	"an info ioctl", { EINVAL, ENOTTY },
};

static bool is_documented(const struct fuzz_call *call, int error)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(call->refusals) && call->refusals[i]; i++)
		if (error == call->refusals[i])
			return true;
	/* Any call may run out of memory */
	return error == ENOMEM;
}

static int check_answer(struct vmig_fuzz *fuzz, const struct fuzz_call *call, long ret)
{
	int error = errno;

	if (ret >= 0)
		return vmig_fuzz_result(fuzz, 0, "%s", call->name);
	if (is_documented(call, error))
		return vmig_fuzz_result(fuzz, 0, "%s: %s", call->name,
					strerror(error));
	return vmig_fuzz_result(fuzz, -EPROTO, "%s: unexpected: %s", call->name,
				strerror(error));
}

static void drop_data_fd(struct vmig_fuzz *fuzz)
{
	if (fuzz->data_fd >= 0)
		close(fuzz->data_fd);
	fuzz->data_fd = -1;
}

/* A random state; but mostly STOP after a whole stream, which completes its check */
static unsigned int choose_state(struct vmig_fuzz *fuzz)
{
	if (fuzz->pos && fuzz->pos == fuzz->candidate.len &&
	    vmig_fuzz_pick(fuzz, 8))
		return VFIO_DEVICE_STATE_STOP;
	if (!vmig_fuzz_pick(fuzz, 12))
		return any_number(fuzz);
	if (!vmig_fuzz_pick(fuzz, 3))
		return VFIO_DEVICE_STATE_RESUMING;
	return vmig_fuzz_pick(fuzz, VFIO_DEVICE_STATE_NR + 1);
}

/* CHECK_DATA returned @check: the change to STOP that follows must return the same */
static bool check_was_right(const struct vmig_fuzz *fuzz, int check, int ret)
{
	return fuzz->shared || !fuzz->opt_in || check == ret || ret == -ENOMEM;
}

static int change_state(struct vmig_fuzz *fuzz)
{
	unsigned int target = choose_state(fuzz);
	enum vfio_device_mig_state before, state;
	int check = 0, data_fd, ret;
	bool loads;

	ret = vmig_mig_get_state(fuzz->dev, &before);
	if (ret)
		return vmig_fuzz_result(fuzz, -EPROTO, "no state: %s",
					strerror(-ret));
	loads = before == VFIO_DEVICE_STATE_RESUMING &&
		target == VFIO_DEVICE_STATE_STOP && fuzz->data_fd >= 0;
	if (loads)
		check = vmig_check_data(fuzz->data_fd);
	ret = vmig_mig_set_state(fuzz->dev, target, &data_fd);
	if (loads && !check_was_right(fuzz, check, ret))
		return vmig_fuzz_result(fuzz, -EUCLEAN,
					"CHECK_DATA returned %d, STOP %d", check, ret);
	if (!ret && data_fd >= 0) {
		drop_data_fd(fuzz);
		fuzz->data_fd = data_fd;
		vmig_fuzz_stream_begin(fuzz);
	}
	if (!ret && target == VFIO_DEVICE_STATE_STOP &&
	    before == VFIO_DEVICE_STATE_RESUMING && !fuzz->shared)
		return vmig_fuzz_stream_accepted(fuzz);
	errno = -ret;
	ret = check_answer(fuzz, &set_state_call, ret);
	if (!ret && vmig_mig_get_state(fuzz->dev, &state))
		return vmig_fuzz_result(fuzz, -EPROTO, "no state afterwards");
	return ret;
}

static int read_data(struct vmig_fuzz *fuzz)
{
	static uint8_t buf[1 << 17];
	size_t len = vmig_fuzz_pick(fuzz, 3) ?
		     1 + vmig_fuzz_pick(fuzz, 300) : sizeof(buf);
	void *to = vmig_fuzz_pick(fuzz, 50) ? buf : NULL;

	return check_answer(fuzz, &read_data_call,
			    read(fuzz->data_fd, to, len));
}

static int write_data(struct vmig_fuzz *fuzz)
{
	size_t len;
	ssize_t done;
	int ret;

	if (fuzz->pos == fuzz->candidate.len) {
		ret = vmig_fuzz_stream_next(fuzz);
		if (ret)
			return vmig_fuzz_result(fuzz, ret, "no stream");
	}
	len = fuzz->candidate.len - fuzz->pos;
	if (!vmig_fuzz_pick(fuzz, 3))
		len = 1 + vmig_fuzz_pick(fuzz, len);
	done = write(fuzz->data_fd, fuzz->candidate.data + fuzz->pos, len);
	if (done > 0) {
		ret = vmig_bytes_add(&fuzz->offered,
				     fuzz->candidate.data + fuzz->pos, done);
		if (ret)
			return ret;
		fuzz->pos += done;
	}
	return check_answer(fuzz, &write_data_call, done);
}

/* Mostly valid; @size is mostly that of a snapshot */
static void any_config_head(struct vmig_fuzz *fuzz, struct vfio_mig_config *head,
			    uint32_t size)
{
	head->argsz = sizeof(*head) + size;
	head->size = size;
	switch (vmig_fuzz_pick(fuzz, 20)) {
	case 0:
		head->argsz = any_number(fuzz);
		break;
	case 1:
		head->flags = any_number(fuzz);
		break;
	case 2:
		head->reserved = any_number(fuzz);
		break;
	case 3:
		head->size = any_number(fuzz);
		break;
	}
}

/* @done: set to whether the call has succeeded */
static int config_call(struct vmig_fuzz *fuzz, const struct fuzz_call *call,
		       unsigned long cmd, void *arg, bool *done)
{
	long ret;

	ret = ioctl(fuzz->data_fd, cmd, vmig_fuzz_pick(fuzz, 50) ? arg : NULL);
	*done = !ret;
	return check_answer(fuzz, fuzz->opt_in ? call : &plain_call, ret);
}

/* A recorded snapshot, mostly that of the current stream, or almost that */
static int load_config(struct vmig_fuzz *fuzz)
{
	const struct vmig_snapshot *from;
	struct vmig_snapshot *loaded;
	struct {
		struct vfio_mig_config head;
		uint8_t data[256];
	} arg = {};
	bool done;
	int ret;

	from = &fuzz->config[vmig_fuzz_pick(fuzz, 4) ? fuzz->chosen :
			     vmig_fuzz_pick(fuzz, VMIG_FUZZ_STREAMS)];
	any_config_head(fuzz, &arg.head, sizeof(arg.data));
	memcpy(arg.head.id, from->id, sizeof(arg.head.id));
	memcpy(arg.data, from->data, sizeof(arg.data));
	if (!vmig_fuzz_pick(fuzz, 6))
		arg.head.id[vmig_fuzz_pick(fuzz, sizeof(arg.head.id))] ^=
			1 << vmig_fuzz_pick(fuzz, 8);
	if (!vmig_fuzz_pick(fuzz, 6))
		arg.data[vmig_fuzz_pick(fuzz, sizeof(arg.data))] ^=
			1 << vmig_fuzz_pick(fuzz, 8);
	fuzz->config_touched = true;
	ret = config_call(fuzz, &set_config_call, VFIO_MIG_SET_CONFIG, &arg, &done);
	if (done) {
		loaded = &fuzz->loaded[fuzz->loads++ % VMIG_FUZZ_LOADS];
		loaded->size = sizeof(arg.data);
		memcpy(loaded->id, arg.head.id, sizeof(loaded->id));
		memcpy(loaded->data, arg.data, sizeof(arg.data));
	}
	return ret;
}

/* The same identity must be that of the same content */
static int get_config(struct vmig_fuzz *fuzz)
{
	struct {
		struct vfio_mig_config head;
		uint8_t data[256];
	} arg = {};
	struct vmig_snapshot *got = &fuzz->got;
	bool done;
	int ret;

	any_config_head(fuzz, &arg.head, sizeof(arg.data));
	ret = config_call(fuzz, &get_config_call, VFIO_MIG_GET_CONFIG, &arg, &done);
	if (!done)
		return ret;
	if (got->size && !memcmp(got->id, arg.head.id, sizeof(got->id)) &&
	    memcmp(got->data, arg.data, sizeof(arg.data)))
		return vmig_fuzz_result(fuzz, -EUCLEAN,
					"GET_CONFIG: one identity of two contents");
	got->size = arg.head.size;
	memcpy(got->id, arg.head.id, sizeof(got->id));
	memcpy(got->data, arg.data, sizeof(arg.data));
	return 0;
}

static int check_data(struct vmig_fuzz *fuzz)
{
	bool done;

	return config_call(fuzz, &check_data_call, VFIO_MIG_CHECK_DATA, NULL, &done);
}

/* The device's own answer, or almost that, which must be refused */
static int opt_in(struct vmig_fuzz *fuzz)
{
	bool change = !fuzz->opt_in || vmig_fuzz_pick(fuzz, 2);
	struct vmig_config_answer answer;
	uint32_t *word;
	int ret;

	ret = vmig_config_query(fuzz->dev, &answer);
	if (ret)
		return vmig_fuzz_result(fuzz, -EPROTO, "GET MIG_CONFIG: %s",
					strerror(-ret));
	word = vmig_fuzz_pick(fuzz, 2) ? &answer.need : &answer.size;
	if (change)
		*word ^= 1u << vmig_fuzz_pick(fuzz, 32);
	ret = vmig_config_opt_in(fuzz->dev, &answer);
	if (change && !ret)
		return vmig_fuzz_result(fuzz, -EUCLEAN,
					"SET MIG_CONFIG: need %u, size %u is accepted",
					answer.need, answer.size);
	errno = -ret;
	return check_answer(fuzz, &opt_in_call, ret);
}

static int access_region(struct vmig_fuzz *fuzz)
{
	unsigned int index = vmig_fuzz_pick(fuzz, VFIO_PCI_NUM_REGIONS + 2);
	uint64_t at = any_number(fuzz);
	bool is_write = vmig_fuzz_pick(fuzz, 2);
	uint8_t buf[600];
	size_t len = vmig_fuzz_pick(fuzz, 3) ? 1u << vmig_fuzz_pick(fuzz, 4) :
					       vmig_fuzz_pick(fuzz, sizeof(buf));
	ssize_t ret;

	if (index == VFIO_PCI_BAR2_REGION_INDEX && vmig_fuzz_pick(fuzz, 2))
		at += MTTY_CAP_LOG_OFFSET * vmig_fuzz_pick(fuzz, 16);
	any_bytes(fuzz, buf, len);
	fuzz->memory_touched |= is_write && index <= VFIO_PCI_BAR2_REGION_INDEX;
	fuzz->config_touched |= is_write &&
				index == VFIO_PCI_CONFIG_REGION_INDEX;
	ret = is_write ? pwrite(fuzz->dev->fd, buf, len, REGION(index) + at) :
			 pread(fuzz->dev->fd, buf, len, REGION(index) + at);
	return check_answer(fuzz, &region_call, ret);
}

static int map_memory(struct vmig_fuzz *fuzz)
{
	size_t len = 4096 * (1 + vmig_fuzz_pick(fuzz, 4));
	uint64_t at = REGION(VFIO_PCI_BAR2_REGION_INDEX) +
		      4096 * vmig_fuzz_pick(fuzz, 20);
	uint8_t *mem, *byte;

	mem = mmap(NULL, len, PROT_READ | PROT_WRITE,
		   vmig_fuzz_pick(fuzz, 8) ? MAP_SHARED : MAP_PRIVATE,
		   fuzz->dev->fd, at);
	if (mem == MAP_FAILED)
		return check_answer(fuzz, &mmap_call, -1);
	if (vmig_fuzz_pick(fuzz, 2)) {
		byte = mem + vmig_fuzz_pick(fuzz, len);
		__atomic_store_n(byte, 1, __ATOMIC_RELAXED);
		fuzz->memory_touched = true;
	}
	munmap(mem, len);
	return check_answer(fuzz, &mmap_call, 0);
}

static int set_irqs(struct vmig_fuzz *fuzz)
{
	struct {
		struct vfio_irq_set set;
		int32_t data[8];
	} irqs = {};

	irqs.set.argsz = vmig_fuzz_pick(fuzz, 5) ? sizeof(irqs) :
						   any_number(fuzz);
	irqs.set.flags = vmig_fuzz_pick(fuzz, 5) ?
			 1u << vmig_fuzz_pick(fuzz, 3) |
			 8u << vmig_fuzz_pick(fuzz, 3) : any_number(fuzz);
	irqs.set.index = vmig_fuzz_pick(fuzz, 6);
	irqs.set.start = vmig_fuzz_pick(fuzz, 5) ? 0 : any_number(fuzz);
	irqs.set.count = vmig_fuzz_pick(fuzz, 5) ? vmig_fuzz_pick(fuzz, 2) :
						   any_number(fuzz);
	any_bytes(fuzz, irqs.data, sizeof(irqs.data));
	if (vmig_fuzz_pick(fuzz, 4))
		irqs.data[0] = vmig_fuzz_pick(fuzz, 2) ? fuzz->eventfd : -1;
	fuzz->irqs_touched = true;
	return check_answer(fuzz, &set_irqs_call,
			    ioctl(fuzz->dev->fd, VFIO_DEVICE_SET_IRQS, &irqs));
}

static int any_feature(struct vmig_fuzz *fuzz)
{
	struct {
		struct vfio_device_feature feature;
		uint8_t data[64];
	} arg;
	long ret;

	any_bytes(fuzz, &arg, sizeof(arg));
	arg.feature.argsz = vmig_fuzz_pick(fuzz, 5) ?
			    sizeof(arg.feature) + 8 * vmig_fuzz_pick(fuzz, 9) :
			    any_number(fuzz);
	arg.feature.flags = vmig_fuzz_pick(fuzz, 14) |
			    vmig_fuzz_pick(fuzz, 8) << 16;
	if (!vmig_fuzz_pick(fuzz, 6))
		arg.feature.flags = VFIO_DEVICE_FEATURE_MIG_CONFIG |
				    vmig_fuzz_pick(fuzz, 8) << 16;
	if (!vmig_fuzz_pick(fuzz, 10))
		arg.feature.flags = any_number(fuzz);
	/* change_state() changes the state, and keeps track of the session */
	if ((arg.feature.flags & VFIO_DEVICE_FEATURE_MASK) ==
	    VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE)
		arg.feature.flags &= ~VFIO_DEVICE_FEATURE_SET;
	ret = ioctl(fuzz->dev->fd, VFIO_DEVICE_FEATURE, &arg);
	/* The argument is larger than the kernel accepts */
	if (ret && errno == E2BIG)
		errno = EINVAL;
	return check_answer(fuzz, &feature_call, ret);
}

static int any_info(struct vmig_fuzz *fuzz)
{
	static const unsigned long calls[] = {
		VFIO_DEVICE_GET_INFO, VFIO_DEVICE_GET_REGION_INFO,
		VFIO_DEVICE_GET_IRQ_INFO, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
		VFIO_MIG_GET_PRECOPY_INFO,
	};
	uint32_t arg[32];

	any_bytes(fuzz, arg, sizeof(arg));
	arg[0] = vmig_fuzz_pick(fuzz, 4) ? sizeof(arg) : any_number(fuzz);
	arg[2] = vmig_fuzz_pick(fuzz, 4) ? vmig_fuzz_pick(fuzz, 10) :
					   any_number(fuzz);
	return check_answer(fuzz, &info_call,
			    ioctl(fuzz->dev->fd,
				  calls[vmig_fuzz_pick(fuzz, ARRAY_SIZE(calls))], arg));
}

static int query_data_fd(struct vmig_fuzz *fuzz)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info) };
	struct pollfd pfd = { .fd = fuzz->data_fd, .events = POLLIN | POLLOUT };
	long ret;

	if (!vmig_fuzz_pick(fuzz, 3))
		return check_answer(fuzz, &poll_call, poll(&pfd, 1, 0));
	if (!vmig_fuzz_pick(fuzz, 3))
		info.argsz = any_number(fuzz);
	ret = vmig_fuzz_pick(fuzz, 5) ?
	      ioctl(fuzz->data_fd, VFIO_MIG_GET_PRECOPY_INFO, &info) :
	      ioctl(fuzz->data_fd, any_number(fuzz), &info);
	return check_answer(fuzz, &data_fd_call, ret);
}

static int reset(struct vmig_fuzz *fuzz)
{
	int ret = vmig_device_reset(fuzz->dev);

	return vmig_fuzz_result(fuzz, ret ? -EPROTO : 0, "VFIO_DEVICE_RESET: %s",
				strerror(-ret));
}

static int close_data_fd(struct vmig_fuzz *fuzz)
{
	drop_data_fd(fuzz);
	return vmig_fuzz_result(fuzz, 0, "close() of the data_fd");
}

/* A call is chosen in proportion to its weight */
static const struct {
	int (*call)(struct vmig_fuzz *fuzz);
	unsigned int weight;
	bool needs_data_fd;
} calls[] = {
	{ change_state, 15, false }, { read_data, 12, true },
	{ write_data, 50, true }, { load_config, 12, true },
	{ get_config, 5, true }, { check_data, 3, true }, { opt_in, 3, false },
	{ access_region, 12, false }, { map_memory, 3, false },
	{ set_irqs, 6, false }, { any_feature, 5, false },
	{ any_info, 3, false }, { query_data_fd, 4, true },
	{ reset, 1, false }, { close_data_fd, 1, true },
};

int vmig_fuzz_begin(struct vmig_fuzz *fuzz, struct vmig_device *dev,
		    unsigned int seed)
{
	fuzz->dev = dev;
	fuzz->seed = seed;
	fuzz->data_fd = -1;
	fuzz->candidate.len = 0;
	fuzz->offered.len = 0;
	fuzz->pos = 0;
	fuzz->loads = 0;
	fuzz->eventfd = vmig_eventfd_create();
	return fuzz->eventfd < 0 ? fuzz->eventfd : 0;
}

int vmig_fuzz_step(struct vmig_fuzz *fuzz)
{
	unsigned int i, at, sum = 0;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		sum += calls[i].weight;
	at = vmig_fuzz_pick(fuzz, sum);
	for (i = 0; at >= calls[i].weight; i++)
		at -= calls[i].weight;
	fuzz->steps++;
	/* Mostly complete a stream, so that it is checked */
	if (fuzz->pos && fuzz->data_fd >= 0 && vmig_fuzz_pick(fuzz, 8)) {
		if (fuzz->pos < fuzz->candidate.len)
			return write_data(fuzz);
		return fuzz->opt_in && !vmig_fuzz_pick(fuzz, 3) ?
		       load_config(fuzz) : change_state(fuzz);
	}
	if (calls[i].needs_data_fd && fuzz->data_fd < 0)
		return change_state(fuzz);
	return calls[i].call(fuzz);
}

void vmig_fuzz_end(struct vmig_fuzz *fuzz)
{
	drop_data_fd(fuzz);
	close(fuzz->eventfd);
	vmig_bytes_free(&fuzz->candidate);
	vmig_bytes_free(&fuzz->offered);
}
