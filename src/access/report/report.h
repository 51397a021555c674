/* report.h - findings worth a page: rules with stable ids over the last snapshot of every directory of a store.
 *
 * A rule names what it looks for, why that matters and what to do; it gives rows (who, and what was found) and a count. "Now" is when the
 * connector was last read, so that an old snapshot does not make everybody inactive.
 *     report_open(&r, &options, &e); report_choose(r, STR("ACC_01"), &e); report_run(r, &e);
 *     for (size_t i = 0; i < report_n; i++) if (report_result(r, i)->is_chosen) report_rows(r, i, each, ctx, &e);
 *     report_close(r);
 * One thread at a time. Rows wait in unlinked temporary files, not in memory.
 */
#ifndef ROLLCALL_ACCESS_REPORT_H
#define ROLLCALL_ACCESS_REPORT_H

#include "store/store.h"

enum report_severity { REPORT_INFO, REPORT_LOW, REPORT_MEDIUM, REPORT_HIGH, REPORT_CRITICAL };
const char *report_severity_name(enum report_severity s);

enum report_place { REPORT_IN_DOMAIN = 1, REPORT_IN_TENANT = 2, REPORT_IN_BOTH = 3 };
/* What must be looked at to tell. */
enum report_pass {
    PASS_NEVER,    /* the data cannot tell: see needs */
    PASS_ENTITIES, /* each entity for itself */
    PASS_GROUPS,   /* who is in which group */
    PASS_ACCESS,   /* descriptors and tokens: access/world.h */
    PASS_CHANGES,  /* the change log */
};
struct report_entity;
struct report_rule {
    const char *id; /* stable */
    enum report_severity severity;
    enum report_place place;
    enum report_pass pass;
    kind_set kinds; /* of its rows */
    bool (*test)(const struct report_entity *x, struct buf *detail); /* PASS_ENTITIES */
    const char *title, *why, *fix;
    const char *needs; /* PASS_NEVER: what the data lacks */
};
extern const struct report_rule report_rules[];
extern const size_t report_n;
/* SIZE_MAX: none. Case-insensitive. */
size_t report_find(struct str id);

struct report_row {
    struct str connector;
    enum kind kind;
    struct str uid, sid, dn, name; /* sid and dn may be empty; uid of a well-known principal too */
    struct str detail;
};
struct report_result {
    bool is_chosen;
    const char *not_applicable; /* why nothing could be found here; NULL: it was looked for */
    uint64_t count, n_rows;     /* n_rows: kept, as the limit says */
};
struct report_options {
    struct store *store;
    struct str connector; /* empty: all */
    uint64_t limit;       /* rows kept of a rule; 0: all */
};
struct report_gap {
    struct str connector, what, where;
};
struct report_directory {
    struct str name, title; /* title: DNS name or organization */
    bool is_tenant;
    int64_t run, as_of_ms;
    uint64_t n_entities;
};

struct report;
/* ERR_NOTFOUND: nothing was synced, or not this connector. */
int report_open(struct report **out, const struct report_options *o, struct err *e) must_use;
void report_close(struct report *r); /* NULL is legal */
/* ERR_INPUT: no such rule, with what is near; or one that the data cannot tell. */
int report_choose(struct report *r, struct str id, struct err *e) must_use;
void report_choose_all(struct report *r); /* that can be told */
int report_run(struct report *r, struct err *e) must_use;
const struct report_result *report_result(const struct report *r, size_t rule);
/* In order of connector, name and detail, where there are not too many to be sorted in memory; else as they were found. */
int report_rows(struct report *r, size_t rule, int (*each)(void *ctx, const struct report_row *row, struct err *e), void *ctx, struct err *e) must_use;
/* What the last runs could not read, so that these findings may be incomplete. */
const struct report_gap *report_all_gaps(const struct report *r, size_t *n);
const struct report_directory *report_all_directories(const struct report *r, size_t *n);

#endif
