/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FUZZ_LINUX_BUILD_BUG_H
#define FUZZ_LINUX_BUILD_BUG_H

#define BUILD_BUG_ON(cond) _Static_assert(!(cond), #cond)

#endif /* FUZZ_LINUX_BUILD_BUG_H */
