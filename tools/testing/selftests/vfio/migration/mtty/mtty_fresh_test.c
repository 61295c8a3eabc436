// SPDX-License-Identifier: GPL-2.0-only
/*
 * After a reset, or closed and opened again, in every migration state: the whole device is
 * as one that was just created. All that can be read of both is compared.
 */
#include <errno.h>
#include <string.h>

#include "mtty/irq_fixture.h"

#define TYPE		"mtty-2"
#define PORTS		2
#define SEED		40
#define CAPTURE		"8K"
/* More than fit into the log of the smallest capture memory */
#define BYTES		(2048 + 10)
#define ATTRS		4
#define TEXT		64

static const char *const attrs[ATTRS] = {
	"migration/config_policy", "migration/features", "migration/capture_size",
	"migration/defect_early_irq",
};

/**
 * struct whole - all that can be read of a device
 * @state:	migration state
 * @dump:	config space, capture memory with its counters, ports, interrupts
 * @data_size:	of VFIO_DEVICE_FEATURE_MIG_DATA_SIZE
 * @precopy:	of VFIO_MIG_GET_PRECOPY_INFO in a new session
 * @attr:	the attributes in sysfs
 */
struct whole {
	enum vfio_device_mig_state state;
	struct vmig_dump dump;
	uint64_t data_size;
	struct vfio_precopy_info precopy;
	char attr[ATTRS][TEXT];
};

FIXTURE(fresh) {
	IRQ_MEMBERS;
	struct vmig_testdev other;
	struct whole want;
	struct whole seen;
};

FIXTURE_VARIANT(fresh) {
	enum vfio_device_mig_state state;
};

STATE_VARIANTS(fresh);

FIXTURE_SETUP(fresh)
{
	self->other.dev = VMIG_DEVICE_CLOSED;
	OPEN_IRQ_DEVICE(TYPE, .capture_size = CAPTURE);
}

FIXTURE_TEARDOWN(fresh)
{
	vmig_dump_free(&self->want.dump);
	vmig_dump_free(&self->seen.dump);
	vmig_testdev_close(&self->other);
	CLOSE_IRQ_DEVICE();
}

static int take_precopy(struct whole *whole, struct vmig_device *dev)
{
	int fd, ret, end;

	ret = vmig_mig_set_state(dev, PRE_COPY, &fd);
	if (ret)
		return ret;
	ret = vmig_precopy_info(fd, &whole->precopy);
	close(fd);
	end = vmig_mig_set_state(dev, RUNNING, NULL);
	return ret ? ret : end;
}

/* The device is in STOP afterwards */
static int take(struct whole *whole, struct vmig_testdev *td)
{
	unsigned int i;
	int ret;

	ret = vmig_mig_get_state(&td->dev, &whole->state);
	if (!ret)
		ret = vmig_mig_data_size(&td->dev, &whole->data_size);
	if (!ret)
		ret = take_precopy(whole, &td->dev);
	if (!ret)
		ret = vmig_dump_take(&whole->dump, &td->dev);
	for (i = 0; i < ATTRS && !ret; i++)
		ret = vmig_mdev_get_attr(&td->mdev, attrs[i], whole->attr[i], TEXT);
	return ret;
}

/* Send so many bytes that the log is full, and some are dropped; then set all registers */
static int fill(struct vmig_device *dev)
{
	uint8_t ones[PCI_CFG_SPACE_SIZE];
	unsigned int i, port;
	int ret = 0;

	for (port = 0; port < PORTS && !ret; port++)
		ret = vmig_uart_init(dev, port, UART_FCR_TRIGGER_8, 0);
	for (i = 0; i < BYTES && !ret; i++)
		ret = vmig_uart_out(dev, i % PORTS, UART_TX, i);
	if (!ret)
		ret = vmig_contents_set(dev, PORTS, SEED);
	memset(ones, 0xff, sizeof(ones));
	if (!ret)
		ret = vmig_region_write(dev, VFIO_PCI_CONFIG_REGION_INDEX, 0, ones,
					sizeof(ones));
	return ret ? ret : vmig_port_irq_raise(dev, 0);
}

/* Bring the device into the state of the variant, with all that a user can leave behind */
static void use(struct __test_metadata *_metadata, FIXTURE_DATA(fresh) *self,
		const FIXTURE_VARIANT(fresh) *variant)
{
	CONNECT(MSI, self->a);
	ASSERT_RET(0, fill(self->dev), "fill");
	if (variant->state == RESUMING) {
		ASSERT_RET(0, vmig_transfer_save(self->dev, &self->stream), "save");
		GO(RUNNING);
	}
	ASSERT_RET(0, vmig_transfer_reach(self->dev, variant->state,
					  self->stream.len ? &self->stream : NULL, &self->fd),
		   "to %s", vmig_state_name(variant->state));
}

static void expect_fresh(struct __test_metadata *_metadata, FIXTURE_DATA(fresh) *self,
			 const char *after)
{
	const struct vmig_attrs values = { .capture_size = CAPTURE };
	const struct whole *want = &self->want, *seen = &self->seen;
	unsigned int i;

	ASSERT_RET(0, vmig_testdev_open(&self->other, TYPE, VMIG_PATH_ANY, &values), "new");
	ASSERT_RET(0, take(&self->want, &self->other), "new device");
	ASSERT_RET(0, take(&self->seen, &self->td), "%s", after);
	EXPECT_STREQ(vmig_state_name(want->state), vmig_state_name(seen->state));
	EXPECT_STREQ("nothing", vmig_dump_compare(&want->dump, &seen->dump) ?: "nothing") {
		TH_LOG("differs %s", after);
	}
	EXPECT_EQ(want->data_size, seen->data_size);
	EXPECT_EQ(want->precopy.flags, seen->precopy.flags);
	EXPECT_EQ(want->precopy.initial_bytes, seen->precopy.initial_bytes);
	EXPECT_EQ(want->precopy.dirty_bytes, seen->precopy.dirty_bytes);
	for (i = 0; i < ATTRS; i++)
		EXPECT_STREQ(want->attr[i], seen->attr[i]);
}

/* Driver: VFIO_DEVICE_RESET in any state: nothing differs from a new device */
TEST_F(fresh, after_a_reset)
{
	use(_metadata, self, variant);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	expect_fresh(_metadata, self, "after a reset");
}

/* Driver: close in any state: at the next open nothing differs from a new device */
TEST_F(fresh, after_close)
{
	use(_metadata, self, variant);
	vmig_device_close(self->dev);
	ASSERT_RET(0, vmig_device_open(self->dev, &self->td.mdev, VMIG_PATH_ANY), "open");
	expect_fresh(_metadata, self, "after close and open");
}

/* Driver: VFIO_DEVICE_RESET, then close: nothing differs from a new device */
TEST_F(fresh, after_a_reset_and_close)
{
	use(_metadata, self, variant);
	ASSERT_RET(0, vmig_device_reset(self->dev), "reset");
	ASSERT_RET(0, fill(self->dev), "fill again");
	vmig_device_close(self->dev);
	ASSERT_RET(0, vmig_device_open(self->dev, &self->td.mdev, VMIG_PATH_ANY), "open");
	expect_fresh(_metadata, self, "after a reset, close and open");
}

TEST_HARNESS_MAIN
