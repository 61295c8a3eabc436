// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "module.h"
#include "util.h"

#define NAME_SIZE	64
#define UNLOAD_MS	1000
#define POLL_US		10000

/* Bytes of the file that are locked: while a program begins or ends, and while it runs */
enum byte { TURN, USERS };

/* F_OFD_*, as locks of a process would end when any of its descriptors is closed */
enum when { NOW = F_OFD_SETLK, WAIT = F_OFD_SETLKW };

/**
 * struct use - a module that this process uses
 * @name:	of the module
 * @owner:	the process; its children exit without an effect
 * @lock:	the file; -1: there is no /run, so the module stays
 * @by_test:	a test has loaded it
 */
struct use {
	char name[NAME_SIZE];
	pid_t owner;
	int lock;
	bool by_test;
};

static struct use use = { .lock = -1 };

static int lock(short type, enum when when, enum byte byte)
{
	struct flock flock = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1,
	};

	return fcntl(use.lock, when, &flock) ? -errno : 0;
}

static void open_lock(void)
{
	char path[2 * NAME_SIZE];

	snprintf(path, sizeof(path), "/run/vfio-migration-%s.lock", use.name);
	use.lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/* A module that is loaded again has another inode in sysfs */
static void get_load(char text[NAME_SIZE])
{
	char path[2 * NAME_SIZE];
	struct stat st;

	snprintf(path, sizeof(path), "/sys/module/%s", use.name);
	if (stat(path, &st))
		text[0] = '\0';
	else
		snprintf(text, NAME_SIZE, "%llu", (unsigned long long)st.st_ino);
}

/* The file has the inode of the module that a test has loaded */
static void set_loaded_by_test(bool by_test)
{
	char text[NAME_SIZE] = "";

	if (use.lock < 0)
		return;
	if (by_test)
		get_load(text);
	/* If this fails, the module stays */
	if (ftruncate(use.lock, 0) || pwrite(use.lock, text, strlen(text), 0) < 0)
		return;
}

static bool is_loaded_by_test(void)
{
	char text[NAME_SIZE], now[NAME_SIZE];
	ssize_t n = use.lock < 0 ? -1 : pread(use.lock, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return false;
	text[n] = '\0';
	get_load(now);
	return !strcmp(text, now);
}

static void exec_modprobe(const char *option, const char *name)
{
	static const char *const paths[] = {
		"modprobe", "/sbin/modprobe", "/usr/sbin/modprobe",
	};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	unsigned int i;

	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	for (i = 0; i < ARRAY_SIZE(paths); i++)
		execlp(paths[i], "modprobe", option, name, NULL);
	_exit(127);
}

static int modprobe(const char *option, const char *name)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		exec_modprobe(option, name);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -errno;
	return status ? -ENOENT : 0;
}

bool vmig_module_can_load(const char *name, const char *file)
{
	return file ? !access(file, R_OK) : !modprobe("-D", name);
}

int vmig_module_load(const char *name, const char *file)
{
	int fd, ret;

	if (!file)
		return modprobe("-q", name);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return ret;
}

int vmig_module_unload(const char *name, int timeout_ms)
{
	int64_t end = vmig_now_ms() + timeout_ms;
	int ret;

	do {
		ret = syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
	} while (ret == -EWOULDBLOCK && vmig_now_ms() < end && !usleep(POLL_US));
	return ret;
}

static void forget(void)
{
	close(use.lock);
	use.lock = -1;
	use.owner = 0;
}

void vmig_module_leave(void)
{
	if (getpid() != use.owner)
		return;
	lock(F_WRLCK, WAIT, TURN);
	lock(F_UNLCK, NOW, USERS);
	if (use.by_test && !lock(F_WRLCK, NOW, USERS) &&
	    !vmig_module_unload(use.name, UNLOAD_MS))
		set_loaded_by_test(false);
	forget();
}

static int load_if_missing(const char *sign, const char *file)
{
	int ret;

	if (!access(sign, F_OK))
		return 0;
	ret = vmig_module_load(use.name, file);
	if (!ret && access(sign, F_OK))
		ret = -ENODEV;
	if (!ret)
		set_loaded_by_test(true);
	return ret;
}

int vmig_module_use(const char *name, const char *sign, const char *file)
{
	int ret;

	if (use.owner)
		return strcmp(use.name, name) ? -EBUSY : 0;
	snprintf(use.name, sizeof(use.name), "%s", name);
	open_lock();
	/* USERS comes first: one that is alone needs its TURN to end */
	lock(F_RDLCK, WAIT, USERS);
	lock(F_WRLCK, WAIT, TURN);
	ret = load_if_missing(sign, file);
	use.by_test = is_loaded_by_test();
	lock(F_UNLCK, NOW, TURN);
	if (!ret) {
		use.owner = getpid();
		return atexit(vmig_module_leave) ? -ENOMEM : 0;
	}
	forget();
	return ret;
}

int vmig_module_use_alone(void)
{
	int ret;

	if (use.lock < 0)
		return -ENOENT;
	ret = lock(F_WRLCK, WAIT, TURN);
	if (ret)
		return ret;
	ret = lock(F_WRLCK, NOW, USERS);
	lock(F_UNLCK, NOW, TURN);
	return ret == -EAGAIN || ret == -EACCES ? -EBUSY : ret;
}
