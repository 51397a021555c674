/* Notes: named bytes of a connector. What they say is their writers' business. And gaps found when a run is over. */
#include "store/sqlite/read.h"
#include "store/sqlite/run.h"

static int write_note(struct sq *q, int64_t connector, struct str name, struct bytes value, struct err *e)
{
    enum sql id = value.len ? SQL_NOTE_PUT : SQL_NOTE_DROP;
    sqlite3_stmt *s;
    try(sq_take(q, id, &s, e));
    sq_int(s, 1, connector);
    sq_text(s, 2, name);
    if (value.len) sq_blob(s, 3, value);
    int rc = sq_run(q, s, e);
    sq_give(q, id, s);
    return rc;
}

/* --- at once ---------------------------------------------------------------------------------- */

int note_get(struct store *store, struct str connector, struct str name, struct buf *out, struct err *e)
{
    struct sq *q = &sqlite_of(store)->q;
    sqlite3_stmt *s;
    buf_clear(out);
    try(sq_take(q, SQL_NOTE_GET, &s, e));
    sq_text(s, 1, connector);
    sq_text(s, 2, name);
    int rc = sq_step(q, s, e);
    if (rc > 0) buf_add_bytes(out, sq_col_blob(s, 0));
    sq_give(q, SQL_NOTE_GET, s);
    if (rc < 0) return rc;
    if (rc == 0)
        return err_set(e, ERR_NOTFOUND, "connector %.*s: no note %.*s", STR_FMT(connector), STR_FMT(name));
    return out->failed ? err_set(e, ERR_LIMIT, "connector %.*s: the note %.*s is too long",
                                 STR_FMT(connector), STR_FMT(name))
                       : 0;
}

static int put_note(struct sq *q, struct str connector, struct str source, struct str name,
                    struct bytes value, struct err *e)
{
    struct connector_row row = {0};
    int rc = connector_find(q, connector, &row, e);
    if (rc == 0 && !value.len) return 0;
    if (rc == 0) {
        try(connector_check_name(connector, e));
        try(connector_add(q, connector, source, e));
        rc = connector_find(q, connector, &row, e);
    }
    return rc < 0 ? rc : write_note(q, row.id, name, value, e);
}

int note_put(struct store *store, struct str connector, struct str source, struct str name,
             struct bytes value, struct err *e)
{
    struct sqlite_store *s = sqlite_of(store);
    if (!sqlite3_get_autocommit(s->q.db)) return err_set(e, ERR_BUG, "store: a note within a transaction");
    try(sq_exec(&s->q, "BEGIN IMMEDIATE", e));
    int rc = put_note(&s->q, connector, source, name, value, e);
    if (rc == 0) rc = sq_exec(&s->q, "COMMIT", e);
    if (rc < 0) sqlite3_exec(s->q.db, "ROLLBACK", NULL, NULL, NULL);
    s->is_stale = true;
    return rc;
}

/* --- a gap afterwards ------------------------------------------------------------------------- */

static int put_gap(struct sq *q, int64_t run, const struct gap *g, struct err *e)
{
    sqlite3_stmt *s;
    try(sq_take(q, SQL_GAP_ADD, &s, e));
    sq_int(s, 1, run);
    sq_int(s, 2, g->kind);
    sq_text(s, 3, g->what);
    sq_text(s, 4, g->where);
    sq_text(s, 5, g->fix);
    int rc = sq_run(q, s, e);
    sq_give(q, SQL_GAP_ADD, s);
    return rc < 0 ? rc : SQ_DO(q, SQL_GAP_COUNTED, e, run);
}

int gap_add(struct store *store, int64_t run, const struct gap *g, struct err *e)
{
    struct sqlite_store *s = sqlite_of(store);
    try(sq_exec(&s->q, "BEGIN IMMEDIATE", e));
    int rc = put_gap(&s->q, run, g, e);
    if (rc == 0) rc = sq_exec(&s->q, "COMMIT", e);
    if (rc < 0) sqlite3_exec(s->q.db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

/* --- with a run ------------------------------------------------------------------------------- */

int run_note(struct store_run *run, struct str name, struct bytes value, struct err *e)
{
    struct sqlite_run *r = run_of(run);
    buf_add_lstr(&r->notes, bytes_of(name));
    buf_add_lstr(&r->notes, value);
    return r->notes.failed ? err_set(e, ERR_LIMIT, "store: the note %.*s is too long", STR_FMT(name)) : 0;
}

int notes_write(struct sqlite_run *r, struct err *e)
{
    struct cursor c = cursor_new(buf_bytes(&r->notes));
    while (c.in.len && !c.failed) {
        struct bytes name = cursor_lstr(&c), value = cursor_lstr(&c);
        try(write_note(&r->s->q, r->connector, str_of(name), value, e));
    }
    return 0;
}
