/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The input of config_fuzz: a byte that gives the devices their answers, then a sequence of
 * operations, each a byte and its arguments.  The low two bits are the device, the others the
 * operation.
 */
#ifndef MTTY_FUZZ_CONFIG_OPS_H
#define MTTY_FUZZ_CONFIG_OPS_H

enum config_op {
	CONFIG_OP_OPEN,		/* close and open the device */
	CONFIG_OP_OPT_IN,	/* a byte follows, see CONFIG_OP_NEED() */
	CONFIG_OP_CHANGE,	/* config space changes */
	CONFIG_OP_SAVE,		/* begin a saving session, in place of any other */
	CONFIG_OP_RESUME,	/* the same with a resuming one */
	CONFIG_OP_STOP,		/* end the session */
	CONFIG_OP_GET,		/* VFIO_MIG_GET_CONFIG */
	CONFIG_OP_READ,		/* make a record */
	CONFIG_OP_SET,		/* VFIO_MIG_SET_CONFIG; the number of an identity follows */
	CONFIG_OP_HEAD,		/* write the head of a record; the same */
	CONFIG_OP_BODY,		/* write the rest of the record */
	CONFIG_OP_END,		/* write the rest; it is the last record */
	CONFIG_OP_BITS,		/* compare; 3 * CONFIG_OP_BITS_SIZE bytes follow */
	CONFIG_OP_NR
};

#define CONFIG_OP_DEVICES	3
#define CONFIG_OP_BITS_SIZE	2

#define CONFIG_OP(_op, _device)	((_op) << 2 | (_device))
#define CONFIG_OP_OF(_byte)	(((_byte) >> 2) % CONFIG_OP_NR)
#define CONFIG_OP_DEVICE(_byte)	(((_byte) & 3) % CONFIG_OP_DEVICES)

/* The answers of all devices but the last, and of the last */
#define CONFIG_OP_NEEDS(_need, _last) ((_need) | (_last) << 2)

/* The argument of CONFIG_OP_OPT_IN: the answer, valid or not, and the size, too */
#define CONFIG_OP_NEED(_byte)	((_byte) & 7)
#define CONFIG_OP_SIZE(_byte)	((_byte) & 8 ? 4096 : 256)

/* The number of an identity: 0 for the newest, 1 for the one before, ... or one of these */
#define CONFIG_OP_NONE		255
#define CONFIG_OP_NO_SOURCE	254
#define CONFIG_OP_NO_VERSION	253

#endif /* MTTY_FUZZ_CONFIG_OPS_H */
