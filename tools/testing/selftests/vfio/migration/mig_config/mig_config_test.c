// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_FEATURE_MIG_CONFIG: the answer under each policy, opting in with it, and
 * the errors of both.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/mtty.h"
#include "recording.h"

#define MIG_CONFIG	VFIO_DEVICE_FEATURE_MIG_CONFIG
#define FIRST_VERSION	0xff00
#define GET		VFIO_DEVICE_FEATURE_GET
#define SET		VFIO_DEVICE_FEATURE_SET
#define PROBE		VFIO_DEVICE_FEATURE_PROBE

FIXTURE_VARIANT(feature) {
	const char *policy;
	uint32_t need;
};

DEVICE_FIXTURE(feature, "mtty-2", .capture_size = "8K",
	       .config_policy = variant->policy);

#define VARIANT(_name, _policy, _need) \
	FIXTURE_VARIANT_ADD(feature, _name) { \
		.policy = _policy, .need = VFIO_MIG_CONFIG_##_need, \
	}

VARIANT(independent, "independent", NOT_NEEDED);
VARIANT(before_data, "before-data", BEFORE_DATA);
VARIANT(reorder, "reorder", ANY_ORDER);
VARIANT(embedded, "embedded", IN_DATA);
/* Driver: the default is an answer that costs today's VMMs no byte of config space */
VARIANT(default, NULL, IN_DATA);

static int opt_in(struct vmig_device *dev, uint32_t need, uint32_t size)
{
	const struct vmig_config_answer answer = { .need = need, .size = size };

	return vmig_config_opt_in(dev, &answer);
}

/* 0 if a session that begins now has the ioctls, else -ENOTTY; or another -errno */
static int opted_in(struct vmig_device *dev)
{
	struct vmig_snapshot snapshot;
	int fd, ret;

	ret = vmig_mig_set_state(dev, VFIO_DEVICE_STATE_STOP_COPY, &fd);
	if (ret)
		return ret == -ENOTTY ? -EPROTO : ret;
	ret = vmig_config_get(fd, &snapshot);
	close(fd);

	return ret;
}

#define EXPECT_OPTED_IN() \
	EXPECT_RET(0, opted_in(self->dev), "opted in")
#define EXPECT_NOT_OPTED_IN() \
	EXPECT_RET(-ENOTTY, opted_in(self->dev), "not opted in")

/* Proposal: MIG_CONFIG has GET and SET, as PROBE reports */
TEST_F(feature, probe_finds_get_and_set)
{
	static const uint32_t flags[] = { 0, GET, SET, GET | SET };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		EXPECT_RET(0, vmig_feature(self->dev, MIG_CONFIG | PROBE |
					   flags[i], NULL, 0),
			   "PROBE with %#x", flags[i]);
}

/* Proposal: GET returns the same answer in every state, opted in or not */
TEST_F(feature, answer_is_the_same_in_every_state)
{
	struct vmig_config_answer answer;
	unsigned int state, i;

	for (i = 0; i < 2; i++) {
		/* Data that lead to ERROR need a snapshot once opted in */
		state = i ? VFIO_DEVICE_STATE_STOP : VFIO_DEVICE_STATE_ERROR;
		for (; state < VFIO_DEVICE_STATE_NR; state++) {
			ASSERT_RET(0, vmig_transfer_reach(self->dev, state,
							  NULL, &self->fd),
				   "%s", vmig_state_name(state));
			memset(&answer, 0x55, sizeof(answer));
			EXPECT_RET(0, vmig_config_query(self->dev, &answer),
				   "in %s", vmig_state_name(state));
			EXPECT_EQ(variant->need, answer.need);
			EXPECT_EQ(PCI_CFG_SPACE_SIZE, answer.size);
			ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
			if (self->fd >= 0)
				close(self->fd);
			self->fd = -1;
		}
		ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
	}
}

/* Proposal: objection "monitor": GET has no side effect on a VMM that has not opted in */
TEST_F(feature, objection_monitor_does_not_affect_a_session)
{
	struct vmig_config_answer answer;

	ASSERT_RET(0, vmig_config_query(self->dev, &answer), "monitor");
	ASSERT_RET(0, vmig_mig_set_state(self->dev, VFIO_DEVICE_STATE_PRE_COPY,
					 &self->fd), "PRE_COPY");
	EXPECT_RET(-ENOMSG, vmig_transfer_read(self->fd, &self->stream, 4096),
		   "read");
	ASSERT_RET(0, vmig_config_change(self->dev), "config");
	ASSERT_RET(0, vmig_config_query(self->dev, &answer), "monitor");
	ASSERT_RET(0, vmig_config_change(self->dev), "config");
	EXPECT_RET(-ENOMSG, vmig_transfer_read(self->fd, &self->stream, 4096),
		   "read");
	ASSERT_RET(0, set_state(self->dev, VFIO_DEVICE_STATE_STOP_COPY), "stop");
	EXPECT_RET(0, vmig_transfer_read(self->fd, &self->stream, 4096), "read");
}

/* Clause: VFIO_DEVICE_FEATURE: GET and SET are mutually exclusive */
TEST_F(feature, get_and_set_exclude_each_other)
{
	struct vfio_device_feature_mig_config config = {
		.need = variant->need, .size = PCI_CFG_SPACE_SIZE,
	};

	EXPECT_RET(-EINVAL, vmig_feature(self->dev, MIG_CONFIG | GET | SET,
					 &config, sizeof(config)), "both");
	EXPECT_RET(-EINVAL, vmig_feature(self->dev, MIG_CONFIG, &config,
					 sizeof(config)), "neither");
	EXPECT_NOT_OPTED_IN();
}

/* Proposal: a data area smaller than the structure: EINVAL */
TEST_F(feature, short_data_area_is_refused)
{
	struct vfio_device_feature_mig_config config = {
		.need = variant->need, .size = PCI_CFG_SPACE_SIZE,
	};
	size_t size;

	for (size = 0; size < sizeof(config); size++) {
		EXPECT_RET(-EINVAL, vmig_feature(self->dev, MIG_CONFIG | GET,
						 &config, size),
			   "GET, %zu bytes", size);
		EXPECT_RET(-EINVAL, vmig_feature(self->dev, MIG_CONFIG | SET,
						 &config, size),
			   "SET, %zu bytes", size);
	}
	EXPECT_NOT_OPTED_IN();
}

/* Proposal: the structure may grow: a larger data area is accepted */
TEST_F(feature, long_data_area_is_accepted)
{
	struct {
		struct vfio_device_feature_mig_config config;
		uint64_t rest;
	} data = { .rest = 77 };

	EXPECT_RET(0, vmig_feature(self->dev, MIG_CONFIG | GET, &data,
				   sizeof(data)), "GET");
	EXPECT_EQ(variant->need, data.config.need);
	EXPECT_EQ(77, data.rest);
	EXPECT_RET(0, vmig_feature(self->dev, MIG_CONFIG | SET, &data,
				   sizeof(data)), "SET");
	EXPECT_OPTED_IN();
}

/* The structure behind the header is at an address that is not accessible */
static int feature_at_edge(struct vmig_device *dev, uint32_t flags)
{
	size_t page = sysconf(_SC_PAGESIZE);
	struct vfio_device_feature *feature;
	uint8_t *map;
	int ret;

	map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return -errno;
	ret = mprotect(map + page, page, PROT_NONE);
	feature = (void *)(map + page - sizeof(*feature));
	feature->argsz = sizeof(*feature) +
			 sizeof(struct vfio_device_feature_mig_config);
	feature->flags = MIG_CONFIG | flags;
	if (!ret)
		ret = ioctl(dev->fd, VFIO_DEVICE_FEATURE, feature);
	ret = ret ? -errno : 0;
	munmap(map, 2 * page);

	return ret;
}

/* Proposal: a structure that cannot be read or written: EFAULT, and nothing changes */
TEST_F(feature, bad_address_is_efault)
{
	EXPECT_RET(-EFAULT, feature_at_edge(self->dev, GET), "GET");
	EXPECT_RET(-EFAULT, feature_at_edge(self->dev, SET), "SET");
	EXPECT_NOT_OPTED_IN();
}

/* Proposal: the index of the first version, as any unknown one: ENOTTY */
TEST_F(feature, first_version_is_enotty)
{
	static const uint32_t indexes[] = {
		FIRST_VERSION, MIG_CONFIG + 1, 0x7777, 0xffff,
	};
	char data[64] = { 0 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(indexes); i++) {
		EXPECT_RET(-ENOTTY, vmig_feature(self->dev, indexes[i] | GET,
						 data, sizeof(data)),
			   "GET %#x", indexes[i]);
		EXPECT_RET(-ENOTTY, vmig_feature(self->dev, indexes[i] | SET,
						 data, sizeof(data)),
			   "SET %#x", indexes[i]);
		EXPECT_RET(-ENOTTY, vmig_feature(self->dev, indexes[i] | PROBE,
						 NULL, 0),
			   "PROBE %#x", indexes[i]);
	}
}

/* Proposal: opting in may be repeated */
TEST_F(feature, opt_in_may_be_repeated)
{
	unsigned int i;

	EXPECT_NOT_OPTED_IN();
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	for (i = 0; i < 3; i++) {
		EXPECT_RET(0, opt_in(self->dev, variant->need,
				     PCI_CFG_SPACE_SIZE), "time %u", i);
		EXPECT_OPTED_IN();
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	}
}

/* Proposal: SET, a need that is no answer: EINVAL */
TEST_F(feature, unknown_answer_is_refused)
{
	static const uint32_t needs[] = { 4, 5, 0x80, 1U << 31, ~0U };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(needs); i++)
		EXPECT_RET(-EINVAL, opt_in(self->dev, needs[i],
					   PCI_CFG_SPACE_SIZE),
			   "need %#x", needs[i]);
	EXPECT_NOT_OPTED_IN();
}

/* Proposal: objection "late refusal": SET, another answer or size: EOPNOTSUPP */
TEST_F(feature, objection_late_refusal_other_answer_is_refused_at_opt_in)
{
	static const uint32_t sizes[] = { 0, 1, 255, 257, 4096, ~0U };
	unsigned int i;

	for (i = 0; i <= VFIO_MIG_CONFIG_IN_DATA; i++)
		if (i != variant->need)
			EXPECT_RET(-EOPNOTSUPP, opt_in(self->dev, i,
						       PCI_CFG_SPACE_SIZE),
				   "%s", vmig_need_name(i));
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		EXPECT_RET(-EOPNOTSUPP, opt_in(self->dev, variant->need,
					       sizes[i]), "size %u", sizes[i]);
	EXPECT_NOT_OPTED_IN();
}

/* Proposal: SET while a data transfer session is open: EBUSY */
TEST_F(feature, opt_in_during_a_session_is_refused)
{
	unsigned int state = VFIO_DEVICE_STATE_STOP;

	for (; state < VFIO_DEVICE_STATE_NR; state++) {
		ASSERT_RET(0, vmig_transfer_reach(self->dev, state, NULL,
						  &self->fd), "%s",
			   vmig_state_name(state));
		EXPECT_RET(self->fd >= 0 ? -EBUSY : 0,
			   opt_in(self->dev, variant->need, PCI_CFG_SPACE_SIZE),
			   "in %s", vmig_state_name(state));
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
		if (self->fd >= 0)
			close(self->fd);
		self->fd = -1;
	}
}

/* Proposal: SET that is refused because of a session: not opted in after it either */
TEST_F(feature, refused_opt_in_has_no_effect)
{
	static const enum vfio_device_mig_state states[] = {
		VFIO_DEVICE_STATE_STOP_COPY, VFIO_DEVICE_STATE_RESUMING,
		VFIO_DEVICE_STATE_PRE_COPY, VFIO_DEVICE_STATE_PRE_COPY_P2P,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(states); i++) {
		ASSERT_RET(0, begin_after_reset(self->dev, states[i], &self->fd), "%s",
			   vmig_state_name(states[i]));
		EXPECT_RET(-EBUSY, opt_in(self->dev, variant->need, PCI_CFG_SPACE_SIZE),
			   "in %s", vmig_state_name(states[i]));
		ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
		EXPECT_NOT_OPTED_IN();
	}
}

TEST_HARNESS_MAIN
