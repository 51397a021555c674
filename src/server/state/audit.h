/* audit.h - the log of every change that somebody made through the server; each entry holds the hash of the one before.
 *
 * hash(n) = SHA-256 of hash(n-1) and the entry's canonical JSON (sorted keys, compact), so that a changed, removed or inserted entry is found;
 * the newest hash can be kept elsewhere. Entries are only ever added. before and after are the API's own JSON, in which no secret is.
 */
#ifndef ROLLCALL_SERVER_AUDIT_H
#define ROLLCALL_SERVER_AUDIT_H

#include "server/accounts/accounts.h"

/* action: "connector.update", "user.create", "login.refused" ...; object: what it was done to; before, after: borrowed, NULL where there is none;
 * result: "ok" or an error class. The callers' own failures to log are errors: what is not logged is not done (call before committing what can be undone,
 * or right after). */
int audit_add(struct state *s, const struct actor *who, const char *action, const char *object, const json_t *before, const json_t *after,
              const char *result, struct err *e) must_use;
/* Newest first; before_id 0: from the newest. [{id, time, who, from, action, object, before, after, result, hash}] */
int audit_list(struct state *s, int64_t before_id, int64_t limit, json_t **out, struct err *e) must_use;
/* ERR_BUG names the first entry that does not fit. *n: entries, head: hash of the last, in hex. */
int audit_verify(struct state *s, uint64_t *n, char head[65], struct err *e) must_use;

#endif
