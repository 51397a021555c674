#include "server/state/audit.h"

#include "base/hash.h"
#include "base/jsonv.h"
#include "base/log.h"
#include "server/state/state_int.h"

#define SIDE_MAX (256 * 1024) /* of before and of after, as text */

/* --- the chain ---------------------------------------------------------------------------------------------- */

static void chain(char out[65], const char *previous, struct str entry)
{
    struct sha256 h;
    sha256_init(&h);
    sha256_add(&h, bytes_of(str_from(previous)));
    sha256_add(&h, bytes_of(entry));
    sha256_hex(&h, out);
}

static const char no_entry[65] = "0000000000000000000000000000000000000000000000000000000000000000";

struct head {
    int64_t id;
    char hash[65];
};

static int take_head(void *ctx, sqlite3_stmt *row, struct err *e)
{
    struct head *h = ctx;
    struct str hash = row_text(row, 1);
    h->id = row_int(row, 0);
    if (hash.len != 64) return err_set(e, ERR_BUG, "audit log: the hash of its head has %zu characters", hash.len);
    memcpy(h->hash, hash.ptr, 64);
    return 0;
}

static int read_head(struct state *s, struct head *h, struct err *e)
{
    *h = (struct head){0};
    memcpy(h->hash, no_entry, sizeof no_entry);
    return state_rows(s, e, take_head, h, "SELECT audit_id, hash FROM audit_head WHERE tenant_id = " TENANT, "");
}

/* --- adding -------------------------------------------------------------------------------------------------- */

/* What is too long to keep is kept as its hash. */
static json_t *side(const json_t *value)
{
    char hex[65];
    if (!value) return json_null();
    defer_free char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    if (!text) return json_null();
    if (strlen(text) <= SIDE_MAX) return json_loads(text, JSON_DECODE_ANY, NULL);
    chain(hex, "", str_from(text));
    return json_pack("{s:I, s:s}", "bytes", (json_int_t)strlen(text), "sha256", hex);
}

static char *entry_text(int64_t id, int64_t now_ms, const struct actor *who, const char *action, const char *object, const json_t *before, const json_t *after,
                        const char *result)
{
    char when[WHEN_TEXT];
    json_t *o = json_pack("{s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", (json_int_t)id, "time", when_format(when, now_ms), "who",
                          jsonv_str(str_from(who ? who->name : "")), "from", jsonv_str(str_from(who ? who->from : "")), "action", jsonv_str(str_from(action)),
                          "object", jsonv_str(str_from(object ? object : "")), "before", side(before), "after", side(after), "result",
                          jsonv_str(str_from(result)));
    char *text = o ? json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(o);
    if (!text) x_out_of_memory();
    return text;
}

static int add(struct state *s, const struct head *was, const char *text, char hash[65], struct err *e)
{
    chain(hash, was->hash, str_from(text));
    try(state_run(s, e, "INSERT INTO audit (tenant_id, audit_id, entry, hash) VALUES (" TENANT ", ?, ?, ?)", "iss", was->id + 1, text, hash));
    return state_run(s, e, "INSERT OR REPLACE INTO audit_head (tenant_id, audit_id, hash) VALUES (" TENANT ", ?, ?)", "is", was->id + 1, hash);
}

int audit_add(struct state *s, const struct actor *who, const char *action, const char *object, const json_t *before, const json_t *after, const char *result,
              struct err *e)
{
    struct head was;
    char hash[65];
    try(state_begin(s, e));
    int rc = read_head(s, &was, e);
    if (rc >= 0) {
        defer_free char *text = entry_text(was.id + 1, state_now_ms(s), who, action, object, before, after, result);
        rc = add(s, &was, text, hash, e);
    }
    rc = state_end(s, rc, e);
    /* The journal of the machine has the head too: whoever rewrites the whole chain here does not reach it there. */
    if (rc == 0) log_event(LOG_INFO, "audit", LOG_INT("id", was.id + 1), LOG_CSTR("action", action), LOG_CSTR("hash", hash));
    return rc;
}

/* --- reading ------------------------------------------------------------------------------------------------- */

static int add_entry(void *ctx, sqlite3_stmt *row, struct err *e)
{
    struct str text = row_text(row, 0);
    json_t *o = json_loadb(text.ptr, text.len, 0, NULL);
    if (!o) return err_set(e, ERR_BUG, "audit log: an entry is not JSON; rollcall server audit verify says which");
    jsonv_put(o, "hash", jsonv_str(row_text(row, 1)));
    json_array_append_new(ctx, o);
    return 0;
}

int audit_list(struct state *s, int64_t before_id, int64_t limit, json_t **out, struct err *e)
{
    *out = json_array();
    int rc = state_rows(s, e, add_entry, *out,
                        "SELECT entry, hash FROM audit WHERE tenant_id = " TENANT " AND (?1 = 0 OR audit_id < ?1) ORDER BY audit_id DESC LIMIT ?2", "ii", before_id,
                        limit);
    if (rc >= 0) return 0;
    json_decref(*out);
    *out = NULL;
    return rc;
}

/* --- proving ------------------------------------------------------------------------------------------------- */

struct proof {
    struct head last;
    int64_t n;
};

static int refuse(int64_t id, const char *why, struct err *e)
{
    err_set(e, ERR_BUG, "audit log: entry %lld %s", (long long)id, why);
    return err_hint(e, "somebody changed the state file outside of the server: keep a copy of it, and compare with a backup and with the machine's journal");
}

static int prove_entry(void *ctx, sqlite3_stmt *row, struct err *e)
{
    struct proof *p = ctx;
    int64_t id = row_int(row, 0);
    struct str text = row_text(row, 1), hash = row_text(row, 2);
    char want[65];
    if (id != p->last.id + 1) return refuse(p->last.id + 1, "is missing", e);
    chain(want, p->last.hash, text);
    if (!str_equal(hash, str_from(want))) return refuse(id, "does not fit its hash", e);
    json_t *o = json_loadb(text.ptr, text.len, 0, NULL);
    bool is_own = json_integer_value(json_object_get(o, "id")) == id;
    json_decref(o);
    if (!is_own) return refuse(id, "is another's", e);
    memcpy(p->last.hash, want, sizeof want);
    p->last.id = id;
    p->n++;
    return 0;
}

/* Entries that were added since then belong to a newer head; no others may be there. */
static int check_beyond(struct state *s, int64_t id, struct err *e)
{
    struct head now;
    int64_t beyond;
    try(read_head(s, &now, e));
    try(state_number(s, &beyond, 0, e, "SELECT count(*) FROM audit WHERE tenant_id = " TENANT " AND (audit_id > ? OR audit_id < 1)", "i", id));
    return now.id - id == beyond ? 0 : refuse(id + 1, "was put in from outside", e);
}

/* By pages, so that others get at the file in between. */
int audit_verify(struct state *s, uint64_t *n, char head[65], struct err *e)
{
    struct proof p = {.n = 0};
    struct head newest;
    memcpy(p.last.hash, no_entry, sizeof no_entry);
    try(state_begin(s, e)); /* the head of this moment: what is added meanwhile is not looked at */
    try(state_end(s, read_head(s, &newest, e), e));
    for (int rows = 1; rows > 0 && p.last.id < newest.id;) {
        rows = state_rows(s, e, prove_entry, &p,
                          "SELECT audit_id, entry, hash FROM audit WHERE tenant_id = " TENANT " AND audit_id > ? AND audit_id <= ? ORDER BY audit_id LIMIT 1000", "ii",
                          p.last.id, newest.id);
        if (rows < 0) return rows;
    }
    if (p.last.id != newest.id) return refuse(p.last.id + 1, "is missing", e);
    if (memcmp(p.last.hash, newest.hash, 65) != 0) return refuse(p.last.id, "is not the one that was added last", e);
    try(state_begin(s, e));
    try(state_end(s, check_beyond(s, newest.id, e), e));
    *n = (uint64_t)p.n;
    memcpy(head, p.last.hash, 65);
    return 0;
}
