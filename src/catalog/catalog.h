/* catalog.h - a searchable list of everything in the store, beside it: what pages filter, sort, count and search.
 *
 * An SQLite file of its own, <store>.catalog, made from the store's visible snapshots and made again at any doubt; nothing in it is truth. After a run only what
 * changed is written (catalog_refresh). One row per entity with the columns that lists show and filter by, full-text search by parts of names (trigrams), and the counts behind
 * the facets, so that no page counts a million rows.
 * A handle belongs to one thread; readers never wait for a refresh.
 */
#ifndef ROLLCALL_CATALOG_H
#define ROLLCALL_CATALOG_H

#include "model/kind.h"
#include "store/store.h"

#include <jansson.h>

struct catalog;
/* ERR_NOTFOUND: not made yet. */
int catalog_open(struct catalog **out, const char *path, struct err *e) must_use;
void catalog_close(struct catalog *c);
/* Brings the file to the store's visible runs: what changed, or everything (first time, other version, damaged). Run by a child process after each sync. *how: "unchanged",
 * "updated", "built". */
int catalog_refresh(struct store *s, const char *path, const char **how, struct err *e) must_use;

/* Who is asked for. Strings borrowed; empty: any. The facets of one name are or'ed, of different names and'ed. */
struct catalog_query {
    kind_set kinds;
    struct str source[16]; size_t n_sources;   /* connectors */
    int enabled, admin;                        /* -1 any, 0 no, 1 yes; 2 unknown */
    struct str mfa;                            /* "yes" "no" "unknown" */
    struct str sign_in;                        /* "never" "7d" "30d" "90d" "older" "unknown": as of the last run */
    struct str tags[8]; size_t n_tags;         /* derived ones (catalog_tags), all of them */
    struct str search;                         /* at least 3 characters find parts of words; fewer: beginnings of names */
    bool with_deleted;
    struct str sort;                           /* "name" "-name" "account" "kind" "source" "last_sign_in" "last_changed"; default name */
    struct str after;                          /* opaque: `next` of the page before */
    int64_t limit;                             /* 1..1000 */
};
/* {items: [{connector, kind, uid, name, account, display_name, mail, dn, enabled, admin, mfa, last_sign_in, last_changed, tags[], deleted}], next}; next null at the end. */
int catalog_list(struct catalog *c, const struct catalog_query *q, json_t **out, struct err *e) must_use;
/* {total, exact, kind: {user: n...}, source: {...}, enabled: {...}, admin, mfa, sign_in, tag}: each facet counted under the conditions of all others. exact false: "more than". */
int catalog_facets(struct catalog *c, const struct catalog_query *q, json_t **out, struct err *e) must_use;
/* {kinds: [{kind, connector, count, attributes: n}], as_of} */
int catalog_kinds(struct catalog *c, json_t **out, struct err *e) must_use;
/* One kind of one connector: [{attribute, type, filled, of, custom, normalized, ocsf, sample}]: lineage from attribute to dialects. sample is masked. */
int catalog_attributes(struct catalog *c, struct str connector, enum kind k, json_t **out, struct err *e) must_use;
extern const char *const catalog_tags[]; /* "guest", "locked", "stale", "password_never_expires", "kerberoastable", "unconstrained_delegation" ...; NULL ends */

#endif
