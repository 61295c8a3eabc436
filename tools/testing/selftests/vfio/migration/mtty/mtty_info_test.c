// SPDX-License-Identifier: GPL-2.0-only
/*
 * The info ioctls: each word of the answer, whatever the caller had in it, and of a call
 * that is refused.
 */
#include <errno.h>
#include <stddef.h>
#include <sys/ioctl.h>

#include "lib/mtty.h"
#include "lib/vfio/case.h"

#define BAR2		VFIO_PCI_BAR2_REGION_INDEX
#define CAPTURE		0x10000u
#define WORDS		64
#define WORD_ARGSZ	0
#define WORD_INDEX	2
#define NO_INDEX	UINT32_MAX

/* Values in the words before the ioctl fills them in */
static const uint32_t patterns[] = { 0, 0x5a5a5a5a, 0xa5a5a5a5, UINT32_MAX };

/* BAR2 with its capability */
struct reply {
	struct vfio_region_info info;
	struct vfio_region_info_cap_sparse_mmap sparse;
	struct vfio_region_sparse_mmap_area area;
};

/* An ioctl, its smallest argsz, and whether it has an index */
struct query {
	const char *name;
	unsigned int cmd;
	uint32_t minsz;
	uint32_t nr;
};

static const struct query device_query = {
	"GET_INFO", VFIO_DEVICE_GET_INFO, offsetof(struct vfio_device_info, cap_offset), 0,
};

static const struct query region_query = {
	"GET_REGION_INFO", VFIO_DEVICE_GET_REGION_INFO, sizeof(struct vfio_region_info),
	VFIO_PCI_NUM_REGIONS,
};

static const struct query irq_query = {
	"GET_IRQ_INFO", VFIO_DEVICE_GET_IRQ_INFO, sizeof(struct vfio_irq_info),
	VFIO_PCI_NUM_IRQS,
};

DEVICE_FIXTURE(answer, "mtty-1", .capture_size = "64K");

static void fill(uint32_t *arg, uint32_t pattern, uint32_t argsz, uint32_t index)
{
	unsigned int i;

	for (i = 0; i < WORDS; i++)
		arg[i] = pattern;
	arg[WORD_ARGSZ] = argsz;
	if (index != NO_INDEX)
		arg[WORD_INDEX] = index;
}

static int ask(struct vmig_device *dev, const struct query *query, void *arg)
{
	return vmig_call_error(ioctl(dev->fd, query->cmd, arg));
}

/* The answer must be @want, and nothing behind its @len bytes may be written */
static void expect_answer(struct __test_metadata *_metadata, FIXTURE_DATA(answer) *self,
			  const struct query *query, uint32_t argsz, uint32_t index,
			  const void *want, size_t len)
{
	uint32_t arg[WORDS], words[WORDS];
	unsigned int i, w;

	for (i = 0; i < ARRAY_SIZE(patterns); i++) {
		fill(words, patterns[i], argsz, NO_INDEX);
		memcpy(words, want, len);
		fill(arg, patterns[i], argsz, index);
		ASSERT_RET(0, ask(self->dev, query, arg), "%s, index %u, argsz %u", query->name,
			   index, argsz);
		for (w = 0; w < WORDS; w++)
			EXPECT_EQ(words[w], arg[w]) {
				TH_LOG("%s, index %u, argsz %u: word %u, which was %#x",
				       query->name, index, argsz, w, patterns[i]);
			}
	}
}

/* The call must fail, and write nothing */
static void expect_refused(struct __test_metadata *_metadata, FIXTURE_DATA(answer) *self,
			   const struct query *query, uint32_t argsz, uint32_t index)
{
	uint32_t arg[WORDS], before[WORDS];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(patterns); i++) {
		fill(arg, patterns[i], argsz, index);
		memcpy(before, arg, sizeof(before));
		EXPECT_RET(-EINVAL, ask(self->dev, query, arg), "%s, index %u, argsz %u",
			   query->name, index, argsz);
		EXPECT_EQ(0, memcmp(before, arg, sizeof(before))) {
			TH_LOG("%s, index %u, argsz %u: refused, but written", query->name,
			       index, argsz);
		}
	}
}

/* Driver: VFIO_DEVICE_GET_INFO: the answer does not depend on what was in its fields */
TEST_F(answer, device_info_is_written_as_a_whole)
{
	static const uint32_t argsz[] = {
		offsetof(struct vfio_device_info, cap_offset), sizeof(struct vfio_device_info),
		WORDS * 4, UINT32_MAX,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(argsz); i++) {
		const struct vfio_device_info want = {
			.argsz = argsz[i],
			.flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET,
			.num_regions = VFIO_PCI_NUM_REGIONS,
			.num_irqs = VFIO_PCI_NUM_IRQS,
		};

		expect_answer(_metadata, self, &device_query, argsz[i], NO_INDEX, &want,
			      device_query.minsz);
	}
}

static struct vfio_region_info region_want(uint32_t argsz, uint32_t index)
{
	static const uint64_t sizes[VFIO_PCI_NUM_REGIONS] = {
		[VFIO_PCI_BAR0_REGION_INDEX] = 8,
		[BAR2] = CAPTURE,
		[VFIO_PCI_CONFIG_REGION_INDEX] = 256,
	};

	return (struct vfio_region_info) {
		.argsz = argsz, .index = index, .size = sizes[index],
		.flags = sizes[index] ? VFIO_REGION_INFO_FLAG_READ |
					VFIO_REGION_INFO_FLAG_WRITE : 0,
		.offset = (uint64_t)index << 40,
	};
}

/* Driver: VFIO_DEVICE_GET_REGION_INFO: the same, of each region without capabilities */
TEST_F(answer, region_info_is_written_as_a_whole)
{
	static const uint32_t argsz[] = {
		sizeof(struct vfio_region_info), sizeof(struct vfio_region_info) + 1,
		sizeof(struct reply), WORDS * 4, UINT32_MAX,
	};
	unsigned int i, index;

	for (i = 0; i < ARRAY_SIZE(argsz); i++) {
		for (index = 0; index < VFIO_PCI_NUM_REGIONS; index++) {
			const struct vfio_region_info want = region_want(argsz[i], index);

			if (index != BAR2)
				expect_answer(_metadata, self, &region_query, argsz[i], index,
					      &want, sizeof(want));
		}
	}
}

static struct reply bar2_want(uint32_t argsz)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	struct reply want = {
		.info = region_want(argsz, BAR2),
		.sparse.header = { .id = VFIO_REGION_INFO_CAP_SPARSE_MMAP, .version = 1 },
		.sparse.nr_areas = 1,
		.area = { .offset = page, .size = CAPTURE - page },
	};

	want.info.flags |= VFIO_REGION_INFO_FLAG_MMAP | VFIO_REGION_INFO_FLAG_CAPS;
	return want;
}

/* Driver: VFIO_DEVICE_GET_REGION_INFO: argsz without room for capabilities: raised to it */
TEST_F(answer, region_info_without_room)
{
	static const uint32_t argsz[] = {
		sizeof(struct vfio_region_info), sizeof(struct vfio_region_info) + 1,
		sizeof(struct vfio_region_info) + 8, sizeof(struct reply) - 1,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(argsz); i++) {
		const struct reply want = bar2_want(sizeof(want));

		expect_answer(_metadata, self, &region_query, argsz[i], BAR2, &want.info,
			      sizeof(want.info));
	}
}

/* Driver: VFIO_DEVICE_GET_REGION_INFO: argsz with room for capabilities: not changed */
TEST_F(answer, region_info_with_capabilities)
{
	static const uint32_t argsz[] = {
		sizeof(struct reply), sizeof(struct reply) + 1, WORDS * 4, UINT32_MAX,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(argsz); i++) {
		struct reply want = bar2_want(argsz[i]);

		want.info.cap_offset = sizeof(want.info);
		expect_answer(_metadata, self, &region_query, argsz[i], BAR2, &want,
			      sizeof(want));
	}
}

/* Driver: VFIO_DEVICE_GET_IRQ_INFO: the answer does not depend on what was in its fields */
TEST_F(answer, irq_info_is_written_as_a_whole)
{
	const uint32_t edge = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
	const struct vfio_irq_info wants[VFIO_PCI_NUM_IRQS] = {
		[INTX] = { .flags = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE |
				    VFIO_IRQ_INFO_AUTOMASKED, .count = 1 },
		[MSI] = { .flags = edge, .count = 1 },
		[VFIO_PCI_ERR_IRQ_INDEX] = { .flags = edge, .count = 1 },
	};
	static const uint32_t argsz[] = { sizeof(struct vfio_irq_info), WORDS * 4, UINT32_MAX };
	unsigned int i, index;

	for (i = 0; i < ARRAY_SIZE(argsz); i++) {
		for (index = 0; index < VFIO_PCI_NUM_IRQS; index++) {
			struct vfio_irq_info want = wants[index];

			want.argsz = argsz[i];
			want.index = index;
			expect_answer(_metadata, self, &irq_query, argsz[i], index, &want,
				      sizeof(want));
		}
	}
}

static const struct query *const queries[] = { &device_query, &region_query, &irq_query };

/* Driver: argsz of an info structure, each that is too small: EINVAL, nothing is written */
TEST_F(answer, small_argsz_writes_nothing)
{
	unsigned int i, index;
	uint32_t argsz;

	for (i = 0; i < ARRAY_SIZE(queries); i++) {
		const struct query *query = queries[i];

		for (argsz = 0; argsz < query->minsz; argsz++) {
			if (!query->nr)
				expect_refused(_metadata, self, query, argsz, NO_INDEX);
			for (index = 0; index < query->nr; index++)
				expect_refused(_metadata, self, query, argsz, index);
		}
	}
}

/* Driver: index of an info structure, beyond the last: EINVAL, nothing is written */
TEST_F(answer, large_index_writes_nothing)
{
	unsigned int i, k;

	for (i = 1; i < ARRAY_SIZE(queries); i++) {
		const struct query *query = queries[i];
		const uint32_t index[] = {
			query->nr, query->nr + 1, 256, 1 << 16, INT32_MAX, 1u << 31,
			UINT32_MAX - 1,
		};

		for (k = 0; k < ARRAY_SIZE(index); k++) {
			expect_refused(_metadata, self, query, query->minsz, index[k]);
			expect_refused(_metadata, self, query, WORDS * 4, index[k]);
		}
	}
}

/* Driver: info that ends in memory without access, capabilities included: EFAULT */
TEST_F(answer, capabilities_in_bad_memory)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	uint8_t *end = guarded_page_map();
	const struct vfio_region_info info = {
		.argsz = sizeof(struct reply), .index = BAR2,
	};
	size_t room;

	ASSERT_NE(NULL, end);
	for (room = sizeof(info); room < sizeof(struct reply); room++) {
		memset(end - page, 0, page);
		memcpy(end - room, &info, sizeof(info));
		EXPECT_RET(-EFAULT, ask(self->dev, &region_query, end - room), "%zu bytes", room);
	}
	memcpy(end - room, &info, sizeof(info));
	EXPECT_RET(0, ask(self->dev, &region_query, end - room), "all");
	guarded_page_unmap(end);
}

TEST_HARNESS_MAIN
