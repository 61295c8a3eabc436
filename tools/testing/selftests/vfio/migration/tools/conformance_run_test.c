// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-migration-conformance: the run as a whole: options and files that are wrong, reports,
 * the journal, the order, and what the kernel says.
 */
#include <sched.h>

/* To mount, and to make device nodes */
#define NEEDS_ROOT
#include "tools/conformance_fixture.h"

#define GOOD	"t.one\\ta.one\\t\\n", "t.one) echo >>$dir/ran; echo ok 1 t.one;;"

/* Tool: what is wrong with the command line is said in one line */
TEST_F(conformance, options)
{
	static const struct {
		const char *options, *text;
	} rows[] = {
		{ "--nonsense", "--nonsense is not an option" },
		{ "more", "more is not an option; a device is given with --device" },
		{ "--repeat 0", "0 has an invalid value" },
		{ "--repeat -1", "has an invalid value" },
		{ "--timeout 0", "has an invalid value" },
		{ "--timeout 1s", "has an invalid value" },
		{ "--shuffle=x", "has an invalid value" },
		{ "--path pci", "pci is not a path, which is group or iommufd" },
		{ "--path group", "omit --path group" },
		{ "--clause 'b.*'", "no clause matches b.*; --list names them all" },
		{ "--json", "--json is not an option, or has no value" },
		{ "--json /tmp/not/there", "/tmp/not/there: No such file or directory" },
		{ "--journal /tmp/not/there", "/tmp/not/there: No such file or directory" },
		{ "--journal-copy /dev/null", "--journal-copy needs --journal" },
		{ "--programs /tmp/not/there", "/tmp/not/there/" },
		{ "--device ''", "has an invalid value" },
		{ "--device x", "\"x\" does not name a device" },
		{ "--device 0000:77:00.7", "no such PCI function" },
		{ "--device 01234567-89ab-cdef-0123-456789abcdef", "no such mdev" },
		{ "--device nothing/nothing-1", "no mdev parent nothing" },
		{ "--device /tmp/not/there", "no character device" },
		{ "--device /dev/null,/dev/null", "the second device is the first one" },
		{ "--device /dev/null,x", "\"x\" does not name a device" },
	};
	unsigned int i;

	PROGRAM(GOOD);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT_RUNNER(INCOMPLETE, "%s", rows[i].options);
		EXPECT_OUT(rows[i].text);
		EXPECT_EQ(self->out + strlen(self->out) - 1, strchr(self->out, '\n')) {
			TH_LOG("more than a line: %s", self->out);
		}
	}
	EXPECT_RUNNER(KEPT, "--help");
	EXPECT_OUT("usage: vfio-migration-conformance");
}

/* Tool: a clause file that is wrong, with the line */
TEST_F(conformance, clause_file)
{
	static const struct {
		const char *content, *text;
	} rows[] = {
		{ "", "clauses:1: no clause in this file" },
		{ "nonsense\n", "clauses:1: this is not \"Field: value\"" },
		{ "Id: a\nColour: red\n", "clauses:2: unknown field Colour" },
		{ "Id: a\nId: b\n", "clauses:2: a second field Id" },
		{ " more\n", "clauses:1: this line continues no field" },
		{ "# x\n\nId: a\nLevel: MUST\n", "clauses:3: a stanza has no Symbol" },
		{ CLAUSE("a.one", "Level: MAY\n"), "clauses:1: an unknown value of Level" },
		{ CLAUSE("a.one", MUST "Until: soon\n"), "Since or Until is not a kernel" },
		{ CLAUSE("a.one", MUST) CLAUSE("a.one", MUST), "clauses:9: a second clause a.one" },
		{ "Id: \303\244\n", "clauses:1: not printable ASCII" },
	};
	char path[128];
	unsigned int i;

	PROGRAM(GOOD);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		write_file(self->dir, "clauses", rows[i].content);
		EXPECT_RUNNER(INCOMPLETE, "");
		EXPECT_OUT(rows[i].text);
	}
	snprintf(path, sizeof(path), "%s/clauses", self->dir);
	unlink(path);
	EXPECT_RUNNER(INCOMPLETE, "");
	EXPECT_OUT("clauses: No such file or directory; give the clause file with --clauses");
	EXPECT_RUNNER(INCOMPLETE, "--clauses /tmp");
	EXPECT_OUT("/tmp: Is a directory");
	EXPECT_RUNNER(INCOMPLETE, "--clauses /dev/zero");
	EXPECT_OUT("/dev/zero: not a text file");
}

/* Tool: a test program that is missing, or does not list its cases */
TEST_F(conformance, programs)
{
	static const struct {
		const char *script, *text;
	} rows[] = {
		{ "#!/bin/sh\n", "--cases printed no case" },
		{ "#!/bin/sh\necho hello\n", "--cases printed \"hello\", which is no case" },
		{ "#!/bin/sh\nexit 1\n", "--cases exited with status 1" },
		{ "#!/bin/sh\nkill -ILL $$\n", "--cases was ended by signal 4" },
		{ "#!/no/interpreter\n", "stub_test: No such file or directory; build the tests" },
	};
	char path[128];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		write_file(self->dir, "stub_test", rows[i].script);
		EXPECT_RUNNER(INCOMPLETE, "");
		EXPECT_OUT(rows[i].text);
		EXPECT_NOT_OUT("KTAP");
	}
	snprintf(path, sizeof(path), "%s/stub_test", self->dir);
	chmod(path, 0600);
	EXPECT_RUNNER(INCOMPLETE, "");
	EXPECT_OUT("stub_test: Permission denied; build the tests");
	unlink(path);
	EXPECT_RUNNER(INCOMPLETE, "");
	EXPECT_OUT("stub_test: No such file or directory; build the tests");

	PROGRAM("t.one\\ta.one,a.three\\t\\n", "t.one) echo ok 1 t.one;;");
	EXPECT_RUNNER(KEPT, "--clause a.one");
	EXPECT_OUT("warning: stub_test: t.one names the clause a.three, which");
}

/* Tool: the device before and after the run */
TEST_F(conformance, probe)
{
	char path[128];

	PROGRAM(GOOD);
	EXPECT_RUNNER(KEPT, "");
	EXPECT_OUT("# offers: MIGRATION\n");
	EXPECT_OUT("# after the run: the device can be opened, and is RUNNING\n");

	write_file(self->dir, "mig_probe", "#!/bin/sh\necho 'open: Device or resource busy'\n"
		   "exit 1\n");
	EXPECT_RUNNER(INCOMPLETE, "");
	EXPECT_OUT("/dev/null cannot be used: open: Device or resource busy; end what uses it");
	EXPECT_NOT_OUT("KTAP");

	write_file(self->dir, "mig_probe", "#!/bin/sh\n"
		   "if [ -e ${0%/*}/ran ]; then echo state: ERROR; else echo state: RUNNING; fi\n");
	EXPECT_RUNNER(INCOMPLETE, "");
	EXPECT_OUT("its state is ERROR, not RUNNING");
	PROGRAM("t.one\\ta.one\\t\\n", "t.one) echo >>$dir/ran; echo ok 1 t.one;;");
	snprintf(path, sizeof(path), "%s/ran", self->dir);
	ASSERT_EQ(0, unlink(path));
	EXPECT_RUNNER(VIOLATED, "");
	EXPECT_OUT("# after the run: the device cannot be used: its state is ERROR, not RUNNING;");
}

/* Tool: a device's name with a blank is one word of the command that repeats a violation */
TEST_F(conformance, name_with_a_blank)
{
	char path[128];
	pid_t runner;

	PROGRAM("t.one\\ta.one\\t\\n", "t.one) echo \"# $VFIO_DEVICE\"; echo not ok 1 t.one;;");
	snprintf(path, sizeof(path), "%s/the device", self->dir);
	if (mknod(path, S_IFCHR | 0600, makedev(1, 3)))
		SKIP(return, "cannot make a device node: %s", strerror(errno));
	runner = START_RUNNER(NULL, "--device '%s' --clause a.one", path);
	EXPECT_STARTED(VIOLATED, runner);
	snprintf(path, sizeof(path), "#     %s/the device\n", self->dir);
	EXPECT_OUT(path);
	snprintf(path, sizeof(path), " --device '%s/the device' --clause a.one\n", self->dir);
	EXPECT_OUT(path);
}

static void without_sysfs(void)
{
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/sys", "tmpfs", 0, NULL))
		_exit(99);
}

/* Tool: no device is given, and there is no mtty: skipped, with what to do */
TEST_F(conformance, no_device)
{
	PROGRAM(GOOD);
	EXPECT_PREPARED(NO_DEVICE, without_sysfs, "");
	EXPECT_EQ(self->out + 0,
		  strstr(self->out, "1..0 # SKIP no mdev parent mtty: modprobe mtty"));
	EXPECT_OUT(", or give --device (see --help)\n");
}

/* Tool: reports have what a case says, escaped, and are valid */
TEST_F(conformance, reports)
{
	write_file(self->dir, "clauses", CLAUSE("a.one", MUST)
		   CLAUSE("a.two", "Level: OPEN\nChoice: yes\nNeeds: P2P \"<u>&\n"));
	PROGRAM("t.one\\ta.one,a.two\\t\\n",
		"t.one) printf '# <b>\"x\"\\\\\\047\\001\\377 & more\\n# seen: a: <i>\\n'\n"
		"	printf '= <s>\\n> 1 \"<s>\"\\n< 1 0\\n' >&3; echo not ok 1 t.one;;");
	EXPECT_RUNNER(VIOLATED, "--json %s/json --html %s/html", self->dir, self->dir);
	EXPECT_OUT("#     <b>\"x\"\\'?? & more\n");
	EXPECT_TRUE(FILE_HAS("json", "\"messages\":[\"<b>\\\"x\\\"\\\\'?? & more\"]"));
	EXPECT_TRUE(FILE_HAS("json", "\"calls\":[\"(<s>)\",\"\\\"<s>\\\" = 0\"]"));
	EXPECT_TRUE(FILE_HAS("json", "{\"clauses\":\"a.two\",\"seen\":\"a: <i>\"}]"));
	EXPECT_TRUE(FILE_HAS("json", "\"totals\":{\"kept\":0,\"violated\":2,"));
	EXPECT_TRUE(FILE_HAS("html", "&#60;b&#62;&#34;x&#34;\\&#39;?? &#38; more"));
	EXPECT_TRUE(FILE_HAS("html", "a: &#60;i&#62;"));
	EXPECT_FALSE(FILE_HAS("html", "<b>\""));
	EXPECT_FALSE(FILE_HAS("html", "<i>"));
	EXPECT_FALSE(FILE_HAS("html", "<s>"));
	EXPECT_FALSE(FILE_HAS("html", "<u>"));
}

/* Tool: output that cannot be written: exit status 2, and no half report */
TEST_F(conformance, full_disk)
{
	PROGRAM(GOOD);
	EXPECT_RUNNER(INCOMPLETE, "--json /dev/full");
	EXPECT_OUT("/dev/full: No space left on device; the report is not written");
	EXPECT_RUNNER(INCOMPLETE, "--html /dev/full");
	EXPECT_OUT("/dev/full: No space left on device; the report is not written");
	EXPECT_RUNNER(INCOMPLETE, "--journal /dev/full");
	EXPECT_OUT("/dev/full: No space left on device; give another file with --journal");
	EXPECT_RUNNER(INCOMPLETE, "--journal %s/journal --journal-copy /dev/full", self->dir);
	EXPECT_OUT("/dev/full: No space left on device; give another file with --journal-copy");
	EXPECT_RUNNER(INCOMPLETE, ">/dev/full");
	EXPECT_OUT("cannot print the report: No space left on device");
	EXPECT_RUNNER(INCOMPLETE, ">&-");
	EXPECT_OUT("cannot print the report: Bad file descriptor");
	EXPECT_RUNNER(INCOMPLETE, "--help >&-");
	EXPECT_OUT("cannot print the report");
}

/* Tool: a report that does not fit on its disk: exit status 2, and the file is empty */
TEST_F(conformance, half_report)
{
	char path[128];
	struct stat st;

	PROGRAM("t.one\\ta.one\\t\\n",
		"t.one) i=0; while [ $((i += 1)) -le 200 ]; do\n"
		"	echo \"# a.c:$i:one:Expected 1 == 2, and this line is one of many\"; done\n"
		"	echo not ok 1 t.one;;");
	snprintf(path, sizeof(path), "%s/small", self->dir);
	ASSERT_EQ(0, mkdir(path, 0700));
	ASSERT_EQ(0, mount("none", path, "tmpfs", 0, "size=4k"));
	EXPECT_RUNNER(INCOMPLETE, "--json %s/report", path);
	EXPECT_OUT("No space left on device; the report is not written");
	strcat(path, "/report");
	EXPECT_EQ(0, stat(path, &st));
	EXPECT_EQ(0, st.st_size);
	*strrchr(path, '/') = '\0';
	EXPECT_EQ(0, umount(path));
}

/* "N RESULT ID" of each clause, in "out" */
static void keep_results(char *to, size_t size, const char *out)
{
	const char *end;
	size_t len = 0;

	for (; *out; out = end + 1) {
		end = strchr(out, '\n');
		if (!end)
			break;
		if (strncmp(out, "ok ", 3) && strncmp(out, "not ok ", 7))
			continue;
		len += snprintf(to + len, size - len, "%.*s", (int)(end + 1 - out), out);
	}
}

/* Tool: 300 cases, of which a tenth is run, give the same verdicts in any order */
TEST_F(conformance, shuffled)
{
	static char plain[65536], shuffled[65536];

	PROGRAM("t.1\\ta.one\\t\\n'\ni=1\nwhile [ $((i += 1)) -le 300 ]; do\n"
		"why=$((i % 10))\nprintf \"t.$i\\tb.$((i % 7))\\t${why#0}\\n\"; done; printf '",
		"t.*) echo $2 >>$dir/order\n"
		"	case ${2#t.} in 30) echo not ok 1 $2;;\n"
		"	*50) echo \"ok 1 $2 # SKIP not checked: x\";; *) echo ok 1 $2;; esac;;");
	write_file(self->dir, "clauses", CLAUSE("a.one", MUST) CLAUSE("b.0", MUST)
		   CLAUSE("b.1", MUST) CLAUSE("b.2", MUST) CLAUSE("b.3", MUST) CLAUSE("b.4", MUST)
		   CLAUSE("b.5", MUST) CLAUSE("b.6", MUST));
	EXPECT_RUNNER(VIOLATED, "");
	EXPECT_OUT("8 clauses, 300 cases of 1 programs");
	keep_results(plain, sizeof(plain), self->out);
	EXPECT_TRUE(FILE_HAS("order", "t.10\nt.20\nt.30\n"));
	write_file(self->dir, "order", "");
	EXPECT_RUNNER(VIOLATED, "--shuffle=7");
	EXPECT_OUT("# the order is shuffled: --shuffle=7\n");
	keep_results(shuffled, sizeof(shuffled), self->out);
	EXPECT_STREQ(plain, shuffled);
	EXPECT_FALSE(FILE_HAS("order", "t.10\nt.20\nt.30\n"));
	/* The seed decides */
	read_file(self->dir, "order", plain, sizeof(plain));
	write_file(self->dir, "order", "");
	EXPECT_RUNNER(VIOLATED, "--shuffle=7");
	read_file(self->dir, "order", shuffled, sizeof(shuffled));
	EXPECT_STREQ(plain, shuffled);
	write_file(self->dir, "order", "");
	EXPECT_RUNNER(VIOLATED, "--shuffle=8");
	read_file(self->dir, "order", shuffled, sizeof(shuffled));
	EXPECT_STRNE(plain, shuffled);
	EXPECT_EQ(strlen(plain), strlen(shuffled));
}

/* Tool: results that differ between repetitions */
TEST_F(conformance, unstable)
{
	PROGRAM("t.one\\ta.one\\t\\nt.two\\ta.two\\t\\n",
		"t.one) echo >>$dir/ran; if [ $(wc -l <$dir/ran) = 2 ]; then echo not ok 1 t.one;\n"
		"	else echo ok 1 t.one; fi;;\n"
		"t.two) echo ok 1 t.two;;");
	EXPECT_RUNNER(VIOLATED, "--repeat 3");
	EXPECT_OUT("a.one is violated: unstable, kept in 2, violated in 1 of 3 repetitions\n");
	EXPECT_OUT("\nok 2 a.two\n");
	EXPECT_TRUE(FILE_HAS("ran", "\n\n\n"));
}

static void change(const char *dir, const char *name, const char *from, const char *to)
{
	static char text[65536];
	char *at;

	read_file(dir, name, text, sizeof(text));
	for (at = strstr(text, from); at; at = strstr(at, from))
		memcpy(at, to, strlen(to));
	write_file(dir, name, text);
}

/* End the file @len bytes behind the beginning of @at */
static void cut(const char *dir, const char *name, const char *at, size_t len)
{
	static char text[65536];
	char *from;

	read_file(dir, name, text, sizeof(text));
	from = strstr(text, at);
	if (from)
		from[len] = '\0';
	write_file(dir, name, text);
}

#define JOURNALED	"t.one\\ta.one\\t\\nt.two\\ta.two\\t\\n", \
	"t.one) echo >>$dir/ran; echo '# seen: x: y'; printf '%s\\n' '# why: \\a'\n" \
	"	echo '> 1 read(data_fd, 5)' >&3; echo not ok 1 t.one;;\n" \
	"t.two) echo >>$dir/ran; [ -e $dir/die ] && kill -9 $PPID; echo ok 1 t.two;;"

/* Tool: what the journal has is not run again, and is reported as it was */
TEST_F(conformance, journal)
{
	static char first[65536], second[65536];

	PROGRAM(JOURNALED);
	EXPECT_RUNNER(VIOLATED, "--journal %s/journal", self->dir);
	EXPECT_OUT("#     why: \\a\n");
	EXPECT_OUT("read(data_fd, 5) did not return\n");
	EXPECT_OUT("# x: y  (a.one)\n");
	keep_results(first, sizeof(first), self->out);
	write_file(self->dir, "ran", "");
	EXPECT_RUNNER(VIOLATED, "--journal %s/journal", self->dir);
	EXPECT_OUT("#     why: \\a\n");
	EXPECT_OUT("read(data_fd, 5) did not return\n");
	EXPECT_OUT("# x: y  (a.one)\n");
	keep_results(second, sizeof(second), self->out);
	EXPECT_STREQ(first, second);
	EXPECT_FALSE(FILE_HAS("ran", "\n"));
	EXPECT_RUNNER(VIOLATED, "--repeat 2 --journal %s/journal --journal-copy %s/copy", self->dir,
		      self->dir);
	EXPECT_TRUE(FILE_HAS("copy", "\nend\t1\tstub_test\tt.two\t"));
	EXPECT_FALSE(FILE_HAS("copy", "end\t0"));
	EXPECT_TRUE(FILE_HAS("ran", "\n\n"));
	EXPECT_FALSE(FILE_HAS("ran", "\n\n\n"));
}

/* Tool: a case that says nothing of the device makes the run incomplete, in any repetition */
TEST_F(conformance, journal_of_a_broken_case)
{
	PROGRAM("t.one\\ta.one\\t\\nt.two\\ta.two\\t\\n",
		"t.one) echo >>$dir/ran; if [ $(wc -l <$dir/ran) = 2 ]; then exit 5; fi\n"
		"	echo 'ok 1 t.one # SKIP not checked: x';;\n"
		"t.two) echo ok 1 t.two;;");
	write_file(self->dir, "ran", "");
	EXPECT_RUNNER(INCOMPLETE, "--repeat 3 --journal %s/journal", self->dir);
	EXPECT_OUT("test program failed: stub_test: t.one");
	write_file(self->dir, "ran", "");
	EXPECT_RUNNER(INCOMPLETE, "--repeat 3 --journal %s/journal", self->dir);
	EXPECT_OUT("test program failed: stub_test: t.one");
	EXPECT_FALSE(FILE_HAS("ran", "\n"));
}

/* Tool: a case that has begun: run again if this program died, violated if the machine did */
TEST_F(conformance, journal_of_a_dead_machine)
{
	char boot[64];

	PROGRAM(JOURNALED);
	write_file(self->dir, "die", "");
	EXPECT_RUNNER(-1000 - SIGKILL, "--journal %s/journal", self->dir);
	EXPECT_RUNNER(-1000 - SIGKILL, "--journal %s/journal", self->dir);
	read_file("/proc/sys/kernel/random", "boot_id", boot, sizeof(boot));
	change(self->dir, "journal", strtok(boot, "\n"), "another boot");
	write_file(self->dir, "ran", "");
	EXPECT_RUNNER(VIOLATED, "--journal %s/journal", self->dir);
	EXPECT_OUT("a.two is violated: the machine died in it\n");
	EXPECT_OUT("#     why: \\a\n");
	EXPECT_FALSE(FILE_HAS("ran", "\n"));
}

/* Tool: a journal that is not this run's, or is damaged */
TEST_F(conformance, journal_that_is_wrong)
{
	PROGRAM(GOOD);
	write_file(self->dir, "journal", "some other file");
	EXPECT_RUNNER(INCOMPLETE, "--journal %s/journal", self->dir);
	EXPECT_OUT("journal: not a journal of this device, path and kernel; it begins with: some");
	EXPECT_TRUE(FILE_HAS("journal", "some other file"));

	write_file(self->dir, "journal", "");
	EXPECT_RUNNER(KEPT, "--journal %s/journal", self->dir);
	EXPECT_RUNNER(INCOMPLETE, "--device /dev/zero --journal %s/journal", self->dir);
	EXPECT_OUT("journal: not a journal of this device, path and kernel;");
	change(self->dir, "journal", "end\t", "xxx\t");
	EXPECT_RUNNER(INCOMPLETE, "--journal %s/journal", self->dir);
	EXPECT_OUT("journal:4: not a line of a journal; remove the file\n");
	/* The machine died while it was written: the last line is not complete */
	change(self->dir, "journal", "xxx\t", "end\t");
	cut(self->dir, "journal", "end\t", 7);
	EXPECT_RUNNER(KEPT, "--journal %s/journal", self->dir);
	EXPECT_TRUE(FILE_HAS("ran", "\n\n"));
	EXPECT_FALSE(FILE_HAS("ran", "\n\n\n"));
	EXPECT_RUNNER(KEPT, "--journal %s/journal", self->dir);
	EXPECT_FALSE(FILE_HAS("ran", "\n\n\n"));
}

static char *kernel_dir;

static void with_another_kernel_log(void)
{
	char taint[128], log[128];

	snprintf(taint, sizeof(taint), "%s/tainted", kernel_dir);
	snprintf(log, sizeof(log), "%s/kmsg", kernel_dir);
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(taint, "/proc/sys/kernel/tainted", NULL, MS_BIND, NULL) ||
	    mount(log, "/dev/kmsg", NULL, MS_BIND, NULL))
		_exit(99);
}

/* Tool: what the kernel says during a case is a violation, also when it says it again */
TEST_F(conformance, kernel_log)
{
	kernel_dir = self->dir;
	write_file(self->dir, "tainted", "4096\n");
	write_file(self->dir, "kmsg", "4,1,1,-;WARNING: CPU: 0 PID: 1 at before.c:1\n");
	PROGRAM("t.one\\ta.one\\t\\nt.two\\ta.two\\t\\nt.three\\ta.three\\t\\n",
		"t.one) echo '4,2,2,-;WARNING: CPU: 0 PID: 7 at mtty.c:9' >>$dir/kmsg\n"
		"	echo '4,2,2,-;RAX: 0000000000000000 RBX: 0' >>$dir/kmsg\n"
		"	echo '4,2,2,-;---[ end trace 00 ]---' >>$dir/kmsg\n"
		"	echo '4,2,2,-;RIP: 0010:repeated' >>$dir/kmsg\n"
		"	echo ' DEVICE=a;b' >>$dir/kmsg; echo 4608 >$dir/tainted\n"
		"	echo ok 1 t.one;;\n"
		"t.two) echo '6,3,3,-;vfio_mdev: registered' >>$dir/kmsg; echo ok 1 t.two;;\n"
		"t.three) echo '4,4,4,-;BUG: kernel NULL pointer dereference' >>$dir/kmsg\n"
		"	kill -9 $$;;");
	write_file(self->dir, "clauses", CLAUSE("a.one", MUST) CLAUSE("a.two", MUST)
		   CLAUSE("a.three", MUST));
	EXPECT_PREPARED(CRASHED, with_another_kernel_log, "--device " A_DEVICE " --stop-on-crash");
	EXPECT_OUT("a.one is violated: the kernel warned\n");
	EXPECT_OUT("#   kernel:\n#     WARNING: CPU: 0 PID: 7 at mtty.c:9\n"
		   "#     ---[ end trace 00 ]---\n#   repeat:");
	EXPECT_OUT("\nok 2 a.two\n");
	EXPECT_OUT("a.three is violated: the kernel crashed in it; ended by signal 9 (Killed)\n");
	EXPECT_OUT("# stopped by a crash in stub_test: t.three: the report is not complete\n");
	EXPECT_NOT_OUT("before.c");
}

/* Tool: a taint flag alone is a violation */
TEST_F(conformance, taint)
{
	kernel_dir = self->dir;
	write_file(self->dir, "tainted", "4096\n");
	write_file(self->dir, "kmsg", "");
	PROGRAM("t.one\\ta.one\\t\\n", "t.one) echo 4224 >$dir/tainted; echo ok 1 t.one;;");
	EXPECT_PREPARED(VIOLATED, with_another_kernel_log, "--device " A_DEVICE);
	EXPECT_OUT("a.one is violated: the kernel crashed in it\n");
}

TEST_HARNESS_MAIN
