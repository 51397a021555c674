#include "run/backlinks.h"

#include "base/arena.h"
#include "base/hash.h"
#include "model/derive.h"
#include "model/sid.h"

#include <stdlib.h>

#define MEMBERS_MAX ((size_t)32 << 20)  /* of one sealed group */
#define WAITING_MAX ((size_t)128 << 20) /* records of sealed groups; later ones do not wait */

struct sealed {
    struct bytes payload; /* its record frame */
    struct buf members;   /* lstr DNs */
    uint32_t n_members;
};

struct backlinks {
    struct arena text;
    struct hmap groups; /* DN -> 1 + index in sealed, 0 for one that came with members */
    struct hmap hidden; /* DN of a member of a privileged group -> its privilege bits */
    struct sealed *sealed;
    size_t n_sealed, sealed_cap;
    uint8_t domain_sid[SID_MAX];
    size_t domain_sid_len;
    bool (*knows)(void *ctx, struct str dn);
    void *knows_ctx;
    struct buf state; /* of the record that was given out changed */
};

struct backlinks *backlinks_new(void)
{
    struct backlinks *b = x_zalloc(sizeof *b);
    b->text = arena_new(WAITING_MAX);
    b->state = buf_new((size_t)64 << 20);
    return b;
}

void backlinks_free(struct backlinks *b)
{
    if (!b) return;
    for (size_t i = 0; i < b->n_sealed; i++) buf_free(&b->sealed[i].members);
    free(b->sealed);
    hmap_free(&b->groups);
    hmap_free(&b->hidden);
    buf_free(&b->state);
    arena_free(&b->text);
    free(b);
}

void backlinks_domain(struct backlinks *b, struct bytes domain_sid)
{
    b->domain_sid_len = domain_sid.len <= SID_MAX ? domain_sid.len : 0;
    if (b->domain_sid_len) memcpy(b->domain_sid, domain_sid.ptr, b->domain_sid_len);
}

void backlinks_know(struct backlinks *b, bool (*knows)(void *ctx, struct str dn), void *ctx)
{
    b->knows = knows;
    b->knows_ctx = ctx;
}

static struct hash128 key(struct str dn)
{
    return hash128_fast(bytes_of(dn));
}

static bool seal(struct backlinks *b, const struct record *r, struct bytes payload, uint32_t *place)
{
    if (r->member.n || r->flags & RECORD_MORE_MEMBERS) return false;
    struct bytes kept = arena_bytes(&b->text, payload);
    if (!kept.ptr) return false;
    GROW(b->sealed, b->n_sealed, b->sealed_cap, 64);
    b->sealed[b->n_sealed++] = (struct sealed){.payload = kept, .members = buf_new(MEMBERS_MAX)};
    *place = (uint32_t)b->n_sealed;
    return true;
}

static bool take_group(struct backlinks *b, const struct record *r, struct bytes payload)
{
    unsigned bits = derive_privileged_group(r->sid, (struct bytes){b->domain_sid, b->domain_sid_len});
    struct dn_list rest = r->member;
    struct str dn;
    bool is_new;
    while (bits && dn_list_next(&rest, &dn)) *hmap_put(&b->hidden, key(dn), &is_new) |= bits;
    uint32_t *place = hmap_put(&b->groups, key(r->dn), &is_new);
    return is_new ? seal(b, r, payload, place) : *place > 0;
}

/* Adds the member to the sealed groups it names; the bits of the hidden ones. */
static unsigned follow(struct backlinks *b, const struct record *r)
{
    unsigned bits = 0;
    struct dn_list rest = r->member_of;
    struct str dn;
    while (dn_list_next(&rest, &dn)) {
        const uint32_t *group = hmap_find(&b->groups, key(dn)), *hidden;
        if (!group && (hidden = hmap_find(&b->hidden, key(dn))) && !(b->knows && b->knows(b->knows_ctx, dn))) bits |= *hidden;
        if (!group || !*group) continue;
        struct sealed *s = &b->sealed[*group - 1];
        buf_add_lstr(&s->members, bytes_of(r->dn));
        s->n_members += !s->members.failed;
    }
    return bits;
}

/* Behind the attributes with lower numbers, before the custom ones (record.h). */
static void tell_privileges(struct backlinks *b, struct record *r, unsigned bits)
{
    struct cursor c = cursor_new(r->state);
    size_t before = 0;
    while (c.in.len && cursor_varint(&c) < ATTR_HIDDEN_PRIVILEGES) {
        cursor_lstr(&c);
        if (c.failed) return;
        before = r->state.len - c.in.len;
    }
    uint8_t value[10];
    struct buf v = {.ptr = value, .cap = sizeof value, .max = sizeof value};
    body_value_int(&v, bits);
    buf_clear(&b->state);
    buf_add(&b->state, r->state.ptr, before);
    body_add(&b->state, ATTR_HIDDEN_PRIVILEGES, 1, buf_bytes(&v));
    buf_add(&b->state, r->state.ptr + before, r->state.len - before);
    if (!b->state.failed) r->state = buf_bytes(&b->state);
}

bool backlinks_take(struct backlinks *b, struct record *r, struct bytes payload)
{
    unsigned bits = follow(b, r);
    if (r->kind == KIND_group) return take_group(b, r, payload);
    if (bits) tell_privileges(b, r, bits);
    return false;
}

void backlinks_waiting(const struct backlinks *b, void (*each)(void *ctx, struct str dn), void *ctx)
{
    for (size_t i = 0; i < b->n_sealed; i++) {
        struct record r;
        struct err ignored;
        if (record_decode(&r, b->sealed[i].payload, &ignored) == 0) each(ctx, r.dn);
    }
}

int backlinks_finish(struct backlinks *b, int (*each)(void *ctx, const struct record *r, struct err *e), void *ctx, uint64_t *n_filled,
                     struct err *e)
{
    *n_filled = 0;
    for (size_t i = 0; i < b->n_sealed; i++) {
        struct sealed *s = &b->sealed[i];
        struct record r;
        try(record_decode(&r, s->payload, e));
        r.member = (struct dn_list){s->n_members, buf_bytes(&s->members)};
        *n_filled += s->n_members > 0;
        try(each(ctx, &r, e));
    }
    return 0;
}
