#include "model/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/testing.h"

#include <stdio.h>

/* --- one record with something of everything ---------------------------------------------------------- */

static void add_strings(struct buf *body, enum attr id, size_t n, const char *const *texts)
{
    struct buf values = buf_new(1000);
    for (size_t i = 0; i < n; i++) body_value_bytes(&values, bytes_of(str_from(texts[i])));
    body_add(body, id, (uint32_t)n, buf_bytes(&values));
    buf_free(&values);
}

static void add_int(struct buf *body, enum attr id, int64_t v)
{
    struct buf values = buf_new(20);
    body_value_int(&values, v);
    body_add(body, id, 1, buf_bytes(&values));
    buf_free(&values);
}

static void add_dns(struct buf *block, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char dn[64];
        snprintf(dn, sizeof dn, "CN=m%zu,DC=x", i);
        buf_add_lstr(block, bytes_of(str_from(dn)));
    }
}

struct made {
    struct buf state, stats, member, member_of, sid, wire;
    struct record record;
};

static void make(struct made *m)
{
    *m = (struct made){.state = buf_new(1 << 16),
                       .stats = buf_new(1 << 16),
                       .member = buf_new(1 << 16),
                       .member_of = buf_new(1 << 16),
                       .sid = buf_new(100),
                       .wire = buf_new(1 << 18)};
    struct buf v = buf_new(1000);
    add_strings(&m->state, ATTR_OBJECT_CLASS, 2, (const char *const[]){"group", "top"});
    add_strings(&m->state, ATTR_CN, 1, (const char *const[]){"Admins"});
    add_strings(&m->state, ATTR_DESCRIPTION, 0, NULL);
    add_strings(&m->state, ATTR_SAM_ACCOUNT_NAME, 1, (const char *const[]){"admins"});
    add_int(&m->state, ATTR_GROUP_TYPE, -2147483646);
    body_value_bool(&v, true);
    body_add_custom(&m->state, STR("isVip"), ATTR_BOOL, 1, buf_bytes(&v));
    buf_clear(&v);
    body_value_bytes(&v, bytes_of(STR("B-42")));
    body_value_bytes(&v, bytes_of(STR("B-43")));
    body_add_custom(&m->state, STR("badgeNumber"), ATTR_STRING, 2, buf_bytes(&v));
    add_int(&m->stats, ATTR_WHEN_CHANGED, 1767225600000);
    add_int(&m->stats, ATTR_USN_CHANGED, INT64_MAX);
    add_dns(&m->member, 300);
    add_dns(&m->member_of, 2);
    test_add_sid(&m->sid, "S-1-5-21-1-2-3-1104");
    m->record = (struct record){.kind = KIND_group,
                                .flags = RECORD_MORE_MEMBERS,
                                .sid = buf_bytes(&m->sid),
                                .dn = STR("CN=Admins,DC=x"),
                                .sd = 70000,
                                .state = buf_bytes(&m->state),
                                .stats = buf_bytes(&m->stats),
                                .member = {300, buf_bytes(&m->member)},
                                .member_of = {2, buf_bytes(&m->member_of)}};
    for (unsigned i = 0; i < GUID_SIZE; i++) m->record.guid[i] = (uint8_t)(i * 17);
    record_encode(&m->wire, &m->record);
    assert_false(m->wire.failed);
    buf_free(&v);
}

static void unmake(struct made *m)
{
    struct buf *all[] = {&m->state, &m->stats, &m->member, &m->member_of, &m->sid, &m->wire};
    for (size_t i = 0; i < n_elements(all); i++) buf_free(all[i]);
}

static void round_trip(void **state)
{
    struct made m;
    struct record r;
    struct err e;
    make(&m);
    assert_int_equal(record_decode(&r, buf_bytes(&m.wire), &e), 0);
    assert_int_equal(r.kind, KIND_group);
    assert_int_equal(r.flags, RECORD_MORE_MEMBERS);
    assert_memory_equal(r.guid, m.record.guid, GUID_SIZE);
    assert_true(bytes_equal(r.sid, m.record.sid));
    assert_true(str_equal(r.dn, m.record.dn));
    assert_int_equal(r.sd, 70000);
    assert_true(bytes_equal(r.state, m.record.state));
    assert_true(bytes_equal(r.stats, m.record.stats));
    assert_int_equal(r.member.n, 300);
    assert_true(bytes_equal(r.member.block, m.record.member.block));
    assert_int_equal(r.member_of.n, 2);
    struct str dn;
    size_t n = 0;
    for (struct dn_list rest = r.member; dn_list_next(&rest, &dn); n++)
        assert_true(str_starts(dn, STR("CN=m")));
    assert_int_equal(n, 300);
    unmake(&m);
}

static void an_empty_record_is_fine(void **state)
{
    struct record empty = {.kind = KIND_ou}, r;
    struct record_index x;
    struct buf b = buf_new(100);
    struct err e;
    record_encode(&b, &empty);
    assert_int_equal(record_decode(&r, buf_bytes(&b), &e), 0);
    assert_int_equal(record_index(&x, &r, &e), 0);
    assert_int_equal(record_name(&x).len, 0);
    assert_int_equal(record_values(&x, ATTR_CN).n, 0);
    buf_free(&b);
}

static void every_prefix_is_refused(void **state)
{
    struct made m;
    struct record r;
    struct err e;
    make(&m);
    for (size_t n = 0; n < m.wire.len; n++)
        assert_int_equal(record_decode(&r, (struct bytes){m.wire.ptr, n}, &e), ERR_PROTO);
    buf_add_byte(&m.wire, 0);
    assert_int_equal(record_decode(&r, buf_bytes(&m.wire), &e), ERR_PROTO); /* and anything longer */
    unmake(&m);
}

static struct buf encoded(struct record r)
{
    struct buf b = buf_new(4096);
    record_encode(&b, &r);
    return b;
}

static void refuses(void **state)
{
    static const uint8_t list[] = {2, 'a', 'b', 1, 'c'}; /* two names */
    const struct bytes block = {list, sizeof list};
    static uint8_t sid[69];
    const struct {
        struct record record;
        int rc;
    } cases[] = {
        {{.kind = KIND_user, .member = {2, block}}, 0},
        {{.kind = KIND_user, .member = {1, block}},
         ERR_PROTO}, /* one name too many: would be lost silently */
        {{.kind = KIND_user, .member = {3, block}}, ERR_PROTO}, /* one too few: would look removed */
        {{.kind = KIND_user, .member_of = {3, block}}, ERR_PROTO},
        {{.kind = KIND_user, .member = {2, {list, 4}}}, ERR_PROTO},
        {{.kind = KIND_user, .member = {1, {NULL, 0}}}, ERR_PROTO},
        {{.kind = KIND_user, .member = {UINT32_MAX, block}}, ERR_PROTO},
        {{.kind = KIND_NONE}, ERR_PROTO},
        {{.kind = KIND_COUNT}, ERR_PROTO},
        {{.kind = (enum kind)255}, ERR_PROTO},
        {{.kind = KIND_user, .sid = {sid, 68}}, 0},
        {{.kind = KIND_user, .sid = {sid, 69}}, ERR_PROTO},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf b = encoded(cases[i].record);
        struct record r;
        struct err e;
        assert_int_equal(record_decode(&r, buf_bytes(&b), &e), cases[i].rc);
        buf_free(&b);
    }
}

/* --- bodies ------------------------------------------------------------------------------------------- */

static void walks_a_body(void **state)
{
    struct made m;
    make(&m);
    static const struct {
        enum attr id;
        const char *name;
        enum attr_type type;
        bool multi;
        unsigned n;
    } expected[] = {
        {ATTR_OBJECT_CLASS, "objectClass", ATTR_STRING, true, 2},
        {ATTR_CN, "cn", ATTR_STRING, false, 1},
        {ATTR_DESCRIPTION, "description", ATTR_STRING, true, 0},
        {ATTR_SAM_ACCOUNT_NAME, "sAMAccountName", ATTR_STRING, false, 1},
        {ATTR_GROUP_TYPE, "groupType", ATTR_INT, false, 1},
        {ATTR_CUSTOM, "isVip", ATTR_BOOL, true, 1},
        {ATTR_CUSTOM, "badgeNumber", ATTR_STRING, true, 2},
    };
    struct cursor c = cursor_new(m.record.state);
    struct values v;
    size_t n = 0;
    for (; body_next(&c, &v); n++) {
        assert_true(n < n_elements(expected));
        assert_int_equal(v.id, expected[n].id);
        assert_true(str_equal(v.name, str_from(expected[n].name)));
        assert_int_equal(v.type, expected[n].type);
        assert_int_equal(v.is_multi, expected[n].multi);
        assert_int_equal(v.n, expected[n].n);
        assert_false(v.is_stat);
    }
    assert_false(c.failed);
    assert_int_equal(n, n_elements(expected));
    unmake(&m);
}

static void finds_by_attribute(void **state)
{
    struct made m;
    struct record_index x;
    struct err e;
    struct str s = STR("untouched");
    struct bytes b;
    int64_t i = 7;
    make(&m);
    assert_int_equal(record_index(&x, &m.record, &e), 0);
    struct values v = record_values(&x, ATTR_OBJECT_CLASS);
    assert_true(values_next_bytes(&v, &b) && str_equal(str_of(b), STR("group")));
    assert_true(values_next_bytes(&v, &b) && str_equal(str_of(b), STR("top")));
    assert_false(values_next_bytes(&v, &b));
    assert_false(record_str(&x, ATTR_DESCRIPTION, &s)); /* there, but without a value */
    assert_false(record_str(&x, ATTR_MAIL, &s));
    assert_false(record_int(&x, ATTR_ADMIN_COUNT, &i));
    assert_true(str_equal(s, STR("untouched")) && i == 7);
    assert_true(record_str(&x, ATTR_CN, &s) && str_equal(s, STR("Admins")));
    assert_true(record_int(&x, ATTR_GROUP_TYPE, &i) && i == -2147483646);
    assert_true(record_int(&x, ATTR_USN_CHANGED, &i) && i == INT64_MAX); /* from the other body */
    v = record_custom(&x, STR("BADGEnumber"));
    assert_int_equal(v.n, 2);
    assert_true(values_next_bytes(&v, &b) && str_equal(str_of(b), STR("B-42")));
    v = record_custom(&x, STR("isVip"));
    assert_true(values_next_int(&v, &i) && i == 1);
    assert_int_equal(record_custom(&x, STR("shoeSize")).n, 0);
    assert_int_equal(record_values(&x, ATTR_CUSTOM).n, 0); /* has no place of its own */
    assert_true(str_equal(record_name(&x), STR("admins")));
    unmake(&m);
}

static void names(void **state)
{
    static const struct {
        enum attr ids[3];
        const char *dn, *name;
    } cases[] = {
        {{ATTR_SAM_ACCOUNT_NAME, ATTR_DISPLAY_NAME}, "CN=x", "20"},
        {{ATTR_NAME, ATTR_DISPLAY_NAME}, "CN=x", "5"},
        {{ATTR_NAME, ATTR_TRUST_PARTNER}, "CN=x", "150"},
        {{ATTR_CN, ATTR_NAME}, "CN=x", "3"},
        {{ATTR_OU}, "OU=x,DC=y", "120"},
        {{ATTR_DISPLAY_NAME, ATTR_USER_PRINCIPAL_NAME}, "8f2d", "5"}, /* of Entra ID */
        {{ATTR_ON_PREMISES_SAM, ATTR_USER_PRINCIPAL_NAME}, "8f2d", "22"},
        {{ATTR_MAIL, ATTR_APP_DISPLAY_NAME}, "8f2d", "276"},
        {{ATTR_VERIFIED_DOMAINS, ATTR_DEFAULT_DOMAIN}, "8f2d", "291"},
        {{ATTR_MAIL}, "8f2d", "53"},
        {{ATTR_DEVICE_ID}, "8f2dc0de-0000-4000-8000-000000000001", "8f2dc0de-0000-4000-8000-000000000001"},
        {{0}, "CN=Ann Lee,DC=x", "Ann Lee"},
        {{0}, "CN=Lee\\, Ann,DC=x", "Lee\\, Ann"},
        {{0}, "CN=x", "x"},
        {{0}, "no dn", "no dn"},
        {{0}, "", ""},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf state_body = buf_new(1000);
        struct record_index x;
        struct err e;
        for (const enum attr *id = cases[i].ids; *id; id++) {
            char number[16];
            snprintf(number, sizeof number, "%d", (int)*id);
            add_strings(&state_body, *id, 1, (const char *const[]){number});
        }
        struct record r = {.kind = KIND_user, .dn = str_from(cases[i].dn), .state = buf_bytes(&state_body)};
        assert_int_equal(record_index(&x, &r, &e), 0);
        assert_true(str_equal(record_name(&x), str_from(cases[i].name)));
        buf_free(&state_body);
    }
}

static void malformed_bodies(void **state)
{
    static const struct {
        const char *hex;
        bool index_ok, walk_ok;
    } cases[] = {
        {"", true, true},
        {"02 03 01 01 41", true, true}, /* cn = "A" */
        {"02 03 01 01", false, false},  /* cut off */
        {"02", false, false},
        {"02 04 01 01 41", false, false}, /* payload past the end */
        {"02 ffffffffffffffffff01 01", false, false},
        {"0b 03 01 01 41", true, false},              /* 11: no such attribute */
        {"c002 03 01 01 41", false, false},           /* 320: none could be */
        {"f403 07 01 61 00 01 02 4142", true, true},  /* custom "a", string "AB" */
        {"f403 07 01 61 09 01 02 4142", true, false}, /* custom of an unknown type */
        {"f403 02 05 61", true, false},               /* custom name past its payload */
        {"02 01 7f", true, false},                    /* 127 values in no bytes */
        {"02 06 ffffffff0f 00", true, false},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf b = buf_new(100);
        struct record_index x;
        struct err e;
        test_add_hex(&b, cases[i].hex);
        struct record r = {.kind = KIND_user, .state = buf_bytes(&b)};
        assert_int_equal(record_index(&x, &r, &e), cases[i].index_ok ? 0 : ERR_PROTO);
        struct cursor c = cursor_new(buf_bytes(&b));
        struct values v;
        while (body_next(&c, &v)) continue;
        assert_int_equal(!c.failed, cases[i].walk_ok);
        buf_free(&b);
    }
}

/* Values that break off end the iteration; nothing is read past the payload. */
static void truncated_values(void **state)
{
    struct buf b = buf_new(100);
    struct record_index x;
    struct err e;
    struct bytes value;
    struct str s;
    test_add_hex(&b, "04 05 03 01 41 09 42"); /* description: 3 values, the second longer than there is */
    struct record r = {.kind = KIND_user, .state = buf_bytes(&b)};
    assert_int_equal(record_index(&x, &r, &e), 0);
    struct values v = record_values(&x, ATTR_DESCRIPTION);
    assert_true(values_next_bytes(&v, &value) && value.len == 1);
    assert_false(values_next_bytes(&v, &value));
    assert_false(values_next_bytes(&v, &value));
    assert_true(v.at.failed);
    assert_true(record_str(&x, ATTR_DESCRIPTION, &s) && str_equal(s, STR("A")));
    buf_free(&b);
}

static void guids(void **state)
{
    static const uint8_t bytes[GUID_SIZE] = {0xc0, 0x79, 0x96, 0xbf, 0xe6, 0x0d, 0xd0, 0x11,
                                             0xa2, 0x85, 0x00, 0xaa, 0x00, 0x30, 0x49, 0xe2};
    uint8_t back[GUID_SIZE];
    char text[GUID_TEXT];
    assert_string_equal(guid_format(text, bytes), "bf9679c0-0de6-11d0-a285-00aa003049e2");
    static const char *const same[] = {"bf9679c0-0de6-11d0-a285-00aa003049e2",
                                       "{BF9679C0-0DE6-11D0-A285-00AA003049E2}"};
    for (size_t i = 0; i < n_elements(same); i++) {
        assert_true(guid_parse(back, str_from(same[i])));
        assert_memory_equal(back, bytes, GUID_SIZE);
    }
    static const char *const wrong[] = {
        "",
        "bf9679c0",
        "bf9679c00de611d0a28500aa003049e2",
        "{bf9679c0-0de6-11d0-a285-00aa003049e2",
        "bf9679c0-0de6-11d0-a285-00aa003049e2}",
        "bf9679c0-0de6-11d0-a285-00aa003049e",
        "bf9679c0-0de6-11d0-a285-00aa003049e22",
        "gf9679c0-0de6-11d0-a285-00aa003049e2",
        "bf9679c0_0de6-11d0-a285-00aa003049e2",
        "bf9679c0-0de6-11d0-a285-00aa003049 2",
        "(bf9679c0-0de6-11d0-a285-00aa003049e2)",
        "bf9679c-00de6-11d0-a285-00aa003049e2",
    };
    for (size_t i = 0; i < n_elements(wrong); i++) assert_false(guid_parse(back, str_from(wrong[i])));
    uint64_t seed = 2;
    for (int i = 0; i < 10000; i++) {
        uint8_t random[GUID_SIZE];
        for (unsigned k = 0; k < GUID_SIZE; k++) random[k] = (uint8_t)test_random(&seed);
        assert_true(guid_parse(back, str_from(guid_format(text, random))));
        assert_memory_equal(back, random, GUID_SIZE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(an_empty_record_is_fine),
        cmocka_unit_test(every_prefix_is_refused),
        cmocka_unit_test(refuses),
        cmocka_unit_test(walks_a_body),
        cmocka_unit_test(finds_by_attribute),
        cmocka_unit_test(names),
        cmocka_unit_test(malformed_bodies),
        cmocka_unit_test(truncated_values),
        cmocka_unit_test(guids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
