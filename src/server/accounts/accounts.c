#include "server/accounts/accounts_int.h"

#include "base/jsonv.h"
#include "base/visible.h"

#include <stdio.h>

#define SETUP_LIFE_MS (15 * 60 * 1000)

/* --- names ---------------------------------------------------------------------------------------------------- */

/* What the log says for actors that are no users. */
static bool is_reserved(struct str name)
{
    static const char *const names[] = {"setup", "schedule", "system", "nobody", "rollcall"};
    for (size_t i = 0; i < n_elements(names); i++)
        if (str_equal_nocase(name, str_from(names[i]))) return true;
    return str_starts(name, STR("token:")) || str_starts(name, STR("local:"));
}

int user_check_name(const char *name, struct err *e)
{
    struct str s = str_from(name), rest = s;
    if (!s.len || s.len >= ACCOUNT_NAME_MAX) return err_set(e, ERR_INPUT, "name: 1 to %d bytes are wanted", ACCOUNT_NAME_MAX - 1);
    for (int32_t c; rest.len;) {
        size_t n = visible_read(&c, rest);
        if (!visible_is(c) || c == '/') return err_set(e, ERR_INPUT, "name: holds a character that names cannot have (byte %zu)", s.len - rest.len + 1);
        rest = (struct str){rest.ptr + n, rest.len - n};
    }
    if (str_trim(s).len != s.len) return err_set(e, ERR_INPUT, "name: begins or ends with a space");
    if (is_reserved(s)) return err_set(e, ERR_INPUT, "name: %s has a meaning of its own here; choose another", name);
    return 0;
}

/* --- rows ----------------------------------------------------------------------------------------------------- */

static int take_user(void *ctx, sqlite3_stmt *row, struct err *e)
{
    struct user *u = ctx;
    snprintf(u->name, sizeof u->name, "%.*s", STR_FMT(row_text(row, 0)));
    snprintf(u->password, sizeof u->password, "%.*s", STR_FMT(row_text(row, 3)));
    u->role = role_of(row_int(row, 1));
    u->is_enabled = row_int(row, 2);
    u->is_found = true;
    return 0;
}

int user_find(struct state *s, const char *name, struct user *out, struct err *e)
{
    *out = (struct user){.is_found = false};
    int rc = state_rows(s, e, take_user, out, "SELECT name, role, enabled, password FROM user WHERE tenant_id = " TENANT " AND name = ?", "s", name);
    return rc < 0 ? rc : 0;
}

static int no_user(const char *name, struct err *e)
{
    return err_set(e, ERR_NOTFOUND, "no user '%.100s'", name);
}

int user_insert(struct state *s, const char *name, enum role role, const char *password_hash, const char *issuer, const char *subject, struct err *e)
{
    struct user u;
    try(user_find(s, name, &u, e));
    if (u.is_found) return err_set(e, ERR_CONFLICT, "there is a user '%.100s' already", u.name);
    return state_run(s, e,
                     "INSERT INTO user (tenant_id, name, role, password, enabled, issuer, subject, created_ms) VALUES (" TENANT ", ?, ?, ?, 1, ?, ?, ?)", "sisssi",
                     name, (int64_t)role, password_hash, issuer, subject, state_now_ms(s));
}

/* --- the first start --------------------------------------------------------------------------------------------- */

static int count_users(struct state *s, int64_t *n, struct err *e)
{
    return state_number(s, n, 0, e, "SELECT count(*) FROM user WHERE tenant_id = " TENANT, "");
}

bool accounts_are_empty(struct state *s)
{
    int64_t n;
    struct err ignored;
    return count_users(s, &n, &ignored) == 0 && n == 0; /* in doubt nobody may set up */
}

static int put_setup(struct state *s, const char *token, struct err *e)
{
    char hash[STATE_RANDOM];
    if (!accounts_are_empty(s)) {
        err_set(e, ERR_CONFLICT, "the server is set up already: there are users");
        return err_hint(e, "log in, or make a user with: rollcall server user add NAME --role admin");
    }
    state_hash_text(hash, token);
    return state_run(s, e, "INSERT OR REPLACE INTO setup (tenant_id, hash, expires_ms) VALUES (" TENANT ", ?, ?)", "si", hash, state_now_ms(s) + SETUP_LIFE_MS);
}

int accounts_setup_token(struct state *s, char out[TOKEN_TEXT], struct err *e)
{
    state_random_text(out);
    try(state_begin(s, e));
    return state_end(s, put_setup(s, out, e), e);
}

/* Of the deleted row itself, so that of two at once one gets in. */
static int use_setup(struct state *s, const char *token, struct err *e)
{
    char hash[STATE_RANDOM];
    int64_t n;
    state_hash_text(hash, token);
    try(state_number(s, &n, 0, e, "SELECT count(*) FROM setup WHERE tenant_id = " TENANT " AND hash = ? AND expires_ms > ?", "si", hash, state_now_ms(s)));
    if (n && accounts_are_empty(s)) return state_run(s, e, "DELETE FROM setup WHERE tenant_id = " TENANT, "");
    err_set(e, ERR_AUTH, "the set-up address was used already, or is older than 15 minutes");
    return err_hint(e, "rollcall server setup-url prints a new one");
}

int accounts_setup(struct state *s, const char *token, const char *name, struct bytes password, struct err *e)
{
    char hash[PASSWORD_HASH];
    try(user_check_name(name, e));
    try(password_check_new(name, password, e));
    try(state_begin(s, e)); /* first the token, which costs nothing to a stranger; the password's hash costs 0.1 s */
    struct err quiet;
    int rc = use_setup(s, token, e);
    (void)!state_end(s, ERR_CANCEL, &quiet);
    if (rc < 0) return rc;
    try(password_hash(hash, password, e));
    try(state_begin(s, e));
    rc = use_setup(s, token, e);
    if (rc == 0) rc = user_insert(s, name, ROLE_ADMIN, hash, NULL, NULL, e);
    return state_end(s, rc, e);
}

/* --- users --------------------------------------------------------------------------------------------------------- */

int accounts_user_add(struct state *s, const char *name, enum role role, struct bytes password, struct err *e)
{
    char hash[PASSWORD_HASH];
    try(user_check_name(name, e));
    if (role == ROLE_NONE) return err_set(e, ERR_INPUT, "role: one of viewer, analyst, operator, admin is wanted");
    if (password.len) {
        try(password_check_new(name, password, e));
        try(password_hash(hash, password, e));
    }
    try(state_begin(s, e));
    return state_end(s, user_insert(s, name, role, password.len ? hash : NULL, NULL, NULL, e), e);
}

static int end_sessions(struct state *s, const char *name, struct err *e)
{
    return state_run(s, e, "DELETE FROM session WHERE tenant_id = " TENANT " AND user = ?", "s", name);
}

/* Somebody must be left who can make admins. */
static int keep_an_admin(struct state *s, struct err *e)
{
    int64_t n;
    try(state_number(s, &n, 0, e, "SELECT count(*) FROM user WHERE tenant_id = " TENANT " AND enabled AND role = ?", "i", (int64_t)ROLE_ADMIN));
    if (n) return 0;
    err_set(e, ERR_CONFLICT, "this is the last admin who can log in");
    return err_hint(e, "make another user an admin first");
}

static int change(struct state *s, const char *name, enum role role, int is_enabled, struct err *e)
{
    struct user u;
    try(user_find(s, name, &u, e));
    if (!u.is_found) return no_user(name, e);
    bool was_admin = u.role == ROLE_ADMIN && u.is_enabled;
    try(state_run(s, e, "UPDATE user SET role = ?, enabled = ? WHERE tenant_id = " TENANT " AND name = ?", "iis", (int64_t)(role ? role : u.role),
                  (int64_t)(is_enabled < 0 ? u.is_enabled : is_enabled > 0), name));
    if (was_admin) try(keep_an_admin(s, e));
    return end_sessions(s, name, e);
}

int accounts_user_change(struct state *s, const char *name, enum role role, int is_enabled, struct err *e)
{
    try(state_begin(s, e));
    return state_end(s, change(s, name, role, is_enabled, e), e);
}

static int set_password(struct state *s, const char *name, const char *hash, struct err *e)
{
    try(state_run(s, e, "UPDATE user SET password = ? WHERE tenant_id = " TENANT " AND name = ?", "ss", hash, name));
    if (!state_changes(s)) return no_user(name, e);
    return end_sessions(s, name, e);
}

int accounts_user_password(struct state *s, const char *name, struct bytes password, struct err *e)
{
    char hash[PASSWORD_HASH];
    try(password_check_new(name, password, e));
    try(password_hash(hash, password, e));
    try(state_begin(s, e));
    return state_end(s, set_password(s, name, hash, e), e);
}

static int delete_user(struct state *s, const char *name, struct err *e)
{
    struct user u;
    try(user_find(s, name, &u, e));
    if (!u.is_found) return no_user(name, e);
    try(state_run(s, e, "DELETE FROM user WHERE tenant_id = " TENANT " AND name = ?", "s", name));
    if (u.role == ROLE_ADMIN && u.is_enabled) try(keep_an_admin(s, e));
    try(state_run(s, e, "DELETE FROM token WHERE tenant_id = " TENANT " AND owner = ?", "s", name));
    try(state_run(s, e, "DELETE FROM document WHERE tenant_id = " TENANT " AND owner = ?", "s", u.name)); /* drafts, views: not the next one's of that name */
    return end_sessions(s, name, e);
}

int accounts_user_delete(struct state *s, const char *name, struct err *e)
{
    try(state_begin(s, e));
    return state_end(s, delete_user(s, name, e), e);
}

static int add_row(void *ctx, sqlite3_stmt *row, struct err *e)
{
    json_t *o = json_object();
    jsonv_put(o, "name", jsonv_str(row_text(row, 0)));
    jsonv_put(o, "role", json_string(role_name(role_of(row_int(row, 1)))));
    jsonv_put(o, "enabled", json_boolean(row_int(row, 2)));
    jsonv_put(o, "has_password", json_boolean(row_int(row, 3)));
    jsonv_put(o, "oidc_subject", row_is_null(row, 4) ? json_null() : jsonv_str(row_text(row, 4)));
    jsonv_put(o, "created", jsonv_time(row_int(row, 5)));
    json_t *last = jsonv_time(row_int(row, 6));
    jsonv_put(o, "last_login", jsonv_or_null(last));
    json_array_append_new(ctx, o);
    return 0;
}

int accounts_users(struct state *s, json_t **out, struct err *e)
{
    *out = json_array();
    int rc = state_rows(s, e, add_row, *out,
                        "SELECT name, role, enabled, password IS NOT NULL, subject, created_ms, last_login_ms FROM user WHERE tenant_id = " TENANT " ORDER BY name",
                        "");
    if (rc >= 0) return 0;
    json_decref(*out);
    *out = NULL;
    return rc;
}

/* --- users of an OIDC provider ---------------------------------------------------------------------------------------- */

static int find_subject(struct state *s, const char *issuer, const char *subject, struct user *out, struct err *e)
{
    *out = (struct user){.is_found = false};
    int rc = state_rows(s, e, take_user, out, "SELECT name, role, enabled, password FROM user WHERE tenant_id = " TENANT " AND issuer = ? AND subject = ?", "ss",
                        issuer, subject);
    return rc < 0 ? rc : 0;
}

/* What the provider calls somebody, in characters that a name here may have. */
static void make_name(char out[ACCOUNT_NAME_MAX], const char *wanted)
{
    struct str rest = str_from(wanted);
    size_t w = 0;
    for (int32_t c; rest.len && w < 112;) {
        size_t n = visible_read(&c, rest);
        if (visible_is(c) && c != '/') {
            memcpy(out + w, rest.ptr, n);
            w += n;
        } else {
            out[w++] = '_';
        }
        rest = (struct str){rest.ptr + n, rest.len - n};
    }
    struct str trimmed = str_trim((struct str){out, w});
    memmove(out, trimmed.ptr, trimmed.len);
    out[trimmed.len] = 0;
    if (!trimmed.len || is_reserved(str_from(out))) snprintf(out, ACCOUNT_NAME_MAX, "user");
}

/* A name that somebody else has already gets a number: the provider's users never become local ones by name. */
static int free_name(struct state *s, const char *wanted, char out[ACCOUNT_NAME_MAX], struct err *e)
{
    struct user u;
    char base[ACCOUNT_NAME_MAX];
    make_name(base, wanted);
    for (int i = 1; i < 1000; i++) {
        snprintf(out, ACCOUNT_NAME_MAX, "%s", base);
        if (i > 1) snprintf(out + strlen(out), ACCOUNT_NAME_MAX - strlen(out), " (%d)", i);
        try(user_check_name(out, e));
        try(user_find(s, out, &u, e));
        if (!u.is_found) return 0;
    }
    return err_set(e, ERR_CONFLICT, "there are too many users of the name '%.100s'", wanted);
}

static int take_subject(struct state *s, const char *issuer, const char *subject, const char *name, enum role role, char out_name[ACCOUNT_NAME_MAX], struct err *e)
{
    struct user u;
    try(find_subject(s, issuer, subject, &u, e));
    if (!u.is_found) {
        try(free_name(s, name, out_name, e));
        return user_insert(s, out_name, role, NULL, issuer, subject, e);
    }
    snprintf(out_name, ACCOUNT_NAME_MAX, "%s", u.name);
    if (!u.is_enabled) return err_set(e, ERR_AUTH, "the user %s is disabled", u.name);
    return u.role == role ? 0 : change(s, u.name, role, -1, e);
}

static int take_role(struct state *s, const char *issuer, const char *subject, struct err *e)
{
    struct user u;
    try(find_subject(s, issuer, subject, &u, e));
    if (!u.is_found || u.role == ROLE_NONE) return 0;
    try(state_run(s, e, "UPDATE user SET role = ? WHERE tenant_id = " TENANT " AND name = ?", "is", (int64_t)ROLE_NONE, u.name));
    if (u.role == ROLE_ADMIN && u.is_enabled) try(keep_an_admin(s, e));
    return end_sessions(s, u.name, e);
}

int accounts_oidc_no_role(struct state *s, const char *issuer, const char *subject, struct err *e)
{
    try(state_begin(s, e));
    return state_end(s, take_role(s, issuer, subject, e), e);
}

int accounts_oidc_user(struct state *s, const char *issuer, const char *subject, const char *name, enum role role, char out_name[ACCOUNT_NAME_MAX], struct err *e)
{
    if (role == ROLE_NONE) return err_set(e, ERR_DENIED, "the provider gives '%.100s' no role here", name);
    try(state_begin(s, e));
    return state_end(s, take_subject(s, issuer, subject, name, role, out_name, e), e);
}
