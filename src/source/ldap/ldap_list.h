/* ldap_list.h - one kind of a domain, listed: every entry of a plan's search as a record, and what is missing
 * as gaps.
 */
#ifndef ROLLCALL_LDAP_LIST_H
#define ROLLCALL_LDAP_LIST_H

#include "source/ldap/ldap_plan.h"
#include "source/ldap/ldap_seen.h"
#include "source/ldap/ldap_session.h"
#include "source/ldap/ldap_value.h"

/* Something left out, of which only the number and the first example are told. */
struct tally {
    uint64_t n;
    char example[EXAMPLE_SIZE];
};

struct ldap_list {
    struct ldap_session *s;
    kind_set kinds; /* that records may be of */
    const struct ldap_part *part; /* NULL: all of it */
    struct buf filter;            /* of the part */
    struct ldap_plan plan;
    uint64_t received; /* distinct ones, over all attempts */
    uint64_t n_entries; /* for progress */
    struct ldap_seen seen; /* emitted: what a listing that starts over leaves out */
    struct buf state, stats, members, member_of; /* of the present record */
    struct value_scratch scratch;
    struct buf logon;   /* lastLogon as another controller has it, a SET's content */
    struct buf classes; /* the last objectClass set, and what it means */
    enum kind classes_kind;
    struct buf partial; /* lstr DNs of entries to read again after the listing: ranged attributes, locked users */
    uint32_t n_locked;
    struct tally no_guid, no_sd, bad_dn, too_big, cut;
};

/* A part of a kind's listing: what its search finds and, of that, only this. */
struct ldap_part {
    const char *below;     /* DN; NULL: everywhere */
    struct str condition;  /* a filter; empty: everything */
    void (*sent)(void *ctx, const uint8_t guid[GUID_SIZE]); /* for each record; may be NULL */
    void *ctx;
};
/* Records and gaps of a part. No KIND_DONE: nothing is said about the rest. Errors as below. */
int ldap_list_part(struct ldap_session *s, enum kind kind, kind_set kinds, const struct ldap_part *part,
                   struct err *e) must_use;
/* The same for these GUIDs of the part, so many to a search. */
int ldap_list_guids(struct ldap_session *s, enum kind kind, kind_set kinds, struct bytes guids,
                    const struct ldap_part *part, struct err *e) must_use;
#define CONDITION_VALUES 100 /* in one filter */
#define CONDITION_MAX    ((size_t)8 << 20)
/* Lists one kind to its end: records, gaps, KIND_DONE. What the server denies of it is a gap, not an error;
 * an error means that the connection is lost or the server cannot be trusted. */
int ldap_list_kind(struct ldap_session *s, enum kind kind, kind_set kinds, struct err *e) must_use;

/* The present entry (in the plan's slots) as a record. `more`: member ranges follow. *sent: false if it was
 * left out. */
int ldap_list_emit(struct ldap_list *l, struct str dn, bool more, uint8_t guid[GUID_SIZE], bool *sent,
                   struct err *e) must_use;
void tally_add(struct tally *t, struct str example);

/* ldap_range.c: reads the entries of l->partial again, range by range (MS-ADTS 3.1.1.3.1.3.3), and emits
 * them. */
int ldap_list_partial(struct ldap_list *l, struct err *e) must_use;

#endif
