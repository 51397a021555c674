#include "server/state/documents.h"

#include "base/jsonv.h"
#include "base/secret.h"
#include "server/state/state_int.h"
#include "vault/seal.h"

#define BODY_MAX (256 * 1024)
#define KIND_MAX 10000 /* documents of a kind and owner */
#define ID_MAX   512

static int check_id(const char *kind, const char *id, struct err *e)
{
    struct str s = str_from(id);
    if (s.len && s.len <= ID_MAX && str_is_utf8(s)) return 0;
    return err_set(e, ERR_INPUT, "%s: its id has 1 to %d bytes of text", kind, ID_MAX);
}

/* --- documents ------------------------------------------------------------------------------------------- */

struct found {
    json_t *body;
    int64_t version;
};

static int take_document(void *ctx, sqlite3_stmt *row, struct err *e)
{
    struct found *f = ctx;
    struct str text = row_text(row, 0);
    f->version = row_int(row, 1);
    f->body = json_loadb(text.ptr, text.len, JSON_DECODE_ANY, NULL);
    return f->body ? 0 : err_set(e, ERR_BUG, "a document of the state file is not JSON");
}

int document_get(struct state *s, const char *kind, const char *owner, const char *id, json_t **out, int64_t *version, struct err *e)
{
    struct found f = {NULL, 0};
    *out = NULL;
    try(state_rows(s, e, take_document, &f,
                   "SELECT body, version FROM document WHERE tenant_id = " TENANT " AND kind = ? AND owner = ? AND document_id = ?", "sss", kind, owner, id));
    if (!f.body) return err_set(e, ERR_NOTFOUND, "no %s '%.100s'", kind, id);
    *out = f.body;
    if (version) *version = f.version;
    return 0;
}

static int check_room(struct state *s, const char *kind, const char *owner, struct err *e)
{
    int64_t n;
    try(state_number(s, &n, 0, e, "SELECT count(*) FROM document WHERE tenant_id = " TENANT " AND kind = ? AND owner = ?", "ss", kind, owner));
    if (n < KIND_MAX) return 0;
    err_set(e, ERR_LIMIT, "%s: there are %d already", kind, KIND_MAX);
    return err_hint(e, "delete some first");
}

static int put_text(struct state *s, const char *kind, const char *owner, const char *id, const char *text, int64_t version, struct err *e)
{
    int64_t stored;
    try(state_number(s, &stored, 0, e, "SELECT version FROM document WHERE tenant_id = " TENANT " AND kind = ? AND owner = ? AND document_id = ?", "sss", kind,
                     owner, id));
    if (version && version != stored) {
        err_set(e, ERR_CONFLICT, "%s '%.100s' was changed meanwhile (version %lld, not %lld)", kind, id, (long long)stored, (long long)version);
        return err_hint(e, "load it again, then change it");
    }
    if (!stored) try(check_room(s, kind, owner, e));
    return state_run(s, e,
                     "INSERT INTO document (tenant_id, kind, owner, document_id, version, updated_ms, body) VALUES (" TENANT ", ?, ?, ?, ?, ?, ?)"
                     " ON CONFLICT DO UPDATE SET version = excluded.version, updated_ms = excluded.updated_ms, body = excluded.body",
                     "sssiis", kind, owner, id, stored + 1, state_now_ms(s), text);
}

int document_put(struct state *s, const char *kind, const char *owner, const char *id, const json_t *body, int64_t version, struct err *e)
{
    try(check_id(kind, id, e));
    defer_free char *text = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
    if (!text) return err_set(e, ERR_INPUT, "%s '%.100s': cannot be written as JSON", kind, id);
    if (strlen(text) > BODY_MAX) return err_set(e, ERR_LIMIT, "%s '%.100s': longer than %d KiB", kind, id, BODY_MAX / 1024);
    try(state_begin(s, e));
    return state_end(s, put_text(s, kind, owner, id, text, version, e), e);
}

int document_delete(struct state *s, const char *kind, const char *owner, const char *id, struct err *e)
{
    try(state_begin(s, e));
    int rc = state_run(s, e, "DELETE FROM document WHERE tenant_id = " TENANT " AND kind = ? AND owner = ? AND document_id = ?", "sss", kind, owner, id);
    if (rc == 0 && !state_changes(s)) rc = err_set(e, ERR_NOTFOUND, "no %s '%.100s'", kind, id);
    return state_end(s, rc, e);
}

static int add_document(void *ctx, sqlite3_stmt *row, struct err *e)
{
    struct str text = row_text(row, 4);
    json_t *body = json_loadb(text.ptr, text.len, JSON_DECODE_ANY, NULL), *o = json_object();
    if (!body) json_decref(o);
    if (!body) return err_set(e, ERR_BUG, "a document of the state file is not JSON");
    jsonv_put(o, "id", jsonv_str(row_text(row, 0)));
    jsonv_put(o, "owner", jsonv_str(row_text(row, 1)));
    jsonv_put(o, "version", json_integer(row_int(row, 2)));
    jsonv_put(o, "updated", jsonv_time(row_int(row, 3)));
    jsonv_put(o, "body", body);
    json_array_append_new(ctx, o);
    return 0;
}

int document_list(struct state *s, const char *kind, const char *owner, json_t **out, struct err *e)
{
    *out = json_array();
    int rc = state_rows(s, e, add_document, *out,
                        "SELECT document_id, owner, version, updated_ms, body FROM document WHERE tenant_id = " TENANT
                        " AND kind = ?1 AND (?2 IS NULL OR owner = ?2) ORDER BY document_id, owner",
                        "ss", kind, owner);
    if (rc >= 0) return 0;
    json_decref(*out);
    *out = NULL;
    return rc;
}

/* --- the secrets of settings ------------------------------------------------------------------------------- */

static int need_seal(const struct state *s, struct err *e)
{
    return state_seal(s) ? 0 : err_set(e, ERR_BUG, "the state file was opened without its master key");
}

/* The name is bound too, so that no secret opens in another's place. */
static void bind_name(struct buf *out, const char *name, const char *bound_to)
{
    buf_printf(out, "settings\n%s\n%s", name, bound_to);
}

int document_secret_put(struct state *s, const char *name, const char *bound_to, struct bytes value, struct err *e)
{
    struct buf bound = buf_new(BODY_MAX), sealed = buf_new(BODY_MAX);
    try(need_seal(s, e));
    bind_name(&bound, name, bound_to);
    int rc = bound.failed ? err_set(e, ERR_LIMIT, "%s: what it is bound to is too long", name) : seal_put(state_seal(s), value, buf_str(&bound), &sealed, e);
    if (rc == 0)
        rc = state_run(s, e,
                       "INSERT INTO secret (tenant_id, owner, name, sealed, bound, updated_ms) VALUES (" TENANT ", 'settings', ?, ?, ?, ?)"
                       " ON CONFLICT DO UPDATE SET sealed = excluded.sealed, bound = excluded.bound, updated_ms = excluded.updated_ms",
                       "stti", name, buf_str(&sealed), buf_str(&bound), state_now_ms(s));
    buf_free(&bound);
    buf_free(&sealed);
    return rc;
}

static int take_sealed(void *ctx, sqlite3_stmt *row, struct err *e)
{
    buf_add_str(ctx, row_text(row, 0));
    return 0;
}

int document_secret_get(struct state *s, const char *name, const char *bound_to, struct secret *out, struct err *e)
{
    struct buf bound = buf_new(BODY_MAX), sealed = buf_new(BODY_MAX);
    *out = (struct secret){0};
    try(need_seal(s, e));
    bind_name(&bound, name, bound_to);
    int rc = state_rows(s, e, take_sealed, &sealed, "SELECT sealed FROM secret WHERE tenant_id = " TENANT " AND owner = 'settings' AND name = ?", "s", name);
    if (rc == 0) rc = err_set(e, ERR_NOTFOUND, "%s: not entered yet", name);
    if (rc > 0) rc = seal_get(state_seal(s), buf_str(&sealed), buf_str(&bound), out, e);
    if (rc == ERR_AUTH) {
        err_set(e, ERR_AUTH, "%s: was entered for other settings", name);
        err_hint(e, "enter it again");
    }
    buf_free(&bound);
    buf_free(&sealed);
    return rc;
}

int document_secret_delete(struct state *s, const char *name, struct err *e)
{
    return state_run(s, e, "DELETE FROM secret WHERE tenant_id = " TENANT " AND owner = 'settings' AND name = ?", "s", name);
}
