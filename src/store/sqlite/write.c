#include "store/sqlite/write.h"

#define GAPS_MAX 1000 /* rows a run keeps; more are counted */

void write_version(struct sqlite_run *r, const struct version *v)
{
    struct bulk *b = &r->versions;
    bulk_int(b, id_of(r, v->seq));
    bulk_int(b, r->id);
    bulk_int(b, v->kind);
    bulk_blob(b, (struct bytes){v->guid, GUID_SIZE});
    bulk_hash(b, &v->hash);
    bulk_hash(b, &v->links_hash);
    bulk_int(b, v->body_run);
    bulk_int(b, v->first_run);
    bulk_int(b, v->changed_run);
    bulk_int(b, v->deleted_run);
    bulk_int(b, v->evidence);
    bulk_int(b, v->sd_id);
    bulk_blob(b, v->stats);
    idset_add(&r->written, v->seq);
}

static int replace_version(struct sqlite_run *r, const struct version *v, struct err *e)
{
    sqlite3_stmt *s;
    try(sq_take(&r->s->q, SQL_VERSION_PUT, &s, e));
    sq_int(s, 1, id_of(r, v->seq));
    sq_int(s, 2, r->id);
    sq_int(s, 3, v->kind);
    sq_blob(s, 4, (struct bytes){v->guid, GUID_SIZE});
    sq_hash(s, 5, &v->hash);
    sq_hash(s, 6, &v->links_hash);
    sq_int(s, 7, v->body_run);
    sq_int(s, 8, v->first_run);
    sq_int(s, 9, v->changed_run);
    sq_int(s, 10, v->deleted_run);
    sq_int(s, 11, v->evidence);
    sq_int(s, 12, v->sd_id);
    sq_blob(s, 13, v->stats);
    int rc = sq_run(&r->s->q, s, e);
    sq_give(&r->s->q, SQL_VERSION_PUT, s);
    idset_add(&r->written, v->seq);
    return rc;
}

void write_body(struct sqlite_run *r, uint32_t seq, const struct record *rec, struct str name)
{
    struct bulk *b = &r->bodies;
    idset_add(&r->embodied, seq);
    bulk_int(b, id_of(r, seq));
    bulk_int(b, r->id);
    bulk_text(b, rec->dn);
    bulk_text(b, name);
    bulk_blob(b, rec->sid);
    bulk_blob(b, rec->state);
}

void write_list(struct sqlite_run *r, enum links_side side, uint32_t seq, struct bytes list)
{
    struct bulk *b = &r->links;
    bulk_int(b, side);
    bulk_int(b, id_of(r, seq));
    bulk_int(b, r->id);
    bulk_blob(b, list);
    idset_add(&r->linked, seq);
}

int write_missing(struct sqlite_run *r, uint32_t owner, struct bytes list, struct err *e)
{
    sqlite3_stmt *s;
    try(batch_open(r, e));
    try(sq_take(&r->s->q, SQL_LINKS_PUT, &s, e));
    sq_int(s, 1, SIDE_MISSING);
    sq_int(s, 2, id_of(r, owner));
    sq_int(s, 3, r->id);
    sq_blob(s, 4, list);
    int rc = sq_run(&r->s->q, s, e);
    sq_give(&r->s->q, SQL_LINKS_PUT, s);
    idset_add(&r->linked, owner);
    return rc;
}

static void count_gap(struct sqlite_run *r, const struct gap *g)
{
    r->n_gaps[g->severity == GAP_LOSS]++;
    if (g->severity != GAP_LOSS) return;
    if (g->kind == KIND_NONE)
        r->was_loss_anywhere = true;
    else
        r->with_loss |= KIND_BIT(g->kind);
}

int write_gap(struct sqlite_run *r, const struct gap *g, struct err *e)
{
    struct bulk *b = &r->gaps;
    count_gap(r, g);
    if (r->n_gap_rows >= GAPS_MAX) return 0;
    bulk_int(b, r->id);
    bulk_int(b, (int64_t)r->n_gap_rows++);
    bulk_int(b, g->kind);
    bulk_int(b, g->severity);
    bulk_text(b, g->what);
    bulk_text(b, g->where);
    bulk_text(b, g->fix);
    return batch_wrote(r, 256, e);
}

static void add_optional(struct bulk *b, struct bytes v)
{
    if (v.len)
        bulk_blob(b, v);
    else
        bulk_null(b);
}

int write_change(struct sqlite_run *r, const struct change_row *row, struct err *e)
{
    struct bulk *b = &r->changes;
    if (r->n_changes >= ((int64_t)1 << CHANGE_BITS) - 1)
        return err_set(e, ERR_LIMIT, "more than 2^30 changes in one run");
    bulk_int(b, first_change_of(r->id) + r->n_changes++);
    bulk_int(b, id_of(r, row->seq));
    bulk_int(b, row->kind);
    bulk_int(b, row->what->type);
    bulk_text(b, row->name);
    if (row->what->attribute.len)
        bulk_text(b, row->what->attribute);
    else
        bulk_null(b);
    add_optional(b, row->what->old);
    add_optional(b, row->what->new);
    if (row->member) {
        bulk_int(b, id_of(r, row->member));
        bulk_int(b, row->member_kind);
        bulk_text(b, row->member_name);
    } else {
        for (int i = 0; i < 3; i++) bulk_null(b);
    }
    bulk_int(b, row->what->evidence);
    return 0;
}

int write_event(struct sqlite_run *r, uint32_t seq, enum kind kind, struct str name, enum change_type type,
                enum evidence v, struct err *e)
{
    struct change what = {.type = type, .evidence = v};
    struct change_row row = {.seq = seq, .kind = kind, .name = name, .what = &what};
    return write_change(r, &row, e);
}

int write_touched(struct sqlite_run *r, uint32_t seq, const struct hash128 *links_hash, bool has_changed,
                  struct err *e)
{
    struct arena strings = arena_new((size_t)64 << 20);
    struct version v;
    bool found;
    int rc = version_get(r->s, id_of(r, seq), r->id, &v, &found, &strings, e);
    if (rc == 0 && found) {
        if (links_hash) v.links_hash = *links_hash;
        if (has_changed) v.changed_run = r->id;
        if (has_changed && idset_add(&r->changed, seq)) r->counts[v.kind].changed++;
        rc = batch_open(r, e);
        if (rc == 0) rc = replace_version(r, &v, e);
    }
    arena_free(&strings);
    return rc;
}
