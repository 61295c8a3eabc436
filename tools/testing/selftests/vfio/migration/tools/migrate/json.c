// SPDX-License-Identifier: GPL-2.0-only
/* JSON strings are UTF-8, file names may be anything: invalid bytes become U+FFFD. */
#include <stdio.h>

#include "lib/vfio/util.h"
#include "migrate.h"

/* First bytes from @first to @last; the second byte is between @low and @high */
static const struct {
	unsigned char first, last, low, high;
	unsigned int len;
} characters[] = {
	{ 0x01, 0x7f, 0, 0, 1 },
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
	{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 },
	{ 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
	{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

/* Length of a character in bytes; 0 if it is invalid */
static unsigned int get_len(const unsigned char *at)
{
	unsigned int i = 0, n;

	while (*at < characters[i].first || *at > characters[i].last) {
		if (++i == ARRAY_SIZE(characters))
			return 0;
	}
	if (characters[i].len > 1 &&
	    (at[1] < characters[i].low || at[1] > characters[i].high))
		return 0;
	for (n = 2; n < characters[i].len; n++) {
		if ((at[n] & 0xc0) != 0x80)
			return 0;
	}
	return characters[i].len;
}

void migrate_json_string(FILE *to, const char *key, const char *value)
{
	const unsigned char *at = (const unsigned char *)value;
	unsigned int len;

	fprintf(to, "\"%s\":\"", key);
	for (; *at; at += len ? len : 1) {
		len = get_len(at);
		if (!len)
			fputs("\\ufffd", to);
		else if (*at == '"' || *at == '\\')
			fprintf(to, "\\%c", *at);
		else if (*at < ' ')
			fprintf(to, "\\u%04x", *at);
		else
			fwrite(at, 1, len, to);
	}
	fputc('"', to);
}
