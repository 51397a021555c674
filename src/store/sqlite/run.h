/* run.h - one run under way in an SQLite store: what its stages share. Not for readers.
 *
 *   begin.c   lock, lease (lease.c), the run's row, what an earlier run left behind
 *   put.c     a record against its previous version (prior.c); rows of write.c; descriptors (sds.c)
 *   end.c     the stages below in order, then one transaction that makes it all visible
 *   gone.c    tombstones                        members.c  who the DNs of changed lists are
 *   apply.c   differences to membership lists   purge.c    superseded rows and failed runs' rows
 *
 * The same stages in the same order for a first load and for a run in which nothing changed. Rows are written
 * through write.h, read back through version.h.
 */
#ifndef ROLLCALL_STORE_SQLITE_RUN_H
#define ROLLCALL_STORE_SQLITE_RUN_H

#include "store/idlist.h"
#include "store/idset.h"
#include "store/roster.h"
#include "store/sorter.h"
#include "store/sqlite/bulk.h"
#include "store/sqlite/handle.h"
#include "store/sqlite/identity.h"
#include "store/sqlite/version.h"

/* Previous versions, read ahead in the order of ids, since a directory lists in about the same order every
 * time. */
#define PRIOR_MAX 1024
struct prior {
    struct version at[PRIOR_MAX];
    struct arena stats;
    size_t n, next;
    uint32_t after; /* seq where reading goes on */
    size_t ahead;   /* how many to read next time: grows while predictions hold */
    bool is_at_end;
};

/* Security descriptors of the stream (sds.c). */
struct sds {
    uint32_t *ids; /* by number in the stream: low half of sd_id, 0 unknown */
    size_t n_ids;
    uint32_t last;       /* highest that is taken; 0 not known yet */
    struct hmap waiting; /* content -> low half of sd_id, of rows not yet written */
    struct bulk rows;
};

/* The member list that store_run_members may continue; its owner's version row waits for its end. */
struct open_list {
    bool is_open, is_ignored;
    bool has_row;           /* the owner needs a row however the list ends */
    struct version version; /* stats in `stats` */
    struct buf stats;
};

struct sqlite_run {
    struct store_run base;
    struct sqlite_store *s;
    int lock_fd;
    int64_t lease_ms; /* monotonic: last sign of life (lease.h) */
    int64_t id, connector, visible;
    uint32_t next_seq, first_new; /* seqs from first_new on were made by this run */
    bool is_baseline;             /* nothing was visible before: memberships are not news */
    bool is_ours;                 /* the run's row is there, and the lease is taken */
    bool is_ending;               /* store_run_end has begun */
    bool is_incremental;          /* all kinds count as asked for */
    bool is_rollback_mode;        /* journal_mode DELETE: see begin.c */
    bool has_neighbours;          /* other connectors may be waiting to write */
    bool has_listed_base, is_filtered;
    kind_set member_kinds; /* what members can be */

    /* rows on their way (batch.c) */
    bool in_transaction;
    size_t batch_rows, batch_bytes;
    int64_t batch_started_ms; /* of the transaction */
    uint32_t saved_next_seq;
    struct bulk versions, bodies, changes, links, gaps, hint_rows;
    struct identities identities;
    struct hash128 identity_key; /* of the GUID that prior_find was asked for last */

    struct prior prior;
    struct idset seen;     /* put in this run */
    struct idset written;  /* have a version row of this run */
    struct idset embodied; /* have body rows of this run */
    struct idset linked;   /* have links rows of this run */
    struct idset relisted; /* groups whose list is on the roster, accounts with another primary group */
    struct idset changed;  /* counted as changed */
    struct idset there;    /* told to be there, without being read (partial.c) */
    struct idset deleted, vanished; /* told to be gone, by evidence */
    uint64_t n_vanished[KIND_COUNT];
    struct put_effect effect; /* of the last put */
    struct sds sds;
    struct roster roster;
    struct open_list list;
    struct sorter hints;               /* to add and to drop: hints.h */
    struct tape gone_names;            /* u32 length, text: whom lists still name that are gone */
    struct sorter gone_owners;         /* whose list << 34 | where on gone_names */
    struct tape primaries;             /* u64: RID of the primary group now << 32 | seq */
    struct sorter by_group, by_member; /* differences */
    struct lookup lookup;
    struct buf domain, domain_sid, listed_base, source; /* domain: domain_encode */
    struct buf mode;                                    /* of the run's row */
    struct buf notes;                                   /* lstr name, lstr value: written with the end */
    struct buf old_list, new_list;
    struct buf kept_state, kept_stats; /* of a record of which not all was read */

    int64_t n_changes;
    uint64_t members_added, members_removed;
    struct run_counts counts[KIND_COUNT];
    uint64_t present[KIND_COUNT], present_before[KIND_COUNT], seen_before[KIND_COUNT], held[KIND_COUNT];
    kind_set done, complete, with_loss, gone_kinds, told_kinds; /* told: whose vanished are believed */
    bool was_loss_anywhere;
    unsigned n_gaps[2];
    uint64_t n_gap_rows;
    bool needs_attention;
};

static inline struct sqlite_run *run_of(struct store_run *r)
{
    return (struct sqlite_run *)r;
}
static inline int64_t id_of(const struct sqlite_run *r, uint32_t seq)
{
    return entity_id_of(r->connector, seq);
}
static inline int64_t end_id_of(const struct sqlite_run *r)
{
    return entity_id_of(r->connector + 1, 0);
}

/* --- begin.c */
int run_begin(struct store_run **out, struct store *s, const struct run_start *start, struct err *e) must_use;
void run_free(struct sqlite_run *r);
int connector_check_name(struct str name, struct err *e) must_use;
struct connector_row {
    int64_t id, visible, next_seq, purged;
};
/* Of this name now: 1, 0 if there is none, or an error. */
int connector_find(struct sq *q, struct str name, struct connector_row *row, struct err *e) must_use;
int connector_add(struct sq *q, struct str name, struct str source, struct err *e) must_use;
int journal_set(struct sqlite_run *r, const char *pragma,
                struct err *e) must_use; /* if nobody is in the way */

/* --- prior.c */
/* The previous version of who has this GUID; *out NULL: not visible before. *seq 0: not known at all. The
 * version is borrowed until the next call. */
int prior_find(struct sqlite_run *r, const uint8_t guid[GUID_SIZE], const struct version **out, uint32_t *seq,
               struct err *e) must_use;

/* --- put.c */
int run_put(struct store_run *r, const struct record *rec, struct err *e) must_use;
int run_members(struct store_run *r, struct dn_list part, bool more, struct err *e) must_use;

/* --- sds.c */
int run_sd(struct store_run *r, uint32_t number, struct bytes sd, struct err *e) must_use;
int64_t sds_get(const struct sqlite_run *r, uint32_t number); /* 0: was not announced */
void sds_free(struct sds *d);

/* --- the stages of the end */
int gone_write(struct sqlite_run *r, bool accept_deletions, struct err *e) must_use;
bool gone_is(const struct sqlite_run *r, uint32_t seq, enum kind kind); /* will it be a tombstone? */
/* Newest of this run's and the visible entities that has this DN, SID; *pair 0: nobody. */
int members_find_dn(struct sqlite_run *r, struct str dn, uint32_t *pair, struct err *e) must_use;
int members_resolve(struct sqlite_run *r, struct err *e) must_use;
/* owner's links name somebody who is now gone: kept, to be tried again. Before members_resolve. */
int members_add_gone(struct sqlite_run *r, uint32_t owner, struct str text, struct err *e) must_use;
int apply_differences(struct sqlite_run *r, struct err *e) must_use;
int run_end(struct store_run *r, const struct run_end *end, struct run_result *result,
            struct err *e) must_use;
void run_abort(struct store_run *r, const struct err *why, int64_t ended_ms);

/* --- partial.c */
int run_mode(struct store_run *r, struct str mode, struct err *e) must_use;
struct put_effect run_effect(const struct store_run *r);
int run_gone(struct store_run *r, const uint8_t guid[GUID_SIZE], enum evidence evidence,
             struct err *e) must_use;
int run_present(struct store_run *r, const uint8_t guid[GUID_SIZE], bool *is_known, struct err *e) must_use;

int run_absent(struct store_run *r, int (*each)(void *ctx, const uint8_t guid[GUID_SIZE], struct err *e),
               void *ctx, struct err *e) must_use;

int run_unresolved(struct store_run *r, int (*each)(void *ctx, enum kind k, const uint8_t guid[GUID_SIZE], struct err *e),
                   void *ctx, struct err *e) must_use;

/* --- notes.c */
int run_note(struct store_run *r, struct str name, struct bytes value, struct err *e) must_use;
int notes_write(struct sqlite_run *r, struct err *e) must_use;

/* --- purge.c */
/* Rows of one entity that a newer visible version has replaced. */
int purge_touched(struct sqlite_run *r, struct err *e) must_use;
/* The same by reading everything, after a crash. */
int purge_all(struct sqlite_run *r, struct err *e) must_use;
/* Everything that run wrote and that never became visible. touched: whom it wrote, NULL: look for it. */
int purge_failed(struct sqlite_run *r, int64_t run, bool with_links, const struct idset *touched,
                 struct err *e) must_use;

#endif
