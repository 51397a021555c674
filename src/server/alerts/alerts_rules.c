/* alerts_rules.c - rules as the API has them: listed and kept; where messages may go. */
#include "server/alerts/alerts_int.h"

#include "base/jsonv.h"
#include "server/client.h"

#include <stdio.h>

/* --- telling -------------------------------------------------------------------------------------------------------------- */

static int tell(struct alerts *a, const char *id, const json_t *body, int64_t version, json_t **out, struct err *e)
{
    struct secret secret = {0};
    char name[64];
    json_t *told = json_deep_copy(body), *to = json_object_get(told, "destination");
    json_object_del(told, "since_ms");
    json_object_set_new(told, "id", json_string(id));
    json_object_set_new(told, "version", json_integer((json_int_t)version));
    rule_secret_name(name, id);
    int rc = strcmp(jsonv_cstr(to, "type"), "webhook") == 0 ? document_secret_get(a->o.state, name, jsonv_cstr(to, "url"), &secret, e) : ERR_NOTFOUND;
    if (strcmp(jsonv_cstr(to, "type"), "webhook") == 0) json_object_set_new(to, "secret", json_pack("{s:b}", "set", rc == 0));
    secret_drop(&secret);
    rc = rc == 0 || rc == ERR_NOTFOUND || rc == ERR_AUTH ? rows_rule_state(a->o.state, id, told, e) : rc;
    *out = rc == 0 ? told : NULL;
    if (rc < 0) json_decref(told);
    return rc;
}

int alerts_rules(struct alerts *a, json_t **out, struct err *e)
{
    json_t *all, *one, *told;
    size_t i;
    int rc = 0;
    try(document_list(a->o.state, RULE_KIND, "", &all, e));
    *out = json_array();
    json_array_foreach(all, i, one) {
        if (rc == 0) rc = tell(a, jsonv_cstr(one, "id"), json_object_get(one, "body"), json_integer_value(json_object_get(one, "version")), &told, e);
        if (rc == 0) json_array_append_new(*out, told);
    }
    json_decref(all);
    if (rc == 0) return 0;
    json_decref(*out);
    *out = NULL;
    return rc;
}

int alerts_rule_get(struct alerts *a, const char *id, json_t **out, struct err *e)
{
    json_t *body;
    int64_t version;
    if (document_get(a->o.state, RULE_KIND, "", id, &body, &version, e) < 0) return e->class == ERR_NOTFOUND ? err_set(e, ERR_NOTFOUND, "there is no alert rule %.40s", id) : e->class;
    int rc = tell(a, id, body, version, out, e);
    json_decref(body);
    return rc;
}

/* What is behind the host may be all the secret that a webhook has. */
static const char *hide_url(char out[600], const char *url)
{
    const char *host = strstr(url, "://"), *rest = host ? host + 3 + strcspn(host + 3, "/?#") : url;
    bool is_shown = strcmp(rest, "") == 0 || strcmp(rest, "/") == 0;
    snprintf(out, 600, "%.*s%s", (int)(rest - url), url, is_shown ? rest : "/...");
    return out;
}

void alerts_rule_hide(json_t *rule)
{
    char hidden[600];
    json_t *to = json_object_get(rule, "destination");
    if (strcmp(jsonv_cstr(to, "type"), "webhook") == 0) json_object_set_new(to, "url", json_string(hide_url(hidden, jsonv_cstr(to, "url"))));
}

/* --- keeping --------------------------------------------------------------------------------------------------------------- */

struct ends {
    struct state *s;
    struct store *store;
    const char *rule;
    int rc;
    struct err *e;
};

static bool take_end(void *ctx, const struct change *c)
{
    *(int64_t *)ctx = c->id;
    return false;
}

static bool begin_here(void *ctx, struct str name)
{
    struct ends *x = ctx;
    int64_t last = 0;
    struct change_query q = {.connector = name, .newest_first = true, .limit = 1};
    defer_free char *connector = x_strdup(name);
    x->rc = store_changes(x->store, &q, take_end, &last, x->e);
    if (x->rc == 0) x->rc = rows_cursor_put(x->s, x->rule, connector, last, x->e);
    return x->rc == 0;
}

/* It begins now. A rule over a set begins with the set as it is when it is first looked at. */
static int begin_rule(struct alerts *a, const struct rule *r, struct err *e)
{
    struct ends x = {.s = a->o.state, .rule = r->id, .e = e};
    bool is_set = r->type == CONDITION_ACCESS || (r->type == CONDITION_GROUP && r->is_nested);
    try(rows_forget(a->o.state, r->id, e));
    if (is_set || r->type == CONDITION_SILENCE || !store_exists(str_from(a->o.store_url))) return 0;
    try(store_open(&x.store, str_from(a->o.store_url), e));
    int rc = store_connectors(x.store, begin_here, &x, e);
    store_close(x.store);
    return rc < 0 ? rc : x.rc;
}

/* A destination, and the secret that goes with it, is an operator's to set. */
static int check_destination(struct alerts *a, const json_t *body, const json_t *old, const json_t *checked, bool may_deliver, struct err *e)
{
    const json_t *now = json_object_get(checked, "destination"), *was = json_object_get(old, "destination");
    const char *type = jsonv_cstr(now, "type"), *name;
    struct outward o;
    json_t *keep;
    bool is_same = was ? json_equal(now, was) : strcmp(type, "none") == 0;
    bool has_secret = json_is_string(json_object_get(json_object_get(body, "destination"), "secret"));
    if (!may_deliver && (!is_same || has_secret)) {
        err_set(e, ERR_DENIED, "where alerts are delivered to is an operator's to set");
        return err_hint(e, "leave destination as it is, or {\"type\": \"none\"} for a new rule");
    }
    if (is_same || strcmp(type, "file") != 0) return 0;
    try(outward_read(a, &o, &keep, e));
    char whole[8400];
    int rc = message_file_check(jsonv_cstr(now, "path"), &name, &o, e);
    if (rc == 0) {
        snprintf(whole, sizeof whole, "%s/%s", o.file_directory, name);
        rc = client_check_path(a->o.state, "path", true, whole, e);
    }
    json_decref(keep);
    return rc < 0 ? err_wrap(e, "destination") : 0;
}

/* Who was shown a hidden address gives it back as it was; nobody listens at a path of dots. */
static void unhide(const json_t *old, json_t *checked)
{
    char hidden[600];
    const json_t *now = json_object_get(checked, "destination"), *was = json_object_get(old, "destination");
    bool is_given_back = strcmp(jsonv_cstr(was, "type"), "webhook") == 0 && strcmp(jsonv_cstr(now, "url"), hide_url(hidden, jsonv_cstr(was, "url"))) == 0;
    if (is_given_back) json_object_set(checked, "destination", json_object_get(old, "destination"));
}

static int put_secret(struct alerts *a, const char *id, const json_t *body, const json_t *old, const json_t *checked, struct err *e)
{
    const json_t *given = json_object_get(json_object_get(body, "destination"), "secret");
    const char *url = jsonv_cstr(json_object_get(checked, "destination"), "url"), *was = jsonv_cstr(json_object_get(old, "destination"), "url");
    char name[64];
    rule_secret_name(name, id);
    if (*url && json_is_string(given) && json_string_length(given))
        return document_secret_put(a->o.state, name, url, bytes_of(jsonv_text(json_object_get(body, "destination"), "secret")), e);
    return json_is_string(given) || strcmp(url, was) != 0 ? document_secret_delete(a->o.state, name, e) : 0;
}

static int put_steps(struct alerts *a, const char *id, const json_t *body, json_t *checked, bool may_deliver, bool is_new, struct err *e)
{
    struct state *s = a->o.state;
    json_t *old = NULL;
    int64_t stored = 0, version = json_integer_value(json_object_get(body, "version"));
    int rc = is_new ? 0 : document_get(s, RULE_KIND, "", id, &old, &stored, e);
    if (rc == ERR_NOTFOUND) err_set(e, ERR_NOTFOUND, "there is no alert rule %.40s", id);
    if (rc == 0 && old) unhide(old, checked);
    if (rc == 0) rc = check_destination(a, body, old, checked, may_deliver, e);
    bool was_on = json_is_true(json_object_get(old, "enabled")), is_on = json_is_true(json_object_get(checked, "enabled"));
    bool begins = !old || (is_on && !was_on) || !json_equal(json_object_get(old, "condition"), json_object_get(checked, "condition"));
    json_object_set_new(checked, "since_ms", begins ? json_integer((json_int_t)state_now_ms(s)) : json_incref(json_object_get(old, "since_ms")));
    if (rc == 0) rc = put_secret(a, id, body, old, checked, e);
    if (rc == 0) rc = document_put(s, RULE_KIND, "", id, checked, version, e);
    struct rule r;
    rule_read(&r, id, checked);
    if (rc == 0 && begins) rc = begin_rule(a, &r, e);
    if (rc == 0 && begins) rc = rows_problem(s, id, NULL, e);
    json_decref(old);
    return rc;
}

int alerts_rule_put(struct alerts *a, const char *id, const json_t *body, bool may_deliver, json_t **out, struct err *e)
{
    char fresh[STATE_RANDOM], own[RULE_ID];
    json_t *checked;
    state_random_text(fresh);
    snprintf(own, sizeof own, "%.12s", fresh);
    const char *which = id ? id : own;
    try(rule_check(&checked, body, e));
    int rc = state_begin(a->o.state, e);
    if (rc == 0) rc = state_end(a->o.state, put_steps(a, which, body, checked, may_deliver, !id, e), e);
    json_decref(checked);
    if (rc < 0) return rc;
    alerts_wake(a);
    return alerts_rule_get(a, which, out, e);
}

static int delete_steps(struct state *s, const char *id, struct err *e)
{
    char name[64];
    rule_secret_name(name, id);
    int rc = document_delete(s, RULE_KIND, "", id, e);
    if (rc == ERR_NOTFOUND) return err_set(e, ERR_NOTFOUND, "there is no alert rule %.40s", id);
    if (rc == 0) rc = rows_forget(s, id, e);
    return rc == 0 ? document_secret_delete(s, name, e) : rc;
}

int alerts_rule_delete(struct alerts *a, const char *id, struct err *e)
{
    try(state_begin(a->o.state, e));
    return state_end(a->o.state, delete_steps(a->o.state, id, e), e);
}

/* --- where messages may go --------------------------------------------------------------------------------------------------- */

int alerts_settings_get(struct alerts *a, json_t **out, struct err *e)
{
    json_t *body = NULL;
    int64_t version = 0;
    int rc = document_get(a->o.state, "settings", "", "alerts", &body, &version, e);
    if (rc < 0 && rc != ERR_NOTFOUND) return rc;
    json_t *allow = json_object_get(body, "webhook_allow");
    *out = json_pack("{s:o, s:s, s:s, s:I}", "webhook_allow", allow ? json_incref(allow) : json_array(), "file_directory", jsonv_cstr(body, "file_directory"), "ca_certificate",
                     jsonv_cstr(body, "ca_certificate"), "version", (json_int_t)version);
    json_decref(body);
    return 0;
}

int alerts_settings_put(struct alerts *a, const json_t *body, struct err *e)
{
    const char *directory = jsonv_cstr(body, "file_directory"), *ca = jsonv_cstr(body, "ca_certificate");
    json_t *allow = json_object_get(body, "webhook_allow"), *v;
    struct address_range range;
    size_t i;
    if (!json_is_array(allow) || json_array_size(allow) > OUTWARD_RANGES) return err_set(e, ERR_INPUT, "webhook_allow: a list of at most %d addresses is expected", OUTWARD_RANGES);
    json_array_foreach(allow, i, v) {
        if (!json_is_string(v)) return err_set(e, ERR_INPUT, "webhook_allow: a list of addresses is expected");
        if (address_range_parse(&range, json_string_value(v), e) < 0) return err_wrap(e, "webhook_allow");
    }
    if (*directory && (*directory != '/' || strstr(directory, "/../"))) return err_set(e, ERR_INPUT, "file_directory: the whole path of a directory is expected");
    if (*ca && *ca != '/' && !strstr(ca, "-----BEGIN CERTIFICATE-----")) return err_set(e, ERR_INPUT, "ca_certificate: neither a certificate in PEM nor the whole path of a file");
    try(client_check_path(a->o.state, "ca_certificate", true, ca, e));
    try(client_check_path(a->o.state, "file_directory", true, directory, e));
    json_t *kept = json_pack("{s:O, s:s, s:s}", "webhook_allow", allow, "file_directory", directory, "ca_certificate", ca);
    int rc = document_put(a->o.state, "settings", "", "alerts", kept, json_integer_value(json_object_get(body, "version")), e);
    json_decref(kept);
    return rc;
}
