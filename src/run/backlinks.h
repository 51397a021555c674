/* backlinks.h - what the accounts' memberOf knows and the groups' member does not say.
 *
 * Two cases, both from groups that the reader may not fully see. A sealed group comes without members, empty or because
 * `member` may not be read: it waits, and its members' memberOf fill it. A hidden group does not come at all; but when a privileged
 * group names it as a member, whoever names it in memberOf has that privilege: told as an attribute of the account
 * (ATTR_HIDDEN_PRIVILEGES). Everything else passes through untouched. Groups must come before accounts.
 */
#ifndef ROLLCALL_BACKLINKS_H
#define ROLLCALL_BACKLINKS_H

#include "base/err.h"
#include "model/record.h"

struct backlinks;
struct backlinks *backlinks_new(void);
void backlinks_free(struct backlinks *b);
void backlinks_domain(struct backlinks *b, struct bytes domain_sid);
/* Of an incremental read, whose groups are not all there: is this DN an entity that was read before? */
void backlinks_know(struct backlinks *b, bool (*knows)(void *ctx, struct str dn), void *ctx);
/* A record of the stream, with its frame payload. true: it waits for backlinks_finish. Else *r may have become another
 * one (borrowed until the next call). */
bool backlinks_take(struct backlinks *b, struct record *r, struct bytes payload);
/* The DNs of the waiting groups. */
void backlinks_waiting(const struct backlinks *b, void (*each)(void *ctx, struct str dn), void *ctx);
/* Gives out the waiting groups, members filled in. *n_filled: how many of them got members this way. */
int backlinks_finish(struct backlinks *b, int (*each)(void *ctx, const struct record *r, struct err *e), void *ctx, uint64_t *n_filled,
                     struct err *e) must_use;

#endif
