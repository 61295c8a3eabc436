// SPDX-License-Identifier: GPL-2.0-only
/* The types of devices in sysfs, and how many devices there can be. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/mtty.h"

#define PARENT		"/sys/class/mdev_bus/mtty"
#define TYPES		PARENT "/mdev_supported_types"
#define TEXT		128
#define MAX_DEVICES	4096
#define DEADLINE_MS	10000

static int read_type(const char *type, const char *attr, char text[TEXT])
{
	char path[2 * TEXT];

	snprintf(path, sizeof(path), TYPES "/%s/%s", type, attr);
	return vmig_read_file(path, text, TEXT);
}

/* Entries of a directory with names of at least @len; @name is set to the last of them */
static int entries(const char *path, size_t len, char name[TEXT])
{
	struct dirent *entry;
	DIR *dir = opendir(path);
	int nr = 0;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || strlen(entry->d_name) < len)
			continue;
		snprintf(name, TEXT, "%.100s", entry->d_name);
		nr++;
	}
	closedir(dir);
	return nr;
}

/* Driver: mdev_supported_types: two types, with these names, of the VFIO bus PCI */
TEST(names_of_the_types)
{
	static const struct {
		const char *type;
		const char *attr;
		const char *want;
	} row[] = {
		{ "mtty-1", "name", "Single port serial\n" },
		{ "mtty-2", "name", "Dual port serial\n" },
		{ "mtty-1", "device_api", "vfio-pci\n" },
		{ "mtty-2", "device_api", "vfio-pci\n" },
	};
	char text[TEXT] = "";
	unsigned int i;

	EXPECT_EQ(2, entries(TYPES, 1, text));
	for (i = 0; i < ARRAY_SIZE(row); i++) {
		EXPECT_RET(0, read_type(row[i].type, row[i].attr, text), "%s", row[i].type);
		EXPECT_STREQ(row[i].want, text) {
			TH_LOG("%s of %s", row[i].attr, row[i].type);
		}
	}
}

/* Driver: available_instances: 4096 devices of both types at most, less those there are */
TEST(number_of_devices)
{
	static const char *const types[] = { "mtty-1", "mtty-2" };
	char text[TEXT] = "", want[TEXT];
	int64_t end = vmig_now_ms() + DEADLINE_MS;
	int nr = entries(PARENT, VMIG_UUID_LEN, text);
	unsigned int i;

	ASSERT_LE(0, nr);
	snprintf(want, sizeof(want), "%d\n", MAX_DEVICES - nr);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		/* A device of the program before may be freed later than it is removed */
		do {
			EXPECT_RET(0, read_type(types[i], "available_instances", text), "%s",
				   types[i]);
		} while (strcmp(want, text) && vmig_now_ms() < end && !usleep(10000));
		EXPECT_STREQ(want, text);
	}
}

TEST_HARNESS_MAIN
