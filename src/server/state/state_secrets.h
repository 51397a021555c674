/* state_secrets.h - all sealed secrets of the state file at once: of connectors and of the server's own settings.
 */
#ifndef ROLLCALL_SERVER_STATE_SECRETS_H
#define ROLLCALL_SERVER_STATE_SECRETS_H

#include "server/state/state.h"

/* With a new data key each and the newest master key, in one transaction. One that does not open stays as it is and is logged. *n: how many. */
int state_reseal(struct state *s, uint64_t *n, struct err *e) must_use;
/* A new master key, everything sealed with it, the old one forgotten. Killed in the middle, everything still opens, and it can be done again. */
int state_rotate(struct state *s, uint64_t *n, struct err *e) must_use;
/* ERR_BUG: one does not open; each is told. */
int state_check_secrets(struct state *s, uint64_t *n, void (*tell)(void *ctx, const char *line), void *ctx, struct err *e) must_use;

#endif
