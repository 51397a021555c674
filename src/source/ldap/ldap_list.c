#include "source/ldap/ldap_list.h"

#include "model/filetime.h"
#include "model/filter.h"
#include "model/sid.h"
#include "net/ldap_ber.h"
#include "source/ldap/ldap_entry.h"
#include "source/ldap/ldap_logons.h"

#include <stdio.h>
#include <stdlib.h>

#define PROGRESS_EVERY 128   /* entries between looks at the clock */
#define LOCKED_MAX     10000 /* asked for one by one; for more, the domain's policy has to do */

void tally_add(struct tally *t, struct str example)
{
    if (!t->n++) example_set(t->example, example);
}

/* --- one record ---------------------------------------------------------------------------------------- */

static const struct slot *present(const struct ldap_list *l, size_t i)
{
    return slot_is_present(&l->plan, i) ? &l->plan.slots[i] : NULL;
}

static bool take_guid(struct ldap_list *l, uint8_t guid[GUID_SIZE])
{
    static const uint8_t none[GUID_SIZE];
    const struct slot *s = present(l, l->plan.guid);
    struct bytes v;
    if (!s || !value_single(s->set, &v) || v.len != GUID_SIZE || memcmp(v.ptr, none, GUID_SIZE) == 0)
        return false;
    memcpy(guid, v.ptr, GUID_SIZE);
    return true;
}

static struct bytes take_sid(struct ldap_list *l, struct str dn)
{
    const struct slot *s = present(l, l->plan.sid);
    struct bytes v;
    if (!s || !s->set.len) return (struct bytes){NULL, 0};
    if (value_single(s->set, &v) && sid_is_valid(v)) return v;
    slot_note_bad(&l->plan.slots[l->plan.sid], dn, 1);
    return (struct bytes){NULL, 0};
}

/* Trusts the classes rather than the search; KIND_NONE: not asked for. The last set is remembered: few
 * differ. */
static enum kind take_kind(struct ldap_list *l)
{
    const struct slot *s = present(l, l->plan.object_class);
    if (!s) return l->plan.kind;
    if (!bytes_equal(buf_bytes(&l->classes), s->set)) {
        buf_clear(&l->classes);
        buf_add_bytes(&l->classes, s->set);
        l->classes_kind = ldap_kind_of_classes(s->set);
    }
    if (l->classes_kind == KIND_NONE) return l->plan.kind;
    return l->kinds & KIND_BIT(l->classes_kind) ? l->classes_kind : KIND_NONE;
}

static int take_sd(struct ldap_list *l, struct record *r, struct err *e)
{
    struct bytes v = {NULL, 0};
    if (!l->plan.wants_sd) return 0;
    const struct slot *s = present(l, l->plan.sd);
    if (s && value_single(s->set, &v)) try(emit_sd(l->s->m, v, &r->sd, e));
    if (r->sd) return 0;
    r->flags |= RECORD_NO_SD;
    tally_add(&l->no_sd, r->dn);
    return 0;
}

static struct dn_list take_dns(struct ldap_list *l, size_t at, struct buf *block, struct str dn)
{
    struct dn_list list = {0, {NULL, 0}};
    const struct slot *s = present(l, at);
    if (!s) return list;
    buf_clear(block);
    slot_note_bad(&l->plan.slots[at], dn, value_add_dns(block, &list.n, s->set));
    list.block = buf_bytes(block);
    return list;
}

/* The latest logon at any controller, in place of this one's. */
static void raise_last_logon(struct ldap_list *l, const uint8_t guid[GUID_SIZE])
{
    size_t at = ldap_plan_find(&l->plan, STR("lastLogon"), l->plan.n_slots);
    int64_t here = 0, there = ldap_logons_find(l->s->logons, guid);
    const struct slot *s = present(l, at);
    struct bytes v;
    char digits[24];
    if (at == l->plan.n_slots || !there) return;
    if (s && value_single(s->set, &v) && decimal_parse(&here, str_of(v)) && here >= there) return;
    int n = snprintf(digits, sizeof digits, "%lld", (long long)there);
    buf_clear(&l->logon);
    buf_add_byte(&l->logon, BER_OCTETS);
    buf_add_byte(&l->logon, (uint8_t)n);
    buf_add(&l->logon, digits, (size_t)n);
    l->plan.slots[at].stamp = l->plan.stamp;
    l->plan.slots[at].set = buf_bytes(&l->logon);
}

static void take_bodies(struct ldap_list *l, struct str dn)
{
    buf_clear(&l->state);
    buf_clear(&l->stats);
    for (size_t i = 0; i < l->plan.n_slots; i++) {
        struct slot *s = &l->plan.slots[i];
        if (s->stamp != l->plan.stamp || s->use > SLOT_STATS) continue;
        uint64_t n_bad = value_add(s->use == SLOT_STATS ? &l->stats : &l->state, &l->scratch, s);
        if (n_bad) slot_note_bad(s, dn, n_bad);
    }
}

/* A kind that was trusted to the classes may lack what the listing asked, and the other way round: members
 * are for groups. */
static void take_lists(struct ldap_list *l, struct record *r)
{
    if (r->kind == KIND_group) r->member = take_dns(l, l->plan.member, &l->members, r->dn);
    r->member_of = take_dns(l, l->plan.member_of, &l->member_of, r->dn);
}

int ldap_list_emit(struct ldap_list *l, struct str dn, bool more, uint8_t guid[GUID_SIZE], bool *sent,
                   struct err *e)
{
    struct record r = {.kind = take_kind(l), .dn = dn, .flags = more ? RECORD_MORE_MEMBERS : 0};
    *sent = false;
    if (r.kind == KIND_NONE) return 0;
    if (!take_guid(l, r.guid)) {
        tally_add(&l->no_guid, dn);
        return 0;
    }
    if (!dn.len || !str_is_utf8(dn) || memchr(dn.ptr, 0, dn.len)) {
        tally_add(&l->bad_dn, dn);
        return 0;
    }
    r.sid = take_sid(l, dn);
    if (l->s->logons) raise_last_logon(l, r.guid);
    take_bodies(l, dn);
    take_lists(l, &r);
    r.state = buf_bytes(&l->state);
    r.stats = buf_bytes(&l->stats);
    if (l->state.failed || l->stats.failed || l->members.failed || l->member_of.failed) {
        tally_add(&l->too_big, dn);
        return 0;
    }
    try(take_sd(l, &r, e));
    memcpy(guid, r.guid, GUID_SIZE);
    *sent = true;
    if (l->part && l->part->sent) l->part->sent(l->part->ctx, guid);
    seen_add(&l->seen, guid);
    return emit_record(l->s->m, &r, e);
}

/* --- the listing --------------------------------------------------------------------------------------- */

static bool is_partial(const struct ldap_list *l)
{
    for (size_t i = 0; i < l->plan.n_slots; i++) {
        const struct slot *s = present(l, i);
        if (s && s->is_ranged && !(s->range.first == 0 && s->range.is_final)) return true;
    }
    return false;
}

/* A fine-grained policy may lock for longer than the domain's; only the controller knows (MS-ADTS 3.1.1.4.5.17), and asking it of
 * everybody costs seven times the listing. */
static bool may_be_locked(struct ldap_list *l)
{
    const struct slot *s = l->plan.kind == KIND_user ? present(l, l->plan.lockout_time) : NULL;
    struct bytes v;
    return s && value_single(s->set, &v) && !str_equal(str_of(v), STR("0")) && l->n_locked++ < LOCKED_MAX;
}

/* The forest's level belongs to the domain's record, but is the root DSE's attribute. */
static void add_forest_level(struct ldap_list *l)
{
    size_t at = ldap_plan_find(&l->plan, STR("forestFunctionality"), l->plan.n_slots);
    if (at == l->plan.n_slots) return;
    l->plan.slots[at].stamp = l->plan.stamp;
    l->plan.slots[at].set = l->s->facts.forest_functionality;
}

/* Emitted already, before the listing started over. */
static bool is_known(struct ldap_list *l)
{
    uint8_t guid[GUID_SIZE];
    return l->seen.is_loaded && take_guid(l, guid) && seen_has(&l->seen, guid);
}

static int on_content(struct ldap_list *l, struct bytes content, struct err *e)
{
    struct str dn;
    uint8_t guid[GUID_SIZE];
    bool sent;
    try(ldap_entry_read(&l->plan, content, &dn, e));
    if (is_known(l)) return 0;
    l->received++;
    if (l->plan.kind == KIND_domain) add_forest_level(l);
    if (!is_partial(l) && !may_be_locked(l)) return ldap_list_emit(l, dn, false, guid, &sent, e);
    buf_add_lstr(&l->partial, bytes_of(dn));
    return l->partial.failed ? err_set(e, ERR_LIMIT, "too many entries came only in part") : 0;
}

static int on_entry(void *ctx, LDAP *ld, LDAPMessage *m, struct err *e)
{
    struct ldap_list *l = ctx;
    BerElement *hold;
    struct bytes content;
    try(ldap_entry_open(ld, m, &hold, &content, e));
    int rc = on_content(l, content, e);
    ber_free(hold, 0);
    if (rc == 0 && ++l->n_entries % PROGRESS_EVERY == 0)
        rc = emit_progress(l->s->m, l->plan.kind, l->received, l->s->stats.requests, l->s->stats.bytes, e);
    return rc;
}

static int on_reference(void *ctx, const char *url, struct err *e)
{
    return ldap_session_reference(((struct ldap_list *)ctx)->s, url, e);
}

static int run_search(struct ldap_list *l, struct err *e)
{
    struct ldap_search q = {
        .base = l->plan.base,
        .scope = l->plan.scope,
        .filter = l->part ? buf_cstr(&l->filter) : l->plan.filter,
        .attributes = l->plan.attributes,
        .sd_flags = l->plan.wants_sd,
        .page_size = l->plan.page_size,
    };
    try(ldap_conn_search(l->s->conn, &q, on_entry, on_reference, l, &l->s->stats, e));
    return ldap_list_partial(l, e);
}

/* --- what is missing ----------------------------------------------------------------------------------- */

static int tell(struct ldap_list *l, enum gap_severity severity, const char *what, const char *where,
                const char *fix, struct err *e)
{
    struct gap g = {l->plan.kind, severity, str_from(what), str_from(where ? where : ""),
                    str_from(fix ? fix : "")};
    return emit_gap(l->s->m, &g, e);
}

static int tell_tally(struct ldap_list *l, const struct tally *t, enum gap_severity severity,
                      const char *words, const char *fix, struct err *e)
{
    char what[256];
    if (!t->n) return 0;
    snprintf(what, sizeof what, "%llu %s", (unsigned long long)t->n, words);
    return tell(l, severity, what, t->example, fix, e);
}

static int tell_slots(struct ldap_list *l, struct err *e)
{
    char what[256];
    for (size_t i = 0; i < l->plan.n_slots; i++) {
        const struct slot *s = &l->plan.slots[i];
        if (!s->n_bad) continue;
        bool is_membership = s->use == SLOT_MEMBER || s->use == SLOT_MEMBER_OF;
        snprintf(what, sizeof what, "%llu values of %.*s are malformed and were left out",
                 (unsigned long long)s->n_bad, STR_FMT(s->name));
        try(tell(l, is_membership ? GAP_LOSS : GAP_INFO, what, s->example,
                 "look at the attribute of this object", e));
    }
    return 0;
}

static int tell_gaps(struct ldap_list *l, struct err *e)
{
    try(tell_slots(l, e));
    try(tell_tally(l, &l->no_sd, GAP_INFO, "security descriptors were not readable",
                   "give the account Read Permissions on these objects", e));
    try(tell_tally(l, &l->no_guid, GAP_LOSS, "entries have no valid objectGUID and were left out",
                   "give the account read access to these objects", e));
    try(tell_tally(l, &l->bad_dn, GAP_LOSS, "entries have a DN that is no text and were left out", NULL, e));
    try(tell_tally(l, &l->too_big, GAP_LOSS, "entries are too large and were left out", NULL, e));
    return tell_tally(l, &l->cut, GAP_LOSS,
                      "entries have many-valued attributes that could not be read to their end",
                      "run it again; if it persists, look at the controller's LDAP policy (MaxValRange)", e);
}

/* What the server says no to leaves this kind incomplete, and the others whole. */
static bool is_tolerable(const struct err *e)
{
    return ldap_is_answer(e) && (e->class == ERR_DENIED || e->class == ERR_NOTFOUND || e->class == ERR_LIMIT);
}

/* Whatever the search came to: what is missing. */
static int conclude(struct ldap_list *l, int rc, struct err *e)
{
    if (rc < 0) {
        if (!is_tolerable(e)) {
            err_wrap(e, "list %s", kind_plural(l->plan.kind));
            return l->s->is_lost ? e->class : err_wrap(e, "%s", ldap_session_host(l->s));
        }
        char what[sizeof e->message + 64];
        snprintf(what, sizeof what, "not all %s could be listed: %s", kind_plural(l->plan.kind), e->message);
        try(tell(l, GAP_LOSS, what, l->plan.base, e->hint, e));
    }
    return tell_gaps(l, e);
}

static int finish(struct ldap_list *l, int rc, struct err *e)
{
    try(conclude(l, rc, e));
    return emit_kind_done(l->s->m, l->plan.kind, rc == 0, l->received, e);
}

/* false: nothing of this kind is listed there. */
static bool narrow(struct ldap_list *l)
{
    const char *below = l->part->below;
    if (below && l->plan.scope == LDAP_SCOPE_BASE && !ldap_dn_is_below(l->plan.base, below)) return false;
    if (below && ldap_dn_is_below(below, l->plan.base))
        l->plan.base = below;
    else if (below && !ldap_dn_is_below(l->plan.base, below))
        return false;
    buf_add_str(&l->filter, STR("(&"));
    buf_add_str(&l->filter, str_from(l->plan.filter));
    buf_add_str(&l->filter, l->part->condition);
    buf_add_byte(&l->filter, ')');
    return true;
}

/* --- a controller lost on the way ------------------------------------------------------------------------ */

/* A fresh listing, on another connection: from its first page, without what has been emitted. What is counted of emitted
 * records stays; what was left out comes again. The plan borrows from the controller's facts, so it is made anew. */
static int start_over(struct ldap_list *l, struct err *e)
{
    struct slot *old = x_alloc(sizeof l->plan.slots);
    memcpy(old, l->plan.slots, sizeof l->plan.slots);
    l->received = l->seen.n;
    l->n_locked = 0;
    l->no_guid = l->bad_dn = l->too_big = (struct tally){0};
    buf_clear(&l->partial);
    buf_clear(&l->classes);
    l->classes_kind = KIND_NONE;
    int rc = ldap_plan_make(&l->plan, l->plan.kind, &l->s->set, l->s->facts.naming_context, e);
    for (size_t i = 0; rc == 0 && i < l->plan.n_slots; i++) {
        l->plan.slots[i].n_bad = old[i].n_bad;
        memcpy(l->plan.slots[i].example, old[i].example, sizeof old[i].example);
    }
    free(old);
    return rc < 0 ? rc : seen_load(&l->seen, e);
}

/* Complete only if one listing ran from its first page to its last on one connection. */
static int list_to_end(struct ldap_list *l, struct err *e)
{
    int rc = run_search(l, e);
    while (rc < 0 && ldap_session_recover(l->s, e) == 0) {
        try(start_over(l, e));
        rc = run_search(l, e);
    }
    if (rc == 0) ldap_session_proved(l->s);
    return rc;
}

static struct ldap_list *list_new(struct ldap_session *s, kind_set kinds)
{
    struct ldap_list *l = x_zalloc(sizeof *l);
    l->s = s;
    l->kinds = kinds;
    l->state = buf_new(FRAME_MAX);
    l->stats = buf_new(FRAME_MAX);
    l->members = buf_new(FRAME_MAX);
    l->member_of = buf_new(FRAME_MAX);
    l->classes = buf_new(65536);
    l->partial = buf_new(FRAME_MAX);
    l->filter = buf_new(FRAME_MAX);
    l->seen = seen_new();
    l->logon = buf_new(64);
    l->scratch = value_scratch_new();
    return l;
}

static void list_free(struct ldap_list *l)
{
    struct buf *all[] = {&l->state, &l->stats, &l->members, &l->member_of, &l->classes, &l->partial, &l->filter};
    for (size_t i = 0; i < n_elements(all); i++) buf_free(all[i]);
    value_scratch_free(&l->scratch);
    seen_free(&l->seen);
    buf_free(&l->logon);
    free(l);
}

int ldap_list_kind(struct ldap_session *s, enum kind kind, kind_set kinds, struct err *e)
{
    struct ldap_list *l = list_new(s, kinds);
    int rc = ldap_plan_make(&l->plan, kind, &s->set, s->facts.naming_context, e);
    if (rc == 0) rc = finish(l, list_to_end(l, e), e);
    list_free(l);
    return rc;
}

int ldap_list_part(struct ldap_session *s, enum kind kind, kind_set kinds, const struct ldap_part *part,
                   struct err *e)
{
    struct ldap_list *l = list_new(s, kinds);
    l->part = part;
    int rc = ldap_plan_make(&l->plan, kind, &s->set, s->facts.naming_context, e);
    if (rc == 0 && narrow(l)) rc = conclude(l, run_search(l, e), e);
    list_free(l);
    return rc;
}

int ldap_list_guids(struct ldap_session *s, enum kind kind, kind_set kinds, struct bytes guids,
                    const struct ldap_part *part, struct err *e)
{
    struct ldap_part narrowed = *part;
    struct buf condition = buf_new(CONDITION_MAX);
    struct cursor c = cursor_new(guids);
    int rc = 0;
    while (rc == 0 && c.in.len && !c.failed) {
        buf_clear(&condition);
        buf_add_str(&condition, STR("(|"));
        for (unsigned i = 0; i < CONDITION_VALUES && c.in.len; i++)
            filter_equal(&condition, STR("objectGUID"), cursor_bytes(&c, GUID_SIZE));
        buf_add_byte(&condition, ')');
        narrowed.condition = buf_str(&condition);
        rc = ldap_list_part(s, kind, kinds, &narrowed, e);
    }
    buf_free(&condition);
    return rc;
}
