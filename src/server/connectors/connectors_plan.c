#include "server/connectors/connectors_int.h"

#include "base/hash.h"
#include "vault/seal.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define ENTERED "entered:" /* in settings: the value is in secrets, and stays */

/* --- the keys that can be entered -------------------------------------------------------------------------- */

static void add_key(struct plan *p, const char *name, const char *target, bool is_file)
{
    if (p->n < ENTERED_MAX) p->entered[p->n++] = (struct entered){.name = name, .target = target, .is_file = is_file};
}

/* The CA first: it is a part of what the others are bound to. */
static void find_keys(struct plan *p)
{
    struct conf_key k;
    for (size_t i = 0; conf_key(&k, p->type, i); i++)
        if (strcmp(k.name, "ca_certificate") == 0) add_key(p, CA_PEM, k.name, true);
    for (size_t i = 0; conf_key(&k, p->type, i); i++) {
        if (strcmp(k.name, "client_certificate") == 0) add_key(p, CLIENT_PEM, k.name, true);
        if (k.is_secret) add_key(p, k.name, k.name, false);
    }
}

/* --- what a value is bound to ------------------------------------------------------------------------------ */

static json_t *aim_of(const char *type, const json_t *effective)
{
    struct conf_key k;
    json_t *aim = json_object();
    for (size_t i = 0; conf_key(&k, type, i); i++) {
        json_t *v = json_object_get(effective, k.name);
        if (k.is_aim && v) json_object_set(aim, k.name, v);
    }
    return aim;
}

static char *bound_text(const struct plan *p, const struct entered *one, json_t *aim, const char *ca_hash)
{
    json_t *o = json_pack("{s:s, s:s, s:s, s:O}", "connector", p->name, "type", p->type, "key", one->name, "aim", aim);
    if (strcmp(one->name, CA_PEM) != 0 && ca_hash[0]) json_object_set_new(o, CA_PEM, json_string(ca_hash));
    char *text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(o);
    if (!text) x_out_of_memory();
    return text;
}

static void hash_of(char out[65], struct bytes b)
{
    struct sha256 h;
    sha256_init(&h);
    sha256_add(&h, b);
    sha256_hex(&h, out);
}

static int read_sealed(const struct connectors *c, const struct stored *was, const struct entered *one, struct secret *out, struct err *e)
{
    const char *sealed = json_string_value(json_object_get(json_object_get(was->secrets, one->name), "sealed"));
    if (!state_seal(c->state)) return err_set(e, ERR_BUG, "the state file was opened without its master key");
    return seal_get(state_seal(c->state), str_from(sealed), str_from(one->bound), out, e);
}

/* Of the authority that will be in force; "" if none is entered, or the stored one is void. */
static int find_ca_hash(char out[65], const struct connectors *c, const struct entered *ca, const struct stored *was, struct err *e)
{
    struct secret pem;
    out[0] = 0;
    if (ca->action == ENTERED_SET) hash_of(out, bytes_of(str_from(ca->value)));
    if (ca->action != ENTERED_KEEP) return 0;
    int rc = read_sealed(c, was, ca, &pem, e);
    if (rc == 0) hash_of(out, secret_bytes(&pem));
    secret_drop(&pem);
    return rc == ERR_AUTH || rc == ERR_NOTFOUND ? 0 : rc;
}

/* --- deciding ------------------------------------------------------------------------------------------------ */

static bool has_word(const char *words, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = words; at && *at; at += strcspn(at, " "), at += *at == ' ')
        if (strcspn(at, " ") == n && strncmp(at, word, n) == 0) return true;
    return false;
}

static int decide(struct entered *one, const struct plan *p, const json_t *secrets, const struct stored *was, struct err *e)
{
    const json_t *given = json_object_get(secrets, one->name), *row = json_object_get(was->secrets, one->name);
    const char *bound = json_string_value(json_object_get(row, "bound"));
    bool is_referred = json_object_get(p->settings, one->target) != NULL;
    one->value = json_string_value(given);
    if (given && !one->value) return err_set(e, ERR_INPUT, "%s: text is expected", one->name);
    if (given && json_string_length(given) != strlen(one->value)) return err_set(e, ERR_INPUT, "%s: holds a NUL character", one->name);
    bool is_given = given && one->value[0];
    if (is_given && is_referred) return err_set(e, ERR_INPUT, "%s: entered, and referred to in %s; one of them is enough", one->name, one->target);
    one->action = row ? ENTERED_DROP : ENTERED_NONE;
    if (is_given) one->action = ENTERED_SET;
    if (given || is_referred) return 0; /* "" removes it */
    if (row && bound && strcmp(bound, one->bound) == 0) one->action = ENTERED_KEEP;
    one->must_enter = one->action == ENTERED_DROP || (!row && has_word(was->must_enter, one->name));
    return 0;
}

static int decide_all(struct plan *p, const struct connectors *c, const json_t *secrets, const struct stored *was, struct err *e)
{
    char ca_hash[65] = "";
    json_t *effective = conf_effective(p->type, p->settings), *aim = aim_of(p->type, effective);
    int rc = 0;
    for (size_t i = 0; i < p->n && rc == 0; i++) {
        struct entered *one = &p->entered[i];
        one->bound = bound_text(p, one, aim, ca_hash);
        rc = decide(one, p, secrets, was, e);
        if (rc == 0 && strcmp(one->name, CA_PEM) == 0) rc = find_ca_hash(ca_hash, c, one, was, e);
    }
    json_decref(aim);
    json_decref(effective);
    return rc;
}

static int check_given(const struct plan *p, const json_t *secrets, struct err *e)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)(uintptr_t)secrets, key, v)
    {
        size_t i = 0;
        while (i < p->n && strcmp(p->entered[i].name, key) != 0) i++;
        if (i == p->n) return err_set(e, ERR_INPUT, "secrets: %s has no key '%.64s' that can be entered", p->type, key);
    }
    return 0;
}

/* What must be entered only counts where it is needed: without it the settings are not whole, or trust somebody else. */
static void relax(struct plan *p)
{
    struct err ignored;
    json_t *copy = json_deep_copy(p->check), *effective = conf_effective(p->type, p->settings);
    bool is_whole = conf_check_settings(p->type, copy, p->name, &ignored) == 0, has_client = json_object_get(p->check, "client_certificate") != NULL;
    for (size_t i = 0; i < p->n; i++) {
        struct entered *one = &p->entered[i];
        bool is_kept = strcmp(one->name, CA_PEM) == 0 || (strcmp(one->name, PASSPHRASE) == 0 && has_client);
        if (!conf_key_applies(p->type, one->target, effective) || (is_whole && !is_kept)) one->must_enter = false;
    }
    json_decref(copy);
    json_decref(effective);
}

/* --- the plan -------------------------------------------------------------------------------------------------- */

static int take_settings(struct plan *p, const json_t *settings, const json_t *secrets, struct err *e)
{
    if (!json_is_object(settings)) return err_set(e, ERR_INPUT, "settings: an object is expected");
    if (secrets && !json_is_object(secrets) && !json_is_null(secrets)) return err_set(e, ERR_INPUT, "secrets: an object is expected");
    defer_free char *text = json_dumps(settings, JSON_COMPACT);
    if (!text || strlen(text) > SETTINGS_MAX) return err_set(e, ERR_INPUT, "settings: longer than %d KiB", SETTINGS_MAX / 1024);
    const char *own = json_string_value(json_object_get(settings, "type"));
    if (own && strcmp(own, p->type) != 0) return err_set(e, ERR_INPUT, "type: the settings of a connector cannot change its type");
    p->settings = json_deep_copy(settings);
    json_object_del(p->settings, "type");
    for (size_t i = 0; i < p->n; i++) {
        const char *value = json_string_value(json_object_get(p->settings, p->entered[i].target));
        if (value && strcmp(value, ENTERED) == 0) json_object_del(p->settings, p->entered[i].target);
    }
    return 0;
}

static void make_check(struct plan *p)
{
    p->check = json_deep_copy(p->settings);
    for (size_t i = 0; i < p->n; i++) {
        const struct entered *one = &p->entered[i];
        if (one->action == ENTERED_KEEP || one->action == ENTERED_SET)
            json_object_set_new(p->check, one->target, json_string(one->is_file ? "/entered" : "env:ENTERED"));
    }
}

static bool is_connector(const char *type)
{
    for (const struct conf_type *t = conf_types; t->name; t++)
        if (strcmp(t->name, type) == 0) return !t->is_sink;
    return false;
}

static int make(struct plan *p, struct connectors *c, const struct connector_form *form, const struct stored *was, struct err *e)
{
    if (!is_connector(p->type)) return err_set(e, ERR_INPUT, "type: there is no connector of type '%.64s'", p->type);
    find_keys(p);
    try(take_settings(p, form->settings, form->secrets, e));
    try(check_given(p, form->secrets, e));
    try(decide_all(p, c, form->secrets, was, e));
    make_check(p);
    relax(p);
    return 0;
}

int plan_open(struct plan *out, struct connectors *c, const char *name, const struct connector_form *form, const struct stored *was, struct err *e)
{
    *out = (struct plan){.name = name, .type = form->type, .may_refer = form->may_refer};
    int rc = make(out, c, form, was, e);
    if (rc < 0) plan_close(out);
    return rc;
}

int plan_open_stored(struct plan *out, struct connectors *c, const char *name, const struct stored *was, struct err *e)
{
    struct connector_form form = {.type = was->type, .settings = was->settings, .may_refer = true};
    if (!was->is_found) return err_set(e, ERR_NOTFOUND, "no connector '%.64s'", name);
    return plan_open(out, c, name, &form, was, e);
}

const struct entered *plan_ca(const struct plan *p)
{
    return p->n && strcmp(p->entered[0].name, CA_PEM) == 0 ? &p->entered[0] : NULL; /* the first, if the type has one: find_keys */
}

int plan_read_kept(struct connectors *c, const struct plan *p, const struct stored *was, const struct entered *one, struct secret *out, struct err *e)
{
    if (!state_seal(c->state)) return read_sealed(c, was, one, out, e);
    if (read_sealed(c, was, one, out, e) == 0) return 0;
    err_wrap(e, "%s of %s", one->name, p->name);
    err_hint(e, "enter it again");
    return ERR_AUTH;
}

void plan_close(struct plan *p)
{
    for (size_t i = 0; i < p->n; i++) free(p->entered[i].bound);
    json_decref(p->settings);
    json_decref(p->check);
    *p = (struct plan){.n = 0};
}

int plan_check(const struct plan *p, struct err *e)
{
    for (size_t i = 0; i < p->n; i++) {
        if (!p->entered[i].must_enter) continue;
        err_set(e, ERR_INPUT, "%s: must be entered again, since it was entered for another server, user or authority", p->entered[i].name);
        return err_hint(e, "enter it again; or remove it, where it is not needed");
    }
    json_t *copy = json_deep_copy(p->check);
    int rc = conf_check_settings(p->type, copy, "", e);
    json_decref(copy);
    return rc;
}

/* --- what a server does not follow ------------------------------------------------------------------------------- */

static bool is_under(const char *path, const char *prefix)
{
    return strncmp(path, prefix, strlen(prefix)) == 0;
}

/* Of the process; set before it has threads. */
static struct {
    char *at[8], *real[8]; /* as given; where it leads */
    size_t n;
} guarded;

void connectors_guard(const char *path)
{
    if (guarded.n == n_elements(guarded.at)) abort();
    if (is_under(path, "file:")) path += strlen("file:");
    guarded.at[guarded.n] = x_strdup(str_from(path));
    guarded.real[guarded.n++] = realpath(path, NULL);
}

/* The file, what is written beside it before it takes its place, and a database's journals. */
static bool is_it(const char *path, const char *file)
{
    if (!file || !is_under(path, file)) return false;
    const char *rest = path + strlen(file);
    return !*rest || *rest == '.' || strcmp(rest, "-wal") == 0 || strcmp(rest, "-shm") == 0 || strcmp(rest, "-journal") == 0;
}

static bool is_guarded(const char *path, const char *to)
{
    for (size_t i = 0; i < guarded.n; i++)
        if (is_it(path, guarded.at[i]) || is_it(to, guarded.at[i]) || is_it(to, guarded.real[i])) return true;
    return strstr(to, "/rollcall-master-key") != NULL; /* the credential by its path */
}

static bool is_guarded_reference(const char *value)
{
    for (size_t i = 0; i < guarded.n; i++)
        if (strcmp(value, guarded.at[i]) == 0) return true;
    return is_under(value, "env:VAULT_"); /* what the server itself signs in to a vault with */
}

/* Of the settings file, for others: where a sink's token or the vault's is. */
static bool is_anothers(const struct connectors *c, const char *value)
{
    static const char *const of_vault[] = {"token", "secret_id"};
    struct conf_key k;
    if (!c->conf) return false; /* the server's own settings, which an admin makes (client.h) */
    for (size_t i = 0; i < c->conf->n_sinks; i++)
        for (size_t n = 0; conf_key(&k, c->conf->sinks[i].type, n); n++) {
            const char *own = k.is_secret ? conf_str(c->conf->sinks[i].settings, k.name) : NULL;
            if (own && strcmp(own, value) == 0) return true;
        }
    for (size_t i = 0; i < n_elements(of_vault); i++) {
        const char *own = json_string_value(json_object_get(c->conf->vault, of_vault[i]));
        if (own && strcmp(own, value) == 0) return true;
    }
    return false;
}

/* The store, and whatever is beside it under its name: state, key, catalog. */
static bool is_own_file(const struct connectors *c, const char *path)
{
    char real[PATH_MAX], own[PATH_MAX], own_real[PATH_MAX];
    snprintf(own, sizeof own, "%s", state_path(c->state));
    size_t n = strlen(own);
    if (n > 7 && strcmp(own + n - 7, ".server") == 0) own[n - 7] = 0;
    const char *to = realpath(path, real) ? real : path;
    const char *real_state = realpath(state_path(c->state), own_real);
    if (real_state) own_real[strlen(own_real) - (n - strlen(own))] = 0;
    return is_under(path, own) || is_under(to, own) || (real_state && is_under(to, own_real)) || is_guarded(path, to);
}

/* Also by way of a link, or of what is the same by another spelling. */
static bool is_in_place(const char *path, const char *place)
{
    char real[PATH_MAX];
    return is_under(path, place) || (realpath(path, real) && is_under(real, place)) || strstr(path, "/../") || strstr(path, "/./") || strstr(path, "//");
}

int plan_check_reference(const struct connectors *c, const char *key, bool is_path, const char *value, struct err *e)
{
    static const char *const places[] = {"/proc/", "/sys/", "/dev/"};
    const char *path = is_under(value, "file:") ? value + strlen("file:") : value;
    if (is_under(value, "cred:rollcall-master-key") || is_under(value, "env:ROLLCALL_PASSPHRASE") || is_guarded_reference(value))
        return err_set(e, ERR_INPUT, "%s: this is a secret of the server itself", key);
    if (is_anothers(c, value)) return err_set(e, ERR_INPUT, "%s: this is the secret of a sink or of the vault, in the settings file", key);
    if (is_under(value, "env:") || is_under(value, "cred:") || is_under(value, "vault:") || is_under(value, "prompt:")) return 0;
    if (is_under(value, "DIR:")) path = value + strlen("DIR:");
    if (is_under(value, "FILE:")) path = value + strlen("FILE:");
    if (is_under(value, "KEYRING:") || is_under(value, "KCM:")) return 0;
    if (path == value && !is_path) return 0; /* no reference: the checks of the settings say so, without showing it */
    if (path[0] != '/') {
        err_set(e, ERR_INPUT, "%s: the path must be absolute: a server has no directory of its own", key);
        return err_hint(e, "write the whole path, beginning with /");
    }
    for (size_t i = 0; i < n_elements(places); i++)
        if (is_in_place(path, places[i])) return err_set(e, ERR_INPUT, "%s: not a path of a file that can be named here", key);
    if (is_own_file(c, path)) return err_set(e, ERR_INPUT, "%s: this is a file of the server itself", key);
    return 0;
}

/* Goes to the same server as before, as the same, and trusts the same. */
static bool has_same_aim(const struct plan *p, const struct stored *was, const json_t *now, const json_t *before)
{
    json_t *aim_now = aim_of(p->type, now), *aim_before = aim_of(p->type, before);
    const struct entered *ca = plan_ca(p);
    bool keeps_ca = !ca || ca->action == ENTERED_KEEP || ca->action == ENTERED_NONE;
    bool is_same = json_equal(aim_now, aim_before) && keeps_ca && !has_word(was->must_enter, CA_PEM);
    json_decref(aim_now);
    json_decref(aim_before);
    return is_same;
}

/* The value by which this key uses something that is the machine's; NULL: it uses nothing. */
static const json_t *used(const struct conf_key *k, const json_t *effective)
{
    const json_t *v = json_object_get(effective, k->name);
    if (k->own && json_is_boolean(v)) return json_is_true(v) == (strcmp(k->own, "true") == 0) ? v : NULL;
    if (!json_is_string(v) || !json_string_length(v)) return NULL;
    return k->is_place || (k->own && strcmp(json_string_value(v), k->own) == 0) ? v : NULL;
}

void plan_each_denied(const struct plan *p, const struct stored *was, void (*tell)(void *ctx, const char *key, const struct err *e), void *ctx)
{
    struct conf_key k;
    struct err e;
    if (p->may_refer) return;
    json_t *now = conf_effective(p->type, p->settings), *before = was->is_found ? conf_effective(p->type, was->settings) : NULL;
    bool is_same_aim = before && has_same_aim(p, was, now, before);
    for (size_t i = 0; conf_key(&k, p->type, i); i++) {
        const json_t *value = used(&k, now);
        bool is_known = value && json_equal((json_t *)(uintptr_t)value, json_object_get(before, k.name));
        if (!value || (is_known && is_same_aim)) continue;
        if (is_known)
            err_set(&e, ERR_DENIED, "%s: an administrator set it for another server, user or authority", k.name);
        else if (k.own)
            err_set(&e, ERR_DENIED, "%s: only an administrator may let a connector sign in as the server itself", k.name);
        else
            err_set(&e, ERR_DENIED, "%s: only an administrator may name what the server reads: files, variables, credentials, entries of a vault", k.name);
        err_hint(&e, k.is_secret ? "enter the secret itself, or ask an administrator" : "ask an administrator to set it");
        tell(ctx, k.name, &e);
    }
    json_decref(now);
    json_decref(before);
}

static void keep_first(void *ctx, const char *key, const struct err *e)
{
    struct err *first = ctx;
    (void)key;
    if (!first->class) *first = *e;
}

int plan_check_references(const struct connectors *c, const struct plan *p, const struct stored *was, struct err *e)
{
    struct conf_key k;
    struct err denied = {0};
    for (size_t i = 0; conf_key(&k, p->type, i); i++) {
        const json_t *v = k.is_path || k.is_secret ? json_object_get(p->settings, k.name) : NULL;
        if (v && !json_is_null(v) && !json_is_string(v)) return err_set(e, ERR_INPUT, "%s: text is expected", k.name);
        if (json_is_string(v)) try(plan_check_reference(c, k.name, k.is_path, json_string_value(v), e));
    }
    plan_each_denied(p, was, keep_first, &denied);
    if (denied.class) *e = denied;
    return denied.class;
}
