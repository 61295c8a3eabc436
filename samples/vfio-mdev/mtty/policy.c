// SPDX-License-Identifier: GPL-2.0-only
/*
 * Config space and migration data: which of them has to come first, and whether
 * they belong together.
 *
 * Here are the rules and VFIO_DEVICE_FEATURE_MIG_CONFIG; bytes are moved
 * elsewhere.  Everything is protected by the lock of the device.
 */
#include <linux/cleanup.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "mtty.h"
#include "mtty_trace.h"

static const struct {
	const char *name;
	u64 flag;
} policies[] = {
	{ "independent", 0 },
	{ "before-data", VFIO_MIG_CONFIG_BEFORE_DATA },
	{ "reorder", VFIO_MIG_CONFIG_REORDER },
	{ "embedded", VFIO_MIG_CONFIG_EMBEDDED },
};

/**
 * mtty_policy_name - the word for a policy
 * @policy:	the policy
 */
const char *mtty_policy_name(const struct mtty_policy *policy)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(policies); i++)
		if (policies[i].flag == policy->flag)
			break;

	return policies[i].name;
}

/**
 * mtty_policy_set - choose a policy by its word
 * @policy:	of a device that is closed
 * @name:	the word; a newline may follow
 *
 * Return: 0, or -EINVAL for an unknown word.
 */
int mtty_policy_set(struct mtty_policy *policy, const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		if (!sysfs_streq(policies[i].name, name))
			continue;
		policy->flag = policies[i].flag;
		return 0;
	}

	return -EINVAL;
}

/**
 * mtty_policy_open - the device is opened
 * @policy:	forgets what happened when it was open before
 */
void mtty_policy_open(struct mtty_policy *policy)
{
	policy->generation = 1;
	policy->asked = 0;
	policy->loaded = 0;
}

/**
 * mtty_policy_config_changed - a guest could see config space change
 * @policy:	the policy
 */
void mtty_policy_config_changed(struct mtty_policy *policy)
{
	/* It may have come from a source, so it can be any number but 0 */
	if (!++policy->generation)
		policy->generation = 1;
}

/**
 * mtty_policy_admit_read - may the next record be made?
 * @policy:	of a device that is saving
 *
 * A record that is made under a generation of which the user has never seen the
 * config space could not be loaded anywhere.  A user who has never asked is not
 * going to send config space, and is left alone.
 *
 * Return: 0, or -ESTALE if the user has to look at config space again.
 */
int mtty_policy_admit_read(const struct mtty_policy *policy)
{
	if (policy->flag == VFIO_MIG_CONFIG_BEFORE_DATA && policy->asked &&
	    policy->asked != policy->generation)
		return -ESTALE;

	return 0;
}

/**
 * mtty_policy_admit_data - may migration data come now?
 * @policy:	of a device that is RESUMING
 *
 * Return: 0, or -EPROTO if config space must come first.
 */
int mtty_policy_admit_data(const struct mtty_policy *policy)
{
	if (policy->flag == VFIO_MIG_CONFIG_BEFORE_DATA && !policy->loaded)
		return -EPROTO;

	return 0;
}

/**
 * mtty_policy_embeds - does config space come with the migration data?
 * @policy:	the policy
 */
bool mtty_policy_embeds(const struct mtty_policy *policy)
{
	return policy->flag == VFIO_MIG_CONFIG_EMBEDDED;
}

/**
 * mtty_policy_admit_record - do data and config space belong together?
 * @policy:	of a device that is RESUMING
 * @began:	what was loaded when the first byte of the data came
 * @generation:	that the data were made under
 *
 * A user cuts the stream where he likes, so a newer config space may come in the
 * middle of a record; the record still belongs to the one before.
 *
 * Return: 0, or -ESTALE if the config space of another generation was loaded.
 */
int mtty_policy_admit_record(const struct mtty_policy *policy, u64 began,
			     u64 generation)
{
	if (policy->flag == VFIO_MIG_CONFIG_REORDER ||
	    mtty_policy_embeds(policy))
		return 0;
	if (!policy->loaded || generation == policy->loaded ||
	    generation == began)
		return 0;

	return -ESTALE;
}

/**
 * mtty_policy_admit_end - do all of the data and config space belong together?
 * @policy:	of a device that is RESUMING
 * @generation:	of the last record
 *
 * Return: 0, or -ESTALE if the config space of another generation was loaded.
 */
int mtty_policy_admit_end(const struct mtty_policy *policy, u64 generation)
{
	if (mtty_policy_embeds(policy) || !policy->loaded ||
	    policy->loaded == generation)
		return 0;

	return -ESTALE;
}

/*
 * Where snapshots may come in any order, the newest one counts.  Once all of the
 * data are there it is known which one that should be, so that a user who was
 * wrong can still be right.
 */
static bool is_superseded(const struct mtty *mtty, u64 generation)
{
	const struct mtty_policy *policy = &mtty->policy;
	u64 end = mtty_load_generation(mtty);

	if (policy->flag != VFIO_MIG_CONFIG_REORDER || !policy->loaded ||
	    generation == end)
		return false;
	if (policy->loaded == end)
		return true;

	/* The difference, as the numbers may go round */
	return (s64)(generation - policy->loaded) < 0;
}

static int set_loaded(struct mtty *mtty, u64 generation)
{
	int ret;

	lockdep_assert_held(&mtty->lock);

	if (mtty->state != VFIO_DEVICE_STATE_RESUMING)
		return -EINVAL;

	ret = mtty_pci_load_check(&mtty->pci);
	if (ret)
		return ret;

	if (is_superseded(mtty, generation)) {
		mtty_pci_load_drop(&mtty->pci);
		trace_mtty_config(mtty->name, "superseded", generation);
		return 0;
	}

	mtty_pci_load_commit(&mtty->pci);
	mtty->policy.loaded = generation;
	trace_mtty_config(mtty->name, "committed", generation);
	mtty_device_update_irq(mtty);

	return 0;
}

/**
 * mtty_policy_feature - VFIO_DEVICE_FEATURE_MIG_CONFIG
 * @mtty:	the device
 * @flags:	as vfio_device_ops.device_feature gets them
 * @arg:	struct vfio_device_feature_mig_config of the user
 * @argsz:	bytes of it
 *
 * Return: 0 or one of the errors in uapi/linux/vfio_mig_config.h.
 */
int mtty_policy_feature(struct mtty *mtty, u32 flags, void __user *arg,
			size_t argsz)
{
	struct vfio_device_feature_mig_config config = {};
	u64 generation;
	int ret;

	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_GET |
				 VFIO_DEVICE_FEATURE_SET, sizeof(config));
	if (ret != 1)
		return ret;

	if (flags & VFIO_DEVICE_FEATURE_SET) {
		if (copy_from_user(&config, arg, sizeof(config)))
			return -EFAULT;
		if (config.flags != VFIO_MIG_CONFIG_LOADED ||
		    !config.generation)
			return -EINVAL;

		guard(mutex)(&mtty->lock);
		return set_loaded(mtty, config.generation);
	}

	scoped_guard(mutex, &mtty->lock) {
		config.flags = mtty->policy.flag;
		generation = mtty->policy.generation;
		config.generation = generation;
		if (mtty->policy.loaded) {
			config.flags |= VFIO_MIG_CONFIG_LOADED;
			config.generation = mtty->policy.loaded;
		}
	}

	if (copy_to_user(arg, &config, sizeof(config)))
		return -EFAULT;

	/* Only who got an answer has asked; one that knows better may be faster */
	guard(mutex)(&mtty->lock);
	if (mtty->policy.asked != mtty->policy.generation)
		mtty->policy.asked = generation;

	return 0;
}
