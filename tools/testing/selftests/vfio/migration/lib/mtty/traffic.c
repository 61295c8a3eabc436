// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each register access holds the lock for reading. The lock is held for writing while
 * the guest is paused.
 */
#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "capture.h"
#include "traffic.h"
#include "uart.h"

#define FIFO_SIZE	16

/* Larger than any capture memory; no guest sends so much */
#define SENT_MAX	0x10000000u

/* For vmig_traffic_wait() */
#define DEADLINE_MS	10000

struct port {
	struct vmig_traffic *traffic;
	unsigned int nr;
	pthread_t thread;
	struct vmig_bytes tx;
	uint64_t received;
	uint64_t wrong;
	int error;
};

/**
 * struct vmig_traffic - the guest
 * @lock:	protects @dev, @quit, and what the threads write in @port
 * @dev:	the device
 * @quit:	ends the threads
 * @started:	number of threads
 * @port:	the ports
 */
struct vmig_traffic {
	pthread_rwlock_t lock;
	struct vmig_device *dev;
	bool quit;
	unsigned int started;
	struct port port[VMIG_TRAFFIC_PORTS];
};

/* Any sequence is good in which a missing byte is noticed */
static uint8_t nth_byte(unsigned int port, uint64_t n)
{
	return n * 167 + (n >> 8) * 29 + port * 101;
}

static int send_byte(struct port *port)
{
	uint8_t byte = nth_byte(port->nr, port->tx.len);
	int ret;

	pthread_rwlock_rdlock(&port->traffic->lock);
	ret = vmig_uart_out(port->traffic->dev, port->nr, UART_TX, byte);
	if (!ret)
		ret = vmig_bytes_add(&port->tx, &byte, 1);
	pthread_rwlock_unlock(&port->traffic->lock);
	return ret;
}

/*
 * A read removes data from the device. It is counted before the guest can be paused,
 * as another process may continue from there.
 */
static int read_lsr(struct port *port, uint8_t *lsr)
{
	int ret;

	pthread_rwlock_rdlock(&port->traffic->lock);
	ret = vmig_uart_in(port->traffic->dev, port->nr, UART_LSR, lsr);
	if (!ret && *lsr & UART_LSR_OE)
		port->wrong++;
	pthread_rwlock_unlock(&port->traffic->lock);
	return ret;
}

static int receive_byte(struct port *port)
{
	uint8_t byte;
	int ret;

	pthread_rwlock_rdlock(&port->traffic->lock);
	ret = vmig_uart_in(port->traffic->dev, port->nr, UART_RX, &byte);
	if (!ret && byte != nth_byte(port->nr, port->received))
		port->wrong++;
	if (!ret)
		port->received++;
	pthread_rwlock_unlock(&port->traffic->lock);
	return ret;
}

static int receive_all(struct port *port)
{
	uint8_t lsr = 0;
	int ret;

	for (;;) {
		ret = read_lsr(port, &lsr);
		if (ret || !(lsr & UART_LSR_DR))
			return ret;
		ret = receive_byte(port);
		if (ret)
			return ret;
	}
}

static bool must_quit(struct vmig_traffic *traffic)
{
	bool quit;

	pthread_rwlock_rdlock(&traffic->lock);
	quit = traffic->quit;
	pthread_rwlock_unlock(&traffic->lock);
	return quit;
}

static void *run_port(void *opaque)
{
	/* Leaves CPU time for the migration */
	const struct timespec interval = { .tv_nsec = 100000 };
	struct port *port = opaque;
	unsigned int burst, i;
	int ret;

	/* The guest may come from another process, with a full FIFO */
	ret = receive_all(port);
	for (burst = 1; !ret && !must_quit(port->traffic);
	     burst = burst % FIFO_SIZE + 1) {
		for (i = 0; i < burst && !ret; i++)
			ret = send_byte(port);
		if (!ret)
			ret = receive_all(port);
		nanosleep(&interval, NULL);
	}
	port->error = ret;
	return NULL;
}

static void end_threads(struct vmig_traffic *traffic)
{
	unsigned int i;

	pthread_rwlock_wrlock(&traffic->lock);
	traffic->quit = true;
	pthread_rwlock_unlock(&traffic->lock);
	for (i = 0; i < traffic->started; i++)
		pthread_join(traffic->port[i].thread, NULL);
}

static void free_traffic(struct vmig_traffic *traffic)
{
	unsigned int i;

	for (i = 0; i < VMIG_TRAFFIC_PORTS; i++)
		vmig_bytes_free(&traffic->port[i].tx);
	pthread_rwlock_destroy(&traffic->lock);
	free(traffic);
}

static struct vmig_traffic *new_traffic(struct vmig_device *dev)
{
	struct vmig_traffic *new = calloc(1, sizeof(*new));
	pthread_rwlockattr_t attr;
	unsigned int i;

	if (!new)
		return NULL;
	new->dev = dev;
	for (i = 0; i < VMIG_TRAFFIC_PORTS; i++) {
		new->port[i].traffic = new;
		new->port[i].nr = i;
	}
	/* By default, readers would starve vmig_traffic_pause() */
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr,
				      PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&new->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
	return new;
}

static int start_threads(struct vmig_traffic *traffic)
{
	int ret = 0;

	while (!ret && traffic->started < VMIG_TRAFFIC_PORTS) {
		struct port *port = &traffic->port[traffic->started];

		ret = -pthread_create(&port->thread, NULL, run_port, port);
		if (!ret)
			traffic->started++;
	}
	return ret;
}

int vmig_traffic_start(struct vmig_traffic **traffic, struct vmig_device *dev)
{
	struct vmig_traffic *new = new_traffic(dev);
	unsigned int i;
	int ret = 0;

	if (!new)
		return -ENOMEM;
	for (i = 0; i < VMIG_TRAFFIC_PORTS && !ret; i++)
		ret = vmig_uart_init(dev, i, UART_FCR_TRIGGER_8, 0);
	if (!ret)
		ret = start_threads(new);
	if (ret) {
		end_threads(new);
		free_traffic(new);
		return ret;
	}
	*traffic = new;
	return 0;
}

/* Saved state of a port, little-endian; @sent determines the bytes sent */
struct saved_port {
	uint64_t sent;
	uint64_t received;
	uint64_t wrong;
};

int vmig_traffic_save(const struct vmig_traffic *traffic,
		      struct vmig_bytes *state)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < VMIG_TRAFFIC_PORTS && !ret; i++) {
		const struct port *port = &traffic->port[i];
		const struct saved_port saved = {
			.sent = htole64(port->tx.len),
			.received = htole64(port->received),
			.wrong = htole64(port->wrong),
		};

		ret = port->error;
		if (!ret)
			ret = vmig_bytes_add(state, &saved, sizeof(saved));
	}
	return ret;
}

static int load_port(struct port *port, const uint8_t *state)
{
	struct saved_port saved;
	uint64_t sent, n;
	int ret;

	memcpy(&saved, state, sizeof(saved));
	sent = le64toh(saved.sent);
	port->received = le64toh(saved.received);
	port->wrong = le64toh(saved.wrong);
	if (sent > SENT_MAX || port->received > sent)
		return -EBADMSG;

	ret = vmig_bytes_reserve(&port->tx, sent);
	for (n = 0; n < sent && !ret; n++)
		port->tx.data[n] = nth_byte(port->nr, n);
	if (!ret)
		port->tx.len = sent;
	return ret;
}

int vmig_traffic_load(struct vmig_traffic **traffic, struct vmig_device *dev,
		      const uint8_t *state, size_t len)
{
	struct vmig_traffic *new;
	unsigned int i;
	int ret = 0;

	if (len != VMIG_TRAFFIC_PORTS * sizeof(struct saved_port))
		return -EBADMSG;
	new = new_traffic(dev);
	if (!new)
		return -ENOMEM;

	pthread_rwlock_wrlock(&new->lock);
	for (i = 0; i < VMIG_TRAFFIC_PORTS && !ret; i++)
		ret = load_port(&new->port[i],
				state + i * sizeof(struct saved_port));
	if (!ret)
		ret = start_threads(new);
	if (ret) {
		pthread_rwlock_unlock(&new->lock);
		end_threads(new);
		free_traffic(new);
		return ret;
	}
	*traffic = new;
	return 0;
}

void vmig_traffic_pause(struct vmig_traffic *traffic)
{
	pthread_rwlock_wrlock(&traffic->lock);
}

void vmig_traffic_resume(struct vmig_traffic *traffic, struct vmig_device *dev)
{
	traffic->dev = dev;
	pthread_rwlock_unlock(&traffic->lock);
}

uint64_t vmig_traffic_sent(struct vmig_traffic *traffic)
{
	uint64_t sent = 0;
	unsigned int i;

	pthread_rwlock_wrlock(&traffic->lock);
	for (i = 0; i < VMIG_TRAFFIC_PORTS; i++)
		sent += traffic->port[i].tx.len;
	pthread_rwlock_unlock(&traffic->lock);
	return sent;
}

int vmig_traffic_wait(struct vmig_traffic *traffic, uint64_t bytes)
{
	const struct timespec tick = { .tv_nsec = 1000000 };
	uint64_t goal = vmig_traffic_sent(traffic) + bytes;
	unsigned int ms;

	for (ms = 0; ms < DEADLINE_MS; ms++) {
		if (vmig_traffic_sent(traffic) >= goal)
			return 0;
		nanosleep(&tick, NULL);
	}
	/* vmig_traffic_finish() returns the error of a thread, if there is one */
	return -ETIMEDOUT;
}

static int check_log(struct vmig_traffic *traffic, struct port *port,
		     struct vmig_traffic_report *report)
{
	uint64_t i, same = 0;
	uint8_t *log;
	size_t len;
	int ret;

	ret = vmig_capture_port(traffic->dev, port->nr, &log, &len);
	if (ret)
		return ret;
	for (i = 0; i < len && i < port->tx.len; i++)
		same += log[i] == port->tx.data[i];
	report->logged[port->nr] = len;
	report->lost += (len > port->tx.len ? len : port->tx.len) - same;
	free(log);
	return 0;
}

int vmig_traffic_finish(struct vmig_traffic *traffic,
			struct vmig_traffic_report *report)
{
	unsigned int i;
	int ret = 0;

	memset(report, 0, sizeof(*report));
	end_threads(traffic);
	for (i = 0; i < VMIG_TRAFFIC_PORTS; i++) {
		struct port *port = &traffic->port[i];

		if (!ret)
			ret = port->error;
		report->sent[i] = port->tx.len;
		report->received[i] = port->received;
		report->lost += port->wrong;
		if (port->received < port->tx.len)
			report->lost += port->tx.len - port->received;
		if (!ret)
			ret = check_log(traffic, port, report);
	}
	free_traffic(traffic);
	return ret;
}
