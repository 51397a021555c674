/* ldap_ber.h - the little of BER (X.690) that LDAP needs, read through a cursor.
 *
 * RFC 4511 5.1: definite lengths only, so no recursion and no search for an end. A tag that is not the
 * expected one fails the cursor like a short read does.
 */
#ifndef ROLLCALL_LDAP_BER_H
#define ROLLCALL_LDAP_BER_H

#include "base/cursor.h"

enum { BER_INTEGER = 0x02, BER_OCTETS = 0x04, BER_ENUMERATED = 0x0a, BER_SEQUENCE = 0x30, BER_SET = 0x31 };

size_t ber_length_long(struct cursor *c, uint8_t first);

/* The length of the next element, which must have this tag; its content is not taken. */
static inline size_t ber_head(struct cursor *c, uint8_t tag)
{
    struct bytes head = cursor_bytes(c, 2);
    if (!head.ptr || head.ptr[0] != tag) {
        c->failed = true;
        return 0;
    }
    if (head.ptr[1] < 0x80) return head.ptr[1];
    if (head.ptr[1] == 0x84 && c->in.len >= 4) { /* the form that controllers write everywhere */
        struct bytes b = cursor_bytes(c, 4);
        return (size_t)b.ptr[0] << 24 | (size_t)b.ptr[1] << 16 | (size_t)b.ptr[2] << 8 | b.ptr[3];
    }
    return ber_length_long(c, head.ptr[1]);
}
/* The content of the next element, which must have this tag. */
static inline struct bytes ber_element(struct cursor *c, uint8_t tag)
{
    size_t len = ber_head(c, tag);
    return cursor_bytes(c, len);
}
/* The content of the next element, whatever its (one-byte) tag. */
static inline struct bytes ber_any(struct cursor *c)
{
    return ber_element(c, c->in.len ? c->in.ptr[0] : 0);
}

/* One attribute of a SearchResultEntry: its description and the SET's content, an element per value. false at
 * the end or when the rest is malformed (then c->failed). */
static inline bool ber_next_attribute(struct cursor *attributes, struct str *name, struct bytes *set)
{
    if (attributes->failed || !attributes->in.len) return false;
    struct cursor one = cursor_new(ber_element(attributes, BER_SEQUENCE));
    *name = str_of(ber_element(&one, BER_OCTETS));
    *set = ber_element(&one, BER_SET);
    if (one.failed || one.in.len) attributes->failed = true;
    return !attributes->failed;
}

/* The next value of a SET; false at the end or when malformed. */
static inline bool ber_next_value(struct cursor *set, struct bytes *value)
{
    if (set->failed || !set->in.len) return false;
    *value = ber_element(set, BER_OCTETS);
    return !set->failed;
}

#endif
