/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The other end of a TCP connection on this host, as tests need it.
 *
 * Functions return 0 or -errno, or a descriptor; they neither judge nor print.
 */
#ifndef VMIG_PEER_H
#define VMIG_PEER_H

#include <stddef.h>
#include <stdint.h>

/* How long something that is to happen may take */
#define VMIG_PEER_DEADLINE_MS	30000

/** vmig_peer_loopback_up - a VM starts without it */
int vmig_peer_loopback_up(void);

/** vmig_peer_listen - listen on 127.0.0.1; a descriptor or -errno */
int vmig_peer_listen(uint16_t port);

/** vmig_peer_accept - wait for a connection; a descriptor or -errno */
int vmig_peer_accept(int fd);

/**
 * vmig_peer_connect - connect to a listener that may not be there yet
 * @family:	AF_INET or AF_INET6: to 127.0.0.1 or to ::1
 * @port:	where
 *
 * Return: a descriptor; -EAFNOSUPPORT or -EADDRNOTAVAIL where there is no IPv6,
 * -ECONNREFUSED if there is no listener in VMIG_PEER_DEADLINE_MS.
 */
int vmig_peer_connect(int family, uint16_t port);

/** vmig_peer_read_all - read until nothing is left; how much it was */
size_t vmig_peer_read_all(int fd);

/** vmig_peer_reset - close a connection by a reset */
void vmig_peer_reset(int fd);

#endif /* VMIG_PEER_H */
