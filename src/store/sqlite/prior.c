#include "store/sqlite/run.h"

#define LOOK_AHEAD 64                /* versions looked at before the index is asked */
#define STATS_MAX  ((size_t)4 << 20) /* bytes of one reading */

/* Fills the window with up to p->ahead entities from p->after on. */
static int read_window(struct sqlite_run *r, struct err *e)
{
    struct prior *p = &r->prior;
    sqlite3_stmt *s;
    int rc;
    arena_clear(&p->stats);
    p->n = p->next = 0;
    try(sq_take(&r->s->q, SQL_VERSION_FROM, &s, e));
    sq_int(s, 1, id_of(r, p->after));
    sq_int(s, 2, end_id_of(r));
    sq_int(s, 3, r->visible);
    sq_int(s, 4, (int64_t)p->ahead);
    while ((rc = sq_step(&r->s->q, s, e)) > 0) {
        struct version v = version_of_row(s, &p->stats);
        bool is_older = p->n && p->at[p->n - 1].seq == v.seq; /* not purged yet */
        if (!is_older) p->at[p->n++] = v;
        p->after = v.seq + 1;
        if (p->stats.used > STATS_MAX) break;
    }
    if (rc == 0) p->is_at_end = p->n < p->ahead;
    sq_give(&r->s->q, SQL_VERSION_FROM, s);
    return rc < 0 ? rc : 0;
}

static const struct version *scan(struct prior *p, const uint8_t guid[GUID_SIZE])
{
    size_t end = p->next + LOOK_AHEAD < p->n ? p->next + LOOK_AHEAD : p->n;
    for (size_t i = p->next; i < end; i++) {
        if (memcmp(p->at[i].guid, guid, GUID_SIZE) != 0) continue;
        p->next = i + 1;
        return &p->at[i];
    }
    return NULL;
}

static int find_in_order(struct sqlite_run *r, const uint8_t guid[GUID_SIZE], const struct version **out,
                         struct err *e)
{
    struct prior *p = &r->prior;
    *out = scan(p, guid);
    if (*out || p->next < p->n || p->is_at_end) return 0;
    p->ahead = p->ahead ? p->ahead * 4 : LOOK_AHEAD;
    if (p->ahead > PRIOR_MAX) p->ahead = PRIOR_MAX;
    if (!p->after) p->after = 1;
    try(read_window(r, e));
    *out = scan(p, guid);
    return 0;
}

static int find_by_index(struct sqlite_run *r, const uint8_t guid[GUID_SIZE], uint32_t *seq, struct err *e)
{
    sqlite3_stmt *s;
    try(sq_take(&r->s->q, SQL_ENTITY_FIND, &s, e));
    sq_int(s, 1, r->connector);
    sq_blob(s, 2, (struct bytes){guid, GUID_SIZE});
    int rc = sq_step(&r->s->q, s, e);
    *seq = rc > 0 ? seq_of(sq_col_int(s, 0)) : 0;
    sq_give(&r->s->q, SQL_ENTITY_FIND, s);
    return rc < 0 ? rc : 0;
}

int prior_find(struct sqlite_run *r, const uint8_t guid[GUID_SIZE], const struct version **out, uint32_t *seq,
               struct err *e)
{
    struct prior *p = &r->prior;
    *out = NULL;
    *seq = 0;
    if (!r->is_baseline) try(find_in_order(r, guid, out, e));
    if (*out) {
        *seq = (*out)->seq;
        return 0;
    }
    r->identity_key = identity_key(guid);
    *seq = identities_find(&r->identities, r->identity_key);
    bool may_be_known = !r->is_baseline || identities_may_be_written(&r->identities, r->identity_key);
    if (!*seq && may_be_known) try(find_by_index(r, guid, seq, e));
    if (!*seq || *seq >= r->first_new) return 0;
    /* Out of order: go on reading from there. */
    p->after = *seq;
    p->ahead = LOOK_AHEAD / 4;
    p->is_at_end = false;
    try(read_window(r, e));
    if (p->n && p->at[0].seq == *seq) {
        *out = &p->at[0];
        p->next = 1;
    }
    return 0;
}
