#include "run/names.h"

#include "base/arena.h"
#include "base/hash.h"
#include "model/dn.h"
#include "model/sid.h"

#include <stdlib.h>

#define NO_LIMIT SIZE_MAX

/* DN hash -> kind, RID and names, 16 bytes a slot and about 14 of text. 56 bits of a keyed hash are the key: among a million
 * names two share one with probability 10^-5, and nobody can choose them. */
struct member {
    uint64_t key;  /* kind in the top byte, 0: free */
    uint32_t rid;  /* or, with MEMBER_OTHER set in the kind byte, an index into others */
    uint32_t text; /* place in the pool; 0: none */
};
struct members {
    struct member *slots;
    size_t n_slots, n_used;
};
#define MEMBER_PARTS 256u /* by the hash's top bits: each grows by itself, so growing never needs twice the memory */
#define MEMBER_OTHER 0x80u
#define MEMBER_HASH  (((uint64_t)1 << 56) - 1)

/* Names of everybody, in chunks that never move: u8 form . u8 length . name [. u8 length . principal]. */
struct pool {
    uint8_t **chunks;
    size_t n_chunks;
    uint32_t used; /* of the last chunk */
};
#define POOL_CHUNK 65536u
enum pool_form { POOL_NAME_ONLY = 1, POOL_NAME_AT_DOMAIN = 2, POOL_BOTH = 3 };

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
    struct members members[MEMBER_PARTS];
    struct other *others;
    size_t n_others, others_cap;
    uint8_t domain_sid[SID_MAX];
    size_t domain_sid_len;
    uint8_t member_sid[SID_MAX];
    struct pool pool;
    struct ref *found; /* of names_groups_of */
    size_t found_cap;
    struct str dns_name;
    struct buf principal; /* of the last names_person */
    struct ref person;
    struct buf form; /* comparison form */
};

struct names *names_new(void)
{
    struct names *n = x_zalloc(sizeof *n);
    n->text = arena_new(NO_LIMIT);
    n->principal = buf_new(1024);
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
    for (size_t i = 0; i < n->pool.n_chunks; i++) free(n->pool.chunks[i]);
    free(n->pool.chunks);
    free(n->others);
    free(n->found);
    buf_free(&n->principal);
    buf_free(&n->form);
    free(n);
}

void names_domain(struct names *n, struct bytes domain_sid, struct str dns_name)
{
    n->dns_name = arena_str(&n->text, dns_name);
    n->domain_sid_len = domain_sid.len <= SID_MAX - 4 ? domain_sid.len : 0;
    if (n->domain_sid_len) memcpy(n->domain_sid, domain_sid.ptr, n->domain_sid_len);
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
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 256;
        l->list = x_realloc(l->list, l->cap * sizeof *l->list);
    }
    l->list[l->n] = *r;
    return (uint32_t)l->n++;
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
    if (r.kind == KIND_group && record_str(x, ATTR_DESCRIPTION, &s)) r.description = arena_str(&n->text, s);
    record_int(x, ATTR_GROUP_TYPE, &r.group_type);
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

static void add_group(struct names *n, const struct record_index *x)
{
    struct ref r = make_ref(n, x);
    uint32_t i = list_add(&n->groups, &r);
    if (n->groups.cap != n->parents_cap) {
        n->parents_cap = n->groups.cap;
        n->parents = x_realloc(n->parents, n->parents_cap * sizeof *n->parents);
        n->privileges = x_realloc(n->privileges, n->parents_cap * sizeof *n->privileges);
    }
    n->parents[i] = (struct dn_list){x->record->member_of.n, arena_bytes(&n->text, x->record->member_of.block)};
    n->privileges[i] = derive_privileged_group(r.sid, domain_of(n));
    put_dn(n, &n->groups_by_dn, r.dn, i);
    note_members(n, x->record, n->privileges[i]);
    if (sid_is_in_domain(r.sid, domain_of(n))) {
        bool is_new;
        *hmap_put(&n->groups_by_rid, (struct hash128){sid_rid(r.sid), 0}, &is_new) = i;
    }
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

void names_groups_complete(struct names *n)
{
    bool again = n->groups.n > 0; /* bits only grow, so cycles end */
    while (again) {
        again = false;
        for (size_t i = 0; i < n->groups.n; i++)
            if (inherit_privileges(n, i)) again = true;
    }
}

void names_prepare_groups(struct names *n, void (*prepare)(void *ctx, const struct ref *group, struct buf *out), void *ctx)
{
    struct buf b = buf_new((size_t)1 << 20);
    for (size_t i = 0; i < n->groups.n; i++) {
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
    if (!record_int(x, ATTR_PRIMARY_GROUP_ID, &rid)) return NULL;
    return hmap_find(&n->groups_by_rid, (struct hash128){(uint64_t)rid, 0});
}

static void found_put(struct names *n, size_t at, const struct ref *r, const char *via)
{
    if (at == n->found_cap) {
        n->found_cap = n->found_cap ? n->found_cap * 2 : 32;
        n->found = x_realloc(n->found, n->found_cap * sizeof *n->found);
    }
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

size_t names_groups_of(struct names *n, const struct record_index *x, const struct ref **out, unsigned *privileges)
{
    size_t k = 0;
    const char *via = x->record->kind == KIND_foreign_principal ? "foreign" : "member";
    const uint32_t *i = primary_group(n, x), *hidden;
    *privileges = i ? n->privileges[*i] : 0;
    if (i) found_put(n, k++, &n->groups.list[*i], "primary_group");
    struct dn_list rest = x->record->member_of;
    struct str dn;
    while (dn_list_next(&rest, &dn)) {
        if ((i = find_dn(n, &n->groups_by_dn, dn))) {
            *privileges |= n->privileges[*i];
            found_put(n, k++, &n->groups.list[*i], via);
            continue;
        }
        if ((hidden = hmap_find(&n->hidden_groups, raw_hash(dn)))) *privileges |= *hidden;
        struct ref unlisted = unlisted_group(dn);
        found_put(n, k++, &unlisted, via);
    }
    *out = n->found;
    return k;
}

/* --- everybody ---------------------------------------------------------------------------------------------- */

static struct member *member_slot(const struct members *m, uint64_t hash)
{
    size_t i = (size_t)(((unsigned __int128)(hash << 16) * m->n_slots) >> 64);
    while (m->slots[i].key && (m->slots[i].key & MEMBER_HASH) != hash) i = i + 1 == m->n_slots ? 0 : i + 1;
    return &m->slots[i];
}

static uint32_t member_part(uint64_t hash)
{
    return (uint32_t)(hash >> 48);
}

static void members_grow(struct members *m)
{
    struct members old = *m;
    m->n_slots = old.n_slots ? old.n_slots + old.n_slots / 4 : 64;
    m->slots = x_zalloc(m->n_slots * sizeof *m->slots);
    for (size_t i = 0; i < old.n_slots; i++)
        if (old.slots[i].key) *member_slot(m, old.slots[i].key & MEMBER_HASH) = old.slots[i];
    free(old.slots);
}

static uint32_t add_other(struct names *n, const struct record *r)
{
    if (n->n_others == n->others_cap) {
        n->others_cap = n->others_cap ? n->others_cap * 2 : 64;
        n->others = x_realloc(n->others, n->others_cap * sizeof *n->others);
    }
    struct other *o = &n->others[n->n_others];
    memcpy(o->guid, r->guid, GUID_SIZE);
    o->sid_len = (uint8_t)(r->sid.len <= SID_MAX ? r->sid.len : 0);
    if (o->sid_len) memcpy(o->sid, r->sid.ptr, o->sid_len);
    return (uint32_t)n->n_others++;
}

/* Room for `size` bytes; 0 when the pool is full (4 GiB). */
static uint32_t pool_take(struct pool *p, uint32_t size, uint8_t **to)
{
    if (!p->n_chunks || p->used + size > POOL_CHUNK) {
        if (p->n_chunks == UINT32_MAX / POOL_CHUNK) return 0;
        p->chunks = x_realloc(p->chunks, (p->n_chunks + 1) * sizeof *p->chunks);
        p->chunks[p->n_chunks++] = x_alloc(POOL_CHUNK);
        p->used = p->n_chunks == 1; /* place 0 means none */
    }
    uint32_t at = (uint32_t)(p->n_chunks - 1) * POOL_CHUNK + p->used;
    *to = p->chunks[p->n_chunks - 1] + p->used;
    p->used += size;
    return at;
}

static bool is_name_at_domain(struct str principal, struct str name, struct str dns_name)
{
    return principal.len == name.len + 1 + dns_name.len && principal.ptr[name.len] == '@' && str_starts(principal, name) &&
           str_equal((struct str){principal.ptr + name.len + 1, dns_name.len}, dns_name);
}

/* Names over 255 bytes are cut: they are for people, and the DN says the rest. */
static uint32_t pool_names(struct names *n, const struct record_index *x)
{
    struct str name = record_name(x), principal = {"", 0};
    uint8_t *to;
    record_str(x, ATTR_USER_PRINCIPAL_NAME, &principal);
    if (name.len > 255) name.len = 255;
    enum pool_form form = !principal.len || principal.len > 255 ? POOL_NAME_ONLY
                          : is_name_at_domain(principal, name, n->dns_name) ? POOL_NAME_AT_DOMAIN
                                                                            : POOL_BOTH;
    size_t size = 2 + name.len + (form == POOL_BOTH ? 1 + principal.len : 0);
    uint32_t at = pool_take(&n->pool, (uint32_t)size, &to);
    if (!at) return 0;
    to[0] = (uint8_t)form;
    to[1] = (uint8_t)name.len;
    memcpy(to + 2, name.ptr, name.len);
    if (form == POOL_BOTH) {
        to[2 + name.len] = (uint8_t)principal.len;
        memcpy(to + 3 + name.len, principal.ptr, principal.len);
    }
    return at;
}

static void add_member(struct names *n, const struct record_index *x)
{
    const struct record *r = x->record;
    uint64_t hash = raw_hash(r->dn).lo & MEMBER_HASH;
    struct members *m = &n->members[member_part(hash)];
    if (m->n_used + 1 > m->n_slots / 5 * 4) members_grow(m);
    struct member *slot = member_slot(m, hash);
    if (slot->key) return;
    bool in_domain = sid_is_in_domain(r->sid, domain_of(n));
    uint64_t kind = (uint64_t)r->kind | (in_domain ? 0 : MEMBER_OTHER);
    *slot = (struct member){.key = hash | kind << 56,
                            .rid = in_domain ? sid_rid(r->sid) : add_other(n, r),
                            .text = r->kind == KIND_group ? 0 : pool_names(n, x)};
    m->n_used++;
}

static void fill_sid(struct names *n, const struct member *m, struct ref *out)
{
    uint64_t kind = m->key >> 56;
    *out = (struct ref){.kind = (enum kind)(kind & ~(uint64_t)MEMBER_OTHER)};
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

void names_member(struct names *n, uint32_t handle, struct ref *out)
{
    fill_sid(n, &n->members[handle >> 24].slots[(handle & 0xffffff) - 1], out);
}

static void fill_names(struct names *n, uint32_t place, struct ref *out)
{
    const uint8_t *t = n->pool.chunks[place / POOL_CHUNK] + place % POOL_CHUNK;
    out->name = out->principal = (struct str){(const char *)t + 2, t[1]};
    if (t[0] == POOL_BOTH) out->principal = (struct str){(const char *)t + 3 + t[1], t[2 + t[1]]};
    if (t[0] != POOL_NAME_AT_DOMAIN) return;
    buf_clear(&n->principal);
    buf_add_str(&n->principal, out->name);
    buf_add_byte(&n->principal, '@');
    buf_add_str(&n->principal, n->dns_name);
    out->principal = buf_str(&n->principal);
}

const struct ref *names_person(struct names *n, struct str dn)
{
    const struct member *m = find_member(n, dn);
    if (!m || !m->text) return names_group(n, dn);
    fill_sid(n, m, &n->person);
    fill_names(n, m->text, &n->person);
    n->person.dn = dn;
    return &n->person;
}

/* --- adding ------------------------------------------------------------------------------------------------------ */

void names_add(struct names *n, const struct record_index *x)
{
    enum kind k = x->record->kind;
    if (k == KIND_domain || k == KIND_ou || k == KIND_container) {
        add_place(n, x);
        return;
    }
    add_member(n, x);
    if (k == KIND_group) add_group(n, x);
}
