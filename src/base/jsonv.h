/* jsonv.h - our values as jansson's: text that may be no UTF-8, times.
 */
#ifndef ROLLCALL_JSONV_H
#define ROLLCALL_JSONV_H

#include "base/buf.h"

#include <jansson.h>

/* A JSON string of text; what is not UTF-8 in it becomes U+FFFD. */
json_t *jsonv_str(struct str s);
json_t *jsonv_time(int64_t ms); /* RFC 3339, NULL for 0 */
/* Sets key if value is not NULL. */
void jsonv_put(json_t *object, const char *key, json_t *value);

#endif
