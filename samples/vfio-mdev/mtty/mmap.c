// SPDX-License-Identifier: GPL-2.0-only
/*
 * mmap() of BAR2: capture memory without its header.
 *
 * All PTEs are special (VM_PFNMAP), so neither GUP nor GUP-fast can pin a page, which
 * then could be written after it was sent.  vfio_iommu_type1 follows such PTEs to map
 * MMIO for DMA, but refuses a page that is RAM.
 *
 * A page is mapped read-only until a write fault, see capture.c.  The fault handler
 * itself makes the PTE writable, under mtty.lock.  If the core did so after
 * pfn_mkwrite() has returned, the page could be sent in between and then be written
 * without becoming dirty.
 *
 * A fault takes mtty.lock with mmap_lock held, so user memory must not be accessed
 * under mtty.lock.
 */
#include <linux/cleanup.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/minmax.h>
#include <linux/mm.h>

#include "device.h"
#include "mmap.h"

/* The header is not memory, so the page that includes it cannot be mapped */
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

	/* vm_page_prot is read-only, because there is a pfn_mkwrite() */
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

	/* The page is dirty now */
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
 * @vma:	the mapping
 *
 * Return: 0, or -EINVAL if it is private or exceeds the area of mtty_mmap_info().
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
 * mtty_mmap_info - add to VFIO_DEVICE_GET_REGION_INFO the area that can be mapped
 * @mtty:	the device
 * @info:	of a region; gets VFIO_REGION_INFO_FLAG_MMAP
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
