// SPDX-License-Identifier: GPL-2.0-only
/*
 * BAR2 as memory of the user: capture memory, without the header that it begins
 * with.
 *
 * All PTEs are special (VM_PFNMAP): GUP refuses them, GUP-fast as well as the slow
 * path, so no page can be pinned by it and written after it was sent.  type1, which
 * follows such PTEs to map other devices' registers for DMA, refuses a page that is
 * memory of the kernel.  A PTE has no reference on its page.
 *
 * A page is mapped for reading until it is written; see capture.c for how that
 * makes it dirty.  The writable PTE is set here, under the lock of the device: if the
 * core made it writable after pfn_mkwrite() has returned, the page could have been
 * sent in between, and be written without being dirty.
 *
 * A fault comes with the user's mmap lock held and takes the lock of the device; so
 * the latter is never held while user memory is touched.
 */
#include <linux/cleanup.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/minmax.h>
#include <linux/mm.h>

#include "device.h"
#include "mmap.h"

/* The header is not memory, and shares its page with nothing that is mapped */
#define MAP_START	max_t(u64, MTTY_CAP_LOG_OFFSET, PAGE_SIZE)

#define BAR2_OFFSET	((u64)VFIO_PCI_BAR2_REGION_INDEX << MTTY_REGION_SHIFT)

static unsigned long mtty_mmap_page_index(const struct vm_fault *vmf)
{
	return vmf->pgoff - (BAR2_OFFSET >> PAGE_SHIFT);
}

static vm_fault_t mtty_mmap_fault_read(struct vm_fault *vmf)
{
	struct mtty *mtty = vmf->vma->vm_private_data;
	struct page *page;

	guard(mutex)(&mtty->lock);

	page = mtty_cap_map_read(&mtty->cap, mtty_mmap_page_index(vmf));
	if (!page)
		return VM_FAULT_OOM;

	/* As there is a pfn_mkwrite(), vm_page_prot permits reading only */
	return vmf_insert_pfn(vmf->vma, vmf->address, page_to_pfn(page));
}

static vm_fault_t mtty_mmap_fault_write(struct vm_fault *vmf)
{
	struct mtty *mtty = vmf->vma->vm_private_data;
	struct page *page;

	guard(mutex)(&mtty->lock);

	page = mtty_cap_map_write(&mtty->cap, mtty_mmap_page_index(vmf));
	if (!page)
		return VM_FAULT_OOM;

	/* Wake a poll() that waits for capture memory to become dirty */
	if (mtty->session)
		wake_up_interruptible(&mtty->wait);

	return vmf_insert_pfn_prot(vmf->vma, vmf->address, page_to_pfn(page),
				   vm_get_page_prot(vmf->vma->vm_flags));
}

static vm_fault_t mtty_mmap_fault(struct vm_fault *vmf)
{
	if (vmf->flags & FAULT_FLAG_WRITE)
		return mtty_mmap_fault_write(vmf);

	return mtty_mmap_fault_read(vmf);
}

static const struct vm_operations_struct mtty_mmap_vm_ops = {
	.fault = mtty_mmap_fault,
	.pfn_mkwrite = mtty_mmap_fault_write,
};

/**
 * mtty_mmap - vfio_device_ops.mmap
 * @vdev:	the device
 * @vma:	where
 *
 * Return: 0, or -EINVAL for anything but a shared mapping of what
 * mtty_mmap_info() says.
 */
int mtty_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	struct mtty *mtty = to_mtty(vdev);
	u64 start = (u64)vma->vm_pgoff << PAGE_SHIFT;
	u64 len = vma->vm_end - vma->vm_start;

	guard(mutex)(&mtty->lock);

	if (!(vma->vm_flags & VM_SHARED) ||
	    start < BAR2_OFFSET + MAP_START ||
	    start > BAR2_OFFSET + mtty->cap.size ||
	    len > BAR2_OFFSET + mtty->cap.size - start)
		return -EINVAL;

	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_private_data = mtty;
	vma->vm_ops = &mtty_mmap_vm_ops;
	mtty_cap_map(&mtty->cap, vdev->inode->i_mapping, BAR2_OFFSET);

	return 0;
}

/**
 * mtty_mmap_info - what of a region can be mapped
 * @mtty:	the device
 * @info:	of a region; its flags are added to
 * @caps:	gets VFIO_REGION_INFO_CAP_SPARSE_MMAP
 *
 * Return: 0 or -ENOMEM.
 */
int mtty_mmap_info(const struct mtty *mtty, struct vfio_region_info *info,
		   struct vfio_info_cap *caps)
{
	DEFINE_RAW_FLEX(struct vfio_region_info_cap_sparse_mmap, sparse, areas,
			1);

	if (info->index != VFIO_PCI_BAR2_REGION_INDEX ||
	    info->size <= MAP_START)
		return 0;

	info->flags |= VFIO_REGION_INFO_FLAG_MMAP;
	sparse->header.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP;
	sparse->header.version = 1;
	sparse->nr_areas = 1;
	sparse->areas[0].offset = MAP_START;
	sparse->areas[0].size = info->size - MAP_START;

	return vfio_info_add_capability(caps, &sparse->header,
					struct_size(sparse, areas, 1));
}
