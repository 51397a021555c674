/* pause.h - lock-out protection: a refused credential pauses its connector.
 *
 * Every wrong password counts towards the account's lock-out (badPwdCount; an application of Entra ID has none, but its sign-ins are
 * watched all the same), and a schedule repeats it for ever. So a refused
 * sign-in (ERR_AUTH) is noted with the connector, and the next sync is refused before anything is sent, with the same class:
 *   - until one schedule period (the setting frequency) has passed: then one more attempt is made;
 *   - a second wrong password ends it: no further attempt by itself. A refusal that does not count towards a lock-out (account
 *     locked, disabled, expired, outside its hours...) is tried again once a period for ever. What says nothing of the credential
 *     (clocks, an expired ticket, a service's name) does not pause;
 *   - at once when the settings, the password or the file of tickets or keys has changed; when a sign-in worked (`check`); or
 *     when somebody says so (--try-now).
 * The note holds the refusal's words, a hash of the settings and a slow salted hash of the secret: never the secret.
 *
 * Between store_run_begin and store_run_end or store_run_abort, so that no other process gets in between:
 *     try(pause_open(&p, store, connector, try_now, e));   // the secret is p.secret from here on
 *     rc = the worker's run ...; pause_learn(&p, run, rc, signed_in, e);
 *     pause_close(&p);
 */
#ifndef ROLLCALL_PAUSE_H
#define ROLLCALL_PAUSE_H

#include "base/secret.h"
#include "conf/conf.h"
#include "store/store.h"

/* What the credential was, but for the secret; as it was before the attempt. */
struct pause_marks {
    char settings[65]; /* SHA-256, of the settings in force */
    char file[96];     /* of tickets or keys: who it is, not what is in it */
};
struct pause {
    struct store *store;
    const struct connector_conf *connector;
    struct secret secret; /* empty: the connector has none, or a file instead */
    struct pause_marks marks;
    bool try_now;
};
/* Resolves the connector's secret (prompting if it says so). ERR_AUTH: paused; retry_at_ms says until when, 0: until something
 * changes. Close it even if it fails. */
int pause_open(struct pause *out, struct store *s, const struct connector_conf *c, bool try_now, struct err *e) must_use;
/* What an attempt taught: rc and why as it ended, signed_in if the peer took the credential before. That it
 * could not be noted is logged. */
void pause_learn(const struct pause *p, struct store_run *run, int rc, bool signed_in, const struct err *why);
void pause_close(struct pause *p); /* wipes; legal on a zeroed one */

/* --- for reports: without the secret, so a changed password is not seen ------------------------- */
struct pause_state {
    int64_t refused_ms;
    int64_t next_ms; /* when one more attempt is made; 0: not before something changes */
    char message[768], hint[384];
};
/* false: not paused, or nothing known. */
bool pause_look(struct store *s, const struct connector_conf *c, struct pause_state *out);
/* "the credential was refused at ... (why); one more attempt is made after ..." */
#define PAUSE_TEXT 640
void pause_tell(char out[PAUSE_TEXT], const struct pause_state *p);
/* A sign-in worked elsewhere. */
int pause_lift(struct store *s, const struct connector_conf *c, struct err *e) must_use;

#endif
