#include "cases.h"

#include "access/testing.h"

#include <stdlib.h>

/* The first CASES_PEOPLE can be in a token. */
enum { CASES_PEOPLE = 10, SELF = 10, OWNER, CREATOR };
static const char *const sids[CASES_SIDS] = {
    "S-1-5-21-1-2-3-1101", "S-1-5-21-1-2-3-1102", "S-1-5-21-1-2-3-1103", "S-1-5-21-1-2-3-1104", "S-1-5-21-1-2-3-512",
    "S-1-5-21-1-2-3-519",  "S-1-1-0",             "S-1-5-11",            "S-1-5-32-544",        "S-1-5-21-9-8-7-1101",
    "S-1-5-10",            "S-1-3-4",             "S-1-3-0",             "S-1-3-1",             "S-1-3-3",
    "S-1-3-5",
};

static unsigned below(struct cases *c, unsigned n)
{
    return test_below(&c->seed, n);
}

static bool chance(struct cases *c, unsigned percent)
{
    return below(c, 100) < percent;
}

static void add_guid(struct cases *c, const char *text)
{
    test_guid(c->guids[c->n_guids++], text);
}

void cases_open(struct cases *c, uint64_t seed, bool for_samba)
{
    *c = (struct cases){.seed = seed * 2654435761u + 88172645463325252u, .for_samba = for_samba, .sd = buf_new(1 << 20)};
    c->schemas[0] = test_schema("");
    c->schemas[1] = test_schema("00000000010000000002000000001");
    for (unsigned i = 0; i < CASES_SIDS; i++) {
        struct buf b = buf_new(100);
        test_add_sid(&b, sids[i]);
        memcpy(c->sid_bytes[i], b.ptr, b.len);
        c->sids[i] = (struct bytes){c->sid_bytes[i], b.len};
        buf_free(&b);
    }
    for (size_t i = 0; i < n_elements(test_attributes); i++) add_guid(c, test_attributes[i].guid);
    for (size_t i = 0; i < n_elements(test_classes); i++) add_guid(c, test_classes[i].guid);
    for (size_t i = 0; i < n_elements(test_rights); i++) add_guid(c, test_rights[i].guid);
    add_guid(c, "12345678-9abc-def0-1234-56789abcdef0"); /* nobody's */
    if (!for_samba) add_guid(c, "");
}

void cases_close(struct cases *c)
{
    schema_free(c->schemas[0]);
    schema_free(c->schemas[1]);
    buf_free(&c->sd);
}

/* --- descriptors -------------------------------------------------------------------------------------- */

static unsigned ace_type(struct cases *c)
{
    static const uint8_t often[] = {0, 0, 0, 1, 1, 5, 5, 5, 5, 6, 6, 6}, seldom[] = {9, 10, 11, 12, 2, 7, 17};
    return chance(c, c->for_samba ? 100 : 85) ? often[below(c, sizeof often)] : seldom[below(c, sizeof seldom)];
}

static uint32_t ace_mask(struct cases *c)
{
    static const uint32_t masks[] = {0xF01FF, 0x20094, 0x20028, 0x10, 0x20,   0x30,    0x8,     0x100,   0x130,  0x1,
                                     0x2,     0x3,     0x4,     0x80, 0x10000, 0x20000, 0x40000, 0x80000, 0xE0000, 0x138};
    static const uint32_t generic[] = {0x10000000, 0x20000000, 0x40000000, 0x80000000, 0x12000000, 0xFFFFFFFF, 0, 0x1000000};
    if (chance(c, 10)) return generic[below(c, n_elements(generic))];
    uint32_t m = masks[below(c, n_elements(masks))];
    return chance(c, 25) ? m | masks[below(c, n_elements(masks))] : m;
}

static unsigned ace_flags(struct cases *c)
{
    unsigned flags = chance(c, 40) ? ACE_INHERITED : 0;
    if (chance(c, 30)) flags |= ACE_CONTAINER_INHERIT;
    if (chance(c, 12)) flags |= ACE_INHERIT_ONLY;
    return flags | (chance(c, 5) ? ACE_NO_PROPAGATE | ACE_OBJECT_INHERIT : 0);
}

static struct bytes trustee(struct cases *c)
{
    return c->sids[chance(c, 75) ? below(c, CASES_PEOPLE) : SELF + below(c, CASES_SIDS - SELF)];
}

static void add_unknown(struct cases *c, struct buf *aces)
{
    static const uint8_t types[] = {3, 4, 8, 14, 16, 20, 99, 255};
    unsigned n = 4 * below(c, 6);
    buf_add_byte(aces, types[below(c, sizeof types)]);
    buf_add_byte(aces, (uint8_t)ace_flags(c));
    buf_add_u16le(aces, (uint16_t)(4 + n));
    for (unsigned i = 0; i < n; i++) buf_add_byte(aces, (uint8_t)test_random(&c->seed));
}

static void add_ace(struct cases *c, struct buf *aces)
{
    if (!c->for_samba && chance(c, 4)) {
        add_unknown(c, aces);
        return;
    }
    unsigned type = ace_type(c);
    const uint8_t *object = chance(c, 80) ? c->guids[below(c, c->n_guids)] : NULL, *inherited = chance(c, 20) ? c->guids[below(c, c->n_guids)] : NULL;
    static const uint8_t data[8] = "artx";
    bool has_data = (type >= 9 && type <= 12) || (type == 17 && chance(c, 10));
    uint32_t mask = ace_mask(c);
    struct right *r = &c->told[c->n_told++ % n_elements(c->told)];
    *r = (struct right){.bit = rights_map_generic(mask) & RIGHTS_ALL, .is_typed = object && test_is_object_type(type)};
    if (r->is_typed) memcpy(r->guid, object, 16);
    test_add_ace(aces, type, ace_flags(c), mask, object, inherited, trustee(c), (struct bytes){data, has_data ? sizeof data : 0});
}

static void new_object(struct cases *c)
{
    const struct schema *s = c->is_builtin ? schema_builtin() : c->schemas[chance(c, 10)];
    c->q = (struct slow_question){.schema = chance(c, 3) ? NULL : s, .class = below(c, (unsigned)s->n_classes), .sids = c->token};
    if (chance(c, 4)) c->q.class = SCHEMA_NONE;
    if (c->is_builtin && chance(c, 70)) c->q.class = schema_class_find(s, str_from(test_classes[below(c, n_elements(test_classes))].name));
    if (chance(c, 80)) c->q.self = c->sids[chance(c, 80) ? 3 : 0];
}

void cases_next_sd(struct cases *c)
{
    struct buf aces = buf_new(1 << 16);
    unsigned n = chance(c, 3) ? 0 : 1 + below(c, chance(c, 10) ? 16 : 6), control = SD_DACL_PRESENT;
    new_object(c);
    c->n_told = 0;
    for (unsigned i = 0; i < n; i++) add_ace(c, &aces);
    if (chance(c, 1)) control = 0;
    struct bytes owner = chance(c, 95) ? c->sids[below(c, CASES_PEOPLE)] : chance(c, 50) ? c->sids[below(c, CASES_SIDS)] : (struct bytes){NULL, 0};
    bool is_null = chance(c, 1) || (c->for_samba && !control);
    buf_clear(&c->sd);
    test_add_sd(&c->sd, control | (chance(c, 20) ? SD_DACL_PROTECTED : 0), owner, is_null ? NULL : &aces, n);
    buf_free(&aces);
    c->q.sd = buf_bytes(&c->sd);
}

/* --- questions ---------------------------------------------------------------------------------------- */

static void any_right(struct cases *c, struct right *r)
{
    static const uint32_t bits[] = {0x20000, 0x40000, 0x80000, 0x10000, 1, 2, 4, 8, 0x10, 0x20, 0x20, 0x10, 0x40, 0x80, 0x100, 0x100, 8, 1};
    *r = (struct right){.bit = bits[below(c, n_elements(bits))], .is_typed = chance(c, 70)};
    if (r->is_typed) memcpy(r->guid, c->guids[below(c, c->n_guids)], 16);
}

/* What an ACE of the descriptor is about, so that the answer is not always a foregone one: one of its bits, its object or a part of it. */
static void told_right(struct cases *c, struct right *r)
{
    const struct right *told = &c->told[below(c, c->n_told < n_elements(c->told) ? c->n_told : n_elements(c->told))];
    uint32_t bit = 1;
    any_right(c, r);
    if (!told->bit) return;
    for (unsigned n = below(c, (unsigned)__builtin_popcount(told->bit)) + 1; n; bit <<= 1)
        if (told->bit & bit && !--n) break;
    r->bit = bit;
    if (!told->is_typed || chance(c, 30)) return;
    r->is_typed = true;
    memcpy(r->guid, told->guid, 16);
}

void cases_next_question(struct cases *c)
{
    struct right *r = &c->q.right;
    any_right(c, r);
    if (c->n_told && chance(c, 70)) told_right(c, r);
    if (!(r->bit & RIGHTS_ALL)) any_right(c, r);
    c->q.rule = c->for_samba || chance(c, 75) ? ACCESS_WINDOWS : ACCESS_DENY_WINS;
    c->q.n_sids = 0;
    unsigned generous = 20 + 20 * below(c, 4);
    for (unsigned i = 0; i < CASES_PEOPLE; i++)
        if (chance(c, generous)) c->token[c->q.n_sids++] = c->sids[i];
    if (!c->for_samba && chance(c, 10)) c->token[c->q.n_sids++] = c->sids[SELF + below(c, CASES_SIDS - SELF)]; /* no token has them: they do not count */
}

void cases_tell(const struct cases *c, struct buf *out)
{
    struct sd sd;
    struct err e;
    char text[SID_TEXT];
    const struct slow_question *q = &c->q;
    if (sd_decode(&sd, q->sd, &e) == 0)
        sd_format_sddl(out, &sd);
    else
        buf_printf(out, "(%s)", e.message);
    buf_printf(out, "\n  class %.*s, self %s, right ", q->schema && q->class != SCHEMA_NONE ? (int)q->schema->classes[q->class].name.len : 1,
               q->schema && q->class != SCHEMA_NONE ? q->schema->classes[q->class].name.ptr : "?", sid_format_bytes(text, q->self));
    right_format(out, &q->right, q->schema ? q->schema : c->schemas[0]);
    buf_printf(out, ", rule %s, token", q->rule == ACCESS_WINDOWS ? "windows" : "deny-wins");
    for (unsigned i = 0; i < q->n_sids; i++) buf_printf(out, " %s", sid_format_bytes(text, q->sids[i]));
    buf_add_byte(out, '\n');
}
