// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules of uapi/linux/vfio_mig_config.h, written from that header.  They compare
 * contents, not identities, so the model does not depend on how a driver makes these.
 */
#include <errno.h>
#include <uapi/linux/vfio_mig_config.h>

#include "config_model.h"

static bool is_any(struct config_content content)
{
	return content.opening;
}

bool config_model_same(struct config_content a, struct config_content b)
{
	return a.opening == b.opening && a.nr == b.nr;
}

/* Is it of that opening of a device? No source yet fits any */
static bool is_of_source(struct config_content a, struct config_content b)
{
	return !is_any(a) || !is_any(b) || a.opening == b.opening;
}

static bool is_source_of(const struct config_model_load *load,
			 struct config_content content)
{
	return is_of_source(load->snapshot, content) &&
	       is_of_source(load->record, content);
}

bool config_model_depends(const struct config_model *m)
{
	switch (m->need) {
	case VFIO_MIG_CONFIG_BEFORE_DATA:
	case VFIO_MIG_CONFIG_ANY_ORDER:
		return m->opted_in;
	default:
		return false;
	}
}

static bool is_before_data(const struct config_model *m)
{
	return config_model_depends(m) &&
	       m->need == VFIO_MIG_CONFIG_BEFORE_DATA;
}

/* VFIO_DEVICE_FEATURE_SET; the errors in the order of the header */
int config_model_opt_in(struct config_model *m, u32 need, u32 size,
			bool has_session)
{
	switch (need) {
	case VFIO_MIG_CONFIG_NOT_NEEDED:
	case VFIO_MIG_CONFIG_BEFORE_DATA:
	case VFIO_MIG_CONFIG_ANY_ORDER:
	case VFIO_MIG_CONFIG_IN_DATA:
		break;
	default:
		return -EINVAL;
	}
	/* This driver loads only streams of its own answer */
	if (m->need != need || m->size != size)
		return -EOPNOTSUPP;
	if (has_session)
		return -EBUSY;
	m->opted_in = true;

	return 0;
}

/* read() at the start of a record; @got is the last VFIO_MIG_GET_CONFIG of the session */
int config_model_read(const struct config_model *m, struct config_content got)
{
	return is_before_data(m) && !config_model_same(got, m->now) ? -ESTALE :
								      0;
}

/* write() of the head of a record; @record is none if it has no identity */
int config_model_write(const struct config_model *m,
		       struct config_model_load *load,
		       struct config_content record)
{
	if (is_before_data(m) && !is_any(load->snapshot))
		return -EPROTO;
	if (config_model_depends(m) && !is_any(record))
		return -EPROTO;
	if (!config_model_depends(m) && is_any(record))
		return -EPROTO;
	if (config_model_depends(m) && !is_source_of(load, record))
		return -ESTALE;
	if (is_before_data(m) && !config_model_same(load->snapshot, record))
		return -ESTALE;
	load->record = record;
	load->in_record = true;

	return 0;
}

static int judge_set_before_data(const struct config_model_load *load,
				 struct config_content snapshot)
{
	bool same = config_model_same(load->record, snapshot);

	if (load->ended && !same)
		return -ESTALE;
	if (load->in_record && !same)
		return -EBUSY;

	return 0;
}

static int judge_set_any_order(const struct config_model_load *load,
			       struct config_content snapshot)
{
	if (load->ended && config_model_same(load->record, snapshot))
		return 0;
	if (load->ended && snapshot.nr > load->record.nr)
		return -ESTALE;
	if (is_any(load->snapshot) && snapshot.nr < load->snapshot.nr)
		return CONFIG_MODEL_IGNORED;

	return 0;
}

/* VFIO_MIG_SET_CONFIG of bytes that fit; @snapshot is none for an identity of zeroes */
int config_model_set(const struct config_model *m,
		     struct config_model_load *load,
		     struct config_content snapshot)
{
	int ret = 0;

	if (config_model_depends(m)) {
		if (!is_any(snapshot))
			return -EINVAL;
		if (!is_source_of(load, snapshot))
			return -ESTALE;
		ret = is_before_data(m) ?
			judge_set_before_data(load, snapshot) :
			judge_set_any_order(load, snapshot);
	}
	if (!ret)
		load->snapshot = snapshot;

	return ret;
}

/* RESUMING to STOP, after all data; with BEFORE_DATA it cannot fail */
int config_model_end(const struct config_model *m,
		     const struct config_model_load *load)
{
	if (!config_model_depends(m) || is_before_data(m))
		return 0;

	return config_model_same(load->snapshot, load->record) ? 0 : -ESTALE;
}

/* Is each bit that differs one that a guest can change? */
bool config_model_fits(const u8 *space, const u8 *snapshot, const u8 *writable,
		       size_t size)
{
	size_t i;

	for (i = 0; i < size * 8; i++) {
		u8 bit = 1 << i % 8;

		if ((space[i / 8] & bit) != (snapshot[i / 8] & bit) &&
		    !(writable[i / 8] & bit))
			return false;
	}

	return true;
}
