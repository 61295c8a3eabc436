// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-migration-conformance: what becomes of a case, whatever it does, and of a clause.
 */
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "tools/conformance_fixture.h"

/* Tool: each verdict of a case, and the exit status */
TEST_F(conformance, verdicts)
{
	write_file(self->dir, "clauses", CLAUSE("a.kept", MUST) CLAUSE("a.violated", MUST)
		   CLAUSE("a.lacks", MUST) CLAUSE("a.unknown", MUST)
		   CLAUSE("a.other", MUST) CLAUSE("a.new", MUST "Until: 5.19\n")
		   CLAUSE("a.untested", MUST "Untested: it needs two hosts\n"));
	PROGRAM("t.kept\\ta.kept\\t\\nt.bad\\ta.violated\\t\\nt.lacks\\ta.lacks\\t\\n"
		"t.unknown\\ta.unknown\\t\\nt.other\\ta.other\\t\\nt.new\\ta.new\\t\\n",
		"t.kept) echo ok 1 t.kept;;\n"
		"t.bad) echo '# stub.c:7:bad:Expected 1 (1) == 2 (2)'; echo not ok 1 t.bad;;\n"
		"t.lacks) echo 'ok 1 t.lacks # SKIP not applicable: no P2P';;\n"
		"t.unknown) echo 'ok 1 t.unknown # SKIP not checked: no second device';;\n"
		"t.other) echo 'ok 1 t.other # SKIP for no reason';;\n"
		"t.new) echo not ok 1 t.new;;\n");
	EXPECT_RUNNER(VIOLATED, "");
	EXPECT_OUT("KTAP version 1\n1..7\n");
	EXPECT_OUT("\nok 1 a.kept\n");
	EXPECT_OUT("\nnot ok 2 a.violated\n");
	EXPECT_OUT("#   asks: This is what a.violated asks for.\n");
	EXPECT_OUT("#     stub.c:7:bad:Expected 1 (1) == 2 (2)\n");
	EXPECT_OUT("#   repeat: ./vfio-migration-conformance --device /dev/null --clause a.v");
	EXPECT_OUT("\nok 3 a.lacks # SKIP not applicable: no P2P\n");
	EXPECT_OUT("\nok 4 a.unknown # SKIP not checked: no second device\n");
	EXPECT_OUT("\nok 5 a.other # SKIP not checked: for no reason\n");
	EXPECT_OUT("\nok 6 a.new # SKIP not applicable: for Linux 5.18 to 5.19\n");
	EXPECT_OUT("\nok 7 a.untested # SKIP not checked: it needs two hosts\n");
	EXPECT_OUT("1 kept, 1 violated, 2 not applicable, 3 not checked;");
	EXPECT_RUNNER(KEPT, "--clause a.kept --clause 'a.l*'");
	EXPECT_OUT("1 kept, 0 violated, 1 not applicable, 0 not checked;");
}

/* Tool: a clause of several cases */
TEST_F(conformance, several_cases)
{
	static const struct {
		const char *one, *two, *verdict;
		int status;
	} rows[] = {
		{ "ok", "not ok", "a.one  MUST    violated\n", VIOLATED },
		{ "ok", "not checked: no DMA",
		  "a.one  MUST    not checked: no DMA; 1 of 2 cases passed\n", KEPT },
		{ "ok", "not applicable: no P2P", "a.one  MUST    kept\n", KEPT },
		{ "not checked: no DMA", "not applicable: no P2P",
		  "a.one  MUST    not checked: no DMA\n", KEPT },
		{ "not checked: no DMA", "not ok", "a.one  MUST    violated\n", VIOLATED },
	};
	char body[512];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		snprintf(body, sizeof(body),
			 "*) case $2 in t.one) say='%s';; *) say='%s';; esac\n"
			 "case $say in *ok) echo $say 1 $2;;\n"
			 "*) echo \"ok 1 $2 # SKIP $say\";; esac;;", rows[i].one, rows[i].two);
		PROGRAM("t.one\\ta.one\\t\\nt.two\\ta.one\\t\\n", body);
		EXPECT_RUNNER(rows[i].status, "--clause a.one");
		EXPECT_OUT(rows[i].verdict);
	}
}

/* Tool: a clause that no case can judge: not applicable if the device lacks what it needs */
TEST_F(conformance, untested_clauses)
{
	write_file(self->dir, "clauses",
		   CLAUSE("a.one", MUST)
		   CLAUSE("a.have", MUST "Needs: MIGRATION\nUntested: no way\n")
		   CLAUSE("a.lack", MUST "Needs: MIGRATION P2P\nUntested: no way\n")
		   CLAUSE("a.part", MUST "Needs: GRATION\nUntested: no way\n"));
	PROGRAM("t.one\\ta.one\\t\\n", "*) echo ok 1 $2;;");
	EXPECT_RUNNER(KEPT, "");
	EXPECT_OUT("\nok 2 a.have # SKIP not checked: no way\n");
	EXPECT_OUT("\nok 3 a.lack # SKIP not applicable: the device does not have P2P\n");
	EXPECT_OUT("\nok 4 a.part # SKIP not applicable: the device does not have GRATION\n");
}

/* Tool: a case is run unless the device lacks something for each of its clauses */
TEST_F(conformance, cases_that_do_not_concern_the_device)
{
	write_file(self->dir, "clauses",
		   CLAUSE("a.have", MUST "Needs: MIGRATION\n")
		   CLAUSE("a.lack", MUST "Needs: PCI MIGRATION\n")
		   CLAUSE("a.path", MUST "Needs: CDEV GROUP\n"));
	PROGRAM("t.one\\ta.lack\\t\\nt.two\\ta.lack,a.have\\t\\nt.three\\ta.path\\t\\n",
		"t.one) echo not ok 1 $2;;\n*) echo ok 1 $2;;");
	EXPECT_RUNNER(KEPT, "");
	EXPECT_OUT("\nok 1 a.have\n");
	EXPECT_OUT("\nok 2 a.lack\n");
	EXPECT_OUT("\nok 3 a.path\n");
	PROGRAM("t.one\\ta.lack\\t\\n", "*) echo not ok 1 $2;;");
	EXPECT_RUNNER(KEPT, "--clause a.lack");
	EXPECT_OUT("\nok 1 a.lack # SKIP not applicable: the device does not have PCI\n");
}

/* Tool: the calls from the last beginning to the failure, equal ones once */
TEST_F(conformance, calls)
{
	PROGRAM("t.bad\\ta.one\\t\\n",
		"t.bad) cat >&3 <<-E\n"
		"	= the device was opened\n"
		"	> 8 ioctl(device, OLD)\n"
		"	< 8 0\n"
		"	= the device was reset\n"
		"	> 9 poll(data_fd, POLLIN)\n"
		"	> 8 read(data_fd, 4096)\n"
		"	< 8 4096\n"
		"	> 8 read(data_fd, 4096)\n"
		"	< 8 4096\n"
		"	> 8 read(data_fd, 4096)\n"
		"	< 8 -1 EIO\n"
		"	!\n"
		"	< 9 0\n"
		"	> 8 close(device)\n"
		"	< 8 0\n"
		"	E\n"
		"	echo not ok 1 t.bad;;\n");
	EXPECT_RUNNER(VIOLATED, "--clause a.one");
	EXPECT_OUT("#   calls:\n"
		   "#     (the device was reset)\n"
		   "#     [thread 1] poll(data_fd, POLLIN) did not return\n"
		   "#     [thread 2] read(data_fd, 4096) = 4096  x 2\n"
		   "#     [thread 2] read(data_fd, 4096) = -1 EIO\n"
		   "#   repeat:");
	EXPECT_NOT_OUT("OLD");
	EXPECT_NOT_OUT("close(device)");
}

/* Tool: a case that says nothing of the device: not checked, and the run is not complete */
TEST_F(conformance, broken_programs)
{
	static const char * const says[] = {
		"", "echo hello", "echo ok 1 t.two", "echo ok 1 t.one; exit 1", "exit 3",
		"echo ok; echo 1..1", "echo 'ok 1 t.one.more'", "head -c 3000 /dev/urandom",
	};
	char body[256];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(says); i++) {
		snprintf(body, sizeof(body), "t.one) %s;;", *says[i] ? says[i] : ":");
		PROGRAM("t.one\\ta.one\\t\\n", body);
		EXPECT_RUNNER(INCOMPLETE, "--clause a.one");
		EXPECT_OUT("\nok 1 a.one # SKIP not checked: the test program printed ");
		EXPECT_OUT("# test program failed: stub_test: t.one");
	}
}

/* Tool: a failure is not hidden by an exit status, a skip or a second result */
TEST_F(conformance, contradictions)
{
	static const char * const says[] = {
		"echo not ok 1 t.one; exit 0", "echo not ok 1 t.one; echo ok 1 t.one",
		"echo ok 1 t.one; echo not ok 1 t.one",
		"echo 'ok 1 t.one # SKIP not applicable: x'; echo not ok 1 t.one",
		"echo ok 1 t.one; kill -SEGV $$", "kill -KILL $$",
	};
	char body[256];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(says); i++) {
		snprintf(body, sizeof(body), "t.one) %s;;", says[i]);
		PROGRAM("t.one\\ta.one\\t\\n", body);
		EXPECT_RUNNER(VIOLATED, "--clause a.one");
		EXPECT_OUT("\nnot ok 1 a.one\n");
	}
	EXPECT_OUT("ended by signal 9 (Killed)");
}

static pid_t read_pid(struct __test_metadata *_metadata, FIXTURE_DATA(conformance) *self,
		      const char *name)
{
	char text[32];

	read_file(self->dir, name, text, sizeof(text));
	EXPECT_LT(1, atoi(text));
	return atoi(text);
}

/* Tool: a case that hangs, with a child in another session: all are killed, the call named */
TEST_F(conformance, hang)
{
	PROGRAM("t.one\\ta.one\\t\\n",
		"t.one) echo '> 5 ioctl(device, SET STOP_COPY)' >&3\n"
		"	setsid sh -c \"echo \\$\\$ >$dir/child; exec sleep 1000\" &\n"
		"	sleep 1000;;");
	/* Enough for a busy machine to begin the call long before the end */
	EXPECT_RUNNER(VIOLATED, "--clause a.one --timeout 3");
	EXPECT_OUT("a.one is violated: does not end within 3 s, in ioctl(device, SET STOP_COPY)\n");
	EXPECT_OUT("#     ioctl(device, SET STOP_COPY) did not return\n");
	EXPECT_EQ(-1, kill(read_pid(_metadata, self, "child"), 0));
}

/* Tool: a case whose calls all return, but which does not end in time: not checked */
TEST_F(conformance, slow_but_not_hung)
{
	PROGRAM("t.one\\ta.one\\t\\n",
		"t.one) while :; do echo '> 5 read(data_fd, 4)' >&3; sleep 0.01;\n"
		"	echo '< 5 4' >&3; done;;");
	EXPECT_RUNNER(INCOMPLETE, "--clause a.one --timeout 3");
	EXPECT_OUT("does not end within 3 s, but no call took long; give it more with --timeout");
	PROGRAM("t.one\\ta.one\\t\\n", "t.one) sleep 1000;;");
	EXPECT_RUNNER(INCOMPLETE, "--clause a.one --timeout 1");
	/* It had failed before */
	PROGRAM("t.one\\ta.one\\t\\n", "t.one) echo '# a.c:1:one:Expected 1'; sleep 1000;;");
	EXPECT_RUNNER(VIOLATED, "--clause a.one --timeout 1");
}

/* Tool: a child that keeps the output open: the case has ended without it, and it is killed */
TEST_F(conformance, child_is_left)
{
	PROGRAM("t.one\\ta.one\\t\\n",
		"t.one) mkfifo $dir/fifo\n"
		"	setsid sh -c \"echo \\$\\$ >$dir/child; echo >$dir/fifo; exec sleep 1000\" &\n"
		"	cat $dir/fifo >/dev/null; echo ok 1 t.one;;");
	EXPECT_RUNNER(KEPT, "--clause a.one --timeout 3600");
	EXPECT_EQ(-1, kill(read_pid(_metadata, self, "child"), 0));
}

/* Tool: a case that floods its output: it is cut, and a result at its end counts */
TEST_F(conformance, flood)
{
	PROGRAM("t.one\\ta.one\\t\\nt.two\\ta.two\\t\\n",
		"t.one) yes '# a line of the flood' | head -n 50000; echo not ok 1 t.one;;\n"
		"t.two) while :; do yes '# a line of the flood'; done;;");
	EXPECT_RUNNER(VIOLATED, "--clause a.one");
	EXPECT_OUT("(more is not shown)\n");
	EXPECT_OUT("\nnot ok 1 a.one\n");
	EXPECT_GT(100000, (int)strlen(self->out));
	EXPECT_RUNNER(VIOLATED, "--clause a.two --timeout 1");
	EXPECT_OUT("a.two is violated: does not end within 1 s");
	EXPECT_GT(100000, (int)strlen(self->out));
}

/* Wait until the case runs: it writes its pid to a FIFO */
static pid_t wait_for_case(struct __test_metadata *_metadata, FIXTURE_DATA(conformance) *self)
{
	char path[128], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/fifo", self->dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_LT(0, read(fd, text, sizeof(text) - 1));
	close(fd);
	return atoi(text);
}

static void make_fifo(struct __test_metadata *_metadata, FIXTURE_DATA(conformance) *self)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/fifo", self->dir);
	ASSERT_EQ(0, mkfifo(path, 0600));
}

/*
 * Tool: a task that survives SIGKILL. A tracer holds it where it exits, as a driver would
 * that does not return.
 */
TEST_F(conformance, task_that_cannot_be_killed)
{
	pid_t runner, stuck;

	PROGRAM("t.one\\ta.one\\t\\nt.two\\ta.two\\t\\n",
		"t.one) echo '> 5 ioctl(device, SET STOP)' >&3\n"
		"	exec sh -c \"echo \\$\\$ >$dir/fifo; exec sleep 1000\";;\n"
		"t.two) echo ok 1 t.two;;");
	make_fifo(_metadata, self);
	runner = START_RUNNER(NULL, "--device " A_DEVICE " --timeout 1 --stop-on-crash");
	stuck = wait_for_case(_metadata, self);
	if (ptrace(PTRACE_SEIZE, stuck, 0, (void *)PTRACE_O_TRACEEXIT)) {
		kill(runner, SIGTERM);
		EXPECT_STARTED(INCOMPLETE, runner);
		SKIP(return, "cannot trace a process: %s", strerror(errno));
	}
	EXPECT_STARTED(CRASHED, runner);
	EXPECT_OUT("does not return, and survives SIGKILL, in ioctl(device, SET STOP)\n");
	EXPECT_OUT("\nok 2 a.two # SKIP not checked: not run\n");
	EXPECT_OUT("# stopped by a crash in stub_test: t.one: the report is not complete\n");
	kill(stuck, SIGKILL);
}

/* Tool: SIGINT and SIGTERM end the run; what is known is reported */
TEST_F(conformance, signals)
{
	static const struct {
		int signal;
		const char *text;
	} rows[] = {
		{ SIGINT, "# stopped by SIGINT: the report is not complete\n" },
		{ SIGTERM, "# stopped by SIGTERM: the report is not complete\n" },
	};
	unsigned int i;
	pid_t runner, child;

	PROGRAM("t.one\\ta.one\\t\\nt.two\\ta.two\\t\\n",
		"t.one) echo ok 1 t.one;;\n"
		"t.two) exec sh -c \"echo \\$\\$ >$dir/fifo; exec sleep 1000\";;");
	make_fifo(_metadata, self);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		runner = START_RUNNER(NULL, "--device " A_DEVICE " --timeout 3600 --json %s/json",
				      self->dir);
		child = wait_for_case(_metadata, self);
		kill(runner, rows[i].signal);
		EXPECT_STARTED(INCOMPLETE, runner);
		EXPECT_OUT("\nok 1 a.one\n");
		EXPECT_OUT("\nok 2 a.two # SKIP not checked: not run\n");
		EXPECT_OUT(rows[i].text);
		EXPECT_EQ(-1, kill(child, 0));
		EXPECT_TRUE(FILE_HAS("json", "\"stopped\":\"SIG"));
	}
}

/* Tool: what a case gets from the runner */
TEST_F(conformance, environment_of_a_case)
{
	PROGRAM("t.one\\ta.one\\t\\n",
		"t.one) echo \"# $VFIO_DEVICE $VMIG_PATH $VFIO_CALLS +$VFIO_DESTRUCTIVE+\"\n"
		"	echo \"# input $(readlink /proc/self/fd/0)\"\n"
		"	ls /proc/self/fd | xargs echo '# files'\n"
		"	echo \"# signals $(grep -c '^SigBlk:.*[^0]$' /proc/self/status)\"\n"
		"	echo not ok 1 t.one;;");
	EXPECT_RUNNER(VIOLATED, "--clause a.one </dev/zero 5</dev/zero");
	EXPECT_OUT("#     /dev/null cdev 3 ++\n");
	EXPECT_OUT("#     input /dev/null\n");
	/* ls has its directory as 4 */
	EXPECT_OUT("#     files 0 1 2 3 4\n");
	EXPECT_RUNNER(VIOLATED, "--clause a.one --destructive");
	EXPECT_OUT("#     /dev/null cdev 3 +1+\n");
}

/* Tool: what may destroy something is announced, and runs only with --destructive */
TEST_F(conformance, destructive)
{
	PROGRAM("t.one\\ta.one\\twrites invalid data\\n",
		"t.one) echo >$dir/ran; echo ok 1 t.one;;");
	write_file(self->dir, "ran", "");
	EXPECT_RUNNER(KEPT, "--clause a.one");
	EXPECT_OUT("# destructive: 1 cases, not run without --destructive\n"
		   "#     writes invalid data (stub_test: t.one)\n");
	EXPECT_OUT("\nok 1 a.one # SKIP not checked: it writes invalid data; allow it with ");
	EXPECT_FALSE(FILE_HAS("ran", "\n"));
	EXPECT_RUNNER(KEPT, "--clause a.one --list");
	EXPECT_OUT("    stub_test: t.one\n        destructive: writes invalid data\n");
	EXPECT_FALSE(FILE_HAS("ran", "\n"));
	EXPECT_RUNNER(KEPT, "--clause a.one --destructive");
	EXPECT_OUT("# destructive: 1 cases, allowed by --destructive\n");
	EXPECT_OUT("\nok 1 a.one\n");
	EXPECT_TRUE(FILE_HAS("ran", "\n"));
}

/* Tool: choices of the driver, each once */
TEST_F(conformance, choices)
{
	write_file(self->dir, "clauses", CLAUSE("a.one", MUST)
		   CLAUSE("a.open", "Level: OPEN\n"));
	PROGRAM("t.one\\ta.one,a.open\\t\\nt.two\\ta.open\\t\\n",
		"t.*) echo '# seen: errno of STOP: EINVAL'; echo ok 1 $2;;");
	EXPECT_RUNNER(KEPT, "");
	EXPECT_OUT("# Choices of the driver\n# errno of STOP: EINVAL  (a.open)\n# a.open: kept\n");
}

TEST_HARNESS_MAIN
