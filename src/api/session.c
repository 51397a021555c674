/* session.c - routes of the first start, logging in and out, and what one may do to one's own account. */
#include "api/http.h"
#include "base/jsonv.h"
#include "base/secret.h"
#include "base/when.h"
#include "server/state/audit.h"
#include "server/state/documents.h"
#include "server/oidc/oidc.h"

#include <stdatomic.h>

#define SETUP_REFUSALS 100 /* told in the audit log, of one process */

#define NAME     "{\"type\":\"string\",\"minLength\":1,\"maxLength\":127}"
#define PASSWORD "{\"type\":\"string\",\"maxLength\":1024}"

static struct bytes password_of(const struct request *q, const char *key)
{
    const json_t *v = json_object_get(q->body, key);
    return (struct bytes){(const uint8_t *)json_string_value(v), json_string_length(v)};
}

static json_t *preferences_of(struct request *q)
{
    struct err e;
    json_t *body = NULL;
    int64_t version;
    if (document_get(q->app->state, "preferences", q->actor.name, "page", &body, &version, &e) < 0) body = json_object();
    return body;
}

static json_t *session_json(struct request *q)
{
    json_t *x = json_object();
    jsonv_put(x, "name", jsonv_str(str_from(q->actor.name)));
    jsonv_put(x, "role", json_string(role_name(q->actor.role)));
    jsonv_put(x, "csrf", json_string(q->actor.csrf));
    jsonv_put(x, "is_token", json_boolean(q->actor.is_token));
    jsonv_put(x, "preferences", preferences_of(q));
    jsonv_put(x, "version", json_string(ROLLCALL_VERSION));
    char *url = oidc_logout_url(q->app->oidc);
    if (url) jsonv_put(x, "logout_url", json_string(url));
    free(url);
    return x;
}

/* The session that the browser had, if any, has ended: another one has another id (session fixation). */
static int reply_logged_in(struct request *q, const struct actor *who, char session[TOKEN_TEXT], struct err *e)
{
    if (q->actor.session_id[0]) try(accounts_logout(q->app->state, &q->actor, e));
    q->actor = *who;
    reply_session(q, session);
    secret_wipe(session, TOKEN_TEXT);
    return reply_json(q, 200, session_json(q));
}

static int start(struct request *q, struct err *e)
{
    json_t *x = json_object();
    jsonv_put(x, "setup_needed", json_boolean(accounts_are_empty(q->app->state)));
    json_object_set_new(x, "oidc", oidc_tell(q->app->oidc));
    jsonv_put(x, "version", json_string(ROLLCALL_VERSION));
    return reply_json(q, 200, x);
}

/* What is refused before anybody is known is in the log too, under the name that was tried. A limit is not: it would let strangers fill the disk. */
static int audit_refusal(struct request *q, const char *action, const char *name, const struct err *why)
{
    struct err ignored;
    if (why->class == ERR_AUTH && audit_add(q->app->state, &q->actor, action, name, NULL, NULL, err_class_name(why->class), &ignored) < 0) return ERR_BUG;
    return 0;
}

static int log_in(struct request *q, const char *name, const char *action, struct err *e)
{
    struct actor who;
    char session[TOKEN_TEXT];
    if (accounts_login(q->app->state, name, password_of(q, "password"), q->actor.from, &who, session, e) < 0) {
        if (e->class == ERR_LIMIT) reply_error_status(q, 429);
        if (audit_refusal(q, "login.refused", name, e) < 0) return err_set(e, ERR_BUG, "the audit log cannot be written");
        return e->class;
    }
    try(audit_add(q->app->state, &who, action, who.name, NULL, NULL, "ok", e));
    return reply_logged_in(q, &who, session, e);
}

static int setup(struct request *q, struct err *e)
{
    const char *token, *name;
    if (!accounts_are_empty(q->app->state)) return err_set(e, ERR_NOTFOUND, "there is no such path");
    try(request_text(q, "token", &token, e));
    try(request_text(q, "name", &name, e));
    if (accounts_setup(q->app->state, token, name, password_of(q, "password"), e) < 0) {
        static atomic_uint n_refused; /* no limit slows these down: strangers must not fill the disk with them */
        if (atomic_fetch_add(&n_refused, 1) < SETUP_REFUSALS && audit_refusal(q, "setup.refused", name, e) < 0) return err_set(e, ERR_BUG, "the audit log cannot be written");
        return e->class;
    }
    return log_in(q, name, "setup", e);
}

static int login(struct request *q, struct err *e)
{
    const char *name;
    try(request_text(q, "name", &name, e));
    return log_in(q, name, "login", e);
}

static int logout(struct request *q, struct err *e)
{
    if (q->actor.is_token) return err_set(e, ERR_INPUT, "an API token has no session to end");
    try(accounts_logout(q->app->state, &q->actor, e));
    try(request_audit(q, "logout", q->actor.name, NULL, NULL, e));
    reply_session(q, NULL);
    reply_header(q, "Clear-Site-Data", "\"cache\", \"storage\"");
    return reply_none(q, 204);
}

static int get_session(struct request *q, struct err *e)
{
    return reply_json(q, 200, session_json(q));
}

static int put_preferences(struct request *q, struct err *e)
{
    try(document_put(q->app->state, "preferences", q->actor.name, "page", q->body, 0, e));
    return reply_json(q, 200, json_incref(q->body));
}

/* Every session of the user ends with the old password; who asked goes on with a new one. */
static int put_password(struct request *q, struct err *e)
{
    struct actor who;
    char session[TOKEN_TEXT];
    if (q->actor.is_token) return err_set(e, ERR_DENIED, "an API token cannot change its owner's password");
    if (accounts_password_check(q->app->state, q->actor.name, password_of(q, "old"), q->actor.from, e) < 0) {
        if (e->class == ERR_LIMIT) reply_error_status(q, 429);
        if (e->class == ERR_AUTH) {
            reply_error_status(q, 400); /* the session is good: 401 would send the page to the log-in */
            err_set(e, ERR_AUTH, "the old password is wrong");
        }
        return e->class;
    }
    try(accounts_user_password(q->app->state, q->actor.name, password_of(q, "new"), e));
    try(request_audit(q, "user.password", q->actor.name, NULL, NULL, e));
    try(accounts_session_new(q->app->state, q->actor.name, q->actor.from, &who, session, e));
    reply_session(q, session);
    secret_wipe(session, sizeof session);
    q->actor = who;
    return reply_json(q, 200, session_json(q));
}

const struct route routes_session[] = {
    {"GET", "/api/v1/start", RIGHT_OPEN, start, "What the log-in page must know", NULL, NULL, 0, LANE_ANY},
    {"POST", "/api/v1/setup", RIGHT_OPEN, setup, "Make the first administrator with the token of the setup URL", NULL,
     "{\"type\":\"object\",\"required\":[\"token\",\"name\",\"password\"],\"properties\":{\"token\":{\"type\":\"string\",\"maxLength\":128},\"name\":" NAME
     ",\"password\":" PASSWORD "}}",
     8192, LANE_PASSWORD},
    {"POST", "/api/v1/login", RIGHT_OPEN, login, "Log in with name and password", NULL,
     "{\"type\":\"object\",\"required\":[\"name\",\"password\"],\"properties\":{\"name\":" NAME ",\"password\":" PASSWORD "}}", 8192, LANE_PASSWORD},
    {"POST", "/api/v1/logout", RIGHT_VIEW, logout, "Log out: the session is void at once", NULL, NULL, 0, LANE_ANY},
    {"GET", "/api/v1/session", RIGHT_VIEW, get_session, "Who is logged in, with the CSRF token", NULL, NULL, 0, LANE_ANY},
    {"PUT", "/api/v1/session/preferences", RIGHT_VIEW, put_preferences, "Keep one's preferences of the page", NULL,
     "{\"type\":\"object\",\"additionalProperties\":true,\"properties\":{\"theme\":{\"type\":\"string\",\"enum\":[\"auto\",\"light\",\"dark\"]},\"keys\":{\"type\":\"boolean\"}}}",
     16384, LANE_ANY},
    {"PUT", "/api/v1/session/password", RIGHT_VIEW, put_password, "Change one's own password; every other session of the user ends", NULL,
     "{\"type\":\"object\",\"required\":[\"old\",\"new\"],\"properties\":{\"old\":" PASSWORD ",\"new\":" PASSWORD "}}", 8192, LANE_PASSWORD},
    {0},
};
