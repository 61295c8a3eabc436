// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "calls.h"
#include "feature.h"
#include "transfer.h"

int vmig_transfer_read(int data_fd, struct vmig_bytes *out, size_t chunk)
{
	while (out->len < VMIG_TRANSFER_MAX) {
		ssize_t got;
		int ret;

		ret = vmig_bytes_reserve(out, chunk);
		if (ret)
			return ret;
		got = vmig_call_read(data_fd, out->data + out->len, chunk);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			return 0;
		if ((size_t)got > chunk)
			return -EOVERFLOW;
		out->len += got;
	}
	return -EFBIG;
}

int vmig_transfer_write(int data_fd, const void *data, size_t len,
			size_t chunk, size_t *taken)
{
	size_t done = 0;
	int ret = 0;

	while (done < len && !ret) {
		size_t part = len - done < chunk ? len - done : chunk;
		ssize_t put = vmig_call_write(data_fd, (const char *)data + done, part);

		if (put > 0)
			done += put;
		else if (!put || errno != EINTR)
			ret = put < 0 ? -errno : -EIO;
	}
	if (taken)
		*taken = done;
	return ret;
}

static int save(struct vmig_device *dev, struct vmig_snapshot *snapshot,
		struct vmig_bytes *out)
{
	int data_fd, ret;

	ret = vmig_mig_set_state(dev, VFIO_DEVICE_STATE_STOP_COPY, &data_fd);
	if (ret)
		return ret;
	if (snapshot)
		ret = vmig_config_get(data_fd, snapshot);
	if (!ret || ret == -ENOTTY)
		ret = vmig_transfer_read(data_fd, out, VMIG_TRANSFER_CHUNK);
	vmig_call_close(data_fd);
	return ret;
}

int vmig_transfer_save_config(struct vmig_device *dev,
			      struct vmig_snapshot *snapshot,
			      struct vmig_bytes *out)
{
	snapshot->size = 0;
	return save(dev, snapshot, out);
}

int vmig_transfer_save(struct vmig_device *dev, struct vmig_bytes *out)
{
	return save(dev, NULL, out);
}

int vmig_transfer_load_config(struct vmig_device *dev,
			      const struct vmig_snapshot *snapshot,
			      const struct vmig_bytes *stream)
{
	int data_fd, ret;

	ret = vmig_mig_set_state(dev, VFIO_DEVICE_STATE_RESUMING, &data_fd);
	if (ret)
		return ret;
	ret = vmig_config_set(data_fd, snapshot);
	if (!ret)
		ret = vmig_transfer_write(data_fd, stream->data, stream->len,
					  VMIG_TRANSFER_CHUNK, NULL);
	if (!ret)
		ret = vmig_mig_set_state(dev, VFIO_DEVICE_STATE_STOP, NULL);
	vmig_call_close(data_fd);
	return ret;
}

int vmig_transfer_load(struct vmig_device *dev, const struct vmig_bytes *stream)
{
	int write_err, ret;

	ret = vmig_transfer_offer(dev, stream, &write_err);
	return write_err ? write_err : ret;
}

int vmig_transfer_offer(struct vmig_device *dev,
			const struct vmig_bytes *stream, int *write_err)
{
	int data_fd, ret;

	*write_err = 0;
	ret = vmig_mig_set_state(dev, VFIO_DEVICE_STATE_RESUMING, &data_fd);
	if (ret)
		return ret;
	*write_err = vmig_transfer_write(data_fd, stream->data, stream->len,
					 VMIG_TRANSFER_CHUNK, NULL);
	ret = vmig_mig_set_state(dev, VFIO_DEVICE_STATE_STOP, NULL);
	vmig_call_close(data_fd);
	return ret;
}

static int reach_error(struct vmig_device *dev)
{
	/* Not the start of any stream, and longer than the head of a record */
	uint8_t invalid[256] = { 0 };
	struct vmig_bytes stream = { .data = invalid, .len = sizeof(invalid) };
	enum vfio_device_mig_state state;
	int write_err, ret;

	if (!vmig_transfer_offer(dev, &stream, &write_err))
		return -EPROTO;
	ret = vmig_mig_get_state(dev, &state);
	if (ret)
		return ret;
	return state == VFIO_DEVICE_STATE_ERROR ? 0 : -EPROTO;
}

int vmig_transfer_reach(struct vmig_device *dev,
			enum vfio_device_mig_state state,
			const struct vmig_bytes *stream, int *data_fd)
{
	int ret;

	*data_fd = -1;
	if (state == VFIO_DEVICE_STATE_ERROR)
		return reach_error(dev);

	ret = vmig_mig_set_state(dev, state, data_fd);
	if (ret || state != VFIO_DEVICE_STATE_RESUMING || !stream)
		return ret;

	ret = vmig_transfer_write(*data_fd, stream->data, stream->len,
				  VMIG_TRANSFER_CHUNK, NULL);
	if (ret) {
		vmig_call_close(*data_fd);
		*data_fd = -1;
	}
	return ret;
}
