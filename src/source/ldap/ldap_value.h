/* ldap_value.h - an attribute's values as they came, checked and typed, into the body of a record
 * (model/record.h).
 *
 * What is malformed is left out and counted, never passed on: text that is not UTF-8, numbers and times that
 * are none, SIDs and GUIDs of wrong shape.
 */
#ifndef ROLLCALL_LDAP_VALUE_H
#define ROLLCALL_LDAP_VALUE_H

#include "source/ldap/ldap_plan.h"

/* Memory used again for each entry. */
struct value_scratch {
    struct buf encoded;
    struct bytes *list; /* values of a many-valued attribute, to sort */
    size_t cap;
};
struct value_scratch value_scratch_new(void);
void value_scratch_free(struct value_scratch *v);

/* Appends the slot's attribute; nothing if no value is left (never, or none good). Returns the number of
 * malformed values. */
uint64_t value_add(struct buf *body, struct value_scratch *v, const struct slot *s);
/* Appends each DN of a SET as an lstr, in the order they came. Returns the number of malformed ones. */
uint64_t value_add_dns(struct buf *block, uint32_t *n, struct bytes set);
/* The one value of a single-valued attribute; false if there is none or more than one. */
bool value_single(struct bytes set, struct bytes *out);

/* A copy for a gap's `where`: cut between two characters, empty if it is no text. */
#define EXAMPLE_SIZE 256
void example_set(char out[EXAMPLE_SIZE], struct str s);
void slot_note_bad(struct slot *s, struct str dn, uint64_t n);

#endif
