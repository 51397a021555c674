/* slow_int.h - what the two halves of the slow evaluator share. */
#ifndef ROLLCALL_TESTS_SLOW_INT_H
#define ROLLCALL_TESTS_SLOW_INT_H

#include "slow.h"

struct slow_ace {
    unsigned type, flags;
    bool is_known;
    uint32_t mask;
    const uint8_t *object, *inherited;
    struct bytes sid, rest;
};
struct slow_sd {
    unsigned control;
    struct bytes owner, group;
    bool is_present, is_null; /* the DACL */
    struct slow_ace *aces;
    unsigned n_aces;
};

#endif
