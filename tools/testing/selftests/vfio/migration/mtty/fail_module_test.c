// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading the module while each allocation and each copy from user memory fails once
 * (lib/vfio/fail_each.h): all that was registered before is unregistered.
 */
#include <fcntl.h>
#include <sys/syscall.h>

#include "lib/mtty.h"

#define MODULE		"mtty"
/* There are a few hundred faults, most of them in the module loader */
#define TIMEOUT_S	800

struct vmig_fail_ctx {
	int file;
};

FIXTURE(fail_module) {
	struct vmig_fail_ctx w;
	struct vmig_fault fault;
	struct vmig_fail_counts result;
};

/* device_add() returns EINVAL if there was no memory for the name */
static int load(struct vmig_fail_ctx *w)
{
	if (!syscall(SYS_finit_module, w->file, "", 0))
		return 0;
	return errno == EINVAL ? -ENOMEM : -errno;
}

static int unload(struct vmig_fail_ctx *w, int ret)
{
	if (!ret)
		return syscall(SYS_delete_module, MODULE, O_NONBLOCK) ? -errno : 0;

	/* Nothing may be left registered */
	if (!access("/sys/bus/mdev/drivers/" MODULE, F_OK) ||
	    !access("/sys/class/" MODULE, F_OK) ||
	    !access("/sys/devices/virtual/" MODULE "/" MODULE, F_OK))
		return -EUCLEAN;
	return 0;
}

FIXTURE_SETUP(fail_module)
{
	const char *path = getenv("MTTY_KO") ?: "";
	int ret;

	self->fault.fd = -1;
	self->w.file = open(path, O_RDONLY | O_CLOEXEC);
	if (self->w.file < 0)
		SKIP(return, "no module to load: MTTY_KO names its file");
	if (vmig_fault_init(&self->fault))
		SKIP(return, "no fault injection on this kernel");
	if (vmig_module_use_alone())
		SKIP(return, "another program uses the module");
	/* Without memory for the fields of an event, the kernel logs a warning, once */
	ret = vmig_fault_exclude(&self->fault, NULL, "event_define_fields");
	if (ret != -ENOENT)
		ASSERT_RET(0, ret, "spare event_define_fields()");
	ASSERT_RET(0, unload(&self->w, 0), "unload");
}

FIXTURE_TEARDOWN(fail_module)
{
	vmig_fault_exit(&self->fault);
	if (self->w.file < 0)
		return;
	load(&self->w);
	close(self->w.file);
}

static const struct vmig_step loading[] = {
	{ "load the module", load, unload },
};

/* Driver: a module that cannot be loaded leaves nothing registered */
TEST_F_TIMEOUT(fail_module, leaves_nothing_behind, TIMEOUT_S)
{
	struct vmig_testdev td = { 0 };

	EXPECT_RET(0, vmig_fail_each(&self->result, &self->fault, loading,
				     ARRAY_SIZE(loading), &self->w), "%s",
		   self->result.why);
	EXPECT_LT(0, self->result.no_memory);
	EXPECT_RET(0, vmig_testdev_open(&td, "mtty-2", VMIG_PATH_GROUP, NULL),
		   "a device");
	vmig_testdev_close(&td);
	TH_LOG(VMIG_FAIL_EACH_FMT, VMIG_FAIL_EACH_ARG(&self->result));
}

TEST_HARNESS_MAIN
