// SPDX-License-Identifier: GPL-2.0-only
/*
 * The process that saves or loads is killed: at each of its steps, and at many bytes of
 * the stream. The source can run and has lost nothing. The destination can be loaded
 * after a reset. No memory is leaked.
 *
 * Usage: vmm_death_test [stride=N] [options of the harness]
 *
 * It is killed at every Nth byte of the stream (211). 1 takes minutes.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/mtty.h"

#define PORTS		2
#define SEED		40
#define TIMEOUT_S	3600
/* Lag of the memory counter, in bytes */
#define SLACK		(2 << 20)

static unsigned int stride = 211;

FIXTURE(death) {
	struct vmig_testdev src;
	struct vmig_testdev dst;
	struct vmig_bytes stream;
	struct vmig_config_answer answer;
	struct vmig_snapshot config;
	long long charged;
};

FIXTURE_VARIANT(death) {
	const char *policy;
};

POLICY_VARIANTS(death);

static int run(struct vmig_device *dev)
{
	return vmig_mig_set_state(dev, VFIO_DEVICE_STATE_RUNNING, NULL);
}

FIXTURE_SETUP(death)
{
	const struct vmig_attrs attrs = {
		.config_policy = variant->policy, .capture_size = "64K",
	};
	struct vmig_device *src = &self->src.dev;

	ASSERT_EQ(0, vmig_testdev_open(&self->src, "mtty-2", VMIG_PATH_ANY,
				       &attrs));
	ASSERT_EQ(0, vmig_testdev_open(&self->dst, "mtty-2", VMIG_PATH_ANY,
				       &attrs));
	ASSERT_EQ(0, vmig_contents_set(src, PORTS, SEED));
	ASSERT_EQ(0, vmig_config_query(src, &self->answer));
	ASSERT_EQ(0, vmig_config_opt_in(src, &self->answer));
	ASSERT_EQ(0, vmig_config_opt_in(&self->dst.dev, &self->answer));
	ASSERT_EQ(0, vmig_transfer_save_config(src, &self->config, &self->stream));
	ASSERT_EQ(0, run(src));
	self->charged = -1;
	if (!vmig_cgroup_enter()) {
		self->charged = vmig_cgroup_charged();
		ASSERT_LE(0, self->charged);
	}
}

FIXTURE_TEARDOWN(death)
{
	if (self->charged >= 0) {
		long long now = vmig_cgroup_charged();

		EXPECT_LE(0, now);
		EXPECT_GT(self->charged + SLACK, now);
		vmig_cgroup_leave();
	}
	vmig_bytes_free(&self->stream);
	vmig_testdev_close(&self->dst);
	vmig_testdev_close(&self->src);
}

/* The process kills itself after "steps" of them. A step that fails is the exit status. */
#define STEP(_call) do { \
	if (_call) \
		_exit(__LINE__ % 255 + 1); \
	if (!steps--) \
		kill(getpid(), SIGKILL); \
} while (0)
static int read_bytes(int fd, size_t len)
{
	char buf[1024];
	ssize_t n;

	for (; len; len -= n) {
		n = read(fd, buf, len < sizeof(buf) ? len : sizeof(buf));
		if (n < 0 && errno == ENOMSG)
			return 0;
		if (n <= 0)
			return n ? -errno : 0;
	}
	return 0;
}

static void save_and_die(FIXTURE_DATA(death) *self, int steps, size_t bytes)
{
	struct vmig_device *dev = &self->src.dev;
	struct vmig_snapshot config;
	int fd;

	STEP(vmig_config_opt_in(dev, &self->answer));
	STEP(vmig_mig_set_state(dev, VFIO_DEVICE_STATE_PRE_COPY, &fd));
	STEP(vmig_config_get(fd, &config));
	STEP(read_bytes(fd, bytes / 2));
	STEP(vmig_mig_set_state(dev, VFIO_DEVICE_STATE_PRE_COPY_P2P, NULL));
	STEP(read_bytes(fd, bytes / 4));
	STEP(vmig_mig_set_state(dev, VFIO_DEVICE_STATE_STOP_COPY, NULL));
	STEP(read_bytes(fd, bytes - bytes / 2 - bytes / 4));
	STEP(vmig_mig_set_state(dev, VFIO_DEVICE_STATE_STOP, NULL));
	_exit(0);
}

static void load_and_die(FIXTURE_DATA(death) *self, int steps, size_t bytes)
{
	struct vmig_device *dev = &self->dst.dev;
	const uint8_t *data = self->stream.data;
	int fd;

	STEP(vmig_config_opt_in(dev, &self->answer));
	STEP(vmig_mig_set_state(dev, VFIO_DEVICE_STATE_RESUMING, &fd));
	STEP(vmig_config_set(fd, &self->config));
	STEP(vmig_irq_set_fd(dev, VFIO_PCI_MSI_IRQ_INDEX,
			     VFIO_IRQ_SET_ACTION_TRIGGER,
			     vmig_eventfd_create()));
	STEP(vmig_transfer_write(fd, data, bytes, VMIG_TRANSFER_CHUNK, NULL));
	STEP(vmig_transfer_write(fd, data + bytes, self->stream.len - bytes,
				 VMIG_TRANSFER_CHUNK, NULL));
	STEP(vmig_check_data(fd));
	STEP(vmig_mig_set_state(dev, VFIO_DEVICE_STATE_STOP, NULL));
	STEP(run(dev));
	_exit(0);
}

#define SAVE_STEPS	9
#define LOAD_STEPS	9
/* The step after which @bytes are read or written */
#define SAVE_BYTES	7
#define LOAD_BYTES	4

typedef void (*work_fn)(FIXTURE_DATA(death) *self, int steps, size_t bytes);

static void kill_at(struct __test_metadata *_metadata, FIXTURE_DATA(death) *self,
		    work_fn work, int steps, size_t bytes)
{
	int status = 0;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		work(self, steps, bytes);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
		TH_LOG("step %d, byte %zu: status %#x", steps, bytes, status);
	}
}

static void expect_source_runs(struct __test_metadata *_metadata,
			       FIXTURE_DATA(death) *self, int steps, size_t bytes)
{
	struct vmig_device *dev = &self->src.dev;
	struct vmig_snapshot snapshot;
	struct vmig_bytes stream = { 0 };
	const char *what = "";

	ASSERT_RET(0, run(dev), "step %d, byte %zu", steps, bytes);
	/* A check of the contents would change them, so compare the size of the stream */
	ASSERT_RET(0, vmig_transfer_save_config(dev, &snapshot, &stream), "save");
	ASSERT_RET(0, run(dev), "RUNNING");
	EXPECT_EQ(self->stream.len, stream.len) {
		TH_LOG("step %d, byte %zu", steps, bytes);
	}
	vmig_bytes_free(&stream);
	if (steps < 0) {
		EXPECT_RET(0, vmig_contents_check(dev, PORTS, SEED, &what), "%s",
			   what);
	}
}

static void expect_can_be_loaded(struct __test_metadata *_metadata,
				 FIXTURE_DATA(death) *self, int steps, size_t bytes)
{
	struct vmig_device *dev = &self->dst.dev;
	const char *what = "";
	int fd;

	ASSERT_RET(0, vmig_device_reset(dev), "step %d, byte %zu", steps, bytes);
	ASSERT_RET(0, vmig_irq_disable(dev, VFIO_PCI_MSI_IRQ_INDEX), "disable");
	EXPECT_RET(0, vmig_contents_check_reset(dev, PORTS, &what),
		   "step %d, byte %zu: %s", steps, bytes, what);
	ASSERT_RET(0, vmig_config_opt_in(dev, &self->answer), "opt in");
	ASSERT_RET(0, vmig_mig_set_state(dev, VFIO_DEVICE_STATE_RESUMING, &fd),
		   "RESUMING");
	ASSERT_RET(0, vmig_config_set(fd, &self->config), "SET_CONFIG");
	ASSERT_RET(0, vmig_transfer_write(fd, self->stream.data,
					  self->stream.len,
					  VMIG_TRANSFER_CHUNK, NULL), "data");
	close(fd);
	ASSERT_RET(0, run(dev), "RUNNING");
	EXPECT_RET(0, vmig_contents_check(dev, PORTS, SEED, &what),
		   "step %d, byte %zu: %s", steps, bytes, what);
	ASSERT_RET(0, vmig_device_reset(dev), "reset");
}

/* Driver: the saving process dies at any step: the device has lost nothing */
TEST_F_TIMEOUT(death, source_at_each_step, TIMEOUT_S)
{
	int i;

	for (i = 0; i < SAVE_STEPS; i++) {
		kill_at(_metadata, self, save_and_die, i, self->stream.len);
		expect_source_runs(_metadata, self, i, self->stream.len);
	}
	expect_source_runs(_metadata, self, -1, 0);
}

/* Driver: the same at many bytes of the stream */
TEST_F_TIMEOUT(death, source_at_many_bytes, TIMEOUT_S)
{
	size_t i;

	for (i = 0; i < self->stream.len; i += stride) {
		kill_at(_metadata, self, save_and_die, SAVE_BYTES, i);
		expect_source_runs(_metadata, self, SAVE_BYTES, i);
	}
	expect_source_runs(_metadata, self, -1, 0);
	TH_LOG("%zu positions", (i + stride - 1) / stride);
}

/* Driver: the loading process dies at any step: after a reset all can be loaded */
TEST_F_TIMEOUT(death, destination_at_each_step, TIMEOUT_S)
{
	int i;

	for (i = 0; i < LOAD_STEPS; i++) {
		kill_at(_metadata, self, load_and_die, i, self->stream.len / 2);
		expect_can_be_loaded(_metadata, self, i, self->stream.len / 2);
	}
}

/* Driver: the same at many bytes of the stream */
TEST_F_TIMEOUT(death, destination_at_many_bytes, TIMEOUT_S)
{
	size_t i;

	for (i = 0; i < self->stream.len; i += stride) {
		kill_at(_metadata, self, load_and_die, LOAD_BYTES, i);
		expect_can_be_loaded(_metadata, self, LOAD_BYTES, i);
	}
	TH_LOG("%zu positions", (i + stride - 1) / stride);
}

static void open_load_and_die(FIXTURE_DATA(death) *self, int steps, size_t bytes)
{
	if (vmig_device_open(&self->dst.dev, &self->dst.mdev, VMIG_PATH_ANY))
		_exit(1);
	load_and_die(self, steps, bytes);
}

/* Driver: the process that opened the device dies at any step: it can be opened again */
TEST_F_TIMEOUT(death, owner_at_each_step, TIMEOUT_S)
{
	struct vmig_testdev *dst = &self->dst;
	int i;

	for (i = 0; i < LOAD_STEPS; i++) {
		vmig_device_close(&dst->dev);
		kill_at(_metadata, self, open_load_and_die, i,
			self->stream.len / 2);
		ASSERT_RET(0, vmig_device_open(&dst->dev, &dst->mdev,
					       VMIG_PATH_ANY), "open");
		expect_can_be_loaded(_metadata, self, i, self->stream.len / 2);
	}
}

int main(int argc, char **argv)
{
	int i, left = 1;

	for (i = 1; i < argc; i++) {
		if (sscanf(argv[i], "stride=%u", &stride) != 1 || !stride)
			argv[left++] = argv[i];
	}
	argv[left] = NULL;
	return test_harness_run(left, argv);
}
