// SPDX-License-Identifier: GPL-2.0-only
/* Regions by read() and write(): inside, at the end, behind it, and with bad buffers. */
#include "region.h"

#define PATTERN		0x5a
#define LEN_MAX		512
#define LINE		PCI_INTERRUPT_LINE

SUBJECT_FIXTURE(region_access);

static uint64_t at_region(const struct vmig_device *dev, unsigned int index, uint64_t offset)
{
	return dev->region[index].offset + offset;
}

/* Bytes of an access: an aligned register of 32 bits, the width that all buses have */
static size_t first_len(const struct vmig_device *dev, unsigned int index)
{
	return dev->region[index].size < 4 ? 1 : 4;
}

/* The same for an access to the end */
static size_t last_len(const struct vmig_device *dev, unsigned int index)
{
	return dev->region[index].size % 4 ? 1 : 4;
}

/* The end of a case: @_seen regions were accessed, and @_spared were not */
#define NEED_SEEN(_seen, _spared, _why) do { \
	if (!(_seen) && (_spared)) \
		SKIP(return, NOT_ACCESSED); \
	if (!(_seen)) \
		SKIP(return, "not applicable: " _why); \
} while (0)

static bool has_flag(const struct vmig_device *dev, unsigned int index, uint32_t flag)
{
	return dev->region[index].flags & flag;
}

static int result(ssize_t n)
{
	return n < 0 ? -errno : (int)n;
}

CLAUSE_TEST_F(region_access, read, "region.read")
{
	unsigned int i, seen = 0, spared = 0;
	uint32_t val;

	ASSERT_RET(0, decode_bars(self->dev), "decode the BARs");
	EACH_REGION(i) {
		size_t len = first_len(self->dev, i);

		if (!region_is_plain(self->dev, i) ||
		    !has_flag(self->dev, i, VFIO_REGION_INFO_FLAG_READ))
			continue;
		if (!may_access(&self->subject, i)) {
			spared++;
			continue;
		}
		seen++;
		EXPECT_EQ(len, result(vmig_call_pread(self->dev->fd, &val, len,
						      at_region(self->dev, i, 0)))) {
			TH_LOG("region %u: %m", i);
		}
	}
	NEED_SEEN(seen, spared, "no region can be read");
}

CLAUSE_TEST_F(region_access, read_the_end, "region.read")
{
	unsigned int i, seen = 0, spared = 0;
	uint32_t val;

	ASSERT_RET(0, decode_bars(self->dev), "decode the BARs");
	EACH_REGION(i) {
		size_t len = last_len(self->dev, i);
		uint64_t last = at_region(self->dev, i, self->dev->region[i].size - len);

		if (!region_is_plain(self->dev, i) ||
		    !has_flag(self->dev, i, VFIO_REGION_INFO_FLAG_READ))
			continue;
		if (!may_access(&self->subject, i)) {
			spared++;
			continue;
		}
		seen++;
		LIST_FROM_HERE();
		EXPECT_EQ(len, result(vmig_call_pread(self->dev->fd, &val, len, last))) {
			TH_LOG("region %u: %m", i);
		}
	}
	NEED_SEEN(seen, spared, "no region can be read");
}

DESTRUCTIVE_TEST_F(region_access, write, "writes the first register of each region",
		   "region.write")
{
	unsigned int i, seen = 0;
	uint32_t val;

	ASSERT_RET(0, decode_bars(self->dev), "decode the BARs");
	EACH_REGION(i) {
		size_t len = first_len(self->dev, i);

		if (!region_is_plain(self->dev, i) ||
		    !has_flag(self->dev, i, VFIO_REGION_INFO_FLAG_WRITE))
			continue;
		seen++;
		val = 0;
		if (has_flag(self->dev, i, VFIO_REGION_INFO_FLAG_READ))
			vmig_call_pread(self->dev->fd, &val, len, at_region(self->dev, i, 0));
		EXPECT_EQ(len, result(vmig_call_pwrite(self->dev->fd, &val, len,
						       at_region(self->dev, i, 0)))) {
			TH_LOG("region %u: %m", i);
		}
	}
	if (!seen)
		SKIP(return, "not applicable: no region can be written");
}

CLAUSE_TEST_F(region_access, no_read, "region.no-read")
{
	unsigned int i, seen = 0, spared = 0;
	uint32_t val;

	ASSERT_RET(0, decode_bars(self->dev), "decode the BARs");
	EACH_REGION(i) {
		if (!region_is_plain(self->dev, i) ||
		    has_flag(self->dev, i, VFIO_REGION_INFO_FLAG_READ))
			continue;
		if (!may_access(&self->subject, i)) {
			spared++;
			continue;
		}
		seen++;
		EXPECT_REFUSED("errno of reading a region without the flag",
			       result(vmig_call_pread(self->dev->fd, &val,
						      first_len(self->dev, i),
						      at_region(self->dev, i, 0))));
	}
	NEED_SEEN(seen, spared, "all regions can be read");
}

DESTRUCTIVE_TEST_F(region_access, no_write, "writes to regions that are not for writing",
		   "region.no-write")
{
	unsigned int i, seen = 0;
	uint32_t val;

	ASSERT_RET(0, decode_bars(self->dev), "decode the BARs");
	EACH_REGION(i) {
		size_t len = first_len(self->dev, i);

		if (!region_is_plain(self->dev, i) ||
		    has_flag(self->dev, i, VFIO_REGION_INFO_FLAG_WRITE))
			continue;
		seen++;
		val = 0;
		vmig_call_pread(self->dev->fd, &val, len, at_region(self->dev, i, 0));
		EXPECT_REFUSED("errno of writing a region without the flag",
			       result(vmig_call_pwrite(self->dev->fd, &val, len,
						       at_region(self->dev, i, 0))));
	}
	if (!seen)
		SKIP(return, "not applicable: all regions can be written");
}

/* At most @inside bytes may be moved, and no others of the buffer changed */
static void check_read(struct __test_metadata *_metadata, struct vmig_device *dev,
		       uint64_t offset, size_t len, size_t inside, const char *what,
		       unsigned int index)
{
	uint8_t buf[LEN_MAX];
	ssize_t n;

	memset(buf, PATTERN, sizeof(buf));
	LIST_FROM_HERE();
	n = vmig_call_pread(dev->fd, buf, len, offset);
	EXPECT_LE(n, (ssize_t)inside) {
		TH_LOG("region %u: read of %zu bytes %s returned %zd", index, len, what, n);
	}
	while (len > inside && buf[len - 1] == PATTERN)
		len--;
	EXPECT_LE(len, inside) {
		TH_LOG("region %u: read %s changed byte %zu of the buffer, %zu are inside", index,
		       what, len - 1, inside);
	}
}

CLAUSE_TEST_F(region_access, read_over_the_end, "region.end")
{
	unsigned int i, seen = 0, spared = 0;

	ASSERT_RET(0, decode_bars(self->dev), "decode the BARs");
	EACH_REGION(i) {
		size_t len = last_len(self->dev, i);
		uint64_t end = at_region(self->dev, i, self->dev->region[i].size);

		if (!region_is_plain(self->dev, i) || !offset_is_free(self->dev, end, 4))
			continue;
		if (!may_access(&self->subject, i)) {
			spared++;
			continue;
		}
		seen++;
		check_read(_metadata, self->dev, end - len, len + 4, len, "over the end", i);
	}
	NEED_SEEN(seen, spared, "no region has free offsets behind it");
}

CLAUSE_TEST_F(region_access, read_behind_the_end, "region.end")
{
	static const size_t lens[] = { 1, 4, 8, LEN_MAX };
	unsigned int i, l;

	ASSERT_RET(0, decode_bars(self->dev), "decode the BARs");
	EACH_REGION(i) {
		uint64_t end = at_region(self->dev, i, self->dev->region[i].size);

		if (!offset_is_free(self->dev, end, LEN_MAX))
			continue;
		for (l = 0; l < ARRAY_SIZE(lens); l++)
			check_read(_metadata, self->dev, end, lens[l], 0, "at the end", i);
	}
}

/* Half way to the next region, and where an index or an offset that is cut off would be 0 */
CLAUSE_TEST_F(region_access, read_far_from_a_region, "region.end")
{
	static const unsigned int shifts[] = { 44, 48, 56, 60, 61, 62 };
	unsigned int i;

	ASSERT_RET(0, decode_bars(self->dev), "decode the BARs");
	for (i = 0; i + 1 < regions_nr(self->dev); i++) {
		uint64_t at = at_region(self->dev, i, 0), next = at_region(self->dev, i + 1, 0);

		if (next > at && offset_is_free(self->dev, at + (next - at) / 2, 4))
			check_read(_metadata, self->dev, at + (next - at) / 2, 4, 0,
				   "half way to the next region", i);
	}
	for (i = 0; i < ARRAY_SIZE(shifts); i++) {
		if (offset_is_free(self->dev, 1ULL << shifts[i], 4))
			check_read(_metadata, self->dev, 1ULL << shifts[i], 4, 0,
				   "at a huge offset", shifts[i]);
	}
	check_read(_metadata, self->dev, INT64_MAX - 7, 4, 0, "near the largest offset", 0);
}

DESTRUCTIVE_TEST_F(region_access, write_behind_the_end, "writes outside of the regions",
		   "region.end")
{
	const uint32_t val = 0;
	unsigned int i;

	ASSERT_RET(0, decode_bars(self->dev), "decode the BARs");
	EACH_REGION(i) {
		uint64_t end = at_region(self->dev, i, self->dev->region[i].size);

		if (!offset_is_free(self->dev, end, sizeof(val)))
			continue;
		LIST_FROM_HERE();
		EXPECT_GE(0, result(vmig_call_pwrite(self->dev->fd, &val, sizeof(val), end))) {
			TH_LOG("region %u: a write at its end succeeded", i);
		}
	}
}

#define FAULT_KEY	"errno of a buffer that cannot be accessed"

CLAUSE_TEST_F(region_access, read_into_a_bad_buffer, "region.buffer-fault")
{
	uint8_t *end = guarded_page_map();
	unsigned int i, seen = 0, spared = 0;

	ASSERT_NE(NULL, end);
	ASSERT_RET(0, decode_bars(self->dev), "decode the BARs");
	EACH_REGION(i) {
		size_t len = first_len(self->dev, i);
		uint64_t at = at_region(self->dev, i, 0);

		if (!region_is_plain(self->dev, i) ||
		    !has_flag(self->dev, i, VFIO_REGION_INFO_FLAG_READ))
			continue;
		if (!may_access(&self->subject, i)) {
			spared++;
			continue;
		}
		seen++;
		LIST_FROM_HERE();
		EXPECT_REFUSED(FAULT_KEY, result(vmig_call_pread(self->dev->fd, NULL, len, at)));
		EXPECT_REFUSED(FAULT_KEY, result(vmig_call_pread(self->dev->fd, end, len, at)));
	}
	guarded_page_unmap(end);
	NEED_SEEN(seen, spared, "no region can be read");
}

/* In config space, as any value of this register is harmless */
CLAUSE_TEST_F(region_access, write_from_a_bad_buffer, "region.buffer-fault")
{
	uint8_t *end = guarded_page_map(), before = 0, after = 0;
	uint64_t at = at_region(self->dev, CONFIG, LINE);

	NEED(PCI);
	ASSERT_NE(NULL, end);
	ASSERT_RET(0, vmig_config_read8(self->dev, LINE, &before), "interrupt line");
	LIST_FROM_HERE();
	EXPECT_REFUSED(FAULT_KEY, result(vmig_call_pwrite(self->dev->fd, NULL, 1, at)));
	EXPECT_REFUSED(FAULT_KEY, result(vmig_call_pwrite(self->dev->fd, end, 1, at)));
	EXPECT_RET(0, vmig_config_read8(self->dev, LINE, &after), "interrupt line");
	EXPECT_EQ(before, after);
	guarded_page_unmap(end);
}

CLAUSE_TEST_F(region_access, no_bytes, "region.no-bytes")
{
	unsigned int i, seen = 0;
	uint8_t val = PATTERN;

	EACH_REGION(i) {
		if (!region_is_plain(self->dev, i))
			continue;
		LIST_FROM_HERE();
		if (has_flag(self->dev, i, VFIO_REGION_INFO_FLAG_READ)) {
			seen++;
			EXPECT_EQ(0, result(vmig_call_pread(self->dev->fd, &val, 0,
							    at_region(self->dev, i, 0))));
		}
		if (has_flag(self->dev, i, VFIO_REGION_INFO_FLAG_WRITE)) {
			seen++;
			EXPECT_EQ(0, result(vmig_call_pwrite(self->dev->fd, &val, 0,
							     at_region(self->dev, i, 0))));
		}
	}
	EXPECT_EQ(PATTERN, val);
	if (!seen)
		SKIP(return, "not applicable: the device has no regions");
}

SUBJECT_TEST_MAIN
