#include "source/ldap/ldap_value.h"

#include "net/ldap_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* A SET's content of these values; sizes 0 end at the NUL. */
static struct bytes set_of(struct buf *b, const char *const *values)
{
    buf_clear(b);
    for (; *values; values++) put_text(b, *values);
    return buf_bytes(b);
}

struct converted {
    uint64_t n_bad;
    struct buf body;
    struct values v;
    bool is_present;
};

static struct converted convert(enum attr_type type, bool is_multi, struct bytes set)
{
    struct value_scratch scratch = value_scratch_new();
    struct slot s = {
        .name = STR("custom"), .id = ATTR_CUSTOM, .type = type, .is_multi = is_multi, .set = set};
    struct converted c = {.body = buf_new((size_t)64 << 20)};
    c.n_bad = value_add(&c.body, &scratch, &s);
    struct cursor at = cursor_new(buf_bytes(&c.body));
    c.is_present = body_next(&at, &c.v);
    if (at.failed || at.in.len) fail_msg("the body is malformed");
    value_scratch_free(&scratch);
    return c;
}

#define BAD  INT64_MIN + 7
#define NONE INT64_MIN + 8

static void numbers(void **state)
{
    static const struct {
        enum attr_type type;
        const char *raw;
        int64_t value;
    } cases[] = {
        {ATTR_INT, "0", 0},
        {ATTR_INT, "-2147483646", -2147483646},
        {ATTR_INT, "9223372036854775807", INT64_MAX},
        {ATTR_INT, "9223372036854775808", BAD},
        {ATTR_INT, "", BAD},
        {ATTR_INT, " 1", BAD},
        {ATTR_INT, "1x", BAD},
        {ATTR_INT, "0x10", BAD},
        {ATTR_TIME, "0", NONE},
        {ATTR_TIME, "9223372036854775807", NONE},
        {ATTR_TIME, "133497504000000000", 1705276800000},
        {ATTR_TIME, "20240115000000.0Z", 1705276800000},
        {ATTR_TIME, "16010101000000.0Z", NONE},
        {ATTR_TIME, "yesterday", BAD},
        {ATTR_TIME, "20241315000000.0Z", BAD},
        {ATTR_TIME, "-1", BAD},
        {ATTR_SPAN, "-36288000000000", 3628800000},
        {ATTR_SPAN, "0", 0},
        {ATTR_SPAN, "-9223372036854775808", 0},
        {ATTR_SPAN, "5", BAD},
        {ATTR_BOOL, "TRUE", 1},
        {ATTR_BOOL, "FALSE", 0},
        {ATTR_BOOL, "true", 1},
        {ATTR_BOOL, "1", BAD},
    };
    struct buf b = buf_new(65536);
    (void)state;
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct converted c = convert(cases[i].type, false, set_of(&b, VALUES(cases[i].raw)));
        int64_t got = NONE;
        if (c.is_present) values_next_int(&c.v, &got);
        if (c.n_bad) got = BAD;
        if (got != cases[i].value) fail_msg("%s: %lld", cases[i].raw, (long long)got);
        buf_free(&c.body);
    }
    buf_free(&b);
}

static void texts_and_bytes(void **state)
{
    static const struct {
        enum attr_type type;
        const char *raw;
        size_t len;
        bool good;
    } cases[] = {
        {ATTR_STRING, "plain", 5, true},
        {ATTR_STRING, "", 0, true},
        {ATTR_STRING, "caf\xc3\xa9", 5, true},
        {ATTR_STRING, "a long enough text with caf\xc3\xa9 behind", 34, true},
        {ATTR_STRING, "nul\0inside", 10, false},
        {ATTR_STRING, "12345678\0", 9, false},
        {ATTR_STRING, "1234567\0", 8, false},
        {ATTR_STRING,
         "\0"
         "2345678",
         8, false},
        {ATTR_STRING, "\0", 1, false},
        {ATTR_STRING, "latin1 caf\xe9", 11, false},
        {ATTR_STRING, "\xe9", 1, false},
        {ATTR_STRING, "cut \xc3", 5, false},
        {ATTR_STRING, "surrogate \xed\xa0\x80", 13, false},
        {ATTR_STRING, "overlong \xc0\xaf", 11, false},
        {ATTR_DN, "CN=x", 4, true},
        {ATTR_DN, "", 0, false},
        {ATTR_DN, "CN=\xff", 4, false},
        {ATTR_BINARY, "\xff\0\xfe", 3, true},
        {ATTR_BINARY, "", 0, true},
        {ATTR_GUID, "0123456789abcdef", 16, true},
        {ATTR_GUID, "0123456789abcde", 15, false},
        {ATTR_SID, "\1\1\0\0\0\0\0\5\x12\0\0\0", 12, true},
        {ATTR_SID, "\1\1\0\0\0\0\0\5\x12\0\0", 11, false},
        {ATTR_SID, "\2\1\0\0\0\0\0\5\x12\0\0\0", 12, false},
        {ATTR_SID, "", 0, false},
    };
    struct buf b = buf_new(65536);
    (void)state;
    for (size_t i = 0; i < n_elements(cases); i++) {
        buf_clear(&b);
        put_octets(&b, BER_OCTETS, cases[i].raw, cases[i].len);
        struct converted c = convert(cases[i].type, false, buf_bytes(&b));
        struct bytes got = {NULL, 0};
        if (c.is_present != cases[i].good || c.n_bad != !cases[i].good)
            fail_msg("case %zu: %s", i, cases[i].raw);
        if (c.is_present) {
            assert_true(values_next_bytes(&c.v, &got));
            assert_true(bytes_equal(got, (struct bytes){(const uint8_t *)cases[i].raw, cases[i].len}));
        }
        buf_free(&c.body);
    }
    buf_free(&b);
}

/* The fast way for a table's text writes what the general way would. */
static void table_text_is_encoded_alike(void **state)
{
    struct value_scratch scratch = value_scratch_new();
    (void)state;
    for (size_t len = 0; len < 40000; len = len * 3 + 1) {
        struct buf set = buf_new(65536), fast = buf_new(65536), slow = buf_new(65536),
                   values = buf_new(65536);
        char *text = malloc(len + 1);
        memset(text, 'x', len);
        put_octets(&set, BER_OCTETS, text, len);
        struct slot s = {.id = ATTR_TITLE, .type = ATTR_STRING, .set = buf_bytes(&set)};
        assert_int_equal(value_add(&fast, &scratch, &s), 0);
        body_value_bytes(&values, (struct bytes){(uint8_t *)text, len});
        body_add(&slow, ATTR_TITLE, 1, buf_bytes(&values));
        assert_true(bytes_equal(buf_bytes(&fast), buf_bytes(&slow)));
        free(text);
        struct buf *all[] = {&set, &fast, &slow, &values};
        for (size_t i = 0; i < n_elements(all); i++) buf_free(all[i]);
    }
    value_scratch_free(&scratch);
}

static void many_values_are_sorted(void **state)
{
    struct buf b = buf_new(65536);
    struct bytes got;
    static const char *const sorted[] = {"", "A", "B", "a", "ab", "abc", "b"};
    struct converted c = convert(ATTR_STRING, true, set_of(&b, VALUES("b", "abc", "a", "B", "ab", "", "A")));
    (void)state;
    assert_int_equal(c.n_bad, 0);
    assert_int_equal(c.v.n, n_elements(sorted));
    for (size_t i = 0; i < n_elements(sorted); i++) {
        assert_true(values_next_bytes(&c.v, &got));
        assert_true(str_equal(str_of(got), str_from(sorted[i])));
    }
    buf_free(&c.body);
    buf_free(&b);
}

static void order_does_not_matter(void **state)
{
    struct buf b = buf_new(65536);
    struct converted one = convert(ATTR_STRING, true, set_of(&b, VALUES("x", "y", "z")));
    struct converted other = convert(ATTR_STRING, true, set_of(&b, VALUES("z", "x", "y")));
    (void)state;
    assert_true(bytes_equal(buf_bytes(&one.body), buf_bytes(&other.body)));
    buf_free(&one.body);
    buf_free(&other.body);
    buf_free(&b);
}

static void bad_values_leave_the_good_ones(void **state)
{
    struct buf b = buf_new(65536);
    struct converted c = convert(ATTR_STRING, true, set_of(&b, VALUES("b", "\xff", "a", "\xfe")));
    (void)state;
    assert_int_equal(c.n_bad, 2);
    assert_int_equal(c.v.n, 2);
    buf_free(&c.body);
    c = convert(ATTR_STRING, true, set_of(&b, VALUES("\xff", "\xfe")));
    assert_int_equal(c.n_bad, 2);
    assert_false(c.is_present);
    buf_free(&c.body);
    c = convert(ATTR_STRING, false, set_of(&b, VALUES("first", "second")));
    assert_int_equal(c.n_bad, 1);
    assert_int_equal(c.v.n, 1);
    buf_free(&c.body);
    buf_free(&b);
}

static void malformed_sets(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {{"\x04", 1},
                 {"\x04\x05"
                  "abc",
                  5},
                 {"\x30\x00", 2},
                 {"\x04\x80", 2},
                 {"\x04\x84\xff\xff\xff\xff", 6},
                 {"\x04\x01"
                  "a"
                  "\x04\x09"
                  "b",
                  6}};
    (void)state;
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct converted c =
            convert(ATTR_STRING, true, (struct bytes){(const uint8_t *)cases[i].bytes, cases[i].len});
        if (!c.n_bad) fail_msg("case %zu was believed", i);
        buf_free(&c.body);
    }
    struct converted c = convert(ATTR_STRING, true, (struct bytes){NULL, 0});
    assert_false(c.n_bad || c.is_present);
    buf_free(&c.body);
}

static void too_many_values(void **state)
{
    struct buf b = buf_new((size_t)4 << 20);
    (void)state;
    for (int i = 0; i < 200001; i++) buf_add(&b, "\x04\x01x", 3);
    struct converted c = convert(ATTR_STRING, true, buf_bytes(&b));
    assert_int_equal(c.n_bad, 1);
    assert_false(c.is_present);
    buf_free(&c.body);
    buf_free(&b);
}

static void dn_lists_keep_their_order(void **state)
{
    struct buf b = buf_new(65536), block = buf_new(65536);
    uint32_t n;
    struct str dn;
    (void)state;
    assert_int_equal(value_add_dns(&block, &n, set_of(&b, VALUES("CN=b", "", "CN=a", "CN=\xff"))), 2);
    struct dn_list list = {n, buf_bytes(&block)};
    assert_int_equal(n, 2);
    assert_true(dn_list_next(&list, &dn) && str_equal(dn, STR("CN=b")));
    assert_true(dn_list_next(&list, &dn) && str_equal(dn, STR("CN=a")));
    assert_int_equal(value_add_dns(&block, &n,
                                   (struct bytes){(const uint8_t *)"\x04\x05"
                                                                   "ab",
                                                  4}),
                     1);
    buf_free(&b);
    buf_free(&block);
}

static void examples_are_cut_between_characters(void **state)
{
    char out[EXAMPLE_SIZE], text[600];
    (void)state;
    example_set(out, STR("CN=x"));
    assert_string_equal(out, "CN=x");
    example_set(out, STR("CN=\xff"));
    assert_string_equal(out, "");
    example_set(out, (struct str){"a\0b", 3});
    assert_string_equal(out, "");
    for (size_t i = 0; i < sizeof text; i += 3) memcpy(text + i, "\xe2\x82\xac", 3);
    for (size_t shift = 0; shift < 3; shift++) {
        memmove(text + shift, text, 400);
        memset(text, 'x', shift);
        example_set(out, (struct str){text, 300 + shift});
        assert_true(strlen(out) >= EXAMPLE_SIZE - 3 && str_is_utf8(str_from(out)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(texts_and_bytes),
        cmocka_unit_test(table_text_is_encoded_alike),
        cmocka_unit_test(many_values_are_sorted),
        cmocka_unit_test(order_does_not_matter),
        cmocka_unit_test(bad_values_leave_the_good_ones),
        cmocka_unit_test(malformed_sets),
        cmocka_unit_test(too_many_values),
        cmocka_unit_test(dn_lists_keep_their_order),
        cmocka_unit_test(examples_are_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
