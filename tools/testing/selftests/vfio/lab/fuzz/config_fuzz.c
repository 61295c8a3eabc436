// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compares mig_config.c with a model of uapi/linux/vfio_mig_config.h.
 *
 * The input is a sequence of operations on three devices, see config_ops.h.  Each device can
 * be a source or a destination, and gets snapshots and records of all of them in any order.
 */
#include <errno.h>
#include <string.h>

#include "config_model.h"
#include "config_ops.h"
#include "fuzz.h"
#include "mig_config.h"

#define SIZE		256
#define MAX_IDS		250

enum session { NO_SESSION, SAVING, RESUMING };

struct device {
	struct mig_config config;
	struct config_model model;
	enum session session;
	/* Saving */
	u64 got;
	struct config_content model_got;
	/* Resuming */
	struct mig_config_load load;
	struct config_model_load model_load;
};

/* An identity that a device has had, and what it stands for */
struct identity {
	struct mig_config_id id;
	struct config_content content;
};

struct run {
	struct device device[CONFIG_OP_DEVICES];
	unsigned int openings;
	struct identity identity[MAX_IDS];
	size_t nr_ids;
};

static bool is_same_id(struct mig_config_id a, struct mig_config_id b)
{
	return a.source == b.source && a.version == b.version;
}

/* The content is new, so its identity must be */
static void add_identity(struct run *run, const struct device *device)
{
	const struct mig_config_id *id = &device->config.id;
	size_t i;

	FUZZ_CHECK(id->source && id->version, "no identity");
	for (i = 0; i < run->nr_ids; i++)
		FUZZ_CHECK(!is_same_id(run->identity[i].id, *id),
			   "two contents with the identity %#llx %llu",
			   id->source, id->version);
	run->identity[run->nr_ids++] = (struct identity) {
		.id = *id,
		.content = device->model.now,
	};
}

static struct identity pick(const struct run *run, u8 number)
{
	struct identity it = run->identity[run->nr_ids - 1 -
					   number % run->nr_ids];

	if (number < CONFIG_OP_NO_VERSION)
		return it;

	memset(&it.content, 0, sizeof(it.content));
	if (number != CONFIG_OP_NO_VERSION)
		it.id.source = 0;
	if (number != CONFIG_OP_NO_SOURCE)
		it.id.version = 0;

	return it;
}

/* Random numbers that differ in few bits, below or above the middle */
static u64 new_source(unsigned int opening)
{
	return opening & 1 ? opening : (u64)opening << 32;
}

static void do_open(struct run *run, struct device *device)
{
	device->session = NO_SESSION;
	device->model.opted_in = false;
	device->model.now.opening = ++run->openings;
	device->model.now.nr = 1;
	mig_config_open(&device->config, new_source(run->openings));
	add_identity(run, device);
}

static void do_opt_in(struct device *device, u8 argument)
{
	struct vfio_device_feature_mig_config answer = {
		.need = CONFIG_OP_NEED(argument),
		.size = CONFIG_OP_SIZE(argument),
	};
	bool has_session = device->session != NO_SESSION;
	int ret = mig_config_opt_in(&device->config, &answer, has_session);
	int want = config_model_opt_in(&device->model, answer.need, answer.size,
				       has_session);

	FUZZ_CHECK(ret == want, "%d, not %d", ret, want);
}

static void do_change(struct run *run, struct device *device)
{
	device->model.now.nr++;
	mig_config_changed(&device->config);
	add_identity(run, device);
}

static void do_begin(struct device *device, enum session session)
{
	device->session = session;
	device->got = 0;
	memset(&device->model_got, 0, sizeof(device->model_got));
	memset(&device->load, 0, sizeof(device->load));
	memset(&device->model_load, 0, sizeof(device->model_load));
}

static void do_get(struct device *device)
{
	if (device->session != SAVING || !device->config.opted_in)
		return;
	device->got = device->config.id.version;
	device->model_got = device->model.now;
}

static void do_read(const struct device *device)
{
	struct mig_config_id id, want = {};
	int ret, want_ret;

	if (device->session != SAVING)
		return;
	ret = mig_config_check_read(&device->config, device->got);
	want_ret = config_model_read(&device->model, device->model_got);
	FUZZ_CHECK(ret == want_ret, "%d, not %d", ret, want_ret);

	id = mig_config_record_id(&device->config);
	if (config_model_depends(&device->model))
		want = device->config.id;
	FUZZ_CHECK(is_same_id(id, want), "%#llx %llu", id.source, id.version);
}

static void do_set(const struct run *run, struct device *device, u8 number)
{
	const struct config_model_load *load = &device->model_load;
	struct mig_config_load before = device->load;
	struct identity it = pick(run, number);
	int ret, want;

	if (device->session != RESUMING || !device->config.opted_in)
		return;
	ret = mig_config_load_snapshot(&device->config, &device->load, &it.id,
				       load->in_record, load->ended);
	want = config_model_set(&device->model, &device->model_load,
				it.content);
	FUZZ_CHECK(ret == want, "%d, not %d", ret, want);
	FUZZ_CHECK(!ret || !memcmp(&before, &device->load, sizeof(before)),
		   "%d, and the session has changed", ret);
}

static void do_head(const struct run *run, struct device *device, u8 number)
{
	struct mig_config_load before = device->load;
	struct identity it = pick(run, number);
	int ret, want;

	/* The parser of the driver refuses half an identity, and data after the end */
	if (device->session != RESUMING || device->model_load.in_record ||
	    device->model_load.ended || !it.id.source != !it.id.version)
		return;
	ret = mig_config_check_write(&device->config, &device->load);
	if (!ret)
		ret = mig_config_load_record(&device->config, &device->load,
					     &it.id);
	want = config_model_write(&device->model, &device->model_load,
				  it.content);
	FUZZ_CHECK(ret == want, "%d, not %d", ret, want);
	FUZZ_CHECK(!ret || !memcmp(&before, &device->load, sizeof(before)),
		   "%d, and the session has changed", ret);
}

static void do_body(struct device *device, bool is_last)
{
	if (!device->model_load.in_record)
		return;
	device->model_load.in_record = false;
	device->model_load.ended = is_last;
}

/* The change from RESUMING to STOP, and the promise of all rules */
static void check_end(const struct device *device)
{
	const struct config_model_load *load = &device->model_load;
	int ret, want;

	if (device->session != RESUMING || !load->ended)
		return;
	ret = mig_config_check_end(&device->config, &device->load);
	want = config_model_end(&device->model, load);
	FUZZ_CHECK(ret == want, "%d, not %d", ret, want);
	FUZZ_CHECK(ret || !config_model_depends(&device->model) ||
		   config_model_same(load->snapshot, load->record),
		   "data and config space do not belong together");
}

static void do_bits(const u8 *arguments)
{
	size_t size = CONFIG_OP_BITS_SIZE;
	u8 *space = fuzz_alloc(3 * size);
	int ret, want;

	memcpy(space, arguments, 3 * size);
	for (size = 0; size <= CONFIG_OP_BITS_SIZE; size++) {
		ret = mig_config_check_bits(space, space + CONFIG_OP_BITS_SIZE,
					    space + 2 * CONFIG_OP_BITS_SIZE,
					    size);
		want = config_model_fits(space, space + CONFIG_OP_BITS_SIZE,
					 space + 2 * CONFIG_OP_BITS_SIZE,
					 size) ? 0 : -EINVAL;
		FUZZ_CHECK(ret == want, "%d, not %d", ret, want);
	}
	free(space);
}

/* Number of argument bytes */
static size_t operands(enum config_op op)
{
	switch (op) {
	case CONFIG_OP_OPT_IN:
	case CONFIG_OP_SET:
	case CONFIG_OP_HEAD:
		return 1;
	case CONFIG_OP_BITS:
		return 3 * CONFIG_OP_BITS_SIZE;
	default:
		return 0;
	}
}

static void do_op(struct run *run, u8 byte, const u8 *operand)
{
	struct device *device = &run->device[CONFIG_OP_DEVICE(byte)];

	switch (CONFIG_OP_OF(byte)) {
	case CONFIG_OP_OPEN:
		do_open(run, device);
		break;
	case CONFIG_OP_OPT_IN:
		do_opt_in(device, *operand);
		break;
	case CONFIG_OP_CHANGE:
		do_change(run, device);
		break;
	case CONFIG_OP_SAVE:
		do_begin(device, SAVING);
		break;
	case CONFIG_OP_RESUME:
		do_begin(device, RESUMING);
		break;
	case CONFIG_OP_STOP:
		device->session = NO_SESSION;
		break;
	case CONFIG_OP_GET:
		do_get(device);
		break;
	case CONFIG_OP_READ:
		do_read(device);
		break;
	case CONFIG_OP_SET:
		do_set(run, device, *operand);
		break;
	case CONFIG_OP_HEAD:
		do_head(run, device, *operand);
		break;
	case CONFIG_OP_BODY:
		do_body(device, false);
		break;
	case CONFIG_OP_END:
		do_body(device, true);
		break;
	default:
		do_bits(operand);
	}
}

static void check(const struct run *run)
{
	const struct device *device;

	for (device = run->device; device < run->device + CONFIG_OP_DEVICES;
	     device++) {
		FUZZ_CHECK(device->config.need == device->model.need &&
			   device->config.size == device->model.size,
			   "the answer has changed");
		FUZZ_CHECK(device->config.opted_in == device->model.opted_in,
			   "opted in: %d", device->config.opted_in);
		FUZZ_CHECK(mig_config_depends(&device->config) ==
			   config_model_depends(&device->model),
			   "need %u", device->config.need);
		check_end(device);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct run run = {};
	unsigned int i;

	if (!size)
		return 0;
	for (i = 0; i < CONFIG_OP_DEVICES; i++) {
		bool is_last = i == CONFIG_OP_DEVICES - 1;
		struct device *device = &run.device[i];

		device->config.need = (is_last ? *data >> 2 : *data) & 3;
		device->config.size = SIZE;
		device->model.need = device->config.need;
		device->model.size = SIZE;
		do_open(&run, device);
	}
	check(&run);
	data++;
	size--;

	while (size && size - 1 >= operands(CONFIG_OP_OF(*data)) &&
	       run.nr_ids < MAX_IDS) {
		size_t len = 1 + operands(CONFIG_OP_OF(*data));

		do_op(&run, *data, data + 1);
		check(&run);
		data += len;
		size -= len;
	}

	return 0;
}
