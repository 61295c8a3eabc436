// SPDX-License-Identifier: GPL-2.0-only
/* Regions by mmap(): the flag, the end, sparse areas, and the contents. */
#include <sys/mman.h>

#include "region.h"

#define AREAS_MAX	64
/* A mapping of more may exceed the address space of a process */
#define LEN_MAX		0x10000000000ULL
#define ATTEMPTS	100
/* So often in a row must a register that does not change be wrong */
#define WRONG_MAX	3

#define RW		(PROT_READ | PROT_WRITE)

SUBJECT_FIXTURE(region_mmap);

/**
 * struct areas - what of a region can be mapped
 * @nr:		number of them
 * @sparse:	the region has the capability
 * @area:	them; the size is a multiple of a page
 */
struct areas {
	unsigned int nr;
	bool sparse;
	struct vfio_region_sparse_mmap_area area[AREAS_MAX];
};

static uint64_t whole_pages(uint64_t size)
{
	const uint64_t page = sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page * page;
}

static int get_areas(struct vmig_device *dev, unsigned int index, struct areas *areas)
{
	const struct vfio_region_info_cap_sparse_mmap *sparse;
	struct vfio_region_info *info;
	unsigned int i;
	int ret;

	memset(areas, 0, sizeof(*areas));
	if (!dev->region[index].size || !(dev->region[index].flags & VFIO_REGION_INFO_FLAG_MMAP))
		return 0;
	LIST_FROM_HERE();
	ret = region_info_whole(dev, index, &info);
	sparse = ret ? NULL : region_cap(info, VFIO_REGION_INFO_CAP_SPARSE_MMAP);
	if (sparse) {
		areas->sparse = true;
		for (i = 0; i < sparse_areas(info, sparse) && areas->nr < AREAS_MAX; i++)
			areas->area[areas->nr++] = sparse->areas[i];
	} else if (!ret) {
		areas->area[areas->nr++].size = whole_pages(info->size);
	}
	free(info);
	return ret;
}

/* Map, and unmap again; 0 or -errno */
static int try_map(struct vmig_device *dev, unsigned int index, uint64_t offset, uint64_t len)
{
	void *map;

	map = vmig_call_mmap(len, RW, MAP_SHARED, dev->fd, dev->region[index].offset + offset);
	if (map == MAP_FAILED)
		return -errno;
	munmap(map, len);
	return 0;
}

/* Map the areas of all regions; returns how many there are with the capability, or without it */
static unsigned int map_areas(struct __test_metadata *_metadata,
			      FIXTURE_DATA(region_mmap) *self, bool sparse)
{
	unsigned int i, k, seen = 0;
	struct areas areas;

	EACH_REGION(i) {
		ASSERT_RET(0, get_areas(self->dev, i, &areas), "region %u", i);
		for (k = 0; k < areas.nr && areas.sparse == sparse; k++) {
			uint64_t size = areas.area[k].size;

			seen++;
			EXPECT_RET(0, try_map(self->dev, i, areas.area[k].offset,
					      size < LEN_MAX ? size : LEN_MAX),
				   "region %u, area %u", i, k);
		}
	}
	return seen;
}

CLAUSE_TEST_F(region_mmap, whole, "region.mmap")
{
	NEED(MMAP);
	if (!map_areas(_metadata, self, false))
		SKIP(return, "not applicable: all regions for mmap() are sparse");
}

CLAUSE_TEST_F(region_mmap, sparse, "region.sparse-mmap")
{
	NEED(MMAP);
	if (!map_areas(_metadata, self, true))
		SKIP(return, "not applicable: no region is sparse");
}

CLAUSE_TEST_F(region_mmap, no_flag, "region.no-mmap")
{
	const uint64_t page = sysconf(_SC_PAGESIZE);
	unsigned int i, seen = 0;

	EACH_REGION(i) {
		const struct vfio_region_info *region = &self->dev->region[i];

		/* At an offset that is no page mmap() fails in any case */
		if (!region->size || region->flags & VFIO_REGION_INFO_FLAG_MMAP ||
		    region->offset % page)
			continue;
		seen++;
		LIST_FROM_HERE();
		EXPECT_REFUSED("errno of mmap() without the flag",
			       try_map(self->dev, i, 0, page));
	}
	if (!seen)
		SKIP(return, "not applicable: all regions have the flag");
}

CLAUSE_TEST_F(region_mmap, over_the_end, "region.mmap-end")
{
	const uint64_t page = sysconf(_SC_PAGESIZE);
	const char *key = "errno of mmap() over the end";
	unsigned int i;

	NEED(MMAP);
	EACH_REGION(i) {
		const struct vfio_region_info *region = &self->dev->region[i];
		uint64_t len = whole_pages(region->size);

		if (!region->size || !(region->flags & VFIO_REGION_INFO_FLAG_MMAP) ||
		    !offset_is_free(self->dev, region->offset + len, page))
			continue;
		LIST_FROM_HERE();
		EXPECT_REFUSED(key, try_map(self->dev, i, len, page));
		if (len < LEN_MAX)
			EXPECT_REFUSED(key, try_map(self->dev, i, 0, len + page));
		EXPECT_REFUSED(key, try_map(self->dev, i, len - page, 2 * page));
	}
}

/* The first page that is in no area, or UINT64_MAX */
static uint64_t find_hole(const struct areas *areas, uint64_t size)
{
	const uint64_t page = sysconf(_SC_PAGESIZE);
	uint64_t at = 0;
	unsigned int k = 0;

	while (k < areas->nr && at < size) {
		const struct vfio_region_sparse_mmap_area *area = &areas->area[k++];

		if (at + page > area->offset && at < area->offset + area->size) {
			at = whole_pages(area->offset + area->size);
			k = 0;
		}
	}
	return at < size ? at : UINT64_MAX;
}

CLAUSE_TEST_F(region_mmap, outside_the_areas, "region.sparse-outside")
{
	unsigned int i, seen = 0;
	struct areas areas;
	uint64_t at;

	NEED(MMAP);
	EACH_REGION(i) {
		ASSERT_RET(0, get_areas(self->dev, i, &areas), "region %u", i);
		at = areas.sparse ? find_hole(&areas, self->dev->region[i].size) : UINT64_MAX;
		if (at == UINT64_MAX)
			continue;
		seen++;
		RECORD("mmap() outside of the sparse areas", "region %u: %s", i,
		       vmig_errno_name(try_map(self->dev, i, at, sysconf(_SC_PAGESIZE))));
	}
	if (!seen)
		SKIP(return, "not applicable: no sparse region has a page outside of its areas");
}

/* Memory, which can be read and written everywhere: not registers */
static bool is_memory(const struct vmig_subject *subject, struct vmig_device *dev,
		      unsigned int index)
{
	uint32_t bar;

	if (subject->ops->fill)
		return true;
	return (dev->flags & VFIO_DEVICE_FLAGS_PCI) && index <= LAST_BAR &&
	       !vmig_config_read32(dev, PCI_BASE_ADDRESS_0 + 4 * index, &bar) &&
	       !(bar & PCI_BASE_ADDRESS_SPACE_IO) && (bar & PCI_BASE_ADDRESS_MEM_PREFETCH);
}

/**
 * struct table - the MSI-X table of a PCI function
 * @index:	its region
 * @start:	its offset
 * @end:	the offset behind it; 0 if there is no table
 *
 * vfio-pci hides it from read() and write(): VFIO_DEVICE_SET_IRQS is for it.
 */
struct table {
	unsigned int index;
	uint64_t start;
	uint64_t end;
};

/* Empty if the device has none. Return: 0 or -errno */
static int find_table(struct vmig_device *dev, struct table *table)
{
	unsigned int cap;
	uint32_t where;
	uint16_t flags;
	int ret;

	memset(table, 0, sizeof(*table));
	if (!(dev->flags & VFIO_DEVICE_FLAGS_PCI))
		return 0;
	ret = vmig_config_find_cap(dev, PCI_CAP_ID_MSIX, &cap);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	ret = vmig_config_read16(dev, cap + PCI_MSIX_FLAGS, &flags);
	if (!ret)
		ret = vmig_config_read32(dev, cap + PCI_MSIX_TABLE, &where);
	if (ret)
		return ret;
	table->index = where & PCI_MSIX_TABLE_BIR;
	table->start = where & PCI_MSIX_TABLE_OFFSET;
	table->end = table->start + ((flags & PCI_MSIX_FLAGS_QSIZE) + 1) * PCI_MSIX_ENTRY_SIZE;
	return 0;
}

static bool is_in_table(const struct table *table, unsigned int index, uint64_t offset)
{
	return index == table->index && offset >= table->start && offset < table->end;
}

/* A register may change by itself, so only one that is the same before and after counts */
static bool is_same(struct vmig_device *dev, unsigned int index, uint64_t offset,
		    const uint32_t *map)
{
	uint32_t before = 0, seen, after = 0;
	unsigned int i, wrong = 0;

	for (i = 0; i < ATTEMPTS; i++) {
		if (vmig_region_read(dev, index, offset, &before, sizeof(before)))
			return false;
		seen = __atomic_load_n(map, __ATOMIC_RELAXED);
		if (vmig_region_read(dev, index, offset, &after, sizeof(after)))
			return false;
		if (seen == before || seen == after)
			return true;
		wrong = before == after ? wrong + 1 : 0;
		if (wrong == WRONG_MAX)
			return false;
	}
	return true;
}

/* Compare the start of an area, and of memory the middle and the end as well */
static void compare_area(struct __test_metadata *_metadata, FIXTURE_DATA(region_mmap) *self,
			 unsigned int index, const struct vfio_region_sparse_mmap_area *area,
			 const struct table *table)
{
	const uint64_t rest = self->dev->region[index].size - area->offset;
	const uint64_t size = area->size < rest ? area->size : rest;
	const uint64_t at[] = { 0, (size / 2) & ~3ULL, (size - 4) & ~3ULL };
	unsigned int i, nr = is_memory(&self->subject, self->dev, index) ? ARRAY_SIZE(at) : 1;
	uint8_t *map;

	LIST_FROM_HERE();
	map = vmig_call_mmap(area->size, RW, MAP_SHARED, self->dev->fd,
			     self->dev->region[index].offset + area->offset);
	ASSERT_NE(MAP_FAILED, map);
	for (i = 0; i < nr; i++) {
		if (is_in_table(table, index, area->offset + at[i]))
			continue;
		EXPECT_TRUE(is_same(self->dev, index, area->offset + at[i],
				    (const uint32_t *)(map + at[i]))) {
			TH_LOG("region %u: mmap() and read() differ at %#llx", index,
			       (unsigned long long)(area->offset + at[i]));
		}
	}
	munmap(map, area->size);
}

#define AREA_IS_USABLE(_dev, _index, _area) \
	((_area)->size >= 4 && (_area)->size <= LEN_MAX && \
	 (_area)->offset + 4 <= (_dev)->region[_index].size)

CLAUSE_TEST_F(region_mmap, same_contents, "region.mmap-same")
{
	struct areas areas;
	struct table table;
	unsigned int i, k, seen = 0, spared = 0;

	NEED(MMAP);
	if (self->subject.ops->fill)
		ASSERT_RET(0, self->subject.ops->fill(self->dev, 40), "fill");
	ASSERT_RET(0, decode_bars(self->dev), "decode the BARs");
	ASSERT_RET(0, find_table(self->dev, &table), "MSI-X capability");
	EACH_REGION(i) {
		ASSERT_RET(0, get_areas(self->dev, i, &areas), "region %u", i);
		for (k = 0; k < areas.nr; k++) {
			if (!AREA_IS_USABLE(self->dev, i, &areas.area[k]))
				continue;
			if (!may_access(&self->subject, i)) {
				spared++;
				continue;
			}
			seen++;
			compare_area(_metadata, self, i, &areas.area[k], &table);
		}
	}
	if (!seen && spared)
		SKIP(return, NOT_ACCESSED);
}

CLAUSE_TEST_F(region_mmap, same_contents_in_a_part, "region.mmap-same")
{
	const uint64_t page = sysconf(_SC_PAGESIZE);
	struct vfio_region_sparse_mmap_area part = { .size = page };
	unsigned int i, k, seen = 0;
	struct areas areas;
	struct table table;

	NEED(MMAP);
	if (self->subject.ops->fill)
		ASSERT_RET(0, self->subject.ops->fill(self->dev, 41), "fill");
	ASSERT_RET(0, decode_bars(self->dev), "decode the BARs");
	ASSERT_RET(0, find_table(self->dev, &table), "MSI-X capability");
	EACH_REGION(i) {
		ASSERT_RET(0, get_areas(self->dev, i, &areas), "region %u", i);
		for (k = 0; k < areas.nr; k++) {
			const struct vfio_region_sparse_mmap_area *area = &areas.area[k];

			/* Memory only: a read of a register may have side effects */
			if (area->size < 2 * page || !may_access(&self->subject, i) ||
			    !is_memory(&self->subject, self->dev, i) ||
			    !AREA_IS_USABLE(self->dev, i, area))
				continue;
			seen++;
			part.offset = area->offset + area->size / 2 / page * page;
			compare_area(_metadata, self, i, &part, &table);
			part.offset = area->offset + area->size - page;
			compare_area(_metadata, self, i, &part, &table);
		}
	}
	if (!seen)
		SKIP(return, "not checked: no mapping of two pages is known to be memory");
}

/* Both ways must show the same after a write by one of them */
static bool has_changed(struct __test_metadata *_metadata, FIXTURE_DATA(region_mmap) *self,
			unsigned int index, uint64_t offset, const uint32_t *map, uint32_t old)
{
	uint32_t by_map = __atomic_load_n(map, __ATOMIC_RELAXED), by_read = 0;

	EXPECT_RET(0, vmig_region_read(self->dev, index, offset, &by_read, 4), "read");
	EXPECT_EQ(by_map, by_read) {
		TH_LOG("region %u: after a write of %#x the mapping shows %#x, read() %#x", index,
		       ~old, by_map, by_read);
	}
	return by_map != old || by_read != old;
}

/*
 * Write by each of the ways; then it is restored. A register may keep its value, or some of
 * its bits. Returns false if no write had an effect: this is no memory.
 */
static bool write_area(struct __test_metadata *_metadata, FIXTURE_DATA(region_mmap) *self,
		       unsigned int index, const struct vfio_region_sparse_mmap_area *area)
{
	uint32_t *map, old = 0, new;
	bool changed;

	LIST_FROM_HERE();
	map = vmig_call_mmap(area->size, RW, MAP_SHARED, self->dev->fd,
			     self->dev->region[index].offset + area->offset);
	EXPECT_NE(MAP_FAILED, map);
	if (map == MAP_FAILED)
		return true;
	EXPECT_RET(0, vmig_region_read(self->dev, index, area->offset, &old, 4), "read");
	new = ~old;
	__atomic_store_n(map, new, __ATOMIC_RELAXED);
	changed = has_changed(_metadata, self, index, area->offset, map, old);
	__atomic_store_n(map, old, __ATOMIC_RELAXED);
	EXPECT_RET(0, vmig_region_write(self->dev, index, area->offset, &new, 4), "write");
	changed |= has_changed(_metadata, self, index, area->offset, map, old);
	EXPECT_RET(0, vmig_region_write(self->dev, index, area->offset, &old, 4), "write");
	munmap(map, area->size);
	return changed;
}

DESTRUCTIVE_TEST_F(region_mmap, write_is_seen, "writes to the memory of the device",
		   "region.mmap-same")
{
	unsigned int i, k, seen = 0;
	struct areas areas;
	struct table table;

	NEED(MMAP);
	ASSERT_RET(0, decode_bars(self->dev), "decode the BARs");
	ASSERT_RET(0, find_table(self->dev, &table), "MSI-X capability");
	EACH_REGION(i) {
		if (!is_memory(&self->subject, self->dev, i))
			continue;
		ASSERT_RET(0, get_areas(self->dev, i, &areas), "region %u", i);
		for (k = 0; k < areas.nr; k++) {
			if (!AREA_IS_USABLE(self->dev, i, &areas.area[k]) ||
			    is_in_table(&table, i, areas.area[k].offset))
				continue;
			seen += write_area(_metadata, self, i, &areas.area[k]);
		}
	}
	if (!seen && _metadata->exit_code != KSFT_FAIL)
		SKIP(return, "not checked: no mapping is known to be memory");
}

SUBJECT_TEST_MAIN
