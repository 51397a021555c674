#include "base/jsonv.h"
#include "base/log.h"
#include "base/secret.h"
#include "server/accounts/accounts_int.h"

#include <stdio.h>

#define PER_OWNER 100
#define TOUCH_MS  (60 * 1000)
#define PREFIX    "rc_"

static int check_new(struct state *s, const struct actor *owner, const char *name, enum role role, int64_t expires_ms, struct err *e)
{
    struct user u;
    int64_t n;
    try(user_find(s, owner->name, &u, e));
    if (owner->is_token || !u.is_found || !u.is_enabled) return err_set(e, ERR_DENIED, "only a user who is logged in can make API tokens");
    try(user_check_name(name, e));
    if (role == ROLE_NONE) return err_set(e, ERR_INPUT, "role: one of viewer, analyst, operator, admin is wanted");
    if (role > u.role) return err_set(e, ERR_DENIED, "role: a token can have at most your own role, %s", role_name(u.role));
    if (expires_ms && expires_ms <= state_now_ms(s)) return err_set(e, ERR_INPUT, "expires: this is in the past");
    /* The audit log, drafts and views know a token by its name: it is one owner's. */
    try(state_number(s, &n, 0, e, "SELECT count(*) FROM token WHERE tenant_id = " TENANT " AND name = ? COLLATE NOCASE AND owner != ?", "ss", name, owner->name));
    if (n) return err_set(e, ERR_CONFLICT, "name: somebody else has an API token '%.100s' already; choose another", name);
    try(state_number(s, &n, 0, e, "SELECT count(*) FROM token WHERE tenant_id = " TENANT " AND owner = ?", "s", owner->name));
    return n < PER_OWNER ? 0 : err_set(e, ERR_LIMIT, "there are %d API tokens of %s already; delete one first", PER_OWNER, owner->name);
}

static int insert(struct state *s, const struct actor *owner, const char *name, enum role role, int64_t expires_ms, const char *token, struct err *e)
{
    char hash[STATE_RANDOM];
    state_hash_text(hash, token);
    try(check_new(s, owner, name, role, expires_ms, e));
    return state_run(s, e,
                     "INSERT INTO token (tenant_id, token_id, name, owner, role, hash, created_ms, expires_ms)"
                     " SELECT " TENANT ", coalesce(max(token_id), 0) + 1, ?, ?, ?, ?, ?, ? FROM token WHERE tenant_id = " TENANT,
                     "ssisii", name, owner->name, (int64_t)role, hash, state_now_ms(s), expires_ms);
}

int accounts_token_add(struct state *s, const struct actor *owner, const char *name, enum role role, int64_t expires_ms, char out[TOKEN_TEXT], struct err *e)
{
    _Static_assert(TOKEN_TEXT >= sizeof PREFIX + STATE_RANDOM, "a token does not fit");
    memcpy(out, PREFIX, sizeof PREFIX);
    state_random_text(out + sizeof PREFIX - 1);
    try(state_begin(s, e));
    int rc = state_end(s, insert(s, owner, name, role, expires_ms, out, e), e);
    if (rc < 0) secret_wipe(out, TOKEN_TEXT);
    return rc;
}

static int add_row(void *ctx, sqlite3_stmt *row, struct err *e)
{
    json_t *o = json_object();
    jsonv_put(o, "id", json_integer(row_int(row, 0)));
    jsonv_put(o, "name", jsonv_str(row_text(row, 1)));
    jsonv_put(o, "owner", jsonv_str(row_text(row, 2)));
    jsonv_put(o, "role", json_string(role_name(role_of(row_int(row, 3)))));
    jsonv_put(o, "created", jsonv_time(row_int(row, 4)));
    jsonv_put(o, "expires", jsonv_or_null(jsonv_time(row_int(row, 5))));
    jsonv_put(o, "last_used", jsonv_or_null(jsonv_time(row_int(row, 6))));
    json_array_append_new(ctx, o);
    return 0;
}

int accounts_tokens(struct state *s, const char *owner, json_t **out, struct err *e)
{
    *out = json_array();
    int rc = state_rows(s, e, add_row, *out,
                        "SELECT token_id, name, owner, role, created_ms, expires_ms, last_used_ms FROM token WHERE tenant_id = " TENANT
                        " AND (?1 IS NULL OR owner = ?1) ORDER BY token_id",
                        "s", owner);
    if (rc >= 0) return 0;
    json_decref(*out);
    *out = NULL;
    return rc;
}

int accounts_token_delete(struct state *s, int64_t id, const char *owner, struct err *e)
{
    try(state_begin(s, e));
    int rc = state_run(s, e, "DELETE FROM token WHERE tenant_id = " TENANT " AND token_id = ?1 AND (?2 IS NULL OR owner = ?2)", "is", id, owner);
    if (rc == 0 && !state_changes(s)) rc = err_set(e, ERR_NOTFOUND, "no API token %lld", (long long)id);
    return state_end(s, rc, e);
}

struct found {
    struct actor *actor;
    int64_t id, expires_ms, last_used_ms;
    bool is_found;
};

static int take_token(void *ctx, sqlite3_stmt *row, struct err *e)
{
    struct found *f = ctx;
    int64_t own = row_int(row, 2), owners = row_int(row, 3), role = own < owners ? own : owners;
    f->id = row_int(row, 0);
    snprintf(f->actor->name, sizeof f->actor->name, "token:%.*s", STR_FMT(row_text(row, 1)));
    f->actor->role = role_of(role);
    f->expires_ms = row_int(row, 4);
    f->last_used_ms = row_int(row, 5);
    f->is_found = true;
    return 0;
}

int accounts_token(struct state *s, const char *token, const char *from, struct actor *out, struct err *e)
{
    char hash[STATE_RANDOM];
    struct found f = {.actor = out};
    int64_t now = state_now_ms(s);
    *out = (struct actor){.is_token = true};
    state_hash_text(hash, token);
    try(state_rows(s, e, take_token, &f,
                   "SELECT token_id, token.name, token.role, user.role, expires_ms, last_used_ms FROM token JOIN user ON user.tenant_id = token.tenant_id AND user.name = owner"
                   " WHERE token.tenant_id = " TENANT " AND token.hash = ? AND user.enabled",
                   "s", hash));
    if (!f.is_found || out->role == ROLE_NONE || (f.expires_ms && now >= f.expires_ms)) {
        *out = (struct actor){.is_token = true};
        return err_set(e, ERR_AUTH, "the API token is unknown, or its time is over");
    }
    snprintf(out->from, sizeof out->from, "%s", from);
    if (now - f.last_used_ms < TOUCH_MS) return 0;
    struct err ignored; /* as of sessions */
    if (state_run(s, &ignored, "UPDATE token SET last_used_ms = ? WHERE tenant_id = " TENANT " AND token_id = ?", "ii", now, f.id) < 0)
        log_event(LOG_WARN, "token.not_touched", LOG_CSTR("why", ignored.message));
    return 0;
}
