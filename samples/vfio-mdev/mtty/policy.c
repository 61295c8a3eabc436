// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules for config space and migration data: which comes first, and whether
 * they belong together.
 *
 * Pure logic: no VFIO, no locks, no allocation, so it can be built outside the
 * kernel.
 */
#include <linux/errno.h>

#include "policy.h"

/**
 * mtty_policy_open - the device is opened
 * @policy:	gets its initial state, but keeps its flag
 */
void mtty_policy_open(struct mtty_policy *policy)
{
	policy->generation = 1;
	policy->queried = 0;
	policy->loaded = 0;
}

/**
 * mtty_policy_config_changed - guest-visible config space has changed
 * @policy:	gets a new generation
 */
void mtty_policy_config_changed(struct mtty_policy *policy)
{
	/* A generation from another source may be any number, so it can wrap */
	if (!++policy->generation)
		policy->generation = 1;
}

/**
 * mtty_policy_check_read - may a saving device make the next record?
 * @policy:	the policy
 *
 * No destination could load a record of a generation whose config space the user
 * has not read.  A user that never issued GET does not send config space early, so
 * the check is skipped.
 *
 * Return: 0, or -ESTALE if the user must read config space again.
 */
int mtty_policy_check_read(const struct mtty_policy *policy)
{
	if (policy->flag == VFIO_MIG_CONFIG_BEFORE_DATA && policy->queried &&
	    policy->queried != policy->generation)
		return -ESTALE;

	return 0;
}

/**
 * mtty_policy_check_write - may a RESUMING device accept migration data?
 * @policy:	the policy
 *
 * Return: 0, or -EPROTO if config space must come first.
 */
int mtty_policy_check_write(const struct mtty_policy *policy)
{
	if (policy->flag == VFIO_MIG_CONFIG_BEFORE_DATA && !policy->loaded)
		return -EPROTO;

	return 0;
}

/**
 * mtty_policy_check_record - does a record match the loaded config space?
 * @policy:	of a RESUMING device
 * @loaded_at_start: generation that was loaded when the record's first byte came
 * @generation:	of the record
 *
 * The user may split the stream anywhere and load newer config space in the middle
 * of a record.  Such a record matches the generation loaded before.
 *
 * Return: 0, or -ESTALE if config space of another generation is loaded.
 */
int mtty_policy_check_record(const struct mtty_policy *policy,
			     u64 loaded_at_start, u64 generation)
{
	if (policy->flag == VFIO_MIG_CONFIG_REORDER ||
	    mtty_policy_embeds(policy))
		return 0;
	if (!policy->loaded || generation == policy->loaded ||
	    generation == loaded_at_start)
		return 0;

	return -ESTALE;
}

/**
 * mtty_policy_check_end - does the whole stream match the loaded config space?
 * @policy:	of a RESUMING device
 * @generation:	of the last record
 *
 * Return: 0, or -ESTALE if config space of another generation is loaded.
 */
int mtty_policy_check_end(const struct mtty_policy *policy, u64 generation)
{
	if (mtty_policy_embeds(policy) || !policy->loaded ||
	    policy->loaded == generation)
		return 0;

	return -ESTALE;
}

/**
 * mtty_policy_is_superseded - is a snapshot older than the loaded one?
 * @policy:	of a RESUMING device
 * @generation:	of the snapshot
 * @end:	generation of the last record, 0 before the stream is complete
 *
 * Under VFIO_MIG_CONFIG_REORDER snapshots come in any order and the newest counts.
 * After the last record, a snapshot of its generation wins over any other, so the
 * user can still correct a wrong one.
 */
bool mtty_policy_is_superseded(const struct mtty_policy *policy, u64 generation,
			       u64 end)
{
	if (policy->flag != VFIO_MIG_CONFIG_REORDER || !policy->loaded ||
	    generation == end)
		return false;
	if (policy->loaded == end)
		return true;

	/* Compare the difference, as generations wrap */
	return (s64)(generation - policy->loaded) < 0;
}
