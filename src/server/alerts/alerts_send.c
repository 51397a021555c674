/* alerts_send.c - deliveries: one after the other, each until it is taken, refused for good, or a day old. */
#include "server/alerts/alerts_int.h"

#include "base/jsonv.h"
#include "base/log.h"
#include "net/url.h"

#include <stdio.h>
#include <stdlib.h>

enum { FIRST_WAIT_MS = 2000, WAIT_MAX_MS = 3600 * 1000, IDLE_MS = 60 * 1000, LOG_MAX = 12 };
#define GIVE_UP_MS ((int64_t)24 * 3600 * 1000)

void rule_secret_name(char out[64], const char *rule)
{
    snprintf(out, 64, "alert.%s", rule);
}

/* --- where messages may go ------------------------------------------------------------------------------------------------ */

int outward_read(struct alerts *a, struct outward *out, json_t **keep, struct err *e)
{
    int64_t version;
    size_t i;
    json_t *v;
    *out = (struct outward){0};
    *keep = NULL;
    int rc = document_get(a->o.state, "settings", "", "alerts", keep, &version, e);
    if (rc == ERR_NOTFOUND) return 0;
    if (rc < 0) return rc;
    json_array_foreach(json_object_get(*keep, "webhook_allow"), i, v)
        if (out->n_allow < OUTWARD_RANGES && address_range_parse(&out->allow[out->n_allow], json_string_value(v), e) == 0) out->n_allow++;
    const char *directory = json_string_value(json_object_get(*keep, "file_directory")), *ca = json_string_value(json_object_get(*keep, "ca_certificate"));
    out->file_directory = directory && *directory ? directory : NULL;
    out->ca = ca && *ca ? ca : NULL;
    return 0;
}

/* --- one delivery ------------------------------------------------------------------------------------------------------------ */

struct delivery {
    int64_t alert, attempts, began_ms;
    char rule[RULE_ID];
    char *body; /* as it was sent before; NULL: not yet */
};

static int take_due(void *ctx, sqlite3_stmt *row, struct err *e)
{
    struct delivery *d = ctx;
    d->alert = row_int(row, 0);
    snprintf(d->rule, sizeof d->rule, "%.*s", STR_FMT(row_text(row, 1)));
    d->attempts = row_int(row, 2);
    d->began_ms = row_int(row, 3);
    if (!row_is_null(row, 4)) d->body = x_strdup(row_text(row, 4));
    return 0;
}

static int find_due(struct state *s, struct delivery *out, int64_t now, struct err *e)
{
    *out = (struct delivery){0};
    return state_rows(s, e, take_due, out,
                      "SELECT alert_id, rule_id, attempts, began_ms, body FROM alert_delivery WHERE tenant_id = " TENANT
                      " AND state = 0 AND next_ms <= ? ORDER BY next_ms, alert_id LIMIT 1",
                      "i", now);
}

static int set_state(struct state *s, int64_t alert, int state, int64_t next_ms, struct err *e)
{
    return state_run(s, e, "UPDATE alert_delivery SET state = ?, next_ms = ? WHERE tenant_id = " TENANT " AND alert_id = ?", "iii", (int64_t)state, next_ms, alert);
}

static int take_text(void *ctx, sqlite3_stmt *row, struct err *e)
{
    *(json_t **)ctx = json_loadb(row_text(row, 0).ptr, row_text(row, 0).len, 0, NULL);
    return 0;
}

/* What happened, for the alert's page: the last few attempts. The host only: a webhook's path often is its password. */
static int add_log(struct state *s, int64_t alert, const char *to, bool is_ok, const char *message, struct err *e)
{
    json_t *log = NULL;
    int rc = state_rows(s, e, take_text, &log, "SELECT log FROM alert_delivery WHERE tenant_id = " TENANT " AND alert_id = ?", "i", alert);
    if (!log) log = json_array();
    json_array_append_new(log, json_pack("{s:o, s:o, s:b, s:o}", "time", jsonv_time(state_now_ms(s)), "to", jsonv_str(str_from(to)), "ok", is_ok, "message",
                                         jsonv_str(str_from(message))));
    while (json_array_size(log) > LOG_MAX) json_array_remove(log, 1); /* the first one stays */
    defer_free char *text = json_dumps(log, JSON_COMPACT);
    json_decref(log);
    if (rc >= 0) rc = state_run(s, e, "UPDATE alert_delivery SET log = ? WHERE tenant_id = " TENANT " AND alert_id = ?", "si", text ? text : "[]", alert);
    return rc;
}

/* --- throttling: what came meanwhile is told together with the newest ---------------------------------------------------- */

static int add_id(void *ctx, sqlite3_stmt *row, struct err *e)
{
    json_array_append_new(ctx, json_integer(row_int(row, 0)));
    return 0;
}

#define WAITING " FROM alert_delivery WHERE tenant_id = " TENANT " AND rule_id = ? AND state = 0 AND attempts = 0"

static int merge(struct state *s, struct delivery *d, json_t *also, struct err *e)
{
    int64_t newest;
    char words[64];
    size_t i;
    json_t *v;
    try(state_number(s, &newest, d->alert, e, "SELECT max(alert_id)" WAITING, "s", d->rule));
    int rc = state_rows(s, e, add_id, also, "SELECT alert_id" WAITING " AND alert_id < ? ORDER BY alert_id", "si", d->rule, newest);
    snprintf(words, sizeof words, "told together with alert %lld", (long long)newest);
    json_array_foreach(also, i, v) {
        if (rc >= 0) rc = add_log(s, json_integer_value(v), "", true, words, e);
        if (rc >= 0) rc = set_state(s, json_integer_value(v), 3, 0, e);
    }
    d->alert = newest;
    return rc < 0 ? rc : 0;
}

/* true: not yet; it waits for the end of the rule's pause. */
static int is_held(struct state *s, const struct delivery *d, const struct rule *r, int64_t now, bool *held, struct err *e)
{
    int64_t sent, again;
    *held = false;
    if (d->attempts || !r->throttle_ms) return 0;
    try(state_number(s, &again, 0, e, "SELECT coalesce(min(next_ms), 0) FROM alert_delivery WHERE tenant_id = " TENANT " AND rule_id = ? AND state = 0 AND attempts > 0", "s",
                     d->rule));
    if (again) { /* one that fails is tried again; what comes meanwhile waits behind it, to be told together */
        *held = true;
        return set_state(s, d->alert, 0, again > now ? again + 1 : now + 1000, e);
    }
    try(state_number(s, &sent, 0, e, "SELECT sent_ms FROM alert_rule_state WHERE tenant_id = " TENANT " AND rule_id = ?", "s", d->rule));
    if (!sent || now >= sent + r->throttle_ms || sent > now) return 0;
    *held = true;
    return set_state(s, d->alert, 0, sent + r->throttle_ms, e);
}

/* --- the message ----------------------------------------------------------------------------------------------------------- */

static int take_alert(void *ctx, sqlite3_stmt *row, struct err *e)
{
    json_t *o = ctx, *changes = json_loadb(row_text(row, 6).ptr, row_text(row, 6).len, 0, NULL);
    static const char *const keys[] = {"rule", "name", "severity", "title", "detail"};
    for (size_t i = 0; i < n_elements(keys); i++) jsonv_put(o, keys[i], jsonv_str(row_text(row, (int)i)));
    jsonv_put(o, "time", jsonv_time(row_int(row, 5)));
    jsonv_put(o, "changes", changes ? changes : json_array());
    return 0;
}

static int make_body(struct state *s, struct delivery *d, json_t *also, struct err *e)
{
    json_t *o = json_pack("{s:s, s:I}", "type", "rollcall.alert", "id", (json_int_t)d->alert);
    int rc = state_rows(s, e, take_alert, o, "SELECT rule_id, name, severity, title, detail, time_ms, changes FROM alert WHERE tenant_id = " TENANT " AND alert_id = ?", "i",
                        d->alert);
    if (json_array_size(also)) json_object_set(o, "also", also);
    d->body = json_dumps(o, JSON_COMPACT);
    json_decref(o);
    if (rc < 0) return rc;
    return state_run(s, e, "UPDATE alert_delivery SET body = ?, began_ms = ? WHERE tenant_id = " TENANT " AND alert_id = ?", "sii", d->body, state_now_ms(s), d->alert);
}

static int prepare(struct state *s, struct delivery *d, struct err *e)
{
    json_t *also = json_array();
    int rc = merge(s, d, also, e);
    if (rc == 0) rc = make_body(s, d, also, e);
    json_decref(also);
    d->began_ms = state_now_ms(s);
    return rc;
}

/* --- sending ------------------------------------------------------------------------------------------------------------------ */

static void name_receiver(char *out, size_t size, const struct rule *r)
{
    struct url u;
    struct err e;
    snprintf(out, size, "%s", r->where ? r->where : "");
    if (r->to == TO_WEBHOOK && url_parse(&u, str_from(r->where), &e) == 0) snprintf(out, size, "%s", u.host);
}

static int send_one(struct alerts *a, const struct delivery *d, const struct rule *r, struct err *e)
{
    struct outward o;
    struct secret secret = {0};
    json_t *keep;
    char name[64];
    try(outward_read(a, &o, &keep, e));
    rule_secret_name(name, d->rule);
    int rc = r->to == TO_WEBHOOK ? document_secret_get(a->o.state, name, r->where, &secret, e) : 0;
    if (rc == ERR_NOTFOUND || rc == ERR_AUTH) rc = 0; /* none: not signed */
    struct bytes body = bytes_of(str_from(d->body));
    if (rc == 0) rc = r->to == TO_WEBHOOK ? webhook_post(&o, r->where, &secret, d->alert, body, e) : message_append(&o, r->where, body, e);
    secret_drop(&secret);
    json_decref(keep);
    return rc;
}

static int note_result(struct alerts *a, const struct delivery *d, const struct rule *r, int rc, const struct err *why, struct err *e)
{
    struct state *s = a->o.state;
    char to[280], message[1200];
    int64_t now = state_now_ms(s);
    bool is_final = rc < 0 && (rc == ERR_INPUT || rc == ERR_DENIED || rc == ERR_BUG || now - d->began_ms > GIVE_UP_MS);
    name_receiver(to, sizeof to, r);
    snprintf(message, sizeof message, "%s%s%s", rc == 0 ? "taken" : why->message, rc < 0 && why->hint[0] ? ": " : "", rc < 0 ? why->hint : "");
    try(add_log(s, d->alert, to, rc == 0, message, e));
    try(state_run(s, e, "UPDATE alert_delivery SET attempts = attempts + 1 WHERE tenant_id = " TENANT " AND alert_id = ?", "i", d->alert));
    try(state_run(s, e,
                  "INSERT INTO alert_rule_state (tenant_id, rule_id, sent_ms) VALUES (" TENANT ", ?, ?) ON CONFLICT DO UPDATE SET sent_ms = max(sent_ms, excluded.sent_ms)", "si",
                  d->rule, rc == 0 ? now : 0));
    return set_state(s, d->alert, rc == 0 ? 1 : is_final ? 2 : 0, now + when_back_off_ms((unsigned)d->attempts + 1, FIRST_WAIT_MS, WAIT_MAX_MS), e);
}

static int give_up(struct state *s, const struct delivery *d, const char *why, struct err *e)
{
    try(add_log(s, d->alert, "", false, why, e));
    return set_state(s, d->alert, 2, 0, e);
}

static int in_transaction(struct alerts *a, struct delivery *d, const struct rule *r, bool *held, struct err *e)
{
    try(is_held(a->o.state, d, r, state_now_ms(a->o.state), held, e));
    return *held || d->body ? 0 : prepare(a->o.state, d, e);
}

static int deliver(struct alerts *a, struct delivery *d, struct err *e)
{
    struct state *s = a->o.state;
    struct rule r;
    struct err why = {0};
    json_t *body;
    int64_t version;
    bool held = false;
    int rc = document_get(s, RULE_KIND, "", d->rule, &body, &version, e);
    if (rc == ERR_NOTFOUND) return give_up(s, d, "the rule was deleted", e);
    if (rc < 0) return rc;
    rule_read(&r, d->rule, body);
    if (r.to == TO_NONE) {
        rc = give_up(s, d, "the rule has no destination any more", e);
    } else {
        rc = state_begin(s, e);
        if (rc == 0) rc = state_end(s, in_transaction(a, d, &r, &held, e), e);
        int sent = rc == 0 && !held ? send_one(a, d, &r, &why) : 0;
        if (rc == 0 && !held) rc = state_begin(s, e);
        if (rc == 0 && !held) rc = state_end(s, note_result(a, d, &r, sent, &why, e), e);
    }
    json_decref(body);
    return rc;
}

/* How long until the next one is due; IDLE_MS at most. */
static int64_t next_wait(struct state *s)
{
    int64_t next, now = state_now_ms(s);
    struct err e;
    if (state_number(s, &next, now + IDLE_MS, &e, "SELECT coalesce(min(next_ms), ?) FROM alert_delivery WHERE tenant_id = " TENANT " AND state = 0", "i", now + IDLE_MS) < 0)
        return IDLE_MS;
    return next <= now ? 0 : next - now < IDLE_MS ? next - now : IDLE_MS;
}

void *send_thread(void *ctx)
{
    struct alerts *a = ctx;
    while (alerts_wait(a, &a->has_send, next_wait(a->o.state))) {
        struct delivery d;
        struct err e;
        int rc = find_due(a->o.state, &d, state_now_ms(a->o.state), &e);
        if (rc > 0) rc = deliver(a, &d, &e);
        free(d.body);
        if (rc >= 0) continue;
        log_event(LOG_ERROR, "alert.delivery", LOG_INT("alert", d.alert), LOG_CSTR("class", err_class_name(e.class)), LOG_CSTR("message", e.message));
        bool never = false;
        if (!alerts_wait(a, &never, FIRST_WAIT_MS)) break; /* the state file does not take it: no reason to spin */
    }
    return NULL;
}
