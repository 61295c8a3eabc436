/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that a test of uapi/ includes: the harness, lib/vfio/ and lib/subject/.
 */
#ifndef VMIG_ALL_SUBJECT_H
#define VMIG_ALL_SUBJECT_H

#include "vfio.h"
#include "vfio/case.h"
#include "subject/cases.h"
#include "subject/fixture.h"
#include "subject/has.h"
#include "subject/ops.h"
#include "subject/subject.h"

#endif /* VMIG_ALL_SUBJECT_H */
