/* sample.h - entities made by hand, for tests and benchmarks: never part of the program.
 *
 *     struct sample *a = sample_new(KIND_user, "S-1-5-21-1-2-3-1104",
 * "CN=Alice,OU=Staff,DC=corp,DC=example"); sample_text(a, ATTR_SN, "Liddell"); const struct subject *s =
 * sample_subject(a); sample_free(a);
 */
#ifndef ROLLCALL_MAP_SAMPLE_H
#define ROLLCALL_MAP_SAMPLE_H

#include "map/map.h"
#include "model/sid.h"

#define SAMPLE_MEMBERS 8
#define SAMPLE_NOW     INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

struct sample {
    struct record record;
    struct record_index index;
    struct subject s;
    struct buf entry[ATTR_INDEX_SIZE]; /* values of each attribute */
    uint32_t n[ATTR_INDEX_SIZE];
    struct buf custom, state, stats;
    uint8_t sid[SID_MAX];
    struct ref groups[SAMPLE_MEMBERS], members[SAMPLE_MEMBERS], owners[SAMPLE_MEMBERS], one[3];
    uint8_t sids[3 * SAMPLE_MEMBERS + 3][SID_MAX];
    char id[GUID_TEXT];
    unsigned n_sids;
    size_t n_members, position;
    uint64_t repeat; /* the members so many times over */
    struct member_source source;
};

extern const struct domain_info sample_domain, sample_tenant;

/* The GUID is made of `number`: 0000000a-0000-4000-8000-00000000000a for 10. sid may be NULL. */
struct sample *sample_new(enum kind k, uint32_t number, const char *sid, const char *dn);
void sample_free(struct sample *a);
/* Each adds one value; several of one attribute make it many-valued. Any order. */
void sample_text(struct sample *a, enum attr id, const char *text);
void sample_str(struct sample *a, enum attr id, struct str text);
void sample_int(struct sample *a, enum attr id, int64_t n);
void sample_bool(struct sample *a, enum attr id, bool b);
void sample_time(struct sample *a, enum attr id, const char *rfc3339);
void sample_sid(struct sample *a, enum attr id, const char *sid);
void sample_bytes(struct sample *a, enum attr id, struct bytes b);
void sample_custom(struct sample *a, const char *name, const char *text);
/* Other entities; sid may be NULL. */
void sample_in_group(struct sample *a, uint32_t number, const char *sid, const char *name, int64_t type,
                     const char *description);
void sample_member(struct sample *a, enum kind k, uint32_t number, const char *sid, const char *name,
                   const char *dn);
void sample_manager(struct sample *a, enum kind k, uint32_t number, const char *sid, const char *name,
                    const char *dn);
void sample_managed_by(struct sample *a, enum kind k, uint32_t number, const char *sid, const char *name,
                       const char *dn);
void sample_parent(struct sample *a, uint32_t number, const char *dn);
/* Of the tenant: no SID, no DN. */
struct sample *sample_entra_new(enum kind k, uint32_t number);
void sample_in_tenant_group(struct sample *a, enum kind k, uint32_t number, const char *name, int64_t type);
void sample_role(struct sample *a, uint32_t number, const char *name, const char *template_id,
                 const char *scope, const char *assignment);
void sample_tenant_member(struct sample *a, enum kind k, uint32_t number, const char *name,
                          const char *principal);
void sample_owner(struct sample *a, enum kind k, uint32_t number, const char *name, const char *principal);
/* Encodes the record and derives what follows from it; privileges are the caller's. */
const struct subject *sample_subject(struct sample *a, unsigned privileges);

/* The fixed cast of the golden files: every kind, plain and hostile. NULL past the last. */
struct sample *sample_cast(size_t i);
/* The same of the tenant, and what struct ref.group_type holds of its groups. */
struct sample *sample_entra_cast(size_t i);
struct sample *sample_typical_entra_user(void);
int64_t sample_group_type(bool unified, bool security, bool mail);
/* One with about 56 values, four groups and a manager: what the benchmark writes. */
struct sample *sample_typical_user(void);

#endif
