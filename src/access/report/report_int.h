/* report_int.h - what the passes of a report share.
 */
#ifndef ROLLCALL_ACCESS_REPORT_INT_H
#define ROLLCALL_ACCESS_REPORT_INT_H

#include "access/report/report.h"
#include "access/report/rules.h"
#include "base/arena.h"
#include "base/when.h"
#include "model/sid.h"

#include <stdio.h>

#define UNUSED_DAYS  90
#define RECENT_DAYS  30 /* of the change log */
#define PASSWORD_DAYS 90

/* What of an entity its groups want to know. */
enum fact {
    FACT_IS_HERE = 1,
    FACT_IS_ACCOUNT = 2,
    FACT_IS_DISABLED = 4,
    FACT_IS_UNUSED = 8,
    FACT_IS_CONTRACTOR = 16,
    FACT_IS_GUEST = 32,
    FACT_IS_PROTECTED = 64, /* in Protected Users */
};
struct report_place_of { /* a connector */
    struct report_directory told;
    struct domain_info domain;
    bool has_sign_ins;  /* a tenant without the licence or the permission tells nobody's */
    int64_t id;         /* its part of entity ids */
    uint8_t *facts;     /* by the rest of the id */
    size_t n_facts;
    uint64_t n_accounts;
};
struct report {
    struct report_options options;
    struct report_result *results;
    struct report_spill {
        FILE *file;
        uint64_t bytes;
    } *spills;
    struct report_place_of *places;
    size_t n_places;
    struct report_directory *directories;
    struct report_gap *gaps;
    size_t n_gaps, cap_gaps;
    struct arena memory;
    struct buf line, detail;
};

/* One entity, as a rule's test sees it. */
struct report_entity {
    const struct report_place_of *place;
    const struct entity *entity;
    const struct record_index *x;
    const struct derived *derived;
    int64_t now_ms;
    bool is_tenant, has_uac, is_enabled, is_guest, is_technical, is_protected_user;
    int64_t uac;
};
/* Fills everything from place, entity and x; derived is where it goes. */
void report_entity_fill(struct report_entity *out, const struct report_place_of *p, const struct entity *entity, const struct record_index *x,
                        struct derived *derived);
bool report_is_unused(const struct report_entity *x); /* for UNUSED_DAYS, or never used; false where it cannot be known */

static inline bool report_wants(const struct report *r, enum rule rule)
{
    return r->results[rule].is_chosen;
}
/* Counts it, and keeps it if the limit lets. detail: of r->detail or anybody's. */
int report_hit(struct report *r, enum rule rule, const struct report_row *row, struct err *e) must_use;
int report_hit_entity(struct report *r, enum rule rule, const struct entity *x, struct str detail, struct err *e) must_use;
struct report_place_of *report_place_named(struct report *r, struct str connector);
uint8_t report_fact(const struct report *r, int64_t entity); /* 0: nobody knows */
void report_add_gap(struct report *r, struct str connector, struct str what, struct str where);

/* The passes. */
int report_entities(struct report *r, struct err *e) must_use;
int report_groups(struct report *r, struct err *e) must_use;
int report_access(struct report *r, struct err *e) must_use;
int report_changes(struct report *r, struct err *e) must_use;

/* "2026-01-04" */
void report_add_day(struct buf *b, int64_t ms);

#endif
