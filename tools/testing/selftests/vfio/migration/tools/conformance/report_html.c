// SPDX-License-Identifier: GPL-2.0-only
/*
 * The report as one page that needs nothing else: light or dark as the reader's system is,
 * and without the script it is complete, but shows all clauses.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/vfio/util.h"
#include "conformance.h"

static const char head[] =
"<!DOCTYPE html>\n"
"<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
"<meta name=\"color-scheme\" content=\"light dark\">\n"
"<style>\n"
":root { --bg: #fff; --fg: #1c1e21; --dim: #5b6168; --line: #d8dce1; --soft: #f3f5f7;\n"
"  --kept: #176f2c; --violated: #b3261e; --not-applicable: #5b6168; --not-checked: #8a5a00 }\n"
"@media (prefers-color-scheme: dark) {\n"
":root { --bg: #15181c; --fg: #e3e6ea; --dim: #9aa3ad; --line: #343a42; --soft: #1f242a;\n"
"  --kept: #6fcf86; --violated: #ff8a80; --not-applicable: #9aa3ad; --not-checked: #e5b35c }\n"
"}\n"
"body { background: var(--bg); color: var(--fg); font: 16px/1.5 system-ui, sans-serif;\n"
"  margin: 0 auto; max-width: 70rem; padding: 1rem }\n"
"h1 { font-size: 1.5rem; margin: .5rem 0 }\n"
"h2 { font-size: 1.2rem; margin: 2rem 0 .5rem }\n"
"h3 { font-size: 1rem; margin: 0 0 .5rem; overflow-wrap: anywhere }\n"
"a { color: inherit }\n"
"code, pre { font: .85em/1.45 ui-monospace, monospace }\n"
"pre { background: var(--soft); padding: .6rem; overflow-x: auto; margin: .3rem 0 .8rem }\n"
"dl { display: grid; grid-template-columns: fit-content(40%) 1fr; gap: .1rem 1rem }\n"
"dt { color: var(--dim); overflow-wrap: anywhere }\n"
"dd { margin: 0; overflow-wrap: anywhere; white-space: pre-line }\n"
"table { border-collapse: collapse; width: 100% }\n"
"th, td { text-align: left; vertical-align: top; padding: .4rem .5rem;\n"
"  border-bottom: 1px solid var(--line) }\n"
"td { overflow-wrap: anywhere }\n"
"td small { color: var(--dim); display: block }\n"
".level, .verdict { white-space: nowrap }\n"
"article { border-left: 4px solid var(--violated); padding: .2rem 0 .2rem 1rem; margin: 1rem 0 }\n"
".kept b { color: var(--kept) }\n"
".violated b { color: var(--violated) }\n"
".not-applicable b { color: var(--not-applicable) }\n"
".not-checked b { color: var(--not-checked) }\n"
"button { font: inherit; color: inherit; background: var(--soft); cursor: pointer;\n"
"  border: 1px solid var(--line); border-radius: .4rem; padding: .3rem .7rem;\n"
"  margin: 0 .4rem .4rem 0 }\n"
"button[aria-pressed=true] { border-color: var(--fg); box-shadow: 0 0 0 1px var(--fg) }\n"
"@media (max-width: 40rem) {\n"
"  thead { display: none }\n"
"  tr:not([hidden]) { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line) }\n"
"  td { display: block; border: 0; padding: .1rem 0 }\n"
"  dl { display: block }\n"
"  dd { margin-bottom: .4rem }\n"
"}\n"
"</style>\n";

/* Shows the clauses of one verdict, or all */
static const char script[] =
"<script>\n"
"const buttons = document.querySelectorAll('button');\n"
"buttons.forEach(b => b.addEventListener('click', () => {\n"
"  buttons.forEach(o => o.setAttribute('aria-pressed', o === b));\n"
"  document.querySelectorAll('tbody tr').forEach(r => {\n"
"    r.hidden = b.dataset.show && !r.classList.contains(b.dataset.show);\n"
"  });\n"
"}));\n"
"</script>\n";

static const char * const classes[] = {
	[VERDICT_KEPT] = "kept",
	[VERDICT_VIOLATED] = "violated",
	[VERDICT_NOT_APPLICABLE] = "not-applicable",
	[VERDICT_NOT_CHECKED] = "not-checked",
};

/* Text, also in an attribute with double quotes */
static void put(FILE *to, const char *text)
{
	for (; text && *text; text++) {
		if (strchr("&<>\"'", *text))
			fprintf(to, "&#%d;", *text);
		else
			fputc(*text, to);
	}
}

static void put_item(FILE *to, const char *title, const char *text)
{
	if (!text || !*text)
		return;
	fprintf(to, "<dt>%s</dt><dd>", title);
	put(to, text);
	fputs("</dd>\n", to);
}

static void put_block(FILE *to, const char *title, const char *text)
{
	if (!text || !*text)
		return;
	fprintf(to, "%s<pre>", title);
	put(to, text);
	fputs("</pre>\n", to);
}

static void put_head(FILE *to, const struct conf_suite *suite)
{
	char *summary = conf_show_summary(suite);
	char started[32];
	struct tm tm;

	strftime(started, sizeof(started), "%Y-%m-%d %H:%M UTC", gmtime_r(&suite->started, &tm));
	fputs(head, to);
	fputs("<title>VFIO migration conformance: ", to);
	put(to, suite->options.device);
	fputs("</title></head><body>\n<h1>VFIO migration conformance</h1>\n<dl>\n", to);
	put_item(to, "Device", suite->options.device);
	put_item(to, "Kind", suite->device_text);
	put_item(to, "Offers", suite->offers);
	put_item(to, "Path", suite->path);
	put_item(to, "Kernel", suite->kernel);
	put_item(to, "Run", started);
	put_item(to, "Clauses", summary);
	free(summary);
	put_item(to, "Stopped by", suite->stopped);
	if (suite->after)
		put_item(to, "After the run", suite->after);
	else if (suite->is_after_known)
		put_item(to, "After the run", "the device can be used");
	fputs("</dl>\n", to);
}

static void put_violation(FILE *to, const struct conf_suite *suite, unsigned int nr)
{
	const struct conf_clause *clause = &suite->clauses[nr];
	const struct conf_case *which = conf_show_case(suite, nr);
	char *command = conf_show_command(suite, clause);

	fputs("<article id=\"v-", to);
	put(to, clause->id);
	fputs("\"><h3>", to);
	put(to, clause->id);
	fputs("</h3>\n<p>", to);
	put(to, clause->text);
	fputs("</p>\n<dl>\n", to);
	put_item(to, "Verdict", clause->why);
	put_item(to, "From", clause->symbol);
	put_item(to, "Level", clause->level);
	if (which)
		put_item(to, "Case", which->name);
	fputs("</dl>\n", to);
	if (which) {
		const struct conf_outcome *outcome = conf_case_worst(suite, which);
		char *kernel = conf_show_kernel(outcome);

		put_block(to, "Seen", outcome->messages ?: outcome->why);
		put_block(to, "Calls", outcome->calls);
		put_block(to, "Kernel log", kernel);
		free(kernel);
	}
	put_block(to, "Repeat", command);
	fputs("</article>\n", to);
	free(command);
}

static void put_violations(FILE *to, const struct conf_suite *suite)
{
	unsigned int i;

	if (!conf_verdict_count(suite, VERDICT_VIOLATED))
		return;
	fputs("<h2>Violated clauses</h2>\n", to);
	for (i = 0; i < suite->clauses_nr; i++) {
		if (suite->clauses[i].is_selected &&
		    suite->clauses[i].verdict == VERDICT_VIOLATED)
			put_violation(to, suite, i);
	}
}

static void put_buttons(FILE *to, const struct conf_suite *suite)
{
	unsigned int i, nr, total = 0;

	fputs("<p>", to);
	for (i = 0; i < VERDICT_NR; i++) {
		nr = conf_verdict_count(suite, i);
		total += nr;
		fprintf(to, "<button type=button class=%s data-show=%s aria-pressed=false>",
			classes[i], classes[i]);
		fprintf(to, "<b>%u</b> %s</button>\n", nr, conf_verdict_name(i));
	}
	fputs("<button type=button data-show=\"\" aria-pressed=true>", to);
	fprintf(to, "all %u</button></p>\n", total);
}

static void put_row(FILE *to, const struct conf_clause *clause)
{
	fprintf(to, "<tr class=\"%s\"><td><code>", classes[clause->verdict]);
	if (clause->verdict == VERDICT_VIOLATED) {
		fputs("<a href=\"#v-", to);
		put(to, clause->id);
		fputs("\">", to);
	}
	put(to, clause->id);
	fputs(clause->verdict == VERDICT_VIOLATED ? "</a></code><small>" : "</code><small>", to);
	put(to, clause->text);
	fputs("</small></td><td class=\"level\">", to);
	put(to, clause->level);
	fprintf(to, "</td><td class=\"verdict\"><b>%s</b></td><td>",
		conf_verdict_name(clause->verdict));
	put(to, clause->why);
	fputs("</td></tr>\n", to);
}

static void put_clauses(FILE *to, const struct conf_suite *suite)
{
	unsigned int i;

	fputs("<h2>Clauses</h2>\n", to);
	put_buttons(to, suite);
	fputs("<table><thead><tr><th>Clause</th><th>Level</th><th>Verdict</th><th>Why</th></tr>\n"
	      "</thead><tbody>\n", to);
	for (i = 0; i < suite->clauses_nr; i++) {
		if (suite->clauses[i].is_selected)
			put_row(to, &suite->clauses[i]);
	}
	fputs("</tbody></table>\n", to);
}

/* The table of clauses has the others */
static void put_choices(FILE *to, const struct conf_suite *suite)
{
	struct conf_choice *choices;
	unsigned int i, nr = conf_choices(suite, &choices);

	fputs("<h2>Choices of the driver</h2>\n", to);
	if (!nr)
		fputs("<p>None was seen.</p>\n", to);
	fputs("<dl>\n", to);
	for (i = 0; i < nr; i++) {
		fputs("<dt>", to);
		put(to, choices[i].clauses);
		fputs("</dt><dd>", to);
		put(to, choices[i].text);
		fputs("</dd>\n", to);
	}
	fputs("</dl>\n", to);
}

void conf_report_html(const struct conf_suite *suite, enum conf_exit status, FILE *to)
{
	const struct conf_case *broken = conf_case_broken(suite);

	put_head(to, suite);
	if (broken) {
		fputs("<p>A test program failed: ", to);
		put(to, broken->name);
		fputs(": ", to);
		put(to, conf_case_worst(suite, broken)->why);
		fputs("</p>\n", to);
	}
	put_violations(to, suite);
	put_clauses(to, suite);
	put_choices(to, suite);
	fprintf(to, "<p>Exit status %d.</p>\n%s</body></html>\n", status, script);
}
