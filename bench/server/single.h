/* single.h - the objects there is one of: root DSE, domain, crossRef. */
#ifndef BENCH_SINGLE_H
#define BENCH_SINGLE_H

#include "content.h"

/* The attributes of the one object of that kind (nothing for the others). usn: the highest committed one. */
uint8_t *put_single(uint8_t *p, enum kind kind, const struct want *want, uint64_t usn);

#endif
