// SPDX-License-Identifier: GPL-2.0-only
/*
 * The identity of config space: over many devices, openings, sessions and contents no two
 * are equal, unless the device, the opening and the content are the same.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/mtty.h"
#include "recording.h"

#define DEVICES		2
#define OPENINGS	3
/* More than fit into a byte */
#define CHANGES		600
#define MAX		(DEVICES * OPENINGS * (CHANGES + 8))

/* @seen: all identities so far; @nr: their number */
FIXTURE(identity) {
	struct vmig_testdev td[DEVICES];
	struct vmig_device *dev;
	uint8_t (*seen)[VFIO_MIG_CONFIG_ID_SIZE];
	unsigned int nr;
	struct vmig_snapshot snapshot;
	int fd;
};

FIXTURE_VARIANT(identity) {
	const char *policy;
};

POLICY_VARIANTS(identity);

FIXTURE_SETUP(identity)
{
	unsigned int i;

	self->fd = -1;
	self->seen = calloc(MAX, sizeof(*self->seen));
	ASSERT_NE(NULL, self->seen);
	for (i = 0; i < DEVICES; i++)
		ASSERT_RET(0, open_device(&self->td[i], variant->policy), "device %u", i);
}

FIXTURE_TEARDOWN(identity)
{
	unsigned int i;

	if (self->fd >= 0)
		close(self->fd);
	for (i = 0; i < DEVICES; i++)
		vmig_testdev_close(&self->td[i]);
	free(self->seen);
}

static int compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, VFIO_MIG_CONFIG_ID_SIZE);
}

/* Remembers the identity of a snapshot, which must be one of a content not seen before */
#define NOTE() do { \
	GET_CONFIG(&self->snapshot); \
	ASSERT_GT(MAX, self->nr); \
	memcpy(self->seen[self->nr++], self->snapshot.id, sizeof(self->snapshot.id)); \
} while (0)

/* The identity is the one noted last */
#define EXPECT_NOTED() do { \
	GET_CONFIG(&self->snapshot); \
	EXPECT_EQ(0, compare_ids(self->seen[self->nr - 1], self->snapshot.id)); \
} while (0)

#define SESSION(_state) do { \
	close(self->fd); \
	GO(RUNNING, NULL); \
	GO(_state, &self->fd); \
} while (0)

static void expect_all_differ(struct __test_metadata *_metadata,
			      FIXTURE_DATA(identity) *self)
{
	unsigned int i;

	qsort(self->seen, self->nr, sizeof(*self->seen), compare_ids);
	for (i = 1; i < self->nr; i++) {
		EXPECT_NE(0, compare_ids(self->seen[i - 1], self->seen[i])) {
			char hex[VMIG_ID_HEX_SIZE];

			TH_LOG("twice: %s", vmig_id_hex(self->seen[i], hex));
		}
	}
}

/* One opening of a device: each content, sessions that follow each other, and a reset */
static void note_opening(struct __test_metadata *_metadata, FIXTURE_DATA(identity) *self)
{
	unsigned int i;

	ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
	GO(PRE_COPY, &self->fd);
	NOTE();
	for (i = 0; i < CHANGES; i++) {
		CHANGE_CONFIG();
		NOTE();
	}
	SESSION(PRE_COPY);
	EXPECT_NOTED();
	SESSION(STOP_COPY);
	EXPECT_NOTED();
	CHANGE_CONFIG();
	NOTE();
	/* The content is as before the session, but the device may give it a new identity */
	ASSERT_RET(0, begin_after_reset(self->dev, VFIO_DEVICE_STATE_PRE_COPY, &self->fd),
		   "reset");
	GET_CONFIG(&self->snapshot);
	CHANGE_CONFIG();
	NOTE();
	close(self->fd);
	self->fd = -1;
}

/* Proposal: identities of devices, openings, sessions and contents: none is used again */
TEST_F(identity, is_never_used_again)
{
	unsigned int i, opening;

	for (opening = 0; opening < OPENINGS; opening++) {
		for (i = 0; i < DEVICES; i++) {
			self->dev = &self->td[i].dev;
			note_opening(_metadata, self);
			vmig_device_close(self->dev);
			ASSERT_RET(0, vmig_device_open(self->dev, &self->td[i].mdev,
						       VMIG_PATH_ANY), "open");
		}
	}
	expect_all_differ(_metadata, self);
}

/* Proposal: a write of the same bytes, sessions and states: the identity stays */
TEST_F(identity, stays_with_the_content)
{
	static const enum vfio_device_mig_state states[] = {
		VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_RUNNING_P2P,
		VFIO_DEVICE_STATE_RUNNING,
	};
	unsigned int i;
	uint8_t line;

	self->dev = &self->td[0].dev;
	ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
	GO(PRE_COPY, &self->fd);
	NOTE();
	for (i = 0; i < ARRAY_SIZE(states); i++) {
		close(self->fd);
		ASSERT_RET(0, set_state(self->dev, states[i]), "%s",
			   vmig_state_name(states[i]));
		ASSERT_RET(0, vmig_config_read8(self->dev, PCI_INTERRUPT_LINE, &line),
			   "read");
		ASSERT_RET(0, vmig_config_write8(self->dev, PCI_INTERRUPT_LINE, line),
			   "write");
		/* Opting in again changes nothing */
		ASSERT_RET(0, vmig_config_opt_in_own(self->dev), "opt in");
		GO(STOP_COPY, &self->fd);
		EXPECT_NOTED();
	}
}

TEST_HARNESS_MAIN
