// SPDX-License-Identifier: GPL-2.0-only
/* Any call may be the first one on a device: none prepares the device for another one. */
#include "usable.h"

FIXTURE(open_first) {
	SUBJECT_MEMBERS;
	int event;
};

/* @call: the call; returns 0 or -errno */
FIXTURE_VARIANT(open_first) {
	int (*call)(struct vmig_device *dev, int event);
};

/* Not OPEN_SUBJECT(): the library must not make a call */
FIXTURE_SETUP(open_first)
{
	self->fd = -1;
	self->dev = &self->subject.dev;
	self->second.dev = VMIG_DEVICE_CLOSED;
	ASSERT_RET(0, vmig_calls_start(&_metadata->exit_code), "VFIO_CALLS");
	ASSERT_RET(0, vmig_subject_open_untouched(&self->subject), "open the device");
	self->event = vmig_eventfd_create();
	ASSERT_LE(0, self->event);
}

FIXTURE_TEARDOWN(open_first)
{
	close(self->event);
	CLOSE_SUBJECT();
}

static int get_info(struct vmig_device *dev, int event)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	return vmig_call_ioctl(dev->fd, VFIO_DEVICE_GET_INFO, &info) ? -errno : 0;
}

static int get_region_info(struct vmig_device *dev, int event)
{
	struct vfio_region_info info = { .argsz = sizeof(info) };

	return vmig_call_ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, &info) ? -errno : 0;
}

static int get_irq_info(struct vmig_device *dev, int event)
{
	struct vfio_irq_info info;

	return vmig_irq_info(dev, 0, &info);
}

static int set_irqs_0(struct vmig_device *dev, int event)
{
	return vmig_irq_set_fd(dev, 0, TRIGGER, event);
}

static int set_irqs_1(struct vmig_device *dev, int event)
{
	return vmig_irq_set_fd(dev, 1, TRIGGER, event);
}

static int set_irqs_2(struct vmig_device *dev, int event)
{
	return vmig_irq_set_fd(dev, 2, TRIGGER, event);
}

static int reset(struct vmig_device *dev, int event)
{
	return vmig_device_reset(dev);
}

static int get_state(struct vmig_device *dev, int event)
{
	enum vfio_device_mig_state state;

	return vmig_mig_get_state(dev, &state);
}

static int set_state(struct vmig_device *dev, int event)
{
	return vmig_mig_set_state(dev, STOP, NULL);
}

FIXTURE_VARIANT_ADD(open_first, get_info) { .call = get_info };
FIXTURE_VARIANT_ADD(open_first, get_region_info) { .call = get_region_info };
FIXTURE_VARIANT_ADD(open_first, get_irq_info) { .call = get_irq_info };
FIXTURE_VARIANT_ADD(open_first, set_irqs_of_index_0) { .call = set_irqs_0 };
FIXTURE_VARIANT_ADD(open_first, set_irqs_of_index_1) { .call = set_irqs_1 };
FIXTURE_VARIANT_ADD(open_first, set_irqs_of_index_2) { .call = set_irqs_2 };
FIXTURE_VARIANT_ADD(open_first, reset) { .call = reset };
FIXTURE_VARIANT_ADD(open_first, get_state) { .call = get_state };
FIXTURE_VARIANT_ADD(open_first, set_state) { .call = set_state };

/* The same result as after all calls that tell what the device has */
CLAUSE_TEST_F(open_first, call, "open.no-order")
{
	int first, later;

	first = variant->call(self->dev, self->event);
	ASSERT_RET(0, vmig_subject_learn(&self->subject), "what the device has");
	later = variant->call(self->dev, self->event);
	if (first && first == later)
		SKIP(return, "not applicable: the call fails at any time: %s",
		     vmig_errno_name(first));
	EXPECT_STREQ(vmig_errno_name(later), vmig_errno_name(first)) {
		TH_LOG("as the first call %s, after others %s", vmig_errno_name(first),
		       vmig_errno_name(later));
	}
}

SUBJECT_TEST_MAIN
