// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unloading the module, and loading it again: nothing stays registered, and all that was
 * there is there again. With faults: fail_module_test.c.
 */
#include <errno.h>

#include "lib/mtty.h"

#define MODULE	"mtty"
#define ROUNDS	3

/* For something that must happen; only a failure waits so long */
#define DEADLINE_MS	10000

FIXTURE(module) {
	const char *file;
	bool may_unload;
};

static int load(const char *file)
{
	return vmig_module_load(MODULE, file);
}

static int unload(void)
{
	return vmig_module_unload(MODULE, DEADLINE_MS);
}

FIXTURE_SETUP(module)
{
	const char *reason = vmig_testdev_module_stays();

	if (reason)
		SKIP(return, "%s", reason);
	self->file = getenv("MTTY_KO");
	self->may_unload = true;
}

FIXTURE_TEARDOWN(module)
{
	/* The programs that follow need it */
	if (self->may_unload && access("/sys/module/" MODULE, F_OK))
		EXPECT_RET(0, load(self->file), "load");
}

/* Paths that exist exactly while the module is loaded */
static const char *const registered[] = {
	"/sys/module/" MODULE,
	"/sys/bus/mdev/drivers/" MODULE,
	"/sys/class/" MODULE "/" MODULE,
	"/sys/class/" MODULE,
	"/sys/class/mdev_bus/" MODULE,
	"/sys/devices/virtual/" MODULE "/" MODULE "/mdev_supported_types/mtty-1",
	"/sys/devices/virtual/" MODULE "/" MODULE "/mdev_supported_types/mtty-2",
	"/sys/devices/virtual/" MODULE,
};

/* The first path that does not match @want, or "none" */
static const char *wrong(bool want)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(registered); i++) {
		if (!access(registered[i], F_OK) != want)
			return registered[i];
	}
	return "none";
}

/* Driver: unloading the module leaves nothing registered; loading registers all again */
TEST_F(module, unload_and_load)
{
	struct vmig_testdev td;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		EXPECT_STREQ("none", wrong(true));
		ASSERT_RET(0, vmig_testdev_open(&td, "mtty-2", VMIG_PATH_ANY, NULL), "open");
		vmig_testdev_close(&td);
		ASSERT_RET(0, unload(), "unload");
		EXPECT_STREQ("none", wrong(false));
		ASSERT_RET(0, load(self->file), "load");
	}
	EXPECT_STREQ("none", wrong(true));
}

/* Driver: unloading the module: a device that is not open does not prevent it, and goes */
TEST_F(module, a_closed_device_goes_with_it)
{
	struct vmig_mdev mdev;
	char path[128];

	ASSERT_RET(0, vmig_testdev_create(&mdev, "mtty-1"), "create");
	snprintf(path, sizeof(path), "/sys/bus/mdev/devices/%s", mdev.uuid);
	EXPECT_EQ(0, access(path, F_OK));
	ASSERT_RET(0, unload(), "unload");
	EXPECT_EQ(-1, access(path, F_OK));
	EXPECT_STREQ("none", wrong(false));
}

TEST_HARNESS_MAIN
