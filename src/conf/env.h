/* env.h - environment variables laid over the settings: ROLLCALL_STORE, ROLLCALL_CONNECTORS_<NAME>_<KEY>,
 * ROLLCALL_SINKS_<NAME>_<KEY>.
 *
 * Names in upper case, - as _. A variable of this form that names nothing is an error: it was meant to change
 * something. Internal to conf/.
 */
#ifndef ROLLCALL_CONF_ENV_H
#define ROLLCALL_CONF_ENV_H

#include "conf/node.h"
#include "conf/spec.h"

/* Adds to the tree or replaces in it. env: NULL-terminated "NAME=value"; NULL: none. */
int env_apply(struct node *root, struct arena *a, char *const *env, const struct node_place *p) must_use;
/* The value of a key as written on one line, by a variable or a flag: lists as "[a, b]" or "a,b". k NULL: a
 * plain scalar. */
int env_value(struct node **out, struct arena *a, const struct key_spec *k, struct str value,
              const struct node_place *p) must_use;
/* The last value of the name in env; NULL if it is not there. */
const char *env_get(char *const *env, const char *name);

#endif
