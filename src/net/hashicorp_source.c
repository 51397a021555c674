/* hashicorp_source.c - where a process finds its vault: the settings' block, else the variables that Vault's own command knows. */
#include "conf/conf.h"
#include "net/hashicorp.h"
#include "vault/vault.h"

#include <stdio.h>
#include <stdlib.h>

static int take_reference(struct secret *out, const json_t *block, const char *key, struct err *e)
{
    const char *reference = conf_str(block, key);
    char what[64];
    if (!reference) return 0;
    snprintf(what, sizeof what, "%s of vault", key);
    return secret_resolve(out, str_from(reference), what, e) < 0 ? err_wrap(e, "vault.%s", key) : 0;
}

/* As Vault's command: the variable, else what `vault login` left. */
static int token_of_environment(struct secret *out, struct err *e)
{
    const char *token = getenv("VAULT_TOKEN"), *home = getenv("HOME");
    char reference[4200];
    if (token && *token) return secret_take(out, bytes_of(str_from(token)), e) < 0 ? err_wrap(e, "VAULT_TOKEN") : 0;
    int rc = ERR_NOTFOUND;
    if (home && *home && snprintf(reference, sizeof reference, "file:%s/.vault-token", home) < (int)sizeof reference)
        rc = secret_resolve(out, str_from(reference), "vault token", e);
    if (rc != ERR_NOTFOUND) return rc;
    err_set(e, ERR_NOTFOUND, "vault: there is no token: neither token in the block `vault` of the settings, nor VAULT_TOKEN, nor ~/.vault-token");
    return err_hint(e, "log in with `vault login`, or set token or AppRole in the block `vault`: man rollcall.yaml");
}

static char *own(struct hashicorp_source *s, size_t i, const char *text)
{
    if (text && *text) s->owned[i] = x_strdup(str_from(text));
    return s->owned[i];
}

static void take_block(struct hashicorp_source *s, const json_t *block)
{
    struct hashicorp_settings *o = &s->settings;
    const char *auth = conf_str(block, "auth"), *mount = conf_str(block, "mount");
    o->by_approle = auth && strcmp(auth, "approle") == 0;
    o->mount = mount ? mount : "approle";
    o->role_id = own(s, 3, conf_str(block, "role_id"));
}

static int open_steps(struct hashicorp_source *s, const json_t *block, struct err *e)
{
    struct hashicorp_settings *o = &s->settings;
    o->address = own(s, 0, block ? conf_str(block, "address") : getenv("VAULT_ADDR"));
    o->name_space = own(s, 1, block ? conf_str(block, "namespace") : getenv("VAULT_NAMESPACE"));
    o->ca_path = own(s, 2, block ? conf_str(block, "ca_certificate") : getenv("VAULT_CACERT"));
    o->token = &s->token;
    o->secret_id = &s->secret_id;
    if (!o->address) {
        err_set(e, ERR_NOTFOUND, "vault: no vault is known: there is no block `vault` in the settings, and VAULT_ADDR is not set");
        return err_hint(e, "add to the settings file: vault: {address: https://vault.example:8200, ...}: man rollcall.yaml");
    }
    if (block) take_block(s, block);
    if (o->by_approle) return s->secret_id.len ? 0 : take_reference(&s->secret_id, block, "secret_id", e);
    if (s->token.len) return 0;
    if (block && conf_str(block, "token")) return take_reference(&s->token, block, "token", e);
    return token_of_environment(&s->token, e);
}

int hashicorp_source_open_with(struct hashicorp_source *out, const json_t *block, struct secret *token, struct secret *secret_id, struct err *e)
{
    *out = (struct hashicorp_source){.token = *token, .secret_id = *secret_id};
    *token = *secret_id = (struct secret){0};
    int rc = open_steps(out, block, e);
    if (rc < 0) hashicorp_source_close(out);
    return rc;
}

int hashicorp_source_open(struct hashicorp_source *out, const json_t *block, struct err *e)
{
    struct secret none = {0}, none_either = {0};
    return hashicorp_source_open_with(out, block, &none, &none_either, e);
}

void hashicorp_source_close(struct hashicorp_source *s)
{
    secret_drop(&s->token);
    secret_drop(&s->secret_id);
    for (size_t i = 0; i < n_elements(s->owned); i++) free(s->owned[i]);
    *s = (struct hashicorp_source){0};
}

/* --- for secret_resolve ------------------------------------------------------------------------------------------ */

/* Of the process: opened at the first reference, closed with the process. */
static struct {
    json_t *block;
    struct hashicorp_source source;
    struct hashicorp *vault;
} served;

static int read_reference(void *ctx, struct secret *out, struct str path, struct str field, struct err *e)
{
    if (!served.vault) {
        try(hashicorp_source_open(&served.source, served.block, e));
        if (hashicorp_open(&served.vault, &served.source.settings, e) < 0) {
            hashicorp_source_close(&served.source);
            return e->class;
        }
    }
    return hashicorp_read(served.vault, path, field, out, e);
}

static void close_served(void)
{
    hashicorp_close(served.vault);
    hashicorp_source_close(&served.source);
    json_decref(served.block);
    served.vault = NULL;
    served.block = NULL;
}

void hashicorp_serve_references(const json_t *block)
{
    static bool is_registered;
    close_served();
    served.block = block ? json_deep_copy(block) : NULL;
    secret_set_vault(read_reference, NULL);
    if (!is_registered) atexit(close_served);
    is_registered = true;
}
