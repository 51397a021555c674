/* One pass over the visible snapshots of the connectors that have a new one. Every entity is looked at: whom nothing happened to may have become
 * privileged by a group's change, may have signed in (which is no change), or has not for 90 days. Only rows whose hash differs are written. */
#include "catalog/catalog_int.h"

#include "base/log.h"
#include "base/when.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#define ANEW_LEAST 20000 /* rows that differ: fewer are always written one by one */

struct connector_names {
    char (*list)[65];
    size_t n, cap;
};

static bool add_name(void *ctx, struct str name)
{
    struct connector_names *c = ctx;
    GROW(c->list, c->n, c->cap, 8);
    snprintf(c->list[c->n++], sizeof *c->list, "%.*s", STR_FMT(name));
    return true;
}

/* --- one connector -------------------------------------------------------------------------------------- */

struct passing {
    struct refresh *r;
    struct asset_maker maker;
    struct fills *fills;
    sqlite3_stmt *known; /* rows as they are, ascending entity; NULL: there are none */
    bool has_known;
    struct err *e;
    int rc;
};

static int next_known(struct passing *p)
{
    int rc = p->known ? db_step(&p->r->old->db, p->known, p->e) : 0;
    p->has_known = rc > 0;
    return rc < 0 ? rc : 0;
}

static int64_t known_entity(const struct passing *p)
{
    return p->has_known ? sqlite3_column_int64(p->known, 0) : INT64_MAX;
}

static int forget_known(struct passing *p)
{
    struct cell *c = cells_find(&p->r->cells, sqlite3_column_int64(p->known, 3));
    if (c) c->n--;
    try(stage_gone(p->r, sqlite3_column_int64(p->known, 2), p->e));
    return next_known(p);
}

/* Most rows that differ have another time of the last sign-in and nothing else: these are cheap to write. */
static int compare_row(struct passing *p, const struct asset *a, int64_t docid, enum stage_how *how)
{
    sqlite3_stmt *s;
    struct db *d = &p->r->old->db;
    const struct str now[] = {a->name, a->account, a->display_name, a->mail};
    try(db_take(d, SQL_OLD, &s, p->e));
    db_int(s, 1, docid);
    int rc = db_step(d, s, p->e);
    *how = rc > 0 && str_equal(db_col_text(s, 0), a->name_key) ? STAGE_KEEP_WORDS : STAGE_PLACE;
    for (int i = 0; *how == STAGE_KEEP_WORDS && i < (int)n_elements(now); i++)
        if (!str_equal(db_col_text(s, i + 1), now[i])) *how = STAGE_KEEP_PLACE;
    sqlite3_reset(s);
    return rc < 0 ? rc : 0;
}

static int compare_known(struct passing *p, struct asset *a)
{
    enum stage_how how = STAGE_PLACE;
    while (known_entity(p) < a->entity) try(forget_known(p));
    bool is_known = known_entity(p) == a->entity;
    int64_t docid = is_known ? sqlite3_column_int64(p->known, 2) : 0;
    bool is_same = is_known && sqlite3_column_int64(p->known, 1) == a->hash;
    if (is_known && !is_same) {
        struct cell *c = cells_find(&p->r->cells, sqlite3_column_int64(p->known, 3));
        if (c) c->n--;
    }
    if (is_known && !is_same) try(compare_row(p, a, docid, &how));
    if (is_known) try(next_known(p));
    if (is_same) return 0;
    struct cell *c = cells_of(&p->r->cells, &a->facts);
    c->n++;
    a->facts.id = c->id;
    return stage_put(p->r, a, docid, how, p->e);
}

static bool pass_one(void *ctx, const struct entity *x)
{
    struct passing *p = ctx;
    struct asset a;
    p->rc = asset_make(&p->maker, x, &a, p->e);
    if (p->rc == 0 && !x->deleted_ms) fills_add(p->fills, &x->record);
    if (p->rc == 0) p->rc = compare_known(p, &a);
    return p->rc == 0;
}

static int pass_known(struct passing *p, int64_t source, struct err *e)
{
    if (!p->r->old) return 0;
    try(db_take(&p->r->old->db, SQL_KNOWN, &p->known, e));
    db_int(p->known, 1, source);
    return next_known(p);
}

static int pass_entities(struct passing *p, const struct source *s, struct err *e)
{
    struct entity_query q = {.connector = str_from(s->name), .with_deleted = true};
    int rc = pass_known(p, s->id, e);
    if (rc == 0) rc = store_entities(p->r->store, &q, pass_one, p, e);
    if (rc == 0) rc = p->rc;
    while (rc == 0 && p->has_known) rc = forget_known(p);
    if (p->known) sqlite3_reset(p->known);
    return rc;
}

static int64_t run_ended(struct store *s, int64_t run);

static int pass_connector(struct refresh *r, struct source *s, struct err *e)
{
    struct connector_state state;
    try(store_connector(r->store, str_from(s->name), &state, e));
    s->run = state.visible_run;
    s->ended_ms = run_ended(r->store, s->run);
    s->is_tenant = domain_is_tenant(&state.domain);
    struct passing p = {.r = r, .fills = fills_new(), .e = e};
    p.maker = (struct asset_maker){.key = r->key,
                                   .domain = state.domain,
                                   .source = (uint32_t)s->id,
                                   .as_of_ms = s->ended_ms ? s->ended_ms : when_now_ms(),
                                   .name_key = buf_new(KEY_MAX + 8),
                                   .account_key = buf_new(KEY_MAX + 8)};
    int rc = pass_entities(&p, s, e);
    buf_free(&p.maker.name_key);
    buf_free(&p.maker.account_key);
    s->fills = p.fills;
    return rc;
}

static void take_end(void *ctx, const struct run_row *row)
{
    *(int64_t *)ctx = row->ended_ms;
}

static int64_t run_ended(struct store *s, int64_t run)
{
    struct err ignored;
    int64_t ended = 0;
    if (!run || store_run_get(s, run, take_end, NULL, &ended, &ignored) < 0) return 0;
    return ended;
}

/* --- all of them ------------------------------------------------------------------------------------------ */

static struct source *source_for(struct refresh *r, const char *name)
{
    const struct source *known = source_named(&r->sources, str_from(name));
    if (known) return &r->sources.list[known - r->sources.list];
    struct source s = {.id = 1};
    for (size_t i = 0; i < r->sources.n; i++)
        if (r->sources.list[i].id >= s.id) s.id = r->sources.list[i].id + 1;
    snprintf(s.name, sizeof s.name, "%s", name);
    GROW(r->sources.list, r->sources.n, r->sources.cap, 8);
    r->sources.list[r->sources.n] = s;
    return &r->sources.list[r->sources.n++];
}

/* Of a connector that the store no longer has. */
static int drop_source(struct refresh *r, struct source *s, struct err *e)
{
    struct passing p = {.r = r, .e = e};
    int rc = pass_known(&p, s->id, e);
    while (rc == 0 && p.has_known) rc = forget_known(&p);
    if (p.known) sqlite3_reset(p.known);
    s->is_gone = true;
    return rc;
}

static bool is_among(const struct connector_names *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->list[i], name) == 0) return true;
    return false;
}

static int drop_gone(struct refresh *r, const struct connector_names *names, bool *has_news, struct err *e)
{
    for (size_t i = 0; i < r->sources.n; i++) {
        if (is_among(names, r->sources.list[i].name)) continue;
        *has_news = true;
        try(drop_source(r, &r->sources.list[i], e));
    }
    return 0;
}

/* What was removed from the store since its connectors were listed is no error: the next refresh drops it. */
static int if_there(int rc)
{
    return rc == ERR_NOTFOUND ? 0 : rc;
}

static int pass_all(struct refresh *r, bool *has_news, struct err *e)
{
    struct connector_names names = {0};
    int rc = store_connectors(r->store, add_name, &names, e);
    if (rc == 0) rc = drop_gone(r, &names, has_news, e);
    for (size_t i = 0; rc == 0 && i < names.n; i++) {
        struct connector_state state;
        struct source *s = source_for(r, names.list[i]);
        rc = store_connector(r->store, str_from(s->name), &state, e);
        if (rc == 0 && s->run != state.visible_run) {
            *has_news = true;
            rc = pass_connector(r, s, e);
        }
        rc = if_there(rc);
    }
    free(names.list);
    return rc;
}

/* --- what goes with the rows -------------------------------------------------------------------------------- */

static int write_cells(const struct refresh *r, struct db *d, struct err *e)
{
    for (size_t i = 0; i < r->cells.n; i++) {
        const struct cell *c = &r->cells.list[i];
        const int64_t values[] = {c->id, c->source, c->kind, c->enabled, c->admin, c->mfa, c->sign_in, c->tags, c->deleted, c->n};
        sqlite3_stmt *s;
        try(db_take(d, SQL_CELL_PUT, &s, e));
        for (int k = 0; k < (int)n_elements(values); k++) db_int(s, k + 1, values[k]);
        try(db_run(d, s, e));
    }
    return 0;
}

static int write_source(struct db *d, const struct source *x, struct err *e)
{
    sqlite3_stmt *s;
    try(db_take(d, x->is_gone ? SQL_SOURCE_DROP : SQL_SOURCE_PUT, &s, e));
    db_int(s, 1, x->id);
    if (!x->is_gone) {
        db_text(s, 2, str_from(x->name));
        db_int(s, 3, x->run);
        db_int(s, 4, x->ended_ms);
        db_int(s, 5, x->is_tenant);
    }
    try(db_run(d, s, e));
    if (x->fills) return fills_write(x->fills, d, x->id, e);
    if (!x->is_gone) return 0;
    try(db_take(d, SQL_FILL_CLEAR, &s, e));
    db_int(s, 1, x->id);
    return db_run(d, s, e);
}

static int write_meta(const struct refresh *r, struct db *d, struct err *e)
{
    sqlite3_stmt *s;
    if (!r->old || d != &r->old->db) {
        try(db_take(d, SQL_KEY_PUT, &s, e));
        db_blob(s, 1, (struct bytes){r->key.bytes, sizeof r->key.bytes});
        try(db_run(d, s, e));
    }
    try(db_take(d, SQL_GENERATION_PUT, &s, e));
    db_int(s, 1, when_now_ms() << 10 | (int64_t)(getpid() & 1023)); /* another one each time */
    return db_run(d, s, e);
}

int write_state(struct refresh *r, struct db *d, struct err *e)
{
    try(write_cells(r, d, e));
    for (size_t i = 0; i < r->sources.n; i++) try(write_source(d, &r->sources.list[i], e));
    try(edges_write(r, d, e));
    return write_meta(r, d, e);
}

/* --- which way ------------------------------------------------------------------------------------------------ */

static void forget(struct refresh *r)
{
    for (size_t i = 0; i < r->sources.n; i++) fills_free(r->sources.list[i].fills);
    free(r->sources.list);
    r->sources = (struct sources){0};
    cells_free(&r->cells);
    stage_close(r);
    catalog_close(r->old);
    r->old = NULL;
}

static int anew(struct refresh *r, const char **how, struct err *e)
{
    bool has_news = false;
    forget(r);
    r->key = hash_key_random();
    *how = "built";
    try(stage_open(r, e));
    try(pass_all(r, &has_news, e));
    return build_all(r, e);
}

static int read_old(struct refresh *r, struct err *e)
{
    sqlite3_stmt *s;
    try(catalog_read_state(r->old, e));
    for (size_t i = 0; i < r->old->cells.n; i++) cells_add(&r->cells, &r->old->cells.list[i]);
    for (size_t i = 0; i < r->old->cells.n; i++) r->n_known += r->old->cells.list[i].n;
    for (size_t i = 0; i < r->old->sources.n; i++) {
        GROW(r->sources.list, r->sources.n, r->sources.cap, 8);
        r->sources.list[r->sources.n++] = r->old->sources.list[i];
    }
    try(db_take(&r->old->db, SQL_KEY, &s, e));
    int rc = db_step(&r->old->db, s, e);
    struct bytes key = rc > 0 ? db_col_blob(s, 0) : (struct bytes){NULL, 0};
    if (key.len == sizeof r->key.bytes)
        memcpy(r->key.bytes, key.ptr, key.len);
    else if (rc >= 0)
        rc = err_set(e, ERR_INPUT, "catalog %s: without its key", r->path);
    sqlite3_reset(s);
    return rc < 0 ? rc : 0;
}

/* ERR_CONFLICT: so much differs that everything anew is faster. */
static int differences(struct refresh *r, const char **how, struct err *e)
{
    bool has_news = false;
    try(catalog_open(&r->old, r->path, e));
    try(read_old(r, e));
    try(stage_open(r, e));
    try(pass_all(r, &has_news, e));
    *how = has_news ? "updated" : "unchanged";
    if (!has_news) return 0;
    if (r->n_staged > ANEW_LEAST && r->n_staged > r->n_known / 4) return err_set(e, ERR_CONFLICT, "most rows differ");
    return update_rows(r, e);
}

/* What is wrong with the file itself is no reason to fail: it is made anew. */
static bool can_be_made_anew(int class)
{
    return class == ERR_NOTFOUND || class == ERR_CONFLICT || class == ERR_INPUT || class == ERR_BUG;
}

static int lock(const char *path, int *fd, struct err *e)
{
    char name[4200];
    snprintf(name, sizeof name, "%s.lock", path);
    *fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0) return err_errno(e, ERR_DENIED, errno, "catalog %s", name);
    while (flock(*fd, LOCK_EX) < 0)
        if (errno != EINTR) return err_errno(e, ERR_BUG, errno, "catalog %s", name);
    return 0;
}

int catalog_refresh_by(struct store *s, const char *path, const struct catalog_rules *rules, const char **how, struct err *e)
{
    struct refresh r = {.store = s, .path = path, .rules = rules};
    defer_close int fd = -1;
    struct err why = {0};
    int64_t began = when_monotonic_ms();
    try(lock(path, &fd, e));
    int rc = differences(&r, how, &why);
    if (can_be_made_anew(rc))
        rc = anew(&r, how, e);
    else if (rc < 0)
        *e = why;
    if (rc == 0) log_event(LOG_INFO, "catalog.end", LOG_CSTR("how", *how), LOG_INT("rows", r.n_staged), LOG_INT("took_ms", when_monotonic_ms() - began));
    forget(&r);
    return rc;
}

int catalog_refresh(struct store *s, const char *path, const char **how, struct err *e)
{
    return catalog_refresh_by(s, path, NULL, how, e);
}
