#include "run/names.h"

#include "base/arena.h"
#include "base/hash.h"
#include "model/dn.h"
#include "model/sid.h"
#include "base/tape.h"
#include "run/memberships.h"

#include <stdlib.h>

#define NO_LIMIT SIZE_MAX

/* DN hash -> kind, RID and place of the names, 16 bytes a slot, 20 with the room to grow. 56 bits of a keyed hash are the key: among a
 * million names two share one with probability 10^-5, and nobody can choose them. */
struct member {
    uint64_t key;  /* kind in the top byte, 0: free */
    uint32_t rid;  /* or, with MEMBER_OTHER set in the kind byte, an index into others */
    uint32_t text; /* place on the tape of names, in words; 0: none */
};
struct members {
    struct member *slots;
    size_t n_slots, n_used;
};
#define MEMBER_PARTS 16u /* by the hash's top bits: each grows by itself, so growing never needs twice the memory */
#define MEMBER_OTHER 0x80u
#define MEMBER_HASH  (((uint64_t)1 << 56) - 1)

/* Names of everybody are on a tape, few are ever asked for (managers): u8 form . u8 length . name [. u8 length . principal],
 * padded to words. The ones read last are kept: many have the same manager. */
#define TEXT_WORD   ((size_t)8)
#define TEXT_MAX    ((size_t)520)
#define TEXTS_CACHED 256u
enum text_form { TEXT_NAME_ONLY = 1, TEXT_NAME_AT_DOMAIN = 2, TEXT_BOTH = 3 };
struct text {
    uint32_t place;
    uint8_t bytes[TEXT_MAX];
};

struct other { /* a SID outside the domain, or none */
    uint8_t guid[GUID_SIZE];
    uint8_t sid_len, sid[SID_MAX];
};

struct ref_list {
    struct ref *list;
    size_t n, cap;
};

struct names {
    struct hmap hidden_groups; /* DN of a member of a directly privileged group -> privilege bits */
    struct arena text;
    struct hmap places_by_dn, groups_by_dn, groups_by_rid;
    struct ref_list places, groups;
    unsigned *privileges;      /* of groups, by their index */
    struct dn_list *parents;   /* of groups: their member_of, in text */
    size_t parents_cap;
    bool has_forward_links; /* only the groups say who is a member: */
    struct memberships memberships;
    struct members members[MEMBER_PARTS];
    struct other *others;
    size_t n_others, others_cap;
    uint8_t domain_sid[SID_MAX];
    size_t domain_sid_len;
    uint8_t member_sid[SID_MAX];
    struct tape texts;
    struct text *cached; /* by place modulo TEXTS_CACHED */
    struct ref *found; /* of names_groups_of */
    size_t found_cap;
    struct str dns_name;
    struct buf form; /* comparison form */
};

struct names *names_new(void)
{
    struct names *n = x_zalloc(sizeof *n);
    n->text = arena_new(NO_LIMIT);
    n->texts = tape_new();
    n->memberships = memberships_new();
    n->cached = x_zalloc(TEXTS_CACHED * sizeof *n->cached);
    n->form = buf_new((size_t)1 << 20);
    return n;
}

void names_free(struct names *n)
{
    if (!n) return;
    arena_free(&n->text);
    hmap_free(&n->hidden_groups);
    hmap_free(&n->places_by_dn);
    hmap_free(&n->groups_by_dn);
    hmap_free(&n->groups_by_rid);
    free(n->places.list);
    free(n->groups.list);
    free(n->privileges);
    free(n->parents);
    for (size_t i = 0; i < MEMBER_PARTS; i++) free(n->members[i].slots);
    tape_free(&n->texts);
    memberships_free(&n->memberships);
    free(n->cached);
    free(n->others);
    free(n->found);
    buf_free(&n->form);
    free(n);
}

void names_domain(struct names *n, struct bytes domain_sid, struct str dns_name)
{
    n->dns_name = arena_str(&n->text, dns_name);
    n->domain_sid_len = domain_sid.len <= SID_MAX - 4 ? domain_sid.len : 0;
    if (n->domain_sid_len) memcpy(n->domain_sid, domain_sid.ptr, n->domain_sid_len);
}

void names_forward_links(struct names *n)
{
    n->has_forward_links = true;
}

static struct bytes domain_of(const struct names *n)
{
    return (struct bytes){n->domain_sid, n->domain_sid_len};
}

/* --- hashes of DNs ------------------------------------------------------------------------------------- */

static struct hash128 raw_hash(struct str dn)
{
    return hash128_fast(bytes_of(dn));
}

static struct hash128 form_hash(struct names *n, struct str dn)
{
    buf_clear(&n->form);
    dn_normalize(&n->form, dn);
    return hash128_fast(buf_bytes(&n->form));
}

/* Hashed: a map takes its keys' bits as they are, and RIDs are small numbers that follow each other. */
static struct hash128 rid_hash(uint32_t rid)
{
    return hash128_fast((struct bytes){(const uint8_t *)&rid, sizeof rid});
}

static void put_dn(struct names *n, struct hmap *m, struct str dn, uint32_t value)
{
    bool is_new;
    uint32_t *at = hmap_put(m, raw_hash(dn), &is_new);
    if (is_new) *at = value;
    at = hmap_put(m, form_hash(n, dn), &is_new);
    if (is_new) *at = value;
}

static const uint32_t *find_dn(const struct names *n, const struct hmap *m, struct str dn)
{
    const uint32_t *at = hmap_find(m, raw_hash(dn));
    return at || !m->n_used ? at : hmap_find(m, form_hash((struct names *)n, dn));
}

/* --- groups and places ----------------------------------------------------------------------------------- */

static uint32_t list_add(struct ref_list *l, const struct ref *r)
{
    GROW(l->list, l->n, l->cap, 256);
    l->list[l->n] = *r;
    return (uint32_t)l->n++;
}

static void add_tenant_facts(struct names *n, const struct record_index *x, struct ref *r)
{
    struct str s;
    r->group_type = r->kind == KIND_group ? derive_tenant_group_type(x) : 0;
    if (record_str(x, ATTR_ROLE_TEMPLATE_ID, &s)) r->template_id = arena_str(&n->text, s);
    if (record_str(x, ATTR_DIRECTORY_SCOPE_ID, &s)) r->scope = arena_str(&n->text, s);
    if (record_str(x, ATTR_ASSIGNMENT_TYPE, &s)) r->assignment = arena_str(&n->text, s);
}

static struct ref make_ref(struct names *n, const struct record_index *x)
{
    struct ref r = {.kind = x->record->kind};
    struct str s = record_name(x);
    memcpy(r.guid, x->record->guid, GUID_SIZE);
    r.sid = arena_bytes(&n->text, x->record->sid);
    r.dn = arena_str(&n->text, x->record->dn);
    r.name = arena_str(&n->text, s);
    r.principal = r.name;
    if (record_str(x, ATTR_USER_PRINCIPAL_NAME, &s) && s.len) r.principal = arena_str(&n->text, s);
    if (kind_has_members(r.kind) && record_str(x, ATTR_DESCRIPTION, &s)) r.description = arena_str(&n->text, s);
    record_int(x, ATTR_GROUP_TYPE, &r.group_type);
    if (n->has_forward_links) add_tenant_facts(n, x, &r);
    return r;
}

/* A group that the account may not see is still named twice: by the privileged group it is a member of, and by its own
 * members' memberOf. */
static void note_members(struct names *n, const struct record *group, unsigned bits)
{
    struct dn_list rest = group->member;
    struct str dn;
    bool is_new;
    while (bits && dn_list_next(&rest, &dn)) *hmap_put(&n->hidden_groups, raw_hash(dn), &is_new) |= bits;
}

static unsigned own_privileges(const struct names *n, const struct record_index *x, const struct ref *r)
{
    return r->kind == KIND_role ? derive_role(x) : derive_privileged_group(r->sid, domain_of(n));
}

static int add_group(struct names *n, const struct record_index *x, struct err *e)
{
    struct ref r = make_ref(n, x);
    uint32_t i = list_add(&n->groups, &r);
    if (n->groups.cap != n->parents_cap) {
        n->parents_cap = n->groups.cap;
        n->parents = x_realloc(n->parents, n->parents_cap * sizeof *n->parents);
        n->privileges = x_realloc(n->privileges, n->parents_cap * sizeof *n->privileges);
    }
    n->parents[i] = (struct dn_list){x->record->member_of.n, arena_bytes(&n->text, x->record->member_of.block)};
    n->privileges[i] = own_privileges(n, x, &r);
    put_dn(n, &n->groups_by_dn, r.dn, i);
    note_members(n, x->record, n->privileges[i]);
    if (sid_is_in_domain(r.sid, domain_of(n))) {
        bool is_new;
        *hmap_put(&n->groups_by_rid, rid_hash(sid_rid(r.sid)), &is_new) = i;
    }
    return n->has_forward_links ? memberships_add(&n->memberships, i, x->record->member, e) : 0;
}

int names_add_members(struct names *n, struct dn_list part, struct err *e)
{
    if (!n->has_forward_links) return 0;
    if (!n->groups.n) return err_set(e, ERR_PROTO, "members without their group");
    return memberships_add(&n->memberships, (uint32_t)n->groups.n - 1, part, e);
}

static void add_place(struct names *n, const struct record_index *x)
{
    struct ref r = make_ref(n, x);
    put_dn(n, &n->places_by_dn, r.dn, list_add(&n->places, &r));
}

/* A distribution group is in nobody's token (MS-ADTS 2.2.12): what it is a member of gives its members nothing. */
static bool inherit_privileges(struct names *n, size_t i)
{
    if (!group_type_is_security(n->groups.list[i].group_type)) return false;
    unsigned bits = n->privileges[i];
    struct dn_list rest = n->parents[i];
    struct str dn;
    while (dn_list_next(&rest, &dn)) {
        const uint32_t *parent = find_dn(n, &n->groups_by_dn, dn);
        if (parent) bits |= n->privileges[*parent];
    }
    if (bits == n->privileges[i]) return false;
    n->privileges[i] = bits;
    return true;
}

static void spread_privileges(struct names *n)
{
    bool again = n->groups.n > 0; /* bits only grow, so cycles end */
    while (again) {
        again = false;
        for (size_t i = 0; i < n->groups.n; i++)
            if (inherit_privileges(n, i)) again = true;
    }
}

/* --- the same where only the groups say it --- */

/* The groups that are members of something: group, n, and n places in the list of groups. */
static int gather_nested(struct names *n, struct buf *out, struct err *e)
{
    for (size_t i = 0; i < n->groups.n; i++) {
        const uint32_t *in;
        size_t k;
        try(memberships_of(&n->memberships, n->groups.list[i].dn, &in, &k, e));
        if (!k) continue;
        buf_add_u32le(out, (uint32_t)i);
        buf_add_u32le(out, (uint32_t)k);
        for (size_t j = 0; j < k; j++) buf_add_u32le(out, in[j]);
    }
    return out->failed ? err_set(e, ERR_LIMIT, "too many groups are members of groups") : 0;
}

/* An administrative unit gives its members nothing. */
static bool pass_on(struct names *n, struct bytes nested)
{
    struct cursor c = cursor_new(nested);
    bool has_changed = false;
    while (c.in.len && !c.failed) {
        uint32_t i = cursor_u32le(&c), k = cursor_u32le(&c);
        unsigned bits = n->privileges[i];
        while (k--) {
            uint32_t in = cursor_u32le(&c);
            if (n->groups.list[in].kind != KIND_administrative_unit) bits |= n->privileges[in];
        }
        has_changed |= bits != n->privileges[i];
        n->privileges[i] = bits;
    }
    return has_changed;
}

static int complete_forward(struct names *n, struct err *e)
{
    struct buf nested = buf_new((size_t)1 << 30);
    int rc = memberships_complete(&n->memberships, e);
    if (rc == 0) rc = gather_nested(n, &nested, e);
    while (rc == 0 && pass_on(n, buf_bytes(&nested))) continue;
    buf_free(&nested);
    return rc;
}

int names_groups_complete(struct names *n, struct err *e)
{
    if (n->has_forward_links) return complete_forward(n, e);
    spread_privileges(n);
    return 0;
}

void names_prepare_groups(struct names *n, void (*prepare)(void *ctx, const struct ref *group, struct buf *out), void *ctx)
{
    struct buf b = buf_new((size_t)1 << 20);
    for (size_t i = 0; i < n->groups.n; i++) {
        if (n->groups.list[i].kind != KIND_group) continue;
        buf_clear(&b);
        prepare(ctx, &n->groups.list[i], &b);
        if (!b.failed && b.len) n->groups.list[i].prepared = arena_str(&n->text, buf_str(&b));
    }
    buf_free(&b);
}

const struct ref *names_group(const struct names *n, struct str dn)
{
    const uint32_t *i = find_dn(n, &n->groups_by_dn, dn);
    return i ? &n->groups.list[*i] : NULL;
}

const struct ref *names_parent(const struct names *n, struct str dn)
{
    struct str parent = dn_parent(dn);
    const uint32_t *i = parent.len ? find_dn(n, &n->places_by_dn, parent) : NULL;
    return i ? &n->places.list[*i] : NULL;
}

static const uint32_t *primary_group(const struct names *n, const struct record_index *x)
{
    int64_t rid;
    if (!record_int(x, ATTR_PRIMARY_GROUP_ID, &rid) || rid < 0 || rid > UINT32_MAX) return NULL;
    return hmap_find(&n->groups_by_rid, rid_hash((uint32_t)rid));
}

static void found_put(struct names *n, size_t at, const struct ref *r, const char *via)
{
    GROW(n->found, at, n->found_cap, 32);
    n->found[at] = *r;
    n->found[at].via = via;
}

/* A group that is not among the listed ones: another domain's, or not visible. Its name is the RDN's value. */
static struct ref unlisted_group(struct str dn)
{
    struct ref r = {.kind = KIND_group, .dn = dn};
    struct str attribute, rest;
    if (!dn_split(dn, &attribute, &r.name, &rest)) r.name = dn;
    r.principal = r.name;
    return r;
}

static int forward_groups_of(struct names *n, const struct record_index *x, struct group_refs *out, struct err *e)
{
    const uint32_t *in;
    size_t k;
    *out = (struct group_refs){.n = 0};
    try(memberships_of(&n->memberships, x->record->dn, &in, &k, e));
    for (size_t i = 0; i < k; i++) {
        const struct ref *group = &n->groups.list[in[i]];
        if (group->kind != KIND_administrative_unit) out->privileges |= n->privileges[in[i]];
        found_put(n, i, group, "member");
    }
    out->list = n->found;
    out->n = k;
    return 0;
}

int names_groups_of(struct names *n, const struct record_index *x, struct group_refs *out, struct err *e)
{
    if (n->has_forward_links) return forward_groups_of(n, x, out, e);
    size_t k = 0;
    unsigned bits;
    const char *via = x->record->kind == KIND_foreign_principal ? "foreign" : "member";
    const uint32_t *i = primary_group(n, x), *hidden;
    bits = i ? n->privileges[*i] : 0;
    if (i) found_put(n, k++, &n->groups.list[*i], "primary_group");
    struct dn_list rest = x->record->member_of;
    struct str dn;
    while (dn_list_next(&rest, &dn)) {
        if ((i = find_dn(n, &n->groups_by_dn, dn))) {
            bits |= n->privileges[*i];
            found_put(n, k++, &n->groups.list[*i], via);
            continue;
        }
        if ((hidden = hmap_find(&n->hidden_groups, raw_hash(dn)))) bits |= *hidden;
        struct ref unlisted = unlisted_group(dn);
        found_put(n, k++, &unlisted, via);
    }
    *out = (struct group_refs){n->found, k, bits};
    return 0;
}

/* --- everybody ---------------------------------------------------------------------------------------------- */

static struct member *member_slot(const struct members *m, uint64_t hash)
{
    size_t i = (size_t)(((unsigned __int128)(hash << 12) * m->n_slots) >> 64);
    while (m->slots[i].key && (m->slots[i].key & MEMBER_HASH) != hash) i = i + 1 == m->n_slots ? 0 : i + 1;
    return &m->slots[i];
}

static uint32_t member_part(uint64_t hash)
{
    return (uint32_t)(hash >> 52);
}

static void members_grow(struct members *m)
{
    struct members old = *m;
    m->n_slots = old.n_slots ? old.n_slots + old.n_slots / 8 : 64;
    m->slots = x_zalloc(m->n_slots * sizeof *m->slots);
    for (size_t i = 0; i < old.n_slots; i++)
        if (old.slots[i].key) *member_slot(m, old.slots[i].key & MEMBER_HASH) = old.slots[i];
    free(old.slots);
}

static uint32_t add_other(struct names *n, const struct record *r)
{
    GROW(n->others, n->n_others, n->others_cap, 64);
    struct other *o = &n->others[n->n_others];
    memcpy(o->guid, r->guid, GUID_SIZE);
    o->sid_len = (uint8_t)(r->sid.len <= SID_MAX ? r->sid.len : 0);
    if (o->sid_len) memcpy(o->sid, r->sid.ptr, o->sid_len);
    return (uint32_t)n->n_others++;
}

static bool is_name_at_domain(struct str principal, struct str name, struct str dns_name)
{
    return principal.len == name.len + 1 + dns_name.len && principal.ptr[name.len] == '@' && str_starts(principal, name) &&
           str_equal((struct str){principal.ptr + name.len + 1, dns_name.len}, dns_name);
}

/* Names over 255 bytes are cut: they are for people, and the DN says the rest. *place stays 0 when the tape is full (32 GiB). */
static int tape_names(struct names *n, const struct record_index *x, uint32_t *place, struct err *e)
{
    static const uint8_t zeros[TEXT_WORD];
    struct str name = record_name(x), principal = {"", 0};
    uint64_t at = tape_length(&n->texts);
    if (!at) try(tape_add(&n->texts, (struct bytes){zeros, TEXT_WORD}, e)); /* place 0 means none */
    at = tape_length(&n->texts);
    if (at / TEXT_WORD > UINT32_MAX) return 0;
    record_str(x, ATTR_USER_PRINCIPAL_NAME, &principal);
    if (name.len > 255) name.len = 255;
    enum text_form form = !principal.len || principal.len > 255 ? TEXT_NAME_ONLY
                          : is_name_at_domain(principal, name, n->dns_name) ? TEXT_NAME_AT_DOMAIN
                                                                            : TEXT_BOTH;
    uint8_t space[TEXT_MAX + 1]; /* a buf keeps room for a NUL */
    struct buf b = {.ptr = space, .cap = sizeof space, .max = TEXT_MAX};
    buf_add_byte(&b, (uint8_t)form);
    buf_add_byte(&b, (uint8_t)name.len);
    buf_add_str(&b, name);
    if (form == TEXT_BOTH) {
        buf_add_byte(&b, (uint8_t)principal.len);
        buf_add_str(&b, principal);
    }
    if (b.len % TEXT_WORD) buf_add(&b, zeros, TEXT_WORD - b.len % TEXT_WORD);
    *place = (uint32_t)(at / TEXT_WORD);
    return tape_add(&n->texts, buf_bytes(&b), e);
}

static int add_member(struct names *n, const struct record_index *x, struct err *e)
{
    const struct record *r = x->record;
    uint64_t hash = raw_hash(r->dn).lo & MEMBER_HASH;
    struct members *m = &n->members[member_part(hash)];
    if (m->n_used + 1 > m->n_slots * 85 / 100) members_grow(m);
    struct member *slot = member_slot(m, hash);
    if (slot->key) return 0;
    bool in_domain = sid_is_in_domain(r->sid, domain_of(n)), is_id = n->has_forward_links;
    uint64_t kind = (uint64_t)r->kind | (in_domain || is_id ? 0 : MEMBER_OTHER);
    *slot = (struct member){.key = hash | kind << 56, .rid = is_id ? 0 : in_domain ? sid_rid(r->sid) : add_other(n, r)};
    m->n_used++;
    return kind_has_members(r->kind) ? 0 : tape_names(n, x, &slot->text, e);
}

/* What identifies it. */
static void fill_ids(struct names *n, const struct member *m, struct str dn, struct ref *out)
{
    uint64_t kind = m->key >> 56;
    *out = (struct ref){.kind = (enum kind)(kind & ~(uint64_t)MEMBER_OTHER)};
    if (n->has_forward_links) {
        if (!guid_parse(out->guid, dn)) memset(out->guid, 0, GUID_SIZE);
        return;
    }
    if (kind & MEMBER_OTHER) {
        memcpy(out->guid, n->others[m->rid].guid, GUID_SIZE);
        out->sid = (struct bytes){n->others[m->rid].sid, n->others[m->rid].sid_len};
        return;
    }
    memcpy(n->member_sid, n->domain_sid, n->domain_sid_len);
    n->member_sid[1]++; /* one sub-authority more */
    for (unsigned i = 0; i < 4; i++) n->member_sid[n->domain_sid_len + i] = (uint8_t)(m->rid >> (8 * i));
    out->sid = (struct bytes){n->member_sid, n->domain_sid_len + 4};
}

static const struct member *find_member(const struct names *n, struct str dn)
{
    uint64_t hash = raw_hash(dn).lo & MEMBER_HASH;
    const struct members *part = &n->members[member_part(hash)];
    if (!part->n_slots) return NULL;
    const struct member *m = member_slot(part, hash);
    return m->key ? m : NULL;
}

uint32_t names_find(const struct names *n, struct str dn)
{
    const struct member *m = find_member(n, dn);
    if (!m) return 0;
    uint32_t part = member_part(m->key & MEMBER_HASH);
    return part << 24 | ((uint32_t)(m - n->members[part].slots) + 1); /* a part has fewer than 2^24 slots */
}

void names_member(struct names *n, uint32_t handle, struct str dn, struct ref *out)
{
    fill_ids(n, &n->members[handle >> 24].slots[(handle & 0xffffff) - 1], dn, out);
}

/* The text at a place, with what follows it; borrowed until the next call. */
static int read_text(struct names *n, uint32_t place, const uint8_t **out, struct err *e)
{
    struct text *t = &n->cached[place % TEXTS_CACHED];
    *out = t->bytes;
    if (t->place == place) return 0;
    uint64_t at = place * TEXT_WORD, left = tape_length(&n->texts) - at;
    t->place = 0;
    try(tape_read(&n->texts, at, t->bytes, left < TEXT_MAX ? (size_t)left : TEXT_MAX, e));
    t->place = place;
    return 0;
}

static int fill_names(struct names *n, uint32_t place, struct person *p, struct err *e)
{
    const uint8_t *t;
    try(read_text(n, place, &t, e));
    struct buf b = {.ptr = p->text, .cap = sizeof p->text, .max = sizeof p->text - 1};
    buf_add(&b, t + 2, t[1]);
    size_t end = b.len;
    if (t[0] == TEXT_BOTH) buf_add(&b, t + 3 + t[1], t[2 + t[1]]);
    if (t[0] == TEXT_NAME_AT_DOMAIN) {
        buf_add(&b, t + 2, t[1]);
        buf_add_byte(&b, '@');
        buf_add_str(&b, n->dns_name);
    }
    p->ref.name = p->ref.principal = (struct str){(const char *)p->text, end};
    if (t[0] != TEXT_NAME_ONLY) p->ref.principal = (struct str){(const char *)p->text + end, b.len - end};
    return 0;
}

bool names_knows(const struct names *n, struct str dn)
{
    return find_member(n, dn) || names_group(n, dn);
}

int names_person(struct names *n, struct str dn, struct person *space, const struct ref **out, struct err *e)
{
    const struct member *m = find_member(n, dn);
    if (!m || !m->text) {
        *out = names_group(n, dn);
        return 0;
    }
    fill_ids(n, m, dn, &space->ref);
    if (space->ref.sid.len) memcpy(space->sid, space->ref.sid.ptr, space->ref.sid.len);
    space->ref.sid.ptr = space->sid;
    try(fill_names(n, m->text, space, e));
    space->ref.dn = dn;
    *out = &space->ref;
    return 0;
}

/* --- adding ------------------------------------------------------------------------------------------------------ */

int names_add(struct names *n, const struct record_index *x, struct err *e)
{
    enum kind k = x->record->kind;
    if (k == KIND_domain || k == KIND_ou || k == KIND_container) {
        add_place(n, x);
        return 0;
    }
    try(add_member(n, x, e));
    return kind_has_members(k) ? add_group(n, x, e) : 0;
}
