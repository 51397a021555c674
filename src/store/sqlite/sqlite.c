/* The SQLite engine: its table, a handle's life, and the small functions of a run. */
#include "store/sqlite/link_cache.h"
#include "store/sqlite/read.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/write.h"

#include <stdlib.h>
#include <unistd.h>

/* --- the handle ------------------------------------------------------------------------------- */

static void handle_close(struct store *store)
{
    struct sqlite_store *s = sqlite_of(store);
    for (size_t i = 0; i < s->n_connectors; i++) free(s->connectors[i].privileges);
    free(s->connectors);
    free(s->runs);
    link_cache_free(s->links);
    lookup_free(&s->lookup);
    arena_free(&s->strings);
    arena_free(&s->resolved);
    sq_close(&s->q);
    free(s);
}

/* sqlite:rollcall.db, sqlite:/var/lib/rollcall.db, sqlite:///var/lib/rollcall.db */
static int check_path(struct str *path, struct err *e)
{
    if (str_starts(*path, STR("///"))) path->ptr += 2, path->len -= 2;
    bool fine = path->len && path->len < 4000 && path->ptr[0] != ':' && !memchr(path->ptr, 0, path->len);
    if (fine) return 0;
    err_set(e, ERR_INPUT, "store: sqlite: needs the path of a file");
    return err_hint(e, "write store: sqlite:/var/lib/rollcall/rollcall.db");
}

static int handle_open(struct store **out, struct str path, struct err *e)
{
    try(check_path(&path, e));
    struct sqlite_store *s = x_zalloc(sizeof *s);
    defer_free char *name = x_strdup(path);
    s->base.engine = &engine_sqlite;
    s->is_stale = true;
    s->strings = arena_new(SIZE_MAX / 2); /* a few hundred bytes a run and connector */
    s->resolved = arena_new((size_t)64 << 20);
    s->links = link_cache_new();
    int rc = sq_open(&s->q, name, true, e);
    if (rc == 0) rc = schema_open(&s->q, &s->key, e);
    s->lookup = lookup_new(&s->key);
    if (rc < 0) {
        handle_close(&s->base);
        return rc;
    }
    *out = &s->base;
    return 0;
}

static bool handle_exists(struct str path)
{
    struct err ignored;
    if (check_path(&path, &ignored) < 0) return false;
    defer_free char *name = x_strdup(path);
    return access(name, F_OK) == 0;
}

/* --- small functions of a run ----------------------------------------------------------------- */

static int64_t run_id(const struct store_run *r)
{
    return ((const struct sqlite_run *)r)->id;
}

static int run_domain(struct store_run *run, const struct domain_info *d, struct err *e)
{
    struct sqlite_run *r = run_of(run);
    buf_clear(&r->domain);
    domain_encode(&r->domain, d);
    buf_clear(&r->domain_sid);
    buf_add_bytes(&r->domain_sid, d->sid);
    if (!r->has_listed_base) {
        buf_clear(&r->listed_base);
        buf_add_str(&r->listed_base, d->base);
    }
    return r->domain.failed || r->domain_sid.failed ? err_set(e, ERR_PROTO, "domain facts are too long") : 0;
}

static int run_gap(struct store_run *run, const struct gap *g, struct err *e)
{
    return write_gap(run_of(run), g, e);
}

static int run_kind_done(struct store_run *run, enum kind k, bool complete, uint64_t received, struct err *e)
{
    struct sqlite_run *r = run_of(run);
    (void)received;
    if (k <= KIND_NONE || k >= KIND_COUNT) return err_set(e, ERR_PROTO, "the end of an unknown kind");
    r->done |= KIND_BIT(k);
    if (complete)
        r->complete |= KIND_BIT(k);
    else
        r->complete &= ~KIND_BIT(k);
    return 0;
}

static int run_rest(struct store_run *run, struct err *e)
{
    return batch_commit(run_of(run), e);
}

const struct engine engine_sqlite = {
    .scheme = "sqlite",
    .open = handle_open,
    .close = handle_close,
    .exists = handle_exists,
    .run_begin = run_begin,
    .run_id = run_id,
    .run_domain = run_domain,
    .run_sd = run_sd,
    .run_put = run_put,
    .run_members = run_members,
    .run_gap = run_gap,
    .run_kind_done = run_kind_done,
    .run_mode = run_mode,
    .run_effect = run_effect,
    .run_gone = run_gone,
    .run_present = run_present,
    .run_absent = run_absent,
    .run_unresolved = run_unresolved,
    .run_rest = run_rest,
    .run_note = run_note,
    .run_end = run_end,
    .run_abort = run_abort,
    .gap_add = gap_add,
    .connector = read_connector_state,
    .runs = read_runs_list,
    .run_get = read_run,
    .entities = read_entities,
    .entity_find = read_entity_find,
    .links = read_links,
    .links_after = read_links_after,
    .run_days = read_run_days,
    .everything = read_everything,
    .connectors = read_connectors,
    .resolve_dn = read_resolve_dn,
    .changes = read_changes,
    .cursor_get = cursor_get,
    .cursor_put = cursor_put,
    .cursor_behind = cursor_behind,
    .note_get = note_get,
    .note_put = note_put,
    .connector_remove = connector_remove,
    .sweep = connector_sweep,
};
