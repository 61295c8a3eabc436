/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MTTY_MIGRATION_H
#define MTTY_MIGRATION_H

struct vfio_migration_ops;

extern const struct vfio_migration_ops mtty_mig_ops;

#endif /* MTTY_MIGRATION_H */
