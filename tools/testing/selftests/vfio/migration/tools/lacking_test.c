// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each test program is skipped, and says what to do, on a machine that lacks what it needs.
 * The programs run with a view of the system that lacks it.
 */
#include <fcntl.h>
#include <glob.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "lib/vmm.h"
#include "lib/vmm/tool.h"

#define SKIPPED		"1..0 # SKIP "
#define TIMEOUT_S	800
/* A program that fails may take long, and a few of them tell enough */
#define MAX_FAILED	3
#define ANY_USER	65534

/* An empty directory in place of this one, for this process */
static bool hide(const char *path)
{
	return access(path, F_OK) || !mount("none", path, "tmpfs", 0, "size=4k");
}

static bool own_mounts(void)
{
	return !unshare(CLONE_NEWNS) && !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

/* The module is neither loaded nor found */
static bool without_module(void)
{
	return own_mounts() && hide("/sys/class/mdev_bus") && !setenv("MTTY_KO", "/none", 1);
}

static bool without_mdev(void)
{
	return without_module() && hide("/sys/bus");
}

static bool without_vfio(void)
{
	return own_mounts() && hide("/dev/vfio");
}

static bool without_root(void)
{
	return !setresgid(ANY_USER, ANY_USER, ANY_USER) &&
	       !setresuid(ANY_USER, ANY_USER, ANY_USER);
}

/*
 * They take long, and need no device: they judge a program that starts shell scripts, and waits
 * with a limit. Where they are not skipped, it is enough that they begin.
 */
static bool is_long(const char *program)
{
	return strstr(program, "/conformance_") || strstr(program, "/io_test");
}

FIXTURE(lacking) {
	glob_t programs;
};

/* @step: 1: all programs; n: each nth */
FIXTURE_VARIANT(lacking) {
	bool (*take_away)(void);
	const char *says;
	unsigned int step;
};

FIXTURE_VARIANT_ADD(lacking, module) {
	.take_away = without_module, .says = "no module mtty: build it", .step = 1,
};

/* The same code as for the module looks for what the others lack: some programs tell enough */
FIXTURE_VARIANT_ADD(lacking, mdev) {
	.take_away = without_mdev, .says = "no mediated devices: load mdev", .step = 8,
};

FIXTURE_VARIANT_ADD(lacking, vfio) {
	.take_away = without_vfio, .says = "no /dev/vfio/vfio: load vfio", .step = 4,
};

FIXTURE_VARIANT_ADD(lacking, root) {
	.take_away = without_root, .says = "not root: only root can", .step = 4,
};

FIXTURE_SETUP(lacking)
{
	ASSERT_EQ(0, glob("./*_test", 0, NULL, &self->programs));
	ASSERT_EQ(0, glob("./*_test.sh", GLOB_APPEND, NULL, &self->programs));
}

FIXTURE_TEARDOWN(lacking)
{
	globfree(&self->programs);
}

/* Run a program; @text is set to what it prints. Its status, or -1 if it was ended */
static int run(const char *program, bool (*take_away)(void), char *text, size_t size)
{
	int fd[2], status;
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid) {
		dup2(fd[1], STDOUT_FILENO);
		dup2(fd[1], STDERR_FILENO);
		if (take_away())
			execl(program, program, is_long(program) ? "-l" : NULL, NULL);
		_exit(127);
	}
	close(fd[1]);
	vmig_tool_read(fd[0], text, size);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* The line in which a case says what was expected, or the first one */
static const char *first_failure(char *text)
{
	char *line = strstr(text, ":Expected ");

	while (line && line > text && line[-1] != '\n')
		line--;
	if (!line)
		line = text;
	line[strcspn(line, "\n")] = '\0';
	return line;
}

/* Library: what is missing is no failure: a program passes or is skipped, with the reason */
TEST_F_TIMEOUT(lacking, skipped_not_failed, TIMEOUT_S)
{
	unsigned int i, skipped = 0, failed = 0;
	char text[65536], *skip;
	const char *program;
	int status;
	bool ok;

	for (i = 0; failed < MAX_FAILED && i < self->programs.gl_pathc; i += variant->step) {
		program = self->programs.gl_pathv[i];
		/* This one would run them all again */
		if (strstr(program, "/lacking_test"))
			continue;
		status = run(program, variant->take_away, text, sizeof(text));
		skip = strstr(text, SKIPPED);
		/* The harness ends with KSFT_SKIP after a list of cases, too */
		ok = !status || (status == KSFT_SKIP && (skip || is_long(program)));
		failed += !ok;
		EXPECT_TRUE(ok) {
			TH_LOG("%s: status %d: %s", program, status, first_failure(text));
		}
		if (status != KSFT_SKIP || !skip)
			continue;
		skipped++;
		EXPECT_EQ(skip + strlen(SKIPPED), strstr(skip, variant->says)) {
			TH_LOG("%s: %s", program, skip);
		}
	}
	/* Most of them need a device */
	EXPECT_LT(self->programs.gl_pathc / variant->step / 2, skipped);
	TH_LOG("%u of %zu programs are skipped", skipped, self->programs.gl_pathc);
}

TEST_HARNESS_MAIN
