/* everything.c - a connector's whole visible snapshot in one go, for who asks questions of all of it. */
#include "store/sqlite/read.h"

#include <stdlib.h>

struct pass {
    struct sqlite_store *s;
    struct known_connector *c;
    const struct store_everything *to;
    void *ctx;
    struct store_member *members;
    size_t cap;
};

static int give_entity(struct pass *p, struct entity_reader *r, const struct version *v, struct err *e)
{
    if (v->deleted_run) return 0;
    try(entity_read_bare(r, p->c, v, e));
    try(privileges_of(p->s, p->c, v->seq, &r->entity.privileges, e));
    return p->to->entity(p->ctx, &r->entity, v->sd_id, e);
}

static int all_entities(struct pass *p, struct err *e)
{
    struct entity_reader r = entity_reader_new(p->s);
    sqlite3_stmt *q;
    uint32_t last = 0;
    int rc = sq_take(&p->s->q, SQL_VERSION_FROM, &q, e);
    if (rc < 0) return rc;
    sq_int(q, 1, entity_id_of(p->c->id, 0));
    sq_int(q, 2, entity_id_of(p->c->id + 1, 0));
    sq_int(q, 3, p->c->visible_run);
    sq_int(q, 4, -1);
    while ((rc = sq_step(&p->s->q, q, e)) > 0) {
        struct version v = version_of_row(q, NULL);
        if (v.seq == last) continue; /* newest first */
        last = v.seq;
        rc = give_entity(p, &r, &v, e);
        if (rc < 0) break;
    }
    sq_give(&p->s->q, SQL_VERSION_FROM, q);
    entity_reader_free(&r);
    return rc;
}

static int give_members(struct pass *p, int64_t group, struct bytes list, struct err *e)
{
    struct idlist l = idlist_read(list);
    uint32_t pair;
    size_t n = 0;
    while (idlist_next(&l, &pair)) {
        GROW(p->members, n, p->cap, 1024);
        p->members[n++] = (struct store_member){entity_id_of(p->c->id, pair_seq(pair)), (enum link_via)pair_via(pair)};
    }
    if (l.left.failed) return err_set(e, ERR_BUG, "store %s: malformed membership list", p->s->q.path);
    return p->to->members(p->ctx, group, p->members, n, e);
}

static int give_missing(struct pass *p, int64_t owner, struct bytes list, struct err *e)
{
    struct cursor c = cursor_new(list);
    while (c.in.len && !c.failed) {
        struct str text = str_of(cursor_lstr(&c));
        if (!c.failed) try(p->to->missing(p->ctx, owner, text, e));
    }
    return 0;
}

static int all_lists(struct pass *p, enum links_side side, struct err *e)
{
    sqlite3_stmt *q;
    int64_t last = 0;
    int rc = sq_take(&p->s->q, SQL_LINKS_FROM, &q, e);
    if (rc < 0) return rc;
    sq_int(q, 1, side);
    sq_int(q, 2, entity_id_of(p->c->id, 0));
    sq_int(q, 3, entity_id_of(p->c->id + 1, 0));
    sq_int(q, 4, p->c->visible_run);
    sq_int(q, 5, -1);
    while ((rc = sq_step(&p->s->q, q, e)) > 0) {
        int64_t owner = sq_col_int(q, 0);
        if (owner == last) continue; /* newest first */
        last = owner;
        struct bytes list = sq_col_blob(q, 2);
        if (!list.len) continue;
        rc = side == SIDE_MEMBERS ? give_members(p, owner, list, e) : give_missing(p, owner, list, e);
        if (rc < 0) break;
    }
    sq_give(&p->s->q, SQL_LINKS_FROM, q);
    return rc;
}

static int all_descriptors(struct pass *p, struct err *e)
{
    sqlite3_stmt *q;
    int rc = sq_take(&p->s->q, SQL_SD_FROM, &q, e);
    if (rc < 0) return rc;
    sq_int(q, 1, entity_id_of(p->c->id, 0));
    sq_int(q, 2, entity_id_of(p->c->id + 1, 0));
    while ((rc = sq_step(&p->s->q, q, e)) > 0) {
        rc = p->to->descriptor(p->ctx, sq_col_int(q, 0), sq_col_blob(q, 1), e);
        if (rc < 0) break;
    }
    sq_give(&p->s->q, SQL_SD_FROM, q);
    return rc;
}

int read_everything(struct store *store, struct str connector, const struct store_everything *to, void *ctx, struct err *e)
{
    struct pass p = {.s = sqlite_of(store), .to = to, .ctx = ctx};
    struct reading reading;
    try(reading_begin(&reading, p.s, e));
    int rc = handle_connector_get(p.s, connector, &p.c, e);
    if (rc == 0 && p.c->visible_run) {
        rc = all_entities(&p, e);
        if (rc == 0) rc = all_lists(&p, SIDE_MEMBERS, e);
        if (rc == 0) rc = all_lists(&p, SIDE_MISSING, e);
        if (rc == 0) rc = all_descriptors(&p, e);
    }
    reading_end(&reading);
    free(p.members);
    return rc;
}

int read_connectors(struct store *store, bool (*each)(void *ctx, struct str name), void *ctx, struct err *e)
{
    struct sqlite_store *s = sqlite_of(store);
    struct reading reading;
    try(reading_begin(&reading, s, e));
    for (size_t i = 0; i < s->n_connectors; i++)
        if (s->connectors[i].visible_run && !each(ctx, str_from(s->connectors[i].name))) break;
    reading_end(&reading);
    return 0;
}
