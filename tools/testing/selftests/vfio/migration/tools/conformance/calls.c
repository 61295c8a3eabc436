// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log of the VFIO calls of a case. Reports show the list that leads to the failure: from
 * the last "=" before the first "!" up to there.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "conformance.h"

/* A longer list is shown without its middle */
#define LIST_MAX	300
#define LIST_HEAD	60

/**
 * struct call - a call
 * @thread:	its thread, as an index
 * @text:	the call
 * @result:	NULL if it did not return
 * @times:	equal calls that this one stands for
 */
struct call {
	unsigned int thread;
	char *text;
	char *result;
	unsigned int times;
};

/**
 * struct list - the list
 * @from:	what it starts from, or NULL
 * @calls:	in the order of their beginnings
 * @nr:		number of them
 * @threads:	thread ids, in the order in which they appear
 * @threads_nr:	number of them
 */
struct list {
	char *from;
	struct call *calls;
	unsigned int nr;
	long *threads;
	unsigned int threads_nr;
};

static bool is_equal(const struct call *a, const struct call *b)
{
	return a->thread == b->thread && !strcmp(a->text, b->text) && a->result && b->result &&
	       !strcmp(a->result, b->result);
}

static void drop(struct call *call)
{
	free(call->text);
	free(call->result);
}

static void empty(struct list *list)
{
	while (list->nr)
		drop(&list->calls[--list->nr]);
	free(list->calls);
	free(list->from);
	free(list->threads);
	*list = (struct list){};
}

static unsigned int index_of(struct list *list, long thread)
{
	unsigned int i = 0;

	while (i < list->threads_nr && list->threads[i] != thread)
		i++;
	if (i == list->threads_nr) {
		list->threads = conf_grow(list->threads, i, sizeof(thread));
		list->threads[list->threads_nr++] = thread;
	}
	return i;
}

static void add(struct list *list, unsigned int thread, const char *text)
{
	list->calls = conf_grow(list->calls, list->nr, sizeof(*list->calls));
	list->calls[list->nr++] = (struct call){
		.thread = thread, .text = conf_text("%s", text), .times = 1,
	};
}

/* The last call of the thread returns; join it with its neighbour if they are equal */
static void end(struct list *list, unsigned int thread, const char *result)
{
	unsigned int i = list->nr;
	struct call *call;

	while (i && (list->calls[i - 1].thread != thread || list->calls[i - 1].result))
		i--;
	/* It began before the list */
	if (!i--)
		return;
	call = &list->calls[i];
	call->result = conf_text("%s", result);
	if (i && i + 1 == list->nr && is_equal(call - 1, call)) {
		call[-1].times++;
		drop(call);
		list->nr--;
	}
}

/* false at the first failure */
static bool take_line(struct list *list, char *line)
{
	char *rest = line + 1;
	long thread;

	for (; *rest; rest++) {
		if (*rest < ' ' || *rest > '~')
			*rest = '?';
	}
	if (*line == '!')
		return false;
	rest = line + 1 + strspn(line + 1, " ");
	if (*line == '=') {
		empty(list);
		list->from = conf_text("%s", rest);
		return true;
	}
	thread = strtol(rest, &rest, 10);
	rest += strspn(rest, " ");
	if (*line == '>')
		add(list, index_of(list, thread), rest);
	else if (*line == '<')
		end(list, index_of(list, thread), rest);
	return true;
}

static void print_call(FILE *to, const struct list *list, const struct call *call)
{
	if (list->threads_nr > 1)
		fprintf(to, "[thread %u] ", call->thread + 1);
	fputs(call->text, to);
	if (call->result)
		fprintf(to, " = %s", call->result);
	else
		fputs(" did not return", to);
	if (call->times > 1)
		fprintf(to, "  x %u", call->times);
	fputc('\n', to);
}

static char *print(const struct list *list)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);
	unsigned int i;

	if (!to)
		return NULL;
	if (list->from)
		fprintf(to, "(%s)\n", list->from);
	for (i = 0; i < list->nr; i++) {
		if (i == LIST_HEAD && list->nr > LIST_MAX) {
			i = list->nr - LIST_MAX + LIST_HEAD;
			fprintf(to, "(%u calls are not shown)\n", i - LIST_HEAD);
		}
		print_call(to, list, &list->calls[i]);
	}
	fclose(to);
	return text;
}

char *conf_calls_read(int fd, char **last)
{
	struct list list = {};
	char *log, *at, *line, *text;
	unsigned int i;
	struct stat st;

	*last = NULL;
	if (fstat(fd, &st) || !st.st_size)
		return NULL;
	log = malloc(st.st_size + 1);
	if (!log || pread(fd, log, st.st_size, 0) != st.st_size) {
		free(log);
		return NULL;
	}
	log[st.st_size] = '\0';
	at = log;
	while ((line = conf_each_line(&at)) && take_line(&list, line))
		;
	text = list.nr ? print(&list) : NULL;
	for (i = list.nr; i-- && !*last; ) {
		if (!list.calls[i].result)
			*last = conf_text("%s", list.calls[i].text);
	}
	empty(&list);
	free(log);
	return text;
}
