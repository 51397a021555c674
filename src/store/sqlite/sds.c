/* Security descriptors: numbers of a stream to numbers of the store, new ones on their way into the table. */
#include "store/sqlite/write.h"

#include <stdlib.h>

void sds_free(struct sds *d)
{
    free(d->ids);
    hmap_free(&d->waiting);
    bulk_free(&d->rows);
}

static int64_t first_of(const struct sqlite_run *r)
{
    return entity_id_of(r->connector, 0);
}

int64_t sds_get(const struct sqlite_run *r, uint32_t number)
{
    return number < r->sds.n_ids && r->sds.ids[number] ? first_of(r) | r->sds.ids[number] : 0;
}

/* Numbers come in order from a source; a little room for others, none for one that would fill memory. */
static int room_for(struct sds *d, uint32_t number, struct err *e)
{
    if (!number) return err_set(e, ERR_PROTO, "descriptor number 0");
    if (number < d->n_ids) return 0;
    if (number > d->n_ids * 2 + 65536)
        return err_set(e, ERR_PROTO, "descriptor number %u out of order", number);
    size_t n = (size_t)number + number / 2 + 64;
    d->ids = x_realloc(d->ids, n * sizeof *d->ids);
    memset(d->ids + d->n_ids, 0, (n - d->n_ids) * sizeof *d->ids);
    d->n_ids = n;
    return 0;
}

static int find(struct sqlite_run *r, const struct hash128 *hash, uint32_t *id, struct err *e)
{
    sqlite3_stmt *s;
    try(sq_take(&r->s->q, SQL_SD_FIND, &s, e));
    sq_int(s, 1, r->connector);
    sq_hash(s, 2, hash);
    int rc = sq_step(&r->s->q, s, e);
    if (rc > 0) *id = (uint32_t)(sq_col_int(s, 0) - first_of(r));
    sq_give(&r->s->q, SQL_SD_FIND, s);
    return rc;
}

/* The number after the last that is in the file or waits. */
static int next_id(struct sqlite_run *r, uint32_t *id, struct err *e)
{
    int64_t last = 0;
    const int64_t range[] = {first_of(r), end_id_of(r)};
    if (!r->sds.last) {
        try(sq_get_number(&r->s->q, SQL_SD_LAST, 2, range, &last, e));
        r->sds.last = (uint32_t)(last - first_of(r));
    }
    if (r->sds.last == UINT32_MAX) return err_set(e, ERR_LIMIT, "more than 2^32 descriptors in a connector");
    *id = ++r->sds.last;
    return 0;
}

static int add(struct sqlite_run *r, const struct hash128 *hash, struct bytes sd, uint32_t *id, struct err *e)
{
    struct bulk *b = &r->sds.rows;
    bool is_new;
    try(next_id(r, id, e));
    bulk_int(b, first_of(r) | *id);
    bulk_int(b, r->connector);
    bulk_hash(b, hash);
    bulk_blob(b, sd);
    *hmap_put(&r->sds.waiting, *hash, &is_new) = *id;
    return batch_wrote(r, sd.len + 64, e);
}

int run_sd(struct store_run *run, uint32_t number, struct bytes sd, struct err *e)
{
    struct sqlite_run *r = run_of(run);
    struct hash128 hash = hash128_of(&r->s->key, sd);
    uint32_t id = 0, *waiting = hmap_find(&r->sds.waiting, hash);
    try(room_for(&r->sds, number, e));
    if (waiting) {
        id = *waiting;
    } else {
        int rc = find(r, &hash, &id, e);
        if (rc == 0) rc = add(r, &hash, sd, &id, e);
        if (rc < 0) return rc;
    }
    r->sds.ids[number] = id;
    return 0;
}
