/* ldap_facts.h - what a controller and its domain are: root DSE (MS-ADTS 3.1.1.3.2), domain object, policy.
 */
#ifndef ROLLCALL_LDAP_FACTS_H
#define ROLLCALL_LDAP_FACTS_H

#include "base/arena.h"
#include "model/sid.h"
#include "source/ldap/ldap_fetch.h"

#include <jansson.h>

struct ldap_facts {
    struct arena text;
    /* of the root DSE: readable without a bind */
    const char *server; /* dnsHostName, else what was dialled */
    const char *naming_context, *configuration, *schema, *ds_service_name; /* the latter three: NULL if not told */
    const char *domain;                                   /* DNS name of naming_context */
    struct bytes forest_functionality;                    /* the SET as it came */
    int64_t domain_level, forest_level, controller_level; /* -1 unknown */
    int64_t highest_usn;
    int64_t time_ms, asked_at_ms; /* currentTime, and ours when it was asked */
    bool is_gc_ready, is_synchronized;
    /* of the domain: after the bind */
    const char *netbios; /* "" if not readable */
    uint8_t sid[SID_MAX];
    size_t sid_len;
    uint8_t invocation_id[16];
    bool has_invocation_id, has_policy;
    int64_t max_pwd_age_ms, lockout_duration_ms, lockout_threshold;
};

/* ERR_PROTO: no Active Directory controller answers. */
int ldap_facts_root(struct ldap_facts *out, struct ldap_conn *c, const char *host, struct ldap_stats *stats,
                    struct err *e) must_use;
/* ERR_INPUT: the controller serves another domain (both named). */
int ldap_facts_check_domain(const struct ldap_facts *f, const char *domain, struct err *e) must_use;
/* ERR_DENIED: the domain object is not readable. */
int ldap_facts_domain(struct ldap_facts *f, struct ldap_conn *c, struct ldap_stats *stats,
                      struct err *e) must_use;
void ldap_facts_free(struct ldap_facts *f);
/* The BEGIN frame. */
json_t *ldap_facts_begin(const struct ldap_facts *f, const char *address, const char *base_dn);
/* "Windows Server 2016" of a functional level (MS-ADTS 6.1.4.2). */
const char *ldap_level_name(int64_t level);

#endif
