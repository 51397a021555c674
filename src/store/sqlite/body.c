#include "store/sqlite/run.h"

int body_open(struct body *b, struct sqlite_store *s, int64_t entity_id, int64_t run, struct err *e)
{
    memset(b, 0, sizeof *b);
    try(sq_take(&s->q, SQL_BODY_GET, &b->statement, e));
    sq_int(b->statement, 1, entity_id);
    sq_int(b->statement, 2, run);
    int rc = sq_step(&s->q, b->statement, e);
    if (rc == 0)
        rc = err_set(e, ERR_BUG, "store %s: entity %lld has no body of run %lld", s->q.path, (long long)entity_id, (long long)run);
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

int links_read(struct buf *out, struct sqlite_store *s, enum links_side side, int64_t entity_id, int64_t as_of, struct err *e)
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
