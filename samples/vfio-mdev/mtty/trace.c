// SPDX-License-Identifier: GPL-2.0-only
/* The definitions of the trace events */
#define CREATE_TRACE_POINTS
#include "mtty_trace.h"
