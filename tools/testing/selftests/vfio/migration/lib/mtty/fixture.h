/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fixture of most tests: one mtty device, and a data_fd while a session is open.
 * For tests only: include lib/mtty.h.
 */
#ifndef VMIG_FIXTURE_H
#define VMIG_FIXTURE_H

#include "testdev.h"

/* Members of the fixture; others may follow */
#define DEVICE_MEMBERS \
	struct vmig_testdev td; \
	struct vmig_device *dev; \
	struct vmig_bytes stream; \
	int fd

/* In FIXTURE_SETUP: create and open the device; attributes are like ".features = NAME" */
#define OPEN_DEVICE(_type, _attrs...) \
	OPEN_DEVICE_BY(VMIG_PATH_ANY, _type, _attrs)
#define OPEN_DEVICE_BY(_path, _type, _attrs...) do { \
	const struct vmig_attrs attrs = { _attrs }; \
\
	self->fd = -1; \
	self->dev = &self->td.dev; \
	ASSERT_RET(0, vmig_testdev_open(&self->td, _type, _path, &attrs), \
		   "create and open an %s", _type); \
} while (0)

/* In FIXTURE_TEARDOWN */
#define CLOSE_DEVICE() do { \
	if (self->fd >= 0) \
		close(self->fd); \
	vmig_bytes_free(&self->stream); \
	vmig_testdev_close(&self->td); \
} while (0)

/* The whole fixture, without other members */
#define DEVICE_FIXTURE(_name, _type, _attrs...) \
FIXTURE(_name) { \
	DEVICE_MEMBERS; \
}; \
\
FIXTURE_SETUP(_name) \
{ \
	OPEN_DEVICE(_type, _attrs); \
} \
\
FIXTURE_TEARDOWN(_name) \
{ \
	CLOSE_DEVICE(); \
} \
struct _name##_needs_a_semicolon

/* A variant for each policy; its member is "policy" */
#define POLICY_VARIANTS(_name) \
FIXTURE_VARIANT_ADD(_name, independent) { .policy = "independent" }; \
FIXTURE_VARIANT_ADD(_name, before_data) { .policy = "before-data" }; \
FIXTURE_VARIANT_ADD(_name, reorder) { .policy = "reorder" }; \
FIXTURE_VARIANT_ADD(_name, embedded) { .policy = "embedded" }

/* A variant for each interrupt; its member is "index" */
#define IRQ_VARIANTS(_name) \
FIXTURE_VARIANT_ADD(_name, intx) { .index = VFIO_PCI_INTX_IRQ_INDEX }; \
FIXTURE_VARIANT_ADD(_name, msi) { .index = VFIO_PCI_MSI_IRQ_INDEX }

/* EXPECT_CONTENTS - the device must have these; see vmig_contents_set() */
#define EXPECT_CONTENTS(_dev, _ports, _seed) do { \
	const char *seen_what = ""; \
	EXPECT_RET(0, vmig_contents_check(_dev, _ports, _seed, &seen_what), \
		   "%s", seen_what); \
} while (0)

/* EXPECT_RESET_CONTENTS - the device must be as after a reset */
#define EXPECT_RESET_CONTENTS(_dev, _ports) do { \
	const char *seen_what = ""; \
	EXPECT_RET(0, vmig_contents_check_reset(_dev, _ports, &seen_what), \
		   "%s", seen_what); \
} while (0)

#endif /* VMIG_FIXTURE_H */
