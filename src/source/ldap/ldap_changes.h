/* ldap_changes.h - a read of what changed since a watermark.
 *
 * 1. Who changed: DirSync since its cookie, where the account may use it; and in any case everything whose uSNChanged is above the
 *    watermark, deleted objects included.
 * 2. Each of them read whole; who is gone, or no longer among what the connector lists, is told.
 * 3. The proof. Every write on a controller takes one update sequence number. If each number since the watermark belongs to
 *    something seen in step 1, nothing else happened. If some do not (objects written twice, other partitions, and what the
 *    account cannot see: deletions above all), who is still there is listed by objectGUID alone.
 */
#ifndef ROLLCALL_LDAP_CHANGES_H
#define ROLLCALL_LDAP_CHANGES_H

#include "base/hash.h"
#include "source/ldap/ldap_list.h"
#include "source/ldap/ldap_watermark.h"

#define CHANGES_MAX 50000 /* for more, everything is read */

struct ldap_change {
    uint8_t guid[GUID_SIZE];
    enum kind kind; /* KIND_NONE: none of ours, or not known */
    bool is_kind_known, is_deleted, was_sent;
};
struct ldap_changes {
    struct ldap_change *list;
    size_t n, cap;
    struct hmap index; /* GUID -> its place + 1 */
    uint64_t *usns;    /* seen, above the watermark and not above the root DSE's */
    size_t n_usns, cap_usns;
    int64_t after, until;
    struct buf cookie; /* DirSync's new one; empty: none */
};

/* What an entry of a search says of itself; borrowed from the message. */
struct ldap_sighting {
    struct bytes guid, classes; /* guid: of the right size, or empty */
    int64_t usn;
    bool has_usn, is_deleted;
};
int ldap_sight(struct ldap_sighting *out, LDAP *ld, LDAPMessage *m, struct err *e) must_use;

/* Step 1. false in *fits: a full read has to be made; `why` says why. An error: the connection is lost. */
int ldap_changes_find(struct ldap_changes *out, struct ldap_session *s, const json_t *since, bool *fits,
                      struct buf *why, struct err *e) must_use;
/* Steps 2 and 3, behind BEGIN. */
int ldap_changes_read(struct ldap_changes *c, struct ldap_session *s, kind_set kinds, struct err *e) must_use;
void ldap_changes_free(struct ldap_changes *c);

/* The groups by whose members accounts are judged (run/backlinks.h). */
int ldap_privileged_read(struct ldap_session *s, kind_set kinds, const struct ldap_part *part, struct err *e) must_use;
/* The job's "only" (docs/wire.md): what an earlier read of changes turned out to touch. */
int ldap_only_read(struct ldap_session *s, const json_t *only, kind_set kinds, struct err *e) must_use;
/* Who is there of each kind, by objectGUID alone: PRESENT and KIND_DONE frames. */
int ldap_present_read(struct ldap_session *s, kind_set kinds, struct err *e) must_use;

#endif
