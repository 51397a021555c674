/* schema.h - what the GUIDs in access control entries mean: attributes, property sets, classes, extended rights, validated writes.
 *
 * Read from the directory's own schema and Extended-Rights containers (source/ldap), kept by the store as one blob, used by access. A
 * table built in (names and GUIDs that every Active Directory has: MS-ADA1..3, MS-ADSC, MS-ADTS 5.1.3.2.1) stands in where the
 * directory's could not be read. Immutable once made.
 */
#ifndef ROLLCALL_SCHEMA_H
#define ROLLCALL_SCHEMA_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define SCHEMA_NONE UINT32_MAX

struct schema_attribute {
    struct str name;       /* lDAPDisplayName */
    uint8_t guid[16];      /* schemaIDGUID */
    uint8_t set[16];       /* attributeSecurityGUID; zeros: in no property set */
    uint32_t search_flags; /* 0x80: confidential */
    uint32_t system_flags; /* 0x4: constructed */
    bool is_backlink;      /* linkID odd */
    bool is_system_only;
};
struct schema_class {
    struct str name;
    uint8_t guid[16];
    uint32_t parent;                  /* subClassOf; SCHEMA_NONE at the top */
    unsigned category;                /* objectClassCategory: 0 88, 1 structural, 2 abstract, 3 auxiliary */
    bool is_system_only;
    const uint32_t *attributes; size_t n_attributes; /* own must and may, system and not; ascending */
    const uint32_t *auxiliary; size_t n_auxiliary;
    const uint32_t *superiors; size_t n_superiors;   /* possSuperiors and systemPossSuperiors */
};
struct schema_right { /* controlAccessRight: property set, extended right or validated write, by valid_accesses */
    struct str name;         /* cn */
    struct str display_name;
    uint8_t guid[16];        /* rightsGuid */
    uint32_t valid_accesses; /* 0x30 property set, 0x100 extended right, 0x8 validated write */
    const uint8_t (*applies_to)[16]; size_t n_applies_to; /* classes */
};
struct schema {
    struct arena memory;
    bool is_builtin;
    struct str ds_heuristics; /* dSHeuristics of the forest; empty: not set, or not readable */
    struct schema_attribute *attributes; size_t n_attributes; /* ascending by name, case-insensitive */
    struct schema_class *classes; size_t n_classes;
    struct schema_right *rights; size_t n_rights;
    struct schema_index *index; /* its own: by GUID */
};

const struct schema *schema_builtin(void); /* from any thread */
/* For a blob of schema_encode or of the pieces below. ERR_PROTO malformed, ERR_LIMIT larger than any schema. */
int schema_decode(struct schema **out, struct bytes in, struct err *e) must_use;
void schema_free(struct schema *s); /* NULL and the built-in one are legal */
void schema_encode(struct buf *out, const struct schema *s);

/* The blob piece by piece, for who reads a directory: schema_put_start, then the rest in any order. Classes and attributes name each other;
 * schema_decode finds out who is meant, leaves out names that nobody has, and of two pieces of one name takes the first. */
struct schema_names { const struct str *list; size_t n; };
struct schema_class_piece {
    struct str name, parent; /* parent empty or its own name: the top */
    uint8_t guid[16];
    unsigned category;
    bool is_system_only;
    struct schema_names attributes[4], auxiliary[2], superiors[2]; /* as the directory has them: the lists of lists are just joined */
};
#define SCHEMA_NAME_MAX 255
void schema_put_start(struct buf *out);
void schema_put_heuristics(struct buf *out, struct str ds_heuristics);
void schema_put_attribute(struct buf *out, const struct schema_attribute *a);
void schema_put_class(struct buf *out, const struct schema_class_piece *c);
void schema_put_right(struct buf *out, const struct schema_right *r);

/* Character `place`, from 1, of dSHeuristics (MS-ADTS 6.1.1.2.4.1.2); '0' where it has none. */
char schema_heuristic(const struct schema *s, size_t place);
#define SCHEMA_HEURISTIC_LIST_OBJECT 3           /* '1': LIST_OBJECT is looked at */
#define SCHEMA_HEURISTIC_BLOCK_IMPLICIT_OWNER 29 /* '1': owners have no implicit WRITE_DAC (CVE-2021-42291) */

uint32_t schema_attribute_find(const struct schema *s, struct str name); /* SCHEMA_NONE; case-insensitive */
uint32_t schema_class_find(const struct schema *s, struct str name);
uint32_t schema_right_find(const struct schema *s, struct str name); /* cn, else display name there or in Windows; also with dashes for spaces */
enum schema_what { SCHEMA_UNKNOWN, SCHEMA_ATTRIBUTE, SCHEMA_CLASS, SCHEMA_PROPERTY_SET, SCHEMA_EXTENDED_RIGHT, SCHEMA_VALIDATED_WRITE };
/* What can stand behind a right with this bit, in the order in which it is looked for, up to SCHEMA_UNKNOWN: property set, attribute, class
 * for READ_ and WRITE_PROPERTY; class for children; extended right, property set, attribute, class for CONTROL_ACCESS; validated write,
 * class for SELF; everything for 0. The order decides where one GUID is several things: member and Self-Membership; dNSHostName, a property
 * set and a validated write. */
const enum schema_what *schema_order(uint32_t bit);
const char *schema_what_name(enum schema_what w); /* "an attribute" */
size_t schema_n_items(const struct schema *s, enum schema_what w); /* of rights: of any kind */
uint32_t schema_item_find(const struct schema *s, enum schema_what w, struct str name); /* SCHEMA_NONE */
struct str schema_item_name(const struct schema *s, enum schema_what w, uint32_t index); /* lDAPDisplayName or cn */
const uint8_t *schema_item_guid(const struct schema *s, enum schema_what w, uint32_t index);
/* The first of schema_order(bit) that has this GUID; SCHEMA_UNKNOWN: none. A GUID of zeros is nobody's. */
enum schema_what schema_guid_find(const struct schema *s, const uint8_t guid[16], uint32_t bit, uint32_t *index);
/* The item of this kind that has this GUID; SCHEMA_NONE. */
uint32_t schema_guid_find_as(const struct schema *s, enum schema_what w, const uint8_t guid[16]);

/* Attributes that an object of this class may have: its own, its superclasses' and their auxiliary classes'. Ascending, each once;
 * borrowed from the schema. */
const uint32_t *schema_class_attributes(const struct schema *s, uint32_t class, size_t *n);
/* May an object of class child be created below one of class parent (possibleInferiors, MS-ADTS 3.1.1.4.5.21)? Not abstract, auxiliary
 * and system-only classes. */
bool schema_class_may_contain(const struct schema *s, uint32_t parent, uint32_t child);

#endif
