/* schema_int.h - what schema.c, schema_blob.c and schema_builtin.c share: how a struct schema is put
 * together. Private to them.
 */
#ifndef ROLLCALL_SCHEMA_INT_H
#define ROLLCALL_SCHEMA_INT_H

#include "model/schema.h"

struct schema_list {
    const uint32_t *items;
    size_t n;
};
#define SCHEMA_WHATS (SCHEMA_VALIDATED_WRITE + 1)
struct schema_index {
    struct schema_list
        by_guid[SCHEMA_WHATS];      /* numbers of attributes, classes or rights, ascending by GUID */
    struct schema_list *attributes; /* of each class, inherited ones included */
    struct schema_list *superiors;
};

/* Zeroed room; NULL past the schema's maximum. */
void *schema_room(struct schema *s, size_t n, size_t size);
/* When attributes, classes (each with its own lists) and rights are there: breaks circles of parents,
 * inherits, indexes. ERR_LIMIT. */
int schema_finish(struct schema *s, struct err *e) must_use;
/* ASCII letters folded. */
int schema_name_compare(struct str a, struct str b);

#endif
