/* record.h - one entity as a source read it: the unit of the stream, of the store and of every dialect.
 *
 * A record is a set of borrowed slices; it owns nothing and lives as long as the frame or row behind it.
 * objectGUID is identity; SID, DN and name are properties that may change. Attribute values are already
 * typed and checked by the source (a worker process): text is UTF-8, times are ms UTC.
 *
 * Body encoding (also what a store keeps; format 1): entries in ascending attribute number,
 *     varint attribute . varint payload length . payload
 *     payload: [ATTR_CUSTOM only: lstr name . u8 type] varint n . n values
 *     value: STRING DN SID GUID BINARY: lstr; INT TIME SPAN: svarint; BOOL: one byte 0 or 1
 * Values of a many-valued attribute are sorted bytewise, so equal sets have equal bytes.
 * Two bodies: `state` (a difference is a change) and `stats` (kept fresh, never reported); see attr.h.
 */
#ifndef ROLLCALL_RECORD_H
#define ROLLCALL_RECORD_H

#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"
#include "model/attr.h"

#define GUID_SIZE 16

/* Consecutive DNs, each an lstr, in the order the server gave them. */
struct dn_list {
    uint32_t n;
    struct bytes block;
};
/* The next DN; false at the end. Start with a copy of the list. */
bool dn_list_next(struct dn_list *rest, struct str *out);
/* true if the block is exactly n DNs: a list that breaks off must not pass for a short one. Decoding checks it. */
bool dn_list_is_whole(struct dn_list l);

enum record_flag {
    RECORD_MORE_MEMBERS = 1, /* member lists follow in members frames */
    RECORD_NO_SD = 2,        /* a descriptor was asked for and did not come */
    RECORD_KEEP_MFA = 4,     /* what a report tells (attr.h 300..309) was not read this time: what is known stays */
    RECORD_KEEP_SIGN_IN = 8, /* the same of 310..319 */
    RECORD_KEEP_OWNERS = 16, /* the same of the owners */
    RECORD_KEEP_ABSENT = 32, /* the same of every attribute that it does not have */
#define RECORD_KEEP (RECORD_KEEP_MFA | RECORD_KEEP_SIGN_IN | RECORD_KEEP_OWNERS | RECORD_KEEP_ABSENT)
};

struct record {
    enum kind kind;
    unsigned flags;
    uint8_t guid[GUID_SIZE]; /* as on the wire (little-endian first three fields) */
    struct bytes sid;        /* binary, empty if none */
    struct str dn;           /* of Entra ID, which has no DNs: the object id, by which members and managers name it */
    uint32_t sd;             /* number of a descriptor announced in this stream, 0 none */
    struct bytes state, stats;
    struct dn_list member;    /* kind group, role, administrative_unit: the forward link */
    struct dn_list member_of; /* the back link, without the primary group */
};

/* Frame payload of a record; appends. */
void record_encode(struct buf *out, const struct record *r);
/* Borrows from in. ERR_PROTO when it is malformed (then the worker is not ours, or broken). */
int record_decode(struct record *out, struct bytes in, struct err *e) must_use;

/* --- writing a body ----------------------------------------------------------------------------------- */
/* Appends one entry whose values the caller has encoded with the value functions below. */
void body_add(struct buf *body, enum attr id, uint32_t n_values, struct bytes values);
void body_add_custom(struct buf *body, struct str name, enum attr_type type, uint32_t n_values, struct bytes values);
static inline void body_value_bytes(struct buf *values, struct bytes v)
{
    buf_add_lstr(values, v);
}
static inline void body_value_int(struct buf *values, int64_t v)
{
    buf_add_svarint(values, v);
}
static inline void body_value_bool(struct buf *values, bool v)
{
    buf_add_byte(values, v);
}

/* --- reading a body ----------------------------------------------------------------------------------- */
/* Values of one attribute, to iterate. */
struct values {
    enum attr id;
    enum attr_type type;
    struct str name; /* LDAP name */
    bool is_multi, is_stat;
    uint32_t n;      /* left */
    struct cursor at;
};
/* The next value as bytes (STRING DN SID GUID BINARY) or as a number (INT TIME SPAN BOOL); false at the end. */
bool values_next_bytes(struct values *v, struct bytes *out);
bool values_next_int(struct values *v, int64_t *out);

/* Walks a body entry by entry; false at the end or at malformed bytes (then b->failed). */
bool body_next(struct cursor *body, struct values *out);

/* Random access to state and stats of one record: built in one pass, 16 bytes an attribute. */
struct record_index {
    const struct record *record;
    struct bytes payload[ATTR_INDEX_SIZE];
    uint8_t present[ATTR_INDEX_SIZE];
};
/* ERR_PROTO at malformed bytes. */
int record_index(struct record_index *out, const struct record *r, struct err *e) must_use;
/* n == 0 if absent. */
struct values record_values(const struct record_index *x, enum attr id);
/* First value; false (and *out untouched) if absent. */
bool record_str(const struct record_index *x, enum attr id, struct str *out);
bool record_int(const struct record_index *x, enum attr id, int64_t *out);
/* A custom property by its LDAP name; n == 0 if absent. */
struct values record_custom(const struct record_index *x, struct str name);
/* What people call it: sAMAccountName, else displayName, trustPartner, name, cn, ou, dc, appDisplayName, default domain,
 * userPrincipalName, mail, first RDN value of the DN (of Entra ID: the object id). */
struct str record_name(const struct record_index *x);

/* Lower-case text with dashes, 36 characters + NUL (MS-DTYP 2.3.4.3, without braces). */
#define GUID_TEXT 37
char *guid_format(char out[GUID_TEXT], const uint8_t guid[GUID_SIZE]);
/* Accepts it with or without braces, any case. */
bool guid_parse(uint8_t out[GUID_SIZE], struct str text);

#endif
