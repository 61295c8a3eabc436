/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MTTY_MMAP_H
#define MTTY_MMAP_H

struct mtty;
struct vfio_device;
struct vfio_info_cap;
struct vfio_region_info;
struct vm_area_struct;

int mtty_mmap(struct vfio_device *vdev, struct vm_area_struct *vma);
int mtty_mmap_info(const struct mtty *mtty, struct vfio_region_info *info,
		   struct vfio_info_cap *caps);

#endif /* MTTY_MMAP_H */
