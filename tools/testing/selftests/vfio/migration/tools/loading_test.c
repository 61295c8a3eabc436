// SPDX-License-Identifier: GPL-2.0-only
/*
 * A test program loads the module mtty if it has to, and removes it in the end, if a test has
 * loaded it and no other test uses it (lib/vfio/module.h).
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

/* The programs that it starts use the module, this one must not */
#define NEEDS_ROOT
#define WITHOUT_DEVICE
#include "lib/vmm.h"

#define MODULE		"mtty"
#define LOADED		"/sys/module/" MODULE
#define DEADLINE_MS	10000

FIXTURE(loading) {
	const char *file;
	bool may_unload;
	bool was_there;
};

static bool is_loaded(void)
{
	return !access(LOADED, F_OK);
}

FIXTURE_SETUP(loading)
{
	const char *reason = vmig_testdev_missing() ?: vmig_testdev_module_stays();

	if (reason)
		SKIP(return, "%s", reason);
	self->file = getenv("MTTY_KO");
	self->may_unload = true;
	vmig_module_leave();
	self->was_there = is_loaded();
	if (self->was_there)
		ASSERT_RET(0, vmig_module_unload(MODULE, DEADLINE_MS), "unload");
}

/* As it was before */
FIXTURE_TEARDOWN(loading)
{
	if (!self->may_unload || is_loaded() == self->was_there)
		return;
	if (is_loaded())
		EXPECT_RET(0, vmig_module_unload(MODULE, DEADLINE_MS), "unload");
	else
		EXPECT_RET(0, vmig_module_load(MODULE, self->file), "load");
}

/* A process that uses the module while its input is open */
struct user {
	pid_t pid;
	int in;
};

/* Returns when it uses the module */
static struct user start_user(void)
{
	struct user user = { .in = -1 };
	int in[2], out[2];
	char byte;

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		return user;
	user.pid = fork();
	if (!user.pid) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execl("./with_mtty", "with_mtty", "sh", "-c", "echo; read line; exit 0", NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	if (read(out[0], &byte, 1) == 1)
		user.in = in[1];
	close(out[0]);
	return user;
}

static int end_user(struct user *user)
{
	int status;

	close(user->in);
	return waitpid(user->pid, &status, 0) == user->pid ? status : -1;
}

static int kill_user(struct user *user)
{
	kill(user->pid, SIGKILL);
	return end_user(user);
}

/* Run a program to its end */
static int run(const char *program)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		close(STDOUT_FILENO);
		execl(program, program, "true", NULL);
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid ? status : -1;
}

/* Library: vmig_module_use(): a module that is not there is loaded, and removed */
TEST_F(loading, removed_in_the_end)
{
	struct user user = start_user();

	ASSERT_LE(0, user.in);
	EXPECT_TRUE(is_loaded());
	EXPECT_EQ(0, end_user(&user));
	EXPECT_FALSE(is_loaded());
}

/* Library: vmig_testdev_missing(), vmig_subject_missing(): real tests do so */
TEST_F(loading, removed_by_tests)
{
	static const char *const programs[] = { "./info_test", "./mtty_info_test" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(programs); i++) {
		EXPECT_EQ(0, run(programs[i])) {
			TH_LOG("%s", programs[i]);
		}
		EXPECT_FALSE(is_loaded()) {
			TH_LOG("%s", programs[i]);
		}
	}
}

/* Library: vmig_module_use(): a module that was there stays */
TEST_F(loading, not_removed_if_it_was_there)
{
	ASSERT_RET(0, vmig_module_load(MODULE, self->file), "load");
	EXPECT_EQ(0, run("./with_mtty"));
	EXPECT_TRUE(is_loaded());
}

/* Library: vmig_module_use(): of programs that run side by side the last one removes it */
TEST_F(loading, removed_by_the_last)
{
	struct user first = start_user(), second = start_user(), third;

	ASSERT_LE(0, first.in);
	ASSERT_LE(0, second.in);
	EXPECT_EQ(0, end_user(&first));
	EXPECT_TRUE(is_loaded());
	third = start_user();
	EXPECT_EQ(0, end_user(&second));
	EXPECT_TRUE(is_loaded());
	EXPECT_EQ(0, end_user(&third));
	EXPECT_FALSE(is_loaded());
}

/* Library: vmig_module_use(): a module that is in use stays; the next program removes it */
TEST_F(loading, in_use)
{
	struct user user = start_user();
	struct vmig_testdev td;

	ASSERT_LE(0, user.in);
	ASSERT_RET(0, vmig_testdev_open(&td, "mtty-1", VMIG_PATH_ANY, NULL), "open");
	EXPECT_EQ(0, end_user(&user));
	EXPECT_TRUE(is_loaded());
	vmig_testdev_close(&td);
	EXPECT_EQ(0, run("./with_mtty"));
	EXPECT_FALSE(is_loaded());
}

/* Library: vmig_module_use(): a program that was killed leaves the module to the next one */
TEST_F(loading, killed)
{
	struct user user = start_user();

	ASSERT_LE(0, user.in);
	EXPECT_EQ(SIGKILL, kill_user(&user));
	EXPECT_TRUE(is_loaded());
	EXPECT_EQ(0, run("./with_mtty"));
	EXPECT_FALSE(is_loaded());
}

/* Library: vmig_module_use(): a module that the user has loaded since then stays */
TEST_F(loading, loaded_again_by_the_user)
{
	struct user user = start_user();

	ASSERT_LE(0, user.in);
	EXPECT_EQ(SIGKILL, kill_user(&user));
	ASSERT_RET(0, vmig_module_unload(MODULE, DEADLINE_MS), "unload");
	ASSERT_RET(0, vmig_module_load(MODULE, self->file), "load");
	EXPECT_EQ(0, run("./with_mtty"));
	EXPECT_TRUE(is_loaded());
}

/* Library: vmig_module_use_alone(): not while another program uses the module */
TEST_F(loading, alone)
{
	struct user user = start_user();

	ASSERT_LE(0, user.in);
	ASSERT_RET(0, vmig_module_use(MODULE, LOADED, self->file), "use");
	EXPECT_RET(-EBUSY, vmig_module_use_alone(), "beside another");
	EXPECT_EQ(0, end_user(&user));
	EXPECT_RET(0, vmig_module_use_alone(), "alone");
	vmig_module_leave();
	EXPECT_FALSE(is_loaded());
}

TEST_HARNESS_MAIN
