/* properties.h - custom_properties: attributes that rollcall does not know by itself. Internal to conf/. */
#ifndef ROLLCALL_CONF_PROPERTIES_H
#define ROLLCALL_CONF_PROPERTIES_H

#include "conf/node.h"

#define PROPERTIES_MAX 64

/* A list of {name, kind, type}; ERR_INPUT at the place of the wrong word. The caller decrefs *out. */
int properties_check(json_t **out, const struct node *list, const struct node_place *p) must_use;
/* What they look like, for the JSON Schema. */
json_t *properties_schema(void);

#endif
