// SPDX-License-Identifier: GPL-2.0-only
/* Buffers, numbers and short files of the library: lib/vfio/bytes.h, lib/vfio/util.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#define WITHOUT_DEVICE
#include "tools/fixture.h"

#define EXPECT_TEXT(_want, _bytes) do { \
	EXPECT_EQ(strlen(_want), (_bytes)->len); \
	EXPECT_EQ(0, memcmp(_want, (_bytes)->data, strlen(_want))) { \
		TH_LOG("%.*s instead of %s", (int)(_bytes)->len, (char *)(_bytes)->data, _want); \
	} \
} while (0)

/* Library: vmig_bytes_insert(), vmig_bytes_cut(): in front, in the middle, at the end */
TEST(insert_and_cut)
{
	struct vmig_bytes bytes = {};

	ASSERT_RET(0, vmig_bytes_add(&bytes, "bcef", 4), "add");
	EXPECT_RET(0, vmig_bytes_insert(&bytes, 2, "d", 1), "middle");
	EXPECT_TEXT("bcdef", &bytes);
	EXPECT_RET(0, vmig_bytes_insert(&bytes, 0, "a", 1), "front");
	EXPECT_RET(0, vmig_bytes_insert(&bytes, 6, "gh", 2), "end");
	EXPECT_TEXT("abcdefgh", &bytes);
	EXPECT_RET(-EINVAL, vmig_bytes_insert(&bytes, 9, "x", 1), "behind the end");
	EXPECT_RET(0, vmig_bytes_cut(&bytes, 3, 2), "middle");
	EXPECT_TEXT("abcfgh", &bytes);
	EXPECT_RET(0, vmig_bytes_cut(&bytes, 5, 1), "end");
	EXPECT_RET(0, vmig_bytes_cut(&bytes, 0, 1), "front");
	EXPECT_TEXT("bcfg", &bytes);
	EXPECT_RET(-EINVAL, vmig_bytes_cut(&bytes, 3, 2), "behind the end");
	EXPECT_RET(-EINVAL, vmig_bytes_cut(&bytes, 5, 0), "behind the end");
	EXPECT_TEXT("bcfg", &bytes);
	vmig_bytes_free(&bytes);
}

/* Library: vmig_bytes_copy(): replaces what was there, and is a copy */
TEST(copy_replaces)
{
	struct vmig_bytes from = {}, to = {};

	ASSERT_RET(0, vmig_bytes_add(&from, "new", 3), "add");
	ASSERT_RET(0, vmig_bytes_add(&to, "older", 5), "add");
	EXPECT_RET(0, vmig_bytes_copy(&to, &from), "copy");
	from.data[0] = 'x';
	EXPECT_TEXT("new", &to);
	vmig_bytes_free(&from);
	vmig_bytes_free(&to);
}

/* Library: vmig_number(): decimal digits up to a maximum, and nothing else */
TEST(numbers)
{
	static const struct {
		const char *text;
		unsigned int max;
		int ret;
		unsigned int number;
	} row[] = {
		{ "0", 0, 0, 0 },
		{ "7", 7, 0, 7 },
		{ "8", 7, -EINVAL },
		{ "007", 7, 0, 7 },
		{ "4294967295", UINT_MAX, 0, UINT_MAX },
		{ "4294967296", UINT_MAX, -EINVAL },
		/* 2^64 + 1 */
		{ "18446744073709551617", UINT_MAX, -EINVAL },
		{ "", 7, -EINVAL },
		{ "-1", 7, -EINVAL },
		{ "+1", 7, -EINVAL },
		{ " 1", 7, -EINVAL },
		{ "1 ", 7, -EINVAL },
		{ "0x1", 7, -EINVAL },
	};
	unsigned int number, i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		number = 99;
		EXPECT_RET(row[i].ret, vmig_number(row[i].text, row[i].max, &number), "\"%s\"",
			   row[i].text);
		EXPECT_EQ(row[i].ret ? 99 : row[i].number, number) {
			TH_LOG("\"%s\"", row[i].text);
		}
	}
}

/* Library: vmig_read_file(): the text and a final 0 have to fit; else EOVERFLOW */
TEST(file_and_its_end_must_fit)
{
	char path[32], text[8] = "???????";
	int fd = memfd_create("file", MFD_CLOEXEC);

	ASSERT_LE(0, fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	EXPECT_RET(0, vmig_write_file(path, "four"), "write");
	EXPECT_RET(0, vmig_read_file(path, text, 5), "4 bytes and the end");
	EXPECT_STREQ("four", text);
	text[4] = '?';
	EXPECT_RET(-EOVERFLOW, vmig_read_file(path, text, 4), "no room for the end");
	EXPECT_EQ('?', text[4]);
	EXPECT_RET(-ENOENT, vmig_read_file("/no such file", text, 4), "none");
	close(fd);
}

/* Library: vmig_count_fds(): one more for a file that is opened */
TEST(descriptors)
{
	int fd, before = vmig_count_fds();

	ASSERT_LT(0, before);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(before + 1, vmig_count_fds());
	close(fd);
	EXPECT_EQ(before, vmig_count_fds());
}

TEST_HARNESS_MAIN
