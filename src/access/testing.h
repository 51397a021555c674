/* testing.h - what the tests of this room share: a small schema with the real GUIDs, ACEs and descriptors made by hand.
 */
#ifndef ROLLCALL_ACCESS_TESTING_H
#define ROLLCALL_ACCESS_TESTING_H

#include "model/record.h"
#include "model/schema.h"
#include "model/sd.h"
#include "model/testing.h"

/* name, schemaIDGUID, attributeSecurityGUID, searchFlags */
#define PERSONAL_SET   "77b5b886-944a-11d1-aebd-0000f80367c1"
#define PUBLIC_SET     "e48d0154-bcf8-11d1-8702-00c04fb96050"
#define RESTRICT_SET   "4c164200-20c0-11d0-a768-00aa006e0529"
#define MEMBERSHIP_SET "bc0ac240-79a9-11d0-9020-00c04fc2d4cf"
#define DNS_NAME_SET   "72e39547-7b18-11d1-adef-00c04fd8d5cd" /* and the attribute's own GUID, and a validated write */
#define USER_CLASS     "bf967aba-0de6-11d0-a285-00aa003049e2"
#define COMPUTER_CLASS "bf967a86-0de6-11d0-a285-00aa003049e2"
#define GROUP_CLASS    "bf967a9c-0de6-11d0-a285-00aa003049e2"
static const struct test_attribute {
    const char *name, *guid, *set;
    uint32_t search_flags;
} test_attributes[] = {
    {"accountExpires", "bf967915-0de6-11d0-a285-00aa003049e2", RESTRICT_SET, 0},
    {"cn", "bf96793f-0de6-11d0-a285-00aa003049e2", PUBLIC_SET, 0},
    {"description", "bf967950-0de6-11d0-a285-00aa003049e2", "", 0},
    {"dNSHostName", DNS_NAME_SET, DNS_NAME_SET, 0},
    {"gPLink", "f30e3bbe-9ff0-11d1-b603-0000f80367c1", "", 0},
    {"groupType", "9a9a021e-4a5b-11d1-a9c3-0000f80367c1", "", 0},
    {"info", "bf96793e-0de6-11d0-a285-00aa003049e2", PERSONAL_SET, 0},
    {"mail", "bf967961-0de6-11d0-a285-00aa003049e2", PUBLIC_SET, 0},
    {"member", "bf9679c0-0de6-11d0-a285-00aa003049e2", MEMBERSHIP_SET, 0},
    {"memberOf", "bf967991-0de6-11d0-a285-00aa003049e2", MEMBERSHIP_SET, 0},
    {"msDS-AdditionalDnsHostName", "80863791-dbe9-4eb8-837e-7f0ab55d9ac7", DNS_NAME_SET, 0},
    {"ou", "bf9679f0-0de6-11d0-a285-00aa003049e2", "", 0},
    {"sAMAccountName", "3e0abfd0-126a-11d0-a060-00aa006c33ed", "", 0},
    {"servicePrincipalName", "f3a64788-5306-11d1-a9c5-0000f80367c1", PUBLIC_SET, 0},
    {"telephoneNumber", "bf967a49-0de6-11d0-a285-00aa003049e2", PERSONAL_SET, 0},
    {"unixUserPassword", "612cb747-c0e8-4f92-9221-fdd5f15b550d", "", 0x80},
    {"userAccountControl", "bf967a68-0de6-11d0-a285-00aa003049e2", RESTRICT_SET, 0},
};
static const struct test_class {
    const char *name, *guid, *parent, *attributes, *superiors;
    unsigned category;
} test_classes[] = {
    {"computer", COMPUTER_CLASS, "user", "dNSHostName msDS-AdditionalDnsHostName", "container organizationalUnit", 1},
    {"container", "bf967a8b-0de6-11d0-a285-00aa003049e2", "top", "", "container organizationalUnit", 1},
    {"group", GROUP_CLASS, "top", "member groupType mail info telephoneNumber sAMAccountName", "container organizationalUnit", 1},
    {"organizationalUnit", "bf967aa5-0de6-11d0-a285-00aa003049e2", "top", "ou gPLink telephoneNumber", "organizationalUnit", 1},
    {"printQueue", "bf967aa8-0de6-11d0-a285-00aa003049e2", "top", "", "computer organizationalUnit", 1},
    {"top", "bf967ab7-0de6-11d0-a285-00aa003049e2", "", "cn description memberOf", "", 2},
    {"user", USER_CLASS, "top",
     "accountExpires userAccountControl mail info telephoneNumber sAMAccountName servicePrincipalName unixUserPassword",
     "container organizationalUnit", 1},
};
static const struct test_right {
    const char *name, *guid;
    uint32_t valid_accesses;
    const char *applies_to[2];
} test_rights[] = {
    {"DNS-Host-Name-Attributes", DNS_NAME_SET, 0x30, {COMPUTER_CLASS}},
    {"Membership", MEMBERSHIP_SET, 0x30, {USER_CLASS, GROUP_CLASS}},
    {"Personal-Information", PERSONAL_SET, 0x30, {USER_CLASS}},
    {"Public-Information", PUBLIC_SET, 0x30, {USER_CLASS}},
    {"Self-Membership", "bf9679c0-0de6-11d0-a285-00aa003049e2", 0x8, {GROUP_CLASS}},
    {"Send-As", "ab721a54-1e2f-11d0-9819-00aa0040529b", 0x100, {USER_CLASS, GROUP_CLASS}},
    {"User-Account-Restrictions", RESTRICT_SET, 0x30, {USER_CLASS, COMPUTER_CLASS}},
    {"User-Change-Password", "ab721a53-1e2f-11d0-9819-00aa0040529b", 0x100, {USER_CLASS, COMPUTER_CLASS}},
    {"User-Force-Change-Password", "00299570-246d-11d0-a768-00aa006e0529", 0x100, {USER_CLASS, COMPUTER_CLASS}},
    {"Validated-DNS-Host-Name", DNS_NAME_SET, 0x8, {COMPUTER_CLASS}},
    {"Validated-SPN", "f3a64788-5306-11d1-a9c5-0000f80367c1", 0x8, {COMPUTER_CLASS}},
};

static inline void test_guid(uint8_t out[GUID_SIZE], const char *text)
{
    memset(out, 0, GUID_SIZE);
    if (text[0] && !guid_parse(out, str_from(text))) abort();
}

/* Splits at spaces; at most 16. */
static inline struct schema_names test_words(struct str room[16], const char *text)
{
    struct schema_names out = {room, 0};
    for (struct str rest = str_from(text); rest.len && out.n < 16;) {
        size_t at = str_index(rest, ' '), skip = at < rest.len ? at + 1 : at;
        room[out.n++] = (struct str){rest.ptr, at};
        rest = (struct str){rest.ptr + skip, rest.len - skip};
    }
    return out;
}

static inline void test_put_class(struct buf *out, const struct test_class *t)
{
    struct str attributes[16], superiors[16];
    struct schema_class_piece c = {.name = str_from(t->name), .parent = str_from(t->parent), .category = t->category};
    test_guid(c.guid, t->guid);
    c.attributes[0] = test_words(attributes, t->attributes);
    c.superiors[0] = test_words(superiors, t->superiors);
    schema_put_class(out, &c);
}

static inline void test_put_right(struct buf *out, const struct test_right *t)
{
    uint8_t applies_to[2][16];
    struct schema_right r = {.name = str_from(t->name), .valid_accesses = t->valid_accesses, .applies_to = applies_to};
    test_guid(r.guid, t->guid);
    for (; r.n_applies_to < 2 && t->applies_to[r.n_applies_to]; r.n_applies_to++)
        test_guid(applies_to[r.n_applies_to], t->applies_to[r.n_applies_to]);
    schema_put_right(out, &r);
}

static inline struct schema *test_schema(const char *ds_heuristics)
{
    struct buf blob = buf_new(1 << 20);
    struct schema *s;
    struct err e;
    schema_put_start(&blob);
    schema_put_heuristics(&blob, str_from(ds_heuristics));
    for (size_t i = 0; i < n_elements(test_attributes); i++) {
        struct schema_attribute a = {.name = str_from(test_attributes[i].name), .search_flags = test_attributes[i].search_flags};
        test_guid(a.guid, test_attributes[i].guid);
        test_guid(a.set, test_attributes[i].set);
        schema_put_attribute(&blob, &a);
    }
    for (size_t i = 0; i < n_elements(test_classes); i++) test_put_class(&blob, &test_classes[i]);
    for (size_t i = 0; i < n_elements(test_rights); i++) test_put_right(&blob, &test_rights[i]);
    if (schema_decode(&s, buf_bytes(&blob), &e) < 0) abort();
    buf_free(&blob);
    return s;
}

static inline bool test_is_object_type(unsigned type)
{
    return (type >= 5 && type <= 7) || type == 11 || type == 12 || type == 15;
}

/* Appends one ACE of any known type. object, inherited: 16 bytes or NULL. */
static inline void test_add_ace(struct buf *acl, unsigned type, unsigned flags, uint32_t mask, const uint8_t *object, const uint8_t *inherited,
                                struct bytes sid, struct bytes data)
{
    bool is_object = test_is_object_type(type);
    size_t size = 8 + (is_object ? 4u + (object ? 16 : 0) + (inherited ? 16 : 0) : 0) + sid.len + data.len;
    buf_add_byte(acl, (uint8_t)type);
    buf_add_byte(acl, (uint8_t)flags);
    buf_add_u16le(acl, (uint16_t)size);
    buf_add_u32le(acl, mask);
    if (is_object) {
        buf_add_u32le(acl, (object ? 1u : 0) | (inherited ? 2u : 0));
        if (object) buf_add(acl, object, 16);
        if (inherited) buf_add(acl, inherited, 16);
    }
    buf_add_bytes(acl, sid);
    buf_add_bytes(acl, data);
}

/* A descriptor of what is given; aces NULL: a DACL that is NULL (control says whether it is present). */
static inline void test_add_sd(struct buf *out, unsigned control, struct bytes owner, const struct buf *aces, unsigned n_aces)
{
    size_t start = 20 + owner.len;
    buf_add_byte(out, 1);
    buf_add_byte(out, 0);
    buf_add_u16le(out, (uint16_t)(control | SD_SELF_RELATIVE));
    buf_add_u32le(out, owner.len ? 20 : 0);
    buf_add_u32le(out, 0);
    buf_add_u32le(out, 0);
    buf_add_u32le(out, aces ? (uint32_t)start : 0);
    buf_add_bytes(out, owner);
    if (!aces) return;
    buf_add_byte(out, 4);
    buf_add_byte(out, 0);
    buf_add_u16le(out, (uint16_t)(8 + aces->len));
    buf_add_u16le(out, (uint16_t)n_aces);
    buf_add_u16le(out, 0);
    buf_add_bytes(out, buf_bytes(aces));
}

#endif
