// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "cases.h"

const struct vmig_case *vmig_case_find(const char *fixture, const char *test)
{
	const struct vmig_case *row;

	for (row = __start_vmig_cases; row < __stop_vmig_cases; row++) {
		if (!strcmp(row->fixture, fixture) && !strcmp(row->test, test))
			return row;
	}
	return NULL;
}

void vmig_case_print(const char *fixture, const char *variant, const char *test)
{
	const struct vmig_case *row = vmig_case_find(fixture, test);
	unsigned int i;

	printf("%s%s%s.%s\t", fixture, variant[0] ? "." : "", variant, test);
	for (i = 0; row && row->clauses[i]; i++)
		printf("%s%s", i ? "," : "", row->clauses[i]);
	printf("\t%s\n", row && row->destructive ? row->destructive : "");
}
