/* value.h - an attribute's values by their own type: custom properties, and the two sides of a change.
 */
#ifndef ROLLCALL_MAP_VALUE_H
#define ROLLCALL_MAP_VALUE_H

#include "map/table.h"

/* JSON: one value alone, several as an array, none as null. Borrowed values; consumed. */
void value_json(struct buf *out, struct values v, enum time_format times);
/* Text, several joined with "; ", cut to size. Returns the length. */
size_t value_text(char *to, size_t size, struct values v);
/* 4 bytes for every 3, without NUL; to must have room. Returns the length. */
size_t value_base64(char *to, struct bytes b);

#endif
