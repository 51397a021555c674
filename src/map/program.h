/* program.h - a table as compile.c leaves it and table.c runs it. Inside the engine only.
 */
#ifndef ROLLCALL_MAP_PROGRAM_H
#define ROLLCALL_MAP_PROGRAM_H

#include "map/table.h"

#define DEPTH_MAX 7

/* One row, or several constant ones, for one version. Levels are the objects and arrays around a value. */
struct step {
    get_fn *get; /* NULL: `fixed` is all there is to say */
    const struct row *row;
    char *key; /* opening text of every level, then the quoted name: "user":{"org":{"name": */
    uint16_t key_len;
    uint16_t at[DEPTH_MAX + 1]; /* where in key level i opens; at[depth] is the name itself */
    uint8_t shared;             /* levels in common with the step before */
    uint8_t depth;              /* levels that are open after it */
    char close[DEPTH_MAX];      /* and what closes them */
    char *fixed;
    size_t fixed_len;
};

struct program {
    size_t n;
    struct step steps[];
};

/* Appends a value that is no list, array or object. */
void cell_append(struct view *v, const struct cell *c, struct buf *out);

#endif
