// SPDX-License-Identifier: GPL-2.0-only
/* VFIO_DEVICE_GET_INFO, and what VFIO_DEVICE_GET_REGION_INFO has in common with it. */
#include "region.h"

#define WORDS		64
#define WORD_INDEX	2
#define PATTERN		0x5a5a5a5a
#define BUS_FLAGS	(VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_PLATFORM | \
			 VFIO_DEVICE_FLAGS_AMBA | VFIO_DEVICE_FLAGS_CCW | \
			 VFIO_DEVICE_FLAGS_AP | VFIO_DEVICE_FLAGS_FSL_MC | \
			 VFIO_DEVICE_FLAGS_CDX)

/**
 * struct query - an ioctl that fills in a structure with argsz, flags and capabilities
 * @cmd:	the ioctl
 * @minsz:	the smallest argsz
 * @size:	of the fixed structure
 * @caps:	the flag that there are capabilities
 * @cap_offset:	where their offset is
 * @outputs:	bit mask of the words that it always fills in
 * @key:	for what is recorded
 */
struct query {
	unsigned long cmd;
	uint32_t minsz;
	uint32_t size;
	uint32_t caps;
	uint32_t cap_offset;
	uint32_t outputs;
	const char *key;
};

/* Word of a member, as a bit */
#define OUT(_struct, _member)	(1u << offsetof(struct _struct, _member) / sizeof(uint32_t))

static const struct query device_query = {
	.cmd = VFIO_DEVICE_GET_INFO,
	.minsz = offsetof(struct vfio_device_info, cap_offset),
	.size = sizeof(struct vfio_device_info),
	.caps = VFIO_DEVICE_FLAGS_CAPS,
	.cap_offset = offsetof(struct vfio_device_info, cap_offset),
	.outputs = OUT(vfio_device_info, flags) | OUT(vfio_device_info, num_regions) |
		   OUT(vfio_device_info, num_irqs),
	.key = "errno of a short argsz of VFIO_DEVICE_GET_INFO",
};

static const struct query region_query = {
	.cmd = VFIO_DEVICE_GET_REGION_INFO,
	.minsz = sizeof(struct vfio_region_info),
	.size = sizeof(struct vfio_region_info),
	.caps = VFIO_REGION_INFO_FLAG_CAPS,
	.cap_offset = offsetof(struct vfio_region_info, cap_offset),
	/* Size and offset have two words each */
	.outputs = OUT(vfio_region_info, flags) | OUT(vfio_region_info, size) * 3 |
		   OUT(vfio_region_info, offset) * 3,
	.key = "errno of a short argsz of VFIO_DEVICE_GET_REGION_INFO",
};

SUBJECT_FIXTURE(info);

/* The index is not overwritten for VFIO_DEVICE_GET_INFO, which does not read it */
static int call(struct vmig_device *dev, const struct query *query, uint32_t argsz,
		uint32_t index, uint32_t *arg)
{
	arg[0] = argsz;
	arg[WORD_INDEX] = index;
	LIST_FROM_HERE();
	return vmig_call_ioctl(dev->fd, query->cmd, arg) ? -errno : 0;
}

static void fill_with(uint32_t *arg, uint32_t pattern)
{
	unsigned int i;

	for (i = 0; i < WORDS; i++)
		arg[i] = pattern;
}

static void fill(uint32_t *arg)
{
	fill_with(arg, PATTERN);
}

/* The first word from @from on that has changed, or WORDS */
static unsigned int changed(const uint32_t *arg, unsigned int from)
{
	while (from < WORDS && arg[from] == PATTERN)
		from++;
	return from;
}

static void check_small(struct __test_metadata *_metadata, FIXTURE_DATA(info) *self,
			const struct query *query)
{
	const uint32_t small[] = { 0, 4, 8, query->minsz - 1 };
	uint32_t arg[WORDS];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(small); i++) {
		fill(arg);
		EXPECT_REFUSED(query->key, call(self->dev, query, small[i], 0, arg));
		EXPECT_EQ(small[i], arg[0]);
		arg[WORD_INDEX] = PATTERN;
		EXPECT_EQ(WORDS, changed(arg, 1)) {
			TH_LOG("argsz %u: refused, but word %u was written", small[i],
			       changed(arg, 1));
		}
	}
}

/* With the smallest argsz nothing behind it is written, else nothing behind the chain */
static void check_large(struct __test_metadata *_metadata, FIXTURE_DATA(info) *self,
			const struct query *query, uint32_t index)
{
	const uint32_t large[] = { query->minsz, query->size, WORDS * 4, UINT32_MAX };
	uint32_t arg[WORDS], need;
	unsigned int i;

	fill(arg);
	ASSERT_RET(0, call(self->dev, query, query->minsz, index, arg), "smallest argsz");
	need = arg[1] & query->caps && arg[0] > query->size ? arg[0] : query->size;
	for (i = 0; i < ARRAY_SIZE(large); i++) {
		unsigned int behind = large[i] >= need ? need :
				      large[i] >= query->size ? query->size : query->minsz;

		/* A chain that is longer than this buffer would be written behind it */
		if (large[i] > need && need > sizeof(arg))
			continue;
		fill(arg);
		EXPECT_RET(0, call(self->dev, query, large[i], index, arg), "argsz %u, index %u",
			   large[i], index);
		behind = (behind + sizeof(arg[0]) - 1) / sizeof(arg[0]);
		EXPECT_EQ(WORDS, changed(arg, behind)) {
			TH_LOG("argsz %u, index %u: word %u was written", large[i], index,
			       changed(arg, behind));
		}
	}
}

/* The answer may not have a bit of what the caller had in the words that are filled in */
static void check_outputs(struct __test_metadata *_metadata, FIXTURE_DATA(info) *self,
			  const struct query *query, uint32_t index)
{
	static const uint32_t patterns[] = { PATTERN, ~PATTERN, UINT32_MAX };
	uint32_t want[WORDS], arg[WORDS], outputs = query->outputs;
	unsigned int i, w;

	fill_with(want, 0);
	ASSERT_RET(0, call(self->dev, query, query->size, index, want), "index %u", index);
	if (want[1] & query->caps)
		outputs |= 1 | 1u << query->cap_offset / sizeof(arg[0]);
	for (i = 0; i < ARRAY_SIZE(patterns); i++) {
		fill_with(arg, patterns[i]);
		if (outputs & 1u << WORD_INDEX)
			index = patterns[i];
		ASSERT_RET(0, call(self->dev, query, query->size, index, arg), "index %u", index);
		for (w = 0; w < query->size / sizeof(arg[0]); w++)
			EXPECT_TRUE(!(outputs & 1u << w) || arg[w] == want[w]) {
				TH_LOG("index %u: word %u is %#x if it was 0, %#x if it was %#x",
				       index, w, want[w], arg[w], patterns[i]);
			}
	}
}

#define FAULT_KEY	"errno of an info structure that cannot be accessed"

static int query_at(struct vmig_device *dev, const struct query *query, void *arg)
{
	LIST_FROM_HERE();
	return vmig_call_ioctl(dev->fd, query->cmd, arg) ? -errno : 0;
}

static void check_fault(struct __test_metadata *_metadata, FIXTURE_DATA(info) *self,
			const struct query *query)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	const uint32_t minsz = query->minsz;
	uint8_t *end = guarded_page_map();

	ASSERT_NE(NULL, end);
	memset(end - page, 0, page);
	EXPECT_REFUSED(FAULT_KEY, query_at(self->dev, query, NULL));
	EXPECT_REFUSED(FAULT_KEY, query_at(self->dev, query, end));
	memcpy(end - sizeof(minsz), &minsz, sizeof(minsz));
	EXPECT_REFUSED(FAULT_KEY, query_at(self->dev, query, end - sizeof(minsz)));
	memset(end - page, 0, page);
	memcpy(end - minsz + 1, &minsz, sizeof(minsz));
	EXPECT_REFUSED(FAULT_KEY, query_at(self->dev, query, end - minsz + 1));
	memset(end - page, 0, page);
	memcpy(end - minsz, &minsz, sizeof(minsz));
	EXPECT_RET(0, query_at(self->dev, query, end - minsz), "up to the end of memory");

	/* A structure that the kernel can read, but not write */
	memset(end - page, 0, page);
	memcpy(end - page, &minsz, sizeof(minsz));
	ASSERT_EQ(0, mprotect(end - page, page, PROT_READ));
	EXPECT_REFUSED(FAULT_KEY, query_at(self->dev, query, end - page));
	guarded_page_unmap(end);
}

/* The argsz that the capabilities need, or 0 if there are none */
static uint32_t caps_need(struct vmig_device *dev, const struct query *query, uint32_t index)
{
	uint32_t arg[WORDS];

	fill(arg);
	if (call(dev, query, query->size, index, arg) || !(arg[1] & query->caps) ||
	    arg[0] > INFO_MAX)
		return 0;
	return arg[0] < query->size ? query->size : arg[0];
}

static void check_caps_short(struct __test_metadata *_metadata, FIXTURE_DATA(info) *self,
			     const struct query *query, uint32_t index)
{
	uint32_t arg[WORDS];

	fill(arg);
	EXPECT_RET(0, call(self->dev, query, query->size, index, arg), "index %u", index);
	EXPECT_TRUE(arg[1] & query->caps);
	EXPECT_LE(query->size + sizeof(struct vfio_info_cap_header), arg[0]) {
		TH_LOG("index %u: argsz was not raised: %u", index, arg[0]);
	}
	EXPECT_EQ(0, arg[query->cap_offset / sizeof(arg[0])]) {
		TH_LOG("index %u: cap_offset without room for capabilities", index);
	}
}

static void check_chain(struct __test_metadata *_metadata, FIXTURE_DATA(info) *self,
			const struct query *query, uint32_t index, uint32_t need)
{
	uint32_t *arg = malloc(need + WORDS * sizeof(*arg));
	unsigned int left = need / sizeof(struct vfio_info_cap_header);
	const struct vfio_info_cap_header *cap;
	uint32_t offset;

	ASSERT_NE(NULL, arg);
	memset(arg, 0x5a, need + WORDS * sizeof(*arg));
	ASSERT_RET(0, call(self->dev, query, need, index, arg), "index %u, argsz %u", index, need);
	EXPECT_TRUE(arg[1] & query->caps);
	offset = arg[query->cap_offset / sizeof(*arg)];
	EXPECT_LE(query->size, offset) {
		TH_LOG("index %u: the chain begins inside the structure, at %u", index, offset);
	}
	while (offset && left--) {
		uint32_t at = offset;

		cap = info_cap_next(arg, need, &offset);
		ASSERT_NE(NULL, cap) {
			TH_LOG("index %u: no capability fits at %u of %u", index, at, need);
		}
	}
	EXPECT_EQ(0, offset) {
		TH_LOG("index %u: the chain has no end", index);
	}
	free(arg);
}

CLAUSE_TEST_F(info, argsz_small, "info.argsz-small")
{
	check_small(_metadata, self, &device_query);
}

CLAUSE_TEST_F(info, argsz_large, "info.argsz-large")
{
	check_large(_metadata, self, &device_query, PATTERN);
}

CLAUSE_TEST_F(info, outputs, "info.outputs")
{
	check_outputs(_metadata, self, &device_query, 0);
}

CLAUSE_TEST_F(info, fault, "info.fault")
{
	check_fault(_metadata, self, &device_query);
}

CLAUSE_TEST_F(info, bus_flag, "info.bus-flag")
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	ASSERT_EQ(0, vmig_call_ioctl(self->dev->fd, VFIO_DEVICE_GET_INFO, &info));
	EXPECT_EQ(1, __builtin_popcount(info.flags & BUS_FLAGS)) {
		TH_LOG("flags %#x", info.flags);
	}
}

CLAUSE_TEST_F(info, device_api, "info.device-api")
{
	static const struct {
		const char *name;
		uint32_t flag;
	} apis[] = {
		{ VFIO_DEVICE_API_PCI_STRING, VFIO_DEVICE_FLAGS_PCI },
		{ VFIO_DEVICE_API_PLATFORM_STRING, VFIO_DEVICE_FLAGS_PLATFORM },
		{ VFIO_DEVICE_API_AMBA_STRING, VFIO_DEVICE_FLAGS_AMBA },
		{ VFIO_DEVICE_API_CCW_STRING, VFIO_DEVICE_FLAGS_CCW },
		{ VFIO_DEVICE_API_AP_STRING, VFIO_DEVICE_FLAGS_AP },
	};
	char path[256], name[64];
	unsigned int i;

	NEED(MDEV);
	snprintf(path, sizeof(path), "%s/mdev_type/device_api", self->subject.sysfs);
	ASSERT_RET(0, vmig_read_file(path, name, sizeof(name)), "%s", path);
	name[strcspn(name, "\n")] = '\0';
	for (i = 0; i < ARRAY_SIZE(apis) && strcmp(name, apis[i].name); i++)
		;
	ASSERT_LT(i, ARRAY_SIZE(apis)) {
		TH_LOG("device_api is \"%s\"", name);
	}
	EXPECT_EQ(apis[i].flag, self->dev->flags & BUS_FLAGS) {
		TH_LOG("device_api is \"%s\", flags are %#x", name, self->dev->flags);
	}
}

CLAUSE_TEST_F(info, caps_short, "info.caps-short")
{
	uint32_t arg[WORDS];

	if (!caps_need(self->dev, &device_query, PATTERN))
		SKIP(return, "not applicable: the device has no capabilities in its info");
	check_caps_short(_metadata, self, &device_query, PATTERN);
	fill(arg);
	ASSERT_RET(0, call(self->dev, &device_query, device_query.minsz, PATTERN, arg), "info");
	EXPECT_TRUE(arg[1] & VFIO_DEVICE_FLAGS_CAPS);
	EXPECT_LT(device_query.size, arg[0]);
	EXPECT_EQ(PATTERN, arg[device_query.cap_offset / sizeof(arg[0])]) {
		TH_LOG("cap_offset was written, which is not in argsz");
	}
}

CLAUSE_TEST_F(info, caps_chain, "info.caps-chain")
{
	uint32_t need = caps_need(self->dev, &device_query, PATTERN);

	if (!need)
		SKIP(return, "not applicable: the device has no capabilities in its info");
	check_chain(_metadata, self, &device_query, PATTERN, need);
}

#define NEED_REGION() do { \
	if (!self->dev->nr_regions) \
		SKIP(return, "not applicable: the device has no regions"); \
} while (0)

CLAUSE_TEST_F(info, region_argsz_small, "region.argsz-small")
{
	NEED_REGION();
	check_small(_metadata, self, &region_query);
}

CLAUSE_TEST_F(info, region_argsz_large, "region.argsz-large")
{
	struct vfio_region_info info;
	unsigned int i;

	NEED_REGION();
	EACH_REGION(i) {
		if (!region_info(self->dev, i, &info))
			check_large(_metadata, self, &region_query, i);
	}
}

CLAUSE_TEST_F(info, region_outputs, "region.outputs")
{
	struct vfio_region_info info;
	unsigned int i;

	NEED_REGION();
	EACH_REGION(i) {
		if (!region_info(self->dev, i, &info))
			check_outputs(_metadata, self, &region_query, i);
	}
}

CLAUSE_TEST_F(info, region_fault, "region.fault")
{
	NEED_REGION();
	check_fault(_metadata, self, &region_query);
}

CLAUSE_TEST_F(info, region_caps_short, "region.caps-short")
{
	unsigned int i, with_caps = 0;

	EACH_REGION(i) {
		if (!caps_need(self->dev, &region_query, i))
			continue;
		with_caps++;
		check_caps_short(_metadata, self, &region_query, i);
	}
	if (!with_caps)
		SKIP(return, "not applicable: no region has capabilities");
}

CLAUSE_TEST_F(info, region_caps_chain, "region.caps-chain")
{
	unsigned int i, with_caps = 0;
	uint32_t need;

	EACH_REGION(i) {
		need = caps_need(self->dev, &region_query, i);
		if (!need)
			continue;
		with_caps++;
		check_chain(_metadata, self, &region_query, i, need);
	}
	if (!with_caps)
		SKIP(return, "not applicable: no region has capabilities");
}

SUBJECT_TEST_MAIN
