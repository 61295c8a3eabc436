// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/pci_regs.h>

#include "lib/vfio/util.h"
#include "capture.h"
#include "mtty_format.h"
#include "contents.h"
#include "uart.h"

/* Contents of a port */
#define PORT_LCR	(UART_LCR_WLEN8 | UART_LCR_STOP | UART_LCR_PARITY)
#define PORT_MCR	(UART_MCR_DTR | UART_MCR_OUT2)
#define PORT_IER	(UART_IER_RLSI | UART_IER_MSI)

/* The last bytes of BAR2; no test writes so long a log */
static const uint8_t mark[8] = "mtty end";

static uint8_t nth_byte(unsigned int port, uint8_t seed, unsigned int nth)
{
	return seed + 100 * port + nth;
}

static uint16_t divisor_of(unsigned int port, uint8_t seed)
{
	return 0xff00 + 100 * port + seed;
}

static int set_port(struct vmig_device *dev, unsigned int port, uint8_t seed)
{
	const uint8_t row[][2] = {
		{ UART_LCR, PORT_LCR },
		{ UART_MCR, PORT_MCR },
		{ UART_SCR, nth_byte(port, seed, 0) },
		{ UART_IER, PORT_IER },
	};
	unsigned int i;
	int ret;

	ret = vmig_uart_init(dev, port, UART_FCR_TRIGGER_8, 0);
	if (ret)
		return ret;
	ret = vmig_uart_set_divisor(dev, port, divisor_of(port, seed));
	if (ret)
		return ret;
	for (i = 0; i < ARRAY_SIZE(row); i++) {
		ret = vmig_uart_out(dev, port, row[i][0], row[i][1]);
		if (ret)
			return ret;
	}
	for (i = 0; i < VMIG_CONTENTS_BYTES; i++) {
		ret = vmig_uart_out(dev, port, UART_TX,
				    nth_byte(port, seed, i));
		if (ret)
			return ret;
	}
	return 0;
}

static uint64_t mark_offset(struct vmig_device *dev)
{
	return dev->region[VFIO_PCI_BAR2_REGION_INDEX].size - sizeof(mark);
}

int vmig_contents_set(struct vmig_device *dev, unsigned int ports, uint8_t seed)
{
	unsigned int port;
	int ret;

	for (port = 0; port < ports; port++) {
		ret = set_port(dev, port, seed);
		if (ret)
			return ret;
	}
	if (!dev->region[VFIO_PCI_BAR2_REGION_INDEX].size)
		return 0;
	return vmig_region_write(dev, VFIO_PCI_BAR2_REGION_INDEX,
				 mark_offset(dev), mark, sizeof(mark));
}

/* One register; -EUCLEAN if it does not read as @want */
static int check_reg(struct vmig_device *dev, unsigned int port,
		     unsigned int reg, uint8_t want)
{
	uint8_t val;
	int ret;

	ret = vmig_uart_in(dev, port, reg, &val);
	if (ret)
		return ret;
	return val == want ? 0 : -EUCLEAN;
}

static int check_divisor(struct vmig_device *dev, unsigned int port,
			 uint8_t lcr, uint16_t divisor)
{
	int ret;

	ret = vmig_uart_out(dev, port, UART_LCR, lcr | UART_LCR_DLAB);
	if (!ret)
		ret = check_reg(dev, port, UART_DLL, divisor & 0xff);
	if (!ret)
		ret = check_reg(dev, port, UART_DLM, divisor >> 8);
	vmig_uart_out(dev, port, UART_LCR, lcr);
	return ret;
}

struct check {
	unsigned int reg;
	uint8_t want;
	const char *what;
};

static int check_regs(struct vmig_device *dev, unsigned int port,
		      const struct check *row, unsigned int nr,
		      const char **what)
{
	unsigned int i;
	int ret;

	for (i = 0; i < nr; i++) {
		*what = row[i].what;
		ret = check_reg(dev, port, row[i].reg, row[i].want);
		if (ret)
			return ret;
	}
	return 0;
}

static int check_port(struct vmig_device *dev, unsigned int port, uint8_t seed,
		      const char **what)
{
	const struct check row[] = {
		{ UART_LCR, PORT_LCR, "LCR" },
		{ UART_MCR, PORT_MCR, "MCR" },
		{ UART_SCR, nth_byte(port, seed, 0), "SCR" },
		{ UART_IER, PORT_IER, "IER" },
		{ UART_LSR, UART_LSR_THRE | UART_LSR_TEMT | UART_LSR_DR,
		  "LSR with data" },
		{ UART_RX, nth_byte(port, seed, 0), "1st byte" },
		{ UART_RX, nth_byte(port, seed, 1), "2nd byte" },
		{ UART_RX, nth_byte(port, seed, 2), "3rd byte" },
		{ UART_RX, nth_byte(port, seed, 3), "4th byte" },
		{ UART_RX, nth_byte(port, seed, 4), "5th byte" },
		{ UART_LSR, UART_LSR_THRE | UART_LSR_TEMT, "LSR when empty" },
		/* DTR is looped to DSR and DCD; the delta bits are not read yet */
		{ UART_MSR, UART_MSR_DSR | UART_MSR_DCD | UART_MSR_DDSR |
		  UART_MSR_DDCD, "MSR" },
		{ UART_IIR, UART_IIR_NO_INT | 0xc0, "IIR" },
	};
	int ret;

	ret = check_regs(dev, port, row, ARRAY_SIZE(row), what);
	if (ret)
		return ret;
	*what = "divisor";
	return check_divisor(dev, port, PORT_LCR, divisor_of(port, seed));
}

static int check_log(struct vmig_device *dev, unsigned int ports, uint8_t seed)
{
	unsigned int port, i;
	uint8_t end[sizeof(mark)];
	int ret;

	for (port = 0; port < ports; port++) {
		uint8_t *log;
		size_t len;

		ret = vmig_capture_port(dev, port, &log, &len);
		if (ret)
			return ret;
		if (len != VMIG_CONTENTS_BYTES)
			ret = -EUCLEAN;
		for (i = 0; i < len && !ret; i++) {
			if (log[i] != nth_byte(port, seed, i))
				ret = -EUCLEAN;
		}
		free(log);
		if (ret)
			return ret;
	}

	ret = vmig_region_read(dev, VFIO_PCI_BAR2_REGION_INDEX,
			       mark_offset(dev), end, sizeof(end));
	if (ret)
		return ret;
	return memcmp(end, mark, sizeof(mark)) ? -EUCLEAN : 0;
}

int vmig_contents_check(struct vmig_device *dev, unsigned int ports, uint8_t seed,
			const char **what)
{
	unsigned int port;
	int ret;

	for (port = 0; port < ports; port++) {
		ret = check_port(dev, port, seed, what);
		if (ret)
			return ret;
	}
	*what = "capture memory";
	if (!dev->region[VFIO_PCI_BAR2_REGION_INDEX].size)
		return 0;
	return check_log(dev, ports, seed);
}

static int check_port_reset(struct vmig_device *dev, unsigned int port,
			    const char **what)
{
	static const struct check row[] = {
		{ UART_LCR, 0, "LCR" },
		{ UART_MCR, 0, "MCR" },
		{ UART_SCR, 0, "SCR" },
		{ UART_IER, 0, "IER" },
		{ UART_LSR, UART_LSR_THRE | UART_LSR_TEMT, "LSR" },
		{ UART_RX, 0, "RX" },
		{ UART_MSR, 0, "MSR" },
		{ UART_IIR, UART_IIR_NO_INT, "IIR" },
	};
	int ret;

	ret = check_regs(dev, port, row, ARRAY_SIZE(row), what);
	if (ret)
		return ret;
	*what = "divisor";
	return check_divisor(dev, port, 0, 1);
}

static int check_config_reset(struct vmig_device *dev, unsigned int msi, const char **what)
{
	const struct {
		unsigned int reg;
		uint16_t want;
		const char *what;
	} row[] = {
		{ PCI_COMMAND, PCI_COMMAND_IO, "PCI_COMMAND" },
		{ PCI_CACHE_LINE_SIZE, 0, "cache line and latency" },
		{ PCI_BASE_ADDRESS_0, PCI_BASE_ADDRESS_SPACE_IO, "BAR0" },
		{ PCI_BASE_ADDRESS_2, 0, "BAR2" },
		{ PCI_BASE_ADDRESS_2 + 2, 0, "BAR2, high half" },
		{ msi + PCI_MSI_ADDRESS_LO, 0, "MSI address" },
		{ msi + PCI_MSI_DATA_64, 0, "MSI data" },
	};
	unsigned int i;
	uint16_t val;
	uint8_t line;
	int ret;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		*what = row[i].what;
		ret = vmig_config_read16(dev, row[i].reg, &val);
		if (ret)
			return ret;
		if (val != row[i].want)
			return -EUCLEAN;
	}
	*what = "MSI enable";
	ret = vmig_config_read16(dev, msi + PCI_MSI_FLAGS, &val);
	if (ret)
		return ret;
	if (val & PCI_MSI_FLAGS_ENABLE)
		return -EUCLEAN;
	*what = "interrupt line";
	ret = vmig_config_read8(dev, PCI_INTERRUPT_LINE, &line);
	if (ret)
		return ret;
	return line ? -EUCLEAN : 0;
}

/* The log is empty, and its memory is 0 */
static int check_capture_reset(struct vmig_device *dev)
{
	uint64_t size = dev->region[VFIO_PCI_BAR2_REGION_INDEX].size;
	struct vmig_capture_head info;
	size_t i, len = size - MTTY_CAP_LOG_OFFSET;
	uint8_t *log;
	int ret;

	ret = vmig_capture_info(dev, &info);
	if (ret)
		return ret;
	if (info.logged || info.dropped)
		return -EUCLEAN;

	log = malloc(len);
	if (!log)
		return -ENOMEM;
	ret = vmig_region_read(dev, VFIO_PCI_BAR2_REGION_INDEX,
			       MTTY_CAP_LOG_OFFSET, log, len);
	for (i = 0; i < len && !ret; i++) {
		if (log[i])
			ret = -EUCLEAN;
	}
	free(log);
	return ret;
}

int vmig_contents_check_reset(struct vmig_device *dev, unsigned int ports,
			      const char **what)
{
	unsigned int port, msi;
	int ret;

	for (port = 0; port < ports; port++) {
		ret = check_port_reset(dev, port, what);
		if (ret)
			return ret;
	}
	*what = "MSI capability";
	ret = vmig_config_find_cap(dev, PCI_CAP_ID_MSI, &msi);
	if (!ret)
		ret = check_config_reset(dev, msi, what);
	if (ret)
		return ret;
	*what = "capture memory";
	if (!dev->region[VFIO_PCI_BAR2_REGION_INDEX].size)
		return 0;
	return check_capture_reset(dev);
}
