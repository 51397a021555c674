/* ldap_plan.h - what to ask for one kind: base, filter, attributes; and where each attribute of an answer
 * goes.
 *
 * A plan's slots are the attributes asked for, in the order of a record's body. A controller sends attributes
 * in an order of its own that is nearly the same for each entry, so the slot that followed last time is tried
 * first; a hash finds the others.
 */
#ifndef ROLLCALL_LDAP_PLAN_H
#define ROLLCALL_LDAP_PLAN_H

#include "source/ldap/ldap_settings.h"

enum slot_use { SLOT_STATE, SLOT_STATS, SLOT_GUID, SLOT_SID, SLOT_SD, SLOT_MEMBER, SLOT_MEMBER_OF };

struct range {
    uint64_t first, last; /* indexes of values */
    bool is_final;        /* "a-*": nothing follows */
};

struct slot {
    struct str name; /* as asked */
    enum slot_use use;
    enum attr id; /* of a body attribute; ATTR_CUSTOM for a custom property */
    enum attr_type type;
    bool is_multi;
    uint16_t next; /* the slot that followed this one last time */

    /* of the entry being read */
    uint32_t stamp;   /* of the entry that last had it */
    struct bytes set; /* its values */
    bool is_ranged;   /* only a part came (MS-ADTS 3.1.1.3.1.3.3) */
    struct range range;

    /* of the whole listing: values left out because they are malformed */
    uint64_t n_bad;
    char example[256]; /* DN of the first entry with one */
};

#define PLAN_SLOTS_MAX 200
#define PLAN_HASH_SIZE 512

struct ldap_plan {
    enum kind kind;
    const char *base;
    int scope;
    char filter[512];
    bool wants_sd;
    unsigned page_size;
    struct slot slots[PLAN_SLOTS_MAX + 1]; /* the last one only for its `next`: what comes first */
    size_t n_slots;
    size_t guid, sid, sd, member, member_of, object_class, lockout_time; /* slots; PLAN_SLOTS_MAX if not asked */
    const char *attributes[PLAN_SLOTS_MAX + 1];
    uint16_t hash[PLAN_HASH_SIZE]; /* slot + 1; 0 free */
    uint32_t stamp;                /* of the present entry */
};

/* naming_context and s must outlive the plan. Kinds Active Directory does not have give ERR_INPUT. */
int ldap_plan_make(struct ldap_plan *out, enum kind kind, const struct ldap_settings *s,
                   const char *naming_context, struct err *e) must_use;
/* The slot of an attribute description without options, after slot `before`; n_slots if it was not asked for.
 */
size_t ldap_plan_find(struct ldap_plan *p, struct str name, size_t before);
/* The kinds of an Active Directory domain, in the order in which they are listed. */
extern const enum kind ldap_kinds[];
extern const size_t n_ldap_kinds;
kind_set ldap_kinds_all(void);
/* What an entry with these objectClass values is; KIND_NONE if none of ours. */
enum kind ldap_kind_of_classes(struct bytes set);

static inline bool slot_is_present(const struct ldap_plan *p, size_t i)
{
    return i < p->n_slots && p->slots[i].stamp == p->stamp;
}

#endif
