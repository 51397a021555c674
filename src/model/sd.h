/* sd.h - security descriptors in self-relative form, MS-DTYP 2.4.6: decoded, never guessed.
 *
 * Decoding borrows from the input and copies nothing. Every ACE type is named; callback and unknown ones
 * are kept with their bytes and counted, so that a reader can say what it does not know.
 */
#ifndef ROLLCALL_SD_H
#define ROLLCALL_SD_H

#include "base/buf.h"
#include "base/err.h"

enum sd_control { SD_DACL_PRESENT = 0x4, SD_SACL_PRESENT = 0x10, SD_DACL_AUTO_INHERIT_REQ = 0x100,
                  SD_DACL_AUTO_INHERITED = 0x400, SD_DACL_PROTECTED = 0x1000, SD_SELF_RELATIVE = 0x8000 };
enum ace_type { ACE_ALLOW = 0, ACE_DENY = 1, ACE_AUDIT = 2, ACE_ALLOW_OBJECT = 5, ACE_DENY_OBJECT = 6,
                ACE_AUDIT_OBJECT = 7, ACE_ALLOW_CALLBACK = 9, ACE_DENY_CALLBACK = 10,
                ACE_ALLOW_CALLBACK_OBJECT = 11, ACE_DENY_CALLBACK_OBJECT = 12 };
enum ace_flag { ACE_OBJECT_INHERIT = 1, ACE_CONTAINER_INHERIT = 2, ACE_NO_PROPAGATE = 4, ACE_INHERIT_ONLY = 8, ACE_INHERITED = 0x10 };

struct ace {
    uint8_t type, flags;
    uint32_t mask;
    const uint8_t *object_type;           /* 16 bytes, NULL: whole object */
    const uint8_t *inherited_object_type; /* 16 bytes, NULL: any class */
    struct bytes trustee;                 /* a well-formed SID; empty for an unknown type */
    struct bytes rest;                    /* application data of callback ACEs, or the body of an unknown type */
};

struct sd {
    uint16_t control;
    struct bytes owner, group; /* well-formed SIDs, empty if absent */
    bool has_dacl;             /* DACL present; with an offset of 0 it is a NULL DACL */
    bool is_null_dacl;
    uint16_t n_aces;
    struct bytes dacl;         /* the ACEs alone, after the ACL header */
};

/* ERR_PROTO names the place: "DACL, ACE 3: SID runs past the ACE". The SACL is not looked at. All ACEs are checked
 * here, so sd_next_ace cannot fail afterwards. */
int sd_decode(struct sd *out, struct bytes in, struct err *e) must_use;
/* Walks the ACEs in stored order; start with *rest = sd->dacl. */
bool sd_next_ace(struct bytes *rest, struct ace *out);
const char *ace_type_name(uint8_t type); /* "ACCESS_ALLOWED_OBJECT_ACE_TYPE"; "unknown" */
/* Appends the SDDL text (MS-DTYP 2.5.1) of owner, group and DACL. Well-known SIDs as aliases, those of a domain in full.
 * What SDDL has no words for (unknown ACE types, callback data) is written in hex, so that different descriptors
 * have different texts. */
void sd_format_sddl(struct buf *out, const struct sd *sd);

#endif
