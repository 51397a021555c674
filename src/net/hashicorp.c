#include "net/hashicorp_int.h"

#include "base/jsonv.h"
#include "net/oauth.h"
#include "net/ranges.h"
#include "net/secret_json.h"

#include <stdio.h>
#include <stdlib.h>

enum { CONNECT_MS = 5000, ANSWER_MS = 15000 };
#define ANSWER_MAX ((size_t)2 << 20) /* Vault's own limit of an entry is 1 MiB */

/* --- opening ----------------------------------------------------------------------------------------------------- */

static bool is_header_text(const char *s)
{
    for (; s && *s; s++)
        if ((uint8_t)*s < 0x21 || (uint8_t)*s > 0x7e) return false;
    return true;
}

static int open_steps(struct hashicorp *h, struct err *e)
{
    if (url_parse(&h->url, str_from(h->s.address), e) < 0) return err_wrap(e, "vault: address");
    if (h->url.query.len) return err_set(e, ERR_INPUT, "vault: address: write the address only, without ? and what follows");
    if (!is_header_text(h->s.name_space) || (h->s.name_space && strlen(h->s.name_space) > 256))
        return err_set(e, ERR_INPUT, "vault: namespace: letters, digits and / are expected");
    if (h->s.token && h->s.token->len) try(secret_take(&h->token, secret_bytes(h->s.token), e));
    struct http_options o = {.ca_path = h->s.ca_path,
                             .parallel = 1,
                             .connect_timeout_ms = CONNECT_MS,
                             .answer_timeout_ms = ANSWER_MS,
                             .body_max = ANSWER_MAX,
                             .clear_to_loopback = true,
                             .may_connect = address_may_serve};
    return http_open(&h->http, &o, e) < 0 ? err_wrap(e, "vault: ca_certificate") : 0;
}

int hashicorp_open(struct hashicorp **out, const struct hashicorp_settings *s, struct err *e)
{
    struct hashicorp *h = x_zalloc(sizeof *h);
    h->s = *s;
    int rc = open_steps(h, e);
    if (rc < 0) {
        hashicorp_close(h);
        h = NULL;
    }
    *out = h;
    return rc;
}

void hashicorp_close(struct hashicorp *h)
{
    if (!h) return;
    http_close(h->http);
    secret_drop(&h->token);
    secret_json_drop(h->login);
    free(h);
}

/* --- logging in --------------------------------------------------------------------------------------------------- */

static int fail_login(const struct hashicorp *h, const struct vault_reply *r, struct err *e)
{
    try(vault_explain_common(h, r, e));
    /* Without a token every other path is forbidden, one that is not there too. */
    bool has_no_mount = r->status == 404 || strstr(r->said, "permission denied") || strstr(r->said, "missing client token") ||
                        strstr(r->said, "unsupported path") || strstr(r->said, "no handler");
    if (has_no_mount) {
        err_set(e, ERR_NOTFOUND, "vault %s: no AppRole is mounted at auth/%s%s%s", h->url.host, h->s.mount, h->s.name_space ? " of namespace " : "",
                h->s.name_space ? h->s.name_space : "");
        return err_hint(e, "set mount to where `vault auth list` shows approle, and the namespace it is in");
    }
    err_set(e, ERR_AUTH, "vault %s refused the AppRole log-in (HTTP %ld%s%s)", h->url.host, r->status, r->said[0] ? ": " : "", r->said);
    err_code(e, DOM_HTTP, (int)r->status);
    return err_hint(e, "is role_id what `vault read auth/%s/role/NAME/role-id` shows? Else secret_id is missing, wrong, used up, expired or not for this machine's "
                       "address: `vault write -f auth/%s/role/NAME/secret-id` makes a new one",
                    h->s.mount, h->s.mount);
}

static int take_login(struct hashicorp *h, const json_t *answer, struct err *e)
{
    const json_t *auth = json_object_get(answer, "auth");
    struct str token = jsonv_text(auth, "client_token");
    if (!token.len) return err_set(e, ERR_PROTO, "vault %s: the log-in gave no token", h->url.host);
    secret_drop(&h->token);
    try(secret_take(&h->token, bytes_of(token), e));
    h->login = json_pack("{s:O?, s:O?, s:O?}", "policies", json_object_get(auth, "policies"), "ttl", json_object_get(auth, "lease_duration"), "renewable",
                         json_object_get(auth, "renewable"));
    return 0;
}

static char *login_body(const struct hashicorp *h)
{
    json_t *body = json_pack("{s:s}", "role_id", h->s.role_id ? h->s.role_id : "");
    if (h->s.secret_id && h->s.secret_id->len)
        json_object_set_new(body, "secret_id", json_stringn((const char *)h->s.secret_id->ptr, h->s.secret_id->len));
    char *text = secret_json_write(body);
    secret_json_drop(body);
    return text;
}

int vault_login(struct hashicorp *h, struct err *e)
{
    struct vault_reply r;
    if (!h->s.by_approle || h->token.len) return 0;
    struct buf path = buf_new(4096);
    buf_add_str(&path, STR("auth/"));
    vault_add_path(&path, str_from(h->s.mount));
    buf_add_str(&path, STR("/login"));
    char *body = login_body(h);
    int rc = vault_call(h, &r, buf_cstr(&path), body, VAULT_IN_NAMESPACE, e);
    secret_json_free_text(body);
    buf_free(&path);
    if (rc < 0) return rc;
    rc = r.status == 200 && r.json ? take_login(h, r.json, e) : fail_login(h, &r, e);
    vault_reply_drop(&r);
    return rc;
}

/* --- where a path leads --------------------------------------------------------------------------------------------- */

static void guess_place(struct vault_place *out, struct str path)
{
    size_t n = str_index(path, '/');
    snprintf(out->mount, sizeof out->mount, "%.*s", (int)n, path.ptr);
    out->below = (struct str){path.ptr + n + 1, path.len - n - 1};
    out->version = 2;
    out->is_guessed = true;
}

/* {"data": {"path": "secret/", "type": "kv", "options": {"version": "2"}}} */
static int take_place(struct vault_place *out, const json_t *answer, struct str path, struct err *e)
{
    const json_t *data = json_object_get(answer, "data");
    struct str mount = jsonv_text(data, "path"), type = jsonv_text(data, "type");
    struct str version = jsonv_text(json_object_get(data, "options"), "version");
    while (mount.len && mount.ptr[mount.len - 1] == '/') mount.len--;
    bool is_below = mount.len && mount.len + 1 < path.len && str_starts(path, mount) && path.ptr[mount.len] == '/';
    if (!is_below || mount.len >= sizeof out->mount) return err_set(e, ERR_PROTO, "vault: the path's mount is told as none of its beginnings");
    snprintf(out->mount, sizeof out->mount, "%.*s", STR_FMT(mount));
    out->below = (struct str){path.ptr + mount.len + 1, path.len - mount.len - 1};
    out->version = str_equal(version, STR("2")) ? 2 : 1;
    if (str_equal(type, STR("kv")) || str_equal(type, STR("generic"))) return 0;
    char shown[40];
    err_set(e, ERR_INPUT, "vault: %s/ is of type %s; secrets are read from the key/value engine only", out->mount, oauth_quote(shown, sizeof shown, type));
    return err_hint(e, "`vault secrets list` shows which mounts are of type kv");
}

/* What `vault kv get` asks before it reads: needs no right but one on something below the mount. It says 403 also of a mount that is not there;
 * then, as for servers that do not know it, the read itself shows what is the matter. */
int vault_locate(struct hashicorp *h, struct vault_place *out, struct str path, struct err *e)
{
    struct vault_reply r;
    struct buf ask = buf_new(8192);
    *out = (struct vault_place){0};
    buf_add_str(&ask, STR("sys/internal/ui/mounts/"));
    vault_add_path(&ask, path);
    int rc = vault_call(h, &r, buf_cstr(&ask), NULL, VAULT_WITH_TOKEN, e);
    buf_free(&ask);
    if (rc < 0) return rc;
    if (r.status == 200 && r.json)
        rc = take_place(out, r.json, path, e);
    else if (r.status == 403 || r.status == 404)
        guess_place(out, path);
    else if ((rc = vault_explain_common(h, &r, e)) == 0)
        rc = err_set(e, ERR_PROTO, "vault %s: HTTP %ld to the question which mount this is", h->url.host, r.status);
    vault_reply_drop(&r);
    return rc;
}

/* --- reading -------------------------------------------------------------------------------------------------------- */

/* 403 is "not permitted" and "no such token" alike: the token itself is asked. */
static int explain_forbidden(struct hashicorp *h, const struct vault_place *at, struct str path, struct err *e)
{
    struct vault_reply self;
    try(vault_call(h, &self, "auth/token/lookup-self", NULL, VAULT_WITH_TOKEN, e));
    bool is_known = self.status == 200;
    vault_reply_drop(&self);
    if (!is_known) {
        err_set(e, ERR_AUTH, "vault %s refuses the token (HTTP 403): it is wrong, expired, revoked, or of another namespace", h->url.host);
        return err_hint(e, "log in again and put the new token where the settings say; AppRole needs no care");
    }
    err_set(e, ERR_DENIED, "vault %s: the token's policies do not let it read %.*s (HTTP 403)", h->url.host, STR_FMT(path));
    return err_hint(e, "add to a policy of the token: path \"%s/%s%.*s\" { capabilities = [\"read\"] }%s", at->mount, at->version == 2 ? "data/" : "",
                    STR_FMT(at->below), at->is_guessed ? "; vault says the same of a mount that is not there" : "");
}

static int explain_deleted(const struct vault_place *at, struct str path, const json_t *metadata, struct err *e)
{
    struct str deleted = jsonv_text(metadata, "deletion_time");
    long long version = json_integer_value(json_object_get(metadata, "version"));
    char when[40];
    bool is_destroyed = json_is_true(json_object_get(metadata, "destroyed"));
    oauth_quote(when, sizeof when, deleted);
    err_set(e, ERR_NOTFOUND, "vault: the newest version (%lld) of %.*s was %s%s%s", version, STR_FMT(path), is_destroyed ? "destroyed" : "deleted",
            when[0] && !is_destroyed ? " at " : "", is_destroyed ? "" : when);
    if (is_destroyed) return err_hint(e, "write it anew: vault kv put %s/%.*s ...", at->mount, STR_FMT(at->below));
    return err_hint(e, "vault kv undelete -versions=%lld %s/%.*s, or write it anew", version, at->mount, STR_FMT(at->below));
}

static int explain_absent(const struct vault_place *at, struct str path, const struct vault_reply *r, struct err *e)
{
    const json_t *metadata = json_object_get(json_object_get(r->json, "data"), "metadata");
    if (metadata) return explain_deleted(at, path, metadata, e);
    if (strstr(r->said, "no handler for route") || strstr(r->said, "unsupported path")) {
        err_set(e, ERR_NOTFOUND, "vault: nothing is mounted at %s/ (HTTP 404)", at->mount);
        return err_hint(e, "`vault secrets list` shows the mounts there are; is the namespace right?");
    }
    err_set(e, ERR_NOTFOUND, "vault: there is no secret %.*s in %s/ (HTTP 404)", STR_FMT(at->below), at->mount);
    if (str_starts(at->below, STR("data/")))
        return err_hint(e, "leave data/ out of the reference: vault:%s/%.*s#FIELD", at->mount, (int)at->below.len - 5, at->below.ptr + 5);
    return err_hint(e, "`vault kv list %s/` shows what there is", at->mount);
}

static int explain_field(struct str path, const json_t *fields, struct str field, struct err *e)
{
    const char *key;
    json_t *v;
    char shown[64];
    struct buf list = buf_new(240);
    json_object_foreach((json_t *)fields, key, v) buf_printf(&list, "%s%s", list.len ? ", " : "", oauth_quote(shown, sizeof shown, str_from(key)));
    list.failed = false;
    bool is_there = json_object_getn(fields, field.ptr, field.len);
    if (is_there)
        err_set(e, ERR_INPUT, "vault: field %.*s of %.*s is no text", STR_FMT(field), STR_FMT(path));
    else
        err_set(e, ERR_NOTFOUND, "vault: %.*s has no field %.*s", STR_FMT(path), STR_FMT(field));
    err_hint(e, is_there ? "store it as a string" : list.len ? "its fields are: %s" : "it has no fields at all%s", is_there ? "" : buf_cstr(&list));
    buf_free(&list);
    return e->class;
}

static int take_field(struct secret *out, const struct vault_place *at, struct str path, struct str field, const json_t *answer, struct err *e)
{
    const json_t *data = json_object_get(answer, "data"), *fields = at->version == 2 ? json_object_get(data, "data") : data;
    if (!json_is_object(fields)) return err_set(e, ERR_PROTO, "vault: the answer for %.*s holds no data", STR_FMT(path));
    const json_t *v = json_object_getn(fields, field.ptr, field.len);
    if (!json_is_string(v)) return explain_field(path, fields, field, e);
    struct bytes text = {(const uint8_t *)json_string_value(v), json_string_length(v)};
    return secret_take(out, text, e) < 0 ? err_wrap(e, "vault: field %.*s of %.*s", STR_FMT(field), STR_FMT(path)) : 0;
}

int vault_read_at(struct hashicorp *h, const struct vault_place *at, struct str path, struct str field, struct secret *out, struct err *e)
{
    struct vault_reply r;
    struct buf ask = buf_new(8192);
    vault_add_path(&ask, str_from(at->mount));
    buf_add_str(&ask, at->version == 2 ? STR("/data/") : STR("/"));
    vault_add_path(&ask, at->below);
    int rc = vault_call(h, &r, buf_cstr(&ask), NULL, VAULT_WITH_TOKEN, e);
    buf_free(&ask);
    if (rc < 0) return rc;
    rc = vault_explain_common(h, &r, e);
    if (rc == 0 && r.status == 200) rc = take_field(out, at, path, field, r.json, e);
    else if (rc == 0 && r.status == 403) rc = explain_forbidden(h, at, path, e);
    else if (rc == 0 && r.status == 404) rc = explain_absent(at, path, &r, e);
    else if (rc == 0) rc = err_set(e, ERR_PROTO, "vault %s: HTTP %ld%s%s", h->url.host, r.status, r.said[0] ? ": " : "", r.said);
    vault_reply_drop(&r);
    return rc;
}

int hashicorp_read(struct hashicorp *h, struct str path, struct str field, struct secret *out, struct err *e)
{
    struct vault_place at;
    *out = (struct secret){0};
    try(vault_login(h, e));
    try(vault_locate(h, &at, path, e));
    return vault_read_at(h, &at, path, field, out, e);
}
