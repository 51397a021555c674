/* change.h - one difference between two runs; the names are docs/contract/change.json's.
 */
#ifndef ROLLCALL_CHANGE_H
#define ROLLCALL_CHANGE_H

#include "model/record.h"

#define CHANGES(X)                                                                                           \
    X(created, 1) X(modified, 2) X(moved, 3) X(renamed, 4) X(deleted, 5) X(restored, 6)                      \
    X(member_added, 7) X(member_removed, 8)

enum change_type {
#define X(name, number) CHANGE_##name = number,
    CHANGES(X)
#undef X
};
const char *change_type_name(enum change_type t);
enum change_type change_type_parse(struct str s); /* 0 if unknown */

/* How a deletion is known. vanished: absent from a proved complete listing: deleted, or no longer visible. */
enum evidence { EVIDENCE_NONE = 0, EVIDENCE_DELETED = 1, EVIDENCE_VANISHED = 2 };
const char *evidence_name(enum evidence v); /* "" for none */

struct change {
    int64_t id;       /* ascending in a store */
    int64_t run;
    int64_t time_ms;  /* when the run that found it ended */
    struct str connector;
    enum kind kind;
    int64_t entity_id;
    uint8_t guid[GUID_SIZE];
    struct str name;
    enum change_type type;
    struct str attribute;    /* LDAP name, "member", "objectSid", "distinguishedName", "nTSecurityDescriptor"; empty for created, deleted, restored */
    struct bytes old, new;   /* one body entry each (record.h) for attributes; UTF-8 text for DNs and members' DNs; binary for SIDs;
                                SDDL for descriptors; empty: absent */
    uint8_t member_guid[GUID_SIZE]; /* member_*: who, all zero if unresolved */
    enum kind member_kind;
    struct str member_name;
    enum evidence evidence;
};

#endif
