/* secret_json.h - a JSON document that holds a secret: read, and given back with nothing of it left in memory.
 *
 * jansson frees without wiping, its parser's scratch too. From the first call on all that it gives back passes through here and is wiped for the
 * thread that is between a load or drop of ours, so that other threads and documents are not slowed.
 */
#ifndef ROLLCALL_NET_SECRET_JSON_H
#define ROLLCALL_NET_SECRET_JSON_H

#include "base/base.h"

#include <jansson.h>

/* NULL: no JSON object, or a key twice. */
json_t *secret_json_load(struct bytes text);
void secret_json_drop(json_t *j); /* NULL is legal; must be its last reference */
/* Compact JSON into a C string to be wiped and freed by secret_json_free_text. */
char *secret_json_write(const json_t *j);
void secret_json_free_text(char *text);

#endif
