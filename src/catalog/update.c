/* What differs, in one transaction: readers see all of it or nothing. */
#include "catalog/catalog_int.h"

#include <stdlib.h>

struct updating {
    struct refresh *r;
    struct db *db;
    struct buf words;
    /* new rows that wait for their numbers: all between the same two rows */
    struct asset *run;
    size_t n_run, cap;
    struct arena texts;
    int64_t low, high; /* docids of the two */
};

/* --- taking away --------------------------------------------------------------------------------------- */

/* The full-text index forgets a row only when it is told its text. */
static int drop_words(struct updating *u, int64_t docid, struct err *e)
{
    sqlite3_stmt *s;
    try(db_take(u->db, SQL_TEXTS, &s, e));
    db_int(s, 1, docid);
    int rc = db_step(u->db, s, e);
    buf_clear(&u->words);
    if (rc > 0) asset_words(&u->words, db_col_text(s, 1), db_col_text(s, 2), db_col_text(s, 3), db_col_text(s, 4));
    sqlite3_reset(s);
    if (rc <= 0) return rc;
    try(db_take(u->db, SQL_WORDS_DROP, &s, e));
    db_int(s, 1, docid);
    db_text(s, 2, buf_str(&u->words));
    return db_run(u->db, s, e);
}

static int drop_old(void *ctx, int64_t docid, struct err *e)
{
    struct updating *u = ctx;
    sqlite3_stmt *s;
    try(drop_words(u, docid, e));
    try(db_take(u->db, SQL_DELETE, &s, e));
    db_int(s, 1, docid);
    return db_run(u->db, s, e);
}

/* --- in its place ---------------------------------------------------------------------------------------- */

static int keep_words(void *ctx, const struct asset *a, struct err *e)
{
    return write_columns(((struct updating *)ctx)->db, SQL_UPDATE, a, e);
}

static int change_words(void *ctx, const struct asset *a, struct err *e)
{
    struct updating *u = ctx;
    sqlite3_stmt *s;
    try(drop_words(u, a->docid, e));
    try(write_columns(u->db, SQL_UPDATE, a, e));
    buf_clear(&u->words);
    asset_words(&u->words, a->name, a->account, a->display_name, a->mail);
    try(db_take(u->db, SQL_WORDS_ADD, &s, e));
    db_int(s, 1, a->docid);
    db_text(s, 2, buf_str(&u->words));
    return db_run(u->db, s, e);
}

/* --- putting in ----------------------------------------------------------------------------------------- */

static int compare_place(const struct asset *a, struct str name_key, int64_t entity)
{
    int d = str_compare(a->name_key, name_key);
    return d ? d : COMPARE(a->entity, entity);
}

/* The numbers between low and high, evenly. */
static int write_run(struct updating *u, struct err *e)
{
    uint64_t room = (uint64_t)u->high - (uint64_t)u->low, step = room / (u->n_run + 1);
    if (u->n_run && !step) return err_set(e, ERR_CONFLICT, "catalog: no room between two names");
    for (size_t i = 0; i < u->n_run; i++) {
        u->run[i].docid = u->low + (int64_t)(step * (i + 1));
        try(write_row(u->db, &u->run[i], &u->words, e));
    }
    u->n_run = 0;
    arena_clear(&u->texts);
    return 0;
}

static int find_place(struct updating *u, const struct asset *a, struct err *e)
{
    sqlite3_stmt *s;
    int rc;
    u->low = 0;
    for (int i = 0; i < 2 && !u->low; i++) {
        try(db_take(u->db, i ? SQL_PLACE_UP : SQL_PLACE_TIE_UP, &s, e));
        db_text(s, 1, a->name_key);
        if (i == 0) db_int(s, 2, a->entity);
        if ((rc = db_step(u->db, s, e)) < 0) return rc;
        if (rc > 0) u->low = sqlite3_column_int64(s, 0);
        sqlite3_reset(s);
    }
    return 0;
}

/* At the end of the names there is as much room as between two of them, for each that comes. */
static int find_next(struct updating *u, const struct asset *a, bool *is_behind, struct err *e)
{
    sqlite3_stmt *s;
    try(db_take(u->db, SQL_NEXT_PLACE, &s, e));
    db_int(s, 1, u->low);
    int rc = db_step(u->db, s, e);
    if (rc < 0) return rc;
    u->high = rc ? sqlite3_column_int64(s, 0) : u->low + ((INT64_MAX - u->low) >> 12);
    *is_behind = rc > 0 && compare_place(a, db_col_text(s, 1), sqlite3_column_int64(s, 2)) > 0;
    sqlite3_reset(s);
    return 0;
}

static void keep(struct updating *u, const struct asset *a)
{
    GROW(u->run, u->n_run, u->cap, 256);
    struct asset *x = &u->run[u->n_run++];
    *x = *a;
    struct str *texts[] = {&x->name, &x->account, &x->display_name, &x->mail, &x->dn, &x->name_key, &x->account_key};
    for (size_t i = 0; i < n_elements(texts); i++) *texts[i] = arena_str(&u->texts, *texts[i]);
}

/* Rows come in the order of names: as long as the next one stands before the row at `high`, it belongs to the same run. */
static int put_one(void *ctx, const struct asset *a, struct err *e)
{
    struct updating *u = ctx;
    bool is_behind = true;
    if (u->n_run) try(find_next(u, a, &is_behind, e));
    if (is_behind || u->n_run == 100000) {
        try(write_run(u, e));
        try(find_place(u, a, e));
        try(find_next(u, a, &is_behind, e));
    }
    keep(u, a);
    return 0;
}

int update_rows(struct refresh *r, struct err *e)
{
    struct updating u = {.r = r, .db = &r->old->db, .words = buf_new((size_t)1 << 16), .texts = arena_new((size_t)4 << 30)};
    int rc = db_exec(u.db, "PRAGMA cache_size = -65536; BEGIN IMMEDIATE", e);
    if (rc == 0) rc = stage_each_old(r, drop_old, &u, e);
    if (rc == 0) rc = stage_each_kept(r, true, keep_words, &u, e);
    if (rc == 0) rc = stage_each_kept(r, false, change_words, &u, e);
    if (rc == 0) rc = stage_each(r, put_one, &u, e);
    if (rc == 0) rc = write_run(&u, e);
    if (rc == 0) rc = write_state(r, u.db, e);
    if (rc == 0) rc = db_exec(u.db, "COMMIT", e);
    if (rc < 0) sqlite3_exec(u.db->db, "ROLLBACK", NULL, NULL, NULL);
    free(u.run);
    buf_free(&u.words);
    arena_free(&u.texts);
    return rc;
}
