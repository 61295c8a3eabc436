/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MTTY_POLICY_H
#define MTTY_POLICY_H

#include <linux/types.h>
#include <uapi/linux/vfio_mig_config.h>

/**
 * struct mtty_policy - config space in a migration
 * @flag:	VFIO_MIG_CONFIG_* policy flag, or 0; changes only while the device
 *		is closed
 * @generation:	of the guest-visible content of config space
 * @queried:	@generation as of the last GET, 0 if there was none since open
 * @loaded:	generation of the snapshot that was loaded in this RESUMING
 *		session, 0 if there is none
 *
 * Protected by mtty.lock.
 */
struct mtty_policy {
	u64 flag;
	u64 generation;
	u64 queried;
	u64 loaded;
};

/**
 * mtty_policy_embeds - does the migration data include config space?
 * @policy:	the policy
 */
static inline bool mtty_policy_embeds(const struct mtty_policy *policy)
{
	return policy->flag == VFIO_MIG_CONFIG_EMBEDDED;
}

void mtty_policy_open(struct mtty_policy *policy);
void mtty_policy_config_changed(struct mtty_policy *policy);
int mtty_policy_check_read(const struct mtty_policy *policy);
int mtty_policy_check_write(const struct mtty_policy *policy);
int mtty_policy_check_record(const struct mtty_policy *policy,
			     u64 loaded_at_start, u64 generation);
int mtty_policy_check_end(const struct mtty_policy *policy, u64 generation);
bool mtty_policy_is_superseded(const struct mtty_policy *policy, u64 generation,
			       u64 end);

#endif /* MTTY_POLICY_H */
