/* ldap_range.c - entries whose many-valued attributes came only in part: read again, range by range.
 *
 * They are read after the listing, not in the middle of it: no page of it is under way then that would have
 * to be kept in memory, and RECORD and MEMBERS frames stay together. Each range must begin where the last one
 * ended and hold what it says; a server that loops or skips gets this one entity cut, not the run.
 */
#include "net/ldap_ber.h"
#include "source/ldap/ldap_entry.h"
#include "source/ldap/ldap_list.h"

#include <stdio.h>
#include <stdlib.h>

#define GATHERED_MAX ((size_t)32 << 20)   /* bytes of one attribute other than member */
#define MEMBERS_MAX  ((uint64_t)20000000) /* of one group */

struct reread {
    struct ldap_list *l;
    const char *dn;       /* NUL-terminated */
    struct fetched whole; /* the entry */
    struct buf *gathered; /* one per slot that was continued */
    size_t n_gathered;
};

/* --- one range ----------------------------------------------------------------------------------------- */

static const struct fetched_attribute *find_range(const struct fetched *f, struct str name,
                                                  struct range *range)
{
    for (size_t i = 0; i < f->n_attributes; i++) {
        struct str full = f->attributes[i].name;
        size_t semicolon = str_index(full, ';');
        if (semicolon == full.len || !str_equal_nocase((struct str){full.ptr, semicolon}, name)) continue;
        if (ldap_range_parse(range, (struct str){full.ptr + semicolon, full.len - semicolon}))
            return &f->attributes[i];
    }
    return NULL;
}

/* Values from `first` on. 1: got them (in *set, of *f); 0: the answer makes no sense; negative: the
 * connection. */
static int fetch_range(struct reread *r, const struct slot *s, uint64_t first, struct fetched *f,
                       struct range *range, struct bytes *set, struct err *e)
{
    char name[256];
    snprintf(name, sizeof name, "%.*s;range=%llu-*", STR_FMT(s->name), (unsigned long long)first);
    const char *attributes[] = {name, NULL};
    struct ldap_search q = {
        .base = r->dn, .scope = LDAP_SCOPE_BASE, .filter = "(objectClass=*)", .attributes = attributes};
    int rc = ldap_fetch(f, r->l->s->conn, &q, &r->l->s->stats, e);
    if (rc < 0) return ldap_is_answer(e) ? 0 : rc;
    const struct fetched_attribute *a = find_range(f, s->name, range);
    if (a && ldap_range_is_sound(range, a->set, first)) {
        *set = a->set;
        return 1;
    }
    fetched_free(f);
    return 0;
}

/* --- attributes that are gathered whole ---------------------------------------------------------------- */

/* 1: whole; 0: cut. */
static int gather(struct reread *r, struct slot *s, struct err *e)
{
    struct buf *all = &r->gathered[r->n_gathered++];
    struct range range = s->range;
    struct bytes set = s->set;
    *all = buf_new(GATHERED_MAX);
    bool is_whole = ldap_range_is_sound(&range, set, 0);
    buf_add_bytes(all, set);
    while (is_whole && !range.is_final && !all->failed) {
        struct fetched f;
        int rc = fetch_range(r, s, range.last + 1, &f, &range, &set, e);
        if (rc < 0) return rc;
        is_whole = rc > 0;
        if (!is_whole) break;
        buf_add_bytes(all, set);
        fetched_free(&f);
    }
    s->set = buf_bytes(all);
    return is_whole && !all->failed;
}

static int gather_all(struct reread *r, struct err *e)
{
    struct ldap_plan *p = &r->l->plan;
    bool is_whole = true;
    r->gathered = x_zalloc(p->n_slots * sizeof *r->gathered);
    for (size_t i = 0; i < p->n_slots; i++) {
        struct slot *s = &p->slots[i];
        if (!slot_is_present(p, i) || !s->is_ranged || s->use == SLOT_MEMBER) continue;
        int rc = gather(r, s, e);
        if (rc < 0) return rc;
        is_whole = is_whole && rc;
    }
    return is_whole;
}

/* --- members, streamed --------------------------------------------------------------------------------- */

static int send_part(struct reread *r, const uint8_t guid[GUID_SIZE], struct bytes set, bool more,
                     struct err *e)
{
    struct ldap_list *l = r->l;
    struct slot *s = &l->plan.slots[l->plan.member];
    struct members_part part = {.more = more};
    memcpy(part.guid, guid, GUID_SIZE);
    buf_clear(&l->members);
    slot_note_bad(s, str_from(r->dn), value_add_dns(&l->members, &part.list.n, set));
    if (l->members.failed) return err_set(e, ERR_LIMIT, "%s: a range of members is too large", r->dn);
    part.list.block = buf_bytes(&l->members);
    return emit_members(l->s->m, &part, e);
}

/* 1: to the end; 0: cut. A last part is sent in any case. */
static int stream_members(struct reread *r, const uint8_t guid[GUID_SIZE], struct err *e)
{
    const struct slot *s = &r->l->plan.slots[r->l->plan.member];
    struct range range = s->range;
    while (range.last < MEMBERS_MAX) {
        struct fetched f;
        struct bytes set;
        int rc = fetch_range(r, s, range.last + 1, &f, &range, &set, e);
        if (rc < 0) return rc;
        if (rc == 0) break;
        rc = send_part(r, guid, set, !range.is_final, e);
        fetched_free(&f);
        if (rc < 0) return rc;
        if (range.is_final) return 1;
    }
    return send_part(r, guid, (struct bytes){NULL, 0}, false, e);
}

/* --- one entry again ----------------------------------------------------------------------------------- */

static bool members_follow(const struct ldap_list *l)
{
    const struct slot *s = &l->plan.slots[l->plan.member];
    return slot_is_present(&l->plan, l->plan.member) && s->is_ranged && !s->range.is_final &&
           ldap_range_is_sound(&s->range, s->set, 0);
}

static int emit_whole(struct reread *r, struct err *e)
{
    struct ldap_list *l = r->l;
    uint8_t guid[GUID_SIZE];
    bool sent;
    struct str dn;
    try(ldap_entry_read(&l->plan, buf_bytes(&r->whole.content), &dn, e));
    int is_whole = gather_all(r, e);
    if (is_whole < 0) return is_whole;
    const struct slot *member = &l->plan.slots[l->plan.member];
    bool more = members_follow(l);
    if (slot_is_present(&l->plan, l->plan.member) && member->is_ranged && !more &&
        !ldap_range_is_sound(&member->range, member->set, 0))
        is_whole = 0;
    try(ldap_list_emit(l, dn, more, guid, &sent, e));
    if (sent && more) {
        int rc = stream_members(r, guid, e);
        if (rc < 0) return rc;
        is_whole = is_whole && rc;
    }
    if (!is_whole) tally_add(&l->cut, dn);
    return 0;
}

/* What the listing asked, and what is too costly to ask of everybody. */
static void attributes_again(const char **out, const struct ldap_plan *p)
{
    size_t n = 0;
    for (; p->attributes[n]; n++) out[n] = p->attributes[n];
    if (p->kind == KIND_user) out[n++] = attr_get(ATTR_UAC_COMPUTED)->name;
    out[n] = NULL;
}

static int read_again(struct reread *r, struct err *e)
{
    const struct ldap_plan *p = &r->l->plan;
    const char *attributes[PLAN_SLOTS_MAX + 2];
    attributes_again(attributes, p);
    struct ldap_search q = {.base = r->dn,
                            .scope = LDAP_SCOPE_BASE,
                            .filter = p->filter,
                            .attributes = attributes,
                            .sd_flags = p->wants_sd};
    int rc = ldap_fetch(&r->whole, r->l->s->conn, &q, &r->l->s->stats, e);
    if (rc < 0 && ldap_is_answer(e)) { /* gone or renamed since the listing: not seen this time */
        if (e->class != ERR_NOTFOUND) tally_add(&r->l->cut, str_from(r->dn));
        return 0;
    }
    if (rc < 0) return rc;
    rc = r->whole.n_entries ? emit_whole(r, e) : 0;
    fetched_free(&r->whole);
    for (size_t i = 0; i < r->n_gathered; i++) buf_free(&r->gathered[i]);
    free(r->gathered);
    return rc;
}

int ldap_list_partial(struct ldap_list *l, struct err *e)
{
    struct cursor c = cursor_new(buf_bytes(&l->partial));
    while (c.in.len) {
        struct bytes dn = cursor_lstr(&c);
        struct reread r = {.l = l};
        char *text defer_free = x_strdup(str_of(dn));
        r.dn = text;
        if (memchr(dn.ptr, 0, dn.len))
            tally_add(&l->bad_dn, str_of(dn));
        else if (read_again(&r, e) < 0)
            return err_wrap(e, "%s", r.dn);
        /* not between the ranges of one entry: nothing may come between a RECORD and its MEMBERS */
        try(emit_progress(l->s->m, l->plan.kind, l->received, l->s->stats.requests, l->s->stats.bytes, e));
    }
    return 0;
}
