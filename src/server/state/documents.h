/* documents.h - small JSON documents by kind, owner and id: drafts, saved views, preferences, alert rules, tags, the server's own settings.
 *
 * A document has a version: putting with another one than the stored is ERR_CONFLICT (0: whatever is there). At most 256 KiB each, 10,000 of a kind and
 * owner. owner "": the server's own.
 */
#ifndef ROLLCALL_SERVER_DOCUMENTS_H
#define ROLLCALL_SERVER_DOCUMENTS_H

#include "server/state/state.h"

int document_get(struct state *s, const char *kind, const char *owner, const char *id, json_t **out, int64_t *version, struct err *e) must_use;
int document_put(struct state *s, const char *kind, const char *owner, const char *id, const json_t *body, int64_t version, struct err *e) must_use;
int document_delete(struct state *s, const char *kind, const char *owner, const char *id, struct err *e) must_use; /* ERR_NOTFOUND */
/* [{id, owner, version, updated, body}] by id. owner NULL: of everybody. */
int document_list(struct state *s, const char *kind, const char *owner, json_t **out, struct err *e) must_use;

/* Secrets of the server's own settings (OIDC client secret, vault token): sealed, bound to name and `bound_to` (issuer, address...). */
int document_secret_put(struct state *s, const char *name, const char *bound_to, struct bytes value, struct err *e) must_use;
struct secret;
int document_secret_get(struct state *s, const char *name, const char *bound_to, struct secret *out, struct err *e) must_use; /* ERR_NOTFOUND */
int document_secret_delete(struct state *s, const char *name, struct err *e) must_use;

#endif
