/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registers of the first port in tests whose fixture has @dev; for tests only, which
 * include kselftest_harness.h and expect.h first.
 */
#ifndef VMIG_UART_EXPECT_H
#define VMIG_UART_EXPECT_H

#include "uart.h"

/* OUT - write a register, which must succeed */
#define OUT(_reg, _val) \
	ASSERT_RET(0, vmig_uart_out(self->dev, 0, _reg, _val), #_reg)

/* IN - read a register, which must succeed; its content */
#define IN(_reg) ({ \
	uint8_t seen_reg = 0xee; \
	ASSERT_RET(0, vmig_uart_in(self->dev, 0, _reg, &seen_reg), #_reg); \
	seen_reg; \
})

/* EXPECT_IN - the register must hold exactly this */
#define EXPECT_IN(_want, _reg) do { \
	uint8_t seen_reg = 0xee; \
	ASSERT_RET(0, vmig_uart_in(self->dev, 0, _reg, &seen_reg), #_reg); \
	EXPECT_EQ(_want, seen_reg) TH_LOG("register %s", #_reg); \
} while (0)

#endif /* VMIG_UART_EXPECT_H */
