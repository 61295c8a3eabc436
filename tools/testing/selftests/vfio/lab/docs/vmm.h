/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations that the code of a VMM in vfio-mig-config.rst leaves out. make docs-check compiles
 * that code behind this file.
 */
#include <errno.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vfio.h>
#include <linux/vfio_mig_config.h>

enum call { QUERY, OPT_IN, SET_STATE };
enum section { SETUP, DATA, KEEP_INTERRUPTS_OFF, SET_ALL_UP, ENABLE_INTERRUPTS };

struct vmm {
	int data_fd;
	struct vfio_device_feature_mig_config answer;
};

/* Both return 0 or an errno, negative. */
int feature(struct vmm *vmm, enum call call, void *arg, size_t size);
int put(struct vmm *vmm, enum section section, const void *data, size_t size);
