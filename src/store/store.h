/* store.h - the memory of runs: who was seen, what changed, what is gone.
 *
 * One interface, several engines (sqlite/ now; pg/ has its place): a store is opened by URL. A run's rows are
 * written in batches while it reads and become visible in one transaction at store_run_end; store_run_abort,
 * a crash or a kill leaves the last visible snapshot as it was. Nothing here knows LDAP, Graph or OCSF.
 *
 *     store_open(&s, STR("sqlite:rollcall.db"), &e);
 *     store_run_begin(&run, s, &start, &e);
 *     store_run_put(run, &record, &e); ...  store_run_kind_done(run, KIND_user, true, 5000); ...
 *     store_run_end(run, &end, &result, &e);       // or store_run_abort(run, &why)
 * A store handle belongs to one thread. Several processes may have it open: readers always, one run per
 * connector. Times are ms UTC. Strings given to callbacks are borrowed for the call; a callback may ask the
 * store further questions and sees the same snapshot, but may not write to it.
 * Errors: ERR_CONFLICT another run of the connector is under way (message names its pid and start); ERR_LIMIT
 * disk full; ERR_INPUT not our file or a newer format; ERR_DENIED not writable; ERR_BUG corruption.
 *
 * The change log: a connector's first run writes `created` rows and no membership rows (who is in which group
 * is no news then). Later, a member that comes or goes is a row of its group, attribute "member" or
 * "primaryGroupID" by the reason; the groups of a deleted entity tell that it left them, with its evidence; a
 * deleted group's memberships go without a row. Statistics (attr.h) are kept fresh and never told.
 */
#ifndef ROLLCALL_STORE_H
#define ROLLCALL_STORE_H

#include "base/buf.h"
#include "base/hash.h"
#include "model/change.h"
#include "model/derive.h"
#include "model/gap.h"
#include "model/record.h"

struct store;
struct store_run;

int store_open(struct store **out, struct str url, struct err *e) must_use;
void store_close(struct store *s);
bool store_exists(struct str url); /* somebody opened it before; nothing is made */

/* --- writing a run ---------------------------------------------------------------------------- */
struct run_start {
    struct str connector;
    struct str source; /* "active_directory" */
    struct str mode;   /* "full" */
    int64_t started_ms;
    /* For the gap "members do not resolve": which of them could have been expected. */
    struct str listed_base; /* DN below which people are listed; empty: the whole domain */
    bool is_filtered; /* entities are left out on purpose (disabled users): a missing member is no loss */
    kind_set member_kinds; /* what members can be; 0: as in Active Directory */
};
/* Rolls back what an unfinished earlier run left behind. The run must be ended or aborted, which frees it.
 * The run holds a lease on its connector with its id as the fencing token; writes renew it, and store_run_rest where nothing is written. When another run had to
 * take over from a process that hangs, every later call that writes fails with ERR_CONFLICT, and nothing of the run becomes visible. */
int store_run_begin(struct store_run **out, struct store *s, const struct run_start *start,
                    struct err *e) must_use;
int64_t store_run_id(const struct store_run *r);
/* From the stream's BEGIN: kept with the connector, so that dialects can be written later without a
 * directory. */
int store_run_domain(struct store_run *r, const struct domain_info *d, struct err *e) must_use;
/* A descriptor that later records refer to by `number`; kept once per content. */
int store_run_sd(struct store_run *r, uint32_t number, struct bytes sd, struct err *e) must_use;
/* Unchanged: only remembers that it was seen. A GUID seen twice in one run: the second is ignored. RECORD_KEEP_*: what was known stays. */
int store_run_put(struct store_run *r, const struct record *rec, struct err *e) must_use;
/* More of the last group's member list (RECORD_MORE_MEMBERS); `more` false ends it. */
int store_run_members(struct store_run *r, struct dn_list part, bool more, struct err *e) must_use;
int store_run_gap(struct store_run *r, const struct gap *g, struct err *e) must_use;
/* The listing of a kind ended; complete: proved by the source. received as the source counted. A kind that is
 * never done here was not asked for: its entities stay as they are. */
int store_run_kind_done(struct store_run *r, enum kind k, bool complete, uint64_t received,
                        struct err *e) must_use;

/* A run that is told only what changed: of whom nothing is said, stays as he is. */
/* How it read ("full", "incremental"), if that shows only under way. Of an incremental one all kinds count as
 * asked for. */
int store_run_mode(struct store_run *r, struct str mode, struct err *e) must_use;
/* What the last store_run_put made of its record. */
struct put_effect {
    bool is_new, is_restored;
    bool is_moved;   /* another DN */
    bool has_new_sd; /* another security descriptor */
    bool is_changed; /* there are rows in the change log */
};
struct put_effect store_run_effect(const struct store_run *r);
/* Gone, unless a record of the same run says otherwise. Vanished ones are subject to the guard; whom nobody
 * knows is ignored. */
int store_run_gone(struct store_run *r, const uint8_t guid[GUID_SIZE], enum evidence evidence,
                   struct err *e) must_use;
/* Is there, but was not read: for store_run_kind_done it counts as a record. *is_known: visible before, or put
 * in this run. */
int store_run_present(struct store_run *r, const uint8_t guid[GUID_SIZE], bool *is_known,
                      struct err *e) must_use;

/* Whom the listings done so far lack although they are proved complete: who would be tombstoned now. */
int store_run_absent(struct store_run *r, int (*each)(void *ctx, const uint8_t guid[GUID_SIZE], struct err *e),
                     void *ctx, struct err *e) must_use;

/* Whose memberships name somebody that is not in the snapshot. */
int store_run_unresolved(struct store_run *r, int (*each)(void *ctx, enum kind k, const uint8_t guid[GUID_SIZE], struct err *e),
                         void *ctx, struct err *e) must_use;

/* Call when the stream makes you wait: lets other processes write meanwhile. Costs nothing when nothing is
 * pending. */
int store_run_rest(struct store_run *r, struct err *e) must_use;

/* Like store_note_put, with the run: visible in the transaction of store_run_end, gone with an abort. */
int store_run_note(struct store_run *r, struct str name, struct bytes value, struct err *e) must_use;

struct run_end {
    int64_t ended_ms;
    struct str server;
    uint64_t requests, bytes;
    bool accept_deletions; /* the guard (more than 20% and more than 50 of a kind) is told to let go */
};
enum run_status { RUN_RUNNING, RUN_COMPLETE, RUN_PARTIAL, RUN_FAILED, RUN_NEEDS_ATTENTION };
const char *run_status_name(enum run_status s);
struct run_counts { /* restored ones count as created; a group whose members differ counts as changed */
    uint64_t read, created, changed, deleted;
};
struct run_result {
    int64_t id;
    enum run_status status;
    struct run_counts counts[KIND_COUNT];
    uint64_t n_members_added, n_members_removed;
    uint64_t n_changes; /* rows of change */
    unsigned n_gaps_info, n_gaps_loss;
    uint64_t held[KIND_COUNT]; /* vanished but not tombstoned, by the guard */
};
/* Resolves members, writes tombstones (each kind that is complete, has no loss gap and passes the guard),
 * adds the gaps "N members do not resolve" (of groups, roles...; info when their DN lies outside the listed base, else loss), makes
 * the run visible in one transaction with its changes. */
int store_run_end(struct store_run *r, const struct run_end *end, struct run_result *result,
                  struct err *e) must_use;
/* Records the run as failed with `why`; what was visible stays. Safe after any error of the functions above.
 */
void store_run_abort(struct store_run *r, const struct err *why, int64_t ended_ms);

/* A gap that is known only when the run is over; info. It shows in the run's list like the others. */
int store_gap_add(struct store *s, int64_t run, const struct gap *g, struct err *e) must_use;

/* --- reading ---------------------------------------------------------------------------------- */
struct connector_state {
    struct str name, source;
    int64_t visible_run; /* 0: nothing yet */
    struct domain_info domain;
    uint64_t n_entities[KIND_COUNT];
};
/* ERR_NOTFOUND: never synced. The strings live until store_close. */
int store_connector(struct store *s, struct str name, struct connector_state *out, struct err *e) must_use;

struct run_row {
    int64_t id;
    struct str connector, mode, server;
    int64_t started_ms, ended_ms;
    enum run_status status;
    struct run_result result;
    uint64_t requests, bytes;
    struct str error_class, error_message, error_hint; /* of a failed one */
};
/* Newest first; connector empty: all. each returns false to stop. */
int store_runs(struct store *s, struct str connector, int64_t limit,
               bool (*each)(void *ctx, const struct run_row *), void *ctx, struct err *e) must_use;
int store_run_get(struct store *s, int64_t id, void (*row)(void *ctx, const struct run_row *),
                  void (*gap)(void *ctx, const struct gap *), void *ctx, struct err *e) must_use;

/* What was there at the end of each day (UTC, days since 1970) with a run of a connector, and what its runs of the day counted; ascending days. */
struct run_day {
    int64_t day;
    struct str connector;
    uint64_t present[KIND_COUNT];
    struct run_counts counts; /* of all kinds and runs; read is 0 */
};
int store_run_days(struct store *s, int64_t since_ms, bool (*each)(void *ctx, const struct run_day *), void *ctx, struct err *e) must_use;

struct entity {
    int64_t id;
    struct str connector;
    struct record record; /* member lists empty: see store_links */
    struct bytes sd;      /* empty if none */
    struct str name;
    int64_t first_seen_ms, last_changed_ms, deleted_ms; /* deleted_ms 0: present */
    enum evidence evidence;
    unsigned privileges; /* enum privilege, through nesting and the primary group; of the visible snapshot */
};
struct entity_query {
    struct str connector;      /* empty: all */
    kind_set kinds;            /* 0: all */
    struct str search;         /* part of name, DN, display name, mail; case-insensitive; empty: all */
    int64_t changed_since_run; /* 0: all; else last changed in a later run */
    int64_t after_id;          /* keyset paging */
    int64_t limit;             /* 0: no limit */
    bool with_deleted;
};
/* Ascending id. */
int store_entities(struct store *s, const struct entity_query *q,
                   bool (*each)(void *ctx, const struct entity *), void *ctx, struct err *e) must_use;
/* key: GUID, SID, DN, sAMAccountName or UPN. ERR_NOTFOUND; ERR_CONFLICT when several match (message lists up
 * to 5). */
int store_entity_find(struct store *s, struct str connector, struct str key, bool with_deleted,
                      void (*found)(void *ctx, const struct entity *), void *ctx, struct err *e) must_use;

enum link_via { VIA_MEMBER = 1, VIA_PRIMARY_GROUP = 2, VIA_FOREIGN = 3 };
const char *link_via_name(enum link_via v); /* member, primary_group, foreign */
struct link {
    int64_t entity_id; /* the other end; 0: unresolved, only dn is known */
    enum kind kind;
    enum link_via via;
    uint8_t guid[GUID_SIZE];
    struct bytes sid;
    struct str name, dn;
    struct str principal; /* userPrincipalName, empty if none */
    int64_t group_type;   /* of a group, else 0; of a tenant's: derive_tenant_group_type */
    struct str description;
    struct str template_id, scope, assignment; /* of a directory role, else empty */
};
enum link_side { LINK_GROUPS_OF, LINK_MEMBERS_OF };
int store_links(struct store *s, int64_t entity_id, enum link_side side,
                bool (*each)(void *ctx, const struct link *), void *ctx, struct err *e) must_use;
/* Only those whose entity_id is greater, in ascending order; then the unresolved ones, whose entity_id is 0. */
int store_links_after(struct store *s, int64_t entity_id, enum link_side side, int64_t after_id,
                      bool (*each)(void *ctx, const struct link *), void *ctx, struct err *e) must_use;
/* One entity by DN of a connector's visible snapshot, as a link (managers, parent OUs); false if none. The
 * strings live until the next call of this function. */
bool store_resolve_dn(struct store *s, struct str connector, struct str dn, struct link *out);

/* A connector's whole visible snapshot, in this order, for who asks questions of all of it (access/). */
struct store_member {
    int64_t entity_id;
    enum link_via via;
};
struct store_everything {
    /* Ascending id; the descriptor only by number (0: none), the same for equal ones. */
    int (*entity)(void *ctx, const struct entity *x, int64_t sd_id, struct err *e);
    int (*members)(void *ctx, int64_t group_id, const struct store_member *list, size_t n, struct err *e);
    int (*missing)(void *ctx, int64_t owner_id, struct str text, struct err *e); /* a DN, or the SID of a primary group, that nobody has */
    int (*descriptor)(void *ctx, int64_t sd_id, struct bytes sd, struct err *e); /* also some that nobody has any more */
};
/* ERR_NOTFOUND: never synced. A callback's negative result ends it. */
int store_read_everything(struct store *s, struct str connector, const struct store_everything *to, void *ctx, struct err *e) must_use;
/* Names of all connectors that were synced; borrowed until store_close. */
int store_connectors(struct store *s, bool (*each)(void *ctx, struct str name), void *ctx, struct err *e) must_use;

struct change_query {
    struct str connector;
    int64_t after_change; /* id; 0: from the first */
    int64_t since_run;    /* only later runs; 0: all */
    int64_t run;          /* only this run; 0: all */
    int64_t entity_id;    /* only this entity, also as the member of a membership change; 0: all */
    kind_set kinds;
    int64_t limit;
    bool newest_first;
    int64_t before_change;       /* id; 0: up to the last */
    int64_t since_ms, until_ms;  /* ends of runs: from, up to before; 0: any */
    unsigned types;              /* bits 1 << enum change_type; 0: all */
    struct str attribute;        /* exactly this; empty: all */
    struct str search;           /* part of the entity's or the member's name, case does not count; empty: all */
    int64_t scan_limit;          /* rows to look at; 0: no limit */
    int64_t *stopped_at;         /* where that was reached, as before_change or after_change of the next call; else 0. NULL: not wanted */
};
int store_changes(struct store *s, const struct change_query *q,
                  bool (*each)(void *ctx, const struct change *), void *ctx, struct err *e) must_use;

/* --- outbox: what a sink has taken ------------------------------------------------------------ */
/* The change log is the outbox: a sink's cursor is the id of the last change it has said yes to. */
int store_cursor_get(struct store *s, struct str connector, struct str sink, int64_t *change_id,
                     struct err *e) must_use;
int store_cursor_put(struct store *s, struct str connector, struct str sink, int64_t change_id,
                     struct err *e) must_use;
/* Changes that wait behind the cursor. */
int store_cursor_behind(struct store *s, struct str connector, struct str sink, uint64_t *n,
                        struct err *e) must_use;

/* --- notes: named bytes of a connector, for whoever runs it ----------------------------------- */
/* Replaces what `out` held. ERR_NOTFOUND: there is none. */
int store_note_get(struct store *s, struct str connector, struct str name, struct buf *out,
                   struct err *e) must_use;
/* At once, also for a connector that was never synced; an empty value removes the note. While a run of this
 * handle is under way, store_run_rest comes first. */
int store_note_put(struct store *s, struct str connector, struct str source, struct str name,
                   struct bytes value, struct err *e) must_use;

/* --- forgetting -------------------------------------------------------------------------------- */
/* All that is known of a connector: entities, changes, runs, notes, cursors. For readers it is gone at once, and the name is free; its rows stay until
 * store_sweep. Ids are never used again. ERR_NOTFOUND: nothing was known; ERR_CONFLICT: a run is under way. */
int store_connector_remove(struct store *s, struct str name, struct err *e) must_use;
/* The rows of removed connectors, in short transactions, between which others write; may be ended and called again. The file keeps its size: the room is used again. */
int store_sweep(struct store *s, struct err *e) must_use;

#endif
