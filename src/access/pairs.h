/* pairs.h - pairs of a principal and a target, as JSON Lines {"principal": ..., "target": ...}: from programs, so anything may come.
 */
#ifndef ROLLCALL_ACCESS_PAIRS_H
#define ROLLCALL_ACCESS_PAIRS_H

#include "base/err.h"

#include <jansson.h>
#include <stdio.h>

#define PAIR_LINE_MAX ((size_t)1 << 20)

struct pair {
    const char *principal, *target; /* of json */
    json_t *json;
};
/* number: of the line, for messages. ERR_INPUT: not such an object. */
int pair_parse(struct pair *out, struct bytes line, uint64_t number, struct err *e) must_use;
void pair_free(struct pair *p); /* legal on a zeroed one */
/* Calls each for every line that is not blank. ERR_INPUT also: a line over PAIR_LINE_MAX; ERR_NET: it cannot be read. */
int pairs_read(FILE *in, int (*each)(void *ctx, const struct pair *p, struct err *e), void *ctx, struct err *e) must_use;

#endif
