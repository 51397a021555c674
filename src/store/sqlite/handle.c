#include "store/sqlite/handle.h"

#include "store/sqlite/link_cache.h"

#include <stdio.h>
#include <stdlib.h>

/* --- the snapshot ----------------------------------------------------------------------------- */

struct known_connector *handle_connector(struct sqlite_store *s, int64_t id)
{
    for (size_t i = 0; i < s->n_connectors; i++)
        if (s->connectors[i].id == id) return &s->connectors[i];
    return NULL;
}

struct known_connector *handle_connector_named(struct sqlite_store *s, struct str name)
{
    for (size_t i = 0; i < s->n_connectors; i++)
        if (str_equal(str_from(s->connectors[i].name), name)) return &s->connectors[i];
    return NULL;
}

int handle_connector_get(struct sqlite_store *s, struct str name, struct known_connector **out, struct err *e)
{
    *out = handle_connector_named(s, name);
    if (*out && (*out)->visible_run) return 0;
    err_set(e, ERR_NOTFOUND, "connector %.*s: nothing in the store yet", STR_FMT(name));
    return err_hint(e, "run: rollcall sync %.*s", STR_FMT(name));
}

/* Newer of the two that have the same id; keeps what was computed for an unchanged snapshot. */
static void note_connector(struct sqlite_store *s, int64_t id, struct str name, int64_t visible_run)
{
    struct known_connector *c = handle_connector(s, id);
    if (!c) {
        s->connectors = x_realloc(s->connectors, (s->n_connectors + 1) * sizeof *s->connectors);
        c = &s->connectors[s->n_connectors++];
        *c = (struct known_connector){.id = id};
    }
    snprintf(c->name, sizeof c->name, "%.*s", STR_FMT(name)); /* who is removed loses it */
    if (c->visible_run == visible_run) return;
    c->visible_run = visible_run;
    c->has_state = false;
    free(c->privileges);
    c->privileges = NULL;
    link_cache_clear(s->links);
}

static int read_connectors(struct sqlite_store *s, struct err *e)
{
    sqlite3_stmt *q;
    int rc;
    try(sq_take(&s->q, SQL_CONNECTOR_LIST, &q, e));
    while ((rc = sq_step(&s->q, q, e)) > 0)
        note_connector(s, sq_col_int(q, 0), sq_col_text(q, 1), sq_col_int(q, 2));
    sq_give(&s->q, SQL_CONNECTOR_LIST, q);
    return rc;
}

static int read_runs(struct sqlite_store *s, struct err *e)
{
    sqlite3_stmt *q;
    int rc;
    size_t cap = 0;
    s->n_runs = 0;
    try(sq_take(&s->q, SQL_RUN_TIMES, &q, e));
    sq_int(q, 1, 0);
    while ((rc = sq_step(&s->q, q, e)) > 0) {
        GROW(s->runs, s->n_runs, cap, 64);
        s->runs[s->n_runs++] =
            (struct known_run){sq_col_int(q, 0), sq_col_int(q, 1), sq_col_int(q, 2), sq_col_int(q, 3)};
    }
    sq_give(&s->q, SQL_RUN_TIMES, q);
    return rc;
}

int handle_refresh(struct sqlite_store *s, struct err *e)
{
    int64_t version;
    sqlite3_stmt *q;
    try(sq_take(&s->q, SQL_DATA_VERSION, &q, e));
    int rc = sq_step(&s->q, q, e);
    version = rc > 0 ? sq_col_int(q, 0) : 0;
    sq_give(&s->q, SQL_DATA_VERSION, q);
    if (rc < 0) return rc;
    if (version == s->data_version && !s->is_stale) return 0;
    try(read_connectors(s, e));
    try(read_runs(s, e));
    s->data_version = version;
    s->is_stale = false;
    return 0;
}

int64_t handle_run_time(const struct sqlite_store *s, int64_t run)
{
    size_t at;
    LOWER_BOUND(at, s->n_runs, s->runs[at].id < run);
    return at < s->n_runs && s->runs[at].id == run ? s->runs[at].ended_ms : 0;
}

/* --- domain facts ----------------------------------------------------------------------------- */

void domain_encode(struct buf *out, const struct domain_info *d)
{
    buf_add_lstr(out, bytes_of(d->dns_name));
    buf_add_lstr(out, bytes_of(d->netbios_name));
    buf_add_lstr(out, bytes_of(d->base));
    buf_add_lstr(out, bytes_of(d->server));
    buf_add_lstr(out, d->sid);
    buf_add_svarint(out, d->max_pwd_age_ms);
    buf_add_svarint(out, d->lockout_duration_ms);
    buf_add_svarint(out, d->lockout_threshold);
    buf_add_byte(out, d->has_policy);
    if (!domain_is_tenant(d)) return; /* as it was before there were tenants */
    buf_add_lstr(out, bytes_of(d->tenant_id));
    buf_add_lstr(out, bytes_of(d->organization));
}

int domain_decode(struct domain_info *out, struct bytes in, struct err *e)
{
    *out = (struct domain_info){0};
    if (!in.len) return 0;
    struct cursor c = cursor_new(in);
    out->dns_name = str_of(cursor_lstr(&c));
    out->netbios_name = str_of(cursor_lstr(&c));
    out->base = str_of(cursor_lstr(&c));
    out->server = str_of(cursor_lstr(&c));
    out->sid = cursor_lstr(&c);
    out->max_pwd_age_ms = cursor_svarint(&c);
    out->lockout_duration_ms = cursor_svarint(&c);
    out->lockout_threshold = cursor_svarint(&c);
    out->has_policy = cursor_u8(&c);
    if (!c.failed && c.in.len) {
        out->tenant_id = str_of(cursor_lstr(&c));
        out->organization = str_of(cursor_lstr(&c));
    }
    return c.failed || c.in.len ? err_set(e, ERR_BUG, "store: malformed domain facts") : 0;
}
