#include "model/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include "model/record.h"
#include "model/testing.h"

static const char *guid_text(const uint8_t guid[16])
{
    static char text[GUID_TEXT];
    return guid_format(text, guid);
}

static uint32_t class_of(const struct schema *s, const char *name)
{
    uint32_t c = schema_class_find(s, str_from(name));
    if (c == SCHEMA_NONE) fail_msg("no class %s", name);
    return c;
}

/* --- the built-in table ----------------------------------------------------------------------------------
 */

static void test_builtin_names(void **state)
{
    static const struct {
        enum schema_what what;
        const char *name, *guid;
    } cases[] = {
        {SCHEMA_ATTRIBUTE, "member", "bf9679c0-0de6-11d0-a285-00aa003049e2"},
        {SCHEMA_ATTRIBUTE, "SAMACCOUNTNAME", "3e0abfd0-126a-11d0-a060-00aa006c33ed"},
        {SCHEMA_ATTRIBUTE, "msDS-KeyCredentialLink", "5b47d60f-6090-40b2-9f37-2a4de88f3063"},
        {SCHEMA_ATTRIBUTE, "msDS-AllowedToActOnBehalfOfOtherIdentity",
         "3f78c3e5-f79a-46bd-a0b8-9d18116ddc79"},
        {SCHEMA_CLASS, "user", "bf967aba-0de6-11d0-a285-00aa003049e2"},
        {SCHEMA_CLASS, "organizationalUnit", "bf967aa5-0de6-11d0-a285-00aa003049e2"},
        {SCHEMA_CLASS, "msDS-GroupManagedServiceAccount", "7b8b558a-93a5-4af7-adca-c017e67f1057"},
        {SCHEMA_PROPERTY_SET, "User-Account-Restrictions", "4c164200-20c0-11d0-a768-00aa006e0529"},
        {SCHEMA_PROPERTY_SET, "Public-Information", "e48d0154-bcf8-11d1-8702-00c04fb96050"},
        {SCHEMA_EXTENDED_RIGHT, "DS-Replication-Get-Changes-All", "1131f6ad-9c07-11d1-f79f-00c04fc2dcd2"},
        {SCHEMA_EXTENDED_RIGHT, "User-Force-Change-Password", "00299570-246d-11d0-a768-00aa006e0529"},
        {SCHEMA_VALIDATED_WRITE, "Self-Membership", "bf9679c0-0de6-11d0-a285-00aa003049e2"},
        {SCHEMA_VALIDATED_WRITE, "Validated-SPN", "f3a64788-5306-11d1-a9c5-0000f80367c1"},
    };
    const struct schema *s = schema_builtin();
    (void)state;
    assert_true(s->is_builtin);
    assert_ptr_equal(s, schema_builtin());
    assert_true(s->n_attributes > 1400 && s->n_classes > 260 && s->n_rights > 75);
    for (size_t i = 0; i < n_elements(cases); i++) {
        uint32_t at = schema_item_find(s, cases[i].what, str_from(cases[i].name));
        if (at == SCHEMA_NONE) fail_msg("no %s", cases[i].name);
        assert_string_equal(guid_text(schema_item_guid(s, cases[i].what, at)), cases[i].guid);
    }
    assert_int_equal(schema_attribute_find(s, STR("user")), SCHEMA_NONE);
    assert_int_equal(schema_class_find(s, STR("")), SCHEMA_NONE);
    assert_int_equal(schema_right_find(s, STR("")), SCHEMA_NONE);
    assert_int_equal(schema_item_find(s, SCHEMA_PROPERTY_SET, STR("Self-Membership")), SCHEMA_NONE);
    schema_free((struct schema *)(uintptr_t)s); /* does nothing */
    assert_int_not_equal(schema_class_find(schema_builtin(), STR("user")), SCHEMA_NONE);
}

/* Everything in it has a name and a GUID, names ascend, every GUID is found again. */
static void test_builtin_is_whole(void **state)
{
    const struct schema *s = schema_builtin();
    static const uint32_t bits[] = {0, 0x20, 0x1, 0x20, 0x100, 0x8};
    (void)state;
    for (unsigned w = SCHEMA_ATTRIBUTE; w <= SCHEMA_VALIDATED_WRITE; w++)
        for (uint32_t i = 0; i < schema_n_items(s, (enum schema_what)w); i++) {
            struct str name = schema_item_name(s, (enum schema_what)w, i);
            const uint8_t *guid = schema_item_guid(s, (enum schema_what)w, i);
            uint32_t found;
            if (schema_item_find(s, (enum schema_what)w, name) != i) {
                assert_true(w >= SCHEMA_PROPERTY_SET && !(s->rights[i].valid_accesses & bits[w]));
                continue;
            }
            enum schema_what got = schema_guid_find(s, guid, bits[w], &found);
            if (w == SCHEMA_ATTRIBUTE && got == SCHEMA_PROPERTY_SET) continue; /* dNSHostName */
            assert_int_equal(got, w);
            assert_memory_equal(schema_item_guid(s, got, found), guid, 16);
        }
    unsigned n_lost = 0;
    for (size_t i = 0; i < s->n_attributes; i++) {
        static const uint8_t none[16];
        uint32_t found;
        bool is_in_set = memcmp(s->attributes[i].set, none, 16);
        if (is_in_set && schema_guid_find(s, s->attributes[i].set, 0x10, &found) != SCHEMA_PROPERTY_SET)
            n_lost++;
    }
    assert_int_equal(n_lost, 9); /* three policy sets of Windows 2000 and that of msDS-KeyCredentialLink,
                                    which no right describes */
}

static void test_builtin_flags(void **state)
{
    const struct schema *s = schema_builtin();
    (void)state;
    const struct schema_attribute *a = &s->attributes[schema_attribute_find(s, STR("memberOf"))];
    assert_true(a->is_backlink && a->is_system_only);
    a = &s->attributes[schema_attribute_find(s, STR("member"))];
    assert_true(!a->is_backlink && !a->is_system_only);
    a = &s->attributes[schema_attribute_find(s, STR("msFVE-RecoveryPassword"))];
    assert_true(a->search_flags & 0x80);
    a = &s->attributes[schema_attribute_find(s, STR("allowedAttributesEffective"))];
    assert_true(a->system_flags & 0x4);
    const struct schema_class *c = &s->classes[class_of(s, "computer")];
    assert_int_equal(c->category, 1);
    assert_int_equal(c->parent, class_of(s, "user"));
    assert_int_equal(s->classes[class_of(s, "top")].parent, SCHEMA_NONE);
    const struct schema_right *r = &s->rights[schema_right_find(s, STR("Reset Password"))];
    assert_int_equal(r->valid_accesses, 0x100);
    assert_int_equal(r->n_applies_to, 4); /* user, inetOrgPerson, computer, msDS-ManagedServiceAccount */
}

static bool has_attribute(const struct schema *s, const char *class, const char *attribute)
{
    size_t n;
    uint32_t want = schema_attribute_find(s, str_from(attribute));
    const uint32_t *list = schema_class_attributes(s, class_of(s, class), &n);
    bool found = false;
    for (size_t i = 0; i < n; i++) {
        if (i) assert_true(list[i - 1] < list[i]);
        found = found || list[i] == want;
    }
    return found;
}

static void test_builtin_structure(void **state)
{
    static const struct {
        const char *class, *attribute;
        bool has;
    } cases[] = {
        {"group", "member", true}, {"group", "objectSid", true},   {"group", "mail", true},
        {"group", "cn", true},     {"group", "gidNumber", true},   {"group", "badPwdCount", false},
        {"user", "member", false}, {"user", "sn", true},           {"computer", "dNSHostName", true},
        {"computer", "sn", true},  {"user", "dNSHostName", false}, {"organizationalUnit", "gPLink", true},
    };
    static const struct {
        const char *parent, *child;
        bool may;
    } places[] = {
        {"organizationalUnit", "user", true},
        {"organizationalUnit", "computer", true},
        {"organizationalUnit", "organizationalUnit", true},
        {"container", "user", true},
        {"container", "group", true},
        {"container", "organizationalUnit", false},
        {"group", "user", false},
        {"domainDNS", "group", true},
        {"computer", "user", false},
        {"organizationalUnit", "top", false},
        {"organizationalUnit", "domainDNS", false},
        {"lostAndFound", "user", true},
        {"organizationalUnit", "securityPrincipal", false},
    };
    const struct schema *s = schema_builtin();
    (void)state;
    for (size_t i = 0; i < n_elements(cases); i++)
        if (has_attribute(s, cases[i].class, cases[i].attribute) != cases[i].has)
            fail_msg("%s %s", cases[i].class, cases[i].attribute);
    for (size_t i = 0; i < n_elements(places); i++)
        if (schema_class_may_contain(s, class_of(s, places[i].parent), class_of(s, places[i].child)) !=
            places[i].may)
            fail_msg("%s in %s", places[i].child, places[i].parent);
}

static void test_one_guid_many_things(void **state)
{
    static const struct {
        const char *guid;
        uint32_t bit;
        enum schema_what what;
    } cases[] = {
        {"bf9679c0-0de6-11d0-a285-00aa003049e2", 0x20, SCHEMA_ATTRIBUTE},
        {"bf9679c0-0de6-11d0-a285-00aa003049e2", 0x8, SCHEMA_VALIDATED_WRITE},
        {"bf9679c0-0de6-11d0-a285-00aa003049e2", 0x100, SCHEMA_ATTRIBUTE},
        {"bf9679c0-0de6-11d0-a285-00aa003049e2", 0x1, SCHEMA_UNKNOWN},
        {"72e39547-7b18-11d1-adef-00c04fd8d5cd", 0x10, SCHEMA_PROPERTY_SET},
        {"72e39547-7b18-11d1-adef-00c04fd8d5cd", 0x8, SCHEMA_VALIDATED_WRITE},
        {"bf967aba-0de6-11d0-a285-00aa003049e2", 0x1, SCHEMA_CLASS},
        {"bf967aba-0de6-11d0-a285-00aa003049e2", 0x20, SCHEMA_CLASS},
        {"00299570-246d-11d0-a768-00aa006e0529", 0x100, SCHEMA_EXTENDED_RIGHT},
        {"00299570-246d-11d0-a768-00aa006e0529", 0x20, SCHEMA_UNKNOWN},
        {"00299570-246d-11d0-a768-00aa006e0529", 0, SCHEMA_EXTENDED_RIGHT},
        {"00000000-0000-0000-0000-000000000000", 0, SCHEMA_UNKNOWN},
        {"ffffffff-ffff-ffff-ffff-ffffffffffff", 0, SCHEMA_UNKNOWN},
    };
    (void)state;
    for (size_t i = 0; i < n_elements(cases); i++) {
        uint8_t guid[16];
        uint32_t at;
        assert_true(guid_parse(guid, str_from(cases[i].guid)));
        enum schema_what w = schema_guid_find(schema_builtin(), guid, cases[i].bit, &at);
        if (w != cases[i].what) fail_msg("%s %x: %s", cases[i].guid, cases[i].bit, schema_what_name(w));
        assert_int_equal(at == SCHEMA_NONE, w == SCHEMA_UNKNOWN);
    }
}

/* --- blobs -----------------------------------------------------------------------------------------------
 */

static void test_round_trip(void **state)
{
    struct buf first = buf_new(1 << 24), second = buf_new(1 << 24);
    struct schema *s;
    struct err e;
    (void)state;
    schema_encode(&first, schema_builtin());
    assert_int_equal(schema_decode(&s, buf_bytes(&first), &e), 0);
    assert_false(s->is_builtin);
    assert_int_equal(s->n_attributes, schema_builtin()->n_attributes);
    schema_encode(&second, s);
    assert_true(bytes_equal(buf_bytes(&first), buf_bytes(&second)));
    assert_true(first.len < 300000);
    uint32_t reset = schema_right_find(s, STR("User-Force-Change-Password"));
    s->rights[reset].display_name = STR("Passwort zur\xc3\xbc"
                                        "cksetzen");
    assert_int_equal(schema_right_find(s, STR("passwort-zur\xc3\xbc"
                                              "cksetzen")),
                     reset);
    assert_int_equal(schema_right_find(s, STR("Reset-Password")), reset);
    assert_int_equal(schema_right_find(s, STR("Reset-Passwort")), SCHEMA_NONE);
    schema_free(s);
    schema_free(NULL);
    buf_free(&first);
    buf_free(&second);
}

static void put_attribute(struct buf *b, const char *name, uint8_t guid)
{
    struct schema_attribute a = {.name = str_from(name), .guid = {guid}};
    schema_put_attribute(b, &a);
}

/* Names of one letter each. */
static struct schema_names letters(const char *text, struct str *room)
{
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i++) room[i] = (struct str){text + i, 1};
    return (struct schema_names){room, n};
}

static void put_class(struct buf *b, const char *name, const char *parent, const char *attributes,
                      const char *auxiliary, const char *superiors)
{
    struct str room[3][16];
    struct schema_class_piece c = {
        .name = str_from(name), .parent = str_from(parent), .guid = {(uint8_t)name[0]}, .category = 1};
    c.attributes[1] = letters(attributes, room[0]);
    c.auxiliary[1] = letters(auxiliary, room[1]);
    c.superiors[1] = letters(superiors, room[2]);
    schema_put_class(b, &c);
}

static struct schema *decoded(struct buf *b)
{
    struct schema *s;
    struct err e;
    if (schema_decode(&s, buf_bytes(b), &e) < 0) fail_msg("%s", e.message);
    buf_free(b);
    return s;
}

static void assert_attributes(const struct schema *s, const char *class, const char *want)
{
    size_t n;
    const uint32_t *list = schema_class_attributes(s, class_of(s, class), &n);
    char got[64] = "";
    for (size_t i = 0; i < n; i++) got[i] = s->attributes[list[i]].name.ptr[0];
    assert_string_equal(got, want);
}

/* Classes before the attributes and parents that they name; names nobody has; one name twice; heuristics
 * last. */
static void test_any_order(void **state)
{
    struct buf b = buf_new(1 << 16);
    (void)state;
    schema_put_start(&b);
    put_class(&b, "C", "B", "ca", "X", "Pq");
    put_class(&b, "c", "", "b", "", "");
    put_class(&b, "B", "T", "bz", "", "B");
    put_class(&b, "X", "Y", "x", "", "");
    put_class(&b, "Y", "T", "y", "", "T");
    put_class(&b, "T", "T", "t", "", "");
    for (const char *a = "yxtcba"; *a; a++) put_attribute(&b, (char[]){*a, 0}, (uint8_t)*a);
    put_attribute(&b, "a", 99);
    put_class(&b, "P", "T", "", "", "");
    schema_put_heuristics(&b, STR("001"));
    struct schema *s = decoded(&b);
    assert_int_equal(s->n_attributes, 6);
    assert_int_equal(s->n_classes, 6);
    assert_int_equal(s->attributes[0].guid[0], 'a');
    assert_attributes(s, "C", "abctxy");
    assert_attributes(s, "B", "bt");
    assert_attributes(s, "T", "t");
    assert_true(schema_class_may_contain(s, class_of(s, "P"), class_of(s, "C")));
    assert_true(schema_class_may_contain(s, class_of(s, "C"),
                                         class_of(s, "C"))); /* below a B: by its parent, and a C is one */
    assert_false(
        schema_class_may_contain(s, class_of(s, "T"), class_of(s, "C"))); /* only its auxiliary class may */
    assert_true(schema_class_may_contain(s, class_of(s, "T"), class_of(s, "Y")));
    assert_false(schema_class_may_contain(s, class_of(s, "T"), class_of(s, "P")));
    assert_int_equal(schema_heuristic(s, 3), '1');
    assert_int_equal(schema_heuristic(s, 2), '0');
    assert_int_equal(schema_heuristic(s, SCHEMA_HEURISTIC_BLOCK_IMPLICIT_OWNER), '0');
    assert_int_equal(schema_heuristic(s, 0), '0');
    schema_free(s);
}

static void test_circles_end(void **state)
{
    struct buf b = buf_new(1 << 16);
    (void)state;
    schema_put_start(&b);
    put_class(&b, "A", "B", "a", "", "");
    put_class(&b, "B", "C", "b", "", "");
    put_class(&b, "C", "A", "c", "", "");
    put_class(&b, "D", "A", "d", "E", "");
    put_class(&b, "E", "", "e", "DE", "");
    for (const char *a = "abcde"; *a; a++) put_attribute(&b, (char[]){*a, 0}, (uint8_t)*a);
    struct schema *s = decoded(&b);
    for (uint32_t i = 0; i < s->n_classes; i++) {
        unsigned steps = 0;
        for (uint32_t c = i; c != SCHEMA_NONE; c = s->classes[c].parent) assert_true(++steps <= s->n_classes);
    }
    assert_attributes(s, "A", "abc");
    assert_attributes(s, "D", "abcde");
    schema_free(s);
}

static void test_deep_chain(void **state)
{
    enum { DEPTH = 20000 };
    struct buf b = buf_new(1 << 22);
    char name[16], parent[16];
    (void)state;
    schema_put_start(&b);
    for (unsigned i = 0; i < DEPTH; i++) {
        snprintf(name, sizeof name, "c%05u", i);
        snprintf(parent, sizeof parent, "c%05u", i + 1);
        put_class(&b, name, parent, i + 1 == DEPTH ? "a" : "", "", "");
    }
    put_attribute(&b, "a", 1);
    struct schema *s = decoded(&b);
    assert_attributes(s, "c00000", "a");
    schema_free(s);
}

static void test_nothing(void **state)
{
    struct buf b = buf_new(64);
    size_t n;
    uint32_t at;
    (void)state;
    schema_put_start(&b);
    struct schema *s = decoded(&b);
    assert_int_equal(schema_attribute_find(s, STR("member")), SCHEMA_NONE);
    assert_int_equal(schema_guid_find(s, (const uint8_t[16]){1}, 0, &at), SCHEMA_UNKNOWN);
    schema_free(s);
    b = buf_new(1024);
    schema_put_start(&b);
    put_class(&b, "A", "", "", "", "");
    s = decoded(&b);
    schema_class_attributes(s, 0, &n);
    assert_int_equal(n, 0);
    schema_free(s);
}

static void test_refused(void **state)
{
    static const struct {
        const char *hex, *message;
    } cases[] = {
        {"", "schema: version 0 is not known"},
        {"02", "schema: version 2 is not known"},
        {"01 02", "schema: a piece is cut off"},
        {"01 02 05000000 01 61", "schema: a piece is cut off"},
        {"01 02 00000000", "schema: attribute 1 is malformed"},
        {"01 01 02000000 0161 03 01000000 00", "schema: class 1 is malformed"},
        {"01 01 03000000 0161 00", "schema: heuristics 1 is malformed"},
        {"01 01 02000000 01ff", "schema: heuristics 1 is malformed"},
        {"01 02 25000000 00 00000000000000000000000000000000 00000000000000000000000000000000 00 00 00 00",
         "schema: attribute 1 is malformed"},
        {"01 02 25000000 01 07 00000000000000000000000000000000 00000000000000000000000000000000 00 00 00",
         "schema: attribute 1 is malformed"},
        {"01 04 17000000 01 61 00 00000000000000000000000000000000 00 ffff7f",
         "schema: right 1 is malformed"},
        {"01 03 1a000000 01 61 00000000000000000000000000000000 00 01 00 ffffffff0f",
         "schema: class 1 is malformed"},
        {"01 03 18000000 01 61 00000000000000000000000000000000 00 04 00 000000",
         "schema: class 1 is malformed"},
    };
    (void)state;
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf b = buf_new(1024);
        struct schema *s;
        struct err e;
        test_add_hex(&b, cases[i].hex);
        int rc = schema_decode(&s, buf_bytes(&b), &e);
        assert_int_equal(rc, ERR_PROTO);
        assert_null(s);
        if (cases[i].message && strcmp(e.message, cases[i].message))
            fail_msg("%s: %s", cases[i].hex, e.message);
        buf_free(&b);
    }
}

static void test_limits(void **state)
{
    struct buf b = buf_new(1 << 24);
    struct schema *s;
    struct err e;
    (void)state;
    schema_put_start(&b);
    for (unsigned i = 0; i <= 65536; i++) put_attribute(&b, "a", 1);
    assert_int_equal(schema_decode(&s, buf_bytes(&b), &e), ERR_LIMIT);
    assert_int_equal(schema_decode(&s, (struct bytes){b.ptr, (size_t)33 << 20}, &e), ERR_LIMIT);
    buf_free(&b);
}

/* A few kilobytes may not cost gigabytes: every class inherits all attributes of all others. */
static void test_heavy_inheritance(void **state)
{
    struct buf b = buf_new(1 << 25);
    struct str many[3000];
    static char names[3000][8];
    struct schema *s;
    struct err e;
    (void)state;
    for (unsigned i = 0; i < 3000; i++) {
        snprintf(names[i], sizeof names[i], "n%04u", i);
        many[i] = str_from(names[i]);
    }
    schema_put_start(&b);
    for (unsigned i = 0; i < 60000; i++) {
        char name[16];
        snprintf(name, sizeof name, "%u", i);
        put_attribute(&b, name, 1);
    }
    for (unsigned i = 0; i < 3000; i++) {
        struct schema_class_piece c = {.name = many[i], .auxiliary = {{many, i ? 500 : 0}}};
        schema_put_class(&b, &c);
    }
    int rc = schema_decode(&s, buf_bytes(&b), &e);
    assert_true(rc == 0 || rc == ERR_LIMIT);
    schema_free(s);
    buf_free(&b);
}

static void test_mutated(void **state)
{
    struct buf good = buf_new(1 << 16), bad = buf_new(1 << 17);
    uint64_t seed = 20240521;
    unsigned n_good = 0;
    (void)state;
    schema_put_start(&good);
    put_class(&good, "C", "B", "ca", "X", "Pq");
    put_class(&good, "B", "T", "bz", "C", "BC");
    for (const char *a = "cba"; *a; a++) put_attribute(&good, (char[]){*a, 0}, (uint8_t)*a);
    schema_put_right(&good, &(struct schema_right){.name = STR("r"),
                                                   .display_name = STR("R r"),
                                                   .valid_accesses = 0x30,
                                                   .applies_to = &(const uint8_t[16]){1},
                                                   .n_applies_to = 1});
    schema_put_heuristics(&good, STR("001"));
    for (unsigned i = 0; i < 30000; i++) {
        struct schema *s;
        struct err e;
        test_mutate(&bad, buf_bytes(&good), &seed);
        int rc = schema_decode(&s, buf_bytes(&bad), &e);
        assert_true(rc == 0 || rc == ERR_PROTO || rc == ERR_LIMIT);
        if (rc < 0) continue;
        struct buf again = buf_new(1 << 20);
        schema_encode(&again, s);
        schema_free(s);
        assert_int_equal(schema_decode(&s, buf_bytes(&again), &e), 0);
        n_good++;
        schema_free(s);
        buf_free(&again);
    }
    assert_true(n_good > 100);
    buf_free(&good);
    buf_free(&bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_builtin_names),
        cmocka_unit_test(test_builtin_is_whole),
        cmocka_unit_test(test_builtin_flags),
        cmocka_unit_test(test_builtin_structure),
        cmocka_unit_test(test_one_guid_many_things),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_circles_end),
        cmocka_unit_test(test_deep_chain),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_heavy_inheritance),
        cmocka_unit_test(test_mutated),
    };
    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
