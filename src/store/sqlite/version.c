#include "store/sqlite/version.h"

struct version version_of_row(sqlite3_stmt *s, struct arena *strings)
{
    struct version v = {.seq = seq_of(sq_col_int(s, 0)),
                        .kind = (enum kind)sq_col_int(s, 2),
                        .hash = sq_col_hash(s, 4),
                        .links_hash = sq_col_hash(s, 5),
                        .body_run = sq_col_int(s, 6),
                        .first_run = sq_col_int(s, 7),
                        .changed_run = sq_col_int(s, 8),
                        .deleted_run = sq_col_int(s, 9),
                        .evidence = (enum evidence)sq_col_int(s, 10),
                        .sd_id = sq_col_int(s, 11)};
    struct bytes guid = sq_col_blob(s, 3);
    if (guid.len == GUID_SIZE) memcpy(v.guid, guid.ptr, GUID_SIZE);
    v.stats = sq_col_blob(s, 12);
    if (strings) v.stats = arena_bytes(strings, v.stats);
    return v;
}

int version_get(struct sqlite_store *s, int64_t entity_id, int64_t as_of, struct version *out, bool *found,
                struct arena *strings, struct err *e)
{
    sqlite3_stmt *q;
    try(sq_take(&s->q, SQL_VERSION_NEWEST, &q, e));
    sq_int(q, 1, entity_id);
    sq_int(q, 2, as_of);
    int rc = sq_step(&s->q, q, e);
    *found = rc > 0;
    if (rc > 0) *out = version_of_row(q, strings);
    sq_give(&s->q, SQL_VERSION_NEWEST, q);
    if (!strings) out->stats = (struct bytes){NULL, 0};
    return rc < 0 ? rc : 0;
}

int body_open(struct body *b, struct sqlite_store *s, int64_t entity_id, int64_t run, struct err *e)
{
    memset(b, 0, sizeof *b);
    try(sq_take(&s->q, SQL_BODY_GET, &b->statement, e));
    sq_int(b->statement, 1, entity_id);
    sq_int(b->statement, 2, run);
    int rc = sq_step(&s->q, b->statement, e);
    if (rc == 0)
        rc = err_set(e, ERR_BUG, "store %s: entity %lld has no body of run %lld", s->q.path,
                     (long long)entity_id, (long long)run);
    if (rc < 0) {
        body_close(b, s);
        return rc;
    }
    b->record.dn = sq_col_text(b->statement, 0);
    b->name = sq_col_text(b->statement, 1);
    b->record.sid = sq_col_blob(b->statement, 2);
    b->record.state = sq_col_blob(b->statement, 3);
    return 0;
}

void body_close(struct body *b, struct sqlite_store *s)
{
    sq_give(&s->q, SQL_BODY_GET, b->statement);
    b->statement = NULL;
}

int sd_read(struct buf *out, struct sqlite_store *s, int64_t sd_id, struct err *e)
{
    if (!sd_id) return 0;
    sqlite3_stmt *q;
    try(sq_take(&s->q, SQL_SD_GET, &q, e));
    sq_int(q, 1, sd_id);
    int rc = sq_step(&s->q, q, e);
    if (rc > 0) buf_add_bytes(out, sq_col_blob(q, 0));
    sq_give(&s->q, SQL_SD_GET, q);
    return rc < 0 ? rc : 0;
}

int links_read(struct buf *out, struct sqlite_store *s, enum links_side side, int64_t entity_id,
               int64_t as_of, struct err *e)
{
    sqlite3_stmt *q;
    try(sq_take(&s->q, SQL_LINKS_NEWEST, &q, e));
    sq_int(q, 1, side);
    sq_int(q, 2, entity_id);
    sq_int(q, 3, as_of);
    int rc = sq_step(&s->q, q, e);
    if (rc > 0) buf_add_bytes(out, sq_col_blob(q, 0));
    sq_give(&s->q, SQL_LINKS_NEWEST, q);
    return rc < 0 ? rc : 0;
}
