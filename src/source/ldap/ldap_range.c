/* ldap_range.c - entries whose many-valued attributes came only in part: read again, range by range.
 *
 * They are read after the listing, not in the middle of it: no page of it is under way then that would have
 * to be kept in memory. All ranges are there before the record leaves: RECORD and MEMBERS frames stay together, and a lost
 * controller cannot leave half a group behind. Each range must begin where the last one
 * ended and hold what it says; a server that loops or skips gets this one entity cut, not the run.
 */
#include "base/file.h"
#include "net/ldap_ber.h"
#include "source/ldap/ldap_entry.h"
#include "source/ldap/ldap_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define GATHERED_MAX ((size_t)32 << 20)   /* bytes of one attribute other than member */
#define MEMBERS_MAX  ((uint64_t)20000000) /* of one group */

struct reread {
    struct ldap_list *l;
    const char *dn;       /* NUL-terminated */
    struct fetched whole; /* the entry */
    struct buf *gathered; /* one per slot that was continued */
    size_t n_gathered;
    int fd; /* unlinked: members beyond the first range, parts of head and block; -1 none */
    uint64_t n_parts;
};

struct part_head {
    uint32_t n, len;
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

/* --- members: put aside first, since the connection may be lost on the way ------------------------------- */

static int put_part(struct reread *r, struct bytes set, struct err *e)
{
    struct ldap_list *l = r->l;
    struct slot *s = &l->plan.slots[l->plan.member];
    uint32_t n = 0;
    buf_clear(&l->members);
    buf_add_u32le(&l->members, 0); /* for n and the length */
    buf_add_u32le(&l->members, 0);
    slot_note_bad(s, str_from(r->dn), value_add_dns(&l->members, &n, set));
    if (l->members.failed) return err_set(e, ERR_LIMIT, "%s: a range of members is too large", r->dn);
    struct part_head head = {n, (uint32_t)(l->members.len - sizeof head)};
    memcpy(l->members.ptr, &head, sizeof head);
    if (r->fd < 0) try(file_spill(&r->fd, e));
    r->n_parts++;
    return file_spill_write(r->fd, buf_bytes(&l->members), e);
}

/* 1: to the end; 0: cut. */
static int put_members(struct reread *r, struct err *e)
{
    const struct slot *s = &r->l->plan.slots[r->l->plan.member];
    struct range range = s->range;
    while (range.last < MEMBERS_MAX) {
        struct fetched f;
        struct bytes set;
        int rc = fetch_range(r, s, range.last + 1, &f, &range, &set, e);
        if (rc <= 0) return rc;
        rc = put_part(r, set, e);
        fetched_free(&f);
        if (rc < 0) return rc;
        if (range.is_final) return 1;
    }
    return 0;
}

static int read_whole(int fd, void *to, size_t len, off_t *at, struct err *e)
{
    for (size_t got = 0; got < len;) {
        ssize_t n = pread(fd, (uint8_t *)to + got, len - got, *at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return err_errno(e, ERR_LIMIT, n ? errno : EIO, "temporary file");
        got += (size_t)n;
        *at += n;
    }
    return 0;
}

static int send_members(struct reread *r, const uint8_t guid[GUID_SIZE], struct err *e)
{
    struct ldap_list *l = r->l;
    off_t at = 0;
    for (uint64_t i = 0; i < r->n_parts; i++) {
        struct part_head head;
        struct members_part part = {.more = i + 1 < r->n_parts};
        try(read_whole(r->fd, &head, sizeof head, &at, e));
        buf_clear(&l->members);
        uint8_t *to = buf_reserve(&l->members, head.len);
        if (!to) return err_set(e, ERR_BUG, "temporary file: a part of %u bytes", head.len);
        try(read_whole(r->fd, to, head.len, &at, e));
        buf_advance(&l->members, head.len);
        memcpy(part.guid, guid, GUID_SIZE);
        part.list = (struct dn_list){head.n, buf_bytes(&l->members)};
        try(emit_members(l->s->m, &part, e));
    }
    return 0;
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
    if (more) {
        int rc = put_members(r, e);
        if (rc < 0) return rc;
        is_whole = is_whole && rc;
    }
    try(ldap_list_emit(l, dn, r->n_parts > 0, guid, &sent, e));
    if (sent) try(send_members(r, guid, e));
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
    if (r->fd >= 0) close(r->fd);
    return rc;
}

int ldap_list_partial(struct ldap_list *l, struct err *e)
{
    struct cursor c = cursor_new(buf_bytes(&l->partial));
    while (c.in.len) {
        struct bytes dn = cursor_lstr(&c);
        struct reread r = {.l = l, .fd = -1};
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
