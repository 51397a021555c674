/* rights.h - what may be done to a directory object: access mask bits, their names, and rights of one attribute, class or operation.
 *
 * Sources: MS-ADTS 5.1.3.2 (rights), MS-DTYP 2.4.3 (masks). Names as the Veza document and docs/contract use them; typed rights with the
 * schema's own names behind a colon: WRITE_PROPERTY:member, CONTROL_ACCESS:Reset-Password, CREATE_CHILD:user, SELF:Self-Membership.
 */
#ifndef ROLLCALL_RIGHTS_H
#define ROLLCALL_RIGHTS_H

#include "base/buf.h"
#include "base/err.h"
#include "model/schema.h"

/* In the order in which they are told. name, bit */
#define RIGHTS(X)                                                                                            \
    X(READ_CONTROL, 0x20000) X(WRITE_DAC, 0x40000) X(WRITE_OWNER, 0x80000) X(DELETE, 0x10000)                \
    X(CREATE_CHILD, 0x1) X(DELETE_CHILD, 0x2) X(LIST_CHILD_OBJECTS, 0x4) X(SELF, 0x8)                        \
    X(READ_PROPERTY, 0x10) X(WRITE_PROPERTY, 0x20) X(DELETE_TREE, 0x40) X(LIST_OBJECT, 0x80)                 \
    X(CONTROL_ACCESS, 0x100)

enum right_bit {
#define X(name, bit) RIGHT_##name = bit,
    RIGHTS(X)
#undef X
    RIGHTS_ALL = 0xF01FF,
    RIGHT_SYSTEM_SECURITY = 0x1000000,
};
/* Bits that an object type can narrow: what it is then. */
#define RIGHTS_TYPED (RIGHT_CREATE_CHILD | RIGHT_DELETE_CHILD | RIGHT_SELF | RIGHT_READ_PROPERTY | RIGHT_WRITE_PROPERTY | RIGHT_CONTROL_ACCESS)

const char *right_name(uint32_t bit); /* NULL: not one of them */
uint32_t right_bit(struct str name);  /* 0: none; case-insensitive */
/* GENERIC_READ 0x20094, GENERIC_WRITE 0x20028, GENERIC_EXECUTE 0x20004, GENERIC_ALL 0xF01FF; MAXIMUM_ALLOWED and meaningless bits go. */
uint32_t rights_map_generic(uint32_t mask);

struct right {
    uint32_t bit;           /* one */
    bool is_typed;
    uint8_t guid[16];       /* of an attribute, property set, class, extended right or validated write, as in an ACE */
};
/* "WRITE_PROPERTY", "write_property:member", "CONTROL_ACCESS:{guid}". ERR_INPUT with what is near. */
int right_parse(struct right *out, struct str text, const struct schema *s, struct err *e) must_use;
/* Appends the name; a GUID that the schema has not as {guid}. */
void right_format(struct buf *out, const struct right *r, const struct schema *s);

#endif
