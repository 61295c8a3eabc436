// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/uio.h>
#include <linux/vfio.h>

#include "calls_int.h"
#include "precopy_v2.h"
#include "state_name.h"
#include "util.h"

#define FEATURE_ACTIONS \
	(VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_PROBE)

/* So many ranges of DMA logging are shown */
#define RANGES_SHOWN	2

/* The first bytes of an argument, enough for all that is shown */
union argument {
	uint32_t argsz;
	struct vfio_device_feature feature;
	struct vfio_irq_set set;
	struct vfio_region_info region;
	struct vfio_irq_info irq;
	struct vfio_precopy_info precopy;
	struct vfio_device_feature_dma_logging_range ranges[RANGES_SHOWN];
	uint8_t bytes[64];
};

struct name {
	unsigned long number;
	const char *name;
};

static const struct name ioctls[] = {
	{ VFIO_DEVICE_GET_INFO, "VFIO_DEVICE_GET_INFO" },
	{ VFIO_DEVICE_GET_REGION_INFO, "VFIO_DEVICE_GET_REGION_INFO" },
	{ VFIO_DEVICE_GET_IRQ_INFO, "VFIO_DEVICE_GET_IRQ_INFO" },
	{ VFIO_DEVICE_SET_IRQS, "VFIO_DEVICE_SET_IRQS" },
	{ VFIO_DEVICE_RESET, "VFIO_DEVICE_RESET" },
	{ VFIO_DEVICE_FEATURE, "VFIO_DEVICE_FEATURE" },
	{ VFIO_MIG_GET_PRECOPY_INFO, "VFIO_MIG_GET_PRECOPY_INFO" },
};

static const struct name features[] = {
	{ VFIO_DEVICE_FEATURE_MIGRATION, "MIGRATION" },
	{ VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, "MIG_DEVICE_STATE" },
	{ VFIO_DEVICE_FEATURE_MIG_DATA_SIZE, "MIG_DATA_SIZE" },
	{ VFIO_DEVICE_FEATURE_DMA_LOGGING_START, "DMA_LOGGING_START" },
	{ VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP, "DMA_LOGGING_STOP" },
	{ VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT, "DMA_LOGGING_REPORT" },
	{ VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2, "MIG_PRECOPY_INFOv2" },
};

/* "?" for a number without a name */
static const char *name_of(const struct name *row, unsigned int nr, unsigned long number)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (row[i].number == number)
			return row[i].name;
	}
	return "?";
}

/* Copies what can be read, as tests also give bad addresses. Returns the number of bytes */
static size_t peek(const void *arg, union argument *copy)
{
	struct iovec to = { .iov_base = copy, .iov_len = sizeof(*copy) };
	struct iovec from[2];
	size_t page = sysconf(_SC_PAGESIZE);
	size_t first = page - ((uintptr_t)arg & (page - 1));
	ssize_t got;

	/* The kernel copies whole elements: the second may be on a page that is not mapped */
	if (first > sizeof(*copy))
		first = sizeof(*copy);
	from[0] = (struct iovec) { .iov_base = (void *)arg, .iov_len = first };
	from[1] = (struct iovec) {
		.iov_base = (char *)arg + first, .iov_len = sizeof(*copy) - first,
	};
	memset(copy, 0, sizeof(*copy));
	got = process_vm_readv(getpid(), &to, 1, from, 2, 0);
	return got > 0 ? got : 0;
}

static void describe_ranges(const struct vfio_device_feature_dma_logging_control *control,
			    char *text, size_t size)
{
	const void *at = (const void *)(uintptr_t)control->ranges;
	unsigned int i, nr = control->num_ranges;
	union argument copy;
	int len;

	if (nr > RANGES_SHOWN)
		nr = RANGES_SHOWN;
	len = snprintf(text, size, ", page_size %#llx, num_ranges %u",
		       (unsigned long long)control->page_size, control->num_ranges);
	if (!nr || peek(at, &copy) < nr * sizeof(copy.ranges[0]))
		return;
	for (i = 0; i < nr; i++)
		len += snprintf(text + len, size - len, "%s [%#llx, length %#llx]", i ? "" : ":",
				(unsigned long long)copy.ranges[i].iova,
				(unsigned long long)copy.ranges[i].length);
	if (control->num_ranges > nr)
		snprintf(text + len, size - len, " ...");
}

/* The structures that SET and GET have behind the header */
static void describe_feature_data(const struct vfio_device_feature *feature, char *text,
				  size_t size)
{
	const struct vfio_device_feature_dma_logging_report *report = (const void *)feature->data;
	const struct vfio_device_feature_mig_state *mig = (const void *)feature->data;

	switch (feature->flags & (FEATURE_ACTIONS | VFIO_DEVICE_FEATURE_MASK)) {
	case VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE:
		snprintf(text, size, ", %s", vmig_state_name(mig->device_state));
		break;
	case VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_DMA_LOGGING_START:
		describe_ranges((const void *)feature->data, text, size);
		break;
	case VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT:
		snprintf(text, size, ", iova %#llx, length %#llx, page_size %#llx",
			 (unsigned long long)report->iova, (unsigned long long)report->length,
			 (unsigned long long)report->page_size);
		break;
	}
}

static void describe_feature(const struct vfio_device_feature *feature, char *text,
			     size_t size)
{
	unsigned int index = feature->flags & VFIO_DEVICE_FEATURE_MASK;
	char data[192] = "";

	describe_feature_data(feature, data, sizeof(data));
	snprintf(text, size, "VFIO_DEVICE_FEATURE, %s%s%s%s (%u), argsz %u%s",
		 feature->flags & VFIO_DEVICE_FEATURE_PROBE ? "PROBE " : "",
		 feature->flags & VFIO_DEVICE_FEATURE_GET ? "GET " : "",
		 feature->flags & VFIO_DEVICE_FEATURE_SET ? "SET " : "",
		 name_of(features, ARRAY_SIZE(features), index), index, feature->argsz,
		 data);
}

/* The first eventfds or bools; enough to see which interrupt has which */
static void describe_irq_data(const struct vfio_irq_set *set, char *text, size_t size)
{
	const unsigned int max = 6;
	bool are_fds = set->flags & VFIO_IRQ_SET_DATA_EVENTFD;
	size_t each = are_fds ? sizeof(int32_t) : 1, len;
	unsigned int i;
	int32_t fd;

	text[0] = '\0';
	if (!(set->flags & (VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_DATA_BOOL)))
		return;
	for (i = 0; i < set->count && i < max; i++) {
		if (set->argsz < sizeof(*set) + (i + 1) * each)
			return;
		memcpy(&fd, set->data + i * sizeof(fd), sizeof(fd));
		len = strlen(text);
		snprintf(text + len, size - len, "%s%d", i ? ", " : ", data ",
			 are_fds ? fd : set->data[i]);
	}
	if (i < set->count)
		strncat(text, ", ...", size - strlen(text) - 1);
}

static void describe_irqs(const struct vfio_irq_set *set, char *text, size_t size)
{
	static const char *const actions[] = { "MASK", "UNMASK", "TRIGGER" };
	static const char *const data[] = { "NONE", "BOOL", "EVENTFD" };
	char flags[64] = "", items[64];
	unsigned int i;

	for (i = 0; i < 6; i++) {
		if (!(set->flags & (1u << i)))
			continue;
		strcat(flags, flags[0] ? "|" : "");
		strcat(flags, i < 3 ? data[i] : actions[i - 3]);
	}
	describe_irq_data(set, items, sizeof(items));
	snprintf(text, size,
		 "VFIO_DEVICE_SET_IRQS, flags %s (%#x), index %u, start %u, count %u, argsz %u%s",
		 flags, set->flags, set->index, set->start, set->count, set->argsz, items);
}

void vmig_calls_describe(unsigned long request, const void *arg, char *text, size_t size)
{
	const char *name = name_of(ioctls, ARRAY_SIZE(ioctls), request);
	union argument copy;

	if (name[0] == '?') {
		snprintf(text, size, "%#lx, %p", request, arg);
		return;
	}
	if (request == VFIO_DEVICE_RESET) {
		snprintf(text, size, "%s", name);
		return;
	}
	if (peek(arg, &copy) < sizeof(copy.argsz)) {
		snprintf(text, size, "%s, %p", name, arg);
		return;
	}
	switch (request) {
	case VFIO_DEVICE_FEATURE:
		describe_feature(&copy.feature, text, size);
		break;
	case VFIO_DEVICE_SET_IRQS:
		describe_irqs(&copy.set, text, size);
		break;
	case VFIO_DEVICE_GET_REGION_INFO:
		snprintf(text, size, "%s, index %u, argsz %u", name, copy.region.index, copy.argsz);
		break;
	case VFIO_DEVICE_GET_IRQ_INFO:
		snprintf(text, size, "%s, index %u, argsz %u", name, copy.irq.index, copy.argsz);
		break;
	case VFIO_MIG_GET_PRECOPY_INFO:
		snprintf(text, size, "%s, argsz %u, flags %#x", name, copy.argsz,
			 copy.precopy.flags);
		break;
	default:
		snprintf(text, size, "%s, argsz %u", name, copy.argsz);
	}
}

static void describe_feature_result(const struct vfio_device_feature *feature, char *text,
				    size_t size)
{
	const struct vfio_device_feature_mig_state *mig = (const void *)feature->data;
	const struct vfio_device_feature_migration *flags = (const void *)feature->data;
	const struct vfio_device_feature_dma_logging_control *log = (const void *)feature->data;

	if (feature->flags & VFIO_DEVICE_FEATURE_PROBE)
		return;
	switch (feature->flags & VFIO_DEVICE_FEATURE_MASK) {
	case VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE:
		if (feature->flags & VFIO_DEVICE_FEATURE_GET)
			snprintf(text, size, ", %s", vmig_state_name(mig->device_state));
		else
			snprintf(text, size, ", data_fd %d", mig->data_fd);
		break;
	case VFIO_DEVICE_FEATURE_MIGRATION:
		snprintf(text, size, ", flags %#llx", (unsigned long long)flags->flags);
		break;
	case VFIO_DEVICE_FEATURE_DMA_LOGGING_START:
		snprintf(text, size, ", page_size %#llx", (unsigned long long)log->page_size);
		break;
	}
}

void vmig_calls_describe_result(unsigned long request, const void *arg, char *text,
				size_t size)
{
	union argument copy;

	if (peek(arg, &copy) < sizeof(copy.argsz))
		return;
	switch (request) {
	case VFIO_DEVICE_FEATURE:
		describe_feature_result(&copy.feature, text, size);
		break;
	case VFIO_DEVICE_GET_REGION_INFO:
		snprintf(text, size, ", flags %#x, size %#llx", copy.region.flags,
			 (unsigned long long)copy.region.size);
		break;
	case VFIO_DEVICE_GET_IRQ_INFO:
		snprintf(text, size, ", flags %#x, count %u", copy.irq.flags, copy.irq.count);
		break;
	case VFIO_MIG_GET_PRECOPY_INFO:
		snprintf(text, size, ", flags %#x, initial_bytes %llu, dirty_bytes %llu",
			 copy.precopy.flags, (unsigned long long)copy.precopy.initial_bytes,
			 (unsigned long long)copy.precopy.dirty_bytes);
		break;
	}
}
