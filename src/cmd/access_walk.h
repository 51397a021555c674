/* access_walk.h - the entities that an answer is about, in one pass over the store, by kind and filter.
 */
#ifndef ROLLCALL_CMD_ACCESS_WALK_H
#define ROLLCALL_CMD_ACCESS_WALK_H

#include "cmd/access.h"

struct access_subject {
    const struct entity *entity;
    uint32_t principal, object; /* NOBODY: is none */
};
/* Which entities. Reads them from the options; free it in any case. */
struct access_choice {
    kind_set kinds;        /* 0: all */
    struct filter *filter; /* NULL: all */
    struct str connector;  /* empty: all */
};
/* kinds, filter: names of options, NULL: none. */
int access_choice_read(struct access_choice *out, const struct cli *c, const char *kinds, const char *filter, struct err *e) must_use;
void access_choice_free(struct access_choice *x);
static inline bool access_choice_is_all(const struct access_choice *x)
{
    return !x->kinds && !x->filter;
}

#define ACCESS_STOP 1
/* 0: on, ACCESS_STOP: enough, or an error. */
typedef int access_each(void *ctx, const struct access_subject *s, struct err *e);
int access_walk(struct access_cli *a, const struct access_choice *x, access_each *each, void *ctx, struct err *e) must_use;
/* The same for these entities, each looked up. */
int access_walk_some(struct access_cli *a, const struct access_choice *x, const int64_t *ids, size_t n, access_each *each, void *ctx,
                     struct err *e) must_use;
#define ACCESS_FEW 1000 /* up to here looking up is quicker than walking */

/* {uid, sid, dn, name, kind, enabled} */
json_t *access_entity_json(const struct world *w, const struct access_subject *s);
/* The same of a well-known principal, or of a stranger known by SID alone. */
json_t *access_bare_json(const struct world *w, uint32_t principal);

#endif
