/* rows.h - store rows as the JSON objects of docs/contract: run, entity, change.
 */
#ifndef ROLLCALL_ROWS_H
#define ROLLCALL_ROWS_H

#include "map/map.h"
#include "model/gap.h"
#include "store/store.h"

#include <jansson.h>

/* With its gaps. *out is the caller's. */
int rows_run_get(struct store *s, int64_t id, json_t **out, struct err *e) must_use;
json_t *rows_run(const struct run_row *r); /* without its gaps */
json_t *rows_counts(const struct run_result *r); /* by kind; held: what the guard of deletions held back */
json_t *rows_gap(const struct gap *g);
json_t *rows_change(const struct change *c);
/* The entity contract: attributes by source name, derived facts, direct groups. */
json_t *rows_entity(const struct subject *s, const struct entity *entity);

#endif
