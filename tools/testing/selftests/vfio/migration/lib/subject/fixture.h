/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fixture of the tests in uapi/: the device under test, and a data_fd while a session
 * is open. For tests only: include lib/subject.h.
 */
#ifndef VMIG_SUBJECT_FIXTURE_H
#define VMIG_SUBJECT_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cases.h"
#include "subject.h"

/* Members of the fixture; others may follow. @second is open after OPEN_DESTINATION(). */
#define SUBJECT_MEMBERS \
	struct vmig_subject subject; \
	struct vmig_subject second; \
	struct vmig_device *dev; \
	struct vmig_bytes stream; \
	int fd

/* In FIXTURE_SETUP */
#define OPEN_SUBJECT() do { \
	const struct vmig_case *this_case = \
		vmig_case_find(_metadata->fixture->name, _metadata->name); \
\
	self->fd = -1; \
	self->dev = &self->subject.dev; \
	self->subject.dev = VMIG_DEVICE_CLOSED; \
	self->second.dev = VMIG_DEVICE_CLOSED; \
	if (this_case && this_case->destructive && vmig_subject_given() && \
	    !getenv("VFIO_DESTRUCTIVE")) \
		SKIP(return, "not checked: %s (needs VFIO_DESTRUCTIVE=1 or --destructive)", \
		     this_case->destructive); \
	ASSERT_RET(0, vmig_calls_start(&_metadata->exit_code), "VFIO_CALLS"); \
	ASSERT_RET(0, vmig_subject_open(&self->subject), "open the device"); \
} while (0)

/* In FIXTURE_TEARDOWN */
#define CLOSE_SUBJECT() do { \
	if (_metadata->exit_code == KSFT_FAIL) \
		vmig_calls_print(); \
	if (self->fd >= 0) \
		vmig_call_close(self->fd); \
	vmig_bytes_free(&self->stream); \
	vmig_subject_close(&self->second); \
	vmig_subject_close(&self->subject); \
} while (0)

/* The whole fixture, without other members */
#define SUBJECT_FIXTURE(_name) \
FIXTURE(_name) { \
	SUBJECT_MEMBERS; \
}; \
\
FIXTURE_SETUP(_name) \
{ \
	OPEN_SUBJECT(); \
} \
\
FIXTURE_TEARDOWN(_name) \
{ \
	CLOSE_SUBJECT(); \
} \
struct _name##_needs_a_semicolon

/* NEED - the clause depends on these VMIG_HAS_*: NEED(MIGRATION), NEED2(MIGRATION, P2P) */
#define NEED(_word)	NEED_MASK(VMIG_HAS_##_word)
#define NEED2(_a, _b)	NEED_MASK(VMIG_HAS_##_a | VMIG_HAS_##_b)
#define NEED_MASK(_mask) do { \
	const char *lacks_word = vmig_subject_lacks(&self->subject, _mask); \
\
	if (lacks_word) \
		SKIP(return, "not applicable: the device does not have %s", lacks_word); \
} while (0)

/* NEED_OP - the case works with this operation of struct vmig_ops */
#define NEED_OP(_op) do { \
	if (!self->subject.ops->_op) \
		SKIP(return, "not checked: no operation " #_op " for %s", \
		     self->subject.ops->name); \
} while (0)

/*
 * OPEN_DESTINATION - the device that loads what the first has saved: the second device,
 * or else the first one after a reset. @_dst is set to its struct vmig_device. To be used
 * after saving.
 */
#define OPEN_DESTINATION(_dst) do { \
	int second_ret = vmig_subject_open_second(&self->second); \
\
	if (!second_ret) { \
		(_dst) = &self->second.dev; \
	} else { \
		ASSERT_RET(-ENODEV, second_ret, "open the second device"); \
		second_ret = vmig_device_reset_listed(self->dev); \
		if (second_ret == -ENOTTY) \
			SKIP(return, "not checked: one device, and it cannot be reset"); \
		ASSERT_RET(0, second_ret, "reset the source"); \
		(_dst) = self->dev; \
	} \
} while (0)

/* RECORD - tell what the driver chose where vfio.h leaves it open; @_key names the choice */
#define RECORD(_key, ...) do { \
	printf("# seen: %s: ", _key); \
	printf(__VA_ARGS__); \
	printf("\n"); \
	fflush(stdout); \
} while (0)

/* For each case and variant of the program, as the harness has them listed */
static inline void print_cases(void)
{
	struct __fixture_variant_metadata *variant;
	struct __fixture_metadata *fixture;
	struct __test_metadata *test;

	for (fixture = __fixture_list; fixture; fixture = fixture->next) {
		for (test = fixture->tests; test; test = test->next) {
			variant = fixture->variant;
			if (!variant)
				vmig_case_print(fixture->name, "", test->name);
			for (; variant; variant = variant->next)
				vmig_case_print(fixture->name, variant->name, test->name);
		}
	}
}

/* SUBJECT_TEST_MAIN - main() of a test in uapi/ */
#define SUBJECT_TEST_MAIN \
int main(int argc, char **argv) \
{ \
	const char *missing_device; \
\
	if (argc == 2 && !strcmp(argv[1], "--cases")) { \
		print_cases(); \
		return 0; \
	} \
	missing_device = vmig_subject_missing(); \
	if (missing_device) { \
		ksft_print_header(); \
		ksft_exit_skip("%s\n", missing_device); \
	} \
	return test_harness_run(argc, argv); \
}

#endif /* VMIG_SUBJECT_FIXTURE_H */
