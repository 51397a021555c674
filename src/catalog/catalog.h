/* catalog.h - a searchable list of everything in the store, beside it: what pages filter, sort, count and search.
 *
 * An SQLite file of its own, <store>.catalog, made from the store's visible snapshots and made again at any doubt; nothing in it is truth. After a run only what
 * changed is written (catalog_refresh). One row per entity with the columns that lists show and filter by, full-text search by parts of names (trigrams), and the counts behind
 * the facets, so that no page counts a million rows.
 * A handle belongs to one thread; readers never wait for a refresh.
 */
#ifndef ROLLCALL_CATALOG_H
#define ROLLCALL_CATALOG_H

#include "base/jsonw.h"
#include "model/derive.h"
#include "model/kind.h"
#include "store/store.h"

#include <jansson.h>

struct catalog;
/* ERR_NOTFOUND: not made yet. */
int catalog_open(struct catalog **out, const char *path, struct err *e) must_use;
void catalog_close(struct catalog *c); /* NULL is legal */
const char *catalog_path(const struct catalog *c);
/* Brings the file to the store's visible runs: what changed, or everything (first time, other version, damaged). Run by a child process after each sync. *how: "unchanged",
 * "updated", "built". */
int catalog_refresh(struct store *s, const char *path, const char **how, struct err *e) must_use;
/* The same with the settings' own identity rules (run/identity.h). */
struct identity_rule;
struct catalog_rules {
    const struct identity_rule *rules;
    size_t n;
};
int catalog_refresh_by(struct store *s, const char *path, const struct catalog_rules *rules, const char **how, struct err *e) must_use;

/* Who is asked for. Strings borrowed; empty: any. The facets of one name are or'ed, of different names and'ed. */
struct catalog_query {
    kind_set kinds;
    struct str source[16]; size_t n_sources;   /* connectors */
    int enabled, admin;                        /* -1 any, 0 no, 1 yes; 2 unknown */
    struct str mfa;                            /* of "yes" "no" "unknown", commas between */
    struct str sign_in;                        /* of "never" "7d" "30d" "90d" "older" "unknown", commas between: as of the last run */
    struct str tags[8]; size_t n_tags;         /* derived ones (catalog_tags), all of them */
    struct str search;                         /* words of at least 3 characters are parts of name, account, display name or mail, all of them; without one: the
                                                * beginning of the name. Case and accents do not count */
    bool with_deleted;
    struct str sort;                           /* "name" "-name" "account" "kind" "source" "last_sign_in" "last_changed"; default name */
    struct str after;                          /* opaque: `next` of the page before */
    int64_t limit;                             /* 1..1000 */
};
/* One of them. Text is UTF-8, empty where there is none, and borrowed for the call. */
struct catalog_row {
    struct str connector, uid, name, account, display_name, mail, dn;
    enum kind kind;
    enum tri enabled, mfa;
    bool is_admin;
    uint32_t tags; /* bit i: catalog_tags[i] */
    int64_t last_sign_in_ms, last_changed_ms, deleted_ms;
};
/* It must not ask the same handle. */
typedef int catalog_each(void *ctx, const struct catalog_row *row, struct err *e);
/* {connector, kind, uid, name, account, display_name, mail, dn, enabled, admin, mfa, last_sign_in, last_changed, tags[], deleted}; null: none, not known. */
void catalog_row_json(struct jsonw *out, const struct catalog_row *row);
/* The rows of a page, in order. *next becomes `after` of the page that follows (q->after may be borrowed from it); empty: there is none. A page may be shorter than the limit although there is a next one:
 * none looks at more than some ten thousand rows. */
int catalog_list(struct catalog *c, const struct catalog_query *q, catalog_each *each, void *ctx, struct buf *next, struct err *e) must_use;
/* The same as values of the array that out is in; *n grows by as many. */
int catalog_list_json(struct catalog *c, const struct catalog_query *q, struct jsonw *out, size_t *n, struct buf *next, struct err *e) must_use;
/* {total, exact, kind: {user: n...}, source: {...}, enabled: {...}, admin, mfa, sign_in, tag}: each facet counted under the conditions of all others. exact false: "more than". */
int catalog_facets(struct catalog *c, const struct catalog_query *q, json_t **out, struct err *e) must_use;
/* Who is the same in another directory, and who might be: [{connector, uid, name, kind, rule, confidence, confirmed_by[], contradicts[], conflict}]; conflict null: an edge. */
int catalog_identities(struct catalog *c, int64_t entity_id, json_t **out, struct err *e) must_use;
/* The row of one entity, if the catalog has it, and how many identities it has elsewhere (edges, not candidates). */
int catalog_find(struct catalog *c, struct str connector, int64_t entity_id, catalog_each *each, void *ctx, int64_t *n_identities, struct err *e) must_use;
/* {kinds: [{kind, connector, count, attributes: n}], as_of} */
int catalog_kinds(struct catalog *c, json_t **out, struct err *e) must_use;
/* One kind of one connector: [{attribute, type, filled, of, custom, normalized, ocsf[], sample}]: lineage from attribute to the list's column and OCSF's paths.
 * sample: the form of a value, no value. */
int catalog_attributes(struct catalog *c, struct str connector, enum kind k, json_t **out, struct err *e) must_use;
extern const char *const tri_names[3]; /* by enum tri */
extern const char *const catalog_tags[]; /* "guest", "locked", "stale", "password_never_expires", "kerberoastable", "unconstrained_delegation" ...; NULL ends */
/* The name of the lowest tag, which is taken out of *tags; NULL: there is none (left). */
const char *catalog_next_tag(uint32_t *tags);

#endif
