// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any call, in any order, with any argument, and streams that are almost good: the
 * result is one that the uAPI allows, a stream that is accepted is loaded exactly, and
 * after a reset the device works.
 *
 * Usage: fuzz_test [seed=N] [seconds=N] [options of the harness]
 *
 * Each episode has its own seed, one more than the previous one. To repeat an episode,
 * start with its seed.
 */
#include "lib/mtty.h"

#define PORTS		2
#define SEED		33
#define STEPS		300
/* Episodes, at least, and at most until a mutated stream is accepted */
#define MIN_SEEDS	3
#define MAX_SEEDS	200
#define TIMEOUT_S	(3600 * 24)

static unsigned int first_seed = 1;
static unsigned int seconds;

FIXTURE(fuzz) {
	DEVICE_MEMBERS;
	struct vmig_fuzz fuzz;
};

/* @plain: without the opt-in to VFIO_DEVICE_FEATURE_MIG_CONFIG */
FIXTURE_VARIANT(fuzz) {
	struct vmig_attrs attrs;
	bool plain;
};

#define VARIANT(_name, _plain, ...) \
	FIXTURE_VARIANT_ADD(fuzz, _name) { \
		.attrs = { __VA_ARGS__ }, .plain = _plain, \
	}

VARIANT(independent, false, .config_policy = "independent", .capture_size = "64K");
VARIANT(before_data, false, .config_policy = "before-data", .capture_size = "64K");
VARIANT(reorder, false, .config_policy = "reorder", .capture_size = "64K");
VARIANT(embedded, false, .config_policy = "embedded", .capture_size = "64K");
VARIANT(no_capture, false, .config_policy = "independent", .capture_size = "0");
VARIANT(stop_copy_only, false, .config_policy = "reorder", .capture_size = "8K",
	.features = "stop_copy");
VARIANT(plain_before_data, true, .config_policy = "before-data",
	.capture_size = "64K");
VARIANT(plain_embedded, true, .config_policy = "embedded", .capture_size = "64K");

FIXTURE_SETUP(fuzz)
{
	OPEN_DEVICE("mtty-2", .config_policy = variant->attrs.config_policy,
		    .capture_size = variant->attrs.capture_size,
		    .features = variant->attrs.features);
	self->fuzz.opt_in = !variant->plain;
	ASSERT_EQ(0, vmig_fuzz_record(&self->fuzz, self->dev));
}

FIXTURE_TEARDOWN(fuzz)
{
	vmig_fuzz_free(&self->fuzz);
	CLOSE_DEVICE();
}

/* Save, reset, load */
static void migrate(struct __test_metadata *_metadata, FIXTURE_DATA(fuzz) *self)
{
	struct vmig_snapshot config;

	self->stream.len = 0;
	ASSERT_RET(0, vmig_transfer_save_config(self->dev, &config, &self->stream),
		   "save");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &self->fd), "RESUMING");
	if (self->fuzz.opt_in)
		ASSERT_RET(0, vmig_config_set(self->fd, &config), "SET_CONFIG");
	EXPECT_RET(0, vmig_transfer_write(self->fd, self->stream.data, self->stream.len,
					  VMIG_TRANSFER_CHUNK, NULL), "load");
	EXPECT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RUNNING,
					 NULL), "RUNNING");
	close(self->fd);
	self->fd = -1;
}

/* After a reset the device is as if it was never used, and migrates */
static void expect_works(struct __test_metadata *_metadata,
			 FIXTURE_DATA(fuzz) *self)
{
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_STATE(VFIO_DEVICE_STATE_RUNNING, self->dev, "reset");
	EXPECT_RESET_CONTENTS(self->dev, PORTS);
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SEED), "contents");
	migrate(_metadata, self);
	EXPECT_CONTENTS(self->dev, PORTS, SEED);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
}

static int run_episode(struct vmig_fuzz *fuzz, struct vmig_device *dev,
		       unsigned int seed)
{
	unsigned int step;
	int ret;

	ret = vmig_fuzz_begin(fuzz, dev, seed);
	for (step = 0; !ret && step < STEPS; step++)
		ret = vmig_fuzz_step(fuzz);
	vmig_fuzz_end(fuzz);
	return ret;
}

/* Clause: every call of the uAPI, with any argument: the result is one that it allows */
TEST_F_TIMEOUT(fuzz, survives_anything, TIMEOUT_S)
{
	int64_t end = vmig_now_ms() + seconds * 1000;
	unsigned int seed = first_seed;
	struct vmig_fuzz *fuzz = &self->fuzz;

	do {
		EXPECT_RET(0, run_episode(fuzz, self->dev, seed),
			   "seed=%u: %s", seed, fuzz->what);
		expect_works(_metadata, self);
		seed++;
	} while (!_metadata->exit_code &&
		 (vmig_now_ms() < end || seed < first_seed + MIN_SEEDS ||
		  (!fuzz->accepted && seed < first_seed + MAX_SEEDS)));

	TH_LOG("seeds %u to %u: %llu calls, %llu good streams, %llu mutated, %llu of them accepted",
	       first_seed, seed - 1, (unsigned long long)fuzz->steps,
	       (unsigned long long)fuzz->good_streams,
	       (unsigned long long)fuzz->streams,
	       (unsigned long long)fuzz->accepted);
	/* If nothing was accepted, the test has shown little */
	EXPECT_LT(0, fuzz->accepted);
}

/* Removes the program's own words from the command line */
static int take_words(int argc, char **argv)
{
	int i, left = 1;

	for (i = 1; i < argc; i++) {
		if (sscanf(argv[i], "seed=%u", &first_seed) != 1 &&
		    sscanf(argv[i], "seconds=%u", &seconds) != 1)
			argv[left++] = argv[i];
	}
	argv[left] = NULL;
	return left;
}

int main(int argc, char **argv)
{
	argc = take_words(argc, argv);
	return test_harness_run(argc, argv);
}
