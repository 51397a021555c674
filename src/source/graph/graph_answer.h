/* graph_answer.h - the body of an answer of success: JSON of a bounded cost, an object with a list of values.
 *
 * What a few bytes of JSON cost in memory differs by a factor of a hundred: "[]," is three bytes and one array. So what a body would
 * cost is estimated before it is read, and one that costs too much is not read at all.
 */
#ifndef ROLLCALL_GRAPH_ANSWER_H
#define ROLLCALL_GRAPH_ANSWER_H

#include "base/err.h"

#include <jansson.h>

#define GRAPH_BODY_MAX ((size_t)16 << 20) /* decoded */
#define GRAPH_COST_MAX ((size_t)96 << 20)

/* About how much memory the JSON takes, read; never much less. */
size_t graph_answer_cost(struct bytes body);
/* New reference. ERR_LIMIT: it costs too much; ERR_PROTO: no JSON, an error in an answer of success, no list of values. */
int graph_answer_read(json_t **out, struct bytes body, struct err *e) must_use;

#endif
