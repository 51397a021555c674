#include "base/log.h"
#include "base/secret.h"
#include "server/accounts/accounts_int.h"

#include <stdio.h>

#define IDLE_MS     (30 * 60 * 1000)
#define LIFE_MS     (12 * 3600 * 1000)
#define TOUCH_MS    (60 * 1000) /* how exactly it is known when a session was last used: not every request writes */
#define PER_USER    32          /* the oldest goes */

static int refuse(struct err *e)
{
    return err_set(e, ERR_AUTH, "name or password is wrong");
}

/* --- beginning ----------------------------------------------------------------------------------------------- */

/* Known to whoever has the session, and to nobody who has the file. */
static void make_csrf(char out[TOKEN_TEXT], const char *session)
{
    char text[STATE_RANDOM + 16];
    snprintf(text, sizeof text, "csrf of %s", session);
    state_hash_text(out, text);
    secret_wipe(text, sizeof text);
}

static void fill(struct actor *out, const struct user *u, const char *session, const char *hash, const char *from)
{
    *out = (struct actor){.role = u->role};
    snprintf(out->name, sizeof out->name, "%s", u->name);
    snprintf(out->from, sizeof out->from, "%s", from);
    snprintf(out->session_id, sizeof out->session_id, "%s", hash);
    make_csrf(out->csrf, session);
}

static int drop_old(struct state *s, const char *name, struct err *e)
{
    int64_t now = state_now_ms(s);
    try(state_run(s, e, "DELETE FROM session WHERE tenant_id = " TENANT " AND (created_ms <= ? OR seen_ms <= ?)", "ii", now - LIFE_MS, now - IDLE_MS));
    return state_run(s, e,
                     "DELETE FROM session WHERE tenant_id = " TENANT " AND hash IN (SELECT hash FROM session WHERE tenant_id = " TENANT
                     " AND user = ? ORDER BY created_ms DESC LIMIT -1 OFFSET ?)",
                     "si", name, (int64_t)(PER_USER - 1));
}

static int add_session(struct state *s, const char *name, const char *hash, const char *from, struct user *u, struct err *e)
{
    int64_t now = state_now_ms(s);
    try(user_find(s, name, u, e));
    if (!u->is_found || !u->is_enabled || u->role == ROLE_NONE) return refuse(e); /* changed while the password was tried */
    try(drop_old(s, u->name, e));
    try(state_run(s, e, "UPDATE user SET last_login_ms = ? WHERE tenant_id = " TENANT " AND name = ?", "is", now, u->name));
    return state_run(s, e, "INSERT INTO session (tenant_id, hash, user, address, created_ms, seen_ms) VALUES (" TENANT ", ?, ?, ?, ?, ?)", "sssii", hash, u->name,
                     from, now, now);
}

int accounts_session_new(struct state *s, const char *name, const char *from, struct actor *out, char session[TOKEN_TEXT], struct err *e)
{
    struct user u;
    char hash[STATE_RANDOM];
    *out = (struct actor){.role = ROLE_NONE};
    state_random_text(session);
    state_hash_text(hash, session);
    try(state_begin(s, e));
    int rc = state_end(s, add_session(s, name, hash, from, &u, e), e);
    if (rc == 0) fill(out, &u, session, hash, from);
    if (rc < 0) session[0] = 0;
    return rc;
}

/* Counted before it is tried, tried outside of the lock. */
int accounts_password_check(struct state *s, const char *name, struct bytes password, const char *from, struct err *e)
{
    struct user u;
    try(limit_charge(s, name, from, e));
    try(user_find(s, name, &u, e));
    bool is_right = password_is(u.password, password) && u.is_enabled;
    secret_wipe(u.password, sizeof u.password);
    if (!is_right) return refuse(e);
    return limit_refund(s, name, from, e);
}

int accounts_login(struct state *s, const char *name, struct bytes password, const char *from, struct actor *out, char session[TOKEN_TEXT], struct err *e)
{
    *out = (struct actor){.role = ROLE_NONE};
    session[0] = 0;
    try(accounts_password_check(s, name, password, from, e));
    return accounts_session_new(s, name, from, out, session, e);
}

/* --- using --------------------------------------------------------------------------------------------------- */

struct found {
    struct user user;
    int64_t created_ms, seen_ms;
};

static int take_session(void *ctx, sqlite3_stmt *row, struct err *e)
{
    struct found *f = ctx;
    snprintf(f->user.name, sizeof f->user.name, "%.*s", STR_FMT(row_text(row, 0)));
    f->user.role = role_of(row_int(row, 1));
    f->created_ms = row_int(row, 2);
    f->seen_ms = row_int(row, 3);
    f->user.is_found = true;
    return 0;
}

/* Where nothing can be written, people can still look, and remove what takes the room. */
static void touch(struct state *s, const char *hash, int64_t seen_ms)
{
    struct err e;
    int64_t now = state_now_ms(s);
    if (now - seen_ms < TOUCH_MS) return;
    if (state_run(s, &e, "UPDATE session SET seen_ms = ? WHERE tenant_id = " TENANT " AND hash = ?", "is", now, hash) < 0)
        log_event(LOG_WARN, "session.not_touched", LOG_CSTR("why", e.message));
}

int accounts_session(struct state *s, const char *session, const char *from, struct actor *out, struct err *e)
{
    struct found f = {.created_ms = 0};
    char hash[STATE_RANDOM];
    int64_t now = state_now_ms(s);
    *out = (struct actor){.role = ROLE_NONE};
    state_hash_text(hash, session);
    try(state_rows(s, e, take_session, &f,
                   "SELECT user.name, user.role, session.created_ms, session.seen_ms FROM session JOIN user ON user.tenant_id = session.tenant_id AND user.name = session.user"
                   " WHERE session.tenant_id = " TENANT " AND session.hash = ? AND user.enabled",
                   "s", hash));
    bool is_over = !f.user.is_found || f.user.role == ROLE_NONE || now - f.created_ms >= LIFE_MS || now - f.seen_ms >= IDLE_MS;
    if (is_over) return err_set(e, ERR_AUTH, "not logged in, or logged out after 30 minutes without use");
    touch(s, hash, f.seen_ms);
    fill(out, &f.user, session, hash, from);
    return 0;
}

int accounts_logout(struct state *s, const struct actor *who, struct err *e)
{
    return state_run(s, e, "DELETE FROM session WHERE tenant_id = " TENANT " AND hash = ?", "s", who->session_id);
}

int accounts_end_sessions(struct state *s, struct err *e)
{
    try(state_begin(s, e));
    int rc = state_run(s, e, "DELETE FROM session WHERE tenant_id = " TENANT, "");
    if (rc == 0) rc = state_run(s, e, "DELETE FROM setup WHERE tenant_id = " TENANT, "");
    return state_end(s, rc, e);
}
