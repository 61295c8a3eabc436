/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registers of the port under test, for tests with a member "dev" in their fixture and a
 * variant for each port. Include lib/mtty.h first.
 */
#ifndef VMIG_UART_EXPECT_H
#define VMIG_UART_EXPECT_H

#include "uart.h"

/* A variant for each port; its member is "port" */
#define PORT_VARIANTS(_name) \
FIXTURE_VARIANT(_name) { \
	unsigned int port; \
}; \
FIXTURE_VARIANT_ADD(_name, port_0) { .port = 0 }; \
FIXTURE_VARIANT_ADD(_name, port_1) { .port = 1 }

/* OUT - write a register */
#define OUT(_reg, _val) \
	ASSERT_RET(0, vmig_uart_out(self->dev, variant->port, _reg, _val), #_reg)

/* IN - read a register */
#define IN(_reg) ({ \
	uint8_t seen_reg = 0xee; \
	ASSERT_RET(0, vmig_uart_in(self->dev, variant->port, _reg, &seen_reg), #_reg); \
	seen_reg; \
})

/* EXPECT_IN - the register must have exactly this value */
#define EXPECT_IN(_want, _reg) do { \
	uint8_t seen_reg = 0xee; \
	ASSERT_RET(0, vmig_uart_in(self->dev, variant->port, _reg, &seen_reg), #_reg); \
	EXPECT_EQ(_want, seen_reg) TH_LOG("register %s", #_reg); \
} while (0)

#endif /* VMIG_UART_EXPECT_H */
