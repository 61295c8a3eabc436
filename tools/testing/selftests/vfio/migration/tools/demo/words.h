/* SPDX-License-Identifier: GPL-2.0-only */
/* Each word of the field is explained once, where it is used first. */
#ifndef VMIG_DEMO_WORDS_H
#define VMIG_DEMO_WORDS_H

/** words_explain - explain each new word in a line that was printed */
void words_explain(const char *line);

#endif /* VMIG_DEMO_WORDS_H */
