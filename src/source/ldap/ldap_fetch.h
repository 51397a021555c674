/* ldap_fetch.h - one object's attributes, for the few reads that are not listings: root DSE, domain, own
 * account.
 */
#ifndef ROLLCALL_LDAP_FETCH_H
#define ROLLCALL_LDAP_FETCH_H

#include "net/ldap_conn.h"

#define FETCH_ATTRIBUTES_MAX 256

struct fetched_attribute {
    struct str name; /* as the server wrote it, options included */
    struct bytes set;
};
struct fetched {
    struct buf content; /* of the entry; everything below points into it */
    struct str dn;
    struct fetched_attribute attributes[FETCH_ATTRIBUTES_MAX];
    size_t n_attributes;
    uint64_t n_entries; /* found; only the first is kept */
};

/* Finding nothing is no error: n_entries is 0. */
int ldap_fetch(struct fetched *out, struct ldap_conn *c, const struct ldap_search *s,
               struct ldap_stats *stats, struct err *e) must_use;
/* Another entry instead of the one before; f->content has been made, with its maximum. */
int fetched_take(struct fetched *f, LDAP *ld, LDAPMessage *m, struct err *e) must_use;
void fetched_free(struct fetched *f);

/* The values of an attribute; empty if it did not come. */
struct bytes fetched_set(const struct fetched *f, const char *name);
/* The first value; false if there is none (text: or it is not UTF-8; number: or it is none). */
bool fetched_bytes(const struct fetched *f, const char *name, struct bytes *out);
bool fetched_str(const struct fetched *f, const char *name, struct str *out);
bool fetched_int(const struct fetched *f, const char *name, int64_t *out);

/* true if e is what the server answered, and the connection can go on ("unavailable" is how one says goodbye). */
bool ldap_is_answer(const struct err *e);

#endif
