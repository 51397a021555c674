/* samba.h - the access check of Samba's domain controller, out of its own library: somebody else's reading of the same documents. */
#ifndef ROLLCALL_TESTS_SAMBA_H
#define ROLLCALL_TESTS_SAMBA_H

#include "slow.h"

/* NULL, or why Samba 4.17's libraries cannot be asked. */
const char *samba_open(void);
/* 1 granted, 0 denied, -1: its decoder refuses the descriptor. */
int samba_check(const struct slow_question *q);

#endif
