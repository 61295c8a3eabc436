// SPDX-License-Identifier: GPL-2.0-only
/* VFIO_DEVICE_GET_REGION_INFO: which regions there are, and their capabilities. */
#include "region.h"

/* vfio-pci had its first region behind this index, so a driver may answer one by mistake */
#define BEYOND_NR	32

SUBJECT_FIXTURE(region_info);

CLAUSE_TEST_F(region_info, index_beyond, "region.index-beyond")
{
	static const uint32_t far[] = { 0x7fffffff, 0x80000000, UINT32_MAX };
	const char *key = "errno of a region index beyond the last";
	struct vfio_region_info info;
	unsigned int i;

	for (i = 0; i < BEYOND_NR; i++) {
		LIST_FROM_HERE();
		EXPECT_REFUSED(key, region_info(self->dev, self->dev->nr_regions + i, &info));
	}
	for (i = 0; i < ARRAY_SIZE(far); i++) {
		LIST_FROM_HERE();
		EXPECT_REFUSED(key, region_info(self->dev, far[i], &info));
	}
}

CLAUSE_TEST_F(region_info, unimplemented, "region.unimplemented")
{
	struct vfio_region_info info;
	unsigned int i;
	int ret;

	if (!self->dev->nr_regions)
		SKIP(return, "not applicable: the device has no regions");
	EACH_REGION(i) {
		LIST_FROM_HERE();
		ret = region_info(self->dev, i, &info);
		EXPECT_TRUE(!ret || ret == -EINVAL) {
			TH_LOG("region %u: %s", i, vmig_errno_name(ret));
		}
		if (ret)
			RECORD("a region that is not there", "index %u: %s", i,
			       vmig_errno_name(ret));
		else if (!info.size)
			RECORD("a region that is not there", "index %u: size zero", i);
	}
}

CLAUSE_TEST_F(region_info, no_size, "region.no-size")
{
	const uint32_t access = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
				VFIO_REGION_INFO_FLAG_MMAP;
	struct vfio_region_info info;
	unsigned int i, seen = 0;

	EACH_REGION(i) {
		LIST_FROM_HERE();
		if (region_info(self->dev, i, &info) || info.size)
			continue;
		seen++;
		EXPECT_EQ(0, info.flags & access) {
			TH_LOG("region %u has no size, and flags %#x", i, info.flags);
		}
	}
	if (!seen)
		SKIP(return, "not applicable: no region has size zero");
}

CLAUSE_TEST_F(region_info, apart, "region.apart")
{
	const struct vfio_region_info *a, *b, *first = self->dev->region;

	if (regions_nr(self->dev) < 2)
		SKIP(return, "not applicable: the device has fewer than two regions");
	for (a = first; a < first + regions_nr(self->dev); a++) {
		EXPECT_LE(a->offset, a->offset + a->size) {
			TH_LOG("region %u: offset %#llx, size %#llx", a->index,
			       (unsigned long long)a->offset, (unsigned long long)a->size);
		}
		for (b = first; b < a; b++)
			EXPECT_FALSE(a->offset < b->offset + b->size &&
				     b->offset < a->offset + a->size) {
				TH_LOG("regions %u and %u have bytes in common at %#llx",
				       b->index, a->index, (unsigned long long)a->offset);
			}
	}
}

static void check_version(struct __test_metadata *_metadata,
			  const struct vfio_region_info *info,
			  const struct vfio_info_cap_header *cap)
{
	const struct vfio_region_info_cap_sparse_mmap *sparse = (const void *)cap;
	size_t room = (const char *)info + info->argsz - (const char *)cap;
	size_t size = sizeof(struct vfio_region_info_cap_type);

	EXPECT_EQ(1, cap->version);
	if (cap->id == VFIO_REGION_INFO_CAP_SPARSE_MMAP) {
		size = sizeof(*sparse);
		if (room >= size)
			size += (uint64_t)sparse->nr_areas * sizeof(sparse->areas[0]);
	}
	EXPECT_LE(size, room) {
		TH_LOG("region %u: capability %u of %zu bytes, but %zu to the end of the info",
		       info->index, cap->id, size, room);
	}
}

CLAUSE_TEST_F(region_info, caps_version, "region.caps-version")
{
	static const uint16_t ids[] = {
		VFIO_REGION_INFO_CAP_SPARSE_MMAP, VFIO_REGION_INFO_CAP_TYPE,
	};
	const struct vfio_info_cap_header *cap;
	struct vfio_region_info *info;
	unsigned int i, k, seen = 0;

	EACH_REGION(i) {
		LIST_FROM_HERE();
		if (region_info_whole(self->dev, i, &info)) {
			free(info);
			continue;
		}
		for (k = 0; k < ARRAY_SIZE(ids); k++) {
			cap = region_cap(info, ids[k]);
			if (!cap)
				continue;
			seen++;
			check_version(_metadata, info, cap);
		}
		free(info);
	}
	if (!seen)
		SKIP(return, "not applicable: no region has such a capability");
}

static void check_areas(struct __test_metadata *_metadata, const struct vfio_region_info *info,
			const struct vfio_region_info_cap_sparse_mmap *sparse)
{
	unsigned int i;

	EXPECT_EQ(sparse->nr_areas, sparse_areas(info, sparse)) {
		TH_LOG("region %u: %u areas do not fit into the info", info->index,
		       sparse->nr_areas);
	}
	for (i = 0; i < sparse_areas(info, sparse); i++) {
		const struct vfio_region_sparse_mmap_area *area = &sparse->areas[i];

		EXPECT_TRUE(area->offset <= info->size && area->size <= info->size - area->offset) {
			TH_LOG("region %u of size %#llx: area %u at %#llx of size %#llx",
			       info->index, (unsigned long long)info->size, i,
			       (unsigned long long)area->offset,
			       (unsigned long long)area->size);
		}
	}
}

CLAUSE_TEST_F(region_info, sparse_inside, "region.sparse-inside")
{
	const struct vfio_region_info_cap_sparse_mmap *sparse;
	struct vfio_region_info *info;
	unsigned int i, seen = 0;

	EACH_REGION(i) {
		LIST_FROM_HERE();
		sparse = region_info_whole(self->dev, i, &info) ? NULL :
			 region_cap(info, VFIO_REGION_INFO_CAP_SPARSE_MMAP);
		if (sparse) {
			seen++;
			check_areas(_metadata, info, sparse);
		}
		free(info);
	}
	if (!seen)
		SKIP(return, "not applicable: no region is sparse");
}

SUBJECT_TEST_MAIN
