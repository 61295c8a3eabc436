/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The driver's side of uapi/linux/vfio_mig_config.h, for any driver.
 *
 * The caller serialises all calls but the copies with a lock of the device.
 */
#ifndef MIG_CONFIG_H
#define MIG_CONFIG_H

#include <linux/types.h>
#include <uapi/linux/vfio_mig_config.h>

/**
 * struct mig_config_id - identity of the content of config space
 * @source:	random number of one opening of one device, 0 for no identity
 * @version:	changes at least when the content does, never 0 unless @source is
 */
struct mig_config_id {
	u64 source;
	u64 version;
};

/**
 * struct mig_config - config space in the migrations of one device
 * @need:	enum vfio_mig_config_need; changes only while the device is closed
 * @size:	bytes of a snapshot; does not change
 * @opted_in:	by VFIO_DEVICE_FEATURE_SET since the device was opened
 * @id:		identity of the present content
 */
struct mig_config {
	u32 need;
	u32 size;
	bool opted_in;
	struct mig_config_id id;
};

/**
 * struct mig_config_load - config space in one resuming session
 * @source:	of all data and snapshots, 0 before the first
 * @snapshot:	version of the loaded snapshot, 0 if there is none
 * @record:	version of the last record, 0 if there was none
 *
 * Zeroed when the session begins.
 */
struct mig_config_load {
	u64 source;
	u64 snapshot;
	u64 record;
};

/**
 * mig_config_depends - do the data of sessions depend on config space?
 * @config:	of the device
 */
static inline bool mig_config_depends(const struct mig_config *config)
{
	return config->opted_in &&
	       (config->need == VFIO_MIG_CONFIG_BEFORE_DATA ||
		config->need == VFIO_MIG_CONFIG_ANY_ORDER);
}

/**
 * mig_config_record_id - the identity that a new record carries
 * @config:	of the source
 */
static inline struct mig_config_id
mig_config_record_id(const struct mig_config *config)
{
	return mig_config_depends(config) ? config->id :
					    (struct mig_config_id) {};
}

/**
 * mig_config_changed - the content of config space has changed
 * @config:	of the device; gets a new identity
 */
static inline void mig_config_changed(struct mig_config *config)
{
	config->id.version++;
}

/* The rules, mig_config.c */
void mig_config_open(struct mig_config *config, u64 source);
int mig_config_opt_in(struct mig_config *config,
		      const struct vfio_device_feature_mig_config *answer,
		      bool has_session);
int mig_config_check_read(const struct mig_config *config, u64 got);
int mig_config_check_write(const struct mig_config *config,
			   const struct mig_config_load *load);
int mig_config_load_record(const struct mig_config *config,
			   struct mig_config_load *load,
			   const struct mig_config_id *id);
int mig_config_load_snapshot(const struct mig_config *config,
			     struct mig_config_load *load,
			     const struct mig_config_id *id, bool in_record,
			     bool ended);
int mig_config_check_end(const struct mig_config *config,
			 const struct mig_config_load *load);
int mig_config_check_bits(const u8 *space, const u8 *snapshot,
			  const u8 *writable, size_t size);

/* Copies from and to the user, mig_config_user.c; the caller holds no spinlock */
int mig_config_feature(const struct mig_config *config, u32 flags,
		       void __user *arg, size_t argsz,
		       struct vfio_device_feature_mig_config *answer);
int mig_config_copy_to_user(void __user *arg, const struct mig_config_id *id,
			    const u8 *snapshot, u32 size);
int mig_config_copy_from_user(struct mig_config_id *id, u8 *snapshot, u32 size,
			      void __user *arg);

#endif /* MIG_CONFIG_H */
