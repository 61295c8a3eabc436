/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MTTY_POLICY_H
#define MTTY_POLICY_H

#include <linux/types.h>

struct mtty;

/**
 * struct mtty_policy - the device's view on config space in a migration
 * @flag:	VFIO_MIG_CONFIG_* policy flag, or 0; changes only while the device
 *		is closed
 * @generation:	of the guest-visible content of config space
 * @asked:	generation that the user was told last, 0 if he never asked
 * @loaded:	generation of the snapshot that was loaded in this RESUMING
 *		session, 0 if there was none yet
 *
 * Protected by the lock of the device.
 */
struct mtty_policy {
	u64 flag;
	u64 generation;
	u64 asked;
	u64 loaded;
};

const char *mtty_policy_name(const struct mtty_policy *policy);
int mtty_policy_set(struct mtty_policy *policy, const char *name);
void mtty_policy_open(struct mtty_policy *policy);
void mtty_policy_config_changed(struct mtty_policy *policy);
int mtty_policy_admit_read(const struct mtty_policy *policy);
int mtty_policy_admit_data(const struct mtty_policy *policy);
int mtty_policy_admit_record(const struct mtty_policy *policy, u64 began,
			     u64 generation);
int mtty_policy_admit_end(const struct mtty_policy *policy, u64 generation);
bool mtty_policy_embeds(const struct mtty_policy *policy);
int mtty_policy_feature(struct mtty *mtty, u32 flags, void __user *arg,
			size_t argsz);

#endif /* MTTY_POLICY_H */
