// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules of uapi/linux/vfio_mig_config.h: the opt-in, which of data and config space
 * comes first, and whether they belong together.
 *
 * Pure logic: no VFIO, no locks, no allocation, no knowledge of the device, so it can be
 * built outside the kernel.
 */
#include <linux/errno.h>

#include "mig_config.h"

/**
 * mig_config_open - the device is opened
 * @config:	of the device; keeps need and size
 * @source:	random, not 0
 */
void mig_config_open(struct mig_config *config, u64 source)
{
	config->opted_in = false;
	config->id.source = source;
	config->id.version = 1;
}

/**
 * mig_config_opt_in - VFIO_DEVICE_FEATURE_SET
 * @config:	of the device
 * @answer:	from the user
 * @has_session: a data transfer session is open
 *
 * Return: 0, -EINVAL, -EOPNOTSUPP or -EBUSY.
 */
int mig_config_opt_in(struct mig_config *config,
		      const struct vfio_device_feature_mig_config *answer,
		      bool has_session)
{
	if (answer->need > VFIO_MIG_CONFIG_IN_DATA)
		return -EINVAL;
	if (answer->need != config->need || answer->size != config->size)
		return -EOPNOTSUPP;
	if (has_session)
		return -EBUSY;

	config->opted_in = true;

	return 0;
}

/**
 * mig_config_check_read - may the source make the next record?
 * @config:	of the source
 * @got:	version of the snapshot that the user got last, 0 if there was none
 *
 * No destination could load a record without the snapshot that it was made under.
 *
 * Return: 0, or -ESTALE if the user must get the snapshot first.
 */
int mig_config_check_read(const struct mig_config *config, u64 got)
{
	if (config->opted_in && config->need == VFIO_MIG_CONFIG_BEFORE_DATA &&
	    got != config->id.version)
		return -ESTALE;

	return 0;
}

/**
 * mig_config_check_write - may the destination accept data?
 * @config:	of the destination
 * @load:	its session
 *
 * Return: 0, or -EPROTO if a snapshot must come first.
 */
int mig_config_check_write(const struct mig_config *config,
			   const struct mig_config_load *load)
{
	if (config->opted_in && config->need == VFIO_MIG_CONFIG_BEFORE_DATA &&
	    !load->snapshot)
		return -EPROTO;

	return 0;
}

/**
 * mig_config_load_record - accept a record, or refuse it
 * @config:	of the destination
 * @load:	its session; does not change if the record is refused
 * @id:		identity in the record
 *
 * Return: 0; -EINVAL if no driver makes the identity; -EPROTO if only one side has opted
 * in; -ESTALE if the record is of another source or snapshot than those loaded.
 */
int mig_config_load_record(const struct mig_config *config,
			   struct mig_config_load *load,
			   const struct mig_config_id *id)
{
	if (!id->source != !id->version)
		return -EINVAL;
	if (mig_config_depends(config) != !!id->source)
		return -EPROTO;
	if (load->source && load->source != id->source)
		return -ESTALE;
	if (config->need == VFIO_MIG_CONFIG_BEFORE_DATA &&
	    load->snapshot != id->version)
		return -ESTALE;

	load->source = id->source;
	load->record = id->version;

	return 0;
}

/**
 * mig_config_load_snapshot - accept a snapshot, or refuse it
 * @config:	of the destination
 * @load:	its session; does not change if the snapshot is not loaded
 * @id:		identity of the snapshot
 * @in_record:	an accepted record is not complete
 * @ended:	the last record is complete
 *
 * With VFIO_MIG_CONFIG_ANY_ORDER snapshots come in any order and the newest counts.  After
 * the last record, the snapshot that it was made under replaces any other.
 *
 * Return: 0 if the caller must load the content; 1 if it must not, because a newer one is
 * loaded; -EINVAL, -ESTALE or -EBUSY.
 */
int mig_config_load_snapshot(const struct mig_config *config,
			     struct mig_config_load *load,
			     const struct mig_config_id *id, bool in_record,
			     bool ended)
{
	bool before_data = config->need == VFIO_MIG_CONFIG_BEFORE_DATA;
	bool of_record = id->version == load->record;

	if (!mig_config_depends(config))
		return 0;
	if (!id->source || !id->version)
		return -EINVAL;
	if (load->source && load->source != id->source)
		return -ESTALE;
	if (before_data && in_record && !of_record)
		return -EBUSY;
	if (ended && (before_data ? !of_record : id->version > load->record))
		return -ESTALE;
	if (!before_data && id->version < load->snapshot &&
	    !(ended && of_record))
		return 1;

	load->source = id->source;
	load->snapshot = id->version;

	return 0;
}

/**
 * mig_config_check_end - do config space and all data belong together?
 * @config:	of the destination
 * @load:	its session, after the last record
 *
 * Return: 0, or -ESTALE if there was no record or its snapshot is not loaded.
 */
int mig_config_check_end(const struct mig_config *config,
			 const struct mig_config_load *load)
{
	if (mig_config_depends(config) &&
	    (!load->record || load->snapshot != load->record))
		return -ESTALE;

	return 0;
}

/**
 * mig_config_check_bits - can a device have this content?
 * @space:	present content
 * @snapshot:	new content
 * @writable:	mask of the bits that a guest can change
 * @size:	bytes of each
 *
 * The other bits describe the device: IDs, capabilities, and the low bits of a BAR, which
 * encode its size.
 *
 * Return: 0, or -EINVAL if they differ.
 */
int mig_config_check_bits(const u8 *space, const u8 *snapshot,
			  const u8 *writable, size_t size)
{
	for (; size--; space++, snapshot++, writable++)
		if ((*space ^ *snapshot) & ~*writable)
			return -EINVAL;

	return 0;
}
