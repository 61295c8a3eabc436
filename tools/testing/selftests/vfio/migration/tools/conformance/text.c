// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages, strings and lists. A program that has no memory for a line of text cannot
 * report anything, so these functions do not return then.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "conformance.h"

/* No text file that is read here is that long */
#define TEXT_MAX	(64u << 20)

static void no_memory(void)
{
	fputs(CONF_NAME ": out of memory\n", stderr);
	exit(CONF_FAILED);
}

enum conf_exit conf_error(const char *fmt, ...)
{
	va_list args;

	fputs(CONF_NAME ": ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return CONF_FAILED;
}

char *conf_text(const char *fmt, ...)
{
	va_list args;
	char *text;
	int ret;

	va_start(args, fmt);
	ret = vasprintf(&text, fmt, args);
	va_end(args);
	if (ret < 0)
		no_memory();
	return text;
}

void conf_append(char **text, const char *fmt, ...)
{
	size_t len = *text ? strlen(*text) : 0;
	va_list args;
	char *more;
	int ret;

	va_start(args, fmt);
	ret = vasprintf(&more, fmt, args);
	va_end(args);
	if (ret < 0)
		no_memory();
	*text = realloc(*text, len + ret + 1);
	if (!*text)
		no_memory();
	memcpy(*text + len, more, ret + 1);
	free(more);
}

/* Room for one more; its size doubles, so that a list costs no more than it holds */
void *conf_grow(void *list, unsigned int nr, size_t size)
{
	if (nr & (nr - 1))
		return list;
	list = realloc(list, (nr ? 2 * (size_t)nr : 1) * size);
	if (!list)
		no_memory();
	return list;
}

void *conf_zeroes(unsigned int nr, size_t size)
{
	void *list = calloc(nr, size);

	if (!list)
		no_memory();
	return list;
}

char *conf_read_text(const char *path, const char *next_step)
{
	FILE *from = fopen(path, "re");
	size_t room = 65536, len = 0, got = 0;
	char *text = malloc(room + 1);

	if (!text)
		no_memory();
	while (from && (got = fread(text + len, 1, room - len, from))) {
		len += got;
		if (len == TEXT_MAX)
			break;
		if (len < room)
			continue;
		room *= 2;
		text = realloc(text, room + 1);
		if (!text)
			no_memory();
	}
	if (!from || ferror(from) || len == TEXT_MAX || memchr(text, '\0', len)) {
		conf_error("%s: %s; %s", path, !from || ferror(from) ? strerror(errno) :
			   "not a text file", next_step);
		free(text);
		text = NULL;
	} else {
		text[len] = '\0';
	}
	if (from)
		fclose(from);
	return text;
}

bool conf_is_printable(const char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			return false;
	}
	return true;
}

/* A word of a shell command */
void conf_quote(FILE *to, const char *word)
{
	const char *at = word;

	while (isalnum((unsigned char)*at) || (*at && strchr("_-+=:,./@%", *at)))
		at++;
	if (*word && !*at) {
		fputs(word, to);
		return;
	}
	fputc('\'', to);
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\''", to);
		else
			fputc(*word, to);
	}
	fputc('\'', to);
}

char *conf_each_line(char **text)
{
	char *line = *text, *end;

	if (!line || !*line)
		return NULL;
	end = strchr(line, '\n');
	*text = end ? end + 1 : NULL;
	if (end)
		*end = '\0';
	return line;
}
