/* oidc.c - routes of logging in through an OpenID provider. The browser walks them itself, so what goes wrong is told as a page. */
#include "server/oidc/oidc.h"

#include "access/report/html.h"
#include "api/http.h"
#include "base/log.h"
#include "base/secret.h"
#include "server/state/audit.h"

#include <stdio.h>
#include <stdlib.h>

static bool wants_page(const struct request *q)
{
    const char *accept = request_header(q, "Accept");
    return accept && strstr(accept, "text/html");
}

/* For who came by address bar; scripts get the usual error. */
static int fail(struct request *q, struct err *e)
{
    if (!wants_page(q)) return e->class;
    struct buf page = buf_new(16384);
    buf_add_str(&page, STR("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
                           "<title>Not logged in - rollcall</title><h1>Not logged in</h1><p>"));
    html_add(&page, str_from(e->message));
    buf_add_str(&page, STR(".</p>"));
    if (e->hint[0]) {
        buf_add_str(&page, STR("<p>"));
        html_add(&page, str_from(e->hint));
        buf_add_str(&page, STR(".</p>"));
    }
    buf_add_str(&page, STR("<p><a href=\"/\">Back to the log-in page</a></p></html>"));
    int rc = reply_bytes(q, (unsigned)err_class_http(e->class), "text/html; charset=utf-8", buf_bytes(&page));
    buf_free(&page);
    return rc;
}

static void set_cookie(struct request *q, const char *value, int life_s)
{
    char line[200];
    /* Lax: the provider's page sends the browser back to us, and the cookie is to come along. */
    snprintf(line, sizeof line, OIDC_COOKIE "=%s; Path=/; Max-Age=%d; Secure; HttpOnly; SameSite=Lax", value, life_s);
    reply_header(q, "Set-Cookie", line);
}

/* NULL: none, or given twice. */
static const char *find_cookie(const struct request *q, char out[TOKEN_TEXT])
{
    const char *header = request_header(q, "Cookie");
    bool is_found = false;
    for (struct str rest = str_from(header ? header : ""); rest.len;) {
        size_t n = str_index(rest, ';');
        struct str one = str_trim((struct str){rest.ptr, n}), name = STR(OIDC_COOKIE "=");
        n += n < rest.len;
        rest = (struct str){rest.ptr + n, rest.len - n};
        if (!str_starts(one, name)) continue;
        if (is_found || one.len - name.len >= TOKEN_TEXT) return NULL;
        snprintf(out, TOKEN_TEXT, "%.*s", (int)(one.len - name.len), one.ptr + name.len);
        is_found = true;
    }
    return is_found ? out : NULL;
}

static int start(struct request *q, struct err *e)
{
    char *url, cookie[TOKEN_TEXT];
    if (!q->app->oidc) {
        err_set(e, ERR_NOTFOUND, "logging in through a provider is not set up");
        return fail(q, e);
    }
    if (oidc_begin(q->app->oidc, q->actor.from, &url, cookie, e) < 0) {
        log_event(LOG_WARN, "oidc.refused", LOG_CSTR("from", q->actor.from), LOG_CSTR("class", err_class_name(e->class)), LOG_CSTR("message", e->message));
        return fail(q, e);
    }
    set_cookie(q, cookie, OIDC_COOKIE_LIFE_S);
    secret_wipe(cookie, sizeof cookie);
    int rc = reply_redirect(q, url);
    free(url);
    return rc;
}

/* Who is told to be logged in is in the audit log; an entry that cannot be written is a log-in that did not happen. */
static int tell_login(struct request *q, const struct actor *who, const char *session, struct err *e)
{
    struct err ignored;
    json_t *how = json_pack("{s:s, s:s}", "by", "oidc", "role", role_name(who->role));
    int rc = audit_add(q->app->state, who, "login", who->name, NULL, how, "ok", e);
    json_decref(how);
    if (rc < 0 && accounts_logout(q->app->state, who, &ignored) < 0) log_event(LOG_ERROR, "oidc.session_left", LOG_CSTR("user", who->name));
    return rc;
}

static void tell_refusal(struct request *q, const struct err *why)
{
    struct err e;
    struct actor nobody = {.role = ROLE_NONE};
    log_event(LOG_WARN, "oidc.refused", LOG_CSTR("from", q->actor.from), LOG_CSTR("class", err_class_name(why->class)), LOG_CSTR("message", why->message));
    if (!q->app->oidc || !oidc_tells_refusal(q->app->oidc)) return;
    snprintf(nobody.from, sizeof nobody.from, "%s", q->actor.from);
    json_t *how = json_pack("{s:s, s:s}", "by", "oidc", "message", why->message);
    if (audit_add(q->app->state, &nobody, "login.refused", "oidc", NULL, how, err_class_name(why->class), &e) < 0)
        log_event(LOG_ERROR, "audit.failed", LOG_CSTR("message", e.message));
    json_decref(how);
}

static int callback(struct request *q, struct err *e)
{
    char cookie[TOKEN_TEXT], session[TOKEN_TEXT];
    struct actor who;
    struct oidc_answer a = {.code = request_query(q, "code"),
                            .state = request_query(q, "state"),
                            .error = request_query(q, "error"),
                            .error_description = request_query(q, "error_description"),
                            .iss = request_query(q, "iss"),
                            .cookie = find_cookie(q, cookie),
                            .from = q->actor.from};
    set_cookie(q, "", 0);
    int rc = q->app->oidc ? oidc_finish(q->app->oidc, &a, &who, session, e) : err_set(e, ERR_NOTFOUND, "logging in through a provider is not set up");
    if (rc < 0) {
        tell_refusal(q, e);
        return fail(q, e);
    }
    rc = tell_login(q, &who, session, e);
    if (rc == 0) reply_session(q, session);
    secret_wipe(session, sizeof session);
    return rc < 0 ? fail(q, e) : reply_redirect(q, "/");
}

const struct route routes_oidc[] = {
    {"GET", "/api/v1/oidc/start", RIGHT_OPEN, start, "Sends the browser to the OpenID provider", NULL, NULL, 0, LANE_ANY},
    {"GET", "/api/v1/oidc/callback", RIGHT_OPEN, callback, "Where the OpenID provider sends the browser back",
     "code state error error_description error_uri iss session_state scope authuser prompt hd client_info", NULL, 0, LANE_ANY},
    {0},
};
