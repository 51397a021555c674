/* hashicorp_steps.c - hashicorp_test: what a read takes, step by step. */
#include "net/hashicorp_int.h"

#include "base/jsonv.h"
#include "base/when.h"
#include "net/certificate.h"
#include "net/dial.h"
#include "net/steps.h"

#include <stdio.h>
#include <stdlib.h>

enum { RESOLVE_MS = 5000 };

static int step_address(struct steps *s, const struct hashicorp *h, struct err *e)
{
    struct dial_addresses to;
    steps_next(s, "address");
    if (dial_resolve(&to, h->url.host, when_monotonic_ms() + RESOLVE_MS, e) < 0) {
        err_hint(e, "check the address (VAULT_ADDR), and that this machine's DNS knows the name");
        return steps_fail(s, e);
    }
    if (getenv("VAULT_SKIP_VERIFY"))
        steps_warn(s, "unset VAULT_SKIP_VERIFY; give the CA in ca_certificate or VAULT_CACERT", "%s is %s; VAULT_SKIP_VERIFY is not heeded here", h->s.address,
                   to.list[0].text);
    else
        steps_ok(s, "%s is %s%s%s", h->s.address, to.list[0].text, h->s.name_space ? "; namespace " : "", h->s.name_space ? h->s.name_space : "");
    return 0;
}

/* sys/health by its statuses: api-docs/system/health. Asked without namespace and token; a connection that is not trusted ends here. */
static int step_health(struct steps *s, struct hashicorp *h, struct err *e)
{
    struct vault_reply r;
    char version[64] = "";
    steps_next(s, "tls");
    if (vault_call(h, &r, "sys/health?standbyok=true&perfstandbyok=true", NULL, VAULT_PLAIN, e) < 0) return steps_fail(s, e);
    if (h->url.is_https)
        steps_ok(s, "the certificate of %s is trusted (%s)", h->url.host, h->s.ca_path ? h->s.ca_path : "the system's authorities");
    else
        steps_skip(s, "http on this machine: nothing is encrypted, and nothing leaves it");
    steps_next(s, "health");
    snprintf(version, sizeof version, "%.*s", STR_FMT(jsonv_text(r.json, "version")));
    for (char *c = version; *c; c++)
        if ((uint8_t)*c < 0x20 || (uint8_t)*c > 0x7e) *c = '?';
    bool has_initialized = json_object_get(r.json, "initialized") != NULL;
    int rc = 0;
    if (r.status == 501)
        rc = err_set(e, ERR_LIMIT, "vault %s is not initialized", h->url.host);
    else if (r.status == 503 && json_is_true(json_object_get(r.json, "sealed"))) {
        err_set(e, ERR_LIMIT, "vault %s is sealed, so it gives no secret to anybody", h->url.host);
        rc = err_hint(e, "whoever holds the unseal keys runs `vault operator unseal`");
    } else if (!has_initialized && (rc = vault_explain_common(h, &r, e)) == 0) {
        err_set(e, ERR_PROTO, "%s:%u answers HTTP %ld, but not as Vault does", h->url.host, h->url.port, r.status);
        rc = err_hint(e, "is the address that of Vault's API? It has no path such as /ui");
    }
    if (rc == 0) steps_ok(s, "unsealed, version %s%s", version[0] ? version : "unknown", json_is_true(json_object_get(r.json, "standby")) ? ", a standby" : "");
    vault_reply_drop(&r);
    return rc < 0 ? steps_fail(s, e) : 0;
}

static int lookup_self(struct hashicorp *h, struct err *e)
{
    struct vault_reply r;
    if (!h->token.len) return err_set(e, ERR_NOTFOUND, "vault: there is no token");
    try(vault_call(h, &r, "auth/token/lookup-self", NULL, VAULT_WITH_TOKEN, e));
    int rc = r.status == 200 && r.json ? 0 : r.status == 403 ? err_set(e, ERR_AUTH, "vault %s refuses the token (HTTP 403): it is wrong, expired, revoked, or of another namespace", h->url.host) : vault_explain_common(h, &r, e);
    if (rc == ERR_AUTH) err_hint(e, "log in again and put the new token where the settings say");
    if (rc == 0 && r.status != 200) rc = err_set(e, ERR_PROTO, "vault %s: HTTP %ld to what the token is", h->url.host, r.status);
    const json_t *data = json_object_get(r.json, "data");
    if (rc == 0)
        h->login = json_pack("{s:O?, s:O?, s:O?}", "policies", json_object_get(data, "policies"), "ttl", json_object_get(data, "ttl"), "renewable",
                             json_object_get(data, "renewable"));
    vault_reply_drop(&r);
    return rc;
}

static void tell_login(struct steps *s, const struct hashicorp *h)
{
    struct buf policies = buf_new(300);
    size_t i;
    json_t *v;
    bool is_root = false;
    json_array_foreach(json_object_get(h->login, "policies"), i, v) {
        if (!json_is_string(v)) continue;
        buf_printf(&policies, "%s%s", policies.len ? ", " : "", json_string_value(v));
        is_root = is_root || strcmp(json_string_value(v), "root") == 0;
    }
    long long ttl = json_integer_value(json_object_get(h->login, "ttl"));
    char life[64] = "which never expires";
    if (ttl) snprintf(life, sizeof life, "good for %lld s", ttl);
    const char *list = policies.failed ? "many" : buf_cstr(&policies);
    if (is_root)
        steps_warn(s, "make a token with a policy that reads this path only", "the root token, %s: it may do everything", life);
    else
        steps_ok(s, "%s, %s; policies: %s", h->s.by_approle ? "AppRole gave a token" : "the token is known", life, list);
    buf_free(&policies);
}

static int step_login(struct steps *s, struct hashicorp *h, struct err *e)
{
    steps_next(s, "login");
    if ((h->s.by_approle ? vault_login(h, e) : lookup_self(h, e)) < 0) return steps_fail(s, e);
    tell_login(s, h);
    return 0;
}

/* What the policies allow there; a server that does not tell is no failure: the read shows it. */
static void step_policy(struct steps *s, struct hashicorp *h, const struct vault_place *at)
{
    struct vault_reply r;
    struct err e;
    char path[1600];
    steps_next(s, "policy");
    snprintf(path, sizeof path, "%s/%s%.*s", at->mount, at->version == 2 ? "data/" : "", STR_FMT(at->below));
    json_t *body = json_pack("{s:[s]}", "paths", path);
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    if (!text) return steps_skip(s, "the path is no text");
    int rc = vault_call(h, &r, "sys/capabilities-self", text, VAULT_WITH_TOKEN, &e);
    free(text);
    const json_t *list = json_object_get(rc == 0 ? r.json : NULL, "capabilities");
    bool may_read = false;
    size_t i;
    json_t *v;
    json_array_foreach(list, i, v) {
        const char *word = json_string_value(v);
        may_read = may_read || (word && (strcmp(word, "read") == 0 || strcmp(word, "root") == 0));
    }
    if (!json_is_array(list))
        steps_skip(s, "vault does not say what the token may do with %s", path);
    else if (may_read)
        steps_ok(s, "the token may read %s", path);
    else
        steps_warn(s, "add to a policy of the token: path \"...\" { capabilities = [\"read\"] }", "the token may not read %s", path);
    if (rc == 0) vault_reply_drop(&r);
}

static int step_read(struct steps *s, struct hashicorp *h, struct str path, struct str field, struct err *e)
{
    struct vault_place at;
    struct secret value = {0};
    steps_next(s, "mount");
    if (vault_locate(h, &at, path, e) < 0) return steps_fail(s, e);
    if (at.is_guessed)
        steps_skip(s, "vault does not say which mount this is; taken for %s/, version 2", at.mount);
    else
        steps_ok(s, "%s/ is a key/value engine, version %d", at.mount, at.version);
    step_policy(s, h, &at);
    steps_next(s, "read");
    if (vault_read_at(h, &at, path, field, &value, e) < 0) return steps_fail(s, e);
    secret_drop(&value);
    steps_ok(s, "%.*s has a field %.*s (its value is shown nowhere)", STR_FMT(path), STR_FMT(field));
    return 0;
}

static void run(struct steps *s, struct hashicorp *h, struct str path, struct str field)
{
    struct err e = {0};
    if (step_address(s, h, &e) < 0 || step_health(s, h, &e) < 0 || step_login(s, h, &e) < 0 || !path.len) return;
    if (step_read(s, h, path, field, &e) < 0) return;
}

json_t *hashicorp_test(const struct hashicorp_settings *settings, struct str path, struct str field)
{
    struct hashicorp *h;
    struct err e = {0};
    struct steps s = steps_begin();
    steps_next(&s, "settings");
    if (hashicorp_open(&h, settings, &e) < 0) {
        steps_fail(&s, &e);
        return steps_end(&s);
    }
    run(&s, h, path, field);
    hashicorp_close(h);
    return steps_end(&s);
}
