/* value.h - one written value, checked against its row of the specification and turned into its JSON form.
 *
 * Internal to conf/. Everything that can be said about a value alone is said here; what depends on other keys
 * is check.c.
 */
#ifndef ROLLCALL_CONF_VALUE_H
#define ROLLCALL_CONF_VALUE_H

#include "conf/node.h"
#include "conf/spec.h"

/* dir: what relative paths are relative to; NULL: the working directory. ERR_INPUT at the node's place; the
 * caller decrefs *out. */
int value_check(json_t **out, const struct key_spec *k, const struct node *n, const char *dir,
                const struct node_place *p) must_use;
/* The key's default, typed; NULL if it has none. */
json_t *value_fallback(const struct key_spec *k);
/* path, absolute; free() it. */
char *path_absolute(struct str path, const char *dir);

/* Checks on text alone; ERR_INPUT without place. */
int host_check(struct str s, struct err *e) must_use;
bool host_is_address(struct str s); /* brackets around it allowed */
int host_port_check(struct str s, struct err *e) must_use; /* HOST or HOST:PORT */
int server_check(struct str s, struct err *e) must_use;    /* ADDRESS or ADDRESS:PORT */
int domain_check(struct str s, struct err *e) must_use;
int user_check(struct str s, struct err *e) must_use;
int url_check(struct str s, struct err *e) must_use;
int local_url_check(struct str s, struct err *e) must_use; /* http, to this machine or the cloud's metadata address */
bool is_guid(struct str s);
bool is_name(struct str s); /* of a connector, a sink or a rule: 1 to 64 letters, digits, - or _ */

#endif
