#include "store/sqlite/read.h"

int reading_begin(struct reading *r, struct sqlite_store *s, struct err *e)
{
    *r = (struct reading){s, sqlite3_get_autocommit(s->q.db) != 0};
    if (r->is_mine) try(sq_exec(&s->q, "BEGIN", e));
    int rc = handle_refresh(s, e);
    if (rc < 0) reading_end(r);
    return rc;
}

void reading_end(struct reading *r)
{
    if (r->is_mine && !sqlite3_get_autocommit(r->s->q.db))
        sqlite3_exec(r->s->q.db, "COMMIT", NULL, NULL, NULL);
    r->is_mine = false;
}

struct entity_reader entity_reader_new(struct sqlite_store *s)
{
    return (struct entity_reader){.s = s, .sd = buf_new((size_t)64 << 20)};
}

void entity_reader_free(struct entity_reader *r)
{
    body_close(&r->body, r->s);
    buf_free(&r->sd);
}

static int read_sd(struct entity_reader *r, int64_t sd_id, struct err *e)
{
    if (sd_id == r->sd_id) return 0; /* neighbours often share one */
    buf_clear(&r->sd);
    r->sd_id = sd_id;
    return sd_read(&r->sd, r->s, sd_id, e);
}

int entity_read_bare(struct entity_reader *r, const struct known_connector *c, const struct version *v,
                     struct err *e)
{
    body_close(&r->body, r->s);
    try(body_open(&r->body, r->s, entity_id_of(c->id, v->seq), v->body_run, e));
    r->entity = (struct entity){.id = entity_id_of(c->id, v->seq),
                                .connector = str_from(c->name),
                                .record = r->body.record,
                                .name = r->body.name,
                                .first_seen_ms = handle_run_time(r->s, v->first_run),
                                .last_changed_ms = handle_run_time(r->s, v->changed_run),
                                .deleted_ms = handle_run_time(r->s, v->deleted_run),
                                .evidence = v->evidence};
    r->entity.record.kind = v->kind;
    r->entity.record.stats = v->stats;
    memcpy(r->entity.record.guid, v->guid, GUID_SIZE);
    return 0;
}

int entity_read(struct entity_reader *r, const struct known_connector *c, const struct version *v,
                struct err *e)
{
    try(entity_read_bare(r, c, v, e));
    try(read_sd(r, v->sd_id, e));
    r->entity.sd = buf_bytes(&r->sd);
    return 0;
}
