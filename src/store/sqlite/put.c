#include "store/diff.h"
#include "store/sqlite/hints.h"
#include "store/sqlite/write.h"

#include "model/keep.h"
#include "model/sid.h"

/* --- small questions of a record -------------------------------------------------------------- */

/* A descriptor that was asked for and did not come is the last one known; one that was not asked for is none.
 */
static int sd_of(const struct sqlite_run *r, const struct record *rec, const struct version *old,
                 int64_t *out, struct err *e)
{
    *out = 0;
    if (!rec->sd) {
        if (old && (rec->flags & RECORD_NO_SD)) *out = old->sd_id;
        return 0;
    }
    *out = sds_get(r, rec->sd);
    return *out ? 0 : err_set(e, ERR_PROTO, "descriptor number %u was not announced", rec->sd);
}

/* --- member lists ----------------------------------------------------------------------------- */

static bool may_have_members(const struct record *rec)
{
    return kind_has_members(rec->kind) || rec->member.n;
}

/* Puts the list, or its first part, on the roster. *fingerprint stays what it was while parts are to come. */
static int take_list(struct sqlite_run *r, uint32_t seq, const struct record *rec,
                     struct hash128 *fingerprint, struct err *e)
{
    bool more = rec->flags & RECORD_MORE_MEMBERS;
    struct roster_list list = {.fingerprint = *fingerprint};
    if (!may_have_members(rec) && !more) return 0;
    roster_group(&r->roster, seq, *fingerprint);
    try(roster_part(&r->roster, rec->member, more, &list, e));
    r->list.is_open = more;
    r->list.is_ignored = r->list.has_row = false;
    if (list.is_changed) idset_add(&r->relisted, seq);
    *fingerprint = list.fingerprint;
    return 0;
}

/* The one row of this run, once the member list is known. */
static void settle_version(struct sqlite_run *r, const struct version *v, bool has_row)
{
    struct open_list *l = &r->list;
    if (!l->is_open) {
        if (has_row) write_version(r, v);
        return;
    }
    buf_clear(&l->stats);
    buf_add_bytes(&l->stats, v->stats);
    l->version = *v;
    l->version.stats = buf_bytes(&l->stats);
    l->has_row = has_row;
}

int run_members(struct store_run *run, struct dn_list part, bool more, struct err *e)
{
    struct sqlite_run *r = run_of(run);
    struct open_list *l = &r->list;
    struct roster_list list = {.is_changed = false};
    if (!l->is_open) return err_set(e, ERR_PROTO, "members without their group");
    l->is_open = more;
    if (l->is_ignored) return 0;
    try(roster_part(&r->roster, part, more, &list, e));
    if (more) return 0;
    l->version.links_hash = list.fingerprint;
    if (list.is_changed) idset_add(&r->relisted, l->version.seq);
    settle_version(r, &l->version, l->has_row || list.is_changed);
    return batch_wrote(r, 256, e);
}

/* --- what follows from a new or changed record ------------------------------------------------ */

/* Adds the hints of `now` that `before` (may be NULL) does not have. */
static int add_lookups(struct sqlite_run *r, uint32_t seq, const struct record_index *before,
                       const struct record_index *now, struct err *e)
{
    uint64_t old[LOOKUPS_MAX], new[LOOKUPS_MAX];
    size_t n_old = before ? lookup_record(&r->lookup, before, old) : 0,
           n_new = lookup_record(&r->lookup, now, new);
    for (size_t i = 0; i < n_new; i++) {
        bool is_known = false;
        for (size_t k = 0; k < n_old; k++) is_known |= old[k] == new[i];
        if (!is_known) try(sorter_add(&r->hints, hint_added(new[i] | seq), e));
    }
    return 0;
}

static uint32_t primary_rid(const struct record_index *x)
{
    int64_t rid;
    if (!record_int(x, ATTR_PRIMARY_GROUP_ID, &rid) || rid <= 0 || rid > UINT32_MAX) return 0;
    return (uint32_t)rid;
}

static void learn_domain_sid(struct sqlite_run *r, struct bytes account_sid)
{
    if (r->domain_sid.len || !sid_is_valid(account_sid) || account_sid.len < 12) return;
    struct sid s;
    struct err ignored;
    uint8_t domain[SID_MAX];
    if (sid_decode(&s, account_sid, &ignored) < 0 || !s.n_sub) return;
    s.n_sub--;
    buf_add(&r->domain_sid, domain, sid_encode(domain, &s));
}

/* The primary group is named by RID; which group that is shows at the end. */
static int note_primary(struct sqlite_run *r, uint32_t seq, uint32_t was, const struct record_index *now,
                        struct err *e)
{
    uint32_t rid = primary_rid(now);
    if (rid == was) return 0;
    learn_domain_sid(r, now->record->sid);
    uint64_t entry = (uint64_t)rid << 32 | seq;
    idset_add(&r->relisted, seq);
    return tape_add(&r->primaries, (struct bytes){(const uint8_t *)&entry, sizeof entry}, e);
}

/* --- new -------------------------------------------------------------------------------------- */

static int new_identity(struct sqlite_run *r, const uint8_t guid[GUID_SIZE], uint32_t *seq, struct err *e)
{
    if (r->next_seq > SEQ_MAX) return err_set(e, ERR_LIMIT, "more than 2^30 entities in one connector");
    *seq = r->next_seq++;
    identities_add(&r->identities, guid, r->identity_key, *seq);
    return 0;
}

static int put_new(struct sqlite_run *r, uint32_t seq, const struct record *rec, struct hash128 dn,
                   struct err *e)
{
    struct record_index x;
    struct version v = {.seq = seq,
                        .kind = rec->kind,
                        .hash = fingerprint_record(&r->s->key, rec, dn),
                        .body_run = r->id,
                        .first_run = r->id,
                        .changed_run = r->id,
                        .stats = rec->stats};
    memcpy(v.guid, rec->guid, GUID_SIZE);
    try(record_index(&x, rec, e));
    try(sd_of(r, rec, NULL, &v.sd_id, e));
    struct str name = record_name(&x);
    write_body(r, seq, rec, name);
    try(take_list(r, seq, rec, &v.links_hash, e));
    settle_version(r, &v, true);
    try(write_event(r, seq, rec->kind, name, CHANGE_created, EVIDENCE_NONE, e));
    try(add_lookups(r, seq, NULL, &x, e));
    try(note_primary(r, seq, 0, &x, e));
    idset_add(&r->changed, seq);
    r->effect.is_new = true;
    r->counts[rec->kind].created++;
    r->present[rec->kind]++;
    return batch_wrote(r, rec->state.len + rec->stats.len + 512, e);
}

/* --- known ------------------------------------------------------------------------------------ */

struct comparing {
    struct sqlite_run *r;
    uint32_t seq;
    enum kind kind;
    struct str name;
    uint64_t n;
};

static int each_difference(void *ctx, const struct change *what, struct err *e)
{
    struct comparing *c = ctx;
    struct change_row row = {.seq = c->seq, .kind = c->kind, .name = c->name, .what = what};
    c->n++;
    c->r->effect.is_moved |= what->type == CHANGE_moved || what->type == CHANGE_renamed;
    return write_change(c->r, &row, e);
}

struct two_sds {
    struct buf old, new;
};

static int read_sds(struct two_sds *out, struct sqlite_run *r, int64_t old, int64_t new, struct err *e)
{
    *out = (struct two_sds){buf_new((size_t)64 << 20), buf_new((size_t)64 << 20)};
    if (!old || !new || old == new) return 0;
    if (r->sds.rows.n_cells) try(batch_commit(r, e)); /* the new one may still wait there */
    try(sd_read(&out->old, r->s, old, e));
    return sd_read(&out->new, r->s, new, e);
}

static int compare(struct comparing *c, const struct version *old, const struct version *v,
                   const struct record *before, const struct record *rec, struct err *e)
{
    struct two_sds sds;
    int rc = read_sds(&sds, c->r, old->sd_id, v->sd_id, e);
    struct diff_side a = {before, buf_bytes(&sds.old)}, b = {rec, buf_bytes(&sds.new)};
    if (rc == 0) rc = diff_records(&a, &b, each_difference, c, e);
    buf_free(&sds.old);
    buf_free(&sds.new);
    return rc;
}

/* The state differs, or it was a tombstone: new body, change rows, hints, primary group. */
static int put_state(struct comparing *c, const struct version *old, struct version *v,
                     const struct record *rec, struct err *e)
{
    struct sqlite_run *r = c->r;
    struct record_index now, was;
    struct body before;
    try(record_index(&now, rec, e));
    c->name = record_name(&now);
    try(body_open(&before, r->s, id_of(r, v->seq), old->body_run, e));
    before.record.kind = old->kind;
    int rc = record_index(&was, &before.record, e);
    if (rc == 0 && old->deleted_run)
        rc = write_event(r, v->seq, rec->kind, c->name, CHANGE_restored, EVIDENCE_NONE, e);
    if (rc == 0) rc = compare(c, old, v, &before.record, rec, e);
    if (rc == 0) rc = add_lookups(r, v->seq, &was, &now, e);
    if (rc == 0) rc = note_primary(r, v->seq, old->deleted_run ? 0 : primary_rid(&was), &now, e);
    body_close(&before, r->s);
    if (rc == 0 && v->body_run == r->id) write_body(r, v->seq, rec, c->name);
    return rc;
}

static int put_sd_only(struct comparing *c, const struct version *old, const struct version *v,
                       const struct record *rec, struct err *e)
{
    struct record_index now;
    try(record_index(&now, rec, e));
    c->name = record_name(&now);
    return compare(c, old, v, rec, rec, e);
}

static void count_known(struct sqlite_run *r, const struct version *old, const struct version *v,
                        bool has_changed)
{
    if (old->deleted_run) {
        r->counts[v->kind].created++;
        r->present[v->kind]++;
        idset_add(&r->changed, v->seq);
        return;
    }
    r->present[old->kind]--;
    r->present[v->kind]++;
    if (has_changed && idset_add(&r->changed, v->seq)) r->counts[v->kind].changed++;
}

/* old is the window's (prior.h) and is gone after the first look-up: a copy is taken. */
static int put_differing(struct sqlite_run *r, struct version old, struct version *v, bool same_state,
                         const struct record *rec, struct err *e)
{
    struct comparing c = {.r = r, .seq = v->seq, .kind = rec->kind};
    if (!same_state)
        try(put_state(&c, &old, v, rec, e));
    else if (old.sd_id != v->sd_id)
        try(put_sd_only(&c, &old, v, rec, e));
    if (c.n || old.deleted_run) v->changed_run = r->id;
    r->effect.is_changed = c.n > 0;
    r->effect.is_restored = old.deleted_run > 0;
    r->effect.has_new_sd = old.sd_id != v->sd_id;
    v->deleted_run = 0;
    v->evidence = EVIDENCE_NONE;
    settle_version(r, v, true);
    count_known(r, &old, v, c.n > 0);
    return batch_wrote(r, (same_state ? 0 : rec->state.len) + rec->stats.len + 256, e);
}

static int put_known(struct sqlite_run *r, const struct version *old, const struct record *rec,
                     struct hash128 dn, struct err *e)
{
    struct version v = *old;
    v.hash = fingerprint_record(&r->s->key, rec, dn);
    v.kind = rec->kind;
    v.stats = rec->stats;
    try(sd_of(r, rec, old, &v.sd_id, e));
    if (!old->deleted_run && !idset_has(&r->there, v.seq)) r->seen_before[old->kind]++;
    try(take_list(r, v.seq, rec, &v.links_hash, e));
    bool same_body = hash128_equal(v.hash, old->hash), same_state = same_body && !old->deleted_run;
    if (same_state && v.sd_id == old->sd_id && hash128_equal(v.links_hash, old->links_hash) &&
        bytes_equal(v.stats, old->stats)) {
        if (r->list.is_open) settle_version(r, &v, false);
        return 0;
    }
    if (!same_body) v.body_run = r->id;
    return put_differing(r, *old, &v, same_state, rec, e);
}

/* --- what was not read this time -------------------------------------------------------------- */

/* The record as if it had been read whole: what is known fills what the source left out on purpose. */
static int with_known(struct sqlite_run *r, const struct version *old, const struct record *rec, struct record *whole,
                      struct err *e)
{
    struct body b;
    buf_clear(&r->kept_state);
    buf_clear(&r->kept_stats);
    try(body_open(&b, r->s, id_of(r, old->seq), old->body_run, e));
    b.record.kind = old->kind;
    b.record.stats = old->stats;
    record_keep(&r->kept_state, &r->kept_stats, rec, &b.record);
    body_close(&b, r->s);
    *whole = *rec;
    whole->state = buf_bytes(&r->kept_state);
    whole->stats = buf_bytes(&r->kept_stats);
    return r->kept_state.failed || r->kept_stats.failed ? err_set(e, ERR_LIMIT, "a record grew too long") : 0;
}

/* --- the way in ------------------------------------------------------------------------------- */

int run_put(struct store_run *run, const struct record *rec, struct err *e)
{
    struct sqlite_run *r = run_of(run);
    const struct version *old;
    uint32_t seq;
    r->effect = (struct put_effect){0};
    if (r->list.is_open) return err_set(e, ERR_PROTO, "a record before the end of a member list");
    if (rec->kind <= KIND_NONE || rec->kind >= KIND_COUNT)
        return err_set(e, ERR_PROTO, "a record of an unknown kind");
    try(prior_find(r, rec->guid, &old, &seq, e));
    if (!seq) try(new_identity(r, rec->guid, &seq, e));
    if (!idset_add(&r->seen, seq)) { /* twice in one run: a directory that changed under the paging */
        r->list.is_open = r->list.is_ignored = rec->flags & RECORD_MORE_MEMBERS;
        return 0;
    }
    r->counts[rec->kind].read++;
    struct hash128 dn = hash128_of(&r->s->key, bytes_of(rec->dn));
    roster_seen(&r->roster, dn, pair_of(seq, rec->kind == KIND_foreign_principal ? VIA_FOREIGN : VIA_MEMBER));
    struct record whole;
    if (old && !old->deleted_run && rec->flags & RECORD_KEEP) {
        try(with_known(r, old, rec, &whole, e));
        rec = &whole;
    }
    return old ? put_known(r, old, rec, dn, e) : put_new(r, seq, rec, dn, e);
}
