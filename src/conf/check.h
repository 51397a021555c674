/* check.h - one block of settings as a whole: unknown keys, values, defaults, what is missing, what
 * contradicts. Internal to conf/. */
#ifndef ROLLCALL_CONF_CHECK_H
#define ROLLCALL_CONF_CHECK_H

#include "conf/node.h"
#include "conf/spec.h"

/* map: the keys as written ("type" among them or not). *out: an object with "type", every value typed,
 * defaults filled in, in the order of the specification; the caller decrefs. dir as for value_check. */
int settings_check(json_t **out, const struct type_spec *t, const struct node *map, const char *dir,
                   const struct node_place *p) must_use;
/* All that is wrong, one by one. place without file and where: a message begins with its key. */
typedef void settings_tell(void *ctx, const char *key, const struct err *e);
void settings_judge(const struct type_spec *t, const struct node *map, const struct node_place *p, settings_tell *tell, void *ctx);
/* The port that goes with a connector's security; 0 if the type has none. */
int settings_default_port(const json_t *settings);
/* "unknown key 'hosst'; did you mean 'host'?" */
int settings_unknown_key(const struct type_spec *t, const struct node *n, const struct node_place *p);

#endif
