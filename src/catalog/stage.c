/* Rows that a refresh is going to write, aside in a file of their own, so that they can be read back in the order of names. */
#include "catalog/catalog_int.h"

#include <stdio.h>
#include <unistd.h>

enum stage_sql { STAGE_PUT, STAGE_GONE, STAGE_EACH, STAGE_KEPT, STAGE_OLD, STAGE_SQL_COUNT };

#define COLUMNS                                                                                                                                      \
    "old_docid, source, entity, hash, cell, name_key, account_key, name, account, display_name, mail, dn, guid, last_sign_in, last_changed, deleted_ms"
static const char *const sql[STAGE_SQL_COUNT] = {
    [STAGE_PUT] = "INSERT INTO row (" COLUMNS ", how) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
    [STAGE_GONE] = "INSERT INTO row (old_docid) VALUES (?1)",
    [STAGE_EACH] = "SELECT " COLUMNS " FROM row WHERE how = 0 ORDER BY name_key, entity",
    [STAGE_KEPT] = "SELECT " COLUMNS " FROM row WHERE how = ?1 ORDER BY old_docid",
    [STAGE_OLD] = "SELECT old_docid FROM row WHERE old_docid <> 0 AND (how = 0 OR how IS NULL) ORDER BY old_docid",
};

static const char ddl[] = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -8192; PRAGMA locking_mode = EXCLUSIVE;"
                          "CREATE TABLE row (old_docid INTEGER NOT NULL, source INTEGER, entity INTEGER, hash INTEGER, cell INTEGER, name_key TEXT,"
                          " account_key TEXT, name TEXT, account TEXT, display_name TEXT, mail TEXT, dn TEXT, guid BLOB, last_sign_in INTEGER,"
                          " last_changed INTEGER, deleted_ms INTEGER, how INTEGER) STRICT; BEGIN";

static void path_of(const struct refresh *r, char out[4200])
{
    snprintf(out, 4200, "%s.stage", r->path);
}

int stage_open(struct refresh *r, struct err *e)
{
    char path[4200];
    path_of(r, path);
    unlink(path);
    r->n_staged = 0;
    try(db_open(&r->stage, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, sql, STAGE_SQL_COUNT, e));
    return db_exec(&r->stage, ddl, e);
}

void stage_close(struct refresh *r)
{
    char path[4200];
    if (!r->stage.db) return;
    db_close(&r->stage);
    path_of(r, path);
    unlink(path);
}

static void bind(sqlite3_stmt *s, int64_t first, const struct asset *a)
{
    const int64_t numbers[] = {first, a->facts.source, a->entity, a->hash, a->facts.id};
    const struct str texts[] = {a->name_key, a->account_key, a->name, a->account, a->display_name, a->mail, a->dn};
    for (int i = 0; i < 5; i++) db_int(s, i + 1, numbers[i]);
    for (int i = 0; i < 7; i++) db_text(s, i + 6, texts[i]);
    db_blob(s, 13, (struct bytes){a->guid, GUID_SIZE});
    db_int(s, 14, a->last_sign_in);
    db_int(s, 15, a->last_changed);
    db_int(s, 16, a->deleted);
}

int stage_put(struct refresh *r, const struct asset *a, int64_t old_docid, enum stage_how how, struct err *e)
{
    sqlite3_stmt *s;
    try(db_take(&r->stage, STAGE_PUT, &s, e));
    bind(s, old_docid, a);
    db_int(s, 17, how);
    r->n_staged++;
    return db_run(&r->stage, s, e);
}

int stage_gone(struct refresh *r, int64_t old_docid, struct err *e)
{
    sqlite3_stmt *s;
    try(db_take(&r->stage, STAGE_GONE, &s, e));
    db_int(s, 1, old_docid);
    r->n_staged++;
    return db_run(&r->stage, s, e);
}

static void read_row(sqlite3_stmt *s, struct asset *a)
{
    *a = (struct asset){.docid = sqlite3_column_int64(s, 0),
                        .entity = sqlite3_column_int64(s, 2),
                        .hash = sqlite3_column_int64(s, 3),
                        .facts = {.source = (uint32_t)sqlite3_column_int64(s, 1), .id = sqlite3_column_int64(s, 4)},
                        .name_key = db_col_text(s, 5),
                        .account_key = db_col_text(s, 6),
                        .name = db_col_text(s, 7),
                        .account = db_col_text(s, 8),
                        .display_name = db_col_text(s, 9),
                        .mail = db_col_text(s, 10),
                        .dn = db_col_text(s, 11),
                        .last_sign_in = sqlite3_column_int64(s, 13),
                        .last_changed = sqlite3_column_int64(s, 14),
                        .deleted = sqlite3_column_int64(s, 15)};
    struct bytes guid = db_col_blob(s, 12);
    if (guid.len == GUID_SIZE) memcpy(a->guid, guid.ptr, GUID_SIZE);
}

static int each_row(struct refresh *r, sqlite3_stmt *s, int (*each)(void *ctx, const struct asset *a, struct err *e), void *ctx, struct err *e)
{
    int rc;
    while ((rc = db_step(&r->stage, s, e)) > 0) {
        struct asset a;
        read_row(s, &a);
        if ((rc = each(ctx, &a, e)) < 0) break;
    }
    sqlite3_reset(s);
    return rc;
}

int stage_each(struct refresh *r, int (*each)(void *ctx, const struct asset *a, struct err *e), void *ctx, struct err *e)
{
    sqlite3_stmt *s;
    try(db_take(&r->stage, STAGE_EACH, &s, e));
    return each_row(r, s, each, ctx, e);
}

int stage_each_kept(struct refresh *r, bool has_words, int (*each)(void *ctx, const struct asset *a, struct err *e), void *ctx, struct err *e)
{
    sqlite3_stmt *s;
    try(db_take(&r->stage, STAGE_KEPT, &s, e));
    db_int(s, 1, has_words ? STAGE_KEEP_WORDS : STAGE_KEEP_PLACE);
    return each_row(r, s, each, ctx, e);
}

int stage_each_old(struct refresh *r, int (*each)(void *ctx, int64_t docid, struct err *e), void *ctx, struct err *e)
{
    sqlite3_stmt *s;
    int rc;
    try(db_take(&r->stage, STAGE_OLD, &s, e));
    while ((rc = db_step(&r->stage, s, e)) > 0)
        if ((rc = each(ctx, sqlite3_column_int64(s, 0), e)) < 0) break;
    sqlite3_reset(s);
    return rc;
}

int write_columns(struct db *d, enum catalog_sql how, const struct asset *a, struct err *e)
{
    sqlite3_stmt *s;
    try(db_take(d, how, &s, e));
    bind(s, a->docid, a);
    return db_run(d, s, e);
}

int write_row(struct db *d, const struct asset *a, struct buf *words, struct err *e)
{
    sqlite3_stmt *s;
    try(write_columns(d, SQL_INSERT, a, e));
    buf_clear(words);
    asset_words(words, a->name, a->account, a->display_name, a->mail);
    try(db_take(d, SQL_WORDS_ADD, &s, e));
    db_int(s, 1, a->docid);
    db_text(s, 2, buf_str(words));
    return db_run(d, s, e);
}
