/* vault_settings.h - which vault the server's connectors read their vault: references from: the document "settings" "vault", else the settings file's block.
 *
 * Entered tokens are sealed and bound to address, namespace and role; with another address they must be entered again. References (file: env: cred:) stay.
 */
#ifndef ROLLCALL_SERVER_VAULT_SETTINGS_H
#define ROLLCALL_SERVER_VAULT_SETTINGS_H

#include "base/secret.h"
#include "conf/conf.h"
#include "server/state/state.h"

/* {source: "server" | "file" | "none", address, namespace, ca_certificate, auth, mount, role_id, token: {set, updated, reference}, secret_id: {...}, version}. */
int vault_settings_get(struct state *s, const struct conf *conf, json_t **out, struct err *e) must_use;
/* body: the same, token and secret_id as text: a reference, or the secret (absent: stays, unless what it is bound to changed; "": removed). An empty address
 * removes the document. */
int vault_settings_put(struct state *s, const json_t *body, struct err *e) must_use;
/* {steps: [...]}; body: unsaved settings, or only {reference}: the present ones. */
int vault_settings_test(struct state *s, const struct conf *conf, const json_t *body, json_t **out, struct err *e) must_use;

/* From now on secret_resolve (vault.h) reads vault: references by these settings, as they are at each time; one log-in a reference. Thread-safe; before threads. */
void vault_settings_serve(struct state *s, const struct conf *conf);

#endif
