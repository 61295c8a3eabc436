// SPDX-License-Identifier: GPL-2.0-only
/* Save and load at the same time, in one process; see vmm.h. */
#include <errno.h>
#include <pthread.h>
#include <unistd.h>
#include <sys/socket.h>

#include "vmm.h"

struct loader {
	struct vmig_vmm *vmm;
	int fd;
	int ret;
};

static void *load_in_thread(void *opaque)
{
	struct loader *loader = opaque;

	loader->ret = vmig_vmm_load(loader->vmm, loader->fd);
	/* If the source is still writing, it gets EPIPE */
	close(loader->fd);
	return NULL;
}

int vmig_vmm_migrate(struct vmig_vmm *src, struct vmig_vmm *dst)
{
	struct loader loader = { .vmm = dst };
	pthread_t thread;
	int fd[2], ret;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd))
		return -errno;
	loader.fd = fd[1];
	ret = -pthread_create(&thread, NULL, load_in_thread, &loader);
	if (ret) {
		close(fd[0]);
		close(fd[1]);
		return ret;
	}

	ret = vmig_vmm_save(src, fd[0]);
	close(fd[0]);
	pthread_join(thread, NULL);

	/* The side that fails first makes the other one fail: return its error */
	if (loader.ret && (!ret || ret == -EPIPE)) {
		if (!ret)
			vmig_vmm_save_cancel(src);
		return loader.ret;
	}
	return ret;
}
