// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_FEATURE: its argument, PROBE, features that the device does not have, and
 * the flags of VFIO_DEVICE_FEATURE_MIGRATION.
 */
#include <errno.h>
#include <stddef.h>

#include "uapi.h"

#define GET		VFIO_DEVICE_FEATURE_GET
#define SET		VFIO_DEVICE_FEATURE_SET
#define PROBE		VFIO_DEVICE_FEATURE_PROBE
#define MIGRATION	VFIO_DEVICE_FEATURE_MIGRATION
#define MIG_STATE	VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE
#define HEADER		sizeof(struct vfio_device_feature)

#define PATTERN		0x5a

/* Room for the data of all features that are used here, and more */
union argument {
	struct vfio_device_feature feature;
	struct {
		uint8_t header[HEADER];
		struct vfio_device_feature_mig_state mig;
	};
	uint8_t bytes[128];
};

struct feature {
	const char *name;
	uint32_t has;
	uint32_t index;
	uint32_t operations;
};

static const struct feature features[] = {
	{ "MIGRATION", VMIG_HAS_MIGRATION, MIGRATION, GET },
	{ "MIG_DEVICE_STATE", VMIG_HAS_MIGRATION, MIG_STATE, GET | SET },
	{ "MIG_DATA_SIZE", VMIG_HAS_DATA_SIZE, VFIO_DEVICE_FEATURE_MIG_DATA_SIZE, GET },
	{ "DMA_LOGGING_START", VMIG_HAS_DMA_LOGGING, VFIO_DEVICE_FEATURE_DMA_LOGGING_START,
	  SET },
	{ "DMA_LOGGING_STOP", VMIG_HAS_DMA_LOGGING, VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP,
	  SET },
	{ "DMA_LOGGING_REPORT", VMIG_HAS_DMA_LOGGING, VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT,
	  GET },
};

SUBJECT_FIXTURE(feature);

static int call(struct vmig_device *dev, void *arg)
{
	return vmig_call_ioctl(dev->fd, VFIO_DEVICE_FEATURE, arg) ? -errno : 0;
}

/* The argument is filled with a pattern behind its header */
static int call_sized(struct vmig_device *dev, uint32_t flags, uint32_t argsz,
		      union argument *arg)
{
	memset(arg, PATTERN, sizeof(*arg));
	arg->feature.argsz = argsz;
	arg->feature.flags = flags;
	return call(dev, arg);
}

static bool has_pattern(const union argument *arg, size_t from)
{
	size_t i;

	for (i = from; i < sizeof(*arg); i++) {
		if (arg->bytes[i] != PATTERN)
			return false;
	}
	return true;
}

CLAUSE_TEST_F(feature, short_header, "feature.argsz-header")
{
	static const uint32_t sizes[] = { 0, 1, 4, HEADER - 1 };
	union argument arg;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		EXPECT_REFUSED("errno of an argsz without a whole header",
			       call_sized(self->dev, PROBE | MIGRATION, sizes[i], &arg));
		EXPECT_TRUE(has_pattern(&arg, HEADER));
	}
}

CLAUSE_TEST_F(feature, short_data, "feature.argsz-data")
{
	union argument arg;

	NEED(MIGRATION);
	EXPECT_REFUSED("errno of an argsz without whole data",
		       call_sized(self->dev, GET | MIGRATION, HEADER + 7, &arg));
	EXPECT_TRUE(has_pattern(&arg, HEADER));
	EXPECT_REFUSED("errno of an argsz without whole data",
		       call_sized(self->dev, GET | MIG_STATE, HEADER, &arg));
	EXPECT_TRUE(has_pattern(&arg, HEADER));
}

CLAUSE_TEST_F(feature, short_data_of_set, "feature.argsz-data")
{
	struct vfio_device_feature_mig_state mig = {
		.device_state = VFIO_DEVICE_STATE_STOP,
	};
	enum vfio_device_mig_state before;

	NEED(MIGRATION);
	ASSERT_RET(0, vmig_mig_get_state(self->dev, &before), "GET");
	EXPECT_REFUSED("errno of an argsz without whole data",
		       vmig_feature(self->dev, SET | MIG_STATE, &mig, sizeof(mig) - 1));
	EXPECT_STATE(before, self->dev, "after a short SET");
}

CLAUSE_TEST_F(feature, large_argsz, "feature.argsz-large")
{
	static const uint32_t sizes[] = {
		HEADER + 9, sizeof(union argument), 65536, UINT32_MAX,
	};
	union argument arg;
	unsigned int i;

	NEED(MIGRATION);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		EXPECT_RET(0, call_sized(self->dev, GET | MIGRATION, sizes[i], &arg),
			   "argsz %u", sizes[i]);
		EXPECT_TRUE(has_pattern(&arg, HEADER + 8)) {
			TH_LOG("argsz %u: bytes behind the data were written", sizes[i]);
		}
	}
}

CLAUSE_TEST_F(feature, unknown_flags, "feature.unknown-flag")
{
	union argument arg;
	unsigned int bit;

	for (bit = 19; bit < 32; bit++)
		EXPECT_REFUSED("errno of an unknown flag",
			       call_sized(self->dev, 1u << bit | PROBE | MIGRATION,
					  sizeof(arg), &arg));
}

CLAUSE_TEST_F(feature, get_and_set_together, "feature.get-and-set")
{
	union argument arg;

	EXPECT_REFUSED("errno of GET and SET together",
		       call_sized(self->dev, GET | SET | MIG_STATE, sizeof(arg), &arg));
	EXPECT_TRUE(has_pattern(&arg, HEADER));
}

CLAUSE_TEST_F(feature, neither_get_nor_set_nor_probe, "feature.no-operation")
{
	union argument arg;

	NEED(MIGRATION);
	EXPECT_REFUSED("errno of a call without an operation",
		       call_sized(self->dev, MIGRATION, sizeof(arg), &arg));
	EXPECT_REFUSED("errno of a call without an operation",
		       call_sized(self->dev, MIG_STATE, sizeof(arg), &arg));
}

CLAUSE_TEST_F(feature, unknown_index, "feature.unknown-index")
{
	static const uint32_t indexes[] = { 0x7fff, VFIO_DEVICE_FEATURE_MASK };
	static const uint32_t operations[] = { PROBE, PROBE | GET, PROBE | SET, GET, SET };
	union argument arg;
	unsigned int i, o;

	for (i = 0; i < ARRAY_SIZE(indexes); i++) {
		for (o = 0; o < ARRAY_SIZE(operations); o++)
			EXPECT_REFUSED("errno of an unknown feature",
				       call_sized(self->dev, operations[o] | indexes[i],
						  sizeof(arg), &arg));
	}
}

CLAUSE_TEST_F(feature, bad_address, "feature.fault")
{
	uint8_t *end = guarded_page_map();
	const uint32_t header[2] = { HEADER, PROBE | MIGRATION };

	ASSERT_NE(NULL, end);
	memcpy(end - sizeof(header[0]), header, sizeof(header[0]));
	EXPECT_REFUSED("errno of a bad address", call(self->dev, NULL));
	EXPECT_REFUSED("errno of a bad address", call(self->dev, end));
	EXPECT_REFUSED("errno of a bad address", call(self->dev, end - sizeof(header[0])));
	guarded_page_unmap(end);
}

CLAUSE_TEST_F(feature, bad_address_of_data, "feature.fault")
{
	const uint32_t header[2] = { HEADER + 8, GET | MIGRATION };
	uint8_t *end = guarded_page_map();

	NEED(MIGRATION);
	ASSERT_NE(NULL, end);
	memcpy(end - HEADER, header, HEADER);
	EXPECT_REFUSED("errno of a bad address", call(self->dev, end - HEADER));
	guarded_page_unmap(end);
}

/* Those of the operations that are set in @mask, GET in bit 0 and SET in bit 1 */
static uint32_t operations(unsigned int mask)
{
	return (mask & 1 ? GET : 0) | (mask & 2 ? SET : 0);
}

CLAUSE_TEST_F(feature, probe, "feature.probe", "feature.probe-no-data")
{
	unsigned int i, mask;

	NEED(MIGRATION);
	for (i = 0; i < ARRAY_SIZE(features); i++) {
		for (mask = 0; mask < 4; mask++) {
			if (vmig_subject_lacks(&self->subject, features[i].has) ||
			    (operations(mask) & ~features[i].operations))
				continue;
			EXPECT_RET(0, vmig_feature(self->dev, PROBE | operations(mask) |
						   features[i].index, NULL, 0),
				   "PROBE%s%s %s", mask & 1 ? " GET" : "",
				   mask & 2 ? " SET" : "", features[i].name);
		}
	}
}

CLAUSE_TEST_F(feature, probe_of_a_missing_operation, "feature.probe-refused")
{
	union argument arg;
	unsigned int i, mask;

	NEED(MIGRATION);
	for (i = 0; i < ARRAY_SIZE(features); i++) {
		for (mask = 0; mask < 4; mask++) {
			if (vmig_subject_lacks(&self->subject, features[i].has) ||
			    !(operations(mask) & ~features[i].operations))
				continue;
			EXPECT_REFUSED("errno of PROBE with a missing operation",
				       vmig_feature(self->dev, PROBE | operations(mask) |
						    features[i].index, NULL, 0));
			if (mask == 3)
				continue;
			EXPECT_REFUSED("errno of a missing operation",
				       call_sized(self->dev, operations(mask) |
						  features[i].index, sizeof(arg), &arg));
		}
	}
}

CLAUSE_TEST_F(feature, probe_of_set_sets_nothing, "feature.probe-no-effect")
{
	union argument arg = {
		.feature = { .argsz = sizeof(arg), .flags = PROBE | SET | MIG_STATE },
	};
	enum vfio_device_mig_state before;

	NEED(MIGRATION);
	ASSERT_RET(0, vmig_mig_get_state(self->dev, &before), "GET");
	arg.mig.device_state = VFIO_DEVICE_STATE_STOP;
	arg.mig.data_fd = 77;
	EXPECT_RET(0, call(self->dev, &arg), "PROBE SET MIG_DEVICE_STATE");
	EXPECT_EQ(VFIO_DEVICE_STATE_STOP, arg.mig.device_state);
	EXPECT_EQ(77, arg.mig.data_fd);
	EXPECT_STATE(before, self->dev, "after PROBE SET STOP");
}

CLAUSE_TEST_F(feature, probe_of_get_writes_nothing, "feature.probe-no-effect")
{
	union argument arg;

	NEED(MIGRATION);
	EXPECT_RET(0, call_sized(self->dev, PROBE | GET | MIGRATION, sizeof(arg), &arg),
		   "PROBE GET MIGRATION");
	EXPECT_TRUE(has_pattern(&arg, HEADER));
	EXPECT_RET(0, call_sized(self->dev, PROBE | GET | MIG_STATE, sizeof(arg), &arg),
		   "PROBE GET MIG_DEVICE_STATE");
	EXPECT_TRUE(has_pattern(&arg, HEADER));
}

/* Not NEED(MIGRATION), which asks for the flag itself */
CLAUSE_TEST_F(feature, stop_copy_is_a_must, "feature.migration-flags")
{
	uint64_t flags;

	if (vmig_mig_get_flags(self->dev, &flags))
		SKIP(return, "not applicable: the device does not have MIGRATION");
	EXPECT_TRUE(flags & VFIO_MIGRATION_STOP_COPY) {
		TH_LOG("flags %#llx", (unsigned long long)flags);
	}
}

CLAUSE_TEST_F(feature, other_flags, "feature.migration-other-flags")
{
	const uint64_t known = VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P |
			       VFIO_MIGRATION_PRE_COPY;
	uint64_t flags;

	NEED(MIGRATION);
	ASSERT_RET(0, vmig_mig_get_flags(self->dev, &flags), "GET MIGRATION");
	RECORD("migration flags without a meaning yet", "%#llx",
	       (unsigned long long)(flags & ~known));
}

CLAUSE_TEST_F(feature, no_migration, "feature.no-migration")
{
	static const uint32_t flags[] = {
		GET | MIG_STATE, SET | MIG_STATE, PROBE | MIG_STATE, PROBE | MIGRATION,
		GET | VFIO_DEVICE_FEATURE_MIG_DATA_SIZE,
	};
	union argument arg;
	unsigned int i;

	if (!call_sized(self->dev, GET | MIGRATION, sizeof(arg), &arg))
		SKIP(return, "not applicable: the device can migrate");
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		EXPECT_REFUSED("errno of migration features that are missing",
			       call_sized(self->dev, flags[i], sizeof(arg), &arg));
}

SUBJECT_TEST_MAIN
