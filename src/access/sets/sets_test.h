/* sets_test.h - random small worlds with everything that can go wrong in them: cycles, local and distribution groups, histories, odd ACEs.
 */
#ifndef ROLLCALL_ACCESS_SETS_TEST_H
#define ROLLCALL_ACCESS_SETS_TEST_H

#include "access/fixture.h"
#include "access/testing.h"

#include <stdio.h>

#define WORLD_DOMAINS     2
#define WORLD_DESCRIPTORS 14

static const char *const world_types[] = {PERSONAL_SET, PUBLIC_SET, MEMBERSHIP_SET, USER_CLASS, COMPUTER_CLASS, GROUP_CLASS, DNS_NAME_SET,
                                          "bf9679c0-0de6-11d0-a285-00aa003049e2" /* member */,
                                          "00299570-246d-11d0-a768-00aa006e0529" /* User-Force-Change-Password */,
                                          "bf967950-0de6-11d0-a285-00aa003049e2" /* description */,
                                          "12345678-0de6-11d0-a285-00aa003049e2" /* nobody's */};

static inline struct bytes world_stranger(struct buf *out, uint32_t n)
{
    char text[40];
    buf_clear(out);
    (void)snprintf(text, sizeof text, "S-1-5-21-99-0-0-%u", n);
    test_add_sid(out, text);
    return buf_bytes(out);
}

static inline struct bytes world_trustee(struct buf *out, const struct fixture *f, uint64_t *seed)
{
    static const char *const odd[] = {"S-1-1-0", "S-1-5-11", "S-1-5-10", "S-1-5-10", "S-1-3-4", "S-1-3-0", "S-1-5-32-544"};
    uint32_t dice = test_below(seed, 20);
    buf_clear(out);
    if (dice < n_elements(odd)) {
        test_add_sid(out, odd[dice]);
        return buf_bytes(out);
    }
    if (dice == 19) return world_stranger(out, test_below(seed, 4));
    return f->w->principals[test_below(seed, f->w->n_principals)].sid;
}

static inline void world_add_ace(struct buf *acl, const struct fixture *f, uint64_t *seed)
{
    static const unsigned types[] = {0, 0, 0, 1, 1, 5, 5, 5, 6, 6, 9, 10, 2, 11};
    uint8_t type[16];
    struct buf sid = buf_new(SID_MAX);
    uint32_t mask = test_below(seed, 6) ? test_random(seed) & test_random(seed) & 0xF01FF : 0x10000000u << test_below(seed, 4);
    unsigned flags = test_below(seed, 8) ? 0x10 * test_below(seed, 2) : ACE_INHERIT_ONLY;
    test_guid(type, world_types[test_below(seed, n_elements(world_types))]);
    unsigned kind = types[test_below(seed, n_elements(types))];
    struct bytes who = world_trustee(&sid, f, seed);
    test_add_ace(acl, kind, flags, mask, test_below(seed, 5) ? type : NULL, NULL, who, (struct bytes){0});
    buf_free(&sid);
}

static inline void world_add_descriptor(struct fixture *f, uint64_t *seed)
{
    struct buf acl = buf_new(1 << 16), raw = buf_new(1 << 16), sid = buf_new(SID_MAX);
    unsigned n = test_below(seed, 12), dice = test_below(seed, 12);
    for (unsigned i = 0; i < n; i++) world_add_ace(&acl, f, seed);
    struct bytes owner = world_trustee(&sid, f, seed);
    test_add_sd(&raw, dice == 1 ? 0 : SD_DACL_PRESENT, dice == 2 ? (struct bytes){0} : owner, dice <= 1 ? NULL : &acl, n);
    if (dice == 3) raw.len = 7; /* malformed */
    fixture_descriptor(f, buf_bytes(&raw));
    buf_free(&acl);
    buf_free(&raw);
    buf_free(&sid);
}

static inline void world_add_members(struct fixture *f, uint32_t n, uint64_t *seed)
{
    struct world *w = f->w;
    while (n) {
        uint32_t member = test_below(seed, w->n_principals), group = test_below(seed, w->n_principals);
        if (w->principals[group].kind != KIND_group || w->principals[group].connector == NOBODY) continue;
        if (member < 4 && test_below(seed, 8)) continue; /* Everyone seldom is in something */
        fixture_member(f, member, group);
        n--;
    }
}

static inline struct fixture world_random(const struct schema *schema, uint64_t *seed, uint32_t n_principals, uint32_t n_objects)
{
    static const enum kind kinds[] = {KIND_user, KIND_user, KIND_computer, KIND_group, KIND_group, KIND_group, KIND_foreign_principal, KIND_service_account};
    struct fixture f = fixture_new(WORLD_DOMAINS, schema);
    struct buf sid = buf_new(SID_MAX);
    for (uint32_t i = 0; i < n_principals; i++) {
        uint32_t p = fixture_principal(&f, i % WORLD_DOMAINS, kinds[test_below(seed, n_elements(kinds))]);
        f.w->principals[p].is_local = f.w->principals[p].kind == KIND_group && !test_below(seed, 3);
        f.w->principals[p].is_security = f.w->principals[p].kind != KIND_group || test_below(seed, 6);
    }
    test_add_sid(&sid, "S-1-5-32-544");
    uint32_t builtin = fixture_principal_sid(&f, 0, KIND_group, buf_bytes(&sid));
    f.w->principals[builtin].is_local = true;
    for (unsigned i = test_below(seed, 6); i; i--) {
        struct bytes who = test_below(seed, 2) ? world_stranger(&sid, test_below(seed, 4)) : f.w->principals[test_below(seed, f.w->n_principals)].sid;
        fixture_history(&f, 4 + test_below(seed, n_principals), who);
    }
    world_add_members(&f, n_principals * (1 + test_below(seed, 3)), seed);
    for (unsigned i = 0; i < WORLD_DESCRIPTORS; i++) world_add_descriptor(&f, seed);
    for (uint32_t i = 0; i < n_objects; i++)
        fixture_object(&f, test_below(seed, WORLD_DOMAINS), test_below(seed, 2) ? NOBODY : 4 + test_below(seed, n_principals),
                       test_below(seed, 20) ? test_below(seed, WORLD_DESCRIPTORS) : NOBODY,
                       test_below(seed, 9) ? test_below(seed, schema->n_classes) : SCHEMA_NONE);
    fixture_finish(&f);
    buf_free(&sid);
    return f;
}

/* One of the 13, or a typed one, or one that no cell has. */
static inline struct right world_right(uint64_t *seed)
{
    static const uint32_t bits[] = {
#define X(name, bit) bit,
        RIGHTS(X)
#undef X
    };
    struct right r = {.bit = bits[test_below(seed, n_elements(bits))], .is_typed = test_below(seed, 3) != 0};
    if (r.is_typed) test_guid(r.guid, world_types[test_below(seed, n_elements(world_types))]);
    return r;
}

#endif
