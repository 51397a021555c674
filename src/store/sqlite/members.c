/* Who the DNs and primary group RIDs of changed memberships are, as of the end of the run; differences to
 * what was. */
#include "model/dn.h"
#include "model/sid.h"
#include "store/sqlite/difference.h"
#include "store/sqlite/hints.h"
#include "store/sqlite/write.h"

#include <stdio.h>

#define MISSING_MAX ((size_t)16 << 20) /* bytes of unknown names kept of one owner */
#define GONE_BITS   34                 /* of an offset on gone_names */

/* --- looking somebody up ---------------------------------------------------------------------- */

struct wanted {
    struct str dn; /* or */
    struct bytes sid;
};

static bool body_matches(const struct body *b, const struct wanted *w)
{
    return w->dn.len ? dn_equal(b->record.dn, w->dn) : bytes_equal(b->record.sid, w->sid);
}

/* 2: the newest body matches; 1: the visible one does (it was renamed while the run read); 0: neither. */
static int match(struct sqlite_run *r, const struct wanted *w, uint32_t seq, struct version *v, struct err *e)
{
    struct version was;
    struct body b;
    bool found, was_found;
    try(version_get(r->s, id_of(r, seq), r->id, v, &found, NULL, e));
    if (!found || v->deleted_run) return 0;
    try(body_open(&b, r->s, id_of(r, seq), v->body_run, e));
    bool matches = body_matches(&b, w);
    body_close(&b, r->s);
    if (matches) return 2;
    try(version_get(r->s, id_of(r, seq), r->visible, &was, &was_found, NULL, e));
    if (!was_found || was.deleted_run || was.body_run == v->body_run) return 0;
    try(body_open(&b, r->s, id_of(r, seq), was.body_run, e));
    matches = body_matches(&b, w);
    body_close(&b, r->s);
    return matches;
}

struct search {
    struct sqlite_run *r;
    const struct wanted *wanted;
    int best; /* as match() says */
    uint32_t *pair;
};

static int consider(void *ctx, uint32_t seq, struct err *e)
{
    struct search *x = ctx;
    struct version v;
    int how = match(x->r, x->wanted, seq, &v, e);
    if (how <= x->best) return how < 0 ? how : 0;
    x->best = how;
    *x->pair = pair_of(v.seq, v.kind == KIND_foreign_principal ? VIA_FOREIGN : VIA_MEMBER);
    return how == 2;
}

static int find(struct sqlite_run *r, uint64_t hint, const struct wanted *w, uint32_t *pair, struct err *e)
{
    struct search x = {r, w, 0, pair};
    *pair = 0;
    return hints_find(r->s, r->connector, hint, consider, &x, e);
}

int members_find_dn(struct sqlite_run *r, struct str dn, uint32_t *pair, struct err *e)
{
    *pair = 0;
    if (!dn.len) return 0;
    return find(r, lookup_dn(&r->lookup, dn), &(struct wanted){.dn = dn}, pair, e);
}

static int look_up(void *ctx, struct str dn, uint32_t *pair, struct err *e)
{
    return members_find_dn(ctx, dn, pair, e);
}

static int find_sid(struct sqlite_run *r, struct bytes sid, uint32_t *pair, struct err *e)
{
    return find(r, lookup_sid(&r->lookup, sid), &(struct wanted){.sid = sid}, pair, e);
}

/* --- names that nobody has -------------------------------------------------------------------- */

int members_add_gone(struct sqlite_run *r, uint32_t owner, struct str text, struct err *e)
{
    uint64_t at = tape_length(&r->gone_names);
    uint32_t len = (uint32_t)text.len;
    if (at >> GONE_BITS) return 0; /* 16 GB of names: these are not tried again */
    try(tape_add(&r->gone_names, (struct bytes){(const uint8_t *)&len, sizeof len}, e));
    try(tape_add(&r->gone_names, bytes_of(text), e));
    return sorter_add(&r->gone_owners, (uint64_t)owner << GONE_BITS | at, e);
}

static int read_gone(struct sqlite_run *r, uint64_t at, struct buf *list, struct err *e)
{
    struct buf text = buf_new(MISSING_MAX);
    uint32_t len;
    int rc = tape_read(&r->gone_names, at, &len, sizeof len, e);
    uint8_t *to = rc == 0 ? buf_reserve(&text, len) : NULL;
    if (to) rc = tape_read(&r->gone_names, at + sizeof len, to, len, e);
    if (to) buf_advance(&text, len);
    if (rc == 0 && to) buf_add_lstr(list, buf_bytes(&text));
    buf_free(&text);
    return rc;
}

/* All that an owner's links name and that went in this run, behind what was missing before. */
static int keep_gone_of(struct sqlite_run *r, uint64_t *entry, bool *has, struct err *e)
{
    struct buf list = buf_new(MISSING_MAX);
    uint32_t owner = (uint32_t)(*entry >> GONE_BITS);
    int rc = links_read(&list, r->s, SIDE_MISSING, id_of(r, owner), r->id, e);
    while (rc == 0 && *has && *entry >> GONE_BITS == owner) {
        rc = read_gone(r, *entry & (((uint64_t)1 << GONE_BITS) - 1), &list, e);
        int next = rc < 0 ? rc : sorter_next(&r->gone_owners, entry, e);
        *has = next > 0;
        if (next < 0) rc = next;
    }
    list.failed = false; /* what fits is tried again */
    if (rc == 0) rc = write_missing(r, owner, buf_bytes(&list), e);
    buf_free(&list);
    return rc < 0 ? rc : batch_wrote(r, 64, e);
}

static int keep_gone(struct sqlite_run *r, struct err *e)
{
    uint64_t entry;
    try(sorter_sort(&r->gone_owners, e));
    int rc = sorter_next(&r->gone_owners, &entry, e);
    for (bool has = rc > 0; rc >= 0 && has;) rc = keep_gone_of(r, &entry, &has, e);
    return rc < 0 ? rc : 0;
}

static int set_missing(struct sqlite_run *r, uint32_t owner, struct bytes list, struct err *e)
{
    struct buf was = buf_new(SIZE_MAX / 2);
    int rc = links_read(&was, r->s, SIDE_MISSING, id_of(r, owner), r->id, e);
    if (rc == 0 && !bytes_equal(buf_bytes(&was), list)) rc = write_missing(r, owner, list, e);
    buf_free(&was);
    return rc;
}

/* What a gap tells of them. */
struct missing_count {
    uint64_t n;
    struct buf examples; /* the first three */
};
struct resolving {
    struct sqlite_run *r;
    struct buf base; /* comparison form of where people are listed */
    struct missing_count inside[KIND_COUNT], outside[KIND_COUNT]; /* by the kind of who names them */
    struct missing_count primaries;
    struct {
        uint32_t rid, group;
    } groups[16]; /* primary groups met lately */
    unsigned n_groups;
};

static void count_missing(struct missing_count *m, struct str text)
{
    if (m->n++ >= 3) return;
    if (!m->examples.max) m->examples = buf_new(2048);
    if (m->examples.len) buf_add_str(&m->examples, STR("; "));
    buf_add_str(&m->examples, text);
}

static void count_missing_dn(struct resolving *x, enum kind owner, struct str dn)
{
    struct buf form = buf_new((size_t)1 << 20);
    dn_normalize(&form, dn);
    bool is_inside = dn_is_under(buf_str(&form), buf_str(&x->base));
    count_missing(is_inside ? &x->inside[owner] : &x->outside[owner], dn);
    buf_free(&form);
}

static void count_missing_list(struct resolving *x, enum kind owner, struct bytes list)
{
    struct cursor c = cursor_new(list);
    while (c.in.len) {
        struct str dn = str_of(cursor_lstr(&c));
        if (c.failed) return;
        count_missing_dn(x, owner, dn);
    }
}

/* The kind of whose list this is; a list that nobody has any more counts as a group's. */
static int owner_kind(struct sqlite_run *r, uint32_t owner, enum kind *out, struct err *e)
{
    struct version v;
    bool found;
    *out = KIND_group;
    try(version_get(r->s, id_of(r, owner), r->id, &v, &found, NULL, e));
    if (found && v.kind > KIND_NONE && v.kind < KIND_COUNT) *out = v.kind;
    return 0;
}

/* A listing with losses proves nobody's absence. */
static int may_remove(struct sqlite_run *r, uint32_t owner, bool *may, struct err *e)
{
    enum kind kind;
    *may = !r->was_loss_anywhere;
    if (!*may || !r->with_loss) return 0;
    try(owner_kind(r, owner, &kind, e));
    *may = !(r->with_loss & KIND_BIT(kind));
    return 0;
}

/* --- lists on the roster ---------------------------------------------------------------------- */

static int differ(struct sqlite_run *r, uint32_t group, uint32_t pair, bool added, struct err *e)
{
    return sorter_add(&r->by_group, difference_of(group, pair_seq(pair), pair_via(pair), added), e);
}

/* Next pair of the old list that came from the member link. */
static bool next_member(struct idlist *old, uint32_t *pair)
{
    while (idlist_next(old, pair))
        if (pair_via(*pair) != VIA_PRIMARY_GROUP) return true;
    return false;
}

static int compare_lists(struct resolving *x, const struct roster_group *g, struct bytes old_bytes,
                         bool may_remove_any, struct err *e)
{
    struct idlist old = idlist_read(old_bytes);
    uint32_t was = 0;
    bool has_was = next_member(&old, &was);
    for (size_t i = 0; i < g->n_pairs || has_was;) {
        uint32_t now = i < g->n_pairs ? (uint32_t)g->pairs[i] : UINT32_MAX;
        if (has_was && was < now) {
            if (may_remove_any) try(differ(x->r, g->seq, was, false, e));
            has_was = next_member(&old, &was);
        } else {
            bool is_new = !has_was || now < was;
            if (is_new)
                try(differ(x->r, g->seq, now, true, e));
            else
                has_was = next_member(&old, &was);
            i++;
        }
    }
    return old.left.failed ? err_set(e, ERR_BUG, "store: malformed membership list") : 0;
}

/* A list with holes is read again next time, however it then looks. */
static int force_next_time(struct sqlite_run *r, uint32_t group, struct err *e)
{
    return write_touched(r, group, &(struct hash128){UINT64_MAX, UINT64_MAX}, false, e);
}

static int resolve_list(void *ctx, const struct roster_group *g, struct err *e)
{
    struct resolving *x = ctx;
    struct sqlite_run *r = x->r;
    enum kind kind;
    bool may;
    buf_clear(&r->old_list);
    try(may_remove(r, g->seq, &may, e));
    if (g->seq < r->first_new)
        try(links_read(&r->old_list, r->s, SIDE_MEMBERS, id_of(r, g->seq), r->visible, e));
    try(compare_lists(x, g, buf_bytes(&r->old_list), may, e));
    if (g->missing.len || g->seq < r->first_new) try(set_missing(r, g->seq, g->missing, e));
    if (g->missing.len) {
        try(owner_kind(r, g->seq, &kind, e));
        count_missing_list(x, kind, g->missing);
    }
    if (!may || g->is_cut) try(force_next_time(r, g->seq, e));
    return batch_wrote(r, 64, e);
}

/* --- primary groups --------------------------------------------------------------------------- */

static int group_of_rid(struct resolving *x, uint32_t rid, uint32_t *group, struct err *e)
{
    struct sid s;
    uint8_t sid[SID_MAX];
    uint32_t pair = 0;
    *group = 0;
    if (!rid) return 0;
    for (unsigned i = 0; i < n_elements(x->groups); i++)
        if (x->groups[i].rid == rid) {
            *group = x->groups[i].group;
            return 0;
        }
    if (sid_decode(&s, buf_bytes(&x->r->domain_sid), e) == 0 && s.n_sub < 15) {
        s.sub[s.n_sub++] = rid;
        try(find_sid(x->r, (struct bytes){sid, sid_encode(sid, &s)}, &pair, e));
    }
    *group = pair_seq(pair);
    unsigned slot = x->n_groups++ % n_elements(x->groups);
    x->groups[slot].rid = rid;
    x->groups[slot].group = *group;
    return 0;
}

static int leave_other_primaries(struct sqlite_run *r, uint32_t seq, uint32_t group, bool *is_member,
                                 struct err *e)
{
    uint32_t pair;
    buf_clear(&r->old_list);
    try(links_read(&r->old_list, r->s, SIDE_GROUPS, id_of(r, seq), r->visible, e));
    struct idlist list = idlist_read(buf_bytes(&r->old_list));
    while (idlist_next(&list, &pair)) {
        if (pair_via(pair) != VIA_PRIMARY_GROUP) continue;
        if (pair_seq(pair) == group)
            *is_member = true;
        else
            try(sorter_add(&r->by_group, difference_of(pair_seq(pair), seq, VIA_PRIMARY_GROUP, false), e));
    }
    return 0;
}

static int missing_primary(struct resolving *x, uint32_t seq, uint32_t rid, struct err *e)
{
    char domain[SID_TEXT], text[SID_TEXT + 16];
    struct buf list = buf_new(MISSING_MAX);
    sid_format_bytes(domain, buf_bytes(&x->r->domain_sid));
    snprintf(text, sizeof text, "%s-%u", domain, rid);
    buf_add_lstr(&list, bytes_of(str_from(text)));
    count_missing(&x->primaries, str_from(text));
    int rc = set_missing(x->r, seq, buf_bytes(&list), e);
    buf_free(&list);
    return rc;
}

static int resolve_primary(struct resolving *x, uint32_t seq, uint32_t rid, struct err *e)
{
    struct sqlite_run *r = x->r;
    uint32_t group;
    bool is_member = false;
    try(group_of_rid(x, rid, &group, e));
    if (seq < r->first_new) try(leave_other_primaries(r, seq, group, &is_member, e));
    if (group && !is_member)
        try(sorter_add(&r->by_group, difference_of(group, seq, VIA_PRIMARY_GROUP, true), e));
    if (group && seq >= r->first_new) return 0;
    if (rid && !group)
        try(missing_primary(x, seq, rid, e));
    else
        try(set_missing(r, seq, (struct bytes){NULL, 0}, e));
    return batch_wrote(r, 64, e);
}

static int resolve_primaries(struct resolving *x, struct err *e)
{
    struct tape_reader in = tape_reader_new(&x->r->primaries, 0, tape_length(&x->r->primaries));
    int rc = 0;
    while (rc == 0 && !tape_reader_done(&in)) {
        struct bytes b;
        uint64_t entry;
        if ((rc = tape_next(&in, sizeof entry, &b, e)) < 0) break;
        memcpy(&entry, b.ptr, sizeof entry);
        rc = resolve_primary(x, (uint32_t)entry, (uint32_t)(entry >> 32), e);
    }
    tape_reader_free(&in);
    return rc;
}

/* --- another try at what was missing before --------------------------------------------------- */

static int retry_text(struct resolving *x, uint32_t owner, enum kind kind, struct str text, struct buf *left, struct err *e)
{
    uint32_t pair;
    struct sid s;
    uint8_t sid[SID_MAX];
    bool is_sid =
        str_starts(text, STR("S-1-")) && str_index(text, '=') == text.len && sid_parse(&s, text, e) == 0;
    if (is_sid)
        try(find_sid(x->r, (struct bytes){sid, sid_encode(sid, &s)}, &pair, e));
    else
        try(members_find_dn(x->r, text, &pair, e));
    if (pair && is_sid)
        return sorter_add(&x->r->by_group, difference_of(pair_seq(pair), owner, VIA_PRIMARY_GROUP, true), e);
    if (pair) return differ(x->r, owner, pair, true, e);
    buf_add_lstr(left, bytes_of(text));
    if (is_sid)
        count_missing(&x->primaries, text);
    else
        count_missing_dn(x, kind, text);
    return 0;
}

static int retry_list(struct resolving *x, uint32_t owner, struct bytes list, struct err *e)
{
    struct buf left = buf_new(MISSING_MAX);
    struct cursor c = cursor_new(list);
    enum kind kind;
    int rc = owner_kind(x->r, owner, &kind, e);
    while (rc == 0 && !c.failed && c.in.len) rc = retry_text(x, owner, kind, str_of(cursor_lstr(&c)), &left, e);
    if (rc == 0 && left.len != list.len) rc = write_missing(x->r, owner, buf_bytes(&left), e);
    buf_free(&left);
    return rc < 0 ? rc : batch_wrote(x->r, 64, e);
}

/* One list at a time, copied: writing moves the cursor. */
static int next_missing(struct sqlite_run *r, uint32_t *owner, struct buf *list, struct err *e)
{
    sqlite3_stmt *s;
    try(sq_take(&r->s->q, SQL_LINKS_FROM, &s, e));
    sq_int(s, 1, SIDE_MISSING);
    sq_int(s, 2, id_of(r, *owner));
    sq_int(s, 3, end_id_of(r));
    sq_int(s, 4, r->id);
    sq_int(s, 5, 1);
    int rc = sq_step(&r->s->q, s, e);
    buf_clear(list);
    if (rc > 0) {
        *owner = seq_of(sq_col_int(s, 0));
        buf_add_bytes(list, sq_col_blob(s, 2));
    }
    sq_give(&r->s->q, SQL_LINKS_FROM, s);
    return rc;
}

int run_unresolved(struct store_run *run, int (*each)(void *ctx, enum kind k, const uint8_t guid[GUID_SIZE], struct err *e),
                   void *ctx, struct err *e)
{
    struct sqlite_run *r = run_of(run);
    struct buf list = buf_new(SIZE_MAX / 2);
    uint32_t owner = 1;
    int rc;
    while ((rc = next_missing(r, &owner, &list, e)) > 0) {
        struct version v;
        bool found = false;
        rc = list.len ? version_get(r->s, id_of(r, owner), r->visible, &v, &found, NULL, e) : 0;
        if (rc == 0 && found && !v.deleted_run) rc = each(ctx, v.kind, v.guid, e);
        if (rc < 0) break;
        owner++;
    }
    buf_free(&list);
    return rc;
}

static int retry_missing(struct resolving *x, struct err *e)
{
    struct buf list = buf_new(SIZE_MAX / 2);
    uint32_t owner = 1;
    int rc;
    while ((rc = next_missing(x->r, &owner, &list, e)) > 0) {
        rc = !list.len || idset_has(&x->r->relisted, owner) ? 0 : retry_list(x, owner, buf_bytes(&list), e);
        if (rc < 0) break;
        owner++;
    }
    buf_free(&list);
    return rc;
}

/* --- the gap ---------------------------------------------------------------------------------- */

static bool everybody_was_listed(const struct sqlite_run *r)
{
    return ((r->done & r->member_kinds) == r->member_kinds || r->is_incremental) && !r->is_filtered;
}

static int tell_missing(struct resolving *x, enum kind kind, const struct missing_count *m, const char *what,
                        bool is_loss, const char *fix, struct err *e)
{
    if (!m->n) return 0;
    struct buf text = buf_new(256);
    buf_printf(&text, "%llu %s", (unsigned long long)m->n, what);
    struct gap g = {.kind = kind,
                    .severity = is_loss ? GAP_LOSS : GAP_INFO,
                    .what = buf_str(&text),
                    .where = buf_str(&m->examples),
                    .fix = str_from(fix)};
    int rc = write_gap(x->r, &g, e);
    buf_free(&text);
    return rc;
}

static int tell_all_missing(struct resolving *x, struct err *e)
{
    bool listed = everybody_was_listed(x->r);
    for (enum kind k = 1; k < KIND_COUNT; k++) {
        try(tell_missing(
            x, k, &x->inside[k], "members do not resolve", listed,
            listed ? "grant read access to these objects" : "they were not asked for in this run", e));
        try(tell_missing(x, k, &x->outside[k], "members do not resolve: they lie outside the listed base",
                         false, "list a wider base_dn, or add a connector for their domain", e));
    }
    return tell_missing(x, KIND_group, &x->primaries, "primary groups do not resolve",
                        (x->r->done & KIND_BIT(KIND_group) || x->r->is_incremental) && !x->r->is_filtered,
                        "allow the account to read these groups", e);
}

/* --- all of it -------------------------------------------------------------------------------- */

static int resolve_all(struct resolving *x, struct err *e)
{
    struct sqlite_run *r = x->r;
    try(roster_unknown(&r->roster, look_up, r, e));
    try(roster_lists(&r->roster, resolve_list, x, e));
    try(resolve_primaries(x, e));
    try(keep_gone(r, e));
    try(retry_missing(x, e));
    return tell_all_missing(x, e);
}

int members_resolve(struct sqlite_run *r, struct err *e)
{
    struct resolving x = {.r = r, .base = buf_new((size_t)1 << 20)};
    dn_normalize(&x.base, buf_str(&r->listed_base));
    int rc = resolve_all(&x, e);
    for (enum kind k = 1; k < KIND_COUNT; k++) {
        buf_free(&x.inside[k].examples);
        buf_free(&x.outside[k].examples);
    }
    buf_free(&x.primaries.examples);
    buf_free(&x.base);
    roster_free(&r->roster);
    return rc;
}
