/* connectors.h - the connectors and sinks a server knows: those of the settings file (read-only here) and those made on the page.
 *
 * A made one is a checked settings object (conf.h) whose entered secrets are sealed (vault/seal.h), each bound to connector, key, and every setting that says where the
 * connection goes, as whom, and whom it trusts (conf_key's is_aim: host, port, security, CA, user, failover hosts, tenant, URLs ...; a pasted CA too). When one of these
 * changes, the entered secrets and the pasted certificate are emptied and must be entered again: a changed host would otherwise get the old host's password.
 * References (file: env: cred: vault:) stay, but none to the server's own files, /proc or its master key is taken. docs/api.md tells what a client sees.
 * JSON of a connector: {name, type, source: "file"|"server", enabled, settings{..., defaults filled in; of a secret its reference, nothing of an entered one},
 * secrets{key: {set, updated, reference}}, schedule{every|cron, full_sync_every}, must_enter[keys], created, updated, version}. Never a secret.
 */
#ifndef ROLLCALL_SERVER_CONNECTORS_H
#define ROLLCALL_SERVER_CONNECTORS_H

#include "base/secret.h"
#include "conf/conf.h"
#include "server/accounts/accounts.h"

struct connectors; /* state, file settings and their cache; thread-safe */
/* conf: of the file; borrowed, may be without connectors. */
int connectors_open(struct connectors **out, struct state *s, const struct conf *conf, struct err *e) must_use;
void connectors_close(struct connectors *c);
/* A file (or a reference) that no setting may lead to, beside the store and what lies by it under its name. Before there are threads. */
void connectors_guard(const char *path);

int connectors_list(struct connectors *c, json_t **out, struct err *e) must_use; /* array, by name */
int connectors_get(struct connectors *c, const char *name, json_t **out, struct err *e) must_use;
/* What somebody fills in. Borrowed. */
struct connector_form {
    const char *type;
    const json_t *settings;
    const json_t *secrets; /* {key: value} as entered, "" removes; NULL: none */
    bool may_refer;        /* an administrator's, or known to be whole: others cannot name what the server reads (references, files but the CA's), nor have it sign in with the
                            * machine's own tickets or identity; what is named stays, for where it is named for */
};
/* What is wrong with these settings, without writing anything: [{key, severity: "error"|"warning"|"hint", message, hint}], empty if all is well. Every
 * key is judged, not only the first wrong one. Beyond conf_check_settings: an IP as host with TLS, DOMAIN\user,
 * a base_dn outside the domain, port 389 with a password, a client secret that looks like its id (a GUID), a tenant id that is none, names with spaces ... */
int connectors_judge(struct connectors *c, const char *name, const struct connector_form *form, bool is_new, json_t **problems, struct err *e) must_use;
/* Secrets are wiped by the caller; keys that are not named stay, unless what they are bound to changed (must_enter).
 * put with version 0 makes a new one (ERR_CONFLICT: the name is taken); else the version must be the stored one (ERR_CONFLICT: somebody else
 * changed it). Refused unless it is whole, except with enabled false. ERR_DENIED: names what only an administrator may. *out: the connector now. */
int connectors_put(struct connectors *c, const char *name, int64_t version, const struct connector_form *form, bool enabled, json_t **out, struct err *e) must_use;
/* Of a connector, switched off: its settings, what they name and the pasted CA, so that it goes where the first one goes; no secret that was entered. */
int connectors_copy(struct connectors *c, const char *from, const char *name, json_t **out, struct err *e) must_use;
int connectors_enable(struct connectors *c, const char *name, bool enabled, struct err *e) must_use;
int connectors_delete(struct connectors *c, const char *name, struct err *e) must_use;

/* --- for a child process (job.h): settings as a file, secrets on descriptors of their own --------------------------- */
#define HANDED_SETTINGS_FD 20
#define HANDED_SECRET_FD   21 /* and following */
struct handed {
    int settings_fd;    /* memfd: YAML (JSON) with the store, one connector, all sinks; its secrets written as fd:21 ... */
    int secret_fds[16]; /* pipes or memfds, mode 0600; each holds one secret and nothing else */
    size_t n_secrets;
};
/* name: a known connector; or settings and secrets that are not stored yet (a test before Create): name is then what it shall be called. */
int connectors_hand(struct connectors *c, const char *name, struct handed *out, struct err *e) must_use;
/* For work on the store alone: no connector, no sink, no secret. */
int connectors_hand_store(struct connectors *c, struct handed *out, struct err *e) must_use;
int connectors_hand_unsaved(struct connectors *c, const char *name, const struct connector_form *form, struct handed *out, struct err *e) must_use;
void handed_close(struct handed *h);

#endif
