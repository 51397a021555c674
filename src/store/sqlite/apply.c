/* Differences between memberships become new lists: first of the groups, with the change rows, then of the
 * members. */
#include "store/sqlite/difference.h"
#include "store/sqlite/write.h"

/* A stream of differences in order, one ahead. */
struct stream {
    struct sorter *from;
    struct difference at;
    bool has;
};

static int stream_next(struct stream *d, struct err *e)
{
    uint64_t v;
    int rc = sorter_next(d->from, &v, e);
    d->has = rc > 0;
    if (d->has) d->at = difference_split(v);
    return rc < 0 ? rc : 0;
}

struct named {
    struct version version;
    struct body body;
};

/* One owner's list being rewritten. */
struct rewrite {
    struct sqlite_run *r;
    uint32_t owner;
    enum links_side side;
    bool with_rows;     /* change rows */
    struct named group; /* the owner, if with_rows */
    struct idlist old;
    struct idlist_writer new;
    uint32_t was; /* next of the old list */
    bool has_was;
    uint64_t n; /* differences that made one */
};

static void copy_below(struct rewrite *w, uint32_t pair)
{
    while (w->has_was && w->was < pair) {
        idlist_add(&w->new, w->was);
        w->has_was = idlist_next(&w->old, &w->was);
    }
}

/* --- change rows ------------------------------------------------------------------------------ */

static int named_open(struct named *n, struct sqlite_run *r, uint32_t seq, struct err *e)
{
    bool found;
    n->body.statement = NULL;
    try(version_get(r->s, id_of(r, seq), r->id, &n->version, &found, NULL, e));
    if (!found) return err_set(e, ERR_BUG, "store %s: entity %u has no version", r->s->q.path, seq);
    return body_open(&n->body, r->s, id_of(r, seq), n->version.body_run, e);
}

static int write_row(struct rewrite *w, const struct difference *d, const struct named *member, struct err *e)
{
    struct bytes dn = bytes_of(member->body.record.dn), none = {NULL, 0};
    struct change what = {.type = d->added ? CHANGE_member_added : CHANGE_member_removed,
                          .attribute = d->via == VIA_PRIMARY_GROUP ? STR("primaryGroupID") : STR("member"),
                          .old = d->added ? none : dn,
                          .new = d->added ? dn : none,
                          .evidence = !d->added && member->version.deleted_run ? member->version.evidence
                                                                               : EVIDENCE_NONE};
    struct change_row row = {.seq = d->who,
                             .kind = w->group.version.kind,
                             .name = w->group.body.name,
                             .what = &what,
                             .member = d->whom,
                             .member_kind = member->version.kind,
                             .member_name = member->body.name};
    return write_change(w->r, &row, e);
}

static int tell_member(struct rewrite *w, const struct difference *d, struct err *e)
{
    struct named member;
    try(named_open(&member, w->r, d->whom, e));
    int rc = write_row(w, d, &member, e);
    body_close(&member.body, w->r->s);
    return rc;
}

/* --- one difference --------------------------------------------------------------------------- */

static int made_one(struct rewrite *w, const struct difference *d, struct err *e)
{
    struct sqlite_run *r = w->r;
    w->n++;
    if (w->side == SIDE_GROUPS) return 0;
    if (d->added)
        r->members_added++;
    else
        r->members_removed++;
    try(sorter_add(&r->by_member, difference_of(d->whom, d->who, d->via, d->added), e));
    return w->with_rows ? tell_member(w, d, e) : 0;
}

static int apply_one(struct rewrite *w, const struct difference *d, struct err *e)
{
    uint32_t pair = pair_of(d->whom, d->via);
    copy_below(w, pair);
    bool is_there = w->has_was && w->was == pair;
    if (is_there == d->added) return 0; /* said twice */
    if (d->added)
        idlist_add(&w->new, pair);
    else
        w->has_was = idlist_next(&w->old, &w->was);
    return made_one(w, d, e);
}

/* --- one owner -------------------------------------------------------------------------------- */

static int open_lists(struct rewrite *w, struct err *e)
{
    struct sqlite_run *r = w->r;
    buf_clear(&r->old_list);
    buf_clear(&r->new_list);
    if (w->owner < r->first_new)
        try(links_read(&r->old_list, r->s, w->side, id_of(r, w->owner), r->visible, e));
    w->old = idlist_read(buf_bytes(&r->old_list));
    w->new = (struct idlist_writer){.out = &r->new_list};
    w->has_was = idlist_next(&w->old, &w->was);
    return 0;
}

/* News are the memberships of groups that are still there; of a first run nothing is news. */
static int open_owner(struct rewrite *w, struct err *e)
{
    w->with_rows = false;
    w->group.body.statement = NULL;
    if (w->side != SIDE_MEMBERS || w->r->is_baseline) return 0;
    try(named_open(&w->group, w->r, w->owner, e));
    w->with_rows = !w->group.version.deleted_run;
    return 0;
}

static int apply_all(struct rewrite *w, struct stream *d, struct err *e)
{
    try(open_owner(w, e));
    while (d->has && d->at.who == w->owner) {
        try(apply_one(w, &d->at, e));
        try(stream_next(d, e));
    }
    copy_below(w, UINT32_MAX);
    return w->old.left.failed ? err_set(e, ERR_BUG, "store %s: malformed membership list", w->r->s->q.path)
                              : 0;
}

static int rewrite_owner(struct rewrite *w, struct stream *d, struct err *e)
{
    struct sqlite_run *r = w->r;
    w->owner = d->at.who;
    w->n = 0;
    try(open_lists(w, e));
    int rc = apply_all(w, d, e);
    body_close(&w->group.body, r->s);
    if (rc < 0 || !w->n) return rc;
    write_list(r, w->side, w->owner, buf_bytes(&r->new_list));
    if (w->with_rows) try(write_touched(r, w->owner, NULL, true, e));
    return batch_wrote(r, r->new_list.len + 64 * (size_t)w->n, e);
}

static int rewrite_side(struct sqlite_run *r, enum links_side side, struct sorter *from, struct err *e)
{
    struct rewrite w = {.r = r, .side = side};
    struct stream d = {.from = from};
    try(sorter_sort(from, e));
    try(stream_next(&d, e));
    while (d.has) try(rewrite_owner(&w, &d, e));
    sorter_free(from);
    return 0;
}

int apply_differences(struct sqlite_run *r, struct err *e)
{
    try(rewrite_side(r, SIDE_MEMBERS, &r->by_group, e));
    return rewrite_side(r, SIDE_GROUPS, &r->by_member, e);
}
