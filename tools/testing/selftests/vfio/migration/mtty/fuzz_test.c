// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any call, in any order, with any argument, and streams that are almost good: the
 * device answers with what the uAPI knows, becomes exactly what a stream that it
 * accepts describes, and works as ever after a reset.
 *
 * Usage: fuzz_test [seed=N] [seconds=N] [options of the harness]
 *
 * An episode has a seed of its own, one more than the one before, and is replayed by
 * beginning with it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/vfio_mig_config.h>

#include "lib/mtty.h"

#define PORTS		2
#define SCENE		33
#define STEPS		300
#define TIMEOUT_S	(3600 * 24)

static unsigned int first_seed = 1;
static unsigned int seconds = 1;

FIXTURE(fuzz) {
	struct vmig_testdev td;
	struct vmig_device *dev;
	struct vmig_fuzz fuzz;
};

FIXTURE_VARIANT(fuzz) {
	struct vmig_attrs attrs;
};

#define VARIANT(_name, ...) \
	FIXTURE_VARIANT_ADD(fuzz, _name) { \
		.attrs = { __VA_ARGS__ }, \
	}

VARIANT(independent, .config_policy = "independent", .capture_size = "64K");
VARIANT(before_data, .config_policy = "before-data", .capture_size = "64K");
VARIANT(reorder, .config_policy = "reorder", .capture_size = "64K");
VARIANT(embedded, .config_policy = "embedded", .capture_size = "64K");
VARIANT(no_capture, .config_policy = "independent", .capture_size = "0");
VARIANT(stop_copy_only, .config_policy = "reorder", .capture_size = "8K",
	.features = "stop_copy");

FIXTURE_SETUP(fuzz)
{
	self->dev = &self->td.dev;
	ASSERT_EQ(0, vmig_testdev_open(&self->td, "mtty-2", VMIG_PATH_ANY,
				       &variant->attrs));
	ASSERT_EQ(0, vmig_fuzz_record(&self->fuzz, self->dev));
}

FIXTURE_TEARDOWN(fuzz)
{
	vmig_fuzz_free(&self->fuzz);
	vmig_testdev_close(&self->td);
}

/* Out of the device and, after a reset, into it again */
static void migrate(struct __test_metadata *_metadata, FIXTURE_DATA(fuzz) *self)
{
	struct vfio_device_feature_mig_config config;
	struct vmig_bytes stream = { 0 };
	int fd;

	ASSERT_RET(0, vmig_mig_config_get(self->dev, &config), "query");
	ASSERT_RET(0, vmig_transfer_save(self->dev, &stream), "save");
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RESUMING,
					 &fd), "RESUMING");
	ASSERT_RET(0, vmig_region_write(self->dev, VFIO_PCI_CONFIG_REGION_INDEX,
					0, self->fuzz.config,
					sizeof(self->fuzz.config)), "config");
	if (config.flags & (VFIO_MIG_CONFIG_BEFORE_DATA |
			    VFIO_MIG_CONFIG_REORDER))
		ASSERT_RET(0, vmig_mig_config_loaded(self->dev,
						     config.generation),
			   "loaded");
	EXPECT_RET(0, vmig_transfer_write(fd, stream.data, stream.len,
					  VMIG_TRANSFER_CHUNK, NULL), "load");
	EXPECT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_RUNNING,
					 NULL), "RUNNING");
	close(fd);
	vmig_bytes_free(&stream);
}

/* As if nothing had been */
static void expect_works(struct __test_metadata *_metadata,
			 FIXTURE_DATA(fuzz) *self)
{
	const char *what = "";

	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	EXPECT_STATE(VFIO_DEVICE_STATE_RUNNING, self->dev, "reset");
	EXPECT_RET(0, vmig_contents_check_reset(self->dev, PORTS, &what), "%s",
		   what);
	ASSERT_RET(0, vmig_contents_set(self->dev, PORTS, SCENE), "scene");
	migrate(_metadata, self);
	EXPECT_RET(0, vmig_contents_check(self->dev, PORTS, SCENE, &what), "%s",
		   what);
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

/* Clause: every call of the uAPI: whatever comes, the answer is one that it knows */
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
	} while (vmig_now_ms() < end && !_metadata->exit_code);

	TH_LOG("seeds %u to %u: %llu calls, %llu good streams, %llu mutated, %llu of them accepted",
	       first_seed, seed - 1, (unsigned long long)fuzz->steps,
	       (unsigned long long)fuzz->good_streams,
	       (unsigned long long)fuzz->streams,
	       (unsigned long long)fuzz->accepted);
	/* A user whom nothing is ever granted would have shown little */
	if (seed > first_seed + 20)
		EXPECT_LT(0, fuzz->accepted);
}

/* Takes words of its own out of the command line */
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
