#include "store/sqlite/hints.h"

#include "store/sqlite/write.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "rows hold the numbers as they are in memory");

/* A row of 480 numbers just fits into a page of a key-ordered table without a page of its own. */
#define ROW_MAX  480
#define ROW_FILL 384

struct row {
    uint64_t at[ROW_MAX];
    size_t n;
};

static void read_row(struct row *out, struct bytes b)
{
    out->n = b.len / sizeof out->at[0];
    if (out->n > ROW_MAX) out->n = ROW_MAX;
    if (out->n) memcpy(out->at, b.ptr, out->n * sizeof out->at[0]);
}

/* --- writing ---------------------------------------------------------------------------------- */

struct merging {
    struct sqlite_run *r;
    uint64_t next; /* of the changes */
    bool has;
    struct row old, out;
    bool replaces; /* a row was deleted: all that takes its place must be in the same transaction */
    uint64_t end;  /* first number of the row behind */
};

static int put_row(struct merging *m, size_t n, struct err *e)
{
    struct bulk *b = &m->r->hint_rows;
    bulk_int(b, m->r->connector);
    bulk_int(b, (int64_t)m->out.at[0]);
    bulk_blob(b, (struct bytes){(const uint8_t *)m->out.at, n * sizeof m->out.at[0]});
    m->out.n -= n;
    memmove(m->out.at, m->out.at + n, m->out.n * sizeof m->out.at[0]);
    return m->replaces ? 0 : batch_wrote(m->r, n * sizeof m->out.at[0], e);
}

static int add(struct merging *m, uint64_t hint, struct err *e)
{
    if (m->out.n == ROW_MAX) try(put_row(m, ROW_FILL, e));
    m->out.at[m->out.n++] = hint;
    return 0;
}

static int next_change(struct merging *m, struct err *e)
{
    int rc = sorter_next(&m->r->hints, &m->next, e);
    m->has = rc > 0;
    return rc < 0 ? rc : 0;
}

/* The row that the next change falls into, and where it ends. */
static int open_row(struct merging *m, struct err *e)
{
    struct sqlite_run *r = m->r;
    sqlite3_stmt *s;
    const int64_t place[] = {r->connector, (int64_t)(m->next >> 1)};
    int64_t first = 0, end = INT64_MAX;
    m->old.n = m->out.n = 0;
    try(sq_take(&r->s->q, SQL_LOOKUP_ROW, &s, e));
    sq_int(s, 1, place[0]);
    sq_int(s, 2, place[1]);
    int rc = sq_step(&r->s->q, s, e);
    m->replaces = rc > 0;
    if (rc > 0) {
        first = sq_col_int(s, 0);
        read_row(&m->old, sq_col_blob(s, 1));
    }
    sq_give(&r->s->q, SQL_LOOKUP_ROW, s);
    if (rc < 0) return rc;
    try(sq_get_number(&r->s->q, SQL_LOOKUP_BEHIND, 2, place, &end, e));
    m->end = (uint64_t)end;
    if (!m->replaces) return 0;
    try(batch_open(r, e));
    return SQ_DO(&r->s->q, SQL_LOOKUP_DROP, e, r->connector, first);
}

/* Everything up to this change of the old row, then the change. A drop comes before an addition of the same.
 */
static int take_change(struct merging *m, size_t *i, struct err *e)
{
    uint64_t hint = m->next >> 1;
    while (*i < m->old.n && m->old.at[*i] < hint) try(add(m, m->old.at[(*i)++], e));
    if (*i < m->old.n && m->old.at[*i] == hint) ++*i;
    if (m->next & 1) try(add(m, hint, e));
    return next_change(m, e);
}

static int merge_row(struct merging *m, struct err *e)
{
    size_t i = 0;
    try(open_row(m, e));
    while (m->has && m->next >> 1 < m->end) try(take_change(m, &i, e));
    while (i < m->old.n) try(add(m, m->old.at[i++], e));
    if (m->out.n) try(put_row(m, m->out.n, e));
    return batch_wrote(m->r, sizeof m->old, e);
}

int hints_write(struct sqlite_run *r, struct err *e)
{
    struct merging m = {.r = r};
    int rc = sorter_sort(&r->hints, e);
    if (rc == 0) rc = next_change(&m, e);
    while (rc == 0 && m.has) rc = merge_row(&m, e);
    sorter_free(&r->hints);
    return rc;
}

/* --- reading ---------------------------------------------------------------------------------- */

static size_t first_not_below(const struct row *row, uint64_t low)
{
    size_t from = 0, to = row->n;
    while (from < to) {
        size_t mid = (from + to) / 2;
        if (row->at[mid] < low)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

static int find_in(const struct row *row, uint64_t low, hint_each *each, void *ctx, struct err *e)
{
    int rc = 0;
    for (size_t i = first_not_below(row, low); rc == 0 && i < row->n && row->at[i] <= (low | SEQ_MAX); i++)
        rc = each(ctx, (uint32_t)row->at[i] & SEQ_MAX, e);
    return rc;
}

int hints_find(struct sqlite_store *s, int64_t connector, uint64_t low, hint_each *each, void *ctx,
               struct err *e)
{
    struct row row;
    sqlite3_stmt *q;
    int rc;
    try(sq_take(&s->q, SQL_LOOKUP_FIND, &q, e));
    sq_int(q, 1, connector);
    sq_int(q, 2, (int64_t)low);
    sq_int(q, 3, (int64_t)(low | SEQ_MAX));
    while ((rc = sq_step(&s->q, q, e)) > 0) {
        read_row(&row, sq_col_blob(q, 0));
        if ((rc = find_in(&row, low, each, ctx, e)) != 0) break;
    }
    sq_give(&s->q, SQL_LOOKUP_FIND, q);
    return rc < 0 ? rc : 0;
}
