#include "server/connectors/connectors_int.h"

#include "base/jsonv.h"
#include "base/log.h"
#include "conf/reference.h"
#include "vault/seal.h"

#include <stdlib.h>

int connectors_open(struct connectors **out, struct state *s, const struct conf *conf, struct err *e)
{
    *out = x_zalloc(sizeof **out);
    (*out)->state = s;
    (*out)->conf = conf;
    return 0;
}

void connectors_close(struct connectors *c)
{
    free(c);
}

const struct connector_conf *connectors_of_file(const struct connectors *c, const char *name)
{
    for (size_t i = 0; c->conf && i < c->conf->n_connectors; i++)
        if (strcmp(c->conf->connectors[i].name, name) == 0) return &c->conf->connectors[i];
    return NULL;
}

int connectors_check_name(const char *name, struct err *e)
{
    size_t n = strlen(name), good = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
    char meant[65];
    if (n && n <= 64 && good == n) return 0;
    err_set(e, ERR_INPUT, "name: 1 to 64 letters, digits, - or _ are wanted, no spaces");
    if (!n || n > 64 || name[good] != ' ') return ERR_INPUT;
    for (size_t i = 0; i <= n; i++) meant[i] = name[i] == ' ' ? '_' : name[i];
    return connectors_check_name(meant, &(struct err){0}) == 0 ? err_hint(e, "write %s", meant) : ERR_INPUT;
}

/* --- rows --------------------------------------------------------------------------------------------------- */

static int take_row(void *ctx, sqlite3_stmt *row, struct err *e)
{
    struct stored *s = ctx;
    struct str settings = row_text(row, 1);
    s->type = x_strdup(row_text(row, 0));
    s->settings = json_loadb(settings.ptr, settings.len, 0, NULL);
    s->is_enabled = row_int(row, 2);
    s->must_enter = x_strdup(row_text(row, 3));
    s->created_ms = row_int(row, 4);
    s->updated_ms = row_int(row, 5);
    s->version = row_int(row, 6);
    s->is_found = true;
    return json_is_object(s->settings) ? 0 : err_set(e, ERR_BUG, "the settings of a connector in the state file are not JSON");
}

static int take_secret(void *ctx, sqlite3_stmt *row, struct err *e)
{
    json_t *o = json_object();
    defer_free char *name = x_strdup(row_text(row, 0));
    jsonv_put(o, "sealed", jsonv_str(row_text(row, 1)));
    jsonv_put(o, "bound", jsonv_str(row_text(row, 2)));
    jsonv_put(o, "updated", jsonv_time(row_int(row, 3)));
    json_object_set_new(ctx, name, o);
    return 0;
}

static int load(struct connectors *c, const char *name, struct stored *out, struct err *e)
{
    try(state_rows(c->state, e, take_row, out,
                   "SELECT type, settings, enabled, must_enter, created_ms, updated_ms, version FROM connector WHERE tenant_id = " TENANT " AND name = ?", "s", name));
    return state_rows(c->state, e, take_secret, out->secrets,
                      "SELECT name, sealed, bound, updated_ms FROM secret WHERE tenant_id = " TENANT " AND owner = 'connector:' || ?", "s", name);
}

int stored_load(struct connectors *c, const char *name, struct stored *out, struct err *e)
{
    *out = (struct stored){.secrets = json_object()};
    try(state_begin(c->state, e));
    int rc = load(c, name, out, e);
    rc = state_end(c->state, rc < 0 ? rc : 0, e);
    if (rc < 0) stored_free(out);
    return rc;
}

void stored_free(struct stored *s)
{
    free(s->type);
    free(s->must_enter);
    json_decref(s->settings);
    json_decref(s->secrets);
    *s = (struct stored){.is_found = false};
}

/* --- telling -------------------------------------------------------------------------------------------------- */

static json_t *schedule_of(const json_t *settings)
{
    const char *cron = conf_str(settings, "cron"), *every = conf_str(settings, "frequency"), *full = conf_str(settings, "full_sync_every");
    return json_pack("{s:s?, s:s?, s:s?}", "every", cron ? NULL : every, "cron", cron, "full_sync_every", full);
}

static json_t *secret_json(bool is_set, json_t *updated, const char *reference)
{
    return json_pack("{s:b, s:o, s:s?}", "set", is_set, "updated", jsonv_or_null(updated), "reference", reference);
}

/* rows: of entered ones, or NULL. */
static json_t *secrets_of(const char *type, const json_t *settings, const json_t *rows)
{
    static const char *const files[] = {CA_PEM, CLIENT_PEM};
    struct conf_key k;
    json_t *out = json_object();
    for (size_t i = 0; conf_key(&k, type, i); i++) {
        if (!k.is_secret) continue;
        const char *reference = conf_str(settings, k.name);
        json_t *row = json_object_get(rows, k.name), *updated = json_object_get(row, "updated");
        json_object_set_new(out, k.name, secret_json(row || reference, updated ? json_incref(updated) : NULL, reference));
    }
    for (size_t i = 0; i < n_elements(files); i++) {
        json_t *row = json_object_get(rows, files[i]);
        if (row) json_object_set_new(out, files[i], secret_json(true, json_incref(json_object_get(row, "updated")), NULL));
    }
    return out;
}

/* Steals settings. */
static json_t *connector_json(const char *name, const char *type, const char *source, bool is_enabled, json_t *settings, const json_t *rows, const char *must_enter)
{
    json_object_del(settings, "type");
    return json_pack("{s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:o}", "name", name, "type", type, "source", source, "enabled", is_enabled, "schedule",
                     schedule_of(settings), "secrets", secrets_of(type, settings, rows), "must_enter", jsonv_words(must_enter), "settings", settings);
}

static json_t *of_file(const struct connector_conf *conf)
{
    json_t *o = connector_json(conf->name, conf->type, "file", true, json_deep_copy(conf->settings), NULL, NULL);
    json_object_set_new(o, "version", json_integer(0));
    json_object_set_new(o, "created", json_null());
    json_object_set_new(o, "updated", json_null());
    return o;
}

static json_t *of_row(const char *name, const struct stored *s)
{
    json_t *o = connector_json(name, s->type, "server", s->is_enabled, conf_effective(s->type, s->settings), s->secrets, s->must_enter);
    jsonv_put(o, "created", jsonv_time(s->created_ms));
    jsonv_put(o, "updated", jsonv_time(s->updated_ms));
    json_object_set_new(o, "version", json_integer(s->version));
    return o;
}

int connectors_get(struct connectors *c, const char *name, json_t **out, struct err *e)
{
    struct stored s;
    const struct connector_conf *conf = connectors_of_file(c, name);
    *out = conf ? of_file(conf) : NULL;
    if (conf) return 0;
    try(stored_load(c, name, &s, e));
    if (s.is_found) *out = of_row(name, &s);
    bool is_found = s.is_found;
    stored_free(&s);
    return is_found ? 0 : err_set(e, ERR_NOTFOUND, "no connector '%.64s'", name);
}

static int add_name(void *ctx, sqlite3_stmt *row, struct err *e)
{
    json_array_append_new(ctx, jsonv_str(row_text(row, 0)));
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Of the file and of the server, sorted; a name that both have is the file's. */
static int names(struct connectors *c, json_t *stored, const char **out, size_t *n, struct err *e)
{
    size_t i;
    json_t *one;
    for (i = 0; c->conf && i < c->conf->n_connectors; i++) out[(*n)++] = c->conf->connectors[i].name;
    json_array_foreach(stored, i, one)
    {
        if (!connectors_of_file(c, json_string_value(one))) out[(*n)++] = json_string_value(one);
    }
    qsort(out, *n, sizeof *out, by_name);
    return 0;
}

static int list(struct connectors *c, json_t *stored, json_t *out, struct err *e)
{
    size_t n = 0, most = json_array_size(stored) + (c->conf ? c->conf->n_connectors : 0);
    const char **all = x_alloc((most + 1) * sizeof *all);
    int rc = names(c, stored, all, &n, e);
    for (size_t i = 0; i < n && rc == 0; i++) {
        json_t *one = NULL;
        rc = connectors_get(c, all[i], &one, e);
        if (rc == 0) json_array_append_new(out, one);
        if (rc == ERR_NOTFOUND) rc = 0; /* deleted meanwhile */
    }
    free(all);
    return rc;
}

int connectors_list(struct connectors *c, json_t **out, struct err *e)
{
    json_t *stored = json_array();
    *out = json_array();
    int rc = state_rows(c->state, e, add_name, stored, "SELECT name FROM connector WHERE tenant_id = " TENANT, "");
    if (rc >= 0) rc = list(c, stored, *out, e);
    json_decref(stored);
    if (rc >= 0) return 0;
    json_decref(*out);
    *out = NULL;
    return rc;
}

/* --- changing ---------------------------------------------------------------------------------------------------- */

static int check_version(const char *name, const struct stored *was, int64_t version, struct err *e)
{
    if (!version && was->is_found) return err_set(e, ERR_CONFLICT, "there is a connector '%s' already", name);
    if (version && !was->is_found) return err_set(e, ERR_NOTFOUND, "no connector '%s'", name);
    if (!version || version == was->version) return 0;
    err_set(e, ERR_CONFLICT, "connector %s was changed by somebody else meanwhile (version %lld, not %lld)", name, (long long)was->version, (long long)version);
    return err_hint(e, "load it again, then change it");
}

static int check_new(struct connectors *c, const char *name, struct err *e)
{
    int64_t n;
    try(connectors_check_name(name, e));
    try(state_number(c->state, &n, 0, e, "SELECT count(*) FROM connector WHERE tenant_id = " TENANT, ""));
    return n < CONNECTORS_MAX ? 0 : err_set(e, ERR_LIMIT, "there are %d connectors already", CONNECTORS_MAX);
}

static int refuse_file(const struct connectors *c, const char *name, struct err *e)
{
    if (!connectors_of_file(c, name)) return 0;
    err_set(e, ERR_CONFLICT, "connector %s is declared in %s: it is changed there", name, c->conf->path);
    return err_hint(e, "edit the file, then start the server again");
}

static int seal_one(struct connectors *c, const char *name, const struct entered *one, struct err *e)
{
    struct buf sealed = buf_new(4 * SECRET_MAX);
    if (!state_seal(c->state)) return err_set(e, ERR_BUG, "the state file was opened without its master key");
    int rc = seal_put(state_seal(c->state), bytes_of(str_from(one->value)), str_from(one->bound), &sealed, e);
    if (rc < 0) err_wrap(e, "%s", one->name);
    if (rc == 0)
        rc = state_run(c->state, e,
                       "INSERT OR REPLACE INTO secret (tenant_id, owner, name, sealed, bound, updated_ms) VALUES (" TENANT ", 'connector:' || ?, ?, ?, ?, ?)", "sstsi",
                       name, one->name, buf_str(&sealed), one->bound, state_now_ms(c->state));
    buf_free(&sealed);
    return rc;
}

static int write_secrets(struct connectors *c, const struct plan *p, struct err *e)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct entered *one = &p->entered[i];
        if (one->action == ENTERED_SET) try(seal_one(c, p->name, one, e));
        if (one->action == ENTERED_DROP)
            try(state_run(c->state, e, "DELETE FROM secret WHERE tenant_id = " TENANT " AND owner = 'connector:' || ? AND name = ?", "ss", p->name, one->name));
    }
    return 0;
}

/* Less what equals the default: what a later version's default is, holds then. */
static json_t *minimal(const struct plan *p)
{
    json_t *all = conf_effective(p->type, p->settings), *out = json_object(), *seed = json_object();
    json_t *security = json_object_get(all, "security"), *v;
    const char *key;
    if (security) json_object_set(seed, "security", security); /* the port's default follows it */
    json_t *defaults = conf_effective(p->type, seed);
    json_object_del(defaults, "security");
    json_object_foreach(all, key, v)
    {
        if (!json_equal(v, json_object_get(defaults, key))) json_object_set(out, key, v);
    }
    json_decref(seed);
    json_decref(defaults);
    json_decref(all);
    return out;
}

static int write_row(struct connectors *c, const struct plan *p, const struct stored *was, bool enabled, struct err *e)
{
    struct buf must = buf_new(1024);
    int64_t now = state_now_ms(c->state);
    json_t *settings = minimal(p);
    defer_free char *text = json_dumps(settings, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(settings);
    if (!text) return err_set(e, ERR_INPUT, "settings: cannot be written as JSON");
    for (size_t i = 0; i < p->n; i++)
        if (p->entered[i].must_enter) buf_printf(&must, "%s%s", must.len ? " " : "", p->entered[i].name);
    int rc = state_run(c->state, e,
                       "INSERT OR REPLACE INTO connector (tenant_id, name, type, settings, enabled, must_enter, created_ms, updated_ms, version) VALUES (" TENANT
                       ", ?, ?, ?, ?, ?, ?, ?, ?)",
                       "sssisiii", p->name, p->type, text, (int64_t)enabled, buf_cstr(&must), was->is_found ? was->created_ms : now, now, was->version + 1);
    buf_free(&must);
    return rc;
}

static bool is_key(const char *type, const char *key)
{
    struct conf_key k;
    for (size_t i = 0; conf_key(&k, type, i); i++)
        if (strcmp(k.name, key) == 0) return true;
    return false;
}

/* Settings are kept and shown as they are, also those not in use yet: in none of them is a secret, by whatever name. */
static int check_no_secret(const struct plan *p, struct err *e)
{
    struct conf_key k;
    struct reference ignored;
    const char *key;
    json_t *v;
    json_object_foreach(p->settings, key, v)
    {
        if (!is_key(p->type, key)) return err_set(e, ERR_INPUT, "settings: %s has no key '%.64s'", p->type, key);
    }
    for (size_t i = 0; conf_key(&k, p->type, i); i++) {
        v = k.is_secret ? json_object_get(p->settings, k.name) : NULL;
        if (!v || json_is_null(v)) continue;
        if (!json_is_string(v)) return err_set(e, ERR_INPUT, "%s: a reference is expected", k.name);
        if (json_string_length(v) && reference_parse(&ignored, str_from(json_string_value(v)), e) < 0) return err_wrap(e, "%s", k.name);
    }
    return 0;
}

/* What is wrong is refused; what is missing only if the connector is to be in use. */
static int apply(struct connectors *c, const struct plan *p, const struct stored *was, bool enabled, struct err *e)
{
    try(plan_check_references(c, p, was, e));
    if (enabled) try(plan_check(p, e));
    try(check_no_secret(p, e));
    try(write_secrets(c, p, e));
    return write_row(c, p, was, enabled, e);
}

static int put(struct connectors *c, const char *name, int64_t version, const struct connector_form *form, bool enabled, struct err *e)
{
    struct stored was;
    struct plan p;
    try(stored_load(c, name, &was, e));
    int rc = check_version(name, &was, version, e);
    if (rc == 0 && !was.is_found) rc = check_new(c, name, e);
    if (rc == 0 && was.is_found && strcmp(was.type, form->type) != 0) rc = err_set(e, ERR_INPUT, "type: a connector cannot change its type");
    if (rc == 0) rc = plan_open(&p, c, name, form, &was, e);
    if (rc == 0) {
        rc = apply(c, &p, &was, enabled, e);
        plan_close(&p);
    }
    stored_free(&was);
    return rc;
}

int connectors_put(struct connectors *c, const char *name, int64_t version, const struct connector_form *form, bool enabled, json_t **out, struct err *e)
{
    *out = NULL;
    try(refuse_file(c, name, e));
    try(state_begin(c->state, e));
    int rc = put(c, name, version, form, enabled, e);
    if (rc == 0) rc = connectors_get(c, name, out, e);
    rc = state_end(c->state, rc, e);
    if (rc < 0) json_decref(*out);
    if (rc < 0) *out = NULL;
    return rc;
}

/* --- copying ------------------------------------------------------------------------------------------------------------- */

/* What was entered stays with whom it was entered for; a reference is no secret. */
static json_t *settings_without_secrets(const json_t *connector)
{
    const char *key;
    json_t *v, *settings = json_deep_copy(json_object_get(connector, "settings"));
    json_object_foreach(json_object_get(connector, "secrets"), key, v)
    {
        const char *reference = json_string_value(json_object_get(settings, key));
        if (!reference || str_starts(str_from(reference), STR("entered:"))) json_object_del(settings, key);
    }
    return settings;
}

static int read_ca(struct connectors *c, const struct plan *p, const struct stored *was, json_t *secrets, struct err *e)
{
    const struct entered *ca = plan_ca(p);
    struct secret pem;
    if (ca && ca->must_enter) {
        err_set(e, ERR_CONFLICT, "%s of %s must be entered again first", CA_PEM, p->name);
        return err_hint(e, "edit that connector, then copy it");
    }
    if (!ca || ca->action != ENTERED_KEEP) return 0;
    try(plan_read_kept(c, p, was, ca, &pem, e));
    json_object_set_new(secrets, CA_PEM, jsonv_str(str_of(secret_bytes(&pem))));
    secret_drop(&pem);
    return 0;
}

/* Whom a copy trusts is whom the first one trusts: no secret, but nobody's to change on the way. */
static int copy_ca(struct connectors *c, const char *from, json_t *secrets, struct err *e)
{
    struct stored was;
    struct plan p;
    if (connectors_of_file(c, from)) return 0;
    try(stored_load(c, from, &was, e));
    int rc = plan_open_stored(&p, c, from, &was, e);
    if (rc == 0) {
        rc = read_ca(c, &p, &was, secrets, e);
        plan_close(&p);
    }
    stored_free(&was);
    return rc;
}

static int copy(struct connectors *c, const char *from, const char *name, json_t **out, struct err *e)
{
    json_t *first;
    try(connectors_get(c, from, &first, e));
    json_t *settings = settings_without_secrets(first), *secrets = json_object();
    struct connector_form form = {.type = jsonv_cstr(first, "type"), .settings = settings, .secrets = secrets, .may_refer = true};
    int rc = copy_ca(c, from, secrets, e);
    if (rc == 0) rc = connectors_put(c, name, 0, &form, false, out, e);
    json_decref(secrets);
    json_decref(settings);
    json_decref(first);
    return rc;
}

int connectors_copy(struct connectors *c, const char *from, const char *name, json_t **out, struct err *e)
{
    *out = NULL;
    try(state_begin(c->state, e));
    int rc = state_end(c->state, copy(c, from, name, out, e), e);
    if (rc < 0) json_decref(*out);
    if (rc < 0) *out = NULL;
    return rc;
}

/* --- switching on and off, removing ------------------------------------------------------------------------------------- */

static int enable(struct connectors *c, const char *name, bool enabled, struct err *e)
{
    struct stored was;
    struct plan p;
    try(stored_load(c, name, &was, e));
    int rc = was.is_found ? 0 : err_set(e, ERR_NOTFOUND, "no connector '%.64s'", name);
    if (rc == 0 && enabled && (rc = plan_open_stored(&p, c, name, &was, e)) == 0) {
        rc = plan_check(&p, e);
        plan_close(&p);
    }
    stored_free(&was);
    if (rc < 0) return rc;
    return state_run(c->state, e, "UPDATE connector SET enabled = ?, updated_ms = ?, version = version + 1 WHERE tenant_id = " TENANT " AND name = ?", "iis",
                     (int64_t)enabled, state_now_ms(c->state), name);
}

int connectors_enable(struct connectors *c, const char *name, bool enabled, struct err *e)
{
    try(refuse_file(c, name, e));
    try(state_begin(c->state, e));
    return state_end(c->state, enable(c, name, enabled, e), e);
}

int connectors_delete(struct connectors *c, const char *name, struct err *e)
{
    try(refuse_file(c, name, e));
    try(state_begin(c->state, e));
    int rc = state_run(c->state, e, "DELETE FROM connector WHERE tenant_id = " TENANT " AND name = ?", "s", name);
    if (rc == 0 && !state_changes(c->state)) rc = err_set(e, ERR_NOTFOUND, "no connector '%.64s'", name);
    if (rc == 0) rc = state_run(c->state, e, "DELETE FROM secret WHERE tenant_id = " TENANT " AND owner = 'connector:' || ?", "s", name);
    return state_end(c->state, rc, e);
}
