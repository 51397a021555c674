/* hashicorp.h - secrets of a HashiCorp Vault or OpenBao server: key/value engine, version 2 or 1 (which it is, the server says).
 *
 * One-shot: it logs in (a token, or AppRole), reads what is asked for and is closed; a lease outlives that by far, so nothing is renewed.
 * The token goes to the configured address only: no redirects, HTTPS, or http to this machine (an agent's listener). Nothing of an answer's data is ever in a
 * message; names of fields are. HTTP API: developer.hashicorp.com/vault/api-docs (secret/kv, auth/approle, system/health, internal-ui-mounts).
 * One thread.
 */
#ifndef ROLLCALL_NET_HASHICORP_H
#define ROLLCALL_NET_HASHICORP_H

#include "base/err.h"
#include "base/secret.h"

#include <jansson.h>

struct hashicorp_settings { /* borrowed for the life of the struct hashicorp */
    const char *address;    /* "https://vault.example:8200" */
    const char *name_space; /* X-Vault-Namespace; NULL: none */
    const char *ca_path;    /* NULL: the system's authorities */
    bool by_approle;
    const char *mount, *role_id; /* of AppRole */
    const struct secret *token;     /* else */
    const struct secret *secret_id; /* NULL or empty: the role asks for none */
};
struct hashicorp;
int hashicorp_open(struct hashicorp **out, const struct hashicorp_settings *s, struct err *e) must_use;
void hashicorp_close(struct hashicorp *h); /* wipes; NULL is legal */

/* path: "mount/path" as `vault kv get` takes it. ERR_DENIED: the policy does not let the token; ERR_NOTFOUND: no such mount, secret, version or field (the
 * message tells which); ERR_AUTH: the log-in was refused; ERR_LIMIT: sealed, or too many requests; ERR_NET ERR_TLS ERR_TIMEOUT ERR_PROTO. */
int hashicorp_read(struct hashicorp *h, struct str path, struct str field, struct secret *out, struct err *e) must_use;
/* Every step that a read takes, told one by one (steps.h): address, tls, health, login, policy, read; reference parts empty: only as far as that goes. */
json_t *hashicorp_test(const struct hashicorp_settings *s, struct str path, struct str field);

/* --- for processes that resolve references (hashicorp_source.c) ------------------------------------------------- */
/* Settings of the block `vault` (conf.h), or NULL: VAULT_ADDR, VAULT_NAMESPACE, VAULT_CACERT, VAULT_TOKEN or ~/.vault-token. */
struct hashicorp_source {
    struct hashicorp_settings settings;
    struct secret token, secret_id;
    char *owned[4];
};
/* ERR_NOTFOUND: no vault is known, or no token. */
int hashicorp_source_open(struct hashicorp_source *out, const json_t *block, struct err *e) must_use;
/* The same with secrets that are no references: each goes before the block's own, and moves into *out. */
int hashicorp_source_open_with(struct hashicorp_source *out, const json_t *block, struct secret *token, struct secret *secret_id, struct err *e) must_use;
void hashicorp_source_close(struct hashicorp_source *s);
/* From now on secret_resolve (vault.h) reads vault: references by these settings, which are copied; one log-in for all of them. */
void hashicorp_serve_references(const json_t *block);

#endif
