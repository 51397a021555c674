/* sorter.h - any number of 64-bit numbers, sorted with 8 MB of memory: sorted pieces on a tape, then a merge.
 *
 * Add all, then take them in ascending order, equal ones once. What is sorted are packed pairs (who, whom),
 * so a number is all a sort needs to carry.
 */
#ifndef ROLLCALL_STORE_SORTER_H
#define ROLLCALL_STORE_SORTER_H

#include "base/tape.h"

struct sorter {
    uint64_t *at;
    size_t n, cap;
    struct tape tape;
    uint64_t *ends; /* of each piece on the tape, in bytes */
    size_t n_pieces;
    struct sorter_piece *pieces; /* once reading */
    size_t next;
    uint64_t last;
    bool any;
};

struct sorter sorter_new(void);
void sorter_free(struct sorter *s);
int sorter_add(struct sorter *s, uint64_t v, struct err *e) must_use;
/* Ends the adding. */
int sorter_sort(struct sorter *s, struct err *e) must_use;
/* 1: got one; 0: the end. */
int sorter_next(struct sorter *s, uint64_t *out, struct err *e) must_use;

/* In place; spare has room for n. */
void sort_u64(uint64_t *at, uint64_t *spare, size_t n);

#endif
