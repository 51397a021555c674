/* What nobody sees any more: rows that a newer visible one has replaced, and the rows of runs that failed. */
#include "store/sqlite/hints.h"
#include "store/sqlite/write.h"

#include <stdlib.h>

#define CHUNK 2048
#define SLICE 8192u

static const enum links_side sides[] = {SIDE_GROUPS, SIDE_MEMBERS, SIDE_MISSING};

/* --- stale hints ------------------------------------------------------------------------------ */

struct hints {
    uint64_t at[LOOKUPS_MAX];
    size_t n;
};

static int hints_of(struct sqlite_run *r, uint32_t seq, int64_t run, struct hints *out, struct err *e)
{
    struct body b;
    struct record_index x;
    try(body_open(&b, r->s, id_of(r, seq), run, e));
    int rc = record_index(&x, &b.record, e);
    out->n = rc == 0 ? lookup_record(&r->lookup, &x, out->at) : 0;
    body_close(&b, r->s);
    return rc;
}

static int drop_hints(struct sqlite_run *r, uint32_t seq, const struct hints *gone, const struct hints *kept,
                      struct err *e)
{
    for (size_t i = 0; i < gone->n; i++) {
        bool is_kept = false;
        for (size_t k = 0; k < kept->n; k++) is_kept |= kept->at[k] == gone->at[i];
        if (!is_kept) try(sorter_add(&r->hints, hint_dropped(gone->at[i] | seq), e));
    }
    return 0;
}

/* The runs that seq has bodies of, newest first, at most `max`. */
static int body_runs(struct sqlite_run *r, uint32_t seq, int64_t *runs, size_t max, size_t *n, struct err *e)
{
    sqlite3_stmt *s;
    int rc = 0;
    *n = 0;
    try(sq_take(&r->s->q, SQL_BODY_RUNS, &s, e));
    sq_int(s, 1, id_of(r, seq));
    while (*n < max && (rc = sq_step(&r->s->q, s, e)) > 0) runs[(*n)++] = sq_col_int(s, 0);
    sq_give(&r->s->q, SQL_BODY_RUNS, s);
    return rc < 0 ? rc : 0;
}

/* --- superseded rows -------------------------------------------------------------------------- */

static int purge_bodies(struct sqlite_run *r, uint32_t seq, struct err *e)
{
    int64_t runs[8];
    size_t n;
    struct hints kept, gone;
    try(body_runs(r, seq, runs, n_elements(runs), &n, e));
    if (n < 2) return 0;
    try(hints_of(r, seq, runs[0], &kept, e));
    for (size_t i = 1; i < n; i++) {
        try(hints_of(r, seq, runs[i], &gone, e));
        try(drop_hints(r, seq, &gone, &kept, e));
    }
    return SQ_DO(&r->s->q, SQL_BODY_DROP, e, id_of(r, seq), runs[0]);
}

static int purge_version(struct sqlite_run *r, uint32_t seq, int64_t newest, bool with_bodies, struct err *e)
{
    try(batch_open(r, e));
    try(SQ_DO(&r->s->q, SQL_VERSION_DROP, e, id_of(r, seq), newest));
    if (with_bodies) try(purge_bodies(r, seq, e));
    return batch_wrote(r, with_bodies ? 1024 : 128, e);
}

static int purge_links(struct sqlite_run *r, enum links_side side, uint32_t seq, int64_t newest,
                       struct err *e)
{
    try(batch_open(r, e));
    try(SQ_DO(&r->s->q, SQL_LINKS_DROP, e, side, id_of(r, seq), newest));
    return batch_wrote(r, 128, e);
}

/* Only the newest row of this run supersedes: links of one side say nothing of the other. */
static int purge_linked(struct sqlite_run *r, uint32_t seq, struct err *e)
{
    for (size_t i = 0; i < n_elements(sides); i++) {
        int64_t found = 0;
        const int64_t key[] = {sides[i], id_of(r, seq), r->id};
        try(sq_get_number(&r->s->q, SQL_LINKS_HAS, n_elements(key), key, &found, e));
        if (found) try(purge_links(r, sides[i], seq, r->id, e));
    }
    return 0;
}

static int purged(struct sqlite_run *r, int64_t run, struct err *e)
{
    try(hints_write(r, e));
    try(batch_open(r, e));
    try(SQ_DO(&r->s->q, SQL_CONNECTOR_PURGED, e, r->connector, run));
    return batch_commit(r, e);
}

int purge_touched(struct sqlite_run *r, struct err *e)
{
    if (!r->is_baseline) {
        for (uint32_t seq = 0; idset_next(&r->written, &seq); seq++)
            if (seq < r->first_new) try(purge_version(r, seq, r->id, idset_has(&r->embodied, seq), e));
        for (uint32_t seq = 0; idset_next(&r->linked, &seq); seq++)
            if (seq < r->first_new) try(purge_linked(r, seq, e));
    }
    return purged(r, r->id, e);
}

/* --- the same without knowing who was touched ------------------------------------------------- */

struct found {
    uint32_t seq[CHUNK];
    int64_t run[CHUNK];
    size_t n;
};

/* Rows of (entity_id[, run]) from a statement whose numbers are bound; the last one is the limit. */
static int find(struct sqlite_run *r, enum sql id, size_t n, const int64_t *numbers, struct found *out,
                struct err *e)
{
    sqlite3_stmt *s;
    int rc = 0;
    out->n = 0;
    try(sq_take(&r->s->q, id, &s, e));
    for (size_t i = 0; i < n; i++) sq_int(s, (int)i + 1, numbers[i]);
    sq_int(s, (int)n + 1, CHUNK);
    while (out->n < CHUNK && (rc = sq_step(&r->s->q, s, e)) > 0) {
        out->seq[out->n] = seq_of(sq_col_int(s, 0));
        out->run[out->n++] = sqlite3_column_count(s) > 1 ? sq_col_int(s, 1) : 0;
    }
    sq_give(&r->s->q, id, s);
    return rc < 0 ? rc : 0;
}

typedef int each_found(struct sqlite_run *r, enum links_side side, uint32_t seq, int64_t run, struct err *e);

/* Everything that a statement over a range of entities finds, chunk by chunk. The statement's first numbers
 * are [side,] from, to[, run]. */
static int for_all(struct sqlite_run *r, enum sql id, enum links_side side, int64_t run, each_found *each,
                   struct err *e)
{
    struct found *f = x_alloc(sizeof *f);
    uint32_t from = 1;
    int rc;
    do {
        int64_t numbers[4];
        size_t n = 0;
        if (side) numbers[n++] = side;
        numbers[n++] = id_of(r, from);
        numbers[n++] = end_id_of(r);
        if (run) numbers[n++] = run;
        rc = find(r, id, n, numbers, f, e);
        for (size_t i = 0; rc == 0 && i < f->n; i++) rc = each(r, side, f->seq[i], run ? run : f->run[i], e);
        if (f->n) from = f->seq[f->n - 1] + 1;
    } while (rc == 0 && f->n == CHUNK);
    free(f);
    return rc;
}

static int each_double_version(struct sqlite_run *r, enum links_side side, uint32_t seq, int64_t run,
                               struct err *e)
{
    (void)side;
    return purge_version(r, seq, run, true, e);
}

int purge_all(struct sqlite_run *r, struct err *e)
{
    try(for_all(r, SQL_VERSION_DOUBLE, 0, 0, each_double_version, e));
    for (size_t i = 0; i < n_elements(sides); i++)
        try(for_all(r, SQL_LINKS_DOUBLE, sides[i], 0, purge_links, e));
    return purged(r, r->visible, e);
}

/* --- failed runs ------------------------------------------------------------------------------ */

/* The hints of that run go with its body, but for those that the visible body has too. (Hints of this run
 * that are not in the file yet are no harm to drop.) */
static int undo_body(struct sqlite_run *r, uint32_t seq, int64_t run, struct err *e)
{
    int64_t runs[8];
    size_t n;
    struct hints kept = {.n = 0}, gone = {.n = 0};
    try(body_runs(r, seq, runs, n_elements(runs), &n, e));
    for (size_t i = 0; i < n; i++) {
        if (runs[i] == run)
            try(hints_of(r, seq, run, &gone, e));
        else if (!kept.n)
            try(hints_of(r, seq, runs[i], &kept, e));
    }
    try(drop_hints(r, seq, &gone, &kept, e));
    return SQ_DO(&r->s->q, SQL_BODY_UNDO, e, id_of(r, seq), run);
}

static int undo_version(struct sqlite_run *r, uint32_t seq, int64_t run, struct err *e)
{
    try(batch_open(r, e));
    try(undo_body(r, seq, run, e));
    try(SQ_DO(&r->s->q, SQL_VERSION_UNDO, e, id_of(r, seq), run));
    return batch_wrote(r, 1024, e);
}

static int each_undo_version(struct sqlite_run *r, enum links_side side, uint32_t seq, int64_t run,
                             struct err *e)
{
    (void)side;
    return undo_version(r, seq, run, e);
}

static int each_undo_links(struct sqlite_run *r, enum links_side side, uint32_t seq, int64_t run,
                           struct err *e)
{
    try(batch_open(r, e));
    try(SQ_DO(&r->s->q, SQL_LINKS_UNDO, e, side, id_of(r, seq), run));
    return batch_wrote(r, 128, e);
}

static int undo_versions(struct sqlite_run *r, int64_t run, const struct idset *touched, struct err *e)
{
    if (!touched) return for_all(r, SQL_VERSION_OF_RUN, 0, run, each_undo_version, e);
    for (uint32_t seq = 0; idset_next(touched, &seq); seq++) try(undo_version(r, seq, run, e));
    return 0;
}

static int undo_changes(struct sqlite_run *r, int64_t run, struct err *e)
{
    int64_t first = first_change_of(run), end = first_change_of(run + 1), last = 0;
    const int64_t range[] = {first, end};
    try(sq_get_number(&r->s->q, SQL_CHANGE_LAST, 2, range, &last, e));
    for (int64_t at = first; last && at <= last; at += SLICE) {
        int64_t to = at + SLICE < end ? at + SLICE : end;
        try(batch_open(r, e));
        try(SQ_DO(&r->s->q, SQL_CHANGE_UNDO, e, at, to));
        try(batch_wrote(r, SLICE * (size_t)64, e));
    }
    return 0;
}

/* --- a connector of which nothing was ever visible: all of it, without looking ---------------- */

static int clear_slice(struct sqlite_run *r, uint32_t from, uint32_t to, struct err *e)
{
    const enum sql tables[] = {SQL_VERSION_CLEAR, SQL_BODY_CLEAR};
    int64_t first = id_of(r, from), end = id_of(r, to);
    try(batch_open(r, e));
    for (size_t i = 0; i < n_elements(tables); i++) try(SQ_DO(&r->s->q, tables[i], e, first, end));
    for (size_t i = 0; i < n_elements(sides); i++)
        try(SQ_DO(&r->s->q, SQL_LINKS_CLEAR, e, first, end, sides[i]));
    return batch_wrote(r, (to - from) * (size_t)1024, e);
}

static int clear_connector(struct sqlite_run *r, struct err *e)
{
    for (uint32_t from = 0; from < r->next_seq; from += SLICE) try(clear_slice(r, from, from + SLICE, e));
    try(batch_open(r, e));
    try(SQ_DO(&r->s->q, SQL_LOOKUP_CLEAR, e, r->connector));
    try(SQ_DO(&r->s->q, SQL_ENTITY_CLEAR, e, r->connector));
    r->next_seq = r->first_new = 1;
    return 0;
}

int purge_failed(struct sqlite_run *r, int64_t run, bool with_links, const struct idset *touched,
                 struct err *e)
{
    sorter_free(&r->hints); /* what it would have added */
    if (!r->visible) {
        try(clear_connector(r, e));
    } else {
        try(undo_versions(r, run, touched, e));
        for (size_t i = 0; with_links && i < n_elements(sides); i++)
            try(for_all(r, SQL_LINKS_OF_RUN, sides[i], run, each_undo_links, e));
    }
    try(hints_write(r, e));
    try(undo_changes(r, run, e));
    return batch_commit(r, e);
}
