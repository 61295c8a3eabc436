/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The other end of a TCP connection on this host, for tests.
 *
 * Functions return 0 or a descriptor, or -errno.
 */
#ifndef VMIG_PEER_H
#define VMIG_PEER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Limit of each wait */
#define VMIG_PEER_DEADLINE_MS	30000

/** vmig_peer_loopback_up - bring up the loopback device, which a VM may lack */
int vmig_peer_loopback_up(void);

/** vmig_peer_listen - listen on 127.0.0.1 */
int vmig_peer_listen(uint16_t port);

/** vmig_peer_accept - wait for a connection */
int vmig_peer_accept(int fd);

/**
 * vmig_peer_connect - connect to a listener, which may start later
 * @family:	AF_INET or AF_INET6: to 127.0.0.1 or to ::1
 * @port:	of the listener
 *
 * Return: a descriptor; -EAFNOSUPPORT or -EADDRNOTAVAIL without IPv6, -ECONNREFUSED
 * without a listener after VMIG_PEER_DEADLINE_MS.
 */
int vmig_peer_connect(int family, uint16_t port);

/** vmig_peer_read_all - read up to the end; returns the number of bytes */
ssize_t vmig_peer_read_all(int fd);

/** vmig_peer_reset - close a connection by a reset */
void vmig_peer_reset(int fd);

#endif /* VMIG_PEER_H */
