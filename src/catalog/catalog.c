#include "catalog/catalog_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

const char *const catalog_sql[SQL_COUNT] = {
#define X(id, text) text,
    CATALOG_SQL(X)
#undef X
};

/* --- the tables ------------------------------------------------------------------------------------ */

#define EXPAND(x) #x
#define TEXT(x)   EXPAND(x)

/* clang-format off */
static const char tables[] =
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;"
    /* run: the visible one that the rows are of */
    "CREATE TABLE source (source INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, run INTEGER NOT NULL, ended_ms INTEGER NOT NULL,"
    " is_tenant INTEGER NOT NULL) STRICT;"
    "CREATE TABLE cell (cell INTEGER PRIMARY KEY, source INTEGER NOT NULL, kind INTEGER NOT NULL, enabled INTEGER NOT NULL,"
    " admin INTEGER NOT NULL, mfa INTEGER NOT NULL, sign_in INTEGER NOT NULL, tags INTEGER NOT NULL, deleted INTEGER NOT NULL,"
    " n INTEGER NOT NULL) STRICT;"
    /* docid: ascending with (name_key, entity) */
    "CREATE TABLE asset (docid INTEGER PRIMARY KEY, source INTEGER NOT NULL, entity INTEGER NOT NULL, hash INTEGER NOT NULL,"
    " cell INTEGER NOT NULL, name_key TEXT NOT NULL, account_key TEXT NOT NULL, name TEXT NOT NULL, account TEXT NOT NULL,"
    " display_name TEXT NOT NULL, mail TEXT NOT NULL, dn TEXT NOT NULL, guid BLOB NOT NULL, last_sign_in INTEGER NOT NULL,"
    " last_changed INTEGER NOT NULL, deleted_ms INTEGER NOT NULL) STRICT;"
    /* without the text: it follows from the row (asset_words) */
    "CREATE VIRTUAL TABLE words USING fts5 (text, content = '', columnsize = 0, detail = none, tokenize = 'trigram case_sensitive 1');"
    "CREATE TABLE fill (source INTEGER NOT NULL, kind INTEGER NOT NULL, attribute TEXT NOT NULL, type INTEGER NOT NULL,"
    " is_multi INTEGER NOT NULL, number INTEGER NOT NULL, filled INTEGER NOT NULL, sample TEXT NOT NULL,"
    " PRIMARY KEY (source, kind, attribute)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE edge (entra INTEGER NOT NULL, ad INTEGER NOT NULL, rule TEXT NOT NULL, confidence INTEGER NOT NULL,"
    " confirmed INTEGER NOT NULL, contradicts INTEGER NOT NULL, conflict INTEGER NOT NULL, entra_source INTEGER NOT NULL,"
    " ad_source INTEGER NOT NULL, PRIMARY KEY (entra, ad)) STRICT, WITHOUT ROWID;"
    "PRAGMA application_id = " TEXT(APPLICATION_ID) ";"
    "PRAGMA user_version = " TEXT(CATALOG_FORMAT) ";";

static const char indexes[] =
    "CREATE INDEX asset_cell ON asset (cell);"
    "CREATE INDEX asset_account ON asset (cell, account_key);"
    "CREATE INDEX asset_sign_in ON asset (cell, last_sign_in);"
    "CREATE INDEX asset_changed ON asset (cell, last_changed);"
    "CREATE INDEX asset_name ON asset (name_key, entity);"
    "CREATE UNIQUE INDEX asset_entity ON asset (source, entity, hash, cell);"
    "CREATE INDEX edge_ad ON edge (ad);";
/* clang-format on */

int catalog_make_tables(struct db *d, struct err *e)
{
    return db_exec(d, tables, e);
}

int catalog_make_indexes(struct db *d, struct err *e)
{
    return db_exec(d, indexes, e);
}

static int pragma(struct db *d, const char *sql, int64_t *out, struct err *e)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(d->db, sql, -1, &s, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_step(s);
    *out = rc == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    sqlite3_finalize(s);
    return rc == SQLITE_ROW ? 0 : db_error(d, rc, e);
}

int catalog_check(struct db *d, struct err *e)
{
    int64_t application, format;
    try(pragma(d, "PRAGMA application_id", &application, e));
    try(pragma(d, "PRAGMA user_version", &format, e));
    if (application == APPLICATION_ID && format == CATALOG_FORMAT) return 0;
    err_set(e, ERR_INPUT, "catalog %s: not of this version of rollcall", d->path);
    return err_hint(e, "it is made again after the next run");
}

/* --- cells ----------------------------------------------------------------------------------------- */

void cells_free(struct cells *c)
{
    free(c->list);
    hmap_free(&c->by_facts);
    hmap_free(&c->by_id);
    *c = (struct cells){0};
}

static struct hash128 hash_facts(const struct cell *c)
{
    uint64_t lo = c->source | (uint64_t)c->tags << 32;
    uint64_t hi = c->kind | (uint64_t)c->enabled << 8 | (uint64_t)c->admin << 16 | (uint64_t)c->mfa << 24 | (uint64_t)c->sign_in << 32 | (uint64_t)c->deleted << 40;
    return (struct hash128){lo * UINT64_C(0x9e3779b97f4a7c15) ^ lo >> 29, hi * UINT64_C(0xff51afd7ed558ccd) ^ lo};
}

static struct hash128 hash_id(int64_t id)
{
    return (struct hash128){(uint64_t)id * UINT64_C(0x9e3779b97f4a7c15), (uint64_t)id};
}

struct cell *cells_add(struct cells *c, const struct cell *facts)
{
    bool is_new;
    GROW(c->list, c->n, c->cap, 64);
    c->list[c->n++] = *facts;
    *hmap_put(&c->by_facts, hash_facts(facts), &is_new) = (uint32_t)c->n;
    *hmap_put(&c->by_id, hash_id(facts->id), &is_new) = (uint32_t)c->n;
    return &c->list[c->n - 1];
}

struct cell *cells_of(struct cells *c, const struct cell *facts)
{
    uint32_t *at = hmap_find(&c->by_facts, hash_facts(facts));
    if (at) return &c->list[*at - 1];
    struct cell made = *facts;
    made.n = 0;
    made.id = 1;
    for (size_t i = 0; i < c->n; i++)
        if (c->list[i].id >= made.id) made.id = c->list[i].id + 1;
    return cells_add(c, &made);
}

struct cell *cells_find(const struct cells *c, int64_t id)
{
    uint32_t *at = hmap_find(&c->by_id, hash_id(id));
    return at ? &c->list[*at - 1] : NULL;
}

const struct source *source_named(const struct sources *s, struct str name)
{
    for (size_t i = 0; i < s->n; i++)
        if (str_equal(str_from(s->list[i].name), name)) return &s->list[i];
    return NULL;
}

const struct source *source_of(const struct sources *s, int64_t id)
{
    if (id > 0 && (size_t)id <= s->n && s->list[id - 1].id == id) return &s->list[id - 1]; /* as it is while none is removed */
    for (size_t i = 0; i < s->n; i++)
        if (s->list[i].id == id) return &s->list[i];
    return NULL;
}

static int read_cells(struct catalog *c, struct err *e)
{
    sqlite3_stmt *s;
    int rc;
    cells_free(&c->cells);
    try(db_take(&c->db, SQL_CELLS, &s, e));
    while ((rc = db_step(&c->db, s, e)) > 0) {
        struct cell x = {.id = sqlite3_column_int64(s, 0),
                         .source = (uint32_t)sqlite3_column_int64(s, 1),
                         .kind = (uint8_t)sqlite3_column_int(s, 2),
                         .enabled = (uint8_t)sqlite3_column_int(s, 3),
                         .admin = (uint8_t)sqlite3_column_int(s, 4),
                         .mfa = (uint8_t)sqlite3_column_int(s, 5),
                         .sign_in = (uint8_t)sqlite3_column_int(s, 6),
                         .tags = (uint32_t)sqlite3_column_int64(s, 7),
                         .deleted = (uint8_t)sqlite3_column_int(s, 8),
                         .n = sqlite3_column_int64(s, 9)};
        cells_add(&c->cells, &x);
    }
    return rc;
}

static int read_sources(struct catalog *c, struct err *e)
{
    sqlite3_stmt *s;
    int rc;
    c->sources.n = 0;
    try(db_take(&c->db, SQL_SOURCES, &s, e));
    while ((rc = db_step(&c->db, s, e)) > 0) {
        struct source x = {.id = sqlite3_column_int64(s, 0),
                           .run = sqlite3_column_int64(s, 2),
                           .ended_ms = sqlite3_column_int64(s, 3),
                           .is_tenant = sqlite3_column_int(s, 4) != 0};
        snprintf(x.name, sizeof x.name, "%.*s", STR_FMT(db_col_text(s, 1)));
        GROW(c->sources.list, c->sources.n, c->sources.cap, 8);
        c->sources.list[c->sources.n++] = x;
    }
    return rc;
}

int catalog_read_state(struct catalog *c, struct err *e)
{
    try(read_cells(c, e));
    return read_sources(c, e);
}

/* --- the handle ------------------------------------------------------------------------------------ */

static uint64_t inode_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? st.st_ino : 0;
}

static int open_file(struct catalog *c, const char *path, struct err *e)
{
    c->inode = inode_of(path);
    c->generation = 0;
    if (!c->inode) {
        err_set(e, ERR_NOTFOUND, "there is no catalog yet");
        return err_hint(e, "it is made after the first run of a connector");
    }
    /* A reader of WAL keeps its place in the shared-memory file, so it opens for writing too. */
    try(db_open(&c->db, path, SQLITE_OPEN_READWRITE, catalog_sql, SQL_COUNT, e));
    int rc = db_exec(&c->db, "PRAGMA cache_size = -4096; PRAGMA mmap_size = 0", e);
    if (rc == 0) rc = catalog_check(&c->db, e);
    if (rc < 0) db_close(&c->db);
    return rc;
}

int catalog_open(struct catalog **out, const char *path, struct err *e)
{
    struct catalog *c = x_zalloc(sizeof *c);
    int rc = open_file(c, path, e);
    if (rc < 0) {
        free(c);
        return rc;
    }
    *out = c;
    return 0;
}

void catalog_close(struct catalog *c)
{
    if (!c) return;
    db_close(&c->db);
    cells_free(&c->cells);
    free(c->sources.list);
    free(c);
}

const char *catalog_path(const struct catalog *c)
{
    return c->db.path;
}

/* A file that was made anew has another inode: the old one is still whole, but nobody writes it any more. */
static int follow(struct catalog *c, struct err *e)
{
    if (c->db.db && inode_of(c->db.path) == c->inode) return 0;
    defer_free char *path = x_strdup(str_from(c->db.path));
    struct db old = c->db;
    uint64_t inode = c->inode;
    int64_t generation = c->generation;
    int rc = open_file(c, path, e);
    if (rc == 0) {
        db_close(&old);
        return 0;
    }
    c->db = old; /* and the next one follows again */
    c->inode = inode;
    c->generation = generation;
    return rc;
}

int catalog_begin(struct catalog *c, struct err *e)
{
    sqlite3_stmt *s;
    int64_t generation;
    try(follow(c, e));
    try(db_take(&c->db, SQL_BEGIN, &s, e));
    try(db_run(&c->db, s, e));
    int rc = db_number(&c->db, SQL_GENERATION, 0, NULL, 0, &generation, e);
    if (rc == 0 && generation != c->generation) {
        rc = catalog_read_state(c, e);
        if (rc == 0) c->generation = generation;
    }
    if (rc < 0) catalog_end(c);
    return rc;
}

void catalog_end(struct catalog *c)
{
    struct err ignored;
    sqlite3_stmt *s;
    if (sqlite3_get_autocommit(c->db.db)) return;
    if (db_take(&c->db, SQL_END, &s, &ignored) < 0 || db_run(&c->db, s, &ignored) < 0) sqlite3_exec(c->db.db, "ROLLBACK", NULL, NULL, NULL);
}
