#include "server/vault_settings.h"

#include "base/jsonv.h"
#include "conf/reference.h"
#include "net/hashicorp.h"
#include "net/steps.h"
#include "server/client.h"
#include "server/state/documents.h"
#include "server/state/state_int.h"
#include "vault/vault.h"

#include <stdio.h>

static const char *const vault_secret_keys[2] = {"token", "secret_id"};
static const char *const plain_keys[] = {"address", "namespace", "ca_certificate", "auth", "mount", "role_id"};

#define BOUND_MAX 4096

static void bound_to(char out[BOUND_MAX], const json_t *body)
{
    snprintf(out, BOUND_MAX, "%s\n%s\n%s\n%s", jsonv_cstr(body, "address"), jsonv_cstr(body, "namespace"), jsonv_cstr(body, "mount"), jsonv_cstr(body, "role_id"));
}

static void secret_name(char out[32], size_t i)
{
    snprintf(out, 32, "vault.%s", vault_secret_keys[i]);
}

static bool is_reference(const char *text)
{
    struct reference r;
    struct err e;
    return reference_parse(&r, str_from(text), &e) == 0 && r.scheme != REFERENCE_VAULT && r.scheme != REFERENCE_PROMPT;
}

/* Settings as conf_check_vault wants them: without empty texts, and of secrets only references. */
static int checked(json_t **out, const json_t *body, struct err *e)
{
    *out = json_object();
    for (size_t i = 0; i < n_elements(plain_keys); i++)
        if (*jsonv_cstr(body, plain_keys[i])) json_object_set(*out, plain_keys[i], json_object_get(body, plain_keys[i]));
    for (size_t i = 0; i < 2; i++)
        if (is_reference(jsonv_cstr(body, vault_secret_keys[i]))) json_object_set(*out, vault_secret_keys[i], json_object_get(body, vault_secret_keys[i]));
    int rc = conf_check_vault(*out, "vault", e);
    if (rc == 0) return 0;
    json_decref(*out);
    *out = NULL;
    return rc;
}

/* Else whoever sets the vault had the server send its own key there, as a token. */
static int check_paths(struct state *s, const json_t *block, struct err *e)
{
    static const struct {
        const char *key;
        bool is_path;
    } keys[] = {{"ca_certificate", true}, {"token", false}, {"secret_id", false}};
    for (size_t i = 0; i < n_elements(keys); i++) try(client_check_path(s, keys[i].key, keys[i].is_path, jsonv_cstr(block, keys[i].key), e));
    return 0;
}

/* ERR_NOTFOUND: there is none. */
static int load(struct state *s, json_t **out, int64_t *version, struct err *e)
{
    return document_get(s, "settings", "", "vault", out, version, e);
}

/* 0 also without one; *out is empty then. */
static int take_secret(struct state *s, const json_t *block, size_t i, struct secret *out, struct err *e)
{
    char bound[BOUND_MAX], name[32];
    bound_to(bound, block);
    secret_name(name, i);
    int rc = document_secret_get(s, name, bound, out, e);
    return rc == ERR_NOTFOUND || rc == ERR_AUTH ? 0 : rc;
}

/* --- telling --------------------------------------------------------------------------------------------------------- */

static int tell_secret(struct state *s, json_t *told, const json_t *block, size_t i, bool is_file, struct err *e)
{
    const char *key = vault_secret_keys[i], *reference = json_string_value(json_object_get(block, key));
    char updated[32];
    struct secret entered = {0};
    if (!is_file && !reference) try(take_secret(s, block, i, &entered, e));
    snprintf(updated, sizeof updated, "%s_updated", key);
    bool is_entered = entered.len > 0;
    secret_drop(&entered);
    json_object_set_new(told, key, json_pack("{s:b, s:O?, s:s?}", "set", is_entered || reference, "updated",
                                             is_entered ? json_object_get(block, updated) : NULL, "reference", reference));
    return 0;
}

static int tell(struct state *s, const json_t *block, const char *source, int64_t version, json_t **out, struct err *e)
{
    *out = json_pack("{s:s, s:I}", "source", source, "version", (json_int_t)version);
    for (size_t i = 0; i < n_elements(plain_keys); i++) json_object_set_new(*out, plain_keys[i], json_string(jsonv_cstr(block, plain_keys[i])));
    int rc = 0;
    for (size_t i = 0; i < 2 && rc == 0; i++) rc = tell_secret(s, *out, block, i, strcmp(source, "server") != 0, e);
    if (rc == 0) return 0;
    json_decref(*out);
    *out = NULL;
    return rc;
}

int vault_settings_get(struct state *s, const struct conf *conf, json_t **out, struct err *e)
{
    json_t *body;
    int64_t version;
    int rc = load(s, &body, &version, e);
    if (rc == ERR_NOTFOUND) return tell(s, conf ? conf->vault : NULL, conf && conf->vault ? "file" : "none", 0, out, e);
    if (rc < 0) return rc;
    rc = tell(s, body, "server", version, out, e);
    json_decref(body);
    return rc;
}

/* --- writing --------------------------------------------------------------------------------------------------------- */

static int put_secret(struct state *s, const json_t *old, json_t *block, const json_t *body, size_t i, struct err *e)
{
    const json_t *given = json_object_get(body, vault_secret_keys[i]);
    char was[BOUND_MAX], bound[BOUND_MAX], name[32], updated[32], when[WHEN_TEXT];
    bound_to(was, old);
    bound_to(bound, block);
    secret_name(name, i);
    snprintf(updated, sizeof updated, "%s_updated", vault_secret_keys[i]);
    bool is_text = json_is_string(given), is_kept = json_object_get(block, vault_secret_keys[i]) != NULL; /* a reference */
    if (is_text && json_string_length(given) && !is_kept) {
        json_object_set_new(block, updated, json_string(when_format(when, state_now_ms(s))));
        return document_secret_put(s, name, bound, bytes_of(jsonv_text(body, vault_secret_keys[i])), e);
    }
    if (is_text || strcmp(was, bound) != 0) return document_secret_delete(s, name, e);
    json_object_set(block, updated, json_object_get(old, updated));
    if (!is_kept) json_object_set(block, vault_secret_keys[i], json_object_get(old, vault_secret_keys[i]));
    return 0;
}

static int put_steps(struct state *s, json_t *block, const json_t *body, struct err *e)
{
    json_t *old = NULL;
    int64_t stored = 0;
    int rc = load(s, &old, &stored, e);
    if (rc == ERR_NOTFOUND) rc = 0;
    for (size_t i = 0; i < 2 && rc == 0; i++) rc = put_secret(s, old, block, body, i, e);
    if (rc == 0) rc = document_put(s, "settings", "", "vault", block, stored ? json_integer_value(json_object_get(body, "version")) : 0, e);
    json_decref(old);
    return rc;
}

static int remove_steps(struct state *s, struct err *e)
{
    char name[32];
    for (size_t i = 0; i < 2; i++) {
        secret_name(name, i);
        try(document_secret_delete(s, name, e));
    }
    int rc = document_delete(s, "settings", "", "vault", e);
    return rc == ERR_NOTFOUND ? 0 : rc;
}

int vault_settings_put(struct state *s, const json_t *body, struct err *e)
{
    json_t *block = NULL;
    bool removes = !*jsonv_cstr(body, "address");
    if (!removes) try(checked(&block, body, e));
    int rc = removes ? 0 : check_paths(s, block, e);
    if (rc == 0) rc = state_begin(s, e);
    if (rc == 0) rc = state_end(s, removes ? remove_steps(s, e) : put_steps(s, block, body, e), e);
    json_decref(block);
    return rc;
}

/* --- using ------------------------------------------------------------------------------------------------------------ */

/* The present ones; *block is NULL without a vault. Of a secret that was entered the block lacks the key. */
static int present(struct state *s, const struct conf *conf, json_t **block, struct secret secrets[2], struct err *e)
{
    int64_t version;
    secrets[0] = secrets[1] = (struct secret){0};
    *block = NULL;
    int rc = load(s, block, &version, e);
    if (rc == ERR_NOTFOUND) {
        *block = conf && conf->vault ? json_deep_copy(conf->vault) : NULL;
        return 0;
    }
    for (size_t i = 0; i < 2 && rc == 0; i++) {
        char updated[32];
        snprintf(updated, sizeof updated, "%s_updated", vault_secret_keys[i]);
        if (!json_object_get(*block, vault_secret_keys[i])) rc = take_secret(s, *block, i, &secrets[i], e);
        json_object_del(*block, updated);
    }
    return rc;
}

/* Unsaved ones; a secret that is not given is the stored one if it is bound to the same. */
static int unsaved(struct state *s, const json_t *body, json_t **block, struct secret secrets[2], struct err *e)
{
    json_t *stored = NULL;
    int64_t version;
    try(checked(block, body, e));
    try(check_paths(s, *block, e));
    int rc = load(s, &stored, &version, e);
    if (rc == ERR_NOTFOUND) rc = 0;
    for (size_t i = 0; i < 2 && rc == 0; i++) {
        const json_t *given = json_object_get(body, vault_secret_keys[i]);
        if (json_object_get(*block, vault_secret_keys[i])) continue;
        if (json_is_string(given) && json_string_length(given))
            rc = secret_take(&secrets[i], bytes_of(jsonv_text(body, vault_secret_keys[i])), e);
        else if (!json_is_string(given) && json_object_get(stored, vault_secret_keys[i]))
            json_object_set(*block, vault_secret_keys[i], json_object_get(stored, vault_secret_keys[i]));
        else if (!json_is_string(given))
            rc = take_secret(s, *block, i, &secrets[i], e);
    }
    json_decref(stored);
    return rc;
}

static int reference_of(const json_t *body, struct str *path, struct str *field, struct err *e)
{
    struct reference r;
    const char *text = jsonv_cstr(body, "reference");
    *path = *field = STR("");
    if (!*text) return 0;
    if (reference_parse(&r, str_from(text), e) < 0) return err_wrap(e, "reference");
    if (r.scheme != REFERENCE_VAULT) return err_set(e, ERR_INPUT, "reference: vault:MOUNT/PATH#FIELD is expected");
    reference_split_vault(path, field, r.rest);
    return 0;
}

static int run(const json_t *block, struct secret secrets[2], struct str path, struct str field, json_t **steps, struct err *e)
{
    struct hashicorp_source source;
    if (!block) return err_set(e, ERR_NOTFOUND, "no vault is set up");
    /* An entered token stands in for the environment's: a server has no VAULT_TOKEN of its own. */
    try(hashicorp_source_open_with(&source, block, &secrets[0], &secrets[1], e));
    *steps = hashicorp_test(&source.settings, path, field);
    hashicorp_source_close(&source);
    return 0;
}

int vault_settings_test(struct state *s, const struct conf *conf, const json_t *body, json_t **out, struct err *e)
{
    json_t *block = NULL, *list = NULL;
    struct secret secrets[2] = {{0}, {0}};
    struct str path, field;
    struct err why = {0};
    struct steps steps = steps_begin();
    steps_next(&steps, "settings");
    int rc = reference_of(body, &path, &field, &why);
    if (rc == 0) rc = *jsonv_cstr(body, "address") ? unsaved(s, body, &block, secrets, &why) : present(s, conf, &block, secrets, &why);
    if (rc == 0) rc = run(block, secrets, path, field, &list, &why);
    if (rc < 0) steps_fail(&steps, &why);
    json_t *own = steps_end(&steps);
    if (list) json_array_extend(own, list);
    *out = json_pack("{s:o}", "steps", own);
    json_decref(list);
    json_decref(block);
    secret_drop(&secrets[0]);
    secret_drop(&secrets[1]);
    return *out ? 0 : err_set(e, ERR_BUG, "the steps cannot be told");
}

/* --- for the server's own references -------------------------------------------------------------------------------------- */

static struct {
    struct state *state;
    const struct conf *conf;
} served;

static int read_with(const json_t *block, struct secret secrets[2], struct str path, struct str field, struct secret *out, struct err *e)
{
    struct hashicorp_source source;
    struct hashicorp *vault;
    try(hashicorp_source_open_with(&source, block, &secrets[0], &secrets[1], e));
    int rc = hashicorp_open(&vault, &source.settings, e);
    if (rc == 0) rc = hashicorp_read(vault, path, field, out, e);
    hashicorp_close(vault);
    hashicorp_source_close(&source);
    return rc;
}

static int read_reference(void *ctx, struct secret *out, struct str path, struct str field, struct err *e)
{
    json_t *block;
    struct secret secrets[2];
    int rc = present(served.state, served.conf, &block, secrets, e);
    if (rc == 0) rc = read_with(block, secrets, path, field, out, e);
    secret_drop(&secrets[0]);
    secret_drop(&secrets[1]);
    json_decref(block);
    return rc;
}

void vault_settings_serve(struct state *s, const struct conf *conf)
{
    served.state = s;
    served.conf = conf;
    secret_set_vault(read_reference, NULL);
}
