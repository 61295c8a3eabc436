/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MTTY_FUZZ_CONFIG_MODEL_H
#define MTTY_FUZZ_CONFIG_MODEL_H

#include <linux/types.h>

/**
 * struct config_content - what config space had at one time, instead of an identity
 * @opening:	of all openings of all devices, counted from 1; 0 for none
 * @nr:		counted in this opening: a greater one is newer
 */
struct config_content {
	unsigned int opening;
	unsigned int nr;
};

/**
 * struct config_model - one device
 * @need:	enum vfio_mig_config_need
 * @size:	bytes of a snapshot
 * @opted_in:	since the last opening
 * @now:	present content
 */
struct config_model {
	u32 need;
	u32 size;
	bool opted_in;
	struct config_content now;
};

/**
 * struct config_model_load - a resuming session
 * @snapshot:	the content that was loaded, if any
 * @record:	the content that the last record was made under, if any
 * @in_record:	a record is half written
 * @ended:	all data were written
 */
struct config_model_load {
	struct config_content snapshot;
	struct config_content record;
	bool in_record;
	bool ended;
};

/* A snapshot that is checked and ignored */
#define CONFIG_MODEL_IGNORED	1

bool config_model_same(struct config_content a, struct config_content b);
bool config_model_depends(const struct config_model *m);
int config_model_opt_in(struct config_model *m, u32 need, u32 size,
			bool has_session);
int config_model_read(const struct config_model *m, struct config_content got);
int config_model_write(const struct config_model *m,
		       struct config_model_load *load,
		       struct config_content record);
int config_model_set(const struct config_model *m,
		     struct config_model_load *load,
		     struct config_content snapshot);
int config_model_end(const struct config_model *m,
		     const struct config_model_load *load);
bool config_model_fits(const u8 *space, const u8 *snapshot, const u8 *writable,
		       size_t size);

#endif /* MTTY_FUZZ_CONFIG_MODEL_H */
