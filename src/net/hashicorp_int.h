/* hashicorp_int.h - what hashicorp.c (log in, read), hashicorp_call.c (one request) and hashicorp_test_steps.c share. */
#ifndef ROLLCALL_NET_HASHICORP_INT_H
#define ROLLCALL_NET_HASHICORP_INT_H

#include "net/hashicorp.h"
#include "net/http.h"
#include "net/url.h"

struct hashicorp {
    struct hashicorp_settings s;
    struct url url; /* slices of s.address */
    struct http *http;
    struct secret token; /* logged in with; empty: not yet */
    json_t *login;       /* {policies[], ttl, renewable, type}; NULL: not known */
};

/* An answer of Vault's, its JSON wiped by reply_drop. */
struct vault_reply {
    long status;
    json_t *json;   /* NULL: no JSON object */
    char said[200]; /* the first of its errors or warnings; "" for none */
    char location[160]; /* of a redirect */
};
void vault_reply_drop(struct vault_reply *r);

/* path: below /v1/, encoded already. body: JSON text to POST, NULL: GET. Tried again, a few seconds at most, where that helps (429, 412, 500, 502).
 * 0 whatever the status is. */
enum vault_scope { VAULT_PLAIN, VAULT_IN_NAMESPACE, VAULT_WITH_TOKEN };
int vault_call(struct hashicorp *h, struct vault_reply *out, const char *path, const char *body, enum vault_scope scope, struct err *e) must_use;
/* Statuses that mean the same for every path: sealed, standby, throttled, broken, nothing of Vault's. 0: none of them. */
int vault_explain_common(const struct hashicorp *h, const struct vault_reply *r, struct err *e) must_use;
/* Appends path with what a URL cannot hold percent-encoded; slashes stay. */
void vault_add_path(struct buf *out, struct str path);

int vault_login(struct hashicorp *h, struct err *e) must_use;

/* Where a path leads. */
struct vault_place {
    char mount[512]; /* "secret" */
    struct str below; /* "rollcall/corp", of the path given */
    int version;      /* 1, 2 */
    bool is_guessed;  /* the server did not say: first segment, version 2 */
};
int vault_locate(struct hashicorp *h, struct vault_place *out, struct str path, struct err *e) must_use;
int vault_read_at(struct hashicorp *h, const struct vault_place *at, struct str path, struct str field, struct secret *out, struct err *e) must_use;

#endif
