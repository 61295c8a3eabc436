// SPDX-License-Identifier: GPL-2.0-only
/* The guest of vfio-migrate: uses the device, and migrates with it. */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "lib/mtty/config_writer.h"
#include "migrate.h"

int migrate_guest_start(struct migrate_guest *guest, struct vmig_device *dev,
			const struct migrate_options *options)
{
	int ret;

	guest->dev = dev;
	ret = vmig_traffic_start(&guest->traffic, dev);
	if (!ret && options->busy_config)
		ret = vmig_config_writer_start(&guest->config_writer, dev);
	return ret;
}

/* Returns early after a signal */
void migrate_guest_run(const struct migrate *mig, unsigned int ms)
{
	const struct vmig_patience patience = {
		.timeout_ms = ms, .cancel_fd = mig->patience.cancel_fd,
	};

	vmig_io_wait(-1, 0, &patience);
}

void migrate_guest_stop(void *opaque)
{
	struct migrate_guest *guest = opaque;

	migrate_dirty_stop(&guest->dirty);
	if (!guest->traffic || guest->paused)
		return;
	vmig_traffic_pause(guest->traffic);
	if (guest->config_writer)
		vmig_config_writer_pause(guest->config_writer);
	guest->paused = true;
}

static void resume(struct migrate_guest *guest)
{
	if (!guest->traffic || !guest->paused)
		return;
	guest->paused = false;
	if (guest->config_writer)
		vmig_config_writer_resume(guest->config_writer, guest->dev);
	vmig_traffic_resume(guest->traffic, guest->dev);
}

/* Format: length of the traffic, little-endian; the traffic; config space writer */
int migrate_guest_save(void *opaque, struct vmig_bytes *state)
{
	struct migrate_guest *guest = opaque;
	uint32_t len = 0;
	int ret;

	ret = vmig_bytes_add(state, &len, sizeof(len));
	if (!ret)
		ret = vmig_traffic_save(guest->traffic, state);
	if (ret)
		return ret;
	len = htole32(state->len - sizeof(len));
	memcpy(state->data, &len, sizeof(len));
	return guest->config_writer ? vmig_config_writer_save(guest->config_writer, state) : 0;
}

int migrate_guest_load(void *opaque, const uint8_t *state, size_t len)
{
	struct migrate_guest *guest = opaque;
	uint32_t first;
	int ret;

	if (!guest->wanted)
		return 0;
	if (guest->traffic || len < sizeof(first))
		return -EBADMSG;
	memcpy(&first, state, sizeof(first));
	first = le32toh(first);
	state += sizeof(first);
	len -= sizeof(first);
	if (first > len)
		return -EBADMSG;

	ret = vmig_traffic_load(&guest->traffic, guest->dev, state, first);
	if (ret)
		return ret;
	if (len > first)
		ret = vmig_config_writer_load(&guest->config_writer, guest->dev,
					      state + first, len - first);
	guest->paused = true;
	return ret;
}

static int finish(struct migrate_guest *guest)
{
	struct vmig_traffic *traffic = guest->traffic;
	struct vmig_config_writer *writer = guest->config_writer;
	int ret = 0, error;

	if (!traffic)
		return 0;
	resume(guest);
	guest->traffic = NULL;
	guest->config_writer = NULL;
	if (writer) {
		guest->config_changes = vmig_config_writer_writes(writer);
		vmig_config_writer_pause(writer);
		ret = vmig_config_writer_check(writer, guest->dev,
					       &guest->config_reg);
		vmig_config_writer_resume(writer, guest->dev);
		error = vmig_config_writer_finish(writer);
		ret = error ? error : ret;
	}
	error = vmig_traffic_finish(traffic, &guest->report);
	guest->is_finished = true;
	if (ret != -EUCLEAN && ret)
		return ret;
	if (error)
		return error;
	return guest->report.lost ? -EUCLEAN : ret;
}

/* Resume and end the guest on a running device; returns @status unless that fails */
int migrate_guest_finish(struct migrate *mig, enum migrate_exit status)
{
	int ret;

	if (!mig->guest.traffic)
		return status;
	resume(&mig->guest);
	migrate_guest_run(mig, mig->options->guest_ms);
	ret = finish(&mig->guest);
	if (ret == -EUCLEAN)
		return migrate_fail(mig, MIGRATE_LOST,
				    "the guest has lost data");
	if (ret)
		return migrate_fail(mig, MIGRATE_DEVICE,
				    "the guest cannot continue: %s",
				    strerror(-ret));
	return status;
}
