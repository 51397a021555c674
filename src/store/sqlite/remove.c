/* A connector is forgotten: at once for everybody, its rows slice by slice behind that. */
#include "store/sqlite/lock.h"
#include "store/sqlite/read.h"
#include "store/sqlite/run.h"

#include "base/when.h"

#include <unistd.h>

#define SLICE 8192u /* entities, changes or rows to a transaction */

static const enum links_side sides[] = {SIDE_GROUPS, SIDE_MEMBERS, SIDE_MISSING};

struct removal {
    struct sq *q;
    int64_t connector;
    uint32_t next_seq, from; /* entities */
    int64_t run;             /* whose changes go */
    int64_t change, end_change;
    bool is_done;
};

typedef int each_slice(struct removal *m, struct err *e);

static int in_transaction(struct removal *m, each_slice *step, struct err *e)
{
    try(sq_exec(m->q, "BEGIN IMMEDIATE", e));
    int rc = step(m, e);
    if (rc == 0) rc = sq_exec(m->q, "COMMIT", e);
    if (rc < 0) sqlite3_exec(m->q->db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

/* Others write between two slices. */
static int by_slices(struct removal *m, each_slice *step, struct err *e)
{
    for (m->is_done = false; !m->is_done;) try(in_transaction(m, step, e));
    return 0;
}

/* --- slices ----------------------------------------------------------------------------------- */

static int cut_entities(struct removal *m, struct err *e)
{
    int64_t first = entity_id_of(m->connector, m->from), end = entity_id_of(m->connector, m->from + SLICE);
    try(SQ_DO(m->q, SQL_VERSION_CLEAR, e, first, end));
    try(SQ_DO(m->q, SQL_BODY_CLEAR, e, first, end));
    for (size_t i = 0; i < n_elements(sides); i++) try(SQ_DO(m->q, SQL_LINKS_CLEAR, e, first, end, sides[i]));
    m->from += SLICE;
    m->is_done = m->from >= m->next_seq;
    return 0;
}

/* Tables that are not ordered by entity: so many rows, until there are none. */
static int cut_rows(struct removal *m, enum sql id, struct err *e)
{
    try(SQ_DO(m->q, id, e, m->connector, SLICE));
    m->is_done = sqlite3_changes(m->q->db) == 0;
    return 0;
}

static int cut_guids(struct removal *m, struct err *e)
{
    return cut_rows(m, SQL_ENTITY_CUT, e);
}

static int cut_lookups(struct removal *m, struct err *e)
{
    return cut_rows(m, SQL_LOOKUP_CUT, e);
}

static int cut_descriptors(struct removal *m, struct err *e)
{
    return cut_rows(m, SQL_SD_CUT, e);
}

static int cut_changes(struct removal *m, struct err *e)
{
    int64_t to = m->change + SLICE < m->end_change ? m->change + SLICE : m->end_change;
    if (m->change < to) try(SQ_DO(m->q, SQL_CHANGE_UNDO, e, m->change, to));
    m->change = to;
    m->is_done = to == m->end_change;
    return 0;
}

static int cut_run(struct removal *m, struct err *e)
{
    m->is_done = true;
    try(SQ_DO(m->q, SQL_GAP_CUT, e, m->run));
    try(SQ_DO(m->q, SQL_RUN_KIND_CUT, e, m->run));
    return SQ_DO(m->q, SQL_RUN_CUT, e, m->run);
}

static int cut_runs(struct removal *m, struct err *e)
{
    for (;;) {
        int64_t last = 0;
        m->run = 0;
        try(sq_get_number(m->q, SQL_RUN_OLDEST, 1, &m->connector, &m->run, e));
        if (!m->run) return 0;
        const int64_t range[] = {first_change_of(m->run), first_change_of(m->run + 1)};
        try(sq_get_number(m->q, SQL_CHANGE_LAST, 2, range, &last, e));
        m->change = range[0];
        m->end_change = last ? last + 1 : range[0];
        try(by_slices(m, cut_changes, e));
        try(by_slices(m, cut_run, e));
    }
}

static int cut_rest(struct removal *m, struct err *e)
{
    m->is_done = true;
    try(SQ_DO(m->q, SQL_CURSOR_CUT, e, m->connector));
    try(SQ_DO(m->q, SQL_NOTE_CUT, e, m->connector));
    return SQ_DO(m->q, SQL_CONNECTOR_REMOVED, e, m->connector);
}

static int cut_all(struct removal *m, struct err *e)
{
    m->from = 0;
    try(by_slices(m, cut_entities, e));
    try(by_slices(m, cut_guids, e));
    try(by_slices(m, cut_lookups, e));
    try(by_slices(m, cut_descriptors, e));
    try(cut_runs(m, e));
    return by_slices(m, cut_rest, e);
}

/* --- who is forgotten ---------------------------------------------------------------------------- */

/* From here on its name is nobody's: a new connector may have it while the rows of the old one still go. The row itself stays, so that its number is never
 * another's. */
static int hide(struct removal *m, struct err *e)
{
    try(SQ_DO(m->q, SQL_REMOVED_RUN, e, m->connector));
    return SQ_DO(m->q, SQL_CONNECTOR_REMOVING, e, m->connector);
}

int connector_remove(struct store *store, struct str name, struct err *e)
{
    struct sqlite_store *s = sqlite_of(store);
    struct removal m = {.q = &s->q};
    struct connector_row row = {0};
    int lock;
    if (!sqlite3_get_autocommit(s->q.db)) return err_set(e, ERR_BUG, "store: a connector is removed within a transaction");
    try(connector_check_name(name, e));
    try(lock_take(&lock, s->q.path, name, when_now_ms(), e));
    int rc = connector_find(&s->q, name, &row, e);
    m.connector = row.id;
    if (rc == 0) rc = err_set(e, ERR_NOTFOUND, "connector %.*s: nothing in the store", STR_FMT(name));
    if (rc > 0) rc = in_transaction(&m, hide, e);
    close(lock);
    s->is_stale = true;
    return rc;
}

/* --- behind that ----------------------------------------------------------------------------------- */

/* 1: there is one. */
static int next_left(struct sq *q, struct removal *m, struct err *e)
{
    sqlite3_stmt *s;
    *m = (struct removal){.q = q};
    try(sq_take(q, SQL_CONNECTOR_LEFT, &s, e));
    int rc = sq_step(q, s, e);
    if (rc > 0) {
        m->connector = sq_col_int(s, 0);
        m->next_seq = (uint32_t)sq_col_int(s, 1);
    }
    sq_give(q, SQL_CONNECTOR_LEFT, s);
    return rc;
}

int connector_sweep(struct store *store, struct err *e)
{
    struct sqlite_store *s = sqlite_of(store);
    struct removal m;
    int rc;
    if (!sqlite3_get_autocommit(s->q.db)) return err_set(e, ERR_BUG, "store: connectors are swept within a transaction");
    while ((rc = next_left(&s->q, &m, e)) > 0) try(cut_all(&m, e));
    s->is_stale = true;
    return rc;
}
