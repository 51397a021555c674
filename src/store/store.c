#include "store/engine.h"

static const struct engine *const engines[] = {&engine_sqlite};

static int unknown_scheme(struct str url, size_t colon, struct err *e)
{
    struct str scheme = {url.ptr, colon};
    if (str_equal(scheme, STR("postgresql")) || str_equal(scheme, STR("postgres"))) {
        err_set(e, ERR_INPUT, "store: the PostgreSQL engine is not built yet");
        return err_hint(e, "use store: sqlite:PATH");
    }
    /* Not the URL itself: another engine's may hold a password. */
    err_set(e, ERR_INPUT, "store: the URL must begin with sqlite:");
    return err_hint(e, "write store: sqlite:/var/lib/rollcall/rollcall.db");
}

/* NULL: no engine has this scheme. */
static const struct engine *engine_of(struct str url, struct str *rest)
{
    size_t colon = str_index(url, ':');
    if (colon == url.len) return NULL;
    *rest = (struct str){url.ptr + colon + 1, url.len - colon - 1};
    for (size_t i = 0; i < n_elements(engines); i++)
        if (str_equal((struct str){url.ptr, colon}, str_from(engines[i]->scheme))) return engines[i];
    return NULL;
}

int store_open(struct store **out, struct str url, struct err *e)
{
    struct str rest;
    const struct engine *engine = engine_of(url, &rest);
    return engine ? engine->open(out, rest, e) : unknown_scheme(url, str_index(url, ':'), e);
}

bool store_exists(struct str url)
{
    struct str rest;
    const struct engine *engine = engine_of(url, &rest);
    return engine && engine->exists(rest);
}

void store_close(struct store *s)
{
    if (s) s->engine->close(s);
}

int store_run_begin(struct store_run **out, struct store *s, const struct run_start *start, struct err *e)
{
    return s->engine->run_begin(out, s, start, e);
}
int64_t store_run_id(const struct store_run *r)
{
    return r->engine->run_id(r);
}
int store_run_domain(struct store_run *r, const struct domain_info *d, struct err *e)
{
    return r->engine->run_domain(r, d, e);
}
int store_run_sd(struct store_run *r, uint32_t number, struct bytes sd, struct err *e)
{
    return r->engine->run_sd(r, number, sd, e);
}
int store_run_put(struct store_run *r, const struct record *rec, struct err *e)
{
    return r->engine->run_put(r, rec, e);
}
int store_run_members(struct store_run *r, struct dn_list part, bool more, struct err *e)
{
    return r->engine->run_members(r, part, more, e);
}
int store_run_gap(struct store_run *r, const struct gap *g, struct err *e)
{
    return r->engine->run_gap(r, g, e);
}
int store_run_kind_done(struct store_run *r, enum kind k, bool complete, uint64_t received, struct err *e)
{
    return r->engine->run_kind_done(r, k, complete, received, e);
}
int store_gap_add(struct store *s, int64_t run, const struct gap *g, struct err *e)
{
    return s->engine->gap_add(s, run, g, e);
}

int store_run_mode(struct store_run *r, struct str mode, struct err *e)
{
    return r->engine->run_mode(r, mode, e);
}

struct put_effect store_run_effect(const struct store_run *r)
{
    return r->engine->run_effect(r);
}

int store_run_gone(struct store_run *r, const uint8_t guid[GUID_SIZE], enum evidence evidence, struct err *e)
{
    return r->engine->run_gone(r, guid, evidence, e);
}

int store_run_present(struct store_run *r, const uint8_t guid[GUID_SIZE], bool *is_known, struct err *e)
{
    return r->engine->run_present(r, guid, is_known, e);
}

int store_run_absent(struct store_run *r, int (*each)(void *ctx, const uint8_t guid[GUID_SIZE], struct err *e),
                     void *ctx, struct err *e)
{
    return r->engine->run_absent(r, each, ctx, e);
}

int store_run_unresolved(struct store_run *r, int (*each)(void *ctx, enum kind k, const uint8_t guid[GUID_SIZE], struct err *e),
                         void *ctx, struct err *e)
{
    return r->engine->run_unresolved(r, each, ctx, e);
}

int store_run_rest(struct store_run *r, struct err *e)
{
    return r->engine->run_rest(r, e);
}
int store_run_note(struct store_run *r, struct str name, struct bytes value, struct err *e)
{
    return r->engine->run_note(r, name, value, e);
}
int store_run_end(struct store_run *r, const struct run_end *end, struct run_result *result, struct err *e)
{
    return r->engine->run_end(r, end, result, e);
}
void store_run_abort(struct store_run *r, const struct err *why, int64_t ended_ms)
{
    if (r) r->engine->run_abort(r, why, ended_ms);
}

int store_connector(struct store *s, struct str name, struct connector_state *out, struct err *e)
{
    return s->engine->connector(s, name, out, e);
}
int store_runs(struct store *s, struct str connector, int64_t limit,
               bool (*each)(void *, const struct run_row *), void *ctx, struct err *e)
{
    return s->engine->runs(s, connector, limit, each, ctx, e);
}
int store_run_get(struct store *s, int64_t id, void (*row)(void *, const struct run_row *),
                  void (*gap)(void *, const struct gap *), void *ctx, struct err *e)
{
    return s->engine->run_get(s, id, row, gap, ctx, e);
}
int store_entities(struct store *s, const struct entity_query *q, bool (*each)(void *, const struct entity *),
                   void *ctx, struct err *e)
{
    return s->engine->entities(s, q, each, ctx, e);
}
int store_entity_find(struct store *s, struct str connector, struct str key, bool with_deleted,
                      void (*found)(void *, const struct entity *), void *ctx, struct err *e)
{
    return s->engine->entity_find(s, connector, key, with_deleted, found, ctx, e);
}
int store_links_after(struct store *s, int64_t entity_id, enum link_side side, int64_t after_id,
                      bool (*each)(void *, const struct link *), void *ctx, struct err *e)
{
    return s->engine->links_after(s, entity_id, side, after_id, each, ctx, e);
}
int store_run_days(struct store *s, int64_t since_ms, bool (*each)(void *, const struct run_day *), void *ctx, struct err *e)
{
    return s->engine->run_days(s, since_ms, each, ctx, e);
}
int store_links(struct store *s, int64_t entity_id, enum link_side side,
                bool (*each)(void *, const struct link *), void *ctx, struct err *e)
{
    return s->engine->links(s, entity_id, side, each, ctx, e);
}
bool store_resolve_dn(struct store *s, struct str connector, struct str dn, struct link *out)
{
    return s->engine->resolve_dn(s, connector, dn, out);
}
int store_changes(struct store *s, const struct change_query *q, bool (*each)(void *, const struct change *),
                  void *ctx, struct err *e)
{
    return s->engine->changes(s, q, each, ctx, e);
}
int store_cursor_get(struct store *s, struct str connector, struct str sink, int64_t *change_id,
                     struct err *e)
{
    return s->engine->cursor_get(s, connector, sink, change_id, e);
}
int store_cursor_put(struct store *s, struct str connector, struct str sink, int64_t change_id, struct err *e)
{
    return s->engine->cursor_put(s, connector, sink, change_id, e);
}
int store_cursor_behind(struct store *s, struct str connector, struct str sink, uint64_t *n, struct err *e)
{
    return s->engine->cursor_behind(s, connector, sink, n, e);
}

int store_note_get(struct store *s, struct str connector, struct str name, struct buf *out, struct err *e)
{
    return s->engine->note_get(s, connector, name, out, e);
}
int store_note_put(struct store *s, struct str connector, struct str source, struct str name,
                   struct bytes value, struct err *e)
{
    return s->engine->note_put(s, connector, source, name, value, e);
}

const char *run_status_name(enum run_status s)
{
    static const char *const names[] = {"running", "complete", "partial", "failed", "needs_attention"};
    return (unsigned)s < n_elements(names) ? names[s] : "";
}

const char *link_via_name(enum link_via v)
{
    static const char *const names[] = {"", "member", "primary_group", "foreign"};
    return (unsigned)v < n_elements(names) ? names[v] : "";
}

int store_read_everything(struct store *s, struct str connector, const struct store_everything *to, void *ctx, struct err *e)
{
    return s->engine->everything(s, connector, to, ctx, e);
}

int store_connectors(struct store *s, bool (*each)(void *ctx, struct str name), void *ctx, struct err *e)
{
    return s->engine->connectors(s, each, ctx, e);
}
int store_connector_remove(struct store *s, struct str name, struct err *e)
{
    return s->engine->connector_remove(s, name, e);
}
int store_sweep(struct store *s, struct err *e)
{
    return s->engine->sweep(s, e);
}
