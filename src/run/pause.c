#include "run/pause.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/when.h"
#include "run/worker.h"

#include <krb5.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOTE          STR("pause")
#define NOTE_MAX      8192
#define WRONG_MAX     2 /* wrong passwords in a row, then none by itself */

/* What is kept. */
struct note {
    struct pause_state state; /* next_ms is not kept: see next_attempt */
    enum err_domain domain;
    int code;
    int64_t n_wrong; /* refusals in a row that counted towards a lock-out */
    char secret[SECRET_MARK];
    struct pause_marks marks;
};

/* --- what the credential was ------------------------------------------------------------------- */

/* The settings as checked: defaults filled in, secrets as references. */
static void mark_settings(char out[65], const json_t *settings)
{
    struct sha256 h;
    char *text = json_dumps(settings, JSON_COMPACT | JSON_SORT_KEYS);
    if (!text) x_out_of_memory();
    sha256_init(&h);
    sha256_add(&h, bytes_of(str_from(text)));
    sha256_hex(&h, out);
    free(text);
}

static bool is_application(const json_t *settings)
{
    const char *type = conf_str(settings, "type");
    return type && strcmp(type, "entra_id") == 0;
}

static const char *key_file(const json_t *settings)
{
    if (is_application(settings)) {
        const char *certificate = conf_str(settings, "client_certificate");
        return certificate ? certificate : conf_str(settings, "federated_token_file");
    }
    const char *auth = conf_str(settings, "auth");
    if (auth && strcmp(auth, "keytab") == 0) return conf_str(settings, "keytab");
    return auth && strcmp(auth, "kerberos_cache") == 0 ? conf_str(settings, "credential_cache") : NULL;
}

static void mark_content(char *out, size_t size, const char *path)
{
    struct buf content = buf_new(SECRET_MAX);
    struct err ignored;
    struct sha256 h;
    char hex[65];
    if (file_read(&content, path, &ignored) == 0) {
        sha256_init(&h);
        sha256_add(&h, buf_bytes(&content));
        sha256_hex(&h, hex);
        snprintf(out, size, "%s", hex);
    }
    secret_wipe_buf(&content);
}

/* A file of tickets or keys is not read, only recognised; "" if there is none. */
static void mark_file(char *out, size_t size, const json_t *settings)
{
    struct stat st;
    const char *path = key_file(settings);
    out[0] = 0;
    if (path && str_starts(str_from(path), STR("FILE:"))) path += strlen("FILE:");
    if (path && str_starts(str_from(path), STR("/proc/self/fd/"))) { /* handed over by a server, each time in another file */
        mark_content(out, size, path);
        return;
    }
    if (!path || stat(path, &st) < 0) return;
    snprintf(out, size, "%llu:%lld:%lld.%09ld", (unsigned long long)st.st_ino, (long long)st.st_size, (long long)st.st_mtim.tv_sec,
             st.st_mtim.tv_nsec);
}

static void mark(struct pause_marks *out, const struct connector_conf *c)
{
    struct err ignored; /* the worker tells it */
    json_t *settings = json_deep_copy(c->settings);
    if (conf_from_environment(c->type, settings, environ, &ignored) < 0) log_event(LOG_DEBUG, "pause.environment", LOG_CSTR("why", ignored.message));
    mark_settings(out->settings, settings);
    mark_file(out->file, sizeof out->file, settings);
    json_decref(settings);
}

/* --- the note ----------------------------------------------------------------------------------- */

/* Not cut within a character, where an error text may have been already. */
static struct str head(const char *text, size_t max)
{
    struct str s = str_from(text);
    if (s.len > max) s.len = max;
    while (s.len && !str_is_utf8(s)) s.len--;
    return s;
}

static json_t *json_of(const char *text)
{
    struct str s = head(text, SIZE_MAX);
    return json_stringn(s.ptr, s.len);
}

static void take_text(char *out, size_t size, const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    snprintf(out, size, "%s", text ? text : "");
}

static int note_write(const struct pause *p, const struct note *n, struct err *e)
{
    json_t *o = json_pack("{s:I, s:I, s:i, s:i, s:o, s:o, s:s, s:s, s:s}", "refused_ms", (json_int_t)n->state.refused_ms, "wrong",
                          (json_int_t)n->n_wrong, "domain", (int)n->domain, "code", n->code, "message", json_of(n->state.message), "hint",
                          json_of(n->state.hint), "settings", n->marks.settings, "secret", n->secret, "file", n->marks.file);
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    int rc = text ? store_note_put(p->store, str_from(p->connector->name), str_from(p->connector->type), NOTE, bytes_of(str_from(text)), e)
                  : err_set(e, ERR_BUG, "the note of a refusal cannot be written as JSON");
    free(text);
    json_decref(o);
    return rc;
}

static void note_decode(struct note *n, const json_t *o)
{
    *n = (struct note){.state.refused_ms = json_integer_value(json_object_get(o, "refused_ms")),
                       .n_wrong = json_integer_value(json_object_get(o, "wrong")),
                       .domain = (enum err_domain)json_integer_value(json_object_get(o, "domain")),
                       .code = (int)json_integer_value(json_object_get(o, "code"))};
    take_text(n->state.message, sizeof n->state.message, o, "message");
    take_text(n->state.hint, sizeof n->state.hint, o, "hint");
    take_text(n->marks.settings, sizeof n->marks.settings, o, "settings");
    take_text(n->secret, sizeof n->secret, o, "secret");
    take_text(n->marks.file, sizeof n->marks.file, o, "file");
}

/* 1: there is one; 0: none (or none that can be read: then an attempt is due anyway). */
static int note_read(struct store *s, const struct connector_conf *c, struct note *out, struct err *e)
{
    struct buf b = buf_new(NOTE_MAX);
    json_t *o = NULL;
    int rc = store_note_get(s, str_from(c->name), NOTE, &b, e);
    if (rc == 0) o = json_loadb((const char *)b.ptr, b.len, 0, NULL);
    buf_free(&b);
    if (rc < 0 && rc != ERR_NOTFOUND && rc != ERR_LIMIT) return rc;
    bool is_one = json_is_integer(json_object_get(o, "refused_ms")) && json_is_integer(json_object_get(o, "wrong"));
    if (is_one) note_decode(out, o);
    json_decref(o);
    return is_one;
}

/* --- until when ----------------------------------------------------------------------------------- */

/* What a refusal says of the credential. */
enum refusal {
    REFUSED_GUESS, /* counts towards a lock-out */
    REFUSED_STATE, /* the account may not sign in now; no attempt counts */
    REFUSED_OTHER, /* clocks, tickets, names of services: nothing */
};

/* AcceptSecurityContext's sub-codes (MS-ERREF 2.2); RFC 4120 7.5.9 and libkrb5's own. */
static const struct {
    enum err_domain domain;
    int code;
    enum refusal refusal;
} refusals[] = {
    {DOM_AD, 0x52f, REFUSED_STATE},
    {DOM_AD, 0x530, REFUSED_STATE},
    {DOM_AD, 0x531, REFUSED_STATE},
    {DOM_AD, 0x532, REFUSED_STATE},
    {DOM_AD, 0x533, REFUSED_STATE},
    {DOM_AD, 0x568, REFUSED_STATE},
    {DOM_AD, 0x701, REFUSED_STATE},
    {DOM_AD, 0x773, REFUSED_STATE},
    {DOM_AD, 0x775, REFUSED_STATE},
    {DOM_AD, (int)0x80090346, REFUSED_STATE},
    {DOM_KRB5, KRB5KDC_ERR_PREAUTH_FAILED, REFUSED_GUESS},
    {DOM_KRB5, KRB5_PREAUTH_FAILED, REFUSED_GUESS},
    {DOM_KRB5, KRB5KRB_AP_ERR_BAD_INTEGRITY, REFUSED_GUESS},
    {DOM_KRB5, KRB5KRB_AP_ERR_SKEW, REFUSED_OTHER},
    {DOM_KRB5, KRB5_KDCREP_SKEW, REFUSED_OTHER},
    {DOM_KRB5, KRB5_KDCREP_MODIFIED, REFUSED_OTHER},
    {DOM_KRB5, KRB5KDC_ERR_NEVER_VALID, REFUSED_OTHER},
    {DOM_KRB5, KRB5_CC_NOTFOUND, REFUSED_OTHER},
    {DOM_KRB5, KRB5KRB_AP_ERR_TKT_EXPIRED, REFUSED_OTHER},
    {DOM_KRB5, KRB5KRB_AP_ERR_TKT_NYV, REFUSED_OTHER},
    {DOM_KRB5, KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN, REFUSED_OTHER},
    {DOM_KRB5, KRB5KDC_ERR_PRINCIPAL_NOT_UNIQUE, REFUSED_OTHER},
    {DOM_KRB5, KRB5KDC_ERR_MUST_USE_USER2USER, REFUSED_OTHER},
    {DOM_KRB5, KRB5KRB_AP_ERR_MODIFIED, REFUSED_OTHER},
    {DOM_KRB5, KRB5KRB_AP_ERR_NOKEY, REFUSED_OTHER},
    {DOM_KRB5, KRB5KRB_AP_ERR_BADKEYVER, REFUSED_OTHER},
    {DOM_KRB5, KRB5KRB_AP_WRONG_PRINC, REFUSED_OTHER},
    {DOM_KRB5, KRB5KRB_AP_ERR_MUT_FAIL, REFUSED_OTHER},
};

/* AADSTS numbers. An application is not locked out, but a secret that is wrong or has expired stays so; consent, keys and policies can be
 * put right in the tenant. */
static enum refusal refusal_of_application(int code)
{
    if (code == 7000215 || code == 7000222) return REFUSED_GUESS;
    return code == 700024 ? REFUSED_OTHER : REFUSED_STATE; /* an assertion of another time: clocks */
}

static enum refusal refusal_of(enum err_domain domain, int code, const json_t *settings)
{
    const char *auth = conf_str(settings, "auth");
    if (is_application(settings)) return refusal_of_application(code);
    for (size_t i = 0; i < n_elements(refusals); i++)
        if (refusals[i].domain == domain && refusals[i].code == code) return refusals[i].refusal;
    bool is_ticket = auth && strcmp(auth, "kerberos_cache") == 0; /* nobody guesses a ticket */
    return domain == DOM_KRB5 || is_ticket ? REFUSED_STATE : REFUSED_GUESS;
}

static int64_t next_attempt(const struct note *n, const json_t *settings)
{
    if (n->n_wrong >= WRONG_MAX && refusal_of(n->domain, n->code, settings) == REFUSED_GUESS) return 0;
    return n->state.refused_ms + conf_int(settings, "frequency");
}

/* Where the clock was set back behind the refusal, no wait makes sense: one attempt, and its note is of now. */
static bool is_waiting(const struct note *n, int64_t now_ms)
{
    return !n->state.next_ms || (now_ms >= n->state.refused_ms && now_ms < n->state.next_ms);
}

/* As far as it can be told without the secret. 1: the note stands. */
static int note_stands(struct store *s, const struct connector_conf *c, const struct pause_marks *now, struct note *n, struct err *e)
{
    int rc = note_read(s, c, n, e);
    if (rc <= 0) return rc;
    n->state.next_ms = next_attempt(n, c->settings);
    return strcmp(now->settings, n->marks.settings) == 0 && strcmp(now->file, n->marks.file) == 0;
}

static int paused(const struct note *n, const struct connector_conf *c, struct err *e)
{
    char text[PAUSE_TEXT];
    const char *why = is_application(c->settings) ? "a refused credential is not tried for ever" : "the account is not locked out";
    pause_tell(text, &n->state);
    err_set(e, ERR_AUTH, "the connector is paused, so that %s: %s", why, text);
    err_code(e, n->domain, n->code);
    e->retry_at_ms = n->state.next_ms;
    return err_hint(e, "%.200s%schange the secret or the settings, let rollcall check %s sign in, or sync with --try-now", n->state.hint,
                    n->state.hint[0] ? "; then " : "", c->name);
}

/* --- for a run --------------------------------------------------------------------------------- */

static int check(const struct pause *p, struct err *e)
{
    struct note n;
    if (p->try_now) return 0;
    int rc = note_stands(p->store, p->connector, &p->marks, &n, e);
    if (rc <= 0) return rc;
    if (!is_waiting(&n, when_now_ms()) || !secret_has_mark(&p->secret, n.secret)) return 0;
    return paused(&n, p->connector, e);
}

int pause_open(struct pause *out, struct store *s, const struct connector_conf *c, bool try_now, struct err *e)
{
    *out = (struct pause){.store = s, .connector = c, .try_now = try_now};
    mark(&out->marks, c);
    int rc = worker_secret(&out->secret, c, e);
    return rc < 0 ? rc : check(out, e);
}

void pause_close(struct pause *p)
{
    secret_drop(&p->secret);
}

static int note_refusal(const struct pause *p, const struct err *why, struct err *e)
{
    struct note n, before;
    int rc = note_stands(p->store, p->connector, &p->marks, &before, e);
    if (rc < 0) return rc;
    bool is_same = rc > 0 && secret_has_mark(&p->secret, before.secret);
    n = (struct note){.state.refused_ms = when_now_ms(), .domain = why->domain, .code = why->code};
    n.n_wrong = (is_same ? before.n_wrong : 0) + (refusal_of(why->domain, why->code, p->connector->settings) == REFUSED_GUESS);
    snprintf(n.state.message, sizeof n.state.message, "%s", why->message);
    snprintf(n.state.hint, sizeof n.state.hint, "%s", why->hint);
    n.marks = p->marks;
    try(secret_mark(n.secret, &p->secret, e));
    return note_write(p, &n, e);
}

static int learn(const struct pause *p, struct store_run *run, bool was_refused, const struct err *why, struct err *e)
{
    try(store_run_rest(run, e));
    return was_refused ? note_refusal(p, why, e) : pause_lift(p->store, p->connector, e);
}

void pause_learn(const struct pause *p, struct store_run *run, int rc, bool signed_in, const struct err *why)
{
    struct err e;
    bool was_refused = rc == ERR_AUTH && refusal_of(why->domain, why->code, p->connector->settings) != REFUSED_OTHER;
    if (!was_refused && !signed_in) return; /* nothing was asked of the credential */
    if (learn(p, run, was_refused, why, &e) < 0)
        log_event(LOG_WARN, "pause.not_noted", LOG_CSTR("connector", p->connector->name), LOG_CSTR("why", e.message));
}

/* --- for reports --------------------------------------------------------------------------------- */

bool pause_look(struct store *s, const struct connector_conf *c, struct pause_state *out)
{
    struct note n;
    struct err ignored;
    struct pause_marks now;
    mark(&now, c);
    if (note_stands(s, c, &now, &n, &ignored) <= 0 || !is_waiting(&n, when_now_ms())) return false;
    *out = n.state;
    return true;
}

void pause_tell(char out[PAUSE_TEXT], const struct pause_state *p)
{
    char since[WHEN_TEXT], next[WHEN_TEXT];
    struct str why = head(p->message, 400);
    when_format(since, p->refused_ms);
    if (p->next_ms)
        snprintf(out, PAUSE_TEXT, "the credential was refused at %s (%.*s); one more attempt is made after %s", since, STR_FMT(why),
                 when_format(next, p->next_ms));
    else
        snprintf(out, PAUSE_TEXT, "the credential was refused again at %s (%.*s); there is no further attempt until something changes", since,
                 STR_FMT(why));
}

int pause_lift(struct store *s, const struct connector_conf *c, struct err *e)
{
    struct buf b = buf_new(NOTE_MAX);
    int rc = store_note_get(s, str_from(c->name), NOTE, &b, e);
    buf_free(&b);
    if (rc == ERR_NOTFOUND) return 0;
    return store_note_put(s, str_from(c->name), str_from(c->type), NOTE, (struct bytes){NULL, 0}, e);
}
