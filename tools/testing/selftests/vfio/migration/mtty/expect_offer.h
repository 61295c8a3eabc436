/* SPDX-License-Identifier: GPL-2.0-only */
/* For tests that offer a stream to a device; they include lib/mtty.h first. */
#ifndef VMIG_EXPECT_OFFER_H
#define VMIG_EXPECT_OFFER_H

/*
 * EXPECT_OFFER - load a stream, which must give this errno, or 0
 *
 * A refused stream is refused by write() and by the change to STOP, and leaves ERROR.
 */
#define EXPECT_OFFER(_want, _dev, _stream, ...) do { \
	int want_err = (_want), write_err; \
	int stop_err = vmig_transfer_offer(_dev, _stream, &write_err); \
	EXPECT_RET(want_err, write_err, __VA_ARGS__); \
	EXPECT_RET(want_err, stop_err, __VA_ARGS__); \
	EXPECT_STATE(want_err ? VFIO_DEVICE_STATE_ERROR : VFIO_DEVICE_STATE_STOP, \
		     _dev, __VA_ARGS__); \
} while (0)

#endif /* VMIG_EXPECT_OFFER_H */
