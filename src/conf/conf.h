/* conf.h - the settings file: YAML, checked against the connector specifications, errors with line and column.
 *
 * One table (conf/spec.c) describes every key of every connector and sink type: type, default, choices, whether it is a
 * secret reference or a path, when it is required, one line of doc. The YAML reader, `connector spec` (JSON Schema), `config
 * check` and the forms of the server are all drawn from it. Settings are kept as a jansson object with defaults filled in,
 * relative paths made absolute (relative to the file), secrets as references, never values.
 * Precedence: flags, then ROLLCALL_CONNECTORS_<NAME>_<KEY> (upper case, - as _), then the file, then defaults.
 * ROLLCALL_SINKS_<NAME>_<KEY> and ROLLCALL_STORE likewise; a variable of this form that names nothing is an error. Paths in
 * variables are relative to the file too, paths in flags to the working directory.
 */
#ifndef ROLLCALL_CONF_H
#define ROLLCALL_CONF_H

#include "base/buf.h"
#include "base/err.h"
#include "conf/identity_rules.h"

#include <jansson.h>

struct connector_conf {
    char *name;
    const char *type; /* "active_directory" */
    json_t *settings; /* object, "type" among them; custom_properties and lists as arrays, durations as written */
    int line;         /* in the file; 0: not from a file */
};
struct sink_conf {
    char *name;
    const char *type; /* "http", "directory", "file" */
    json_t *settings;
};
struct conf {
    char *path;
    char *store_url; /* "sqlite:/absolute/path"; NULL: not set */
    struct connector_conf *connectors;
    size_t n_connectors;
    struct sink_conf *sinks;
    size_t n_sinks;
    struct identity_rule *identity_rules;
    size_t n_identity_rules;
    json_t *vault; /* settings of the block `vault`; NULL: not set */
};

/* path NULL: $ROLLCALL_CONFIG, else /etc/rollcall/rollcall.yaml. ERR_INPUT: "FILE:12:5: unknown key 'hosst'; did you mean
 * 'host'?"; reports the first error. ERR_NOTFOUND: no file (hint says where it looked). env: environ, else in tests; NULL: none. */
int conf_load(struct conf *out, const char *path, char *const *env, struct err *e) must_use;
/* The same from memory; `name` stands for the file in messages, `dir` for relative paths. */
int conf_parse(struct conf *out, struct str yaml, const char *name, const char *dir, char *const *env, struct err *e) must_use;
void conf_free(struct conf *c);
/* ERR_NOTFOUND lists the names there are, with "did you mean". */
int conf_connector(const struct conf *c, struct str name, const struct connector_conf **out, struct err *e) must_use;
/* "key=value" from a flag: the value is checked like the file's, combinations by conf_check_settings when all flags are in. A
 * port that was the default follows security. Lists: "a,b" or "[a, b]". */
int conf_override(struct connector_conf *c, struct str key, struct str value, struct err *e) must_use;
/* Re-checks one whole settings object (unknown keys, values, required keys, combinations) and fills in defaults. */
int conf_check_settings(const char *type, json_t *settings, const char *where, struct err *e) must_use;

/* The same without stopping at the first: tells all that is wrong, key by key ("" about the block). ERR_INPUT: no such type, or no settings at all. */
int conf_judge_settings(const char *type, json_t *settings, void (*tell)(void *ctx, const char *key, const struct err *e), void *ctx, struct err *e) must_use;
/* conf_check_settings of the block `vault`. */
int conf_check_vault(json_t *settings, const char *where, struct err *e) must_use;

/* Fills in what is not set from the variables that Kerberos users know: KRB5_CONFIG (krb5_config), KRB5CCNAME (credential_cache),
 * and LDAP_CERTIFICATE (ca_certificate, only with a ticket cache or keytab over TLS). For the process that starts the
 * worker: the worker has no environment. settings are checked ones. */
int conf_from_environment(const char *type, json_t *settings, char *const *env, struct err *e) must_use;

/* Typed reads of checked settings; the default is in the object already. NULL/0/false only where a key has none.
 * conf_int gives durations in ms. */
const char *conf_str(const json_t *settings, const char *key);
int64_t conf_int(const json_t *settings, const char *key);
bool conf_bool(const json_t *settings, const char *key);
/* The key that holds the one secret of these settings ("password", "client_secret", "client_certificate_password"); NULL: they have none. */
const char *conf_secret_key(const char *type, const json_t *settings);

/* --- for those who keep settings (keys.c) --- */
struct conf_key {
    const char *name;
    bool is_secret, is_path;
    bool is_aim;   /* says where the connection goes, as whom, and whom it trusts: a secret is entered for these */
    bool is_place; /* names something that is the machine's: a reference to a secret, a file but the CA's, a local address */
    const char *own; /* the value by which it signs in as the machine itself; NULL: none */
};
bool conf_key(struct conf_key *out, const char *type, size_t i); /* false: no such type, or it has only i keys */
bool conf_key_applies(const char *type, const char *key, const json_t *settings); /* under these (effective) settings */
/* Settings with values typed and defaults filled in; what is wrong stays as it is. The caller decrefs. */
json_t *conf_effective(const char *type, const json_t *settings);

/* JSON Schema (draft 2020-12) of a connector or sink type, with x- keys for forms (x-secret, x-path, x-admin, x-order, x-group,
 * x-show-if, x-not-in-this-version; x-role and x-available of the type); NULL if the type is unknown. The caller decrefs. */
json_t *conf_spec(const char *type);
struct conf_type {
    const char *name, *doc;
    bool is_sink;
};
extern const struct conf_type conf_types[]; /* name NULL ends */
/* "1h", "30m", "7d", "45s" to ms; false otherwise. */
bool conf_parse_duration(int64_t *out_ms, struct str s);
/* "dc2", "dc2:636", "192.0.2.1:53", "[2001:db8::1]:53", "2001:db8::1": host without brackets; port 0 if there is none. false: a
 * port that is none. */
bool conf_split_port(struct str *host, uint16_t *port, struct str s);
/* Closest of names by edit distance (at most 2, or a third of the length), NULL if none. names ends with NULL. */
const char *did_you_mean(struct str word, const char *const *names);

#endif
