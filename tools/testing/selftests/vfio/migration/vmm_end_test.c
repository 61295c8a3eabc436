// SPDX-License-Identifier: GPL-2.0-only
/* How a migration of the model VMM ends, or a pair that never had one. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "../../kselftest_harness.h"

#include "lib/expect.h"
#include "lib/pair.h"

/* Clause: a pair that cannot be opened: nobody else's descriptor is closed */
TEST(closed_devices_have_no_descriptor)
{
	const struct vmig_attrs attrs = { .config_policy = "none-such" };
	struct vmig_pair pair;

	ASSERT_LE(0, dup2(open("/dev/null", O_RDONLY), STDIN_FILENO));
	EXPECT_RET(-EINVAL, vmig_pair_open(&pair, &attrs, VMIG_IRQCHIP_AUTO),
		   "pair");
	EXPECT_LE(0, fcntl(STDIN_FILENO, F_GETFD));
}

TEST_HARNESS_MAIN
