#include "model/sid.h"
#include "store/sqlite/difference.h"
#include "store/sqlite/write.h"

#include <stdlib.h>

#define CHUNK 4096

/* --- who may be declared gone ----------------------------------------------------------------- */

static bool is_proved(const struct sqlite_run *r, enum kind k)
{
    kind_set bit = KIND_BIT(k);
    return (r->done & bit) && (r->complete & bit) && !(r->with_loss & bit) && !r->was_loss_anywhere;
}

/* More than 20% and more than 50: rather a missing permission than so many deletions. */
static bool is_suspicious(uint64_t vanished, uint64_t present)
{
    return vanished > 50 && vanished * 5 > present;
}

/* Who was told to be gone without a listing: a deletion was seen; that somebody vanished is doubted as well. */
static void decide_told(struct sqlite_run *r, bool accept_deletions)
{
    for (enum kind k = 1; k < KIND_COUNT; k++) {
        if (!r->n_vanished[k] || r->was_loss_anywhere || (r->with_loss & KIND_BIT(k))) continue;
        if (!accept_deletions && is_suspicious(r->n_vanished[k], r->present_before[k])) {
            r->held[k] = r->n_vanished[k];
            r->needs_attention = true;
        } else {
            r->told_kinds |= KIND_BIT(k);
        }
    }
}

static void decide(struct sqlite_run *r, bool accept_deletions)
{
    decide_told(r, accept_deletions);
    for (enum kind k = 1; k < KIND_COUNT; k++) {
        uint64_t vanished = r->present_before[k] - r->seen_before[k];
        if (!vanished || r->present_before[k] < r->seen_before[k] || !is_proved(r, k)) continue;
        if (!accept_deletions && is_suspicious(vanished, r->present_before[k])) {
            r->held[k] = vanished;
            r->needs_attention = true;
        } else {
            r->gone_kinds |= KIND_BIT(k);
        }
    }
}

bool gone_is(const struct sqlite_run *r, uint32_t seq, enum kind kind)
{
    if (idset_has(&r->seen, seq) || idset_has(&r->there, seq)) return false;
    if (idset_has(&r->deleted, seq) || (r->gone_kinds & KIND_BIT(kind))) return true;
    return (r->told_kinds & KIND_BIT(kind)) && idset_has(&r->vanished, seq);
}

static int is_gone(struct sqlite_run *r, uint32_t seq, bool *out, struct err *e)
{
    struct version v;
    bool found;
    try(version_get(r->s, id_of(r, seq), r->visible, &v, &found, NULL, e));
    *out = found && (v.deleted_run || gone_is(r, seq, v.kind));
    return 0;
}

/* --- memberships go with their ends ----------------------------------------------------------- */

static int leave_group(struct sqlite_run *r, uint32_t seq, uint32_t pair, struct str dn, struct err *e)
{
    uint32_t group = pair_seq(pair);
    bool group_is_gone;
    try(sorter_add(&r->by_group, difference_of(group, seq, pair_via(pair), false), e));
    if (pair_via(pair) == VIA_PRIMARY_GROUP || idset_has(&r->relisted, group)) return 0;
    try(is_gone(r, group, &group_is_gone, e));
    /* The group still names this DN, unchanged: if its owner comes back, so does the membership. */
    return group_is_gone ? 0 : members_add_gone(r, group, dn, e);
}

static int lose_member(struct sqlite_run *r, uint32_t seq, uint32_t pair, struct str sid, struct err *e)
{
    bool member_is_gone;
    try(sorter_add(&r->by_group, difference_of(seq, pair_seq(pair), pair_via(pair), false), e));
    if (pair_via(pair) != VIA_PRIMARY_GROUP || idset_has(&r->relisted, pair_seq(pair))) return 0;
    try(is_gone(r, pair_seq(pair), &member_is_gone, e));
    return member_is_gone ? 0 : members_add_gone(r, pair_seq(pair), sid, e);
}

static int drop_links(struct sqlite_run *r, uint32_t seq, const struct body *b, struct err *e)
{
    char sid[SID_TEXT];
    uint32_t pair;
    buf_clear(&r->old_list);
    try(links_read(&r->old_list, r->s, SIDE_GROUPS, id_of(r, seq), r->visible, e));
    struct idlist list = idlist_read(buf_bytes(&r->old_list));
    while (idlist_next(&list, &pair)) try(leave_group(r, seq, pair, b->record.dn, e));
    buf_clear(&r->old_list);
    try(links_read(&r->old_list, r->s, SIDE_MEMBERS, id_of(r, seq), r->visible, e));
    list = idlist_read(buf_bytes(&r->old_list));
    struct str sid_text = str_from(sid_format_bytes(sid, b->record.sid));
    while (idlist_next(&list, &pair)) try(lose_member(r, seq, pair, sid_text, e));
    buf_clear(&r->old_list);
    try(links_read(&r->old_list, r->s, SIDE_MISSING, id_of(r, seq), r->visible, e));
    return r->old_list.len ? write_missing(r, seq, (struct bytes){NULL, 0}, e) : 0;
}

static int bury_as(struct sqlite_run *r, struct version *v, struct err *e)
{
    struct body b;
    try(body_open(&b, r->s, id_of(r, v->seq), v->body_run, e));
    v->deleted_run = v->changed_run = r->id;
    v->evidence = idset_has(&r->deleted, v->seq) ? EVIDENCE_DELETED : EVIDENCE_VANISHED;
    v->links_hash = (struct hash128){0, 0};
    write_version(r, v);
    int rc = write_event(r, v->seq, v->kind, b.name, CHANGE_deleted, v->evidence, e);
    if (rc == 0) rc = drop_links(r, v->seq, &b, e);
    body_close(&b, r->s);
    r->counts[v->kind].deleted++;
    r->present[v->kind]--;
    return rc;
}

static int bury(struct sqlite_run *r, uint32_t seq, struct err *e)
{
    struct arena strings = arena_new((size_t)64 << 20);
    struct version v;
    bool found;
    int rc = version_get(r->s, id_of(r, seq), r->visible, &v, &found, &strings, e);
    if (rc == 0 && found) rc = bury_as(r, &v, e);
    arena_free(&strings);
    return rc < 0 ? rc : batch_wrote(r, 512, e);
}

/* --- finding them ----------------------------------------------------------------------------- */

typedef bool gone_test(const struct sqlite_run *r, uint32_t seq, enum kind kind);
struct chunk {
    uint32_t gone[CHUNK];
    size_t n_gone, n_rows;
    uint32_t last;
};

/* Rows come newest first for each entity; the first one counts. */
static int read_chunk(struct sqlite_run *r, struct chunk *c, uint32_t from, gone_test *test, struct err *e)
{
    sqlite3_stmt *s;
    int rc;
    c->n_gone = c->n_rows = 0;
    c->last = 0;
    try(sq_take(&r->s->q, SQL_VERSION_SCAN, &s, e));
    sq_int(s, 1, id_of(r, from));
    sq_int(s, 2, end_id_of(r));
    sq_int(s, 3, r->visible);
    sq_int(s, 4, CHUNK);
    while ((rc = sq_step(&r->s->q, s, e)) > 0) {
        uint32_t seq = seq_of(sq_col_int(s, 0));
        c->n_rows++;
        if (seq == c->last) continue;
        c->last = seq;
        if (!sq_col_int(s, 3) && test(r, seq, (enum kind)sq_col_int(s, 2))) c->gone[c->n_gone++] = seq;
    }
    sq_give(&r->s->q, SQL_VERSION_SCAN, s);
    return rc;
}

static int each_gone(struct sqlite_run *r, gone_test *test, int (*each)(struct sqlite_run *r, uint32_t seq, void *ctx, struct err *e),
                     void *ctx, struct err *e)
{
    struct chunk *c = x_alloc(sizeof *c);
    uint32_t from = 1;
    int rc;
    do {
        rc = read_chunk(r, c, from, test, e);
        for (size_t i = 0; rc == 0 && i < c->n_gone; i++) rc = each(r, c->gone[i], ctx, e);
        from = c->last + 1;
    } while (rc == 0 && c->n_rows == CHUNK);
    free(c);
    return rc;
}

static int bury_one(struct sqlite_run *r, uint32_t seq, void *ctx, struct err *e)
{
    return bury(r, seq, e);
}

static int bury_told(struct sqlite_run *r, struct err *e)
{
    const struct idset *told[] = {&r->deleted, &r->vanished};
    for (size_t i = 0; i < n_elements(told); i++)
        for (uint32_t seq = 0; idset_next(told[i], &seq); seq++) {
            struct version v;
            bool found, was_done = i > 0 && idset_has(&r->deleted, seq);
            if (was_done) continue;
            try(version_get(r->s, id_of(r, seq), r->visible, &v, &found, NULL, e));
            if (found && gone_is(r, seq, v.kind)) try(bury(r, seq, e));
        }
    return 0;
}

int gone_write(struct sqlite_run *r, bool accept_deletions, struct err *e)
{
    decide(r, accept_deletions);
    if (!r->gone_kinds) return bury_told(r, e);
    return each_gone(r, gone_is, bury_one, NULL, e);
}

/* --- before the end --------------------------------------------------------------------------- */

static bool is_absent(const struct sqlite_run *r, uint32_t seq, enum kind kind)
{
    return is_proved(r, kind) && !idset_has(&r->seen, seq) && !idset_has(&r->there, seq);
}

struct absent {
    int (*each)(void *ctx, const uint8_t guid[GUID_SIZE], struct err *e);
    void *ctx;
};

static int tell_absent(struct sqlite_run *r, uint32_t seq, void *ctx, struct err *e)
{
    const struct absent *a = ctx;
    struct version v;
    bool found;
    try(version_get(r->s, id_of(r, seq), r->visible, &v, &found, NULL, e));
    return found ? a->each(a->ctx, v.guid, e) : 0;
}

int run_absent(struct store_run *run, int (*each)(void *ctx, const uint8_t guid[GUID_SIZE], struct err *e),
               void *ctx, struct err *e)
{
    struct sqlite_run *r = run_of(run);
    return r->done ? each_gone(r, is_absent, tell_absent, &(struct absent){each, ctx}, e) : 0;
}
