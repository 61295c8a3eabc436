/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DRIVER_LINUX_BUILD_BUG_H
#define DRIVER_LINUX_BUILD_BUG_H

#define BUILD_BUG_ON(cond) _Static_assert(!(cond), #cond)

#endif /* DRIVER_LINUX_BUILD_BUG_H */
