// SPDX-License-Identifier: GPL-2.0-only
/*
 * mig_probe: open the device that VFIO_DEVICE names, print what it offers and its migration
 * state, and close it. vfio-migration-conformance runs it before and after the tests.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/subject/has.h"
#include "lib/subject/subject.h"
#include "lib/vfio/feature.h"
#include "lib/vfio/state_name.h"

static int fail(const char *which, int ret)
{
	printf("%s: %s\n", which, strerror(-ret));
	return EXIT_FAILURE;
}

static void print_offers(uint32_t has)
{
	printf("offers:");
	for (; has; has &= has - 1)
		printf(" %s", vmig_has_name(has));
	putchar('\n');
}

int main(void)
{
	const char *devices = getenv("VFIO_DEVICE"), *missing = vmig_subject_missing();
	struct vmig_subject subject, second;
	enum vfio_device_mig_state state;
	int ret;

	if (missing) {
		printf("%s\n", missing);
		return EXIT_FAILURE;
	}
	ret = vmig_subject_open(&subject);
	if (ret)
		return fail("open", ret);
	print_offers(subject.has);
	if (subject.has & VMIG_HAS_MIGRATION) {
		ret = vmig_mig_get_state(&subject.dev, &state);
		printf("state: %s\n", ret ? strerror(-ret) : vmig_state_name(state));
	}
	vmig_subject_close(&subject);
	if (!devices || !strchr(devices, ','))
		return EXIT_SUCCESS;

	ret = vmig_subject_open_second(&second);
	if (ret)
		return fail("open the second device", ret);
	vmig_subject_close(&second);
	return EXIT_SUCCESS;
}
